"""The report of an archive: totals, where every line went, and all figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from qunluo import __version__
from qunluo.archive.importers import importer
from qunluo.archive.manifest import Manifest
from qunluo.archive.store import Archive
from qunluo.insight.given import Given
from qunluo.insight.report.model import (
    Figure,
    LineCount,
    Report,
    Section,
    SourceCount,
    Totals,
)
from qunluo.insight.run import Study, findings, study
from qunluo.insight.sections import all_metrics, arranged
from qunluo.kit.text import Text

LISTED_SOURCES = 200  # files named one by one; of more, only sums by format are shown


def build_report(archive: Archive, given: Given, *, rollups: bool = True,
                 watch: Callable[[int, int], None] = lambda done, total: None) -> Report:  # fmt: skip
    """Everything a report says of the archive as it stands."""
    ready = study(archive, given)
    sections = arranged(all_metrics())
    wanted = [m for _, _, metrics in sections for m in metrics]
    found = dict(
        zip(wanted, findings(ready, wanted, rollups=rollups, watch=watch), strict=True)
    )
    manifest = archive.manifest()
    sources = archive.table(manifest.sources)
    return Report(
        totals=_totals(ready, manifest, sources),
        sources=_sources(sources),
        facts=ready.facts,
        sections=tuple(
            Section(i, title, tuple(Figure(m, found[m][1]) for m in metrics))
            for i, title, metrics in sections
        ),
        version=__version__,
    )


def _totals(ready: Study, manifest: Manifest, sources: pa.Table | None) -> Totals:
    people = ready.people
    kinds = _event_kinds(ready.archive, manifest)
    actions, written = _sum(people, "actions"), _sum(people, "n")
    system = people.filter(pc.equal(people["class"], "system"))
    ends = [pc.min(people["first_at"]).as_py(), pc.max(people["last_at"]).as_py()]
    return Totals(
        messages=written - actions,
        actions=actions,
        speakers=pc.count_distinct(people["sender_key"]).as_py(),
        groups=pc.count_distinct(people["group_key"]).as_py(),
        joins=kinds.get("join", 0),
        leaves=kinds.get("leave", 0),
        rejects=manifest.rejects.rows if manifest.rejects else 0,
        first_at=ends[0].isoformat() if ends[0] else None,
        last_at=ends[1].isoformat() if ends[1] else None,
        system=_sum(system, "n"),
        events=sum(kinds.values()),
        lines=_lines(sources),
    )


def _sum(table: pa.Table, column: str) -> int:
    return int(pc.sum(table[column]).as_py() or 0)


def _event_kinds(archive: Archive, manifest: Manifest) -> dict[str, int]:
    counts: dict[str, int] = {}
    for path in archive.events(manifest).paths:
        for row in pc.value_counts(pq.read_table(path, columns=["kind"])["kind"]).to_pylist():
            counts[row["values"]] = counts.get(row["values"], 0) + row["counts"]
    return counts


def _lines(sources: pa.Table | None) -> tuple[LineCount, ...]:
    if sources is None:
        return ()
    parts = ("lines", "messages", "events", "rejects", "blank", "continuation", "header")
    sums = sources.group_by("format").aggregate([(p, "sum") for p in parts]).sort_by("format")
    return tuple(
        LineCount(_label(row["format"]), **{p: row[f"{p}_sum"] for p in parts})
        for row in sums.to_pylist()
    )


def _sources(sources: pa.Table | None) -> tuple[SourceCount, ...]:
    if sources is None or sources.num_rows > LISTED_SOURCES:
        return ()
    rows = sources.sort_by([("name", "ascending"), ("fingerprint", "ascending")]).to_pylist()
    return tuple(_source(row) for row in rows)


def _source(row: dict[str, Any]) -> SourceCount:
    name = PurePosixPath(row["name"]).name
    counts = {k: row[k] for k in ("messages", "events", "rejects")}
    return SourceCount(name, _label(row["format"]), **counts)


def _label(format_: str) -> Text:
    return importer(format_).label
