"""Channel codes: where people come from, each with its link, its QR code and its counts."""

from __future__ import annotations

import io
from typing import Any

import segno
from django.db.models import Count, Max, Min, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.community.models import Community
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people import forms
from qunluo.console.people.answering import REFUSED, done, found
from qunluo.groups.models import Group
from qunluo.members.actions import do_set_code
from qunluo.members.models import ChannelCode, Touch


@staff_view("see_members")
@require_safe
def codes(request: StaffRequest) -> HttpResponse:
    return page(request)


def page(request: StaffRequest, **more: Any) -> HttpResponse:
    rows = list(_of(request.community).order_by("-pk"))
    groups = dict(Group.objects.filter(community=request.community).values_list("pk", "name"))
    firsts, lasts = count_touches(request.community)
    context = {
        "rows": [
            {
                "code": code, "link": link(request, code), "first": firsts.get(code.pk, 0),
                "last": lasts.get(code.pk, 0),
                "groups": [groups[pk] for pk in code.groups if pk in groups],
            }
            for code in rows
        ],
        "code_form": forms.CodeForm(request.community), **more,
    }  # fmt: skip
    return render(
        request, "console/people/codes.html", context, status=REFUSED if more else 200
    )


def _of(community: Community) -> QuerySet[ChannelCode]:
    return ChannelCode.objects.filter(community=community)


def link(request: StaffRequest, code: ChannelCode) -> str:
    """The address that a visitor opens."""
    return request.build_absolute_uri(reverse("h5:join", args=[code.code]))


def count_touches(community: Community) -> tuple[dict[int, int], dict[int, int]]:
    """How many members each code was the first touch of, and the last."""
    touches = Touch.objects.filter(member__community=community, member__merged_into=None)
    return _ends(touches, Min("pk")), _ends(touches, Max("pk"))


def _ends(touches: QuerySet[Touch], end: Min | Max) -> dict[int, int]:
    ids = touches.order_by().values("member").annotate(end=end).values("end")
    counted = (
        Touch.objects.filter(pk__in=ids).order_by().values_list("code").annotate(Count("pk"))
    )
    return {code: count for code, count in counted if code is not None}


@staff_view("edit_members")
@require_POST
def add_code(request: StaffRequest) -> HttpResponse:
    form = forms.CodeForm(request.community, request.POST)
    if not form.is_valid():
        return page(request, code_form=form)
    groups = [group.pk for group in form.cleaned_data["groups"]]
    values = {"name": form.cleaned_data["name"], "groups": groups}
    do_set_code(ChannelCode(community=request.community), values, by=request.staff.actor)
    return done(request, _("The channel code is there. Show its QR code."), "people:codes")


@staff_view("edit_members")
@require_POST
def switch_code(request: StaffRequest, code_id: int) -> HttpResponse:
    """Off and on again: a code that is off leads nobody in."""
    code = found(_of(request.community), code_id)
    do_set_code(code, {"active": not code.active}, by=request.staff.actor)
    said = _("The code leads in again.") if code.active else _("The code leads nobody in now.")
    return done(request, said, "people:codes")


@staff_view("see_members")
@require_safe
def qr(request: StaffRequest, code_id: int) -> HttpResponse:
    """The link as a QR code, to be printed: SVG, any size."""
    code = found(_of(request.community), code_id)
    picture = io.BytesIO()
    segno.make(link(request, code), error="m").save(
        picture, kind="svg", scale=8, border=4, light="#fff", svgclass=None, lineclass=None
    )
    response = HttpResponse(picture.getvalue(), content_type="image/svg+xml")
    if "save" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{code.code}.svg"'
    return response
