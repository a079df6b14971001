"""Greeting joiners, together where they come together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from qunluo.community.queries import settings_of
from qunluo.events.models import Event
from qunluo.groups.models import Group, Membership
from qunluo.groups.naming import find_example
from qunluo.groups.nicknames import parse_nickname
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.messaging.channel import find_channel
from qunluo.messaging.errors import NoChannelError
from qunluo.messaging.messages import do_post
from qunluo.messaging.models import Delivery
from qunluo.messaging.outbox import do_plan_delivery, list_welcomed
from qunluo.messaging.rules import plan_welcome, real, write_names, write_welcome


def do_greet(events: Sequence[Event]) -> None:
    """For those who joined: the room says so, and a welcome is planned within its window."""
    ids = sorted({e.group_id for e in events if e.group_id is not None})
    groups = Group.objects.select_related("community").in_bulk(ids)
    for group_id in ids:
        if group_id in groups:
            ours = [e for e in events if e.group_id == group_id]
            _greet(groups[group_id], ours)


def _greet(group: Group, events: Sequence[Event]) -> None:
    joined = {e.member_id for e in events if e.member_id is not None}
    seats = Membership.objects.filter(
        group=group, member__in=joined, left_at=None, welcomed_at=None
    )
    found = list(seats.select_related("member").order_by("id"))
    if found:
        _say_joined(group, found, events[-1])
        do_welcome(group, found)


def _say_joined(group: Group, seats: Sequence[Membership], last: Event) -> None:
    names = write_names([_name(s) for s in seats], group.community.lang)
    do_post(group, text=names, label="system", kind="join", external_id=f"joined-{last.pk}",
            mentions=[s.member_id for s in seats])  # fmt: skip


def _name(seat: Membership) -> str:
    return seat.nickname or seat.member.name


@transaction.atomic
def do_welcome(group: Group, seats: Sequence[Membership]) -> Delivery:
    """Plans one greeting for all of them, together with those who wait for one already."""
    rows = Delivery.objects.filter(group=group, kind="welcome")
    waiting = rows.filter(state="planned").select_for_update().order_by("id").first()
    if waiting is not None and not (waiting.expires_at and waiting.expires_at <= clock.now()):
        return _join(waiting, [s.member_id for s in seats])
    return _plan(group, seats, rows.order_by("-id").first())


def _join(waiting: Delivery, members: Iterable[int]) -> Delivery:
    """The earliest window stays: whoever waited longest decides when it closes."""
    together = [*waiting.body["members"], *members]
    waiting.body = {**waiting.body, "members": list(dict.fromkeys(together))}
    waiting.save(update_fields=["body"])
    return waiting


def _plan(group: Group, seats: Sequence[Membership], last: Delivery | None) -> Delivery:
    speed, now = clock.clock().speed, clock.now()
    window = real(_window_s(group), speed)
    seats = [s for s in seats if s.joined_at + window > now] or seats
    first = seats[0]
    return do_plan_delivery(
        group.community, channel=group.channel, kind="welcome", group=group,
        cause=f"welcome:{first.pk}", body={"members": [s.member_id for s in seats]},
        due_at=plan_welcome(now, last.due_at if last else None, window=window, speed=speed),
        expires_at=min(s.joined_at for s in seats) + window,
    )  # fmt: skip


def _window_s(group: Group) -> float:
    """The community's window, or the platform's if that closes sooner."""
    chosen = float(settings_of(group.community).welcome_within_s)
    try:
        own = find_channel(group.channel).capabilities.welcome_window_s
    except NoChannelError:
        own = None
    return min(chosen, own) if own else chosen


def write_greeting(group: Group, delivery: Delivery) -> str:
    """The words of a welcome, for those who are still there."""
    lang, names = group.community.lang, [_name(seat) for seat in list_welcomed(delivery)]
    values = {"group": group.name, "gives": group.gives, "rules": group.rules,
              "nickname": _find_example(group, names)(lang)}  # fmt: skip
    return write_welcome(group.welcome, names, values, lang)


def _find_example(group: Group, names: Sequence[str]) -> Text:
    """The nickname that the first of them could take who has none by the template."""
    asked = [name for name in names if parse_nickname(group.nickname, name) is None]
    return find_example(group, asked[0]) if asked else Text("", "")
