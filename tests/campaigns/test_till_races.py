"""One coupon, several orders at once: it is in one of them. The race is shown to be there first,
and a process that dies anywhere between leaves it whole."""

from __future__ import annotations

from functools import partial
from threading import Barrier

import pytest
from django.db import transaction

from qunluo.campaigns.checkout import do_buy, look
from qunluo.campaigns.errors import CouponTakenError, PriceChangedError
from qunluo.campaigns.models import Coupon
from qunluo.campaigns.tasks import step_orders
from qunluo.commerce.models import Order, Variant
from qunluo.commerce.ordering import Ask
from qunluo.commerce.refunding import do_refund
from qunluo.community.models import Community
from qunluo.ledger.models import Account, Hold
from qunluo.members.models import Member
from tests.campaigns.killing import is_killed_at
from tests.campaigns.running import holds, run, work
from tests.campaigns.test_till import FIVE, order, state, take
from tests.cast import make_member
from tests.commerce.shop import STAFF, pay, sell
from tests.commerce.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
BUYERS = 4


@pytest.fixture
def ready(tea: Community) -> tuple[Member, Variant, Coupon]:
    bob = make_member(tea)
    return bob, sell(tea, "tin", stock=50), take(run(tea, "coupon", FIVE), bob)


def test_without_the_guard_one_coupon_is_in_two_orders(
    ready: tuple[Member, Variant, Coupon],
) -> None:
    """The control: looking whether it is free and then writing lets both have it."""
    bob, _, coupon = ready
    looked, took = Barrier(2, timeout=30), []

    def look_then_write(number: int) -> None:
        row = Coupon.objects.get(pk=coupon.pk)
        assert row.state in Coupon.FREE
        looked.wait()
        made = [Order.objects.create(
            community=bob.community, member=bob, number=f"N{number}", at=row.valid_from,
            currency="CNY", total_minor=4_500)]  # fmt: skip
        row.state, row.order = "locked", made[0]
        row.save(update_fields=["state", "order"])
        took.append(number)

    at_once([partial(look_then_write, n) for n in range(2)])
    assert len(took) == 2


def test_orders_at_once_with_one_coupon_are_one_order_with_it(
    ready: tuple[Member, Variant, Coupon],
) -> None:
    bob, tin, coupon = ready
    assert look(bob, [Ask(tin)]).priced.total_minor == 4_500
    refused: list[Exception] = []

    def buy(number: int) -> None:
        asks = [Ask(Variant.objects.get(pk=tin.pk))]
        try:
            do_buy(bob, asks, key=f"k{number}", total_minor=4_500, chosen=[coupon.pk],
                   by=bob.actor)  # fmt: skip
        except (CouponTakenError, PriceChangedError) as error:
            refused.append(error)

    assert at_once([partial(buy, n) for n in range(BUYERS)]) == []
    made = Order.objects.get()
    assert (len(refused), state(coupon), coupon.order_id) == (BUYERS - 1, "locked", made.pk)
    assert Hold.objects.filter(account__unit="coupon:five", state="held").count() == 1
    assert Account.objects.get(kind="member", unit="coupon:five").available == 0
    holds(bob.community)


def test_the_same_press_twice_at_once_is_one_order(
    ready: tuple[Member, Variant, Coupon],
) -> None:
    bob, tin, coupon = ready
    step = partial(do_buy, bob, [Ask(tin)], key="k", total_minor=4_500, by=bob.actor)
    assert at_once([step] * BUYERS) == []
    assert (Order.objects.count(), state(coupon)) == (1, "locked")
    holds(bob.community)


def test_killed_anywhere_an_order_has_its_coupon_or_there_is_none(
    ready: tuple[Member, Variant, Coupon],
) -> None:
    bob, tin, coupon = ready
    step = partial(do_buy, bob, [Ask(tin)], key="k", total_minor=4_500, by=bob.actor)
    number = 1
    while is_killed_at(number, step):
        made = Order.objects.first()
        state(coupon)
        assert coupon.order == made
        number += 7  # boundaries in strides: each is a process
    step()
    assert (Order.objects.count(), state(coupon)) == (1, "locked")
    holds(bob.community)


def test_killed_while_it_follows_what_became_of_orders_nothing_is_said_twice(
    ready: tuple[Member, Variant, Coupon],
) -> None:
    bob, tin, coupon = ready
    made = order(bob, Ask(tin))
    pay(made)
    with transaction.atomic():
        do_refund(made, why="no", by=STAFF, key="r")
    number = 1
    while is_killed_at(number, step_orders):
        number += 5
    work()
    assert (state(coupon), coupon.order) == ("returned", None)
    holds(bob.community)
