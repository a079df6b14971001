"""The records of a JSON export, counted: what can't be read becomes a reject."""

from __future__ import annotations

import json
from collections.abc import Iterator

from qunluo.archive.importers.base import Rows
from qunluo.archive.importers.json_stream import Broken, Json, JsonStream

NO_TIME = "no time can be read in this record"
NO_SENDER = "this record names no sender"


class Records:
    """Walks arrays of one stream; `number` is that of the record at hand, from 1."""

    def __init__(self, stream: JsonStream, rows: Rows) -> None:
        self.stream, self._rows = stream, rows
        self.number = 0
        self._rejected: Broken | None = None

    def of_array(self) -> Iterator[Json]:
        """The objects of the array at the cursor; what is none is rejected."""
        for found in self.stream.records():
            self._count()
            if isinstance(found, Broken):
                self._rejected = found
                self._rows.reject(self.number, found.reason, found.content)
            else:
                yield found

    def reject(self, reason: str, found: Json) -> None:
        """Set aside the record at hand."""
        self._rows.reject(self.number, reason, json.dumps(found, ensure_ascii=False)[:500])

    def finish(self) -> None:
        """Where the document broke off between its records, say so by a last reject."""
        broken = self.stream.broken
        if broken and broken is not self._rejected:
            self._count()
            self._rows.reject(self.number, broken.reason, broken.content)

    def _count(self) -> None:
        self.number += 1
        self._rows.tally.lines += 1
