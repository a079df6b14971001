"""The worker's steps of care; importing this registers them."""

from __future__ import annotations

from collections.abc import Sequence

from qunluo.care import gatherings, incidents, introductions, needs, suggesting, wishes
from qunluo.events.actions import follow
from qunluo.events.models import Event
from qunluo.messaging.tasks import Task, register


def follow_merges() -> bool:
    return bool(follow("care.merges", _count_anew, kinds=["member_merged", "merge_undone"]))


def _count_anew(events: Sequence[Event]) -> None:
    wishes.do_follow_merges(events)
    gatherings.do_follow_merges(events)


def follow_talk() -> bool:
    """Listens to what members say, and watches over what happens."""
    return bool(follow("care.talk", _hear_and_watch, kinds=incidents.FOLLOWED))


def _hear_and_watch(events: Sequence[Event]) -> None:
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
