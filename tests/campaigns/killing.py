"""Kills a process at one boundary of what it tells the database: before a statement, before a
commit, or after the last one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any, NoReturn

from django.db import connection


def is_killed_at(number: int, step: Callable[[], object]) -> bool:
    """Runs a step in a child that dies at this boundary, as by a power cut; False where the
    step was over before it."""
    status = _in_child(lambda: _run(step, number))
    assert status in (0, -signal.SIGKILL), "the step fails without being killed, too"
    return status != 0


def _in_child(work: Callable[[], object]) -> int:
    connection.close()  # a child must not talk on the connection of its parent
    child = os.fork()
    if child == 0:
        _live_and_die(work)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _live_and_die(work: Callable[[], object]) -> NoReturn:
    code = 1
    try:
        work()
        connection.close()
        code = 0
    finally:
        os._exit(code)  # nothing of the test's own ends twice


def _run(step: Callable[[], object], die_at: int) -> None:
    passed = 0

    def pass_boundary() -> None:
        nonlocal passed
        passed += 1
        if passed == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def execute(run: Any, *args: Any) -> Any:
        pass_boundary()
        return run(*args)

    commit = connection.commit

    def commit_at_boundary() -> None:
        pass_boundary()
        commit()

    connection.commit = commit_at_boundary  # type: ignore[method-assign]
    with connection.execute_wrapper(execute):
        step()
    pass_boundary()
