"""From events to sums per local day: each kind says what it adds, and nothing else counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from qunluo.events.models import Event
from qunluo.members.models import Member
from qunluo.standing.models import STAFF

ROWS_AT_ONCE = 200


class Did(NamedTuple):
    """A member did something, or something was done to them."""

    member: int
    kind: str
    n: int = 1
    amount: int = 0


class Turned(NamedTuple):
    """A member turned to another; either may be `STAFF`."""

    member: int
    other: int
    kind: str
    n: int = 1


Told = Iterator[Did | Turned]
_PLAIN = {
    "member_joined": "joined", "member_restored": "restored", "member_removed": "removed",
    "contact_set": "contacted", "item_read": "read", "item_watched": "watched",
    "gathering_attended": "attended", "checked_in": "checked_in",
    "testimony_posted": "testified", "wish_adopted": "wish_adopted",
    "answer_accepted": "answer_accepted",
}  # fmt: skip


def tell(event: Event) -> Told:
    """What an event adds."""
    if event.kind in _PLAIN and event.member_id:
        yield Did(event.member_id, _PLAIN[event.kind])
        yield from _with(event, "gathering" if event.kind == "gathering_attended" else "")
    elif event.kind in _TELLERS:
        yield from _TELLERS[event.kind](event)


def _with(event: Event, kind: str) -> Told:
    """Those who were there together, where the event names them."""
    for other in _ids(event, "with"):
        if kind and event.member_id and other != event.member_id:
            yield Turned(event.member_id, other, kind)


def _ids(event: Event, name: str) -> list[int]:
    found = event.data.get(name) or []
    return [one for one in dict.fromkeys(found) if isinstance(one, int) and one > 0]


def _posted(event: Event) -> Told:
    label, to = event.data.get("label"), event.data.get("to_member")
    speaker = event.member_id if label == "member" else STAFF if label == "staff" else None
    if speaker is None:
        return
    if speaker:
        yield Did(speaker, "said")
        yield from _answered(event, speaker)
    if to and to != speaker:
        yield Turned(speaker, to, "reply")
        if speaker == STAFF:
            yield Did(to, "staffed")
    for other in _ids(event, "mentions"):
        if other not in (speaker, to):
            yield Turned(speaker, other, "mention")


def _answered(event: Event, speaker: int) -> Told:
    """A member's answer to the staff, or to what Qunluo said by itself."""
    label = event.data.get("to_label")
    if label == "staff":
        yield Turned(speaker, STAFF, "reply")
        yield Did(speaker, "staffed")
    elif label in ("auto", "system"):
        yield Did(speaker, "greeted")


def _reacted(event: Event) -> Told:
    """Taking a reaction off takes its count back."""
    member, n = event.member_id, 1 if event.data.get("on") else -1
    if not member:
        return
    yield Did(member, "reacted", n)
    to = event.data.get("to_member")
    if to and to != member:
        yield Turned(member, to, "reaction", n)
        yield Did(to, "reacted_to", n)
    elif event.data.get("label") in ("auto", "system"):
        yield Did(member, "greeted", n)


def _left(event: Event) -> Told:
    """Who leaves, and whose group or account was closed under them."""
    if event.member_id:
        by_themselves = event.data.get("why", "left") == "left"
        yield Did(event.member_id, "left" if by_themselves else "closed")


def _nicknamed(event: Event) -> Told:
    if event.member_id and event.data.get("compliant"):
        yield Did(event.member_id, "nicknamed")


def _met(event: Event) -> Told:
    inviter = event.data.get("inviter")
    if event.member_id and inviter:
        yield Turned(inviter, event.member_id, "invite")


def _paid(event: Event) -> Told:
    if event.member_id:
        yield Did(event.member_id, "paid", 1, int(event.data.get("amount_minor", 0)))
        yield from _with(event, "order")


def _refunded(event: Event) -> Told:
    if event.member_id:
        whole = int(bool(event.data.get("whole", True)))
        yield Did(event.member_id, "refunded", whole, int(event.data.get("amount_minor", 0)))


_TELLERS: dict[str, Callable[[Event], Told]] = {
    "message_posted": _posted, "message_reacted": _reacted, "member_left": _left,
    "nickname_set": _nicknamed, "member_met": _met, "order_paid": _paid,
    "order_refunded": _refunded,
}  # fmt: skip
COUNTED = frozenset({*_PLAIN, *_TELLERS})
"""Kinds of events that add to a sum."""
MOVES = frozenset({"member_joined", "member_restored", "member_left", "member_removed"})
"""Whether somebody stays matters to those who brought them."""


@dataclass
class Sums:
    """What a batch of events adds, each row once."""

    tallies: dict[tuple[int, int, str, date], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    contacts: dict[tuple[int, int, int, str, date], int] = field(
        default_factory=lambda: defaultdict(int)
    )

    def add(self, community: int, told: Did | Turned, day: date) -> None:
        if isinstance(told, Did):
            row = self.tallies[community, told.member, told.kind, day]
            row[0] += told.n
            row[1] += told.amount
        else:
            self.contacts[community, told.member, told.other, told.kind, day] += told.n

    def members(self) -> set[int]:
        """Everybody whom a row is about, the staff not."""
        found = {member for _, member, _, _ in self.tallies}
        for _, member, other, _, _ in self.contacts:
            found |= {member, other}
        return found - {STAFF}


def add_up(events: Iterable[Event], zones: Mapping[int, ZoneInfo]) -> Sums:
    """The sums of events, on the local days of their communities."""
    sums = Sums()
    for event in events:
        if event.kind in COUNTED:
            day = event.at.astimezone(zones[event.community_id]).date()
            for told in tell(event):
                sums.add(event.community_id, told, day)
    return sums


# writing


def do_add(sums: Sums) -> None:
    """Adds to the rows that are there; in one order, so that two can't block each other."""
    now = find_survivors(sums.members())
    _upsert(
        "standing_tally",
        ("community_id", "member_id", "origin_id", "kind", "day", "n", "amount_minor"),
        ("origin_id", "kind", "day"),
        [
            (community, now.get(origin, origin), origin, kind, day, n, amount)
            for (community, origin, kind, day), (n, amount) in sorted(sums.tallies.items())
        ],
    )
    _upsert(
        "standing_contact",
        ("community_id", "member_id", "other_id", "origin_id", "other_origin_id", "kind", "day",
         "n"),
        ("community_id", "origin_id", "other_origin_id", "kind", "day"),
        [
            (community, now.get(one, one), now.get(other, other), one, other, kind, day, n)
            for (community, one, other, kind, day), n in sorted(sums.contacts.items())
        ],
    )  # fmt: skip


_SUMMED = ("n", "amount_minor")


def _upsert(
    table: str,
    columns: Sequence[str],
    key: Sequence[str],
    rows: list[tuple[int | str | date, ...]],
) -> None:
    more = ", ".join(f"{c} = {table}.{c} + excluded.{c}" for c in columns if c in _SUMMED)
    place = f"({', '.join(['%s'] * len(columns))})"
    with connection.cursor() as cursor:
        for begin in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[begin : begin + ROWS_AT_ONCE]
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) "
                f"VALUES {', '.join([place] * len(part))} "
                f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {more}",
                [value for row in part for value in row],
            )


def find_survivors(ids: Iterable[int]) -> dict[int, int]:
    """For those who went into another: who they are by now."""
    found: dict[int, int] = {}
    asked = set(ids)
    while asked:
        rows = Member.objects.filter(pk__in=asked).exclude(merged_into=None)
        step = {pk: into for pk, into in rows.values_list("pk", "merged_into") if into}
        found |= step
        asked = set(step.values()) - set(found)
    return {one: _end(one, found) for one in found}


def _end(one: int, step: Mapping[int, int]) -> int:
    while one in step:
        one = step[one]
    return one
