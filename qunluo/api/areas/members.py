"""Members: who they are, what they allowed, what is known of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import HttpResponse
from ninja import Query, Schema
from pydantic import Field

from qunluo.api.operations import Area, Call
from qunluo.api.paging import MOST, USUAL, Page, Paging, cut
from qunluo.api.values import Id, Instant, Name, Number, Why, fetch
from qunluo.events.models import Event
from qunluo.members import actions, queries
from qunluo.members.models import Consent, Member, Tag, Tagging

area = Area("members")
Key = Annotated[str, Field(min_length=1, max_length=40)]


class TaggingOut(Schema):
    """A tag on a member: who set it, why, until when."""

    tag_id: int
    name: str
    group: str
    by: str
    why: str
    at: datetime
    expires_at: datetime | None

    @staticmethod
    def resolve_name(row: Tagging) -> str:
        return row.tag.name

    @staticmethod
    def resolve_group(row: Tagging) -> str:
        return row.tag.group.name


class IdentityOut(Schema):
    channel: str
    external_id: str
    name: str
    made_at: datetime


class MemberOut(Schema):
    """Contact data are not shown here: see `reveal_contact`."""

    id: int
    name: str
    region: str
    birthday: date | None
    fields: dict[str, Any]
    has_phone: bool
    has_email: bool
    verified: list[str]
    simulated: bool
    made_at: datetime
    seen_at: datetime | None

    @staticmethod
    def resolve_has_phone(member: Member) -> bool:
        return bool(member.phone_hash)

    @staticmethod
    def resolve_has_email(member: Member) -> bool:
        return bool(member.email_hash)


class TouchOut(Schema):
    """Where they came from."""

    code: str | None
    inviter_id: int | None
    page: str
    utm: dict[str, Any]
    at: datetime

    @staticmethod
    def resolve_code(touch: Any) -> str | None:
        return touch.code.code if touch.code else None


class MemberWhole(MemberOut):
    tags: list[TaggingOut]
    identities: list[IdentityOut]
    first_touch: TouchOut | None
    last_touch: TouchOut | None

    @staticmethod
    def resolve_tags(member: Member) -> list[Tagging]:
        return queries.list_tags(member)

    @staticmethod
    def resolve_identities(member: Member) -> list[Any]:
        return list(member.identities.order_by("pk"))

    @staticmethod
    def resolve_first_touch(member: Member) -> Any:
        return queries.find_source(member)[0]

    @staticmethod
    def resolve_last_touch(member: Member) -> Any:
        return queries.find_source(member)[1]


class MeetIn(Schema):
    """An account on a channel. The same account again is the same member."""

    channel: str = Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")
    external_id: str = Field(min_length=1, max_length=120)
    name: Name
    union_id: str = Field("", max_length=120)
    code: str = Field("", max_length=30)
    inviter_id: Number | None = None
    page: str = Field("", max_length=200)
    utm: dict[Key, Annotated[str, Field(max_length=200)]] = Field(
        default_factory=dict, max_length=10
    )


class MemberChange(Schema):
    """`fields` by their keys; null clears one. What is left out stays."""

    name: Name | None = None
    fields: dict[Key, str | int | float | bool | None] = Field(
        default_factory=dict, max_length=100
    )
    why: Why = "api"


class MembersFound(Schema):
    items: list[MemberOut]


class Search(Schema):
    q: str = Field(min_length=1, max_length=200)
    limit: int = Field(USUAL, ge=1, le=MOST)


class TagIn(Schema):
    tag_id: Number
    why: Why
    expires_at: Instant | None = None


class UntagIn(Schema):
    tag_id: Number
    why: Why


class ConsentIn(Schema):
    """The channel “all” stands for every one; `words` are what they were shown."""

    purpose: Literal["service", "marketing", "analysis", "location"]
    channel: str = Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")
    granted: bool
    words: str = Field(min_length=1, max_length=4_000)


class ConsentOut(Schema):
    id: int
    purpose: str
    channel: str
    granted: bool
    words: str
    at: datetime


class WhyIn(Schema):
    why: Why


class ContactOut(Schema):
    phone: str = ""
    email: str = ""


class HappenedOut(Schema):
    id: int
    kind: str
    at: datetime
    group_id: int | None
    actor: str
    data: dict[str, Any]


def find_member(call: Call, member_id: int) -> Member:
    return fetch(queries.live_members(call.auth.community), member_id)


def _find_tag(call: Call, tag_id: int) -> Tag:
    rows = Tag.objects.select_related("group").filter(group__community=call.auth.community)
    return fetch(rows, tag_id)


@area.get("/members", "members:read", Page[MemberOut])
def list_members(request: Call, paging: Query[Paging]) -> dict[str, Any]:
    """Who is there, the newest first."""
    return cut(queries.live_members(request.auth.community), paging, of="members")


@area.get("/members/search", "members:read", MembersFound)
def search_members(request: Call, asked: Query[Search]) -> dict[str, Any]:
    """Members by words of their names and fields, or a whole number, address or account id."""
    found = queries.search_members(request.auth.community, asked.q, limit=asked.limit)
    return {"items": found}


@area.post("/members", "members:write", MemberWhole)
def meet_member(request: Call, body: MeetIn) -> Member:
    """The member of an account, made where it is new."""
    values = body.model_dump()
    inviter_id = values.pop("inviter_id")
    inviter = find_member(request, inviter_id) if inviter_id else None
    return actions.do_meet(request.auth.community, inviter=inviter, **values)


@area.get("/members/{member_id}", "members:read", MemberWhole)
def get_member(request: Call, member_id: Id) -> Member:
    """One member, with tags, accounts and where they came from."""
    return find_member(request, member_id)


@area.patch("/members/{member_id}", "members:write", MemberWhole)
def update_member(request: Call, member_id: Id, body: MemberChange) -> Member:
    """Sets the name and typed profile fields; one that can't be used sets none."""
    member = find_member(request, member_id)
    if body.name is not None:
        actions.do_rename(member, body.name, by=request.auth.actor)
    if body.fields:
        actions.do_set_fields(member, body.fields, by=request.auth.actor, why=body.why)
    return member


@area.get("/members/{member_id}/timeline", "members:read", Page[HappenedOut])
def list_member_timeline(request: Call, member_id: Id, paging: Query[Paging]) -> dict[str, Any]:
    """What happened to a member, the newest first."""
    member = find_member(request, member_id)
    rows: QuerySet[Event] = Event.objects.filter(member_id__in=queries.list_ids(member))
    return cut(rows, paging, of=f"timeline:{member_id}")


@area.post("/members/{member_id}/tags", "members:write", TaggingOut)
def tag_member(request: Call, member_id: Id, body: TagIn) -> Tagging:
    """Sets a tag; in a group of single choice it takes the place of the others."""
    return actions.do_tag(
        find_member(request, member_id), _find_tag(request, body.tag_id),
        by=request.auth.actor, why=body.why, expires_at=body.expires_at,
    )  # fmt: skip


@area.post("/members/{member_id}/untag", "members:write", MemberWhole)
def untag_member(request: Call, member_id: Id, body: UntagIn) -> Member:
    """Takes a tag off; twice is once."""
    member = find_member(request, member_id)
    tag = _find_tag(request, body.tag_id)
    actions.do_untag(member, tag, by=request.auth.actor, why=body.why)
    return member


@area.get("/members/{member_id}/consents", "members:read", Page[ConsentOut])
def list_member_consents(request: Call, member_id: Id, paging: Query[Paging]) -> dict[str, Any]:
    """What a member allowed or refused, the latest first: per purpose and channel it counts."""
    rows = Consent.objects.filter(member=find_member(request, member_id))
    return cut(rows, paging, of=f"consents:{member_id}")


@area.post("/members/{member_id}/consents", "members:write", ConsentOut, 201)
def set_member_consent(request: Call, member_id: Id, body: ConsentIn) -> Consent:
    """Writes down what a member allowed or refused elsewhere."""
    return actions.do_set_consent(
        find_member(request, member_id), body.purpose, body.channel, body.granted,
        words=body.words, by=request.auth.actor,
    )  # fmt: skip


@area.post("/members/{member_id}/contact", "contact:read", ContactOut, kept=False)
def reveal_contact(request: Call, member_id: Id, body: WhyIn) -> dict[str, str]:
    """Phone and e-mail in clear, for a reason that goes on record.

    The answer is not kept for an idempotency key.
    """
    member = find_member(request, member_id)
    return actions.do_reveal_contact(member, by=request.auth.actor, why=body.why)


@area.post("/members/{member_id}/export", "members:export", bytes, kept=False)
def export_member(request: Call, member_id: Id) -> HttpResponse:
    """Everything that is known of a member, as a zip; it goes on record."""
    packed = actions.do_export(find_member(request, member_id), by=request.auth.actor)
    response = HttpResponse(packed, content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="member-{member_id}.zip"'
    return response


@area.delete("/members/{member_id}", "members:erase")
def erase_member(request: Call, member_id: Id) -> None:
    """Erases what is known of a member, for good."""
    actions.do_erase(find_member(request, member_id), by=request.auth.actor)


class TagOut(Schema):
    id: int
    name: str
    group: str
    single: bool

    @staticmethod
    def resolve_group(tag: Tag) -> str:
        return tag.group.name

    @staticmethod
    def resolve_single(tag: Tag) -> bool:
        return tag.group.single


@area.get("/tags", "members:read", Page[TagOut])
def list_tags(request: Call, paging: Query[Paging]) -> dict[str, Any]:
    """The tags of the community, with their groups."""
    rows = Tag.objects.select_related("group").filter(group__community=request.auth.community)
    return cut(rows, paging, of="tags")
