"""The wish list as members see it: make one, vote, take the vote back, read the answer."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from qunluo.care.models import Wish
from qunluo.care.wishes import (
    ANSWERS,
    do_make_wish,
    do_take_back_vote,
    do_vote,
    find_kept,
    list_supported,
    list_wishes,
)
from qunluo.h5.limits import limit
from qunluo.h5.own import find_own, in_sentences
from qunluo.h5.pages import one_line, page, several_lines
from qunluo.members.models import Member

SHOWN = 100
ANSWERED = 20


@require_safe
def wishes(request: HttpRequest, member_id: int) -> HttpResponse:
    """What is wished for, the most wanted first; below it what was answered."""
    member = find_own(request, member_id)
    rows = list(list_wishes(member.community, "open")[:SHOWN])
    answered = list_wishes(member.community, *ANSWERS).order_by("-answered_at")[:ANSWERED]
    context = {
        "member": member, "rows": _with_votes(member, rows),
        "answered": _with_votes(member, list(answered)),
    }  # fmt: skip
    return page(request, "wishes.html", context)


def _with_votes(member: Member, rows: list[Wish]) -> list[tuple[Wish, bool]]:
    mine = list_supported(member, rows)
    return [(wish, wish.pk in mine) for wish in rows]


def _find(member: Member, wish_id: int) -> Wish:
    """The wish, or the one it became part of; raises `Http404` for one that is out of sight."""
    rows = Wish.objects.filter(community=member.community, pk=wish_id)
    found = rows.select_related("merged_into").first()
    if found is None or find_kept(found).state == "aside":
        raise Http404
    return find_kept(found)


@require_safe
def wish(request: HttpRequest, member_id: int, wish_id: int) -> HttpResponse:
    member = find_own(request, member_id)
    found = _find(member, wish_id)
    context: dict[str, Any] = {
        "member": member, "wish": found, "mine": bool(list_supported(member, [found])),
    }  # fmt: skip
    return page(request, "wish.html", context)


@require_POST
@in_sentences
def make(request: HttpRequest, member_id: int) -> HttpResponse:
    member = find_own(request, member_id)
    limit(request, "act", member.pk)
    made = do_make_wish(
        member.community, title=one_line(request.POST.get("title"), 120),
        text=several_lines(request.POST.get("text")), member=member, by=member.actor,
    )  # fmt: skip
    return redirect("h5:wish", member.pk, made.pk)


@require_POST
@in_sentences
def vote(request: HttpRequest, member_id: int, wish_id: int) -> HttpResponse:
    """Votes, or takes the vote back."""
    member = find_own(request, member_id)
    limit(request, "act", member.pk)
    found = _find(member, wish_id)
    do = do_take_back_vote if request.POST.get("on") == "no" else do_vote
    do(found, member, by=member.actor)
    if request.POST.get("from") == "one":
        return redirect("h5:wish", member.pk, found.pk)
    return redirect("h5:wishes", member.pk)
