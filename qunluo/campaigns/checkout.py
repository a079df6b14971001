"""The till: what an order costs a member with their coupons and gifts, why, and ordering at
exactly that price. The shop below knows none of it: it gets offers, and is asked for an order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from qunluo.campaigns import gifts
from qunluo.campaigns.coupons import do_lock, list_coupons, list_offers
from qunluo.campaigns.errors import PriceChangedError
from qunluo.campaigns.hearing import do_follow
from qunluo.campaigns.models import Coupon
from qunluo.commerce import offers as shop
from qunluo.commerce.models import Order
from qunluo.commerce.ordering import PICK_UP, Ask, Delivery, check_asks, do_order
from qunluo.commerce.pricing import Line, Offer, Priced, price
from qunluo.community.queries import settings_of
from qunluo.kit import clock
from qunluo.kit.money import format_money
from qunluo.kit.text import Text
from qunluo.members.models import Member

SHOWN = 30

USED = Text("It was used in order {number}.", "已用于订单 {number}。")
LOCKED = Text(
    "It is in order {number}, which is not paid: pay that, or cancel it.",
    "已用于待付款订单 {number}，付款或取消那笔订单后再试。",
)
EXPIRED = Text("Its time is over.", "已过期。")
REVOKED = Text("It was taken back.", "已被收回。")
BY_HAND = Text("Show it to the team: they redeem it.", "请联系群内工作人员兑换。")
OTHERS = Text("It is for other products.", "不适用于这件商品。")
TOO_LITTLE = Text(
    "From {threshold} on; {missing} more and it counts.",
    "满 {threshold} 可用，还差 {missing}。",
)


@dataclass(frozen=True)
class Choice:
    """A coupon at the till: chosen, or to be had; or why not. `off_minor` is what it takes off
    alone."""

    coupon: Coupon
    chosen: bool
    off_minor: int = 0
    why: Text | None = None

    @property
    def usable(self) -> bool:
        return self.why is None


@dataclass(frozen=True)
class Till:
    """The whole reckoning of an order that is not made yet."""

    priced: Priced
    choices: tuple[Choice, ...]
    promises: tuple[gifts.Promise, ...]
    offers: tuple[Offer, ...]  # that count beside the shop's own

    @property
    def chosen(self) -> list[int]:
        return [one.coupon.pk for one in self.choices if one.chosen]


def look(member: Member, asks: Sequence[Ask], *, chosen: Collection[int] | None = None) -> Till:
    """What it would cost now; with the best coupons, unless others (or none) are `chosen`.
    Raises `WrongOrderError`."""
    check_asks(asks)
    now = clock.now()
    lines = [Line(str(a.variant.pk), a.quantity, a.variant.list_minor) for a in asks]
    own = shop.list_offers(member, [ask.variant for ask in asks], now)
    promises = gifts.list_promises(member, asks, price(lines, own, at=now), now)
    own += [one.offer for one in promises if one.offer is not None]
    rows = list(list_coupons(member).exclude(state="revoked"))
    offers = list_offers([row for row in rows if row.state in Coupon.FREE])
    wanted = [o for pk, o in offers.items() if chosen is None or pk in chosen]
    picked = _winners(price(lines, [*own, *wanted], at=now), wanted)
    plain = price(lines, own, at=now)
    choices = [
        _judge(row, offers.get(row.pk), plain, picked, lines, own, now) for row in rows[-SHOWN:]
    ]
    extra = [*(one.offer for one in promises if one.offer is not None), *picked]
    return Till(price(lines, [*own, *picked], at=now), tuple(sorted(choices, key=_rank)),
                tuple(promises), tuple(extra))  # fmt: skip


def _winners(priced: Priced, offers: Sequence[Offer]) -> list[Offer]:
    return [offer for offer in offers if offer.id in priced.offers]


def _rank(one: Choice) -> tuple[bool, bool, int, int]:
    """What is chosen first, then what could be, the best first."""
    return (not one.chosen, not one.usable, -one.off_minor, one.coupon.pk)


def _judge(
    row: Coupon, offer: Offer | None, plain: Priced, picked: Collection[Offer],
    lines: Sequence[Line], own: Sequence[Offer], now: datetime,
) -> Choice:  # fmt: skip
    if offer is None:
        return Choice(row, False, why=_why_not(row))
    alone = price(lines, [*own, offer], at=now)
    off = plain.total_minor - alone.total_minor
    if offer.id in alone.offers:
        return Choice(row, offer in picked, off)
    missed = {one.offer: one.why for one in alone.missed}
    return Choice(row, False, why=_why_short(row, offer, plain) or missed[offer.id])


def _why_not(row: Coupon) -> Text:
    """Of a coupon that is none of an order's now."""
    number = row.order.number if row.order else ""
    words: Mapping[str, Text] = {
        "used": USED.format(number=number), "locked": LOCKED.format(number=number),
        "expired": EXPIRED, "revoked": REVOKED,
    }  # fmt: skip
    return words.get(row.state, BY_HAND)


def _why_short(row: Coupon, offer: Offer, plain: Priced) -> Text | None:
    """In money of this community, and how much is missing."""
    mine = [o for o in plain.lines if not offer.scope or o.line.key in offer.scope]
    if not mine:
        return OTHERS
    missing = offer.threshold_minor - sum(one.amount_minor for one in mine)
    if missing <= 0:
        return EXPIRED if offer.ends_at and offer.ends_at <= clock.now() else None
    return TOO_LITTLE.format(threshold=_money(row, offer.threshold_minor),
                             missing=_money(row, missing))  # fmt: skip


def _money(row: Coupon, minor: int) -> Text:
    currency = settings_of(row.member.community).currency
    return Text(*(format_money(minor, currency, lang) for lang in ("en", "zh")))


# ordering


@transaction.atomic
def do_buy(
    member: Member, asks: Sequence[Ask], *, key: str, total_minor: int,
    chosen: Collection[int] | None = None, by: str, to: Delivery = PICK_UP,
) -> Order:  # fmt: skip
    """Orders at the price that was shown, with the coupons held and the gifts set aside, or not
    at all. The same key again is the same order. Raises `PriceChangedError`,
    `CouponTakenError`, `GiftGoneError`, and what `do_order` raises."""
    key = f"shop:{member.pk}:{key}"
    known = Order.objects.filter(community=member.community_id, key=key).first()
    if known is not None:
        return known
    till = look(member, asks, chosen=chosen)
    order = do_order(member.community, member, asks, key=key, offers=till.offers, by=by, to=to)
    if order.total_minor != total_minor:
        now = [format_money(order.total_minor, order.currency, lang) for lang in ("en", "zh")]
        raise PriceChangedError(now=Text(*now))
    do_lock(order, by=by)
    gifts.do_open(order, till.promises, by=by)
    if order.state != "created":  # it costs nothing, so it is paid
        do_follow(order)
    return order
