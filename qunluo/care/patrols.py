"""The patrol rota 巡群: who looks through which groups when, what is due, what was missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction

from qunluo.care.errors import NoRoundError, PatrolDoneError, WrongSlotError
from qunluo.care.models import Patrol, PatrolSlot
from qunluo.care.rules import (
    CHECKLIST,
    Round,
    RoundState,
    Slot,
    find_round,
    judge_round,
    list_rounds,
    may_note,
)
from qunluo.community.models import Community, Staff
from qunluo.events.actions import record
from qunluo.groups.models import Group
from qunluo.groups.queries import list_groups
from qunluo.kit import clock
from qunluo.messaging.rules import zone_of

MISSED_DAYS = 7
LONGEST = 1_000


@dataclass(frozen=True)
class Planned:
    """A round of a slot, as it stands now."""

    slot: PatrolSlot
    round: Round
    state: RoundState
    done: Patrol | None
    notable: bool


def as_slot(row: PatrolSlot) -> Slot:
    days = frozenset(row.days)
    return Slot(row.pk, days, row.since, row.until, row.made_at, row.ended_at)


def list_slots(community: Community) -> list[PatrolSlot]:
    """The rota as it is now."""
    rows = PatrolSlot.objects.filter(community=community, ended_at=None)
    return list(rows.select_related("staff__user").order_by("since", "pk"))


def list_planned(
    community: Community, now: datetime, *, back: int = MISSED_DAYS
) -> list[Planned]:
    """Every round that begins from `back` local days ago to the end of today, in order."""
    zone = zone_of(community.zone)
    today = now.astimezone(zone).date()
    first = today - timedelta(days=back)
    slots = PatrolSlot.objects.filter(community=community).select_related("staff__user")
    done = {
        (row.slot_id, row.on): row
        for row in Patrol.objects.filter(slot__community=community, on__gte=first)
    }
    found = [
        _planned(slot, one, done.get((slot.pk, one.on)), now)
        for slot in slots for one in list_rounds(as_slot(slot), first, today, zone)
    ]  # fmt: skip
    return sorted(found, key=lambda p: (p.round.begins, p.slot.pk))


def _planned(slot: PatrolSlot, one: Round, done: Patrol | None, now: datetime) -> Planned:
    state = judge_round(one, now, done=done is not None)
    return Planned(slot, one, state, done, done is None and may_note(one, now))


def list_patrolled(slot: PatrolSlot) -> list[Group]:
    """The groups that a round looks through."""
    running = list_groups(slot.community, running=True)
    return list(running.filter(pk__in=slot.groups) if slot.groups else running)


def list_checks(slot: PatrolSlot, lang: str) -> list[str]:
    """What to look for, in the rota's own words or the usual ones."""
    own = [line.strip() for line in slot.checklist.splitlines() if line.strip()]
    return own or [text(lang) for text in CHECKLIST]


@transaction.atomic
def do_make_slot(
    community: Community, *, staff: Staff | None, groups: Sequence[Group], days: Sequence[int],
    since: time, until: time, checklist: str = "", by: str,
) -> PatrolSlot:  # fmt: skip
    """Puts somebody on the rota. Raises `WrongSlotError`."""
    chosen = sorted({day for day in days if 0 <= day <= 6})
    if not chosen or since == until:
        raise WrongSlotError
    slot = PatrolSlot.objects.create(
        community=community, staff=staff, groups=[group.pk for group in groups], days=chosen,
        since=since, until=until, checklist=checklist.strip()[:LONGEST], made_at=clock.now(),
    )  # fmt: skip
    record("patrol_slot_made", community=community.pk, actor=by,
           data={"slot": slot.pk, "staff": staff.pk if staff else None})  # fmt: skip
    return slot


@transaction.atomic
def do_end_slot(slot: PatrolSlot, *, by: str) -> None:
    """Takes a slot off the rota; what was done and missed stays. Twice is once."""
    rows = PatrolSlot.objects.filter(pk=slot.pk, ended_at=None)
    if rows.update(ended_at=clock.now()):
        record("patrol_slot_ended", community=slot.community_id, actor=by,
               data={"slot": slot.pk})  # fmt: skip


def do_note_patrol(
    slot: PatrolSlot, on: date, *, ticked: Sequence[str], note: str = "", by: str
) -> Patrol:
    """A round is done, with what was looked for and found. Raises `NoRoundError`,
    `PatrolDoneError`."""
    one = find_round(as_slot(slot), on, zone_of(slot.community.zone))
    if one is None or not may_note(one, clock.now()):
        raise NoRoundError
    try:
        with transaction.atomic():
            patrol = Patrol.objects.create(
                slot=slot, on=on, ticked=list(ticked), note=note.strip()[:LONGEST], by=by,
                at=clock.now(),
            )  # fmt: skip
            record("patrol_done", community=slot.community_id, actor=by,
                   data={"slot": slot.pk, "on": on.isoformat()})  # fmt: skip
            return patrol
    except IntegrityError:
        raise PatrolDoneError from None
