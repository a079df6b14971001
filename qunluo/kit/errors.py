"""One family of errors: a code for programs, a sentence for people."""

from __future__ import annotations

from typing import Any, ClassVar

from qunluo.kit.text import Text


class QunluoError(Exception):
    """Something a person can put right; subclasses say what happened and what to do next.

    `code` is stable and for programs; `sentence` is a `Text` with `{placeholders}` that
    `data` fills. Only the outer rooms (cli, console) turn it into a status or a line.
    """

    code: ClassVar[str] = "error"
    sentence: ClassVar[Text] = Text("Something went wrong.", "出错了。")

    def __init__(self, **data: Any) -> None:
        self.data = data
        super().__init__(self.message("en"))

    def message(self, lang: str) -> str:
        """The sentence in `lang`, with its data filled in."""
        return self.sentence.format(**self.data)(lang)
