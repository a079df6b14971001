"""A campaign as members meet it: its page, one play, and the buttons (which need no script)."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.campaigns.mechanics.kernel import Refused
from qunluo.campaigns.models import Campaign, Deed, Play, Purchase
from qunluo.campaigns.playing import is_running
from qunluo.channels.web.sessions import find_member, session_of
from qunluo.commerce.words import STATES
from qunluo.groups.models import Group, Membership
from qunluo.h5.errors import NotHereError
from qunluo.h5.inviting import (
    Arrival,
    arrive,
    find_campaign,
    inviter_in,
    link_of,
    remember,
)
from qunluo.h5.limits import limit
from qunluo.h5.own import in_sentences
from qunluo.h5.pages import lang, page
from qunluo.h5.pressing import press_for
from qunluo.h5.scenes.scene import left
from qunluo.h5.scenes.stage import (
    Seen,
    draw,
    drawn,
    find_goods,
    find_list_price,
    is_for,
    list_purchases,
    look_at,
    look_at_all,
    own_key,
    see,
)
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.members.models import Member

SAID_SALT = "qunluo.h5.said"
SAID_S = 600
LISTED = 12
STRIP = 8
DATA = "d-"


# looking


@require_safe
def campaign(request: HttpRequest, code: str) -> HttpResponse:
    """What a campaign is, its rules, and the visitor's own part in it. A friend's link leads to
    what the friend asks help for."""
    row, member = _here(request, code)
    asked = _asked_for(request, row, member)
    if asked is not None:
        return redirect(f"{_address(row, asked.key)}?{urlencode({'i': request.GET['i']})}")
    if not may_read(request, row, member):
        raise Http404
    arrival = arrive(request, row.community_id, member)
    mine = _own_play(row, member)
    return remember(
        page(request, "campaign.html", _context(request, row, member, mine, arrival)), arrival
    )


@require_safe
def play(request: HttpRequest, code: str, key: str) -> HttpResponse:
    """One play: where it stands, and the one thing to do."""
    row, member = _here(request, code)
    found = _find_play(row, key)
    if found is None or not _may_see(request, row, found, member):
        raise Http404
    arrival = arrive(request, row.community_id, member)
    return remember(
        page(request, "campaign.html", _context(request, row, member, found, arrival)), arrival
    )


def _here(request: HttpRequest, code: str) -> tuple[Campaign, Member | None]:
    row = find_campaign(code)
    return row, find_member(session_of(request), row.community_id)


def _find_play(row: Campaign, key: str) -> Play | None:
    rows = Play.objects.filter(campaign=row, key=key)
    return rows.select_related("version", "starter").first()


def may_read(request: HttpRequest, row: Campaign, member: Member | None) -> bool:
    """A campaign for everybody is as public as its posters; one for some members is seen by
    them, and by who was invited to it."""
    return row.segment_id is None or is_for(row, member) or _inviter(request, row) is not None


def _inviter(request: HttpRequest, row: Campaign) -> Member | None:
    return inviter_in(request, row.community_id) if "i" in request.GET else None


def _may_see(request: HttpRequest, row: Campaign, found: Play, member: Member | None) -> bool:
    """One's own; a friend's by the friend's link; of members, where it is for them to see."""
    how = drawn(row)
    if member is not None and (
        found.starter_id == member.pk or found.key == own_key(row, member)
    ):
        return True
    if how.own:
        return False
    if member is not None and is_for(row, member):
        return True
    inviter = _inviter(request, row)
    return inviter is not None and found.starter_id == inviter.pk


def _asked_for(request: HttpRequest, row: Campaign, member: Member | None) -> Play | None:
    """The play of whoever invites, where friends help or join."""
    inviter = _inviter(request, row)
    how = drawn(row)
    if inviter is None or inviter == member or not (how.helps or how.joins):
        return None
    rows = Play.objects.filter(campaign=row, starter=inviter, deadline__isnull=False)
    return rows.order_by("-pk").first()


def _own_play(row: Campaign, member: Member | None) -> Play | None:
    key = own_key(row, member) if member else ""
    return _find_play(row, key) if key else None


def _context(
    request: HttpRequest, row: Campaign, member: Member | None, found: Play | None,
    arrival: Arrival,
) -> dict[str, Any]:  # fmt: skip
    seen = see(row, member)
    look = look_at(row, member, found, seen)
    whole = found is None or found.key == (own_key(row, member) if member else "")
    others = _list_others(row, member, seen) if whole else []
    purchases, scene = list_purchases(look), draw(look)
    to_pay = any(one.order.state == "created" for one in purchases)
    leads = to_pay or any(button.main and not button.sure for button in scene.buttons)
    return {
        "campaign": row, "member": member, "look": look, "scene": scene, "play": found,
        "terms": drawn(row).terms(look), "whole": whole, "inviter": _inviter(request, row),
        "key": secrets.token_urlsafe(12), "said": _said(request, row, member),
        "status": _status(row), "left": _left(row),
        "purchases": [(one, STATES[one.order.state](lang())) for one in purchases],
        "mine": [one for one in _list_mine(row, member, seen) if one[0] != found],
        "goods": find_goods(look), "listed": find_list_price(look, scene),
        "to_pay": to_pay, "share_leads": not leads, "room": _room(row, member),
        "others": others, "others_first": drawn(row).waits and whole,
        "link": link_of(request, row, member, "link") if member else "",
        "door": "" if member else _door(request, row),
        "may": look.runs or member is None,
    }  # fmt: skip


def _status(row: Campaign) -> str:
    """Whether it runs, in a word; "" where it does."""
    now = clock.now()
    if row.state == "running" and row.starts_at and row.starts_at > now:
        return _("It has not begun yet.")
    if row.state == "running" and (row.ends_at is None or row.ends_at > now):
        return ""
    words = {"paused": _("It pauses at the moment."), "stopped": _("It was stopped.")}
    return words.get(row.state, _("It is over."))


def _left(row: Campaign) -> str:
    now = clock.now()
    runs = row.state == "running" and row.ends_at is not None and row.ends_at > now
    return left(row.ends_at, now) if runs and row.ends_at else ""


def _list_mine(row: Campaign, member: Member | None, seen: Seen) -> list[tuple[Play, Any]]:
    """The member's own plays, where there may be more than one."""
    how = drawn(row)
    if member is None or how.own or how.one:
        return []
    rows = Play.objects.filter(campaign=row, starter=member).select_related("version")
    return _lines(row, member, list(rows.order_by("-pk")[:5]), seen)


def _list_others(row: Campaign, member: Member | None, seen: Seen) -> list[tuple[Play, Any]]:
    """What others have begun and one may join; only who could join sees it."""
    if member is None or not drawn(row).joins or not is_for(row, member):
        return []
    rows = Play.objects.filter(campaign=row, deadline__isnull=False).exclude(starter=member)
    found = rows.select_related("version", "starter").order_by("deadline", "pk")[:LISTED]
    lines = _lines(row, member, list(found), seen)
    if drawn(row).waits:  # what one has had comes after what waits
        lines.sort(key=lambda line: line[1].done_by_me)
    return lines


def _lines(
    row: Campaign, member: Member | None, plays: list[Play], seen: Seen
) -> list[tuple[Play, Any]]:
    looks = look_at_all(row, member, plays, seen)
    return [(one, draw(look)) for one, look in zip(plays, looks, strict=True)]


def _door(request: HttpRequest, row: Campaign) -> str:
    """Where a stranger comes in, to be led back here."""
    group = row.group or Group.objects.filter(
        community=row.community_id, closed_at=None
    ).order_by("pk").first()  # fmt: skip
    if group is None:
        return ""
    query = {"to": row.code, **({"i": request.GET["i"]} if "i" in request.GET else {})}
    return f"{reverse('h5:join', args=[group.code])}?{urlencode(query)}"


def _room(row: Campaign, member: Member | None) -> Group | None:
    """The group of theirs to go back to: where the campaign is shown, else the latest."""
    if member is None:
        return None
    seats = Membership.objects.filter(member=member, left_at=None, group__closed_at=None)
    here = seats.filter(group=row.group_id) if row.group_id else seats
    seat = here.select_related("group").order_by("-pk").first()
    return seat.group if seat else None


def _address(row: Campaign, key: str = "") -> str:
    return (
        reverse("h5:play", args=[row.code, key])
        if key
        else reverse("h5:campaign", args=[row.code])
    )


def list_in_group(group: Group, member: Member | None) -> list[Campaign]:
    """What runs in a group and is for who looks; for a stranger what is for everybody."""
    rows = Campaign.objects.filter(community=group.community_id, state="running")
    here = rows.filter(Q(group=group) | Q(group=None)).select_related("community")
    now = clock.now()
    return [
        row for row in here.order_by("-starts_at", "-pk")[:STRIP]
        if is_running(row, now) and (row.segment_id is None or is_for(row, member))
    ]  # fmt: skip


# doing


@require_POST
@in_sentences
def act(request: HttpRequest, code: str) -> HttpResponse:
    """Presses a button by a plain form, and leads on: to the payment of what was ordered, or
    back to the play with a sentence."""
    row, member = _here(request, code)
    if member is None:
        raise NotHereError
    limit(request, "act", member.pk)
    given = read_form(request)
    said = press_for(request, code, given)
    if isinstance(said, QunluoError | Refused):
        why = said.message if isinstance(said, QunluoError) else said.why
        return _lead(row, member, str(given["play"]), why(lang()), bad=True)
    deed = Deed.objects.get(campaign=row, key=f"{member.pk}:{given['key']}"[:120])
    to_pay = _find_to_pay(row, member, str(said.answer.get("ref", "")))
    if to_pay is not None:
        return redirect("h5:pay", member.pk, to_pay)
    look = look_at(row, member, _find_play(row, deed.play))
    words = drawn(row).answer(look, deed.kind, dict(said.answer))
    return _lead(row, member, deed.play, words)


def read_form(request: HttpRequest) -> dict[str, Any]:
    """What a form of a play says, as a script would send it."""
    data = {name.removeprefix(DATA): value for name, value in request.POST.items()
            if name.startswith(DATA) and isinstance(value, str)}  # fmt: skip
    plain = {name: request.POST.get(name, "") for name in ("kind", "key", "play")}
    return {**plain, "data": data}


def _find_to_pay(row: Campaign, member: Member, ref: str) -> str | None:
    rows = Purchase.objects.filter(campaign=row, ref=ref, order__member=member)
    return rows.filter(order__state="created").values_list("order__number", flat=True).first()


def _lead(
    row: Campaign, member: Member, key: str, words: str, *, bad: bool = False
) -> HttpResponse:
    """Back, with a sentence that only this member reads."""
    seen = key if key and _find_play(row, key) else ""
    if drawn(row).own or drawn(row).one:
        seen = ""
    token = signing.dumps(
        [member.pk, row.pk, words[:400], int(bad)], salt=SAID_SALT, compress=True
    )
    return redirect(f"{_address(row, seen)}?{urlencode({'said': token})}")


def _said(
    request: HttpRequest, row: Campaign, member: Member | None
) -> tuple[str, bool] | None:
    """The sentence that the button before led to; none for anybody else, or later."""
    token = request.GET.get("said", "")
    if not token or member is None:
        return None
    try:
        who, where, words, bad = signing.loads(token, salt=SAID_SALT, max_age=SAID_S)
    except (signing.BadSignature, ValueError):
        return None
    return (words, bool(bad)) if (who, where) == (member.pk, row.pk) else None
