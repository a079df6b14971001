"""What goes out, and answers that are known."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Query, Schema
from pydantic import Field, field_validator

from qunluo.api.areas.groups import find_group_of
from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.values import Id, Number, Words, fetch, given
from qunluo.messaging.actions import do_remove_auto_reply, do_set_auto_reply
from qunluo.messaging.models import AutoReply, Delivery

area = Area("outgoing")


class DeliveryOut(Schema):
    """Intent, delivery and receipt: “sent” is not “received”, and “unknown” is neither."""

    id: int
    channel: str
    kind: str
    purpose: str
    group_id: int | None
    member_id: int | None
    state: str
    attempts: int
    due_at: datetime
    expires_at: datetime | None
    sent_at: datetime | None
    message_id: int | None
    why: str
    made_at: datetime


class DeliveriesAsked(Paging):
    state: Literal[
        "planned", "claimed", "sent", "received", "failed", "unknown", "dropped", "any"
    ] = "any"


@area.get("/deliveries", "deliveries:read", Page[DeliveryOut])
def list_deliveries(request: Call, asked: Query[DeliveriesAsked]) -> dict[str, Any]:
    """What goes out and what went, the newest first."""
    rows = Delivery.objects.filter(community=request.auth.community)
    if asked.state != "any":
        rows = rows.filter(state=asked.state)
    return cut(rows, asked, of="deliveries")


@area.get("/deliveries/{delivery_id}", "deliveries:read", DeliveryOut)
def get_delivery(request: Call, delivery_id: Id) -> Delivery:
    """One delivery."""
    return fetch(Delivery.objects.filter(community=request.auth.community), delivery_id)


# auto-replies


Hour = Annotated[int, Field(ge=0, le=24)]
Hours = Annotated[list[Hour], Field(min_length=2, max_length=2)]


class ReplyOut(Schema):
    """The highest `priority` that fits answers. `hours` are local, [[9, 18]]; none: always."""

    id: int
    group_id: int | None
    how: Literal["exact", "contains", "regex"]
    pattern: str
    answer: str
    priority: int
    group_cooldown_s: int
    member_cooldown_s: int
    hours: list[list[int]]
    active: bool


class ReplyChange(Schema):
    group_id: Number | None = None
    how: Literal["exact", "contains", "regex"] = "contains"
    pattern: str = Field("-", min_length=1, max_length=200)
    answer: Words = "-"
    priority: int = Field(0, ge=-1_000, le=1_000)
    group_cooldown_s: int = Field(60, ge=0, le=604_800)
    member_cooldown_s: int = Field(600, ge=0, le=604_800)
    hours: list[Hours] = Field(default_factory=list, max_length=10)
    active: bool = True

    @field_validator("hours")
    @classmethod
    def _begins_before_it_ends(cls, hours: list[list[int]]) -> list[list[int]]:
        if any(since == until for since, until in hours):
            raise ValueError("each must begin at one hour and end at another")
        return hours


class ReplyIn(ReplyChange):
    pattern: str = Field(min_length=1, max_length=200)
    answer: Words


def _replies(call: Call) -> Any:
    return AutoReply.objects.filter(community=call.auth.community)


def _keep(call: Call, reply: AutoReply, values: dict[str, Any]) -> AutoReply:
    """Raises `WrongPatternError`."""
    if values.get("group_id"):
        find_group_of(call, values["group_id"])
    return do_set_auto_reply(reply, values, by=call.auth.actor)


@area.get("/auto-replies", "replies:read", Page[ReplyOut])
def list_auto_replies(request: Call, paging: Query[Paging]) -> dict[str, Any]:
    """The answers that are known."""
    return cut(_replies(request), paging, of="replies")


@area.post("/auto-replies", "replies:write", ReplyOut, 201)
def create_auto_reply(request: Call, body: ReplyIn) -> AutoReply:
    """Another answer; without a group it answers in all of them."""
    return _keep(request, AutoReply(community=request.auth.community), body.model_dump())


@area.get("/auto-replies/{reply_id}", "replies:read", ReplyOut)
def get_auto_reply(request: Call, reply_id: Id) -> AutoReply:
    """One of them."""
    found: AutoReply = fetch(_replies(request), reply_id)
    return found


@area.patch("/auto-replies/{reply_id}", "replies:write", ReplyOut)
def update_auto_reply(request: Call, reply_id: Id, body: ReplyChange) -> AutoReply:
    """Changes it; what is left out stays."""
    return _keep(request, fetch(_replies(request), reply_id), given(body))


@area.delete("/auto-replies/{reply_id}", "replies:write")
def delete_auto_reply(request: Call, reply_id: Id) -> None:
    """It answers nothing any more."""
    reply: AutoReply = fetch(_replies(request), reply_id)
    do_remove_auto_reply(reply, by=request.auth.actor)
