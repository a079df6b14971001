"""The monitor of what must hold: each is a query that finds what breaks it, on live rows.

Rooms above register their own; `qunluo audit`, the console and the worker run them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from qunluo.kit.text import Text
from qunluo.ledger.models import Account, Entry, Hold, Lot, LotUse
from qunluo.ledger.moments import one_moment

MOST = 20  # broken ones that are named


@dataclass(frozen=True)
class Check:
    """`find(community_id)` names what breaks it; nothing found: it holds."""

    name: str
    title: Text
    find: Callable[[int], Iterable[str]]


@dataclass(frozen=True)
class Verdict:
    check: Check
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.broken


_checks: dict[str, Check] = {}


def register(check: Check) -> Check:
    """Adds what must hold, in place of an earlier one of its name."""
    _checks[check.name] = check
    return check


def do_audit(community_id: int) -> list[Verdict]:
    """Runs every check, all as of one moment; changes nothing."""
    with one_moment():
        return _judge(community_id)


def _judge(community_id: int) -> list[Verdict]:
    return [Verdict(check, _first(check.find(community_id))) for check in _checks.values()]


def _first(found: Iterable[str]) -> tuple[str, ...]:
    result = []
    for name in found:
        result.append(name)
        if len(result) == MOST:
            break
    return tuple(result)


def _unbalanced(community_id: int) -> Iterable[str]:
    rows = Entry.objects.filter(transfer__community_id=community_id)
    sums = rows.values("transfer__cause", "account__unit").annotate(total=Sum("amount"))
    for row in sums.exclude(total=0)[:MOST]:
        yield f"{row['transfer__cause']}: {row['total']:+} {row['account__unit']}"


def _wrong_balance(community_id: int) -> Iterable[str]:
    booked = _sum_of(Entry.objects.filter(account=OuterRef("pk")), "amount")
    rows = Account.objects.filter(community_id=community_id).annotate(booked=booked)
    for account in rows.exclude(balance=F("booked"))[:MOST]:
        yield f"{account}: {account.balance}, {account.booked}"


def _wrong_held(community_id: int) -> Iterable[str]:
    promised = _sum_of(Hold.objects.filter(account=OuterRef("pk"), state="held"), "amount")
    rows = Account.objects.filter(community_id=community_id).annotate(promised=promised)
    for account in rows.exclude(held=F("promised"))[:MOST]:
        yield f"{account}: {account.held}, {account.promised}"


def _below_floor(community_id: int) -> Iterable[str]:
    rows = Account.objects.filter(community_id=community_id, floor__isnull=False)
    for account in rows.filter(balance__lt=F("floor") + F("held"))[:MOST]:
        yield f"{account}: {account.balance}, {account.held}"


def _wrong_lots(community_id: int) -> Iterable[str]:
    left = _sum_of(Lot.objects.filter(account=OuterRef("pk")), "left")
    taken = LotUse.objects.filter(hold__account=OuterRef("pk"))
    held = _sum_of(taken.annotate(account=F("hold__account")), "amount")
    rows = Account.objects.filter(community_id=community_id, lots=True)
    rows = rows.annotate(apart=left + held)
    for account in rows.exclude(balance=F("apart"))[:MOST]:
        yield f"{account}: {account.balance}, {account.apart}"


def _sum_of(rows: QuerySet[Any], name: str) -> Coalesce:
    """The sum over the rows of one account."""
    grouped = rows.order_by().values("account").annotate(total=Sum(name))
    return Coalesce(Subquery(grouped.values("total")), 0)


for _check in (
    Check("balanced", Text("The entries of every transfer add up to nothing",
                           "每笔转账的分录合计为零"), _unbalanced),
    Check("balances", Text("Every balance is the sum of its entries",
                           "每个账户余额等于分录之和"), _wrong_balance),
    Check("held", Text("What is held is the sum of the open holds",
                       "预留金额等于未结预留之和"), _wrong_held),
    Check("floors", Text("No account is below its floor", "没有账户低于下限"), _below_floor),
    Check("lots", Text("The lots of an account make its balance", "批次之和等于账户余额"),
          _wrong_lots),
):  # fmt: skip
    register(_check)
