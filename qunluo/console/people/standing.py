"""Where a member stands, on their page: chips that say why, and what a person may set right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from qunluo.community.rules import may
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people import forms as usual
from qunluo.console.people.answering import done, found, telling
from qunluo.console.people.members import of
from qunluo.console.people.moves import word
from qunluo.console.people.timeline import name_actors
from qunluo.console.wording import current_lang
from qunluo.members.models import Member
from qunluo.standing.actions import do_correct, do_lift
from qunluo.standing.correcting import list_choices
from qunluo.standing.models import Correction
from qunluo.standing.queries import (
    Chip,
    chips_of,
    list_changes,
    read_why,
    standing_of,
    thresholds_of,
)
from qunluo.standing.thresholds import Thresholds
from qunluo.standing.words import CORRECTABLE, NAMES

CHANGES = 20
WARNING = ("silent", "lost")
RISKY = 60  # of 100


class CorrectForm(forms.Form):
    """A standing, set by hand."""

    value = forms.ChoiceField(label=gettext_lazy("What it should be"))
    why = usual.why()

    def __init__(self, name: str, at: Thresholds, given: Any = None, **more: Any) -> None:
        super().__init__(given, prefix=name, **more)
        lang = current_lang()
        choices = [(value, words(lang)) for value, words in list_choices(name, at).items()]
        self.fields["value"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField


@dataclass(frozen=True)
class Shown:
    """A chip, and the form that sets it right where it may be."""

    name: str
    label: str
    value: str
    why: str
    mood: str
    by_hand: Correction | None
    by: str
    form: CorrectForm | None
    open: bool


@dataclass(frozen=True)
class Moved:
    """A line of the history."""

    at: datetime
    label: str
    before: str
    after: str
    why: str


def context_of(
    request: StaffRequest, member: Member, refused: CorrectForm | None = None
) -> dict[str, Any]:
    """What the part of the page about standing shows."""
    lang, chips = current_lang(), chips_of(member)
    names = name_actors((c.by_hand.by for c in chips if c.by_hand), request.community)
    edits = may(request.staff.role, "edit_members")
    at = thresholds_of(request.community)
    shown = [
        _show(chip, lang, names, _form(chip, at, refused) if edits else None, refused)
        for chip in chips
        if chip.name != "flags" or chip.value
    ]
    return {
        "standing": shown, "standing_on": _judged_on(member),
        "moves": _moves(member, at, lang),
    }  # fmt: skip


def _form(chip: Chip, at: Thresholds, refused: CorrectForm | None) -> CorrectForm | None:
    if chip.name not in CORRECTABLE:
        return None
    if refused is not None and refused.prefix == chip.name:
        return refused
    return CorrectForm(chip.name, at, initial={"value": chip.value})


def _show(
    chip: Chip,
    lang: str,
    names: dict[str, str],
    form: CorrectForm | None,
    refused: CorrectForm | None,
) -> Shown:
    by = chip.by_hand.by if chip.by_hand else ""
    return Shown(
        chip.name, chip.label(lang), chip.shown(lang), chip.why(lang), _mood(chip), chip.by_hand,
        names.get(by, by), form, refused is not None and refused.prefix == chip.name,
    )  # fmt: skip


def _mood(chip: Chip) -> str:
    """What asks for attention is said in colour beside its words."""
    risky = chip.name == "churn" and int(chip.value) >= RISKY
    if chip.name == "flags" or chip.value in WARNING or risky:
        return "q-late"
    return "q-on" if chip.value in ("core", "mature") else ""


def _judged_on(member: Member) -> date | None:
    row = standing_of(member)
    return row.judged_on if row else None


def _moves(member: Member, at: Thresholds, lang: str) -> list[Moved]:
    rows = list_changes(member, CHANGES)
    return [
        Moved(
            row.at, NAMES[row.name](lang) if row.name in NAMES else row.name,
            word(row.name, row.before, at), word(row.name, row.after, at),
            (read_why(row.why) or _nothing)(lang),
        )
        for row in rows
    ]  # fmt: skip


def _nothing(lang: str) -> str:
    return ""


@staff_view("edit_members")
@require_POST
@telling
def correct(request: StaffRequest, member_id: int, name: str) -> HttpResponseBase:
    """Sets a standing by hand, with the reason; the record keeps who."""
    from qunluo.console.people.member import page  # noqa: PLC0415 - it shows this part

    row = found(of(request.community).select_related("community"), member_id)
    form = CorrectForm(name, thresholds_of(request.community), request.POST)
    if not form.is_valid():
        return page(request, row, refused=form)
    given = form.cleaned_data
    do_correct(row, name, given["value"], why=given["why"], by=request.staff.actor)
    return done(request, _("It is set by hand until you lift it."), "people:member", row.pk)


@staff_view("edit_members")
@require_POST
@telling
def lift(request: StaffRequest, member_id: int, name: str) -> HttpResponseBase:
    """Gives a standing back to the evidence."""
    row = found(of(request.community).select_related("community"), member_id)
    do_lift(row, name, by=request.staff.actor)
    return done(request, _("The evidence decides again."), "people:member", row.pk)
