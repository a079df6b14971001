"""Amounts of money as people write and read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.kit.money import (
    CURRENCIES,
    MOST,
    WrongMoneyError,
    decimals,
    format_money,
    read_money,
    to_major,
)


@given(st.integers(-MOST, MOST), st.sampled_from(CURRENCIES))
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    written = str(to_major(minor, currency))
    assert read_money(written, currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "en", "zh"),
    [
        (1_250, "CNY", "CN¥12.50", "¥12.50"),
        (-500, "CNY", "-CN¥5.00", "-¥5.00"),
        (1_250, "JPY", "¥1,250", "JP¥1,250"),
        (123_456, "USD", "$1,234.56", "US$1,234.56"),
    ],
)
def test_each_language_writes_money_its_own_way(
    minor: int, currency: str, en: str, zh: str
) -> None:
    assert format_money(minor, currency, "en") == en
    assert format_money(minor, currency, "zh") == zh


def test_some_currencies_have_no_small_coins() -> None:
    assert (decimals("CNY"), decimals("JPY")) == (2, 0)
    assert read_money("1,200", "JPY") == 1_200


@pytest.mark.parametrize("text", ["", "ten", "1.234", "NaN", "Infinity", "1e30", "12 元"])
def test_what_is_no_amount_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(WrongMoneyError) as error:
        read_money(text, "CNY")
    assert "12.5" in error.value.message("en")
