"""The running community on its way into its archive, exactly once, minutes old.

Messages are followed by their group's revision, which grows with every change that a reader
must see, so that a recall, a removal or a reaction replaces the archive's row; joins and leaves
by the record. A row carries the id it has here, and the archive keeps one row of an id, the
latest: writing a batch again changes nothing. So the position may move after the archive is
written, in another step, and this may be killed between any two of them.

Who was erased is in the archive as an account without name and words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.conf import settings
from django.db.models import Q

from qunluo.archive.engines.duckdb import DuckDB
from qunluo.archive.manifest import zone_of
from qunluo.archive.schema import EVENTS, MESSAGES
from qunluo.archive.staging import Stage
from qunluo.archive.store import Archive
from qunluo.community.models import Community
from qunluo.events.actions import find_place, settled
from qunluo.events.models import Consumer, Event, Place
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.kit.scratch import scratch
from qunluo.members.models import Member
from qunluo.messaging.models import Message, Room

PLATFORM = "qunluo"
BATCH = 20_000  # rows of one step
ENGINE_THREADS = 1
ROLES = {"member": "member", "staff": "brand", "auto": "bot", "system": "system"}
KINDS = {"text": "text", "image": "image", "notice": "announcement"}
MOVES = {"member_joined": "join", "member_left": "leave", "member_removed": "remove"}
WHOLE = ("member_erased", "member_merged", "merge_undone")  # their messages are written anew
NOTICES = ("join", "leave")  # shown in the room; the archive has them as events

Pause = Callable[[str], None]
"""Called after each step with its name: where a test stops the world."""


@dataclass
class Batch:
    """What one step writes, and where it leads."""

    messages: list[Message] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    revisions: dict[int, int] = field(default_factory=dict)  # group → the last revision read
    place: Place = field(default_factory=Place)


def archive_path(community_id: int) -> Path:
    """Where a community's archive lies."""
    return Path(settings.QUNLUO.data) / "archive" / str(community_id)


def feed(community: Community, pause: Pause = lambda step: None) -> int:
    """Brings the archive up to now; how many rows were written.

    Raises `ArchiveBusyError` where another process feeds it at this moment.
    """
    written = 0
    while rows := feed_once(community, pause):
        written += rows
    return written


def feed_once(community: Community, pause: Pause = lambda step: None) -> int:
    """One batch: read, announced, written, moved on."""
    batch = _read(community)
    if not batch.messages and not batch.events:
        _move(community, batch)
        return 0
    pause("read")
    known = _announce(batch.messages)
    pause("announced")
    rows = write(community, batch, known)
    pause("written")
    _move(community, batch)
    pause("moved")
    return rows


def write(community: Community, batch: Batch, known: dict[int, int]) -> int:
    """Adds the batch to the archive, which is made if there is none."""
    messages = pa.Table.from_pylist([*_messages(batch.messages, known)], MESSAGES)
    events = pa.Table.from_pylist([*_events(batch.events)], EVENTS)
    if not messages.num_rows + events.num_rows:
        return 0
    with DuckDB(threads=ENGINE_THREADS) as engine, scratch("feed") as folder:
        archive = Archive.create(archive_path(community.pk), engine, zone=community.zone)
        stage = Stage(zone_of(archive.manifest().zone), folder)
        stage.put(messages, events, 0)
        archive.add(stage, {})
    return int(messages.num_rows + events.num_rows)


# positions


def _revision_name(group_id: int) -> str:
    return f"archive:revision:{group_id}"


def _known_name(group_id: int) -> str:
    return f"archive:known:{group_id}"


def _event_name(community_id: int) -> str:
    return f"archive:events:{community_id}"


def _positions(names: Iterable[str]) -> dict[str, int]:
    rows = Consumer.objects.filter(name__in=list(names))
    return dict(rows.values_list("name", "position"))


def _set(positions: dict[str, int]) -> None:
    Consumer.objects.bulk_create(
        [Consumer(name=name, position=place) for name, place in positions.items()],
        update_conflicts=True, update_fields=["position"], unique_fields=["name"],
    )  # fmt: skip


def _announce(messages: list[Message]) -> dict[int, int]:
    """Says which messages are about to be written, before they are: written once more, they
    count as changed, and the archive takes the later one. Answers what was said before."""
    greatest: dict[int, int] = {}
    for message in messages:
        greatest[message.group_id] = max(greatest.get(message.group_id, 0), message.pk)
    found = _positions(map(_known_name, greatest))
    known = {group: found.get(_known_name(group), 0) for group in greatest}
    _set({_known_name(g): pk for g, pk in greatest.items() if pk > known[g]})
    return known


def _move(community: Community, batch: Batch) -> None:
    moved = {_revision_name(group): at for group, at in batch.revisions.items()}
    if moved:
        _set(moved)
    if batch.place.id:
        transaction, position = batch.place
        Consumer.objects.update_or_create(
            name=_event_name(community.pk),
            defaults={"transaction": transaction, "position": position},
        )


# what is new


def _read(community: Community) -> Batch:
    batch = Batch()
    _read_events(community, batch)
    for room, after in _changed_rooms(community):
        left = BATCH - len(batch.messages)
        if left <= 0:
            break
        rows = Message.objects.filter(group_id=room.pk, revision__gt=after)
        found = list(rows.order_by("revision").select_related("group", "member")[:left])
        batch.messages += found
        batch.revisions[room.pk] = found[-1].revision if found else room.revision
    return batch


def _changed_rooms(community: Community) -> list[tuple[Room, int]]:
    rooms = list(Room.objects.filter(group__community=community).order_by("pk"))
    found = _positions(_revision_name(room.pk) for room in rooms)
    ends = [(room, found.get(_revision_name(room.pk), 0)) for room in rooms]
    return [(room, after) for room, after in ends if room.revision > after]


def _read_events(community: Community, batch: Batch) -> None:
    after = find_place(_event_name(community.pk)).after
    rows = settled().filter(after, community_id=community.pk)
    found = list(rows.filter(kind__in=[*MOVES, *WHOLE])[:BATCH])
    if not found:
        return
    batch.events = [event for event in found if event.kind in MOVES]
    batch.place = found[-1].place
    whose = {member for event in found if event.kind in WHOLE for member in _people(event)}
    if whose:
        ours = Message.objects.filter(group__community=community, member_id__in=whose)
        batch.messages += list(ours.select_related("group", "member"))


def _people(event: Event) -> set[int]:
    """The members an event is about, with those they absorbed."""
    told = {event.member_id, event.data.get("kept"), event.data.get("gone")}
    named = {number for number in told if isinstance(number, int)}
    kin = Member.objects.filter(Q(merged_into__in=named)).values_list("pk", flat=True)
    return named | set(kin)


# rows


def _messages(messages: list[Message], known: dict[int, int]) -> Iterator[dict[str, Any]]:
    now = clock.now()
    latest = {message.pk: message for message in messages}
    for message in latest.values():
        if message.kind not in NOTICES:
            again = message.pk <= known[message.group_id]
            yield message_row(message) | {"edited_at": now if again else None}


def message_row(message: Message) -> dict[str, Any]:
    """A message as the archive has it; without its words where it was taken back, removed, or
    its author erased."""
    gone = bool(message.recalled_at or message.hidden_at)
    erased = message.member is not None and message.member.erased_at is not None
    silent = gone or erased
    return {
        **_place(message.group),
        "message_id": str(message.pk),
        "sent_at": message.at,
        "sender_id": sender_of(message),
        "sender_name": None if erased else message.name,
        "role": ROLES.get(message.label, "system"),
        "kind": "recalled" if gone else KINDS.get(message.kind, "other"),
        "raw_kind": message.kind,
        "text": None if silent else message.text or None,
        "reply_to": str(message.reply_to_id) if message.reply_to_id else None,
        "mentions": [f"m{member}" for member in message.mentions],
        "revoked": gone,
        "reactions": [
            {"emoji": emoji, "count": len(who)}
            for emoji, who in sorted(message.reactions.items())
            if who
        ],
        "media_name": None if silent else message.image or None,
    }


def sender_of(message: Message) -> str:
    """The account: members by their own id (the kept one after a merge), never by name."""
    if message.member is not None:
        return f"m{message.member.merged_into_id or message.member.pk}"
    if message.label == "staff":
        return f"staff{message.staff_id or ''}"
    return message.label


def _place(group: Group) -> dict[str, Any]:
    return {
        "platform": PLATFORM,
        "group_id": f"g{group.pk}",
        "group_name": group.name,
        "zone_known": "utc",
    }


def _events(events: list[Event]) -> Iterator[dict[str, Any]]:
    groups = Group.objects.in_bulk({event.group_id for event in events if event.group_id})
    for event in events:
        if event.group_id in groups and event.member_id:
            yield {
                **_place(groups[event.group_id]),
                "event_id": f"e{event.pk}",
                "at": event.at,
                "kind": MOVES[event.kind],
                "raw_kind": event.kind,
                "subject_id": f"m{event.member_id}",
            }
