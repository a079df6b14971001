"""What members voiced in talk: made a wish, or dismissed for a reason."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.care.needs import (
    Suggestion,
    do_dismiss_needs,
    do_take_needs,
    family_name,
    list_suggestions,
)
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import done, telling
from qunluo.console.wording import current_lang

MOST = 2_000


@staff_view("care")
@require_safe
def needs(request: StaffRequest) -> HttpResponse:
    shared, alone = list_suggestions(request.community)
    context = {"shared": _with_names(shared), "alone": _with_names(alone)}
    return render(request, "console/care/needs.html", context)


def _with_names(found: list[Suggestion]) -> list[tuple[Suggestion, str]]:
    return [(s, family_name(s.needs[0].family)(current_lang())) for s in found]


def _ids(request: StaffRequest) -> list[int]:
    parts = request.POST.get("needs", "").split()[:MOST]
    return [
        int(part) for part in parts if part.isascii() and part.isdecimal() and len(part) < 19
    ]


@staff_view("run_care")
@require_POST
@telling
def take(request: StaffRequest) -> HttpResponseBase:
    wish = do_take_needs(
        request.community, _ids(request), title=request.POST.get("title", ""),
        by=request.staff.actor,
    )  # fmt: skip
    said = _("“{title}” is on the wish list.").format(title=wish.title)
    return done(request, said, "care:needs")


@staff_view("run_care")
@require_POST
@telling
def dismiss(request: StaffRequest) -> HttpResponseBase:
    why = request.POST.get("why", "")
    do_dismiss_needs(request.community, _ids(request), why=why, by=request.staff.actor)
    return done(request, _("Dismissed; the record keeps the reason."), "care:needs")
