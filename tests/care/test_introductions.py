"""Introductions: whom the rule suggests and why, both members' consent, and what is measured."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from qunluo.care.errors import (
    IntroductionGoneError,
    NotReachableError,
    SameTagError,
    WhyMissingError,
)
from qunluo.care.introductions import (
    do_accept,
    do_answer,
    do_dismiss,
    do_opt_out,
    expire_unanswered,
    find_by_token,
    make_token,
    measure_due,
)
from qunluo.care.matching import Person, Tagged, choose, connects, find_matches, ordered
from qunluo.care.models import Introduction, IntroductionOptOut
from qunluo.care.suggesting import (
    do_complement,
    do_suggest,
    do_uncomplement,
    find_circles,
    measure,
    suggest_due,
)
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.groups.models import Group, Membership
from qunluo.insight.estimates import wilson
from qunluo.kit import clock
from qunluo.members.actions import do_erase, do_merge, do_set_consent, do_tag
from qunluo.members.models import Member, Tag, TagGroup
from qunluo.messaging.models import Delivery
from qunluo.standing.tasks import do_follow
from qunluo.standing.ties import do_tie_all
from tests.cast import NOON, client_of, make_group, make_member

pytestmark = pytest.mark.django_db
STAFF, SITE = "staff:1", "http://localhost"
DAY = timedelta(days=1)
FOLLOWING = pytest.mark.django_db(transaction=True)  # only what is settled is followed
TAGS = {1: "coffee", 2: "cats", 3: "sells", 4: "looks for"}


@pytest.fixture(autouse=True)
def quick(noon: datetime) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def coffee(tea: Community) -> Tag:
    return make_tag(tea, "coffee")


def make_tag(community: Community, name: str) -> Tag:
    kind, _ = TagGroup.objects.get_or_create(community=community, name="likes")
    return Tag.objects.create(group=kind, name=name)


def seat(group: Group, name: str, *tags: Tag, days: int = 60) -> Member:
    member = make_member(group.community, name)
    Membership.objects.create(group=group, member=member, joined_at=clock.now() - days * DAY)
    for tag in tags:
        do_tag(member, tag, by=STAFF, why="said so")
    return member


def talk(one: Member, other: Member, at: datetime | None = None) -> None:
    record("message_posted", community=one.community_id, member=one.pk, actor=one.actor,
           data={"label": "member", "to_member": other.pk}, at=at or clock.now())  # fmt: skip


def follow_all() -> None:
    while do_follow():
        pass


def suggested(group: Group, coffee: Tag) -> Introduction:
    for name in ("Bob", "Dora"):
        seat(group, name, coffee)
    assert do_suggest(group.community) == 1
    return Introduction.objects.get()


def ends(row: Introduction) -> set[str]:
    return {row.one.name, row.other.name}


# the rule

PEOPLE = st.lists(
    st.builds(
        Person, st.integers(1, 40), st.just("X"), st.frozensets(st.sampled_from(sorted(TAGS))),
        st.booleans(), st.integers(0, 90), st.integers(-1, 2), st.just(3),
    ),
    max_size=10, unique_by=lambda p: p.pk,
)  # fmt: skip
APART = st.sets(st.tuples(st.integers(1, 40), st.integers(1, 40)).map(lambda p: ordered(*p)))


@given(PEOPLE, APART, st.randoms(use_true_random=False))
def test_only_pairs_with_something_in_common_the_most_connecting_first(
    people: list[Person], apart: set[tuple[int, int]], random: object
) -> None:
    tagged = Tagged(TAGS, dict.fromkeys(TAGS, 0.5), frozenset({(3, 4)}))
    found = find_matches(people, tagged, apart, new_days=30)
    by_id = {p.pk: p for p in people}
    assert find_matches(people[::-1], tagged, apart, new_days=30) == found
    rank = [connects(by_id[m.one], by_id[m.other], 30) for m in found]
    assert rank == sorted(rank, reverse=True)
    for match in found:
        one, other = by_id[match.one], by_id[match.other]
        assert match.one < match.other
        assert (match.one, match.other) not in apart
        complement = any({a, b} == {3, 4} for a in one.tags for b in other.tags)
        assert one.tags & other.tags or complement
        assert match.reasons
    chosen = choose(found, most=4, each=1)
    used = [end for m in chosen for end in (m.one, m.other)]
    assert len(chosen) <= 4
    assert len(used) == len(set(used))


def person(pk: int, *, tied: bool = True, days: int = 90, cluster: int = 0) -> Person:
    return Person(pk, f"P{pk}", frozenset({1}), tied, days, cluster if tied else -1, 5)


def test_what_connects_more_stands_higher() -> None:
    here, there = person(1), person(2, cluster=1)
    lonely, new = person(3, tied=False), person(4, tied=False, days=3)
    ranked = [
        connects(here, new, 30), connects(here, there, 30), connects(lonely, new, 30),
        connects(here, person(5), 30),
    ]  # fmt: skip
    assert ranked == [4.0, 3.0, 3.0, 0.0]
    assert connects(here, lonely, 30) == 3.0
    [match] = find_matches(
        [here, there], Tagged(TAGS, {1: 1.0}, frozenset()), set(), new_days=30
    )
    assert [text.en for text in match.reasons] == [
        "Both have: coffee", "They move in separate circles of 5 and 5 members"
    ]  # fmt: skip


# suggestions


def test_a_pair_that_shares_a_tag_and_has_no_tie_is_suggested(
    group: Group, coffee: Tag
) -> None:
    bob, dora = seat(group, "Bob", coffee), seat(group, "Dora", coffee, days=3)
    seat(group, "Erik")  # without a tag
    other = make_group(group.community, "Elsewhere")
    seat(other, "Faye", coffee)  # in no common group
    assert do_suggest(group.community) == 1
    row = Introduction.objects.get()
    assert ends(row) == {bob.name, dora.name}
    assert "Both have: coffee" in str(row.reasons)
    assert "Dora 入群 3 天" in str(row.reasons)
    assert do_suggest(group.community) == 0


@FOLLOWING
def test_who_has_a_tie_opted_out_or_refused_service_is_not(group: Group, coffee: Tag) -> None:
    bob, dora, erik, faye = (seat(group, n, coffee) for n in ("Bob", "Dora", "Erik", "Faye"))
    talk(bob, dora)
    follow_all()
    do_opt_out(erik, out=True)
    do_set_consent(faye, "service", "web", False, words="", by=faye.actor)
    assert do_suggest(group.community) == 0
    do_opt_out(erik, out=False)
    assert do_suggest(group.community) == 2
    assert all("Erik" in ends(row) for row in Introduction.objects.all())


def test_tags_that_complement_each_other_count(group: Group, coffee: Tag) -> None:
    cups = make_tag(group.community, "pours")
    seat(group, "Bob", coffee)
    seat(group, "Dora", cups)
    assert do_suggest(group.community) == 0
    row = do_complement(group.community, cups, coffee, by=STAFF)
    assert do_complement(group.community, coffee, cups, by=STAFF) == row
    with pytest.raises(SameTagError):
        do_complement(group.community, cups, cups, by=STAFF)
    assert do_suggest(group.community) == 1
    assert "complement" in Introduction.objects.get().reasons[0]["en"]
    do_uncomplement(row, by=STAFF)
    assert Event.objects.filter(kind="complement_removed").exists()


@FOLLOWING
def test_two_circles_are_found_by_their_ties_and_bridged_first(
    group: Group, coffee: Tag
) -> None:
    left = [seat(group, f"L{n}") for n in range(3)]
    right = [seat(group, f"R{n}") for n in range(3)]
    for circle in (left, right):
        for one in circle:
            for other in circle:
                if one != other:
                    talk(one, other)
    chain = [seat(group, f"C{n}") for n in range(2)]
    talk(left[0], chain[0])
    talk(chain[0], chain[1])
    for member in (left[0], left[1], right[0], chain[1]):
        do_tag(member, coffee, by=STAFF, why="said so")
    follow_all()
    do_tie_all(group.community)
    found = find_circles(group.community, [m.pk for m in (*left, *right, *chain)])
    assert len({found[m.pk] for m in left}) == len({found[m.pk] for m in right}) == 1
    assert found[left[0].pk][0] != found[right[0].pk][0]
    assert do_suggest(group.community) >= 1
    first = Introduction.objects.order_by("-score", "id").first()
    assert first is not None
    assert "R0" in ends(first)
    assert "separate circles" in str(first.reasons)


def test_it_looks_again_after_each_night_only(group: Group, coffee: Tag) -> None:
    seat(group, "Bob", coffee)
    assert not suggest_due()
    do_tie_all(group.community)
    assert suggest_due()
    seat(group, "Dora", coffee)
    assert not suggest_due()
    with clock.use(clock.faster(0, NOON + DAY)):
        do_tie_all(group.community)
        assert suggest_due()
    assert Introduction.objects.count() == 1


@FOLLOWING
def test_who_met_by_themselves_or_left_comes_off_the_list(group: Group, coffee: Tag) -> None:
    row = suggested(group, coffee)
    talk(row.one, row.other)
    follow_all()
    with pytest.raises(IntroductionGoneError):
        do_accept(row, site=SITE, by=STAFF)
    do_suggest(group.community)
    row.refresh_from_db()
    assert row.state == "met"


# consent


def link_of(row: Introduction, member: Member) -> str:
    said = Delivery.objects.get(member=member, cause=f"introduction:{row.pk}:asked:{member.pk}")
    assert (said.kind, said.purpose, said.expires_at) == ("direct", "service", row.expires_at)
    return re.sub(r".*http://localhost(\S+)", r"\1", said.body["text"], flags=re.S)


def test_only_two_yeses_introduce(group: Group, coffee: Tag) -> None:
    row = suggested(group, coffee)
    do_accept(row, note="You both like  coffee.", site=SITE + "/", by=STAFF)
    row.refresh_from_db()
    for member, other in ((row.one, row.other), (row.other, row.one)):
        client, path = client_of(), link_of(row, member)
        page = client.get(path).content.decode()
        assert other.name in page
        assert "You both like coffee." in page
        assert not Delivery.objects.filter(cause__contains=":made:").exists()
        assert client.post(f"{path}/answer", {"say": "yes"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.made_at) == ("made", NOON)
    made = Delivery.objects.filter(cause__contains=f"introduction:{row.pk}:made:")
    assert {d.member_id for d in made} == {row.one_id, row.other_id}
    assert all(f"/r/{group.code}" in d.body["text"] for d in made)
    assert "would like to get to know you too" in client.get(path).content.decode()


def test_a_no_ends_it_and_the_other_is_not_told_who(group: Group, coffee: Tag) -> None:
    row = suggested(group, coffee)
    do_accept(row, site=SITE, by=STAFF)
    row.refresh_from_db()
    do_answer(row, row.one, yes=True)
    do_answer(row, row.other, yes=False)
    row.refresh_from_db()
    assert row.state == "refused"
    assert not Delivery.objects.filter(cause__contains=":made:").exists()
    with pytest.raises(IntroductionGoneError):
        do_answer(row, row.other, yes=True)
    page = client_of().get(link_of(row, row.one)).content.decode()
    assert "Nothing came of this" in page
    assert "said no" not in page
    assert do_suggest(group.community) == 0


def test_a_link_is_its_members_alone_and_opening_it_decides_nothing(
    group: Group, coffee: Tag
) -> None:
    row = suggested(group, coffee)
    token = make_token(row, row.one)
    found = find_by_token(token)
    assert found is not None
    assert found[1] == row.one
    do_accept(row, site=SITE, by=STAFF)
    forged = token.replace(f".{row.one_id}:", f".{row.other_id}:")
    for bad in (forged, "x", f"{row.pk}.{row.one_id}", token + "a"):
        assert client_of().get(f"/i/{bad}").status_code == 404
        assert client_of().post(f"/i/{bad}/answer", {"say": "yes"}).status_code == 404
    client_of().get(f"/i/{token}")
    client_of().post(f"/i/{token}/answer", {"say": "perhaps"})
    row.refresh_from_db()
    assert (row.one_said, row.other_said) == (None, None)


def test_never_again_ends_what_waits(group: Group, coffee: Tag) -> None:
    row = suggested(group, coffee)
    do_accept(row, site=SITE, by=STAFF)
    row.refresh_from_db()
    client, path = client_of(lang="zh-CN"), link_of(row, row.one)
    client.post(f"{path}/answer", {"say": "never"})
    row.refresh_from_db()
    assert row.state == "refused"
    assert IntroductionOptOut.objects.filter(member=row.one).exists()
    client.post(f"{path}/answer", {"say": "again"})
    assert not IntroductionOptOut.objects.exists()


def test_nobody_is_asked_against_their_will(group: Group, coffee: Tag) -> None:
    row = suggested(group, coffee)
    do_set_consent(row.one, "service", "web", False, words="", by=row.one.actor)
    with pytest.raises(NotReachableError):
        do_accept(row, site=SITE, by=STAFF)
    assert not Delivery.objects.exists()
    row.refresh_from_db()
    assert row.state == "suggested"


def test_after_seven_days_it_is_over(group: Group, coffee: Tag) -> None:
    row = suggested(group, coffee)
    do_accept(row, site=SITE, by=STAFF)
    do_answer(row, row.one, yes=True)
    with clock.use(clock.faster(0, NOON + 7 * DAY)):
        with pytest.raises(IntroductionGoneError):
            do_answer(row, row.other, yes=True)
        do_opt_out(row.other, out=True)
        assert expire_unanswered()
        assert not expire_unanswered()
    row.refresh_from_db()
    assert row.state == "expired"


def test_a_dismissed_pair_is_not_suggested_again(group: Group, coffee: Tag) -> None:
    row = suggested(group, coffee)
    with pytest.raises(WhyMissingError):
        do_dismiss(row, why=" ", by=STAFF)
    do_dismiss(row, why="They quarrelled", by=STAFF)
    assert do_suggest(group.community) == 0
    with pytest.raises(IntroductionGoneError):
        do_accept(row, site=SITE, by=STAFF)


@pytest.mark.parametrize("number", [0, 1])
def test_under_another_name_it_is_the_same_pair(group: Group, coffee: Tag, number: int) -> None:
    row = suggested(group, coffee)
    do_dismiss(row, why="They quarrelled", by=STAFF)
    kept = seat(group, "Gus", coffee)
    assert do_suggest(group.community) == 2
    Introduction.objects.filter(state="suggested").delete()
    gone = row.one if number == 0 else row.other
    do_merge(kept, gone, evidence={"kind": "hand"}, by=STAFF)
    assert do_suggest(group.community) == 0


def test_who_is_erased_is_in_no_pair(group: Group, coffee: Tag) -> None:
    row = suggested(group, coffee)
    do_erase(row.one, by=STAFF)
    assert not Introduction.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_yeses_at_once_introduce_once(group: Group, coffee: Tag) -> None:
    row = suggested(group, coffee)
    do_accept(row, site=SITE, by=STAFF)
    both, gate = (row.one, row.other), threading.Barrier(2)
    failed: list[Exception] = []

    def say(member: Member) -> None:
        try:
            with clock.use(clock.faster(0, NOON)):
                gate.wait()
                do_answer(row, member, yes=True)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=say, args=(member,)) for member in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    row.refresh_from_db()
    assert (row.state, row.one_said, row.other_said) == ("made", True, True)
    assert Delivery.objects.filter(cause__contains=":made:").count() == 2


# what came of it


@FOLLOWING
def test_four_weeks_later_it_is_measured_beside_those_not_introduced(
    group: Group, coffee: Tag
) -> None:
    row = suggested(group, coffee)
    do_accept(row, site=SITE, by=STAFF)
    do_answer(row, row.one, yes=True)
    do_answer(row, row.other, yes=True)
    cats = make_tag(group.community, "cats")
    for name in ("Erik", "Faye"):
        seat(group, name, cats)
    do_suggest(group.community)
    assert not measure_due()
    talk(row.one, row.other, NOON + 20 * DAY)
    follow_all()
    assert measure(group.community).waiting == 1
    with clock.use(clock.faster(0, NOON + 28 * DAY)):
        assert measure_due()
        assert not measure_due()
    found = measure(group.community)
    assert (found.introduced.hits, found.introduced.n) == (1, 1)
    assert (found.others.hits, found.others.n, found.waiting) == (0, 1, 0)
    assert found.introduced.interval == wilson(1, 1)
    assert Introduction.objects.filter(state="lapsed").count() == 1  # may be suggested again
    with clock.use(clock.faster(0, NOON + 28 * DAY)):
        assert do_suggest(group.community) == 1


@FOLLOWING
def test_what_comes_after_four_weeks_does_not_count(group: Group, coffee: Tag) -> None:
    row = suggested(group, coffee)
    talk(row.one, row.other, NOON + 29 * DAY)
    follow_all()
    with clock.use(clock.faster(0, NOON + 40 * DAY)):
        assert measure_due()
    row.refresh_from_db()
    assert row.tied is False
