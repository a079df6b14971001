"""The moderation queue: what the rules took exception to, why, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, number_in, telling
from qunluo.console.people.forms import WhyForm
from qunluo.console.people.timeline import name_actors
from qunluo.console.wording import current_lang
from qunluo.groups.models import Case
from qunluo.groups.moderation import do_decide_appeal, do_undo_case, do_uphold_case
from qunluo.messaging.actions import do_restore
from qunluo.messaging.models import Message

PAGE = 30
TABS = ("open", "appealed", "shadow", "decided")


@staff_view("moderate")
@require_safe
def cases(request: StaffRequest) -> HttpResponse:
    return page(request)


def page(request: StaffRequest, **more: Any) -> HttpResponse:
    """One tab of the queue, with a form as it was typed where one was refused."""
    tab = request.GET.get("show", "open")
    tab = tab if tab in TABS else "open"
    before = number_in(request, "before")
    rows = in_tab(request, tab).select_related("group", "member").order_by("-pk")
    chosen = list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
    actors = [actor for case in chosen for actor in (case.by, case.decided_by) if actor]
    context = {
        "rows": [(case, evidence_of(case)) for case in chosen[:PAGE]], "tab": tab,
        "tabs": [(name, words, counts(request).get(name)) for name, words in tab_words()],
        "names": name_actors(actors, request.community), "acts": act_words(),
        "older": chosen[PAGE - 1].pk if len(chosen) > PAGE else None, **more,
    }  # fmt: skip
    return render(
        request, "console/people/cases.html", context, status=REFUSED if more else 200
    )


def in_tab(request: StaffRequest, tab: str) -> QuerySet[Case]:
    """Shadow cases stand apart: nothing was done to anybody there."""
    rows = Case.objects.filter(community=request.community)
    if tab == "decided":
        return rows.filter(state__in=("upheld", "undone"))
    if tab == "appealed":
        return rows.filter(state="appealed")
    return rows.filter(state="open", shadow=tab == "shadow")


def counts(request: StaffRequest) -> dict[str, int]:
    """How many wait in each tab that waits for somebody."""
    rows = Case.objects.filter(community=request.community, state__in=("open", "appealed"))
    found_counts: dict[str, int] = {"open": 0, "appealed": 0, "shadow": 0}
    for row in rows.values("state", "shadow").annotate(n=Count("pk")):
        tab = "shadow" if row["shadow"] and row["state"] == "open" else row["state"]
        found_counts[tab] += row["n"]
    return found_counts


def tab_words() -> list[tuple[str, str]]:
    return [
        ("open", _("To decide")), ("appealed", _("Appeals")), ("shadow", _("In shadow")),
        ("decided", _("Decided")),
    ]  # fmt: skip


def act_words() -> dict[str, str]:
    return {
        "none": _("nothing"), "hold": _("held back"), "remind": _("reminded"),
        "warn": _("warned"), "remove": _("removed from the group"), "ban": _("banned"),
    }  # fmt: skip


def evidence_of(case: Case) -> dict[str, Any]:
    """What was found, in the reader's words, and the words to be marked."""
    lang, lines, marked = current_lang(), [], []
    for piece in case.evidence:
        why = piece.get("why", "")
        said = why.get(lang) or why.get("en", "") if isinstance(why, dict) else str(why)
        lines.append({"why": said, "percent": round(100 * float(piece.get("score", 0)))})
        marked += [str(word) for word in piece.get("words", ())]
    return {"lines": lines, "words": marked, "percent": round(100 * case.score)}


Decide = Callable[[Case, str, str], None]


def decide(request: StaffRequest, case_id: int, do: Decide, said: str) -> HttpResponseBase:
    """Asks for the reason, decides, and goes on with the queue."""
    case = found(Case.objects.filter(community=request.community), case_id)
    form = WhyForm(request.POST)
    if not form.is_valid():
        return page(request, refused=case.pk, why_form=form)
    with transaction.atomic():
        do(case, request.staff.actor, form.cleaned_data["why"])
    response = done(request, said, "people:cases")
    tab = request.GET.get("show", "open")
    return redirect(f"{response.url}?show={tab}") if tab in TABS else response  # type: ignore[attr-defined]  # a redirect


@staff_view("moderate")
@require_POST
@telling
def uphold(request: StaffRequest, case_id: int) -> HttpResponseBase:
    """It was right; the classifier learns from it."""
    said = _("Upheld. The rules learn from it.")
    return decide(
        request, case_id, lambda case, by, why: do_uphold_case(case, by=by, why=why), said
    )


@staff_view("moderate")
@require_POST
@telling
def undo(request: StaffRequest, case_id: int) -> HttpResponseBase:
    """It was wrong: strike, removal and ban go, the message is seen again."""
    return decide(request, case_id, take_back, _("Undone: strike, removal and ban are gone."))


def take_back(case: Case, by: str, why: str) -> None:
    do_undo_case(case, by=by, why=why)
    _show_again(case, by)


def _show_again(case: Case, by: str) -> None:
    if case.message_id is None:
        return
    message = Message.objects.filter(pk=case.message_id, group=case.group_id).first()
    if message is not None:
        do_restore(message, by=by)


@staff_view("moderate")
@require_POST
@telling
def decide_appeal(request: StaffRequest, case_id: int) -> HttpResponseBase:
    """The act stands, or all of it is undone."""
    stands = request.POST.get("stands") == "yes"

    def answer(case: Case, by: str, why: str) -> None:
        do_decide_appeal(case, uphold=stands, by=by, why=why)
        if not stands:
            _show_again(case, by)

    said = (
        _("The appeal is refused; the act stands.") if stands else _("The appeal is granted.")
    )
    return decide(request, case_id, answer, said)
