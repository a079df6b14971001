"""Real archives against figures computed independently: every shared definition must agree.

    python checks/real_archives.py FOLDER

FOLDER holds `NAME.tar.xz` and `NAME.expected.json`. Bots are named by the expected file's own
pattern, given as a staff list, so that `people` means the same on both sides.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from qunluo.archive.engines.duckdb import DuckDB
from qunluo.archive.importers.base import Options
from qunluo.archive.ingest import import_files
from qunluo.archive.store import Archive
from qunluo.insight.given import Given
from qunluo.insight.inputs import read_staff
from qunluo.insight.report import render_json
from qunluo.insight.report.build import build_report

ARCHIVES = ("irc_perl6_2015", "irc_ubuntu_cc", "zulip_newmembers")
CALENDAR = ("days_spanned", "days_active", "per_active_day", "busiest_days", "monthly")
SPEAKERS = ("per_speaker", "speakers_with_one", "top_share", "gini", "hhi")

Compared = tuple[str, Any, Any]


def document(archive: Path, bots: str) -> dict[str, Any]:
    """The JSON report of one real archive."""
    with TemporaryDirectory() as name, DuckDB() as engine:
        folder = Path(name)
        (folder / "staff.csv").write_text(f'account,role\n"/(?i){bots}/",bot\n', "utf-8")
        target = Archive.create(folder / "archive", engine, zone="UTC")
        done = import_files(target, [archive], Options())
        print(f"  read {done.files} files: {done.tally}")
        given = Given(staff=read_staff(folder / "staff.csv").table)
        found: dict[str, Any] = json.loads(
            render_json(build_report(target, given), anonymous=False)
        )
        return found


def compared(expected: dict[str, Any], found: dict[str, Any]) -> Iterator[Compared]:
    """Name, expected and found value of every figure whose definition is shared."""
    kinds, totals = expected["event_kinds"], found["totals"]
    yield "messages", kinds["say"], totals["messages"]
    yield "actions", kinds.get("action", 0), totals["actions"]
    yield "joins", kinds.get("join", 0), totals["joins"]
    yield "leaves", kinds.get("leave", 0) + kinds.get("part", 0), totals["leaves"]
    yield "rejects", kinds.get("unparsed", 0), totals["rejects"]
    yield "speakers", expected["all"]["speakers"], totals["speakers"]
    yield "first", expected["all"]["first"].replace(" ", "T"), totals["first_at"]
    yield "last", expected["all"]["last"].replace(" ", "T"), totals["last_at"]
    figures = {k: f["value"] for k, f in found["figures"].items()}
    for theirs, ours in (("all", "all"), ("without_bots", "people")):
        yield from _activity(expected[theirs], figures, ours)
    yield from _membership(expected.get("membership", {}), figures["membership"])
    if "threads" in expected:
        yield from _same("threads", expected["threads"], figures["threads"])


def _activity(
    expected: dict[str, Any], figures: dict[str, Any], who: str
) -> Iterator[Compared]:
    hours = figures["I6"][who]
    yield f"{who}.hours", expected["hour_histogram"], hours["hours"]
    yield f"{who}.weekdays", expected["weekday_histogram_mon0"], hours["weekdays"]
    parts = {
        "calendar": (*CALENDAR, "monthly_active_speakers"),
        "bursts": ("per_minute", "minutes_with_at_least", "busiest_minutes"),
        "I8": SPEAKERS,
        "cohorts": ("cohorts", "pooled_retention"),
    }
    for figure, names in parts.items():
        for name in names:
            yield f"{who}.{name}", expected[name], figures[figure][who][name]


def _membership(expected: dict[str, Any], found: dict[str, Any] | None) -> Iterator[Compared]:
    """Joins before a file's first timed line have no month on the expected side; here they
    take the file's day, so no month may have fewer and all joins must be there."""
    if not expected:
        return
    mine, dated = found or {}, expected.pop("joins_monthly")
    yield from _same("membership", expected, mine)
    months = mine.get("joins_monthly", {})
    undated = expected["joins"] - sum(dated.values())
    yield "membership.joins_monthly", sum(dated.values()) + undated, sum(months.values())
    fewer = [m for m, n in dated.items() if months.get(m, 0) < n]
    yield "membership.months with fewer joins", [], fewer


def _same(name: str, expected: dict[str, Any], found: dict[str, Any]) -> Iterator[Compared]:
    for key, value in expected.items():
        yield f"{name}.{key}", value, found.get(key)


def equal(expected: Any, found: Any) -> bool:
    """Equal numbers; the expected files round to six digits after the point."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            equal(v, found.get(k)) for k, v in expected.items()
        )
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(equal, expected, found))
    if isinstance(expected, float) and isinstance(found, int | float):
        return abs(expected - found) <= 6e-7
    return bool(expected == found)


def main(folder: Path) -> int:
    wrong = 0
    for name in ARCHIVES:
        print(name)
        expected = json.loads((folder / f"{name}.expected.json").read_text("utf-8"))
        found = document(folder / f"{name}.tar.xz", expected["bot_pattern"])
        rows = list(compared(expected, found))
        for what, theirs, ours in rows:
            if not equal(theirs, ours):
                wrong += 1
                print(
                    f"  DIFFERS {what}: expected {str(theirs)[:300]}, found {str(ours)[:300]}"
                )
        print(f"  {len(rows)} figures compared")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
