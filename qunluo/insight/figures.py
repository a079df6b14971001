"""What a metric is and what it finds: values only, so that HTML, JSON and console can show them.

A `Metric` is a declaration. It names the `Cube`s it needs (Ibis expressions, evaluated once
however many metrics ask for them) and a pure function from their rows to a `Finding`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from qunluo.kit.text import Text

Need = Literal[
    "staff", "roster", "orders", "corporate", "joins", "replies", "threads", "text", "reactions"
]
"""What a figure can't do without: a file the user may add, or what a format carries."""


@dataclass(frozen=True)
class Cube:
    """One named table expression, shared by the metrics that need it.

    `build(t)` gets the archive's tables as attributes (`t.messages`, `t.person`, …, see
    `insight.tables`) and answers an Ibis table. Unique by `name`. One that knows no classes
    takes accounts as they are (`acting` off), not apart for the time they were staff.
    """

    name: str
    build: Callable[[Any], Any]
    acting: bool = True


@dataclass(frozen=True)
class Series:
    """One line, bar group or cloud of a chart. `low`/`high` are an interval per point,
    `n` the sample size per point (small ones are drawn grey)."""

    name: Text
    y: tuple[float | None, ...]
    low: tuple[float | None, ...] | None = None
    high: tuple[float | None, ...] | None = None
    n: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Chart:
    """A picture: its title says the finding, its axes say the unit.

    kind: bar, stacked (bars), line, step (survival), scatter (x are numbers), heatmap
    (`x` columns, one series per row), share (one bar of parts that sum to 1), graph
    (`nodes` and `links`).
    """

    kind: Literal["bar", "stacked", "line", "step", "scatter", "heatmap", "share", "graph"]
    title: Text
    x: tuple[str | float | Text | Person | GroupName, ...]
    series: tuple[Series, ...]
    x_name: Text
    y_name: Text
    percent: bool = False  # y are shares of 1
    reference: tuple[tuple[float, Text], ...] = ()  # thin grey markers, value and label
    nodes: tuple[tuple[str | Person | GroupName, float, int], ...] = ()  # name, size, community
    links: tuple[tuple[int, int, float], ...] = ()  # node, node, weight
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Table:
    """Rows a reader can drill into. Cells are str, int, float, None, `Text`, `Person`, `Quote`."""

    title: Text
    columns: tuple[Text, ...]
    rows: tuple[tuple[Any, ...], ...]
    percent: frozenset[int] = frozenset()  # columns that are shares of 1
    more: int = 0  # rows not shown here


@dataclass(frozen=True)
class Person:
    """A member or account in a cell, masked by `--anonymous`."""

    key: int  # sender_key
    name: str


@dataclass(frozen=True)
class GroupName:
    """A group in a cell, masked by `--anonymous`."""

    key: int
    name: str


@dataclass(frozen=True)
class Quote:
    """A message in a cell, hidden by `--anonymous`. `at` is local ISO time."""

    text: str
    at: str


@dataclass(frozen=True)
class Finding:
    """What a metric found. `value` is plain JSON (numbers, strings, lists, dicts), and never
    holds a name or message text outside of `Person`, `GroupName` and `Quote`."""

    value: Any
    n: int
    sentence: Text  # the answer in words
    interval: tuple[float, float] | None = None  # 95 %, where `value` is one estimate
    interval_of: Text | None = None  # the share it is of, where the unit is not a share of 1
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[Text, ...] = ()  # too little data, what differs from the study, and why
    move: Move | None = None  # what to do about it, if anything


@dataclass(frozen=True)
class Move:
    """One useful thing to do, with how much it matters (0 to 1); the report shows three."""

    text: Text
    weight: float


@dataclass(frozen=True)
class Missing:
    """A figure that could not be computed, and which input would enable it."""

    needs: tuple[Need, ...]
    sentence: Text


@dataclass(frozen=True)
class Metric:
    """One declaration of one figure."""

    id: str
    name: Text
    unit: Text
    window: Text
    definition: Text
    cubes: tuple[Cube, ...]
    summarise: Callable[[Mapping[str, pa.Table], Facts], Finding]
    reference: Text | None = None  # the study's figure
    needs: tuple[Need, ...] = ()
    one_of: tuple[Need, ...] = ()  # at least one of these, the best first


@dataclass(frozen=True)
class Facts:
    """What every metric may know about the archive besides its cubes."""

    zone: str
    first_on: str | None  # local ISO days of the first and last message
    last_on: str | None
    has: frozenset[Need]
    group_names: Mapping[int, str] = field(default_factory=dict)  # group_key → name
    sender_names: Mapping[int, str] = field(default_factory=dict)  # sender_key → latest name
    acting: Mapping[int, int] = field(default_factory=dict)  # account while staff → its own key
    seed: int = 20_230_320  # of bootstraps: the same archive gives the same report

    def person(self, key: int) -> Person:
        return Person(key, self.sender_names.get(key, "?"))

    def accounts(self, rows: pa.Table) -> pa.Table:
        """The rows with every account under its own key, while it was staff too."""
        if not self.acting:
            return rows
        at, keys = rows.column_names.index("sender_key"), rows["sender_key"].to_pylist()
        own = pa.array([self.acting.get(key, key) for key in keys], pa.int64())
        return rows.set_column(at, "sender_key", own)

    def group(self, key: int) -> GroupName:
        return GroupName(key, self.group_names.get(key, "?"))
