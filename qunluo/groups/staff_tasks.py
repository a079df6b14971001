"""What the staff have to do: made, checked and opened again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.groups.blueprints import Blueprint
from qunluo.groups.blueprints.reading import STEPS
from qunluo.groups.errors import NoTaskError
from qunluo.groups.models import Group, StaffTask
from qunluo.kit import clock
from qunluo.kit.text import Lang


@transaction.atomic
def do_add_task(
    community: Community, *, title: str, by: str, why: str = "", group: Group | None = None,
    due_at: datetime | None = None,
) -> StaffTask:  # fmt: skip
    """Something to do, in the whole community or for a group. Raises `NoTaskError`."""
    if not title.strip():
        raise NoTaskError
    task = StaffTask.objects.create(
        community=community, group=group, title=title.strip()[:200], why=why.strip()[:400],
        due_at=due_at, made_at=clock.now(), by=by,
    )  # fmt: skip
    record("task_made", community=community.pk, actor=by, group=group.pk if group else None,
           data={"task": task.pk})  # fmt: skip
    return task


@transaction.atomic
def do_plan_launch(
    group: Group, blueprint: Blueprint, *, lang: Lang, by: str
) -> list[StaffTask]:
    """The launch checklist as tasks, due so many hours after now."""
    now = clock.now()
    made = StaffTask.objects.bulk_create(
        StaffTask(
            community=group.community, group=group, step=item.step, title=item.title(lang),
            why=item.why(lang), due_at=now + timedelta(hours=item.due_h), made_at=now, by=by,
        )
        for item in blueprint.checklist
    )  # fmt: skip
    record("launch_planned", community=group.community_id, actor=by, group=group.pk,
           data={"blueprint": blueprint.key, "tasks": len(made)})  # fmt: skip
    return made


@transaction.atomic
def do_check_task(task: StaffTask, done: bool, *, by: str) -> bool:
    """Marks a task as done, or as open again; whether that changed anything."""
    rows = StaffTask.objects.filter(pk=task.pk, done_at__isnull=done)
    values = {"done_at": clock.now() if done else None, "done_by": by if done else ""}
    if not rows.update(**values):
        return False
    record("task_done" if done else "task_reopened", community=task.community_id, actor=by,
           group=task.group_id, data={"task": task.pk})  # fmt: skip
    task.refresh_from_db()
    return True


def list_tasks(group: Group) -> Sequence[StaffTask]:
    """A group's tasks: the checklist in its order, then what was added by hand."""
    order: dict[str, int] = {step: place for place, step in enumerate(STEPS)}
    rows = StaffTask.objects.filter(group=group).order_by("id")
    return sorted(rows, key=lambda task: order.get(task.step, len(order)))


def list_open_tasks(community: Community) -> QuerySet[StaffTask]:
    """What is to be done in running groups and in the community, what is due first at the
    beginning."""
    rows = StaffTask.objects.filter(community=community, done_at=None)
    rows = rows.exclude(group__state="dissolved").select_related("group")
    return rows.order_by(F("due_at").asc(nulls_last=True), "id")
