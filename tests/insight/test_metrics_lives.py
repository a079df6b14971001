"""I9: life curves, against hand-drawn ones and naive weekly counts."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.insight.metrics.lives import LIFE_CURVE, shape_of, waves_of
from qunluo.insight.metrics.study_cubes import CLASS_DAY
from qunluo.insight.metrics.weeks import Life, lives, monday
from tests.insight.tables_builder import START, Said, at, collect, find, key, tables


def life(*weeks: int) -> Life:
    last = START.date() + timedelta(days=max(7 * len(weeks) - 1, 0))
    return Life(1, START.date(), last, 0, np.array(weeks))


WAVE = (60, 100, 60, 20, 5)
QUIET = (0, 1, 0, 0, 1)


@pytest.mark.parametrize(
    ("weeks", "type_"),
    [
        ((*WAVE,), "one_wave"),
        ((*WAVE, *QUIET, *QUIET), "one_wave"),
        ((*WAVE, *QUIET, *WAVE), "recurring_waves"),
        ((*WAVE, *QUIET, *WAVE, *QUIET, *QUIET, *WAVE), "recurring_waves"),
        ((50, 60, 55, 40, 70) * 4, "steady"),
        ((50, 60, 55, 40, 70, 400, 50) * 4, "steady"),
        ((50, 60, 55, 40, 70), "one_wave"),
        ((30, 5, 1), "stillborn"),
        ((), "stillborn"),
    ],
)
def test_it_tells_the_shape_of_a_life(weeks: tuple[int, ...], type_: str) -> None:
    assert shape_of(life(*weeks)).type == type_


def test_a_flicker_after_the_wave_is_no_second_wave() -> None:
    waves, _ = waves_of(np.array([*WAVE, *QUIET, 0, 12, 0, *QUIET]))
    assert len(waves) == 1


def test_the_active_lifespan_ends_with_the_last_active_week() -> None:
    shape = shape_of(life(*WAVE, *QUIET, *QUIET))
    assert 21 <= shape.active_days <= 42
    assert shape.active_days % 7 == 0


messages = st.lists(
    st.tuples(st.sampled_from(["g", "h"]), st.sampled_from("abs"), st.integers(0, 100)),
    min_size=1,
    max_size=60,
)


@settings(max_examples=25)
@given(messages)
def test_weekly_curves_are_those_counted_by_hand(rows: list[tuple[str, str, int]]) -> None:
    said = [Said(group, who, at(day, 8)) for group, who, day in rows]
    found = lives(collect(CLASS_DAY, tables(said, classes={"s": "brand"})))
    for group in {m.group for m in said}:
        [curve] = [c for c in found if c.group == key(group)]
        mine = [m for m in said if m.group == group]
        weeks = Counter(_monday(m) for m in mine if m.sender != "s")
        first, last = min(map(_monday, mine)), max(map(_monday, mine))
        assert monday(curve.first_week) == first
        assert len(curve.weeks) == (last - first).days // 7 + 1
        assert (
            len(curve.weeks)
            == (max(_monday(m) for m in mine) - monday(curve.first_week)).days // 7 + 1
        )
        for i, n in enumerate(curve.weeks.tolist()):
            assert n == weeks[monday(curve.first_week + i)]


def _monday(m: Said) -> date:
    return (m.at - timedelta(days=m.at.weekday())).date()


def talk(group: str, *weeks: int) -> list[Said]:
    return [
        Said(group, f"m{i % 7}", at(7 * w + i % 7, 10, i % 60))
        for w, n in enumerate(weeks)
        for i in range(n)
    ]


def test_it_counts_types_and_short_lives() -> None:
    said = [
        *talk("short", *WAVE, 0, 0, 0, 1),
        *talk("waves", *WAVE, *QUIET, *WAVE),
        *talk("steady", *[40] * 30),
        *talk("dead", 5, 1),
    ]
    found = find(LIFE_CURVE, tables(said))
    expected = {"one_wave": 1, "recurring_waves": 1, "steady": 1, "stillborn": 1}
    assert found.value["types"] == expected
    assert found.value["at_most_two_months"] == pytest.approx(1 / 3)
    types = {row["group"].name: row["type"] for row in found.value["groups"]}
    assert types["waves"] == "recurring_waves"


def test_the_drawn_months_hold_every_member_message() -> None:
    said = [*talk("steady", *[40] * 30), *talk("short", *WAVE)]
    chart = find(LIFE_CURVE, tables(said)).charts[-1]
    assert sum(y or 0 for s in chart.series for y in s.y) == len(said)
    assert chart.x[0] == "2022-01"


def test_a_short_archive_is_drawn_by_week() -> None:
    chart = find(LIFE_CURVE, tables(talk("short", *WAVE))).charts[-1]
    assert chart.x[0] == "2022-01-03"


def test_groups_still_active_at_the_end_are_told() -> None:
    found = find(LIFE_CURVE, tables(talk("steady", *[40] * 30)))
    assert any("still active" in note.en for note in found.notes)


def test_an_empty_archive_has_no_life() -> None:
    assert find(LIFE_CURVE, tables([])).n == 0
