"""Giving back: exactly what was paid and granted, once, and never more.

A refund is decided in one transaction: the money that is left, the pieces that come back onto
the shelf, the points with the expiry they had. It is sent afterwards, each by itself, by the
worker: what one provider refuses holds up nobody else's money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db import transaction
from django.db.models import F

from qunluo.commerce.catalogue import open_shelf
from qunluo.commerce.errors import (
    KeyTakenError,
    OrderElsewhereError,
    RefundMovedError,
    TooLateError,
    WrongRefundError,
)
from qunluo.commerce.models import Order, OrderLine, Payment, Refund, RefundLine
from qunluo.commerce.moving import POINTS, do_move, lock, moved
from qunluo.commerce.rules import BoughtLine, RefundPlan, may_ask_back, next_state, plan_refund
from qunluo.commerce.words import VERDICTS
from qunluo.events.actions import SYSTEM, record
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.kit.money import format_money
from qunluo.kit.text import Text
from qunluo.ledger.actions import Leg, do_open, do_transfer
from qunluo.ledger.models import Account, LotUse
from qunluo.members.queries import find_survivor
from qunluo.standing.actions import do_note_refund

BY_ITSELF: Mapping[str, str] = {verdict: words.en for verdict, words in VERDICTS.items()}


@dataclass(frozen=True)
class Outcome:
    """What became of one order among many: its refund, or why there is none."""

    order: Order
    refund: Refund | None
    error: QunluoError | None = None


# deciding


class Settler(Protocol):
    """Says what a refund of pieces gives back where something came with the order; `back`: the
    goods come back. Unless `sure`, nothing is written."""

    def __call__(
        self, order: Order, plan: RefundPlan, back: bool, *, sure: bool
    ) -> RefundPlan: ...


_settlers: list[Settler] = []


def register_settler(settler: Settler) -> Settler:
    if settler not in _settlers:
        _settlers.append(settler)
    return settler


def plan(
    order: Order, *, amount_minor: int | None = None, lines: Mapping[int, int] | None = None,
    restock: bool | None = None,
) -> RefundPlan:  # fmt: skip
    """What a refund would give back; nothing is written. `lines` names pieces by the line's id.
    Raises `WrongRefundError`, `OrderMovedError`, `OrderElsewhereError`."""
    found = _plan(order, amount_minor, lines)
    return found if amount_minor is not None else _settle(order, found, restock, sure=False)


def _settle(order: Order, found: RefundPlan, restock: bool | None, *, sure: bool) -> RefundPlan:
    """What came with the order is settled with it; money alone, or an amount that a person
    says, leaves it as it is."""
    back = order.state == "paid" if restock is None else restock
    for settler in _settlers if found.lines else ():
        found = settler(order, found, back, sure=sure)
    return found


def _plan(
    order: Order, amount_minor: int | None, lines: Mapping[int, int] | None
) -> RefundPlan:
    if order.elsewhere:
        raise OrderElsewhereError
    if next_state(order.state, "refund_part") is None:
        raise moved(order)
    found = plan_refund(
        [_seen(line) for line in order.lines.order_by("pk")], left_minor=order.left_minor,
        shipping_minor=order.shipping_minor if order.state == "paid" else 0,
        wanted=lines, amount_minor=amount_minor,
    )  # fmt: skip
    if found is None:
        raise WrongRefundError(left=_money(order))
    return found


def _seen(line: OrderLine) -> BoughtLine:
    return BoughtLine(line.pk, line.quantity, line.returned, line.amount_minor, line.points)


def _money(order: Order) -> Text:
    left = order.left_minor
    return Text(*(format_money(left, order.currency, lang) for lang in ("en", "zh")))


@transaction.atomic
def do_refund(
    order: Order, *, amount_minor: int | None = None, lines: Mapping[int, int] | None = None,
    why: str, by: str, key: str, restock: bool | None = None,
) -> Refund:  # fmt: skip
    """Gives back an amount, some pieces, or all that is left; the same key once. Pieces of an
    order that has not gone out come back onto the shelf, unless `restock` says otherwise.
    Raises `WrongRefundError`, `OrderMovedError`, `TooLateError`, `KeyTakenError`."""
    order = lock(order)
    known = Refund.objects.filter(order=order, key=key).first()
    if known is not None:
        if amount_minor not in (None, known.amount_minor):
            raise KeyTakenError
        return known
    if by.startswith("member:") and not may_ask_back(
        order.state, order.completed_at, clock.now()
    ):
        raise TooLateError
    found = _plan(order, amount_minor, lines)
    if amount_minor is None:
        found = _settle(order, found, restock, sure=True)
    back = order.state == "paid" if restock is None else restock
    return _give_back(order, found, why=why, by=by, key=key, restock=back and bool(found.lines))


def _give_back(
    order: Order, found: RefundPlan, *, why: str, by: str, key: str, restock: bool
) -> Refund:
    payment = order.payments.filter(verdict="taken").first()
    wanted = Refund(amount_minor=found.amount_minor, points=found.points, whole=found.whole,
                    restocked=restock, why=why, by=by, key=key)  # fmt: skip
    refund = _write(order, payment, wanted)
    Order.objects.filter(pk=order.pk).update(
        refunded_minor=F("refunded_minor") + found.amount_minor
    )
    order.refresh_from_db()
    ended = {"closed_at": clock.now(), "closed_why": refund.why} if found.whole else {}
    do_move(order, "refund_whole" if found.whole else "refund_part", **ended)
    _take_lines(refund, found)
    if restock:
        _restock(order, refund, found, by)
    _return_points(order, refund, found, by)
    if found.amount_minor or found.whole:
        do_note_refund(
            order.community, order=order.number, amount_minor=found.amount_minor, by=by,
            refund=refund.number.rpartition("-")[2], refunded_at=clock.now(),
        )  # fmt: skip
    return refund


def _write(order: Order, payment: Payment | None, wanted: Refund) -> Refund:
    """Numbers a refund and keeps it; the caller holds the order, so numbers follow one
    another."""
    now = clock.now()
    wanted.order, wanted.payment = order, payment
    wanted.number = f"{order.number}-R{order.refunds.count() + 1}"
    wanted.why, wanted.key = wanted.why.strip()[:200], wanted.key[:160]
    wanted.at = wanted.due_at = now
    if not wanted.amount_minor:
        wanted.state, wanted.done_at = "done", now
    wanted.save()
    return wanted


def _take_lines(refund: Refund, found: RefundPlan) -> None:
    for line in found.lines:
        OrderLine.objects.filter(pk=line.id).update(returned=F("returned") + line.quantity)
        RefundLine.objects.create(
            refund=refund, line_id=line.id, quantity=line.quantity,
            amount_minor=line.amount_minor, points=line.points,
        )  # fmt: skip


def _restock(order: Order, refund: Refund, found: RefundPlan, by: str) -> None:
    """Pieces come back whatever lies on the shelf: an empty one is no reason to lose them."""
    bought = order.lines.select_related("variant").in_bulk([line.id for line in found.lines])
    legs: list[Leg] = []
    for line in sorted(found.lines, key=lambda one: bought[one.id].variant_id):
        shelf, sold = open_shelf(bought[line.id].variant)
        legs += [Leg(shelf, line.quantity), Leg(sold, -line.quantity)]
    do_transfer(order.community_id, cause=f"refund:{refund.pk}:goods", legs=legs, by=by,
                note=refund.number)  # fmt: skip


def _return_points(order: Order, refund: Refund, found: RefundPlan, by: str) -> None:
    """Points come back with the expiry they had, those that last longest first."""
    if not found.points:
        return
    kept = do_open(order.community_id, "order", order.pk, POINTS)
    survivor = find_survivor(order.member)
    mine = do_open(order.community_id, "member", survivor.pk, POINTS, lots=True)
    legs = [Leg(kept, -found.points), *_as_they_were(order, mine, kept.balance, found.points)]
    do_transfer(order.community_id, cause=f"refund:{refund.pk}:points", legs=legs, by=by,
                note=refund.number)  # fmt: skip


def _as_they_were(order: Order, mine: Account, left: int, points: int) -> list[Leg]:
    uses = LotUse.objects.filter(
        entry__transfer__entries__account__owner=str(order.pk),
        entry__transfer__entries__account__kind="order",
        entry__account__community_id=order.community_id, entry__account__unit=POINTS,
    )  # fmt: skip
    slices = list(uses.order_by("-pk").values_list("amount", "lot__expires_at"))
    gone = sum(amount for amount, _ in slices) - left  # came back before, of the first slices
    legs: list[Leg] = []
    for amount, expires_at in slices:
        skipped = min(gone, amount)
        gone -= skipped
        part = min(amount - skipped, points)
        points -= part
        if part:
            legs.append(Leg(mine, part, expires_at=expires_at))
    return legs if not points else [*legs, Leg(mine, points)]


def do_return_payment(payment: Payment, order: Order) -> Refund:
    """Money that does not pay its order goes back by itself; the order stays as it is."""
    why = BY_ITSELF[payment.verdict]
    wanted = Refund(amount_minor=payment.amount_minor, why=why, by=SYSTEM, by_itself=True,
                    key=f"payment:{payment.pk}")  # fmt: skip
    refund = _write(order, payment, wanted)
    record("payment_returned", community=order.community_id, member=order.member_id,
           data={"order": order.number, "amount_minor": payment.amount_minor,
                 "why": payment.verdict, "source": order.source})  # fmt: skip
    return refund


def do_refund_each(orders: Iterable[Order], *, why: str, by: str, key: str) -> list[Outcome]:
    """All that is left of many orders, each in a transaction of its own: what one of them
    refuses changes nothing for the others."""
    outcomes: list[Outcome] = []
    for order in orders:
        try:
            refund = do_refund(order, why=why, by=by, key=key)
        except QunluoError as error:
            outcomes.append(Outcome(order, None, error))
        else:
            outcomes.append(Outcome(order, refund))
    return outcomes


# what became of it


@transaction.atomic
def do_settle_refund(number: str, kind: str, why: str = "") -> bool:
    """What a provider tells of a refund, once; whether it was news."""
    rows = Refund.objects.select_for_update(of=("self",)).filter(number=number)
    refund = rows.select_related("order").first()
    if refund is None or refund.state == "done":
        return False
    done = kind == "refunded"
    if not done and refund.state == "failed":
        return False
    refund.state, refund.problem = ("done", "") if done else ("failed", why[:200])
    refund.done_at = clock.now() if done else None
    refund.save(update_fields=["state", "problem", "done_at"])
    _record("refund_done" if done else "refund_failed", refund)
    return True


@transaction.atomic
def do_confirm_refund(refund: Refund, *, by: str) -> None:
    """A person says that they gave the money back. Raises `RefundMovedError`."""
    _leave(refund, ("by_hand", "failed"), state="done", done_at=clock.now())
    _record("refund_done", refund, by)


@transaction.atomic
def do_send_again(refund: Refund, *, by: str) -> None:
    """A person has a refund that failed tried again. Raises `RefundMovedError`."""
    _leave(refund, ("failed",), state="asked", due_at=clock.now(), tries=0, problem="")
    _record("refund_tried_again", refund, by)


def _leave(refund: Refund, states: Sequence[str], **values: object) -> None:
    if not Refund.objects.filter(pk=refund.pk, state__in=states).update(**values):
        raise RefundMovedError
    refund.refresh_from_db()


def _record(kind: str, refund: Refund, by: str = SYSTEM) -> None:
    order = refund.order
    record(kind, community=order.community_id, member=order.member_id, actor=by,
           data={"order": order.number, "refund": refund.number,
                 "amount_minor": refund.amount_minor})  # fmt: skip
