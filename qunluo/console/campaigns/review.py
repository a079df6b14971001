"""Friends in doubt: the evidence, and what people decide about them and about appeals."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.campaigns.models import Evidence, Reward, Suspicion
from qunluo.campaigns.reviewing import do_answer_appeal, do_keep_friend, do_void_friend
from qunluo.campaigns.signals import words_of
from qunluo.community.queries import settings_of
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.campaigns.words import amount
from qunluo.console.people.answering import done, found, telling
from qunluo.console.people.timeline import name_actors
from qunluo.console.wording import current_lang
from qunluo.kit.errors import QunluoError

PAGE = 50
BATCH = 200
TABS = {"open": ("open",), "appeals": ("voided",), "noted": ("noted",),
        "decided": ("kept", "voided", "restored")}  # fmt: skip
APPEALED = Q(appealed_at__isnull=False, answered_at=None)


@dataclass(frozen=True)
class Line:
    """A doubt with its evidence in words, what is at stake in its play, and how many of the
    same play wait."""

    row: Suspicion
    reasons: list[tuple[str, Evidence]]
    at_stake: list[str]
    alike: int


@staff_view("see_campaigns")
@require_safe
def doubts(request: StaffRequest) -> HttpResponse:
    """One tab of the queue, the heaviest first."""
    tab = request.GET.get("show", "open")
    tab = tab if tab in TABS else "open"
    rows = list(_rows(request, tab)[:PAGE])
    every = Suspicion.objects.filter(community=request.community)
    context = {
        "lines": _lines(request, rows), "tab": tab, "tabs": _tabs(),
        "open": every.filter(state="open").count(),
        "appeals": every.filter(APPEALED, state="voided").count(),
        "names": name_actors(
            [who for row in rows for who in (row.by, row.answered_by)], request.community
        ),
    }  # fmt: skip
    return render(request, "console/campaigns/doubts.html", context)


def _rows(request: StaffRequest, tab: str) -> QuerySet[Suspicion]:
    rows = Suspicion.objects.filter(community=request.community, state__in=TABS[tab])
    rows = rows.filter(APPEALED) if tab == "appeals" else rows
    rows = rows.select_related("campaign", "member", "inviter").prefetch_related("evidence")
    return rows.order_by("-decided_at" if tab == "decided" else "-score", "-pk")


def _tabs() -> list[tuple[str, str]]:
    return [
        ("open", _("To be looked at")), ("appeals", _("Appeals")), ("decided", _("Decided")),
        ("noted", _("Only noted")),
    ]  # fmt: skip


def _lines(request: StaffRequest, rows: list[Suspicion]) -> list[Line]:
    currency = settings_of(request.community).currency
    lang = current_lang()
    return [
        Line(
            row, [(words_of(e.kind, e.facts)(lang), e) for e in row.evidence.all()],
            [f"{amount(r.amount, r.unit, currency)}" for r in _stake(row)], _alike(row),
        )
        for row in rows
    ]  # fmt: skip


def _stake(row: Suspicion) -> QuerySet[Reward]:
    """What was given in its play to the two of them, and stands."""
    rows = Reward.objects.filter(campaign=row.campaign, play=row.play)
    rows = rows.filter(member__in=(row.member_id, row.inviter_id))
    return rows.exclude(state="clawed_back").order_by("pk")[:10]


def _alike(row: Suspicion) -> int:
    """How many others of the same play wait for the same reason."""
    if row.state != "open":
        return 0
    rows = Suspicion.objects.filter(campaign=row.campaign, play=row.play, state="open")
    return int(rows.exclude(pk=row.pk).aggregate(n=Count("pk"))["n"])


def _find(request: StaffRequest, suspicion_id: int) -> Suspicion:
    return found(Suspicion.objects.filter(community=request.community), suspicion_id)


@staff_view("run_campaigns")
@require_POST
@telling
def decide(request: StaffRequest, suspicion_id: int) -> HttpResponseBase:
    """Keeps or voids a friend; with `all`, everybody of the same play who waits, one by one."""
    row, why = _find(request, suspicion_id), request.POST.get("why", "")
    do = {"keep": do_keep_friend, "void": do_void_friend}.get(request.POST.get("decision", ""))
    if do is None:
        raise Http404
    by = request.staff.actor
    do(row, why=why, by=by)
    more = 0
    for other in _others(row) if request.POST.get("all") == "yes" else ():
        try:
            do(other, why=why, by=by)
            more += 1
        except QunluoError:  # somebody else was quicker with this one
            continue
    said = _("Decided: {n}. Whom it concerns reads why, and can appeal.").format(n=more + 1)
    return done(request, said, "campaigns:doubts")


def _others(row: Suspicion) -> list[Suspicion]:
    rows = Suspicion.objects.filter(campaign=row.campaign, play=row.play, state="open")
    return list(rows.order_by("pk")[:BATCH])


@staff_view("run_campaigns")
@require_POST
@telling
def answer(request: StaffRequest, suspicion_id: int) -> HttpResponseBase:
    """Answers an appeal: restores everything, or says why not."""
    row = _find(request, suspicion_id)
    restore = request.POST.get("decision") == "restore"
    do_answer_appeal(
        row, restore=restore, answer=request.POST.get("answer", ""), by=request.staff.actor
    )
    said = _("Restored exactly.") if restore else _("The decision stands; they were told why.")
    return done(request, said, "campaigns:doubts")
