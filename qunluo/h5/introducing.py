"""An introduction as one of the two sees it: their link lets them say yes or no.

The link is signed for one member and one introduction: it works on any channel, without a
session. Opening it decides nothing, as messengers open links to show them.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from qunluo.care.introductions import (
    do_answer,
    do_opt_out,
    do_withdraw,
    find_by_token,
    list_own,
    make_token,
    said_by,
)
from qunluo.care.models import Introduction, IntroductionOptOut
from qunluo.h5.limits import limit
from qunluo.h5.own import in_sentences
from qunluo.h5.pages import page
from qunluo.members.models import Member


def _find(token: str) -> tuple[Introduction, Member, Member]:
    found = find_by_token(token)
    if found is None or found[1].erased_at is not None:
        raise Http404
    return found


def own_context(member: Member) -> dict[str, Any]:
    """What a member's own page shows: who asks for their consent, and who they met this way."""
    shown = [
        {"introduction": row, "other": other, "token": make_token(row, member),
         "said": said_by(row, member)}
        for row, other in list_own(member)
    ]  # fmt: skip
    return {
        "introductions": shown,
        "introductions_off": IntroductionOptOut.objects.filter(member=member).exists(),
    }


@require_safe
def introduction(request: HttpRequest, token: str) -> HttpResponse:
    row, member, other = _find(token)
    context = {
        "introduction": row, "member": member, "other": other, "token": token,
        "said": said_by(row, member),
        "out": IntroductionOptOut.objects.filter(member=member).exists(),
    }  # fmt: skip
    response = page(request, "introduction.html", context)
    response["Referrer-Policy"] = "same-origin"  # the address is a key: only we may see it
    response["X-Robots-Tag"] = "noindex"
    return response


@require_POST
@in_sentences
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Yes, no, never again; or an introduction that was made is taken back."""
    row, member, _ = _find(token)
    limit(request, "act", member.pk)
    said = request.POST.get("say", "")
    if said in ("never", "again"):
        do_opt_out(member, out=said == "never")
    elif said in ("yes", "no"):
        do_answer(row, member, yes=said == "yes")
    elif said == "withdraw":
        do_withdraw(row, member)
    return redirect("h5:introduction", token)
