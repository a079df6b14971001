"""The tree of invitations: what it amounts to, who brings the most, and one branch after another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from qunluo.campaigns.fraud import count_open
from qunluo.campaigns.models import Campaign, Visit
from qunluo.campaigns.trees import (
    Branch,
    joined_at,
    list_branches,
    list_core,
    list_generations,
    list_path,
    organic_share,
    read_chain,
    time_to_invite,
)
from qunluo.community.queries import settings_of
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import found, number_in
from qunluo.console.wording import current_lang
from qunluo.kit import clock
from qunluo.kit.money import format_money
from qunluo.members.models import Member

SPANS = {"30": 30, "90": 90, "all": None}
FRIENDS = 100


@staff_view("see_campaigns")
@require_safe
def tree(request: StaffRequest) -> HttpResponse:
    """The whole of it: generations with K, time to invite, organic share, core members."""
    span = request.GET.get("days", "90")
    span = span if span in SPANS else "90"
    days, campaign = SPANS[span], _campaign(request)
    since = clock.now() - timedelta(days=days) if days else None
    chain = read_chain(request.community, campaign=campaign, since=since)
    core = list_core(request.community, chain)
    spent = time_to_invite(chain, joined_at(chain.friends))
    share = organic_share(request.community, since=since)
    context = {
        "generations": list_generations(chain), "core": _lines(request, core), "span": span,
        "spans": _spans(), "campaign": campaign, "campaigns": _campaigns(request),
        "came": len(chain.inviter), "spent": _words(spent) if spent else "",
        "share": None if share is None else round(100 * share),
        "opened": _opened(request, campaign, since).count(),
        "waiting": count_open(request.community.pk),
    }  # fmt: skip
    return render(request, "console/campaigns/tree.html", context)


@staff_view("see_campaigns")
@require_safe
def branch(request: StaffRequest, member_id: int) -> HttpResponse:
    """One member: who brought them, and whom they brought, each leading to the next."""
    member = found(Member.objects.filter(community=request.community), member_id)
    chain = read_chain(request.community)
    friends = sorted(chain.friends.get(member.pk, ()), key=lambda f: chain.at[f], reverse=True)
    people = Member.objects.in_bulk(list_path(chain, member.pk))
    context = {
        "member": member, "path": [people[m] for m in list_path(chain, member.pk)],
        "own": _lines(request, list_branches(request.community, chain, [member.pk]))[0],
        "friends": _lines(
            request, list_branches(request.community, chain, friends[:FRIENDS])
        ),
        "more": max(0, len(friends) - FRIENDS),
    }  # fmt: skip
    return render(request, "console/campaigns/branch.html", context)


def _campaign(request: StaffRequest) -> Campaign | None:
    number = number_in(request, "campaign")
    rows = Campaign.objects.filter(community=request.community)
    return found(rows, number) if number else None


def _campaigns(request: StaffRequest) -> QuerySet[Campaign]:
    """Those by which somebody was brought."""
    rows = Campaign.objects.filter(community=request.community, brought__isnull=False)
    return rows.distinct().order_by("-pk")[:50]


def _opened(request: StaffRequest, campaign: Campaign | None, since: Any) -> QuerySet[Visit]:
    rows = Visit.objects.filter(community=request.community)
    rows = rows.filter(campaign=campaign) if campaign else rows
    return rows.filter(at__gte=since) if since else rows


def _spans() -> list[tuple[str, str]]:
    return [("30", _("30 days")), ("90", _("90 days")), ("all", _("Always"))]


def _lines(request: StaffRequest, branches: list[Branch]) -> list[tuple[Branch, str]]:
    currency = settings_of(request.community).currency
    return [(b, format_money(b.paid_minor, currency, current_lang())) for b in branches]


def _words(span: timedelta) -> str:
    hours = round(span.total_seconds() / 3600)
    if hours < 48:
        return ngettext("{n} hour", "{n} hours", hours).format(n=hours)
    days = round(hours / 24)
    return ngettext("{n} day", "{n} days", days).format(n=days)
