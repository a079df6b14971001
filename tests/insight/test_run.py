"""From an archive to findings: counts from rollups are counts from rows; classes; order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from qunluo.archive.engines.duckdb import DuckDB
from qunluo.archive.store import Archive
from qunluo.insight.figures import Cube, Finding, Missing
from qunluo.insight.given import Given
from qunluo.insight.inputs import read_orders, read_roster, read_staff
from qunluo.insight.report import render_html, render_json
from qunluo.insight.report.build import build_report
from qunluo.insight.report.model import Report
from qunluo.insight.run import findings, study
from qunluo.insight.sections import all_metrics
from qunluo.insight.tables import BY_NAME
from tests.archive.store_builder import Join, Line, add, new_archive

MONTH = 31 * 24 * 60
WORDS = (
    "好的",
    "请问多少钱？",
    "抽奖啦",
    "thanks",
    "ann: hello",
    "希望增加夜间配送",
    "太慢了",
    "",
)


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDB]:
    with DuckDB(threads=2) as running:
        yield running


def talk(seed: int, count: int = 400) -> list[Line | Join]:
    """A few months of made-up talk in three groups, with replies over months and bursts."""
    draw = random.Random(seed)
    rows: list[Line | Join] = []
    for n in range(count):
        minute = draw.choice([draw.randrange(4 * MONTH), draw.randrange(3)])
        group, sender = (
            draw.choice("gh"),
            draw.choice(["ann", "bob", "cy", "dora", "robot bot"]),
        )
        reply = str(draw.randrange(n)) if n and draw.random() < 0.4 else None
        if draw.random() < 0.1:
            rows.append(Join(minute, sender, group, draw.choice(["join", "leave"])))
        else:
            text, kind = draw.choice(WORDS), draw.choice(["text", "text", "image", "action"])
            rows.append(Line(minute, sender, text, group, str(n), reply, None, kind))
    return sorted(rows, key=lambda r: r.minute)


def made(engine: DuckDB, folder: Path, *parts: list[Line | Join], rows: int = 60) -> Archive:
    archive = new_archive(folder, engine, segment_rows=rows)
    for part in parts:
        add(archive, part)
    return archive


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_counts_from_rollups_equal_counts_from_rows(
    engine: DuckDB, tmp_path: Path, seed: int
) -> None:
    archive = made(engine, tmp_path / "a", talk(seed))
    assert len(archive.manifest().segments) > 2
    ready = study(archive, Given())
    tables = [Cube(f"table_{n}", lambda t, n=n: getattr(t, n)) for n in BY_NAME]
    cubes = [*tables, *(c for m in all_metrics() for c in m.cubes)]
    warm, cold = ready.cubes(cubes), ready.cubes(cubes, rollups=False)
    for name in warm:
        assert _rows(warm[name]) == _rows(cold[name]), name
        assert warm[name].schema.types == cold[name].schema.types, name
    assert warm["table_pair"].num_rows > 10
    assert warm["table_latency"].num_rows > 10


def _rows(table: pa.Table) -> list[str]:
    return sorted(repr(row) for row in table.to_pylist())


def test_the_report_is_the_same_to_the_byte_whatever_the_order_of_imports(
    engine: DuckDB, tmp_path: Path
) -> None:
    rows = talk(5)
    cut = next(i for i in range(320, 400) if rows[i].minute != rows[i - 1].minute)
    back = next(i for i in range(260, 400) if rows[i].minute != rows[i - 1].minute)
    first, second = rows[:cut], rows[back:]
    orders = {"whole": [rows], "halves": [first, second], "turned": [second, first, second]}
    pages = {}
    for name, parts in orders.items():
        report = build_report(made(engine, tmp_path / name, *parts), Given())
        pages[name] = (render_html(report, "zh"), render_json(report, anonymous=False))
    assert pages["halves"] == pages["turned"]
    assert pages["whole"] == pages["halves"]


def test_every_metric_finds_something_or_names_the_file_that_would_help(
    engine: DuckDB, tmp_path: Path
) -> None:
    ready = study(made(engine, tmp_path / "a", talk(7)), Given())
    for metric, found in findings(ready, all_metrics()):
        if isinstance(found, Missing):
            assert found.sentence.en, metric.id
            assert found.sentence.zh, metric.id
        else:
            assert isinstance(found, Finding)
            assert found.sentence.en, metric.id
            assert found.n >= 0


def test_an_empty_archive_has_a_report_too(engine: DuckDB, tmp_path: Path) -> None:
    report = build_report(made(engine, tmp_path / "a"), Given())
    assert report.totals.messages == 0
    assert "<html" in render_html(report, "en")


def test_orders_alone_make_a_report(engine: DuckDB, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "customer_id,date,quantity,amount\n1,2024-01-01,1,10.00\n1,2024-02-01,1,5\n"
    )
    report = build_report(made(engine, tmp_path / "a"), Given(orders=read_orders(path).table))
    found = report.found("orders")
    assert found is not None
    assert found.n == 1


def classes(archive: Archive, given: Given) -> dict[tuple[str, str], str]:
    ready = study(archive, given)
    rows = ready.small("classes")
    assert isinstance(rows, pa.Table)
    names = ready.facts
    return {
        (names.group_names[r["group_key"]], names.sender_names[r["sender_key"]]): r["class"]
        for r in rows.to_pylist()
    }


def test_the_staff_list_the_name_and_the_corporate_rule_say_who_is_who(
    engine: DuckDB, tmp_path: Path
) -> None:
    lines = [Line(n, "shop") for n in range(3)] + [Line(9, f"m{n}") for n in range(7)]
    lines += [Line(10, "robot bot"), Line(11, "helper")]
    archive = made(engine, tmp_path / "a", lines)
    (tmp_path / "staff.csv").write_text("account,role\nhelper,brand\n/^m6$/,system\n")
    (tmp_path / "roster.csv").write_text("group_id,member_id,corporate\ng,shop,verified\n")
    given = Given(
        staff=read_staff(tmp_path / "staff.csv").table,
        roster=read_roster(tmp_path / "roster.csv").table,
    )
    found = {who: c for (_, who), c in classes(archive, given).items()}
    assert found["shop"] == "brand"  # corporate and 3 of 11 messages
    assert found["helper"] == "brand"
    assert found["robot bot"] == "bot"
    assert found["m6"] == "system"
    assert found["m0"] == "member"


def test_an_account_above_a_fifth_of_unknown_status_is_suspected_and_stays_a_member(
    engine: DuckDB, tmp_path: Path
) -> None:
    archive = made(engine, tmp_path / "a", [*(Line(n, "shop") for n in range(3)), Line(5, "m")])
    assert classes(archive, Given())["g", "shop"] == "member"
    rows = study(archive, Given()).small("classes")
    assert isinstance(rows, pa.Table)
    assert rows["suspected"].to_pylist() == [True, True]


def test_who_was_staff_for_a_time_counts_as_staff_for_that_time(
    engine: DuckDB, tmp_path: Path
) -> None:
    archive = made(engine, tmp_path / "a", [Line(n * 60 * 24, "ann") for n in range(10)])
    (tmp_path / "staff.csv").write_text(
        "account,role,from,until\nann,brand,2022-02-03,2022-02-05\n"
    )
    given = Given(staff=read_staff(tmp_path / "staff.csv").table)
    found = build_report(archive, given).found("I1")
    assert found is not None
    assert found.value["messages"]["brand"] == 2
    assert found.value["messages"]["member"] == 8


def test_who_was_staff_for_a_time_is_one_account(engine: DuckDB, tmp_path: Path) -> None:
    lines = [Line(n * 60 * 24, who) for n in range(10) for who in ("ann", "bob")]
    archive = made(engine, tmp_path / "a", lines)
    (tmp_path / "staff.csv").write_text(
        "account,role,from,until\nann,brand,2022-02-03,2022-02-05\n"
    )
    report = build_report(archive, Given(staff=read_staff(tmp_path / "staff.csv").table))
    assert report.totals.speakers == 2
    for of in ("all", "people"):
        assert values(report, "I8")[of]["speakers"] == 2
        assert values(report, "cohorts")[of]["cohorts"] == {"2022-01": [2, 2]}
        monthly = values(report, "calendar")[of]["monthly_active_speakers"]
        assert monthly == {"2022-01": 2, "2022-02": 2}
    assert values(report, "people")["accounts"] == 2


def values(report: Report, figure: str) -> Any:
    found = report.found(figure)
    assert found is not None
    return found.value
