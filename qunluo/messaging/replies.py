"""What a member's message sets off: judgement, an answer that is known, a question."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q

from qunluo.events.actions import record
from qunluo.groups.blueprints.reading import BLANK
from qunluo.groups.ladder import tell_act
from qunluo.groups.models import Case, Group, Membership
from qunluo.groups.moderation import do_judge, find_why
from qunluo.groups.naming import do_remind, do_set_nickname
from qunluo.groups.rules import parse_nickname
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.models import Member
from qunluo.messaging.channel import find_channel
from qunluo.messaging.errors import BlankAnswerError, NoChannelError
from qunluo.messaging.messages import do_hide
from qunluo.messaging.models import AutoReply, AutoReplyUse, Delivery, Message
from qunluo.messaging.outbox import do_plan_delivery
from qunluo.messaging.questions import do_ask
from qunluo.messaging.rules import (
    Found,
    Reply,
    as_values,
    check_pattern,
    choose_reply,
    is_question,
    zone_of,
)

HIDING = ("hold", "warn", "remove", "ban")  # the words go with these; a reminder leaves them
TOLD = ("hold", "remind", "warn")  # in the group; who is put out reads it on their own page
BY_HAND = Text("it is against the group's rules.", "不符合群规。")


def do_react_to(message: Message, seat: Membership) -> None:
    """Everything that follows from a member's message, in the transaction that keeps it."""
    now = clock.now()
    case = do_judge(message.group, seat.member, message.text, message_id=message.pk, now=now)
    if case is not None and not case.shadow:
        do_follow_case(case)
        return
    do_remind_nickname(seat)
    if not do_reply(message, seat) and is_question(message.text):
        do_ask(message)


# moderation


def do_follow_case(case: Case) -> None:
    """What a case means for the room: the message goes, people are told, the account is put
    out. What was undone since means nothing."""
    if case.shadow or case.state == "undone":
        return
    message = Message.objects.select_related("group__community").filter(pk=case.message_id or 0)
    found = message.first()
    if found is not None and case.act in HIDING:
        do_hide(found, by=case.by, why="rules")
    if case.act in TOLD:
        _tell(case)
    if case.act in ("remove", "ban"):
        do_put_out(
            case.group, case.member, cause=f"case:{case.pk}:out", why=case.act, case=case.pk
        )


def _tell(case: Case) -> None:
    group, member = case.group, case.member
    words = tell_act(case.act, name=member.name, why=find_why(case) or BY_HAND)
    if words is None:
        return
    do_plan_delivery(
        group.community, channel=group.channel, kind="post", cause=f"case:{case.pk}:{case.act}",
        body={"text": words(group.community.lang), "mentions": [member.pk], "reply_to": case.message_id},
        group=group, member=member, own_act=True,
    )  # fmt: skip


def do_put_out(
    group: Group, member: Member, *, cause: str, why: str, case: int | None = None
) -> Delivery | None:
    """On a platform with doors of its own the account is removed there too; None elsewhere."""
    try:
        can = find_channel(group.channel).capabilities.remove
    except NoChannelError:
        return None
    if not can:
        return None
    return do_plan_delivery(
        group.community, channel=group.channel, kind="remove", cause=cause, body={"why": why, "case": case},
        group=group, member=member, own_act=True,
    )  # fmt: skip


# auto-replies


def do_reply(message: Message, seat: Membership) -> bool:
    """Answers with the auto-reply that fits; whether the answer is known, be it just said."""
    group, now = message.group, clock.now()
    found = choose_reply(list_replies(seat), message.text, now, zone_of(group.community.zone))
    if found is not None and not found.cooling:
        _say(message, seat, found)
    return found is not None


def list_replies(seat: Membership) -> list[Reply]:
    """The replies of a group with their last uses there."""
    own = Q(group=None) | Q(group=seat.group_id)
    rows = AutoReply.objects.filter(own, community=seat.group.community_id, active=True)
    here = Q(uses__group=seat.group_id)
    rows = rows.annotate(
        last_in_group=Max("uses__at", filter=here),
        last_to_member=Max("uses__at", filter=here & Q(uses__member=seat.member_id)),
    )
    return [_as_reply(row) for row in rows]


def _as_reply(row: Any) -> Reply:
    return Reply(**as_values(row), last_in_group=row.last_in_group,
                 last_to_member=row.last_to_member)  # fmt: skip


def _say(message: Message, seat: Membership, found: Found) -> None:
    group = message.group
    AutoReplyUse.objects.update_or_create(
        reply_id=found.reply.id, group=group, member=seat.member, defaults={"at": clock.now()}
    )
    do_plan_delivery(
        group.community, channel=group.channel, kind="post", cause=f"reply:{message.pk}",
        body={"text": found.reply.answer, "reply_to": message.pk,
              "mentions": [seat.member_id], "auto_reply": found.reply.id},
        group=group, member=seat.member, own_act=True,
    )  # fmt: skip


@transaction.atomic
def do_set_auto_reply(reply: AutoReply, values: Mapping[str, Any], *, by: str) -> AutoReply:
    """Makes an answer that is known, or changes the one that is there; the record says which
    values changed. Raises `WrongPatternError`, and `BlankAnswerError` where it would answer with
    a blank of its draft."""
    new = reply.pk is None
    changed = sorted(name for name, value in values.items() if getattr(reply, name) != value)
    for name, value in values.items():
        setattr(reply, name, value)
    reply.pattern = check_pattern(reply.how, reply.pattern)
    blank = BLANK.search(reply.answer)
    if reply.active and blank:
        raise BlankAnswerError(blank=blank[0])
    if new or changed:
        reply.save()
    if new:
        _record_reply("auto_reply_made", reply, by, active=reply.active)
    elif changed == ["active"]:
        _record_reply("auto_reply_switched", reply, by, active=reply.active)
    elif changed:
        _record_reply("auto_reply_set", reply, by, fields=changed)
    return reply


@transaction.atomic
def do_remove_auto_reply(reply: AutoReply, *, by: str) -> None:
    """It answers nothing any more; what it has said stays."""
    _record_reply("auto_reply_removed", reply, by, pattern=reply.pattern)
    reply.delete()


def pass_replies_on(group: Group, successor: Group) -> int:
    """A successor answers what its predecessor answered, drafts and hours included."""
    replies = list(AutoReply.objects.filter(group=group).order_by("pk"))
    for reply in replies:
        reply.pk, reply.group = None, successor
    return len(AutoReply.objects.bulk_create(replies))


def _record_reply(kind: str, reply: AutoReply, by: str, **more: Any) -> None:
    record(kind, community=reply.community_id, actor=by, group=reply.group_id,
           data={"reply": reply.pk, **more})  # fmt: skip


# nicknames


SETTLE = timedelta(minutes=10)  # nobody who talks is reminded on the doorstep


def do_remind_nickname(seat: Membership) -> None:
    """Asks who talks for a nickname after the group's template, kindly and seldom."""
    if parse_nickname(seat.group.nickname, seat.nickname) is not None:
        return
    words = do_remind(seat, settle=SETTLE)
    if words is not None:
        _ask(seat, words)


def _ask(seat: Membership, words: Text) -> None:
    group = seat.group
    do_plan_delivery(
        group.community, channel=group.channel, kind="post", group=group, member=seat.member,
        cause=f"nickname:{seat.pk}:{seat.reminders}", own_act=True,
        body={"text": words(group.community.lang), "mentions": [seat.member_id]},
    )  # fmt: skip


@transaction.atomic
def do_name(seat: Membership, nickname: str, *, by: str) -> None:
    """Sets a nickname in a group; where it does not follow the template, what was counted as a
    reminder goes out as one."""
    named = do_set_nickname(seat, nickname, by=by)
    if named.reminder is not None:
        _ask(seat, named.reminder)
