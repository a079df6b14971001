"""I11: the driver of groups that come back in waves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qunluo.insight.figures import Finding, Quote
from qunluo.insight.metrics.drivers import DRIVER, Driven, koc_like
from qunluo.insight.metrics.weeks import Life
from tests.insight.tables_builder import START, Said, at, find, tables

CLASSES = {"shop": "brand"}
WAVES = (0, 70, 140)  # days on which one begins
Who = Callable[[int], str]


def waves(text: str, who: Who = lambda i: f"m{i % 30}", n: int = 60) -> list[Said]:
    """Three waves of ten days, and a murmur between them."""
    talk = [
        Said("g", who(i), at(day + i * 10 // n, 9 + i % 10, i % 60), text)
        for day in WAVES
        for i in range(n)
    ]
    murmur = [Said("g", f"m{d % 30}", at(d, 20), "晚安") for d in range(0, 200, 7)]
    return [*talk, *murmur]


def drivers(*parts: list[Said]) -> Finding:
    return find(DRIVER, tables([m for p in parts for m in p], classes=CLASSES))


def only(found: Finding) -> dict[str, Any]:
    [group] = found.value["groups"]
    assert isinstance(group, dict)
    return group


def test_draws_drive_a_group_that_talks_when_there_is_one() -> None:
    lottery = [Said("g", "shop", at(d, 8), "今晚抽奖") for d in WAVES]
    eager = [
        Said("g", f"m{i % 30}", at(d, 9, i % 60), "参与") for d in WAVES for i in range(80)
    ]
    found = drivers(waves("早"), eager, lottery)
    assert only(found)["driver"] == "draw"
    quote = found.tables[0].rows[0][-1]
    assert isinstance(quote, Quote)
    assert (quote.text, quote.at) == ("今晚抽奖", "2022-01-03")


def test_draws_that_nobody_minds_drive_nothing() -> None:
    lottery = [Said("g", "shop", at(d, 8), "今晚抽奖") for d in (30, 50, 100)]
    assert only(drivers(waves("早"), lottery))["driver"] == "mixed"


def test_questions_drive_a_group_that_asks() -> None:
    group = only(drivers(waves("请问怎么用？", n=40), waves("有的", n=40)))
    assert group["driver"] == "question"
    assert group["strength"]["question"] == pytest.approx(120 / 298, abs=0.001)


LONG = "对比了两款，前者更耐用，后者更轻，出门带着合适，按需要选就好"


def test_members_who_write_much_and_at_length_drive_a_group_as_kocs() -> None:
    found = drivers(waves("早上好呀"), waves(LONG, lambda i: ("ann", "bob")[i % 2], n=20))
    group = only(found)
    assert group["driver"] == "koc"
    assert group["strength"]["koc"] == pytest.approx(60 / 298, abs=0.001)
    assert found.tables[0].rows[0][-2].name in {"ann", "bob"}


def test_members_who_write_much_but_shortly_are_no_kocs() -> None:
    found = drivers(waves("早上好呀"), waves("哈哈哈", lambda i: ("ann", "bob")[i % 2], n=20))
    assert only(found)["strength"]["koc"] == 0.0


def test_without_quieter_members_there_is_nobody_to_be_a_koc_for() -> None:
    assert len(koc_like(np.array([10]), np.array([1000]), np.array([False]))) == 0


def test_suspects_are_no_kocs() -> None:
    n, chars = np.array([400, 400, 10, 10]), np.array([40_000, 4_000, 60, 20])
    assert koc_like(n, chars, np.array([False] * 4)).tolist() == [0, 1]
    assert koc_like(n, chars, np.array([True, False, False, False])).tolist() == [1]


def test_a_group_without_any_is_mixed() -> None:
    found = drivers(waves("早"))
    assert only(found)["driver"] == "mixed"
    assert any("Only 1 recurring group" in note.en for note in found.notes)


def test_only_recurring_groups_are_asked_about() -> None:
    steady = [Said("g", f"m{d % 9}", at(d // 5), "吗？") for d in range(500)]
    assert drivers(steady).n == 0


@pytest.mark.parametrize(
    ("strength", "driver"),
    [
        ({"shill": 0.5, "draw": 0.3, "question": 0.3, "koc": 0.2}, "shill"),
        ({"shill": 0.0, "draw": 0.3, "question": 0.4, "koc": 0.2}, "question"),
        ({"shill": 0.19, "draw": 0.24, "question": 0.24, "koc": 0.14}, "mixed"),
    ],
)
def test_the_driver_is_the_one_furthest_above_its_threshold(
    strength: dict[Any, float], driver: str
) -> None:
    life = Life(1, START.date(), START.date(), 0, np.array([1]))
    assert Driven(life, strength, (), None, None).driver == driver
