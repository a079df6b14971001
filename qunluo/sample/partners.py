"""Who had exchanges both ways with others within a month, by the planted answers."""

from __future__ import annotations

import numpy as np

from qunluo.sample.clock import DAY
from qunluo.sample.draws import BRAND, MEMBER, Rows
from qunluo.sample.numbers import Array, Ints

EXCHANGES, MONTH = 3, 30
STEP = 3  # days from one month that is looked at to the next
STAFF = 0  # all brand accounts are one partner


class Partners:
    """Looks at the answers of the last month only, so that memory does not grow with time."""

    def __init__(self, accounts: int) -> None:
        self.familiar = np.zeros(accounts, bool)
        self._kept: Ints = np.zeros((0, 3), np.int64)  # day, who answered, whom
        self._next = MONTH

    def add(self, rows: Rows) -> None:
        """Slabs are whole days, in order."""
        self._kept = np.concatenate([self._kept, _answers(rows)])
        last = int(rows.at[-1] // DAY) + 1 if len(rows) else 0
        while self._next <= last:
            self._look(self._next)
            self._next += STEP
        self._kept = self._kept[self._kept[:, 0] >= self._next - MONTH]

    def finish(self, days: int, accounts: int) -> Array:
        """Who is familiar with somebody, by account; those who never speak are not."""
        self._look(days)
        return np.pad(self.familiar, (0, accounts - len(self.familiar)))

    def _look(self, end: int) -> None:
        day = self._kept[:, 0]
        rows = self._kept[(day >= end - MONTH) & (day < end), 1:]
        pairs, n = np.unique(rows, axis=0, return_counts=True)
        both = np.minimum(n, _reverse(pairs, n, len(self.familiar)))
        exchanges = np.bincount(pairs[:, 0], both, len(self.familiar))
        self.familiar |= exchanges >= EXCHANGES


def _answers(rows: Rows) -> Ints:
    answers = np.flatnonzero((rows.target >= 0) & (rows.klass <= MEMBER))
    target = rows.target[answers]
    return np.stack([rows.at[answers] // DAY, _who(rows, answers), _who(rows, target)], axis=1)


def _who(rows: Rows, place: Ints) -> Array:
    return np.where(rows.klass[place] == BRAND, STAFF, rows.account[place]).astype(np.int64)


def _reverse(pairs: Ints, n: Ints, wide: int) -> Ints:
    """How often the other way round; 0 where it never was. Pairs are sorted."""
    key, back = pairs[:, 0] * wide + pairs[:, 1], pairs[:, 1] * wide + pairs[:, 0]
    if not len(key):
        return n
    at = np.minimum(np.searchsorted(key, back), len(key) - 1)
    result: Ints = np.where(key[at] == back, n[at], 0)
    return result
