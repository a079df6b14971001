"""Starting a group: by five questions or by a card, then a form that is filled in already."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.launching.forms import BlueprintForm, initial_of
from qunluo.console.wording import current_lang
from qunluo.groups.blueprints import Blueprint, find_blueprint, list_blueprints
from qunluo.groups.blueprints.reading import STEPS
from qunluo.groups.errors import NoBlueprintError, TooLongError, WrongAnswerError
from qunluo.groups.fit import QUESTIONS, Fit, judge_fit, read_answers
from qunluo.groups.founding import say_drafts
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.kit.text import LANGS, Lang, Text
from qunluo.messaging.founding import do_found_from_blueprint

FORM = require_http_methods(["GET", "HEAD", "POST"])
STEP_NAMES: dict[str, Text] = {
    "plan": Text("Plan", "规划"), "build": Text("Build", "搭建"), "seed": Text("Seed", "种子"),
    "open": Text("Open", "开群"), "week": Text("First week", "首周"),
}  # fmt: skip
STANCES: dict[str, Text] = {
    "act": Text("acts from the start", "立即生效"), "watch": Text("only watches first", "先观察"),
    "off": Text("off", "关闭"),
}  # fmt: skip


@staff_view("run_groups")
@require_safe
def choose(request: StaffRequest) -> HttpResponse:
    """Ten kinds of group as cards, and the way to the questions."""
    return render(request, "console/launching/choose.html", {"blueprints": list_blueprints()})


@staff_view("run_groups")
@require_safe
def fit(request: StaffRequest) -> HttpResponse:
    """Five questions; the answer stands in the address, so that it can be shared."""
    context: dict[str, Any] = {"questions": _ask(request), "asked": bool(request.GET)}
    status = 200
    if request.GET:
        try:
            found = judge_fit(read_answers(request.GET.dict()), list_blueprints())
        except WrongAnswerError as error:
            context["wrong"], status = error.message(current_lang()), 400
        else:
            context |= _tell(found)
    return render(request, "console/launching/fit.html", context, status=status)


def _ask(request: StaffRequest) -> list[dict[str, Any]]:
    return [
        {"question": q, "given": request.GET.get(q.key, ""),
         "answers": [(key, words) for key, words, _ in q.answers]}
        for q in QUESTIONS
    ]  # fmt: skip


def _tell(found: Fit) -> dict[str, Any]:
    return {
        "fit": found,
        "best": find_blueprint(found.blueprint) if found.blueprint else None,
        "others": [find_blueprint(key) for key in found.others],
    }


@staff_view("run_groups")
@FORM
def begin(request: StaffRequest, key: str) -> HttpResponse:
    """The form of a group, filled in by its blueprint; sent, it founds the group with all that
    belongs to it."""
    blueprint = _find(key)
    lang, now = _lang_of(request), clock.now()
    form = BlueprintForm(
        request.community, blueprint, request.POST or None,
        initial=initial_of(blueprint, lang, now),
    )  # fmt: skip
    if form.is_valid():
        try:
            made = do_found_from_blueprint(
                request.community, key, lang=lang, by=request.staff.actor,
                answers=form.read_answers(lang, now),
            )  # fmt: skip
        except QunluoError as error:
            field = "ends_at" if isinstance(error, TooLongError) else None
            form.add_error(field, error.message(current_lang()))
        else:
            said = _("The group is there, with its checklist.")
            messages.success(request, f"{said} {say_drafts(blueprint)(current_lang())}")
            return redirect("console:group", made.pk)
    context = {"form": form, "lang": lang, **_show(blueprint, lang)}
    status = 400 if form.is_bound else 200
    return render(request, "console/launching/begin.html", context, status=status)


def _find(key: str) -> Blueprint:
    try:
        return find_blueprint(key)
    except NoBlueprintError:
        raise Http404 from None


def _lang_of(request: StaffRequest) -> Lang:
    """The language that the group will speak: chosen, or the community's."""
    chosen = request.POST.get("lang") or request.GET.get("lang")
    for lang in LANGS:
        if chosen == lang:
            return lang
    return "zh" if request.community.lang.startswith("zh") else "en"


def _show(blueprint: Blueprint, lang: Lang) -> dict[str, Any]:
    """What else comes with it."""
    items = blueprint.checklist
    return {
        "blueprint": blueprint,
        "replies": [(r.pattern(lang), r.answer(lang)) for r in blueprint.replies],
        "steps": [(STEP_NAMES[s], [i for i in items if i.step == s]) for s in STEPS],
        "guard": [(name, STANCES[stance]) for name, stance in blueprint.moderation.items()],
    }
