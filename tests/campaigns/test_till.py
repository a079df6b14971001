"""At the till: coupons that are chosen, held, used, given back and ended, each in one order at
most, and every piece of them on the books."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from qunluo.campaigns import coupons
from qunluo.campaigns.checkout import OTHERS, do_buy, look
from qunluo.campaigns.errors import CouponTakenError, PriceChangedError
from qunluo.campaigns.hearing import hear
from qunluo.campaigns.mechanics.coupon import CLAIM
from qunluo.campaigns.models import Campaign, Coupon, Following, Reward
from qunluo.campaigns.playing import Asked, do_act_for
from qunluo.campaigns.results import results_of
from qunluo.campaigns.tasks import do_follow_one
from qunluo.commerce.models import Order
from qunluo.commerce.ordering import Ask, do_cancel, do_fulfil
from qunluo.commerce.refunding import do_refund
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.ledger.queries import balance_of
from qunluo.members.models import Member
from tests.campaigns.running import act, done, holds, run, work
from tests.cast import make_member
from tests.commerce.shop import STAFF, buy, expire_unpaid_at, pay, sell

pytestmark = pytest.mark.django_db(transaction=True)
FIVE: dict[str, Any] = {"name": "five", "total": 10, "per_member": 3, "off_minor": 500,
                        "threshold_minor": 3_000}  # fmt: skip


def take(campaign: Campaign, member: Member) -> Coupon:
    """The coupon that a member took just now."""
    done(act(campaign, member, CLAIM))
    found = Coupon.objects.filter(member=member).order_by("-pk").first()
    assert found is not None
    return found


def order(member: Member, *asks: Ask, key: str = "", **more: Any) -> Order:
    """As the page does: looks, then orders at what was seen."""
    seen = look(member, asks, **more).priced.total_minor
    key = key or f"k{Order.objects.count()}"
    return do_buy(member, asks, key=key, total_minor=seen, by=member.actor, **more)


def state(row: Coupon) -> str:
    row.refresh_from_db()
    return row.state


def test_the_best_coupon_is_chosen_and_every_other_says_why_not(tea: Community) -> None:
    bob, tin, pot = make_member(tea), sell(tea, "tin"), sell(tea, "pot")
    five = take(run(tea, "coupon", FIVE), bob)
    eight = take(run(tea, "coupon", FIVE | {"name": "eight", "off_minor": 800}), bob)
    high = take(run(tea, "coupon", FIVE | {"name": "high", "threshold_minor": 8_000}), bob)
    pots = take(run(tea, "coupon", FIVE | {"name": "pots", "scope": ["pot"]}), bob)
    till = look(bob, [Ask(tin)])
    said = {one.coupon.name: one for one in till.choices}
    assert (till.priced.total_minor, till.chosen) == (4_200, [eight.pk])
    assert (said["five"].usable, said["five"].off_minor) == (True, 500)
    assert (
        str(said["high"].why and said["high"].why.en)
        == "From CN¥80.00 on; CN¥30.00 more and it counts."
    )
    assert said["pots"].why == OTHERS
    chosen = look(bob, [Ask(tin)], chosen=[five.pk]).priced
    assert chosen.total_minor == 4_500
    assert [(r.phase, r.minor) for r in chosen.lines[0].reasons] == [("coupon", -500)]
    assert look(bob, [Ask(tin)], chosen=[]).priced.total_minor == 5_000
    assert look(bob, [Ask(pot)], chosen=[pots.pk, high.pk]).priced.total_minor == 4_500


def test_a_coupon_waits_with_its_order_and_is_used_when_it_is_paid(tea: Community) -> None:
    bob, tin = make_member(tea), sell(tea, "tin")
    campaign = run(tea, "coupon", FIVE)
    coupon = take(campaign, bob)
    made = order(bob, Ask(tin), key="one")
    assert (made.total_minor, state(coupon), coupon.order_id) == (4_500, "locked", made.pk)
    assert order(bob, Ask(tin), key="one").pk == made.pk  # pressed twice
    assert look(bob, [Ask(tin)]).chosen == []
    assert made.number in str(look(bob, [Ask(tin)]).choices[0].why)
    pay(made)
    work()
    assert state(coupon) == "used"
    assert balance_of(tea.pk, "campaign", f"{campaign.pk}:spent", "coupon:five") == 1
    assert results_of(campaign).broken == []
    holds(tea)


@pytest.mark.parametrize("how", ["cancelled", "expired"])
def test_an_order_that_comes_to_nothing_gives_its_coupon_back(
    tea: Community, noon: object, how: str
) -> None:
    bob, tin = make_member(tea), sell(tea, "tin")
    coupon = take(run(tea, "coupon", FIVE), bob)
    made = order(bob, Ask(tin))
    if how == "cancelled":
        do_cancel(made, "no", bob.actor)
    else:
        expire_unpaid_at(clock.now() + timedelta(hours=1))
    work()
    assert (state(coupon), coupon.order) == ("returned", None)
    assert order(bob, Ask(tin)).total_minor == 4_500
    holds(tea)


def test_goods_that_come_back_bring_the_coupon_and_money_alone_does_not(
    tea: Community,
) -> None:
    """A fault that others shipped: a refund that frees the coupon while the goods are kept."""
    bob, tin = make_member(tea), sell(tea, "tin")
    campaign = run(tea, "coupon", FIVE)
    coupon = take(campaign, bob)
    first = order(bob, Ask(tin))
    pay(first)
    do_refund(first, why="no", by=STAFF, key="r")
    work()
    assert state(coupon) == "returned"
    second = order(bob, Ask(tin))
    pay(second)
    do_fulfil(second, by=STAFF)
    do_refund(second, why="kept", by=STAFF, key="r", restock=False)
    work()
    assert state(coupon) == "used"
    third = order(bob, Ask(tin))
    assert third.total_minor == 5_000
    assert results_of(campaign).broken == []
    holds(tea)


def test_a_part_that_goes_back_leaves_the_coupon_used(tea: Community) -> None:
    bob, tin = make_member(tea), sell(tea, "tin")
    coupon = take(run(tea, "coupon", FIVE), bob)
    made = order(bob, Ask(tin, 2))
    pay(made)
    line = made.lines.get()
    for number, expected in ((1, "used"), (2, "returned")):
        do_refund(made, lines={line.pk: 1}, why="one", by=STAFF, key=f"r{number}")
        work()
        assert state(coupon) == expected
    assert made.refunds.count() == 2
    holds(tea)


def test_what_costs_something_else_by_now_is_not_ordered(tea: Community) -> None:
    bob, tin = make_member(tea), sell(tea, "tin")
    coupon = take(run(tea, "coupon", FIVE), bob)
    with pytest.raises(PriceChangedError):
        do_buy(bob, [Ask(tin)], key="k", total_minor=4_400, by=bob.actor)
    assert (state(coupon), Order.objects.count()) == ("issued", 0)


def test_a_coupon_ends_with_its_time_and_one_that_is_in_an_order_after_it(
    tea: Community, noon: object
) -> None:
    bob, tin = make_member(tea), sell(tea, "tin")
    campaign = run(tea, "coupon", FIVE | {"valid_days": 1})
    free, held = take(campaign, bob), take(campaign, bob)
    made = order(bob, Ask(tin), chosen=[held.pk])
    later = clock.now() + timedelta(days=2)
    assert coupons.do_expire(later) == 1
    assert (state(free), state(held)) == ("expired", "locked")
    do_cancel(made, "no", bob.actor)
    work()
    assert coupons.do_expire(later) == 1
    assert balance_of(tea.pk, "member", str(bob.pk), "coupon:five") == 0
    holds(tea)


def test_a_coupon_of_another_model_is_good_in_the_shop(tea: Community) -> None:
    """A prize of a lucky draw, a bargain or an assist: the coupons of that name say how much."""
    bob, tin = make_member(tea), sell(tea, "tin")
    reward = {"unit": "coupon:five", "amount": 2}
    assist = run(tea, "assist", {"tiers": [{"helps": 1, "reward": reward}], "tasks": 5})
    run(tea, "coupon", FIVE)
    done(act(assist, bob))
    task = assist.plays.get()
    done(act(assist, make_member(tea, "Eve"), "help", task.key))
    work()
    assert Reward.objects.get(member=bob).state == "paid"
    first, second = Coupon.objects.filter(member=bob)
    made = order(bob, Ask(tin))
    assert (made.total_minor, sorted((state(first), state(second)))) == (
        4_500,
        ["issued", "locked"],
    )
    pay(made)
    work()
    assert results_of(assist).broken == []
    holds(tea)


def test_a_coupon_in_an_order_that_is_taken_back_is_owed_and_no_other_one_is_touched(
    tea: Community,
) -> None:
    """Two friends bought for one inviter; the first one does not count on review, while the
    inviter's coupon for it waits in an order."""
    inviter, tin = make_member(tea, "Dora"), sell(tea, "tin")
    campaign = run(tea, "coupon", FIVE | {"inviter_most": 5, "return_days": 0})
    for name in ("Eve", "Finn"):
        friend = make_member(tea, name)
        data = {"inviter": inviter.pk, "new": True}
        asked = Asked(CLAIM, f"c{name}", f"m{friend.pk}", friend.pk, data)
        done(do_act_for(campaign, asked, by="system"))
        work()
        pay(order(friend, Ask(tin)))
        work()
    mine = list(Coupon.objects.filter(member=inviter).order_by("pk"))
    assert [row.state for row in mine] == ["issued", "issued"]
    made = order(inviter, Ask(tin), chosen=[mine[0].pk])
    play = mine[0].reward.play
    done(do_act_for(campaign, Asked("void", "v", play), by="staff:1"))
    assert [state(row) for row in mine] == ["locked", "issued"]
    holds(tea)
    do_cancel(made, "no", inviter.actor)
    work()
    assert [state(row) for row in mine] == ["revoked", "issued"]
    assert balance_of(tea.pk, "member", str(inviter.pk), "coupon:five") == 1
    assert balance_of(tea.pk, "owed", f"member:{inviter.pk}", "coupon:five") == 0
    assert results_of(campaign).broken == []
    holds(tea)


@pytest.mark.parametrize("seed", range(6))
def test_what_the_shop_says_leads_to_the_same_in_any_order_and_however_often(
    tea: Community, seed: int
) -> None:
    chance = random.Random(seed)
    bob, tin = make_member(tea), sell(tea, "tin", stock=20)
    campaign = run(tea, "coupon", FIVE)
    rows = [take(campaign, bob) for _ in range(3)]
    made = [order(bob, Ask(tin), chosen=[row.pk], key=f"o{row.pk}") for row in rows]
    pay(made[0])
    pay(made[1])
    do_refund(made[1], why="no", by=STAFF, key="r")
    do_cancel(made[2], "no", bob.actor)
    events = list(Event.objects.filter(kind__startswith="order_"))
    told = [chance.choice(events) for _ in range(10)] + events
    chance.shuffle(told)
    for event in told:
        with transaction.atomic():
            hear([event])
        for pk in Following.objects.filter(done_at=None).values_list("pk", flat=True):
            do_follow_one(pk)
    work()
    assert [state(row) for row in rows] == ["used", "returned", "returned"]
    acts = Following.objects.filter(campaign=campaign).order_by("pk").values_list("kind", "key")
    paid, back = (f"paid:{made[1].number}", f"refunded:{made[1].number}")
    keys = [key for _, key in acts]
    assert sorted(keys) == sorted({f"paid:{made[0].number}", paid, back})
    assert keys.index(paid) < keys.index(back)
    play = campaign.plays.get()
    assert [one["ref"] for one in play.state["paid"]] == [made[0].number]
    holds(tea)


def test_a_coupon_is_in_its_order_or_in_none(tea: Community) -> None:
    """The database says so, too."""
    bob = make_member(tea)
    coupon = take(run(tea, "coupon", FIVE), bob)
    with pytest.raises(IntegrityError), transaction.atomic():
        Coupon.objects.filter(pk=coupon.pk).update(state="used")


def test_somebody_elses_coupon_is_none(tea: Community) -> None:
    bob, tin = make_member(tea), sell(tea, "tin")
    coupon = take(run(tea, "coupon", FIVE), make_member(tea, "Dora"))
    assert order(bob, Ask(tin), chosen=[coupon.pk]).total_minor == 5_000
    stolen = buy(bob, tin, offers=list(coupons.list_offers([coupon]).values()))
    with pytest.raises(CouponTakenError):
        coupons.do_lock(stolen, by=bob.actor)
