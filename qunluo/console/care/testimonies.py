"""Testimonies: what buyers said, what stands behind it, and whether it is shown."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.care.models import Testimony
from qunluo.care.testimonies import do_approve_testimony, do_refuse_testimony, find_proof
from qunluo.channels.web.images import CONTENT_TYPE, find_image
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import done, found, telling

PAGE = 50
TABS = ("waiting", "approved", "refused")


@staff_view("care")
@require_safe
def testimonies(request: StaffRequest) -> HttpResponse:
    tab = request.GET.get("show", "waiting")
    tab = tab if tab in TABS else "waiting"
    rows = Testimony.objects.filter(community=request.community, state=tab)
    shown = rows.select_related("member", "group").order_by("-pk")[:PAGE]
    context = {
        "rows": [(row, find_proof(row)) for row in shown], "tab": tab,
        "tabs": [("waiting", _("To decide")), ("approved", _("Approved")), ("refused", _("Refused"))],
        "proofs": {"order": _("the record knows this order"), "buyer": _("bought something"),
                   "none": _("only their word")},
    }  # fmt: skip
    return render(request, "console/care/testimonies.html", context)


def _find(request: StaffRequest, testimony_id: int) -> Testimony:
    rows = Testimony.objects.filter(community=request.community)
    return found(rows.select_related("member__community", "community"), testimony_id)


@staff_view("run_care")
@require_POST
@telling
def approve(request: StaffRequest, testimony_id: int) -> HttpResponseBase:
    row = _find(request, testimony_id)
    do_approve_testimony(row, by=request.staff.actor)
    said = (
        _("It is shown now.")
        if row.shown
        else _("Approved; it is shown once its member allows it.")
    )
    return done(request, said, "care:testimonies")


@staff_view("run_care")
@require_POST
@telling
def refuse(request: StaffRequest, testimony_id: int) -> HttpResponseBase:
    row = _find(request, testimony_id)
    do_refuse_testimony(row, why=request.POST.get("why", ""), by=request.staff.actor)
    return done(request, _("It is not shown; its member hears why."), "care:testimonies")


@staff_view("care")
@require_safe
def image(request: StaffRequest, testimony_id: int) -> HttpResponseBase:
    """The picture, as a picture and nothing else."""
    path = find_image(_find(request, testimony_id).image)
    if path is None:
        raise Http404
    response = FileResponse(path.open("rb"), content_type=CONTENT_TYPE)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "no-store"
    return response
