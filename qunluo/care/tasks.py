"""The worker's steps of care; importing this registers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qunluo.care import gatherings, incidents, introductions, needs, suggesting, wishes
from qunluo.events.actions import follow, is_behind
from qunluo.events.models import Event
from qunluo.messaging.tasks import Task, register


def follow_kinds(
    name: str, kinds: Sequence[str], handle: Callable[[list[Event]], None]
) -> bool:
    """Follows all kinds, so that the position moves on where ours are rare; looks before it takes
    the lock of a writer."""
    if not is_behind(name):
        return False

    def choose(events: Sequence[Event]) -> None:
        ours = [event for event in events if event.kind in kinds]
        if ours:
            handle(ours)

    return bool(follow(name, choose))


def follow_merges() -> bool:
    return follow_kinds("care.merges", ["member_merged", "merge_undone"], _count_anew)


def _count_anew(events: list[Event]) -> None:
    wishes.do_follow_merges(events)
    gatherings.do_follow_merges(events)


def follow_talk() -> bool:
    """Listens to what members say, and watches over what happens."""
    return follow_kinds("care.talk", incidents.FOLLOWED, _hear_and_watch)


def _hear_and_watch(events: list[Event]) -> None:
    needs.do_hear([event for event in events if event.kind == "message_posted"])
    incidents.do_watch(events)


for _task in (
    Task("care.talk", follow_talk, every_s=1.0),
    Task("care.wishes", wishes.tell_supporters, every_s=1.0),
    Task("care.gatherings", gatherings.tell_guests, every_s=20.0),
    Task("care.introductions.late", introductions.expire_unanswered, every_s=20.0),
    Task("care.introductions.measured", introductions.measure_due, every_s=60.0),
    Task("care.introductions.found", suggesting.suggest_due, every_s=60.0),
    Task("care.merges", follow_merges, every_s=2.0),
):
    register(_task)
