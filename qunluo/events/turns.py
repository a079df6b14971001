"""Rows that wait for a worker, taken one by one: one that breaks holds up no other.

A row that broke is tried once more in the next round. Breaks it again, it rests, twice as long
each time, and those behind it move up: a window full of broken rows is a window of its own.
What rests is remembered by the worker alone; another one, or the same after a start, tries anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.db.models import Model, QuerySet

from qunluo.kit import clock

Row = TypeVar("Row", bound=Model)
SHORTEST, LONGEST = timedelta(seconds=2), timedelta(hours=1)
MOST = 2_000  # that rest at once: they are named in the query


@dataclass
class _Rest:
    tries: int
    until: datetime


class Turns:
    """Of the rows of one step."""

    def __init__(self) -> None:
        self._resting: dict[object, _Rest] = {}

    def go(
        self, due: QuerySet[Row], do: Callable[[Row], object], *, at_once: int,
        at: datetime | None = None,
    ) -> int:  # fmt: skip
        """Does each of the first `at_once` that don't rest by itself; how many had something to
        do. The first error is raised when the others are through."""
        now, done, broke = at or clock.now(), 0, None
        for row in due.exclude(pk__in=self._list_resting(now))[:at_once]:
            try:
                done += bool(do(row))
            except Exception as error:
                broke = broke or error
                self._note(row.pk, now)
            else:
                self._resting.pop(row.pk, None)
        if broke is not None:
            raise broke
        return done

    def _list_resting(self, now: datetime) -> list[object]:
        """Those whose time to rest is not over. Who has not come back for long is forgotten."""
        gone = [pk for pk, rest in self._resting.items() if rest.until + 2 * LONGEST < now]
        for pk in gone:
            del self._resting[pk]
        return [pk for pk, rest in self._resting.items() if rest.until > now][-MOST:]

    def _note(self, pk: object, now: datetime) -> None:
        before = self._resting.pop(pk, _Rest(0, datetime.min.replace(tzinfo=UTC)))
        rests = SHORTEST * 2 ** min(before.tries - 1, 20) if before.tries else timedelta()
        self._resting[pk] = _Rest(before.tries + 1, now + min(rests, LONGEST))
