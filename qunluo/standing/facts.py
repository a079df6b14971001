"""What a member did, in sums per local day. Pure.

Days are ordinals (`date.toordinal`): whole numbers count and compare fast.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

Days = dict[int, int]  # day → how often

INTO = ("joined", "restored")  # one more group
OUT_OF = ("left", "removed", "closed")  # one less
ITEMS = ("read", "watched", "attended")
ACTIVE = (
    "said", "reacted", "joined", "restored", "nicknamed", "contacted", *ITEMS, "checked_in",
    "paid", "testified", "wish_adopted", "answer_accepted",
)  # fmt: skip
"""What a member does themselves: the last of these days is when they were active last."""
TELLING = ("reacted_to", "greeted", "staffed", "refunded")
"""What is counted beside: reactions of others to them, answers to a welcome, real exchanges with
the staff, money given back."""
KINDS = tuple(dict.fromkeys((*ACTIVE, *OUT_OF, *TELLING)))
TALK = ("reply", "mention")  # contacts in words


class Touched(NamedTuple):
    """One member turned to another on a day."""

    day: int
    partner: int  # a member, or 0 for the staff
    outward: bool  # the member to the partner; else the partner to the member
    kind: str
    n: int


@dataclass(slots=True)
class Facts:
    """All that standing is judged by. `stayed`: for each member they brought who stayed long
    enough, the day on which that was sure."""

    made_on: int
    days: dict[str, Days] = field(default_factory=dict)
    amounts: dict[str, Days] = field(default_factory=dict)  # minor units, of paid and refunded
    contacts: list[Touched] = field(default_factory=list)
    brought: int = 0
    stayed: tuple[int, ...] = ()
    _active: list[int] | None = None  # kept once it was asked for

    def add(self, kind: str, day: int, n: int = 1, amount: int = 0) -> None:
        """Adds to a sum; the order in which this is called makes no difference."""
        self._active = None
        found = self.days.setdefault(kind, {})
        found[day] = found.get(day, 0) + n
        if amount:
            sums = self.amounts.setdefault(kind, {})
            sums[day] = sums.get(day, 0) + amount

    def count(self, *kinds: str) -> int:
        return sum(sum(self.days[kind].values()) for kind in kinds if kind in self.days)

    def count_since(self, day: int, *kinds: str) -> int:
        """From the day on."""
        return sum(
            n for kind in kinds for at, n in self.days.get(kind, {}).items() if at >= day
        )

    def amount(self, kind: str) -> int:
        return sum(self.amounts.get(kind, {}).values())

    def first(self, *kinds: str) -> int | None:
        return min(self._on(kinds), default=None)

    def last(self, *kinds: str) -> int | None:
        return max(self._on(kinds), default=None)

    def _on(self, kinds: Iterable[str]) -> Iterator[int]:
        """Days on which something of these kinds stands."""
        for kind in kinds:
            for day, n in self.days.get(kind, {}).items():
                if n > 0:
                    yield day

    @property
    def active(self) -> list[int]:
        """Days with any activity, sorted."""
        if self._active is None:
            self._active = sorted(set(self._on(ACTIVE)))
        return self._active

    def active_days(self, since: int) -> list[int]:
        """Days with any activity, from `since` on, sorted."""
        return self.active[bisect_left(self.active, since) :]

    @property
    def groups(self) -> int:
        """In how many groups they are now."""
        return max(0, self.count(*INTO) - self.count(*OUT_OF))

    @property
    def orders(self) -> int:
        """Orders that stand: paid and not wholly refunded."""
        return max(0, self.count("paid") - self.count("refunded"))

    @property
    def spent(self) -> int:
        return max(0, self.amount("paid") - self.amount("refunded"))

    @property
    def joined_on(self) -> int | None:
        return self.first(*INTO)

    @property
    def began_on(self) -> int:
        """Since when they are here: the first group, else since they are known."""
        joined = self.joined_on
        return self.made_on if joined is None else joined

    @property
    def active_on(self) -> int | None:
        return self.active[-1] if self.active else None


def has_stayed(facts: Facts, days: int, today: int) -> int | None:
    """The day on which a member had stayed so many days since they first joined, never out of
    all groups at the end of a day; None where they did not, or not yet."""
    joined = facts.joined_on
    if joined is None or joined + days > today:
        return None
    moves = sorted(
        (day, n * sign)
        for kinds, sign in ((INTO, 1), (OUT_OF, -1))
        for kind in kinds
        for day, n in facts.days.get(kind, {}).items()
        if day <= joined + days
    )
    inside, last = 0, None
    for day, n in moves:
        if last is not None and day != last and inside <= 0:
            return None
        inside, last = inside + n, day
    return joined + days if inside > 0 else None


def days_ago(day: int | None, today: int) -> int | None:
    return None if day is None else today - day


def as_date(day: int | None) -> date | None:
    return None if day is None else date.fromordinal(day)
