"""Counting a nested segment in columns of many members, as the console's form does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.races import Limit

MEMBERS = 1_000_000
TAGS = 20
MOST_MS = 100.0
TODAY = date(2026, 3, 2)
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Counted:
    """A segment, how many it found, and how long a count took: new to the engine, and again (the
    median), with what that took of the processors."""

    name: str
    members: int
    first_ms: float
    again_ms: float
    cpu_ms: float


def race(members: int = MEMBERS, rounds: int = 7) -> list[Counted]:
    """Writes columns of as many members, and counts."""
    from qunluo.archive.engines.duckdb import DuckDB
    from qunluo.segments.columns import DAYS, SEATS, TOUCHED, plan_count
    from qunluo.segments.held import Held

    layout = _layout()
    with TemporaryDirectory(prefix="qunluo-bench-") as name, DuckDB() as engine:
        files = _write(Path(name), members, layout, DAYS, SEATS)
        held, touched = Held(), pa.table({"id": list(range(1, 500))}, TOUCHED)
        found = []
        for title, tree in _trees():

            def ask(tree: Any = tree) -> Any:
                plan = plan_count(tree, layout, TODAY, ZONE, touched=True)
                read = {**held.tables(files, tree, layout), "touched": touched}
                return engine.run([plan], read)[plan.name].column("n")[0].as_py()

            first, n = _clock(ask)
            began = time.process_time()
            again = median(_clock(ask)[0] for _ in range(rounds))
            cpu = (time.process_time() - began) * 1000 / rounds
            found.append(Counted(title, n, first, again, cpu))
    return found


def limits(found: list[Counted]) -> tuple[Limit, ...]:
    return tuple(Limit(f"count of {one.name}", one.again_ms, MOST_MS, " ms") for one in found)


def tell(found: list[Counted], members: int) -> list[str]:
    lines = [f"\n{members:,} members x {TAGS} tags, segments counted in columns"]
    lines += [
        f"  {one.name}: {one.members:,} members; asked the first time {one.first_ms:.0f} ms, "
        f""
        f"again {one.again_ms:.0f} ms (CPU {one.cpu_ms:.0f} ms)"
        for one in found
    ]
    return lines


def _clock(ask: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = ask()
    return (time.perf_counter() - began) * 1000, answer


def _layout() -> Any:
    from qunluo.segments.columns import Layout

    return Layout({tag: tag - 1 for tag in range(1, TAGS + 1)}, {"age": ("field_0", "number")})


def _trees() -> list[tuple[str, Any]]:
    from qunluo.segments import rules as r

    tags = r.Either((r.All((r.Tagged(1), r.Tagged(2), r.Not(r.Tagged(3)))),
                     r.All((r.Tagged(4), r.Either((r.Tagged(5), r.Tagged(6))))),
                     r.Not(r.Either(tuple(map(r.Tagged, range(7, 12)))))))  # fmt: skip
    silent = r.All((
        r.StandsIn("lifecycle", ("silent",)), r.Did("paid", at_least=1, days=90),
        r.Near(30.25, 120.15, 5.0), r.Tagged(1),
    ))  # fmt: skip
    both = r.All(
        (tags, r.Not(silent), r.StandsAt("trust", ">=", 3), r.OfField("age", "<=", 40.0))
    )
    return [
        ("nested tags", tags),
        ("silent buyers near a store", silent),
        ("both, nested", both),
    ]


def _write(
    folder: Path, members: int, layout: Any, days: pa.Schema, seats: pa.Schema
) -> dict[str, Any]:
    from qunluo.archive.engines.base import Files
    from qunluo.segments.columns import micros
    from qunluo.segments.rules import NUMBERS, WORDS

    draw = np.random.default_rng(7)
    made = micros(datetime(2025, 1, 1, tzinfo=UTC))
    columns: dict[str, Any] = {
        "id": np.arange(1, members + 1),
        "region": np.array(["杭州", "上海", ""])[draw.integers(0, 3, members)],
        "born": draw.integers(101, 1229, members), "lat": draw.normal(30.25, 0.3, members),
        "lon": draw.normal(120.15, 0.3, members), "made": made + draw.integers(0, 10**13, members),
        "tags_0": draw.integers(0, 1 << TAGS, members), "field_0": draw.integers(10, 80, members) * 1.0,
    }  # fmt: skip
    columns |= {
        n: np.array(words)[draw.integers(0, len(words), members)] for n, words in WORDS.items()
    }
    columns |= {
        n: draw.integers(low, min(high, 100) + 1, members) for n, (low, high) in NUMBERS.items()
    }
    people = pa.table(
        {f.name: pa.array(columns[f.name], f.type) for f in layout.schema}, layout.schema
    )
    sums = members * 3
    kind, day = draw.integers(0, 3, sums), draw.integers(0, 366, sums)
    order = np.lexsort((day, kind))  # as `do_snapshot` writes them
    kinds = np.array(["checked_in", "paid", "said"])[kind[order]]
    day = TODAY.toordinal() - 365 + day[order]
    done = pa.table([pa.array(draw.integers(1, members + 1, sums)), kinds, pa.array(day, pa.int32()),
                     pa.array(draw.integers(1, 4, sums)), pa.array(draw.integers(1, 10**5, sums))],
                    schema=days)  # fmt: skip
    inside = pa.table([pa.array(columns["id"]), pa.array(draw.integers(1, 200, members)),
                       pa.array(draw.integers(0, 2, members).astype(bool))], schema=seats)  # fmt: skip
    found = {}
    for name, table in (("people", people), ("days", done), ("seats", inside)):
        pq.write_table(
            table, folder / f"{name}.parquet", compression="zstd", row_group_size=122_880
        )
        found[name] = Files((folder / f"{name}.parquet",), table.schema)
    return found
