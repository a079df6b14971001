"""Commands that read into and look after archives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from qunluo.archive.engines.duckdb import DuckDB
from qunluo.archive.exporters.tabular import harmless
from qunluo.archive.importers.base import Options
from qunluo.archive.ingest import Imported, Step, import_files
from qunluo.archive.manifest import ArchiveDamagedError, Folder, zone_of
from qunluo.archive.schema import REJECTS
from qunluo.archive.store import Archive
from qunluo.cli.output import check_outputs, whole
from qunluo.cli.telling import Teller, say
from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class OtherZoneError(QunluoError):
    """An archive keeps its days in one zone."""

    code = "other_zone"
    sentence = Text(
        "The archive {path} keeps its days in {kept}, not {asked}. Import the exports into a "
        "new folder with --tz {asked}, or leave --tz out.",
        "档案 {path} 的日期按 {kept} 记录，而不是 {asked}。请用 --tz {asked} 导入新的文件夹，"
        "或去掉 --tz。",
    )


class NothingNamedError(QunluoError):
    """No file was given."""

    code = "nothing_named"
    sentence = Text(
        "Name at least one chat export or archive folder. “qunluo sample” makes one to try.",
        "请至少指定一个聊天记录导出文件或档案文件夹。可用“qunluo sample”生成示例。",
    )


class ArchiveAmongExportsError(QunluoError):
    """An archive folder stands where an export should."""

    code = "archive_among_exports"
    sentence = Text(
        "{path} is a Qunluo archive, not a chat export. Name it alone for its report; to join "
        "its rows with others, write them out first: qunluo export {path} -o rows.parquet.",
        "{path} 是群落档案，不是聊天记录导出。单独指定它即可生成报告；"
        "若要与其他记录合并，请先导出：qunluo export {path} -o rows.parquet。",
    )


def read_into(
    archive: Archive, files: tuple[Path, ...], options: Options, tell: Teller
) -> Imported:
    """Imports with progress."""
    for path in files:
        if Folder(path).exists():
            raise ArchiveAmongExportsError(path=path)

    def watch(step: Step) -> None:
        tell.step(step.stage, step.done, step.total)

    return import_files(archive, files, options, watch)


def options_of(group: str | None, date_order: str | None, zone: str | None) -> Options:
    return Options(zone=zone_of(zone or "UTC"), date_order=date_order, group=group)  # type: ignore[arg-type]


@contextmanager
def opened(folder: Path, engine: DuckDB, zone: str | None) -> Iterator[Archive]:
    """The archive in `folder`, made if it is not there; its zone must be the one asked for.

    One that was made here goes again if nothing comes into it. Where something fails because
    files of the archive are damaged, that is said (`ArchiveDamagedError`).
    """
    fresh = not Folder(folder).exists()
    archive = Archive.create(folder, engine, zone=zone or "UTC")
    try:
        _agree_on_zone(archive, zone)
        with named_damage(archive):
            yield archive
    except BaseException:
        if fresh:
            archive.folder.discard_empty()
        raise


def _agree_on_zone(archive: Archive, zone: str | None) -> None:
    """An archive without rows takes any zone."""
    manifest = archive.manifest()
    if not zone or zone == manifest.zone:
        return
    if manifest.segments or manifest.sources:
        raise OtherZoneError(path=archive.path, kept=manifest.zone, asked=zone)
    with archive.folder.writing():
        archive.folder.write(replace(manifest, zone=zone))


@contextmanager
def named_damage(archive: Archive) -> Iterator[None]:
    """Whatever libraries make of a damaged file: the archive is looked over, and it is named."""
    try:
        yield
    except QunluoError:
        raise
    except Exception as error:
        wrong = next(archive.verify(), None)
        if wrong:
            raise ArchiveDamagedError(path=archive.path, what=wrong) from error
        raise


def import_command(*, files: tuple[Path, ...], archive: Path, group: str | None,
                   date_order: str | None, zone: str | None, rejects: Path | None,
                   tell: Teller, lang: str) -> None:  # fmt: skip
    if not files:
        raise NothingNamedError
    zone_of(zone or "UTC")
    check_outputs([rejects], files)
    with DuckDB() as engine, opened(archive, engine, zone) as target:
        options = options_of(group, date_order, target.manifest().zone)
        done = read_into(target, files, options, tell)
        write_rejects(target, rejects)
    tell.close()
    tell_imported(done, lang)


def write_rejects(archive: Archive, to: Path | None) -> None:
    """All lines of the archive's exports that could not be read: source, line, reason, content."""
    if to is None:
        return
    found = archive.table(archive.manifest().rejects)
    rows = REJECTS.empty_table() if found is None else found.select(REJECTS.names)
    ordered = rows.sort_by([("source", "ascending"), ("line", "ascending")])
    texts = {f.name for f in REJECTS if pa.types.is_string(f.type)}
    safe = [
        harmless(ordered[n].combine_chunks()) if n in texts else ordered[n]
        for n in REJECTS.names
    ]
    with whole(to) as part:
        csv.write_csv(pa.table(safe, names=REJECTS.names), part)


def tell_imported(done: Imported, lang: str) -> None:
    """What an import did, in words, on standard error."""
    t = done.tally
    words = Text(
        f"Read {done.files} files: {t.messages:,} messages, {t.events:,} events, "
        f"{t.rejects:,} lines kept as rejects; {done.known} files were in already.",
        f"读取 {done.files} 个文件：消息 {t.messages:,} 条，事件 {t.events:,} 条，"
        f"无法读取的行 {t.rejects:,}；{done.known} 个文件此前已导入。",
    )
    say(words(lang))
    for skipped in done.skipped[:5]:
        say(f"  – {skipped.error.message(lang)}")
    if len(done.skipped) > 5:
        say(f"  – … {len(done.skipped) - 5:,}")
    for name, warning in done.warnings[:20]:
        say(f"  ! {name}: {warning(lang)}")


def verify_command(*, folder: Path, tell: Teller, lang: str) -> None:
    with DuckDB() as engine:
        wrong = list(Archive.open(folder, engine).verify())
    if wrong:
        some = wrong[:5]
        what = Text("; ".join(w.en for w in some), "；".join(w.zh for w in some))
        raise ArchiveDamagedError(path=folder, what=what)
    say(Text("Every file is as it was written.", "所有文件完好无损。")(lang), error=False)


def compact_command(*, folder: Path, tell: Teller, lang: str) -> None:
    with DuckDB() as engine:
        archive = Archive.open(folder, engine)
        with named_damage(archive):
            archive.compact()
    say(Text("Done.", "完成。")(lang), error=False)


def export_command(*, folder: Path, output: Path, form: str, tell: Teller, lang: str) -> None:
    from qunluo.archive.exporters import export_archive  # noqa: PLC0415

    with DuckDB() as engine:
        archive = Archive.open(folder, engine)
        with named_damage(archive):
            export_archive(archive, form, output)
    say(Text("Written to {path}.", "已写入 {path}。").format(path=output)(lang), error=False)
