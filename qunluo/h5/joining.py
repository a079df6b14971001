"""The page behind a join link or QR code: what the group is, who asks, and the way in."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import segno
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from qunluo.campaigns.models import Campaign
from qunluo.care.testimonies import list_shown
from qunluo.channels.web.sessions import (
    CHANNEL,
    do_open_session,
    find_member,
    session_of,
    set_cookie,
)
from qunluo.community.models import Community, Staff
from qunluo.groups.actions import do_join, do_route
from qunluo.groups.errors import BannedError, WaitingForApprovalError
from qunluo.groups.models import Group, JoinRequest, Membership
from qunluo.groups.queries import count_members, find_group, find_membership
from qunluo.groups.rules import GATES, Applicant, judge_gate
from qunluo.h5.campaigning import list_in_group
from qunluo.h5.errors import ConsentMissingError, NameMissingError
from qunluo.h5.inviting import OPEN_TO_ALL, arrive, come_in, inviter_in, remember
from qunluo.h5.limits import TooOftenError, limit
from qunluo.h5.pages import in_words, lang, one_line, page
from qunluo.kit.errors import QunluoError
from qunluo.members.actions import do_meet, do_set_consent, do_set_place
from qunluo.members.errors import WrongPlaceError
from qunluo.members.models import ChannelCode, Member

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
NAME_LENGTH = 40
SAID = 3  # testimonies at the door


@dataclass(frozen=True)
class Door:
    """What a code opens: one group, or the best of those a channel code names."""

    code: str
    community: Community
    group: Group | None
    channel_code: ChannelCode | None

    @property
    def groups(self) -> list[Group] | None:
        """The groups to choose from; None: all of the community."""
        if self.channel_code is None or not self.channel_code.groups:
            return None
        rows = Group.objects.filter(community=self.community, pk__in=self.channel_code.groups)
        return list(rows)


def find_door(code: str) -> Door:
    """Raises `Http404` for a code that nobody made or that was switched off."""
    group = find_group(code)
    if group is not None:
        return Door(code, group.community, group, None)
    found = (
        ChannelCode.objects.select_related("community").filter(code=code, active=True).first()
    )
    if found is None:
        raise Http404
    return Door(code, found.community, None, found)


@require_safe
def qr(request: HttpRequest, code: str) -> HttpResponse:
    """The join link as a QR code, for a poster or another phone."""
    find_door(code)
    picture = io.BytesIO()
    address = request.build_absolute_uri(reverse("h5:join", args=[code]))
    segno.make(address, error="m").save(picture, kind="svg", scale=8, dark="#000", light="#fff")
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, code: str) -> HttpResponse:
    door = find_door(code)
    member = find_member(session_of(request), door.community.pk)
    if member is not None and door.group is not None and find_membership(door.group, member):
        return _back_to_campaign(request, door) or redirect("h5:room", door.group.code)
    if request.method == "POST":
        return _come_in(request, door, member)
    arrival = arrive(request, door.community.pk, member)
    return remember(_show(request, door, member), arrival)


def _show(
    request: HttpRequest, door: Door, member: Member | None, error: QunluoError | None = None
) -> HttpResponse:
    """The page, with what was typed kept where it was refused."""
    status = 200 if error is None else 429 if isinstance(error, TooOftenError) else 400
    context: dict[str, Any] = {
        "door": door, "group": door.group, "community": door.community, "member": member,
        "name": one_line(request.POST.get("name"), NAME_LENGTH) or (member.name if member else ""),
        "consent": consent_words(door.community), "error": error and error.message(lang()),
        "staff": Staff.objects.filter(community=door.community).exclude(name="").order_by("id"),
        "inviter": inviter_in(request, door.community.pk),
        "place": place_words() if _asks_place(door) else "",
    }  # fmt: skip
    if door.group is not None:
        context["campaigns"] = list_in_group(door.group, member)
        context["said"] = list_shown(door.community, door.group)[:SAID]
        kind = door.group.gate.get("kind", "open")
        context["count"] = count_members(door.group)
        context["asks"] = kind == "approval"
        if kind != "open" and kind in GATES:
            context["gate"] = judge_gate(door.group.gate, Applicant()).why(lang())
    response = page(request, "join.html", context, status)
    if context["place"]:
        response["Permissions-Policy"] = "camera=(), geolocation=(self), microphone=()"
    return response


def _asks_place(door: Door) -> bool:
    """Whether knowing where somebody is would decide anything here."""
    if door.group is not None:
        return bool(door.group.gate.get("kind") == "near")
    groups = door.groups
    rows = Group.objects.filter(community=door.community) if groups is None else groups
    return any(group.lat is not None for group in rows)


def consent_words(community: Community) -> str:
    """What somebody agrees to who joins; kept as it was shown."""
    return _(
        "I agree that “%(community)s” keeps my name and what I write here, so that the group "
        "works. I can see, take along or erase it at any time on my page."
    ) % {"community": community.name}


def _come_in(request: HttpRequest, door: Door, member: Member | None) -> HttpResponse:
    session, cookie = session_of(request), ""
    try:
        limit(request, "join")
        name = _check(request)
        if session is None:
            session, cookie = do_open_session()
        member = _meet(request, door, session.account, name)
        response = _enter(request, door, member)
    except QunluoError as error:
        response = _show(request, door, member, error)
    if cookie:
        set_cookie(response, cookie)
    return response


def _check(request: HttpRequest) -> str:
    """The name given; raises `NameMissingError` or `ConsentMissingError`."""
    name = one_line(request.POST.get("name"), NAME_LENGTH)
    if not name:
        raise NameMissingError
    if request.POST.get("consent") != "yes":
        raise ConsentMissingError
    return name


def _meet(request: HttpRequest, door: Door, account: str, name: str) -> Member:
    utm = {key: request.GET[key][:80] for key in UTM if key in request.GET}
    member = do_meet(
        door.community, channel=CHANNEL, external_id=account, name=name, code=door.channel_code,
        inviter=inviter_in(request, door.community.pk), page=request.path, utm=utm,
    )  # fmt: skip
    come_in(request, member)
    words = consent_words(door.community)
    do_set_consent(member, "service", CHANNEL, True, words=words, by=member.actor)
    if request.POST.get("marketing") == "yes":
        do_set_consent(
            member, "marketing", CHANNEL, True, words=marketing_words(), by=member.actor
        )
    _keep_place(request, member)
    return member


def marketing_words() -> str:
    return _("Tell me about offers and events. I can stop this at any time.")


def place_words() -> str:
    return _("Use where I am now, to about 100 metres, to find the group of the nearest store.")


def _keep_place(request: HttpRequest, member: Member) -> None:
    """What the phone told, where its owner ticked that it may."""
    told = [request.POST.get(name, "") for name in ("lat", "lon")]
    if request.POST.get("place") != "yes" or not all(told):
        return
    try:
        lat, lon = map(float, told)
    except ValueError:
        raise WrongPlaceError from None
    do_set_place(member, lat, lon, words=place_words(), by=member.actor)


def _enter(request: HttpRequest, door: Door, member: Member) -> HttpResponse:
    """Into the group, or to where it is said why not yet."""
    try:
        seat = _take(request, door, member)
    except WaitingForApprovalError:
        waiting = JoinRequest.objects.filter(member=member, state="waiting").latest("id")
        return redirect("h5:room", waiting.group.code)
    except BannedError:
        if door.group is None:
            raise
        return redirect("h5:room", door.group.code)
    back = _back_to_campaign(request, door)
    if back is not None:
        return back
    response = redirect("h5:room", seat.group.code)
    if door.group is None:
        response["Location"] += "?routed=1"
    return response


def _back_to_campaign(request: HttpRequest, door: Door) -> HttpResponse | None:
    """Whoever came to take part in a campaign is led back to it; only ever to one of ours."""
    rows = Campaign.objects.filter(community=door.community, state__in=OPEN_TO_ALL)
    found = rows.filter(code=request.GET.get("to", "")[:24]).first()
    if found is None:
        return None
    asked = {"i": request.GET["i"]} if "i" in request.GET else {}
    return redirect(
        f"{reverse('h5:campaign', args=[found.code])}?{urlencode(asked)}".rstrip("?")
    )


def _take(request: HttpRequest, door: Door, member: Member) -> Membership:
    if door.group is None:
        return do_route(door.community, member, groups=door.groups, by=member.actor)
    text = one_line(request.POST.get("text"), 300)
    return do_join(door.group, member, by=member.actor, text=text)


def list_reasons(membership: Membership) -> list[str]:
    """Why somebody was routed here."""
    return [in_words(reason) for reason in membership.why]
