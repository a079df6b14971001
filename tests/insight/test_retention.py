"""Cohorts and survival against naive counting and against scipy."""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from qunluo.insight.cohorts import Cohorts
from qunluo.insight.metrics.member_cubes import DAY
from qunluo.insight.metrics.retention import RETENTION
from qunluo.insight.metrics.survival import (
    GROUP_SURVIVAL,
    MEMBER_SURVIVAL,
    Lives,
    kaplan_meier,
    talking_lives,
)
from tests.insight.tables_builder import Happened, Said, at, find, key, tables

people = st.lists(
    st.tuples(st.integers(0, 6), st.sets(st.integers(0, 9), max_size=8)),
    min_size=1,
    max_size=20,
)


def cohorts_of(rows: list[tuple[int, set[int]]], last: int) -> Cohorts:
    pairs = [(who, month) for who, (_, months) in enumerate(rows) for month in sorted(months)]
    return Cohorts(
        np.array([start for start, _ in rows], dtype=np.int64),
        np.array([who for who, _ in pairs], dtype=np.int64),
        np.array([month for _, month in pairs], dtype=np.int64),
        last,
    )


@given(people, st.integers(0, 10))
def test_cohorts_equal_a_count_by_hand(rows: list[tuple[int, set[int]]], last: int) -> None:
    found = cohorts_of(rows, last)
    for place, start in enumerate(found.starts.tolist()):
        ours = [months for begun, months in rows if begun == start]
        assert found.sizes[place] == len(ours)
        for k in range(found.width):
            assert found.classic[place, k] == sum(start + k in m for m in ours)
            later = sum(any(x >= start + k for x in m) for m in ours)
            assert found.rolling[place, k] == later
        for a, b in ((1, 1), (2, 3), (4, 6)):
            within = sum(any(start + a <= x <= start + b for x in m) for m in ours)
            assert found.bracket(a, b)[place] == within
    for k in range(found.width):
        ready = [(s, m) for s, m in rows if s + k <= last]
        hits = sum(s + k in m for s, m in ready)
        assert found.pooled(found.classic[:, k], k) == (hits, len(ready))


def test_members_come_by_joining_where_most_joins_are_known() -> None:
    said = [Said("g", who, at(day)) for who in ("ann", "bob") for day in (1, 35)]
    joins = [Happened("g", who, at(0)) for who in ("ann", "bob", "eve")]
    by_join = find(RETENTION, tables([*said, Said("g", "ann", at(90))], events=joins))
    assert by_join.value["basis"] == "join"
    assert by_join.value["cohorts"]["2022-01"] == {"size": 3, "active": [2, 2, 0, 1]}
    by_message = find(RETENTION, tables([*said, Said("g", "ann", at(90))]))
    assert by_message.value["basis"] == "first_message"
    assert by_message.value["cohorts"]["2022-01"]["size"] == 2
    assert "--roster" in by_message.notes[0].en


def test_an_archive_too_short_says_so() -> None:
    found = find(RETENTION, tables([Said("g", "ann", at(0))]))
    assert "too short" in found.sentence.en
    assert found.interval is None


lives = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: any(gone for _, gone in rows)
)


@given(lives)
def test_survival_equals_scipy(rows: list[tuple[int, bool]]) -> None:
    days = np.array([day for day, _ in rows], dtype=float)
    gone = np.array([end for _, end in rows])
    ours = kaplan_meier(Lives(days, gone))
    theirs = stats.ecdf(stats.CensoredData(uncensored=days[gone], right=days[~gone])).sf
    with warnings.catch_warnings():  # scipy warns where the interval is undefined
        warnings.simplefilter("ignore")
        bounds = theirs.confidence_interval(0.95, method="log-log")
    np.testing.assert_array_equal(ours.days, theirs.quantiles)
    np.testing.assert_allclose(ours.alive, theirs.probabilities, atol=1e-12)
    defined = (ours.alive > 1e-12) & (ours.alive < 1)
    for mine, scipy_ in ((ours.low, bounds.low), (ours.high, bounds.high)):
        np.testing.assert_allclose(mine[defined], scipy_.probabilities[defined], atol=1e-9)
    assert (ours.low <= ours.alive + 1e-12).all()
    assert (ours.high >= ours.alive - 1e-12).all()


def test_the_living_are_censored_on_the_day_of_judgement() -> None:
    end = 100 * DAY
    keys = np.array([1, 2, 3, 3])
    first = np.array([0, 0, 80, 80]) * DAY  # the third began after the judgement
    last = np.array([10, 95, 81, 90]) * DAY
    found = talking_lives(keys, first, last, end)
    assert found.days.tolist() == [10.0, 70.0]
    assert found.gone.tolist() == [True, False]


def test_groups_and_memberships_survive_by_their_own_clocks() -> None:
    said = [Said("old", "ann", at(d)) for d in (0, 20)] + [
        Said("new", "bob", at(d)) for d in (0, 99)
    ]
    events = [
        Happened("old", "ann", at(0)),
        Happened("old", "ann", at(30), "leave"),
        Happened("new", "bob", at(0)),
        Happened("new", "bob", at(5), "leave"),
        Happened("new", "bob", at(6)),  # came back: no end
    ]
    groups = find(GROUP_SURVIVAL, tables(said))
    assert groups.value["talking"]["gone"] == 1
    assert groups.value["talking"]["n"] == 2
    members = find(MEMBER_SURVIVAL, tables(said, events=events))
    assert members.value["membership"]["gone"] == 1
    assert members.value["membership"]["median_days"] == 30.0
    assert members.value["talking"]["median_days"] == 20.0


def test_the_roster_goes_before_the_events() -> None:
    said = [Said("g", "ann", at(0)), Said("g", "bob", at(99))]
    roster = pa.table(
        {
            "group_key": [key("g")] * 2,
            "sender_key": [key("ann"), key("bob")],
            "name": ["ann", "bob"],
            "joined_at": pa.array([at(0), at(0)], pa.timestamp("us")),
            "left_at": pa.array([at(7), None], pa.timestamp("us")),
        }
    )
    found = find(MEMBER_SURVIVAL, tables(said, roster=roster))
    assert found.value["membership"] | {"alive": None} == {
        "n": 2, "gone": 1, "median_days": 7.0, "alive": None,
    }  # fmt: skip


@pytest.mark.parametrize("metric", [RETENTION, MEMBER_SURVIVAL, GROUP_SURVIVAL])
def test_nothing_said_is_said(metric: object) -> None:
    found = find(metric, tables([]))  # type: ignore[arg-type]
    assert found.n == 0
    assert "nothing to count" in found.sentence.en
    assert "无可统计" in found.sentence.zh
