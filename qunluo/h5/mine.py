"""A member's own page: names, consent, data, cases, and leaving."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.channels.web.models import DirectItem
from qunluo.channels.web.sessions import (
    CHANNEL,
    COOKIE,
    do_revoke_sessions,
    list_members_of,
    session_of,
)
from qunluo.groups.actions import do_leave
from qunluo.groups.models import Membership
from qunluo.groups.naming import find_example
from qunluo.h5.errors import NameMissingError, NotSureError
from qunluo.h5.introducing import own_context
from qunluo.h5.joining import NAME_LENGTH, marketing_words
from qunluo.h5.limits import limit
from qunluo.h5.out import list_open_cases
from qunluo.h5.pages import lang, one_line, page, told
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.members.actions import (
    do_erase,
    do_export,
    do_forget_place,
    do_rename,
    do_set_consent,
)
from qunluo.members.models import Consent, Identity, Member

Switch = dict[str, Any]


@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """Everything that is kept of whoever looks, in each community they joined."""
    people = [_person(member) for member in list_members_of(session_of(request))]
    DirectItem.objects.filter(member__in=[p["member"] for p in people], seen_at=None).update(
        seen_at=clock.now()
    )
    return page(request, "me.html", {"people": people})


def _person(member: Member) -> dict[str, Any]:
    seats = Membership.objects.filter(member=member, left_at=None).select_related(
        "group", "member"
    )
    return {
        "member": member, "community": member.community,
        "seats": [(seat, _example(seat)) for seat in seats.order_by("id")],
        "switches": list_switches(member), "cases": list_open_cases(member),
        **own_context(member),
        "directs": list(DirectItem.objects.filter(member=member).order_by("-id")[:20]),
    }  # fmt: skip


def _example(seat: Membership) -> str:
    return find_example(seat.group, seat.member.name)(lang())


def list_switches(member: Member) -> list[Switch]:
    """What a member may allow or refuse, per purpose and channel, and what they chose last."""
    latest = {
        (c.purpose, c.channel): c.granted
        for c in Consent.objects.filter(member=member).order_by("id")
    }
    channels = Identity.objects.filter(member=member).values_list("channel", flat=True)
    return [
        {"purpose": purpose, "channel": channel, "words": words,
         "granted": latest.get((purpose, channel), False)}
        for channel in sorted(set(channels)) for purpose, words in _purposes().items()
    ]  # fmt: skip


def _purposes() -> dict[str, str]:
    return {
        "service": _("Messages that belong to my membership: welcome, answers, notices."),
        "marketing": marketing_words(),
        "analysis": _("Count what I do here to make the community better."),
    }


def _mine(request: HttpRequest, member_id: int) -> Member:
    """The visitor as a member; raises `Http404` for somebody else's number."""
    found = list_members_of(session_of(request)).filter(pk=member_id).first()
    if found is None:
        raise Http404
    return found


def _back(member: Member) -> HttpResponse:
    return redirect(f"{reverse('h5:me')}#m{member.pk}")


def _refused(request: HttpRequest, error: QunluoError) -> HttpResponse:
    return told(request, _("That did not work"), error.message(lang()), 400, me=True)


@require_POST
def rename(request: HttpRequest, member_id: int) -> HttpResponse:
    member = _mine(request, member_id)
    name = one_line(request.POST.get("name"), NAME_LENGTH)
    if not name:
        return _refused(request, NameMissingError())
    do_rename(member, name, by=member.actor)
    return _back(member)


@require_POST
def consent(request: HttpRequest, member_id: int) -> HttpResponse:
    """One switch turned: what is shown is what is kept as agreed to."""
    member = _mine(request, member_id)
    for switch in list_switches(member):
        if (switch["purpose"], switch["channel"]) == (
            request.POST.get("purpose"), request.POST.get("channel"),
        ):  # fmt: skip
            granted = request.POST.get("granted") == "yes"
            do_set_consent(member, switch["purpose"], switch["channel"], granted,
                           words=switch["words"], by=member.actor)  # fmt: skip
    return _back(member)


@require_POST
def forget_place(request: HttpRequest, member_id: int) -> HttpResponse:
    member = _mine(request, member_id)
    do_forget_place(member, words=_("Forget where I am."), by=member.actor)
    return _back(member)


@require_POST
def opt_out(request: HttpRequest, member_id: int) -> HttpResponse:
    """Nothing more on this channel, whatever it is about."""
    member = _mine(request, member_id)
    channel = request.POST.get("channel", CHANNEL)
    for switch in list_switches(member):
        if switch["channel"] == channel:
            do_set_consent(member, switch["purpose"], channel, False,
                           words=_("Nothing more on this channel."), by=member.actor)  # fmt: skip
    return _back(member)


@require_POST
def export(request: HttpRequest, member_id: int) -> HttpResponse:
    """Everything kept of the member, as one archive."""
    member = _mine(request, member_id)
    try:
        limit(request, "data", member.pk)
    except QunluoError as error:
        return _refused(request, error)
    response = HttpResponse(do_export(member, by=member.actor), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="my-data-{member.pk}.zip"'
    return response


@require_POST
def erase(request: HttpRequest, member_id: int) -> HttpResponse:
    """The person goes, after they said twice that they mean it."""
    member = _mine(request, member_id)
    if request.POST.get("sure") != "yes":
        return _refused(request, NotSureError())
    do_erase(member, by=member.actor)
    response = told(
        request, _("You are forgotten"), _("Nothing that names you is kept here any more.")
    )
    if session_of(request) is None:  # they were in no other community
        response.delete_cookie(COOKIE, samesite="Lax")
    return response


@require_POST
def leave(request: HttpRequest, member_id: int, seat_id: int) -> HttpResponse:
    member = _mine(request, member_id)
    seat = Membership.objects.filter(pk=seat_id, member=member).select_related("group").first()
    if seat is None:
        raise Http404
    do_leave(seat, why="left", by=member.actor)
    words = _("You left “%(group)s”. You can come back by its invitation at any time.")
    return told(request, _("Goodbye"), words % {"group": seat.group.name}, me=True)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """On every browser of this account: a lost phone is signed out too."""
    session = session_of(request)
    if session is not None:
        do_revoke_sessions(session.account)
    words = _("This account is signed out on every browser.")
    response = told(request, _("Signed out"), words)
    response.delete_cookie(COOKIE, samesite="Lax")
    return response
