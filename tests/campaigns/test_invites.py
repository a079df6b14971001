"""Invitations: signed, the first touch for life, and friends who count once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from qunluo.campaigns.arriving import note_arrivals, step_arrivals
from qunluo.campaigns.invites import (
    Invite,
    do_attribute,
    do_come_in,
    do_forget_visitors,
    do_visit,
    facts_of,
    is_still_there,
    make_invite,
    new_visitor,
    read_invite,
)
from qunluo.campaigns.marks import block_of, do_mark, plain_address
from qunluo.campaigns.models import Attribution, Campaign, Following, Mark, Play, Reward, Visit
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.actions import do_join, do_leave
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.actions import do_erase, do_meet, do_merge, do_undo_merge
from qunluo.members.models import Member
from tests.campaigns.running import FLASH, act, done, holds, run, work
from tests.cast import NOON, make_member
from tests.commerce.shop import sell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


@pytest.fixture
def sale(tea: Community) -> Campaign:
    sell(tea, "tea", price_minor=5_000, stock=20)
    return run(tea, "flash_sale", {**FLASH, "invites": 1, "unlocked_minor": 10})


def later(**span: float) -> clock.Clock:
    return clock.faster(0, NOON + timedelta(**span))


def meet(community: Community, name: str, visitor: str = "", **more: object) -> Member:
    """Somebody comes in, by the browser that opened what it opened."""
    member = do_meet(community, channel="web", external_id=f"w-{name}", name=name, **more)  # type: ignore[arg-type]
    do_come_in(member, visitor)
    return member


def arrive() -> None:
    """Everything that happened is told again; all of it was told before, but the last."""
    note_arrivals(list(Event.objects.order_by("pk")))
    work()


def test_an_invitation_says_who_invites_to_what_and_until_when(
    sale: Campaign, bob: Member
) -> None:
    token = make_invite(sale, bob, "poster")
    assert read_invite(token, sale.community_id) == Invite(bob, sale, "poster")
    assert make_invite(sale, bob, "poster") == token
    assert read_invite(f"{token}x", sale.community_id) is None
    assert read_invite("", sale.community_id) is None
    assert (
        read_invite(token.replace(str(bob.pk), str(bob.pk + 1), 1), sale.community_id) is None
    )
    assert read_invite(token, sale.community_id + 1) is None
    with clock.use(later(days=3)):
        assert read_invite(token, sale.community_id) is None


def test_nobody_invites_who_is_gone(sale: Campaign, bob: Member) -> None:
    token = make_invite(sale, bob)
    do_erase(bob, by="system")
    assert read_invite(token, sale.community_id) is None


def test_the_first_touch_wins_and_later_ones_are_kept(
    tea: Community, sale: Campaign, bob: Member
) -> None:
    ann, visitor = make_member(tea, "Ann"), new_visitor()
    do_visit(Invite(ann, sale, "link"), visitor)
    with clock.use(later(hours=1)):
        do_visit(Invite(bob, None, "link"), visitor)
    with clock.use(later(hours=2)):
        eve = meet(tea, "Eve", visitor, inviter=bob)
    with clock.use(later(hours=3)):
        do_visit(Invite(bob, sale, "link"), visitor, eve)
        assert do_attribute(eve).inviter == ann
    assert Visit.objects.filter(member=eve).count() == 3
    assert Attribution.objects.get(member=eve).campaign == sale


def test_who_was_here_before_the_touch_was_brought_by_nobody(
    tea: Community, sale: Campaign, bob: Member
) -> None:
    with clock.use(later(days=-9)):
        eve = meet(tea, "Eve")
    do_visit(Invite(bob, sale, "link"), new_visitor(), eve)
    assert do_attribute(eve).inviter is None
    assert facts_of(sale, eve) == {"inviter": bob.pk, "new": False}


def test_an_invitation_to_a_group_brings_somebody_too(
    tea: Community, bob: Member, sale: Campaign
) -> None:
    eve = meet(tea, "Eve", inviter=bob)
    found = do_attribute(eve)
    assert (found.inviter, found.campaign) == (bob, sale)


def test_a_sale_that_asks_for_no_friends_has_no_part_in_who_came(
    sale: Campaign, tea: Community, bob: Member
) -> None:
    plain = run(tea, "flash_sale", FLASH)  # begun later, but it unlocks nothing by friends
    eve = meet(tea, "Eve", inviter=bob)
    assert do_attribute(eve).campaign == sale != plain


def test_nobody_touches_themselves(sale: Campaign, bob: Member) -> None:
    assert do_visit(Invite(bob, sale, "link"), new_visitor(), bob) is None
    visitor = new_visitor()
    do_visit(Invite(bob, sale, "link"), visitor)
    do_come_in(bob, visitor)
    assert do_attribute(bob).inviter is None


def test_a_friend_who_came_counts_once_for_who_brought_them(
    tea: Community, group: Group, sale: Campaign, bob: Member
) -> None:
    visitor = new_visitor()
    do_visit(Invite(bob, sale, "poster"), visitor)
    with clock.use(later(minutes=5)):
        eve = meet(tea, "Eve", visitor)
        do_join(group, eve, by=eve.actor)
        assert facts_of(sale, eve) == {"inviter": bob.pk, "new": True}
        arrive()
        assert Play.objects.get(campaign=sale, key=f"m{bob.pk}").state["invited"] == [eve.pk]
        do_leave(Membership.objects.get(member=eve), why="left", by=eve.actor)
        assert not is_still_there(eve)
        do_join(group, eve, by=eve.actor)
        assert is_still_there(eve)
        arrive()
    assert Following.objects.filter(kind="invited").count() == 1
    assert Play.objects.get(campaign=sale, key=f"m{bob.pk}").state["invited"] == [eve.pk]
    holds(tea)


def test_only_friends_who_stay_until_their_gate_count_in_tiered_invites(
    tea: Community, group: Group, bob: Member
) -> None:
    reward = {"unit": "points", "amount": 100}
    rules = {
        "tiers": [{"invites": 1, "reward": reward}],
        "days": 3,
        "hold_days": 0,
        "inviters": 5,
    }
    campaign = run(tea, "tiered_invites", rules)
    friends = [meet(tea, name, inviter=bob) for name in ("Ann", "Eve")]
    for friend in friends:
        do_join(group, friend, by=friend.actor)
    arrive()
    play = Play.objects.get(campaign=campaign, starter=bob)
    assert [i["state"] for i in play.state["invites"]] == ["waiting", "waiting"]
    with clock.use(later(days=1)):
        do_leave(Membership.objects.get(member=friends[0]), why="left", by=bob.actor)
        arrive()
        do_join(group, friends[0], by=bob.actor)  # who comes again has not stayed
        arrive()
    with clock.use(later(days=3, minutes=1)):
        work()
        play.refresh_from_db()
        states = {i["member"]: i["state"] for i in play.state["invites"]}
        assert states == {friends[0].pk: "lost", friends[1].pk: "counted"}
        assert Reward.objects.get(campaign=campaign).member == bob
        holds(tea)


@pytest.mark.django_db(transaction=True)
def test_the_worker_attributes_who_comes(tea: Community, bob: Member) -> None:
    eve = do_meet(tea, channel="web", external_id="w-eve", name="Eve", inviter=bob)
    assert step_arrivals()
    assert not step_arrivals()
    assert Attribution.objects.get(member=eve).inviter == bob


def test_being_known_by_name_does_not_count_yet(
    tea: Community, sale: Campaign, bob: Member
) -> None:
    meet(tea, "Eve", inviter=bob)
    arrive()
    assert not Following.objects.exists()
    assert Attribution.objects.filter(inviter=bob).count() == 1


def test_no_page_says_who_invited(sale: Campaign, bob: Member, tea: Community) -> None:
    eve = meet(tea, "Eve")
    assert facts_of(sale, eve) == {"inviter": 0, "new": False}
    done(act(sale, bob))


def test_who_turn_out_to_be_one_are_attributed_once_and_it_goes_back_exactly(
    tea: Community, bob: Member, sale: Campaign
) -> None:
    ann = make_member(tea, "Ann")
    one, other = meet(tea, "Eve", inviter=ann), meet(tea, "Eve 2", inviter=bob)
    before = list(Attribution.objects.order_by("member").values("member", "inviter", "at"))
    merge = do_merge(one, other, evidence={"kind": "hand"}, by="staff:1")
    assert do_attribute(other).inviter == ann
    assert Attribution.objects.count() == 1
    do_undo_merge(merge, by="staff:1")
    now = list(Attribution.objects.order_by("member").values("member", "inviter", "at"))
    assert now == before


def test_strangers_are_forgotten_and_stay_counted(sale: Campaign, bob: Member) -> None:
    do_visit(Invite(bob, sale, "link"), new_visitor())
    with clock.use(later(days=29)):
        assert do_forget_visitors() == 0
    with clock.use(later(days=31)):
        assert do_forget_visitors() == 1
    assert Visit.objects.get().visitor_hash == ""


def test_the_same_browser_is_one_visit(sale: Campaign, bob: Member) -> None:
    visitor = new_visitor()
    for _ in range(3):
        do_visit(Invite(bob, sale, "link"), visitor)
    assert Visit.objects.get().times == 3
    assert visitor not in Visit.objects.get().visitor_hash


def test_erasure_forgets_browsers_and_keeps_who_brought_whom(
    tea: Community, sale: Campaign, bob: Member
) -> None:
    visitor = new_visitor()
    do_visit(Invite(bob, sale, "link"), visitor)
    eve = meet(tea, "Eve", visitor)
    do_mark(eve, "device", visitor)
    do_erase(eve, by="system")
    assert not Mark.objects.exists()
    assert Visit.objects.get().visitor_hash == ""
    assert Attribution.objects.filter(inviter=bob).count() == 1


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("203.0.113.77", "203.0.113.0/24"), ("::ffff:203.0.113.1", "203.0.113.0/24"),
        ("2001:db8:1:2::5", "2001:db8:1::/48"), ("127.0.0.1", ""), ("::1", ""), ("x", ""), ("", ""),
    ],
)  # fmt: skip
def test_neighbours_share_a_block(address: str, block: str) -> None:
    assert block_of(address) == block


def test_an_address_is_the_same_however_it_is_written() -> None:
    assert plain_address("上海市 XX路８号，2-301") == plain_address("上海市xx路8号2301")
