"""What holds for every figure of the study, whatever the archive."""

from __future__ import annotations

import json
from dataclasses import asdict

import pyarrow as pa
import pytest

from qunluo.insight.figures import Metric
from qunluo.insight.metrics import activity, brands, drivers, lives, pushes, shills, spikes
from tests.insight.tables_builder import Built, Happened, Said, at, find, tables

MODULES = (brands, pushes, activity, lives, spikes, drivers, shills)
METRICS = [metric for module in MODULES for metric in module.METRICS]

CORPORATE = pa.schema(
    [("group_key", pa.int64()), ("sender_key", pa.int64())]
    + [(name, pa.string()) for name in ("name", "corporate", "vendor")]
)
ROSTER = pa.schema(
    [("group_key", pa.int64()), ("sender_key", pa.int64()), ("name", pa.string())]
    + [(name, pa.timestamp("us")) for name in ("joined_at", "left_at")]
)


def archive(*said: Said) -> Built:
    lists = {"corporate": CORPORATE.empty_table(), "roster": ROSTER.empty_table()}
    events = [Happened(m.group, m.sender, m.at) for m in said]
    return tables(said, events=events, classes={"shop": "brand"}, **lists)


ARCHIVES = {
    "empty": (),
    "one": (Said("g", "ann", at(), None, kind="image"),),
    "brand only": tuple(Said("g", "shop", at(d)) for d in range(3)),
    "members only": tuple(Said("g", f"m{d % 3}", at(d)) for d in range(90)),
}


def test_the_figures_are_those_of_the_study() -> None:
    assert [m.id for m in METRICS] == [
        "I2",
        "I14",
        "I4",
        "I5",
        "I7",
        "I13",
        "I9",
        "I10",
        "I11",
        "I12",
    ]


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.id)
@pytest.mark.parametrize("said", ARCHIVES.values(), ids=ARCHIVES)
def test_it_answers_whatever_there_is(metric: Metric, said: tuple[Said, ...]) -> None:
    found = find(metric, archive(*said))
    assert found.n >= 0
    assert found.sentence.en.endswith(".")
    assert found.sentence.zh.endswith("。")
    json.dumps(asdict(found), allow_nan=False, default=str)


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.id)
def test_it_is_declared_in_both_languages(metric: Metric) -> None:
    assert metric.reference is not None
    for text in (metric.name, metric.unit, metric.window, metric.definition, metric.reference):
        assert text.en
        assert any("一" <= c <= "鿿" for c in text.zh) or text == metric.unit
        assert not any("一" <= c <= "鿿" for c in text.en)


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.id)
def test_it_finds_the_same_twice(metric: Metric) -> None:
    said = ARCHIVES["members only"]
    assert find(metric, archive(*said)) == find(metric, archive(*said))
