"""All campaigns of a community, with how they stand."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from qunluo.campaigns.models import Campaign, Deed, Play, Purchase
from qunluo.community.queries import settings_of
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.campaigns.words import amount
from qunluo.console.people.answering import number_in

PAGE = 30
TABS = {"now": ("running", "paused"), "draft": ("draft",), "over": ("stopped", "ended")}


@dataclass(frozen=True)
class Line:
    """A campaign with its live numbers."""

    campaign: Campaign
    plays: int
    people: int
    orders: int
    paid: str


@staff_view("see_campaigns")
@require_safe
def campaigns(request: StaffRequest) -> HttpResponse:
    """One tab of the list, the newest first."""
    tab = request.GET.get("show", "now")
    tab = tab if tab in TABS else "now"
    every = Campaign.objects.filter(community=request.community)
    rows = every.filter(state__in=TABS[tab]).select_related("segment").order_by("-pk")
    before = number_in(request, "before")
    rows = rows.filter(pk__lt=before) if before else rows
    shown = list(rows[: PAGE + 1])
    context = {
        "rows": _lines(request, shown[:PAGE]), "tab": tab, "tabs": _tabs(),
        "running": every.filter(state="running").count(),
        "more": shown[PAGE - 1].pk if shown[PAGE:] else None,
    }  # fmt: skip
    return render(request, "console/campaigns/list.html", context)


def _tabs() -> list[tuple[str, str]]:
    return [("now", _("Running")), ("draft", _("Drafts")), ("over", _("Over"))]


def _lines(request: StaffRequest, rows: list[Campaign]) -> list[Line]:
    currency = settings_of(request.community).currency
    plays = _by(Play, rows, n=Count("pk"))
    people = _by(Deed, rows, n=Count("member", distinct=True))
    orders = _by(Purchase, rows, n=Count("pk"))
    paid = _by(Purchase, rows, n=Sum("order__paid_minor"))
    return [
        Line(row, plays.get(row.pk, 0), people.get(row.pk, 0), orders.get(row.pk, 0),
             amount(paid.get(row.pk, 0), currency, currency))
        for row in rows
    ]  # fmt: skip


def _by(
    model: type[Play] | type[Deed] | type[Purchase], rows: list[Campaign], n: Count | Sum
) -> dict[int, int]:
    found = model.objects.filter(campaign__in=rows).order_by().values_list("campaign")
    return {campaign: int(total or 0) for campaign, total in found.annotate(total=n)}
