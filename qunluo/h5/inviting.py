"""Invitations as members and strangers meet them: who opens one, one's own link and poster, who
came by it, and what was decided about a friend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.campaigns.errors import NoFontError
from qunluo.campaigns.invites import (
    COOKIE,
    COOKIE_S,
    Invite,
    address_of,
    do_come_in,
    do_visit,
    is_still_there,
    new_visitor,
    read_invite,
)
from qunluo.campaigns.marks import do_mark_browser
from qunluo.campaigns.models import Attribution, Campaign, Suspicion
from qunluo.campaigns.playing import is_running
from qunluo.campaigns.posters import Poster, draw_png, draw_svg, poster_of
from qunluo.campaigns.reviewing import do_appeal
from qunluo.campaigns.signals import words_of
from qunluo.channels.web.links import find_inviter
from qunluo.channels.web.sessions import find_member, session_of
from qunluo.h5.limits import limit
from qunluo.h5.own import find_own, in_sentences
from qunluo.h5.pages import lang, page, several_lines, told
from qunluo.kit import clock
from qunluo.members.models import Member

FRIENDS = 50
OPEN_TO_ALL = ("running", "paused", "stopped", "ended")
NO_STORE = "private, no-cache"


@dataclass(frozen=True)
class Arrival:
    """A browser at an invitation: whose it is, and the cookie by which it is known again;
    `keep`: it has to be told."""

    invite: Invite | None
    visitor: str
    keep: bool

    @property
    def inviter(self) -> Member | None:
        return self.invite.inviter if self.invite else None


def find_campaign(code: str) -> Campaign:
    """Raises `Http404`; a draft is nothing yet."""
    rows = Campaign.objects.filter(state__in=OPEN_TO_ALL)
    return get_object_or_404(rows.select_related("community", "group"), code=code)


# who opens one


def arrive(request: HttpRequest, community_id: int, member: Member | None) -> Arrival:
    """Notes that a page was opened by an invitation (`?i=`), and with which browser a member
    is here. The answer must go through `remember`."""
    visitor, fresh = request.COOKIES.get(COOKIE, "")[:64], False
    if not visitor:
        visitor, fresh = new_visitor(), True
    invite = read_invite(request.GET.get("i", ""), community_id)
    if request.method == "GET" and invite is not None:
        do_visit(invite, visitor, member)
    if member is not None:
        do_mark_browser(member, device=visitor, address=request.META.get("REMOTE_ADDR", ""))
    return Arrival(invite, visitor, fresh and (invite is not None or member is not None))


def remember(response: HttpResponse, arrival: Arrival) -> HttpResponse:
    """Gives the browser its cookie, once, and only where there is something to remember."""
    if arrival.keep:
        response.set_cookie(
            COOKIE, arrival.visitor, max_age=COOKIE_S, httponly=True, samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip
    return response


def come_in(request: HttpRequest, member: Member) -> None:
    """Somebody became a member in this browser: who brought them is decided."""
    visitor = request.COOKIES.get(COOKIE, "")[:64]
    do_come_in(member, visitor)
    do_mark_browser(member, device=visitor, address=request.META.get("REMOTE_ADDR", ""))


def inviter_in(request: HttpRequest, community_id: int) -> Member | None:
    """Who invites by the link that was opened: a campaign's, or a group's own."""
    token = request.GET.get("i", "")
    found = read_invite(token, community_id)
    return found.inviter if found else find_inviter(token, community_id)


# one's own


def _here(request: HttpRequest, code: str) -> tuple[Campaign, Member]:
    campaign = find_campaign(code)
    member = find_member(session_of(request), campaign.community_id)
    if member is None:
        raise Http404
    return campaign, member


def link_of(request: HttpRequest, campaign: Campaign, member: Member, channel: str) -> str:
    return request.build_absolute_uri(address_of(campaign, member, channel))


def _poster(request: HttpRequest, code: str) -> Poster:
    campaign, member = _here(request, code)
    limit(request, "act", member.pk)
    address = link_of(request, campaign, member, "poster")
    return poster_of(campaign, member, address, read_avatar(member))


def read_avatar(member: Member) -> bytes:
    """The member's picture, where we keep it ourselves; never one from elsewhere."""
    media = (settings.QUNLUO.data / "media").resolve()
    path = (settings.QUNLUO.data / member.avatar).resolve()
    if not member.avatar or not path.is_relative_to(media) or not path.is_file():
        return b""
    return path.read_bytes()


@require_safe
@in_sentences
def poster(request: HttpRequest, code: str) -> HttpResponse:
    """The signed-in member's poster as a picture; where no font is, the browser draws it."""
    content = _poster(request, code)
    if request.headers.get("If-None-Match") == f'"{content.etag}"':
        return _cached(HttpResponse(status=304), content)
    try:
        return _cached(HttpResponse(draw_png(content), content_type="image/png"), content)
    except NoFontError:
        return redirect("h5:poster_svg", code)


@require_safe
@in_sentences
def poster_svg(request: HttpRequest, code: str) -> HttpResponse:
    content = _poster(request, code)
    answer = HttpResponse(draw_svg(content), content_type="image/svg+xml")
    answer["Content-Security-Policy"] = "default-src 'none'; img-src data:"
    return _cached(answer, content)


def _cached(answer: HttpResponse, content: Poster) -> HttpResponse:
    answer["ETag"] = f'"{content.etag}"'
    answer["Cache-Control"] = NO_STORE
    return answer


@require_safe
def share(request: HttpRequest, code: str) -> HttpResponse:
    """The member's link and poster for one campaign."""
    campaign, member = _here(request, code)
    arrival = arrive(request, campaign.community_id, member)
    context = {
        "campaign": campaign, "member": member,
        "link": link_of(request, campaign, member, "link"),
        "running": is_running(campaign, clock.now()),
    }  # fmt: skip
    return remember(page(request, "share.html", context), arrival)


@require_safe
def invites(request: HttpRequest, member_id: int) -> HttpResponse:
    """Who came by the member's invitations, where to invite next, and what was decided."""
    member = find_own(request, member_id)
    came = Attribution.objects.filter(inviter=member).exclude(member=member)
    rows = came.select_related("member").order_by("-pk")[:FRIENDS]
    context = {
        "member": member, "total": came.count(),
        "friends": [(row, is_still_there(row.member)) for row in rows],
        "campaigns": _to_invite_to(member), "doubts": [_told(row) for row in _doubts(member)],
    }  # fmt: skip
    return page(request, "invites.html", context)


def _to_invite_to(member: Member) -> list[Campaign]:
    rows = Campaign.objects.filter(community=member.community_id, state="running")
    return [row for row in rows.order_by("-pk") if is_running(row, clock.now())]


def _doubts(member: Member) -> list[Suspicion]:
    """What stands decided against a friend of theirs, or against them as a friend."""
    mine = Suspicion.objects.filter(inviter=member) | Suspicion.objects.filter(member=member)
    rows = mine.filter(state__in=("voided", "restored")).select_related("campaign", "member")
    return list(rows.prefetch_related("evidence").order_by("-decided_at")[:FRIENDS])


def _told(row: Suspicion) -> dict[str, Any]:
    """A decision with its reasons in words."""
    reasons = [words_of(e.kind, e.facts)(lang()) for e in row.evidence.all()]
    return {"row": row, "reasons": reasons, "may_appeal": row.state == "voided"
            and row.appealed_at is None}  # fmt: skip


@require_POST
@in_sentences
def appeal(request: HttpRequest, member_id: int, suspicion_id: int) -> HttpResponse:
    member = find_own(request, member_id)
    limit(request, "appeal", member.pk)
    mine = Suspicion.objects.filter(inviter=member) | Suspicion.objects.filter(member=member)
    found = get_object_or_404(mine, pk=suspicion_id)
    do_appeal(found, several_lines(request.POST.get("text")), member=member)
    words = _("A person looks at it and decides. You see the answer on your page.")
    return told(request, _("Your appeal has arrived"), words, me=True)


def to_invites(member: Member) -> str:
    """Where a member's page of invitations is."""
    return reverse("h5:invites", args=[member.pk])
