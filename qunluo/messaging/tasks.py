"""The worker's rounds: what follows the record, and what is due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction

from qunluo.events.actions import follow
from qunluo.events.models import Event
from qunluo.groups import tasks as groups
from qunluo.groups.models import Case, Group
from qunluo.groups.placing import step_places
from qunluo.kit import clock
from qunluo.members import tasks as members
from qunluo.messaging.inbox import try_process_one
from qunluo.messaging.messages import do_restore
from qunluo.messaging.models import Message
from qunluo.messaging.outbox import do_end_leases, do_plan_delivery, try_deliver_one
from qunluo.messaging.replies import do_follow_case
from qunluo.messaging.welcomes import do_greet
from qunluo.standing.tasks import do_follow, step_recount

AT_ONCE = 50  # inbound or deliveries of one round, so that neither starves the other


@dataclass(frozen=True)
class Task:
    """Something the worker does again and again; `step` says whether there was work.

    A step may be killed anywhere, and is safe to begin again.
    """

    name: str
    step: Callable[[], object]
    every_s: float = 0.0  # of the world; 0: each round


_tasks: dict[str, Task] = {}


def register(task: Task) -> Task:
    """Adds a step, in place of an earlier one of its name; rooms above bring theirs."""
    _tasks[task.name] = task
    return task


def list_tasks() -> list[Task]:
    return list(_tasks.values())


def greet_joiners() -> bool:
    return bool(follow("messaging.joins", do_greet, kinds=["member_joined"]))


def follow_cases() -> bool:
    """What moderators did by hand shows in the room; what was undone comes back."""
    return bool(follow("messaging.cases", _follow_cases, kinds=["case_opened", "case_undone"]))


def _follow_cases(events: Sequence[Event]) -> None:
    for event in events:
        case = Case.objects.select_related("group__community", "member").filter(
            pk=event.data.get("case", 0)
        )
        for found in case:
            if event.kind == "case_opened":
                do_follow_case(found)
            else:
                _bring_back(found)


def _bring_back(case: Case) -> None:
    message = Message.objects.select_related("group").filter(pk=case.message_id or 0).first()
    if message is not None:
        do_restore(message, by=case.decided_by or "system")


def work_inbox() -> bool:
    return _some(try_process_one)


def work_outbox() -> bool:
    return _some(try_deliver_one)


def say_goodbyes() -> bool:
    """A group that closes says so to its room, whoever closed it."""
    return bool(follow("messaging.closings", _say_goodbyes, kinds=["group_closing"]))


def _say_goodbyes(events: Sequence[Event]) -> None:
    rows = Group.objects.filter(pk__in={event.group_id for event in events})
    for group in rows.select_related("community", "successor"):
        words = groups.write_farewell(group)
        do_plan_delivery(
            group.community, channel=group.channel, kind="post", cause=f"closing:{group.pk}",
            group=group, body={"text": words(group.community.lang)},
        )  # fmt: skip


@transaction.atomic
def look_after_groups() -> bool:
    """What groups do by themselves."""
    return groups.step(clock.now())


def place_groups() -> bool:
    """Each month where groups stand, intent × order value."""
    return step_places(clock.now())


def _some(one: Callable[[], bool]) -> bool:
    done = 0
    while done < AT_ONCE and one():
        done += 1
    return done > 0


for _task in (
    Task("messaging.joins", greet_joiners),
    Task("messaging.outbox", work_outbox),
    Task("messaging.inbox", work_inbox),
    Task("messaging.cases", follow_cases),
    Task("messaging.closings", say_goodbyes),
    Task("messaging.leases", do_end_leases, every_s=5.0),
    Task("members.tags", members.step_tags, every_s=60.0),
    Task("members.rejects", members.step_rejects, every_s=600.0),
    Task("members.imports", members.step_import, every_s=1.0),
    Task("standing.sums", do_follow),
    Task("standing.recount", step_recount, every_s=5.0),
    Task("groups.due", look_after_groups, every_s=30.0),
    Task("groups.places", place_groups, every_s=60.0),
):
    register(_task)
