"""WhatsApp's own export: `_chat.txt` or `WhatsApp Chat with ….txt`, from Android or iPhone.

The file states neither zone nor ids nor replies. Senders are what the exporter's contacts call
them, or phone numbers, so two exporters of one group may name the same person differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from qunluo.archive.importers.base import Batch, Options, Source
from qunluo.archive.importers.whatsapp.blocks import head_lines
from qunluo.archive.importers.whatsapp.reading import Reading, all_rejected
from qunluo.archive.importers.whatsapp.stamps import style_of
from qunluo.archive.importers.whatsapp.survey import survey
from qunluo.kit.text import Text

LATER_PART = 0.6


class WhatsApp:
    """Reads WhatsApp's text exports."""

    name = "whatsapp"
    label = Text("WhatsApp chat export", "WhatsApp 聊天导出")
    lacks = frozenset({"ids", "replies", "reactions", "zone", "edits", "roster", "threads"})

    def sniff(self, head: bytes, source: Source) -> float:
        """Sure if the first line is a header and several lines have a header and a name; sure
        enough if half of the lines have."""
        lines = [line[:200] for line in head_lines(head)[:200]]
        style = style_of(lines)
        if style is None:
            return 0.0
        pattern = re.compile(style.pattern())
        rests = [line[found.end() :] for line in lines if (found := pattern.match(line))]
        named = sum(1 for rest in rests if ": " in rest or rest.endswith(":"))
        filled = next((line for line in lines if line.strip()), "")
        sure = min(0.95, 0.6 + 0.15 * len(rests))
        if named and pattern.match(filled):
            return sure
        # the later part of a chat that somebody cut in two may begin inside a message
        return LATER_PART if named >= 5 and 2 * named >= len(lines) else sure / 3

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        """All rows of the file. Raises `AmbiguousDatesError` where dates can't be decided."""
        found = survey(source, options)
        if found is None:
            yield from all_rejected(source)
        else:
            yield from Reading(source, options, found).batches()
