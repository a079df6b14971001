"""A process is killed, by SIGKILL, before every statement that changes something: whoever comes
next finds that it happened once or not at all, and goes on with what is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from qunluo.commerce.models import Order, Payment, Refund, Variant
from qunluo.commerce.offers import points_offer
from qunluo.commerce.ordering import Ask, do_order
from qunluo.commerce.paying import do_pay
from qunluo.commerce.refunding import do_refund
from qunluo.commerce.sending import send_refunds
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.ledger.actions import do_open, do_open_outside
from qunluo.ledger.models import Account, Entry, Hold
from qunluo.members.models import Member
from tests.cast import NOON
from tests.commerce.shop import (
    STAFF,
    House,
    buy,
    expire_unpaid_at,
    give_points,
    pay,
    pieces,
    sell,
)

pytestmark = pytest.mark.django_db(transaction=True)
MOST = 200


def killed_at(change: int, do: Callable[[], object]) -> bool:
    """Runs it in a process of its own that dies before its n-th change; commits count as well.
    Whether it died."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _run(change, do)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it broke"
    return os.WIFSIGNALED(status)


def _run(change: int, do: Callable[[], object]) -> None:
    left = [change]

    def count() -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrap(execute: Any, sql: str, *args: Any) -> Any:
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            count()
        return execute(sql, *args)

    connection.ensure_connection()
    commit = connection._commit  # type: ignore[attr-defined]
    connection._commit = lambda: (count(), commit())  # type: ignore[attr-defined]
    with clock.use(clock.faster(0, NOON)), connection.execute_wrapper(wrap):
        do()


def every_change(do: Callable[[], object], check: Callable[[bool], None]) -> int:
    """Kills it before the first change, the second, … until it comes to its end. `check` is
    told whether it did; how many changes there are."""
    for change in range(1, MOST):
        died = killed_at(change, do)
        check(not died)
        if not died:
            return change - 1
    raise AssertionError("it never ends")


def whole() -> None:
    assert sum(Entry.objects.values_list("amount", flat=True)) == 0
    for account in Account.objects.all():
        held = Hold.objects.filter(account=account, state="held").values_list(
            "amount", flat=True
        )
        entries = Entry.objects.filter(account=account).values_list("amount", flat=True)
        assert (account.balance, account.held) == (sum(entries), sum(held))


@pytest.fixture
def pot(tea: Community, bob: Member) -> Variant:
    """On sale; Bob has points. Accounts that the first of all orders makes are there."""
    with clock.use(clock.faster(0, NOON)):
        give_points(bob, 1_000)
        do_open_outside(tea.pk, "spent", "points")
        return sell(tea, stock=20)


def order_of(bob: Member, pot: Variant, key: str) -> Order:
    offer = points_offer(100, points_each=1, minor_each=1)
    return do_order(bob.community, bob, [Ask(pot, 2)], key=key, offers=[offer], by=bob.actor)


def test_an_order_happens_once_or_not_at_all(bob: Member, pot: Variant) -> None:
    def check(ended: bool) -> None:
        done = Order.objects.count()
        assert done == int(ended)
        assert pieces(pot) == (20, 2 * done, 0)
        assert Event.objects.filter(kind="order_created").count() == done
        whole()

    assert every_change(lambda: order_of(bob, pot, "k"), check) > 5
    with clock.use(clock.faster(0, NOON)):  # asked again with the same key, it is the same
        order_of(bob, pot, "k")
    check(True)


def test_a_payment_happens_once_or_not_at_all(bob: Member, pot: Variant) -> None:
    with clock.use(clock.faster(0, NOON)):
        order = order_of(bob, pot, "k")
    do_open(bob.community_id, "order", order.pk, "points")

    def check(ended: bool) -> None:
        order.refresh_from_db()
        assert order.state == ("paid" if ended else "created")
        assert Payment.objects.count() == int(ended)
        assert pieces(pot) == ((18, 0, 2) if ended else (20, 2, 0))
        assert Event.objects.filter(kind="order_paid").count() == int(ended)
        whole()

    def hear() -> None:
        do_pay(order, "p", order.total_minor, NOON, "house")

    assert every_change(hear, check) > 8
    with clock.use(clock.faster(0, NOON)):  # the platform tells it again
        hear()
    check(True)


def test_an_order_that_runs_out_does_so_once_or_not_at_all(bob: Member, pot: Variant) -> None:
    with clock.use(clock.faster(0, NOON)):
        order = order_of(bob, pot, "k")

    def check(ended: bool) -> None:
        order.refresh_from_db()
        assert order.state == ("expired" if ended else "created")
        assert pieces(pot) == (20, 0 if ended else 2, 0)
        whole()

    assert every_change(lambda: expire_unpaid_at(NOON + timedelta(hours=1)), check) > 4


def test_a_refund_is_decided_once_or_not_at_all(bob: Member, pot: Variant) -> None:
    with clock.use(clock.faster(0, NOON)):
        order = order_of(bob, pot, "k")
        pay(order)

    def check(ended: bool) -> None:
        order.refresh_from_db()
        assert order.state == ("refunded" if ended else "paid")
        assert order.refunded_minor == (order.total_minor if ended else 0)
        assert Refund.objects.count() == int(ended)
        assert pieces(pot) == ((20, 0, 0) if ended else (18, 0, 2))
        whole()

    def back() -> None:
        do_refund(order, why="x", by=STAFF, key="r")

    assert every_change(back, check) > 8


def test_a_refund_is_left_to_another_worker_and_arrives_once(
    bob: Member, pot: Variant, house: House, tmp_path: Path
) -> None:
    """Killed after the house was asked, the next worker asks again by the same number and
    amount: the house, which knows a refund by its number, gives it back once."""
    house.book = tmp_path / "book"
    with clock.use(clock.faster(0, NOON)):
        order = buy(bob, pot)
        pay(order)
        made = do_refund(order, why="x", by=STAFF, key="r")

    def send() -> None:
        while send_refunds():
            pass

    changes = twice = 0
    for change in range(1, MOST):
        died = killed_at(change, send)
        with clock.use(clock.faster(0, NOON + timedelta(minutes=6))):  # the lease is over
            send()
        made.refresh_from_db()
        assert made.state == "done"
        asked = house.book.read_text().splitlines()
        assert set(asked) == {f"{made.number} {made.amount_minor}"}
        twice += len(asked) > 1
        house.book.unlink()
        Refund.objects.update(state="asked", due_at=NOON, tries=0, done_at=None)
        if not died:
            changes = change - 1
            break
    assert changes >= 3
    assert twice, "it was never killed between the question and its note"
