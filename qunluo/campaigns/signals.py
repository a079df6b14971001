"""What speaks against a friend who counts, and how much. Pure: facts in, signals out.

None of these decides anything: together they bring a friend to where a person looks. A rule that
refuses at once (nobody invites themselves, everybody counts once, who left does not count, no
more than a limit) is part of a campaign model, and needs no evidence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from qunluo.kit.text import Text

VERSION = 1  # of these rules; with every piece of evidence
ASK_AT = 40  # from this score on a person looks at it
BURST, BURST_SPAN = 100, timedelta(seconds=60)  # more helps than that, in that time
DORMANT_DAYS = 7

WEIGHTS: Mapping[str, int] = {
    "same_device": 60, "same_payer": 60, "burst": 50, "same_address": 40, "rejoin": 20,
    "closed_loop": 20, "dormant": 20, "same_block": 10,
}  # fmt: skip
# fmt: off
WORDS: Mapping[str, Text] = {
    "same_device": Text("the same browser as who gains by it", "与受益人使用同一浏览器"),
    "same_payer": Text("paid from the same account as who gains by it", "与受益人使用同一付款账户"),
    "same_address": Text("orders go to the same address", "与受益人收货地址相同"),
    "same_block": Text("from the same part of the network", "与受益人网络地址段相同"),
    "burst": Text("one of {helps} within {seconds} seconds", "{seconds} 秒内 {helps} 次中的一次"),
    "closed_loop": Text("they help each other in a circle of {length}", "{length} 人互相助力形成闭环"),
    "dormant": Text("has done nothing in {days} days since", "加入后 {days} 天没有任何动静"),
    "rejoin": Text("had left before, {times} times", "曾退出 {times} 次后重新加入"),
}
# fmt: on


@dataclass(frozen=True)
class Facts:
    """What is known of one friend who counts for one member."""

    shared: Collection[str] = ()  # kinds of marks that both have
    burst: int = 0  # how many came within the span
    loop: int = 0  # the length of the circle, 0: none
    left: int = 0  # how often they had left a group of the community before
    dormant_days: int = 0  # without a trace of them


@dataclass(frozen=True)
class Signal:
    kind: str
    score: int
    facts: Mapping[str, Any] = field(default_factory=dict)

    def words(self) -> Text:
        return words_of(self.kind, self.facts)


def words_of(kind: str, facts: Mapping[str, Any]) -> Text:
    """A signal as a sentence; also of facts that were erased since."""
    blank = {"helps": "?", "seconds": "?", "length": "?", "days": "?", "times": "?"}
    found = WORDS.get(kind)
    return found.format(**{**blank, **facts}) if found else Text(kind, kind)


def judge(facts: Facts) -> list[Signal]:
    """The signals that facts amount to, the heaviest first."""
    found = [_signal(f"same_{kind}") for kind in facts.shared]
    if facts.burst > BURST:
        seconds = int(BURST_SPAN.total_seconds())
        found.append(_signal("burst", helps=facts.burst, seconds=seconds))
    if facts.loop:
        found.append(_signal("closed_loop", length=facts.loop))
    if facts.left:
        found.append(_signal("rejoin", times=facts.left))
    if facts.dormant_days >= DORMANT_DAYS:
        found.append(_signal("dormant", days=facts.dormant_days))
    return sorted(found, key=lambda signal: (-signal.score, signal.kind))


def _signal(kind: str, **facts: Any) -> Signal:
    return Signal(kind, WEIGHTS[kind], facts)


def list_bursts(times: Sequence[datetime]) -> list[int]:
    """Of helps in ascending order: in how large a crowd each came, the largest within the span
    that it is part of."""
    sizes = [0] * len(times)
    for first in range(len(times)):
        behind = bisect_right(times, times[first] + BURST_SPAN)
        if behind - first > BURST:
            for place in range(first, behind):
                sizes[place] = max(sizes[place], behind - first)
    return sizes


def find_loop(
    helped: Mapping[int, Collection[int]], one: int, other: int, most: int = 3
) -> int:
    """The length of the shortest circle through `one` helping `other`, by who helped whom;
    0 where there is none up to `most`."""
    if one in helped.get(other, ()):
        return 2
    if most >= 3 and any(one in helped.get(third, ()) for third in helped.get(other, ())):
        return 3
    return 0
