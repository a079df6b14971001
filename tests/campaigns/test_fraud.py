"""Doubts about friends who count: each signal, what people decide, and that an appeal restores
everything exactly."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.campaigns.errors import AppealedError, DecidedError, NothingToVoidError, NoWhyError
from qunluo.campaigns.fraud import count_open, note_acts, step_dormant, step_signals
from qunluo.campaigns.marks import do_mark, do_mark_browser, do_mark_orders, do_mark_payers
from qunluo.campaigns.mechanics.kernel import Refused
from qunluo.campaigns.models import Campaign, Deed, Evidence, Mark, Play, Reward, Suspicion
from qunluo.campaigns.playing import do_act
from qunluo.campaigns.reviewing import (
    do_answer_appeal,
    do_appeal,
    do_keep_friend,
    do_void_friend,
)
from qunluo.campaigns.signals import BURST, BURST_SPAN, Facts, find_loop, judge, list_bursts
from qunluo.campaigns.tasks import step_rewards
from qunluo.commerce.models import Payment
from qunluo.commerce.ordering import Delivery
from qunluo.commerce.paying import do_pay
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.actions import do_join, do_leave
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.ledger.actions import Leg, do_open_outside, do_transfer, find
from qunluo.ledger.models import Account, Lot
from qunluo.members.actions import do_erase
from qunluo.members.models import Member
from tests.campaigns.running import BARGAIN, act, done, holds, run, work
from tests.cast import NOON, make_member
from tests.commerce.shop import buy, sell

pytestmark = pytest.mark.django_db
STAFF = "staff:1"
POINTS = {"unit": "points", "amount": 100}
ASSIST: dict[str, Any] = {
    "tiers": [{"helps": 2, "reward": POINTS}, {"helps": 3, "reward": POINTS}],
    "helper_reward": {"unit": "points", "amount": 5}, "tasks": 5, "helps_a_day": 50,
}  # fmt: skip
COUPON: dict[str, Any] = {
    "name": "Five off", "total": 50, "off_minor": 500, "threshold_minor": 2_000,
    "inviter_most": 5,
}  # fmt: skip


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


def later(**span: float) -> clock.Clock:
    return clock.faster(0, NOON + timedelta(**span))


def look() -> None:
    note_acts(list(Event.objects.order_by("pk")))


def begin(campaign: Campaign, owner: Member) -> str:
    done(act(campaign, owner))
    return Play.objects.filter(campaign=campaign, starter=owner).latest("pk").key


def helped(campaign: Campaign, owner: Member, *friends: Member) -> str:
    play = begin(campaign, owner)
    for friend in friends:
        done(act(campaign, friend, "help", play))
    return play


def kinds(member: Member) -> set[str]:
    rows = Evidence.objects.filter(suspicion__member=member)
    return set(rows.values_list("kind", flat=True))


def points(member: Member) -> int:
    found = find(member.community_id, "member", member.pk, "points")
    return found.balance if found else 0


def books(community: Community) -> dict[str, Any]:
    """All that must be as before: balances (what is nothing is as if it were not there), the
    lots that members can spend, and rewards that stand."""
    rows = Account.objects.filter(community_id=community.pk).exclude(balance=0)
    lots = Lot.objects.filter(account__community_id=community.pk, left__gt=0)
    stand = Reward.objects.exclude(state="clawed_back")
    return {
        "balances": sorted(rows.values_list("kind", "owner", "unit", "balance", "held")),
        "lots": sorted(lots.values_list("account", "left", "expires_at")),
        "rewards": sorted(
            stand.values_list("rule", "member", "unit", "amount", "state", "vests_at"), key=str
        ),
    }  # fmt: skip


@pytest.fixture
def friends(tea: Community) -> list[Member]:
    return [make_member(tea, f"Friend {n}") for n in range(3)]


# signals


def test_the_same_browser_is_seen_and_asks_a_person(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    campaign = run(tea, "assist", ASSIST)
    do_mark_browser(bob, device="one", address="203.0.113.5")
    do_mark_browser(friends[0], device="one", address="203.0.113.9")
    do_mark_browser(friends[1], device="two", address="203.0.113.200")
    helped(campaign, bob, *friends[:2])
    look()
    assert kinds(friends[0]) == {"same_device", "same_block"}
    assert kinds(friends[1]) == {"same_block"}
    states = dict(Suspicion.objects.values_list("member", "state"))
    assert states == {friends[0].pk: "open", friends[1].pk: "noted"}
    found = Evidence.objects.get(kind="same_device")
    assert (found.version, found.score, found.suspicion.inviter) == (1, 60, bob)
    look()
    assert Evidence.objects.count() == 3
    assert count_open(tea.pk) == 1
    for mark in Mark.objects.all():
        assert len(mark.mark_hash) == 64
        assert "203" not in mark.mark_hash[:3]


def test_the_same_payer_and_the_same_address_are_seen(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    campaign = run(tea, "assist", ASSIST)
    tea_bag = sell(tea, "bag")
    for member, address in ((bob, "XX路8号 301"), (friends[0], "xx路８号301")):
        buy(member, tea_bag, to=Delivery(address))
    do_mark_orders([bob.pk, friends[0].pk])
    for number, member in enumerate((bob, friends[1])):
        order = buy(member, tea_bag)
        do_pay(order, f"p{number}", order.total_minor, clock.now(), "wechat", payer="openid-1")
    do_mark_payers([bob.pk, friends[1].pk])
    assert "openid" not in str(list(Payment.objects.values()))
    helped(campaign, bob, *friends[:2])
    look()
    assert kinds(friends[0]) == {"same_address"}
    assert kinds(friends[1]) == {"same_payer"}


def test_who_pays_later_is_looked_at_again(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    campaign = run(tea, "assist", ASSIST)
    helped(campaign, bob, friends[0])
    look()
    assert not Suspicion.objects.exists()
    for member in (bob, friends[0]):
        do_mark(member, "address", "here")
    paid = Event(kind="order_paid", member_id=friends[0].pk, community_id=tea.pk, data={})
    note_acts([paid])
    assert kinds(friends[0]) == {"same_address"}


def test_circles_of_two_and_three_are_seen(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    campaign = run(tea, "assist", ASSIST)
    ann, ben, cat = friends
    helped(campaign, bob, ann)
    helped(campaign, ann, bob)
    helped(campaign, ben, cat)
    look()
    assert kinds(bob) == kinds(ann) == {"closed_loop"}
    assert kinds(cat) == set()
    assert Evidence.objects.filter(facts__length=2).count() == 2


def test_a_circle_is_the_shortest_one() -> None:
    helped_by = {1: {2}, 2: {3}, 3: {1}, 4: {5}}
    assert find_loop(helped_by, 1, 2) == 3
    assert find_loop({1: {2}, 2: {1, 3}, 3: {1}}, 1, 2) == 2
    assert find_loop(helped_by, 4, 5) == 0


def test_who_had_left_and_came_again_is_seen(
    tea: Community, group: Group, bob: Member, friends: list[Member]
) -> None:
    campaign = run(tea, "assist", ASSIST)
    do_join(group, friends[0], by="system")
    do_leave(Membership.objects.get(member=friends[0]), why="left", by="system")
    do_join(group, friends[0], by="system")
    helped(campaign, bob, *friends[:2])
    look()
    assert kinds(friends[0]) == {"rejoin"}
    assert kinds(friends[1]) == set()


def test_a_friend_who_never_did_anything_is_seen_after_a_week(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    sale = run(tea, "coupon", COUPON)
    for friend in friends[:2]:
        done(_claim(sale, friend, bob))
    work()
    buy(friends[1], sell(tea, "cup"))
    with clock.use(later(days=6)):
        assert not step_dormant()
    with clock.use(later(days=7, hours=1)):
        assert step_dormant()
        assert not step_dormant()
    assert kinds(friends[0]) == {"dormant"}
    assert kinds(friends[1]) == set()


def test_more_than_a_hundred_in_a_minute_are_a_burst_for_everybody_of_it(
    tea: Community, bob: Member
) -> None:
    rules = {**ASSIST, "tiers": [{"helps": 900, "reward": POINTS}]}
    campaign = run(tea, "assist", rules)
    play = begin(campaign, bob)
    crowd = Member.objects.bulk_create(
        Member(community=tea, name=f"M{n}", made_at=NOON) for n in range(BURST + 2)
    )
    last = crowd.pop()
    _deeds(campaign, play, crowd[:BURST], 0.5)
    acts = _told(campaign, play, crowd[:BURST])
    note_acts(acts[-1:])
    assert not Evidence.objects.exists()
    _deeds(campaign, play, crowd[BURST:], 0.5, first=BURST)
    _deeds(campaign, play, [last], 1, first=600)
    note_acts(_told(campaign, play, [crowd[-1]]))
    assert Evidence.objects.filter(kind="burst").count() == BURST + 1
    assert Suspicion.objects.filter(state="open").count() == BURST + 1
    assert Evidence.objects.first().facts == {"helps": BURST + 1, "seconds": 60}  # type: ignore[union-attr]


def _deeds(
    campaign: Campaign, play: str, members: list[Member], seconds: float, first: int = 0
) -> None:
    Deed.objects.bulk_create(
        Deed(campaign=campaign, key=f"d{m.pk}", play=play, kind="help", member=m, revision=2,
             at=NOON + timedelta(seconds=(first + n) * seconds))
        for n, m in enumerate(members)
    )  # fmt: skip


def _told(campaign: Campaign, play: str, members: list[Member]) -> list[Event]:
    data = {"campaign": campaign.pk, "play": play, "act": "help"}
    return [Event(kind="campaign_helped", member_id=m.pk, data=data) for m in members]


@given(st.lists(st.integers(0, 200), max_size=250).map(sorted))
def test_everybody_of_a_burst_is_told_its_size_and_nobody_else(gaps: list[int]) -> None:
    times = [NOON + timedelta(seconds=gap) for gap in gaps]
    for at, size in zip(times, list_bursts(times), strict=True):
        windows = [sum(t <= other <= t + BURST_SPAN for other in times)
                   for t in times if t <= at <= t + BURST_SPAN]  # fmt: skip
        assert size == (max(windows) if max(windows) > BURST else 0)


def test_signals_have_words_and_the_heaviest_is_first() -> None:
    facts = Facts(("block", "device", "payer", "address"), burst=101, loop=2, left=1,
                  dormant_days=7)  # fmt: skip
    found = judge(facts)
    assert len(found) == 8
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)
    assert all("{" not in signal.words()(lang) for signal in found for lang in ("en", "zh"))
    assert judge(Facts(burst=100, dormant_days=6)) == []


@pytest.mark.django_db(transaction=True)
def test_the_worker_looks_at_what_happened(tea: Community, bob: Member) -> None:
    campaign, ann = run(tea, "assist", ASSIST), make_member(tea, "Ann")
    for member in (bob, ann):
        do_mark(member, "device", "one")
    helped(campaign, bob, ann)
    assert step_signals()
    assert kinds(ann) == {"same_device"}


# what is refused at once


def test_oneself_and_the_same_friend_again_are_refused_at_once(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    campaign = run(tea, "assist", ASSIST)
    play = helped(campaign, bob, friends[0])
    assert isinstance(act(campaign, bob, "help", play), Refused)
    assert isinstance(act(campaign, friends[0], "help", play), Refused)
    assert not Suspicion.objects.exists()


# deciding


def doubt(campaign: Campaign, play: str, friend: Member, inviter: Member) -> Suspicion:
    for member in (friend, inviter):
        do_mark(member, "device", "one")
    look()
    return Suspicion.objects.get(campaign=campaign, play=play, member=friend)


def test_kept_means_that_the_friend_counts_for_good(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    campaign = run(tea, "assist", ASSIST)
    play = helped(campaign, bob, *friends)
    found, before = doubt(campaign, play, friends[0], bob), books(tea)
    with pytest.raises(NoWhyError):
        do_keep_friend(found, why=" ", by=STAFF)
    do_keep_friend(found, why="a family with one phone", by=STAFF)
    assert books(tea) == before
    with pytest.raises(DecidedError):
        do_keep_friend(found, why="again", by=STAFF)
    found.refresh_from_db()
    assert (found.state, found.by) == ("kept", STAFF)


def test_rewards_of_a_play_in_doubt_wait_for_a_person(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    campaign = run(tea, "assist", {**ASSIST, "hold_days": 1})
    play = helped(campaign, bob, *friends[:2])
    found = doubt(campaign, play, friends[0], bob)
    with clock.use(later(days=2)):
        assert not step_rewards()
        do_keep_friend(found, why="a family with one phone", by=STAFF)
        assert step_rewards()
    assert points(bob) == 100
    holds(tea)


@pytest.mark.parametrize("hold_days", [0, 7])
def test_a_void_friend_brings_nothing_and_an_appeal_restores_exactly(
    tea: Community, bob: Member, friends: list[Member], hold_days: int
) -> None:
    campaign = run(tea, "assist", {**ASSIST, "hold_days": hold_days})
    play = helped(campaign, bob, *friends)
    found, before = doubt(campaign, play, friends[0], bob), books(tea)
    with clock.use(later(hours=3)):
        do_void_friend(found, why="one phone for both", by=STAFF)
        assert points(bob) == (0 if hold_days else 100)
        assert points(friends[0]) == 0
        assert books(tea) != before
        holds(tea)
        with pytest.raises(DecidedError):
            do_void_friend(found, why="again", by=STAFF)
    with clock.use(later(days=1)):
        do_appeal(found, "My sister and I share a phone.", member=bob)
        do_answer_appeal(found, restore=True, answer="we called them", by="staff:2")
    assert books(tea) == before
    holds(tea)
    with pytest.raises(DecidedError):
        do_void_friend(found, why="once more", by=STAFF)


def test_what_was_spent_is_owed_and_an_appeal_settles_it(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    campaign = run(tea, "assist", ASSIST)
    play = helped(campaign, bob, *friends)
    mine, outside = (
        find(tea.pk, "member", bob.pk, "points"),
        do_open_outside(tea.pk, "spent", "points"),
    )
    assert mine is not None
    do_transfer(tea.pk, cause="gone", legs=[Leg(mine, -170), Leg(outside, 170)], by=STAFF)
    found, before = doubt(campaign, play, friends[0], bob), books(tea)
    do_void_friend(found, why="one phone for both", by=STAFF)
    owed = Account.objects.get(kind="owed")
    assert (owed.balance, points(bob)) == (-70, 0)
    holds(tea)
    do_appeal(found, "We share a phone.", member=bob)
    do_answer_appeal(found, restore=True, answer="right", by=STAFF)
    assert {**books(tea), "lots": 0} == {**before, "lots": 0}
    assert sum(Lot.objects.filter(account=mine).values_list("left", flat=True)) == points(bob)
    holds(tea)


def _claim(campaign: Campaign, friend: Member, inviter: Member) -> Any:
    facts = {"inviter": inviter.pk, "new": True}
    return do_act(campaign, "claim", member=friend, key="c", facts=facts)


def test_the_inviters_coupon_is_taken_back_and_the_same_one_restored(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    sale = run(tea, "coupon", COUPON)
    done(_claim(sale, friends[0], bob))
    work()
    found, before = doubt(sale, f"m{friends[0].pk}", friends[0], bob), books(tea)
    assert found.inviter == bob
    do_void_friend(found, why="one phone for both", by=STAFF)
    assert Reward.objects.get(member=bob).state == "clawed_back"
    assert Play.objects.get(key=f"m{friends[0].pk}").state["tie"] == "void"
    holds(tea)
    do_appeal(found, "We share a phone.", member=bob)
    do_answer_appeal(found, restore=True, answer="right", by=STAFF)
    assert books(tea) == before
    holds(tea)


def test_an_appeal_that_is_not_right_changes_nothing(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    campaign = run(tea, "assist", ASSIST)
    play = helped(campaign, bob, *friends)
    found = doubt(campaign, play, friends[0], bob)
    with pytest.raises(DecidedError):
        do_appeal(found, "why?", member=bob)
    do_void_friend(found, why="one phone for both", by=STAFF)
    before = books(tea)
    for stranger in friends[1:]:
        with pytest.raises(AppealedError):
            do_appeal(found, "let me", member=stranger)
    do_appeal(found, "why?", member=friends[0])
    with pytest.raises(AppealedError):
        do_appeal(found, "why??", member=bob)
    assert count_open(tea.pk) == 1
    do_answer_appeal(found, restore=False, answer="the evidence is clear", by="staff:2")
    assert books(tea) == before
    assert count_open(tea.pk) == 0
    with pytest.raises(DecidedError):
        do_answer_appeal(found, restore=True, answer="after all", by=STAFF)


def test_what_gave_nothing_for_a_friend_alone_cannot_be_taken_back(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    sell(tea, "tea", price_minor=5_000, stock=20)
    campaign = run(tea, "bargain", BARGAIN)
    play = helped(campaign, bob, friends[0])
    found = doubt(campaign, play, friends[0], bob)
    with pytest.raises(NothingToVoidError):
        do_void_friend(found, why="one phone for both", by=STAFF)
    found.refresh_from_db()
    assert found.state == "open"


def test_erasure_forgets_marks_facts_and_words(
    tea: Community, bob: Member, friends: list[Member]
) -> None:
    campaign = run(tea, "assist", ASSIST)
    play = helped(campaign, bob, *friends)
    found = doubt(campaign, play, friends[0], bob)
    do_void_friend(found, why="one phone for both", by=STAFF)
    do_appeal(found, "I am her sister", member=friends[0])
    do_erase(friends[0], by="system")
    found.refresh_from_db()
    assert found.appeal == ""
    assert not Mark.objects.filter(member=friends[0]).exists()
    assert Evidence.objects.get().facts == {}
