"""Moving value: balanced, once a cause, never below a floor.

Everything happens in the caller's transaction. Accounts are touched in ascending order of their
keys, each by one conditional statement that also is the check, so two at once wait for each
other and the second sees what the first left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, Value, When

from qunluo.events.rows import do_insert, new_row
from qunluo.events.turns import Turns
from qunluo.kit import clock
from qunluo.ledger import lots
from qunluo.ledger.errors import (
    CauseTakenError,
    HoldEndedError,
    ReversedError,
    ShortError,
    UnbalancedError,
)
from qunluo.ledger.models import Account, Entry, Hold, Lot, Transfer

OUTSIDE = "outside"  # accounts without a floor: where value comes from and goes to


@dataclass(frozen=True)
class Leg:
    """Adds `amount` to an account, or takes it when negative. What comes into a `lots` account
    expires at `expires_at` (None: never); what leaves one is of `lot` first."""

    account: Account
    amount: int
    expires_at: datetime | None = None
    lot: Lot | None = None


@dataclass(frozen=True)
class Booking:
    """A transfer to be made."""

    cause: str
    legs: Sequence[Leg]
    by: str
    note: str = ""
    at: datetime | None = None
    reverses: Transfer | None = None


# accounts


def do_open(
    community_id: int, kind: str, owner: str | int, unit: str, *, floor: int | None = 0,
    lots: bool = False,
) -> Account:  # fmt: skip
    """Finds an account or makes it, with nothing on it."""
    return Account.objects.get_or_create(
        community_id=community_id, kind=kind, owner=str(owner), unit=unit,
        defaults={"floor": floor, "lots": lots},
    )[0]  # fmt: skip


def do_open_outside(community_id: int, what: str, unit: str) -> Account:
    """The other side of what comes in or leaves; it may be below nothing."""
    return do_open(community_id, OUTSIDE, what, unit, floor=None)


def find(community_id: int, kind: str, owner: str | int, unit: str) -> Account | None:
    return Account.objects.filter(
        community_id=community_id, kind=kind, owner=str(owner), unit=unit
    ).first()


# transfers


def do_transfer(
    community_id: int, *, cause: str, legs: Sequence[Leg], by: str, note: str = "",
    at: datetime | None = None,
) -> Transfer:  # fmt: skip
    """One balanced transfer; the same cause again finds the first. Raises `UnbalancedError`,
    `ShortError`, `CauseTakenError`."""
    return do_transfer_all(community_id, [Booking(cause, legs, by, note, at)])[0]


def do_transfer_all(community_id: int, bookings: Sequence[Booking]) -> list[Transfer]:
    """Many transfers in few statements, all or none, in the order of the bookings."""
    for booking in bookings:
        _check_balance(booking)
    try:
        return _book(community_id, bookings)
    except IntegrityError:  # somebody else booked one of the causes meanwhile
        return _book(community_id, bookings)


@transaction.atomic
def _book(community_id: int, bookings: Sequence[Booking]) -> list[Transfer]:
    there = _find_earlier(community_id, bookings)
    fresh = list({b.cause: b for b in bookings if b.cause not in there}.values())
    if fresh:
        there |= _write(community_id, fresh)
    return [there[booking.cause] for booking in bookings]


def _check_balance(booking: Booking) -> None:
    sums: dict[str, int] = defaultdict(int)
    for leg in booking.legs:
        sums[leg.account.unit] += leg.amount
    for unit, total in sums.items():
        if total:
            raise UnbalancedError(cause=booking.cause, unit=unit)


def _find_earlier(community_id: int, bookings: Sequence[Booking]) -> dict[str, Transfer]:
    wanted = {booking.cause: booking for booking in bookings}
    rows = Transfer.objects.filter(community_id=community_id, cause__in=list(wanted))
    found = {row.cause: row for row in rows.prefetch_related("entries")}
    for cause, row in found.items():
        if _sums(row) != _wanted(wanted[cause]):
            raise CauseTakenError(cause=cause)
    return found


def _sums(transfer: Transfer) -> dict[int, int]:
    result: dict[int, int] = defaultdict(int)
    for entry in transfer.entries.all():
        result[entry.account_id] += entry.amount
    return {account: amount for account, amount in result.items() if amount}


def _wanted(booking: Booking) -> dict[int, int]:
    result: dict[int, int] = defaultdict(int)
    for leg in booking.legs:
        result[leg.account.pk] += leg.amount
    return {account: amount for account, amount in result.items() if amount}


def _write(community_id: int, bookings: Sequence[Booking]) -> dict[str, Transfer]:
    now = clock.now()
    transfers = do_insert([
        new_row(Transfer, community_id=community_id, cause=b.cause, at=b.at or now, by=b.by,
                note=b.note[:250], reverses_id=b.reverses.pk if b.reverses else None)
        for b in bookings
    ])  # fmt: skip
    _apply(bookings)
    legs = [(t, leg) for t, b in zip(transfers, bookings, strict=True) for leg in b.legs]
    entries = do_insert(
        new_row(Entry, transfer_id=t.pk, account_id=leg.account.pk, amount=leg.amount)
        for t, leg in legs
    )
    for (_, leg), entry in zip(legs, entries, strict=True):
        if leg.account.lots:
            lots.do_book(leg.account, entry, expires_at=leg.expires_at, first=leg.lot)
    return {transfer.cause: transfer for transfer in transfers}


def _apply(bookings: Iterable[Booking]) -> None:
    """One statement for all accounts; each is its own check."""
    changes: dict[int, int] = defaultdict(int)
    accounts: dict[int, Account] = {}
    for leg in (leg for booking in bookings for leg in booking.legs):
        changes[leg.account.pk] += leg.amount
        accounts[leg.account.pk] = leg.account
    changes = {pk: change for pk, change in sorted(changes.items()) if change}
    if not changes:
        return
    # locked in ascending order: a single UPDATE of many rows takes them as it finds them
    list(Account.objects.select_for_update().filter(pk__in=changes).order_by("pk")
         .values_list("pk"))  # fmt: skip
    if _change(changes) != len(changes):
        raise _short(changes)
    for pk, account in accounts.items():
        if "balance" in account.__dict__:  # else it is read when it is asked for
            account.balance += changes.get(pk, 0)


def _change(changes: Mapping[int, int]) -> int:
    whens = [When(pk=pk, then=Value(change)) for pk, change in changes.items()]
    change = whens[0].result if len(whens) == 1 else Case(*whens, default=Value(0))
    enough = Q(floor=None) | Q(balance__gte=F("floor") + F("held") - change)
    rows = Account.objects.filter(enough, pk__in=changes)
    return rows.update(balance=F("balance") + change)


def _short(changes: Mapping[int, int]) -> ShortError:
    for account in Account.objects.filter(pk__in=changes, floor__isnull=False).order_by("pk"):
        left = account.available - (account.floor or 0)
        if left + changes[account.pk] < 0:
            return short_of(account, -changes[account.pk])
    return ShortError(available=0, unit="", account="", owner="", needed=0)


def short_of(account: Account, needed: int) -> ShortError:
    left = account.available - (account.floor or 0)
    return ShortError(available=left, unit=account.unit, account=str(account),
                      owner=account.owner, needed=needed)  # fmt: skip


# holds


@dataclass(frozen=True)
class Promise:
    """A hold to be made."""

    account: Account
    amount: int
    cause: str
    by: str
    expires_at: datetime | None = None


def do_hold(
    account: Account, amount: int, *, cause: str, by: str, expires_at: datetime | None = None
) -> Hold:
    """Promises a part of an account; the same cause again finds the first. Raises
    `ShortError`, `CauseTakenError`."""
    promise = Promise(account, amount, cause, by, expires_at)
    try:
        return _find_or_hold(promise)
    except IntegrityError:  # somebody else made it meanwhile
        return _find_or_hold(promise)


@transaction.atomic
def _find_or_hold(promise: Promise) -> Hold:
    rows = Hold.objects.select_related("account")
    found = rows.filter(account=promise.account, cause=promise.cause).first()
    if found is None:
        return do_hold_all([promise])[0]
    if found.amount != promise.amount:
        raise CauseTakenError(cause=promise.cause)
    return found


def do_hold_all(promises: Sequence[Promise]) -> list[Hold]:
    """Many holds in few statements, for causes that are new, all or none: what is raised
    (`ShortError`, `IntegrityError`) ends the caller's transaction."""
    sums: dict[int, int] = defaultdict(int)
    for promise in promises:
        sums[promise.account.pk] += promise.amount
    for pk, amount in sorted(sums.items()):
        _promise(pk, amount)
    now = clock.now()
    holds = do_insert(_hold_row(promise, now) for promise in promises)
    for hold in holds:
        if hold.account.lots:
            lots.do_take(hold.account, hold.amount, hold=hold)
    _forget({promise.account for promise in promises})
    return holds


def _hold_row(promise: Promise, now: datetime) -> Hold:
    made = new_row(
        Hold, amount=promise.amount, cause=promise.cause, by=promise.by, at=now,
        expires_at=promise.expires_at,
    )  # fmt: skip
    made.account = promise.account
    return made


def _promise(account: int, amount: int) -> None:
    enough = Q(floor=None) | Q(balance__gte=F("floor") + F("held") + amount)
    if not Account.objects.filter(enough, pk=account).update(held=F("held") + amount):
        raise short_of(Account.objects.get(pk=account), amount)


def _forget(accounts: Iterable[Account]) -> None:
    """What a statement has written is read again when it is asked for."""
    for account in accounts:
        for name in ("balance", "held"):
            account.__dict__.pop(name, None)  # forgotten before, perhaps


@transaction.atomic
def do_capture(hold: Hold, to: Account, *, by: str, amount: int | None = None) -> Transfer:
    """Turns a promise into a transfer of all or a part of it; the rest is free again. Captured
    before: the transfer of that time. Raises `HoldEndedError`."""
    captured = hold.amount if amount is None else amount
    if not 0 < captured <= hold.amount:
        raise ValueError("a part of what is held")
    cause = f"capture:{hold.pk}"
    if not _end(hold, "captured"):
        earlier = Transfer.objects.filter(community_id=to.community_id, cause=cause).first()
        if earlier is None:
            raise HoldEndedError(state=hold.state)
        return earlier
    if hold.account.lots:
        lots.do_give_back(hold)  # the entry takes them again, the same first
    legs = [Leg(hold.account, -captured), Leg(to, captured)]
    return do_transfer(to.community_id, cause=cause, legs=legs, by=by, note=hold.cause)


@transaction.atomic
def do_release(hold: Hold, *, by: str = "system", state: str = "released") -> bool:
    """Frees what was promised; whether it was. Captured before: raises `HoldEndedError`."""
    if not _end(hold, state):
        if hold.state == "captured":
            raise HoldEndedError(state=hold.state)
        return False
    if hold.account.lots:
        lots.do_give_back(hold)
    return True


def _end(hold: Hold, state: str) -> bool:
    """Ends a hold once, whoever asks first."""
    ended = Hold.objects.filter(pk=hold.pk, state="held").update(state=state)
    hold.refresh_from_db()
    if ended:
        Account.objects.filter(pk=hold.account_id).update(held=F("held") - hold.amount)
        hold.account.refresh_from_db()
    return bool(ended)


_holds, _lots = Turns(), Turns()


def do_expire_holds(now: datetime, limit: int = 200) -> int:
    """Frees what was promised until now; how many."""
    due = Hold.objects.filter(state="held", expires_at__lte=now).order_by("expires_at", "pk")
    return _holds.go(due, lambda hold: do_release(hold, state="expired"), at_once=limit)


# taking back


@transaction.atomic
def do_reverse(
    found: Transfer, *, cause: str, by: str, note: str = "", owe: bool = False
) -> Transfer:
    """Takes a transfer back, once. What an account does not have any more refuses it
    (`ShortError`) or, with `owe`, is booked to what its owner owes. Raises `ReversedError`."""
    Transfer.objects.select_for_update().get(pk=found.pk)
    earlier = Transfer.objects.filter(reverses=found).first()
    if earlier is not None:
        if earlier.cause != cause:
            raise ReversedError
        return earlier
    legs = [leg for entry in _entries(found) for leg in _back(entry, owe)]
    booking = Booking(cause, legs, by, note, reverses=found)
    result = do_transfer_all(found.community_id, [booking])[0]
    lots.do_restore(found, result)
    return result


def _entries(found: Transfer) -> list[Entry]:
    rows = found.entries.select_related("account").order_by("account_id")
    keys = [entry.account_id for entry in rows]
    list(Account.objects.select_for_update().filter(pk__in=keys).order_by("pk").values("pk"))
    return list(found.entries.select_related("account").order_by("account_id"))


def _back(entry: Entry, owe: bool) -> list[Leg]:
    account, floor = entry.account, entry.account.floor
    own = Lot.objects.filter(entry=entry).first() if account.lots else None
    if entry.amount <= 0 or not owe or floor is None:
        return [Leg(account, -entry.amount, lot=own)]
    there = max(0, min(entry.amount, account.available - floor))
    rest = entry.amount - there
    if not rest:
        return [Leg(account, -there, lot=own)]
    owed = do_open(
        account.community_id, "owed", f"{account.kind}:{account.owner}", account.unit,
        floor=None,
    )  # fmt: skip
    return [Leg(account, -there, lot=own), Leg(owed, -rest)]


# lots whose time is over


def do_expire_lots(now: datetime, limit: int = 200) -> int:
    """What expired leaves its account; how many lots there were."""
    return _lots.go(lots.find_due(now), _expire, at_once=limit)


@transaction.atomic
def _expire(lot: Lot) -> bool:
    account = Account.objects.select_for_update().get(pk=lot.account_id)
    lot.refresh_from_db()
    if not lot.left:
        return False
    gone = do_open_outside(account.community_id, "expired", account.unit)
    cause = f"expired:{lot.pk}:{lot.uses.count()}"  # what a hold gives back expires later
    legs = [Leg(account, -lot.left, lot=lot), Leg(gone, lot.left)]
    do_transfer(account.community_id, cause=cause, legs=legs, by="system")
    return True
