"""What channels bring: written down once, worked off once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from qunluo.groups.models import Group, Membership
from qunluo.groups.queries import find_membership
from qunluo.kit import clock
from qunluo.members.models import Identity, Member
from qunluo.messaging.errors import NotInGroupError
from qunluo.messaging.messages import do_post
from qunluo.messaging.models import Inbound, Message

Body = dict[str, Any]


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
            return handle(inbound.channel, inbound.body), ""
    except NotInGroupError as error:
        return None, error.code


def _message(channel: str, body: Body) -> Message | None:
    group = Group.objects.select_related("community").get(pk=body["group"])
    member = _find_member(group, channel, str(body["external_id"]))
    seat = member and find_membership(group, member)
    if not member or not seat:
        raise NotInGroupError(group=group.name)
    return _post(group, seat, body)


def _find_member(group: Group, channel: str, external_id: str) -> Member | None:
    found = Identity.objects.filter(
        community=group.community, channel=channel, external_id=external_id
    ).select_related("member")
    identity = found.first()
    return identity.member if identity else None


def _post(group: Group, seat: Membership, body: Body) -> Message:
    reply_to = Message.objects.filter(group=group, pk=body.get("reply_to") or 0).first()
    image = str(body.get("image") or "")
    return do_post(
        group, text=str(body.get("text") or ""), label="member", member=seat.member,
        name=seat.nickname or seat.member.name, reply_to=reply_to, image=image,
        kind="image" if image else "text", mentions=body.get("mentions") or (),
        external_id=body.get("message_id"),
    )  # fmt: skip


_HANDLERS: dict[str, Callable[[str, Body], Message | None]] = {"message": _message}
