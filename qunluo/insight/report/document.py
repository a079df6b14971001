"""The report as JSON for programs: the same bytes for the same archive (docs/reference)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from qunluo.insight.figures import Finding, GroupName, Metric, Missing, Person, Quote, Table
from qunluo.insight.needs import NEED_WORDS
from qunluo.insight.report.masks import Masks, masks_of
from qunluo.insight.report.model import Figure, Report, SourceCount, Totals
from qunluo.insight.report.numbers import significant
from qunluo.insight.report.verdict import best_moves, verdict
from qunluo.kit.text import Text

FORMAT_VERSION = 1
DIGITS = 12
"""Significant digits of a fraction: fewer than a double holds, so that the order in which
cores add up does not show."""

Json = dict[str, Any]


def render_json(report: Report, anonymous: bool = False) -> str:
    """The whole report as one JSON document: keys sorted, no clock, no NaN, ends in a newline."""
    masks = masks_of(report, anonymous)
    document = {
        "format_version": FORMAT_VERSION,
        "software": {"name": "qunluo", "version": report.version},
        "zone": report.zone,
        "anonymous": anonymous,
        "totals": _totals(report.totals),
        "sources": _sources(report.sources, masks),
        "verdict": _text(verdict(report)),
        "moves": _moves(report),
        "sections": _sections(report),
        "figures": {f.metric.id: _figure(f, masks) for f in report.figures()},
    }
    return (
        json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
        + "\n"
    )


def plain(value: Any, masks: Masks) -> Any:
    """Any value of a finding as JSON: names masked, fractions rounded, NaN and inf null."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float | np.generic):
        return _number(value.item() if isinstance(value, np.generic) else value, masks)
    if isinstance(value, Mapping):
        return {_key(k): plain(v, masks) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item, masks) for item in value]
    if isinstance(value, set | frozenset):
        return [plain(item, masks) for item in sorted(value)]
    return _named(value, masks)


def _named(value: Any, masks: Masks) -> Any:
    match value:
        case Text():
            return _text(value)
        case Person():
            return {"person": masks.person(value).en} | _id(value.key, masks)
        case GroupName():
            return {"group": masks.group(value).en} | _id(value.key, masks)
        case Quote():
            return {"quote": None if masks.hidden else value.text, "at": masks.at(value)}
        case date():
            return value.isoformat()
    raise TypeError(f"a finding holds a {type(value).__name__}, which JSON can't say")


def _id(key: int, masks: Masks) -> Json:
    """Keys are hashes of platform ids, which a guesser could try: never in a masked copy."""
    return {} if masks.hidden else {"key": str(key)}


def _number(value: Any, masks: Masks) -> Any:
    if not isinstance(value, float):
        return plain(value, masks)
    return significant(value, DIGITS) if math.isfinite(value) else None


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(key)


def _text(text: Text) -> Json:
    return {"en": text.en, "zh": text.zh}


def _totals(totals: Totals) -> Json:
    counts = {name: value for name, value in vars(totals).items() if name != "lines"}
    lines = [vars(line) | {"format": _text(line.format)} for line in totals.lines]
    return counts | {"lines": sorted(lines, key=lambda line: str(line["format"]["en"]))}


def _sources(sources: tuple[SourceCount, ...], masks: Masks) -> list[Json]:
    ordered = sorted(sources, key=lambda s: (s.name, s.format.en, s.messages))
    return [
        vars(s) | {"name": masks.file(s.name, i).en, "format": _text(s.format)}
        for i, s in enumerate(ordered, 1)
    ]


def _moves(report: Report) -> list[Json]:
    return [
        {
            "text": _text(ranked.move.text),
            "weight": significant(ranked.move.weight, DIGITS),
            "figure": ranked.figure.metric.id,
        }
        for ranked in best_moves(report)
    ]


def _sections(report: Report) -> list[Json]:
    return [
        {"id": s.id, "title": _text(s.title), "figures": [f.metric.id for f in s.figures]}
        for s in report.sections
    ]


def _figure(figure: Figure, masks: Masks) -> Json:
    found = figure.found
    body = _missing(found) if isinstance(found, Missing) else _finding(found, masks)
    return _declaration(figure.metric) | body


def _declaration(metric: Metric) -> Json:
    return {
        "name": _text(metric.name),
        "unit": _text(metric.unit),
        "window": _text(metric.window),
        "definition": _text(metric.definition),
        "reference": _text(metric.reference) if metric.reference else None,
        "needs": list(metric.needs),
        "one_of": list(metric.one_of),
    }


def _finding(found: Finding, masks: Masks) -> Json:
    return {
        "n": int(found.n),
        "value": plain(found.value, masks),
        "interval": plain(found.interval, masks),
        "sentence": _text(found.sentence),
        "notes": [_text(note) for note in found.notes],
        "tables": [_table(table, masks) for table in found.tables],
        "missing": None,
    }


def _missing(missing: Missing) -> Json:
    enable = [{"need": need, "text": _text(NEED_WORDS[need])} for need in missing.needs]
    return {
        "n": 0,
        "value": None,
        "interval": None,
        "sentence": _text(missing.sentence),
        "notes": [],
        "tables": [],
        "missing": {"needs": list(missing.needs), "enable": enable},
    }


def _table(table: Table, masks: Masks) -> Json:
    return {
        "title": _text(table.title),
        "columns": [_text(column) for column in table.columns],
        "rows": [[_cell(cell, masks) for cell in row] for row in table.rows],
        "percent": sorted(table.percent),
        "more": table.more,
    }


def _cell(cell: Any, masks: Masks) -> Any:
    return masks.label(cell).en if isinstance(cell, str) else plain(cell, masks)
