"""Channel codes: where members come from."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Schema
from pydantic import Field

from qunluo.api.areas.groups import find_group_of
from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.values import Id, Name, Number, fetch, given
from qunluo.members.actions import do_remove_code, do_set_code
from qunluo.members.models import ChannelCode

area = Area("channel codes")
Utm = dict[
    Annotated[str, Field(min_length=1, max_length=40)], Annotated[str, Field(max_length=200)]
]


class CodeOut(Schema):
    """`groups`: where it leads; none: whichever fits best."""

    id: int
    code: str
    name: str
    groups: list[int]
    utm: dict[str, Any]
    active: bool
    members: int
    made_at: datetime

    @staticmethod
    def resolve_members(code: ChannelCode) -> int:
        return code.touches.values("member").distinct().count()


class CodeChange(Schema):
    name: Name = "-"
    groups: list[Number] = Field(default_factory=list, max_length=50)
    utm: Utm = Field(default_factory=dict, max_length=10)
    active: bool = True


class CodeIn(CodeChange):
    """Without a `code`, one is made."""

    name: Name
    code: str = Field("", pattern=r"^[A-Za-z0-9_-]{0,30}$")


def _codes(call: Call) -> Any:
    return ChannelCode.objects.filter(community=call.auth.community)


def _keep(call: Call, code: ChannelCode, values: dict[str, Any]) -> ChannelCode:
    """Raises `TakenError`."""
    for group_id in values.get("groups", []):
        find_group_of(call, group_id)
    return do_set_code(code, values, by=call.auth.actor)


@area.get("/channel-codes", "codes:read", Page[CodeOut])
def list_channel_codes(request: Call, paging: Query[Paging]) -> dict[str, Any]:
    """The codes of the community, with how many members each brought."""
    return cut(_codes(request), paging, of="codes")


@area.post("/channel-codes", "codes:write", CodeOut, 201)
def create_channel_code(request: Call, body: CodeIn) -> ChannelCode:
    """Another code."""
    return _keep(request, ChannelCode(community=request.auth.community), given(body))


@area.get("/channel-codes/{code_id}", "codes:read", CodeOut)
def get_channel_code(request: Call, code_id: Id) -> ChannelCode:
    """One of them."""
    found: ChannelCode = fetch(_codes(request), code_id)
    return found


@area.patch("/channel-codes/{code_id}", "codes:write", CodeOut)
def update_channel_code(request: Call, code_id: Id, body: CodeChange) -> ChannelCode:
    """Changes it; what is left out stays. The code itself is printed somewhere: it stays."""
    return _keep(request, fetch(_codes(request), code_id), given(body))


@area.delete("/channel-codes/{code_id}", "codes:write")
def delete_channel_code(request: Call, code_id: Id) -> None:
    """Removes a code; who came by it stays a member."""
    code: ChannelCode = fetch(_codes(request), code_id)
    do_remove_code(code, by=request.auth.actor)
