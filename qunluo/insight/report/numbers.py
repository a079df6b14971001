"""Numbers and days as people write them: 1.2 万 in Chinese, 12k in English, 38%, 18 Aug 2021.

The exact value always goes with it (a `title`), so nothing is lost by reading easily.
"""

from __future__ import annotations

import math
import re

SPACE = "\u00a0"  # a number and its unit stay on one line
NOTHING = "–"

# from this size on, divided by, unit
_STEPS = {
    "en": ((1e9, 1e9, "B"), (1e6, 1e6, "M"), (1e4, 1e3, "k")),
    "zh": ((1e8, 1e8, SPACE + "亿"), (1e4, 1e4, SPACE + "万")),
}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DAY = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ](\d{2}:\d{2})\S*)?")

_DAY_INSIDE = re.compile(r"(?<![\w.:-])(?:19|20)\d{2}-[01]\d(?:-[0-3]\d)?(?![\w-]|:\d)")
_SPACE_AFTER_DAY = re.compile(r"(\d{4}年\d{1,2}月(?:\d{1,2}日)?) ")


def human(value: float | None, lang: str) -> str:
    """Three significant digits: 510k or 51 万; whole numbers under 10,000 in full."""
    if value is None or not math.isfinite(value):
        return NOTHING
    rounded = significant(value, 3)
    for size, divisor, unit in _STEPS[_tongue(lang)]:
        if abs(value) >= 10_000 and abs(rounded) >= size:
            return _signed(f"{rounded / divisor:,.6g}{unit}")
    return _signed(_small(value))


def exact(value: float | None) -> str:
    """All digits, for the hover."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return _signed(f"{value:,}" if isinstance(value, int) else f"{value:,.10g}")


def significant(value: float, digits: int) -> float:
    """Rounded to so many significant digits; the largest floats, which would become
    infinite, as they are."""
    rounded = float(f"{value:.{digits}g}")
    return rounded if math.isfinite(rounded) else float(value)


def percent(value: float | None, places: int | None = None) -> str:
    """A share of 1: 38%; small shares keep a digit or two."""
    if value is None or not math.isfinite(value):
        return NOTHING
    hundredths = value * 100
    text = f"{hundredths:.{_places(hundredths) if places is None else places}f}"
    if text == "100" and value < 1:  # not quite all is not all
        text = f"{min(hundredths, 99.9):.1f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if text in ("0", "-0"):  # next to nothing is not nothing
        return "<0.01%" if value > 0 and places is None else "0%"
    return _signed(text) + "%"


def percent_range(low: float, high: float) -> tuple[str, str]:
    """Both ends of an interval, with as many digits as it takes to tell them apart."""
    ends = percent(low), percent(high)
    for places in (1, 2):
        if ends[0] != ends[1]:
            break
        ends = percent(low, places), percent(high, places)
    return ends


def when(text: str, lang: str) -> str:
    """An ISO day, month or instant in the reader's words; any other label as it is."""
    match = _DAY.fullmatch(text)
    if not match or not 1 <= int(match[2]) <= 12:
        return text
    year, month, day, clock = match.groups()
    words = _day_zh(year, month, day) if _tongue(lang) == "zh" else _day_en(year, month, day)
    return f"{words} {clock}" if clock else words


def dated(sentence: str, lang: str) -> str:
    """A sentence with its ISO days and months in the reader's words."""
    said = _DAY_INSIDE.sub(lambda found: when(found[0], lang), sentence)
    return _SPACE_AFTER_DAY.sub(r"\1", said) if _tongue(lang) == "zh" else said


def is_when(text: str) -> bool:
    """Whether a label is an ISO day, month or instant, and so belongs on a time axis."""
    return _DAY.fullmatch(text) is not None


def _day_en(year: str, month: str, day: str | None) -> str:
    words = f"{_MONTHS[int(month) - 1]} {year}"
    return f"{int(day)} {words}" if day else words


def _day_zh(year: str, month: str, day: str | None) -> str:
    words = f"{year}年{int(month)}月"
    return f"{words}{int(day)}日" if day else words


def _signed(text: str) -> str:
    """With a real minus sign, as wide as a digit."""
    return text.replace("-", "−", 1) if text.startswith("-") else text


def _tongue(lang: str) -> str:
    return "zh" if lang.startswith("zh") else "en"


def _small(value: float) -> str:
    if float(value).is_integer():
        return f"{int(value):,}"
    size = abs(value)
    if size < 0.001:
        return f"{value:.1e}"
    places = 4 if size < 0.1 else 3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if places else text


def _places(hundredths: float) -> int:
    size = abs(hundredths)
    return 0 if size >= 10 else 1 if size >= 1 else 2
