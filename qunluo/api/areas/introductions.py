"""Introductions: who is suggested to whom and why, and an operator's decision."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Query, Schema
from pydantic import Field

from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.values import Id, Why, fetch
from qunluo.care.introductions import do_accept, do_dismiss
from qunluo.care.models import Introduction

area = Area("introductions")
State = Literal[
    "suggested", "asked", "made", "refused", "expired", "dismissed", "met", "lapsed",
    "withdrawn",
]  # fmt: skip


class IntroductionOut(Schema):
    """Two members of one group who might get to know each other. `reasons` are in English and
    Chinese, for the staff; what each of the two answered is told to nobody."""

    id: int
    group_id: int | None
    one_id: int
    other_id: int
    score: float
    reasons: list[dict[str, str]]
    state: State
    note: str
    why: str
    suggested_at: datetime
    decided_at: datetime | None
    expires_at: datetime | None
    made_at: datetime | None
    tied: bool | None


class IntroductionsAsked(Paging):
    state: State | Literal["any"] = "suggested"


class AcceptIn(Schema):
    """`note`: what both read of the reasons."""

    note: str = Field("", max_length=200)


class DismissIn(Schema):
    why: Why


@area.get("/introductions", "introductions:read", Page[IntroductionOut])
def list_all_introductions(request: Call, asked: Query[IntroductionsAsked]) -> dict[str, Any]:
    """Introductions, those suggested last first."""
    rows = Introduction.objects.filter(community=request.auth.community)
    rows = rows if asked.state == "any" else rows.filter(state=asked.state)
    return cut(rows, asked, of="introductions")


@area.post("/introductions/{introduction_id}/accept", "introductions:write", IntroductionOut)
def accept_introduction(request: Call, introduction_id: Id, body: AcceptIn) -> Introduction:
    """Asks both for their consent; only two yeses introduce them."""
    row = _find(request, introduction_id)
    site = request.build_absolute_uri("/")
    do_accept(row, note=body.note, site=site, by=request.auth.actor)
    return _find(request, introduction_id)


@area.post("/introductions/{introduction_id}/dismiss", "introductions:write", IntroductionOut)
def dismiss_introduction(request: Call, introduction_id: Id, body: DismissIn) -> Introduction:
    """Takes a pair off the list for good, with the reason."""
    do_dismiss(_find(request, introduction_id), why=body.why, by=request.auth.actor)
    return _find(request, introduction_id)


def _find(call: Call, introduction_id: int) -> Introduction:
    return fetch(Introduction.objects.filter(community=call.auth.community), introduction_id)
