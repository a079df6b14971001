"""Faults that others shipped, on the live database: what was read before the lock decides
nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from qunluo.campaigns.errors import CampaignMovedError, NotRunningError
from qunluo.campaigns.lifecycle import do_stop, do_take_back_budget, list_stores
from qunluo.campaigns.mechanics import coupon
from qunluo.campaigns.mechanics.kernel import OPEN, POINTS, Refused
from qunluo.campaigns.models import Campaign, Deed, Following, Play, Purchase, Reward
from qunluo.campaigns.playing import Asked, do_act_for, do_act_together
from qunluo.campaigns.tasks import _expire, do_follow_one, do_vest, step_orders
from qunluo.commerce.models import Order, Refund
from qunluo.commerce.ordering import do_expire
from qunluo.commerce.refunding import do_refund
from qunluo.community.models import Community
from qunluo.kit import clock
from qunluo.ledger.actions import find
from qunluo.members.models import Member
from tests.campaigns.running import BARGAIN, STAFF, act, done, holds, run, work
from tests.cast import make_member
from tests.commerce.shop import pay, pieces, sell

pytestmark = pytest.mark.django_db(transaction=True)
TEN = {"name": "ten", "off_minor": 1_000, "threshold_minor": 5_000, "per_member": 1}


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


@pytest.fixture
def bargain(tea: Community) -> Campaign:
    sell(tea, "tea", price_minor=5_000)
    rules: dict[str, Any] = {
        **BARGAIN, "helpers": 1, "cut_min_minor": 3_000, "cut_max_minor": 3_000
    }  # fmt: skip
    return run(tea, "bargain", rules)


def begin(campaign: Campaign, owner: Member) -> Play:
    done(act(campaign, owner))
    return Play.objects.get(campaign=campaign, starter=owner)


def test_fault_lazily_reused_query_in_the_locked_check_of_a_clock(
    bargain: Campaign, bob: Member, noon: datetime
) -> None:
    """A worker saw a clock run out; meanwhile the price was won, and its new clock runs."""
    seen = begin(bargain, bob)
    with clock.use(clock.faster(0, noon + timedelta(minutes=59))):
        done(act(bargain, make_member(bob.community, "Ann"), "help", seen.key))
    with clock.use(clock.faster(0, noon + timedelta(minutes=60))):
        _expire(seen)
    now = Play.objects.get(pk=seen.pk)
    assert (now.state["stage"], now.revision) == ("won", 2)
    assert now.deadline is not None
    assert now.deadline > noon + timedelta(minutes=60)


def test_fault_lazily_reused_query_in_the_locked_check_of_what_is_given(
    tea: Community, bob: Member, noon: datetime
) -> None:
    """Two workers found the same rewards and followings; each is carried out by one of them."""
    rules = {"prices": [{"sku": "tea", "price_minor": 4_000}], "size": 2, "minutes": 60,
             "leader_bonus": {"unit": POINTS, "amount": 50}, "hold_days": 1, "groups": 1}  # fmt: skip
    sell(tea, "tea", price_minor=5_000)
    group = run(tea, "group_buy", rules)
    play = begin(group, bob)
    pay(Purchase.objects.latest("pk").order)
    work()
    done(act(group, make_member(tea, "Ann"), "join", play.key))
    pay(Purchase.objects.latest("pk").order)
    step_orders()
    found = list(Following.objects.filter(done_at=None).values_list("pk", flat=True))
    assert [[do_follow_one(pk) for pk in found] for _ in range(2)] == [[True], [False]]
    seen = Reward.objects.get()
    with clock.use(clock.faster(0, noon + timedelta(days=2))):
        work()
        assert do_vest(seen) is False
    account = find(tea.pk, "member", bob.pk, POINTS)
    assert account is not None
    assert account.balance == 50
    holds(tea)


def test_fault_lazily_reused_query_in_the_locked_check_of_an_order(
    bargain: Campaign, bob: Member
) -> None:
    """It was unpaid when the worker looked, and whole when two of the staff looked."""
    play = begin(bargain, bob)
    done(act(bargain, make_member(bob.community, "Ann"), "help", play.key))
    done(act(bargain, bob, "buy", play.key))
    unpaid, same = (Order.objects.get() for _ in range(2))
    pay(same)
    assert do_expire(unpaid) is False
    work()
    for stale in Order.objects.get(), unpaid:
        do_refund(stale, why="it broke", by=STAFF, key="one click, told twice")
    work()
    assert Refund.objects.count() == 1
    assert Play.objects.get(pk=play.pk).state["stage"] == "returned"
    assert pieces(Order.objects.get().lines.get().variant) == (10, 0, 0)
    holds(bob.community)


def test_what_begins_as_its_campaign_is_stopped_ends_too(
    bargain: Campaign, bob: Member
) -> None:
    """Whoever asked before the stop is refused right after it; what began by no page's asking
    is ended."""
    in_hand = Campaign.objects.get(pk=bargain.pk)
    do_stop(bargain, why="the wrong price", by=STAFF)
    with pytest.raises(NotRunningError):
        begin(in_hand, bob)
    do_act_together(in_hand, [Asked(OPEN, "late", member=bob.pk)])
    play = Play.objects.get()
    with pytest.raises(CampaignMovedError):
        do_take_back_budget(bargain, by=STAFF)
    work()
    play.refresh_from_db()
    assert (play.state["stage"], play.deadline) == ("over", None)
    do_take_back_budget(bargain, by=STAFF)
    assert list_stores(bargain) == []
    work()
    assert Deed.objects.filter(play=play.key, kind="close").count() == 1
    holds(bob.community)


def test_fault_batch_issue_beyond_the_total(tea: Community) -> None:
    campaign = run(tea, "coupon", {**TEN, "total": 3})
    members = [make_member(tea, f"Friend {n}").pk for n in range(4)]
    for key, chosen in (("all", members), ("some", members[:2]), ("rest", members[2:])):
        asked = Asked(coupon.ISSUE, key, data={"members": chosen})
        answer = do_act_for(campaign, asked, by=STAFF)
        assert isinstance(answer, Refused) is (key != "some")
    assert Reward.objects.count() == 2
    holds(tea)


@pytest.mark.parametrize("name", ["x" * 61, "vest:leader|5|p", "back", "好"])
def test_a_page_names_no_play_that_would_be_taken_for_something_else(
    bargain: Campaign, bob: Member, name: str
) -> None:
    """Names of plays are in the causes of transfers."""
    done(act(bargain, bob, play=name))
    assert Play.objects.get().key != name
    holds(bob.community)
