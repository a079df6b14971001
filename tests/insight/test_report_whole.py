"""The whole way, as an owner goes it: files in, a page out, opened in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser

from qunluo.archive.engines.duckdb import DuckDB
from qunluo.archive.importers.base import Options
from qunluo.archive.ingest import import_files
from qunluo.archive.store import Archive
from qunluo.insight import inputs
from qunluo.insight.given import Given
from qunluo.insight.report import Report, best_moves, render_html, render_json, verdict
from qunluo.insight.report.build import build_report
from qunluo.insight.report.verdict import SUBJECTS
from qunluo.sample import Plan, write_sample
from tests.browser import ALL_DRAWN, SCROLL_THROUGH, assert_fits, browser

ZONE = ZoneInfo("Asia/Shanghai")
PLAN = Plan(messages=12_000, groups=9, speakers=260, seed=7)
CHAT = """18/08/2021, 09:00 - Ann: Hello everybody
18/08/2021, 09:01 - Bo: hi Ann
18/08/2021, 09:02 - Ann: how is the serum?
18/08/2021, 09:05 - Cem: quite good
18/08/2021, 09:06 - Bo: so so
"""
ORDERS = """customer_id,order_id,paid_at,amount
a,1,2022-01-03,10
a,2,2022-02-03,12
b,3,2022-01-09,8
"""
NO_FIGURE = re.compile(
    r"\b(?:nan|None|inf)\b|(?<![\d.,])1 (?:groups|accounts|members|days|weeks)\b"
)
ISO_DAY = re.compile(r"\b20\d\d-\d\d\b")
SHOWN = (
    "[...document.querySelectorAll('.verdict, h3, figcaption, .note')].map(e => e.innerText)"
)
STRAY = """() => [...document.querySelectorAll('.plot svg *')].some(e =>
  [...e.attributes].some(a => a.value.includes('NaN')))"""


def made(folder: Path, files: list[Path], given: Given) -> Report:
    with DuckDB(threads=1) as engine:
        archive = Archive.create(folder / "archive", engine, zone=ZONE.key)
        if files:
            import_files(archive, files, Options(zone=ZONE))
        return build_report(archive, given)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(PLAN, folder)
    given = Given(
        staff=inputs.read_staff(folder / "staff.csv", ZONE).table,
        roster=inputs.read_roster(folder / "roster.csv", ZONE).table,
        corporate=inputs.read_corporate(folder / "corporate.csv", ZONE).table,
        orders=inputs.read_orders(folder / "orders.csv", ZONE).table,
    )
    return made(folder, [folder / "messages.parquet", folder / "events.parquet"], given)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "chat.txt").write_text(CHAT, "utf-8")
    return made(folder, [folder / "chat.txt"], Given())


@pytest.fixture(scope="module")
def bought(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("orders")
    (folder / "orders.csv").write_text(ORDERS, "utf-8")
    return made(folder, [], Given(orders=inputs.read_orders(folder / "orders.csv", ZONE).table))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "lang", "width"),
    [("sample", "zh", 390), ("sample", "en", 1440), ("tiny", "en", 390), ("bought", "zh", 390)],
)
def test_a_real_report_is_whole(request: Any, chromium: Browser, tmp_path: Path, name: str,
                                lang: str, width: int) -> None:  # fmt: skip
    path = tmp_path / "report.html"
    path.write_text(render_html(request.getfixturevalue(name), lang), "utf-8")
    assert path.stat().st_size < 3_000_000
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page, trouble, asked = context.new_page(), list[str](), list[str]()
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda wanted: asked.append(wanted.url))
    page.goto(path.as_uri())
    page.evaluate(SCROLL_THROUGH)
    page.wait_for_function(ALL_DRAWN)
    assert_fits(page)
    assert not page.evaluate(STRAY)
    shown = page.evaluate(SHOWN)
    assert len(shown) > 20
    assert [said for said in shown if NO_FIGURE.search(said) or ISO_DAY.search(said)] == []
    assert trouble == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    context.close()


def test_the_three_moves_are_about_three_matters(sample: Report) -> None:
    moves = best_moves(sample)
    assert len(moves) == 3
    ids = [move.figure.metric.id for move in moves]
    assert all(sum(i in subject for i in ids) <= 1 for subject in SUBJECTS)


def test_five_lines_are_no_ground_for_advice(tiny: Report) -> None:
    assert best_moves(tiny) == ()
    assert verdict(tiny).en == (
        "On 18 Aug 2021, 3 people wrote 5 messages in one group. That is very little: take what "
        "follows as a first look, not as a judgement."
    )


def test_orders_alone_are_told_as_such_and_come_first(bought: Report) -> None:
    assert "2 customers bought on more than one day" in verdict(bought).en
    page = render_html(bought, "en")
    assert page.index('id="s-money"') < page.index('id="s-talk"')


def test_a_masked_copy_holds_no_name_and_no_message(sample: Report) -> None:
    names = {*sample.facts.group_names.values(), *sample.facts.sender_names.values()}
    named = render_json(sample)
    told = {name for name in names if len(name) > 3 and name in named} - {"系统消息"}
    assert len(told) > 50
    page = render_html(sample, "zh", anonymous=True)
    said = page[page.index("<body>") : page.index("<script>")]  # the words, not the libraries
    assert {name for name in told if name in said} == set()
    assert {name for name in told if name in render_json(sample, anonymous=True)} == set()
