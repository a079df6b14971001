"""Cohorts: of those who came in one month, who comes back. Arithmetic on whole months."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

BRACKETS = ((1, 1), (2, 3), (4, 6), (7, 12))  # months after the first


@dataclass(frozen=True)
class Cohorts:
    """People by the month they came (`started[i]`) and the months they were active.

    `who` and `month` are distinct pairs, `who` a place in `started`; months are numbers since
    any origin. Activity before the start is not counted. `last` is the last whole month:
    shares over several cohorts only use those that had the time.
    """

    started: Ints
    who: Ints
    month: Ints
    last: int

    @cached_property
    def starts(self) -> Ints:
        """The months in which somebody came, ascending."""
        return np.unique(self.started)

    @cached_property
    def sizes(self) -> Ints:
        return np.unique(self.started, return_counts=True)[1]

    @cached_property
    def width(self) -> int:
        """Columns of the matrices: months from 0 to the latest seen."""
        after = self.month - self.started[self.who]
        return int(after.max(initial=0)) + 1

    @cached_property
    def classic(self) -> Ints:
        """[cohort, k]: members of the cohort active in its month + k."""
        after = self.month - self.started[self.who]
        kept = after >= 0
        return self._counted(self.who[kept], after[kept])

    @cached_property
    def rolling(self) -> Ints:
        """[cohort, k]: members of the cohort active in month + k or any later one."""
        latest = self._latest()
        seen = np.flatnonzero(latest >= 0)
        last_at = self._counted(seen, latest[seen])
        return np.cumsum(last_at[:, ::-1], axis=1)[:, ::-1]

    def bracket(self, first: int, last: int) -> Ints:
        """[cohort]: members of the cohort active in any month + `first` … + `last`."""
        after = self.month - self.started[self.who]
        who = np.unique(self.who[(after >= first) & (after <= last)])
        return np.bincount(self._row(who), minlength=len(self.starts)).astype(np.int64)

    def last_column(self, start: int) -> int:
        """How many months of the cohort that came in `start` lie within the data."""
        latest = int(self.month.max(initial=start))
        return max(latest - start + 1, 1)

    def pooled(self, counts: Ints, after: int) -> tuple[int, int]:
        """(hits, people) at `after` months over cohorts that had that time in whole months."""
        ready = self.starts + after <= self.last
        return int(counts[ready].sum()), int(self.sizes[ready].sum())

    def curve(self, matrix: Ints) -> list[tuple[int, int, int]]:
        """(k, hits, people) for every k that some cohort could reach."""
        reach = range(min(self.width, max(self.last - int(self.starts[0]) + 1, 0)))
        return [(k, *self.pooled(matrix[:, k], k)) for k in reach]

    def _latest(self) -> Ints:
        latest = np.full(len(self.started), -1, dtype=np.int64)
        np.maximum.at(latest, self.who, self.month - self.started[self.who])
        return latest

    def _row(self, who: Ints) -> Any:
        return np.searchsorted(self.starts, self.started[who])

    def _counted(self, who: Ints, after: Ints) -> Ints:
        flat = self._row(who) * self.width + after
        size = len(self.starts) * self.width
        return np.bincount(flat, minlength=size).reshape(len(self.starts), self.width)
