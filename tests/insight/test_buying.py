"""Orders: repeat purchase, RFM with both tie rules, funnel and health against naive counting."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.insight.inputs import ORDERS, schema
from qunluo.insight.metrics.buying import REPEAT, RFM
from qunluo.insight.metrics.funnel import FUNNEL
from qunluo.insight.metrics.health import HEALTH, group_rates, monthly, talk_rates
from qunluo.insight.metrics.member_cubes import MEMBER_MONTH
from qunluo.insight.rfm import by_rank, by_threshold, customers, cuts, top_share
from tests.insight.tables_builder import Happened, Said, at, collect, find, tables

Bought = tuple[str, datetime, int]  # customer, when, minor units


def orders(rows: list[Bought], **same: Any) -> pa.Table:
    records = [
        {"order_id": f"o{i}", "customer_id": who, "member_id": who, "paid_at": when,
         "amount_minor": amount, "quantity": 1, **same}
        for i, (who, when, amount) in enumerate(rows)
    ]  # fmt: skip
    return pa.Table.from_pylist(records, schema=schema(ORDERS))


bought = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "10", "11", "3"]),
        st.integers(0, 200).map(lambda day: at(day, 9)),
        st.integers(0, 5_000),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=40)
@given(bought)
def test_repeat_rates_equal_a_count_by_hand(rows: list[Bought]) -> None:
    found = find(REPEAT, tables([Said("g", "1", at(0))], orders=orders(rows))).value
    days: dict[str, list[Any]] = defaultdict(list)
    for who, when, _ in rows:
        days[who].append(when.date())
    assert found["customers"] == len(days)
    assert found["by_orders"]["customers"] == sum(len(d) > 1 for d in days.values())
    assert found["by_days"]["customers"] == sum(len(set(d)) > 1 for d in days.values())
    assert found["amount_minor"] == sum(amount for _, _, amount in rows)
    firsts = [min(d).replace(day=1).isoformat()[:7] for d in days.values()]
    assert {m: row[0] for m, row in found["cohorts"].items()} == {
        m: firsts.count(m) for m in set(firsts)
    }


def test_lines_of_one_order_are_one_order() -> None:
    rows = orders([("1", at(0), 100), ("1", at(0), 200)])
    rows = rows.set_column(0, "order_id", pa.array(["same", "same"]))
    found = find(REPEAT, tables([Said("g", "1", at(0))], orders=rows)).value
    assert found["orders"] == 1
    assert found["amount_minor"] == 300


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60))
def test_both_tie_rules_equal_their_definition(values: list[int]) -> None:
    array, ordered = np.array(values), sorted(values)
    bounds = [ordered[max(-(-len(values) * k // 5), 1) - 1] for k in (1, 2, 3, 4)]
    assert list(cuts(array)) == bounds
    assert by_threshold(array).tolist() == [1 + sum(c < v for c in bounds) for v in values]
    assert by_threshold(array, low_is_best=True).tolist() == [
        5 - sum(c < v for c in bounds) for v in values
    ]
    ranked = sorted(range(len(values)), key=lambda i: (values[i], i))
    scores = {i: rank * 5 // len(values) + 1 for rank, i in enumerate(ranked)}
    assert by_rank(array).tolist() == [scores[i] for i in range(len(values))]


def test_ties_part_by_customer_number_and_thresholds_leave_a_class_empty() -> None:
    ids = np.array([str(i) for i in range(1, 11)])
    found = customers(ids, np.full(10, 5), np.full(10, 100), 5)
    assert found.ids.tolist() == [str(i) for i in range(1, 11)]
    assert by_rank(found.orders).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert set(by_threshold(found.orders).tolist()) == {1}
    assert top_share(np.array([1, 1, 8]), 0.2) == 0.8


def test_rfm_counts_customers_once_and_names_only_members() -> None:
    rows = [("ann", at(d), 500) for d in (0, 50, 100)] + [("stranger", at(3), 9_000)]
    found = find(RFM, tables([Said("g", "ann", at(0))], orders=orders(rows)))
    assert found.value["as_of"] == at(100).date().isoformat()
    assert sum(found.value["segments"].values()) == 2
    assert [row[0].name for row in found.tables[1].rows] == ["ann"]
    assert "stranger" not in str(found.tables)


def test_the_funnel_counts_who_passed_every_step_before() -> None:
    events = [Happened("g", who, at(0, 8)) for who in ("ann", "bob", "cat", "dan")]
    events.append(Happened("g", "new", at(50), inviter="ann"))
    said = [Said("g", who, at(1)) for who in ("ann", "bob", "cat")]
    said += [Said("g", who, at(20)) for who in ("ann", "bob")] + [Said("g", "ann", at(90))]
    paid = orders([("ann", at(10, 8), 100), ("dan", at(2), 100)])
    found = find(FUNNEL, tables(said, events=events, orders=paid))
    steps = {step["stage"]: step["n"] for step in found.value["aarrr"]}
    assert steps == {
        "acquisition": 5, "activation": 3, "retention": 2, "revenue": 1, "referral": 1,
    }  # fmt: skip
    rarra = {step["stage"]: step.get("n") for step in found.value["rarra"]}
    assert list(rarra) == ["retention", "activation", "referral", "revenue", "acquisition"]
    # Dan bought without ever writing: his id is in no account, so it can't be known.
    assert rarra["revenue"] == 1
    assert found.value["days_to_buy"] == {"n": 1, "quartiles": [10.0, 10.0, 10.0]}


def test_the_funnel_says_what_it_lacks() -> None:
    found = find(FUNNEL, tables([Said("g", "ann", at(0)), Said("g", "ann", at(60))]))
    assert [step["stage"] for step in found.value["aarrr"]] == ["acquisition", "retention"]
    assert any("--orders" in note.en for note in found.notes)


@given(st.sets(st.tuples(st.integers(1, 6), st.integers(0, 8)), min_size=1), st.integers(0, 8))
def test_retention_and_churn_equal_a_count_by_hand(
    active: set[tuple[int, int]], last: int
) -> None:
    who, month = (np.array(column) for column in zip(*sorted(active), strict=True))
    found = talk_rates(who, month, last)
    for rates, step in ((found["retention"], 1), (found["churn"], 0)):
        for m, hits, n in zip(rates.month, rates.hits, rates.people, strict=True):
            base = {w for w, x in active if x == m - step}
            back = {w for w, x in active if x == m}
            soon = {w for w, x in active if m < x <= m + 2}
            assert n == len(base)
            assert hits == (len(base & back) if step else len(base - soon))
            assert m <= (last if step else last - 2)


def test_red_only_when_the_interval_excludes_the_history() -> None:
    def rates(now: int) -> str:
        month = np.repeat(np.arange(4), 100)
        hit = np.concatenate([np.arange(100) < 50] * 3 + [np.arange(100) < now])
        return monthly("retention", month, np.full(400, True), hit).light()

    assert [rates(n) for n in (30, 45, 55, 70)] == ["red", "amber", "amber", "green"]


def test_health_compares_with_its_own_months_and_with_peer_groups() -> None:
    said = []
    for month in range(5):
        for p in range(30):
            if month < 4 or p < 8:  # most fall silent in the fifth month
                said.append(Said("g", f"p{p}", datetime(2023, month + 1, 10, 9, p)))
    said.append(Said("g", "p0", datetime(2023, 5, 31, 9)))
    found = find(HEALTH, tables(said))
    assert found.value["signs"]["retention"]["light"] == "red"
    assert "retention" in found.sentence.en
    assert found.move is not None
    assert "--orders" in found.notes[0].en
    peers = group_rates(collect(MEMBER_MONTH, tables(said)), 640)
    assert [(p.hits, p.people) for p in peers] == [(98, 120)]


def test_conversion_and_repurchase_join_orders_to_talk() -> None:
    said = [Said("g", who, at(day)) for who in ("ann", "bob") for day in (0, 31, 62, 88)]
    paid = orders([("ann", at(1), 10), ("ann", at(40), 10), ("cat", at(41), 10)])
    signs = find(HEALTH, tables(said, orders=paid), has=["orders"]).value["signs"]
    assert [(m["hits"], m["people"]) for m in signs["conversion"]["months"]] == [
        (1, 2), (1, 2), (0, 2),
    ]  # fmt: skip
    assert [(m["hits"], m["people"]) for m in signs["repurchase"]["months"]] == [(0, 1), (1, 2)]


@pytest.mark.parametrize("metric", [REPEAT, RFM, FUNNEL, HEALTH])
def test_nothing_given_is_said(metric: Any) -> None:
    found = find(metric, tables([]))
    assert found.n == 0
    assert "nothing to count" in found.sentence.en


def test_days_are_told_from_coming_not_from_midnight() -> None:
    said = [Said("g", "ann", at(0, 20)), Said("g", "ann", at(60))]
    paid = orders([("ann", at(0) - timedelta(hours=12), 10)])  # that day, before coming
    found = find(FUNNEL, tables(said, orders=paid))
    assert found.value["days_to_buy"] == {"n": 1, "quartiles": [0.0, 0.0, 0.0]}
