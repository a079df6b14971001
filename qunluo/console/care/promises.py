"""Contact debt: who was promised attention, and who waits longest for it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from qunluo.care.models import Promise
from qunluo.care.promises import do_end_promise, do_note_exchange, do_promise, list_owed
from qunluo.community.models import Staff
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, telling
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.members.queries import live_members, search_members

PAGE = 200
FOUND = 10


class PromiseForm(forms.Form):
    """Attention for one member: how often, by whom, for what."""

    every_days = forms.IntegerField(
        label=gettext_lazy("Every how many days"), min_value=1, max_value=365, initial=30
    )
    what = forms.CharField(
        label=gettext_lazy("What for"), max_length=200,
        help_text=gettext_lazy("Such as “yearly plan” or “skin adviser”."),
    )  # fmt: skip
    staff = forms.ModelChoiceField(
        Staff.objects.none(), label=gettext_lazy("By whom"), required=False,
        empty_label=gettext_lazy("The team"),
    )  # fmt: skip

    def __init__(self, request: StaffRequest, *args: Any) -> None:
        super().__init__(*args)
        staff: Any = self.fields["staff"]
        staff.queryset = Staff.objects.filter(community=request.community).select_related(
            "user"
        )


@staff_view("care")
@require_safe
def promises(request: StaffRequest) -> HttpResponse:
    return page(request)


def page(request: StaffRequest, **more: Any) -> HttpResponse:
    """The work list, and a search for somebody to promise attention to."""
    owed = list_owed(request.community, clock.now())
    mine = request.GET.get("show") == "mine"
    shown = [o for o in owed if not mine or o.promise.staff_id == request.staff.pk]
    wanted = request.GET.get("who", "").strip()[:100]
    promised = {o.promise.member_id for o in owed}
    people = search_members(request.community, wanted, limit=FOUND) if wanted else []
    context = {
        "owed": shown[:PAGE], "late": sum(o.late for o in owed), "mine": mine, "wanted": wanted,
        "people": [(member, member.pk in promised) for member in people],
        "form": PromiseForm(request), **more,
    }  # fmt: skip
    return render(
        request, "console/care/promises.html", context, status=REFUSED if more else 200
    )


def _member(request: StaffRequest, member_id: int) -> Member:
    return found(live_members(request.community).select_related("community"), member_id)


@staff_view("run_care")
@require_POST
@telling
def add(request: StaffRequest, member_id: int) -> HttpResponseBase:
    member, form = _member(request, member_id), PromiseForm(request, request.POST)
    if not form.is_valid():
        return page(request, form=form, people=[(member, False)], wanted=member.name)
    do_promise(member, by=request.staff.actor, **form.cleaned_data)
    said = _("{name} is on the list.").format(name=member.name)
    return done(request, said, "care:promises")


@staff_view("care")
@require_POST
@telling
def note(request: StaffRequest, member_id: int) -> HttpResponseBase:
    """An exchange that no group saw."""
    member = _member(request, member_id)
    do_note_exchange(member, request.POST.get("text", ""), by=request.staff.actor)
    said = _("The exchange with {name} is noted.").format(name=member.name)
    if request.POST.get("from") == "member":
        return done(request, said, "people:member", member.pk)
    return done(request, said, "care:promises")


@staff_view("run_care")
@require_POST
@telling
def end(request: StaffRequest, promise_id: int) -> HttpResponseBase:
    rows = Promise.objects.filter(community=request.community)
    why = request.POST.get("why", "")
    do_end_promise(found(rows, promise_id), why=why, by=request.staff.actor)
    return done(request, _("The promise has ended."), "care:promises")
