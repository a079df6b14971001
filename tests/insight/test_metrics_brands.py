"""I2 and I14: brand accounts and their corporate standing."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from qunluo.insight.estimates import wilson
from qunluo.insight.metrics.brands import BRAND_ACCOUNTS, CORPORATE_STANDING
from tests.insight.tables_builder import Built, Said, at, find, key, tables

Standing = tuple[str | None, str, str | None, str | None]  # group, account, status, vendor
COLUMNS = pa.schema(
    [("group_key", pa.int64()), ("sender_key", pa.int64())]
    + [(name, pa.string()) for name in ("name", "corporate", "vendor")]
)


def corporate(*rows: Standing) -> pa.Table:
    cells: list[dict[str, Any]] = [
        {
            "group_key": key(group) if group else None,
            "sender_key": key(account),
            "name": account,
            "corporate": status,
            "vendor": vendor,
        }
        for group, account, status, vendor in rows
    ]
    return pa.Table.from_pylist(cells, COLUMNS)


def talk(**counts: int) -> list[Said]:
    return [Said("g", who, at(0, 9, i)) for who, n in counts.items() for i in range(n)]


def shop(*rows: Standing, **more: Any) -> Built:
    said = [*talk(shop=6, ann=3, bob=1, notices=10), Said("h", "carol", at())]
    classes = {"shop": "brand", "notices": "system"}
    return tables(said, classes=classes, corporate=corporate(*rows), **more)


def test_the_share_leaves_out_system_messages() -> None:
    found = find(BRAND_ACCOUNTS, shop())
    [row] = found.tables[0].rows
    assert row[2:4] == (6, 0.6)


def test_it_counts_places_accounts_and_groups() -> None:
    said = [Said(g, "shop", at()) for g in ("g", "h")] + [Said("i", "ann", at())]
    built = tables(said, classes={"shop": "brand"}, corporate=corporate())
    value = find(BRAND_ACCOUNTS, built).value
    assert (value["accounts"], value["places"]) == (1, 2)
    assert (value["groups"], value["groups_with_brand"]) == (3, 2)


def test_a_suspected_account_is_listed_but_not_counted_as_brand() -> None:
    found = find(BRAND_ACCOUNTS, shop(suspected=["ann"]))
    assert found.value["places"] == 1
    assert found.value["suspected"] == 1
    assert [row[5].en for row in found.tables[0].rows] == ["marked or corporate", "suspected"]
    assert found.move is not None


def test_the_status_of_the_group_wins_over_that_of_all_groups() -> None:
    rows = ((None, "shop", "lapsed", None), ("g", "shop", "verified", None))
    [row] = find(BRAND_ACCOUNTS, shop(*rows)).tables[0].rows
    assert row[4].en == "verified"


def test_without_a_brand_account_it_says_so() -> None:
    found = find(BRAND_ACCOUNTS, tables(talk(ann=3), corporate=corporate()))
    assert found.n == 0
    assert "No account" in found.sentence.en
    assert not found.tables


def test_standings_are_counted_once_an_account_with_wilsons_interval() -> None:
    rows: list[Standing] = [("g", "shop", "verified", "甲"), ("h", "shop", "verified", "甲")]
    rows += [(None, "two", "lapsed", "乙"), (None, "three", "never", "甲")]
    rows += [(None, "four", None, "甲")]
    found = find(CORPORATE_STANDING, shop(*rows))
    assert [found.value[s] for s in ("verified", "lapsed", "never")] == [1, 1, 1]
    assert found.interval == wilson(1, 3)
    assert found.value["vendors"][0] == {"vendor": "甲", "accounts": 3, "share": 0.75}
    assert [row[2].en for row in found.tables[0].rows] == ["lapsed", "never verified"]
    assert found.move is not None


def test_without_a_standing_there_is_nothing_to_count() -> None:
    found = find(CORPORATE_STANDING, shop())
    assert found.n == 0
    assert found.value == {}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_vendors_alone_are_shown_too(lang: str) -> None:
    found = find(CORPORATE_STANDING, shop((None, "shop", None, "甲")))
    assert found.interval is None
    assert "甲" in found.sentence(lang)
