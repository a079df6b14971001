"""Value is conserved whatever is moved, promised, taken back or left to expire, in any order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.ledger.actions import (
    Booking,
    Leg,
    do_capture,
    do_expire_holds,
    do_expire_lots,
    do_hold,
    do_open,
    do_open_outside,
    do_release,
    do_reverse,
    do_transfer,
    do_transfer_all,
)
from qunluo.ledger.auditing import do_audit
from qunluo.ledger.errors import (
    CauseTakenError,
    HoldEndedError,
    ReversedError,
    ShortError,
    UnbalancedError,
)
from qunluo.ledger.models import Account, Entry, Hold, Lot, Transfer
from qunluo.ledger.queries import balance_of, list_statement
from tests.cast import NOON
from tests.racing import lost

pytestmark = pytest.mark.django_db
IN_THREADS = pytest.mark.django_db(transaction=True)
HERE = 7  # a community


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


def member(number: int, *, lots: bool = False) -> Account:
    return do_open(HERE, "member", number, "points", lots=lots)


def give(account: Account, amount: int, cause: str, days: int | None = None) -> Transfer:
    expires = NOON + timedelta(days=days) if days is not None else None
    legs = [Leg(do_open_outside(HERE, "given", "points"), -amount),
            Leg(account, amount, expires_at=expires)]  # fmt: skip
    return do_transfer(HERE, cause=cause, legs=legs, by="staff:1")


def spend(account: Account, amount: int, cause: str) -> Transfer:
    legs = [Leg(account, -amount), Leg(do_open_outside(HERE, "spent", "points"), amount)]
    return do_transfer(HERE, cause=cause, legs=legs, by="member:1")


def have(number: int = 1) -> int:
    return balance_of(HERE, "member", number, "points")


def holds() -> None:
    assert [(v.check.name, v.broken) for v in do_audit(HERE) if not v.holds] == []


# single cases


def test_a_cause_books_once() -> None:
    first = give(member(1), 10, "gift:1")
    assert give(member(1), 10, "gift:1") == first
    assert have() == 10
    with pytest.raises(CauseTakenError):
        give(member(1), 11, "gift:1")


def test_what_comes_in_must_go_out_somewhere() -> None:
    with pytest.raises(UnbalancedError):
        do_transfer(HERE, cause="air", legs=[Leg(member(1), 5)], by="staff:1")
    assert not Transfer.objects.exists()


def test_an_account_never_falls_below_its_floor() -> None:
    give(member(1), 10, "gift:1")
    with pytest.raises(ShortError) as told:
        spend(member(1), 11, "too much")
    assert told.value.data["available"] == 10
    assert have() == 10
    with pytest.raises(IntegrityError), transaction.atomic():  # whoever writes past us, too
        Account.objects.filter(kind="member").update(balance=-1)


def test_one_booking_of_many_that_is_short_undoes_all() -> None:
    give(member(1), 10, "gift:1")
    out = do_open_outside(HERE, "spent", "points")
    bookings = [
        Booking(f"b{n}", [Leg(member(1), -6), Leg(out, 6)], "staff:1") for n in range(2)
    ]
    with pytest.raises(ShortError):
        do_transfer_all(HERE, bookings)
    assert have() == 10
    assert Transfer.objects.count() == 1


def test_what_is_held_cannot_be_spent_and_is_captured_once() -> None:
    give(member(1), 10, "gift:1")
    shop = do_open(HERE, "shop", 1, "points")
    hold = do_hold(member(1), 7, cause="order:1", by="member:1")
    assert do_hold(member(1), 7, cause="order:1", by="member:1") == hold
    with pytest.raises(ShortError):
        spend(member(1), 4, "rest and more")
    transfer = do_capture(hold, shop, by="system", amount=5)
    assert do_capture(hold, shop, by="system", amount=5) == transfer
    assert have() == 5  # what was not captured is free again
    with pytest.raises(HoldEndedError):
        do_release(hold)
    holds()


def test_a_hold_expires_and_frees_what_it_promised() -> None:
    give(member(1), 10, "gift:1")
    hold = do_hold(member(1), 10, cause="o", by="x", expires_at=NOON + timedelta(minutes=5))
    assert do_expire_holds(NOON) == 0
    assert do_expire_holds(NOON + timedelta(minutes=5)) == 1
    assert have() == 10
    with pytest.raises(HoldEndedError):
        do_capture(hold, do_open(HERE, "shop", 1, "points"), by="system")


def test_a_promise_or_points_that_are_wrong_in_the_books_hold_up_no_other() -> None:
    after = NOON + timedelta(days=2)
    for number in (1, 2):
        account = member(number, lots=True)
        give(account, 5, f"soon:{number}", days=1)
        give(account, 5, f"gift:{number}")
        do_hold(account, 3, cause="o", by="x", expires_at=after - timedelta(days=number % 2))
    Account.objects.filter(owner="1").update(held=0)
    with pytest.raises(IntegrityError):
        do_expire_holds(after)
    assert list(Hold.objects.order_by("pk").values_list("state", flat=True)) == [
        "held",
        "expired",
    ]
    Account.objects.filter(owner="1").update(held=3, balance=0, floor=None)
    do_expire_holds(after)
    Account.objects.filter(owner="1").update(floor=0)
    with pytest.raises(ShortError):
        do_expire_lots(after)
    assert balance_of(HERE, "member", 2, "points") == 5


def test_a_transfer_is_taken_back_once() -> None:
    gift = give(member(1), 10, "gift:1")
    back = do_reverse(gift, cause="mistake", by="staff:1")
    assert do_reverse(gift, cause="mistake", by="staff:1") == back
    assert have() == 0
    with pytest.raises(ReversedError):
        do_reverse(gift, cause="again", by="staff:1")


def test_what_was_spent_meanwhile_is_owed_or_refuses() -> None:
    gift = give(member(1), 10, "gift:1")
    spend(member(1), 8, "mug")
    with pytest.raises(ShortError):
        do_reverse(gift, cause="mistake", by="staff:1")
    do_reverse(gift, cause="mistake", by="staff:1", owe=True)
    assert have() == 0
    assert balance_of(HERE, "owed", "member:1", "points") == -8
    holds()


def test_points_that_expire_first_are_spent_first_and_come_back_with_their_own_expiry() -> None:
    account = member(1, lots=True)
    give(account, 5, "late", days=30)
    give(account, 5, "soon", days=10)
    give(account, 5, "never")
    bought = spend(account, 7, "mug")
    assert sorted(Lot.objects.filter(left__gt=0).values_list("left", flat=True)) == [3, 5]
    assert do_expire_lots(NOON + timedelta(days=10)) == 0  # it was spent in time
    do_reverse(bought, cause="refund", by="staff:1")
    assert do_expire_lots(NOON + timedelta(days=10)) == 1
    assert have() == 10
    assert do_expire_lots(NOON + timedelta(days=40)) == 2  # 3 that stayed, 2 that came back
    assert have() == 5
    holds()


def test_points_that_are_promised_do_not_expire_under_way() -> None:
    account = member(1, lots=True)
    give(account, 5, "soon", days=1)
    hold = do_hold(account, 5, cause="order", by="member:1")
    assert do_expire_lots(NOON + timedelta(days=2)) == 0
    do_release(hold)
    assert do_expire_lots(NOON + timedelta(days=2)) == 1
    assert have() == 0
    holds()


def test_a_statement_tells_the_balance_after_each_line() -> None:
    for number, amount in enumerate((5, 7, 9)):
        give(member(1), amount, f"gift:{number}")
    spend(member(1), 4, "mug")
    lines = list_statement(member(1))
    assert [(line.amount, line.balance) for line in lines] == [
        (-4, 17),
        (9, 21),
        (7, 12),
        (5, 5),
    ]
    first = Entry.objects.filter(account=member(1)).order_by("-pk")[1]
    assert [line.balance for line in list_statement(member(1), before=first.pk)] == [12, 5]


# any order


@dataclass(frozen=True)
class Step:
    kind: str
    who: int
    amount: int
    pick: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(
            ["give", "give", "spend", "pay", "hold", "capture", "release", "reverse", "owe",
             "again", "days"]
        ),
        st.integers(0, 2), st.integers(1, 12), st.integers(0, 20),
    ),
    max_size=30,
)  # fmt: skip


@dataclass
class Play:
    """Two members with lots and one without."""

    now: datetime = NOON
    steps: list[Callable[[], object]] = field(default_factory=list)
    number: int = 0

    def act(self, step: Step) -> None:
        self.number += 1
        one, other = (member(n % 3, lots=n % 3 < 2) for n in (step.who, step.who + 1))
        with suppress(QunluoError):
            getattr(self, step.kind)(one, other, step)

    def _do(self, action: Callable[[], object]) -> None:
        action()
        self.steps.append(action)

    def give(self, one: Account, _: Account, step: Step) -> None:
        self._do(partial(give, one, step.amount, f"g{self.number}", step.pick))

    def spend(self, one: Account, _: Account, step: Step) -> None:
        self._do(partial(spend, one, step.amount, f"s{self.number}"))

    def pay(self, one: Account, other: Account, step: Step) -> None:
        legs = [Leg(one, -step.amount), Leg(other, step.amount)]
        self._do(partial(do_transfer, HERE, cause=f"p{self.number}", legs=legs, by="x"))

    def hold(self, one: Account, _: Account, step: Step) -> None:
        self._do(partial(do_hold, one, step.amount, cause=f"h{self.number}", by="x",
                         expires_at=self.now + timedelta(days=step.pick)))  # fmt: skip

    def _hold(self, step: Step) -> Hold | None:
        rows = Hold.objects.select_related("account").order_by("pk")
        return rows[step.pick % len(rows)] if rows else None

    def capture(self, one: Account, _: Account, step: Step) -> None:
        if (hold := self._hold(step)) is not None:
            self._do(
                partial(do_capture, hold, one, by="x", amount=min(hold.amount, step.amount))
            )

    def release(self, *args: object) -> None:
        step = args[-1]
        assert isinstance(step, Step)
        if (hold := self._hold(step)) is not None:
            do_release(hold)

    def reverse(self, _: Account, __: Account, step: Step, owe: bool = False) -> None:
        rows = Transfer.objects.order_by("pk")
        if rows:
            found = rows[step.pick % len(rows)]
            self._do(partial(do_reverse, found, cause=f"r{found.pk}", by="x", owe=owe))

    def owe(self, one: Account, other: Account, step: Step) -> None:
        self.reverse(one, other, step, owe=True)

    def again(self, _: Account, __: Account, step: Step) -> None:
        """What was done is done once."""
        if self.steps:
            before = list(Account.objects.order_by("pk").values_list("balance", "held"))
            with suppress(QunluoError):
                self.steps[step.pick % len(self.steps)]()
            after = list(Account.objects.order_by("pk").values_list("balance", "held"))
            assert before == after

    def days(self, _: Account, __: Account, step: Step) -> None:
        self.now += timedelta(days=step.amount)
        do_expire_holds(self.now)
        do_expire_lots(self.now)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_it_adds_up_whatever_happens(steps: list[Step]) -> None:
    play = Play()
    with transaction.atomic():
        for step in steps:
            play.act(step)
        holds()
        assert sum(Account.objects.values_list("balance", flat=True)) == 0
        transaction.set_rollback(True)


# many at once


def race(steps: list[Callable[[], object]]) -> list[Exception]:
    return lost(steps, QunluoError, IntegrityError)


@IN_THREADS
def test_without_the_guard_two_would_spend_the_same_points() -> None:
    """The control: looking first and writing then spends 10 points twice."""
    give(member(1), 10, "gift")
    both_looked = Barrier(2, timeout=30)
    spent: list[int] = []

    def look_then_spend() -> None:
        account = member(1)
        assert account.available >= 10
        both_looked.wait()
        Account.objects.filter(pk=account.pk).update(balance=account.balance - 10)
        spent.append(10)

    race([look_then_spend, look_then_spend])
    assert sum(spent) == 20


@IN_THREADS
def test_many_spend_at_once_only_what_is_there() -> None:
    give(member(1), 10, "gift")
    do_open_outside(HERE, "spent", "points")
    raised = race([partial(spend, member(1), 2, f"s{n}") for n in range(12)])
    assert len(raised) == 7
    assert {type(error) for error in raised} == {ShortError}
    assert have() == 0
    holds()


@IN_THREADS
def test_one_cause_from_many_at_once_books_once() -> None:
    give(member(1), 10, "gift")
    do_open_outside(HERE, "spent", "points")
    assert race([partial(spend, member(1), 3, "same") for _ in range(8)]) == []
    assert have() == 7


@IN_THREADS
def test_a_hold_is_captured_or_released_never_both() -> None:
    give(member(1), 10, "gift")
    shop = do_open(HERE, "shop", 1, "points")
    for number in range(6):
        hold = do_hold(member(1), 1, cause=f"o{number}", by="x")
        mine = [Hold.objects.select_related("account").get(pk=hold.pk) for _ in range(2)]
        race([partial(do_capture, mine[0], shop, by="x"), partial(do_release, mine[1])])
    holds()
    assert have() + balance_of(HERE, "shop", 1, "points") == 10


@IN_THREADS
def test_transfers_both_ways_do_not_block_each_other() -> None:
    for number in (1, 2):
        give(member(number), 50, f"gift:{number}")

    def swap(source: int, target: int, cause: str) -> None:
        legs = [Leg(member(source), -1), Leg(member(target), 1)]
        do_transfer(HERE, cause=cause, legs=legs, by="x")

    ways = [(1, 2) if n % 2 else (2, 1) for n in range(10)]
    assert race([partial(swap, a, b, f"w{n}") for n, (a, b) in enumerate(ways)]) == []
    assert have(1) + have(2) == 100


def test_the_audit_names_what_somebody_changed_by_hand() -> None:
    give(member(1), 10, "gift")
    Account.objects.filter(kind="member").update(balance=12)
    broken = {v.check.name: v.broken for v in do_audit(HERE) if not v.holds}
    assert broken == {"balances": ("member:1 points: 12, 10",)}
    assert clock.now() == NOON
