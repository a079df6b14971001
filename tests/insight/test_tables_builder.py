"""The oracle itself, on rows small enough to count by eye."""

from __future__ import annotations

from tests.insight.tables_builder import Said, at, key, tables


def test_it_counts_a_person_by_month_and_day() -> None:
    t = tables(
        [Said("g", "ann", at(0, 9)), Said("g", "ann", at(0, 9, 1)), Said("g", "ann", at(40))]
    )
    rows = t.arrow("person").sort_by("month").to_pylist()
    assert [(r["n"], r["days"]) for r in rows] == [(2, 1), (1, 1)]
    assert t.arrow("person_day").num_rows == 2


def test_it_resolves_replies_and_neighbours() -> None:
    t = tables(
        [
            Said("g", "ann", at(0, 9), message_id="1"),
            Said("g", "bob", at(0, 9, 2), reply_to="1"),
            Said("h", "bob", at(0, 10), reply_to="1"),
        ]
    )
    assert t.arrow("latency").to_pylist() == [{"group_key": key("g"), "delay_s": 120, "n": 1}]
    ties = {(r["tie"], r["sender_key"], r["other_key"]) for r in t.arrow("pair").to_pylist()}
    assert ties == {("reply", key("bob"), key("ann")), ("next", key("bob"), key("ann"))}


def test_it_classes_an_account_for_one_group_only() -> None:
    t = tables(
        [Said("g", "ann", at()), Said("h", "ann", at())], classes={("g", "ann"): "brand"}
    )
    words = {r["group_key"]: r["class"] for r in t.arrow("classed").to_pylist()}
    assert words == {key("g"): "brand", key("h"): "member"}
