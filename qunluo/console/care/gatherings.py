"""Gatherings: what is planned, who comes, and who was there."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunluo.care.gatherings import (
    Plan,
    do_call_off,
    do_change_gathering,
    do_note_attendance,
    do_plan_gathering,
    list_gatherings,
    list_signups,
)
from qunluo.care.models import Gathering
from qunluo.care.rules import may_attend
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, telling
from qunluo.console.people.forms import open_groups
from qunluo.console.wording import current_lang
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.members.queries import live_members

PAGE = 50
GUESTS = 500
FORM = require_http_methods(["GET", "HEAD", "POST"])
MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class GatheringForm(forms.Form):
    """What a gathering is to be; times are the community's."""

    title = forms.CharField(label=gettext_lazy("What it is called"), max_length=120)
    text = forms.CharField(
        label=gettext_lazy("What happens there (optional)"), required=False, max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    online = forms.BooleanField(label=gettext_lazy("It is online"), required=False)
    place = forms.CharField(
        label=gettext_lazy("Where: an address, or a link"), max_length=300,
        help_text=gettext_lazy("The link of an online gathering is shown to whoever has a seat."),
    )  # fmt: skip
    starts_at = forms.DateTimeField(label=gettext_lazy("Begins"), widget=MOMENT)
    ends_at = forms.DateTimeField(label=gettext_lazy("Ends"), widget=MOMENT)
    capacity = forms.IntegerField(label=gettext_lazy("Seats"), min_value=1, max_value=100_000)
    group = forms.ModelChoiceField(
        Group.objects.none(), label=gettext_lazy("For which group (optional)"), required=False,
        empty_label=gettext_lazy("Everybody in the community"),
    )  # fmt: skip
    follow_up = forms.CharField(
        label=gettext_lazy("Afterwards, to those who came (optional)"), required=False,
        max_length=1000, widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    missed_you = forms.CharField(
        label=gettext_lazy("Afterwards, to those who had a seat and did not come (optional)"),
        required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def __init__(self, request: StaffRequest, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        group: Any = self.fields["group"]
        group.queryset = open_groups(request.community)


@staff_view("care")
@require_safe
def gatherings(request: StaffRequest) -> HttpResponse:
    over = request.GET.get("show") == "over"
    rows = list_gatherings(request.community, over=over)[:PAGE]
    context = {"rows": rows, "over": over}
    return render(request, "console/care/gatherings.html", context)


def _find(request: StaffRequest, gathering_id: int) -> Gathering:
    rows = Gathering.objects.filter(community=request.community)
    return found(rows.select_related("community", "group"), gathering_id)


@staff_view("run_care")
@FORM
def new(request: StaffRequest) -> HttpResponse:
    form = GatheringForm(request, request.POST or None)
    if form.is_valid():
        try:
            plan = Plan(**form.cleaned_data)
            made = do_plan_gathering(request.community, plan, by=request.staff.actor)
        except QunluoError as error:
            form.add_error(None, error.message(current_lang()))
        else:
            return done(
                request, _("It is planned: members can sign up."), "care:gathering", made.pk
            )
    return _form(request, form, _("Plan a gathering"))


@staff_view("run_care")
@FORM
def edit(request: StaffRequest, gathering_id: int) -> HttpResponse:
    row = _find(request, gathering_id)
    known = {name: getattr(row, name) for name in GatheringForm.base_fields}
    form = GatheringForm(request, request.POST or None, initial=known)
    if form.is_valid():
        try:
            do_change_gathering(row, Plan(**form.cleaned_data), by=request.staff.actor)
        except QunluoError as error:
            form.add_error(None, error.message(current_lang()))
        else:
            said = _("Changed; whoever has a seat hears of another time or place.")
            return done(request, said, "care:gathering", row.pk)
    return _form(request, form, _("Change the gathering"))


def _form(request: StaffRequest, form: GatheringForm, title: str) -> HttpResponse:
    context = {"form": form, "title": title}
    status = REFUSED if form.is_bound else 200
    return render(request, "console/care/gathering_form.html", context, status=status)


@staff_view("care")
@require_safe
def gathering(request: StaffRequest, gathering_id: int) -> HttpResponse:
    """One gathering: who comes, who waits, who was there."""
    row, now = _find(request, gathering_id), clock.now()
    rows = list(list_signups(row)[:GUESTS])
    context = {
        "row": row, "now": now, "came": [s for s in rows if s.attended_at],
        "seated": [s for s in rows if s.state == "seated" and not s.attended_at],
        "waiting": [s for s in rows if s.state == "waiting"],
        "attend": row.state == "open" and may_attend(row.starts_at, row.ends_at, now),
    }  # fmt: skip
    return render(request, "console/care/gathering.html", context)


@staff_view("run_care")
@require_POST
@telling
def call_off(request: StaffRequest, gathering_id: int) -> HttpResponseBase:
    row = _find(request, gathering_id)
    do_call_off(row, why=request.POST.get("why", ""), by=request.staff.actor)
    said = _("Called off; whoever signed up hears why.")
    return done(request, said, "care:gathering", row.pk)


@staff_view("care")
@require_POST
@telling
def came(request: StaffRequest, gathering_id: int, member_id: int) -> HttpResponseBase:
    """Staff saw them there."""
    row = _find(request, gathering_id)
    member = found(live_members(request.community).select_related("community"), member_id)
    do_note_attendance(row, member, by=request.staff.actor)
    return redirect("care:gathering", row.pk)
