"""IRC logs whose lines begin `[HH:MM]`: Raku-log, Ubuntu and ZNC style."""

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

_RAKU = [
    (r"(?P<subject>\S+) joined$", "join", "joined"),
    (r"(?P<subject>\S+) left$", "leave", "left"),
]
_ZNC = [
    (r"Joins: (?P<subject>\S+)(?: \(.*\))?$", "join", "Joins"),
    (r"Parts: (?P<subject>\S+)(?: \(\S*\))?(?: \((?P<text>.*)\))?$", "leave", "Parts"),
    (r"Quits: (?P<subject>\S+)(?: \(\S*\))?(?: \((?P<text>.*)\))?$", "leave", "Quits"),
]
_UBUNTU = [  # a nick with a space in it is a damaged one: whose join that was can't be told
    (r"(?P<subject>\S+) \[[^]]*\] has joined \S+$", "join", "has joined"),
    (
        r"(?P<subject>\S+) \[[^]]*\] has left \S+(?: \[(?P<text>.*?)\]? ?)?$",
        "leave",
        "has left",
    ),
    (r"(?P<subject>\S+) \[[^]]*\] has quit\b", "leave", "has quit"),
]
_COMMON = [
    (r"(?P<subject>\S+) is now known as (?P<new>\S+)", "rename", "nick"),
    (
        r"(?P<subject>\S+) was kicked (?:off \S+ )?by (?P<actor>\S+)(?: \((?P<text>.*)\))?$",
        "remove",
        "kick",
    ),
    (r"(?P<actor>\S+) sets mode: (?P<text>.*)$", "notice", "mode"),
    (r"(?P<actor>\S+) \[(?P<text>[-+]\S.*)\] +by \S+$", "notice", "mode"),
    (r"(?P<actor>\S+) changes topic to:? (?P<text>.*)$", "notice", "topic"),
]
BRACKETED = Dialect(
    line=re.compile(
        rf"\[{HOUR}{TICK}\]() +(?:<([^>]+)>(?: (.*))?|\* (\S+)(?: (.*))?|\*\*\* (.*))$", re.S
    ),
    events=tuple(
        (re.compile(pattern, re.S), kind, raw)
        for pattern, kind, raw in (*_RAKU, *_UBUNTU, *_ZNC, *_COMMON)
    ),
    undated=re.compile(r"=== (\S.*)$", re.S),
)


class BracketedIrc:
    """One log of one channel, often one day. Minute resolution in most of them."""

    name = "irc"
    label = Text("IRC log ([HH:MM] <nick> text)", "IRC 日志（[HH:MM] <昵称> 文本）")
    lacks = LACKS | {"zone"}

    def sniff(self, head: bytes, source: Source) -> float:
        return likelihood(head, BRACKETED)

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        return read_log(source, options, BRACKETED)
