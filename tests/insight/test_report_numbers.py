"""Numbers and days as people write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.insight.report.numbers import (
    NOTHING,
    dated,
    exact,
    human,
    is_when,
    percent,
    percent_range,
    when,
)


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        (0, "0", "0"),
        (9_999, "9,999", "9,999"),
        (12_345, "12.3k", "1.23\u00a0万"),
        (510_000, "510k", "51\u00a0万"),
        (999_999, "1M", "100\u00a0万"),
        (1_234_567, "1.23M", "123\u00a0万"),
        (99_999_999, "100M", "1\u00a0亿"),
        (12_345_678_901, "12.3B", "123\u00a0亿"),
        (-12_345, "−12.3k", "−1.23\u00a0万"),
        (0.12345, "0.123", "0.123"),
        (3.14159, "3.14", "3.14"),
        (42.0, "42", "42"),
        (1234.56, "1,235", "1,235"),
        (0.00012, "1.2e-04", "1.2e-04"),
        (None, NOTHING, NOTHING),
        (math.nan, NOTHING, NOTHING),
        (math.inf, NOTHING, NOTHING),
    ],
)
def test_it_writes_numbers_as_people_do(value: float | None, en: str, zh: str) -> None:
    assert (human(value, "en"), human(value, "zh")) == (en, zh)


def test_it_keeps_every_digit_for_the_hover() -> None:
    assert exact(12_345_678_901) == "12,345,678,901"
    assert exact(-0.25) == "−0.25"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.384, "38%"),
        (0.0342, "3.4%"),
        (0.0012, "0.12%"),
        (1.0, "100%"),
        (-0.061, "−6.1%"),
        (-0.000001, "0%"),
        (0.000001, "<0.01%"),
        (0.9961, "99.6%"),
        (0.99999, "99.9%"),
        (0, "0%"),
        (None, NOTHING),
    ],
)
def test_it_writes_shares_with_the_digits_that_matter(value: float | None, text: str) -> None:
    assert percent(value) == text


def test_both_ends_of_a_narrow_interval_differ() -> None:
    assert percent_range(0.6968, 0.6994) == ("69.7%", "69.9%")
    assert percent_range(0.29, 0.334) == ("29%", "33%")


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        ("2022-03", "Mar 2022", "2022年3月"),
        ("2021-08-18", "18 Aug 2021", "2021年8月18日"),
        ("2022-01-03T09:15:00", "3 Jan 2022 09:15", "2022年1月3日 09:15"),
        ("2022-13", "2022-13", "2022-13"),
        ("6–20", "6–20", "6–20"),
    ],
)
def test_it_writes_days_in_the_readers_words(text: str, en: str, zh: str) -> None:
    assert (when(text, "en"), when(text, "zh")) == (en, zh)


def test_it_writes_days_inside_a_sentence_in_the_readers_words() -> None:
    said = "Most on 2022-02-16 (in 2022-02: 3); at 2022-02-16:09, v1.2022-02 as it is."
    told = "Most on 16 Feb 2022 (in Feb 2022: 3); at 2022-02-16:09, v1.2022-02 as it is."
    assert dated(said, "en") == told
    assert dated("2023-02 的留存率", "zh") == "2023年2月的留存率"


def test_it_knows_a_day_from_a_name() -> None:
    assert is_when("2022-03-01")
    assert not is_when("group 2022-03-01")


@given(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(["en", "zh"]))
def test_it_writes_any_number_shortly(value: float, lang: str) -> None:
    if abs(value) < 1e11 or not math.isfinite(value):
        assert 0 < len(human(value, lang)) <= 9
    assert percent(value)


@given(st.integers(-(10**9), 10**9))
def test_it_never_strays_more_than_a_hundredth_from_the_value(value: int) -> None:
    text = human(value, "en").replace(",", "").replace("−", "-")
    factor = {"k": 1e3, "M": 1e6, "B": 1e9}.get(text[-1], 1)
    read = float(text.rstrip("kMB")) * factor
    assert math.isclose(read, value, rel_tol=0.01)
