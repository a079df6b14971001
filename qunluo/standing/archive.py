"""Standing without a database: the archive's tables told as events, judged by the same rules.

What is judged so is what a community that lived here would have been judged: the same sums, the
same circles, the same classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.events.models import Event
from qunluo.insight.rfm import cuts
from qunluo.standing.facts import TALK, Facts, Touched, has_stayed
from qunluo.standing.models import STAFF
from qunluo.standing.night import (
    WEEKS,
    WINDOW_DAYS,
    Ints,
    Places,
    Ranked,
    score_ties,
    settle_circles,
)
from qunluo.standing.rules import RFM, Verdict, judge
from qunluo.standing.sums import Sums, add_up
from qunluo.standing.thresholds import USUAL, Thresholds

ONE = 1  # the only community
TURNED = (*TALK, "reaction", "invite")  # what influence goes by
MOVES = {"join": "member_joined", "leave": "member_left", "remove": "member_removed"}


@dataclass(frozen=True)
class Archive:
    """Messages and membership events as `archive.schema` has them, and orders (member_id,
    paid_at: local and naive, amount_minor). `staff` are ids of accounts that are the brand's;
    `deeds` (at, member_id, kind, others, amount_minor) are what else members did, under the names
    that the record has for it."""

    messages: pa.Table
    moves: pa.Table
    orders: pa.Table
    zone: ZoneInfo
    staff: frozenset[str] = frozenset()
    deeds: pa.Table | None = None

    @cached_property
    def ids(self) -> list[str]:
        """Everybody but the staff; their number is their place, counted from 1."""
        columns = (
            self.messages["sender_id"],
            self.moves["subject_id"],
            self.orders["member_id"],
        )
        names = {n for column in columns for n in pc.unique(column).to_pylist() if n}
        return sorted(names - self.staff)

    @cached_property
    def number(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.ids, 1)}


def tell_archive(found: Archive, until: date) -> Iterator[Event]:
    """What the record would say, up to the end of a local day."""
    end = datetime.combine(until + timedelta(days=1), datetime.min.time(), found.zone)
    yield from _moves(found, end)
    yield from _talk(found, end)
    yield from _orders(found, end)
    if found.deeds is not None:
        yield from _deeds(found, found.deeds, end)


def _event(kind: str, at: datetime, member: int | None, **data: Any) -> Event:
    return Event(community_id=ONE, kind=kind, at=at, member_id=member, data=data)


def _moves(found: Archive, end: datetime) -> Iterator[Event]:
    columns = ("kind", "at", "subject_id", "inviter_id")
    met: set[int] = set()
    for kind, at, subject, inviter in zip(*_columns(found.moves, columns), strict=True):
        member = found.number.get(subject)
        if member is None or kind not in MOVES or at >= end:
            continue
        if member not in met:
            met.add(member)
            yield _event("member_met", at, member, inviter=found.number.get(inviter))
        yield _event(MOVES[kind], at, member)


def _talk(found: Archive, end: datetime) -> Iterator[Event]:
    columns = ("message_id", "group_id", "sent_at", "sender_id", "role", "reply_to", "mentions")
    senders: dict[tuple[str, str], str | None] = {}
    for name, group, at, sender, role, answered, mentions in zip(
        *_columns(found.messages, columns), strict=True
    ):
        senders[group, name] = sender
        label = "system" if role == "system" else _label(found, sender)
        if at >= end or label == "system":
            continue
        to = senders.get((group, answered)) if answered else None
        yield _event(
            "message_posted", at, found.number.get(sender), label=label,
            to_member=found.number.get(to or ""), to_label=_label(found, to) if to else None,
            mentions=[found.number[one] for one in mentions or () if one in found.number],
        )  # fmt: skip


def _label(found: Archive, sender: str | None) -> str:
    return (
        "staff" if sender in found.staff else "member" if sender in found.number else "system"
    )


def _orders(found: Archive, end: datetime) -> Iterator[Event]:
    columns = ("member_id", "paid_at", "amount_minor")
    for name, paid_at, amount in zip(*_columns(found.orders, columns), strict=True):
        at = paid_at.replace(tzinfo=found.zone)
        if name in found.number and at < end:
            yield _event("order_paid", at, found.number[name], amount_minor=int(amount or 0))


def _deeds(found: Archive, deeds: pa.Table, end: datetime) -> Iterator[Event]:
    columns = ("at", "member_id", "kind", "others", "amount_minor")
    for at, name, kind, others, minor in zip(*_columns(deeds, columns), strict=True):
        member = found.number.get(name)
        if member is not None and at < end:
            told = [found.number[one] for one in others or () if one in found.number]
            yield _event(kind, at, member, **_told(kind, told, minor))


def _told(kind: str, others: list[int], minor: int | None) -> dict[str, Any]:
    """What the record would keep of a deed."""
    if kind == "message_reacted":
        return {"on": True, "to_member": others[0] if others else None}
    if kind == "order_refunded":
        return {"whole": True, "amount_minor": int(minor or 0)}
    return {"compliant": True} if kind == "nickname_set" else {"with": others}


def _columns(table: pa.Table, names: Sequence[str]) -> list[list[Any]]:
    return [table[name].to_pylist() for name in names]


# judging


def judge_archive(
    found: Archive, until: date, thresholds: Thresholds = USUAL
) -> dict[str, Verdict]:
    """Where everybody stands at the end of a day, by id."""
    sums = add_up(tell_archive(found, until), {ONE: found.zone})
    verdicts = judge_sums(sums, until, thresholds)
    return {found.ids[pk - 1]: verdict for pk, verdict in verdicts.items()}


def judge_sums(sums: Sums, today: date, thresholds: Thresholds = USUAL) -> dict[int, Verdict]:
    """Where everybody stands on a day, by sums that were never written."""
    facts = gather(sums, today, thresholds.stay_days)
    places = _places(facts, thresholds, today)
    borders = _borders(facts, today)
    return {
        pk: judge(facts[pk], thresholds, today, places.of(pk), borders=borders)
        for pk in sorted(facts)
    }


def gather(sums: Sums, today: date, stay_days: int) -> dict[int, Facts]:
    """Facts from sums that were never written."""
    facts: dict[int, Facts] = {}
    for (_, member, kind, day), (n, amount) in sums.tallies.items():
        facts.setdefault(member, Facts(day.toordinal())).add(kind, day.toordinal(), n, amount)
    for (_, one, other, kind, day), n in sums.contacts.items():
        for pk, partner, outward in ((one, other, True), (other, one, False)):
            if pk in facts:
                facts[pk].contacts.append(Touched(day.toordinal(), partner, outward, kind, n))
    for mine in facts.values():
        first = min((day for days in mine.days.values() for day in days), default=mine.made_on)
        mine.made_on = min(mine.made_on, first)
        brought = {c.partner for c in mine.contacts if c.outward and c.kind == "invite"}
        known = (facts[pk] for pk in sorted(brought) if pk in facts)
        stays = (has_stayed(guest, stay_days, today.toordinal()) for guest in known)
        mine.brought = len(brought)
        mine.stayed = tuple(sorted(day for day in stays if day is not None))
    return facts


def _places(facts: Mapping[int, Facts], at: Thresholds, today: date) -> Places:
    since = today.toordinal() - WINDOW_DAYS + 1
    keys: Ints = np.array(sorted(pk for pk, mine in facts.items() if mine.groups), np.int64)
    score, tied = score_ties(keys, _ties(facts, since))
    weeks = np.array([_weeks(facts[int(pk)], today.toordinal()) for pk in keys], np.int64)
    ranked = Ranked(keys, score, tied & (weeks > 0), weeks)
    circle, lower = settle_circles(ranked, {}, at, today)
    return Places(keys, circle, score, weeks, lower)


def _ties(facts: Mapping[int, Facts], since: int) -> Ints:
    pairs: dict[tuple[int, int], list[int]] = {}
    for pk, mine in facts.items():
        for c in mine.contacts:
            if c.outward and c.day >= since and c.partner != STAFF and c.kind in TURNED:
                row = pairs.setdefault((pk, c.partner), [0, 0])
                row[0] += c.n * (c.kind in TALK)
                row[1] |= c.kind == "invite"
    rows = [(*pair, *row) for pair, row in sorted(pairs.items())]
    return np.array(rows, np.int64).reshape(-1, 4)


def _weeks(mine: Facts, today: int) -> int:
    days = mine.active_days(today - WINDOW_DAYS + 1)
    return len({(today - day) // 7 for day in days if day <= today} & set(range(WEEKS)))


def _borders(facts: Mapping[int, Facts], today: date) -> dict[str, list[int]]:
    buyers = [mine for mine in facts.values() if mine.orders]
    if not buyers:
        return {}
    day = today.toordinal()
    rows = np.array(
        [(day - (mine.last("paid") or day), mine.orders, mine.spent) for mine in buyers],
        np.int64,
    )
    return {name: list(cuts(rows[:, place])) for place, name in enumerate(RFM)}
