"""One that can't be carried out holds up no other, and is carried out once it can be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from qunluo.campaigns.models import Campaign, Play, Purchase
from qunluo.campaigns.tasks import step_deadlines, step_following, step_orders
from qunluo.commerce.errors import OrderElsewhereError
from qunluo.commerce.models import Order
from qunluo.community.models import Community
from qunluo.kit import clock
from tests.campaigns.running import act, done, holds, run
from tests.cast import make_member
from tests.commerce.shop import pay, sell

pytestmark = pytest.mark.django_db(transaction=True)
GROUP: dict[str, Any] = {
    "prices": [{"sku": "tea", "price_minor": 4_000}], "size": 3, "minutes": 60, "groups": 2,
}  # fmt: skip


def pay_last() -> None:
    pay(Purchase.objects.latest("pk").order)
    step_orders()
    step_following()


@pytest.fixture
def group(tea: Community, noon: datetime) -> Campaign:
    """A group of three; two have paid."""
    sell(tea, "tea", price_minor=5_000)
    campaign = run(tea, "group_buy", GROUP)
    done(act(campaign, make_member(tea, "Ann")))
    pay_last()
    done(act(campaign, make_member(tea, "Eve"), "join", Play.objects.get().key))
    pay_last()
    return campaign


def states() -> list[str]:
    return list(Order.objects.order_by("pk").values_list("state", flat=True))


def test_fault_one_failed_refund_rolling_back_all(group: Campaign, noon: datetime) -> None:
    """Neither back nor up: the others get their money at once."""
    first = Order.objects.order_by("pk")[:1].values("pk")
    Order.objects.filter(pk__in=first).update(elsewhere=True)
    with clock.use(clock.faster(0, noon + timedelta(minutes=62))):
        step_deadlines()
        with pytest.raises(OrderElsewhereError):
            step_following()
        assert states() == ["paid", "refunded"]
        Order.objects.update(elsewhere=False)
        step_following()
    assert states() == ["refunded", "refunded"]
    holds(group.community)


def test_a_play_that_nobody_can_read_stops_no_other_clock(
    group: Campaign, noon: datetime
) -> None:
    bad = Play.objects.get()
    Play.objects.filter(pk=bad.pk).update(state={"stage": "?"})
    done(act(group, make_member(group.community, "Kim")))
    pay_last()  # so that its time is not over before that of the other
    with clock.use(clock.faster(0, noon + timedelta(minutes=62))):
        with pytest.raises(ValidationError):
            step_deadlines()
        assert Play.objects.exclude(pk=bad.pk).get().state["stage"] == "failed"
        Play.objects.filter(pk=bad.pk).update(state=bad.state)
        step_deadlines()
    bad.refresh_from_db()
    assert bad.state["stage"] == "failed"
