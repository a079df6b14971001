"""What every engine must do; a new one is added to `ENGINES` and must pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qunluo.archive.engines.base import Derived, Engine, Files, Later, Plan
from qunluo.archive.engines.duckdb import DuckDB

ENGINES: tuple[Callable[[], Any], ...] = (DuckDB, lambda: DuckDB(memory="80MB", threads=1))

SALES = pa.table(
    {"who": ["b", "a", "b", None], "n": [3, 1, 4, 2], "of": [[1], [], None, [2, 3]]},
    schema=pa.schema([("who", pa.string()), ("n", pa.int64()), ("of", pa.list_(pa.int64()))]),
)


@pytest.fixture(params=ENGINES, ids=["default", "small"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with request.param() as running:
        yield running


def total(t: Any) -> Any:
    return t["sales"].group_by("who").agg(n=t["sales"].n.sum())


def test_it_answers_rows_in_one_order_with_whole_numbers(engine: Engine) -> None:
    found = engine.run([Plan("test_total", total)], {"sales": SALES})["test_total"]
    assert found.schema.types == [pa.string(), pa.int64()]
    assert found.to_pylist() == [
        {"who": "a", "n": 1},
        {"who": "b", "n": 7},
        {"who": None, "n": 2},
    ]


def test_files_and_tables_are_one_to_it(engine: Engine, tmp_path: Path) -> None:
    parts = [tmp_path / "it's 1.parquet", tmp_path / "二.parquet"]
    pq.write_table(SALES.slice(0, 2), parts[0])
    pq.write_table(SALES.slice(2), parts[1])
    plan = Plan("test_total", total)
    from_files = engine.run([plan], {"sales": Files(tuple(parts), SALES.schema)})
    assert from_files["test_total"] == engine.run([plan], {"sales": SALES})["test_total"]


def test_no_file_is_an_empty_table(engine: Engine) -> None:
    found = engine.run([Plan("test_total", total)], {"sales": Files((), SALES.schema)})
    assert found["test_total"].num_rows == 0


def test_what_it_writes_is_what_it_answers(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    plan = Plan("test_total", total)
    assert engine.write(plan, {"sales": SALES}, path) == 3
    written = pq.read_table(path)
    assert written.schema.types == [pa.string(), pa.int64()]
    key = [("who", "ascending")]
    answered = engine.run([plan], {"sales": SALES})["test_total"]
    assert written.sort_by(key).to_pylist() == answered.sort_by(key).to_pylist()


def test_more_rows_than_its_memory_spill(engine: Engine) -> None:
    many = pa.table({"who": [str(n) for n in range(400_000)], "n": range(400_000)})
    found = engine.run([Plan("test_spill", total)], {"sales": many})["test_spill"]
    assert found.num_rows == 400_000


def big(t: Any) -> Any:
    return t["sales"].filter(t["sales"].n > 1)


def test_what_no_plan_reads_is_not_made(engine: Engine) -> None:
    made: list[str] = []

    def make(name: str) -> pa.Table:
        made.append(name)
        return SALES

    later = {n: Later(SALES.schema, lambda n=n: make(n)) for n in ("sales", "n")}  # type: ignore[misc]
    found = engine.run([Plan("test_total", total)], later)  # "n" is a column in it too
    assert found["test_total"].num_rows == 3
    assert made == ["sales"]


def test_a_table_derived_of_another_is_as_if_it_had_been_given(engine: Engine) -> None:
    given = {"big": SALES.filter(pa.array([True, False, True, True])), "sales": SALES}
    derived = {**given, "big": Derived(SALES.schema, Plan("test_big", big))}
    plan = Plan("test_of_big", lambda t: t["big"].group_by("who").agg(n=t["big"].n.sum()))
    again = Plan("test_of_both", lambda t: t["big"].join(t["sales"], "n").select("n"))
    for inputs in (derived, given, derived):  # nothing of a run is left for the next
        found = engine.run([plan, again], inputs)
        assert found["test_of_big"].to_pylist() == [{"who": "b", "n": 7}, {"who": None, "n": 2}]
        assert found["test_of_both"]["n"].to_pylist() == [2, 3, 4]
