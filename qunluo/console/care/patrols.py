"""The patrol rota: what is due now, what was missed, and who looks when."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from qunluo.care.models import PatrolSlot
from qunluo.care.patrols import (
    Planned,
    do_end_slot,
    do_make_slot,
    do_note_patrol,
    list_checks,
    list_patrolled,
    list_planned,
    list_slots,
)
from qunluo.community.models import Staff
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, telling
from qunluo.console.people.forms import open_groups
from qunluo.console.people.timeline import name_actors
from qunluo.console.wording import current_lang
from qunluo.groups.models import Group
from qunluo.insight.words import WEEKDAYS
from qunluo.kit import clock

HOUR = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class SlotForm(forms.Form):
    """A weekly slot of the rota."""

    staff = forms.ModelChoiceField(
        Staff.objects.none(), label=gettext_lazy("Who looks"), required=False,
        empty_label=gettext_lazy("Whoever is there"),
    )  # fmt: skip
    days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On which days"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    since = forms.TimeField(label=gettext_lazy("From"), widget=HOUR)
    until = forms.TimeField(label=gettext_lazy("To"), widget=HOUR)
    groups = forms.ModelMultipleChoiceField(
        Group.objects.none(), label=gettext_lazy("Through which groups"), required=False,
        widget=forms.CheckboxSelectMultiple, help_text=gettext_lazy("None: through all of them."),
    )  # fmt: skip
    checklist = forms.CharField(
        label=gettext_lazy("What to look for"), required=False, max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One line each. Empty: the usual five."),
    )  # fmt: skip

    def __init__(self, request: StaffRequest, *args: Any) -> None:
        super().__init__(*args)
        chosen: Any = self.fields
        chosen["staff"].queryset = Staff.objects.filter(
            community=request.community
        ).select_related("user")
        chosen["groups"].queryset = open_groups(request.community)
        lang = current_lang()
        chosen["days"].choices = [(n, day(lang)) for n, day in enumerate(WEEKDAYS)]


@staff_view("care")
@require_safe
def patrols(request: StaffRequest) -> HttpResponse:
    return page(request)


def page(request: StaffRequest, **more: Any) -> HttpResponse:
    planned, lang = list_planned(request.community, clock.now()), current_lang()
    by = [one.done.by for one in planned if one.done]
    context = {
        "due": [_with_list(one, lang) for one in planned if one.state == "due"],
        "missed": [_with_list(one, lang) for one in reversed(planned) if one.state == "missed"],
        "coming": [one for one in planned if one.state == "coming"],
        "done": [one for one in reversed(planned) if one.state == "done"],
        "names": name_actors(by, request.community),
        "slots": [(slot, _days(slot, lang), _groups(slot)) for slot in list_slots(request.community)],
        "form": SlotForm(request), **more,
    }  # fmt: skip
    return render(
        request, "console/care/patrols.html", context, status=REFUSED if more else 200
    )


def _with_list(one: Planned, lang: str) -> tuple[Planned, list[Group], list[str]]:
    return one, list_patrolled(one.slot)[:20], list_checks(one.slot, lang)


def _days(slot: PatrolSlot, lang: str) -> list[str]:
    return [WEEKDAYS[day](lang) for day in slot.days]


def _groups(slot: PatrolSlot) -> list[str]:
    return [group.name for group in list_patrolled(slot)] if slot.groups else []


def _find(request: StaffRequest, slot_id: int) -> PatrolSlot:
    rows = PatrolSlot.objects.filter(community=request.community)
    return found(rows.select_related("community"), slot_id)


@staff_view("run_care")
@require_POST
@telling
def add(request: StaffRequest) -> HttpResponseBase:
    form = SlotForm(request, request.POST)
    if not form.is_valid():
        return page(request, form=form)
    do_make_slot(request.community, by=request.staff.actor, **form.cleaned_data)
    return done(request, _("The slot is on the rota."), "care:patrols")


@staff_view("run_care")
@require_POST
@telling
def end(request: StaffRequest, slot_id: int) -> HttpResponseBase:
    do_end_slot(_find(request, slot_id), by=request.staff.actor)
    return done(request, _("The slot is off the rota."), "care:patrols")


@staff_view("care")
@require_POST
@telling
def note(request: StaffRequest, slot_id: int) -> HttpResponseBase:
    """A round is done, with what was looked for."""
    slot = _find(request, slot_id)
    try:
        on = date.fromisoformat(request.POST.get("on", ""))
    except ValueError:
        raise Http404 from None
    checks = list_checks(slot, current_lang())
    ticked = [line for line in request.POST.getlist("ticked") if line in checks]
    do_note_patrol(
        slot, on, ticked=ticked, note=request.POST.get("note", ""), by=request.staff.actor
    )
    return done(request, _("The round is noted."), "care:patrols")
