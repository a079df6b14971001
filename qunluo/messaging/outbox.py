"""What leaves for a group or a person: planned, claimed, sent at most once, answered for.

One statement with a lease claims a row; quiet hours, cap, consent and expiry are judged in the
same transaction; the channel is called outside of any. Who dies between the call and its record
leaves a claimed row: its lease runs out, and it is sent again under the same key where the
channel knows keys, and is `unknown` where it does not.
"""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.db.models import F, Q, QuerySet

from qunluo.community.models import Community
from qunluo.community.queries import settings_of
from qunluo.events.actions import SYSTEM, record, record_all
from qunluo.events.models import Event
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import Identity, Member
from qunluo.members.queries import list_allowed, may_send
from qunluo.messaging.channel import (
    ChannelError,
    Parcel,
    Receipt,
    RefusedError,
    UnreachableError,
    find_channel,
    list_channels,
    send,
)
from qunluo.messaging.errors import NoChannelError
from qunluo.messaging.messages import do_post, find_external
from qunluo.messaging.models import Delivery, Message
from qunluo.messaging.rules import (
    Decision,
    Defer,
    Drop,
    Go,
    Leaving,
    Quiet,
    find_day,
    judge_leaving,
    plan_retry,
    real,
    zone_of,
)

LEASE_S = 60.0  # of the world: longer than any channel's call
COUNTED = ("claimed", "sent", "received", "unknown")  # what may have reached somebody
SPOKEN = ("post", "welcome", "announcement")  # shown in the group's room
log = logging.getLogger(__name__)


class Planned(TypedDict, total=False):
    """What a delivery may carry beside its cause and words."""

    group: Group | None
    member: Member | None
    purpose: str
    due_at: datetime | None
    expires_at: datetime | None
    own_act: bool
    message: Message | None


def do_plan_delivery(
    community: Community, *, channel: str, kind: str, cause: str, body: dict[str, Any],
    **more: Unpack[Planned],
) -> Delivery:  # fmt: skip
    """Plans something to go out. The same cause again is the first one, unchanged.

    `own_act`: it answers what the member just did, so no quiet hours and no cap hold it up.
    """
    now = clock.now()
    values: dict[str, Any] = {**more, "due_at": more.get("due_at") or now}
    return Delivery.objects.get_or_create(
        cause=cause[:160],
        defaults={"community": community, "channel": channel, "kind": kind, "body": body,
                  "made_at": now, **values},
    )[0]  # fmt: skip


# one worker step


def try_deliver_one() -> bool:
    """Takes the most urgent delivery that is due as far as it goes; whether there was one."""
    found = find_due(clock.now()).values_list("pk", flat=True).first()
    if found is None:
        return False
    parcel = claim(found)
    if parcel is not None:
        _carry(*parcel)
    return True


def find_due(now: datetime) -> QuerySet[Delivery]:
    """What may go out, the closest to its end first."""
    due = Delivery.objects.filter(state="planned", due_at__lte=now)
    return due.order_by(F("expires_at").asc(nulls_last=True), "due_at", "id")


def claim(delivery_id: int) -> tuple[Delivery, Parcel] | None:
    """Makes a delivery ours and says what to send; None where another has it, or where it may
    not go out now."""
    with transaction.atomic():
        if not _take(delivery_id):
            return None
        rows = Delivery.objects.select_related("community", "group", "member")
        delivery = rows.get(pk=delivery_id)
        decision = judge(delivery, clock.now())
        if isinstance(decision, Go):
            return delivery, _pack(delivery)
        _put_back(delivery, decision)
        return None


def _take(delivery_id: int) -> bool:
    now = clock.now()
    due = Delivery.objects.filter(pk=delivery_id, state="planned", due_at__lte=now)
    taken = due.update(
        state="claimed", claim=secrets.token_hex(16), claimed_at=now, why="",
        claimed_until=now + real(LEASE_S, clock.clock().speed), attempts=F("attempts") + 1,
    )  # fmt: skip
    return bool(taken)


def judge(delivery: Delivery, now: datetime) -> Decision:
    """Whether it may go out now. Holds the member's row, so that two workers count one cap."""
    member, community = delivery.member, delivery.community
    if member is not None:
        member = Member.objects.select_for_update().get(pk=member.pk)
    chosen, zone = settings_of(community), zone_of(community.zone)
    direct = delivery.kind == "direct"
    return judge_leaving(
        Leaving(
            kind=delivery.kind, personal=member is not None, direct=direct,
            own_act=delivery.own_act, here=_is_here(delivery, member),
            consented=member is None or may_send(member, delivery.purpose, delivery.channel),
            sent_today=_count_since(delivery, find_day(zone, now)) if direct else 0,
            cap=chosen.direct_cap_per_day,
            quiet=Quiet(zone, chosen.quiet_from, chosen.quiet_until),
            expires_at=delivery.expires_at,
        ),
        now,
    )  # fmt: skip


def _is_here(delivery: Delivery, member: Member | None) -> bool:
    if member is not None and (member.erased_at or member.merged_into_id):
        return False
    if delivery.kind == "direct":
        return bool(_find_account(delivery))
    if delivery.group is not None and delivery.group.state == "dissolved":
        return False
    if delivery.kind == "remove" and delivery.body.get("case"):
        return not _has_seat(delivery)  # they may have been restored since
    wanted = delivery.body.get("members") if delivery.kind == "welcome" else None
    return wanted is None or bool(list_welcomed(delivery))


def _has_seat(delivery: Delivery) -> bool:
    return Membership.objects.filter(
        group=delivery.group_id, member=delivery.member_id, left_at=None
    ).exists()


def list_welcomed(delivery: Delivery) -> list[Membership]:
    """Who of those to be welcomed is still there, and may be called by name."""
    seats = Membership.objects.filter(
        group=delivery.group_id, member__in=delivery.body.get("members", []), left_at=None
    ).select_related("member", "group")
    found = list(seats.order_by("id"))
    allowed = list_allowed([s.member_id for s in found], "service", delivery.channel)
    return [s for s in found if s.member_id in allowed]


def _count_since(delivery: Delivery, since: datetime) -> int:
    rows = Delivery.objects.filter(
        member=delivery.member_id, kind="direct", own_act=False, state__in=COUNTED,
        claimed_at__gte=since,
    )  # fmt: skip
    return rows.exclude(pk=delivery.pk).count()


def _find_account(delivery: Delivery) -> str:
    accounts = Identity.objects.filter(member=delivery.member_id, channel=delivery.channel)
    return accounts.order_by("-id").values_list("external_id", flat=True).first() or ""


def _put_back(delivery: Delivery, decision: Defer | Drop) -> None:
    delivery.why, delivery.attempts = decision.why, delivery.attempts - 1
    delivery.claim, delivery.claimed_at, delivery.claimed_until = "", None, None
    if isinstance(decision, Defer):
        delivery.state, delivery.due_at = "planned", decision.until
    else:
        delivery.state = "dropped"
    delivery.save()


def _pack(delivery: Delivery) -> Parcel:
    body = delivery.body
    group = delivery.group
    return Parcel(
        key=delivery.key, kind=delivery.kind, text=_write(delivery), body=body,
        group=delivery.group_id, group_external_id=group.external_id if group else "",
        member=delivery.member_id, account=_find_account(delivery),
        mentions=tuple(body.get("mentions") or body.get("members") or ()),
        reply_to=body.get("reply_to"), image=body.get("image", ""),
    )  # fmt: skip


def _write(delivery: Delivery) -> str:
    """The words; a welcome's are written when it leaves, for those who are still there."""
    from qunluo.messaging.welcomes import write_greeting  # noqa: PLC0415 - they plan deliveries

    if delivery.kind == "welcome" and delivery.group is not None:
        return write_greeting(delivery.group, delivery)
    return str(delivery.body.get("text", ""))


# the call, and what came of it


def _carry(delivery: Delivery, parcel: Parcel) -> None:
    try:
        receipt = send(find_channel(delivery.channel), parcel)
    except RefusedError as error:
        _settle(delivery, "failed", why=str(error))
    except UnreachableError as error:
        _try_later(delivery, str(error), error.retry_after)
    except (ChannelError, NoChannelError) as error:
        _try_later(delivery, str(error), None)
    except Exception as error:
        log.warning("delivery %s: %s", delivery.pk, type(error).__name__)
        _wonder(delivery, type(error).__name__)
    else:
        do_confirm(delivery, receipt)


def do_confirm(delivery: Delivery, receipt: Receipt) -> bool:
    """Keeps what the channel answered, and the message it became; whether it was still ours."""
    with transaction.atomic():
        rows = Delivery.objects.select_for_update().values_list("state", flat=True)
        came = rows.get(pk=delivery.pk) == "received"  # its receipt was faster than we are
        state = "received" if receipt.received or came else "sent"
        answer = {"external_id": receipt.external_id, **receipt.data}
        if not _settle(delivery, state, receipt=answer, sent_at=clock.now()):
            return False
        if delivery.kind in SPOKEN and delivery.group is not None:
            _show(delivery, delivery.group, receipt)
        if delivery.kind == "welcome":
            _mark_welcomed(delivery)
        return True


def _settle(delivery: Delivery, state: str, *, why: str = "", **more: Any) -> bool:
    """Only the claim that sent it may say what came of it, even after its lease."""
    ours = Q(pk=delivery.pk, claim=delivery.claim, state__in=("claimed", "unknown", "received"))
    return bool(Delivery.objects.filter(ours).update(state=state, why=why[:200], **more))


def _show(delivery: Delivery, group: Group, receipt: Receipt) -> None:
    """Everything said in a group is one of its messages, whatever the channel."""
    external_id = receipt.external_id or delivery.key
    there = find_external(group, delivery.key) or find_external(group, external_id)
    if there is not None:  # the channel's post was a message of ours
        Delivery.objects.filter(pk=delivery.pk).update(message=there)
        return
    if delivery.message_id:
        Message.objects.filter(pk=delivery.message_id).update(external_id=external_id)
        return
    parcel = _pack(delivery)
    message = do_post(
        group, text=parcel.text or "…", label="auto", external_id=external_id,
        mentions=parcel.mentions, image=parcel.image,
        reply_to=Message.objects.filter(pk=parcel.reply_to or 0).first(),
    )  # fmt: skip
    Delivery.objects.filter(pk=delivery.pk).update(message=message)


def _mark_welcomed(delivery: Delivery) -> None:
    now = clock.now()
    seats = [s for s in list_welcomed(delivery) if s.welcomed_at is None]
    ids = [s.pk for s in seats]
    Membership.objects.filter(pk__in=ids, welcomed_at=None).update(welcomed_at=now)
    record_all(
        Event(
            community_id=delivery.community_id, kind="welcome_sent", at=now, actor=SYSTEM,
            member_id=seat.member_id, group_id=seat.group_id, cause=f"welcomed:{seat.pk}",
            data={"delivery": delivery.pk,
                  "after_s": round((now - seat.joined_at).total_seconds(), 3)},
        )
        for seat in seats
    )  # fmt: skip


def _try_later(delivery: Delivery, why: str, asked: timedelta | None) -> None:
    wait = plan_retry(delivery.key, delivery.attempts, asked=asked)
    if wait is None:
        _settle(delivery, "failed", why=why)
    else:
        _settle(delivery, "planned", why=why, due_at=clock.now() + wait)


def _wonder(delivery: Delivery, why: str) -> None:
    """It may have been sent: again only where the channel sends one key once."""
    if _is_idempotent(delivery.channel):
        _try_later(delivery, why, None)
    else:
        _settle(delivery, "unknown", why=why)


def _is_idempotent(name: str) -> bool:
    return name in {c.name for c in list_channels() if c.capabilities.idempotent}


def do_end_leases() -> int:
    """What was claimed by somebody who died: planned again, or unknown; how many."""
    over = Delivery.objects.filter(state="claimed", claimed_until__lt=clock.now())
    if not over.exists():
        return 0
    again = [c.name for c in list_channels() if c.capabilities.idempotent]
    ended = over.filter(channel__in=again).update(state="planned", why="lease ended")
    return ended + over.update(state="unknown", why="lease ended")


def do_settle_unknown(delivery: Delivery, *, sent: bool, by: str) -> bool:
    """Somebody looked: it arrived, or it did not and goes out again; whether it was unknown."""
    now = clock.now()
    values: dict[str, Any] = {"state": "sent", "sent_at": now} if sent else {
        "state": "planned", "due_at": now}  # fmt: skip
    with transaction.atomic():
        unknown = Delivery.objects.filter(pk=delivery.pk, state="unknown")
        if not unknown.update(why=f"looked up by {by}", **values):
            return False
        record("delivery_settled", community=delivery.community_id, actor=by,
               member=delivery.member_id, group=delivery.group_id,
               data={"delivery": delivery.pk, "sent": sent})  # fmt: skip
    return True


def do_take_receipt(channel: str, body: dict[str, Any]) -> bool:
    """What a channel says later of something we sent: it arrived, or it failed after all.

    Named by our key, or by the channel's own id; whether it was known. What failed for certain
    can be settled from unknown as well.
    """
    key, external_id = str(body.get("key", "")), str(body.get("external_id", ""))
    number = key.removeprefix("delivery-")
    where = Q(pk=int(number)) if key != number and number.isdecimal() else Q(
        receipt__external_id=external_id or None)  # fmt: skip
    state = "received" if body.get("state") == "received" else "failed"
    ours = Delivery.objects.filter(
        where, channel=channel, state__in=("claimed", "sent", "unknown")
    )
    return bool(ours.update(state=state, why=str(body.get("why", ""))[:200]))
