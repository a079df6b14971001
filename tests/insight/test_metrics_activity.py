"""I7 and I13: who speaks of those who are there, and of those who ever were."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from qunluo.insight.figures import Finding
from qunluo.insight.metrics.activity import ACTIVITY, FREQUENCY
from tests.insight.tables_builder import Happened, Said, at, find, key, tables

ROSTER = pa.schema(
    [("group_key", pa.int64()), ("sender_key", pa.int64()), ("name", pa.string())]
    + [(name, pa.timestamp("us")) for name in ("joined_at", "left_at")]
)


def roster(*rows: tuple[str, str, datetime | None]) -> pa.Table:
    """Rows of group, member, left_at."""
    cells: list[dict[str, Any]] = [
        {"group_key": key(g), "sender_key": key(who), "name": who, "left_at": left}
        for g, who, left in rows
    ]
    return pa.Table.from_pylist(cells, ROSTER)


def row(found: Finding, group: str) -> dict[str, Any]:
    [mine] = [r for r in found.value["groups"] if r["group"].name == group]
    return {name: mine[name] for name in ("speakers", "size", "ever")}


def test_leavers_flatter_the_plain_rate_only() -> None:
    listed = roster(
        ("g", "ann", None), ("g", "bob", at(3)), ("g", "carol", None), ("g", "dan", at(1))
    )
    said = [Said("g", "ann", at()), Said("g", "bob", at())]
    found = find(ACTIVITY, tables(said, roster=listed), has=["roster"])
    assert row(found, "g") == {"speakers": 2, "size": 2, "ever": 4}
    assert (found.value["median"], found.value["median_corrected"]) == (1.0, 0.5)


def test_brand_bot_and_system_accounts_are_no_members() -> None:
    listed = roster(("g", "shop", None), ("g", "ann", None))
    said = [Said("g", who, at()) for who in ("shop", "robot", "ann")]
    classes = {"shop": "brand", "robot": "bot"}
    found = find(ACTIVITY, tables(said, classes=classes, roster=listed), has=["roster"])
    assert row(found, "g") == {"speakers": 1, "size": 1, "ever": 1}


def test_a_speaker_missing_in_the_roster_has_left() -> None:
    said = [Said("g", "ann", at()), Said("g", "gone", at())]
    found = find(ACTIVITY, tables(said, roster=roster(("g", "ann", None))), has=["roster"])
    assert row(found, "g") == {"speakers": 2, "size": 1, "ever": 2}


def test_events_stand_in_for_a_roster() -> None:
    events = [
        Happened("g", "ann", at(0)),
        Happened("g", "bob", at(0)),
        Happened("g", "bob", at(1), "leave"),
        Happened("g", "carol", at(0)),
        Happened("g", "carol", at(1), "remove"),
        Happened("g", "carol", at(2)),
        Happened("g", "old", at(1), "leave"),
    ]
    said = [Said("g", "ann", at()), Said("g", "before", at())]
    found = find(ACTIVITY, tables(said, events=events, roster=roster()), has=["joins"])
    assert row(found, "g") == {"speakers": 2, "size": 3, "ever": 5}
    assert any("roster would settle" in note.en for note in found.notes)


def test_a_group_of_unknown_size_is_left_out_and_told() -> None:
    said = [Said("g", "ann", at()), Said("h", "bob", at())]
    found = find(ACTIVITY, tables(said, roster=roster(("g", "ann", None))), has=["roster"])
    assert found.n == 1
    assert any("1 group without a known size" in note.en for note in found.notes)


people = st.sampled_from(["a", "b", "c", "d", "shop"])
listing = st.lists(
    st.tuples(st.sampled_from("gh"), people, st.sampled_from([None, at(5)])), max_size=12
)
talk = st.lists(st.tuples(st.sampled_from("ghi"), people), min_size=1, max_size=12)


@settings(max_examples=30)
@given(listing, talk)
def test_rates_are_those_counted_by_hand(
    listed: list[tuple[str, str, datetime | None]], spoken: list[tuple[str, str]]
) -> None:
    said = [Said(group, who, at(i)) for i, (group, who) in enumerate(spoken)]
    built = tables(said, classes={"shop": "brand"}, roster=roster(*listed))
    found = find(ACTIVITY, built, has=["roster"])
    expected = {}
    for group in {g for g, _, _ in listed}:
        brand = {"shop"} if (group, "shop") in spoken else set()
        spoke = {w for g, w in spoken if g == group} - brand
        there = {w for g, w, left in listed if g == group and left is None} - brand
        ever = {w for g, w, _ in listed if g == group} - brand | spoke
        if there:
            expected[group] = {"speakers": len(spoke), "size": len(there), "ever": len(ever)}
    names = {key(g): g for g in "ghi"}
    rows = found.value.get("groups", [])
    assert {
        names[r["group"].key]: {n: r[n] for n in ("speakers", "size", "ever")} for r in rows
    } == expected


def archive(pushes: list[int], speakers: list[int], size: int = 10) -> Any:
    """One group a pair: so many brand messages on one day, so many of ten members speak."""
    said, listed = [], []
    for i, (n, spoke) in enumerate(zip(pushes, speakers, strict=True)):
        said += [Said(f"g{i}", "shop", at(0, 9, k)) for k in range(n)]
        said += [Said(f"g{i}", f"m{k}", at(0, 10)) for k in range(spoke)]
        listed += [(f"g{i}", f"m{k}", None) for k in range(size)]
    return tables(said, classes={"shop": "brand"}, roster=roster(*listed))


def test_more_pushes_with_more_talk_are_seen_as_such() -> None:
    found = find(FREQUENCY, archive(list(range(1, 11)), list(range(1, 11))), has=["roster"])
    assert found.value["rho"] == pytest.approx(1)
    assert found.value["verdict"] == "more"
    assert found.interval is not None
    assert found.interval[0] > 0


def test_less_talk_with_more_pushes_is_seen_as_such() -> None:
    found = find(FREQUENCY, archive(list(range(1, 11)), list(range(10, 0, -1))), has=["roster"])
    assert found.value["verdict"] == "less"


def test_an_interval_that_holds_zero_is_inconclusive() -> None:
    pushes, speakers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [5, 3, 8, 1, 9, 2, 7, 4, 6, 5]
    found = find(FREQUENCY, archive(pushes, speakers), has=["roster"])
    assert found.value["rho"] == pytest.approx(stats.spearmanr(pushes, speakers).statistic)
    assert found.interval is not None
    assert found.interval[0] <= 0 <= found.interval[1]
    assert "Inconclusive" in found.sentence.en


def test_the_seed_fixes_the_interval() -> None:
    built = archive([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [5, 3, 8, 1, 9, 2, 7, 4, 6, 5])
    one, two = (find(FREQUENCY, built, has=["roster"], seed=s) for s in (1, 2))
    assert one.interval != two.interval
    assert find(FREQUENCY, built, has=["roster"], seed=1).interval == one.interval


@pytest.mark.parametrize("pushes", [[1, 2, 3], [4] * 12])
def test_few_groups_or_one_pace_tell_nothing(pushes: list[int]) -> None:
    found = find(
        FREQUENCY, archive(pushes, [i % 5 + 1 for i in range(len(pushes))]), has=["roster"]
    )
    assert found.value["verdict"] == "inconclusive"
    assert found.value["rho"] is None
