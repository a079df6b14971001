"""The report as one self-contained HTML file: no request leaves it, no name can break it.

Everything a reader sees is in the file: styles, the chart library, the data. A policy inside
the page forbids all requests and every script but the two that are hashed there.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from qunluo.insight.report import palette
from qunluo.insight.report.masks import Masks, masks_of
from qunluo.insight.report.model import Report, Totals
from qunluo.insight.report.numbers import exact, human, when
from qunluo.insight.report.verdict import best_moves, days_covered, verdict
from qunluo.insight.report.views import ROWS_AT_FIRST, Views, rows_word
from qunluo.insight.report.words import WORDS
from qunluo.kit.text import Text

MAX_BYTES = 2_900_000
"""A report stays under 3 MB; tables give way first."""

ROW_LIMITS = (200, 60, 20, 8)

_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}

_SCRIPT_WORDS = ("show_all", "show_less", "no_match", "few", "sample_size", "interval")


def render_html(report: Report, lang: str, anonymous: bool = False) -> str:
    """The page in `lang` ("en" or "zh"), under 3 MB, the same bytes for the same report.

    With `anonymous`, members, groups and files are numbered and quotations left out.
    """
    masks = masks_of(report, anonymous)
    for limit in ROW_LIMITS:
        page = _render(report, lang, masks, limit)
        if len(page.encode("utf-8")) <= MAX_BYTES:
            break
    return page


def safe_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in, nor start another."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_UNSAFE)


def _render(report: Report, lang: str, masks: Masks, max_rows: int) -> str:
    views = Views(masks, lang, max_rows)
    sections = views.sections(report)
    return _template().render(
        lang="zh-CN" if lang.startswith("zh") else "en",
        w={name: word(lang) for name, word in WORDS.items()},
        report=report,
        title=_title(report.totals, lang),
        period=_period(report.totals, lang),
        masked=masks.hidden,
        verdict=verdict(report)(lang),
        tiles=_tiles(report.totals, lang),
        moves=best_moves(report),
        sections=sections,
        sources=_sources(report, masks, lang),
        line_columns=_line_columns(report.totals),
        human=lambda value: human(value, lang),
        exact=exact,
        rows_word=lambda count: rows_word(count)(lang),
        tongue=lang,
        at_first=ROWS_AT_FIRST,
        data=Markup(safe_json(_data(views, lang))),  # noqa: S704 – escaped there
        assets=_assets(),
    )


def _data(views: Views, lang: str) -> dict[str, Any]:
    return {
        "lang": "zh" if lang.startswith("zh") else "en",
        "words": {name: WORDS[name](lang) for name in _SCRIPT_WORDS},
        "light": palette.hexes("light"),
        "dark": palette.hexes("dark"),
        "atFirst": ROWS_AT_FIRST,
        "charts": views.payloads,
    }


def _title(totals: Totals, lang: str) -> str:
    period = _period(totals, lang)
    return f"{WORDS['title'](lang)} · {period}" if period else WORDS["title"](lang)


def _period(totals: Totals, lang: str) -> str:
    if not totals.first_at or not totals.last_at:
        return ""
    first, last = when(totals.first_at[:10], lang), when(totals.last_at[:10], lang)
    return first if first == last else f"{first} – {last}"


def _tiles(totals: Totals, lang: str) -> list[tuple[str, str, str]]:
    """Number, exact number, what it counts; events only where the format carries them, and
    nothing of an archive without messages."""
    if not totals.messages:
        return []
    counts = {
        "messages": totals.messages,
        "speakers": totals.speakers,
        "groups": totals.groups,
        "days": days_covered(totals),
    }
    if totals.joins or totals.leaves:
        counts |= {"joins": totals.joins, "leaves": totals.leaves}
    return [(human(n, lang), exact(n), _counted(word, n)(lang)) for word, n in counts.items()]


def _counted(word: str, count: int) -> Text:
    return WORDS[f"{word}_1" if count == 1 else word]


def _sources(report: Report, masks: Masks, lang: str) -> list[tuple[str, str, tuple[int, ...]]]:
    ordered = sorted(report.sources, key=lambda s: (s.name, s.format.en, s.messages))
    return [
        (masks.file(s.name, i)(lang), s.format(lang), (s.messages, s.events, s.rejects))
        for i, s in enumerate(ordered, 1)
    ]


def _line_columns(totals: Totals) -> list[tuple[str, str]]:
    """Word and field of each part of the line accounting that any format has."""
    parts = {
        "lines": "lines",
        "count_messages": "messages",
        "events": "events",
        "rejects": "rejects",
        "continuation": "continuation",
        "header": "header",
        "blank": "blank",
    }
    needed = ("lines", "messages", "rejects")
    return [
        (word, name)
        for word, name in parts.items()
        if name in needed or any(getattr(line, name) for line in totals.lines)
    ]


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: _text(f"templates/{name}")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


@cache
def _assets() -> Mapping[str, Any]:
    """Styles and scripts, ready to stand in the page, and the policy that allows only them."""
    scripts = [_text("vendor/echarts.common.min.js"), _text("templates/report.js")]
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return {
        "style": Markup(palette.stylesheet() + _text("templates/report.css")),  # noqa: S704 – ours
        "scripts": [Markup(script) for script in scripts],  # noqa: S704 – ours
        "policy": f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src {allowed}; base-uri 'none'; form-action 'none'",
    }


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _text(name: str) -> str:
    return files("qunluo.insight.report").joinpath(name).read_text("utf-8")
