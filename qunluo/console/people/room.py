"""The live room as the staff see it: the members' own, with one-tap acts beside each message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.channels.web.images import CONTENT_TYPE, find_image
from qunluo.community.models import Staff
from qunluo.community.rules import Permission, may
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.guards import PAGE_POLICY
from qunluo.console.people.answering import found, number_in, telling
from qunluo.console.people.errors import (
    NoActError,
    NoMemberError,
    WhyMissingError,
    WordsMissingError,
)
from qunluo.console.wording import current_lang
from qunluo.groups.actions import do_set_group
from qunluo.groups.ladder import Act, tell_act
from qunluo.groups.models import Group
from qunluo.groups.moderation import do_act
from qunluo.kit.text import Text
from qunluo.messaging.actions import do_hide, do_post, do_restore
from qunluo.messaging.models import Message, Question, Room
from qunluo.messaging.queries import as_room_item, list_before, list_news

OFFERED: tuple[Permission, ...] = ("speak", "answer", "moderate", "see_members")
PAGE = 50
NEWS = 200
LONGEST = 2_000
WHY_LENGTH = 200
PIN_LENGTH = 400
MOST_PINNED = 5


@staff_view("see_room")
@require_safe
def room(request: StaffRequest, group_id: int) -> HttpResponse:
    group = _find(request, group_id)
    revision = Room.objects.filter(group=group).values_list("revision", flat=True).first() or 0
    context = {
        "group": group, "state": _state(request, group, revision), "longest": LONGEST,
        "groups": Group.objects.filter(community=request.community, closed_at=None)
        .order_by("name"),
    }  # fmt: skip
    response = render(request, "console/people/room.html", context)
    response["Content-Security-Policy"] = policy(live_origin(request))
    return response


def _find(request: StaffRequest, group_id: int) -> Group:
    groups = Group.objects.filter(community=request.community)
    return found(groups.select_related("community"), group_id)


def _state(request: StaffRequest, group: Group, revision: int) -> dict[str, Any]:
    """What the room's script begins with."""
    role = request.staff.role
    return {
        "items": as_items(list_before(group, None, PAGE)), "after": revision,
        "live": f"{live_origin(request)}/live/{group.code}", "lang": current_lang(),
        "zone": group.community.zone,
        "urls": {
            "news": reverse("people:room_news", args=[group.pk]),
            "waiting": reverse("people:room_waiting", args=[group.pk]),
            "before": reverse("people:room_before", args=[group.pk]),
            "post": reverse("people:room_post", args=[group.pk]),
            "act": reverse("people:room_act", args=[group.pk]),
            "member": reverse("people:member", args=[0]),
            "image": reverse("people:room_image", args=[group.pk, 0]),
        },
        "may": [p for p in OFFERED if may(role, p)],
        "words": words(),
    }  # fmt: skip


def live_origin(request: StaffRequest) -> str:
    """Where the live stream is: the address that is set, else the next port of this host."""
    chosen = settings.QUNLUO
    if chosen.live_url:
        return str(chosen.live_url)
    host, _colon, port = request.get_host().rpartition(":")
    if not port.isdecimal():  # no port in the address: the scheme's own
        host, port = request.get_host(), request.get_port()
    number = chosen.live_port or (chosen.port or int(port)) + 1
    return f"{request.scheme}://{host}:{number}"


def policy(live: str) -> str:
    """The pages' policy, with the live stream as one more place to listen to."""
    parts = urlsplit(live)
    return PAGE_POLICY.replace(
        "connect-src 'self'", f"connect-src 'self' {parts.scheme}://{parts.netloc}"
    )


def words() -> dict[str, str]:
    """The script's words, in the reader's language."""
    return {
        "reply": _("Reply"), "answer": _("Answer"), "pin": _("Pin"), "hide": _("Hide"),
        "restore": _("Show again"), "remind": _("Remind"), "warn": _("Warn"),
        "remove": _("Remove"), "open": _("Open member"), "more": _("Acts"),
        "recalled": _("taken back"), "hidden": _("hidden by moderation"),
        "staff": _("staff"), "auto": _("automatic"), "joined": _("{name} joined"),
        "left": _("{name} left"), "question": _("waits for an answer"),
        "why": _("Why? It is kept in the record."), "live": _("live"),
        "polling": _("asks every few seconds"), "offline": _("no connection; trying again"),
        "image": _("Picture of {name}"), "empty": _("Nobody has written yet. Say the first word."),
        "replying": _("Reply to {name}"),
        "cancel": _("Cancel"), "done": _("Done: {act}."), "confirm": _("Do it"),
    }  # fmt: skip


def as_items(messages: list[Message]) -> list[dict[str, Any]]:
    """Messages as the room's script reads them, open questions marked."""
    ids = [message.pk for message in messages]
    waiting = Question.objects.filter(message__in=ids, answered_at=None)
    open_of = dict(waiting.values_list("message_id", "pk"))
    return [as_room_item(m) | {"question": open_of.get(m.pk)} for m in messages]


@staff_view("see_room")
@require_safe
def news(request: StaffRequest, group_id: int) -> HttpResponse:
    """What changed since a revision: the stream's own format, for browsers without it."""
    group = _find(request, group_id)
    after = number_in(request, "after") or 0
    return JsonResponse(as_items(list_news(group, after, NEWS)), safe=False)


@staff_view("see_room")
@require_safe
def before(request: StaffRequest, group_id: int) -> HttpResponse:
    """The page of messages before one."""
    group = _find(request, group_id)
    rows = list_before(group, number_in(request, "id"), PAGE)
    return JsonResponse(as_items(rows), safe=False)


@staff_view("speak")
@require_POST
@telling
def post(request: StaffRequest, group_id: int) -> HttpResponseBase:
    """The staff say something, with their label."""
    group = _find(request, group_id)
    text = request.POST.get("text", "").strip()
    if not text or len(text) > LONGEST:
        raise WordsMissingError(longest=LONGEST)
    answered = request.POST.get("reply_to", "")
    reply_to = found(group.messages.all(), answered) if answered else None
    mentions = [reply_to.member_id] if reply_to and reply_to.member_id else []
    said = do_post(
        group, text=text, label="staff", staff=request.staff, reply_to=reply_to,
        mentions=mentions,
    )  # fmt: skip
    return JsonResponse(as_items([said]), safe=False)


# one-tap acts


@staff_view("see_room")
@require_safe
def waiting(request: StaffRequest, group_id: int) -> HttpResponse:
    """The messages of the group that wait for an answer."""
    group = _find(request, group_id)
    rows = Question.objects.filter(message__group=group, answered_at=None)
    return JsonResponse(list(rows.values_list("message_id", flat=True)[:NEWS]), safe=False)


@staff_view("moderate")
@require_POST
@telling
def act(request: StaffRequest, group_id: int) -> HttpResponseBase:
    """One tap beside a message; the answer has what changed and a sentence."""
    group = _find(request, group_id)
    name = request.POST.get("act", "")
    message = found(group.messages.select_related("member"), request.POST.get("message", ""))
    why = " ".join(request.POST.get("why", "").split())[:WHY_LENGTH]
    if name not in ACTS:
        raise NoActError
    if name in NEED_WHY and not why:
        raise WhyMissingError
    before = Room.objects.filter(group=group).values_list("revision", flat=True).first() or 0
    with transaction.atomic():
        ACTS[name](request.staff, message, why)
    changed = as_items(list_news(group, before, NEWS))
    said = words()["done"].format(act=words()[name])
    return JsonResponse({"items": changed, "done": said})


def pin(staff: Staff, message: Message, why: str) -> None:
    """Onto the group's benefits, above the room; the same text once."""
    group = Group.objects.select_for_update().get(pk=message.group_id)
    if not message.text or message.recalled_at or message.hidden_at:
        raise NoActError
    card = {"title": message.name, "text": message.text[:PIN_LENGTH]}
    if card not in group.pinned:
        do_set_group(group, {"pinned": [*group.pinned, card][-MOST_PINNED:]}, by=staff.actor)


def hide(staff: Staff, message: Message, why: str) -> None:
    do_hide(message, by=staff.actor, why=why)


def restore(staff: Staff, message: Message, why: str) -> None:
    do_restore(message, by=staff.actor)


def step(name: Act) -> Callable[[Staff, Message, str], None]:
    """A step of the ladder by hand: a case with a strike, told in the room, open to appeal."""

    def take(staff: Staff, message: Message, why: str) -> None:
        member, group = message.member, message.group
        if member is None or message.label != "member":
            raise NoMemberError
        do_act(
            group, member, name, by=staff.actor, why=why, text=message.text,
            message_id=message.pk,
        )  # fmt: skip
        do_hide(message, by=staff.actor, why=why)
        told = tell_act(name, name=message.name, why=Text(_ended(why), _ended(why)))
        if told is not None:
            lang = "zh" if group.community.lang.startswith("zh") else "en"
            do_post(group, text=told(lang), label="auto", mentions=[member.pk])

    return take


def _ended(why: str) -> str:
    return why if why.endswith((".", "。", "!", "！", "?", "？")) else f"{why}."


ACTS: dict[str, Callable[[Staff, Message, str], None]] = {
    "pin": pin, "hide": hide, "restore": restore, "remind": step("remind"),
    "warn": step("warn"), "remove": step("remove"),
}  # fmt: skip
NEED_WHY = {"hide", "remind", "warn", "remove"}


@staff_view("see_room")
@require_safe
def image(request: StaffRequest, group_id: int, message_id: int) -> HttpResponseBase:
    """The picture of a message, as a picture and nothing else."""
    group = _find(request, group_id)
    message = found(group.messages.filter(hidden_at=None, recalled_at=None), message_id)
    path = find_image(message.image)
    if path is None:
        raise Http404
    response = FileResponse(path.open("rb"), content_type=CONTENT_TYPE)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=3600"
    return response


@staff_view("see_room")
@require_safe
def rooms(request: StaffRequest) -> HttpResponse:
    """The rooms of the community, those with open questions first."""
    groups = Group.objects.filter(community=request.community, closed_at=None)
    open_now = Count("messages__question", filter=Q(messages__question__answered_at=None))
    rows = groups.annotate(open_now=open_now).order_by("-open_now", "name")
    return render(request, "console/people/rooms.html", {"groups": rows})
