"""Testimonies as members see them: say something, allow that it is shown, take it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunluo.care.models import Testimony
from qunluo.care.testimonies import (
    do_allow_testimony,
    do_delete_testimony,
    do_offer_testimony,
    list_shown,
)
from qunluo.channels.web.images import CONTENT_TYPE, MOST_BYTES, find_image, keep_image
from qunluo.groups.models import Group, Membership
from qunluo.h5.joining import find_door
from qunluo.h5.limits import limit
from qunluo.h5.own import find_own, in_sentences
from qunluo.h5.pages import one_line, page, several_lines
from qunluo.members.models import Member

SHOWN = 30
MINE = 20


@require_http_methods(["GET", "HEAD", "POST"])
@in_sentences
def testimonies(request: HttpRequest, member_id: int) -> HttpResponse:
    """What others said, what the visitor said, and a form to say something."""
    member = find_own(request, member_id)
    if request.method == "POST":
        _offer(request, member)
        return redirect("h5:testimonies", member.pk)
    context = {
        "member": member, "rows": list_shown(member.community).exclude(member=member)[:SHOWN],
        "mine": Testimony.objects.filter(member=member).order_by("-pk")[:MINE],
        "groups": _list_groups(member),
    }  # fmt: skip
    return page(request, "testimonies.html", context)


def _list_groups(member: Member) -> list[Group]:
    seats = Membership.objects.filter(member=member, left_at=None).select_related("group")
    return [seat.group for seat in seats.order_by("pk")]


def _offer(request: HttpRequest, member: Member) -> None:
    limit(request, "image", member.pk)
    chosen = request.POST.get("group", "")
    group = next((g for g in _list_groups(member) if str(g.pk) == chosen), None)
    text = several_lines(request.POST.get("text"))
    do_offer_testimony(
        member, text, may_show=request.POST.get("show") == "yes", group=group,
        order=one_line(request.POST.get("order"), 80),
        image=_keep(request, member, group) if text else "",
    )  # fmt: skip


def _keep(request: HttpRequest, member: Member, group: Group | None) -> str:
    """Stores the picture that came along, drawn anew; no picture is no fault."""
    sent: Any = request.FILES.get("picture")
    if sent is None or not sent.size:
        return ""
    with Path(sent.path).open("rb") as file:
        return keep_image(file.read(MOST_BYTES + 1), group.pk if group else 0, member.pk)


def _find(request: HttpRequest, member_id: int, testimony_id: int) -> Testimony:
    member = find_own(request, member_id)
    rows = Testimony.objects.filter(member=member, pk=testimony_id)
    found = rows.select_related("member").first()
    if found is None:
        raise Http404
    return found


@require_POST
@in_sentences
def allow(request: HttpRequest, member_id: int, testimony_id: int) -> HttpResponse:
    """The consent to show it, given or taken back: then it is gone at once."""
    do_allow_testimony(_find(request, member_id, testimony_id), request.POST.get("on") == "yes")
    return redirect("h5:testimonies", member_id)


@require_POST
@in_sentences
def delete(request: HttpRequest, member_id: int, testimony_id: int) -> HttpResponse:
    """Takes it away for good, with its picture."""
    testimony = _find(request, member_id, testimony_id)
    do_delete_testimony(testimony)
    path = find_image(testimony.image)
    if path is not None:
        path.unlink(missing_ok=True)
    return redirect("h5:testimonies", member_id)


@require_safe
def image(request: HttpRequest, member_id: int, testimony_id: int) -> HttpResponseBase:
    """The picture of one's own, or of one that is shown."""
    member = find_own(request, member_id)
    rows = Testimony.objects.filter(community=member.community_id, pk=testimony_id)
    found = rows.first()
    if found is None or not (found.shown or found.member_id == member.pk):
        raise Http404
    return _picture(found)


@require_safe
def shown_image(request: HttpRequest, code: str, testimony_id: int) -> HttpResponseBase:
    """The picture of one that is shown at the door of its group, for everybody."""
    door = find_door(code)
    rows = list_shown(door.community, door.group) if door.group else Testimony.objects.none()
    found = rows.filter(pk=testimony_id).first()
    if found is None:
        raise Http404
    return _picture(found)


def _picture(testimony: Testimony) -> FileResponse:
    """Kept by nobody: consent that is withdrawn takes it away at once."""
    path = find_image(testimony.image)
    if path is None:
        raise Http404
    response = FileResponse(path.open("rb"), content_type=CONTENT_TYPE)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response
