"""A shop to test in: something to sell, somebody who buys, a house that takes money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from qunluo.commerce import provider
from qunluo.commerce.catalogue import (
    ProductForm,
    VariantForm,
    do_add_variant,
    do_change_stock,
    do_make_product,
    stock_of,
)
from qunluo.commerce.models import Order, Payment, Variant
from qunluo.commerce.ordering import Ask, do_order
from qunluo.commerce.paying import do_pay
from qunluo.commerce.provider import (
    Answer,
    Begun,
    Bill,
    Capabilities,
    Notification,
    RefundBill,
)
from qunluo.commerce.tasks import expire_unpaid
from qunluo.community.models import Community
from qunluo.kit import clock
from qunluo.ledger.actions import Leg, do_open, do_open_outside, do_transfer
from qunluo.ledger.models import Account
from qunluo.members.models import Member

STAFF = "staff:1"


def sell(
    community: Community, sku: str = "tea", *, price_minor: int = 5_000, stock: int = 10
) -> Variant:
    """Something on sale, with so many pieces of it."""
    product = do_make_product(community, ProductForm(sku.title()), by=STAFF)
    form = VariantForm(sku, price_minor, cost_minor=price_minor // 2)
    variant = do_add_variant(product, form, by=STAFF)
    if stock:
        do_change_stock(variant, stock, why="delivery", by=STAFF, key=f"{sku}-first")
    return variant


def buy(member: Member, *variants: Variant, quantity: int = 1, **more: object) -> Order:
    """An order; its key is new each time unless given."""
    values = {"key": f"k{Order.objects.count()}", "by": member.actor, **more}
    asks = [Ask(variant, quantity) for variant in variants]
    return do_order(member.community, member, asks, **values)  # type: ignore[arg-type]


def pay(order: Order, key: str = "", amount_minor: int | None = None) -> Payment:
    amount = order.total_minor if amount_minor is None else amount_minor
    payment = do_pay(order, key or f"p-{order.number}", amount, clock.now(), "house")
    order.refresh_from_db()
    return payment


def expire_unpaid_at(now: datetime) -> int:
    """Ends what was not paid by an instant, as the worker does; how many."""
    ended = Order.objects.filter(state="expired")
    before = ended.count()
    with clock.use(clock.faster(0, now)):
        expire_unpaid()
    return ended.count() - before


def give_points(member: Member, points: int, **more: object) -> Account:
    """Points that came from outside, as a lot of their own."""
    account = do_open(member.community_id, "member", member.pk, "points", lots=True)
    outside = do_open_outside(member.community_id, "granted", "points")
    cause = f"points:{member.pk}:{account.parcels.count()}"
    legs = [Leg(account, points, **more), Leg(outside, -points)]  # type: ignore[arg-type]
    do_transfer(member.community_id, cause=cause, legs=legs, by=STAFF)
    return account


def pieces(variant: Variant) -> tuple[int, int, int]:
    """On the shelf, held of them, sold."""
    stock = stock_of(variant)
    return stock.on_hand, stock.held, stock.sold


@dataclass
class House:
    """Takes money and sends it back, in memory; `answers` says what it does for a refund's key,
    and `sent` what left it."""

    name: ClassVar[str] = "house"
    can: Capabilities = field(
        default_factory=lambda: Capabilities(("redirect",), refunds=True, queries=True)
    )
    answers: dict[str, Exception | Notification | None] = field(default_factory=dict)
    paid: dict[str, Notification | Exception] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    book: Path | None = None  # where other processes see what was asked, too

    @property
    def capabilities(self) -> Capabilities:
        return self.can

    def begin(self, order: Bill, *, return_url: str) -> Begun:
        return Begun("redirect", {"url": f"{return_url}?pay={order.number}"})

    def read_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:
        raise AssertionError("nobody calls")

    def answer(self, taken: bool) -> Answer:
        return Answer(200 if taken else 500)

    def ask_refund(self, refund: RefundBill) -> Notification | None:
        self.asked.append(refund.key)
        if self.book is not None:
            with self.book.open("a") as book:
                book.write(f"{refund.key} {refund.amount_minor}\n")
        wanted = self.answers.get(refund.key, told(refund))
        if isinstance(wanted, Exception):
            raise wanted
        self.sent[refund.key] = refund.amount_minor
        return wanted

    def query(self, order: Bill) -> Notification | None:
        found = self.paid.get(order.number)
        if isinstance(found, Exception):
            raise found
        return found

    def query_refund(self, refund: RefundBill) -> Notification | None:
        return told(refund)


@contextmanager
def open_house() -> Iterator[House]:
    """A house that is set up for a while."""
    made = House()
    provider.register(made)
    try:
        yield made
    finally:
        provider.unregister(made.name)


def told(refund: RefundBill, kind: str = "refunded") -> Notification:
    return Notification(refund.key, refund.number, refund.amount_minor, clock.now(), kind)  # type: ignore[arg-type]
