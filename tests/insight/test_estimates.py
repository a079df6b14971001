"""Intervals, quantiles, inequality and ranks against scipy and plain definitions."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from qunluo.insight.estimates import (
    _drawn_rho,
    bootstrap,
    gini,
    quantile,
    spearman,
    spearman_interval,
    weighted_quantile,
    wilson,
)

numbers = st.lists(st.integers(0, 50), min_size=1, max_size=40)


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilson_is_the_interval_of_scipy(hits: int, n: int) -> None:
    hits = min(hits, n)
    known = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits, n) == pytest.approx((known.low, known.high), abs=1e-12)


def test_wilson_of_nothing_knows_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@given(numbers, st.floats(0.01, 1))
def test_a_quantile_is_the_value_of_nearest_rank(values: list[int], q: float) -> None:
    assert quantile(values, q) == sorted(values)[ceil(q * len(values)) - 1]


@given(numbers, st.sampled_from([0.25, 0.5, 0.9]))
def test_a_weighted_quantile_equals_the_written_out_one(values: list[int], q: float) -> None:
    kinds = sorted(set(values), reverse=True)
    counts = [values.count(k) for k in kinds]
    assert weighted_quantile(kinds, counts, q) == quantile(values, q)


def test_quantiles_of_nothing_are_undefined() -> None:
    assert isnan(quantile([], 0.5))
    assert isnan(weighted_quantile([], [], 0.5))


@given(numbers)
def test_gini_is_the_mean_difference_over_twice_the_mean(values: list[int]) -> None:
    n, total = len(values), sum(values)
    spread = sum(abs(a - b) for a in values for b in values)
    assert gini(values) == pytest.approx(spread / (2 * n * total) if total else 0, abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=30))
def test_spearman_is_that_of_scipy_ties_and_all(pairs: list[tuple[int, int]]) -> None:
    x, y = zip(*pairs, strict=True)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert isnan(spearman(x, y))
    else:
        assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)


def test_a_bootstrap_with_the_same_seed_draws_the_same() -> None:
    values = np.arange(30.0)
    runs = [bootstrap(lambda rows: float(values[rows].mean()), 30, 7) for _ in range(2)]
    assert runs[0] == runs[1]
    assert runs[0][0] < values.mean() < runs[0][1]


def test_a_bootstrap_of_nothing_is_undefined() -> None:
    assert all(isnan(v) for v in bootstrap(lambda rows: 0.0, 0, 1))


@pytest.mark.parametrize(("noise", "holds_zero"), [(0.0, False), (100.0, True)])
def test_the_interval_of_spearman_tells_signal_from_noise(
    noise: float, holds_zero: bool
) -> None:
    random = np.random.default_rng(3)
    x = np.arange(40.0)
    low, high = spearman_interval(x, x + noise * random.normal(size=40), 5)
    assert (low <= 0 <= high) == holds_zero


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9))
def test_resamples_ranked_at_once_are_those_ranked_one_by_one(
    pairs: list[tuple[int, int]],
) -> None:
    x, y = np.array(pairs, dtype=np.float64).T
    times = np.random.default_rng(1).multinomial(len(x), np.full(len(x), 1 / len(x)), 5)
    one_by_one = [spearman(np.repeat(x, t), np.repeat(y, t)) for t in times]
    assert _drawn_rho(x, y, times) == pytest.approx(one_by_one, nan_ok=True, abs=1e-9)


def shares(values: Sequence[float]) -> list[float]:
    return [v / sum(values) for v in values]


def test_gini_grows_with_concentration() -> None:
    assert gini(shares([1, 1, 1, 1])) == pytest.approx(0)
    assert gini([0, 0, 0, 1]) == pytest.approx(0.75)
