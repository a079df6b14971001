"""WeeChat logs: date and time, nick and text, separated by tabs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qunluo.archive.importers.base import Batch, Options, Source
from qunluo.archive.importers.irc_lines import (
    HOUR,
    LACKS,
    TICK,
    Dialect,
    likelihood,
    read_log,
)
from qunluo.kit.text import Text

_WHO = r"(?P<subject>\S+)(?: \[.*?\])? \(\S*\)"
_EVENTS = [
    (_WHO + r" has joined \S+$", "join", "has joined"),
    (_WHO + r" has left \S+(?: \((?P<text>.*)\))?$", "leave", "has left"),
    (_WHO + r" has quit(?: \((?P<text>.*)\))?$", "leave", "has quit"),
    (
        r"(?P<actor>\S+) has kicked (?P<subject>\S+)(?: \((?P<text>.*)\))?$",
        "remove",
        "kick",
    ),
    (r"(?P<subject>\S+) is now known as (?P<new>\S+)$", "rename", "nick"),
    (r"Mode \S+ \[(?P<text>.*)\] by (?P<actor>\S+)$", "notice", "mode"),
    (r"(?P<actor>\S+) has changed topic for \S+ (?P<text>.*)$", "notice", "topic"),
]
_MARK = r"(?:-->|<--|--|=!=)\t"
WEECHAT = Dialect(
    line=re.compile(
        rf"{HOUR}{TICK}()\t(?:(?!{_MARK}| ?\*\t)[@+%&~!]?([^\t]+)\t(.*)"
        rf"| ?\*\t(\S+)(?: (.*))?|{_MARK}(.*))$",
        re.S,
    ),
    events=tuple((re.compile(text, re.S), kind, raw) for text, kind, raw in _EVENTS),
)


class Weechat:
    """One log of one channel."""

    name = "weechat"
    label = Text("IRC log (WeeChat)", "IRC 日志（WeeChat）")
    lacks = LACKS | {"zone"}

    def sniff(self, head: bytes, source: Source) -> float:
        return likelihood(head, WEECHAT)

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        return read_log(source, options, WEECHAT)
