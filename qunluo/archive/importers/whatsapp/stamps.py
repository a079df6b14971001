"""The header of a message: how it is written in one file, its date order, its instant.

A file has one way of writing headers (phone, language and clock setting of whoever exported
it), so it is found once and every line is measured against it with one RE2 expression.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from qunluo.archive.importers.base import DateOrder
from qunluo.archive.importers.whatsapp.words import AM, LINKING, MARKS, NOON, PM, SPACES
from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

Ints = npt.NDArray[np.int64]

DAY = 86_400
MICRO = 1_000_000
BUDDHIST_FROM, BUDDHIST_SHIFT = 2400, 543  # Thai years
REIWA_SHIFT = 2018  # Japanese years
EARLIEST, LATEST = 1971, 2100


class AmbiguousDatesError(QunluoError):
    code = "ambiguous_dates"
    sentence = Text(
        "The dates in “{name}” (such as {example}) can be read day first or month first, and"
        " nothing in the file decides it. Say which with --date-order dmy or --date-order mdy.",
        "“{name}”中的日期（例如 {example}）既可理解为日/月，也可理解为月/日，文件内容无法判断。"
        "请用 --date-order dmy 或 --date-order mdy 指明。",
    )


class WrongDateOrderError(QunluoError):
    code = "wrong_date_order"
    sentence = Text(
        "Dates in “{name}” (such as {example}) cannot be read in the order {given}."
        " Leave out --date-order, or give {found}.",
        "“{name}”中的日期（例如 {example}）不符合指定的顺序 {given}。"
        "请去掉 --date-order，或改为 {found}。",
    )


# how headers are written


def _any(words: Iterable[str], space: str = "") -> str:
    """An alternation of literal words, longest first; a space in them may be any or none."""
    ordered = sorted(set(words), key=lambda word: (-len(word), word))
    return "|".join(re.escape(word).replace(r"\ ", space) for word in ordered)


DIGIT = "[0-9٠-٩۰-۹]"
GAP = f"[{SPACES}]"
LATIN_HALF = rf"[AaPp]\.?{GAP}?[Mm]\.?"
OTHER_HALVES = [w for w in (*AM, *PM) if not re.fullmatch(LATIN_HALF, w)]
CJK_HALVES = [w for w in (*AM, *PM, *NOON) if re.match("[一-鿿가-힣]", w)]
AFTER = rf"(?:{GAP}?(?:{LATIN_HALF}|(?i:{_any(OTHER_HALVES)})))"
LATIN_AFTER = rf"(?:{GAP}?{LATIN_HALF})"
BEFORE = rf"(?:(?:{_any(CJK_HALVES)}|[AaPp][Mm]){GAP}?)"
CJK_BEFORE = rf"(?:(?:{_any(CJK_HALVES)}){GAP}?)"
WEEKDAY = f"(?:(?:周|週|星期)[一二三四五六日]{GAP}?)?"
LINK = rf"(?:{GAP}(?:{_any(LINKING)}))?"

Halves = Literal["any", "none", "before", "after"]


@dataclass(frozen=True)
class Style:
    """One way of writing headers."""

    bracket: bool  # [13/02/2024, 09:05:11] Ann: hi
    time_first: bool = False  # [09:05, 13/02/2024] Ann: hi
    marked: bool = False  # direction marks or other digits inside the date
    halves: Halves = "any"  # whether and where morning and afternoon are told apart
    wordy: bool = True  # words between date and time, or an era, may stand
    colon: bool | None = None  # 13/02/2024, 09:05: Ann: hi (old iPhones); None for either

    def pattern(self) -> str:
        """An RE2 and Python expression with groups h (whole header), d (date) and t (time).

        Without options whose beginnings look alike, RE2 needs only one pass: four times faster.
        """
        date_, time_ = f"(?P<d>{self._date()})", f"(?P<t>{self._time()})"
        link, weekday = (LINK, WEEKDAY) if self.wordy else ("", "")
        comma = rf"{self._mark()}[,،]?{link}{GAP}?{weekday}"
        body = f"{time_}{comma}{date_}" if self.time_first else f"{date_}{comma}{time_}"
        head = f"[{MARKS}\u200f]*"
        if self.bracket:
            return rf"^(?P<h>{head}\[{body}{self._mark()}\]{GAP}?)"
        dash, colon = rf"{GAP}[-–]{GAP}", f":{GAP}"
        ends = {True: colon, False: dash, None: f"(?:{dash}|{colon})"}
        return rf"^(?P<h>{head}{body}{self._mark()}{ends[self.colon]})"

    def _digit(self) -> str:
        return DIGIT if self.marked else "[0-9]"

    def _mark(self) -> str:
        return f"[{MARKS}\u200f]*" if self.marked else ""

    def _date(self) -> str:
        digit, mark = self._digit(), self._mark()
        cut = rf"{mark}(?:[/.\-]{GAP}?|年|月){mark}"
        era = "(?: BE)?" if self.wordy else ""
        return rf"{digit}{{1,4}}{cut}{digit}{{1,2}}{cut}R?{digit}{{1,4}}(?:日|\.)?{era}"

    def _time(self) -> str:
        digit = self._digit()
        clock = rf"{digit}{{1,2}}[:.]{digit}{{2}}(?:[:.]{digit}{{2}})?{self._mark()}"
        before = {"any": BEFORE + "?", "before": CJK_BEFORE}.get(self.halves, "")
        after = {"any": AFTER + "?", "after": LATIN_AFTER}.get(self.halves, "")
        return before + clock + after


STYLES = tuple(
    Style(bracket, time_first, marked)
    for marked in (False, True)
    for time_first in (False, True)
    for bracket in (False, True)
)
NARROW: tuple[Halves, ...] = ("none", "after", "before")


def style_of(lines: Sequence[str]) -> Style | None:
    """The style that reads most of these lines as headers; the plainest of equals."""
    lines = [line for line in lines if any(char.isdigit() for char in line[:8])]
    best = max(STYLES[:2], key=lambda style: _headers(style, lines))
    if _headers(best, lines) * 2 <= len(lines):
        best = max(STYLES, key=lambda style: _headers(style, lines))
    count = _headers(best, lines)
    if not count:
        return None
    narrow = (
        replace(best, halves=halves, wordy=False, colon=colon)
        for halves in NARROW
        for colon in (False, True)
    )
    return next((style for style in narrow if _headers(style, lines) == count), best)


def _headers(style: Style, lines: Sequence[str]) -> int:
    pattern = re.compile(style.pattern())
    return sum(1 for line in lines if pattern.match(line))


# dates


def components(text: str) -> tuple[int, int, int] | None:
    """The three numbers of a written date in their order; digits of any script, R4 as 2022."""
    text = re.sub(r"R(\d+)", lambda year: str(int(year[1]) + REIWA_SHIFT), text)
    numbers = re.findall(r"\d+", text)
    return (int(numbers[0]), int(numbers[1]), int(numbers[2])) if len(numbers) == 3 else None


def local_day(text: str, order: DateOrder) -> int | None:
    """Days since 1970 of a written date, or None if there is no such day."""
    parts = components(text)
    return None if parts is None else _ordinal(parts, order)


def _ordinal(parts: tuple[int, int, int], order: DateOrder) -> int | None:
    year, month, day = (parts[order.index(letter)] for letter in "ymd")
    year += 2000 if year < 100 else 0
    year -= BUDDHIST_SHIFT if year > BUDDHIST_FROM else 0
    if not EARLIEST <= year < LATEST:
        return None
    try:
        return date(year, month, day).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        return None


class OrderEvidence:
    """Collects dates in the order of the file until they can only be read one way."""

    def __init__(self) -> None:
        self.seen: Counter[DateOrder] = Counter()  # dates that can be read so
        self.back: Counter[DateOrder] = Counter()  # steps back in time if read so
        self.total = 0
        self.example = ""
        self.differs = False  # some date means another day when read otherwise
        self._last: dict[DateOrder, int] = {}

    def add(self, texts: Iterable[str]) -> None:
        """Dates as written, in file order; runs of the same date may be given once."""
        for text in texts:
            parts = components(text)
            if parts is not None:
                self._add(text, parts)

    def _add(self, text: str, parts: tuple[int, int, int]) -> None:
        self.total += 1
        days = {order: _ordinal(parts, order) for order in _orders(text, parts)}
        known = {order: day for order, day in days.items() if day is not None}
        if len(set(known.values())) > 1:
            self.differs, self.example = True, self.example or text
        for order, day in known.items():
            self.seen[order] += 1
            self.back[order] += day < self._last.get(order, day)
            self._last[order] = day

    def settled(self) -> bool:
        """Whether the numbers alone (a day above 12) leave only one order."""
        ranked = self.seen.most_common(2)
        return len(ranked) == 1 or (len(ranked) == 2 and ranked[0][1] > ranked[1][1])

    def decided(self) -> DateOrder | None:
        """The only order that reads (nearly) all dates and keeps time running forward."""
        if not self.seen:
            return None
        most = max(self.seen.values())
        fitting = [order for order in ORDERS if self.seen[order] == most]
        if len(fitting) > 1:
            least = min(self.back[order] for order in fitting)
            fitting = [order for order in fitting if self.back[order] == least]
        return fitting[0] if len(fitting) == 1 or not self.differs else None


ORDERS: tuple[DateOrder, ...] = ("dmy", "mdy", "ymd")


def _orders(text: str, parts: tuple[int, int, int]) -> tuple[DateOrder, ...]:
    """Orders a date may have by its form.

    Four digits, or more than 31, are a year. No language writes month, day, year with points or
    hyphens; a year of two digits stands first only where a point ends the date (Korean).
    """
    if parts[0] > 31 or "年" in text:
        return ("ymd",)
    pointed = "/" not in text
    if pointed and parts[2] <= 31 and text.rstrip().endswith("."):
        return ("dmy", "ymd")
    return ("dmy",) if pointed else ("dmy", "mdy")


def order_of(evidence: OrderEvidence, name: str, given: DateOrder | None) -> DateOrder:
    """The order to read dates in: what the user gave if it can be, else what the dates say.

    Raises `AmbiguousDatesError` or `WrongDateOrderError`.
    """
    found = evidence.decided()
    if given is None:
        if found is None:
            raise AmbiguousDatesError(name=name, example=evidence.example)
        return found
    if found is not None and evidence.seen[given] * 2 < evidence.seen[found]:
        raise WrongDateOrderError(
            name=name, given=given, found=found, example=evidence.example or "?"
        )
    return given


# times


_CLOCK = re.compile(r"(\D*)(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2}))?(\D*)")


def second_of_day(text: str) -> int | None:
    """Seconds since midnight of a written time in 12 or 24 hours, or None."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = int(found[2]), int(found[3]), int(found[4] or 0)
    hour = _hour_of_24(hour, half_of(found[1] + found[5]))
    if hour > 23 or minute > 59 or second > 60:
        return None
    return hour * 3600 + minute * 60 + min(second, 59)


@lru_cache(maxsize=256)
def half_of(text: str) -> str:
    """`am`, `pm`, `noon`, or nothing, by the words around the numbers."""
    word = _NO_WORD.sub("", text).casefold().strip(".")
    for name, words in (("am", AM), ("pm", PM), ("noon", NOON)):
        if word and any(word == known.strip(".") for known in words):
            return name
    return ""


_NO_WORD = re.compile(rf"[\d:{SPACES}{MARKS}\u200f]|(?<=\d)\.(?=\d)")


def _hour_of_24(hour: int, half: str) -> int:
    if hour > 12 or not half:
        return hour
    if half == "am":
        return hour % 12
    if half == "pm":
        return hour % 12 + 12
    return hour + 12 if hour < 6 else hour  # 中午1:05


# instants


def utc_micros(days: Ints, seconds: Ints, zone: tzinfo) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Microseconds since 1970 UTC of local days and seconds, and which days change the clock.

    Times that exist twice are the first of the two; times that do not exist move forward by
    the length of the gap (both as `fold=0` of the standard library).
    """
    unique, back = np.unique(days, return_inverse=True)
    offsets = np.array([_offset(int(day), zone) for day in unique], dtype=np.int64)
    changing = (offsets == _CHANGES)[back]
    local = days * DAY + seconds
    result = (local - offsets[back]) * MICRO
    for at in np.flatnonzero(changing):
        result[at] = (int(local[at]) - _offset_at(int(local[at]), zone)) * MICRO
    return result, changing


_CHANGES = np.iinfo(np.int64).max // (
    4 * MICRO
)  # stands for "more than one offset on this day"


def _offset(day: int, zone: tzinfo) -> int:
    """Seconds east of UTC on that local day, or `_CHANGES`."""
    if isinstance(zone, timezone):
        return _offset_at(day * DAY, zone)
    found = {_offset_at(day * DAY + hour * 3600, zone) for hour in range(25)}
    return found.pop() if len(found) == 1 else _CHANGES


def _offset_at(local: int, zone: ZoneInfo | tzinfo) -> int:
    naive = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=local)
    offset = naive.replace(tzinfo=zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0
