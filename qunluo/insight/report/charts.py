"""What the browser is given to draw a chart, and what it says where nothing can be drawn.

Bars, lines, steps and scatters are drawn by ECharts from `payload`; shares, heatmaps and
graphs are plain HTML and SVG (`drawings`), which every browser and printer shows.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Any

from qunluo.insight.figures import Chart, GroupName, Person, Series
from qunluo.insight.report.masks import Masks
from qunluo.insight.report.model import SMALL_N
from qunluo.insight.report.numbers import human, is_when, percent, significant, when
from qunluo.insight.report.words import WORDS
from qunluo.kit.text import Text

MAX_POINTS = 1_500  # of one series: more than a phone draws or an eye tells apart
MAX_NAME = 200
DRAWN_BY_SCRIPT = frozenset({"bar", "stacked", "line", "step", "scatter"})

Json = dict[str, Any]
Label = str | float | Text | Person | GroupName


def payload(chart: Chart, masks: Masks, lang: str, few: bool = False) -> Json:
    """The chart as data for the page's script. Short keys: a report holds many points."""
    picks = picked(len(chart.x))
    numeric = is_numeric(chart)
    return {
        "kind": chart.kind,
        "x": [_x(chart.x[i], numeric, masks, lang) for i in picks],
        "numeric": numeric,
        "sideways": lies_down(chart, masks, lang),
        "series": [_series(s, picks, lang, chart.log_y) for s in chart.series],
        "xName": chart.x_name(lang),
        "yName": chart.y_name(lang),
        "percent": chart.percent,
        "marks": [[_short(value), name(lang)] for value, name in chart.reference],
        "logX": chart.log_x and all(isinstance(x, int | float) and x > 0 for x in chart.x),
        "logY": chart.log_y,
        "few": few,
    }


def picked(count: int) -> Sequence[int]:
    """Indices of the points to draw: all, or evenly spaced ones with first and last."""
    if count <= MAX_POINTS:
        return range(count)
    return [round(i * (count - 1) / (MAX_POINTS - 1)) for i in range(MAX_POINTS)]


def is_empty(chart: Chart) -> bool:
    """Whether there is nothing to see in it."""
    if chart.kind == "graph":
        return not chart.nodes
    return not chart.x or not any(_finite(y) is not None for s in chart.series for y in s.y)


def is_numeric(chart: Chart) -> bool:
    """Whether x is a measured quantity rather than a list of categories."""
    return chart.kind in ("line", "step", "scatter") and all(
        isinstance(x, int | float) for x in chart.x
    )


def label(x: Label, masks: Masks, lang: str) -> str:
    """A category as the reader calls it; nobody's name in a masked report."""
    match x:
        case Text():
            return x(lang)
        case Person():
            return masks.person(x)(lang)[:MAX_NAME]
        case GroupName():
            return masks.group(x)(lang)[:MAX_NAME]
        case str():
            return when(masks.label(x)(lang)[:MAX_NAME], lang)
    return human(x, lang)


def description(chart: Chart, masks: Masks, lang: str) -> str:
    """The chart in words, for readers who can't see it."""
    title = WORDS["chart_of"](lang).format(title=chart.title(lang).rstrip(".。"))
    if is_empty(chart):
        return f"{title} {WORDS['empty_chart'](lang)}"
    said = [_said(chart, series, masks, lang) for series in chart.series[:8]]
    return " ".join([title, *said]).strip()


def shown(chart: Chart, value: float | None, lang: str) -> str:
    """A y value as its axis writes it."""
    return percent(value) if chart.percent else human(value, lang)


def _said(chart: Chart, series: Series, masks: Masks, lang: str) -> str:
    values = [(y, i) for i, y in enumerate(map(_finite, series.y)) if y is not None]
    name = series.name(lang)
    if not values:
        return ""
    if len(values) == 1:
        return WORDS["chart_one"](lang).format(name=name, y=shown(chart, values[0][0], lang))
    (low, _), (high, at) = min(values), max(values, key=lambda pair: (pair[0], -pair[1]))
    return WORDS["chart_range"](lang).format(
        name=name,
        low=shown(chart, low, lang),
        high=shown(chart, high, lang),
        at=label(chart.x[at], masks, lang) if at < len(chart.x) else at,
    )


def _series(series: Series, picks: Sequence[int], lang: str, log: bool) -> Json:
    y = _picked(series.y, picks)
    if log:  # what is not above zero has no place on such an axis
        y = [v if v is not None and v > 0 else None for v in y]
    values: Json = {"name": when(series.name(lang), lang), "y": y}
    if series.low is not None and series.high is not None:
        values |= {"low": _picked(series.low, picks), "high": _picked(series.high, picks)}
    if series.n is not None:
        values["n"] = [series.n[i] if i < len(series.n) else None for i in picks]
        values["small"] = [n is not None and n < SMALL_N for n in values["n"]]
    return values


def _picked(values: Sequence[float | None], picks: Sequence[int]) -> list[float | None]:
    return [_short(values[i]) if i < len(values) else None for i in picks]


def _x(x: Label, numeric: bool, masks: Masks, lang: str) -> str | float | None:
    return _short(x) if numeric and isinstance(x, int | float) else label(x, masks, lang)


def _short(value: float | None) -> float | None:
    """Six significant digits draw the same picture in half the bytes."""
    value = _finite(value)
    if value is None or (isinstance(value, int) and abs(value) < 2**53):
        return value
    return significant(value, 6)


def _finite(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return value if isinstance(value, int) else float(value)


def lies_down(chart: Chart, masks: Masks, lang: str) -> bool:
    """Names that do not fit side by side under standing bars, even on a phone, are read along
    bars that lie, never turned or left out. Days, hours and buckets keep their direction."""
    if chart.kind not in ("bar", "stacked") or not 1 < len(chart.x) <= 60:
        return False
    labels = [label(x, masks, lang) for x in chart.x if not (isinstance(x, str) and is_when(x))]
    wide = [width_of(name) for name in labels if any(char.isalpha() for char in name)]
    return bool(wide) and (max(wide) > 10 or sum(wide) + 3 * len(wide) > 44)


def cut(text: str, width: int) -> str:
    """As much of a text as is `width` wide, where a Chinese character is two wide."""
    for end in range(len(text)):
        if width_of(text[: end + 1]) > width:
            return text[: max(end - 1, 0)] + "…"
    return text


def width_of(text: str) -> int:
    """In halves of a Chinese character."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
