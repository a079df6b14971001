"""Kills a process at every boundary of what it tells the database: before each statement that
writes, before each commit and after it. To die between two reads is to die at the boundary before
them: nothing is different on the disk.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any, NoReturn

from django.db import connection
from django.db.models import Count, Max, Q, Sum

from qunluo.campaigns.models import Campaign, Deed, Following, Play, Purchase, Reward, Slot
from qunluo.commerce.models import Order, Payment, Refund
from qunluo.events.models import Consumer, Event
from qunluo.ledger.models import Account, Hold, Transfer

WRITES = ("INSERT", "UPDATE", "DELETE")


def kill_everywhere(step: Callable[[], object], between: Callable[[], object]) -> int:
    """Runs a step in children of which the first dies at its first boundary, the second at its
    second, and so on, until one comes to its end; how many died.

    What a death left as it was is the beginning of the next child, too. Where it left a part
    that was committed, `between` judges that part, and the boundaries of what is left are
    counted from there: each step must know how to go on.
    """
    died, number, before = 0, 1, look()
    while is_killed_at(number, step):
        died += 1
        after = look()
        if after == before:
            number += 1
        else:
            between()
            number, before = 1, after
    return died


def look() -> list[object]:
    """What is there, as far as an operation can change it."""
    changing: list[Any] = [
        Play.objects.aggregate(Count("pk"), Sum("revision"), Max("deadline"), Count("deadline")),
        Following.objects.aggregate(Count("pk"), done=Count("pk", filter=~Q(done_at=None))),
        Slot.objects.aggregate(Count("pk"), Sum("taken")),
        Account.objects.aggregate(Count("pk"), Sum("held")),
    ]  # fmt: skip
    for model in (Reward, Order, Refund, Hold, Campaign):
        changing.append(sorted(model.objects.values_list("state").annotate(n=Count("pk"))))
    changing.append(sorted(Consumer.objects.values_list("name", "transaction", "position")))
    added = (Deed, Purchase, Payment, Event, Transfer)
    return [*changing, *(model.objects.count() for model in added)]


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

    def execute(run: Any, sql: str, *args: Any) -> Any:
        if sql.lstrip().upper().startswith(WRITES):
            pass_boundary()
        return run(sql, *args)

    commit = connection.commit

    def commit_between_boundaries() -> None:
        pass_boundary()
        commit()
        pass_boundary()

    # this process is a child of the test's own: its connection dies with it, patched or not
    connection.commit = commit_between_boundaries  # type: ignore[method-assign]
    with connection.execute_wrapper(execute):
        step()
    pass_boundary()
