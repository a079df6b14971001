"""What channels bring: written down once, worked off once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import F

from qunluo.groups.actions import do_join, do_leave
from qunluo.groups.errors import WaitingForApprovalError
from qunluo.groups.models import Group, Membership
from qunluo.groups.queries import find_membership
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.members.actions import do_meet, do_rename
from qunluo.members.models import Member
from qunluo.members.queries import find_identity, find_survivor
from qunluo.messaging.errors import NoGroupError, NotInGroupError
from qunluo.messaging.messages import (
    do_post,
    do_react,
    do_recall,
    find_external,
    may_recall,
)
from qunluo.messaging.models import Inbound, Message
from qunluo.messaging.outbox import do_take_receipt
from qunluo.messaging.replies import do_name, do_put_out, do_react_to

Body = dict[str, Any]
MOST_ATTEMPTS = 5
log = logging.getLogger(__name__)


def do_receive(channel: str, key: str, kind: str, body: Body) -> Inbound:
    """Writes down what a channel brought. The same key again is the first one, unchanged."""
    return Inbound.objects.get_or_create(
        channel=channel, key=key[:160],
        defaults={"kind": kind, "body": body, "at": clock.now()},
    )[0]  # fmt: skip


def do_process(inbound: Inbound) -> Message | None:
    """Works off what came in, in one transaction; the message it became, if it is one.

    Twice is once: one statement takes the row, and whoever comes second finds what became of it.
    What could not be (`inbound.why`) is done too.
    """
    with transaction.atomic():
        waiting = Inbound.objects.filter(pk=inbound.pk, done_at=None)
        if waiting.update(done_at=clock.now()):
            made, why = _handle(inbound)
            Inbound.objects.filter(pk=inbound.pk).update(message=made, why=why[:200])
    inbound.refresh_from_db()
    return inbound.message


def _handle(inbound: Inbound) -> tuple[Message | None, str]:
    handle = _HANDLERS.get(inbound.kind)
    if handle is None:
        return None, f"unknown kind {inbound.kind}"
    try:
        with transaction.atomic():
            made = handle(inbound.channel, inbound.body)
    except QunluoError as error:  # a person's mistake or a closed door: it won't open by itself
        return None, error.code
    return (None, made) if isinstance(made, str) else (made, "")


def _message(channel: str, body: Body) -> Message | None:
    group, seat = _find_seat(channel, body)
    message = _post(group, seat, body)
    Member.objects.filter(pk=seat.member_id).update(seen_at=message.at)
    do_react_to(message, seat)
    return message


def _find_seat(channel: str, body: Body) -> tuple[Group, Membership]:
    """The group and the seat of the account there; raises `NotInGroupError`."""
    group = _find_group(body)
    found = find_identity(group.community, channel, str(body.get("external_id", "")))
    seat = find_membership(group, find_survivor(found.member)) if found else None
    if seat is None:
        raise NotInGroupError(group=group.name)
    seat.group = group
    return group, seat


def _find_group(body: Body) -> Group:
    found = Group.objects.select_related("community").filter(pk=body.get("group") or 0).first()
    if found is None:
        raise NoGroupError
    return found


def _post(group: Group, seat: Membership, body: Body) -> Message:
    image, reply_to = str(body.get("image") or ""), body.get("reply_to") or 0
    return do_post(
        group, text=str(body.get("text") or ""), label="member", member=seat.member,
        name=seat.nickname or seat.member.name, image=image, mentions=_mentions(group, body),
        reply_to=Message.objects.filter(group=group, pk=reply_to).first(),
        kind="image" if image else "text", external_id=body.get("message_id"),
    )  # fmt: skip


def _mentions(group: Group, body: Body) -> list[int]:
    """Only who is in the group can be called."""
    named = body.get("mentions") or []
    seats = Membership.objects.filter(group=group, member__in=named, left_at=None)
    return sorted(seats.values_list("member_id", flat=True)) if named else []


def _joined(channel: str, body: Body) -> str:
    """Somebody came in on the platform; who may not is put out there again, if it can."""
    group = _find_group(body)
    member = do_meet(
        group.community, channel=channel, external_id=str(body["external_id"]),
        name=str(body.get("name", ""))[:80], union_id=str(body.get("union_id", "")),
        code=body.get("code"), inviter=Member.objects.filter(
            community=group.community, pk=body.get("inviter") or 0).first(),
    )  # fmt: skip
    try:
        do_join(group, member, by=f"channel:{channel}", text=str(body.get("text", "")))
    except WaitingForApprovalError as error:
        return error.code
    except QunluoError as error:
        do_put_out(
            group, member, cause=f"refused:{channel}:{group.pk}:{member.pk}", why=error.code
        )
        return error.code
    return ""


def _left(channel: str, body: Body) -> None:
    _, seat = _find_seat(channel, body)
    why = body.get("why") if body.get("why") in ("left", "removed") else "left"
    do_leave(
        seat, why=str(why), by=seat.member.actor if why == "left" else f"channel:{channel}"
    )


def _reaction(channel: str, body: Body) -> Message | None:
    group, seat = _find_seat(channel, body)
    message = _find_message(group, body)
    if message is not None:
        emoji = str(body.get("emoji", ""))[:16]
        do_react(message, seat.member, emoji, bool(body.get("on", True)))
    return message


def _recall(channel: str, body: Body) -> Message | None:
    """On the platform it is gone already: it does not ask whether it was in time."""
    group, seat = _find_seat(channel, body)
    message = _find_message(group, body)
    if message is not None and message.member_id == seat.member_id:
        by = seat.member.actor if may_recall(message, by=seat.member.actor) else "system"
        do_recall(message, by=by)
    return message


def _find_message(group: Group, body: Body) -> Message | None:
    """Named by our id, or by the channel's own."""
    if body.get("message_id"):
        return find_external(group, str(body["message_id"]))
    return Message.objects.filter(group=group, pk=body.get("message") or 0).first()


def _profile(channel: str, body: Body) -> None:
    _, seat = _find_seat(channel, body)
    name = str(body.get("name") or "").strip()[:80]
    if name:
        do_rename(seat.member, name, by=seat.member.actor)
    if body.get("nickname") is not None:
        do_name(seat, str(body["nickname"])[:80], by=seat.member.actor)


def _receipt(channel: str, body: Body) -> None:
    do_take_receipt(channel, body)


_HANDLERS: dict[str, Callable[[str, Body], Message | str | None]] = {
    "message": _message, "joined": _joined, "left": _left, "reaction": _reaction,
    "recall": _recall, "profile": _profile, "receipt": _receipt,
}  # fmt: skip


# the worker's part


def try_process_one() -> bool:
    """Works off the oldest that waits; whether there was one. What breaks waits its turn again,
    and is put aside after a few attempts: nothing that comes later waits for it."""
    waiting = Inbound.objects.filter(done_at=None).order_by("attempts", "id").first()
    if waiting is None:
        return False
    try:
        do_process(waiting)
    except Exception as error:
        log.warning("inbound %s: %s", waiting.pk, type(error).__name__)
        _count_failure(waiting, type(error).__name__)
    return True


def _count_failure(inbound: Inbound, name: str) -> None:
    rows = Inbound.objects.filter(pk=inbound.pk, done_at=None)
    rows.update(attempts=F("attempts") + 1, why=name)
    rows.filter(attempts__gte=MOST_ATTEMPTS).update(done_at=clock.now())
