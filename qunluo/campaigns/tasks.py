"""What campaigns do by themselves: clocks of plays, acts that follow, rewards that vest, ends."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from qunluo.campaigns.coupons import do_expire
from qunluo.campaigns.fraud import in_doubt
from qunluo.campaigns.hearing import hear
from qunluo.campaigns.lifecycle import do_close_late, do_end
from qunluo.campaigns.live import Live
from qunluo.campaigns.mechanics.kernel import CANCELLED, EXPIRE, PAID, REFUNDED, Refused
from qunluo.campaigns.mechanics.world import AUTOMATIC
from qunluo.campaigns.models import Campaign, Following, Play, Purchase, Reward
from qunluo.campaigns.playing import Asked, do_act_for
from qunluo.campaigns.writing import do_write
from qunluo.commerce.actions import do_refund
from qunluo.commerce.models import Order, Refund
from qunluo.events.actions import follow
from qunluo.events.models import Event
from qunluo.events.turns import Turns
from qunluo.kit import clock
from qunluo.messaging.tasks import Task, register

AT_ONCE = 50
SYSTEM = "system"
ORDERS = {
    "order_paid": PAID, "order_cancelled": CANCELLED, "order_expired": CANCELLED,
    "order_refunded": REFUNDED,
}  # fmt: skip
OWN = "campaign:"  # keys of refunds that a campaign asked for itself

_following, _deadlines, _rewards, _ends = Turns(), Turns(), Turns(), Turns()


def step_orders() -> bool:
    """What became of orders is an act of the play that asked for them."""
    return bool(follow("campaigns.orders", _note_orders, kinds=list(ORDERS)))


def _note_orders(events: Sequence[Event]) -> None:
    numbers = {str(event.data.get("order", "")) for event in events}
    hear(events)
    communities = {event.community_id for event in events}
    rows = Purchase.objects.filter(
        order__number__in=numbers, order__community__in=communities
    ).select_related("order")
    found = {(row.order.community_id, row.order.number): row for row in rows}
    for event in events:
        purchase = found.get((event.community_id, str(event.data.get("order", ""))))
        if purchase is not None and _concerns(purchase, event):
            _follow_up(purchase, event)


def _concerns(purchase: Purchase, event: Event) -> bool:
    """A part that was given back leaves the play as it is, as does what it asked for itself."""
    if event.kind != "order_refunded":
        return True
    own = Refund.objects.filter(order=purchase.order, whole=True, key__startswith=OWN)
    return bool(event.data.get("whole")) and not own.exists()


def _follow_up(purchase: Purchase, event: Event) -> None:
    kind = ORDERS[event.kind]
    Following.objects.get_or_create(
        campaign_id=purchase.campaign_id, key=f"{kind}:{purchase.ref}",
        defaults={"play": purchase.play, "kind": kind, "member_id": purchase.order.member_id,
                  "data": {"ref": purchase.ref}, "at": event.at},
    )  # fmt: skip


def step_following() -> bool:
    """Acts that follow from others, each in a transaction of its own."""
    rows = Following.objects.filter(done_at=None).order_by("pk")
    return (
        _following.go(rows.only("pk"), lambda row: do_follow_one(row.pk), at_once=AT_ONCE) > 0
    )


def do_follow_one(pk: int) -> bool:
    """Carries one out, once; whether it was to be."""
    with transaction.atomic():
        rows = Following.objects.select_for_update(of=("self",))
        found = rows.select_related("campaign__community").filter(pk=pk, done_at=None).first()
        if found is None:
            return False
        asked = Asked(found.kind, found.key, found.play, found.member_id, found.data, found.at)
        answer = do_act_for(found.campaign, asked, by=SYSTEM)
        if isinstance(answer, Refused):
            _take_refusal(found, answer)
        found.done_at = clock.now()
        found.save(update_fields=["done_at", "refused"])
    return True


def _take_refusal(found: Following, answer: Refused) -> None:
    """Money that a play does not take any more goes back by itself."""
    found.refused = answer.code
    if found.kind != PAID:
        return
    rows = Purchase.objects.filter(campaign=found.campaign, ref=str(found.data["ref"]))
    purchase = rows.select_related("order").first()  # the shop's own orders keep their money
    if purchase is not None and purchase.order.state != "refunded":
        _pay_back(found, purchase.order)


def _pay_back(found: Following, order: Order) -> None:
    lang = found.campaign.community.lang
    do_refund(
        order, why=AUTOMATIC(lang), by=SYSTEM, key=f"{OWN}{found.campaign_id}:{found.key}"
    )


def step_deadlines() -> bool:
    """The clocks of plays."""
    due = Play.objects.filter(deadline__lte=clock.now()).order_by("deadline", "pk")
    return (
        _deadlines.go(due.select_related("campaign__community"), _expire, at_once=AT_ONCE) > 0
    )


def _expire(row: Play) -> bool:
    key = f"expire:{row.key}:{row.revision}"
    answer = do_act_for(row.campaign, Asked(EXPIRE, key, row.key), by=SYSTEM)
    if isinstance(answer, Refused):  # nothing to do any more: its clock stops
        Play.objects.filter(pk=row.pk, revision=row.revision).update(deadline=None)
    return True


def step_rewards() -> bool:
    """Rewards whose time has come are paid; those in doubt wait until somebody has looked."""
    due = Reward.objects.filter(state="pending", vests="at", vests_at__lte=clock.now())
    rows = (
        due.exclude(in_doubt()).select_related("campaign__community").order_by("vests_at", "pk")
    )
    return _rewards.go(rows, do_vest, at_once=AT_ONCE) > 0


@transaction.atomic
def do_vest(row: Reward) -> bool:
    """Pays one reward that waits; whether it did."""
    live = Live(row.campaign)
    if not live.vest(row.name):
        return False
    do_write(live, by=SYSTEM)
    return True


def step_ends() -> bool:
    """Campaigns whose window is over end; what was begun while one was stopped closes."""
    due = Campaign.objects.filter(state="running", ends_at__lte=clock.now())
    closed = do_close_late()
    return (
        _ends.go(due.select_related("community").order_by("pk"), _end, at_once=AT_ONCE) + closed
        > 0
    )


def _end(row: Campaign) -> bool:
    do_end(row, by=SYSTEM)
    return True


def step_coupons() -> bool:
    return do_expire(clock.now()) > 0


for _task in (
    Task("campaigns.orders", step_orders),
    Task("campaigns.following", step_following),
    Task("campaigns.deadlines", step_deadlines, every_s=1.0),
    Task("campaigns.rewards", step_rewards, every_s=5.0),
    Task("campaigns.ends", step_ends, every_s=5.0),
    Task("campaigns.coupons", step_coupons, every_s=30.0),
):
    register(_task)
