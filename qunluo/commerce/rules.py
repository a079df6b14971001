"""The life of an order, and what a payment or a refund of it comes to. Pure.

    created ──pay──▶ paid ──fulfil──▶ fulfilled ──complete──▶ completed
       │ │             │                  │                      │
       │ └─expire──▶ expired              │                      │
       └───cancel──▶ cancelled            ▼                      ▼
                       └──────────────▶ refunded ◀───────────────┘

A refund of a part leaves the state as it is; the one after which nothing is left makes the
order `refunded`. Nothing leads out of `cancelled`, `expired` and `refunded`: money that arrives
then goes back by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

State = Literal[
    "created", "paid", "fulfilled", "completed", "cancelled", "expired", "refunded"
]  # fmt: skip
Act = Literal["pay", "fulfil", "complete", "cancel", "expire", "refund_whole", "refund_part"]
Verdict = Literal["taken", "late", "twice", "wrong_amount"]

NEXT: Mapping[tuple[str, str], State] = {
    ("created", "pay"): "paid",
    ("created", "cancel"): "cancelled",
    ("created", "expire"): "expired",
    ("paid", "fulfil"): "fulfilled",
    ("fulfilled", "complete"): "completed",
    **{(state, "refund_whole"): "refunded" for state in ("paid", "fulfilled", "completed")},
    ("paid", "refund_part"): "paid",
    ("fulfilled", "refund_part"): "fulfilled",
    ("completed", "refund_part"): "completed",
}
ENDED = ("cancelled", "expired", "refunded")
PAID = ("paid", "fulfilled", "completed")
AFTER_SALE = timedelta(days=7)  # members ask for refunds until then, staff decide at any time
UNPAID = timedelta(minutes=30)
BACKOFF = (timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
LEASE = timedelta(minutes=5)  # of a worker that sends a refund


def next_state(state: str, act: Act) -> State | None:
    """Where an act leads; None: not from there."""
    return NEXT.get((state, act))


def judge_payment(
    *, state: str, due_minor: int, amount_minor: int, paid_at: datetime, pay_by: datetime | None
) -> Verdict:
    """Whether money pays the order. Late is what came at `pay_by` or after it, and what comes
    for an order that has ended."""
    if state in PAID:
        return "twice"
    if state != "created" or (pay_by is not None and paid_at >= pay_by):
        return "late"
    return "taken" if amount_minor == due_minor else "wrong_amount"


def may_ask_back(state: str, completed_at: datetime | None, now: datetime) -> bool:
    """Whether a member may still ask for a refund."""
    over = completed_at is not None and now >= completed_at + AFTER_SALE
    return state in PAID and not over


def part_of(whole: int, quantity: int, before: int, more: int) -> int:
    """What `more` pieces of `quantity` bring back of a whole amount, when `before` have come
    back: whichever way they come, all of them bring back all of it."""
    return whole * (before + more) // quantity - whole * before // quantity


@dataclass(frozen=True)
class BoughtLine:
    """A line of an order as a refund sees it."""

    id: int
    quantity: int
    returned: int
    amount_minor: int
    points: int = 0


@dataclass(frozen=True)
class BackLine:
    """So many pieces of a line come back, with their money and points."""

    id: int
    quantity: int
    amount_minor: int
    points: int
    points_before: int


@dataclass(frozen=True)
class RefundPlan:
    """What a refund does. `whole`: nothing that was paid is left of the order after it."""

    amount_minor: int
    lines: tuple[BackLine, ...]
    whole: bool

    @property
    def points(self) -> int:
        return sum(line.points for line in self.lines)


def plan_refund(
    lines: Sequence[BoughtLine], *, left_minor: int, shipping_minor: int = 0,
    wanted: Mapping[int, int] | None = None, amount_minor: int | None = None,
) -> RefundPlan | None:  # fmt: skip
    """What is given back; None where that is more than there is, or nothing.

    `wanted` names pieces by line; without it and without an amount, all that is left comes
    back. An amount alone is money only, for goods that stay where they are; with pieces it
    takes the place of what these pieces would bring. Shipping comes back with the last piece of
    an order that has not left: `shipping_minor` is what there is of it.
    """
    if wanted is None and amount_minor is None:
        wanted, amount_minor = _all(lines), left_minor
    wanted = wanted or {}
    if any(n <= 0 for n in wanted.values()) or set(wanted) - {line.id for line in lines}:
        return None
    if any(wanted.get(line.id, 0) > line.quantity - line.returned for line in lines):
        return None
    back = tuple(_back(line, wanted[line.id]) for line in lines if line.id in wanted)
    goods_gone = all(line.returned + wanted.get(line.id, 0) == line.quantity for line in lines)
    amount = _amount(back, amount_minor, left_minor, shipping_minor if goods_gone else 0)
    if not 0 <= amount <= left_minor or (not back and not amount):
        return None
    return RefundPlan(amount, back, whole=amount == left_minor and (goods_gone or amount > 0))


def _all(lines: Sequence[BoughtLine]) -> dict[int, int]:
    return {
        line.id: line.quantity - line.returned
        for line in lines
        if line.quantity > line.returned
    }


def _amount(
    back: Sequence[BackLine], given: int | None, left_minor: int, shipping_minor: int
) -> int:
    """Money that was given back before for goods that stayed is not given twice."""
    if given is not None:
        return given
    return min(sum(line.amount_minor for line in back) + shipping_minor, left_minor)


def _back(line: BoughtLine, more: int) -> BackLine:
    before = line.returned
    points_before = line.points * before // line.quantity
    return BackLine(
        line.id, more, part_of(line.amount_minor, line.quantity, before, more),
        part_of(line.points, line.quantity, before, more), points_before,
    )  # fmt: skip


def next_try(tries: int) -> timedelta | None:
    """How long to wait after so many tries in vain; None: a person has to look."""
    return BACKOFF[tries - 1] if tries <= len(BACKOFF) else None
