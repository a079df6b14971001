"""Gatherings as members see them: sign up, give the seat back, note that one was there."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from qunluo.care.gatherings import (
    do_attend,
    do_sign_off,
    do_sign_up,
    find_signup,
    list_open_to,
)
from qunluo.care.models import Gathering, SignUp
from qunluo.care.rules import may_attend
from qunluo.h5.limits import limit
from qunluo.h5.own import find_own, in_sentences
from qunluo.h5.pages import page
from qunluo.kit import clock
from qunluo.members.models import Member

SHOWN = 50


@require_safe
def gatherings(request: HttpRequest, member_id: int) -> HttpResponse:
    """What the visitor may come to, the next first."""
    member = find_own(request, member_id)
    rows = list(list_open_to(member)[:SHOWN])
    mine = {s.gathering_id: s for s in SignUp.objects.filter(member=member, gathering__in=rows)}
    context = {"member": member, "rows": [(row, mine.get(row.pk)) for row in rows]}
    return page(request, "gatherings.html", context)


def _find(member: Member, gathering_id: int) -> Gathering:
    found = list_open_to(member).filter(pk=gathering_id).select_related("community").first()
    if found is None:
        raise Http404
    return found


@require_safe
def gathering(request: HttpRequest, member_id: int, gathering_id: int) -> HttpResponse:
    member = find_own(request, member_id)
    row, now = _find(member, gathering_id), clock.now()
    context = {
        "member": member, "row": row, "mine": find_signup(row, member),
        "left": max(row.capacity - row.taken, 0), "over": row.ends_at <= now,
        "waiting": row.signups.filter(state="waiting").count(),
        "attend": row.state == "open" and may_attend(row.starts_at, row.ends_at, now),
        "linked": row.online and row.place.startswith(("https://", "http://")),
    }  # fmt: skip
    return page(request, "gathering.html", context)


@require_POST
@in_sentences
def seat(request: HttpRequest, member_id: int, gathering_id: int) -> HttpResponse:
    """Signs up, or gives the seat back."""
    member = find_own(request, member_id)
    limit(request, "act", member.pk)
    row = _find(member, gathering_id)
    if request.POST.get("on") == "yes":
        do_sign_up(row, member, by=member.actor)
    else:
        signup = find_signup(row, member)
        if signup is not None:
            do_sign_off(signup, by=member.actor)
    return redirect("h5:gathering", member.pk, row.pk)


@require_POST
@in_sentences
def attend(request: HttpRequest, member_id: int, gathering_id: int) -> HttpResponse:
    """The code that is told on the spot; few guesses."""
    member = find_own(request, member_id)
    row = _find(member, gathering_id)
    limit(request, "code", member.pk)
    do_attend(row, member, request.POST.get("code", ""), by=member.actor)
    return redirect("h5:gathering", member.pk, row.pk)
