"""A group's member messages week by week: what life curves, spikes and drivers stand on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from qunluo.insight.metrics.study_cubes import Array, by_group, column, where

EPOCH = date(1969, 12, 29)  # the Monday of week 0


@dataclass(frozen=True)
class Life:
    """One group from its first to its last message of any class."""

    group: int
    first_on: date
    last_on: date
    first_week: int  # see `week_of`
    weeks: Array  # member messages by week; the first and last may be cut short

    @property
    def n(self) -> int:
        return int(self.weeks.sum())


def week_of(days: Array) -> Array:
    """Number of the Monday-based week of each datetime64[D]."""
    numbers: Array = (days.astype("datetime64[D]").astype(np.int64) + 3) // 7
    return numbers


def monday(week: int) -> date:
    return EPOCH + timedelta(weeks=week)


def lives(class_day: pa.Table) -> list[Life]:
    """Every group's weekly member messages, by group key."""
    return [_life(group, rows) for group, rows in by_group(class_day).items()]


def _life(group: int, rows: pa.Table) -> Life:
    days, member = column(rows, "day"), where(rows, "class", "member")
    first, last = days.min(), days.max()
    start, end = week_of(np.array([first, last]))
    weeks = np.zeros(end - start + 1, dtype=np.int64)
    np.add.at(weeks, week_of(column(member, "day")) - start, column(member, "n"))
    return Life(group, first.astype(date), last.astype(date), int(start), weeks)
