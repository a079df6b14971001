"""The list of members: search, filters, and a page at a time."""

from __future__ import annotations

from typing import Any

from django.db.models import (
    Exists,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    prefetch_related_objects,
)
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from qunluo.community.models import Community
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import number_in
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import ChannelCode, Member, Tag, Tagging, Touch
from qunluo.members.queries import search_ids
from qunluo.segments.queries import list_members, list_segments
from qunluo.segments.rules import InSegment

PAGE = 50
MOST_FOUND = 500
MOST_COUNTED = 1_000


@staff_view("see_members")
@require_safe
def members(request: StaffRequest) -> HttpResponse:
    """Members, the newest first, narrowed by words, a tag, a group, a source and a segment."""
    narrowed = narrow(request)
    before = number_in(request, "before")
    rows = list((narrowed.filter(pk__lt=before) if before else narrowed)[: PAGE + 1])
    counted = narrowed.order_by()[: MOST_COUNTED + 1].count()
    return render(request, "console/people/members.html", {
        "members": with_tags(rows[:PAGE]), "now": clock.now(),
        "next": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "counted": min(counted, MOST_COUNTED), "more_than_counted": counted > MOST_COUNTED,
        "any": bool(rows) or of(request.community).exists(), **choices(request),
    })  # fmt: skip


def of(community: Community) -> QuerySet[Member]:
    """Those who are there: neither erased nor merged into another."""
    return Member.objects.filter(community=community, merged_into=None, erased_at=None)


def narrow(request: StaffRequest) -> QuerySet[Member]:
    rows = of(request.community).order_by("-pk")
    text = request.GET.get("q", "").strip()
    if text:
        found = search_ids(request.community, text, limit=MOST_FOUND)
        rows = rows.filter(pk__in=found)
    for name, condition in (("tag", tagged), ("group", grouped), ("source", met_by)):
        number = number_in(request, name)
        rows = rows.filter(condition(number)) if number else rows
    segment = number_in(request, "segment")
    return rows.filter(meant_by(request.community, segment)) if segment else rows


def tagged(tag: int) -> Q:
    current = Q(expires_at=None) | Q(expires_at__gt=clock.now())
    return Q(Exists(Tagging.objects.filter(current, member=OuterRef("pk"), tag=tag)))


def grouped(group: int) -> Q:
    inside = Membership.objects.filter(member=OuterRef("pk"), group=group, left_at=None)
    return Q(Exists(inside))


def met_by(code: int) -> Q:
    return Q(Exists(Touch.objects.filter(member=OuterRef("pk"), code=code)))


def meant_by(community: Community, segment: int) -> Q:
    meant = list_members(community, InSegment(segment)).order_by().values("pk")
    return Q(pk__in=meant)


def with_tags(rows: list[Member]) -> list[Member]:
    """The tags that count now, in one query, as `current_taggings`."""
    now = clock.now()
    current = Tagging.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    taggings = Prefetch("taggings", current.select_related("tag"), to_attr="current_taggings")
    prefetch_related_objects(rows, taggings)
    return rows


def choices(request: StaffRequest) -> dict[str, Any]:
    """What the filters offer, and what is chosen."""
    community = request.community
    chosen = {name: number_in(request, name) for name in ("tag", "group", "source", "segment")}
    kept = request.GET.copy()
    kept.pop("before", None)
    return {
        "q": request.GET.get("q", "").strip(), "chosen": chosen, "kept": kept.urlencode(),
        "filtered": any(chosen.values()) or bool(request.GET.get("q", "").strip()),
        "tags": Tag.objects.filter(group__community=community).select_related("group")
        .order_by("group__name", "name"),
        "groups": Group.objects.filter(community=community).order_by("name"),
        "segments": list_segments(community),
        "codes": ChannelCode.objects.filter(community=community).order_by("name"),
    }  # fmt: skip
