"""Real processes that act at the same moment, and the same without what keeps them apart."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from threading import BrokenBarrierError
from typing import Any

from django.db import connection, connections, transaction
from django.db.models import QuerySet

FORK = get_context("fork")  # Django is set up already, and the clock of the test is theirs
WRITES = ("INSERT INTO", "INSERT OR IGNORE INTO", "UPDATE", "DELETE FROM")
PATIENCE_S = 60.0
HINDERED_S = 0.25  # after that, the other is taken to wait for a lock of ours


def in_processes(steps: Sequence[Callable[[], Any]]) -> list[Any]:
    """Runs each step in a process of its own, all beginning together; what each answered (as
    JSON). One that breaks fails the test."""
    connections.close_all()  # children must not talk on a connection of their parent
    begin = FORK.Barrier(len(steps))
    children = [_start(step, begin) for step in steps]
    answers = [_hear(*child) for child in children]
    broken = [answer["broke"] for answer in answers if "broke" in answer]
    assert not broken, "\n".join(broken)
    return [answer["said"] for answer in answers]


def _start(step: Callable[[], Any], begin: Barrier) -> tuple[int, int]:
    ear, mouth = os.pipe()
    child = os.fork()
    if child:
        os.close(mouth)
        return child, ear
    try:
        with os.fdopen(mouth, "w") as out:
            json.dump(_do(step, begin), out)
    finally:
        os._exit(0)  # nothing of the test's own ends twice


def _do(step: Callable[[], Any], begin: Barrier) -> dict[str, Any]:
    try:
        connection.ensure_connection()
        begin.wait(PATIENCE_S)
        said = step()
        connection.close()
    except BaseException:
        return {"broke": traceback.format_exc()}
    return {"said": said}


def _hear(child: int, ear: int) -> dict[str, Any]:
    with os.fdopen(ear) as source:
        told = source.read()
    os.waitpid(child, 0)
    answer: dict[str, Any] = json.loads(told)
    return answer


class Meeting:
    """Where two processes wait for each other between reading and writing. What is guarded can't
    meet, since one waits for the other's lock: then the first goes on after a moment."""

    def __init__(self, *, guarded: bool) -> None:
        self.patience_s = HINDERED_S if guarded else PATIENCE_S
        self.barrier, self.first_wrote = FORK.Barrier(2), FORK.Event()

    @contextmanager
    def before_writing(self, table: str, *, last: bool = False) -> Iterator[None]:
        """Waits before the first statement inside that writes to a table; who is `last` writes
        after the other."""
        begins, met = tuple(f'{verb} "{table}"' for verb in WRITES), False

        def execute(run: Any, sql: str, *args: Any) -> Any:
            nonlocal met
            if met or not sql.startswith(begins):
                return run(sql, *args)
            met = True
            self._meet(last)
            answer = run(sql, *args)
            self.first_wrote.set()
            return answer

        with connection.execute_wrapper(execute):
            yield

    def _meet(self, last: bool) -> None:
        try:
            self.barrier.wait(self.patience_s)
        except BrokenBarrierError:
            return
        if last:
            self.first_wrote.wait(self.patience_s)


def take_guards_away() -> None:
    """From here on, in this process: reading holds nothing. On SQLite, where whoever begins to
    write is alone until the end, this means that each statement stands by itself. (The types are
    right not to allow it: it takes the real thing apart.)"""
    QuerySet.select_for_update = lambda self, **_: self.all()  # type: ignore[method-assign]
    if connection.vendor == "sqlite":
        transaction.atomic = lambda *_, **__: nullcontext()  # type: ignore[assignment]
