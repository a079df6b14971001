"""Processes that want the last of something at the same moment: the last cut of a bargain, the
last coupon, the last seat of a group against its end. One of them gets it. Each race is first
shown to be there: the same schedule without what keeps them apart breaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from qunluo.campaigns.mechanics import coupon
from qunluo.campaigns.mechanics.kernel import Done
from qunluo.campaigns.mechanics.steps import HEARD
from qunluo.campaigns.models import Campaign, Play, Purchase, Reward, Slot
from qunluo.campaigns.tasks import step_deadlines, step_following, step_orders
from qunluo.commerce.models import Order
from qunluo.commerce.tasks import expire_unpaid
from qunluo.community.models import Community
from qunluo.kit import clock
from qunluo.ledger import actions as ledger
from qunluo.ledger.actions import Booking
from qunluo.ledger.auditing import do_audit
from qunluo.members.models import Member
from tests.campaigns.racing import FORK, PATIENCE_S, Meeting, in_processes, take_guards_away
from tests.campaigns.running import BARGAIN, act, done, holds, run, work
from tests.cast import NOON, make_member
from tests.commerce.shop import pay, pieces, sell

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSES = 6
FLOOR = BARGAIN["floor_minor"]
TEN = {"name": "ten", "off_minor": 1_000, "threshold_minor": 5_000, "per_member": 1}
PAIR = {"prices": [{"sku": "tea", "price_minor": 4_000}], "size": 2, "minutes": 60, "groups": 9}
guarded = pytest.mark.parametrize("guarded", [False, True], ids=["control", "guarded"])


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


@contextmanager
def at(when: datetime) -> Iterator[None]:
    with clock.use(clock.faster(0, when)):
        yield


def people(community: Community, n: int, name: str = "Friend") -> list[Member]:
    return [make_member(community, f"{name} {i}") for i in range(n)]


def begin(campaign: Campaign, owner: Member) -> str:
    done(act(campaign, owner, key=f"begin-{owner.pk}"))
    return Play.objects.get(campaign=campaign, starter=owner).key


def told(campaign: Campaign, member: Member, kind: str, play: str = "") -> dict[str, Any]:
    """What somebody is told, as it fits through a pipe."""
    answer = act(campaign, member, kind, play, key=f"{kind}-{play}-{member.pk}")
    return dict(answer.answer) if isinstance(answer, Done) else {"refused": answer.code}


def is_broken(community: Community) -> bool:
    return any(not verdict.holds for verdict in do_audit(community.pk))


# the last cut


@guarded
def test_the_last_cut_is_made_by_one_of_two(tea: Community, bob: Member, guarded: bool) -> None:
    sell(tea, "tea", price_minor=5_000)
    campaign = run(tea, "bargain", {**BARGAIN, "helpers": 2})
    play, (first, *rest) = begin(campaign, bob), people(tea, 3)
    done(act(campaign, first, "help", play))
    meeting = Meeting(guarded=guarded)

    def cut(friend: Member) -> dict[str, Any]:
        if not guarded:
            take_guards_away()
        with meeting.before_writing("campaigns_play"):
            return told(campaign, friend, "help", play)

    answers = in_processes([partial(cut, friend) for friend in rest])
    at_floor = [answer for answer in answers if answer.get("price_minor") == FLOOR]
    assert len(at_floor) == (1 if guarded else 2)
    assert is_broken(tea) is not guarded


def test_many_helpers_in_processes_land_on_the_floor_once(tea: Community) -> None:
    sell(tea, "tea", price_minor=5_000)
    campaign = run(tea, "bargain", BARGAIN)
    plays = [begin(campaign, owner) for owner in people(tea, 4, "Owner")]

    def help_all(friend: Member) -> list[dict[str, Any]]:
        return [told(campaign, friend, "help", play) for play in plays]

    answers = in_processes([partial(help_all, friend) for friend in people(tea, PROCESSES)])
    for number, key in enumerate(plays):
        prices = [a[number]["price_minor"] for a in answers if "refused" not in a[number]]
        state = Play.objects.get(key=key).state
        assert len(prices) == len(state["cuts"]) == BARGAIN["helpers"]
        assert (prices.count(FLOOR), min(prices), state["stage"]) == (1, FLOOR, "won")
        assert sum(cut["minor"] for cut in state["cuts"]) == BARGAIN["start_minor"] - FLOOR
    holds(tea)


# the last coupon


def write_whole_rows(bookings: Iterable[Booking]) -> None:
    """As others move value: what was read, changed, and written back as it is then."""
    for leg in (leg for booking in bookings for leg in booking.legs):
        leg.account.balance += leg.amount
        leg.account.save()


@guarded
def test_the_last_coupon_is_given_once(tea: Community, guarded: bool) -> None:
    campaign, meeting = run(tea, "coupon", {**TEN, "total": 1}), Meeting(guarded=guarded)

    def claim(member: Member) -> dict[str, Any]:
        if not guarded:
            take_guards_away()
            ledger._apply = write_whole_rows
        with meeting.before_writing("ledger_account"):
            return told(campaign, member, coupon.CLAIM)

    answers = in_processes([partial(claim, member) for member in people(tea, 2)])
    assert sum("coupon" in answer for answer in answers) == (1 if guarded else 2)
    assert Reward.objects.count() == (1 if guarded else 2)
    assert is_broken(tea) is not guarded


def test_a_crowd_in_processes_gets_no_more_coupons_than_there_are(tea: Community) -> None:
    total, crowd = 7, people(tea, 4 * PROCESSES)
    campaign = run(tea, "coupon", {**TEN, "total": total})

    def claim(members: list[Member]) -> list[dict[str, Any]]:
        return [told(campaign, member, coupon.CLAIM) for member in members]

    steps = [partial(claim, crowd[part::PROCESSES]) for part in range(PROCESSES)]
    answers = [answer for part in in_processes(steps) for answer in part]
    assert sum("coupon" in answer for answer in answers) == total
    assert sum(answer.get("refused") == "sold_out" for answer in answers) == len(crowd) - total
    assert Reward.objects.filter(state="paid").count() == total
    holds(tea)


# the last seat, and the end


def one_seat_left(campaign: Campaign, leader: Member) -> str:
    """A pair of which one has paid."""
    play = begin(campaign, leader)
    pay(Purchase.objects.latest("pk").order)
    step_orders()
    step_following()
    return play


def wrong_with(play: str) -> str:
    """A pair is complete and both have their goods, or it is not and all have their money."""
    stage = Play.objects.get(key=play).state["stage"]
    orders = Order.objects.filter(purchase__play=play)
    kept = sum(order.paid_minor > order.refunded_minor for order in orders)
    return "" if (stage, kept) in (("success", 2), ("failed", 0)) else f"{stage}, {kept} paid"


@guarded
def test_the_last_payment_and_the_end_of_a_group_are_one_after_the_other(
    tea: Community, guarded: bool
) -> None:
    sell(tea, "tea", price_minor=5_000)
    campaign, meeting = run(tea, "group_buy", PAIR), Meeting(guarded=guarded)
    leader, friend = people(tea, 2)
    play = one_seat_left(campaign, leader)
    with at(NOON + timedelta(minutes=59)):
        done(act(campaign, friend, "join", play))
        pay(Purchase.objects.latest("pk").order)
        step_orders()

    def meet(step: Callable[[], object], *, last: bool) -> None:
        if not guarded:
            take_guards_away()
        with (
            at(NOON + timedelta(minutes=60) + HEARD),
            meeting.before_writing("campaigns_play", last=last),
        ):
            step()

    in_processes([
        partial(meet, step_following, last=False), partial(meet, step_deadlines, last=True),
    ])  # fmt: skip
    with at(NOON + timedelta(minutes=62)):
        work()
    assert wrong_with(play) == ("" if guarded else "failed, 1 paid")
    assert is_broken(tea) is not guarded


def test_a_crowd_for_the_last_seat_and_the_end_leave_no_money_behind(tea: Community) -> None:
    """Four want the last seat of each group just before its end, and pay; two workers end it
    meanwhile, a little later with each group."""
    pot = sell(tea, "tea", price_minor=5_000, stock=50)
    campaign = run(tea, "group_buy", PAIR)
    plays, ends = [], []
    for number, leader in enumerate(people(tea, 5, "Leader")):
        with at(NOON + timedelta(minutes=10 * number)):
            plays.append(one_seat_left(campaign, leader))
            ends.append(clock.now() + timedelta(minutes=60))
    rounds = FORK.Barrier(PROCESSES)

    def want(friend: Member) -> None:
        for play, end in zip(plays, ends, strict=True):
            rounds.wait(PATIENCE_S)
            with at(end - timedelta(seconds=1)):
                answer = told(campaign, friend, "join", play)
                if "ref" in answer:
                    pay(Order.objects.get(purchase__ref=answer["ref"]))
                step_orders()
                step_following()

    def end_all() -> None:
        for number, end in enumerate(ends):
            rounds.wait(PATIENCE_S)
            time.sleep(0.04 * number)
            with at(end + HEARD):
                for step in (expire_unpaid, step_orders, step_following, step_deadlines):
                    step()

    in_processes([*(partial(want, friend) for friend in people(tea, 4)), end_all, end_all])
    with at(NOON + timedelta(hours=3)):
        work()
    assert [wrong_with(play) for play in plays] == [""] * len(plays)
    sold = 2 * Play.objects.filter(state__stage="success").count()
    assert pieces(pot) == (50 - sold, 0, sold)
    taken = dict(Slot.objects.values_list("name", "taken"))
    assert sum(n for name, n in taken.items() if name.startswith("live:")) == 0
    assert sum(n for name, n in taken.items() if name.startswith("times:")) == sold
    holds(tea)
