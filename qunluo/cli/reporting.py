"""The command that matters most: exports in, one page out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from qunluo.archive.engines.duckdb import DuckDB
from qunluo.archive.manifest import Folder, zone_of
from qunluo.archive.store import Archive
from qunluo.cli.importing import (
    NothingNamedError,
    opened,
    options_of,
    read_into,
    tell_imported,
    write_rejects,
)
from qunluo.cli.telling import Teller
from qunluo.insight.given import Given


@dataclass(frozen=True)
class Wish:
    """What the user asked for."""

    files: tuple[Path, ...]
    staff: Path | None
    roster: Path | None
    corporate: Path | None
    orders: Path | None
    zone: str | None
    group: str | None
    date_order: str | None
    output: Path
    document: Path | None
    anonymous: bool
    archive: Path | None
    rejects: Path | None


def write_report(wish: Wish, tell: Teller, lang: str) -> None:
    """Reads what is to be read and writes the page, whole or not at all."""
    if not wish.files and not wish.orders:
        raise NothingNamedError
    given = _given(wish)
    with TemporaryDirectory(prefix="qunluo-") as folder, DuckDB() as engine:
        source = _source(wish, engine, Path(folder), tell, lang)
        write_rejects(source, wish.rejects)
        _write(source, given, wish, tell, lang)
    tell.close()
    print(wish.output)


def _source(wish: Wish, engine: DuckDB, folder: Path, tell: Teller, lang: str) -> Archive:
    """The archive that was named, or one the named exports are read into."""
    if len(wish.files) == 1 and Folder(wish.files[0]).exists():
        return opened(wish.files[0], engine, wish.zone)
    source = opened(wish.archive or folder / "archive", engine, wish.zone)
    if wish.files:
        options = options_of(wish.group, wish.date_order, source.manifest().zone)
        done = read_into(source, wish.files, options, tell)
        tell.close()
        tell_imported(done, lang)
    return source


def _given(wish: Wish) -> Given:
    from qunluo.insight import inputs  # noqa: PLC0415

    zone = zone_of(wish.zone or "UTC")
    return Given(
        staff=inputs.read_staff(wish.staff, zone).table if wish.staff else None,
        roster=inputs.read_roster(wish.roster, zone).table if wish.roster else None,
        corporate=inputs.read_corporate(wish.corporate, zone).table if wish.corporate else None,
        orders=inputs.read_orders(wish.orders, zone).table if wish.orders else None,
    )


def _write(source: Archive, given: Given, wish: Wish, tell: Teller, lang: str) -> None:
    from qunluo.insight.report import render_html, render_json  # noqa: PLC0415
    from qunluo.insight.report.build import build_report  # noqa: PLC0415

    made = build_report(source, given, watch=lambda d, t: tell.step("figures", d, t))
    tell.step("render", 0, 1)
    if wish.document:
        _replace(wish.document, render_json(made, anonymous=wish.anonymous))
    _replace(wish.output, render_html(made, lang, anonymous=wish.anonymous))
    tell.step("render", 1, 1)


def _replace(path: Path, text: str) -> None:
    """Writes the file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
