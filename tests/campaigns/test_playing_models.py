"""Group-buy, assist, invites, rising price and check-in over the database, the ledger, the shop."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from qunluo.campaigns.mechanics.kernel import POINTS, Done, Refused
from qunluo.campaigns.mechanics.rising_price import CHANGED
from qunluo.campaigns.mechanics.tiered_invites import ATTRIBUTED
from qunluo.campaigns.models import Campaign, Play, Purchase, Slot
from qunluo.campaigns.playing import Asked, do_act_for
from qunluo.commerce.models import Order, Variant
from qunluo.commerce.refunding import do_refund
from qunluo.community.models import Community
from qunluo.ledger.actions import find
from qunluo.members.models import Member
from tests.campaigns.running import STAFF, act, done, holds, later, run, work
from tests.cast import NOON, make_member
from tests.commerce.shop import pay, pieces, sell

pytestmark = pytest.mark.django_db(transaction=True)  # what is followed must be settled

GROUP: dict[str, Any] = {
    "prices": [{"sku": "tea", "price_minor": 4_000}], "size": 3, "minutes": 60,
    "leader_bonus": {"unit": POINTS, "amount": 50}, "hold_days": 0, "groups": 2,
}  # fmt: skip
TIERS = [{"people": 3, "off_minor": 300}, {"people": 4, "off_minor": 700}]
POINTS_5 = {"unit": POINTS, "amount": 5}
HUNDRED = {"unit": POINTS, "amount": 100}


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


@pytest.fixture
def variant(tea: Community) -> Variant:
    return sell(tea, "tea", price_minor=5_000, stock=20)


def friends(community: Community, n: int) -> list[Member]:
    return [make_member(community, f"Friend {i}") for i in range(n)]


def play_of(campaign: Campaign) -> Play:
    return Play.objects.get(campaign=campaign)


def orders() -> list[Order]:
    return [row.order for row in Purchase.objects.select_related("order").order_by("pk")]


def points(member: Member) -> int:
    account = find(member.community_id, "member", member.pk, POINTS)
    return account.balance if account else 0


def gather(campaign: Campaign, members: list[Member]) -> None:
    """The first opens a group, the others join, and all pay."""
    for number, member in enumerate(members):
        told = act(campaign, member, *(("join", play_of(campaign).key) if number else ()))
        done(told)
        pay(Purchase.objects.latest("pk").order)
        work()


def test_a_group_that_fails_gives_back_money_goods_and_places(
    tea: Community, variant: Variant
) -> None:
    group = run(tea, "group_buy", GROUP)
    gather(group, friends(tea, 2))
    assert play_of(group).state["stage"] == "open"
    with later(minutes=62):
        work()
    assert [order.state for order in orders()] == ["refunded"] * 2
    assert [order.refunded_minor for order in orders()] == [4_000] * 2
    assert pieces(variant) == (20, 0, 0)
    assert sum(Slot.objects.filter(campaign=group).values_list("taken", flat=True)) == 0
    assert play_of(group).deadline is None
    holds(tea)


def test_a_group_that_succeeds_refunds_the_difference_and_pays_its_leader(
    tea: Community, variant: Variant
) -> None:
    group = run(tea, "group_buy", {**GROUP, "tiers": TIERS})
    leader, *others = friends(tea, 4)
    gather(group, [leader, *others])
    work()
    assert play_of(group).state["stage"] == "success"
    assert [(order.state, order.refunded_minor) for order in orders()] == [("paid", 700)] * 4
    assert [points(leader), points(others[0])] == [50, 0]
    holds(tea)


def test_a_leader_who_quits_hands_over_in_the_database_too(
    tea: Community, variant: Variant
) -> None:
    group = run(tea, "group_buy", GROUP)
    leader, heir = friends(tea, 2)
    gather(group, [leader, heir])
    done(act(group, leader, "quit", play_of(group).key))
    work()
    assert play_of(group).state["leader"] == heir.pk
    assert [order.state for order in orders()] == ["refunded", "paid"]
    holds(tea)


def test_helps_reach_a_tier_and_a_void_one_takes_it_back(tea: Community) -> None:
    tiers = [{"helps": 2, "reward": HUNDRED}]
    task = run(tea, "assist", {"tiers": tiers, "tasks": 2, "helper_reward": POINTS_5})
    owner, ann, ben, eve = friends(tea, 4)
    done(act(task, owner))
    key = play_of(task).key
    for helper in (ann, ben):
        done(act(task, helper, "help", key))
    assert isinstance(act(task, ann, "help", key), Refused)
    assert [points(owner), points(ann)] == [100, 5]
    void = Asked("void", "review", key, data={"helper": ben.pk, "why": "same device"})
    done(do_act_for(task, void, by=STAFF))
    assert [points(owner), points(ben)] == [0, 0]
    done(act(task, eve, "help", key))
    assert points(owner) == 100
    holds(tea)


def test_invitees_who_stay_bring_both_tiers_and_count_for_one_inviter(tea: Community) -> None:
    tiers = [{"invites": 1, "reward": POINTS_5}, {"invites": 2, "reward": HUNDRED}]
    rules = {"tiers": tiers, "days": 3, "hold_days": 0, "inviters": 2}
    invites = run(tea, "tiered_invites", rules)
    one, two, ann, ben = friends(tea, 4)
    for inviter in (one, two):
        done(act(invites, inviter))
    for friend in (ann, ben):
        done(_invited(invites, one, friend))
    assert _invited(invites, two, ann) == ATTRIBUTED
    assert points(one) == 0
    with later(days=3):
        work()
    assert [points(one), points(two)] == [105, 0]
    holds(tea)


def _invited(campaign: Campaign, inviter: Member, friend: Member) -> Done[Any] | Refused:
    data = {"inviter": inviter.pk, "newcomer": True}
    key = f"invited:{inviter.pk}:{friend.pk}"
    return do_act_for(campaign, Asked("invited", key, "", friend.pk, data), by="system")


def test_the_price_rises_by_pieces_and_falls_back_with_what_is_returned(
    tea: Community, variant: Variant
) -> None:
    steps = [{"pieces": 2, "price_minor": 3_000}, {"pieces": 5, "price_minor": 4_000}]
    sale = run(tea, "rising_price", {"sku": "tea", "steps": steps, "per_member": 3})
    one, two, three = friends(tea, 3)
    done(act(sale, one, "buy", quantity=3, quoted_minor=10_000))
    assert act(sale, two, "buy", quantity=1, quoted_minor=3_000) == CHANGED
    done(act(sale, two, "buy", quantity=1, quoted_minor=4_000))
    first, _ = orders()
    pay(first)
    work()
    do_refund(first, why="changed my mind", by=one.actor, key="r1")
    work()
    assert play_of(sale).state["taken"] == 1
    done(act(sale, three, "buy", quantity=2, quoted_minor=7_000))
    assert pieces(variant) == (20, 3, 0)
    with later(minutes=11):
        work()
    assert [play_of(sale).state["taken"], pieces(variant)] == [0, (20, 0, 0)]
    holds(tea)


def test_members_check_in_once_a_day_and_are_paid_for_days_in_a_row(tea: Community) -> None:
    cycle = [{"days": 2, "reward": HUNDRED}]
    rules = {"reward": POINTS_5, "cycle": cycle, "days": 3, "members": 2}
    habit = run(tea, "check_in", rules, ends_at=NOON + timedelta(days=9))
    (one,) = friends(tea, 1)
    done(act(habit, one, "check_in"))
    assert isinstance(act(habit, one, "check_in"), Refused)
    with later(days=1):
        done(act(habit, one, "check_in"))
        assert isinstance(act(habit, one, "check_in"), Refused)
    assert points(one) == 110
    with later(days=4):
        work()
    assert play_of(habit).state["closed"]
    holds(tea)
