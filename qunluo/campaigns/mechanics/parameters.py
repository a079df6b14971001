"""How a parameter of a mechanic is declared: its limits, the words of its form, what is wrong
with it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from qunluo.campaigns.mechanics.kernel import Finding
from qunluo.kit.text import Text

Name = Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True)]


def parameter(
    title: Text, gist: Text, unit: str = "", *, default: Any = ..., **limits: Any
) -> Any:
    """A field of rules. `unit` tells the form how the number is written: `cent` as money,
    `minute` as a span, `member`, `piece`, `percent`, `time`; limits are pydantic's (`ge`, `le`, …).
    """
    words: dict[str, Any] = {
        "zh": gist.zh,
        "title_en": title.en,
        "title_zh": title.zh,
        "unit": unit,
    }
    return Field(
        default, title=title.en, description=gist.en, json_schema_extra=words, **limits
    )


def error(field: str, code: str, en: str, zh: str) -> Finding:
    """What must be changed in a field before these rules are published."""
    return Finding("error", code, Text(en, zh), field)


def warning(field: str, code: str, en: str, zh: str) -> Finding:
    """What needs a reason before these rules are published."""
    return Finding("warning", code, Text(en, zh), field)


def findings(*checks: tuple[object, Finding]) -> list[Finding]:
    """What was found of all that was looked for."""
    return [finding for found, finding in checks if found]
