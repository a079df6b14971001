"""Lots: what came in together expires together, and what expires first is spent first.

What is left of the lots of an account and what its holds took of them make its balance.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, F, QuerySet, When

from qunluo.ledger.errors import ShortError
from qunluo.ledger.models import Account, Entry, Hold, Lot, LotUse, Transfer


def do_book(
    account: Account, entry: Entry, *, expires_at: datetime | None, first: Lot | None = None
) -> None:
    """An entry makes a lot, or takes from those there are."""
    if entry.amount > 0:
        Lot.objects.create(account=account, entry=entry, amount=entry.amount,
                           left=entry.amount, expires_at=expires_at)  # fmt: skip
    elif entry.amount < 0:
        do_take(account, -entry.amount, entry=entry, first=first)


def do_take(
    account: Account, amount: int, *, entry: Entry | None = None, hold: Hold | None = None,
    first: Lot | None = None,
) -> None:  # fmt: skip
    """Takes from the lots that expire first; the account's row is locked by its change."""
    for lot in in_order(account, first):
        used = min(lot.left, amount)
        Lot.objects.filter(pk=lot.pk).update(left=F("left") - used)
        LotUse.objects.create(lot=lot, entry=entry, hold=hold, amount=used)
        amount -= used
        if not amount:
            return
    raise ShortError(available=0, unit=account.unit, account=str(account),
                     owner=account.owner, needed=amount)  # fmt: skip


def in_order(account: Account, first: Lot | None = None) -> QuerySet[Lot]:
    """What is left, in the order in which it is spent."""
    rows = Lot.objects.filter(account=account, left__gt=0)
    chosen = Case(When(pk=first.pk if first else 0, then=0), default=1)
    return rows.order_by(chosen, F("expires_at").asc(nulls_last=True), "pk")


def do_give_back(hold: Hold) -> None:
    """What a hold took is in its lots again."""
    for use in hold.uses.all():
        Lot.objects.filter(pk=use.lot_id).update(left=F("left") + use.amount)
    hold.uses.all().delete()


def do_restore(reversed_: Transfer, by: Transfer) -> None:
    """What a reversed transfer spent comes back into the lots it was taken from, with their own
    expiry: the new lot that the reversal made becomes these."""
    for entry in by.entries.filter(account__lots=True, amount__gt=0):
        Lot.objects.filter(entry=entry).delete()
        uses = LotUse.objects.filter(
            entry__transfer=reversed_, entry__account_id=entry.account_id
        )
        for use in uses.select_related("lot"):
            Lot.objects.create(account_id=entry.account_id, entry=entry, amount=use.amount,
                               left=use.amount, expires_at=use.lot.expires_at)  # fmt: skip


def find_due(now: datetime) -> QuerySet[Lot]:
    """Lots whose time is over and of which something is left."""
    rows = Lot.objects.filter(left__gt=0, expires_at__lte=now).select_related("account")
    return rows.order_by("expires_at", "pk")
