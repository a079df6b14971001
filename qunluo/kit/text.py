"""Words that exist in every language of the interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, ...] = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in English and Chinese: `Text("Join", "入群")("zh") == "入群"`."""

    do_not_call_in_templates: ClassVar[bool] = True  # a page asks with the language it has

    en: str
    zh: str

    def __call__(self, lang: str) -> str:
        return self.zh if lang.startswith("zh") else self.en

    def format(self, **data: Any) -> Text:
        """Both languages with `{placeholders}` filled; a `Text` value is filled in its own tongue."""
        return Text(*(self(lang).format(**_in(lang, data)) for lang in LANGS))


def _in(lang: Lang, data: dict[str, Any]) -> dict[str, Any]:
    return {k: v(lang) if isinstance(v, Text) else v for k, v in data.items()}
