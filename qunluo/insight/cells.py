"""One cell of a hand-kept table as a date, an amount, a count or a word of a closed set.

Every function answers None where it can't tell: the caller rejects the row and says why.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

_DATE = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[T\s]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)?)?"
    r"\s*(Z|UTC|[+-]\d{2}:?\d{2})?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_EPOCH = {10: 1, 13: 1_000, 16: 1_000_000}  # digits → units a second
_MONEY_WORDS = re.compile(r"(?:CNY|RMB|USD|EUR|GBP|JPY|[¥￥$€£元圆块\s])", re.IGNORECASE)
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")
_EXACT = 10**13  # minor units: a larger amount is a mistake, not a payment


def instant(cell: str, zone: tzinfo) -> datetime | None:
    """A naive time in `zone`: ISO and Chinese dates, `20240131`, or Unix seconds, ms, µs.

    Dates without a time are midnight. A stated offset is converted; without one the time is
    taken as local. Dates that begin with a day or a month are ambiguous: None.
    """
    text = cell.strip()
    if text.isascii() and text.isdigit():
        return _number(text, zone)
    found = _DATE.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    micro = int((fraction or "0").ljust(6, "0"))
    clock = (int(hour or 0), int(minute or 0), int(second or 0), micro)
    return _built(f"{year}-{month:0>2}-{day:0>2}", clock, offset, zone)


def _built(
    day: str, clock: tuple[int, int, int, int], offset: str | None, zone: tzinfo
) -> datetime | None:
    try:
        base = datetime.fromisoformat(day)
        local = base.replace(
            hour=clock[0], minute=clock[1], second=clock[2], microsecond=clock[3]
        )
        if not offset:
            return local
        sign = offset if offset[0] in "+-" else "+00:00"
        aware = datetime.fromisoformat(local.isoformat() + sign)
        return aware.astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _number(digits: str, zone: tzinfo) -> datetime | None:
    compact = _COMPACT.fullmatch(digits)
    if compact:
        return _built("-".join(compact.groups()), (0, 0, 0, 0), None, zone)
    unit = _EPOCH.get(len(digits))
    if unit is None:
        return None
    seconds, rest = divmod(int(digits), unit)
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1_000_000 // unit)
    return at.astimezone(zone).replace(tzinfo=None)


def minor(cell: str) -> int | None:
    """An amount in hundredths, rounded half up: `11.77`, `¥1,234.5`, `1.234,50`, `99 元`."""
    text = _point(_MONEY_WORDS.sub("", cell))
    if text is None or not _PLAIN.fullmatch(text):
        return None
    try:
        hundredths = (Decimal(text) * 100).quantize(Decimal(1), ROUND_HALF_UP)
    except InvalidOperation:
        return None
    return int(hundredths) if abs(hundredths) <= _EXACT else None


def _point(text: str) -> str | None:
    """The same number with a decimal point and no thousands separators."""
    comma, point = text.rfind(","), text.rfind(".")
    if comma < 0:
        return text
    if point > comma:  # 1,234.50
        whole, _, cents = text.rpartition(".")
        return f"{whole.replace(',', '')}.{cents}" if _THOUSANDS.fullmatch(whole) else None
    if point >= 0:  # 1.234,50
        return text.replace(".", "").replace(",", ".")
    if _THOUSANDS.fullmatch(text):  # 1,234
        return text.replace(",", "")
    return text.replace(",", ".") if text.count(",") == 1 else None  # 12,5


def count(cell: str) -> int | None:
    """A whole number of things, 0 to a billion (`2`, `2.0`)."""
    text = cell.strip()
    if not _PLAIN.fullmatch(text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    whole = number == number.to_integral_value()
    return int(number) if whole and 0 <= number <= 10**9 else None


ROLE_WORDS = {
    "brand": (
        "brand",
        "staff",
        "official",
        "operator",
        "品牌",
        "官方",
        "员工",
        "工作人员",
        "运营",
        "客服",
    ),
    "bot": ("bot", "robot", "机器人"),
    "system": ("system", "系统"),
    "member": ("member", "customer", "成员", "会员", "群友", "客户", "用户"),
}
CORPORATE_WORDS = {
    "verified": ("verified", "valid", "yes", "已认证", "认证", "有效", "是"),
    "lapsed": ("lapsed", "expired", "已过期", "过期", "失效", "已失效"),
    "never": ("never", "none", "no", "unverified", "未认证", "从未认证", "无", "否"),
}


def word(cell: str, words: dict[str, tuple[str, ...]]) -> str | None:
    """The word of a closed set that the cell means, in either language."""
    meant = cell.strip().casefold()
    return next((name for name, said in words.items() if meant in said), None)
