"""The record: what happened, and what other programs say happened."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Schema
from pydantic import Field, JsonValue, field_validator

from qunluo.api.errors import NotThereError
from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.values import Number, fetch
from qunluo.events.actions import record, settled
from qunluo.events.models import Event
from qunluo.groups.queries import list_groups
from qunluo.members.queries import find_identity, find_survivor, live_members

area = Area("events")
OWN = "app_"
"""Before the kind of an event that an own program reports: it can't pass for one of ours."""


class EventOut(Schema):
    id: int
    kind: str
    at: datetime
    member_id: int | None
    group_id: int | None
    actor: str
    data: dict[str, Any]


class EventsAsked(Paging):
    """`kinds`: only these, separated by commas. The oldest come first: keep the last cursor to
    go on from there."""

    kinds: str = Field("", max_length=1_000)
    newest_first: bool = False


class Account(Schema):
    """A member by an account of theirs."""

    channel: str = Field(min_length=1, max_length=20)
    external_id: str = Field(min_length=1, max_length=120)


class EventIn(Schema):
    """`kind` is what happened, as in `checkout_clicked`; it is kept as `app_checkout_clicked`.
    With a `cause`, the same one again is the same event."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{0,34}$")
    member_id: Number | None = None
    account: Account | None = None
    group_id: Number | None = None
    cause: str | None = Field(None, min_length=1, max_length=100)
    data: dict[Annotated[str, Field(max_length=40)], str | int | float | bool | None] = Field(
        default_factory=dict, max_length=30
    )

    @field_validator("data")
    @classmethod
    def _small(cls, data: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if len(str(data)) > 4_000:
            raise ValueError("must not hold more than 4000 characters")
        return data


@area.get("/events", "events:read", Page[EventOut])
def list_events(request: Call, asked: Query[EventsAsked]) -> dict[str, Any]:
    """What happened, a page at a time."""
    rows = settled().filter(community_id=request.auth.community_id)
    kinds = sorted({kind.strip() for kind in asked.kinds.split(",") if kind.strip()})
    if kinds:
        rows = rows.filter(kind__in=kinds)
    return cut(rows, asked, of="events", newest=asked.newest_first, by=("transaction", "pk"))


@area.post("/events", "events:write", EventOut, 201)
def post_event(request: Call, body: EventIn) -> Event:
    """Says that something happened in another program."""
    community = request.auth.community
    if body.group_id is not None:
        fetch(list_groups(community), body.group_id)
    cause = f"app:{community.pk}:{body.cause}" if body.cause else None
    return record(
        OWN + body.kind.removeprefix(OWN), community=community.pk, actor=request.auth.actor,
        member=_find_member(request, body), group=body.group_id, data=body.data, cause=cause,
    )  # fmt: skip


def _find_member(request: Call, body: EventIn) -> int | None:
    community = request.auth.community
    if body.member_id is not None:
        return fetch(live_members(community), body.member_id).pk
    if body.account is None:
        return None
    found = find_identity(community, body.account.channel, body.account.external_id)
    if found is None:
        raise NotThereError
    return find_survivor(found.member).pk
