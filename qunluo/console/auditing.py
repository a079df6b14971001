"""The record of what staff did: who, what, when and why, with the way to it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from qunluo.commerce.models import Product
from qunluo.community.models import Staff
from qunluo.community.queries import settings_of
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.deeds import say_kind
from qunluo.console.people.moves import say_move
from qunluo.console.people.taking_part import name_campaigns
from qunluo.console.wording import current_lang
from qunluo.events.models import Event
from qunluo.groups.models import Group
from qunluo.members.models import Member, Tag

PAGE = 50
LARGEST = 18  # digits of an id
LONGEST = 120
SAID = (
    "order",
    "name",
    "title",
    "nickname",
    "text",
    "note",
)  # what people have typed themselves


@staff_view("see_audit")
@require_safe
def audit(request: StaffRequest) -> HttpResponse:
    """The newest first, filtered by who, what and until when."""
    community = request.community.pk
    rows = Event.objects.filter(community_id=community, actor__startswith="staff:")
    kinds = list(rows.order_by("kind").values_list("kind", flat=True).distinct())
    who, kind, before = (request.GET.get(n, "") for n in ("who", "kind", "before"))
    if who:
        rows = rows.filter(actor=who)
    if kind:
        rows = rows.filter(kind=kind)
    if before.isascii() and before.isdecimal() and len(before) <= LARGEST:
        rows = rows.filter(id__lt=int(before))
    found = list(rows.order_by("-id")[: PAGE + 1])
    context = {
        "rows": _tell(request, found[:PAGE]), "more": found[PAGE - 1].pk if found[PAGE:] else None,
        "kinds": [(k, say_kind(k, current_lang())) for k in kinds], "kind": kind, "who": who,
        "people": [(p.actor, p.shown) for p in _posts(request)],
    }  # fmt: skip
    return render(request, "console/shell/audit.html", context)


def _posts(request: StaffRequest) -> list[Staff]:
    posts = Staff.objects.filter(community=request.community).select_related("user")
    return list(posts.order_by("id"))


def _tell(request: StaffRequest, events: list[Event]) -> list[dict[str, Any]]:
    names = {post.actor: post.shown for post in _posts(request)}
    currency = settings_of(request.community).currency
    here = {"community": request.community}
    groups = dict(Group.objects.filter(pk__in=_ids(events, "group_id"), **here)
                  .values_list("pk", "name"))  # fmt: skip
    members = dict(Member.objects.filter(pk__in=_ids(events, "member_id"), **here)
                   .values_list("pk", "name"))  # fmt: skip
    about = _name_things(request, events)
    return [
        {
            "event": event, "about": about[event.pk], "who": names.get(event.actor, _("somebody who left")),
            "what": say_kind(event.kind, current_lang()), "why": event.data.get("why", ""),
            "group": groups.get(event.group_id or 0), "member": members.get(event.member_id or 0),
            "member_at": _address("people:member", event.member_id),
            "moved": (moved := say_move(event, currency)),
            "details": [] if moved else [(k, v) for k, v in event.data.items() if k != "why"],
        }
        for event in events
    ]  # fmt: skip


def _name_things(request: StaffRequest, events: list[Event]) -> dict[int, str]:
    """By event: the campaign, product, order or tag it speaks of, by the name a person knows."""
    here = {"community": request.community}
    campaigns = name_campaigns(events)
    tags = dict(Tag.objects.filter(pk__in=_values(events, "tag"), group__community=request.community)
                .values_list("pk", "name"))  # fmt: skip
    products = dict(Product.objects.filter(pk__in=_values(events, "product"), **here)
                    .values_list("pk", "title"))  # fmt: skip
    return {
        event.pk: " · ".join(filter(None, (
            campaigns.get(event.data.get("campaign", 0)), products.get(event.data.get("product", 0)),
            tags.get(event.data.get("tag", 0)), *(_plain(event, name) for name in SAID),
        )))
        for event in events
    }  # fmt: skip


def _values(events: list[Event], name: str) -> set[int]:
    return {value for event in events if isinstance(value := event.data.get(name), int)}


def _plain(event: Event, name: str) -> str:
    value = event.data.get(name)
    return value[:LONGEST] if isinstance(value, str) else ""


def _ids(events: list[Event], field: str) -> set[int]:
    return {value for event in events if (value := getattr(event, field)) is not None}


def _address(name: str, target: int | None) -> str:
    try:
        return reverse(name, args=[target]) if target is not None else ""
    except NoReverseMatch:
        return ""
