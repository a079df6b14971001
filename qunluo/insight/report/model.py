"""What a report is made of: values only. The runner builds it; page and document show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qunluo.insight.figures import Facts, Finding, Metric, Missing
from qunluo.kit.text import Text

SMALL_N = 10
"""Fewer observations than this are drawn grey and called few."""


@dataclass(frozen=True)
class LineCount:
    """Where every line (or record) of one format went; the parts sum to `lines`."""

    format: Text
    lines: int
    messages: int
    events: int
    rejects: int
    blank: int = 0
    continuation: int = 0  # further lines of a message that has several
    header: int = 0  # lines about the file itself


@dataclass(frozen=True)
class SourceCount:
    """One file the user named. `name` is a base name: no folder of the user's machine."""

    name: str
    format: Text
    messages: int
    events: int
    rejects: int


@dataclass(frozen=True)
class Totals:
    """What the archive holds. `messages` are rows an account wrote, `actions` (`/me …`)
    counted apart, `system` those of both by system accounts; `events` are all membership
    events and notices, `joins` and `leaves` two of their kinds. Instants are local ISO."""

    messages: int
    actions: int
    speakers: int
    groups: int
    joins: int
    leaves: int
    rejects: int
    first_at: str | None = None
    last_at: str | None = None
    system: int = 0
    events: int = 0
    lines: tuple[LineCount, ...] = ()


@dataclass(frozen=True)
class Figure:
    """One metric and what it found, or why it could not."""

    metric: Metric
    found: Finding | Missing


@dataclass(frozen=True)
class Section:
    """Figures that answer one question, in display order."""

    id: str  # ASCII, for links: "talk"
    title: Text
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Report:
    """Everything a page or document says. Equal reports render to equal bytes."""

    totals: Totals
    sources: tuple[SourceCount, ...]
    facts: Facts
    sections: tuple[Section, ...]
    version: str  # of Qunluo

    @property
    def zone(self) -> str:
        return self.facts.zone

    def figures(self) -> Iterator[Figure]:
        """All figures in display order."""
        for section in self.sections:
            yield from section.figures

    def found(self, metric_id: str) -> Finding | None:
        """What one metric found; None where it is missing or not in the report."""
        for figure in self.figures():
            if figure.metric.id == metric_id and isinstance(figure.found, Finding):
                return figure.found
        return None
