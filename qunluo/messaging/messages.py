"""Saying something in a group, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, connection, transaction

from qunluo.community.models import Staff
from qunluo.events.actions import record
from qunluo.groups.models import Group
from qunluo.groups.queries import find_membership
from qunluo.kit import clock
from qunluo.kit.grams import grams
from qunluo.members.models import Member
from qunluo.messaging.errors import (
    EmptyMessageError,
    NotYourMessageError,
    TooLateError,
)
from qunluo.messaging.models import Message, Question

RECALL_MIN = 2  # what people know from other chats; staff may later too
LONGEST = 4_000
WORDLESS = ("join", "leave", "image")
_NEXT = (
    "INSERT INTO messaging_room (group_id, revision) VALUES (%s, 1) "
    "ON CONFLICT (group_id) DO UPDATE SET revision = messaging_room.revision + 1 "
    "RETURNING revision"
)


class Said(TypedDict, total=False):
    """What a message may carry beside its text and label."""

    member: Member | None
    staff: Staff | None
    name: str
    kind: str
    reply_to: Message | None
    mentions: Sequence[int]
    image: str
    external_id: str | None


def next_revision(group_id: int) -> int:
    """One number after the other in each group, in the order in which transactions commit: the
    statement holds the room's row until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [group_id])
        return int(cursor.fetchone()[0])


def do_post(group: Group, *, text: str, label: str, **said: Unpack[Said]) -> Message:
    """Says something in a group. With an `external_id` that was there, it is that message.

    Raises `EmptyMessageError`.
    """
    text, kind = text.strip()[:LONGEST], said.get("kind", "text")
    if not text and not said.get("image") and kind not in WORDLESS:
        raise EmptyMessageError
    external_id = said.get("external_id")
    there = find_external(group, external_id)
    if there is not None:
        return there
    try:
        with transaction.atomic():
            return _post(group, text, label, said)
    except IntegrityError:  # came twice at once: the other one is the message
        there = find_external(group, external_id)
        if there is None:
            raise
        return there


def find_external(group: Group, external_id: str | None) -> Message | None:
    if not external_id:
        return None
    return Message.objects.filter(group=group, external_id=external_id).first()


def _post(group: Group, text: str, label: str, said: Said) -> Message:
    member, staff, reply_to = said.get("member"), said.get("staff"), said.get("reply_to")
    revision = next_revision(group.pk)
    message = Message.objects.create(
        group=group, member=member, staff_id=staff.pk if staff else None, label=label,
        name=said.get("name") or find_name(group, member, staff, label),
        kind=said.get("kind", "text"), text=text, image=said.get("image", ""),
        reply_to=reply_to, mentions=list(said.get("mentions", ())),
        external_id=said.get("external_id") or None, search=grams(text), at=clock.now(),
        revision=revision,
    )  # fmt: skip
    _record("message_posted", message, by=find_actor(member, staff), **_turned_to(message))
    if staff is not None and reply_to is not None:
        do_settle(reply_to, message, staff)
    return message


def find_name(group: Group, member: Member | None, staff: Staff | None, label: str) -> str:
    """How a speaker is shown in a group: by the nickname there, else by the name."""
    if staff is not None:
        return staff.shown[:80]
    if member is not None:
        seat = find_membership(group, member)
        return (seat.nickname if seat else "") or member.name
    return group.community.name[:80] if label == "auto" else ""


def find_actor(member: Member | None, staff: Staff | None) -> str:
    speaker = staff or member
    return speaker.actor if speaker else "system"


def _turned_to(message: Message) -> dict[str, Any]:
    """Whom the message answers and names, by their ids: what ties are read from."""
    answered = message.reply_to
    if answered is None:
        return {"mentions": message.mentions} if message.mentions else {}
    return {
        "to_member": answered.member_id, "to_label": answered.label,
        "mentions": message.mentions,
    }  # fmt: skip


def _record(kind: str, message: Message, *, by: str, **more: Any) -> None:
    """The record keeps who and which, never the words: those can be taken back."""
    data = _told_of(message) | more
    record(kind, community=message.group.community_id, actor=by, member=message.member_id,
           group=message.group_id, data=data)  # fmt: skip


def _told_of(message: Message) -> dict[str, Any]:
    return {
        "message": message.pk, "revision": message.revision, "kind": message.kind,
        "label": message.label, "reply_to": message.reply_to_id,
    }  # fmt: skip


def do_settle(asked: Message, answer: Message, staff: Staff) -> bool:
    """Staff answered a question by a reply; whether it was still open."""
    now = clock.now()
    waiting = Question.objects.filter(message=asked, answered_at=None)
    if not waiting.update(answered_at=now, answer=answer, closed_why="answered"):
        return False
    question = Question.objects.get(message=asked)
    record(
        "question_answered", community=question.community_id, actor=staff.actor,
        member=question.member_id, group=asked.group_id,
        data={"question": question.pk, "in_time": now <= question.due_at},
    )  # fmt: skip
    return True


# what changes later


def _lock(message: Message) -> int:
    """Takes the room, then reads the message again: nobody changes it beside us."""
    revision = next_revision(message.group_id)
    message.refresh_from_db()
    return revision


def _keep(message: Message, revision: int, *fields: str) -> None:
    message.revision = revision
    message.save(update_fields=["revision", *fields])


def may_recall(message: Message, *, by: str) -> bool:
    """Whether somebody may take a message back now; `by` is an actor."""
    if by.startswith(("staff:", "system")):
        return True
    age = clock.now() - message.at
    return by == f"member:{message.member_id}" and age <= timedelta(minutes=RECALL_MIN)


@transaction.atomic
def do_recall(message: Message, *, by: str) -> None:
    """Takes a message back, for good; twice is once. Raises `NotYourMessageError` and
    `TooLateError`."""
    if message.recalled_at:
        return
    if not may_recall(message, by=by):
        if by == f"member:{message.member_id}":
            raise TooLateError(minutes=RECALL_MIN)
        raise NotYourMessageError
    revision = _lock(message)
    if message.recalled_at is None:
        message.recalled_at = clock.now()
        message.search = ""
    _keep(message, revision, "recalled_at", "search")
    _record("message_recalled", message, by=by)
    Question.objects.filter(message=message, answered_at=None).update(
        answered_at=message.recalled_at, closed_why="recalled"
    )


@transaction.atomic
def do_react(message: Message, member: Member, emoji: str, on: bool) -> None:
    """Sets or takes off one member's reaction; the same again changes nothing."""
    if on == (member.pk in message.reactions.get(emoji, [])) or not emoji.strip():
        return
    revision = _lock(message)
    whose = [m for m in message.reactions.get(emoji, []) if m != member.pk]
    message.reactions[emoji] = [*whose, member.pk] if on else whose
    message.reactions = {e: ids for e, ids in message.reactions.items() if ids}
    _keep(message, revision, "reactions")
    data = _told_of(message) | {"emoji": emoji[:16], "on": on, "to_member": message.member_id}
    record("message_reacted", community=message.group.community_id, actor=member.actor,
           member=member.pk, group=message.group_id, data=data)  # fmt: skip


@transaction.atomic
def do_hide(message: Message, *, by: str, why: str) -> None:
    """Takes a message out of sight, until it is restored; twice is once."""
    if message.hidden_at is None:
        revision = _lock(message)
        message.hidden_at = message.hidden_at or clock.now()
        _keep(message, revision, "hidden_at")
        _record("message_hidden", message, by=by, why=why)


@transaction.atomic
def do_restore(message: Message, *, by: str) -> None:
    """Brings a hidden message back into sight."""
    if message.hidden_at is not None:
        revision = _lock(message)
        message.hidden_at = None
        _keep(message, revision, "hidden_at")
        _record("message_restored", message, by=by)
