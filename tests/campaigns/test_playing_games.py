"""Coupons, gifts, red packets, draws, contests and swaps over the database and the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from qunluo.campaigns.mechanics import contest, coupon, gift, lucky_draw
from qunluo.campaigns.mechanics.kernel import CANCELLED, OPEN, PAID, POINTS, Done, Refused
from qunluo.campaigns.mechanics.swap import ACCEPT, CONFIRM, OFFER, RULE
from qunluo.campaigns.models import Campaign, Play, Reward
from qunluo.campaigns.playing import Asked, do_act_for
from qunluo.community.models import Community
from qunluo.ledger.actions import Leg, do_open, do_open_outside, do_transfer, find
from qunluo.members.models import Member
from tests.campaigns.running import STAFF, act, done, holds, later, run, work
from tests.cast import NOON, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


def people(community: Community, n: int, points: int = 0) -> list[Member]:
    members = [make_member(community, f"Friend {i}") for i in range(n)]
    outside = do_open_outside(community.pk, "earned", POINTS)
    for member in members if points else []:
        own = do_open(community.pk, "member", str(member.pk), POINTS)
        legs = [Leg(outside, -points), Leg(own, points)]
        do_transfer(community.pk, cause=f"given:{member.pk}", legs=legs, by=STAFF)
    return members


def has(member: Member, unit: str = POINTS) -> int:
    account = find(member.community_id, "member", str(member.pk), unit)
    return account.balance if account else 0


def told(
    campaign: Campaign, kind: str, play: str, key: str, **data: Any
) -> Done[Any] | Refused:
    """An order or the operator acts."""
    return do_act_for(
        campaign, Asked(kind, key, play, data.pop("member", None), data), by=STAFF
    )


def state_of(campaign: Campaign, key: str) -> dict[str, Any]:
    state: dict[str, Any] = Play.objects.get(campaign=campaign, key=key).state
    return state


def test_the_inviters_coupon_comes_when_the_friends_order_stays(tea: Community) -> None:
    rules = {"name": "ten", "total": 3, "off_minor": 1000, "threshold_minor": 5000,
             "inviter_most": 1, "return_days": 2}  # fmt: skip
    campaign = run(tea, "coupon", rules)
    inviter, friend, other, late = people(tea, 4)
    done(told(campaign, coupon.CLAIM, f"m{friend.pk}", "c1", member=friend.pk,
              inviter=inviter.pk, new=True))  # fmt: skip
    work()
    done(act(campaign, other, coupon.CLAIM))
    assert isinstance(act(campaign, late, coupon.CLAIM), Refused)  # the third waits
    done(told(campaign, PAID, f"m{friend.pk}", "paid:o1", ref="o1"))
    assert [has(m, "coupon:ten") for m in (inviter, friend)] == [0, 1]
    with later(days=3):
        work()
    assert has(inviter, "coupon:ten") == 1
    holds(tea)


def test_a_gift_is_set_aside_with_its_order_and_comes_back_with_it(tea: Community) -> None:
    tier = {"threshold_minor": 10000, "gift": "cup", "worth_minor": 900, "stock": 1}
    campaign = run(tea, "gift", {"tiers": [tier], "per_member": 2})
    one, two = people(tea, 2)
    lines = [{"sku": "tea", "quantity": 1, "amount_minor": 12000}]

    def order(member: Member, ref: str) -> Done[Any] | Refused:
        data = {"member": member.pk, "ref": ref, "lines": lines}
        return told(campaign, OPEN, f"o{ref}", f"open:{ref}", **data)

    done(order(one, "1"))
    assert order(two, "2") == gift.GIFTS_GONE
    done(told(campaign, CANCELLED, "o1", "cancelled:1", ref="1"))
    done(order(two, "3"))
    done(told(campaign, PAID, "o3", "paid:3", ref="3"))
    assert [has(m, "gift:cup") for m in (one, two)] == [0, 1]
    holds(tea)


def test_a_red_packet_is_taken_once_each_and_its_rest_returns(tea: Community) -> None:
    rules = {"amount": 100, "shares": 3, "minutes": 60}
    campaign = run(tea, "red_packet", rules)
    done(told(campaign, OPEN, "p1", "o1"))
    one, two = people(tea, 2)
    for member in (one, two):
        done(act(campaign, member, "take", "p1"))
    assert isinstance(act(campaign, one, "take", "p1"), Refused)
    with later(hours=2):
        work()
    state = state_of(campaign, "p1")
    assert has(one) + has(two) + state["returned"] == 100
    holds(tea)


def test_draws_cost_points_give_prizes_and_verify_from_the_seed(tea: Community) -> None:
    prize = {"name": "ten", "weight": 1, "unit": POINTS, "amount": 10, "stock": 2}
    rules = {"prizes": [prize], "blank_weight": 1, "cost_points": 8, "per_day": 5}
    campaign = run(tea, "lucky_draw", rules)
    one, two = people(tea, 2, points=20)
    answers = [act(campaign, m, lucky_draw.DRAW) for m in (one, two, one, two, one)]
    drawn = [a for a in answers if isinstance(a, Done)]
    won = sum(a.answer["prize"] == "ten" for a in drawn)
    assert has(one) + has(two) == 40 - 8 * len(drawn) + 10 * won
    plays = Play.objects.filter(campaign=campaign)
    states = [lucky_draw.State.model_validate(play.state) for play in plays]
    published = lucky_draw.publish(states, lucky_draw.Rules.model_validate(rules))
    assert len(published) == len(drawn)
    seed = bytes.fromhex(campaign.seed)
    assert lucky_draw.verify(seed, campaign.commitment, published) == []
    holds(tea)


def test_a_contest_freezes_is_judged_and_settles_once(tea: Community) -> None:
    band = {"first": 1, "last": 2, "unit": POINTS, "amount": 30}
    rules = {"metric": "cups", "starts_at": NOON.isoformat(), "bands": [band],
             "ends_at": (NOON + timedelta(hours=5)).isoformat(), "review_minutes": 60}  # fmt: skip
    campaign = run(tea, "contest", rules)
    members = people(tea, 3)
    for n, member in enumerate(members, 1):
        data = {"member": member.pk, "points": n * 5}
        done(told(campaign, contest.SCORE, f"m{member.pk}", f"e{n}", **data))
    work()
    with later(hours=5):
        work()
        rows = state_of(campaign, contest.BOARD)["rows"]
        assert [row["score"] for row in rows] == [15, 10, 5]
        done(told(campaign, contest.DISQUALIFY, contest.BOARD, "j1", id=str(members[2].pk)))
    for hours in (7, 8):
        with later(hours=hours):
            work()
    assert [has(member) for member in members] == [30, 30, 0]
    assert Reward.objects.filter(campaign=campaign).count() == 2
    holds(tea)


def test_two_swap_and_a_deal_that_fails_is_decided(tea: Community) -> None:
    rules = {"categories": ["books"], "deposit": 20, "top_up_most": 50}
    campaign = run(tea, "swap", rules)
    one, two, three = people(tea, 3, points=100)
    for member in (one, two, three):
        done(act(campaign, member, OPEN, title="A book", category="books"))
    a, b, c = (Play.objects.get(campaign=campaign, starter=m).key for m in (one, two, three))
    for key, member in ((a, one), (c, three)):
        done(act(campaign, member, OFFER, key, to=b, top_up=10))
    work()
    done(act(campaign, two, ACCEPT, b, **{"from": a}))
    assert isinstance(act(campaign, two, ACCEPT, b, **{"from": c}), Refused)
    work()
    assert [has(m) for m in (one, two, three)] == [70, 80, 100]
    assert state_of(campaign, c)["sent"] == []
    done(told(campaign, RULE, b, "r1", outcome="undone"))
    work()
    done(act(campaign, one, OFFER, a, to=b, top_up=10))
    work()
    done(act(campaign, two, ACCEPT, b, **{"from": a}))
    for member in (one, two):
        done(act(campaign, member, CONFIRM, b))
    work()
    assert [has(m) for m in (one, two)] == [90, 110]
    assert [state_of(campaign, key)["stage"] for key in (a, b)] == ["swapped", "swapped"]
    holds(tea)
