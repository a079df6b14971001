"""irssi logs: `HH:MM <nick> text`, the date in lines of its own (`--- Day changed …`)."""

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

_EVENTS = [
    (r"(?P<subject>\S+) \[[^]]*\] has joined \S+$", "join", "has joined"),
    (r"(?P<subject>\S+) \[[^]]*\] has left \S+(?: \[(?P<text>.*)\])?$", "leave", "has left"),
    (r"(?P<subject>\S+) \[[^]]*\] has quit(?: \[(?P<text>.*)\])?$", "leave", "has quit"),
    (
        r"(?P<subject>\S+) was kicked from \S+ by (?P<actor>\S+)(?: \[(?P<text>.*)\])?$",
        "remove",
        "kick",
    ),
    (r"(?P<subject>\S+) is now known as (?P<new>\S+)$", "rename", "nick"),
    (r"(?:Server)?[mM]ode/\S+ \[(?P<text>.*)\] by (?P<actor>\S+)$", "notice", "mode"),
    (r"(?P<actor>\S+) changed the topic of \S+ to: (?P<text>.*)$", "notice", "topic"),
]
IRSSI = Dialect(
    line=re.compile(
        rf"{HOUR}{TICK}() +(?:<[ @+%&~!*]?([^>]+)>(?: (.*))?|\* (\S+)(?: (.*))?|-!- (.*))$",
        re.S,
    ),
    events=tuple((re.compile(text, re.S), kind, raw) for text, kind, raw in _EVENTS),
    header=re.compile(
        r"--- .*?(?P<month>[^\s\d]+|\d+月) +(?P<day>\d{1,2})(?: [\d:]+)?,? (?P<year>\d{4})$"
    ),
)


class Irssi:
    """One log of one channel, running over days."""

    name = "irssi"
    label = Text("IRC log (irssi)", "IRC 日志（irssi）")
    lacks = LACKS | {"zone"}

    def sniff(self, head: bytes, source: Source) -> float:
        return likelihood(head, IRSSI)

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        return read_log(source, options, IRSSI)
