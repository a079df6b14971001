"""Ties by their rule: from the sums, from scratch, in any order; strong above all three medians."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.members.actions import do_erase
from qunluo.members.models import Member
from qunluo.standing.models import Contact, Tie, TieMedian
from qunluo.standing.tasks import do_follow, do_judge_due
from qunluo.standing.tie_rules import (
    KINDS,
    Bond,
    Medians,
    Turns,
    find_bonds,
    find_medians,
    is_strong,
)
from qunluo.standing.ties import (
    do_tie,
    do_tie_all,
    have_met,
    list_tied,
    medians_of,
    met_between,
    ties_of,
)
from tests.cast import NOON, make_member
from tests.standing.test_sums import STEPS, Step, follow_all, play

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = NOON.date().toordinal()
TURNS = st.lists(
    st.builds(
        lambda one, other, kind, n, first, long: Turns(
            one, other, kind, n, TODAY - first, TODAY - first + min(first, long)
        ),
        st.integers(1, 5), st.integers(1, 5), st.sampled_from(KINDS), st.integers(-2, 4),
        st.integers(0, 90), st.integers(0, 90),
    ),
    max_size=30,
)  # fmt: skip


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.use(clock.faster(0, NOON)):
        yield


def post(community: Community, one: Member, other: Member, ago: int = 0) -> None:
    record("message_posted", community=community.pk, member=one.pk, actor=one.actor,
           data={"label": "member", "to_member": other.pk}, at=NOON - timedelta(days=ago))  # fmt: skip


def react(community: Community, one: Member, other: Member, *, on: bool, ago: int = 0) -> None:
    record("message_reacted", community=community.pk, member=one.pk, actor=one.actor,
           data={"on": on, "to_member": other.pk}, at=NOON - timedelta(days=ago))  # fmt: skip


# the rule


@given(TURNS, st.randoms(use_true_random=False))
def test_it_makes_no_difference_who_turned_and_in_which_order(
    turns: list[Turns], random: Any
) -> None:
    found = find_bonds(turns)
    shuffled = [
        t._replace(one=t.other, other=t.one) if random.random() < 0.5 else t for t in turns
    ]
    random.shuffle(shuffled)
    assert find_bonds(shuffled) == found
    for (one, other), bond in found.items():
        between = [t for t in turns if {t.one, t.other} == {one, other}]
        assert one < other
        assert 1 <= bond.dimension <= len({t.kind for t in between})
        assert all(n > 0 for _, n in bond.kinds)
        assert min(t.first or 0 for t in between) <= bond.since <= bond.last


@given(TURNS)
def test_strong_is_above_the_median_in_all_three(turns: list[Turns]) -> None:
    bonds = list(find_bonds(turns).values())
    medians = find_medians(bonds, TODAY)
    if medians is None:
        assert bonds == []
        return
    strong = [is_strong(bond, medians, TODAY) for bond in bonds]
    assert sum(strong) * 2 <= len(bonds)
    for bond, is_so in zip(bonds, strong, strict=True):
        three = (
            bond.dimension > median(b.dimension for b in bonds),
            bond.contacts / max(1, (TODAY - bond.since) / 7) > medians.frequency + 1e-12,
            bond.weeks(TODAY) > median(b.weeks(TODAY) for b in bonds),
        )
        assert is_so == all(three) or not three[1]


def test_one_kind_three_weeks_ago() -> None:
    bond = Bond((("reply", 6),), TODAY - 21, TODAY)
    assert (bond.dimension, bond.frequency(TODAY), bond.weeks(TODAY)) == (1, 2.0, 3.0)
    fresh = Bond((("reply", 6),), TODAY, TODAY)
    assert (fresh.frequency(TODAY), fresh.weeks(TODAY)) == (6.0, 0.0)
    assert not is_strong(bond, None, TODAY)
    assert not is_strong(bond, Medians(1.0, 0.0, 0.0), TODAY)  # equal is not more


def test_what_was_taken_back_is_no_tie(tea: Community, bob: Member) -> None:
    dora = make_member(tea, "Dora")
    react(tea, bob, dora, on=True, ago=3)
    react(tea, bob, dora, on=False)
    follow_all()
    assert ties_of(bob) == []
    react(tea, bob, dora, on=True)
    follow_all()
    [found] = ties_of(dora)
    assert (found.member, found.bond.kinds) == (bob, (("reaction", 1),))
    assert "表情回应 1 次" in found.why.zh


# the table


def table(community: Community) -> list[dict[str, Any]]:
    rows = Tie.objects.filter(community=community).order_by("one", "other")
    return [{k: v for k, v in row.items() if k != "id"} for row in rows.values()]


def by_hand(community: Community) -> dict[tuple[int, int], dict[str, int]]:
    """The same by the plainest means: a sum of rows, one by one."""
    live = set(
        Member.objects.filter(community=community, merged_into=None).values_list(
            "pk", flat=True
        )
    )
    found: dict[tuple[int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in Contact.objects.filter(community=community):
        if {row.member_id, row.other_id} <= live and row.member_id != row.other_id:
            pair = min(row.member_id, row.other_id), max(row.member_id, row.other_id)
            found[pair][row.kind] += row.n
    kept = {pair: {k: n for k, n in kinds.items() if n > 0} for pair, kinds in found.items()}
    return {pair: kinds for pair, kinds in kept.items() if kinds}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(STEPS, STEPS, st.integers(1, 9))
def test_kept_up_to_date_is_counted_from_scratch(
    before: list[Step], after: list[Step], limit: int
) -> None:
    """Any history with merges and their undoing; a night in between; then member by member."""
    played = play(before)
    follow_all(limit)
    do_tie_all(played.community)
    for step in after:
        played.act(step)
    follow_all(limit)
    for member in played.members:
        do_tie(played.community, [member.pk])
    kept = table(played.community)
    members = {(row["one_id"], row["other_id"]): row["kinds"] for row in kept}
    assert members == by_hand(played.community)
    Tie.objects.filter(community=played.community).delete()
    do_tie(played.community, [m.pk for m in played.members])
    assert table(played.community) == kept  # by the same medians
    do_tie_all(played.community)
    late = table(played.community)
    Tie.objects.filter(community=played.community).delete()
    TieMedian.objects.filter(community=played.community).delete()
    assert do_tie_all(played.community) == len(late)
    assert table(played.community) == late


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(STEPS)
def test_the_table_is_what_one_member_reads(steps: list[Step]) -> None:
    played = play(steps)
    follow_all()
    do_tie_all(played.community)
    rows = Tie.objects.filter(community=played.community)
    bonds = [
        Bond(tuple(r.kinds.items()), r.since.toordinal(), r.last_on.toordinal()) for r in rows
    ]
    assert medians_of(played.community) == find_medians(bonds, TODAY)
    tied = {end for row in rows for end in (row.one_id, row.other_id)}
    ids = [m.pk for m in played.members]
    assert list_tied(played.community, ids) == tied
    rows.delete()
    assert list_tied(played.community, ids) == tied
    pairs = {(a, b) for a in ids for b in ids if a < b}
    assert {end for pair in have_met(pairs) for end in pair} >= tied
    do_tie_all(played.community)
    for member in Member.objects.filter(pk__in=tied):
        mine = {p.member.pk: (p.strong, p.frequency, p.weeks) for p in ties_of(member)}
        both = [r for r in rows.all() if member.pk in (r.one_id, r.other_id)]
        assert mine == {
            r.one_id + r.other_id - member.pk: (r.strong, r.frequency, r.weeks) for r in both
        }


def test_a_night_killed_between_chunks_comes_to_the_same(
    tea: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qunluo.standing.ties.CHUNK", 2)
    people = [make_member(tea, f"M{n}") for n in range(7)]
    for n, one in enumerate(people[:-1]):
        for ago in range(n + 1):
            post(tea, one, people[n + 1], ago)
            react(tea, people[n + 1], one, on=True, ago=ago * 5)
    follow_all()

    def die(community: Community) -> list[int]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("qunluo.standing.ties._do_settle", die)
        with pytest.raises(KeyboardInterrupt):
            do_tie_all(tea)
    do_tie_all(tea)
    late = table(tea)
    Tie.objects.all().delete()
    do_tie_all(tea)
    assert table(tea) == late
    assert len(late) == 6


def test_the_nights_work_includes_ties(tea: Community, bob: Member) -> None:
    post(tea, bob, make_member(tea, "Dora"))
    follow_all()
    while do_judge_due() is not None:
        pass
    assert Tie.objects.get().kinds == {"reply": 1}
    assert TieMedian.objects.get().ties == 1


def test_days_bound_what_follows(tea: Community, bob: Member) -> None:
    dora = make_member(tea, "Dora")
    post(tea, bob, dora, ago=10)
    follow_all()
    pair, today = (bob.pk, dora.pk), NOON.date()
    assert met_between(pair, today - timedelta(days=10), today)
    assert not met_between(pair, today - timedelta(days=9), today)
    assert not met_between(pair, today - timedelta(days=20), today - timedelta(days=11))


def test_who_is_erased_has_no_ties(tea: Community, bob: Member) -> None:
    dora = make_member(tea, "Dora")
    post(tea, bob, dora)
    follow_all()
    do_tie_all(tea)
    do_erase(dora, by="staff:1")
    assert not Tie.objects.exists()
    assert ties_of(bob) == []
    assert do_tie_all(tea) == 0


def test_another_communitys_ties_stay_there(tea: Community, bob: Member) -> None:
    played = play([Step("message_posted", 0, 1, 0, "member", on=False)])
    post(tea, bob, make_member(tea, "Dora"))
    follow_all()
    do_tie_all(tea)
    do_tie_all(played.community)
    do_follow()
    do_tie_all(tea)
    assert Tie.objects.filter(community=tea).count() == 1
    assert Tie.objects.filter(community=played.community).count() == 1
