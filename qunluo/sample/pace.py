"""How much was to be said by whom, before the dice: the intent behind the drawn messages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qunluo.sample.clock import DAY
from qunluo.sample.draws import ANSWERS
from qunluo.sample.groups import Groups
from qunluo.sample.lives import Lives
from qunluo.sample.numbers import Array, Floats, Ints
from qunluo.sample.people import Members
from qunluo.sample.planted import ANYBODY, Planted


@dataclass(frozen=True)
class Pace:
    """Expected talk. Matrices are groups × days + 1, summed up from the first day on, for a
    member of weight 1; `answered` is how many answers one message is to get on a day."""

    members: Members
    rate: Floats  # groups × days: messages by anybody
    said: Floats
    heard: Floats
    answered: Floats
    met: Floats  # answers between two of weight 1 who are there, if anybody answers anybody
    own: Planted  # what certain members were told to write

    def talk(self, start: int, end: int) -> Floats:
        """Messages each membership was to write on the days `start` to `end` (exclusive)."""
        rows = self._rows(start, end)
        fixed = np.bincount(rows.member, minlength=len(self.members))
        return self._between(self.said, start, end) + fixed

    def everyday(self, start: int, end: int) -> Floats:
        """Of these, what nobody in particular was told to write."""
        return self._between(self.said, start, end)

    def echo(self, start: int, end: int) -> Floats:
        """Answers each membership was to get in these days."""
        rows = self._rows(start, end)
        worth = self.answered[rows.group, rows.at // DAY]
        fixed = np.bincount(rows.member, worth, minlength=len(self.members))
        return self._between(self.heard, start, end) + fixed

    def between(self, one: Ints, other: Ints, end: int) -> Floats:
        """Answers that pairs of one group were to give each other, up to a day (exclusive), if
        anybody of the group answers anybody."""
        members, last = self.members, self.met.shape[1] - 1
        since = np.clip(np.maximum(members.first[one], members.first[other]), 0, last)
        until = np.minimum(np.minimum(members.quiet[one], members.quiet[other]), end)
        group, until = members.group[one], np.clip(until, since, last)
        share = self.met[group, until] - self.met[group, since]
        result: Floats = 2 * members.weight[one] * members.weight[other] * share
        return result

    def _rows(self, start: int, end: int) -> Planted:
        return self.own.between(max(0, start) * DAY, end * DAY)

    def _between(self, summed: Floats, start: int, end: int) -> Floats:
        group, most = self.members.group, summed.shape[1] - 1
        begin = np.clip(np.maximum(self.members.first, start), 0, most)
        until = np.clip(np.minimum(self.members.quiet, end), begin, most)
        result: Floats = self.members.weight * (summed[group, until] - summed[group, begin])
        return result


def plan_pace(groups: Groups, lives: Lives, members: Members, planted: Planted) -> Pace:
    """From the totals, the curves and the weights that the messages are drawn by."""
    shape = lives.curve.shape
    everyday = groups.member - np.bincount(planted.group, minlength=len(groups))
    crowd = planted.member == ANYBODY
    rate = everyday[:, None] * lives.curve + _by_day(planted, crowd, shape)
    whole = rate + _by_day(planted, ~crowd, shape)
    answered = np.array(ANSWERS)[lives.tone] * rate / np.maximum(whole, 1e-9)
    present = _present(members, shape)
    each = np.divide(rate, present, out=np.zeros(shape), where=present > 1e-9)
    both = np.divide(each, present, out=np.zeros(shape), where=present > 1e-9)
    return Pace(members, rate, _summed(each), _summed(each * answered), answered,
                _summed(both * answered),
                Planted(*(c[~crowd] for c in (planted.at, planted.group, planted.member,
                                              planted.tone))))  # fmt: skip


def _by_day(planted: Planted, chosen: Array, shape: tuple[int, ...]) -> Ints:
    cell = planted.group[chosen].astype(np.int64) * shape[1] + planted.at[chosen] // DAY
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)


def _present(members: Members, shape: tuple[int, ...]) -> Floats:
    """The weight of everybody who is there, by group and day."""
    wide = shape[1] + 1
    begin = members.group * wide + members.first
    end = members.group * wide + np.minimum(members.quiet, shape[1])
    size = shape[0] * wide
    moves = np.bincount(begin, members.weight, size) - np.bincount(end, members.weight, size)
    result: Floats = np.cumsum(moves.reshape(shape[0], wide), axis=1)[:, :-1]
    return result


def _summed(by_day: Floats) -> Floats:
    result: Floats = np.pad(np.cumsum(by_day, axis=1), ((0, 0), (1, 0)))
    return result
