"""Searches answer as reading every row would, whichever way a database takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

import pytest
from django.db import connection

from qunluo.community.actions import do_found
from qunluo.community.models import Community
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.kit.grams import grams, is_begun, wanted
from qunluo.members import fulltext
from qunluo.members.actions import do_set_contact
from qunluo.members.models import Member
from qunluo.members.queries import search_members
from qunluo.messaging.models import Message
from qunluo.messaging.queries import search_messages
from tests.cast import make_group, make_member, make_user

pytestmark = pytest.mark.django_db

WORDS = ("王伟", "李娜", "小明", "苏州", "杭州", "ann", "anna", "bo", "8点", "新茶", "好的")
R = TypeVar("R", Member, Message)
ASKED = (
    "王",
    "李 苏",
    "州",
    "苏州",
    "a",
    "ann",
    "anna b",
    "8",
    "小明 杭州",
    "好的 新茶",
    "nobody",
    "",
)


@pytest.fixture
def coffee(tea: Community) -> Community:
    """Another community, whose rows lie among ours."""
    return do_found("Coffee", make_user("dave"))


@pytest.fixture(params=[3, 25, 1000])
def newest(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many rows PostgreSQL reads one by one: few, some, all."""
    monkeypatch.setattr(fulltext, "NEWEST", request.param)
    return int(request.param)


@pytest.fixture(params=[1, 20])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many scopes are asked for by a word of the index."""
    monkeypatch.setattr(fulltext, "FEW", request.param)
    return int(request.param)


def has(search: str, text: str) -> bool:
    """Whether a row answers, in the plainest way."""
    stored, words = search.split(), wanted(text)
    return bool(words) and all(
        any(s == word or (is_begun(word, words) and s.startswith(word)) for s in stored)
        for word in words
    )


def invent(dice: Random) -> str:
    return grams(" ".join(dice.choices(WORDS, k=dice.randint(1, 4))))


def check(rows: Sequence[R], search: Callable[[str, int], list[R]]) -> None:
    newest_first = sorted(rows, key=lambda row: -row.pk)
    for text in ASKED:
        right = [row for row in newest_first if has(row.search, text)]
        for limit in (1, 4, 100):
            assert search(text, limit) == right[:limit], text


def test_members_are_found_as_if_each_were_read(
    tea: Community, coffee: Community, newest: int
) -> None:
    dice, homes = Random(newest), [tea, coffee]
    made = Member.objects.bulk_create(
        Member(community=dice.choice(homes), name="x", search=invent(dice), made_at=clock.now())
        for _ in range(80)
    )
    for home in homes:
        own = [member for member in made if member.community_id == home.pk]
        check(own, _among(home))


def _among(community: Community) -> Callable[[str, int], list[Member]]:
    return lambda text, limit: search_members(community, text, limit=limit)


def test_messages_are_found_in_their_room_and_community_only(
    tea: Community, coffee: Community, newest: int, few: int
) -> None:
    dice = Random(newest + few)
    groups = [make_group(tea, "A"), make_group(tea, "B"), make_group(coffee, "C")]
    made = Message.objects.bulk_create(
        Message(group=dice.choice(groups), name="x", search=invent(dice), at=clock.now())
        for _ in range(80)
    )
    for place in groups[:2]:
        own = [message for message in made if message.group_id == place.pk]
        check(own, _in_room(tea, place))
    own = [message for message in made if message.group_id != groups[2].pk]
    check(own, lambda text, limit: search_messages(tea, text, limit=limit))


def _in_room(community: Community, group: Group) -> Callable[[str, int], list[Message]]:
    return lambda text, limit: search_messages(community, text, group=group, limit=limit)


def test_a_search_leaves_the_connection_as_it_was(tea: Community, newest: int) -> None:
    Member.objects.bulk_create(
        Member(community=tea, name=f"M{n}", search=f"m{n} x", made_at=clock.now())
        for n in range(30)
    )
    before = _settings()
    assert len(search_members(tea, "m0")) == 1
    assert len(search_members(tea, "x")) == 30
    assert _settings() == before
    assert Member.objects.filter(pk=make_member(tea, "Later").pk).exists()


def _settings() -> list[str]:
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting(n) FROM unnest(%s::text[]) n",
            [["enable_seqscan", "work_mem"]],
        )
        return [row[0] for row in cursor.fetchall()]


def test_a_number_an_address_and_an_account_find_whose_they_are_once(tea: Community) -> None:
    one, two = make_member(tea, "One"), make_member(tea, "Two")
    do_set_contact(
        one, phone="13800138000", email="one@example.com", verified=True, by="system"
    )
    do_set_contact(two, phone="13800138001", verified=True, by="system")
    account = two.identities.get().external_id
    assert (
        search_members(tea, "138 0013 8000") == search_members(tea, "One@example.com") == [one]
    )
    assert search_members(tea, account) == [two]
    assert search_members(tea, "13800138002") == []
