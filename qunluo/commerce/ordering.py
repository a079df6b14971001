"""An order from the first tap to the last word: held, called off, sent, completed.

The rows of an order are locked first, then the accounts of the ledger in ascending order of
variants, then those of points: whoever takes them in this order waits and never blocks.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from qunluo.commerce.catalogue import list_stock, open_shelf
from qunluo.commerce.errors import (
    KeyTakenError,
    NotToShipError,
    OffSaleError,
    PointsShortError,
    SoldOutError,
    WrongOrderError,
)
from qunluo.commerce.models import Order, OrderLine, Variant
from qunluo.commerce.moving import POINTS, do_move, list_holds, lock, moved
from qunluo.commerce.offers import list_offers
from qunluo.commerce.pricing import Line, Offer, Priced, PricedLine, price
from qunluo.commerce.rules import UNPAID, Act
from qunluo.commerce.settling import do_settle
from qunluo.community.models import Community
from qunluo.community.queries import settings_of
from qunluo.events.actions import SYSTEM, record
from qunluo.kit import clock
from qunluo.kit.sealed import seal
from qunluo.kit.text import Text
from qunluo.ledger.actions import do_hold, do_open, do_release
from qunluo.ledger.errors import ShortError
from qunluo.ledger.models import Hold
from qunluo.members.models import Member

MOST_OF_ONE = 999
MOST_LINES = 50
SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is taken for another


@dataclass(frozen=True)
class Ask:
    """So many pieces of something."""

    variant: Variant
    quantity: int = 1


@dataclass(frozen=True)
class Delivery:
    """Where it goes, and what it costs to bring it there."""

    address: str = ""
    note: str = ""
    store: str = ""  # where it is picked up
    shipping_minor: int = 0


PICK_UP = Delivery()


@dataclass(frozen=True)
class _Wish:
    """What is to be ordered, and how."""

    asks: Sequence[Ask]
    key: str
    offers: Sequence[Offer]
    pay_by: datetime | None
    source: str
    by: str
    to: Delivery


# ordering


def quote(
    member: Member, asks: Sequence[Ask], *, offers: Sequence[Offer] = (),
    shipping_minor: int = 0, at: datetime | None = None,
) -> Priced:  # fmt: skip
    """What it would cost now, with the community's own rules. Raises `WrongOrderError`."""
    check_asks(asks)
    now = at or clock.now()
    variants = [ask.variant for ask in asks]
    lines = [Line(str(a.variant.pk), a.quantity, a.variant.list_minor) for a in asks]
    all_offers = [*list_offers(member, variants, now), *offers]
    return price(lines, all_offers, at=now, shipping_minor=shipping_minor)


def check_asks(asks: Sequence[Ask]) -> None:
    keys = {ask.variant.pk for ask in asks}
    wrong = any(not 1 <= ask.quantity <= MOST_OF_ONE for ask in asks)
    if not 1 <= len(asks) <= MOST_LINES or len(keys) != len(asks) or wrong:
        raise WrongOrderError(most=MOST_OF_ONE)


def do_order(  # noqa: PLR0913 - one order needs all of this
    community: Community, member: Member, lines: Sequence[Ask], *, key: str,
    offers: Sequence[Offer] = (), pay_by: datetime | None = None, source: str = "",
    by: str, to: Delivery = PICK_UP,
) -> Order:  # fmt: skip
    """Orders: the price is reckoned, the pieces (and points) are held. The same key again is
    the same order. What costs nothing is paid at once. Raises `SoldOutError`, `OffSaleError`,
    `PointsShortError`, `WrongOrderError`, `KeyTakenError`."""
    asks = sorted(lines, key=lambda ask: ask.variant.pk)
    check_asks(asks)
    known = find_by_key(community, key)
    if known is not None:
        return _same(known, member, asks)
    _look(asks)
    wish = _Wish(asks, key, offers, pay_by, source, by, to)
    try:
        with transaction.atomic():
            return _order(community, member, wish)
    except IntegrityError:  # the same key at the same moment
        known = find_by_key(community, key)
        if known is None:
            raise
        return _same(known, member, asks)


def _look(asks: Sequence[Ask]) -> None:
    """What is gone is refused before anything is written: the crowd at a sold-out shelf costs
    little. What is there is promised by the hold alone."""
    stock = list_stock([ask.variant for ask in asks])
    for ask in asks:
        left = stock[ask.variant.pk].available
        if left < ask.quantity:
            raise SoldOutError(title=ask.variant.shown, available=max(0, left))


def find_by_key(community: Community, key: str) -> Order | None:
    return Order.objects.filter(community=community, key=key).first()


def _same(order: Order, member: Member, asks: Sequence[Ask]) -> Order:
    """An order that was asked for again, if it is the same."""
    there = {line.variant_id: line.quantity for line in order.lines.all()}
    if order.member_id != member.pk or there != {a.variant.pk: a.quantity for a in asks}:
        raise KeyTakenError
    return order


def _order(community: Community, member: Member, wish: _Wish) -> Order:
    for ask in wish.asks:
        _check_on_sale(community, ask.variant)
    now, to = clock.now(), wish.to
    priced = quote(
        member, wish.asks, offers=wish.offers, shipping_minor=to.shipping_minor, at=now
    )
    order = Order.objects.create(
        community=community, number=make_number(), member=member, key=wish.key,
        source=wish.source[:120], currency=settings_of(community).currency, at=now,
        total_minor=priced.total_minor, shipping_minor=priced.shipping_minor,
        points=priced.points, snapshot=priced.snapshot, pay_by=wish.pay_by or now + UNPAID,
        store=to.store[:80], note=to.note[:200],
        address_sealed=seal(to.address, settings.SECRET_KEY) if to.address else "",
    )  # fmt: skip
    _write_lines(order, wish.asks, priced, wish.by)
    _hold_points(order, wish.by)
    data = {"order": order.number, "amount_minor": order.total_minor, "source": order.source}
    record("order_created", community=community.pk, member=member.pk, actor=wish.by, data=data)
    if order.total_minor == 0:
        do_settle(order, None)
    return order


def make_number() -> str:
    """Told on the phone, and the name of the payment: short, and nobody's but its own."""
    return f"Q{clock.now():%y%m%d}" + "".join(secrets.choice(SIGNS) for _ in range(10))


def _check_on_sale(community: Community, variant: Variant) -> None:
    on_sale = variant.active and variant.product.state == "on_sale"
    if variant.community_id != community.pk or not on_sale:
        raise OffSaleError(title=variant.shown)


def _write_lines(order: Order, asks: Sequence[Ask], priced: Priced, by: str) -> None:
    rows = []
    for ask, reckoned in zip(asks, priced.lines, strict=True):
        hold = _hold_pieces(order, ask, by)
        rows.append(_line(order, ask.variant, reckoned, hold))
    OrderLine.objects.bulk_create(rows)


def _hold_pieces(order: Order, ask: Ask, by: str) -> Hold:
    shelf, _ = open_shelf(ask.variant)
    cause = f"order:{order.pk}:{ask.variant.pk}"
    try:
        return do_hold(shelf, ask.quantity, cause=cause, by=by)
    except ShortError as error:
        left = max(0, error.data["available"])
        raise SoldOutError(title=ask.variant.shown, available=left) from None


def _line(order: Order, variant: Variant, reckoned: PricedLine, hold: Hold) -> OrderLine:
    reasons = [
        {"offer": r.offer, "phase": r.phase, "en": r.words.en, "zh": r.words.zh,
         "minor": r.minor, "points": r.points}
        for r in reckoned.reasons
    ]  # fmt: skip
    return OrderLine(
        order=order, variant=variant, title=variant.shown, sku=variant.sku,
        quantity=reckoned.line.quantity, list_minor=variant.list_minor,
        cost_minor=variant.cost_minor, amount_minor=reckoned.amount_minor,
        points=reckoned.points, reasons=reasons, hold_id=hold.pk,
    )  # fmt: skip


def _hold_points(order: Order, by: str) -> None:
    """Points that the price counts on are there, or there is no order at this price."""
    if not order.points:
        return
    mine = do_open(order.community_id, "member", order.member_id, POINTS, lots=True)
    try:
        do_hold(mine, order.points, cause=f"order:{order.pk}", by=by)
    except ShortError as error:
        left = max(0, error.data["available"])
        raise PointsShortError(needed=order.points, available=left) from None


# calling off, running out


@transaction.atomic
def do_cancel(order: Order, why: str, by: str) -> Order:
    """Calls off an order that is not paid; its pieces and points are free again. Called off
    before: nothing changes. Raises `OrderMovedError`."""
    order = lock(order)
    if order.state != "cancelled":
        _close(order, "cancel", "order_cancelled", why, by)
    return order


def do_expire_unpaid(now: datetime, limit: int = 200) -> int:
    """Ends what was not paid in time, each in a transaction of its own; how many."""
    due = Order.objects.filter(state="created", pay_by__lte=now).order_by("pay_by", "pk")
    return sum(do_expire(order) for order in due[:limit])


@transaction.atomic
def do_expire(order: Order) -> bool:
    """Ends an unpaid order; whether it was one still."""
    order = lock(order)
    if order.state != "created":
        return False
    _close(order, "expire", "order_expired", "", SYSTEM)
    return True


def _close(order: Order, act: Act, kind: str, why: str, by: str) -> None:
    why = why.strip()[:200]
    if not do_move(order, act, closed_at=clock.now(), closed_why=why):
        raise moved(order)
    for hold in list_holds(order):
        do_release(hold, by=by)
    record(kind, community=order.community_id, member=order.member_id, actor=by,
           data={"order": order.number, "source": order.source, "why": why})  # fmt: skip


# sending, completing

Keeper = Callable[[Order], Text | None]
_keepers: list[Keeper] = []


def register_keeper(keeper: Keeper) -> Keeper:
    """Adds a reason (or none) why the goods of an order must not go out yet: a group-buy that
    has not succeeded."""
    if keeper not in _keepers:
        _keepers.append(keeper)
    return keeper


def why_not_to_ship(order: Order) -> Text | None:
    return next((why for keeper in _keepers if (why := keeper(order)) is not None), None)


@transaction.atomic
def do_fulfil(order: Order, *, by: str, note: str = "") -> Order:
    """Its goods go out, or are handed over. Raises `OrderMovedError`, `NotToShipError`."""
    order = lock(order)
    why = why_not_to_ship(order)
    if why is not None:
        raise NotToShipError(why=why)
    return _step(order, "fulfil", "order_fulfilled", by, note)


@transaction.atomic
def do_complete(order: Order, *, by: str) -> Order:
    """It has arrived. Raises `OrderMovedError`."""
    return _step(lock(order), "complete", "order_completed", by)


def _step(order: Order, act: Act, kind: str, by: str, note: str = "") -> Order:
    column = "fulfilled_at" if act == "fulfil" else "completed_at"
    if not do_move(order, act, **{column: clock.now()}):
        raise moved(order)
    record(kind, community=order.community_id, member=order.member_id, actor=by,
           data={"order": order.number, "source": order.source, "note": note[:120]})  # fmt: skip
    return order
