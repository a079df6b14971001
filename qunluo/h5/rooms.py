"""The room of a group: its page, and what its script asks and sends."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.channels.web.images import (
    CONTENT_TYPE,
    MOST_BYTES,
    find_image,
    keep_image,
    place_of,
)
from qunluo.channels.web.items import as_items
from qunluo.channels.web.links import invite_token
from qunluo.channels.web.models import DirectItem
from qunluo.channels.web.receiving import do_say
from qunluo.groups.models import Membership
from qunluo.groups.naming import find_example
from qunluo.groups.queries import count_members, find_membership, list_memberships
from qunluo.h5.campaigning import list_in_group
from qunluo.h5.errors import (
    GoneMessageError,
    NotHereError,
    NothingSaidError,
    StrangeRequestError,
    TooLongError,
)
from qunluo.h5.joining import NAME_LENGTH, list_reasons
from qunluo.h5.limits import limit
from qunluo.h5.out import outside
from qunluo.h5.pages import as_json, lang, one_line, page, read_json, several_lines
from qunluo.h5.seats import Seat, find_seat, find_visitor
from qunluo.kit import clock
from qunluo.messaging.actions import do_name, do_react, do_recall
from qunluo.messaging.models import Message, Room
from qunluo.messaging.queries import (
    find_message,
    is_gone,
    list_before,
    list_news,
    search_messages,
)

AT_ONCE = 40
NEWS_AT_ONCE = 200
LONGEST = 4_000
EMOJI = ("👍", "❤️", "😂", "🎉", "🙏", "😮")
_KEY = re.compile(r"[A-Za-z0-9-]{8,40}")
_MOST_ID = 2**62


@require_safe
def room(request: HttpRequest, code: str) -> HttpResponse:
    """The room for who is in it; the door, or the reason, for who is not."""
    group, member = find_visitor(request, code)
    membership = find_membership(group, member) if member else None
    if member is None or membership is None:
        return outside(request, group, member)
    seat = Seat(group, member, membership)
    revision = _revision(seat)  # before the messages: what comes between is told again
    items = as_items(list_before(group, None, AT_ONCE), member.pk)
    path = reverse("h5:join", args=[group.code])
    context = {
        "campaigns": list_in_group(group, member),
        "group": group, "member": member, "seat": membership, "shown": seat.shown,
        "example": find_example(group, member.name)(lang()),
        "items": items, "revision": revision, "count": count_members(group),
        "words": room_words(), "emoji": EMOJI, "read_id": membership.read_id,
        "reasons": list_reasons(membership) if "routed" in request.GET else [],
        "invite": request.build_absolute_uri(f"{path}?i={invite_token(member)}"),
    }  # fmt: skip
    return page(request, "room.html", context)


@require_safe
@as_json
def strip(request: HttpRequest, code: str) -> HttpResponse:
    """The campaigns that run in the group now: an open room asks from time to time."""
    seat = find_seat(request, code)
    limit(request, "ask", seat.member.pk)
    found = list_in_group(seat.group, seat.member)
    rows = [{"name": row.name, "url": reverse("h5:campaign", args=[row.code])} for row in found]
    return JsonResponse({"campaigns": rows})


def room_words() -> dict[str, str]:
    """What the room's script says."""
    return {
        "staff": _("Team"), "auto": _("Automatic"), "simulated": _("Simulated"),
        "recalled": _("This message was recalled."), "hidden": _("This message was removed."),
        "joined": _("{name} joined the group"), "left": _("{name} left the group"),
        "new": _("New messages"), "reply": _("Reply"), "recall": _("Recall"),
        "more": _("Actions for this message"), "sending": _("Sending…"), "image": _("Picture"),
        "unsent": _("Not sent yet. It goes out by itself once you are online."),
        "live": "", "away": _("The connection is lost. Trying again…"),
        "none": _("Nothing was found. Try other words."), "copied": _("Copied"),
        "retry": _("Try again"), "mine": _("You"), "someone": _("Someone"),
    }  # fmt: skip


def _revision(seat: Seat) -> int:
    return Room.objects.filter(pk=seat.group.pk).values_list("revision", flat=True).first() or 0


def _number(value: object) -> int:
    """A number that an address or a script named; raises `StrangeRequestError`."""
    text = str(value if value is not None else 0)
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise StrangeRequestError
    return int(text)


@require_safe
@as_json
def news(request: HttpRequest, code: str) -> HttpResponse:
    """What is new since a revision: where the live stream does not get through."""
    seat = find_seat(request, code)
    limit(request, "ask", seat.member.pk)
    after = _number(request.GET.get("after"))
    found = list_news(seat.group, after, NEWS_AT_ONCE)
    revision = max((message.revision for message in found), default=after)
    return JsonResponse(
        {"items": as_items(found, seat.member.pk), "revision": revision,
         "more": len(found) == NEWS_AT_ONCE, "direct": _list_direct(seat)}
    )  # fmt: skip


def _list_direct(seat: Seat) -> list[dict[str, Any]]:
    unseen = DirectItem.objects.filter(member=seat.member, seen_at=None).order_by("id")
    return [{"id": d.pk, "text": d.text, "at": d.at.isoformat()} for d in unseen]


@require_safe
@as_json
def before(request: HttpRequest, code: str) -> HttpResponse:
    """The page of messages before one."""
    seat = find_seat(request, code)
    limit(request, "ask", seat.member.pk)
    found = list_before(seat.group, _number(request.GET.get("id")) or _MOST_ID, AT_ONCE)
    items = as_items(found, seat.member.pk)
    return JsonResponse({"items": items, "more": len(found) == AT_ONCE})


@require_safe
@as_json
def search(request: HttpRequest, code: str) -> HttpResponse:
    seat = find_seat(request, code)
    limit(request, "ask", seat.member.pk)
    words = one_line(request.GET.get("q"), 100)
    found = search_messages(seat.group.community, words, group=seat.group) if words else []
    return JsonResponse({"items": as_items(found, seat.member.pk)})


@require_safe
@as_json
def people(request: HttpRequest, code: str) -> HttpResponse:
    """Who can be mentioned: names that hold what was typed."""
    seat = find_seat(request, code)
    limit(request, "ask", seat.member.pk)
    typed = one_line(request.GET.get("q"), NAME_LENGTH)
    rows = list_memberships(seat.group).exclude(member=seat.member)
    if typed:
        rows = rows.filter(Q(nickname__icontains=typed) | Q(member__name__icontains=typed))
    found = [{"id": m.member_id, "name": m.nickname or m.member.name} for m in rows[:8]]
    return JsonResponse({"people": found})


@require_POST
@as_json
def say(request: HttpRequest, code: str) -> HttpResponse:
    """Says something. `key` is the page's own: the same key again is the same message."""
    seat = find_seat(request, code)
    limit(request, "say", seat.member.pk)
    sent = read_json(request)
    key, text, image = (
        str(sent.get("key", "")),
        several_lines(sent.get("text")),
        sent.get("image"),
    )
    if not _KEY.fullmatch(key):
        raise StrangeRequestError
    if not text and not image:
        raise NothingSaidError
    if len(text) > LONGEST:
        raise TooLongError(most=LONGEST)
    message = do_say(
        seat.group, seat.member, key=key, text=text, image=_own_image(seat, image),
        reply_to=_number(sent.get("reply_to")) or None, mentions=_mentions(seat, sent.get("mentions")),
    )  # fmt: skip
    if message is None:  # they left, or were removed, a moment ago
        raise NotHereError
    return JsonResponse({"item": as_items([message], seat.member.pk)[0]})


def _own_image(seat: Seat, name: object) -> str:
    """A picture that they stored for this group before; raises `StrangeRequestError`."""
    if not name:
        return ""
    place = place_of(seat.group.pk, seat.member.pk)
    if find_image(str(name)) is None or not str(name).startswith(place):
        raise StrangeRequestError
    return str(name)


def _mentions(seat: Seat, asked: object) -> list[int]:
    """Those of the ids that are in the group."""
    numbers = [n for n in asked if isinstance(n, int)][:20] if isinstance(asked, list) else []
    rows = Membership.objects.filter(group=seat.group, left_at=None, member_id__in=numbers)
    return sorted(rows.values_list("member_id", flat=True))


@require_POST
@as_json
def image(request: HttpRequest, code: str) -> HttpResponse:
    """Stores a picture, the request's whole body; a message can name it then."""
    seat = find_seat(request, code)
    limit(request, "image", seat.member.pk)
    return JsonResponse({"image": _keep(request, seat)})


def _keep(request: HttpRequest, seat: Seat) -> str:
    return keep_image(request.read(MOST_BYTES + 1), seat.group.pk, seat.member.pk)


@require_safe
def media(request: HttpRequest, code: str, name: str) -> HttpResponseBase:
    """A picture of the group, for its members, as a picture and nothing else."""
    seat = find_seat_or_404(request, code)
    stored = f"media/web/{seat.group.pk}/{name}"
    path = find_image(stored)
    if path is None or is_gone(seat.group, stored):
        raise Http404
    response = FileResponse(path.open("rb"), content_type=CONTENT_TYPE)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=86400"
    return response


def find_seat_or_404(request: HttpRequest, code: str) -> Seat:
    group, member = find_visitor(request, code)
    membership = find_membership(group, member) if member else None
    if member is None or membership is None:
        raise Http404
    return Seat(group, member, membership)


def _message(seat: Seat, sent: dict[str, Any]) -> Message:
    found = find_message(seat.group, _number(sent.get("message")))
    if found is None or found.hidden_at or found.recalled_at:
        raise GoneMessageError
    return found


def _again(seat: Seat, message: Message) -> HttpResponse:
    message = Message.objects.select_related("reply_to", "group").get(pk=message.pk)
    return JsonResponse({"item": as_items([message], seat.member.pk)[0]})


@require_POST
@as_json
def react(request: HttpRequest, code: str) -> HttpResponse:
    seat = find_seat(request, code)
    limit(request, "act", seat.member.pk)
    sent = read_json(request)
    if sent.get("emoji") not in EMOJI:
        raise StrangeRequestError
    message = _message(seat, sent)
    do_react(message, seat.member, str(sent["emoji"]), bool(sent.get("on")))
    return _again(seat, message)


@require_POST
@as_json
def recall(request: HttpRequest, code: str) -> HttpResponse:
    """Takes a message back, within two minutes."""
    seat = find_seat(request, code)
    limit(request, "act", seat.member.pk)
    message = _message(seat, read_json(request))
    do_recall(message, by=seat.member.actor)
    return _again(seat, message)


@require_POST
@as_json
def read(request: HttpRequest, code: str) -> HttpResponse:
    """How far the member has read, and that what was said to them alone was seen."""
    seat = find_seat(request, code)
    limit(request, "act", seat.member.pk)
    sent = read_json(request)
    upto, seen = _number(sent.get("id")), _number(sent.get("direct"))
    Membership.objects.filter(pk=seat.membership.pk, read_id__lt=upto).update(read_id=upto)
    DirectItem.objects.filter(member=seat.member, pk__lte=seen, seen_at=None).update(
        seen_at=clock.now()
    )
    return JsonResponse({})


@require_POST
def nickname(request: HttpRequest, code: str) -> HttpResponse:
    """How the member is called in this group; a name by the template becomes profile data."""
    group, member = find_visitor(request, code)
    membership = find_membership(group, member) if member else None
    if membership is not None and member is not None:
        wanted = one_line(request.POST.get("nickname"), NAME_LENGTH)
        do_name(membership, wanted, by=member.actor)
    return redirect("h5:room", group.code)
