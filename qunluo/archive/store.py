"""The archive: immutable Parquet segments, a manifest, and counts beside each segment.

A segment holds whole local months, cut so that it has about `SEGMENT_ROWS` rows; where the
cuts lie follows from the rows alone, so that the same rows make the same archive in whatever
order they came.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from qunluo.archive.counted import COUNTED, CROSSING, Counted
from qunluo.archive.crossing import crossing_rows
from qunluo.archive.engines.base import Engine, Files, Input, Plan
from qunluo.archive.manifest import (
    ArchiveDamagedError,
    ArchiveStaleError,
    Folder,
    Manifest,
    NotAnArchiveError,
    Segment,
    StoredFile,
    is_as_written,
    missing,
    sealed,
)
from qunluo.archive.profiles import EDGES, OPEN_REPLIES, PROFILES
from qunluo.archive.settled import (
    NAIVE,
    SEGMENT_EVENTS,
    SEGMENT_MESSAGES,
    Settled,
    settled_events,
    settled_messages,
)
from qunluo.archive.staging import Stage, months_of
from qunluo.kit.text import Text

SEGMENT_ROWS = 1_000_000

Kind = Literal["messages", "events"]
SCHEMAS: dict[Kind, pa.Schema] = {"messages": SEGMENT_MESSAGES, "events": SEGMENT_EVENTS}


def _encodings(schema: pa.Schema) -> dict[str, Any]:
    """How columns are written: what mostly rises, or is small, as differences; words and keys
    by number, as long as few are distinct."""
    differences = {
        f.name: "DELTA_BINARY_PACKED"
        for f in schema
        if not f.name.endswith("_key") and (f.type in (pa.int64(), NAIVE))
    }
    inside = ["mentions.list.element", "reactions.list.element.emoji"]
    numbered = [f.name for f in schema if f.name not in differences] + inside
    return {
        "compression": "zstd",
        "compression_level": 1,
        "column_encoding": differences,
        "use_dictionary": numbered,
    }


ENCODINGS = {kind: _encodings(schema) for kind, schema in SCHEMAS.items()}

Progress = Callable[[int, int], None]
"""Called with work done and work in all, in rows."""


@dataclass(frozen=True)
class Cut:
    """Months that make one segment."""

    first_month: int
    last_month: int

    def __contains__(self, month: int) -> bool:
        return self.first_month <= month <= self.last_month

    def ends(self) -> tuple[pa.Scalar, pa.Scalar]:
        """The first local instant, and the first after."""
        months = np.array([self.first_month, self.last_month + 1]).astype("M8[M]")
        first, end = pa.array(months.astype("M8[us]"))
        return first, end


@dataclass(frozen=True)
class Archive:
    """A folder of Parquet segments; every write is one atomic step from the old to the new."""

    path: Path
    engine: Engine
    segment_rows: int = SEGMENT_ROWS

    @property
    def folder(self) -> Folder:
        return Folder(self.path)

    @classmethod
    def create(cls, path: Path, engine: Engine, *, zone: str) -> Archive:
        """The archive in `path`, made empty with that zone if there is none."""
        archive = cls(path, engine)
        if not archive.folder.exists():
            with archive.folder.writing():
                archive.folder.write(Manifest(zone=zone))
        return archive

    @classmethod
    def open(cls, path: Path, engine: Engine) -> Archive:
        """The archive in `path`, or `NotAnArchiveError`."""
        archive = cls(path, engine)
        if not archive.folder.exists():
            raise NotAnArchiveError(path=path)
        return archive

    def manifest(self) -> Manifest:
        return self.folder.read()

    def add(self, stage: Stage, records: Mapping[str, pa.Table],
            progress: Progress = lambda done, total: None) -> Manifest:  # fmt: skip
        """Adds staged rows, all or nothing, and answers the new manifest."""
        with self.folder.writing():
            old = self.manifest()
            self.folder.sweep(old)
            segments = self._settled(old.segments, stage, progress)
            while tuple(map(_cut, segments)) != tuple(self._cuts(_rows_by_month(segments))):
                # duplicates made segments smaller than was known before
                segments = self._settled(segments, Stage(UTC, stage.folder), progress)
            new = replace(
                old,
                segments=segments,
                crossing=self._crossing(segments) if stage.months() else old.crossing,
                sources=self._recorded(old.sources, records.get("sources")),
                rejects=self._recorded(old.rejects, records.get("rejects")),
            )
            self.folder.write(new)
            self.folder.sweep(new)
        return new

    def compact(self) -> Manifest:
        """Cuts segments as their rows now say and drops unused files; changes no figure."""
        return self.add(Stage(UTC, self.path / "data"), {})

    def verify(self) -> Iterator[Text]:
        """What is wrong with the archive's files; nothing if all is well."""
        for file in self.manifest().files():
            path = self.path / "data" / file.name
            if not path.is_file():
                yield missing(file.name)
            elif not is_as_written(path, file):
                yield Text(f"{file.name} was changed", f"{file.name} 内容有变")

    def messages(self, manifest: Manifest) -> Files:
        """All messages, sorted within each segment."""
        return self._files(manifest.segments, "messages", SCHEMAS["messages"])

    def events(self, manifest: Manifest) -> Files:
        """All events, sorted within each segment."""
        return self._files(manifest.segments, "events", SCHEMAS["events"])

    def rollups(self, manifest: Manifest, counted: Counted) -> Files:
        """The rollups of one counted table."""
        return self._files(manifest.segments, counted.rollup, counted.schema)

    def profiles(self, manifest: Manifest, name: str) -> Files:
        """One of `PROFILES` of every segment; an account or group may stand in several."""
        return self._files(manifest.segments, name, PROFILES[name][0])

    def crossing(self, manifest: Manifest) -> Files:
        """Replies and neighbours that lie in two segments."""
        file = manifest.crossing
        return Files((self._existing(file.name),) if file else (), CROSSING)

    def table(self, file: StoredFile | None) -> pa.Table | None:
        """A small file, whole."""
        return pq.read_table(self._existing(file.name)) if file else None

    def _settled(
        self, old: Sequence[Segment], stage: Stage, progress: Progress
    ) -> tuple[Segment, ...]:
        counts = _rows_by_month(old)
        for month, rows in stage.months().items():
            counts[month] = counts.get(month, 0) + rows
        done, made = 0, []
        for cut in self._cuts(counts):
            made.append(self._segment(cut, old, stage))
            done += sum(n for m, n in counts.items() if m in cut)
            progress(done, sum(counts.values()))
        return tuple(made)

    def _cuts(self, counts: Mapping[int, int]) -> Iterator[Cut]:
        return cuts_of(counts, self.segment_rows)

    def _segment(self, cut: Cut, old: Sequence[Segment], stage: Stage) -> Segment:
        touched = [s for s in old if any(m in cut for m in s.months)]
        unchanged = not any(m in cut for m in stage.months())
        if unchanged and [_cut(s) for s in touched] == [cut]:
            return touched[0]
        return self._write_segment(cut, touched, stage)

    def _write_segment(self, cut: Cut, touched: Sequence[Segment], stage: Stage) -> Segment:
        ids = stage.ids or any(s.has_ids for s in touched)
        replies = stage.replies or any(s.has_replies for s in touched)
        arrived = stage.messages.take(cut.first_month, cut.last_month)
        kept = self._kept("messages", cut, touched)
        messages = settled_messages(arrived, kept, overlap=ids or stage.several)
        files = {"messages": self._write_settled("messages", messages)}
        files |= {n: self._store(n, make(messages)) for n, (_, make) in PROFILES.items()}
        arrived = stage.events.take(cut.first_month, cut.last_month)
        kept = self._kept("events", cut, touched)
        events = settled_events(arrived, kept)
        files["events"] = self._write_settled("events", events)
        files |= self._count(files["messages"])
        months = months_of([messages.rows, events.rows])
        return Segment(cut.first_month, cut.last_month, files, months, ids, replies)

    def _kept(self, kind: Kind, cut: Cut, touched: Sequence[Segment]) -> pa.Table | None:
        """Stored rows of the months of a cut."""
        if not touched:
            return None
        first, end = cut.ends()
        within = (pc.field("local_at") >= first) & (pc.field("local_at") < end)
        paths = [self._stored(s, kind) for s in touched]
        tables = [pq.read_table(p, filters=within, schema=SCHEMAS[kind]) for p in paths]
        return pa.concat_tables(tables)

    def _write_settled(self, kind: Kind, settled: Settled) -> StoredFile:
        path = self._fresh(kind)
        with pq.ParquetWriter(path, SCHEMAS[kind], **ENCODINGS[kind]) as to:
            for piece in settled.batches():
                to.write_table(piece)
        return sealed(path, len(settled.order))

    def _count(self, messages: StoredFile) -> dict[str, StoredFile]:
        tables = {"messages": Files((self._existing(messages.name),), SEGMENT_MESSAGES)}
        files: dict[str, StoredFile] = {}
        for counted in COUNTED:
            files[counted.rollup] = made = self._write(counted.rollup, counted.plan(), tables)
            tables[counted.rollup] = Files((self._existing(made.name),), counted.schema)
        return files

    def _crossing(self, segments: Sequence[Segment]) -> StoredFile:
        edges = self._files(segments, "edges", EDGES)
        unresolved = self._files(segments, "open_replies", OPEN_REPLIES)
        messages = self._files(segments, "messages", SEGMENT_MESSAGES)
        rows = crossing_rows(self.engine, edges=edges, unresolved=unresolved, messages=messages)
        return self._store("crossing", rows.cast(CROSSING))

    def _recorded(self, old: StoredFile | None, fresh: pa.Table | None) -> StoredFile | None:
        """Rows of the old file and fresh ones, which replace those of the same export."""
        if not fresh:
            return old
        before = self.table(old)
        if before is not None:
            again = pc.is_in(before["fingerprint"], fresh["fingerprint"].combine_chunks())
            fresh = pa.concat_tables([before.filter(pc.invert(again)), fresh])
        keys = [k for k in ("fingerprint", "line") if k in fresh.column_names]
        return self._store("records", fresh.sort_by([(k, "ascending") for k in keys]))

    def _write(self, kind: str, plan: Plan, inputs: Mapping[str, Input]) -> StoredFile:
        path = self._fresh(kind)
        return sealed(path, self.engine.write(plan, inputs, path))

    def _store(self, kind: str, rows: pa.Table) -> StoredFile:
        path = self._fresh(kind)
        pq.write_table(rows, path, compression="zstd")
        return sealed(path, rows.num_rows)

    def _fresh(self, kind: str) -> Path:
        return self.path / "data" / f"{kind}-{secrets.token_hex(8)}.parquet"

    def _existing(self, name: str) -> Path:
        path = self.path / "data" / name
        if not path.is_file():
            raise ArchiveDamagedError(path=self.path, what=missing(name))
        return path

    def _stored(self, segment: Segment, kind: str) -> Path:
        """A segment's file of that kind."""
        if kind not in segment.files:
            raise ArchiveStaleError(path=self.path, what=kind)
        return self._existing(segment.files[kind].name)

    def _files(self, segments: Sequence[Segment], kind: str, schema: pa.Schema) -> Files:
        paths = tuple(self._stored(s, kind) for s in segments)
        return Files(paths, schema)


def _cut(segment: Segment) -> Cut:
    return Cut(segment.first_month, segment.last_month)


def _rows_by_month(segments: Sequence[Segment]) -> dict[int, int]:
    return {m: rows for s in segments for m, rows in s.months.items()}


def cuts_of(counts: Mapping[int, int], limit: int) -> Iterator[Cut]:
    """Consecutive months put together up to `limit` rows; one month is never divided."""
    months: list[int] = []
    rows = 0
    for month, count in sorted(counts.items()):
        if months and rows + count > limit:
            yield Cut(months[0], months[-1])
            months, rows = [], 0
        months.append(month)
        rows += count
    if months:
        yield Cut(months[0], months[-1])
