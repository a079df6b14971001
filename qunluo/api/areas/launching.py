"""Kinds of groups, whether one suits, groups from a blueprint, their tasks and their places."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Path, Query, Schema
from pydantic import BaseModel, Field

from qunluo.api.areas.groups import GroupChange, GroupOut, find_group_of, plain_of
from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.values import Id, Instant, fetch, given
from qunluo.groups.blueprints import list_blueprints
from qunluo.groups.blueprints.reading import (
    Decision,
    Intent,
    Knowledge,
    Level,
    Stage,
    Step,
    Value,
)
from qunluo.groups.fit import Answers, Reason, judge_fit
from qunluo.groups.models import Group, Positioning, StaffTask
from qunluo.groups.staff_tasks import do_add_task, do_check_task
from qunluo.kit.text import Text
from qunluo.messaging.founding import do_found_from_blueprint

area = Area("blueprints")
Key = Annotated[str, Path(pattern=r"^[a-z]{2,20}$")]


class Said(Schema):
    """The same in English and Chinese."""

    en: str
    zh: str


class ItemOut(Schema):
    """A line of the launch checklist, due so many hours after the founding."""

    step: Step
    title: Said
    why: Said
    due_h: int


class MetricOut(Schema):
    name: Said
    good: Said
    otherwise: Said


class BlueprintOut(Schema):
    """A kind of group; `intent` and `order_value` are its place in the quadrant, if it has one."""

    key: str
    name: Said
    about: Said
    when: Said
    when_not: Said
    purpose: Said
    audience: Said
    gives: Said
    success: Said
    intent: Level | None
    order_value: Level | None
    capacity: int
    gate: dict[str, Any]
    welcome: Said
    rules: Said
    nickname: Said
    metrics: list[MetricOut]
    checklist: list[ItemOut]


class Asked(Schema):
    """The five answers."""

    stage: Stage
    decision: Decision
    knowledge: Knowledge
    value: Value
    intent: Intent


class ReasonOut(Schema):
    """`question` is empty where the answers together are the reason."""

    question: str
    words: Said
    speaks_for: bool


class FitOut(Schema):
    """`blueprint` null: a group isn't worth it; `instead` says what to do then."""

    suits: bool
    blueprint: str | None
    others: list[str]
    reasons: list[ReasonOut]
    instead: Said | None


class FromBlueprint(Schema):
    """`changes` are values in place of the blueprint's; `lang` is what members read."""

    lang: Literal["en", "zh"]
    changes: GroupChange | None = None


class TaskIn(Schema):
    title: str = Field(min_length=1, max_length=200)
    why: str = Field("", max_length=400)
    due_at: Instant | None = None


class CheckIn(Schema):
    done: bool = True


class TaskOut(Schema):
    """`done_at` null: it is open."""

    id: int
    group_id: int | None
    step: str
    title: str
    why: str
    due_at: datetime | None
    done_at: datetime | None
    done_by: str


class PlaceOut(Schema):
    """A month of a group. Empty `intent` or `order_value`: the data does not carry it; `reasons`
    say why. In `facts`, `joined_in` null: no campaign ran."""

    month: date
    intent: str
    order_value: str
    facts: dict[str, int | None]
    reasons: list[Said]
    move: Said
    suggests: str


@area.get("/blueprints", "groups:read", list[BlueprintOut])
def list_kinds(request: Call) -> list[dict[str, Any]]:
    """The kinds of group that there are blueprints of."""
    return [_show(found) for found in list_blueprints()]


def _show(value: Any) -> Any:
    """A blueprint or a part of one, its texts in both languages."""
    if isinstance(value, Text):
        return {"en": value.en, "zh": value.zh}
    if isinstance(value, BaseModel):
        return {name: _show(getattr(value, name)) for name in type(value).model_fields}
    return [_show(part) for part in value] if isinstance(value, tuple) else value


@area.get("/fit", "groups:read", FitOut)
def check_fit(request: Call, asked: Query[Asked]) -> dict[str, Any]:
    """Whether a group suits a business, which kind, and why."""
    found = judge_fit(Answers(**asked.model_dump()), list_blueprints())
    return {
        "suits": found.suits, "blueprint": found.blueprint, "others": list(found.others),
        "reasons": [_as_reason(reason) for reason in found.reasons],
        "instead": _show(found.instead),
    }  # fmt: skip


def _as_reason(reason: Reason) -> dict[str, Any]:
    return {
        "question": reason.question,
        "words": _show(reason.words),
        "speaks_for": reason.speaks_for,
    }


@area.post("/blueprints/{key}/groups", "groups:write", GroupOut, 201)
def create_group_from_blueprint(request: Call, key: Key, body: FromBlueprint) -> Group:
    """A group with gate, welcome, rules, drafts of auto-replies, moderation and checklist."""
    return do_found_from_blueprint(
        request.auth.community, key, lang=body.lang, by=request.auth.actor,
        answers=plain_of(given(body.changes)) if body.changes else {},
    )  # fmt: skip


@area.get("/groups/{group_id}/tasks", "groups:read", Page[TaskOut])
def list_group_tasks(request: Call, group_id: Id, paging: Query[Paging]) -> dict[str, Any]:
    """What the staff have to do for a group, in the order it was made."""
    rows = StaffTask.objects.filter(group=find_group_of(request, group_id)).order_by("id")
    return cut(rows, paging, of=f"tasks:{group_id}", newest=False)


@area.post("/groups/{group_id}/tasks", "groups:write", TaskOut, 201)
def create_group_task(request: Call, group_id: Id, body: TaskIn) -> StaffTask:
    """Something to do for a group."""
    group = find_group_of(request, group_id)
    return do_add_task(
        request.auth.community, title=body.title, why=body.why, due_at=body.due_at, group=group,
        by=request.auth.actor,
    )  # fmt: skip


@area.post("/tasks/{task_id}/check", "groups:write", TaskOut)
def check_task(request: Call, task_id: Id, body: CheckIn) -> StaffTask:
    """Marks a task as done, or as open again; twice is once."""
    task = fetch(StaffTask.objects.filter(community=request.auth.community), task_id)
    do_check_task(task, body.done, by=request.auth.actor)
    task.refresh_from_db()
    return task


@area.get("/groups/{group_id}/places", "groups:read", Page[PlaceOut])
def list_group_places(request: Call, group_id: Id, paging: Query[Paging]) -> dict[str, Any]:
    """Where a group stood, month by month, the newest first."""
    rows = Positioning.objects.filter(group=find_group_of(request, group_id)).order_by("-id")
    return cut(rows, paging, of=f"places:{group_id}")
