"""Facts of many members at once, from the sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from qunluo.members.models import Member
from qunluo.standing.facts import INTO, OUT_OF, Facts, Touched, has_stayed

_TALLIES = "SELECT member_id, kind, day, n, amount_minor FROM standing_tally WHERE member_id IN ({ids})"
_STAYS = (
    "SELECT member_id, kind, day, n FROM standing_tally WHERE member_id IN ({ids}) "
    f"AND kind IN ({', '.join(repr(kind) for kind in (*INTO, *OUT_OF))})"
)
_CONTACTS = (
    "SELECT member_id, other_id, kind, day, n FROM standing_contact WHERE {side} IN ({ids})"
)


def load_facts(
    members: Sequence[Member], zone: ZoneInfo, *, stay_days: int, today: int
) -> dict[int, Facts]:
    """Facts by member id."""
    found = {m.pk: Facts(m.made_at.astimezone(zone).date().toordinal()) for m in members}
    for member, kind, day, n, amount in _rows(_TALLIES, found):
        found[member].add(kind, ordinal(day), n, amount)
    brought = _load_contacts(found)
    stays = _load_stays({pk for ids in brought.values() for pk in ids})
    for member, ids in brought.items():
        days = (has_stayed(stays[pk], stay_days, today) for pk in sorted(ids) if pk in stays)
        found[member].brought = len(ids)
        found[member].stayed = tuple(day for day in days if day is not None)
    return found


def ordinal(day: date | str) -> int:
    """SQLite hands days out as text."""
    return (date.fromisoformat(day) if isinstance(day, str) else day).toordinal()


def _rows(sql: str, ids: Mapping[int, Any] | set[int], **names: str) -> Iterator[Any]:
    """Rows of a statement for some members; the ids are our own numbers."""
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(sql.format(ids=", ".join(map(str, sorted(ids))), **names))
        while rows := cursor.fetchmany(5000):
            yield from rows


def _load_contacts(found: dict[int, Facts]) -> dict[int, set[int]]:
    """Fills in the contacts; whom each of them brought."""
    brought: dict[int, set[int]] = defaultdict(set)
    for one, other, kind, day, n in _rows(_CONTACTS, found, side="member_id"):
        if one != other:
            found[one].contacts.append(Touched(ordinal(day), other, True, kind, n))
            if kind == "invite":
                brought[one].add(other)
    for one, other, kind, day, n in _rows(_CONTACTS, found, side="other_id"):
        if one != other:
            found[other].contacts.append(Touched(ordinal(day), one, False, kind, n))
    return brought


def _load_stays(ids: set[int]) -> dict[int, Facts]:
    """When those who were brought came and went."""
    stays = {pk: Facts(0) for pk in ids}
    for member, kind, day, n in _rows(_STAYS, ids):
        stays[member].add(kind, ordinal(day), n)
    return stays


def list_inviters(ids: set[int]) -> set[int]:
    """Who brought these members."""
    sql = _CONTACTS + " AND kind = 'invite'"
    return {row[0] for row in _rows(sql, ids, side="other_id")}
