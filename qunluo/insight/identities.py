"""Which accounts are one person: only with evidence, and every joining can be shown.

Names change (`kite61`, `kite61_`, `kite|away`), people write through a bridge, and bots look
like members. Where evidence is thin the accounts stay apart and are listed as possible.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Sureness = Literal["joined", "possible"]
Reason = Literal["same_stem", "changed_often", "changed_once", "too_many", "shared_name"]

OFTEN = 2  # changes between two names that are evidence by themselves
MOST_NAMES = 8  # of one person: longer chains are names that several people used
STEM_CHARS = 3

_TAIL = re.compile(
    r"(?:[|\[\]{}`^]+\w*|[_\-]+(?:away|afk|zzz\w*|work|home|laptop|phone|mobile|irc)?"
    r"|(?:_|-|\||\b)(?:away|afk)|\d+)$"
)
_SHARED = re.compile(r"(?:guest|user|unknown|anon\w*|nobody|webchat|web|mib|new)[\W_]*\w{0,6}")
_BOT = re.compile(
    r"(?:bot|robot)[\d_\-|`^]*$|^(?:u?bot)(?:[\d_\-]|$)|\[bot\]|\bbot\b|机器人|小助手$|助理机器",
    re.IGNORECASE,
)
BRIDGED = r"^[^<\w]{0,6}<[@+%~&]?([^<>\s]{1,32})>"
"""RE2 of a message that a bridge carries over for somebody: `<ann> hello`."""


def stem(name: str) -> str:
    """The name without marks of a second session: case, trailing `_`, `|away`, digits.

    >>> stem("Kite61_"), stem("kite|away"), stem("kite-afk")
    ('kite', 'kite', 'kite')
    """
    whole = left = name.casefold().strip()
    for _ in range(6):
        shorter = _TAIL.sub("", left)
        if shorter == left or len(shorter) < STEM_CHARS:
            return left
        left = shorter
    return left or whole


def looks_like_bot(name: str) -> bool:
    """The name says so: ends in “bot”, or 机器人."""
    return bool(_BOT.search(name))


@dataclass(frozen=True)
class Change:
    """An account took another account's name `n` times, `first_on` to `last_on` (ISO days)."""

    old: int
    new: int
    n: int
    first_on: str
    last_on: str


@dataclass(frozen=True)
class Link:
    """Two accounts (low key first) that may be one person, and why (not)."""

    a: int
    b: int
    n: int  # changes in either direction
    sure: Sureness
    reason: Reason


def links(changes: Iterable[Change], names: Mapping[int, str]) -> list[Link]:
    """One link a pair of accounts, sorted by keys.

    Joined: both names have the same stem, or were exchanged at least OFTEN times. Possible
    only: exchanged once with different stems, a name that anybody gets (guest), or a chain
    of more than MOST_NAMES accounts, which several people must have used.
    """
    totals: dict[tuple[int, int], int] = defaultdict(int)
    for change in changes:
        if change.old != change.new:
            totals[min(change.old, change.new), max(change.old, change.new)] += change.n
    found = [_link(a, b, n, names) for (a, b), n in sorted(totals.items())]
    return _without_crowds(found)


def _link(a: int, b: int, n: int, names: Mapping[int, str]) -> Link:
    first, second = names.get(a, ""), names.get(b, "")
    if _SHARED.fullmatch(first.casefold()) or _SHARED.fullmatch(second.casefold()):
        return Link(a, b, n, "possible", "shared_name")
    if stem(first) == stem(second):
        return Link(a, b, n, "joined", "same_stem")
    if n >= OFTEN:
        return Link(a, b, n, "joined", "changed_often")
    return Link(a, b, n, "possible", "changed_once")


def _without_crowds(found: list[Link]) -> list[Link]:
    """Chains that grew too long keep only the links of equal stems."""
    person = persons(found)
    size: dict[int, int] = defaultdict(int)
    for who in person.values():
        size[who] += 1
    return [
        Link(k.a, k.b, k.n, "possible", "too_many")
        if k.sure == "joined" and k.reason != "same_stem" and size[person[k.a]] > MOST_NAMES
        else k
        for k in found
    ]


def persons(found: Iterable[Link]) -> dict[int, int]:
    """Account → person (its smallest account key), for accounts in joined links only."""
    above: dict[int, int] = {}

    def top(key: int) -> int:
        above.setdefault(key, key)
        while above[key] != key:
            above[key] = above[above[key]]
            key = above[key]
        return key

    for link in found:
        if link.sure == "joined":
            low, high = sorted((top(link.a), top(link.b)))
            above[high] = low
    return {key: top(key) for key in sorted(above)}


@dataclass(frozen=True)
class Carried:
    """Messages that an account wrote in the name of `name` (`<name> …`)."""

    bridge: int
    name: str
    n: int


def bridged(carried: Iterable[Carried], written: Mapping[int, int]) -> list[Carried]:
    """What real bridges carried: at least 20 such messages, most of what the account wrote,
    for at least two people; sorted by bridge, then the most carried."""
    by_bridge: dict[int, list[Carried]] = defaultdict(list)
    for one in carried:
        by_bridge[one.bridge].append(one)
    found = []
    for bridge, people in sorted(by_bridge.items()):
        total = sum(one.n for one in people)
        if total >= 20 and len(people) >= 2 and 2 * total >= written.get(bridge, total):
            found += sorted(people, key=lambda one: (-one.n, one.name))
    return found
