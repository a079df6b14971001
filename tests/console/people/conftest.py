"""What happens on the pages about people: Alice's tea friends, a little life in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.http import HttpResponse
from django.test import Client

from qunluo.community.models import Community, User
from qunluo.events.models import Event
from qunluo.groups.actions import do_join
from qunluo.groups.models import Case, Group
from qunluo.groups.moderation import do_act
from qunluo.members.models import Member, Tag, TagGroup
from qunluo.members.searching import do_index
from qunluo.messaging.actions import do_ask, do_post
from qunluo.messaging.models import Message, Question
from tests.cast import client_of, make_user

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
SCRIPT = "</script><script>document.title='owned'</script>"


@dataclass
class Scene:
    """Bob asked something in the group, and was reminded of the rules once."""

    community: Community
    bob: Member
    group: Group
    asked: Message
    question: Question
    case: Case
    tag: Tag


@pytest.fixture
def alice(db: None) -> User:
    """Owns the community; her browser is `desk`."""
    return make_user("alice")


@pytest.fixture
def scene(tea: Community, bob: Member, group: Group) -> Scene:
    do_index(bob)
    do_join(group, bob, by=bob.actor)
    asked = do_post(group, text="这款乌龙茶怎么泡？", label="member", member=bob)
    question = do_ask(asked)
    assert question is not None
    advert = do_post(group, text="加我微信买便宜茶", label="member", member=bob)
    case = do_act(group, bob, "remind", by="rule:hand", why="advertising", text=advert.text,
                  message_id=advert.pk)  # fmt: skip
    tags = TagGroup.objects.create(community=tea, name="taste")
    tag = Tag.objects.create(group=tags, name="oolong")
    return Scene(tea, bob, group, asked, question, case, tag)


@pytest.fixture
def desk(alice: User) -> Client:
    """Alice's browser."""
    return client_of(alice)


def read(response: HttpResponse, status: int = 200) -> str:
    assert response.status_code == status, response.content[:2000]
    return response.content.decode()


def kinds(community: Community) -> list[str]:
    """What the record says, in order."""
    rows = Event.objects.filter(community_id=community.pk).order_by("pk")
    return list(rows.values_list("kind", flat=True))


Post = Callable[..., HttpResponse]
