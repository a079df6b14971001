"""Small statistics that several figures share: intervals, quantiles, inequality, ranks.

All are deterministic: whatever draws at random takes a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

Z95 = 1.959963984540054  # two-sided 95 % point of the normal distribution
ROUNDS = 2_000  # of a bootstrap
CELLS = 2_000_000  # numbers held at once


def wilson(hits: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Interval of a share (Wilson 1927, without continuity correction); (0, 1) when n is 0."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = hits / n, z * z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    return low, 1.0 if hits == n else min(1.0, middle + half)


def quantile(values: Sequence[float] | Numbers, q: float) -> float:
    """The nearest-rank quantile: the ⌈q·n⌉-th smallest, so always a value that occurred."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    if not len(ordered):
        return float("nan")
    return float(ordered[max(ceil(q * len(ordered)), 1) - 1])


def weighted_quantile(
    values: Sequence[float] | Numbers, weights: Sequence[int] | NDArray[np.int64], q: float
) -> float:
    """Nearest rank where `values[i]` occurred `weights[i]` times."""
    kept, counts = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.int64)
    total = int(counts.sum())
    if not total:
        return float("nan")
    order = np.argsort(kept, kind="stable")
    reached = np.cumsum(counts[order])
    return float(kept[order][np.searchsorted(reached, max(ceil(q * total), 1))])


def gini(values: Sequence[float] | Numbers) -> float:
    """Inequality of non-negative values: 0 all equal, towards 1 one has everything.

    G = (2·Σ i·x₍ᵢ₎ ÷ (n·Σx)) − (n+1) ÷ n with x ascending and i from 1; 0 if all are 0.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n, total = len(ordered), float(ordered.sum())
    if n == 0 or total == 0:
        return 0.0
    ranks = np.arange(1, n + 1, dtype=np.float64)
    return float(2 * (ranks * ordered).sum() / (n * total) - (n + 1) / n)


def bootstrap(
    estimate: Callable[[NDArray[np.int64]], float],
    n: int,
    seed: int,
    *,
    rounds: int = ROUNDS,
) -> tuple[float, float]:
    """95 % percentile interval of `estimate(indices)` over resamples of n rows.

    Resamples on which the estimate is undefined (NaN) are left out; (NaN, NaN) if all are.
    """
    random = np.random.default_rng(seed)
    drawn = np.array([estimate(random.integers(0, n, n)) for _ in range(rounds if n else 0)])
    kept = drawn[~np.isnan(drawn)]
    if not len(kept):
        return float("nan"), float("nan")
    low, high = np.quantile(kept, [0.025, 0.975])
    return float(low), float(high)


def ranks(values: Sequence[float] | Numbers) -> Numbers:
    """Ranks from 1; equal values share the mean of their ranks."""
    kept = np.asarray(values, dtype=np.float64)
    _, which, counts = np.unique(kept, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: Numbers = (last - (counts - 1) / 2)[which]
    return mean


def spearman(x: Sequence[float] | Numbers, y: Sequence[float] | Numbers) -> float:
    """Spearman's ρ: Pearson's correlation of the ranks; NaN if one side does not vary."""
    a, b = ranks(x), ranks(y)
    if len(a) < 2 or a.min() == a.max() or b.min() == b.max():
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def spearman_interval(x: Numbers, y: Numbers, seed: int) -> tuple[float, float]:
    """95 % bootstrap interval of Spearman's ρ, pairs resampled and ranked anew each time.

    A resample is how often each pair was drawn; all are ranked at once.
    """
    n, random = len(x), np.random.default_rng(seed)
    if n < 2:
        return float("nan"), float("nan")
    rounds = max(1, min(ROUNDS, CELLS // n))
    sizes = [min(rounds, ROUNDS - done) for done in range(0, ROUNDS, rounds)]
    drawn = [_drawn_rho(x, y, random.multinomial(n, np.full(n, 1 / n), size)) for size in sizes]
    kept = np.concatenate(drawn)
    kept = kept[~np.isnan(kept)]
    if not len(kept):
        return float("nan"), float("nan")
    low, high = np.quantile(kept, [0.025, 0.975])
    return float(low), float(high)


def _drawn_rho(x: Numbers, y: Numbers, times: NDArray[np.int64]) -> Numbers:
    """Spearman's ρ of each row of `times`: how often each pair was drawn."""
    middle = (len(x) + 1) / 2
    a, b = _drawn_ranks(x, times) - middle, _drawn_ranks(y, times) - middle
    both, own = (times * a * b).sum(axis=1), (times * a * a).sum(axis=1)
    spread = np.sqrt(own * (times * b * b).sum(axis=1))
    rho: Numbers = np.divide(both, spread, out=np.full(len(times), np.nan), where=spread > 0)
    return rho


def _drawn_ranks(values: Numbers, times: NDArray[np.int64]) -> Numbers:
    """Mean rank of each value within each resample."""
    found, which = np.unique(values, return_inverse=True)
    order = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[order], np.arange(len(found)))
    counts = np.add.reduceat(times[:, order], starts, axis=1)
    ranked: Numbers = (np.cumsum(counts, axis=1) - (counts - 1) / 2)[:, which]
    return ranked


def summary(
    values: Sequence[float] | Numbers, weights: Sequence[int] | None = None
) -> dict[str, float]:
    """n, min, mean, nearest-rank quantiles and max of values that occurred `weights` times."""
    kept = np.asarray(values, dtype=np.float64)
    counts = np.ones(len(kept), np.int64) if weights is None else np.asarray(weights, np.int64)
    n = int(counts.sum())
    quantiles = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
    found = {name: weighted_quantile(kept, counts, q) for name, q in quantiles.items()}
    mean = round(float((kept * counts).sum() / n), 6)
    return {"n": n, "min": float(kept.min()), "mean": mean, **found, "max": float(kept.max())}
