"""What simulated members and staff do: only what people could do, by the same doors.

Each act takes the stage (the community, its codes, a source of chance) and answers whether there
was anything to do. The one thing written by hand is the label that says a member is simulated.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from django.db.models import QuerySet

from qunluo.channels.web.receiving import do_say
from qunluo.community.models import Community, Staff
from qunluo.groups.actions import (
    do_decide_request,
    do_join,
    do_leave,
    do_route,
)
from qunluo.groups.models import Case, Group, JoinRequest, Membership
from qunluo.groups.moderation import do_appeal, do_decide_appeal
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.living import script
from qunluo.members.actions import do_meet, do_set_consent, do_tag
from qunluo.members.models import ChannelCode, Member, Tag
from qunluo.messaging.actions import do_answer, do_process, do_react, do_receive
from qunluo.messaging.models import Message, Question

CHANNEL = "web"
CONSENT_WORDS = "同意在本社群内接收服务消息（模拟成员）"
RECENT = 12  # messages that people still answer
RUNNING = ("growing", "mature")
PATIENCE = timedelta(minutes=6)  # of a question, before the sample's staff answers it


@dataclass
class Stage:
    """Where it plays."""

    community: Community
    random: Random

    def groups(self) -> list[Group]:
        rows = Group.objects.filter(community=self.community, state__in=RUNNING)
        return list(rows.order_by("pk"))

    def seats(self) -> QuerySet[Membership]:
        """Seats of simulated members; a visitor is never made to say anything."""
        rows = Membership.objects.filter(
            group__community=self.community, group__state__in=RUNNING, left_at=None,
            member__simulated=True, member__erased_at=None,
        )  # fmt: skip
        return rows.select_related("group__community", "member")

    def seat(self) -> Membership | None:
        """Somebody who is there, the talkative (the first to come) more often."""
        ids = list(self.seats().order_by("pk").values_list("pk", flat=True))
        if not ids:
            return None
        place = int(len(ids) * self.random.random() ** 2)
        return self.seats().filter(pk=ids[place]).first()

    def staff(self) -> Staff | None:
        posts = list(Staff.objects.filter(community=self.community).order_by("pk"))
        return self.random.choice(posts[1:] or posts) if posts else None

    def recent(self, group: Group) -> list[Message]:
        rows = Message.objects.filter(group=group, recalled_at=None, hidden_at=None)
        return list(rows.exclude(kind__in=("join", "leave")).order_by("-pk")[:RECENT])


Act = Callable[[Stage], bool]


def _key() -> str:
    return secrets.token_hex(8)


def _say(seat: Membership, text: str, reply_to: int | None = None) -> bool:
    key = _key()
    return do_say(seat.group, seat.member, key=key, text=text, reply_to=reply_to) is not None


# members


def join(stage: Stage) -> bool:
    """Somebody new comes by a code or a friend, is routed, and agrees to messages."""
    codes = ChannelCode.objects.filter(community=stage.community, active=True)
    code = stage.random.choice([*codes.order_by("pk"), None])
    friend = stage.seat() if code is None or stage.random.random() < 0.2 else None
    member = do_meet(
        stage.community, channel=CHANNEL, external_id=f"sim-{_key()}",
        name=script.person(stage.random), code=code, inviter=friend.member if friend else None,
    )  # fmt: skip
    Member.objects.filter(pk=member.pk).update(simulated=True)
    member.refresh_from_db()
    do_set_consent(member, "service", CHANNEL, True, words=CONSENT_WORDS, by=member.actor)
    wanted = Group.objects.filter(pk__in=code.groups) if code and code.groups else None
    with suppress(QunluoError):
        do_route(stage.community, member, groups=wanted, by=member.actor)
    return True


def ask_in(stage: Stage) -> bool:
    """A member asks to be let into a group that approves."""
    seat = stage.seat()
    gated = Group.objects.filter(community=stage.community, gate__kind="approval").first()
    if seat is None or gated is None:
        return False
    with suppress(QunluoError):
        do_join(gated, seat.member, by=seat.member.actor, text="想试试新品，愿意写反馈")
    return True


def nickname(stage: Stage) -> bool:
    """Somebody does what the template asks for, or nearly."""
    rows = stage.seats().filter(nickname="").exclude(group__nickname="").order_by("-pk")
    seat = rows.first()
    if seat is None:
        return False
    proper = stage.random.random() < 0.8
    city = f"{stage.random.choice(script.CITIES)}-" if proper else ""
    account = seat.member.identities.filter(channel=CHANNEL).first()
    body = {
        "community": stage.community.pk, "group": seat.group_id,
        "external_id": account.external_id if account else "",
        "nickname": f"{city}{seat.member.name}"[:80],
    }  # fmt: skip
    do_process(do_receive(CHANNEL, f"sim-{_key()}", "profile", body))
    return True


def talk(stage: Stage) -> bool:
    seat = stage.seat()
    purpose = stage.random.choices(("chat", "praise", "complaint", "need", "koc"),
                                   (50, 16, 6, 8, 5))[0]  # fmt: skip
    return seat is not None and _say(seat, script.line(stage.random, purpose))


def ask(stage: Stage) -> bool:
    seat = stage.seat()
    return seat is not None and _say(seat, script.line(stage.random, "question"))


def reply(stage: Stage) -> bool:
    """A member answers another's question, or joins in."""
    seat = stage.seat()
    if seat is None:
        return False
    heard = [m for m in stage.recent(seat.group) if m.member_id not in (None, seat.member_id)]
    if not heard:
        return False
    target = next((m for m in heard if m.text.endswith("？")), stage.random.choice(heard))
    return _say(seat, script.line(stage.random, "answer"), target.pk)


def react(stage: Stage) -> bool:
    seat = stage.seat()
    heard = stage.recent(seat.group) if seat else []
    if seat is None or not heard:
        return False
    do_react(stage.random.choice(heard), seat.member, stage.random.choice(script.EMOJI), True)
    return True


def spam(stage: Stage) -> bool:
    """One who came for that purpose; usually a newcomer."""
    seat = (
        stage.seats().order_by("-pk").first() if stage.random.random() < 0.7 else stage.seat()
    )
    return seat is not None and _say(seat, stage.random.choice(script.SPAM))


def leave(stage: Stage) -> bool:
    seat = stage.seat()
    if seat is None:
        return False
    do_leave(seat, why="left", by=seat.member.actor)
    return True


def appeal(stage: Stage) -> bool:
    """Somebody who was warned or removed says that it was a mistake."""
    cases = Case.objects.filter(
        community=stage.community, state="open", shadow=False, member__simulated=True,
        member__erased_at=None, act__in=("warn", "remove", "ban"),
    )  # fmt: skip
    case = cases.select_related("member").order_by("-pk").first()
    if case is None:
        return False
    do_appeal(case, stage.random.choice(script.APPEALS), member=case.member)
    return True


# staff


def answer(stage: Stage) -> bool:
    """The sample's staff answers what has waited for a while; a visitor may be faster."""
    waited = clock.now() - PATIENCE
    rows = Question.objects.filter(community=stage.community, answered_at=None, at__lt=waited)
    question, post = rows.order_by("at").first(), stage.staff()
    if question is None or post is None:
        return False
    do_answer(question, stage.random.choice(script.ANSWERS), staff=post)
    return True


def decide(stage: Stage) -> bool:
    """Appeals and requests that nobody looked at for an hour."""
    post = stage.staff()
    waited = clock.now() - timedelta(hours=1)
    cases = Case.objects.filter(
        community=stage.community, state="appealed", appealed_at__lt=waited
    )
    case = cases.order_by("pk").first()
    if post is not None and case is not None:
        uphold = stage.random.random() < 0.5
        do_decide_appeal(case, uphold=uphold, by=post.actor, why="复核消息记录后的决定")
        return True
    requests = JoinRequest.objects.filter(
        group__community=stage.community, state="waiting", at__lt=waited
    )
    request = requests.select_related("group").order_by("pk").first()
    if post is None or request is None:
        return False
    do_decide_request(request, approve=stage.random.random() < 0.8, by=post.actor)
    return True


def tag(stage: Stage) -> bool:
    seat, post = stage.seat(), stage.staff()
    tags = list(Tag.objects.filter(group__community=stage.community).order_by("pk"))
    if seat is None or post is None or not tags:
        return False
    do_tag(seat.member, stage.random.choice(tags), by=post.actor, why="群内聊天得知（模拟）")
    return True
