"""What an engine must do: run plans over named tables. DuckDB is one; Spark can be another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import pyarrow as pa


@dataclass(frozen=True)
class Files:
    """Parquet files read as one table; an empty list is an empty table."""

    paths: tuple[Path, ...]
    schema: pa.Schema


@dataclass(frozen=True)
class Later:
    """A table of known columns that is only made when a plan reads it."""

    schema: pa.Schema
    make: Callable[[], pa.Table]

    @cached_property
    def table(self) -> pa.Table:
        return self.make()


@dataclass(frozen=True)
class Plan:
    """A named Ibis expression over named tables.

    `build(tables)` gets `{name: ibis.Table}` with the columns of the inputs. The name must be
    unique in the program: compiled plans are kept under it; those that are made up as people
    ask, in this process only (`lasting` is false).
    """

    name: str
    build: Callable[[Mapping[str, Any]], Any]
    lasting: bool = True


@dataclass(frozen=True)
class Derived:
    """What a plan makes of the other inputs: made once in a run, if a plan of it reads it."""

    schema: pa.Schema
    plan: Plan


Input: TypeAlias = pa.Table | Files | Later | Derived
Inputs: TypeAlias = Mapping[str, Input]


class Engine(Protocol):
    """Runs plans. Results of the same plan on the same rows are equal on every engine."""

    def run(self, plans: Sequence[Plan], inputs: Inputs) -> dict[str, pa.Table]:
        """Each plan's rows under its name, sorted by all columns that can be compared."""

    def write(self, plan: Plan, inputs: Inputs, to: Path) -> int:
        """The plan's rows as one Parquet file in the plan's own order; answers their number."""
