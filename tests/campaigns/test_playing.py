"""Live campaigns: every act once, whole or not at all, money and goods where they belong."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from threading import Barrier

import pytest

from qunluo.campaigns.errors import NotRunningError, NotYoursError
from qunluo.campaigns.lifecycle import (
    Plan,
    do_change,
    do_pause,
    do_resume,
    do_stop,
    do_take_back_budget,
    list_stores,
)
from qunluo.campaigns.mechanics.kernel import EXPIRE, PAID, Done, Refused
from qunluo.campaigns.models import Campaign, Deed, Play, Purchase, Slot
from qunluo.campaigns.playing import do_act
from qunluo.commerce.models import Order, Variant
from qunluo.commerce.refunding import do_refund
from qunluo.community.models import Community
from qunluo.kit import clock
from qunluo.members.models import Member
from tests.campaigns.running import BARGAIN, FLASH, STAFF, act, done, holds, run, work
from tests.cast import NOON, make_member
from tests.commerce.shop import pay, pieces, sell
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)  # what is followed must be settled


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


@pytest.fixture
def variant(tea: Community) -> Variant:
    return sell(tea, "tea", price_minor=5_000, stock=20)


@pytest.fixture
def bargain(tea: Community, variant: Variant) -> Campaign:
    return run(tea, "bargain", BARGAIN)


def friends(community: Community, n: int) -> list[Member]:
    return [make_member(community, f"Friend {i}") for i in range(n)]


def begin(campaign: Campaign, owner: Member) -> str:
    done(act(campaign, owner))
    return Play.objects.filter(campaign=campaign, starter=owner).latest("pk").key


def win(campaign: Campaign, owner: Member) -> str:
    play = begin(campaign, owner)
    for friend in friends(owner.community, 3):
        done(act(campaign, friend, "help", play))
    return play


def order_of(play: str) -> Order:
    return Purchase.objects.filter(play=play).latest("pk").order


def test_a_bargain_is_cut_won_ordered_paid_and_its_money_is_where_it_belongs(
    bargain: Campaign, bob: Member, variant: Variant
) -> None:
    play = win(bargain, bob)
    done(act(bargain, bob, "buy", play))
    order = order_of(play)
    assert order.total_minor == 2_000
    assert pieces(variant) == (20, 1, 0)
    pay(order)
    work()
    assert pieces(variant) == (19, 0, 1)
    assert Play.objects.get(key=play).state["stage"] == "bought"
    holds(bargain.community)


def test_the_same_act_again_answers_as_the_first_time(bargain: Campaign, bob: Member) -> None:
    play = begin(bargain, bob)
    friend = make_member(bob.community, "Ann")
    first = done(act(bargain, friend, "help", play, key="once"))
    again = done(act(bargain, friend, "help", play, key="once"))
    assert dict(first.answer) == dict(again.answer)
    assert Deed.objects.filter(play=play).count() == 2
    refused = act(bargain, friend, "help", play, key="another")
    assert isinstance(refused, Refused)


def test_opening_twice_with_one_key_is_one_play(bargain: Campaign, bob: Member) -> None:
    for _ in range(2):
        done(act(bargain, bob, key="begin"))
    assert Play.objects.count() == 1


def test_what_clocks_and_payments_do_is_no_members_act(bargain: Campaign, bob: Member) -> None:
    play = win(bargain, bob)
    for kind in (PAID, EXPIRE, "refunded", "cancelled", "close"):
        with pytest.raises(NotYoursError):
            act(bargain, bob, kind, play, ref="x")


def test_facts_are_told_by_us_and_never_by_a_page(
    tea: Community, variant: Variant, bob: Member
) -> None:
    rules = {
        **BARGAIN,
        "cut_min_minor": 100,
        "cut_max_minor": 2_000,
        "newcomer_bonus_minor": 900,
    }
    told, ours = (run(tea, "bargain", rules) for _ in range(2))
    ann, cuts = make_member(tea, "Ann"), []
    for campaign, facts in ((told, None), (ours, {"newcomer": True})):
        Campaign.objects.filter(pk=campaign.pk).update(seed="00" * 32)
        campaign.refresh_from_db()
        play = begin(campaign, bob)
        Play.objects.filter(pk=Play.objects.get(key=play).pk).update(key="same")
        answer = do_act(campaign, "help", member=ann, key="k", play="same",
                        data={"newcomer": True}, facts=facts)  # fmt: skip
        cuts.append(done(answer).state.cuts[0].minor)
    assert cuts[1] > cuts[0]


def test_money_that_comes_when_the_play_is_over_goes_back_by_itself(
    bargain: Campaign, bob: Member, variant: Variant
) -> None:
    play = win(bargain, bob)
    done(act(bargain, bob, "buy", play))
    order = order_of(play)
    with clock.use(clock.faster(0, NOON + timedelta(hours=3))):
        work()
        pay(order)
        work()
    order.refresh_from_db()
    assert order.state in ("expired", "refunded")
    assert order.paid_minor == order.refunded_minor
    assert pieces(variant) == (20, 0, 0)
    holds(bargain.community)


def test_a_refund_puts_the_goods_and_the_discount_back(
    bargain: Campaign, bob: Member, variant: Variant
) -> None:
    play = win(bargain, bob)
    done(act(bargain, bob, "buy", play))
    order = order_of(play)
    pay(order)
    work()
    do_refund(order, why="changed my mind", by=bob.actor, key="r1")
    work()
    assert pieces(variant) == (20, 0, 0)
    assert Play.objects.get(key=play).state["stage"] == "returned"
    holds(bargain.community)


def test_a_paused_campaign_waits_and_a_stopped_one_closes_its_plays(
    bargain: Campaign, bob: Member
) -> None:
    play = begin(bargain, bob)
    do_pause(bargain, why="a look at the budget", by=STAFF)
    bargain.refresh_from_db()
    with pytest.raises(NotRunningError):
        act(bargain, make_member(bob.community, "Ann"), "help", play)
    do_stop(bargain, why="wrong price", by=STAFF)
    work()
    bargain.refresh_from_db()
    assert bargain.state == "stopped"
    assert Play.objects.get(key=play).deadline is None
    do_take_back_budget(bargain, by=STAFF)
    assert list_stores(bargain) == []
    holds(bargain.community)


def test_what_began_goes_on_after_the_window_and_nothing_new_begins(
    bargain: Campaign, bob: Member
) -> None:
    with clock.use(clock.faster(0, NOON + timedelta(hours=23, minutes=50))):
        play = begin(bargain, bob)
    with clock.use(clock.faster(0, NOON + timedelta(hours=24))):
        work()
        bargain.refresh_from_db()
        assert bargain.state == "ended"
        done(act(bargain, make_member(bob.community, "Ann"), "help", play))
        with pytest.raises(NotRunningError):
            act(bargain, make_member(bob.community, "Eve"))


def test_a_flash_sale_sells_what_there_is_and_what_is_not_paid_is_free_again(
    tea: Community, variant: Variant
) -> None:
    sale = run(tea, "flash_sale", FLASH)
    buyers = friends(tea, 7)
    answers = [act(sale, buyer, "buy", quantity=1) for buyer in buyers]
    assert sum(isinstance(a, Done) for a in answers) == 5
    assert pieces(variant) == (20, 5, 0)
    with clock.use(clock.faster(0, NOON + timedelta(minutes=11))):
        work()
        assert pieces(variant) == (20, 0, 0)
        again = [act(sale, buyer, "buy", quantity=1) for buyer in buyers[5:]]
    assert all(isinstance(a, Done) for a in again)
    holds(tea)


def test_what_the_shop_does_not_have_is_sold_out_whatever_the_rules_say(
    tea: Community, variant: Variant
) -> None:
    few = sell(tea, "cup", price_minor=3_000, stock=2)
    sale = run(tea, "flash_sale", {**FLASH, "sku": "cup"})
    answers = [act(sale, buyer, "buy", quantity=1) for buyer in friends(tea, 4)]
    assert [isinstance(a, Done) for a in answers] == [True, True, False, False]
    assert pieces(few) == (2, 2, 0)
    holds(tea)


# many at once


def test_without_the_lock_the_last_cut_would_be_made_twice(
    bargain: Campaign, bob: Member
) -> None:
    """The control: two who decide on the same state both find the last cut free."""
    play = begin(bargain, bob)
    for friend in friends(bob.community, 2):
        done(act(bargain, friend, "help", play))
    both_read, cut = Barrier(2, timeout=30), []

    def read_then_write() -> None:
        row = Play.objects.get(key=play)
        left = BARGAIN["helpers"] - len(row.state["cuts"])
        both_read.wait()
        if left > 0:
            cut.append(1)

    at_once([read_then_write, read_then_write])
    assert len(cut) == 2


def test_two_helpers_on_the_last_cut_make_it_once(bargain: Campaign, bob: Member) -> None:
    play = begin(bargain, bob)
    first, *rest = friends(bob.community, 8)
    done(act(bargain, first, "help", play))
    said = at_once([partial(act, bargain, friend, "help", play) for friend in rest])
    assert sum(isinstance(a, Done) for a in said) == 2
    assert all(isinstance(a, Done | Refused) for a in said), said
    state = Play.objects.get(key=play).state
    assert sum(c["minor"] for c in state["cuts"]) == 3_000
    holds(bob.community)


def test_many_at_once_never_buy_more_than_the_sale_has(tea: Community) -> None:
    variant = sell(tea, "tea", price_minor=5_000, stock=20)
    sale = run(tea, "flash_sale", FLASH)
    buyers = friends(tea, 12)
    said = at_once([partial(act, sale, buyer, "buy", quantity=1) for buyer in buyers])
    assert all(isinstance(a, Done | Refused) for a in said), said
    assert sum(isinstance(a, Done) for a in said) == 5
    assert pieces(variant) == (20, 5, 0)
    holds(tea)


def test_one_act_sent_many_times_at_once_happens_once(bargain: Campaign, bob: Member) -> None:
    play = begin(bargain, bob)
    friend = make_member(bob.community, "Ann")
    said = at_once([partial(act, bargain, friend, "help", play, "same")] * 6)
    assert all(isinstance(a, Done) for a in said), said
    assert Play.objects.get(key=play).revision == 2
    assert Slot.objects.filter(taken__gt=1).count() == 0
    holds(bob.community)


def test_an_act_that_was_let_in_before_a_pause_commits_none_after_it(
    bargain: Campaign, bob: Member
) -> None:
    """The row it was asked of is from before; what counts is how it stands in its transaction."""
    seen = Campaign.objects.get(pk=bargain.pk)
    do_pause(bargain, why="A wrong price", by=STAFF)
    with pytest.raises(NotRunningError):
        act(seen, bob)
    assert not Play.objects.exists()
    do_resume(bargain, by=STAFF)
    done(act(Campaign.objects.get(pk=bargain.pk), bob))
    do_stop(bargain, why="It is enough", by=STAFF)
    with pytest.raises(NotRunningError):
        act(Campaign.objects.get(pk=bargain.pk), make_member(bargain.community, "Ann"))


def test_what_begins_while_the_rules_change_begins_under_those_in_force(
    bargain: Campaign, bob: Member
) -> None:
    seen = Campaign.objects.select_related("version").get(pk=bargain.pk)
    plan = Plan(seen.name, seen.mechanic, {**BARGAIN, "start_minor": 4_500},
                starts_at=seen.starts_at, ends_at=seen.ends_at,
                reasons={"below_cost": "a test", "wechat_sharing": "a test"})  # fmt: skip
    version = do_change(bargain, plan, by=STAFF)
    done(act(seen, bob))
    assert Play.objects.get().version == version
