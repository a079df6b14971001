"""Draws who of a group speaks on a day, by weight, for whole columns at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qunluo.sample.numbers import Array, Ints, Random, offsets
from qunluo.sample.people import MOST_COMMUNITIES, Members

SEATS_PER_MEMBER = 16  # of the lookup table
TRIES = 6  # before the group's most faithful member speaks instead


@dataclass(frozen=True)
class Seats:
    """A table in which every member holds seats in proportion to their weight.

    Seats are sorted by group and community; `begin` has an entry per group and community.
    """

    members: Members
    table: Array
    begin: Ints

    def anybody(
        self, random: Random, group: Array, day: Array, community: Array | None = None
    ) -> Array:
        """A membership for every row, present on its day; of `community` where it is ≥ 0."""
        low, size = self._range(group, community)
        who = self._try(random, group, low, size)
        for _ in range(TRIES):
            absent = np.flatnonzero(~self._present(who, day))
            who[absent] = self._try(random, group[absent], low[absent], size[absent])
        absent = ~self._present(who, day)
        who[absent] = self.members.starts[group[absent]]
        return who

    def _range(self, group: Array, community: Array | None) -> tuple[Ints, Ints]:
        cell = group.astype(np.int64) * MOST_COMMUNITIES
        low, high = self.begin[cell], self.begin[cell + MOST_COMMUNITIES]
        if community is not None:
            near = np.flatnonzero(community >= 0)
            at = cell[near] + community[near]
            low[near], high[near] = self.begin[at], self.begin[at + 1]
        return low, high - low

    def _try(self, random: Random, group: Array, low: Ints, size: Ints) -> Array:
        if not len(self.table):
            faithful: Array = self.members.starts[group].copy()
            return faithful
        seat = low + (random.random(len(low), np.float32) * size).astype(np.int64)
        found = self.table[np.minimum(seat, len(self.table) - 1)]
        # An empty range (nobody of that community is there) falls to the faithful one.
        return np.where(size > 0, found, self.members.starts[group])

    def _present(self, who: Array, day: Array) -> Array:
        result: Array = (self.members.first[who] <= day) & (day < self.members.quiet[who])
        return result


def seats(members: Members, start: int, end: int, groups: int) -> Seats:
    """The table for the days `start` to `end`: only those who are there at all have seats."""
    active = (members.first < end) & (members.quiet > start) & (members.weight > 0)
    who = np.flatnonzero(active)
    size = np.diff(members.starts)[members.group[who]]
    held = np.maximum(1, np.rint(members.weight[who] * SEATS_PER_MEMBER * size)).astype(
        np.int64
    )
    cell = members.group[who] * MOST_COMMUNITIES + members.community[who]
    per_cell = np.bincount(cell, held, groups * MOST_COMMUNITIES).astype(np.int64)
    return Seats(members, np.repeat(who, held).astype(np.int32), offsets(per_cell))
