"""Incidents: what is open, one with its scripts and its timeline, and what opens them."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunluo.care.handbook import (
    NAMES,
    OPTIONS,
    PHASES,
    do_set_trigger,
    find_trigger,
    list_steps,
    options_of,
)
from qunluo.care.incidents import (
    do_close_incident,
    do_handle_incident,
    do_note_incident,
    do_open_incident,
    do_own_incident,
    do_reopen_incident,
    do_tick_step,
    list_evidence,
    list_incidents,
)
from qunluo.care.models import Incident
from qunluo.care.rules import TRIGGERS, Sign
from qunluo.community.models import Staff
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, telling
from qunluo.console.people.forms import open_groups
from qunluo.console.people.timeline import name_actors
from qunluo.console.wording import current_lang
from qunluo.groups.models import Group
from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

PAGE = 50


class IncidentForm(forms.Form):
    """An incident that a person saw first."""

    why = forms.CharField(label=gettext_lazy("What happened"), max_length=200)
    group = forms.ModelChoiceField(
        Group.objects.none(), label=gettext_lazy("In which group (optional)"), required=False,
        empty_label=gettext_lazy("Everywhere"),
    )  # fmt: skip

    def __init__(self, request: StaffRequest, *args: Any) -> None:
        super().__init__(*args)
        self.fields["group"].queryset = open_groups(request.community)  # type: ignore[attr-defined]  # a ModelChoiceField


def phase_words() -> dict[str, str]:
    return {
        "before": _("Before it happens"),
        "during": _("While it lasts"),
        "after": _("Afterwards"),
    }


def state_words() -> dict[str, str]:
    return {
        "open": _("Not under control"),
        "handled": _("Under control"),
        "closed": _("Closed"),
    }


def note_words() -> dict[str, str]:
    return {
        "opened": _("opened it"), "owned": _("gave it to"), "noted": _("noted"),
        "done": _("has done"), "undone": _("has not done after all"),
        "handled": _("brought it under control"), "closed": _("closed it"),
        "reopened": _("opened it again"),
    }  # fmt: skip


@staff_view("care")
@require_safe
def incidents(request: StaffRequest) -> HttpResponse:
    """What is not closed, and what was."""
    return page(request)


def page(request: StaffRequest, **more: Any) -> HttpResponse:
    closed = request.GET.get("show") == "closed"
    states = ("closed",) if closed else ("open", "handled")
    rows = list_incidents(request.community, *states)[:PAGE]
    context = {
        "rows": rows, "closed": closed, "names": _names(), "states": state_words(),
        "form": IncidentForm(request), **more,
    }  # fmt: skip
    return render(
        request, "console/care/incidents.html", context, status=REFUSED if more else 200
    )


def _names() -> dict[str, str]:
    return {kind: words(current_lang()) for kind, words in NAMES.items()}


def _find(request: StaffRequest, incident_id: int) -> Incident:
    rows = Incident.objects.filter(community=request.community)
    return found(rows.select_related("group", "owner__user", "community"), incident_id)


@staff_view("care")
@require_POST
@telling
def open_one(request: StaffRequest) -> HttpResponseBase:
    form = IncidentForm(request, request.POST)
    if not form.is_valid():
        return page(request, form=form)
    why, group = form.cleaned_data["why"], form.cleaned_data["group"]
    made = do_open_incident(
        request.community, "hand", Sign(Text(why, why), {}), group=group, by=request.staff.actor
    )
    return done(request, _("The incident is open."), "care:incident", made.pk)


@staff_view("care")
@require_safe
def incident(request: StaffRequest, incident_id: int) -> HttpResponse:
    """One incident: why, whose, what to do, what was done."""
    row, lang = _find(request, incident_id), current_lang()
    trigger, words = find_trigger(request.community, row.kind), phase_words()
    notes = list(row.notes.order_by("pk"))
    context = {
        "incident": row, "name": NAMES[row.kind](lang), "states": state_words(),
        "scripts": [(words[phase], list_steps(trigger, phase, lang)) for phase in PHASES],
        "notes": notes, "whats": note_words(), "evidence": list_evidence(row),
        "names": name_actors((note.by for note in notes), request.community),
        "staff": Staff.objects.filter(community=request.community).select_related("user"),
    }  # fmt: skip
    return render(request, "console/care/incident.html", context)


@staff_view("care")
@require_POST
@telling
def own(request: StaffRequest, incident_id: int) -> HttpResponseBase:
    row = _find(request, incident_id)
    owner = found(
        Staff.objects.filter(community=request.community), request.POST.get("owner", "")
    )
    do_own_incident(row, owner, by=request.staff.actor)
    said = _("{name} sees to it.").format(name=owner.shown)
    return done(request, said, "care:incident", row.pk)


@staff_view("care")
@require_POST
@telling
def note(request: StaffRequest, incident_id: int) -> HttpResponseBase:
    row = _find(request, incident_id)
    do_note_incident(row, request.POST.get("text", ""), by=request.staff.actor)
    return done(request, _("Noted."), "care:incident", row.pk)


@staff_view("care")
@require_POST
@telling
def tick(request: StaffRequest, incident_id: int) -> HttpResponseBase:
    """A step of the script is done, or is not after all."""
    row, key = _find(request, incident_id), request.POST.get("step", "")
    trigger = find_trigger(request.community, row.kind)
    steps = [step for phase in PHASES for step in list_steps(trigger, phase, current_lang())]
    step = next((step for step in steps if step.key == key), None)
    if step is None:
        raise Http404
    on = request.POST.get("on") == "yes"
    do_tick_step(row, step.key, on, words=step.words, by=request.staff.actor)
    return redirect("care:incident", row.pk)


@staff_view("care")
@require_POST
@telling
def move(request: StaffRequest, incident_id: int) -> HttpResponseBase:
    """Under control, over, or not over after all."""
    row, to, by = _find(request, incident_id), request.POST.get("to"), request.staff.actor
    if to == "handled":
        do_handle_incident(row, by=by)
        return done(request, _("It is under control."), "care:incident", row.pk)
    if to == "closed":
        do_close_incident(row, request.POST.get("outcome", ""), by=by)
        return done(request, _("The incident is closed."), "care:incidents")
    do_reopen_incident(row, by=by)
    return done(request, _("The incident is open again."), "care:incident", row.pk)


# what opens them


class TriggerForm(forms.Form):
    """What opens an incident of one kind, and its scripts."""

    active = forms.BooleanField(label=gettext_lazy("Opens incidents by itself"), required=False)

    def __init__(self, kind: str, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        lang, self.kind = current_lang(), kind
        if kind == "hand":
            del self.fields["active"]
        for name, usual in TRIGGERS[kind].items():
            label = OPTIONS[name](lang)
            self.fields[name] = (
                forms.CharField(label=label, widget=forms.Textarea(attrs={"rows": 2}))
                if isinstance(usual, list) else forms.IntegerField(label=label)
            )  # fmt: skip
        for phase, words in phase_words().items():
            self.fields[phase] = forms.CharField(
                label=words, required=False, max_length=4000,
                widget=forms.Textarea(attrs={"rows": 4}),
                help_text=_("One step a line. Empty: as in the handbook."),
            )  # fmt: skip

    def options(self) -> dict[str, Any]:
        given = {name: self.cleaned_data[name] for name in TRIGGERS[self.kind]}
        return {name: re.split(r"[,，、\n]", v) if isinstance(v, str) else v
                for name, v in given.items()}  # fmt: skip


@staff_view("care")
@require_safe
def triggers(request: StaffRequest) -> HttpResponse:
    """Everything that opens an incident here, in words."""
    rows, lang = [], current_lang()
    for kind, name in NAMES.items():
        trigger = find_trigger(request.community, kind)
        options = [(OPTIONS[n](lang), ", ".join(v) if isinstance(v, list) else v)
                   for n, v in options_of(trigger).items()]  # fmt: skip
        rows.append((kind, name(lang), trigger, options))
    return render(request, "console/care/triggers.html", {"rows": rows})


@staff_view("run_care")
@require_http_methods(["GET", "HEAD", "POST"])
def set_trigger(request: StaffRequest, kind: str) -> HttpResponse:
    if kind not in NAMES:
        raise Http404
    trigger = find_trigger(request.community, kind)
    form = TriggerForm(kind, request.POST or None, initial=_initial(trigger))
    if form.is_valid():
        given = form.cleaned_data
        try:
            do_set_trigger(
                request.community, kind, options=form.options(),
                active=given.get("active", True), by=request.staff.actor,
                scripts={phase: given[phase] for phase in PHASES},
            )  # fmt: skip
        except QunluoError as error:
            form.add_error(None, error.message(current_lang()))
        else:
            return done(request, _("It counts from now on."), "care:triggers")
    context = {"form": form, "name": NAMES[kind](current_lang())}
    status = REFUSED if form.is_bound else 200
    return render(request, "console/care/trigger.html", context, status=status)


def _initial(trigger: Any) -> dict[str, Any]:
    lang, options = current_lang(), options_of(trigger)
    shown = {n: ", ".join(v) if isinstance(v, list) else v for n, v in options.items()}
    scripts = {
        phase: "\n".join(step.words for step in list_steps(trigger, phase, lang))
        for phase in PHASES
    }
    return {"active": trigger.active, **shown, **scripts}
