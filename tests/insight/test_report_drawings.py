"""Shares, heatmaps and networks, which are drawn without a script."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from qunluo.insight.report.charts import cut, description, lies_down
from qunluo.insight.report.drawings import (
    HEIGHT,
    MAX_NODES,
    WIDTH,
    bars_of,
    heat_rows,
    network,
)
from qunluo.insight.report.masks import Masks
from qunluo.kit.text import Text
from tests.insight import builders as b

OPEN = Masks(hidden=False)


def test_parts_fill_their_bar() -> None:
    chart = b.chart("share", ("a", "b", "c"), b.series("s", "列", 0.7, 0.2, 0.1), percent=True)
    (bar,) = bars_of(chart, OPEN, "zh")
    assert [p.share for p in bar.parts] == [70.0, 20.0, 10.0]
    assert [p.shown for p in bar.parts] == ["70%", "20%", "10%"]
    assert [p.fits for p in bar.parts] == [True, True, False]


def test_several_series_are_a_bar_for_each_category() -> None:
    rows = (b.series("x", "甲", 0.4, 0.9), b.series("y", "乙", 0.6, 0.1))
    bars = bars_of(b.chart("share", ("g", "h"), *rows), OPEN, "en")
    assert [(bar.name, [p.share for p in bar.parts]) for bar in bars] == [
        ("g", [40.0, 60.0]),
        ("h", [90.0, 10.0]),
    ]


def test_parts_of_nothing_do_not_divide_by_it() -> None:
    chart = b.chart("share", ("a", "b"), b.series("s", "列", 0.0, None))
    assert [p.share for p in bars_of(chart, OPEN, "en")[0].parts] == [0.0, 0.0]


def test_the_hottest_cell_is_the_darkest_and_a_gap_has_no_colour() -> None:
    chart = b.chart("heatmap", ("a", "b", "c"), b.series("2022-01", "2022-01", 0, None, 40))
    (row,) = heat_rows(chart, OPEN, "en")
    assert row.name == "Jan 2022"
    assert [cell.level for cell in row.cells] == [0, -1, 8]


def test_small_values_stay_apart_beside_one_that_dwarfs_them() -> None:
    chart = b.chart("heatmap", range(6), b.series("r", "行", 1.0, 0.02, 0.05, 0.1, 0.02, 0.0))
    (row,) = heat_rows(chart, OPEN, "en")
    assert [cell.level for cell in row.cells] == [8, 2, 2, 3, 2, 0]


def test_a_cold_map_is_cold() -> None:
    (row,) = heat_rows(b.chart("heatmap", ("a",), b.series("r", "行", 0)), OPEN, "en")
    assert row.cells[0].level == 0


def test_a_network_is_always_the_same_picture_whatever_chance_did_before() -> None:
    chart = _ring(30)
    random.seed(1)
    one = network(chart, OPEN, "en")
    random.seed(2)
    assert network(chart, OPEN, "en") == one
    assert all(0 < d.x < WIDTH and 0 < d.y < HEIGHT for d in one.dots)
    assert len({(d.x, d.y) for d in one.dots}) == 30


def test_a_large_network_shows_its_largest_nodes() -> None:
    drawn = network(_ring(400), OPEN, "en")
    assert len(drawn.dots) == MAX_NODES
    assert drawn.hidden == 400 - MAX_NODES
    assert {d.name for d in drawn.dots} == {f"n{i}" for i in range(MAX_NODES)}


def test_names_in_a_network_do_not_cover_each_other() -> None:
    named = [d for d in network(_ring(60), OPEN, "en").dots if d.named]
    assert len(named) > 5
    spots = [(d.label_x, d.label_y) for d in named]
    assert all(
        abs(ax - bx) > 10 or abs(ay - by) >= 13
        for i, (ax, ay) in enumerate(spots)
        for bx, by in spots[:i]
    )


def test_parts_of_a_network_without_ties_between_them_stay_in_the_picture() -> None:
    nodes = tuple((f"n{i}", 1.0, i // 3 + 40) for i in range(12))
    links = tuple((3 * g + a, 3 * g + a + 1, 1.0) for g in range(4) for a in range(2))
    drawn = network(replace(b.chart("graph"), nodes=nodes, links=links), OPEN, "en")
    assert len({d.colour for d in drawn.dots}) == 4
    assert len({(d.x, d.y) for d in drawn.dots}) == 12
    assert all(0 < d.x < WIDTH and 0 < d.y < HEIGHT for d in drawn.dots)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_tiny_network_is_drawn_too(count: int) -> None:
    assert len(network(_ring(count), OPEN, "en").dots) == count


def test_long_names_lie_down_and_days_stand() -> None:
    assert lies_down(b.chart("bar", ("a very long name", "b")), OPEN, "en")
    assert lies_down(b.chart("bar", (Text("a", "很长的类型名"), "b")), OPEN, "zh")
    assert not lies_down(b.chart("bar", ("2022-01-01", "2022-01-02")), OPEN, "zh")
    assert not lies_down(b.chart("bar", tuple(map(str, range(24)))), OPEN, "en")
    assert not lies_down(b.chart("bar", ("0–10%", "10–20%") * 5), OPEN, "en")
    assert lies_down(
        b.chart("bar", ("question", "drawing", "mixed", "shills", "steady")), OPEN, "en"
    )


def test_a_name_is_cut_by_what_it_takes_on_paper() -> None:
    assert cut("abcdefghij", 6) == "abcde…"
    assert cut("一二三四五", 6) == "一二…"
    assert cut("short", 6) == "short"


def test_a_chart_can_be_told_in_words() -> None:
    chart = b.chart(
        "line", ("2022-01", "2022-02", "2022-03"), b.series("people", "人数", 3, 9, 5)
    )
    assert description(chart, OPEN, "en") == (
        "Chart: Members peak in the morning. people: from 3 to 9, highest at Feb 2022."
    )
    assert "最高处在 2022年2月" in description(chart, OPEN, "zh")


def _ring(count: int) -> b.Chart:
    nodes = tuple((f"n{i}", float(count - i), i % 3) for i in range(count))
    links = tuple((i, (i + 1) % count, 1.0) for i in range(count))
    return b.chart("graph", (), nodes=nodes, links=links)
