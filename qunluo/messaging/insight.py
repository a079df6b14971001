"""The report's figures of a running community, a few minutes old.

The worker feeds each community's archive and, when it has changed, computes the report; pages
only read what lies there: `<data>/insight/<community>/figures.json` and `report-<lang>.html`.
Each file is replaced at once or not at all.
"""

from __future__ import annotations

import csv
import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.conf import settings
from django.db import connection

from qunluo.archive.engines.duckdb import DuckDB
from qunluo.archive.manifest import ArchiveBusyError, Folder
from qunluo.archive.store import Archive
from qunluo.community.models import Community
from qunluo.groups.models import Membership
from qunluo.insight.given import Given
from qunluo.insight.inputs import ROSTER, schema
from qunluo.insight.report import Report, render_html, verdict
from qunluo.insight.report.build import build_report
from qunluo.insight.report.masks import masks_of
from qunluo.insight.report.views import FigureView, Views
from qunluo.kit import clock
from qunluo.kit.text import LANGS, Lang
from qunluo.messaging.feeding import ENGINE_THREADS, archive_path, feed

FEED_EVERY_S = 20.0
FIGURES_EVERY_S = 180.0
AT_MOST_SHARE = 0.1  # of the time goes into figures, however large the archive
COMPACT_EVERY = 200  # rounds
ROWS = 20  # of a table on a card
ROSTER_NAMES = ["group_id", "member_id", "name", "joined_at", "left_at"]
log = logging.getLogger(__name__)


def insight_path(community_id: int) -> Path:
    return Path(settings.QUNLUO.data) / "insight" / str(community_id)


def keep_feeding(stop: threading.Event) -> None:
    """Feeds all archives and renews their figures until stopped; the worker's second thread."""
    feeder = Feeder()
    while not stop.is_set():
        feeder.round(stop)
        connection.close()
        stop.wait(FEED_EVERY_S)


class Feeder:
    """Remembers when each community's figures were made, and how long that took."""

    def __init__(self) -> None:
        self.due: dict[int, float] = {}
        self.stale: set[int] = set()
        self.rounds = 0

    def round(self, stop: threading.Event) -> None:
        """Feeds every community once; an error of one is no matter for the others."""
        self.rounds += 1
        for community in Community.objects.order_by("pk"):
            if stop.is_set():
                return
            try:
                self._look_after(community)
            except ArchiveBusyError:
                continue  # another worker feeds it
            except Exception:
                log.exception("The archive of community %s was not fed", community.pk)

    def _look_after(self, community: Community) -> None:
        if feed(community) or not (insight_path(community.pk) / "figures.json").exists():
            self.stale.add(community.pk)
        if self.rounds % COMPACT_EVERY == 0 and has_archive(community.pk):
            compact(community)
        if community.pk in self.stale and time.monotonic() >= self.due.get(community.pk, 0.0):
            started = time.monotonic()
            self.stale.discard(community.pk)
            if has_archive(community.pk):
                make_figures(community)
            took = time.monotonic() - started
            wait = max(FIGURES_EVERY_S, took / AT_MOST_SHARE)
            self.due[community.pk] = time.monotonic() + wait


def has_archive(community_id: int) -> bool:
    return Folder(archive_path(community_id)).exists()


def compact(community: Community) -> None:
    """Drops what is not used any more; no figure changes."""
    with DuckDB(threads=ENGINE_THREADS) as engine:
        Archive.open(archive_path(community.pk), engine).compact()


def make_figures(community: Community) -> None:
    """Computes the report of the archive as it stands and puts it where pages find it."""
    folder = insight_path(community.pk)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made_at = clock.now()
    with DuckDB(threads=ENGINE_THREADS) as engine:
        archive = Archive.open(archive_path(community.pk), engine)
        report = build_report(archive, Given(roster=roster_of(community)))
        for lang in LANGS:
            _replace(folder / f"report-{lang}.html", render_html(report, lang))
    document = {
        "made_at": made_at.isoformat(),
        "messages": report.totals.messages,
        "groups": report.totals.groups,
        "verdict": {lang: verdict(report)(lang) for lang in LANGS},
        "sections": {lang: list(_sections(report, lang)) for lang in LANGS},
    }
    _replace(folder / "figures.json", json.dumps(document, ensure_ascii=False))


def _sections(report: Report, lang: Lang) -> Iterator[dict[str, Any]]:
    views = Views(masks_of(report, anonymous=False), lang, ROWS)
    for section in views.sections(report):
        cards = [_card(figure, lang) for figure in section.figures]
        yield {"id": section.id, "title": section.title, "cards": cards}


def _card(figure: FigureView, lang: Lang) -> dict[str, Any]:
    """One figure: what it says, of how many, how sure, and what it is."""
    metric = figure.metric
    return {
        "id": metric.id,
        "name": figure.name,
        "says": figure.heading,
        "headline": figure.headline.text if figure.headline else "",
        "n": figure.n_exact or figure.n,
        "few": figure.few,
        "interval": figure.interval,
        "missing": list(figure.missing or ()),
        "notes": list(figure.notes),
        "unit": metric.unit(lang),
        "window": metric.window(lang),
        "definition": metric.definition(lang),
        "reference": figure.reference,
    }


@dataclass(frozen=True)
class Figures:
    """What pages show, in one language."""

    made_at: datetime
    messages: int
    groups: int
    verdict: str
    sections: list[dict[str, Any]]


def find_figures(community_id: int, lang: Lang) -> Figures | None:
    """The latest figures of a community; None where there are none yet."""
    try:
        said = json.loads((insight_path(community_id) / "figures.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return Figures(
        datetime.fromisoformat(said["made_at"]), said["messages"], said["groups"],
        said["verdict"][lang], said["sections"][lang],
    )  # fmt: skip


def roster_of(community: Community) -> pa.Table:
    """Who is or was in which group, as `insight.inputs` reads it from a list."""
    zone = ZoneInfo(community.zone)
    rows = Membership.objects.filter(group__community=community).order_by("pk")
    found = rows.values_list(
        "group_id", "member_id", "member__name", "member__erased_at", "joined_at", "left_at"
    )
    return pa.Table.from_pylist(
        [
            {
                "group_id": f"g{group}",
                "member_id": f"m{member}",
                "name": None if erased else name,
                "joined_at": _local(joined, zone),
                "left_at": _local(left, zone),
            }
            for group, member, name, erased, joined, left in found.iterator()
        ],
        schema(ROSTER),
    )


def write_roster(community: Community, path: Path) -> None:
    """The roster as a list for the command line."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = roster_of(community).select(ROSTER_NAMES)
        writer = csv.writer(file)
        writer.writerow(ROSTER_NAMES)
        writer.writerows(zip(*(table[n].to_pylist() for n in ROSTER_NAMES), strict=True))


def copy_archive(community_id: int, to: Path) -> None:
    """The archive as it stands, for a job that reads it while this one is fed on. Raises
    `ArchiveBusyError` while it is written."""
    source = archive_path(community_id)
    with Folder(source).writing():
        shutil.copytree(source, to, copy_function=_link)


def _link(source: str, target: str) -> None:
    """The same file under another name: files of an archive never change."""
    path = Path(source)
    if path.suffix == ".parquet":
        try:
            os.link(source, target)
        except OSError:  # another disk
            shutil.copyfile(source, target)
    else:
        shutil.copyfile(source, target)


def _local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    return at.astimezone(zone).replace(tzinfo=None) if at else None


def _replace(path: Path, words: str) -> None:
    fresh = path.with_name(f".{path.name}")
    fresh.write_text(words, encoding="utf-8")
    fresh.replace(path)
