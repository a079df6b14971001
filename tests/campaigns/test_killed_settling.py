"""Killed at any boundary while a campaign settles (its plays end, promises are kept or taken
back, what nobody paid is free again, the budget comes home), each of it happens once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from qunluo.campaigns.lifecycle import do_stop, do_take_back_budget, list_stores
from qunluo.campaigns.mechanics import contest
from qunluo.campaigns.mechanics.kernel import POINTS
from qunluo.campaigns.models import Campaign, Play, Purchase, Reward
from qunluo.campaigns.playing import Asked, do_act_for
from qunluo.campaigns.tasks import step_deadlines, step_ends, step_following, step_rewards
from qunluo.commerce.models import Order, Refund
from qunluo.commerce.refunding import do_refund
from qunluo.commerce.tasks import expire_points, expire_promises, expire_unpaid
from qunluo.community.models import Community
from qunluo.ledger.actions import do_hold, find
from qunluo.ledger.models import Account, Hold, Lot
from qunluo.members.models import Member
from tests.campaigns.killing import kill_everywhere
from tests.campaigns.running import BARGAIN, STAFF, act, done, holds, later, run, work
from tests.campaigns.test_killed import follow_orders
from tests.cast import NOON, make_member
from tests.commerce.shop import give_points, pay, pieces, sell

pytestmark = pytest.mark.django_db(transaction=True)
Ready = tuple[Callable[[], object], Callable[[], object]]  # the step, and what it comes to
GROUP: dict[str, Any] = {
    "prices": [{"sku": "tea", "price_minor": 4_000}], "size": 2, "minutes": 60,
    "leader_bonus": {"unit": POINTS, "amount": 50}, "hold_days": 1, "groups": 1,
}  # fmt: skip
LOWER = [{"people": 2, "off_minor": 300}, {"people": 3, "off_minor": 700}]


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


def gather(community: Community, **rules: Any) -> tuple[Campaign, Member]:
    """A group of two who have paid."""
    sell(community, "tea", price_minor=5_000)
    campaign = run(community, "group_buy", {**GROUP, **rules})
    leader, friend = (make_member(community, name) for name in ("Ann", "Eve"))
    done(act(campaign, leader))
    pay(Purchase.objects.get().order)
    follow_orders()
    done(act(campaign, friend, "join", Play.objects.get().key))
    pay(Purchase.objects.latest("pk").order)
    follow_orders()
    return campaign, leader


def points(member: Member) -> int:
    account = find(member.community_id, "member", member.pk, POINTS)
    return account.balance if account else 0


def failing(tea: Community) -> Ready:
    gather(tea, size=3)

    def fail() -> None:
        with later(minutes=62):
            step_deadlines()
            step_following()

    def failed() -> None:
        assert Play.objects.get().state["stage"] == "failed"
        assert [order.refunded_minor for order in Order.objects.all()] == [4_000] * 2
        assert Refund.objects.count() == 2

    return fail, failed


def succeeding(tea: Community) -> Ready:
    _, leader = gather(tea, tiers=LOWER)

    def settle() -> None:
        with later(minutes=62):
            step_deadlines()
            step_following()
        with later(days=2):
            step_rewards()

    def settled() -> None:
        assert Play.objects.get().state["stage"] == "success"
        assert list(Refund.objects.values_list("amount_minor", flat=True)) == [300] * 2
        assert points(leader) == 50

    return settle, settled


def clawing_back(tea: Community) -> Ready:
    _, leader = gather(tea)
    with later(days=2):
        work()
    assert points(leader) == 50
    order = Order.objects.get(member=leader)

    def claw_back() -> None:
        with later(days=3):
            do_refund(order, why="it broke", by=STAFF, key="r")
            follow_orders()

    def clawed_back() -> None:
        assert points(leader) == 0
        assert Reward.objects.get().state == "clawed_back"
        assert Refund.objects.count() == 1

    return claw_back, clawed_back


def stopping(tea: Community) -> Ready:
    campaign, _ = gather(tea, size=3)

    def stop() -> None:
        if Campaign.objects.get().state == "running":
            do_stop(campaign, why="the wrong price", by=STAFF)
        step_following()
        step_following()
        do_take_back_budget(campaign, by=STAFF)

    def stopped() -> None:
        assert Play.objects.get().state["stage"] == "failed"
        assert [order.refunded_minor for order in Order.objects.all()] == [4_000] * 2
        assert Refund.objects.count() == 2
        assert list_stores(campaign) == []

    return stop, stopped


def ending(tea: Community) -> Ready:
    rules = {"metric": "cups", "starts_at": NOON.isoformat(), "review_minutes": 60,
             "ends_at": (NOON + timedelta(hours=5)).isoformat(),
             "bands": [{"first": 1, "last": 2, "unit": POINTS, "amount": 30}]}  # fmt: skip
    campaign = run(tea, "contest", rules, ends_at=NOON + timedelta(hours=5))
    members = [make_member(tea, name) for name in ("Ann", "Eve")]
    for n, member in enumerate(members, 1):
        asked = Asked(contest.SCORE, f"e{n}", f"m{member.pk}", member.pk, {"points": n})
        done(do_act_for(campaign, asked, by=STAFF))
    work()

    def end() -> None:
        with later(hours=5):
            step_ends()
            step_deadlines()
        with later(hours=6):
            step_deadlines()

    def ended() -> None:
        assert Campaign.objects.get().state == "ended"
        assert [points(member) for member in members] == [30, 30]

    return end, ended


def running_out(tea: Community) -> Ready:
    tea_pot = sell(tea, "tea", price_minor=5_000)
    campaign = run(tea, "bargain", {**BARGAIN, "helpers": 2})
    owner = make_member(tea, "Ann")
    done(act(campaign, owner))
    done(act(campaign, owner, "buy", Play.objects.get().key))
    free = find(tea.pk, "campaign", f"{campaign.pk}:budget", "cent")
    assert free is not None

    def run_out() -> None:
        with later(hours=3):
            expire_unpaid()
            follow_orders()
            step_deadlines()

    def is_out() -> None:
        assert Order.objects.get().state == "expired"
        assert Play.objects.get().state["stage"] == "over"
        assert pieces(tea_pot) == (10, 0, 0)
        free.refresh_from_db()
        assert free.balance == 10 * 3_000  # all of it, once

    return run_out, is_out


def expiring(tea: Community) -> Ready:
    """Promises and points whose time is over."""
    member = make_member(tea, "Ann")
    mine = give_points(member, 30, expires_at=NOON + timedelta(days=1))
    give_points(member, 7)
    for n in range(2):
        do_hold(mine, 5, cause=f"h{n}", by=STAFF, expires_at=NOON + timedelta(hours=1))

    def expire() -> None:
        with later(hours=2):
            expire_promises()
            expire_points()
        with later(days=2):
            expire_promises()
            expire_points()

    def expired() -> None:
        assert set(Hold.objects.values_list("state", flat=True)) == {"expired"}
        assert Account.objects.get(pk=mine.pk).balance == 7
        assert sum(Lot.objects.values_list("left", flat=True)) == 7

    return expire, expired


SETTLING = {"fail": failing, "succeed": succeeding, "claw_back": clawing_back, "stop": stopping,
            "end": ending, "run_out": running_out, "expire": expiring}  # fmt: skip


@pytest.mark.parametrize("operation", SETTLING.values(), ids=SETTLING)
def test_killed_anywhere_it_is_settled_once(
    tea: Community, operation: Callable[[Community], Ready]
) -> None:
    step, settled = operation(tea)
    assert kill_everywhere(step, lambda: holds(tea)) >= 8
    step()  # once more, as the worker does
    settled()
    holds(tea)
    with later(days=4):
        work()
    settled()
    holds(tea)
