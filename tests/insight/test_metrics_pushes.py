"""I4 and I5: brand messages a day and at once, against counting by hand."""

from __future__ import annotations

from collections import Counter
from statistics import median_low

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.insight.metrics.pushes import BUCKETS, DAILY, PUSH_SIZE, Pace
from tests.insight.tables_builder import Said, at, find, tables

BRAND = {"shop": "brand", "two": "brand"}

said = st.builds(
    lambda group, who, day, minute, second: Said(group, who, at(day, 9, minute, second)),
    st.sampled_from(["g", "h"]),
    st.sampled_from(["shop", "two", "ann"]),
    st.integers(0, 4),
    st.integers(0, 3),
    st.integers(0, 59),
)


def minutes_of(messages: list[Said]) -> Counter[int]:
    """Pushes by size."""
    pushes = Counter((m.group, m.at.replace(second=0)) for m in messages if m.sender in BRAND)
    return Counter(pushes.values())


@settings(max_examples=30)
@given(st.lists(said, min_size=1, max_size=60))
def test_push_sizes_are_those_counted_by_hand(messages: list[Said]) -> None:
    found = find(PUSH_SIZE, tables(messages, classes=BRAND))
    sizes = minutes_of(messages)
    assert found.n == sum(sizes.values())
    if sizes:
        assert {s["size"]: s["minutes"] for s in found.value["sizes"]} == sizes
        assert found.value["median"] == median_low(sorted(sizes.elements()))
        assert found.value["largest"] == max(sizes)


@settings(max_examples=30)
@given(st.lists(said, min_size=1, max_size=60))
def test_the_pace_is_brand_messages_over_days_of_life(messages: list[Said]) -> None:
    found = find(DAILY, tables(messages, classes=BRAND))
    by_group: dict[str, list[Said]] = {}
    for m in messages:
        by_group.setdefault(m.group, []).append(m)
    paces = []
    for talk in by_group.values():
        days = [m.at.date() for m in talk]
        span = (max(days) - min(days)).days + 1
        paces.append(sum(m.sender in BRAND for m in talk) / span)
    if not any(paces):
        assert found.n == 0
        return
    assert found.n == len(by_group)
    assert found.value["median"] == pytest.approx(median_low(paces))
    daily = Counter((m.group, m.at.date()) for m in messages if m.sender in BRAND)
    assert found.value["largest"]["n"] == max(daily.values())
    assert sum(b["groups"] for b in found.value["buckets"]) == len(by_group)


@pytest.mark.parametrize(
    ("a_day", "bucket"),
    [
        (0, "≤1"),
        (1, "≤1"),
        (1.01, "2–5"),
        (5, "2–5"),
        (20, "6–20"),
        (50.5, "51–100"),
        (101, ">100"),
    ],
)
def test_a_bucket_ends_at_its_number(a_day: float, bucket: str) -> None:
    assert Pace(1, round(a_day * 100), 100, 0, None).bucket == bucket
    assert bucket in [name for _, name in BUCKETS]


def test_a_group_that_drowns_is_named_in_the_move() -> None:
    flood = [Said("g", "shop", at(0, 9, i % 60, i // 60)) for i in range(101)]
    found = find(DAILY, tables([*flood, Said("g", "ann", at(0))], classes=BRAND))
    assert found.move is not None
    assert found.tables[0].rows[0][1:5] == (101, 1, 101.0, 101)


def test_without_the_brand_there_is_nothing_to_count() -> None:
    built = tables([Said("g", "ann", at())])
    assert find(DAILY, built).n == find(PUSH_SIZE, built).n == 0
