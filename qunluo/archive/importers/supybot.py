"""Logs of the bots Supybot and Limnoria: `2012-10-17T09:16:51+0000  <nick> text`.

The zone may be missing, and some archives of such logs went through half an HTML escape
(`<joao&gt; text`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from qunluo.archive.importers.base import Batch, Options, Source
from qunluo.archive.importers.irc_lines import LACKS, TICK, Dialect, likelihood, read_log
from qunluo.archive.importers.lines import Block
from qunluo.kit.text import Text

_WHO = r"(?P<subject>\S+)(?: <\S*>)?"
_EVENTS = [
    (_WHO + r" has joined \S+$", "join", "has joined"),
    (_WHO + r" has left \S+(?: \((?P<text>.*)\))?$", "leave", "has left"),
    (_WHO + r" has quit(?: IRC)?(?: \((?P<text>.*)\))?$", "leave", "has quit"),
    (
        r"(?P<subject>\S+) was kicked by (?P<actor>\S+)(?: \((?P<text>.*)\))?$",
        "remove",
        "kick",
    ),
    (r"(?P<subject>\S+) is now known as (?P<new>\S+)$", "rename", "nick"),
    (r"(?P<actor>\S+) sets mode: (?P<text>.*)$", "notice", "mode"),
    (r"(?P<actor>\S+) changes topic to (?P<text>.*)$", "notice", "topic"),
]
_ESCAPED = re.compile(r"\S+ +(?:&lt;|<)[^>&\s]+&gt;")


def _unescape(block: Block) -> Block:
    """Lines whose nick ends in `&gt;` were escaped as a whole."""
    if "&gt;" not in block.text:
        return block
    lines = [html.unescape(text) if _ESCAPED.match(text) else text for text in block.lines]
    return block._replace(lines=[line.replace("\x00", "") for line in lines])


SUPYBOT = Dialect(
    line=re.compile(
        rf"(\d{{4}}-\d\d-\d\dT(?:[01]\d|2[0-3])){TICK}((?:[+-]\d\d:?\d\d|Z)?) +"
        r"(?:<([^>]+)>(?: (.*))?|\* (\S+)(?: (.*))?|\*\*\* (.*))$",
        re.S,
    ),
    events=tuple((re.compile(text, re.S), kind, raw) for text, kind, raw in _EVENTS),
    mend=_unescape,
)


class Supybot:
    """One log of one channel."""

    name = "supybot"
    label = Text("IRC log (Supybot, Limnoria)", "IRC 日志（Supybot、Limnoria）")
    lacks = LACKS

    def sniff(self, head: bytes, source: Source) -> float:
        mended = b"\n".join(html.unescape(line).encode("utf-8", "replace")
                            for line in head.decode("utf-8", "replace").split("\n"))  # fmt: skip
        return likelihood(mended, SUPYBOT)

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        return read_log(source, options, SUPYBOT)
