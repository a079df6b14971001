"""Introductions: whom to introduce to whom and why, who was asked, and what came of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from qunluo.care.introductions import (
    ANSWER_DAYS,
    MEASURED_DAYS,
    OVER,
    do_accept,
    do_dismiss,
    list_introductions,
)
from qunluo.care.models import Complement, Introduction
from qunluo.care.suggesting import (
    Share,
    do_complement,
    do_suggest,
    do_uncomplement,
    measure,
)
from qunluo.community.models import Community
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.care.todos import in_words
from qunluo.console.people.answering import REFUSED, done, found, telling
from qunluo.members.models import Tag

PAGE = 100
TABS = {"suggested": ("suggested",), "asked": ("asked",), "over": OVER}


class ComplementForm(forms.Form):
    """Two tags whose members have something for each other."""

    one = forms.ModelChoiceField(
        Tag.objects.none(), label=gettext_lazy("Who has"), empty_label=gettext_lazy("Choose")
    )
    other = forms.ModelChoiceField(
        Tag.objects.none(), label=gettext_lazy("may interest who has"),
        empty_label=gettext_lazy("Choose"),
    )  # fmt: skip

    def __init__(self, community: Community, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        tags = Tag.objects.filter(group__community=community).order_by("group__name", "name")
        for name in ("one", "other"):
            self.fields[name].queryset = tags  # type: ignore[attr-defined]  # a ModelChoiceField


@staff_view("edit_members")
@require_safe
def introductions(request: StaffRequest) -> HttpResponse:
    """One tab of the list, the most connecting first."""
    return page(request)


def page(request: StaffRequest, **more: Any) -> HttpResponse:
    tab = request.GET.get("show", "suggested")
    tab = tab if tab in TABS else "suggested"
    rows = list_introductions(request.community, *TABS[tab])
    if tab != "suggested":
        rows = rows.order_by("-decided_at", "-id")
    complements = Complement.objects.filter(community=request.community)
    context = {
        "rows": [(row, [in_words(text) for text in row.reasons]) for row in rows[:PAGE]],
        "tab": tab, "tabs": _tabs(), "states": _states(), "form": ComplementForm(request.community),
        "complements": complements.select_related("one", "other").order_by("pk"),
        "answer_days": ANSWER_DAYS, "measured_days": MEASURED_DAYS,
        "outcome": _outcome(request.community), **more,
    }  # fmt: skip
    return render(
        request, "console/care/introductions.html", context, status=REFUSED if more else 200
    )


def _tabs() -> list[tuple[str, str]]:
    return [("suggested", _("Suggested")), ("asked", _("Asked")), ("over", _("Decided"))]


def _states() -> dict[str, str]:
    return {
        "suggested": _("suggested"), "asked": _("both were asked"), "made": _("introduced"),
        "withdrawn": _("introduced, then taken back"), "refused": _("one said no"),
        "expired": _("no answer in time"),
        "dismissed": _("dismissed"), "met": _("met by themselves"),
        "lapsed": _("no longer suggested"),
    }  # fmt: skip


def _outcome(community: Community) -> dict[str, Any]:
    known = measure(community)
    return {
        "introduced": _share(known.introduced), "others": _share(known.others),
        "waiting": known.waiting,
    }  # fmt: skip


def _share(share: Share) -> str:
    """“42 % (5 of 12; 95 %: 19–68 %)”."""
    if not share.n:
        return _("none measured yet")
    low, high = share.interval
    return _("{share} % ({hits} of {n}; 95 % interval {low}–{high} %)").format(
        share=round(100 * share.share), hits=share.hits, n=share.n, low=round(100 * low),
        high=round(100 * high),
    )  # fmt: skip


def _find(request: StaffRequest, introduction_id: int) -> Introduction:
    return found(Introduction.objects.filter(community=request.community), introduction_id)


@staff_view("edit_members")
@require_POST
@telling
def look(request: StaffRequest) -> HttpResponseBase:
    """Looks for pairs now; a night does so by itself."""
    n = do_suggest(request.community)
    if not n:
        said = _("No new pair: nobody else shares a tag and a group and has no tie.")
    else:
        said = ngettext("{n} pair came on the list.", "{n} pairs came on the list.", n).format(
            n=n
        )
    return done(request, said, "care:introductions")


@staff_view("edit_members")
@require_POST
@telling
def accept(request: StaffRequest, introduction_id: int) -> HttpResponseBase:
    """Asks both for their consent."""
    do_accept(
        _find(request, introduction_id), note=request.POST.get("note", ""),
        site=request.build_absolute_uri("/"), by=request.staff.actor,
    )  # fmt: skip
    said = _("Both are asked. They are introduced only if both say yes.")
    return done(request, said, "care:introductions")


@staff_view("edit_members")
@require_POST
@telling
def dismiss(request: StaffRequest, introduction_id: int) -> HttpResponseBase:
    why = request.POST.get("why", "")
    do_dismiss(_find(request, introduction_id), why=why, by=request.staff.actor)
    said = _("Dismissed: this pair is not suggested again.")
    return done(request, said, "care:introductions")


@staff_view("edit_members")
@require_POST
@telling
def complement(request: StaffRequest) -> HttpResponseBase:
    form = ComplementForm(request.community, request.POST)
    if not form.is_valid():
        return page(request, form=form)
    given = form.cleaned_data
    do_complement(request.community, given["one"], given["other"], by=request.staff.actor)
    said = _("From the next look on their members are suggested to each other.")
    return done(request, said, "care:introductions")


@staff_view("edit_members")
@require_POST
@telling
def uncomplement(request: StaffRequest, complement_id: int) -> HttpResponseBase:
    rows = Complement.objects.filter(community=request.community).select_related("one", "other")
    do_uncomplement(found(rows, complement_id), by=request.staff.actor)
    return done(
        request, _("These tags don't count as complements any more."), "care:introductions"
    )
