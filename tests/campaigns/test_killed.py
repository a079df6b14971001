"""Killed at any statement, an operation has happened once or not at all; done again, it has
happened once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest

from qunluo.campaigns.mechanics.kernel import Done
from qunluo.campaigns.models import Campaign, Deed, Play, Purchase
from qunluo.campaigns.tasks import step_following, step_orders
from qunluo.commerce.models import Order, Payment, Refund
from qunluo.commerce.refunding import do_refund
from qunluo.community.models import Community
from qunluo.members.models import Member
from tests.campaigns.killing import is_killed_at
from tests.campaigns.running import BARGAIN, act, done, holds, run, work
from tests.cast import make_member
from tests.commerce.shop import pay, sell

pytestmark = pytest.mark.django_db(transaction=True)
Ready = tuple[
    Callable[[], object], Callable[[], object]
]  # the step, what must be true after it


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


@pytest.fixture
def campaign(tea: Community) -> Campaign:
    sell(tea, "tea", price_minor=5_000, stock=500)
    return run(tea, "bargain", {**BARGAIN, "helpers": 1, "cut_min_minor": 3_000,
                                "cut_max_minor": 3_000, "winners": 500})  # fmt: skip


class Cast:
    """A new owner and helper for each try, so that tries don't meet."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.numbers = iter(range(10_000))

    def member(self) -> Member:
        return make_member(self.campaign.community, f"M{next(self.numbers)}")

    def begun(self) -> tuple[Member, str]:
        owner = self.member()
        done(act(self.campaign, owner, key=f"begin-{owner.pk}"))
        return owner, Play.objects.get(starter=owner).key

    def ordered(self) -> tuple[Member, str, Order]:
        owner, play = self.begun()
        done(act(self.campaign, self.member(), "help", play))
        done(act(self.campaign, owner, "buy", play))
        return owner, play, Purchase.objects.get(play=play).order


def joining(cast: Cast) -> Ready:
    owner = cast.member()

    def joined() -> None:
        assert Play.objects.filter(starter=owner).count() == 1

    return partial(act, cast.campaign, owner, key="join"), joined


def helping(cast: Cast) -> Ready:
    _, play = cast.begun()
    friend = cast.member()

    def helped() -> None:
        state = Play.objects.get(key=play).state
        assert [cut["minor"] for cut in state["cuts"]] == [3_000]
        assert Deed.objects.filter(play=play, kind="help").count() == 1

    return partial(act, cast.campaign, friend, "help", play, "once"), helped


def paying(cast: Cast) -> Ready:
    _, play, order = cast.ordered()

    def paid() -> None:
        assert Payment.objects.filter(order=order).count() == 1
        assert Play.objects.get(key=play).state["stage"] == "bought"

    return partial(_pay_and_follow, order), paid


def _pay_and_follow(order: Order) -> None:
    pay(order)
    follow_orders()


def follow_orders() -> None:
    """As the worker does, without its other rounds."""
    step_orders()
    step_following()


def refunding(cast: Cast) -> Ready:
    owner, play, order = cast.ordered()
    _pay_and_follow(order)

    def refund() -> None:
        do_refund(order, why="changed my mind", by=owner.actor, key="mine")
        follow_orders()

    def refunded() -> None:
        assert Refund.objects.filter(order=order).count() == 1
        assert Play.objects.get(key=play).state["stage"] == "returned"

    return refund, refunded


OPERATIONS = {"join": joining, "help": helping, "pay": paying, "refund": refunding}


@pytest.fixture(params=sorted(OPERATIONS))
def operation(request: pytest.FixtureRequest) -> Callable[[Cast], Ready]:
    return OPERATIONS[request.param]


def test_killed_anywhere_it_happens_once(
    campaign: Campaign, operation: Callable[[Cast], Ready]
) -> None:
    cast, number, killed = Cast(campaign), 0, True
    while killed:
        number += 1
        step, happened = operation(cast)
        killed = is_killed_at(number, step)
        step()  # as the member's phone, the provider or the worker does after the restart
        happened()
    assert number > 10
    work()
    holds(campaign.community)
    assert isinstance(act(campaign, cast.member()), Done)
