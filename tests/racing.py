"""Several at once: threads that all begin in the same moment, each with its own connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import Any

from django.db import connection

START_S, END_S = 60.0, 120.0


def at_once(steps: Sequence[Callable[[], object]]) -> list[Any]:
    """What each step returned, or the exception that ended it; in their order."""
    found: list[Any] = [None] * len(steps)
    start = Barrier(len(steps), timeout=START_S)

    def run(number: int) -> None:
        try:
            start.wait()
            found[number] = steps[number]()
        except Exception as error:  # whatever it was, the test judges
            found[number] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=(number,)) for number in range(len(steps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(END_S)
    assert not any(thread.is_alive() for thread in threads), "some never came to an end"
    return found


def lost(steps: Sequence[Callable[[], object]], *losing: type[Exception]) -> list[Exception]:
    """What those who lost were told; nobody may end in another way."""
    raised = [each for each in at_once(steps) if isinstance(each, Exception)]
    assert [error for error in raised if not isinstance(error, losing)] == []
    return raised


def won(steps: Sequence[Callable[[], object]]) -> list[Any]:
    """What each returned; none may fail."""
    found = at_once(steps)
    assert [each for each in found if isinstance(each, Exception)] == []
    return found
