"""Money: whole numbers of minor units, written as people of a language write them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from babel.numbers import format_currency, get_currency_precision, get_currency_symbol

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Lang, Text

CURRENCIES = (
    "CNY", "HKD", "TWD", "MOP", "USD", "EUR", "GBP", "JPY", "KRW", "SGD", "MYR", "THB", "VND",
    "IDR", "INR", "AUD", "CAD", "CHF",
)  # fmt: skip
_LOCALE: dict[Lang, str] = {"en": "en", "zh": "zh_Hans_CN"}
MOST = 10**12  # minor units: what no till takes, and every column holds


class WrongMoneyError(QunluoError):
    code = "wrong_money"
    sentence = Text(
        "“{value}” is no amount of {currency}: write it like {example}.",
        "“{value}”不是有效的 {currency} 金额，请按 {example} 的格式填写。",
    )


def decimals(currency: str) -> int:
    """How many digits the minor unit has: 2 for CNY, 0 for JPY."""
    return get_currency_precision(currency)


def format_money(minor: int, currency: str, lang: Lang) -> str:
    """`¥12.50` for 1250 fen in Chinese, `CN¥12.50` in English."""
    return format_currency(to_major(minor, currency), currency, locale=_LOCALE[lang])


def currency_sign(currency: str, lang: Lang) -> str:
    """`¥` for CNY in Chinese, `CN¥` in English."""
    return str(get_currency_symbol(currency, locale=_LOCALE[lang]))


def to_major(minor: int, currency: str) -> Decimal:
    """1250 fen are 12.50 yuan."""
    return Decimal(minor).scaleb(-decimals(currency))


def read_money(text: str, currency: str) -> int:
    """The minor units of `12.5`, `12.50` or `1,200`; raises `WrongMoneyError`."""
    plain = text.strip().replace(",", "").replace("，", "")
    try:
        scaled = Decimal(plain).scaleb(decimals(currency))
    except InvalidOperation:
        scaled = Decimal("NaN")
    if not scaled.is_finite() or scaled != scaled.to_integral_value() or abs(scaled) > MOST:
        example = str(to_major(12_50, currency))
        raise WrongMoneyError(value=text[:40], currency=currency, example=example)
    return int(scaled)
