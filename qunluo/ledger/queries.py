"""What lies where, and how it came there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet, Sum

from qunluo.ledger.models import Account, Entry


@dataclass(frozen=True)
class Line:
    """One line of a statement; `balance` is what the account has after it, `entry` where an
    older page goes on."""

    at: datetime
    cause: str
    note: str
    amount: int
    balance: int
    transfer: int
    entry: int = 0


def list_accounts(community_id: int, kind: str, owner: str | int) -> QuerySet[Account]:
    """All units that somebody or something has."""
    rows = Account.objects.filter(community_id=community_id, kind=kind, owner=str(owner))
    return rows.order_by("unit")


def balance_of(community_id: int, kind: str, owner: str | int, unit: str) -> int:
    """What is available: neither spent nor promised."""
    account = list_accounts(community_id, kind, owner).filter(unit=unit).first()
    return account.available if account else 0


def list_statement(account: Account, *, limit: int = 100, before: int = 0) -> list[Line]:
    """The lines of an account, the latest first; `before` is the entry to go on from."""
    rows = Entry.objects.filter(account=account)
    shown = rows.filter(pk__lt=before) if before else rows
    lines = list(shown.select_related("transfer").order_by("-pk")[:limit])
    if not lines:
        return []
    until = rows.filter(pk__lte=lines[0].pk).aggregate(total=Sum("amount"))["total"]
    return _lines(lines, int(until or 0))


def _lines(entries: Sequence[Entry], balance: int) -> list[Line]:
    result = []
    for e in entries:
        result.append(Line(e.transfer.at, e.transfer.cause, e.transfer.note, e.amount,
                           balance, e.transfer_id, e.pk))  # fmt: skip
        balance -= e.amount
    return result
