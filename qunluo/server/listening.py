"""What the live stream asks the database: who may listen, and what is new."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from django_otp import DEVICE_ID_SESSION_KEY, user_has_device

from qunluo.channels.web.items import as_items
from qunluo.channels.web.models import DirectItem
from qunluo.channels.web.sessions import COOKIE, find_member, find_session
from qunluo.community.queries import access
from qunluo.groups.models import Group, Membership
from qunluo.kit.errors import QunluoError
from qunluo.messaging.models import Room
from qunluo.messaging.queries import list_news

AT_ONCE = 200
TOO_FAR = 1_000  # revisions: the page is loaded again instead


@dataclass(frozen=True)
class Admitted:
    """Who listens: a member of the group, or the staff (no member)."""

    group_id: int
    revision: int
    member_id: int | None
    direct: int = 0  # the last direct item of all, before what is unseen is read


@dataclass(frozen=True)
class News:
    items: list[dict[str, Any]]
    revision: int
    outside: frozenset[int]  # listeners that are not in the group any more


def event(items: list[Any], name: str = "", revision: int | None = None) -> bytes:
    """A server-sent event; none for an empty list without a name of its own."""
    if not items and name != "gone":
        return b""
    head = f"event: {name}\n" if name else ""
    head += f"id: {revision}\n" if revision is not None else ""
    return f"{head}data: {json.dumps(items, ensure_ascii=False)}\n\n".encode()


def admit(code: str, cookies: Mapping[str, str]) -> Admitted | None:
    """Lets a member of the group listen, or somebody of its community who may see the room."""
    group = Group.objects.filter(code=code).first()
    if group is None:
        return None
    revision, direct = read_revisions([group.pk]).get(group.pk, 0), newest_direct()
    member = find_member(find_session(cookies.get(COOKIE)), group.community_id)
    if member is not None and group.memberships.filter(member=member, left_at=None).exists():
        return Admitted(group.pk, revision, member.pk, direct)
    if _is_staff(cookies.get(settings.SESSION_COOKIE_NAME), group):
        return Admitted(group.pk, revision, None, direct)
    return None


def _is_staff(session_key: str | None, group: Group) -> bool:
    if not session_key:
        return False
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated:
        return False
    if user_has_device(user) and not request.session.get(DEVICE_ID_SESSION_KEY):
        return False  # the second factor is still missing
    try:
        access(user, group.community_id, "see_room")
    except QunluoError:
        return False
    return True


def allowed_origin(host: str, origin: str) -> str | None:
    """The origin that may read the answer: the pages' own. Empty for a request that is no
    script's on another origin; None where host or origin is a stranger's."""
    name, _ = split_domain_port(host)
    if not validate_host(name, settings.ALLOWED_HOSTS):
        return None
    if not origin:
        return ""
    asked = urlsplit(origin)
    theirs = f"[{asked.hostname}]" if ":" in (asked.hostname or "") else asked.hostname
    if theirs not in (name, *settings.QUNLUO.allowed_hosts):
        return None
    port = settings.QUNLUO.port
    return origin if port is None or asked.port in (port, None, 80, 443) else None


def read_revisions(group_ids: list[int]) -> dict[int, int]:
    return dict(Room.objects.filter(pk__in=group_ids).values_list("pk", "revision"))


def read_news(group_id: int, after: int, people: Collection[int] = ()) -> News:
    """Everything that changed in a group since a revision, and who of `people` is outside."""
    group = Group.objects.get(pk=group_id)
    items: list[dict[str, Any]] = []
    while found := list_news(group, after, AT_ONCE):
        items += as_items(found)
        after = max(after, *(message.revision for message in found))
        if len(found) < AT_ONCE:
            break
    inside = Membership.objects.filter(group=group, left_at=None, member_id__in=people)
    outside = frozenset(people) - set(inside.values_list("member_id", flat=True))
    return News(items, after, outside)


def catch_up(admitted: Admitted, after: int) -> bytes:
    """What a listener missed; or the word to load the page again, where that is too much."""
    if admitted.revision - after > TOO_FAR:
        return event([admitted.revision], "reset")
    news = read_news(admitted.group_id, after)
    return event(news.items, revision=news.revision)


def list_unseen(admitted: Admitted) -> list[dict[str, Any]]:
    """What was said to a member alone, and not seen yet."""
    items = DirectItem.objects.filter(member_id=admitted.member_id or 0, seen_at=None)
    return [_as_direct(item) for item in items.order_by("id")]


def newest_direct() -> int:
    return DirectItem.objects.order_by("-id").values_list("id", flat=True).first() or 0


def list_directs(
    after: int, people: Collection[int]
) -> tuple[int, dict[int | None, list[dict[str, Any]]]]:
    """The direct items that came after one, by member; and the last of all."""
    newest = newest_direct()
    found: dict[int | None, list[dict[str, Any]]] = defaultdict(list)
    if after < newest:
        for item in DirectItem.objects.filter(pk__gt=after, member_id__in=people).order_by(
            "id"
        ):
            found[item.member_id].append(_as_direct(item))
    return newest, found


def _as_direct(item: DirectItem) -> dict[str, Any]:
    return {"id": item.pk, "text": item.text, "at": item.at.isoformat()}
