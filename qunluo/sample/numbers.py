"""Seeded randomness and exact sharing-out, the two tools every plant is made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Array = NDArray[Any]
Random = np.random.Generator


def stream(seed: int, *names: str | int) -> Random:
    """A random stream of its own for `names`, so that one part never shifts another."""
    words = [crc32(str(name).encode()) for name in names]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, *words])))


def apportion(total: int, weights: ArrayLike, low: ArrayLike = 0) -> Ints:
    """`total` split in whole parts as `weights`, each at least `low`: largest remainders.

    Sums to `total` exactly; ties go to the earlier part. `low` must fit into `total`.
    """
    share = np.asarray(weights, np.float64)
    floor = np.broadcast_to(np.asarray(low, np.int64), share.shape)
    free = total - int(floor.sum())
    if share.size == 0:
        return np.zeros(0, np.int64)
    exact = free * share / share.sum()
    parts = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(parts - exact, kind="stable")
    parts[order[: free - int(parts.sum())]] += 1
    result: Ints = parts + floor
    return result


def capped(total: int, weights: Floats, low: ArrayLike, high: Floats) -> Ints:
    """`apportion` that keeps every part at or below `high` as long as they have room."""
    high = np.floor(np.maximum(high, low)).astype(np.int64).astype(np.float64)
    if high.sum() < total:
        high = np.ceil(high * (total / high.sum()))
    parts = apportion(total, weights, low)
    while (over := int((parts - np.minimum(parts, high)).sum())) > 0:
        parts = np.minimum(parts, high).astype(np.int64)
        room = high - parts
        added = apportion(over, np.where(room > 0, weights * np.minimum(room, over), 0.0))
        parts = parts + added
    return parts


def table_of(shares: Mapping[int, float] | Sequence[float], slots: int = 1 << 16) -> Array:
    """A lookup table whose cells hold the keys of `shares` in proportion (at least one cell)."""
    keys = list(shares) if isinstance(shares, Mapping) else list(range(len(shares)))
    weights = list(shares.values()) if isinstance(shares, Mapping) else list(shares)
    low = (np.asarray(weights) > 0).astype(np.int64)
    return np.repeat(np.asarray(keys, np.int32), apportion(slots, weights, low))


def draw(random: Random, table: Array, n: int) -> Array:
    """`n` keys from a table of `table_of`."""
    return table[random.integers(0, len(table), n)]


def expand(counts: Ints) -> Ints:
    """[2, 0, 3] → [0, 0, 2, 2, 2]."""
    return np.repeat(np.arange(len(counts)), counts)


def offsets(counts: Ints) -> Ints:
    """[2, 0, 3] → [0, 2, 2, 5]: where each part starts, and the end."""
    result: Ints = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return result


def within(counts: Ints) -> Ints:
    """[2, 0, 3] → [0, 1, 0, 1, 2]: the place of each item in its part."""
    result: Ints = np.arange(int(counts.sum())) - np.repeat(offsets(counts)[:-1], counts)
    return result
