"""The command that matters most: exports in, one page out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa

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
from qunluo.cli.output import check_outputs, whole
from qunluo.cli.telling import Teller, say
from qunluo.insight.given import Given
from qunluo.kit.scratch import scratch
from qunluo.kit.text import Text

if TYPE_CHECKING:
    from qunluo.insight.inputs import Input

LEFT_OUT = Text(
    "{file}: rows left out: {count}; the first is line {line}: {why}.",
    "{file}：有 {count} 行未采用；首个是第 {line} 行：{why}。",
)


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
    zone_of(wish.zone or "UTC")
    lists = (wish.staff, wish.roster, wish.corporate, wish.orders)
    check_outputs((wish.output, wish.document, wish.rejects), (*wish.files, *lists))
    with (
        scratch("report") as folder,
        DuckDB() as engine,
        _source(wish, engine, folder) as source,
    ):
        given = _given(wish, zone_of(source.manifest().zone), lang)
        _read(wish, source, tell, lang)
        write_rejects(source, wish.rejects)
        _write(source, given, wish, tell, lang)
    tell.close()
    say(str(wish.output), error=False)


def _is_archive(wish: Wish) -> bool:
    return len(wish.files) == 1 and Folder(wish.files[0]).exists()


@contextmanager
def _source(wish: Wish, engine: DuckDB, folder: Path) -> Iterator[Archive]:
    """The archive that was named, or one for the named exports."""
    path = wish.files[0] if _is_archive(wish) else wish.archive or folder / "archive"
    with opened(path, engine, wish.zone) as source:
        yield source


def _read(wish: Wish, source: Archive, tell: Teller, lang: str) -> None:
    """The named exports, into the archive."""
    if _is_archive(wish) or not wish.files:
        return
    options = options_of(wish.group, wish.date_order, source.manifest().zone)
    done = read_into(source, wish.files, options, tell)
    tell.close()
    tell_imported(done, lang)


def _given(wish: Wish, zone: ZoneInfo, lang: str) -> Given:
    """The user's lists; times that state an offset come into the zone of the archive."""
    from qunluo.insight import inputs  # noqa: PLC0415

    def table(reader: Callable[[Path, ZoneInfo], Input], path: Path | None) -> pa.Table | None:
        if path is None:
            return None
        found = reader(path, zone)
        _tell_left_out(found, lang)
        return found.table

    return Given(
        staff=table(inputs.read_staff, wish.staff),
        roster=table(inputs.read_roster, wish.roster),
        corporate=table(inputs.read_corporate, wish.corporate),
        orders=table(inputs.read_orders, wish.orders),
    )


def _tell_left_out(found: Input, lang: str) -> None:
    if found.rejects:
        first = found.rejects[0]
        words = LEFT_OUT.format(
            file=found.file, count=len(found.rejects), line=first.line, why=first.reason
        )
        say(words(lang))


def _write(source: Archive, given: Given, wish: Wish, tell: Teller, lang: str) -> None:
    from qunluo.insight.report import render_html, render_json  # noqa: PLC0415
    from qunluo.insight.report.build import build_report  # noqa: PLC0415

    made = build_report(source, given, watch=lambda d, t: tell.step("figures", d, t))
    tell.step("render", 0, 1)
    if wish.document:
        with whole(wish.document) as part:
            part.write_text(render_json(made, anonymous=wish.anonymous), "utf-8")
    with whole(wish.output) as part:
        part.write_text(render_html(made, lang, anonymous=wish.anonymous), "utf-8")
    tell.step("render", 1, 1)
