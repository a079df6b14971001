"""Classifiers against the truth that a sample plants: precision and recall of each.

One sample of half the study's groups goes the whole way: files, import, roles, cubes, findings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from qunluo.archive.engines.duckdb import DuckDB
from qunluo.archive.importers.base import Options
from qunluo.archive.ingest import import_files
from qunluo.archive.store import Archive
from qunluo.insight.figures import Finding
from qunluo.insight.given import Given
from qunluo.insight.inputs import read_corporate, read_roster, read_staff
from qunluo.insight.metrics import activity, brands, drivers, lives, pushes, shills, spikes
from qunluo.insight.run import findings, study
from qunluo.sample import Plan, write_sample

ZONE = ZoneInfo("Asia/Shanghai")
PLAN = Plan(messages=130_000, groups=34, speakers=1_600, seed=5)
MODULES = (activity, brands, drivers, lives, pushes, shills, spikes)
FLOOR = 0.8
Pairs = set[tuple[str, str]]


@dataclass(frozen=True)
class Recovered:
    """What a sample planted, and what was found in it."""

    truth: Mapping[str, Any]
    found: Mapping[str, Finding]
    ids: Mapping[int, str]  # sender_key → the platform's id

    def groups(self, figure: str, word: str) -> Pairs:
        """(group name, class) as a figure found them."""
        return {(g["group"].name, g[word]) for g in self.found[figure].value["groups"]}

    def planted(self, word: str) -> Pairs:
        return {(g["name"], g[word].replace(" ", "_")) for g in self.truth["groups"]}

    def name(self, group_id: str) -> str:
        [name] = [g["name"] for g in self.truth["groups"] if g["group"] == group_id]
        return str(name)


@pytest.fixture(scope="module")
def recovered(tmp_path_factory: pytest.TempPathFactory) -> Recovered:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(PLAN, folder)
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    return Recovered(truth, *_found(folder))


def _found(folder: Path) -> tuple[dict[str, Finding], dict[int, str]]:
    metrics = [m for module in MODULES for m in module.METRICS]
    with DuckDB(threads=1) as engine:
        archive = Archive.create(folder / "archive", engine, zone=ZONE.key)
        files = [folder / "messages.parquet", folder / "events.parquet"]
        import_files(archive, files, Options(zone=ZONE))
        given = Given(
            staff=read_staff(folder / "staff.csv", ZONE).table,
            roster=read_roster(folder / "roster.csv", ZONE).table,
            corporate=read_corporate(folder / "corporate.csv", ZONE).table,
        )
        ready = study(archive, given)
        rows = findings(ready, metrics)
        accounts = ready.small("accounts")
    assert isinstance(accounts, pa.Table)
    keys, ids = (accounts[name].to_pylist() for name in ("sender_key", "sender_id"))
    found = {m.id: found for m, found in rows if isinstance(found, Finding)}
    return found, dict(zip(keys, ids, strict=True))


def precision_and_recall(found: Pairs, planted: Pairs) -> dict[str, tuple[float, float]]:
    """By class; a class that nothing was planted in or found for is not judged."""
    return {
        word: (_share(found, planted, word), _share(planted, found, word))
        for word in sorted({w for _, w in planted})
    }


def _share(of: Pairs, hit: Pairs, word: str) -> float:
    mine = {pair for pair in of if pair[1] == word}
    return len(mine & hit) / len(mine) if mine else 0.0


def assert_good(figures: Mapping[str, tuple[float, float]]) -> None:
    assert figures
    assert all(p >= FLOOR and r >= FLOOR for p, r in figures.values()), figures


def test_life_types_are_recovered(recovered: Recovered) -> None:
    planted = recovered.planted("life")
    assert {word for _, word in planted} == set(lives.TYPES)
    assert_good(precision_and_recall(recovered.groups("I9", "type"), planted))


def test_drivers_are_recovered(recovered: Recovered) -> None:
    planted = {(g, word) for g, word in recovered.planted("driver") if word}
    assert {word for _, word in planted} == set(drivers.ENOUGH)
    assert_good(precision_and_recall(recovered.groups("I11", "driver"), planted))


def _spikes(recovered: Recovered) -> tuple[Pairs, Pairs]:
    """Spikes of steady groups, where all are planted; waves of recurring groups rise as well."""
    steady = {g["name"] for g in recovered.truth["groups"] if g["life"] == "steady"}
    planted = {
        (f"{recovered.name(s['group'])} {s['week']}", s["cause"])
        for s in recovered.truth["spikes"]
        if s["messages"] > spikes.TIMES * s["median_before"]
    }
    found = {
        (f"{s['group'].name} {s['week']}", s["cause"])
        for s in recovered.found["I10"].value["spikes"]
        if s["group"].name in steady
    }
    return found, planted


def test_spikes_and_their_causes_are_recovered(recovered: Recovered) -> None:
    found, planted = _spikes(recovered)
    assert {word for _, word in planted} == set(spikes.CAUSES)
    assert_good(precision_and_recall(found, planted))


def test_the_chatterbox_is_the_planted_one(recovered: Recovered) -> None:
    planted = {
        (f"{recovered.name(s['group'])} {s['week']}", s["member"])
        for s in recovered.truth["spikes"]
        if s["cause"] == "chatterbox"
    }
    found = {
        (f"{s['group'].name} {s['week']}", recovered.ids[s["member"].key])
        for s in recovered.found["I10"].value["spikes"]
        if s["cause"] == "chatterbox"
    }
    assert len(planted) >= 10
    assert len(planted & found) >= FLOOR * len(planted)


def test_shills_are_recovered(recovered: Recovered) -> None:
    planted = {
        (g["name"], who)
        for g in recovered.truth["groups"]
        for who in g["parts"].get("shill", [])
    }
    accounts = recovered.found["I12"].value["accounts"]
    found = {
        (a["group"].name, recovered.ids[a["account"].key]) for a in accounts if a["suspicious"]
    }
    assert len(planted) >= 10
    assert len(planted & found) >= FLOOR * len(planted)
    assert len(planted & found) >= FLOOR * len(found)


def test_activity_rates_are_the_planted_ones(recovered: Recovered) -> None:
    hosts = _counts(recovered.name(b["group"]) for b in recovered.truth["brand_accounts"])
    planted = {
        g["name"]: (
            g["speaking_members"],
            g["size"] - hosts[g["name"]],
            g["ever"] - hosts[g["name"]],
        )
        for g in recovered.truth["groups"]
    }
    rows = recovered.found["I7"].value["groups"]
    assert {r["group"].name: (r["speakers"], r["size"], r["ever"]) for r in rows} == planted


def test_paces_and_corporate_standings_are_the_planted_ones(recovered: Recovered) -> None:
    standing = recovered.truth["corporate"]["standing"]
    value = recovered.found["I14"].value
    assert {word: value[word] for word in standing} == standing
    planted = _counts(g["brand_day_bucket"] for g in recovered.truth["groups"])
    assert _buckets(recovered.found["I4"].value["buckets"]) == planted
    most = max(g["brand_day_most"] for g in recovered.truth["groups"])
    assert recovered.found["I4"].value["largest"]["n"] == most


def test_brand_accounts_are_the_planted_ones(recovered: Recovered) -> None:
    value = recovered.found["I2"].value
    assert value["places"] >= len(recovered.truth["brand_accounts"])
    assert value["groups_with_brand"] == value["groups"] == PLAN.groups


def _buckets(buckets: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    return {b["bucket"]: b["groups"] for b in buckets if b["groups"]}


def _counts(words: Iterable[str]) -> dict[str, int]:
    listed = list(words)
    return {word: listed.count(word) for word in listed}
