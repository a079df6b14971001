"""Care: wishes, incidents, exchanges with members, gatherings and what buyers say."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Query, Schema
from pydantic import Field

from qunluo.api.errors import NotThereError
from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.values import Id, Number, Why, fetch
from qunluo.care import gatherings, incidents, promises, testimonies, wishes
from qunluo.care.models import Exchange, Gathering, Incident, SignUp, Wish
from qunluo.care.rules import Sign
from qunluo.groups.models import Group
from qunluo.kit.text import Text
from qunluo.members.models import Member
from qunluo.members.queries import live_members

area = Area("care")
Title = Annotated[str, Field(min_length=1, max_length=120, pattern=r"\S")]
Answer = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"\S")]


class WishOut(Schema):
    """`state` says what became of it; a merged wish is part of `merged_into_id` now."""

    id: int
    member_id: int | None
    title: str
    text: str
    state: Literal["open", "product", "campaign", "no", "merged", "aside"]
    votes: int
    merged_into_id: int | None
    answer: str
    answered_at: datetime | None
    at: datetime


class WishIn(Schema):
    title: Title
    text: str = Field("", max_length=2_000)


class AnswerIn(Schema):
    """Every supporter who allows it hears `answer`."""

    kind: Literal["product", "campaign", "no"]
    answer: Answer


class WishesAsked(Paging):
    state: Literal["open", "product", "campaign", "no", "merged", "aside", "any"] = "any"


class IncidentOut(Schema):
    """`why` is the reason in English and Chinese; `evidence` is what it stands on."""

    id: int
    group_id: int | None
    kind: Literal["negatives", "words", "refunds", "leaves", "audit", "hand"]
    why: dict[str, str]
    evidence: dict[str, Any]
    state: Literal["open", "handled", "closed"]
    outcome: str
    at: datetime
    handled_at: datetime | None
    closed_at: datetime | None


class IncidentIn(Schema):
    """One that a program saw, such as a shop that is down."""

    why: Why
    group_id: Number | None = None


class OutcomeIn(Schema):
    outcome: Answer


class IncidentsAsked(Paging):
    state: Literal["open", "handled", "closed", "any"] = "any"


class ExchangeOut(Schema):
    id: int
    member_id: int
    at: datetime


class ExchangeIn(Schema):
    """What was said in a call or a visit; it keeps a promise of attention."""

    text: Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")]


class GatheringOut(Schema):
    """`taken` of `capacity` seats have somebody."""

    id: int
    group_id: int | None
    title: str
    text: str
    place: str
    online: bool
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    state: Literal["open", "cancelled"]


class AttendanceIn(Schema):
    member_id: Number


class SignUpOut(Schema):
    """`extra`: came without a seat."""

    member_id: int
    state: Literal["seated", "waiting", "gone", "extra"]
    at: datetime
    attended_at: datetime | None


class TestimonyOut(Schema):
    """One that may be shown at the moment; ask again before you show it."""

    id: int
    member_id: int
    group_id: int | None
    text: str
    at: datetime


@area.get("/wishes", "care:read", Page[WishOut])
def list_wishes(request: Call, asked: Query[WishesAsked]) -> dict[str, Any]:
    """Wishes, the newest first."""
    rows = Wish.objects.filter(community=request.auth.community)
    return cut(
        rows if asked.state == "any" else rows.filter(state=asked.state), asked, of="wishes"
    )


@area.post("/wishes", "care:write", WishOut, 201)
def make_wish(request: Call, body: WishIn) -> Wish:
    """Puts a wish on the list, for members to vote."""
    return wishes.do_make_wish(
        request.auth.community, title=body.title, text=body.text, by=request.auth.actor
    )


@area.post("/wishes/{wish_id}/answer", "care:write", WishOut)
def answer_wish(request: Call, wish_id: Id, body: AnswerIn) -> Wish:
    """Says what becomes of an open wish."""
    wish = fetch(Wish.objects.filter(community=request.auth.community), wish_id)
    return wishes.do_answer_wish(wish, body.kind, body.answer, by=request.auth.actor)


@area.get("/incidents", "care:read", Page[IncidentOut])
def list_incidents(request: Call, asked: Query[IncidentsAsked]) -> dict[str, Any]:
    """Incidents, the newest first."""
    rows = Incident.objects.filter(community=request.auth.community)
    return cut(
        rows if asked.state == "any" else rows.filter(state=asked.state), asked, of="incidents"
    )


@area.post("/incidents", "care:write", IncidentOut, 201)
def open_incident(request: Call, body: IncidentIn) -> Incident:
    """Opens an incident for people to see to; one at a time for a group, or for all."""
    community = request.auth.community
    group = None
    if body.group_id is not None:
        group = fetch(Group.objects.filter(community=community), body.group_id)
    return incidents.do_open_incident(
        community,
        "hand",
        Sign(Text(body.why, body.why), {}),
        group=group,
        by=request.auth.actor,
    )


@area.post("/incidents/{incident_id}/close", "care:write", IncidentOut)
def close_incident(request: Call, incident_id: Id, body: OutcomeIn) -> Incident:
    """Ends an incident, with what came of it."""
    incident = fetch(Incident.objects.filter(community=request.auth.community), incident_id)
    incidents.do_close_incident(incident, body.outcome, by=request.auth.actor)
    incident.refresh_from_db()
    return incident


@area.post("/members/{member_id}/exchanges", "care:write", ExchangeOut, 201)
def note_exchange(request: Call, member_id: Id, body: ExchangeIn) -> Exchange:
    """Notes a real exchange that no group saw, such as a call your telephone system knows of."""
    member = _member(request, member_id)
    return promises.do_note_exchange(member, body.text, by=request.auth.actor)


def _member(request: Call, member_id: int) -> Member:
    rows = live_members(request.auth.community).select_related("community")
    return fetch(rows, member_id)


@area.get("/gatherings", "care:read", Page[GatheringOut])
def list_gatherings(request: Call, asked: Query[Paging]) -> dict[str, Any]:
    """Gatherings, those planned last first."""
    rows = Gathering.objects.filter(community=request.auth.community)
    return cut(rows, asked, of="gatherings")


@area.get("/gatherings/{gathering_id}/signups", "care:read", Page[SignUpOut])
def list_signups(request: Call, gathering_id: Id, asked: Query[Paging]) -> dict[str, Any]:
    """Who signed up or came, in the order of their first sign-up."""
    gathering = fetch(Gathering.objects.filter(community=request.auth.community), gathering_id)
    return cut(gathering.signups.all(), asked, of=f"signups:{gathering.pk}", newest=False)


@area.post("/gatherings/{gathering_id}/attendance", "care:write", SignUpOut)
def note_attendance(request: Call, gathering_id: Id, body: AttendanceIn) -> SignUp:
    """Notes that somebody was there, such as a scanner at the door saw; twice is once."""
    gathering = fetch(Gathering.objects.filter(community=request.auth.community), gathering_id)
    if gathering.state != "open":
        raise NotThereError
    member = _member(request, body.member_id)
    return gatherings.do_note_attendance(gathering, member, by=request.auth.actor)


@area.get("/testimonies", "care:read", Page[TestimonyOut])
def list_testimonies(request: Call, asked: Query[Paging]) -> dict[str, Any]:
    """What buyers say and allow to be shown, the newest first."""
    rows = testimonies.list_shown(request.auth.community)
    return cut(rows, asked, of="testimonies")
