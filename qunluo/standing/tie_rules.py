"""What a tie between two members is: how many-sided, how often, how long. Pure.

The same rule reads the live sums and an archive's replies and mentions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import NamedTuple

KINDS = ("reply", "mention", "reaction", "invite", "order", "gathering")
WEEK = 7
Pair = tuple[int, int]


class Turns(NamedTuple):
    """How often one turned to another in one way; days are ordinals, of what counted at all."""

    one: int
    other: int
    kind: str
    n: int
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Bond:
    """What two members have between them, whoever turned to whom."""

    kinds: tuple[tuple[str, int], ...]  # in the order of KINDS, each with how often
    since: int  # the day of the first contact that stands
    last: int

    @property
    def dimension(self) -> int:
        """Kinds of contact."""
        return len(self.kinds)

    @property
    def contacts(self) -> int:
        return sum(n for _, n in self.kinds)

    def weeks(self, today: int) -> float:
        """Since the first contact."""
        return max(0, today - self.since) / WEEK

    def frequency(self, today: int) -> float:
        """Contacts a week; the first week is a whole one, or one hello would be seven a week."""
        return self.contacts * WEEK / max(WEEK, today - self.since)


class Medians(NamedTuple):
    """The middle of a community's ties; where it has none, nothing is above it."""

    dimension: float
    frequency: float
    weeks: float


def find_bonds(turns: Iterable[Turns]) -> dict[Pair, Bond]:
    """Ties by pair (the smaller id first). A kind whose contacts were all taken back, as a
    reaction can be, is none; nobody has a tie with themselves."""
    kept: dict[Pair, dict[str, list[Turns]]] = defaultdict(lambda: defaultdict(list))
    for turn in turns:
        if turn.one != turn.other:
            pair = min(turn.one, turn.other), max(turn.one, turn.other)
            kept[pair][turn.kind].append(turn)
    found = ((pair, _bind(kinds)) for pair, kinds in kept.items())
    return {pair: bond for pair, bond in found if bond is not None}


def _bind(turned: Mapping[str, list[Turns]]) -> Bond | None:
    total = {kind: sum(t.n for t in turned[kind]) for kind in KINDS if kind in turned}
    standing = {kind: n for kind, n in total.items() if n > 0}
    first = [t.first for kind in standing for t in turned[kind] if t.first is not None]
    last = [t.last for kind in standing for t in turned[kind] if t.last is not None]
    return Bond(tuple(standing.items()), min(first), max(last)) if first and last else None


def find_medians(bonds: Sequence[Bond], today: int) -> Medians | None:
    """None where there is no tie."""
    if not bonds:
        return None
    return Medians(
        float(median(b.dimension for b in bonds)),
        float(median(b.frequency(today) for b in bonds)),
        float(median(b.weeks(today) for b in bonds)),
    )


def is_strong(bond: Bond, medians: Medians | None, today: int) -> bool:
    """More kinds, more often and longer than the middle of the community's ties, all three."""
    if medians is None:
        return False
    return (
        bond.dimension > medians.dimension
        and bond.frequency(today) > medians.frequency
        and bond.weeks(today) > medians.weeks
    )


def turns_of(contacts: Mapping[tuple[int, int, int, str, date], int]) -> list[Turns]:
    """Sums of contacts by (community, one, other, kind, day), as `sums.Sums` has them of a live
    record or of an archive, in the form that ties are read from. The staff (0) is nobody's tie."""
    kept: dict[tuple[int, int, str], list[tuple[int, int]]] = defaultdict(list)
    for (_, one, other, kind, day), n in contacts.items():
        if one and other:
            kept[one, other, kind].append((day.toordinal(), n))
    found = []
    for (one, other, kind), days in kept.items():
        counted = [day for day, n in days if n > 0]
        total = sum(n for _, n in days)
        ends = (min(counted), max(counted)) if counted else (None, None)
        found.append(Turns(one, other, kind, total, *ends))
    return found
