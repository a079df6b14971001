"""One campaign: its figures while it runs, its plays, and pausing, stopping and ending it."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.campaigns.drawing import check_draws, is_over
from qunluo.campaigns.errors import NotRunningError
from qunluo.campaigns.lifecycle import (
    do_pause,
    do_resume,
    do_stop,
    do_take_back_budget,
    list_stores,
)
from qunluo.campaigns.mechanics.kernel import OPEN, Refused
from qunluo.campaigns.models import Campaign, CampaignVersion, Deed, Play, Purchase, Reward
from qunluo.campaigns.playing import Asked, do_act_for, is_running, rules_of
from qunluo.campaigns.registry import find_mechanic
from qunluo.campaigns.results import Figure, Results, results_of
from qunluo.campaigns.stopping import plan_stop
from qunluo.community.queries import settings_of
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.campaigns.inputs import shop_of
from qunluo.console.campaigns.planning import list_differences
from qunluo.console.campaigns.wizard import find
from qunluo.console.campaigns.words import amount, unit_word
from qunluo.console.people.answering import REFUSED, done, found, number_in, telling
from qunluo.console.people.timeline import name_actors
from qunluo.console.wording import current_lang
from qunluo.kit import clock
from qunluo.kit.text import Text

PAGE = 50
EVERY_S = 10
DRAWS = frozenset({"lucky_draw", "bargain", "red_packet"})  # models in which chance decides
SAID = {
    "participants": Text("{much} took part", "{much} 位成员参与"),
    "helps": Text("{much} helps", "{much} 次助力"),
    "orders": Text("{much} orders", "{much} 笔订单"),
    "paid": Text("{much} paid", "实收 {much}"),
    "refunds": Text("{much} given back", "退款 {much}"),
}
GIVEN = Text("rewards paid: {much}", "已发放 {much}")
LISTED = Text(", ", "，")


@staff_view("see_campaigns")
@require_safe
def campaign(request: StaffRequest, campaign_id: int) -> HttpResponse:
    """How it stands, what was changed, and what can be done with it."""
    row = find(request, campaign_id)
    context = {
        "campaign": row, "mechanic": find_mechanic(row.mechanic), "page_of": _page_of(row),
        "versions": _versions(request, row), "may_take_back": _may_take_back(row),
        "packet": secrets.token_urlsafe(12) if _may_put_out(row) else "",
        "over": is_over(row), "draws": row.mechanic in DRAWS,
        **_live(request, row),
    }  # fmt: skip
    return render(request, "console/campaigns/one.html", context)


@staff_view("see_campaigns")
@require_safe
def live(request: StaffRequest, campaign_id: int) -> HttpResponse:
    """Its figures alone, to be looked at again and again."""
    row = find(request, campaign_id)
    context = {"campaign": row, **_live(request, row)}
    return render(request, "console/campaigns/live.html", context)


def _page_of(row: Campaign) -> str:
    """The address of its page for members, where there is one."""
    try:
        return reverse("h5:campaign", args=[row.code])
    except NoReverseMatch:
        return ""


def _live(request: StaffRequest, row: Campaign) -> dict[str, Any]:
    results, currency = results_of(row), settings_of(request.community).currency
    shown = [(f, *_words(f, currency)) for f in results.value]
    units = sorted({figure.unit for figure in results.value})
    page_of = _page_of(row)
    return {
        "verdict": _verdict(results, currency), "state": row.state,
        "nobody": row.state == "running" and not results.people[1].here,
        "link": request.build_absolute_uri(page_of) if page_of else "",
        "people": [(f, *_words(f, currency)) for f in results.people],
        "orders": [(f, *_words(f, currency)) for f in results.orders],
        "value": [(unit_word(unit), [line for line in shown if line[0].unit == unit])
                  for unit in units],
        "broken": results.broken, "figures": len(results.all),
        "every_s": EVERY_S if row.state in ("running", "paused") else 0,
    }  # fmt: skip


def _verdict(results: Results, currency: str) -> str:
    """What came of it so far, in a sentence."""
    here = {figure.name: figure for figure in (*results.people, *results.orders)}
    parts = [
        words.format(much=amount(here[name].here, here[name].unit, currency))(current_lang())
        for name, words in SAID.items() if name in here and here[name].here
    ]  # fmt: skip
    given = [amount(f.here, f.unit, currency) for f in results.value
             if f.name == "given" and f.here]  # fmt: skip
    parts += [GIVEN.format(much=much)(current_lang()) for much in given]
    return LISTED(current_lang()).join(parts)


def _words(figure: Figure, currency: str) -> tuple[str, str]:
    return (
        amount(figure.here, figure.unit, currency),
        amount(figure.there, figure.unit, currency),
    )


def _versions(request: StaffRequest, row: Campaign) -> list[tuple[CampaignVersion, str, Any]]:
    """The newest first, each with who made it and what it changed."""
    rows, shop = list(row.versions.order_by("number")), shop_of(request.community)
    names = name_actors({version.by for version in rows}, request.community)
    found_ = []
    for before, version in zip([None, *rows], rows, strict=False):
        earlier = before.rules if before else version.rules
        changes = list_differences(row.mechanic, earlier, version.rules, shop)
        found_.append((version, names.get(version.by, version.by), changes))
    return found_[::-1]


def _may_take_back(row: Campaign) -> bool:
    open_plays = Play.objects.filter(campaign=row, deadline__isnull=False)
    ended = row.state in ("stopped", "ended") and not open_plays.exists()
    return ended and bool(list_stores(row))


# plays


@staff_view("see_campaigns")
@require_safe
def plays(request: StaffRequest, campaign_id: int) -> HttpResponse:
    """What was begun, the newest first."""
    row, which = find(request, campaign_id), request.GET.get("show", "all")
    rows = Play.objects.filter(campaign=row).select_related("starter", "version")
    rows = rows.filter(deadline__isnull=False) if which == "open" else rows
    before = number_in(request, "before")
    rows = rows.filter(pk__lt=before) if before else rows
    shown = list(rows.order_by("-pk")[: PAGE + 1])
    context = {
        "campaign": row, "rows": shown[:PAGE], "which": which,
        "more": shown[PAGE - 1].pk if shown[PAGE:] else None,
    }  # fmt: skip
    return render(request, "console/campaigns/plays.html", context)


@staff_view("see_campaigns")
@require_safe
def play(request: StaffRequest, campaign_id: int, play_id: int) -> HttpResponse:
    """One of them: every act in it, its orders and rewards."""
    row = find(request, campaign_id)
    one = found(Play.objects.filter(campaign=row).select_related("starter", "version"), play_id)
    currency = settings_of(request.community).currency
    deeds = Deed.objects.filter(campaign=row, play=one.key).select_related("member")
    bought = Purchase.objects.filter(campaign=row, play=one.key).select_related("order__member")
    rewards = Reward.objects.filter(campaign=row, play=one.key).select_related("member")
    context = {
        "campaign": row, "play": one,
        "deeds": [(deed, _say(deed.answer, currency)) for deed in deeds.order_by("pk")[:500]],
        "orders": [(p.order, amount(p.order.total_minor, p.order.currency, currency))
                   for p in bought.order_by("pk")],
        "rewards": [(r, amount(r.amount, r.unit, currency)) for r in rewards.order_by("pk")],
        "rules": _rules_line(request, row, one),
    }  # fmt: skip
    return render(request, "console/campaigns/play.html", context)


def _say(answer: dict[str, Any], currency: str) -> str:
    """What was answered, in a line; money as money."""
    words = {
        "cut_minor": _("cut"), "price_minor": _("price"), "amount_minor": _("amount"),
        "ref": _("order"), "amount": _("amount"), "prize": _("prize"), "number": _("number"),
    }  # fmt: skip
    parts = [
        f"{words.get(name, name)} {_value(name, value, currency)}"
        for name, value in answer.items()
        if isinstance(value, int | str) and not isinstance(value, bool) and value != ""
    ]
    return " · ".join(parts)[:300]


def _value(name: str, value: int | str, currency: str) -> str:
    is_money = isinstance(value, int) and name.endswith("_minor")
    return amount(int(value), currency, currency) if is_money else str(value)


def _rules_line(request: StaffRequest, row: Campaign, one: Play) -> str:
    if one.version_id == row.version_id:
        return _("the rules in force (version {n})").format(n=one.version.number)
    return _("version {n} of the rules").format(n=one.version.number)


# what can be done with it


@staff_view("run_campaigns")
@require_POST
@telling
def packet(request: StaffRequest, campaign_id: int) -> HttpResponseBase:
    """Puts out a red packet of the campaign's budget; the same form once."""
    row = find(request, campaign_id)
    if not _may_put_out(row):
        raise NotRunningError(name=row.name)
    key = f"packet:{request.POST.get('key', '')[:60]}"
    answer = do_act_for(row, Asked(OPEN, key), by=request.staff.actor)
    if isinstance(answer, Refused):
        messages.error(request, answer.why(current_lang()))
        return redirect("campaigns:one", row.pk)
    said = _("The packet is out: members take their shares on its page.")
    return done(request, said, "campaigns:one", row.pk)


def _may_put_out(row: Campaign) -> bool:
    """Whether packets of it are the team's to put out, now."""
    of_us = row.mechanic == "red_packet" and rules_of(row).giver == "campaign"
    return of_us and is_running(row, clock.now())


@staff_view("run_campaigns")
@require_POST
@telling
def pause(request: StaffRequest, campaign_id: int) -> HttpResponseBase:
    row = find(request, campaign_id)
    do_pause(row, why=_why(request), by=request.staff.actor)
    return done(request, _("Paused: nobody acts until it goes on."), "campaigns:one", row.pk)


def _why(request: StaffRequest) -> str:
    return request.POST.get("why", "").strip()[:200]


@staff_view("run_campaigns")
@require_POST
@telling
def resume(request: StaffRequest, campaign_id: int) -> HttpResponseBase:
    row = find(request, campaign_id)
    do_resume(row, by=request.staff.actor)
    return done(request, _("It goes on."), "campaigns:one", row.pk)


@staff_view("run_campaigns")
@require_safe
def stopping(request: StaffRequest, campaign_id: int) -> HttpResponse:
    """What stopping would do, counted on what is there now."""
    return _stopping(request, find(request, campaign_id))


def _stopping(request: StaffRequest, row: Campaign, said: str = "") -> HttpResponse:
    currency = settings_of(request.community).currency
    planned = plan_stop(row)
    context = {
        "campaign": row, "plan": planned, "said": said,
        "refunded": amount(planned.refunded_minor, currency, currency),
        "free": [amount(n, unit, currency) for unit, n in sorted(planned.free.items())],
    }  # fmt: skip
    status = REFUSED if said else 200
    return render(request, "console/campaigns/stop.html", context, status=status)


@staff_view("run_campaigns")
@require_POST
@telling
def stop(request: StaffRequest, campaign_id: int) -> HttpResponseBase:
    """Ends it at once."""
    row, why = find(request, campaign_id), _why(request)
    if not why:
        return _stopping(request, row, _("Say why: members who ask will hear it."))
    do_stop(row, why=why, by=request.staff.actor)
    said = _("Stopped. Its open plays are being closed.")
    return done(request, said, "campaigns:one", row.pk)


@staff_view("run_campaigns")
@require_POST
@telling
def take_back(request: StaffRequest, campaign_id: int) -> HttpResponseBase:
    """What is left of its budget comes back."""
    row = find(request, campaign_id)
    currency = settings_of(request.community).currency
    back = do_take_back_budget(row, by=request.staff.actor)
    words = ", ".join(amount(n, unit, currency) for unit, n in sorted(back.items()))
    said = _("Taken back: {what}.").format(what=words or _("nothing was left"))
    return done(request, said, "campaigns:one", row.pk)


@staff_view("see_campaigns")
@require_safe
def draws(request: StaffRequest, campaign_id: int) -> HttpResponse:
    """The promise made at the start, the seed after the end, and every draw checked by it."""
    row = find(request, campaign_id)
    context = {"campaign": row, "over": is_over(row), "check": check_draws(row)}
    return render(request, "console/campaigns/draws.html", context)
