"""What the shop says reaches gifts and contests: once, in whatever order it is heard, and what
an operator reads of it agrees with the books."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from qunluo.campaigns.checkout import do_buy, look
from qunluo.campaigns.errors import GiftGoneError
from qunluo.campaigns.hearing import hear
from qunluo.campaigns.models import Attribution, Campaign, Following, Play, Reward
from qunluo.campaigns.results import results_of
from qunluo.campaigns.scoring import note_scores
from qunluo.campaigns.tasks import do_follow_one
from qunluo.commerce.models import Order
from qunluo.commerce.ordering import Ask, do_cancel, do_fulfil
from qunluo.commerce.refunding import do_refund, plan
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.groups.actions import do_leave
from qunluo.groups.models import Membership
from qunluo.kit import clock
from qunluo.members.models import Member
from tests.campaigns.running import act, done, holds, run, work
from tests.campaigns.test_till import order
from tests.cast import make_group, make_member
from tests.commerce.shop import STAFF, buy, pay, sell

pytestmark = pytest.mark.django_db(transaction=True)
CUP = {"threshold_minor": 8_000, "gift": "cup", "stock": 2, "worth_minor": 900}
LADDER: dict[str, Any] = {"tiers": [CUP], "per_member": 5}
TWO_AND_ONE: dict[str, Any] = {"buy": 2, "free": 1, "free_stock": 5, "per_member": 5}


def gift_of(made: Order) -> str:
    return str(Play.objects.get(key=f"o{made.number}").state["stage"])


# gifts


def test_a_gift_is_set_aside_with_the_order_and_comes_when_it_is_paid(tea: Community) -> None:
    bob, tin = make_member(tea), sell(tea, "tin", stock=20)
    campaign = run(tea, "gift", LADDER)
    [promise] = look(bob, [Ask(tin)]).promises
    assert (promise.gift, promise.missing_minor) == ("", 3_000)
    made = order(bob, Ask(tin, 2))
    assert (gift_of(made), made.total_minor) == ("reserved", 10_000)
    pay(made)
    work()
    assert gift_of(made) == "given"
    reward = Reward.objects.get(campaign=campaign)
    assert (reward.unit, reward.amount, reward.state) == ("gift:cup", 1, "paid")
    assert results_of(campaign).broken == []
    holds(tea)


def test_an_order_that_is_called_off_frees_its_gift(tea: Community) -> None:
    bob, tin = make_member(tea), sell(tea, "tin", stock=20)
    campaign = run(tea, "gift", {"tiers": [CUP | {"stock": 1}], "per_member": 1})
    made = order(bob, Ask(tin, 2))
    assert look(bob, [Ask(tin, 2)]).promises == ()
    do_cancel(made, "no", bob.actor)
    work()
    assert gift_of(made) == "cancelled"
    assert look(bob, [Ask(tin, 2)]).promises[0].gift == "cup"
    assert results_of(campaign).broken == []
    holds(tea)


def test_who_is_promised_a_gift_that_is_gone_orders_nothing(
    tea: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, tin = make_member(tea), sell(tea, "tin", stock=20)
    run(tea, "gift", {"tiers": [CUP | {"stock": 1}], "per_member": 5})
    seen = look(bob, [Ask(tin, 2)])
    order(make_member(tea, "Eve"), Ask(tin, 2))
    monkeypatch.setattr("qunluo.campaigns.checkout.look", lambda *_, **__: seen)
    with pytest.raises(GiftGoneError):
        do_buy(bob, [Ask(tin, 2)], key="k", total_minor=10_000, by=bob.actor)
    assert Order.objects.filter(member=bob).count() == 0


def test_a_gift_that_is_kept_is_taken_off_the_refund_and_one_that_comes_back_is_not(
    tea: Community,
) -> None:
    bob, tin = make_member(tea), sell(tea, "tin", stock=20)
    campaign = run(tea, "gift", LADDER | {"tiers": [CUP | {"stock": 3}]})
    kept, back, both = (order(bob, Ask(tin, 2), key=f"k{n}") for n in range(3))
    for made in (kept, back, both):
        pay(made)
        do_fulfil(made, by=STAFF)
    one = {kept.lines.get().pk: 1}
    assert plan(kept, lines=one, restock=False).amount_minor == 4_100
    refund = do_refund(kept, lines=one, why="one", by=STAFF, key="r", restock=False)
    assert (refund.amount_minor, gift_of(kept)) == (4_100, "charged")
    refund = do_refund(back, why="all", by=STAFF, key="r", restock=True)
    assert (refund.amount_minor, refund.whole, gift_of(back)) == (10_000, True, "returned")
    again = do_refund(back, why="all", by=STAFF, key="r", restock=True)
    assert again.pk == refund.pk
    goodwill = do_refund(both, amount_minor=500, why="sorry", by=STAFF, key="r")
    work()
    assert (goodwill.amount_minor, gift_of(both)) == (500, "given")
    rest = do_refund(kept, why="rest", by=STAFF, key="r2", restock=False)
    assert rest.amount_minor == 5_000  # what was taken off the first stays taken
    assert results_of(campaign).broken == []
    holds(tea)


def test_the_cheapest_of_three_is_free_and_does_not_stay_so_for_two(tea: Community) -> None:
    bob, tin = make_member(tea), sell(tea, "tin", stock=20)
    run(tea, "gift", TWO_AND_ONE)
    made = order(bob, Ask(tin, 3))
    assert (made.total_minor, gift_of(made)) == (10_000, "reserved")
    pay(made)
    refund = do_refund(made, lines={made.lines.get().pk: 1}, why="one", by=STAFF, key="r")
    assert (refund.amount_minor, gift_of(made)) == (0, "charged")
    work()
    holds(tea)


@pytest.mark.parametrize("seed", range(4))
def test_gifts_hear_the_shop_in_any_order(tea: Community, seed: int) -> None:
    chance = random.Random(seed)
    bob, tin = make_member(tea), sell(tea, "tin", stock=20)
    run(tea, "gift", {"tiers": [CUP | {"stock": 3}], "per_member": 5})
    made = [order(bob, Ask(tin, 2), key=f"k{n}") for n in range(3)]
    pay(made[0])
    pay(made[1])
    do_refund(made[1], why="no", by=STAFF, key="r")
    do_cancel(made[2], "no", bob.actor)
    tell(chance, hear)
    assert [gift_of(one) for one in made] == ["given", "returned", "cancelled"]
    holds(tea)


def tell(chance: random.Random, heard: Any) -> None:
    """Every event, some more than once, in any order."""
    events = list(Event.objects.all())
    told = [chance.choice(events) for _ in range(8)] + events
    chance.shuffle(told)
    for event in told:
        if event.kind.startswith(("order_", "campaign_", "member_")):
            with transaction.atomic():
                heard([event])
        if chance.random() < 0.5:
            follow_all()
    follow_all()


def follow_all() -> None:
    for pk in (
        Following.objects.filter(done_at=None).order_by("pk").values_list("pk", flat=True)
    ):
        do_follow_one(pk)


# contests


def contest(tea: Community, counts: str, **more: Any) -> Campaign:
    now = clock.now()
    rules = {
        "metric": "tea", "counts": counts, "bands": [{"first": 1, "last": 1, "unit": "points",
        "amount": 10}], "starts_at": (now - timedelta(minutes=1)).isoformat(),
        "ends_at": (now + timedelta(hours=6)).isoformat(), **more,
    }  # fmt: skip
    return run(tea, "contest", rules)


def score(campaign: Campaign, member: Member) -> int:
    found = Play.objects.filter(campaign=campaign, key=f"m{member.pk}").first()
    return int(found.state["score"]) if found else 0


@pytest.mark.parametrize("seed", range(4))
def test_orders_and_what_is_spent_count_once_until_they_go_back(
    tea: Community, seed: int
) -> None:
    bob, tin = make_member(tea), sell(tea, "tin", stock=20)
    orders, spend = contest(tea, "orders"), contest(tea, "spend", daily_cap=120)
    for campaign in (orders, spend):
        done(act(campaign, bob))
    made = [buy(bob, tin, key=f"k{n}") for n in range(3)]
    for one in made:
        pay(one)
    do_refund(made[0], why="no", by=STAFF, key="r")
    do_refund(made[1], amount_minor=1_050, why="sorry", by=STAFF, key="r")
    tell(random.Random(seed), note_scores)
    assert (score(orders, bob), score(spend, bob)) == (2, 89)
    work()
    assert (score(orders, bob), score(spend, bob)) == (2, 89)
    holds(tea)


def test_days_checked_in_and_helps_count(tea: Community) -> None:
    bob, eve = make_member(tea), make_member(tea, "Eve")
    days, helps = contest(tea, "check_ins"), contest(tea, "helps")
    for campaign, member in ((days, bob), (days, eve), (helps, bob), (helps, eve)):
        done(act(campaign, member))
    programme = run(tea, "check_in", {"reward": {"unit": "points", "amount": 1}, "members": 5})
    done(act(programme, bob, "check_in"))
    reward = {"unit": "points", "amount": 2}
    assist = run(tea, "assist", {"tiers": [{"helps": 1, "reward": reward}], "tasks": 5})
    done(act(assist, bob))
    done(act(assist, eve, "help", assist.plays.get().key))
    work()
    assert [score(days, m) for m in (bob, eve)] == [1, 0]
    assert [score(helps, m) for m in (bob, eve)] == [0, 1]
    holds(tea)


def test_what_came_before_the_start_or_after_the_end_counts_nothing(tea: Community) -> None:
    bob, tin = make_member(tea), sell(tea, "tin", stock=20)
    soon = clock.now() + timedelta(minutes=5)
    campaign = contest(tea, "orders", starts_at=soon.isoformat())
    done(act(campaign, bob))
    pay(buy(bob, tin))
    work()
    assert score(campaign, bob) == 0


def test_nobody_is_on_a_board_who_did_not_take_part(tea: Community) -> None:
    bob, tin = make_member(tea), sell(tea, "tin", stock=20)
    campaign = contest(tea, "orders")
    pay(buy(bob, tin))
    work()
    done(act(campaign, bob))
    pay(buy(bob, tin))
    work()
    assert score(campaign, bob) == 1


def test_friends_who_came_count_until_they_leave(tea: Community) -> None:
    bob, group = make_member(tea), make_group(tea)
    campaign = contest(tea, "invites")
    done(act(campaign, bob))
    friends = [make_member(tea, name) for name in ("Eve", "Finn")]
    seats = []
    for friend in friends:
        values = {"community": tea, "member": friend, "inviter": bob, "at": friend.made_at,
                  "touched_at": friend.made_at}  # fmt: skip
        Attribution.objects.create(**values)
        seats.append(
            Membership.objects.create(group=group, member=friend, joined_at=clock.now())
        )
        record("member_joined", community=tea.pk, member=friend.pk, group=group.pk)
    work()
    assert score(campaign, bob) == 2
    do_leave(seats[0], why="left", by=friends[0].actor)
    work()
    assert score(campaign, bob) == 1
    holds(tea)
