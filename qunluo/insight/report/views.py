"""What the template shows of each figure: strings ready to read, in one language."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from qunluo.insight.figures import (
    Chart,
    Finding,
    GroupName,
    Metric,
    Missing,
    Need,
    Person,
    Quote,
    Table,
)
from qunluo.insight.needs import NEED_WORDS
from qunluo.insight.report import charts, drawings
from qunluo.insight.report.masks import Masks
from qunluo.insight.report.model import SMALL_N, Figure, Report, Section
from qunluo.insight.report.numbers import (
    NOTHING,
    dated,
    exact,
    human,
    percent,
    percent_range,
    significant,
    when,
)
from qunluo.insight.report.words import NEED_NOUNS, WORDS
from qunluo.kit.text import Text

MAX_NAME = 200
MAX_QUOTE = 240
ROWS_AT_FIRST = 8


@dataclass(frozen=True)
class Cell:
    """One cell: what is read, what the hover adds, what sorting compares."""

    text: str
    kind: str = "word"  # word, number, quote
    title: str = ""
    sort: str | float = ""
    at: str = ""  # of a quotation


@dataclass(frozen=True)
class TableView:
    title: str
    summary: str  # the title with the number of rows
    columns: tuple[tuple[str, bool], ...]  # name, holds numbers
    rows: tuple[tuple[Cell, ...], ...]
    more: int
    open: bool = False


@dataclass(frozen=True)
class ChartView:
    """`slot` is the place of its data in the page's JSON, where a script draws it."""

    chart: Chart
    title: str
    alt: str
    empty: bool
    slot: int | None = None
    key: tuple[tuple[str, str], ...] = ()  # colour class, name
    bars: tuple[drawings.Bar, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    columns: tuple[str, ...] = ()
    heat: tuple[drawings.HeatRow, ...] = ()
    numbers: bool = False
    network: drawings.Network | None = None
    thinned: tuple[int, int] | None = None
    lies: bool = False  # bars that lie name their unit below


@dataclass(frozen=True)
class FigureView:
    metric: Metric
    name: str
    heading: str
    missing: tuple[str, ...] | None  # why, and what to add; None where it was found
    n: str = ""
    n_exact: str = ""
    few: bool = False
    interval: str = ""
    headline: Cell | None = None
    reference: str = ""
    charts: tuple[ChartView, ...] = ()
    tables: tuple[TableView, ...] = ()
    notes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class SectionView:
    id: str
    title: str
    found: tuple[FigureView, ...]
    absent: tuple[FigureView, ...]

    @property
    def figures(self) -> tuple[FigureView, ...]:
        """All, as the table of contents lists them."""
        return self.found + self.absent


@dataclass
class Views:
    """Turns findings into views and collects the data of the charts a script will draw."""

    masks: Masks
    lang: str
    max_rows: int
    payloads: list[dict[str, Any]] = field(default_factory=list)

    def sections(self, report: Report) -> tuple[SectionView, ...]:
        """Sections with an answer first; those without any come last."""
        made = [self._section(section) for section in report.sections]
        return tuple(sorted(made, key=lambda section: not section.found))

    def _section(self, section: Section) -> SectionView:
        """What was found, then what was not: a reader goes from answer to answer."""
        figures = [self._figure(figure) for figure in section.figures]
        found = tuple(f for f in figures if f.missing is None)
        absent = tuple(f for f in figures if f.missing is not None)
        return SectionView(section.id, section.title(self.lang), found, absent)

    def _figure(self, figure: Figure) -> FigureView:
        found = figure.found
        if isinstance(found, Missing):
            return self._missing(figure.metric, found.sentence, found.needs)
        if not (found.n or found.charts or any(table.rows for table in found.tables)):
            return self._missing(figure.metric, found.sentence, ())
        return self._found(figure.metric, found)

    def _missing(self, metric: Metric, why: Text, needs: Iterable[Need]) -> FigureView:
        """The sentence, and how to bring each need where the sentence does not say it."""
        sentence = why(self.lang)
        words = [NEED_WORDS[need](self.lang) for need in needs]
        return FigureView(
            metric=metric,
            name=metric.name(self.lang),
            heading=metric.name(self.lang),
            missing=(sentence, *(word for word in words if word not in sentence)),
            reference=self._maybe(metric.reference),
            needs=self._needs(metric),
        )

    def _needs(self, metric: Metric) -> tuple[str, ...]:
        nouns = [NEED_NOUNS[need](self.lang) for need in metric.needs]
        if metric.one_of:
            choice = (NEED_NOUNS[need](self.lang) for need in metric.one_of)
            nouns.append(WORDS["or"](self.lang).join(choice))
        return tuple(nouns)

    def _found(self, metric: Metric, found: Finding) -> FigureView:
        few = 1 < found.n < SMALL_N  # of one group there is nothing to generalise
        return FigureView(
            metric=metric,
            name=metric.name(self.lang),
            heading=dated(found.sentence(self.lang), self.lang),
            missing=None,
            n=human(found.n, self.lang),
            n_exact=exact(found.n),
            few=few,
            interval=self._interval(metric, found),
            headline=self._headline(metric, found),
            reference=self._maybe(metric.reference),
            charts=tuple(self._chart(chart, few) for chart in found.charts),
            tables=tuple(self._tables(found)),
            notes=tuple(dated(note(self.lang), self.lang) for note in found.notes),
            needs=self._needs(metric),
        )

    def _maybe(self, text: Text | None) -> str:
        return text(self.lang) if text else ""

    def _headline(self, metric: Metric, found: Finding) -> Cell | None:
        """The one number, where the finding is one number."""
        value = found.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return self.number(value, is_share(metric))

    def _interval(self, metric: Metric, found: Finding) -> str:
        if found.interval is None:
            return ""
        low, high = found.interval
        if is_share(metric) or found.interval_of:
            ends = percent_range(low, high)
        else:
            ends = (human(low, self.lang), human(high, self.lang))
        words = WORDS["interval"](self.lang).format(low=ends[0], high=ends[1])
        if not found.interval_of:
            return words
        return WORDS["interval_of"](self.lang).format(
            of=found.interval_of(self.lang), words=words
        )

    def _tables(self, found: Finding) -> Iterator[TableView]:
        """Tables wait behind a tap, except the first one of a finding without a picture. Of
        several, those without a row are left out."""
        alone = len(found.tables) == 1
        filled = [table for table in found.tables if table.rows or alone]
        for position, table in enumerate(filled):
            yield self._table(table, open_=position == 0 and not found.charts)

    def _table(self, table: Table, *, open_: bool) -> TableView:
        rows = tuple(
            tuple(self.cell(value, i in table.percent) for i, value in enumerate(row))
            for row in table.rows[: self.max_rows]
        )
        more = table.more + max(0, len(table.rows) - self.max_rows)
        title = dated(table.title(self.lang), self.lang)
        count = human(len(rows) + more, self.lang)
        return TableView(
            title=title,
            summary=rows_word(len(rows) + more)(self.lang).format(title=title, n=count),
            columns=tuple(
                (name(self.lang), _is_numeric_column(table, i))
                for i, name in enumerate(table.columns)
            ),
            rows=rows,
            more=more,
            open=open_,
        )

    def cell(self, value: Any, share: bool = False) -> Cell:
        """Any value a table may hold, as read in this language and under these masks."""
        if value is None:
            return Cell(NOTHING)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self.number(value, share)
        if isinstance(value, Quote):
            return self._quote(value)
        return self._plain(value) if isinstance(value, str) else self._word(self._name(value))

    def _name(self, value: Any) -> str:
        match value:
            case bool():
                return WORDS["yes" if value else "no"](self.lang)
            case Person():
                return self.masks.person(value)(self.lang)
            case GroupName():
                return self.masks.group(value)(self.lang)
            case Text():
                return value(self.lang)
        return str(value)

    def number(self, value: float, share: bool = False) -> Cell:
        if not math.isfinite(value):
            return Cell(NOTHING, "number")
        text = percent(value) if share else human(value, self.lang)
        full = f"{exact(100 * value)}%" if share else exact(value)
        return Cell(text, "number", full if full != text else "", significant(value, 10))

    def _plain(self, text: str) -> Cell:
        label = self.masks.label(text)(self.lang)
        read = when(label, self.lang)
        return Cell(_clipped(read, MAX_NAME), title=label if read != label else "", sort=label)

    def _word(self, text: str) -> Cell:
        return Cell(_clipped(text, MAX_NAME), sort=_clipped(text, MAX_NAME))

    def _quote(self, quote: Quote) -> Cell:
        at = self.masks.at(quote)
        text = _clipped(self.masks.quote(quote)(self.lang), MAX_QUOTE)
        return Cell(text, "quote", title=at, sort=at, at=when(at, self.lang))

    def _chart(self, chart: Chart, few: bool) -> ChartView:
        title = dated(chart.title(self.lang), self.lang)
        if charts.is_empty(chart):
            alt = charts.description(chart, self.masks, self.lang)
            return ChartView(chart, title, alt, empty=True)
        if chart.kind in charts.DRAWN_BY_SCRIPT:
            return self._script_chart(chart, title, few)
        return self._drawing(chart, title)

    def _script_chart(self, chart: Chart, title: str, few: bool) -> ChartView:
        data = charts.payload(chart, self.masks, self.lang, few)
        self.payloads.append(data)
        shown, count = len(charts.picked(len(chart.x))), len(chart.x)
        return ChartView(
            chart,
            title,
            charts.description(chart, self.masks, self.lang),
            empty=False,
            slot=len(self.payloads) - 1,
            key=self._key([when(s.name(self.lang), self.lang) for s in chart.series]),
            thinned=(shown, count) if shown < count else None,
            lies=data["sideways"],
        )

    def _key(self, names: list[str]) -> tuple[tuple[str, str], ...]:
        if len(names) < 2:
            return ()
        return tuple((drawings.colour(i), name) for i, name in enumerate(names))

    def _drawing(self, chart: Chart, title: str) -> ChartView:
        if chart.kind == "graph":
            alt = drawings.network_words(chart, self.masks, self.lang)
            net = drawings.network(chart, self.masks, self.lang)
            return ChartView(chart, title, alt, empty=False, network=net)
        alt = charts.description(chart, self.masks, self.lang)
        if chart.kind == "share":
            return self._share(chart, title, alt)
        return ChartView(
            chart,
            title,
            alt,
            empty=False,
            columns=tuple(charts.label(x, self.masks, self.lang) for x in chart.x),
            heat=drawings.heat_rows(chart, self.masks, self.lang),
            numbers=len(chart.x) <= drawings.NUMBERS_FIT,
        )

    def _share(self, chart: Chart, title: str, alt: str) -> ChartView:
        marks = tuple(
            (round(100 * min(max(value, 0), 1), 2), name(self.lang))
            for value, name in chart.reference
        )
        bars = drawings.bars_of(chart, self.masks, self.lang)
        return ChartView(chart, title, alt, empty=False, bars=bars, marks=marks)


def rows_word(count: int) -> Text:
    return WORDS["row_1" if count == 1 else "rows_n"]


def is_share(metric: Metric) -> bool:
    """Whether the metric's value is a share of 1, by its unit."""
    unit = metric.unit.en.strip().lower()
    return unit == "%" or unit.startswith(("share", "percent", "% "))


def _is_numeric_column(table: Table, column: int) -> bool:
    values = [
        row[column] for row in table.rows if column < len(row) and row[column] is not None
    ]
    return bool(values) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )


def _clipped(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
