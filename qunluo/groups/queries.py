"""Who is where, who waits, and what gates need to know of somebody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet

from qunluo.community.models import Community
from qunluo.groups.models import Ban, Case, Group, JoinRequest, Membership
from qunluo.groups.rules import Applicant, Option
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.models import Member, Tagging, Touch
from qunluo.segments.models import Segment
from qunluo.segments.queries import Use, is_in, load_vocabulary
from qunluo.segments.rules import InSegment
from qunluo.standing.models import Standing

RUNNING = ("setup", "growing", "mature", "silent")


def list_groups(community: Community, *, running: bool = False) -> QuerySet[Group]:
    """The groups of a community, the newest first; only those that take people if `running`."""
    rows = Group.objects.filter(community=community).order_by("-id")
    return rows.filter(state__in=RUNNING) if running else rows


def find_group(code: str) -> Group | None:
    """The group of a join link."""
    return Group.objects.select_related("community").filter(code=code).first()


def find_membership(group: Group, member: Member) -> Membership | None:
    """Their seat now, if they have one."""
    return (
        Membership.objects.filter(group=group, member=member, left_at=None)
        .select_related("group", "member")
        .first()
    )


def list_memberships(group: Group) -> QuerySet[Membership]:
    """Who is in a group, those who came first at the beginning."""
    return (
        Membership.objects.filter(group=group, left_at=None)
        .select_related("member", "group")
        .order_by("id")
    )


def count_members(group: Group) -> int:
    return Membership.objects.filter(group=group, left_at=None).count()


def list_requests(community: Community) -> QuerySet[JoinRequest]:
    """Who waits at a gate, the longest first."""
    return (
        JoinRequest.objects.filter(group__community=community, state="waiting")
        .select_related("group", "member")
        .order_by("id")
    )


def find_ban(community: Community, member: Member) -> Ban | None:
    return Ban.objects.filter(community=community, member=member, lifted_at=None).first()


def list_cases(
    community: Community, *, states: Iterable[str] = ("open", "appealed")
) -> QuerySet[Case]:
    """The moderation queue: appeals first, then the newest."""
    return (
        Case.objects.filter(community=community, state__in=tuple(states))
        .select_related("group", "member", "strike")
        .order_by(F("appealed_at").desc(nulls_last=True), "-id")
    )


def list_cases_of(member: Member) -> QuerySet[Case]:
    """What stands against somebody, shadow left out: what they may read and appeal."""
    return Case.objects.filter(member=member, shadow=False).exclude(act="none").order_by("-id")


def find_applicant(
    member: Member, *, approved: bool = False, gates: Iterable[dict[str, Any]] = ()
) -> Applicant:
    """What these gates, and routing, may know of a member. Plans are a profile field of this
    name, which only staff and rules write; the level is where the member stands."""
    now, fields = clock.now(), member.fields
    running = Q(expires_at=None) | Q(expires_at__gt=now)
    tags = Tagging.objects.filter(running, member=member).values_list("tag_id", flat=True)
    return Applicant(
        member_id=member.pk, tags=frozenset(tags), lat=member.lat, lon=member.lon,
        invited_by=_inviter(member), plans=_plans(fields.get("plan")),
        level=_level(member), approved=approved, segments=_segments(member, gates),
    )  # fmt: skip


def _inviter(member: Member) -> int | None:
    """The last of those who invited them and are members of a group themselves."""
    found = (
        Touch.objects.filter(member=member, inviter__memberships__left_at=None)
        .exclude(inviter__memberships=None)
        .exclude(inviter=member)
        .order_by("-id")
    )
    return found.values_list("inviter_id", flat=True).first()


def _plans(value: object) -> frozenset[str]:
    values = value if isinstance(value, list) else [value] if value else []
    return frozenset(map(str, values))


def _level(member: Member) -> int:
    found = Standing.objects.filter(pk=member.pk).values_list("level", flat=True).first()
    return found or 0


def _segments(member: Member, gates: Iterable[dict[str, Any]]) -> frozenset[int]:
    """Those of the segments that gates ask for which the member is in now."""
    asked = {g["segment"] for g in gates if g.get("kind") == "segment" and "segment" in g}
    if not asked:
        return frozenset()
    words = load_vocabulary(member.community)
    return frozenset(pk for pk in asked if is_in(member, InSegment(pk), words))


def list_gated(segment: Segment) -> list[Use]:
    """Groups that let in who is in a segment: it can't be deleted as long as they take people."""
    gated = Group.objects.filter(
        community=segment.community_id, gate__kind="segment", gate__segment=segment.pk
    )
    gate = Text("gate of the group", "群的准入条件：")
    return [Use(gate, group.name, group.pk) for group in gated.exclude(state="dissolved")]


def as_option(group: Group) -> Option:
    """A group as routing sees it."""
    return Option(
        group_id=group.pk, name=group.name, gate=group.gate, tags=frozenset(group.tags),
        lat=group.lat, lon=group.lon, taken=group.taken, capacity=group.capacity,
    )  # fmt: skip


@dataclass(frozen=True)
class Ending:
    """Whom it would touch if a group ended now."""

    members: int
    requests: int


def count_ending(group: Group) -> Ending:
    """A dry run of closing and dissolving."""
    seats = Membership.objects.filter(group=group, left_at=None).count()
    waiting = JoinRequest.objects.filter(group=group, state="waiting").count()
    return Ending(seats, waiting)
