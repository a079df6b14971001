"""The report: what all figures found, as one self-contained page and as one JSON document."""

from qunluo.insight.report.document import FORMAT_VERSION, render_json
from qunluo.insight.report.model import (
    Figure,
    LineCount,
    Report,
    Section,
    SourceCount,
    Totals,
)
from qunluo.insight.report.page import render_html
from qunluo.insight.report.verdict import best_moves, verdict

__all__ = [
    "FORMAT_VERSION",
    "Figure",
    "LineCount",
    "Report",
    "Section",
    "SourceCount",
    "Totals",
    "best_moves",
    "render_html",
    "render_json",
    "verdict",
]
