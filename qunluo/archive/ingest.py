"""From what the user names to rows in an archive: recognise, read, add in atomic steps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.importers import FORMATS, importer
from qunluo.archive.importers.base import (
    REJECT_CHARS,
    Batch,
    Importer,
    Options,
    Reject,
    Tally,
)
from qunluo.archive.manifest import zone_of
from qunluo.archive.schema import REJECTS
from qunluo.archive.sources import Found, Skipped, Sources, find_sources
from qunluo.archive.staging import Stage
from qunluo.archive.store import Archive
from qunluo.archive.streams import DAMAGE
from qunluo.kit.errors import QunluoError
from qunluo.kit.scratch import scratch
from qunluo.kit.text import Text

HEAD_BYTES = 64 << 10
NO_DOUBT = 0.95
SURE = 0.5  # an importer less sure than this does not get the file
CHECKPOINT_ROWS = 4_000_000  # after so many, what is read so far becomes part of the archive

FIRST, LAST = datetime(1901, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
ODD_TIME = "the time lies outside the years 1901 to 2100"

TALLY = tuple(vars(Tally()))
SOURCES = pa.schema(
    [
        pa.field("fingerprint", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        *(pa.field(n, pa.int64(), nullable=False) for n in TALLY),
        pa.field("warnings_en", pa.list_(pa.string())),
        pa.field("warnings_zh", pa.list_(pa.string())),
    ]
)
KEPT_REJECTS = pa.schema([pa.field("fingerprint", pa.string(), nullable=False), *REJECTS])


class NothingReadableError(QunluoError):
    """No file was a chat export."""

    code = "nothing_readable"
    sentence = Text(
        "Qunluo knows no chat export here (files looked at: {count}, first: “{name}”). "
        "Known formats: {formats}. See docs/how-to for how to export a chat.",
        "没有找到群落能识别的聊天记录导出（共 {count} 个文件，首个：“{name}”）。"
        "支持的格式：{formats}。导出方法见 docs/how-to。",
    )


class NothingInsideError(QunluoError):
    """The exports hold neither a message nor an event that could be read."""

    code = "nothing_inside"
    sentence = Text(
        "“{name}” was read as {format}, but holds no message ({rejects} lines could not be "
        "read). Check that the export is complete, then try again.",
        "“{name}”按{format}读取，但其中没有消息（{rejects} 行无法读取）。"
        "请确认导出是否完整后重试。",
    )


class UncountedLinesError(QunluoError):
    """An importer lost count: a defect of ours, never of the user's file."""

    code = "uncounted_lines"
    sentence = Text(
        "Reading “{name}” as {format} did not account for every line ({tally}). Nothing was "
        "changed. This is a defect of Qunluo: please report it.",
        "按 {format} 读取“{name}”时有行未被计入（{tally}）。档案未作任何改动。"
        "这是群落的缺陷，请反馈。",
    )


@dataclass(frozen=True)
class Step:
    """How far an import is; `done` and `total` count bytes (read) or rows (store)."""

    stage: Literal["read", "store"]
    done: int
    total: int
    name: str = ""


@dataclass
class Imported:
    """What an import did."""

    tally: Tally = field(default_factory=Tally)
    files: int = 0
    known: int = 0  # files that the archive had already
    skipped: list[Skipped] = field(default_factory=list)
    warnings: list[tuple[str, Text]] = field(default_factory=list)


Watch = Callable[[Step], None]


def import_files(archive: Archive, paths: Sequence[Path], options: Options,
                 watch: Watch = lambda step: None) -> Imported:  # fmt: skip
    """Reads every export among `paths` into the archive.

    An interrupted import loses nothing that is stored: running it again skips the files that
    are in, and a message that is there already is not stored twice. Raises `QunluoError`
    where nothing can be read; files in folders that are no exports are `skipped`.
    """
    with find_sources(paths) as sources, scratch("stage") as folder:
        run = _Run(archive, options, watch, folder)
        run.read_all(sources)
        run.store()
        run.done.skipped += sources.skipped
        return run.done


class UnknownFormatError(QunluoError):
    """One file among others is no chat export."""

    code = "unknown_format"
    sentence = Text(
        "“{name}” is no chat export that Qunluo knows.", "“{name}”不是可识别的聊天记录。"
    )


def recognise(source: Found, likely: Importer | None = None) -> Importer | None:
    """The importer that has no doubt of the file's content, or is surest, if any is sure.

    `likely` is asked first: exports of ten thousand files are of one format.
    """
    head = source.head(HEAD_BYTES)
    surest, best = None, 0.0
    for asked in chain([likely] if likely else [], map(importer, FORMATS)):
        sure = asked.sniff(head, source)
        if sure >= NO_DOUBT:
            return asked
        if sure > best:
            surest, best = asked, sure
    return surest if best >= SURE else None


class _Run:
    """One import under way."""

    def __init__(self, archive: Archive, options: Options, watch: Watch, folder: Path) -> None:
        self.archive, self.options, self.watch, self.folder = archive, options, watch, folder
        self.done = Imported()
        self.likely: Importer | None = None
        with archive.folder.writing():  # told before the work, not after it
            manifest = archive.manifest()
        self.zone = zone_of(manifest.zone)
        known = archive.table(manifest.sources)
        self.known = set(known["fingerprint"].to_pylist()) if known is not None else set()
        self._begin()

    def _begin(self) -> None:
        self.stage = Stage(self.zone, self.folder)
        self.sources: list[dict[str, object]] = []
        self.rejects: list[dict[str, object]] = []

    def read_all(self, sources: Sources) -> None:
        total = sum(max(s.size, 0) for s in sources)
        before = 0
        for number, source in enumerate(sources):
            self._read(source, number, partial(self._tell, before, total, source.name))
            before += max(source.size, 0)
            if self.stage.pos >= CHECKPOINT_ROWS:
                self.store()
        if not self.done.known and not self.done.tally.messages + self.done.tally.events:
            raise self._refusal(sources)

    def store(self) -> None:
        """Makes what was read part of the archive, in one step."""
        records = {
            "sources": pa.Table.from_pylist(self.sources, SOURCES),
            "rejects": pa.Table.from_pylist(self.rejects, KEPT_REJECTS),
        }
        if self.sources:
            self.archive.add(self.stage, records, lambda d, t: self.watch(Step("store", d, t)))
        self._begin()

    def _read(self, source: Found, number: int, tell: Callable[[int], None]) -> None:
        self.likely = found = recognise(source, self.likely)
        if found is None:
            self.done.skipped.append(Skipped(source.name, UnknownFormatError(name=source.name)))
            return
        staged, rejects = self.stage.pos, len(self.rejects)
        try:
            self._read_once(found, source, number, tell)
        except DAMAGE as error:
            if source.named or self.stage.pos > staged:
                raise
            del self.rejects[rejects:]
            self.done.skipped.append(Skipped(source.name, error))  # one of a folder's files

    def _read_once(self, found: Importer, source: Found, number: int,
                   tell: Callable[[int], None]) -> None:  # fmt: skip
        mark = self._fingerprint(source)
        if mark in self.known:
            self.done.known += 1
        else:
            self._read_as(found, source, number, mark, tell)

    def _read_as(self, found: Importer, source: Found, number: int, mark: str,
                 tell: Callable[[int], None]) -> None:  # fmt: skip
        tally, warnings = Tally(), []
        for batch in map(believable, found.read(source, self.options)):
            if batch.messages.num_rows or batch.events.num_rows:
                self.stage.put(batch.messages, batch.events, number)
            self.rejects += [_reject(mark, source.name, r) for r in batch.rejects]
            tally.add(batch.tally)
            warnings += batch.warnings
            tell(source.consumed)
        if not tally.accounts_for_every_line():
            raise UncountedLinesError(name=source.name, format=found.name, tally=vars(tally))
        self._record(source, found, mark, tally, warnings)

    def _record(self, source: Found, found: Importer, mark: str, tally: Tally,
                warnings: list[Text]) -> None:  # fmt: skip
        self.done.files += 1
        self.done.tally.add(tally)
        self.done.warnings += [(source.name, w) for w in warnings]
        words = {
            "warnings_en": [w.en for w in warnings],
            "warnings_zh": [w.zh for w in warnings],
        }
        row: dict[str, object] = {
            "fingerprint": mark,
            "name": source.name,
            "format": found.name,
        }
        self.sources.append({**row, **vars(tally), **words})
        self.known.add(mark)

    def _fingerprint(self, source: Found) -> str:
        """Content, place (it may give date and group) and group asked for."""
        words = "\x1f".join([source.fingerprint(), source.trail, self.options.group or ""])
        return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()

    def _tell(self, before: int, total: int, name: str, consumed: int) -> None:
        self.watch(Step("read", min(before + consumed, total), total, name))

    def _refusal(self, sources: Sources) -> QunluoError:
        """Why nothing at all could be read."""
        if self.sources:
            first = self.sources[0]
            label = importer(str(first["format"])).label
            rejects = self.done.tally.rejects
            return NothingInsideError(name=first["name"], format=label, rejects=rejects)
        for skipped in self.done.skipped:
            if not isinstance(skipped.error, UnknownFormatError):
                return skipped.error
        labels = [importer(n).label for n in FORMATS]
        formats = Text(", ".join(t.en for t in labels), "、".join(t.zh for t in labels))
        name = self.done.skipped[0].name if self.done.skipped else ""
        return NothingReadableError(count=len(sources), name=name, formats=formats)


def believable(batch: Batch) -> Batch:
    """The batch without rows of a year in which nobody chatted, which become rejects.

    A clock that was never set writes the year 1; such rows would stretch every figure over
    centuries. Their line is not known any more: 0.
    """
    messages, odd = _of_our_times(batch.messages, "sent_at")
    events, others = _of_our_times(batch.events, "at")
    if not odd and not others:
        return batch
    counts = vars(batch.tally) | {"messages": batch.tally.messages - len(odd)}
    counts["events"] = max(batch.tally.events - len(others), 0)
    counts["rejects"] += batch.tally.messages + batch.tally.events
    counts["rejects"] -= counts["messages"] + counts["events"]
    rejects = [*batch.rejects, *(Reject(0, ODD_TIME, row) for row in odd + others)]
    return Batch(messages, events, rejects, Tally(**counts), batch.warnings)


def _of_our_times(rows: pa.Table, column: str) -> tuple[pa.Table, list[str]]:
    """Rows that can be true, and the others as text."""
    if not rows.num_rows:
        return rows, []
    ends = pc.min_max(rows[column])
    if ends["min"].as_py() >= FIRST and ends["max"].as_py() < LAST:
        return rows, []
    good = pc.and_(pc.greater_equal(rows[column], FIRST), pc.less(rows[column], LAST))
    odd = rows.filter(pc.invert(good))
    said = zip(odd[column].cast(pa.int64()).to_pylist(), odd["text"].to_pylist(), strict=True)
    return rows.filter(good), [
        f"{at // 1_000_000} {text or ''}"[:REJECT_CHARS] for at, text in said
    ]


def _reject(mark: str, name: str, reject: Reject) -> dict[str, object]:
    return {
        "fingerprint": mark,
        "source": name,
        "line": reject.line,
        "reason": reject.reason,
        "content": reject.content,
    }
