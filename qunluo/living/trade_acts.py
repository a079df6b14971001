"""What simulated members buy and play, and what the staff of the shop does for it.

They play whatever runs, a visitor's campaigns too, and help a visitor who asks; they pay with
the sandbox's play money only. Whoever is stopped in between leaves what anybody leaves: an order
that somebody pays later, or that ends by itself.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet

from qunluo.campaigns.checkout import do_buy, look
from qunluo.campaigns.hearing import do_follow
from qunluo.campaigns.invites import facts_of
from qunluo.campaigns.mechanics.assist import HELP
from qunluo.campaigns.mechanics.check_in import CHECK_IN
from qunluo.campaigns.mechanics.coupon import CLAIM
from qunluo.campaigns.mechanics.group_buy import JOIN, QUIT
from qunluo.campaigns.mechanics.kernel import OPEN, Done
from qunluo.campaigns.mechanics.steps import day_of
from qunluo.campaigns.models import Campaign, Coupon, Play, Purchase
from qunluo.campaigns.playing import do_act, is_running
from qunluo.commerce.catalogue import do_change_stock, list_stock
from qunluo.commerce.models import Order, Variant
from qunluo.commerce.ordering import (
    Ask,
    Delivery,
    do_cancel,
    do_fulfil,
    why_not_to_ship,
)
from qunluo.commerce.paying import make_bill
from qunluo.commerce.provider import list_providers
from qunluo.commerce.refunding import do_refund
from qunluo.kit import clock
from qunluo.living import care_script
from qunluo.living import trade_script as script
from qunluo.living.acts import Stage
from qunluo.members.models import Member
from qunluo.payments.door import hear
from qunluo.payments.sandbox import house
from qunluo.payments.sandbox.signing import Ticket

FRIENDLY = ("assist", "bargain")  # models where friends help
PAYS, QUITS, TWO = 0.85, 0.3, 0.3
MOST_OPEN = 4  # groups that gather, and tasks: beyond that people join and help instead
WAITS = timedelta(hours=1)  # an order, before the staff hands it over
LOOKED_AT = 20


def _key(stage: Stage) -> str:
    return f"sim{stage.random.getrandbits(64):016x}"


def _somebody(stage: Stage) -> Member | None:
    seat = stage.seat()
    if seat is not None:
        seat.member.community = stage.community
    return seat.member if seat is not None else None


def _running(stage: Stage, *mechanics: str) -> Campaign | None:
    rows = Campaign.objects.filter(
        community=stage.community, state="running", mechanic__in=mechanics
    ).select_related("community", "version")
    now = clock.now()
    found = [row for row in rows.order_by("pk") if is_running(row, now)]
    return stage.random.choice(found) if found else None


def _act(campaign: Campaign, kind: str, member: Member, key: str, play: str = "") -> bool:
    facts = facts_of(campaign, member)
    answer = do_act(campaign, kind, member=member, key=key, play=play, facts=facts)
    return isinstance(answer, Done)


# campaigns


def check_in(stage: Stage) -> bool:
    """Once a day each; the talkative come nearly every day."""
    campaign, member = _running(stage, "check_in"), _somebody(stage)
    if campaign is None or member is None:
        return False
    return _act(campaign, CHECK_IN, member, f"sim:{day_of(clock.now(), campaign.zone)}")


def take_coupon(stage: Stage) -> bool:
    campaign, member = _running(stage, "coupon"), _somebody(stage)
    if campaign is None or member is None:
        return False
    return _act(campaign, CLAIM, member, _key(stage))


def begin_task(stage: Stage) -> bool:
    """Somebody asks friends for help, unless several do already."""
    campaign, member = _running(stage, *FRIENDLY), _somebody(stage)
    if campaign is None or member is None or len(_open_plays(campaign)) >= MOST_OPEN:
        return False
    return _act(campaign, OPEN, member, _key(stage))


def help_friend(stage: Stage) -> bool:
    campaign, member = _running(stage, *FRIENDLY), _somebody(stage)
    play = _choose(stage, _open_plays(campaign)) if campaign else None
    if campaign is None or member is None or play is None:
        return False
    return _act(campaign, HELP, member, f"sim:help:{play.key}", play.key)


def begin_group(stage: Stage) -> bool:
    """Somebody opens a group and pays, unless several wait for more already."""
    campaign, member = _running(stage, "group_buy"), _somebody(stage)
    if campaign is None or member is None or len(_gathering(campaign)) >= MOST_OPEN:
        return False
    return _act(campaign, OPEN, member, _key(stage)) and pay_for(stage, member)


def join_group(stage: Stage) -> bool:
    campaign, member = _running(stage, "group_buy"), _somebody(stage)
    play = _choose(stage, _gathering(campaign)) if campaign else None
    if campaign is None or member is None or play is None:
        return False
    joined = _act(campaign, JOIN, member, _key(stage), play.key)
    return joined and (stage.random.random() > PAYS or pay_for(stage, member))


def _open_plays(campaign: Campaign) -> list[Play]:
    rows = Play.objects.filter(campaign=campaign, deadline__gt=clock.now())
    return list(rows.order_by("-pk")[:LOOKED_AT])


def _gathering(campaign: Campaign) -> list[Play]:
    return [p for p in _open_plays(campaign) if p.state.get("stage") in ("forming", "open")]


def _choose(stage: Stage, plays: list[Play]) -> Play | None:
    """The newest more often: a visitor who just asked isn't left waiting."""
    return plays[int(len(plays) * stage.random.random() ** 2)] if plays else None


# the shop


def shop(stage: Stage) -> bool:
    """Somebody buys, mostly who has a coupon for it; now and then they don't pay at once."""
    asks = choose_asks(stage)
    member = _with_coupon(stage) if stage.random.random() < 0.6 else _somebody(stage)
    if member is None or not asks:
        return False
    return do_order_and_pay(stage, member, asks, now=stage.random.random() < PAYS)


def _with_coupon(stage: Stage) -> Member | None:
    rows = Coupon.objects.filter(
        member__community=stage.community, member__simulated=True, member__erased_at=None,
        state__in=Coupon.FREE, valid_until__gt=clock.now(),
    )  # fmt: skip
    found = list(rows.select_related("member__community").order_by("valid_until", "pk")[:8])
    return stage.random.choice(found).member if found else _somebody(stage)


def choose_asks(stage: Stage) -> list[Ask]:
    """One thing or two, of what is on sale."""
    rows = Variant.objects.filter(
        community=stage.community, active=True, product__state="on_sale"
    )
    there = list(rows.select_related("product").order_by("pk"))
    two = len(there) > 1 and stage.random.random() < TWO
    return [Ask(one) for one in stage.random.sample(there, 2 if two else min(1, len(there)))]


def do_order_and_pay(
    stage: Stage, member: Member, asks: list[Ask], *, now: bool = True
) -> bool:
    """At the price that the till shows, with the best coupons."""
    till = look(member, asks)
    order = do_buy(
        member, asks, key=_key(stage), total_minor=till.priced.total_minor, by=member.actor,
        to=Delivery(store=stage.random.choice(care_script.STORES)),
    )  # fmt: skip
    if now:
        do_pay(order)
    return True


def do_pay(order: Order) -> bool:
    """As on the sandbox's page: its book first, then it tells us, and goes on telling."""
    if house.NAME not in {provider.name for provider in list_providers()}:
        return False
    bill = make_bill(order)
    ticket = Ticket(bill.number, bill.amount_minor, bill.currency, bill.title,
                    bill.pay_by.isoformat(), "")  # fmt: skip
    return house.tell(house.do_pay(ticket), hear)


def pay_for(stage: Stage, member: Member) -> bool:
    """What a campaign has just ordered for them."""
    rows = Purchase.objects.filter(
        order__community=stage.community, order__member=member, order__state="created"
    )
    found = rows.select_related("order").order_by("-pk").first()
    return found is not None and do_pay(found.order)


def settle_up(stage: Stage) -> bool:
    """Somebody remembers an order that waits for money: pays, or calls it off."""
    rows = _orders(stage, "created").filter(pay_by__gt=clock.now())
    order = rows.first()
    if order is None:
        return False
    if order.source or stage.random.random() > QUITS:
        return do_pay(order)
    do_cancel(order, script.CALLED_OFF, order.member.actor)
    do_follow(order)
    return True


def ask_back(stage: Stage) -> bool:
    """Somebody thinks better of it before it was handed over: leaves the group that gathers,
    or asks for the money of an order."""
    order = stage.random.choice([*_orders(stage, "paid")[:LOOKED_AT], None])
    if order is None:
        return False
    part = Purchase.objects.filter(order=order).select_related("campaign").first()
    if part is not None:
        quits = part.campaign.mechanic == "group_buy"
        return quits and _act(part.campaign, QUIT, order.member, _key(stage), part.play)
    why = stage.random.choice(script.REGRETS)
    do_refund(order, why=why, by=order.member.actor, key=f"asked:sim:{order.pk}")
    do_follow(order)
    return True


def _orders(stage: Stage, state: str) -> QuerySet[Order]:
    rows = Order.objects.filter(
        community=stage.community, state=state, elsewhere=False, member__simulated=True,
        member__erased_at=None,
    )  # fmt: skip
    return rows.select_related("community", "member__community").order_by("pk")


# staff


def hand_over(stage: Stage) -> bool:
    """What was paid an hour ago or more; a visitor's order waits for whoever plays the owner."""
    post = stage.staff()
    due = _orders(stage, "paid").filter(paid_at__lt=clock.now() - WAITS)
    for order in due[:LOOKED_AT] if post is not None else ():
        if why_not_to_ship(order) is None and post is not None:
            do_fulfil(order, by=post.actor)
            return True
    return False


def restock(stage: Stage) -> bool:
    post = stage.staff()
    skus = [size.sku for goods in script.SHOP for size in goods.sizes]
    rows = list(Variant.objects.filter(community=stage.community, sku__in=skus))
    stock = list_stock(rows)
    low = [row for row in rows if stock[row.pk].available < script.LOW]
    if post is None or not low:
        return False
    key = f"sim:{clock.now():%Y%m%d%H%M}"
    do_change_stock(low[0], script.MORE, why=script.RESTOCKED, by=post.actor, key=key)
    return True
