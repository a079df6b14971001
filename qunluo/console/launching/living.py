"""The life of a group on its page: its stage with what to do next, its tasks, its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from qunluo.community.queries import settings_of
from qunluo.console.launching.starting import STEP_NAMES
from qunluo.console.launching.tasks import TaskForm
from qunluo.events.models import Event
from qunluo.groups.blueprints import list_blueprints
from qunluo.groups.models import Group, JoinRequest, Membership, Positioning, StaffTask
from qunluo.groups.placing import list_places
from qunluo.groups.positioning import KINDS, LEVELS
from qunluo.groups.positioning import Facts as Month
from qunluo.groups.staff_tasks import list_tasks
from qunluo.groups.stages import STAGES, Facts, list_steps
from qunluo.kit.text import Text
from qunluo.messaging.models import AutoReply, Message

HALF = 50.0  # of the quadrant's 100 × 100


def tell(group: Group, now: datetime) -> dict[str, Any]:
    """What the group's page shows of its life."""
    tasks = list_tasks(group)
    places = list_places(group)
    names = {b.key: b.name for b in list_blueprints()}
    return {
        "stages": list(STAGES.items()), "steps": list_steps(find_facts(group, tasks, now)),
        "since": _find_since(group), "tasks": _by_step(tasks, now), "task_form": TaskForm(),
        "left": sum(task.done_at is None for task in tasks), "all_tasks": len(tasks),
        "in_words": say_place(places[0] if places else None),
        "kind": names.get(group.blueprint), "place": places[0] if places else None,
        "suggests": names.get(places[0].suggests) if places else None,
        "months": [(place, read_month(place)) for place in places],
        "currency": settings_of(group.community).currency,
        "dots": [draw(place) for place in reversed(places) if place.intent and place.order_value],
        "corners": [(intent, value, names[key]) for (intent, value), key in KINDS.items()],
    }  # fmt: skip


def find_facts(group: Group, tasks: Any, now: datetime) -> Facts:
    """What is going on in the group, counted now."""
    seats = Membership.objects.filter(group=group, left_at=None)
    said = Message.objects.filter(group=group, label="member").order_by("-id")
    last = said.values_list("at", flat=True).first() or group.made_at
    waiting = [task for task in tasks if task.done_at is None]
    return Facts(
        state=group.state, taken=group.taken, capacity=group.capacity,
        moderators=seats.filter(moderator=True).count(), pinned=len(group.pinned),
        drafts=AutoReply.objects.filter(group=group, active=False, answer__contains="〔").count(),
        requests=JoinRequest.objects.filter(group=group, state="waiting").count(),
        late_tasks=sum(bool(t.due_at and t.due_at < now) for t in waiting),
        open_tasks=len(waiting), quiet_days=max((now - last).days, 0),
        hours_left=_count_hours(group.ends_at, now) if group.ends_at else None,
        successor=group.successor_id is not None,
    )  # fmt: skip


def _count_hours(end: datetime, now: datetime) -> int:
    return max(int((end - now).total_seconds() // 3600), 0)


def _find_since(group: Group) -> datetime:
    """When its stage began."""
    if group.state == "closing" and group.closing_at:
        return group.closing_at
    if group.state == "dissolved" and group.closed_at:
        return group.closed_at
    rows = Event.objects.filter(group_id=group.pk, kind="group_stage_changed").order_by("-id")
    return rows.values_list("at", flat=True).first() or group.made_at


def _by_step(
    tasks: Any, now: datetime
) -> list[tuple[Text | None, list[tuple[StaffTask, bool]]]]:
    """The tasks under their steps, each with whether it is late."""
    found: dict[str, list[tuple[StaffTask, bool]]] = {}
    for task in tasks:
        late = task.done_at is None and task.due_at is not None and task.due_at < now
        found.setdefault(task.step, []).append((task, late))
    return [(STEP_NAMES.get(step), rows) for step, rows in found.items()]


@dataclass(frozen=True)
class Dot:
    """A month in the quadrant: 0 to 100, from the left and from the top."""

    x: float
    y: float
    month: Any
    members: int


def draw(place: Positioning) -> Dot:
    """Where a month stands: the half by what was judged, within it by what was counted."""
    month = read_month(place)
    across = min(float(month.conversion) / 0.2, 1.0)
    up = float(month.order_minor) / (float(month.order_minor) + 30_000) if month.orders else 0.0
    x = (HALF if place.intent == "high" else 0.0) + HALF * (0.2 + 0.6 * across)
    y = 100 - (HALF if place.order_value == "high" else 0.0) - HALF * (0.2 + 0.6 * up)
    return Dot(round(x, 1), round(y, 1), place.month, month.members)


def say_place(place: Positioning | None) -> Text:
    """The place of the last month, for who hears the page."""
    if place is None or not (place.intent and place.order_value):
        return Text("Too little data for a place", "数据太少，暂无定位")
    words = Text("Intent {intent}, order value {value}", "意向{intent}，客单价{value}")
    return words.format(intent=LEVELS[place.intent], value=LEVELS[place.order_value])


def read_month(place: Positioning) -> Month:
    return Month(**place.facts)
