"""How a parameter of a mechanic is declared: its limits, and the words of the form it is set in."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from qunluo.kit.text import Text


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
