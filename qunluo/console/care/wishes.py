"""The wish list: what members want, what is the same, and what becomes of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from qunluo.care.incidents import list_incidents
from qunluo.care.models import Wish, WishMerge
from qunluo.care.wishes import (
    ANSWERS,
    do_answer_wish,
    do_make_wish,
    do_merge_wishes,
    do_reopen_wish,
    do_set_wish_aside,
    do_undo_wish_merge,
    list_alike,
    list_wishes,
    looks_alike,
)
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, telling

PAGE = 100
TABS = ("open", "answered", "aside")
NAMED = 30  # others to choose from


class WishForm(forms.Form):
    """A wish that staff heard of somewhere else."""

    title = forms.CharField(label=gettext_lazy("What is wished for"), max_length=120)
    text = forms.CharField(
        label=gettext_lazy("In more words (optional)"), max_length=2000, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip


@staff_view("care")
@require_safe
def home(request: StaffRequest) -> HttpResponse:
    """What is most urgent in care: incidents where there are any, else the wishes."""
    urgent = list_incidents(request.community, "open").exists()
    return redirect("care:incidents" if urgent else "care:wishes")


@staff_view("care")
@require_safe
def wishes(request: StaffRequest) -> HttpResponse:
    """One tab of the list, the most wanted first."""
    return page(request)


def page(request: StaffRequest, **more: Any) -> HttpResponse:
    tab = request.GET.get("show", "open")
    tab = tab if tab in TABS else "open"
    states = ANSWERS if tab == "answered" else (tab,)
    rows = list(list_wishes(request.community, *states)[:PAGE])
    context = {
        "rows": [(wish, _choices(wish, rows) if tab == "open" else ()) for wish in rows],
        "tab": tab, "tabs": _tabs(), "form": WishForm(), "answers": _answers(),
        "merges": _merges(rows), **more,
    }  # fmt: skip
    return render(request, "console/care/wishes.html", context, status=REFUSED if more else 200)


def _tabs() -> list[tuple[str, str]]:
    return [
        ("open", _("To be answered")),
        ("answered", _("Answered")),
        ("aside", _("Set aside")),
    ]


def _answers() -> dict[str, str]:
    return {
        "product": _("becomes a product"), "campaign": _("becomes a campaign"),
        "no": _("no, for a reason"),
    }  # fmt: skip


def _choices(wish: Wish, rows: list[Wish]) -> list[tuple[Wish, bool]]:
    """What it may be merged with, and which of these look alike."""
    return [(other, looks_alike(wish, other)) for other in list_alike(wish, rows)[:NAMED]]


def _merges(rows: list[Wish]) -> dict[int, list[WishMerge]]:
    """What became part of each wish, and may be taken out again."""
    merged: dict[int, list[WishMerge]] = {}
    kept = WishMerge.objects.filter(kept__in=rows, undone_at=None).select_related("gone")
    for merge in kept.order_by("pk"):
        merged.setdefault(merge.kept_id, []).append(merge)
    return merged


def _find(request: StaffRequest, wish_id: int | str) -> Wish:
    rows = Wish.objects.filter(community=request.community)
    return found(rows.select_related("community"), wish_id)


@staff_view("care")
@require_POST
@telling
def make(request: StaffRequest) -> HttpResponseBase:
    form = WishForm(request.POST)
    if not form.is_valid():
        return page(request, form=form)
    do_make_wish(request.community, by=request.staff.actor, **form.cleaned_data)
    return done(request, _("The wish is on the list: members can vote for it."), "care:wishes")


@staff_view("run_care")
@require_POST
@telling
def answer(request: StaffRequest, wish_id: int) -> HttpResponseBase:
    """Says what becomes of it; every supporter who allows it hears so."""
    wish = _find(request, wish_id)
    do_answer_wish(
        wish, request.POST.get("kind", ""), request.POST.get("answer", ""),
        by=request.staff.actor,
    )  # fmt: skip
    said = _("Answered. Supporters who allow it hear of it: {n}.").format(n=wish.votes)
    return done(request, said, "care:wishes")


@staff_view("run_care")
@require_POST
@telling
def merge(request: StaffRequest, wish_id: int) -> HttpResponseBase:
    """This wish becomes part of another."""
    gone, kept = _find(request, wish_id), _find(request, request.POST.get("into", ""))
    do_merge_wishes(kept, gone, by=request.staff.actor)
    said = _("They are one wish now, with {n} votes.").format(n=kept.votes)
    return done(request, said, "care:wishes")


@staff_view("run_care")
@require_POST
@telling
def undo_merge(request: StaffRequest, merge_id: int) -> HttpResponseBase:
    rows = WishMerge.objects.filter(kept__community=request.community)
    do_undo_wish_merge(
        found(rows.select_related("kept", "gone"), merge_id), by=request.staff.actor
    )
    return done(request, _("They are two wishes again."), "care:wishes")


@staff_view("run_care")
@require_POST
@telling
def aside(request: StaffRequest, wish_id: int) -> HttpResponseBase:
    why = request.POST.get("why", "")
    do_set_wish_aside(_find(request, wish_id), why=why, by=request.staff.actor)
    return done(request, _("Set aside: members don't see it any more."), "care:wishes")


@staff_view("run_care")
@require_POST
@telling
def reopen(request: StaffRequest, wish_id: int) -> HttpResponseBase:
    """Back from aside; or an answer is taken back, for a reason that supporters hear."""
    why = request.POST.get("why", "")
    do_reopen_wish(_find(request, wish_id), why=why, by=request.staff.actor)
    return done(request, _("The wish is back on the list."), "care:wishes")
