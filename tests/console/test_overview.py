"""The home page's sentences: true to any numbers, in both languages, and silent about what the
numbers do not carry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import translation
from hypothesis import assume, given
from hypothesis import strategies as st

from qunluo.community.models import Community
from qunluo.console.overview import (
    DAYS,
    FEW,
    FULL,
    Pulse,
    Strip,
    count_days_left,
    count_pulse,
    judge_health,
    list_groups_left,
    list_strips,
    say_verdict,
)
from qunluo.groups.actions import do_join, do_leave
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.messaging.actions import do_post
from qunluo.messaging.models import Message
from tests.cast import NOON, make_group, make_member


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Whatever language another test's request left behind."""
    with translation.override("en"):
        yield


LANGS = ("en", "zh-hans")
RANKS = {"good": 0, "watch": 1, "bad": 2}
counts = st.integers(0, 10**9)
langs = st.sampled_from(LANGS)
pulses = st.builds(Pulse, counts, counts, counts, counts, counts, st.booleans())
fourteen = st.lists(st.integers(0, 10**6), min_size=DAYS, max_size=DAYS).map(tuple)
groups = st.builds(
    Group, capacity=st.integers(-1, 10**6), taken=st.integers(0, 10**6),
    state=st.sampled_from(Group.STATES),
    made_at=st.integers(0, 400).map(lambda d: NOON - timedelta(days=d)),
    ends_at=st.none() | st.integers(-400, 400).map(lambda d: NOON + timedelta(days=d)),
)  # fmt: skip
running = groups.filter(lambda g: g.state not in ("closing", "dissolved"))


def numbers(words: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", words)]


@given(pulse=pulses, lang=langs)
def test_any_week_is_a_whole_sentence(pulse: Pulse, lang: str) -> None:
    with translation.override(lang):
        words = say_verdict(pulse)
    assert words.endswith((".", "。"))
    assert not set("{}%") & set(words.replace(" %", "")), words
    assert "None" not in words


@given(pulse=pulses)
def test_no_share_is_more_than_all_or_of_fewer_than_spoke(pulse: Pulse) -> None:
    with translation.override("en"):
        words = say_verdict(pulse)
    assume(not words.startswith("Nobody"))
    first = numbers(words)
    if " % of " in words:
        share, members, spoke = first[:3]
        assert share <= 100
        assert members >= FEW
    else:
        spoke, members = first[:2]
        assert members < FEW
    assert spoke == pulse.spoke <= members


@given(pulse=pulses, more=st.integers(1, 1000))
def test_the_share_grows_with_those_who_spoke(pulse: Pulse, more: int) -> None:
    pulse = replace(pulse, members=max(pulse.members, pulse.spoke + more, FEW))
    with translation.override("en"):
        before, after = (
            say_verdict(pulse),
            say_verdict(replace(pulse, spoke=pulse.spoke + more)),
        )
    assert numbers(before)[0] <= numbers(after)[0]


@given(pulse=pulses, lang=langs)
def test_a_comparison_is_made_where_there_was_a_week_to_compare_with(
    pulse: Pulse, lang: str
) -> None:
    assume(pulse.members or pulse.spoke)
    with translation.override("en"):
        words = say_verdict(pulse)
    assert ("too early to compare" in words) != pulse.compared
    assert ("the week before, " in words + ", ") <= pulse.compared or "compare" in words


@given(group=groups, days=fourteen, lang=langs)
def test_any_group_has_a_health_and_a_reason(
    group: Group, days: tuple[int, ...], lang: str
) -> None:
    with translation.override(lang):
        health, why = judge_health(group, days, NOON)
    assert health in RANKS
    assert why
    assert not set("{}") & set(why)


@given(group=running, days=fourteen, day=st.integers(7, 13), more=st.integers(1, 10**6))
def test_more_words_this_week_never_make_a_group_look_worse(
    group: Group, days: tuple[int, ...], day: int, more: int
) -> None:
    livelier = tuple(n + more * (place == day) for place, n in enumerate(days))
    before, after = (judge_health(group, d, NOON)[0] for d in (days, livelier))
    assert RANKS[after] <= RANKS[before]


@given(group=running, days=fourteen, day=st.integers(0, 6), more=st.integers(1, 10**6))
def test_a_livelier_past_never_makes_a_group_look_better(
    group: Group, days: tuple[int, ...], day: int, more: int
) -> None:
    past = tuple(n + more * (place == day) for place, n in enumerate(days))
    before, after = (judge_health(group, d, NOON)[0] for d in (days, past))
    assert RANKS[after] >= RANKS[before]


@given(group=running, days=fourteen)
def test_a_full_group_is_never_called_good(group: Group, days: tuple[int, ...]) -> None:
    group.capacity = max(group.capacity, 1)
    group.taken = max(group.taken, group.capacity)
    assert judge_health(group, days, NOON)[0] != "good"


@given(group=running)
def test_silence_is_bad_only_where_there_was_a_week_to_speak(group: Group) -> None:
    health, _why = judge_health(group, (0,) * DAYS, NOON)
    assert health != "bad" or group.made_at <= NOON - timedelta(days=7)


@given(days=st.lists(counts, min_size=1, max_size=40).map(tuple))
def test_a_picture_stays_in_its_frame(days: tuple[int, ...]) -> None:
    for point in Strip(Group(), days, "good", "").points.split():
        x, y = map(float, point.split(","))
        assert 0 <= x <= 100
        assert 0 < y <= 24


@given(group=groups)
def test_days_left_are_never_less_than_none(group: Group) -> None:
    left = count_days_left(group, NOON)
    assert left is None or left >= 0
    assert group.state not in ("closing", "dissolved") or left is None


# counted from the rows


def say(group: Group, member: Member, days_ago: float) -> None:
    said = do_post(group, text="tea", label="member", member=member)
    Message.objects.filter(pk=said.pk).update(at=clock.now() - timedelta(days=days_ago))


@pytest.fixture
def old(tea: Community, noon: object) -> Group:
    return make_group(tea, made_at=clock.now() - timedelta(days=30))


@pytest.mark.django_db
def test_the_pulse_counts_people_once_and_only_members(tea: Community, old: Group) -> None:
    bob, dora, eve = (make_member(tea, name) for name in ("Bob", "Dora", "Eve"))
    for member in (bob, dora, eve):
        do_join(old, member, by=member.actor)
    for _n in range(3):
        say(old, bob, 1)
    say(old, dora, 10)
    do_post(old, text="hello", label="staff")
    pulse = count_pulse(tea, clock.now())
    assert pulse == Pulse(1, 1, 3, 3, 0, True)
    assert say_verdict(pulse) == (
        "This week 1 of 3 members spoke, as many as the week before, 3 joined."
    )


@pytest.mark.django_db
def test_who_spoke_and_left_is_still_one_of_the_week(tea: Community, old: Group) -> None:
    bob = make_member(tea)
    do_join(old, bob, by=bob.actor)
    say(old, bob, 1)
    do_leave(Membership.objects.get(), why="left", by=bob.actor)
    pulse = count_pulse(tea, clock.now())
    assert (pulse.spoke, pulse.members, pulse.joined) == (1, 1, 0)
    Membership.objects.update(left_at=clock.now() - timedelta(days=8))
    Message.objects.all().delete()
    assert count_pulse(tea, clock.now()).members == 0


@pytest.mark.django_db
def test_a_young_community_is_not_compared(tea: Community, noon: object) -> None:
    make_group(tea, made_at=clock.now() - timedelta(days=10))
    pulse = count_pulse(tea, clock.now())
    assert not pulse.compared
    assert (pulse.members, pulse.silent) == (0, 1)
    assert say_verdict(pulse).startswith("Nobody is here yet")


@pytest.mark.django_db
def test_an_ending_group_is_told_before_all_full_ones(tea: Community, noon: object) -> None:
    for _n in range(6):
        make_group(tea, taken=200)
    soon = make_group(tea, "Flash", ends_at=clock.now() + timedelta(hours=3))
    todos = list_groups_left(tea, clock.now())
    assert todos[0].target == soon.pk
    assert todos[0].words == "ends within a day"
    assert len(todos) == 5


@pytest.mark.django_db
def test_what_needs_a_look_comes_first(tea: Community, old: Group) -> None:
    Group.objects.filter(pk=old.pk).update(taken=5)
    lively, new = (
        make_group(tea, "Lively", made_at=old.made_at, taken=5),
        make_group(tea, "New"),
    )
    say(lively, make_member(tea), 1)
    found = [(s.group.pk, s.health) for s in list_strips(tea, clock.now())]
    assert found == [(old.pk, "bad"), (lively.pk, "good"), (new.pk, "good")]
    assert FULL < 1
