"""The wish list: each vote counts once, two wishes can become one and two again, answers arrive."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.care.errors import (
    NotInGroupError,
    SameWishError,
    TooManyWishesError,
    WhyMissingError,
    WishClosedError,
    WordsMissingError,
)
from qunluo.care.models import Support, Wish, WishMerge
from qunluo.care.rules import likeness
from qunluo.care.tasks import follow_merges
from qunluo.care.wishes import (
    MOST_OPEN,
    do_answer_wish,
    do_make_wish,
    do_merge_wishes,
    do_reopen_wish,
    do_set_wish_aside,
    do_take_back_vote,
    do_undo_wish_merge,
    do_vote,
    find_kept,
    list_alike,
    list_wishes,
    tell_supporters,
)
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.actions import do_merge, do_set_consent, do_undo_merge
from qunluo.members.erasing import do_erase
from qunluo.members.models import Member
from qunluo.messaging.models import Delivery
from qunluo.messaging.outbox import try_deliver_one
from tests.cast import NOON, make_group, make_member

pytestmark = pytest.mark.django_db
STAFF = "staff:1"


def seat(group: Group, name: str) -> Member:
    member = make_member(group.community, name)
    Membership.objects.create(group=group, member=member, joined_at=clock.now())
    do_set_consent(member, "service", "web", True, words="yes", by=member.actor)
    return member


def wish_of(member: Member, title: str = "A smaller pot") -> Wish:
    return do_make_wish(member.community, title=title, member=member, by=member.actor)


def votes(wish: Wish) -> int:
    wish.refresh_from_db()
    assert wish.votes == Support.objects.filter(wish=wish).count()
    return wish.votes


def kinds(community: Community) -> list[str]:
    rows = Event.objects.filter(community_id=community.pk, kind__startswith="wish")
    return list(rows.order_by("id").values_list("kind", flat=True))


def test_who_makes_a_wish_votes_for_it_and_others_once_each(group: Group) -> None:
    bob, dora = seat(group, "Bob"), seat(group, "Dora")
    wish = wish_of(bob)
    assert do_vote(wish, dora, by=dora.actor)
    assert not do_vote(wish, dora, by=dora.actor)
    assert votes(wish) == 2
    assert kinds(group.community) == ["wish_made", "wish_voted", "wish_voted"]


def test_a_vote_can_be_taken_back_and_given_again(group: Group) -> None:
    bob = seat(group, "Bob")
    wish = wish_of(bob)
    assert do_take_back_vote(wish, bob, by=bob.actor)
    assert not do_take_back_vote(wish, bob, by=bob.actor)
    assert votes(wish) == 0
    assert do_vote(wish, bob, by=bob.actor)
    assert votes(wish) == 1


def test_strangers_and_those_who_left_have_no_vote(group: Group) -> None:
    bob = seat(group, "Bob")
    wish = wish_of(bob)
    stranger = make_member(group.community, "Eve")
    for act in (lambda: do_vote(wish, stranger, by=stranger.actor), lambda: wish_of(stranger)):
        with pytest.raises(NotInGroupError):
            act()


def test_nobody_floods_the_list_and_empty_wishes_are_none(group: Group) -> None:
    bob = seat(group, "Bob")
    with pytest.raises(WordsMissingError):
        wish_of(bob, "  ")
    for number in range(MOST_OPEN):
        wish_of(bob, f"Tea {number}")
    with pytest.raises(TooManyWishesError):
        wish_of(bob, "One more")


def test_of_two_wishes_one_is_made_and_who_voted_for_both_counts_once(group: Group) -> None:
    bob, dora, eve = (seat(group, name) for name in ("Bob", "Dora", "Eve"))
    kept, gone = wish_of(bob), wish_of(dora, "Smaller pots")
    do_vote(gone, bob, by=bob.actor)
    do_vote(gone, eve, by=eve.actor)
    merge = do_merge_wishes(kept, gone, by=STAFF)
    assert votes(kept) == 3
    gone.refresh_from_db()
    assert (gone.state, find_kept(gone)) == ("merged", kept)
    with pytest.raises(WishClosedError):
        do_vote(gone, eve, by=eve.actor)
    do_undo_wish_merge(merge, by=STAFF)
    assert (votes(kept), votes(gone)) == (1, 3)
    with pytest.raises(WishClosedError):
        do_undo_wish_merge(merge, by=STAFF)


def test_a_wish_is_not_merged_with_itself_nor_with_what_is_closed(group: Group) -> None:
    bob = seat(group, "Bob")
    one, other = wish_of(bob), wish_of(bob, "Another")
    with pytest.raises(SameWishError):
        do_merge_wishes(one, one, by=STAFF)
    do_answer_wish(other, "no", "too dear", by=STAFF)
    for kept, gone in ((one, other), (other, one)):
        with pytest.raises(WishClosedError):
            do_merge_wishes(kept, gone, by=STAFF)


@pytest.mark.parametrize("seed", range(12))
def test_merges_taken_back_in_any_order_leave_everybody_one_vote(
    group: Group, seed: int
) -> None:
    """Whatever was merged and undone: a supporter of any part supports the whole, once."""
    chance = random.Random(seed)
    people = [seat(group, f"M{n}") for n in range(4)]
    kept = wish_of(people[0], "Kept")
    parts = [wish_of(people[n], f"Part {n}") for n in range(1, 4)]
    backers: dict[int, set[int]] = {kept.pk: {people[0].pk}}
    for number, part in enumerate(parts, 1):
        backers[part.pk] = {people[number].pk}
        for member in chance.sample(people, 2):
            do_vote(part, member, by=member.actor)
            backers[part.pk].add(member.pk)
    merged: dict[int, WishMerge] = {}
    for _ in range(12):
        part = chance.choice(parts)
        if part.pk in merged:
            do_undo_wish_merge(merged.pop(part.pk), by=STAFF)
        else:
            merged[part.pk] = do_merge_wishes(kept, part, by=STAFF)
        together = backers[kept.pk].union(*(backers[pk] for pk in merged))
        found = Support.objects.filter(wish=kept).values_list("member_id", flat=True)
        assert set(found) == together
        assert votes(kept) == len(together)
        for free in (p for p in parts if p.pk not in merged):
            rows = Support.objects.filter(wish=free).values_list("member_id", flat=True)
            assert set(rows) == backers[free.pk]
            assert votes(free) == len(backers[free.pk])


def test_the_answer_reaches_supporters_who_allow_it_once(group: Group, noon: datetime) -> None:
    bob, dora = seat(group, "Bob"), seat(group, "Dora")
    wish = wish_of(bob, "A {smaller} pot")
    do_vote(wish, dora, by=dora.actor)
    do_set_consent(dora, "service", "web", False, words="no", by=dora.actor)
    do_answer_wish(wish, "product", "In March, 300 ml.", by=STAFF)
    with pytest.raises(WishClosedError):
        do_answer_wish(wish, "no", "Never mind", by=STAFF)
    assert tell_supporters()
    assert not tell_supporters()
    Wish.objects.update(told_at=None, told_id=0)  # the worker was killed before it was kept
    assert tell_supporters()
    while try_deliver_one():
        pass
    states = dict(Delivery.objects.filter(kind="direct").values_list("member", "state"))
    assert states == {bob.pk: "received", dora.pk: "dropped"}
    text = bob.direct_items.get().text
    assert "A {smaller} pot" in text
    assert "300 ml" in text


def test_what_is_adopted_is_to_the_credit_of_those_who_proposed_it(group: Group) -> None:
    bob, dora, eve = (seat(group, name) for name in ("Bob", "Dora", "Eve"))
    kept, gone = wish_of(bob), wish_of(dora, "Smaller pots")
    do_vote(kept, eve, by=eve.actor)
    do_merge_wishes(kept, gone, by=STAFF)
    do_answer_wish(kept, "campaign", "We vote for the size.", by=STAFF)
    rows = Event.objects.filter(kind="wish_adopted").values_list("member_id", flat=True)
    assert sorted(rows) == sorted([bob.pk, dora.pk])
    other = wish_of(bob, "Free tea")
    do_answer_wish(other, "no", "It would not last.", by=STAFF)
    assert Event.objects.filter(kind="wish_adopted").count() == 2


def test_an_answer_needs_words_and_setting_aside_a_reason(group: Group) -> None:
    wish = wish_of(seat(group, "Bob"))
    with pytest.raises(WordsMissingError):
        do_answer_wish(wish, "no", " ", by=STAFF)
    with pytest.raises(WhyMissingError):
        do_set_wish_aside(wish, why="", by=STAFF)
    do_set_wish_aside(wish, why="an advertisement", by=STAFF)
    assert list(list_wishes(group.community)) == []
    do_reopen_wish(wish, by=STAFF)
    assert list(list_wishes(group.community)) == [wish]
    with pytest.raises(WishClosedError):
        do_reopen_wish(wish, by=STAFF)


@pytest.mark.django_db(transaction=True)  # what is followed must be committed
def test_two_members_who_are_one_have_one_vote_and_two_again_when_undone(group: Group) -> None:
    bob, rob = seat(group, "Bob"), seat(group, "Rob")
    wish = wish_of(bob)
    do_vote(wish, rob, by=rob.actor)
    while follow_merges():
        pass
    merge = do_merge(bob, rob, evidence={"kind": "hand"}, by=STAFF)
    while follow_merges():
        pass
    assert votes(wish) == 1
    do_undo_merge(merge, by=STAFF)
    while follow_merges():
        pass
    assert votes(wish) == 2


def test_erasing_takes_the_words_and_leaves_what_others_support(group: Group) -> None:
    bob, dora = seat(group, "Bob"), seat(group, "Dora")
    shared, alone = wish_of(bob), wish_of(bob, "My street, Elm 7, needs a shop")
    do_vote(shared, dora, by=dora.actor)
    Wish.objects.update(text="I am Bob")
    do_erase(bob, by=bob.actor)
    assert list(Wish.objects.all()) == [shared]
    shared.refresh_from_db()
    assert (shared.text, shared.member, shared.by, votes(shared)) == ("", None, "system", 2)
    assert not Wish.objects.filter(pk=alone.pk).exists()


def test_other_wishes_that_say_the_same_are_offered_first(group: Group) -> None:
    bob = seat(group, "Bob")
    wish, far, near = (
        wish_of(bob, title) for title in ("想要小一点的茶壶", "包邮", "茶壶能不能小一点")
    )
    assert list_alike(wish, [wish, far, near]) == [near, far]


def test_only_who_comes_first_answers(group: Group) -> None:
    wish = wish_of(seat(group, "Bob"))
    stale = Wish.objects.get(pk=wish.pk)
    do_answer_wish(wish, "product", "Soon.", by=STAFF)
    with pytest.raises(WishClosedError):
        do_answer_wish(stale, "no", "No.", by="staff:2")
    stale.refresh_from_db()
    assert (stale.state, stale.answered_by) == ("product", STAFF)


def test_an_answer_waits_for_the_morning(tea: Community) -> None:
    night = NOON + timedelta(hours=11)  # 23:00 in Shanghai
    with clock.use(clock.faster(0, night)):
        bob = seat(make_group(tea), "Bob")
        do_answer_wish(wish_of(bob), "product", "Soon.", by=STAFF)
        tell_supporters()
        while try_deliver_one():
            pass
        assert Delivery.objects.get(kind="direct").why == "quiet hours"


@given(st.text(), st.text())
def test_likeness_is_between_none_and_all_and_has_no_direction(one: str, other: str) -> None:
    found = likeness(one, other)
    assert 0 <= found <= 1
    assert found == likeness(other, one)
    assert likeness(one, one) in (0, 1)


# an answer is taken back


def told(member: Member) -> list[str]:
    rows = Delivery.objects.filter(member=member).exclude(state="dropped").order_by("pk")
    return [row.body["text"] for row in rows]


def tell_all() -> None:
    while tell_supporters():
        pass


def test_an_answered_wish_opens_again_and_supporters_hear_why_once(
    group: Group, noon: datetime
) -> None:
    bob, dora = seat(group, "Bob"), seat(group, "Dora")
    wish = wish_of(bob)
    do_answer_wish(wish, "no", "Too dear.", by=STAFF)
    tell_all()
    with pytest.raises(WhyMissingError):
        do_reopen_wish(wish, why=" ", by=STAFF)
    deliver_all()
    do_reopen_wish(wish, why="A potter wrote to us.", by=STAFF)
    assert (wish.state, wish.answer, wish.answered_at) == ("open", "", None)
    assert do_vote(wish, dora, by=dora.actor)
    with pytest.raises(WishClosedError):
        do_reopen_wish(wish, why="again", by=STAFF)
    tell_all()
    tell_all()
    assert told(bob)[1:] == ["你支持的心愿“A smaller pot”重新开放讨论：A potter wrote to us."]
    event = Event.objects.get(kind="wish_reopened")
    assert (event.data["why"], event.actor) == ("A potter wrote to us.", STAFF)
    with clock.use(clock.faster(0, NOON + timedelta(days=1))):
        do_answer_wish(wish, "product", "In March.", by=STAFF)
        tell_all()
    assert sum("In March." in text for text in told(bob)) == 1
    assert sum("In March." in text for text in told(dora)) == 1


def test_an_answer_that_was_not_sent_yet_does_not_leave(group: Group, noon: datetime) -> None:
    bob = seat(group, "Bob")
    wish = wish_of(bob)
    do_answer_wish(wish, "no", "Too dear.", by=STAFF)
    tell_all()
    do_reopen_wish(wish, why="We looked again.", by=STAFF)
    tell_all()
    assert [("Too dear" in text, "looked again" in text) for text in told(bob)] == [
        (False, True)
    ]


def test_opened_and_answered_at_once_only_the_answer_is_told(
    group: Group, noon: datetime
) -> None:
    bob = seat(group, "Bob")
    wish = wish_of(bob)
    do_answer_wish(wish, "no", "Too dear.", by=STAFF)
    do_reopen_wish(wish, why="We looked again.", by=STAFF)
    do_answer_wish(wish, "campaign", "In May.", by=STAFF)
    tell_all()
    assert ["In May." in text for text in told(bob)] == [True]
    assert wish.reopened_at is None


def deliver_all() -> None:
    while try_deliver_one():
        pass
