"""Acts that wait for the same campaign in one process are carried out in one transaction.

A hot row can be written about as often as the disk can sync, whatever the statement. So whoever
comes first leads: while one commit runs, others queue; what has queued is the next transaction,
led by the first of those. An act alone waits for nobody. Where a crowd is still coming in, its
leader waits for the rest as long as it grows (as PostgreSQL's `commit_delay` does): half the
commits for the same work.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
MOST = 128  # in one transaction
CROWD = 5  # so many at once are hardly all
A_MOMENT_S, LINGER_S, PATIENCE = 0.1, 0.002, 5  # 10 ms in which nobody came


def _asleep() -> Lock:
    """Taken until somebody lets it go: an `Event` of many would cost more than they wait for."""
    lock = Lock()
    lock.acquire()
    return lock


@dataclass
class _Waiting(Generic[Item, Answer]):
    item: Item
    woken: Lock = field(default_factory=_asleep)
    answer: Answer | None = None
    error: BaseException | None = None
    settled: bool = False
    behind: _Waiting[Item, Answer] | None = None  # whom to wake


class Combiner(Generic[Item, Answer]):
    """`carry_out(items)` answers each item in order, all in one transaction. Should it fail,
    each is tried alone, so that one that can't be done spoils no other."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._queues: dict[object, list[_Waiting[Item, Answer]]] = defaultdict(list)
        self._led: set[object] = set()  # keys at which somebody is at work
        self._crowds: dict[object, tuple[int, float]] = {}  # how many, when they were done

    def do(
        self, key: object, item: Item, carry_out: Callable[[Sequence[Item]], Sequence[Answer]]
    ) -> Answer:
        """Carries an item out, together with others of its key; raises what it alone raises."""
        mine: _Waiting[Item, Answer] = _Waiting(item)
        if not self._enter(key, mine):
            mine.woken.acquire()
        try:
            if not mine.settled:  # woken to lead
                self._lead(key, carry_out)
        finally:
            if mine.behind is not None:
                mine.behind.woken.release()
        if mine.error is not None:
            raise mine.error
        return mine.answer  # type: ignore[return-value]

    def _enter(self, key: object, mine: _Waiting[Item, Answer]) -> bool:
        """Whether to lead at once."""
        with self._lock:
            self._queues[key].append(mine)
            if key in self._led:
                return False
            self._led.add(key)
            return True

    def _lead(
        self, key: object, carry_out: Callable[[Sequence[Item]], Sequence[Answer]]
    ) -> None:
        self._linger(key)
        with self._lock:
            queue = self._queues[key]
            batch, self._queues[key] = queue[:MOST], queue[MOST:]
        try:
            _carry_out(batch, carry_out)
        finally:
            self._note(key, len(batch))
            self._pass_on(key)
            for waiting in batch:
                if not waiting.settled:  # whoever led was stopped in the middle
                    waiting.error = waiting.error or RuntimeError("stopped")
                waiting.settled = True
            _wake(batch)

    def _linger(self, key: object) -> None:
        """Where a crowd was a moment ago, waits until as many are here again, or none comes."""
        wanted, at = self._crowds.pop(key, (0, 0.0))
        if time.monotonic() - at > A_MOMENT_S:
            return
        seen, still = 0, 0
        while still < PATIENCE and len(self._queues[key]) < wanted:
            time.sleep(LINGER_S)
            there = len(self._queues[key])  # only whoever leads takes out
            still = still + 1 if there == seen else 0
            seen = there

    def _note(self, key: object, size: int) -> None:
        if size >= CROWD:
            self._crowds[key] = size, time.monotonic()

    def _pass_on(self, key: object) -> None:
        """The first of those that wait leads next."""
        with self._lock:
            queue = self._queues[key]
            if queue:
                queue[0].woken.release()
            else:
                self._led.discard(key)
                del self._queues[key]


def _wake(batch: Sequence[_Waiting[Item, Answer]]) -> None:
    """Each wakes the one behind: all at once would wake up to wait for the interpreter."""
    for waiting, behind in pairwise(batch):
        waiting.behind = behind
    batch[0].woken.release()


def _carry_out(
    batch: Sequence[_Waiting[Item, Answer]],
    carry_out: Callable[[Sequence[Item]], Sequence[Answer]],
) -> None:
    try:
        answers = carry_out([waiting.item for waiting in batch])
    except Exception as error:
        if len(batch) == 1:
            batch[0].error, batch[0].settled = error, True
            return
        for waiting in batch:
            _carry_out([waiting], carry_out)
    else:
        for waiting, answer in zip(batch, answers, strict=True):
            waiting.answer, waiting.settled = answer, True
