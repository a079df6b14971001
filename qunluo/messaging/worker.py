"""The worker: round after round of all tasks, killable at any moment.

Nothing is kept in its memory but when a task last ran; what was begun and not finished is in the
database, and the next worker finds it there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from django.db import DatabaseError, close_old_connections, connection

from qunluo.groups import tasks as groups
from qunluo.messaging.tasks import Task, list_tasks
from qunluo.segments.tasks import run_renewals
from qunluo.standing.tasks import run_nights

LESSONS_S = 120.0  # between looks whether moderators decided enough to learn from
IDLE_S = 0.1  # between rounds in which nothing was done
LONGEST_REST_S = 30.0  # of a task that keeps failing
log = logging.getLogger(__name__)


class Rounds:
    """When each task may run again. One that breaks rests, longer each time, and holds up
    no other."""

    def __init__(self, tasks: Callable[[], Sequence[Task]] = list_tasks) -> None:
        self._tasks = tasks
        self._next: dict[str, float] = {}
        self._failures: dict[str, int] = {}

    def step(self) -> bool:
        """Runs every task that may run; whether any had work."""
        busy = False
        for task in self._tasks():
            if time.monotonic() >= self._next.get(task.name, 0.0):
                busy |= self._run(task)
        return busy

    def _run(self, task: Task) -> bool:
        try:
            worked = bool(task.step())
        except Exception as error:
            self._rest(task, error)
            return False
        self._failures.pop(task.name, None)
        self._next[task.name] = time.monotonic() + (0.0 if worked else task.every_s)
        return worked

    def _rest(self, task: Task, error: Exception) -> None:
        failures = self._failures.get(task.name, 0) + 1
        self._failures[task.name] = failures
        self._next[task.name] = time.monotonic() + min(0.5 * 2**failures, LONGEST_REST_S)
        log.warning("task %s: %s", task.name, type(error).__name__)
        if isinstance(error, DatabaseError) and not connection.in_atomic_block:
            close_old_connections()


def step() -> bool:
    """One round of everything; whether anything was done."""
    return Rounds().step()


def run_worker(stop: threading.Event) -> None:
    """Works until told to stop; the round that is running is finished."""
    aside = (("teaching", _teach), ("nights", run_nights), ("columns", run_renewals))
    for name, beside in aside:
        threading.Thread(target=beside, args=(stop,), name=name, daemon=True).start()
    rounds = Rounds()
    while not stop.is_set():
        busy = rounds.step()
        if not connection.in_atomic_block:
            close_old_connections()
        if not busy:
            stop.wait(IDLE_S)


def _teach(stop: threading.Event) -> None:
    """Trains classifiers that lack beside the rounds: it takes seconds, and joiners wait for none
    of it."""
    while not stop.is_set():
        try:
            while groups.teach() and not stop.is_set():
                pass
        except Exception as error:
            log.warning("teaching: %s", type(error).__name__)
        connection.close()
        stop.wait(LESSONS_S)
