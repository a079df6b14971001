"""What the log says of a failure: what kind and where, never the words of an exception.

A database puts the row it refused into them, and a row is somebody's name, phone or message.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any


class WhereOnly(logging.Formatter):
    """Writes each exception as its kind and the lines of code it passed."""

    def format(self, record: logging.LogRecord) -> str:
        kept, record.exc_text = record.exc_text, None  # another formatter's, with the words
        try:
            return super().format(record)
        finally:
            record.exc_text = kept

    def formatException(  # noqa: N802 - the library's name
        self,
        ei: tuple[Any, BaseException | None, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        return "".join(_tell(error) for error in _chain(ei[1])).rstrip("\n")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and those that led to it, the first cause first."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return reversed(found)


def _tell(error: BaseException) -> str:
    kind = type(error)
    places = "".join(traceback.format_tb(error.__traceback__))
    return f"{kind.__module__}.{kind.__qualname__}\n{places}"
