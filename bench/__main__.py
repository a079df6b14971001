"""Prints what Qunluo and its peers cost on the same inputs: `python -m bench --help`."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import click

from bench import hot, joins, members, posters, room, segments, standing
from bench.measuring import ChildFailedError, Cost
from bench.races import STUDY, Limit, Race, counts, exports

TOLD = ("qunluo", "whatstk", "chat-miner", "pandas", "duckdb", "ibis-framework", "pyarrow")
QUICK = 20_000
QUICK_STANDING, STANDING = 500, 1_000_000  # members
HOT, QUICK_HOT = 6_000, 60  # buyers
JOINS = 3_000  # helps
POSTERS, QUICK_POSTERS = 200, 3
QUICK_ROOM = (10, 10)  # members, messages
MANY, QUICK_MANY = 1_000_000, 300  # members, and as many messages


@dataclass(frozen=True)
class Wanted:
    """What is measured, and how much of it."""

    rounds: int
    sizes: tuple[int, ...]
    databases: tuple[str, ...]
    quick: bool


def _exports(wanted: Wanted) -> None:
    tell(exports(QUICK if wanted.quick else STUDY, wanted.rounds))


def _counts(wanted: Wanted) -> None:
    for size in wanted.sizes:
        tell(counts(size, wanted.rounds))


def _room(wanted: Wanted) -> None:
    _print(room.tell(room.race(*(QUICK_ROOM if wanted.quick else (200, 200)))))


def _hot(wanted: Wanted) -> None:
    _print(hot.tell(hot.race(QUICK_HOT if wanted.quick else HOT)))


def _joins(wanted: Wanted) -> None:
    _print(joins.tell(joins.race(QUICK_HOT if wanted.quick else JOINS)))


def _posters(wanted: Wanted) -> None:
    _print(posters.tell(posters.race(QUICK_POSTERS if wanted.quick else POSTERS)))


def _members(wanted: Wanted) -> None:
    people = QUICK_MANY if wanted.quick else MANY
    for name in dict.fromkeys(wanted.databases):
        tell_members(members.race(people, people, name))


def _standing(wanted: Wanted) -> None:
    _print(standing.tell(standing.race(QUICK_STANDING if wanted.quick else STANDING)))


def _segments(wanted: Wanted) -> None:
    size = QUICK if wanted.quick else segments.MEMBERS
    found = segments.race(size)
    _print(segments.tell(found, size))
    for limit in () if wanted.quick else segments.limits(found):
        print(f"  {_judged(limit)}", flush=True)


PARTS: dict[str, Callable[[Wanted], None]] = {
    "exports": _exports, "counts": _counts, "room": _room, "hot": _hot, "joins": _joins,
    "posters": _posters, "members": _members, "standing": _standing, "segments": _segments,
}  # fmt: skip


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option(
    "--sizes", default="0.5,5,10", show_default=True, help="Millions of messages, with commas."
)
@click.option("--only", type=click.Choice(list(PARTS)), help="One part.")
@click.option(
    "--database", type=click.Choice(["sqlite", "postgres"]), multiple=True,
    default=["sqlite", "postgres"], show_default=True, help="Of the members; give it twice for both.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help="Tiny inputs: whether all runs, not how fast.")
def main(
    rounds: int, sizes: str, only: str | None, database: tuple[str, ...], quick: bool
) -> None:
    """Measures Qunluo beside whatstk, chat-miner and pandas, a room with many members, crowds in
    campaigns, and a million members that come in and are searched."""
    many = [QUICK] if quick else [round(float(s) * 1e6) for s in sizes.split(",")]
    wanted = Wanted(rounds, tuple(many), database, quick)
    print(_machine())
    try:
        for part in [only] if only else PARTS:
            PARTS[part](wanted)
    except ChildFailedError as error:
        sys.exit(str(error))


def _print(lines: Iterable[str]) -> None:
    print("\n".join(lines), flush=True)


def _machine() -> str:
    tools = ", ".join(f"{name} {version(name)}" for name in TOLD)
    return (
        f"{os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}; {tools}"
    )


def tell(race: Race) -> None:
    """Prints a race as a table, then how its figures stand to their limits."""
    rows = [("", "CPU s", "work s", "wall s", "peak MB")]
    rows += [(name, *_cells(cost)) for name, cost in race.costs.items()]
    print(f"\n{race.title}")
    for line in _aligned(rows):
        print(f"  {line}")
    for limit in race.limits:
        print(f"  {_judged(limit)}", flush=True)


def tell_members(outcome: members.Outcome) -> None:
    """Prints what the import took, each answer, and how they stand to their limits."""
    print(f"\n{members.title(outcome)}")
    for line in _aligned(members.rows(outcome)):
        print(f"  {line}")
    for limit in members.limits(outcome):
        print(f"  {_judged(limit)}", flush=True)


def _cells(cost: Cost) -> tuple[str, str, str, str]:
    work = "–" if cost.work is None else f"{cost.work:.2f}"
    return f"{cost.cpu:.2f}", work, f"{cost.wall:.2f}", f"{cost.peak_mb:,.0f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in rows
    ]


def _judged(limit: Limit) -> str:
    word = "holds" if limit.found <= limit.most else "DOES NOT HOLD"
    return (
        f"{limit.what}: {limit.found:,.3g}{limit.unit} "
        f"(at most {limit.most:,.3g}{limit.unit}: {word})"
    )


if __name__ == "__main__":
    main()
