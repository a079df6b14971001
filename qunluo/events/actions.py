"""Writing the record, and following it exactly once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from qunluo.events.models import Consumer, Event, Place
from qunluo.events.rows import do_insert
from qunluo.kit import clock

BATCH = 500
SYSTEM = "system"


def record(
    kind: str,
    *,
    community: int,
    actor: str = SYSTEM,
    member: int | None = None,
    group: int | None = None,
    data: Mapping[str, Any] | None = None,
    cause: str | None = None,
    at: datetime | None = None,
) -> Event:
    """Adds a row in the caller's transaction; with a `cause` that is there, finds that row.
    `at` is when it happened, where that was before now: what another system tells later."""
    values = {
        "community_id": community, "kind": kind, "at": at or clock.now(), "member_id": member,
        "group_id": group, "actor": actor, "data": dict(data or {}),
    }  # fmt: skip
    if cause is None:
        return Event.objects.create(**values)
    return Event.objects.get_or_create(cause=cause, defaults=values)[0]


def record_all(events: Iterable[Event]) -> None:
    """Adds many rows at once in the caller's transaction; one whose cause is there is left as
    it is."""
    do_insert(events, ignore=True)


def record_each(
    kind: str, *, community: int, told: Iterable[tuple[int, Mapping[str, Any]]]
) -> None:
    """Adds one row for each member and data, of one kind, that happened by itself."""
    now = clock.now()
    record_all(
        Event(community_id=community, kind=kind, at=now, member_id=member, actor=SYSTEM,
              data=dict(data))
        for member, data in told
    )  # fmt: skip


def settled() -> QuerySet[Event]:
    """Events that no other one can still appear before, in the order to read them in: safe to
    read up to the last."""
    rows = Event.objects.order_by("transaction", "id")
    if connection.vendor != "postgresql":
        return rows
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        oldest = cursor.fetchone()[0]
    return rows.filter(transaction__lt=oldest)


def find_place(name: str) -> Place:
    """How far a reader has come."""
    consumer = Consumer.objects.filter(name=name).first()
    return consumer.place if consumer is not None else Place()


def is_behind(name: str) -> bool:
    """Whether there may be something to follow; takes no lock."""
    return Event.objects.filter(find_place(name).after).exists()


def follow(
    name: str,
    handle: Callable[[Sequence[Event]], None],
    *,
    kinds: Collection[str] = (),
    limit: int = BATCH,
) -> int:
    """Hands the next events (of these kinds) to `handle` and moves on, in one transaction; how
    many there were. Looks before it takes the lock of a writer.

    What `handle` writes and the position stand or fall together, so each event counts once,
    whenever the process dies. Two workers on one name wait for each other.
    """
    if not is_behind(name):
        return 0
    Consumer.objects.get_or_create(name=name)
    with transaction.atomic():
        consumer = Consumer.objects.select_for_update().get(name=name)
        rows = settled().filter(consumer.place.after)
        found = list((rows.filter(kind__in=kinds) if kinds else rows)[:limit])
        # nothing more of ours: past the others too, which need not be looked through again
        last = found[-1] if len(found) == limit else rows.last()
        if found:
            handle(found)
        if last is not None:
            consumer.transaction, consumer.position = last.place
            consumer.save(update_fields=["transaction", "position"])
        return len(found)
