"""Prints what Qunluo and its peers cost on the same inputs: `python -m bench --help`."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version

import click

from bench import hot, members, room, segments, standing
from bench.measuring import ChildFailedError, Cost
from bench.races import STUDY, Limit, Race, counts, exports

TOLD = ("qunluo", "whatstk", "chat-miner", "pandas", "duckdb", "ibis-framework", "pyarrow")
QUICK = 20_000
QUICK_STANDING, STANDING = 500, 1_000_000  # members
HOT, QUICK_HOT = 6_000, 60  # buyers
QUICK_ROOM = (10, 10)  # members, messages
MANY, QUICK_MANY = 1_000_000, 300  # members, and as many messages


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option(
    "--sizes", default="0.5,5,10", show_default=True, help="Millions of messages, with commas."
)
@click.option(
    "--only",
    type=click.Choice(["exports", "counts", "room", "members", "standing", "segments", "hot"]),
    help="One part.",
)
@click.option(
    "--database", type=click.Choice(["sqlite", "postgres"]), multiple=True,
    default=["sqlite", "postgres"], show_default=True, help="Of the members; give it twice for both.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help="Tiny inputs: whether all runs, not how fast.")
def main(
    rounds: int, sizes: str, only: str | None, database: tuple[str, ...], quick: bool
) -> None:
    """Measures Qunluo beside whatstk, chat-miner and pandas, a room with many members, and a
    million members that come in and are searched."""
    many = [QUICK] if quick else [round(float(s) * 1e6) for s in sizes.split(",")]
    print(_machine())
    try:
        if only in (None, "exports"):
            tell(exports(QUICK if quick else STUDY, rounds))
        if only in (None, "counts"):
            for size in many:
                tell(counts(size, rounds))
        if only in (None, "room"):
            print("\n".join(room.tell(room.race(*(QUICK_ROOM if quick else (200, 200))))))
        if only in (None, "hot"):
            print("\n".join(hot.tell(hot.race(QUICK_HOT if quick else HOT))))
        if only in (None, "members"):
            many_people = QUICK_MANY if quick else MANY
            for name in dict.fromkeys(database):
                tell_members(members.race(many_people, many_people, name))
        if only in (None, "standing"):
            print(
                "\n".join(standing.tell(standing.race(QUICK_STANDING if quick else STANDING)))
            )
        if only in (None, "segments"):
            size = QUICK if quick else segments.MEMBERS
            found = segments.race(size)
            print("\n".join(segments.tell(found, size)))
            for limit in () if quick else segments.limits(found):
                print(f"  {_judged(limit)}", flush=True)
    except ChildFailedError as error:
        sys.exit(str(error))


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
