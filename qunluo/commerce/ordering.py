"""An order from the first tap to the last word: held, called off, sent, completed.

The rows of an order are locked first, then the accounts of the ledger in ascending order of
variants, then those of points: whoever takes them in this order waits and never blocks.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial

from django.conf import settings
from django.db import IntegrityError, transaction

from qunluo.commerce.catalogue import find_shelves
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
from qunluo.commerce.offers import list_offers, list_offers_of
from qunluo.commerce.pricing import Line, Offer, Priced, PricedLine, price
from qunluo.commerce.rules import UNPAID, Act
from qunluo.commerce.settling import do_settle
from qunluo.community.models import Community
from qunluo.community.queries import settings_of
from qunluo.events.actions import SYSTEM, record, record_all
from qunluo.events.models import Event
from qunluo.events.rows import do_insert, new_row
from qunluo.events.turns import Turns
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.kit.sealed import seal
from qunluo.kit.text import Text
from qunluo.ledger.actions import Promise, do_hold, do_hold_all, do_open, do_release
from qunluo.ledger.errors import ShortError
from qunluo.ledger.models import Account, Hold
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
class Wish:
    """What a member orders, and how; see `do_order`."""

    member: Member
    asks: Sequence[Ask]
    key: str
    by: str
    offers: Sequence[Offer] = ()
    pay_by: datetime | None = None
    source: str = ""
    to: Delivery = PICK_UP


Shelves = Mapping[int, Account]  # of variants, by their ids


# ordering


def quote(
    member: Member, asks: Sequence[Ask], *, offers: Sequence[Offer] = (),
    shipping_minor: int = 0, at: datetime | None = None,
) -> Priced:  # fmt: skip
    """What it would cost now, with the community's own rules. Raises `WrongOrderError`."""
    check_asks(asks)
    now = at or clock.now()
    own = list_offers(member, [ask.variant for ask in asks], now)
    return _reckon(asks, [*own, *offers], shipping_minor, now)


def _reckon(
    asks: Sequence[Ask], offers: Sequence[Offer], shipping_minor: int, now: datetime
) -> Priced:
    lines = [Line(str(a.variant.pk), a.quantity, a.variant.list_minor) for a in asks]
    return price(lines, offers, at=now, shipping_minor=shipping_minor)


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
    wish = Wish(member, lines, key, by, offers, pay_by, source, to)
    return do_order_all(community, [wish])[0]


def do_order_all(
    community: Community, wishes: Sequence[Wish], shelves: Shelves | None = None
) -> list[Order]:
    """Many orders in few statements, all or none; their keys differ, and are taken for new at
    first. `shelves` are those of all that is wished for, where the caller has them. Raises as
    `do_order`."""
    wishes = [replace(w, asks=sorted(w.asks, key=lambda ask: ask.variant.pk)) for w in wishes]
    for wish in wishes:
        check_asks(wish.asks)
    try:
        return _order_all(community, wishes, shelves)
    except (IntegrityError, QunluoError):  # one of them is an order already, perhaps
        return _find_or_order(community, wishes)


@transaction.atomic
def _find_or_order(community: Community, wishes: Sequence[Wish]) -> list[Order]:
    rows = Order.objects.filter(community=community, key__among=[wish.key for wish in wishes])
    known = {str(row.key): row for row in rows.prefetch_related("lines")}
    for wish in wishes:
        if wish.key in known:
            _check_same(known[wish.key], wish)
    fresh = [wish for wish in wishes if wish.key not in known]
    if fresh:
        known |= {str(order.key): order for order in _order_all(community, fresh)}
    return [known[wish.key] for wish in wishes]


def _check_left(asks: Sequence[Ask], shelves: Shelves) -> None:
    """What is gone is refused before anything is written: the crowd at a sold-out shelf costs
    little. What is there is promised by the hold alone."""
    wanted: dict[int, int] = defaultdict(int)
    for ask in asks:
        wanted[ask.variant.pk] += ask.quantity
        left = shelves[ask.variant.pk].available
        if left < wanted[ask.variant.pk]:
            raise SoldOutError(title=ask.variant.shown, available=max(0, left))


def _check_same(order: Order, wish: Wish) -> None:
    """A key stands for one order."""
    there = {line.variant_id: line.quantity for line in order.lines.all()}
    wanted = {ask.variant.pk: ask.quantity for ask in wish.asks}
    if order.member_id != wish.member.pk or there != wanted:
        raise KeyTakenError


@transaction.atomic
def _order_all(
    community: Community, wishes: Sequence[Wish], shelves: Shelves | None = None
) -> list[Order]:
    now, asks = clock.now(), [ask for wish in wishes for ask in wish.asks]
    variants = [ask.variant for ask in asks]
    shelves = find_shelves(variants) if shelves is None else shelves
    _check_left(asks, shelves)
    for variant in {variant.pk: variant for variant in variants}.values():
        _check_on_sale(community, variant)
    offers = list_offers_of([wish.member for wish in wishes], variants, now)
    reckon = cache(partial(_reckon, now=now))  # what is the same for many is reckoned once
    priced = [
        reckon(tuple(w.asks), (*offers[w.member.pk], *w.offers), w.to.shipping_minor)
        for w in wishes
    ]
    currency = settings_of(community).currency
    orders = do_insert(
        _row(community, wish, reckoned, now, currency)
        for wish, reckoned in zip(wishes, priced, strict=True)
    )
    _write_lines(orders, wishes, priced, shelves)
    for order, wish in zip(orders, wishes, strict=True):
        _hold_points(order, wish.by)
    record_all(_created(order, wish) for order, wish in zip(orders, wishes, strict=True))
    for order in orders:
        if order.total_minor == 0:
            do_settle(order, None)
    return orders


def _row(
    community: Community, wish: Wish, priced: Priced, now: datetime, currency: str
) -> Order:
    to = wish.to
    made = new_row(
        Order, number=make_number(), key=wish.key, source=wish.source[:120],
        currency=currency, at=now,
        total_minor=priced.total_minor, shipping_minor=priced.shipping_minor,
        points=priced.points, snapshot=priced.snapshot, pay_by=wish.pay_by or now + UNPAID,
        store=to.store[:80], note=to.note[:200],
        address_sealed=seal(to.address, settings.SECRET_KEY) if to.address else "",
    )  # fmt: skip
    made.community, made.member = community, wish.member
    return made


def _created(order: Order, wish: Wish) -> Event:
    data = {"order": order.number, "amount_minor": order.total_minor, "source": order.source}
    return new_row(Event, community_id=order.community_id, kind="order_created", at=order.at,
                   member_id=order.member_id, actor=wish.by, data=data)  # fmt: skip


def make_number() -> str:
    """Told on the phone, and the name of the payment: short, and nobody's but its own."""
    drawn = secrets.token_bytes(10)  # 32 signs: each as likely as any
    return f"Q{clock.now():%y%m%d}" + "".join(SIGNS[byte % len(SIGNS)] for byte in drawn)


def _check_on_sale(community: Community, variant: Variant) -> None:
    on_sale = variant.active and variant.product.state == "on_sale"
    if variant.community_id != community.pk or not on_sale:
        raise OffSaleError(title=variant.shown)


def _write_lines(
    orders: Sequence[Order], wishes: Sequence[Wish], priced: Sequence[Priced],
    shelves: Shelves,
) -> None:  # fmt: skip
    """Each line with the pieces that are held for it."""
    lines = [
        (order, ask, reckoned, wish.by)
        for order, wish, p in zip(orders, wishes, priced, strict=True)
        for ask, reckoned in zip(wish.asks, p.lines, strict=True)
    ]
    variants = {ask.variant.pk: ask.variant for _, ask, _, _ in lines}
    promises = [
        Promise(shelves[ask.variant.pk], ask.quantity, f"order:{order.pk}:{ask.variant.pk}", by)
        for order, ask, _, by in lines
    ]
    holds = _hold_pieces(promises, variants)
    do_insert(
        _line(order, ask.variant, reckoned, hold)
        for (order, ask, reckoned, _), hold in zip(lines, holds, strict=True)
    )


def _hold_pieces(promises: Sequence[Promise], variants: Mapping[int, Variant]) -> list[Hold]:
    try:
        return do_hold_all(promises)
    except ShortError as error:
        variant = variants[int(error.data["owner"])]
        left = max(0, error.data["available"])
        raise SoldOutError(title=variant.shown, available=left) from None


def _line(order: Order, variant: Variant, reckoned: PricedLine, hold: Hold) -> OrderLine:
    reasons = [
        {"offer": r.offer, "phase": r.phase, "en": r.words.en, "zh": r.words.zh,
         "minor": r.minor, "points": r.points}
        for r in reckoned.reasons
    ]  # fmt: skip
    return new_row(
        OrderLine, order_id=order.pk, variant_id=variant.pk, title=variant.shown,
        sku=variant.sku, quantity=reckoned.line.quantity, list_minor=variant.list_minor,
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
        _close(order, "cancel", why, by)
        _record("order_cancelled", order, by, why=order.closed_why)
    return order


_turns = Turns()


@transaction.atomic
def do_expire(order: Order) -> bool:
    """Ends an unpaid order; whether it was one still."""
    order = lock(order)
    if order.state != "created":
        return False
    _close(order, "expire", "", SYSTEM)
    _record("order_expired", order, SYSTEM)
    return True


def _close(order: Order, act: Act, why: str, by: str) -> None:
    if not do_move(order, act, closed_at=clock.now(), closed_why=why.strip()[:200]):
        raise moved(order)
    for hold in list_holds(order):
        do_release(hold, by=by)


def _record(kind: str, order: Order, by: str, **more: str) -> None:
    data = {"order": order.number, "source": order.source, **more}
    record(kind, community=order.community_id, member=order.member_id, actor=by, data=data)


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
    _step(order, "fulfil", fulfilled_at=clock.now())
    _record("order_fulfilled", order, by, note=note[:120])
    return order


@transaction.atomic
def do_complete(order: Order, *, by: str) -> Order:
    """It has arrived. Raises `OrderMovedError`."""
    order = lock(order)
    _step(order, "complete", completed_at=clock.now())
    _record("order_completed", order, by)
    return order


def _step(order: Order, act: Act, **values: datetime) -> None:
    if not do_move(order, act, **values):
        raise moved(order)
