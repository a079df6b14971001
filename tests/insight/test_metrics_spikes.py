"""I10: spikes and their causes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.insight.figures import Finding, Quote
from qunluo.insight.metrics.spikes import BEFORE, FLOOR, SPIKE_CAUSE, spike_weeks
from tests.insight.tables_builder import Said, at, find, tables

CLASSES = {"shop": "brand"}
SPIKE = 9  # the week of it


def usual(weeks: int = 12, n: int = 14) -> list[Said]:
    """Every week so many messages, by seven members in turn."""
    return [
        Said("g", f"m{i % 7}", at(7 * w + i % 7, 9, i), "早上好")
        for w in range(weeks)
        for i in range(n)
    ]


def burst(*who: str, n: int = 60, day: int = 2) -> list[Said]:
    start = 7 * SPIKE + day
    return [Said("g", who[i % len(who)], at(start, 20, i % 60), f"第{i}条") for i in range(n)]


def call(day: int, text: str = "🎁【群内抽奖】回复任意内容参与") -> Said:
    return Said("g", "shop", at(day, 10), text)


def causes(said: Sequence[Said]) -> Finding:
    return find(SPIKE_CAUSE, tables(said, classes=CLASSES))


def only(found: Finding) -> dict[str, Any]:
    [spike] = found.value["spikes"]
    assert isinstance(spike, dict)
    return spike


CROWD = tuple(f"n{i}" for i in range(30))


def test_one_member_who_makes_half_of_the_excess_is_a_chatterbox() -> None:
    found = causes([*usual(), *burst("tom"), call(7 * SPIKE + 2)])
    spike = only(found)
    assert (spike["cause"], spike["member"].name, spike["part"]) == ("chatterbox", "tom", 1.0)
    assert spike["messages"] == 74
    [row] = found.tables[0].rows
    assert isinstance(row[-1], Quote)
    assert row[-1].text.startswith("第")


def test_a_member_who_always_writes_much_is_no_chatterbox() -> None:
    habit = [
        Said("g", "tom", at(7 * w + i % 7, 8, i), "早") for w in range(12) for i in range(30)
    ]
    spike = only(causes([*usual(), *habit, *burst(*CROWD, n=120)]))
    assert spike["cause"] == "broad"


def test_a_crowd_after_a_lottery_is_an_event_with_the_message_as_evidence() -> None:
    found = causes([*usual(), *burst(*CROWD), call(7 * SPIKE + 1)])
    assert only(found)["cause"] == "event"
    quote = found.tables[0].rows[0][-1]
    assert "抽奖" in quote.text
    assert quote.at == "2022-03-08 10:00"


@pytest.mark.parametrize("day", [7 * SPIKE - 4, 7 * SPIKE + 3])
def test_a_lottery_long_before_or_after_the_peak_explains_nothing(day: int) -> None:
    assert only(causes([*usual(), *burst(*CROWD), call(day)]))["cause"] == "broad"


def test_lotteries_that_are_daily_routine_explain_nothing() -> None:
    routine = [call(day) for day in range(84)]
    assert only(causes([*usual(), *burst(*CROWD), *routine]))["cause"] == "broad"


def test_a_members_word_of_a_lottery_is_no_event() -> None:
    said = Said("g", "m1", at(7 * SPIKE + 1, 10), "有抽奖吗")
    assert only(causes([*usual(), *burst(*CROWD), said]))["cause"] == "broad"


def test_waves_of_a_group_that_lives_in_waves_are_told_apart() -> None:
    waves = [
        Said("waves", f"n{i % 30}", at(7 * w + i % 3, 20, i % 60), "潮")
        for w in (0, 1, 14, 15, 28, 29)
        for i in range(120)
    ]
    steady = [*usual(), *burst("tom")]
    found = causes([*steady, *waves])
    assert found.value["by_shape"]["recurring_waves"]["broad"] > 0
    assert found.value["by_shape"]["steady"]["chatterbox"] == 1
    assert "in groups that live in waves" in found.sentence.en
    assert "in steady and one-wave groups 1 of 1 come from one chatterbox" in found.sentence.en


def test_brand_messages_make_no_spike() -> None:
    push = [Said("g", "shop", at(7 * SPIKE, 9, i % 60, i // 60), "新品") for i in range(200)]
    assert causes([*usual(), *push]).n == 0


@given(st.lists(st.integers(0, 120), max_size=40))
def test_a_spike_is_above_three_medians_of_eight_weeks(weeks: list[int]) -> None:
    expected = [
        i
        for i in range(8, len(weeks))
        if weeks[i] >= FLOOR and weeks[i] > 3 * median(weeks[i - 8 : i])
    ]
    assert spike_weeks(np.array(weeks, dtype=np.int64)) == expected


def test_a_life_of_eight_weeks_has_no_spike() -> None:
    assert spike_weeks(np.array([1] * (BEFORE - 1) + [500])) == []


def test_few_spikes_are_called_few() -> None:
    found = causes([*usual(), *burst("tom")])
    assert any("Only 1 spike" in note.en for note in found.notes)
    assert found.value["causes"] == {"chatterbox": 1, "event": 0, "broad": 0}
