"""The record of what staff did: who, what, when and why, with the way to it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from qunluo.community.models import Staff
from qunluo.console.access import StaffRequest, staff_view
from qunluo.events.models import Event
from qunluo.groups.models import Group
from qunluo.members.models import Member

PAGE = 50
LARGEST = 18  # digits of an id


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
        "kinds": [(k, say_kind(k)) for k in kinds], "kind": kind, "who": who,
        "people": [(p.actor, p.shown) for p in _posts(request)],
    }  # fmt: skip
    return render(request, "console/shell/audit.html", context)


def _posts(request: StaffRequest) -> list[Staff]:
    posts = Staff.objects.filter(community=request.community).select_related("user")
    return list(posts.order_by("id"))


def _tell(request: StaffRequest, events: list[Event]) -> list[dict[str, Any]]:
    names = {post.actor: post.shown for post in _posts(request)}
    here = {"community": request.community}
    groups = dict(Group.objects.filter(pk__in=_ids(events, "group_id"), **here)
                  .values_list("pk", "name"))  # fmt: skip
    members = dict(Member.objects.filter(pk__in=_ids(events, "member_id"), **here)
                   .values_list("pk", "name"))  # fmt: skip
    return [
        {
            "event": event, "who": names.get(event.actor, _("somebody who left")),
            "what": say_kind(event.kind), "why": event.data.get("why", ""),
            "group": groups.get(event.group_id or 0), "member": members.get(event.member_id or 0),
            "member_at": _address("people:member", event.member_id),
            "details": [(k, v) for k, v in event.data.items() if k != "why"],
        }
        for event in events
    ]  # fmt: skip


def _ids(events: list[Event], field: str) -> set[int]:
    return {value for event in events if (value := getattr(event, field)) is not None}


def _address(name: str, target: int | None) -> str:
    try:
        return reverse(name, args=[target]) if target is not None else ""
    except NoReverseMatch:
        return ""


def say_kind(kind: str) -> str:
    """What happened, in words; a kind of a room that has none is spelled out."""
    known = {
        "staff_appointed": _("gave a role"), "staff_dismissed": _("took a role away"),
        "settings_changed": _("changed settings"), "group_founded": _("opened a group"),
        "group_changed": _("changed a group"), "group_closing": _("began to close a group"),
        "group_dissolved": _("dissolved a group"), "member_tagged": _("set a tag"),
        "member_untagged": _("took a tag away"), "member_merged": _("merged two members"),
        "merge_undone": _("undid a merge"), "contact_revealed": _("looked at contact data"),
        "consent_set": _("noted a consent"), "member_exported": _("exported a member's data"),
        "member_erased": _("erased a member"), "member_joined": _("let a member in"),
        "member_removed": _("removed a member"), "member_restored": _("brought a member back"),
        "message_posted": _("wrote a message"), "message_hidden": _("hid a message"),
        "message_recalled": _("took a message back"), "message_restored": _("showed a message again"),
        "case_opened": _("opened a case"), "case_undone": _("undid a case"),
        "case_upheld": _("upheld a case"), "question_answered": _("answered a question"),
        "question_dismissed": _("set a question aside"), "request_refused": _("refused a request"),
        "moderator_appointed": _("made a member moderator"),
        "moderator_dismissed": _("took a moderator's powers away"),
        "auto_reply_made": _("made an auto-reply"), "auto_reply_switched": _("switched an auto-reply"),
        "fields_set": _("changed a member's fields"), "member_renamed": _("renamed a member"),
        "contact_set": _("changed contact data"), "imported": _("imported members"),
        "channel_code_made": _("made a channel code"),
    }  # fmt: skip
    return known.get(kind, kind.replace("_", " "))
