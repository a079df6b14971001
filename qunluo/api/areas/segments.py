"""Segments: who is meant, and who that is now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Query, Schema
from pydantic import Field

from qunluo.api.areas.members import MemberOut
from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.values import Id, Name, fetch
from qunluo.segments.actions import do_change, do_delete, do_make
from qunluo.segments.counting import count
from qunluo.segments.models import Segment
from qunluo.segments.queries import describe, list_members, list_segments, load_vocabulary
from qunluo.segments.rules import InSegment

area = Area("segments")


class SegmentOut(Schema):
    """`tree` is the expression, `sentence` says it in both languages."""

    id: int
    name: str
    tree: dict[str, Any]
    sentence: dict[str, str]
    changed_at: datetime

    @staticmethod
    def resolve_sentence(row: Segment) -> dict[str, str]:
        said = describe(row, load_vocabulary(row.community))
        return {"en": said.en, "zh": said.zh}


class SegmentIn(Schema):
    """`tree`: {"all": […]}, {"any": […]}, {"not": …}, or a condition such as {"tag": 3},
    {"standing": "lifecycle", "is": ["silent"]}, {"did": "paid", "at_least": 1, "days": 90}."""

    name: Name
    tree: dict[str, Any] = Field(max_length=1_000)


class Counted(Schema):
    count: int


def _find(call: Call, segment_id: int) -> Segment:
    rows = list_segments(call.auth.community).select_related("community")
    return fetch(rows, segment_id)


@area.get("/segments", "members:read", Page[SegmentOut])
def list_all_segments(request: Call, paging: Query[Paging]) -> dict[str, Any]:
    """The segments of the community, the newest first."""
    rows = list_segments(request.auth.community).select_related("community")
    return cut(rows, paging, of="segments")


@area.post("/segments", "members:write", SegmentOut, 201)
def create_segment(request: Call, body: SegmentIn) -> Segment:
    """A new segment; what can't be read is refused with the place and the reason."""
    return do_make(
        request.auth.community, name=body.name, tree=body.tree, by=request.auth.actor
    )


@area.get("/segments/{segment_id}", "members:read", SegmentOut)
def get_segment(request: Call, segment_id: Id) -> Segment:
    """One of them."""
    return _find(request, segment_id)


@area.patch("/segments/{segment_id}", "members:write", SegmentOut)
def update_segment(request: Call, segment_id: Id, body: SegmentIn) -> Segment:
    """Another name, other conditions."""
    return do_change(
        _find(request, segment_id), name=body.name, tree=body.tree, by=request.auth.actor
    )


@area.delete("/segments/{segment_id}", "members:write")
def delete_segment(request: Call, segment_id: Id) -> None:
    """Refused as long as something chooses people by it."""
    do_delete(_find(request, segment_id), by=request.auth.actor)


@area.get("/segments/{segment_id}/count", "members:read", Counted)
def count_segment(request: Call, segment_id: Id) -> dict[str, int]:
    """How many are in it now."""
    row = _find(request, segment_id)
    return {"count": count(row.community, InSegment(row.pk))}


@area.get("/segments/{segment_id}/members", "members:read", Page[MemberOut])
def list_segment_members(
    request: Call, segment_id: Id, paging: Query[Paging]
) -> dict[str, Any]:
    """Who is in it now, the newest first."""
    row = _find(request, segment_id)
    rows = list_members(row.community, InSegment(row.pk))
    return cut(rows, paging, of=f"segments:{row.pk}:members")
