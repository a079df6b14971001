"""Recency, frequency, monetary value: both common ways to make five classes, ties stated.

Order counts tie heavily, and then the two ways differ: thresholds keep equal values together
(a class may stay empty), ranks fill every class (equal values may be parted).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from qunluo.insight.estimates import quantile

Ints = NDArray[np.int64]

CLASSES = 5
CUTS = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class Customers:
    """One row a customer, in the order of their ids (numbers by size, else as text)."""

    ids: NDArray[np.str_]
    recency: Ints  # days from the last order to the day of reckoning
    orders: Ints
    days: Ints  # distinct days with an order
    amount: Ints  # minor units
    first: Ints  # day of the first order, since 1970

    def __len__(self) -> int:
        return len(self.ids)


def customers(ids: NDArray[np.str_], day: Ints, amount: Ints, as_of: int) -> Customers:
    """From one row an order (customer, day since 1970, minor units); later days are left out."""
    kept = day <= as_of
    ids, day, amount = ids[kept], day[kept], amount[kept]
    names, which = np.unique(ids, return_inverse=True)
    order = _id_order(names)
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    who, n = place[which], len(names)
    last, first = np.full(n, -1), np.full(n, np.iinfo(np.int64).max)
    np.maximum.at(last, who, day)
    np.minimum.at(first, who, day)
    spent = np.zeros(n, dtype=np.int64)
    np.add.at(spent, who, amount)
    visits = np.unique(who * 1_000_000 + day) // 1_000_000
    return Customers(
        names[order], as_of - last, _counts(who, n), _counts(visits, n), spent, first
    )


def _counts(who: Ints, n: int) -> Ints:
    return np.bincount(who, minlength=n).astype(np.int64)


def _id_order(names: NDArray[np.str_]) -> Ints:
    """Ids that are all plain numbers sort by size, others as text."""
    if len(names) and all(name.isdecimal() and len(name) < 19 for name in names.tolist()):
        return np.argsort(names.astype(np.int64), kind="stable")
    return np.arange(len(names))


def cuts(values: Ints) -> tuple[int, ...]:
    """The nearest-rank quintile boundaries."""
    return tuple(int(quantile(values.astype(np.float64), q)) for q in CUTS)


def by_threshold(values: Ints, *, low_is_best: bool = False) -> Ints:
    """1 + the number of cuts strictly below the value; 5 − that number where low is best."""
    below = np.searchsorted(np.array(cuts(values)), values, side="left").astype(np.int64)
    return CLASSES - below if low_is_best else below + 1


def score(value: int, borders: Sequence[int], *, low_is_best: bool = False) -> int:
    """The class of one value between cuts that were made before: the rule of `by_threshold`."""
    below = bisect_left(borders, value)
    return CLASSES - below if low_is_best else below + 1


def by_rank(values: Ints, *, low_is_best: bool = False) -> Ints:
    """rank·5 ÷ n + 1 after sorting by value, then by customer id; 5 is best."""
    order = np.argsort(-values if low_is_best else values, kind="stable")
    score = np.empty(len(values), dtype=np.int64)
    score[order] = np.arange(len(values)) * CLASSES // max(len(values), 1) + 1
    return score


@dataclass(frozen=True)
class Scores:
    """Recency, frequency and monetary classes, 1 to 5, along the customers."""

    r: Ints
    f: Ints
    m: Ints

    def count(self, cell: int) -> int:
        """Customers with the same class in all three."""
        return int(((self.r == cell) & (self.f == cell) & (self.m == cell)).sum())


def threshold_scores(found: Customers) -> Scores:
    return Scores(
        by_threshold(found.recency, low_is_best=True),
        by_threshold(found.orders),
        by_threshold(found.amount),
    )


def rank_scores(found: Customers) -> Scores:
    return Scores(
        by_rank(found.recency, low_is_best=True), by_rank(found.orders), by_rank(found.amount)
    )


def top_share(values: Ints, part: float) -> float:
    """Share of the sum that the top ⌈part·n⌉ have."""
    total = int(values.sum())
    top = ceil(round(part * len(values), 9))
    return float(np.sort(values)[::-1][:top].sum() / total) if total else 0.0
