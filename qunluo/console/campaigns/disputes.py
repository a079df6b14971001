"""Swaps in dispute: both sides' words, and the decision of the team."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.campaigns.disputes import do_rule, list_disputes
from qunluo.campaigns.mechanics.swap_terms import OUTCOMES, Rules, State, returns, stakes
from qunluo.campaigns.models import Play
from qunluo.community.queries import settings_of
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.campaigns.words import amount
from qunluo.console.people.answering import done, found, telling
from qunluo.members.models import Member

PAGE = 50


@dataclass(frozen=True)
class Side:
    """One of the two: what they give, what they have left in it, and what they say."""

    member: int
    name: str
    gives: str
    left: str
    confirmed: bool
    said: str


@dataclass(frozen=True)
class Line:
    """A swap in dispute, and what each decision would pay to whom."""

    play: Play
    sides: tuple[Side, Side]
    outcomes: list[tuple[str, str, str]]


@staff_view("see_campaigns")
@require_safe
def disputes(request: StaffRequest) -> HttpResponse:
    """Those that wait, the oldest first."""
    rows = list(list_disputes(request.community)[:PAGE])
    context = {
        "lines": _lines(request, rows),
        "count": list_disputes(request.community).count(),
    }
    return render(request, "console/campaigns/disputes.html", context)


def _lines(request: StaffRequest, rows: Iterable[Play]) -> list[Line]:
    states = [(row, State.model_validate(row.state)) for row in rows]
    parties = {member for _row, state in states for member in state.parties}
    names = dict(Member.objects.filter(
        pk__in=parties, community=request.community, erased_at=None
    ).values_list("pk", "name"))  # fmt: skip
    currency = settings_of(request.community).currency
    return [_line(row, state, names, currency) for row, state in states]


def _line(row: Play, state: State, names: dict[int, str], currency: str) -> Line:
    rules = Rules.model_validate(row.version.rules)
    sides = _sides(state, rules, names, currency)
    return Line(row, sides, _outcomes(state, rules, sides, currency))


def _sides(
    state: State, rules: Rules, names: dict[int, str], currency: str
) -> tuple[Side, Side]:
    left, deal = stakes(state, rules), state.deal
    titles = (state.title, deal.offer.title if deal else "")
    first, second = (
        Side(
            member, names.get(member, _("somebody who has left")), title,
            amount(left[member], rules.unit, currency),
            bool(deal and member in deal.confirmed), deal.said.get(member, "") if deal else "",
        )
        for member, title in zip(state.parties, titles, strict=True)
    )  # fmt: skip
    return first, second


def _outcomes(
    state: State, rules: Rules, sides: tuple[Side, Side], currency: str
) -> list[tuple[str, str, str]]:
    one, other = sides
    words = {
        "swapped": _("It was swapped: the listings are done."),
        "undone": _("It is undone: both listings are open again."),
        "owner_forfeits": _("{name} did not keep it: the deposit goes to {other}.").format(
            name=one.name, other=other.name
        ),
        "other_forfeits": _("{name} did not keep it: the deposit goes to {other}.").format(
            name=other.name, other=one.name
        ),
    }
    found_ = []
    for key, outcome in OUTCOMES.items():
        gets = returns(state, outcome, rules)
        paid = [
            f"{side.name}: {amount(gets[side.member], rules.unit, currency)}" for side in sides
        ]
        found_.append((key, words[key], " · ".join(paid)))
    return found_


@staff_view("run_campaigns")
@require_POST
@telling
def decide(request: StaffRequest, play_id: int) -> HttpResponseBase:
    """Rules in one of them."""
    row = found(Play.objects.filter(campaign__community=request.community,
                                    campaign__mechanic="swap"), play_id)  # fmt: skip
    outcome = OUTCOMES.get(request.POST.get("outcome", ""))
    if outcome is None:
        raise Http404
    do_rule(row, outcome, why=request.POST.get("why", ""), by=request.staff.actor)
    return done(request, _("Decided. Both read why."), "campaigns:disputes")
