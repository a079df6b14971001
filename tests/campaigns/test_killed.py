"""Killed at any boundary, an operation has happened once or not at all; done again, it has
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
from tests.campaigns.killing import kill_everywhere
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


@pytest.fixture
def owner(campaign: Campaign) -> Member:
    return make_member(campaign.community, "Owner")


def begun(campaign: Campaign, owner: Member) -> str:
    done(act(campaign, owner, key="begin"))
    return Play.objects.get(starter=owner).key


def ordered(campaign: Campaign, owner: Member) -> tuple[str, Order]:
    play = begun(campaign, owner)
    done(act(campaign, make_member(campaign.community, "Ann"), "help", play))
    done(act(campaign, owner, "buy", play))
    return play, Purchase.objects.get(play=play).order


def joining(campaign: Campaign, owner: Member) -> Ready:
    def joined() -> None:
        assert Play.objects.filter(starter=owner).count() == 1

    return partial(act, campaign, owner, key="join"), joined


def helping(campaign: Campaign, owner: Member) -> Ready:
    play, friend = begun(campaign, owner), make_member(campaign.community, "Ann")

    def helped() -> None:
        state = Play.objects.get(key=play).state
        assert [cut["minor"] for cut in state["cuts"]] == [3_000]
        assert Deed.objects.filter(play=play, kind="help").count() == 1

    return partial(act, campaign, friend, "help", play, "once"), helped


def paying(campaign: Campaign, owner: Member) -> Ready:
    play, order = ordered(campaign, owner)

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


def refunding(campaign: Campaign, owner: Member) -> Ready:
    play, order = ordered(campaign, owner)
    _pay_and_follow(order)

    def refund() -> None:
        do_refund(order, why="changed my mind", by=owner.actor, key="mine")
        follow_orders()

    def refunded() -> None:
        assert Refund.objects.filter(order=order).count() == 1
        assert Play.objects.get(key=play).state["stage"] == "returned"

    return refund, refunded


OPERATIONS = {"join": joining, "help": helping, "pay": paying, "refund": refunding}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_killed_anywhere_it_happens_once(
    campaign: Campaign, owner: Member, operation: Callable[[Campaign, Member], Ready]
) -> None:
    step, happened = operation(campaign, owner)
    assert kill_everywhere(step, lambda: holds(campaign.community)) >= 8
    step()  # as the member's phone, the provider or the worker does once more
    happened()
    work()
    holds(campaign.community)
    assert isinstance(act(campaign, make_member(campaign.community, "New")), Done)
