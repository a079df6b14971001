"""The wizard: a goal, a model, one form with its answer beside it, a last look, and publishing."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunluo.campaigns.errors import BudgetShortError, LintError
from qunluo.campaigns.lifecycle import (
    do_change,
    do_fund_worst_case,
    do_make,
    do_publish,
)
from qunluo.campaigns.models import Campaign
from qunluo.campaigns.registry import find_mechanic, list_mechanics
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.campaigns.inputs import draw, offer_of, shop_of
from qunluo.console.campaigns.parameters import parameters_of
from qunluo.console.campaigns.planning import (
    Draft,
    as_confirmed,
    draft_of,
    find_faults,
    fresh_draft,
    posted_draft,
    read,
    same,
    worst_case,
)
from qunluo.console.campaigns.preview import draw_screen
from qunluo.console.campaigns.typed import act_on
from qunluo.console.campaigns.words import GOALS, amount, supply_rows, window
from qunluo.console.people.answering import REFUSED, done, found
from qunluo.console.people.forms import open_groups
from qunluo.console.wording import current_lang
from qunluo.kit.errors import QunluoError
from qunluo.segments.queries import list_segments


@staff_view("run_campaigns")
@require_safe
def choose(request: StaffRequest) -> HttpResponse:
    """The models as pictured cards; those that fit a goal come first."""
    wanted = request.GET.get("goal", "")
    goal = next((g for g in GOALS if g[0] == wanted), None)
    models = list(list_mechanics().values())
    fitting = goal[2] if goal else frozenset()
    rows = [(m, m.name in fitting) for m in sorted(models, key=lambda m: m.name not in fitting)]
    goals = [(key, words(current_lang())) for key, words, _names in GOALS]
    context = {"rows": rows, "goals": goals, "goal": goal[0] if goal else ""}
    return render(request, "console/campaigns/choose.html", context)


@staff_view("run_campaigns")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest, mechanic: str) -> HttpResponse:
    """The form of a model; what is sent is kept as a draft."""
    _known(mechanic)
    if request.method == "POST":
        return _keep(request, posted_draft(request, mechanic), None)
    wanted = request.GET.get("goal", "")
    words = next((words(current_lang()) for key, words, _n in GOALS if key == wanted), "")
    return _form(request, fresh_draft(request, mechanic, words), None)


@staff_view("run_campaigns")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: StaffRequest, campaign_id: int) -> HttpResponse:
    """The same form of one that is there: a draft, or one that runs (then it is a version)."""
    campaign = find(request, campaign_id)
    if request.method == "POST":
        return _keep(request, posted_draft(request, campaign.mechanic), campaign)
    return _form(request, draft_of(request, campaign), campaign)


def find(request: StaffRequest, campaign_id: int | str) -> Campaign:
    rows = Campaign.objects.filter(community=request.community)
    return found(rows.select_related("community", "version", "segment", "group"), campaign_id)


def _known(mechanic: str) -> None:
    if mechanic not in list_mechanics():
        raise Http404


# the form


def _form(
    request: StaffRequest, draft: Draft, campaign: Campaign | None, *, said: str = "",
    tell: bool = False,
) -> HttpResponse:  # fmt: skip
    """The whole page; `tell`: with what is wrong beside each input."""
    context = _page(request, draft, campaign, tell=tell)
    status = REFUSED if said or (tell and context["wrong"]) else 200
    context |= {"said": said, "groups": open_groups(request.community),
                "segments": list_segments(request.community)}  # fmt: skip
    return render(request, "console/campaigns/form.html", context, status=status)


def _page(
    request: StaffRequest, draft: Draft, campaign: Campaign | None, *, tell: bool
) -> dict[str, Any]:
    panel = _panel(request, read(request, draft), campaign)
    wrong = draft.wrong if tell else {}
    inputs = draw(
        parameters_of(draft.mechanic), draft.typed, offer_of(request.community), wrong
    )
    warnings = [f for f in panel["faults"] if f.level == "warning"]
    running = campaign is not None and campaign.state != "draft"
    return {
        "draft": draft, "campaign": campaign, "inputs": inputs, "wrong": wrong,
        "reasons": [(f, draft.reasons.get(f.code, "")) for f in warnings] if running else [],
        "whole_wrong": wrong.get("", ""), **panel,
    }  # fmt: skip


def _panel(request: StaffRequest, draft: Draft, campaign: Campaign | None) -> dict[str, Any]:
    """What follows from what is typed: worst case, lint, and a member's phone."""
    mechanic, shop = find_mechanic(draft.mechanic), shop_of(request.community)
    wanted, lacks = worst_case(draft, campaign)
    faults = find_faults(request, draft, campaign)
    return {
        "mechanic": mechanic, "draft": draft, "lacking": len(draft.wrong),
        "wanted": supply_rows(wanted, shop.currency), "lacks": supply_rows(lacks, shop.currency),
        "faults": faults, "errors": sum(f.level == "error" for f in faults),
        "screen": draw_screen(mechanic, draft.rules, shop.currency) if draft.rules else None,
    }  # fmt: skip


@staff_view("run_campaigns")
@require_POST
def editor(request: StaffRequest, mechanic: str) -> HttpResponse:
    """The form after a button: one row more, or one less."""
    _known(mechanic)
    draft, campaign = posted_draft(request, mechanic), _own(request)
    act_on(draft.typed, request.POST.get("act", ""))
    if request.headers.get("HX-Request") != "true":
        return _form(request, draft, campaign)
    context = _page(request, draft, campaign, tell=False)
    return render(request, "console/campaigns/editor.html", context)


@staff_view("run_campaigns")
@require_POST
def panel(request: StaffRequest, mechanic: str) -> HttpResponse:
    """The answer while one types."""
    _known(mechanic)
    draft, campaign = read(request, posted_draft(request, mechanic)), _own(request)
    context = {**_panel(request, draft, campaign), "alone": True}
    return render(request, "console/campaigns/panel.html", context)


def _own(request: StaffRequest) -> Campaign | None:
    text = request.POST.get("own", "")
    return find(request, text) if text else None


def _keep(request: StaffRequest, draft: Draft, campaign: Campaign | None) -> HttpResponse:
    """Makes or changes it; a refusal comes back with the form as it was typed."""
    read(request, draft)
    if draft.plan is None:
        return _form(request, draft, campaign, tell=True)
    try:
        kept = _write(request, draft, campaign)
    except QunluoError as error:
        return _form(request, draft, campaign, said=_say(error, request), tell=True)
    if kept.state == "draft":
        return done(
            request, _("The draft is kept. Have a last look."), "campaigns:publish", kept.pk
        )
    said = _("Changed: what begins from now on follows the new rules.")
    return done(request, said, "campaigns:one", kept.pk)


def _say(error: QunluoError, request: StaffRequest) -> str:
    """Its sentence; a budget's in money where it is money."""
    if not isinstance(error, BudgetShortError):
        return error.message(current_lang())
    currency, unit = shop_of(request.community).currency, error.data["unit"]
    lack = error.data["needed"] - error.data["have"]
    return _(
        "The budget lacks {much} for the worst case. Let it be added below, or make the rewards "
        "or the number of plays smaller."
    ).format(much=amount(lack, unit, currency))


@transaction.atomic
def _write(request: StaffRequest, draft: Draft, campaign: Campaign | None) -> Campaign:
    by, plan = request.staff.actor, draft.plan
    assert plan is not None  # noqa: S101 - for the type checker; the caller looked
    if campaign is None:
        return do_make(request.community, plan, by=by)
    if campaign.state != "draft" and request.POST.get("fund") == "1":
        do_fund_worst_case(campaign, by=by, rules=draft.rules)
    do_change(campaign, plan, by=by)
    return campaign


# the last look


@staff_view("run_campaigns")
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: StaffRequest, campaign_id: int) -> HttpResponse:
    """What it costs at worst, what lint says, how it looks; then it begins."""
    campaign = find(request, campaign_id)
    if campaign.state != "draft":
        return done(request, _("It has been published already."), "campaigns:one", campaign.pk)
    draft = read(request, draft_of(request, campaign))
    if request.method == "POST":
        draft.reasons |= posted_draft(request, campaign.mechanic).reasons
        return _publish(request, campaign, draft)
    return _last_look(request, campaign, draft)


def _publish(request: StaffRequest, campaign: Campaign, draft: Draft) -> HttpResponse:
    _wanted, lacks = worst_case(draft, campaign)
    if not same(request.POST.get("confirmed", ""), lacks):
        said = _("The worst case has changed meanwhile: look at it again.")
        return _last_look(request, campaign, draft, said)
    by = request.staff.actor
    try:
        with transaction.atomic():
            do_fund_worst_case(campaign, by=by)
            do_publish(campaign, reasons=draft.reasons, by=by)
    except (LintError, BudgetShortError) as error:
        return _last_look(request, campaign, draft, _say(error, request))
    return done(request, _("It is published."), "campaigns:one", campaign.pk)


def _last_look(
    request: StaffRequest, campaign: Campaign, draft: Draft, said: str = ""
) -> HttpResponse:
    panel_ = _panel(request, draft, campaign)
    _wanted, lacks = worst_case(draft, campaign)
    context = {
        **panel_, "campaign": campaign, "said": said, "window": window(campaign),
        "confirmed": as_confirmed(lacks),
        "reasons": [(f, draft.reasons.get(f.code, "")) for f in panel_["faults"]
                    if f.level == "warning"],
        "blocking": [f for f in panel_["faults"] if f.level == "error"],
    }  # fmt: skip
    status = REFUSED if said else 200
    return render(request, "console/campaigns/publish.html", context, status=status)
