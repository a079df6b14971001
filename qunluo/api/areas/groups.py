"""Groups, and who is in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from ninja import Query, Schema
from pydantic import Field

from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.values import (
    Id,
    Instant,
    Latitude,
    Long,
    Longitude,
    Name,
    Number,
    Why,
    Words,
    fetch,
    given,
)
from qunluo.groups import actions
from qunluo.groups.errors import WaitingForApprovalError
from qunluo.groups.models import Group, JoinRequest, Membership
from qunluo.groups.queries import find_membership, list_groups, list_memberships, list_requests
from qunluo.members.queries import live_members
from qunluo.messaging.actions import do_name

area = Area("groups")
JOIN_PATH = "/j/{code}"


class Gate(Schema):
    """Who may come in. `near` needs lat, lon and km, `tag` tags, `plan` a plan, `level` a
    level, `segment` a segment."""

    kind: Literal["open", "approval", "invited", "tag", "near", "plan", "level", "segment"] = (
        "open"
    )
    tags: list[Number] | None = Field(default=None, max_length=50)
    lat: Latitude | None = None
    lon: Longitude | None = None
    km: float | None = Field(default=None, gt=0, le=20_100)
    plan: str | None = Field(default=None, max_length=60)
    level: int | None = Field(default=None, ge=0, le=1_000)
    segment: Number | None = None


class Goal(Schema):
    """The group says goodbye when it has met it."""

    members: int | None = Field(default=None, ge=1, le=1_000_000)


class Benefit(Schema):
    title: Name
    text: str = Field("", max_length=1_000)


class GroupOut(Schema):
    """`taken` of `capacity` seats are. `join_path` is its join link on this server."""

    id: int
    name: str
    channel: str
    code: str
    join_path: str
    purpose: str
    audience: str
    gives: str
    success: str
    blueprint: str
    state: Literal["setup", "growing", "mature", "silent", "closing", "dissolved"]
    capacity: int
    taken: int
    gate: dict[str, Any]
    goal: dict[str, Any]
    tags: list[int]
    lat: float | None
    lon: float | None
    welcome: str
    rules: str
    nickname: str
    pinned: list[dict[str, Any]]
    opens_at: datetime | None
    ends_at: datetime | None
    successor_id: int | None
    made_at: datetime
    closing_at: datetime | None
    closed_at: datetime | None

    @staticmethod
    def resolve_join_path(group: Group) -> str:
        return JOIN_PATH.format(code=group.code)


class GroupChange(Schema):
    """What it leaves out stays as it is. `nickname` is a template such as {city}-{nick}."""

    name: Name = "-"
    purpose: Words = "-"
    audience: Long = ""
    gives: Long = ""
    success: Long = ""
    capacity: int = Field(200, ge=1, le=100_000)
    gate: Gate = Gate()
    goal: Goal = Goal()
    tags: list[Number] = Field(default_factory=list, max_length=50)
    lat: Latitude | None = None
    lon: Longitude | None = None
    welcome: Long = ""
    rules: Long = ""
    nickname: str = Field("", max_length=80)
    pinned: list[Benefit] = Field(default_factory=list, max_length=20)
    opens_at: Instant | None = None
    ends_at: Instant | None = None


class GroupIn(GroupChange):
    name: Name
    purpose: Words


class CloseIn(Schema):
    why: Why


class GroupsAsked(Paging):
    running: bool = False


class MembershipOut(Schema):
    """`left_at` null: they are in the group."""

    id: int
    group_id: int
    member_id: int
    name: str
    nickname: str
    moderator: bool
    joined_at: datetime
    welcomed_at: datetime | None
    left_at: datetime | None
    left_why: str

    @staticmethod
    def resolve_name(seat: Membership) -> str:
        return seat.member.name


class JoinIn(Schema):
    """`pass_gate`: as the member themselves would; else the staff lets them in."""

    member_id: Number
    pass_gate: bool = False
    text: str = Field("", max_length=300)


class JoinOut(Schema):
    """Either the seat, or the request that waits for approval."""

    membership: MembershipOut | None = None
    waiting: bool = False


class LeaveIn(Schema):
    why: Literal["left", "removed"] = "removed"


class MembershipChange(Schema):
    """What it leaves out stays as it is. The nickname is read by the group's template: what it
    says becomes profile fields."""

    nickname: str = Field("", max_length=80)
    moderator: bool = False


class RequestOut(Schema):
    id: int
    group_id: int
    member_id: int
    text: str
    at: datetime
    state: Literal["waiting", "approved", "refused"]


class DecideIn(Schema):
    approve: bool


def find_group_of(call: Call, group_id: int) -> Group:
    return fetch(list_groups(call.auth.community), group_id)


def plain_of(values: dict[str, Any]) -> dict[str, Any]:
    """Without the parts of gate and goal that were not given."""
    for name in ("gate", "goal"):
        if name in values:
            values[name] = {k: v for k, v in values[name].items() if v is not None}
    return values


@area.get("/groups", "groups:read", Page[GroupOut])
def list_all_groups(request: Call, asked: Query[GroupsAsked]) -> dict[str, Any]:
    """The groups of the community, the newest first."""
    rows = list_groups(request.auth.community, running=asked.running)
    return cut(rows, asked, of="groups")


@area.post("/groups", "groups:write", GroupOut, 201)
def create_group(request: Call, body: GroupIn) -> Group:
    """A new group, with its join link."""
    values = plain_of(given(body))
    return actions.do_found_group(
        request.auth.community, by=request.auth.actor, state="growing", **values
    )


@area.get("/groups/{group_id}", "groups:read", GroupOut)
def get_group(request: Call, group_id: Id) -> Group:
    """One group."""
    return find_group_of(request, group_id)


@area.patch("/groups/{group_id}", "groups:write", GroupOut)
def update_group(request: Call, group_id: Id, body: GroupChange) -> Group:
    """Changes what a group is."""
    group = find_group_of(request, group_id)
    return actions.do_set_group(group, plain_of(given(body)), by=request.auth.actor)


@area.post("/groups/{group_id}/close", "groups:write", GroupOut)
def close_group(request: Call, group_id: Id, body: CloseIn) -> Group:
    """The group begins to say goodbye and takes nobody any more; twice is once."""
    group = find_group_of(request, group_id)
    actions.do_close_group(group, by=request.auth.actor, why=body.why)
    group.refresh_from_db()
    return group


# who is in


@area.get("/groups/{group_id}/memberships", "groups:read", Page[MembershipOut])
def list_group_memberships(
    request: Call, group_id: Id, paging: Query[Paging]
) -> dict[str, Any]:
    """Who is in a group now, those who came first at the beginning."""
    rows = list_memberships(find_group_of(request, group_id))
    return cut(rows, paging, of=f"memberships:{group_id}", newest=False)


@area.post("/groups/{group_id}/memberships", "groups:write", JoinOut)
def join_group(request: Call, group_id: Id, body: JoinIn) -> dict[str, Any]:
    """Takes a member into a group; one who is in keeps the seat."""
    group = find_group_of(request, group_id)
    member = fetch(live_members(request.auth.community), body.member_id)
    by = member.actor if body.pass_gate else request.auth.actor
    try:
        seat = actions.do_join(group, member, by=by, text=body.text)
    except WaitingForApprovalError:
        return {"waiting": True}
    return {"membership": seat}


@area.post("/groups/{group_id}/memberships/{member_id}/leave", "groups:write", MembershipOut)
def leave_group(request: Call, group_id: Id, member_id: Id, body: LeaveIn) -> Membership:
    """Ends a membership."""
    seat = find_seat(request, group_id, member_id)
    actions.do_leave(seat, why=body.why, by=request.auth.actor)
    seat.refresh_from_db()
    return seat


@area.patch("/groups/{group_id}/memberships/{member_id}", "groups:write", MembershipOut)
def update_membership(
    request: Call, group_id: Id, member_id: Id, body: MembershipChange
) -> Membership:
    """Sets the nickname in a group, or makes a member its moderator, or one no more."""
    seat, values = find_seat(request, group_id, member_id), given(body)
    with transaction.atomic():
        if "nickname" in values:
            do_name(seat, values["nickname"], by=request.auth.actor)
        if "moderator" in values:
            actions.do_set_moderator(seat, values["moderator"], by=request.auth.actor)
    return find_seat(request, group_id, member_id)


def find_seat(call: Call, group_id: int, member_id: int) -> Membership:
    group = find_group_of(call, group_id)
    member = fetch(live_members(call.auth.community), member_id)
    found = find_membership(group, member)
    return fetch(Membership.objects.select_related("member", "group"), found.pk if found else 0)


@area.get("/join-requests", "groups:read", Page[RequestOut])
def list_join_requests(request: Call, paging: Query[Paging]) -> dict[str, Any]:
    """Who waits to be let in, the longest first."""
    rows = list_requests(request.auth.community)
    return cut(rows, paging, of="requests", newest=False)


@area.post("/join-requests/{request_id}/decide", "groups:write", RequestOut)
def decide_join_request(request: Call, request_id: Id, body: DecideIn) -> JoinRequest:
    """Lets somebody in, or not."""
    found = fetch(
        JoinRequest.objects.filter(group__community=request.auth.community), request_id
    )
    actions.do_decide_request(found, approve=body.approve, by=request.auth.actor)
    return found
