"""Importers on real exports against figures computed independently of Qunluo.

    python checks/real_importers.py FOLDER

FOLDER holds `NAME.tar.xz` and `NAME.expected.json`. The rows are counted here in plain Python,
straight from the importers, so that a difference is theirs and not that of the store.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

from qunluo.archive.importers import importer
from qunluo.archive.importers.base import Options, Source, Tally
from qunluo.archive.sources import find_sources

ARCHIVES = {
    "irc_perl6_2015": "irc",
    "irc_ubuntu_cc": "irc",
    "zulip_newmembers": "zulip",
}
NOT_CHAT = re.compile(r"(LICENSE[^/]*|\.annotation)\.txt$")
HEAD = 1 << 16
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Compared = tuple[str, Any, Any]


@dataclass
class Said:
    """One message or action."""

    at: datetime
    sender: str
    thread: str | None


@dataclass
class Counted:
    """All rows of an archive, and where every line went."""

    said: list[Said] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    events: list[tuple[str, str, datetime, str | None]] = field(default_factory=list)
    early: Counter[str] = field(default_factory=Counter)  # joins before any time, by month
    tally: Tally = field(default_factory=Tally)
    claimed: int = 0
    wrongly: list[str] = field(default_factory=list)  # claimed though no chat, or the reverse
    unbalanced: list[str] = field(default_factory=list)


def count(archive: Path, name: str) -> Counted:
    """Everything the importer finds in an archive."""
    counted, reader = Counted(), importer(name)
    with find_sources([archive]) as sources:
        for source in sources:
            chat = reader.sniff(source.head(HEAD), source) > 0.5
            if chat == bool(NOT_CHAT.search(source.name)):
                counted.wrongly.append(source.name)
            if chat:
                _count_file(source, name, counted)
    return counted


def _count_file(source: Source, name: str, counted: Counted) -> None:
    tally, before = Tally(), len(counted.events)
    for batch in importer(name).read(source, Options()):
        tally.add(batch.tally)
        for row in batch.messages.select(
            ["sent_at", "sender_id", "thread_id", "kind"]
        ).to_pylist():
            counted.kinds[row["kind"]] += 1
            counted.said.append(Said(row["sent_at"], row["sender_id"], row["thread_id"]))
        for row in batch.events.select(["kind", "raw_kind", "at", "subject_id"]).to_pylist():
            counted.events.append((row["kind"], row["raw_kind"], row["at"], row["subject_id"]))
    first = next((at for *_, at, _ in counted.events[before:]), EPOCH)
    counted.early[f"{first:%Y-%m}"] += _early_joins(source)
    counted.claimed += 1
    counted.tally.add(tally)
    if not tally.accounts_for_every_line():
        counted.unbalanced.append(source.name)


def _early_joins(source: Source) -> int:
    """Joins above the first line with a time: Qunluo dates them by that line."""
    with source.open() as stream:
        early = takewhile(lambda line: line.startswith(b"=== "), stream)
        return sum(b"] has joined " in line for line in early)


# what must be equal


def compared(expected: dict[str, Any], counted: Counted) -> Iterator[Compared]:
    """Every shared figure: name, expected, found."""
    yield "files claimed wrongly", [], counted.wrongly
    yield "files with lines unaccounted for", [], counted.unbalanced
    kinds = expected["event_kinds"]
    yield "messages and actions", kinds["say"] + kinds.get("action", 0), len(counted.said)
    yield "actions", kinds.get("action", 0), counted.kinds["action"]
    yield "rejects", kinds.get("unparsed", 0), counted.tally.rejects
    yield from _events(kinds, counted)
    yield from _block("all", expected["all"], counted.said)
    bots = re.compile(expected["bot_pattern"], re.I)
    people = [one for one in counted.said if not bots.search(one.sender)]
    yield from _block("without bots", expected["without_bots"], people)
    if "membership" in expected:
        yield from _membership(expected["membership"], counted)
    if "threads" in expected:
        yield from _threads(expected["threads"], counted.said)


def _events(kinds: dict[str, int], counted: Counted) -> Iterator[Compared]:
    found = Counter(kind for kind, *_ in counted.events)
    raw = Counter(raw for _, raw, *_ in counted.events)
    yield "joins", kinds.get("join", 0), found["join"]
    yield "leaves", kinds.get("leave", 0) + kinds.get("part", 0), found["leave"]
    yield "nick changes", kinds.get("nick", 0), found["rename"]
    if "other_system" in kinds:
        yield "other system lines", kinds["other_system"], found["notice"] + found["remove"]
    else:
        yield "kicks", kinds.get("kick", 0), found["remove"]
        yield "modes", kinds.get("mode", 0), raw["mode"]
        yield "topics", kinds.get("topic", 0), raw["topic"]


def _block(name: str, expected: dict[str, Any], said: list[Said]) -> Iterator[Compared]:
    days = Counter(f"{one.at:%Y-%m-%d}" for one in said)
    minutes = Counter(f"{one.at:%Y-%m-%d %H:%M}" for one in said)
    speakers = Counter(one.sender for one in said)
    figures: dict[str, Any] = {
        "activities": len(said),
        "speakers": len(speakers),
        "speakers_casefolded": len({one.lower() for one in speakers}),
        "first": f"{min(one.at for one in said):%Y-%m-%d %H:%M:%S}",
        "last": f"{max(one.at for one in said):%Y-%m-%d %H:%M:%S}",
        "days_active": len(days),
        "per_active_day": _spread(list(days.values())),
        "busiest_days": _busiest(days),
        "hour_histogram": _histogram([one.at.hour for one in said], 24),
        "weekday_histogram_mon0": _histogram([one.at.weekday() for one in said], 7),
        "monthly": dict(sorted(Counter(f"{one.at:%Y-%m}" for one in said).items())),
        "monthly_active_speakers": _monthly_speakers(said),
        "per_minute": _spread(list(minutes.values())),
        "minutes_with_at_least": {
            str(n): sum(count >= n for count in minutes.values())
            for n in (2, 5, 10, 15, 20, 30, 50)
        },
        "busiest_minutes": _busiest(minutes),
        "per_speaker": _spread(list(speakers.values())),
        "speakers_with_one": sum(count == 1 for count in speakers.values()),
        "cohorts": _cohorts(said, expected["cohorts"]),
    }
    for key, found in figures.items():
        yield f"{name}: {key}", expected[key], found


def _membership(expected: dict[str, Any], counted: Counted) -> Iterator[Compared]:
    joins = [(at, who) for kind, _, at, who in counted.events if kind == "join"]
    leavers = {who for kind, _, _, who in counted.events if kind == "leave"}
    per_joiner = Counter(who for _, who in joins)
    speakers = {one.sender for one in counted.said}
    yield "distinct joiners", expected["distinct_joiners"], len(per_joiner)
    yield "distinct leavers", expected["distinct_leavers"], len(leavers)
    silent = len(per_joiner.keys() - speakers)
    yield "joiners who never spoke", expected["joiners_who_never_spoke"], silent
    months = Counter(f"{at:%Y-%m}" for at, _ in joins) - counted.early
    monthly = dict(sorted(months.items()))
    yield (
        "joins by month, but for those above the first time",
        expected["joins_monthly"],
        monthly,
    )
    yield "joins per joiner", expected["joins_per_joiner"], _spread(list(per_joiner.values()))
    if "rejoins_within_5_min_of_leaving" in expected:
        found = _rejoins(counted.events)
        yield "rejoins within 5 min", expected["rejoins_within_5_min_of_leaving"], found


def _rejoins(events: list[tuple[str, str, datetime, str | None]]) -> int:
    left: dict[str | None, datetime] = {}
    found = 0
    for kind, _, at, who in events:
        if kind == "leave":
            left[who] = at
        elif kind == "join" and who in left:
            found += at - left.pop(who) <= timedelta(minutes=5)
    return found


def _threads(expected: dict[str, Any], said: list[Said]) -> Iterator[Compared]:
    threads: dict[str | None, list[Said]] = defaultdict(list)
    for one in said:
        threads[one.thread].append(one)
    waits = [wait for wait in map(_first_reply, threads.values()) if wait is not None]
    sizes = [len(one) for one in threads.values()]
    speakers = [len({said.sender for said in one}) for one in threads.values()]
    yield "threads", expected["threads"], len(threads)
    yield "messages per thread", expected["messages_per_thread"], _spread(sizes)
    yield "speakers per thread", expected["speakers_per_thread"], _spread(speakers)
    alone = len(threads) - len(waits)
    yield "threads without reply", expected["threads_without_reply_by_another"], alone
    yield "first replies, seconds", expected["first_reply_seconds"], _spread(waits)


def _first_reply(thread: list[Said]) -> int | None:
    thread = sorted(thread, key=lambda one: one.at)
    answers = (one for one in thread if one.sender != thread[0].sender)
    answer = next(answers, None)
    return None if answer is None else int((answer.at - thread[0].at).total_seconds())


# small statistics, as the expected files define them


def _spread(values: list[int]) -> dict[str, float]:
    ordered, n = sorted(values), len(values)
    at: Callable[[float], int] = lambda p: ordered[math.ceil(p * n) - 1]  # noqa: E731
    return {
        "n": n, "min": ordered[0], "mean": round(sum(values) / n, 6), "p50": at(0.5),
        "p90": at(0.9), "p95": at(0.95), "p99": at(0.99), "p999": at(0.999), "max": ordered[-1],
    }  # fmt: skip


def _busiest(counts: Counter[str]) -> list[list[Any]]:
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [[name, count] for name, count in ranked[:5]]


def _histogram(values: list[int], size: int) -> list[int]:
    counts = Counter(values)
    return [counts[n] for n in range(size)]


def _monthly_speakers(said: list[Said]) -> dict[str, int]:
    months: dict[str, set[str]] = defaultdict(set)
    for one in said:
        months[f"{one.at:%Y-%m}"].add(one.sender)
    return {month: len(who) for month, who in sorted(months.items())}


def _cohorts(said: list[Said], expected: dict[str, list[int]]) -> dict[str, list[int]]:
    """Speakers by the month they first spoke in, still speaking k months on."""
    months: dict[str, set[int]] = defaultdict(set)
    for one in said:
        months[one.sender].add(one.at.year * 12 + one.at.month - 1)
    cohorts: dict[int, Counter[int]] = defaultdict(Counter)
    for spoken in months.values():
        cohorts[min(spoken)].update(month - min(spoken) for month in spoken)
    return {
        f"{first // 12}-{first % 12 + 1:02}": [
            counts[k]
            for k in range(len(expected.get(f"{first // 12}-{first % 12 + 1:02}", [])))
        ]
        for first, counts in sorted(cohorts.items())
    }


def check(folder: Path) -> bool:
    """Prints one line per figure of every archive in the folder; whether all agree."""
    equal = True
    for name, reader in ARCHIVES.items():
        expected = json.loads((folder / f"{name}.expected.json").read_text("utf-8"))
        counted = count(folder / f"{name}.tar.xz", reader)
        print(f"{name}: {counted.claimed} files, {counted.tally}")
        for figure, wanted, found in compared(expected, counted):
            equal &= wanted == found
            shown = (
                _short(found) if wanted == found else f"{_short(found)}, not {_short(wanted)}"
            )
            print(f"  {'ok  ' if wanted == found else 'DIFF'} {figure}: {shown}")
    return equal


def _short(value: Any) -> str:
    said = json.dumps(value, ensure_ascii=False, default=str)
    return said if len(said) <= 100 else said[:97] + "…"


if __name__ == "__main__":
    sys.exit(0 if check(Path(sys.argv[1])) else 1)
