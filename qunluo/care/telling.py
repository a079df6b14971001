"""Saying something to one member alone, where they allow it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from qunluo.groups.models import Membership
from qunluo.members.models import Identity, Member
from qunluo.members.queries import may_send
from qunluo.messaging.models import Delivery
from qunluo.messaging.outbox import do_plan_delivery


def find_channel_of(member: Member, purpose: str = "service") -> str:
    """The channel of the account they used last and allow this on; else of the last one; empty
    where they have none."""
    rows = Identity.objects.filter(member=member).order_by("-id")
    channels = list(dict.fromkeys(rows.values_list("channel", flat=True)))
    allowed = (channel for channel in channels if may_send(member, purpose, channel))
    return next(allowed, channels[0] if channels else "")


def do_tell(
    member: Member, text: str, *, cause: str, own_act: bool = False,
    due_at: datetime | None = None, expires_at: datetime | None = None,
) -> Delivery | None:  # fmt: skip
    """Plans a message to a member; consent, quiet hours and cap are judged when it leaves. The
    same cause tells once. None where no account of theirs is known."""
    channel = find_channel_of(member)
    if not channel or member.erased_at:
        return None
    return do_plan_delivery(
        member.community, channel=channel, kind="direct", cause=cause, body={"text": text},
        member=member, purpose="service", own_act=own_act, due_at=due_at, expires_at=expires_at,
    )  # fmt: skip


def do_call_off(causes: Iterable[str]) -> int:
    """Takes back what was planned under these causes and has not left yet; how many that were."""
    planned = Delivery.objects.filter(cause__in=list(causes), state="planned")
    return planned.update(state="dropped", why="taken back")


def is_here(member: Member) -> bool:
    """Whether they are in a group of their community now."""
    return Membership.objects.filter(member=member, left_at=None).exists()
