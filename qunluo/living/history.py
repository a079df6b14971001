"""Some weeks behind the sample community, written in bulk before it begins to live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from django.db.models import F

from qunluo.community.models import Community, Staff
from qunluo.events.models import Event
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.kit.grams import grams
from qunluo.living import script
from qunluo.living.rhythm import moments
from qunluo.members.actions import do_index
from qunluo.members.models import ChannelCode, Consent, Identity, Member, Tag, Tagging, Touch
from qunluo.messaging.models import Message, Question, Room

DAYS = 21
MEMBERS = 150
LIVELY = 0.35  # of the members make most of the talk
PURPOSES = ("chat", "question", "praise", "complaint", "need", "answer", "koc")
WEIGHTS = (45, 14, 12, 5, 6, 10, 4)
STAFF_SHARE = 0.14
CONSENT_WORDS = "同意在本社群内接收服务消息（模拟成员）"


@dataclass
class History:
    """What the founding made, to be given a past."""

    community: Community
    groups: list[Group]
    codes: list[ChannelCode]
    tags: dict[str, Tag]
    posts: list[Staff]
    random: Random
    members: list[Member] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    seats: dict[int, list[Membership]] = field(default_factory=dict)

    def record(self, kind: str, at: datetime, **more: Any) -> None:
        more.setdefault("actor", "system")
        self.events.append(Event(community_id=self.community.pk, kind=kind, at=at, **more))


def write_history(past: History) -> None:
    """Members, memberships, talk and their record, all before now."""
    began = clock.now() - timedelta(days=DAYS)
    Community.objects.filter(pk=past.community.pk).update(made_at=began)
    Group.objects.filter(community=past.community).update(made_at=began)
    ChannelCode.objects.filter(community=past.community).update(made_at=began)
    _meet(past, began)
    _join(past)
    _talk(past, began)
    past.events.sort(key=lambda event: event.at)
    Event.objects.bulk_create(past.events, batch_size=500)


def _meet(past: History, began: datetime) -> None:
    random, span = past.random, DAYS * 24 * 3600
    arrivals = sorted(
        began + timedelta(seconds=random.uniform(0, span)) for _ in range(MEMBERS)
    )
    past.members = Member.objects.bulk_create(
        Member(
            community=past.community, name=script.person(random), made_at=at, seen_at=at,
            simulated=True, clean_messages=random.randrange(40),
        )
        for at in arrivals
    )  # fmt: skip
    Identity.objects.bulk_create(
        Identity(
            community=past.community, member=member, channel="web", name=member.name,
            external_id=f"sim-{member.pk}", made_at=member.made_at,
        )
        for member in past.members
    )  # fmt: skip
    touches = Touch.objects.bulk_create(_touches(past))
    Consent.objects.bulk_create(_consents(past))
    Tagging.objects.bulk_create(_taggings(past))
    for member, touch in zip(past.members, touches, strict=True):
        do_index(member)
        past.record("member_met", member.made_at, member_id=member.pk, actor=member.actor,
                    data={"channel": "web", "code": touch.code_id,
                          "inviter": touch.inviter_id})  # fmt: skip


def _touches(past: History) -> Iterator[Touch]:
    for place, member in enumerate(past.members):
        invited = place > 10 and past.random.random() < 0.2
        yield Touch(
            member=member, at=member.made_at,
            code=None if invited else past.random.choice(past.codes),
            inviter=past.random.choice(past.members[:place]) if invited else None,
        )  # fmt: skip


def _consents(past: History) -> Iterator[Consent]:
    for member in past.members:
        for purpose in ("service", "marketing"):
            if purpose == "service" or past.random.random() < 0.6:
                yield Consent(member=member, purpose=purpose, channel="web", granted=True,
                              words=CONSENT_WORDS, at=member.made_at)  # fmt: skip


def _taggings(past: History) -> Iterator[Tagging]:
    for member in past.members:
        for _, names in script.TAGS.values():
            if past.random.random() < 0.5:
                yield Tagging(
                    member=member, tag=past.tags[past.random.choice(names)],
                    by=past.posts[1].actor, why="入群问卷（模拟）", at=member.made_at,
                )  # fmt: skip


def _join(past: History) -> None:
    for plan, group in zip(script.GROUPS, past.groups, strict=True):
        size = min(round(plan.share * MEMBERS), group.capacity - 2)
        who = past.random.sample(past.members, size)
        seats = Membership.objects.bulk_create(_seat(past, group, member) for member in who)
        past.seats[group.pk] = seats
        inside = sum(seat.left_at is None for seat in seats)
        Group.objects.filter(pk=group.pk).update(taken=F("taken") + inside)
        for seat in seats:
            _record_seat(past, seat)


def _seat(past: History, group: Group, member: Member) -> Membership:
    random = past.random
    joined = member.made_at + timedelta(seconds=random.uniform(5, 3600))
    joined = min(joined, clock.now())
    gone = random.random() < 0.07
    left = min(joined + timedelta(days=random.uniform(0.5, 9)), clock.now()) if gone else None
    named = group.nickname and random.random() < 0.6
    nickname = f"{random.choice(script.CITIES)}-{member.name}" if named else ""
    return Membership(
        group=group, member=member, joined_at=joined, welcomed_at=joined + timedelta(seconds=2),
        nickname=nickname[:80], left_at=left, left_why="left" if left else "",
    )  # fmt: skip


def _record_seat(past: History, seat: Membership) -> None:
    names = {"member_id": seat.member_id, "group_id": seat.group_id}
    actor = seat.member.actor
    past.record("member_joined", seat.joined_at, actor=actor, cause=f"join:{seat.pk}", **names)
    if seat.left_at:
        past.record("member_left", seat.left_at, actor=actor, data={"why": "left"}, **names)


# talk


@dataclass(frozen=True)
class Said:
    at: datetime
    seat: Membership | None  # None: the staff
    purpose: str


def _talk(past: History, began: datetime) -> None:
    for plan, group in zip(script.GROUPS, past.groups, strict=True):
        messages = _messages(past, group, _lines(past, group, plan.talk, began))
        made = Message.objects.bulk_create(messages, batch_size=500)
        Room.objects.update_or_create(group=group, defaults={"revision": len(made)})
        _tie(past, made)
        for message in made:
            past.record(
                "message_posted", message.at, member_id=message.member_id, group_id=group.pk,
                actor=f"member:{message.member_id}" if message.member_id
                else f"staff:{message.staff_id}",
                data={"message": message.pk, "revision": message.revision, "kind": "text",
                      "label": message.label, "reply_to": message.reply_to_id,
                      **_turned_to(message)},
            )  # fmt: skip
            _record_reactions(past, message)


def _turned_to(message: Message) -> dict[str, Any]:
    answered = message.reply_to
    return {"to_member": answered.member_id, "to_label": answered.label} if answered else {}


def _record_reactions(past: History, message: Message) -> None:
    """Somebody reacts within the hour."""
    for emoji, ids in message.reactions.items():
        for member_id in ids:
            at = message.at + timedelta(minutes=past.random.uniform(1, 60))
            past.record(
                "message_reacted", min(at, clock.now()), member_id=member_id,
                group_id=message.group_id, actor=f"member:{member_id}",
                data={"message": message.pk, "kind": "text", "label": message.label,
                      "emoji": emoji, "on": True, "to_member": message.member_id},
            )  # fmt: skip


def _lines(past: History, group: Group, talk: float, began: datetime) -> Iterator[Said]:
    random, seats = past.random, past.seats[group.pk]
    lively = seats[: max(2, round(len(seats) * LIVELY))]
    for at in moments(random, began, clock.now(), talk):
        if random.random() < STAFF_SHARE:
            yield Said(at, None, random.choice(("product", "tip", "greet")))
            continue
        seat = random.choice(lively if random.random() < 0.8 else seats)
        if seat.joined_at <= at and (seat.left_at is None or at < seat.left_at):
            yield Said(at, seat, random.choices(PURPOSES, WEIGHTS)[0])


def _messages(past: History, group: Group, lines: Iterator[Said]) -> list[Message]:
    numbers, found = count(1), list[Message]()
    for said in lines:
        text = script.line(past.random, said.purpose)
        found.append(_message(past, group, said, text, next(numbers)))
    return found


def _message(past: History, group: Group, said: Said, text: str, revision: int) -> Message:
    if said.seat is None:
        post = past.random.choice(past.posts)
        who: dict[str, Any] = {"staff_id": post.pk, "label": "staff", "name": post.shown}
    else:
        member = said.seat.member
        who = {"member": member, "label": "member", "name": said.seat.nickname or member.name}
    return Message(
        group=group, text=text, search=grams(text), at=said.at, revision=revision, **who
    )


def _tie(past: History, messages: list[Message]) -> None:
    """Questions get answers a little later, and some messages a reaction."""
    random, changed, asked = past.random, list[Message](), list[Message]()
    settled: list[Question] = []
    for message in messages:
        if (asked and message.label == "staff") or (asked and random.random() < 0.1):
            message.reply_to = asked.pop()
            changed.append(message)
            settled += _settle(past, message.reply_to, message)
        if message.member_id and message.text.endswith(("？", "吗？", "?")):
            asked.append(message)
        if random.random() < 0.12:
            who = random.sample(past.members, random.randrange(1, 5))
            message.reactions = {random.choice(script.EMOJI): [m.pk for m in who]}
            changed.append(message)
    Message.objects.bulk_update(changed, ["reply_to", "reactions"], batch_size=200)
    Question.objects.bulk_create(settled)


def _settle(past: History, asked: Message, answer: Message) -> list[Question]:
    """A question that the staff answered."""
    if answer.label != "staff" or asked.member_id is None:
        return []
    question = Question(
        community=past.community, message=asked, member_id=asked.member_id,
        staff_id=answer.staff_id, at=asked.at, due_at=asked.at + timedelta(minutes=30),
        answered_at=answer.at, answer=answer, closed_why="answered",
    )  # fmt: skip
    return [question]
