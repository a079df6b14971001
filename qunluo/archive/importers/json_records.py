"""The records of a JSON export, counted: what can't be read becomes a reject."""

from __future__ import annotations

import json
from collections.abc import Iterator

from qunluo.archive.importers.base import Rows
from qunluo.archive.importers.json_stream import Broken, Json, JsonStream
from qunluo.kit.text import Text

NO_TIME = "no time can be read in this record"
NO_SENDER = "this record names no sender"
BROKE_OFF = Text(
    "The file breaks off after record {number}: what came after is not in the report. Export "
    "the chat again if you can.",
    "文件在第 {number} 条记录之后中断，其后的内容未计入报告。如有可能，请重新导出聊天记录。",
)


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
        """Where the document broke off, say so; between its records by a last reject, too."""
        broken = self.stream.broken
        if broken:
            self._rows.warnings.append(BROKE_OFF.format(number=self.number))
        if broken and broken is not self._rejected:
            self._count()
            self._rows.reject(self.number, broken.reason, broken.content)

    def _count(self) -> None:
        self.number += 1
        self._rows.tally.lines += 1
