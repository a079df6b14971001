"""Judging members and keeping what came of it: the row, the changes, their events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F

from qunluo.community.models import Community, Staff
from qunluo.events.actions import SYSTEM, record_each
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.standing.loading import load_facts
from qunluo.standing.models import Correction, Reckoning, Standing, StandingChange
from qunluo.standing.rules import By, Last, Verdict, judge
from qunluo.standing.thresholds import Thresholds, read_thresholds

TOLD = ("lifecycle", "trust", "circle", "level", "flags")
"""Whose changes are told: the phase follows the lifecycle, and numbers move every day."""
AT_ONCE = 500


@dataclass(frozen=True)
class Court:
    """What a community's members are judged by on a day."""

    community: int
    zone: ZoneInfo
    today: date
    thresholds: Thresholds
    borders: Mapping[str, list[int]]


def open_court(community: Community) -> Court:
    zone = ZoneInfo(community.zone)
    row = (
        Reckoning.objects.filter(community=community).values_list("borders", flat=True).first()
    )
    return Court(
        community.pk, zone, clock.now().astimezone(zone).date(), thresholds_of(community),
        row or {},
    )  # fmt: skip


def thresholds_of(community: Community) -> Thresholds:
    """The community's own borders of standing, or the usual ones."""
    return read_thresholds(community.settings.get("standing", {}))


def do_judge(
    court: Court, ids: Sequence[int], places: Mapping[int, Last] | None = None
) -> list[StandingChange]:
    """Judges members anew, in the caller's transaction; `places` is what a full night found, or
    the last one's stay. What changed is told."""
    live = Member.objects.filter(pk__in=ids, merged_into=None, erased_at=None)
    members = list(live.only("pk", "made_at").order_by("pk"))
    before = Standing.objects.in_bulk([m.pk for m in members])
    facts = load_facts(
        members, court.zone, stay_days=court.thresholds.stay_days, today=court.today.toordinal()
    )
    hands = _by_hand(ids)
    revision = _next_revision(court.community)
    verdicts: dict[int, Verdict] = {}
    for member in members:
        last = places[member.pk] if places is not None else _last(before.get(member.pk))
        verdicts[member.pk] = judge(
            facts[member.pk], court.thresholds, court.today, last, borders=court.borders,
            by_hand=hands.get(member.pk),
        )  # fmt: skip
    return _keep(court, before, verdicts, Round(revision, full=places is not None))


@dataclass(frozen=True)
class Round:
    """One judging: whoever reads sums and standings finds by its number what is new since. A
    full one writes only what differs; else the sums of all of them may have moved."""

    revision: int
    full: bool


def _next_revision(community: int) -> int:
    """Rounds of a community wait for each other here, so that a higher number is a later one."""
    mine = Reckoning.objects.filter(pk=community)
    if not mine.update(revision=F("revision") + 1):
        Reckoning.objects.get_or_create(community_id=community)
        mine.update(revision=F("revision") + 1)
    return mine.values_list("revision", flat=True).get()


def explain(row: Standing) -> Verdict:
    """The same verdict again, from the sums that it came from: with its reasons."""
    member = row.member
    court = replace(open_court(member.community), today=row.judged_on)
    facts = load_facts(
        [member], court.zone, stay_days=court.thresholds.stay_days,
        today=court.today.toordinal(),
    )  # fmt: skip
    return judge(
        facts[member.pk], court.thresholds, court.today, _last(row), borders=court.borders,
        by_hand=_by_hand([member.pk]).get(member.pk),
    )  # fmt: skip


def _last(row: Standing | None) -> Last:
    if row is None:
        return Last()
    return Last(row.placed, row.influence, row.weeks, row.lower_since)


def _by_hand(ids: Sequence[int]) -> dict[int, dict[str, By]]:
    rows = list(Correction.objects.filter(member__in=ids, lifted_at=None))
    names = name_actors(row.by for row in rows)
    found: dict[int, dict[str, By]] = defaultdict(dict)
    for row in rows:
        found[row.member_id][row.name] = By(row.value, row.why, names.get(row.by, row.by))
    return found


def name_actors(actors: Iterable[str]) -> dict[str, str]:
    """The names of staff, by how the record calls them."""
    ids = [int(actor[6:]) for actor in actors if actor.startswith("staff:")]
    posts = Staff.objects.filter(pk__in=ids).select_related("user") if ids else []
    return {post.actor: post.shown for post in posts}


# keeping it


def _keep(
    court: Court, before: Mapping[int, Standing], verdicts: Mapping[int, Verdict], this: Round
) -> list[StandingChange]:
    rows, same, changes = [], [], []
    for pk, verdict in verdicts.items():
        old = before.get(pk)
        if old is not None and this.full and not _differs(old, verdict):
            same.append(pk)
            continue
        rows.append(_as_row(court, pk, verdict, this.revision))
        if old is not None:
            changes += _list_changes(old, verdict)
    _write(rows)
    stale = Standing.objects.filter(pk__in=same).exclude(judged_on=court.today)
    stale.update(judged_on=court.today)
    _tell(court, changes)
    return changes


def _as_row(court: Court, pk: int, verdict: Verdict, revision: int) -> Standing:
    return Standing(
        member_id=pk, community_id=court.community, judged_on=court.today, revision=revision,
        **verdict.values,
    )  # fmt: skip


def _differs(old: Standing, verdict: Verdict) -> bool:
    return any(getattr(old, name) != value for name, value in verdict.values.items())


def _list_changes(old: Standing, verdict: Verdict) -> list[StandingChange]:
    values = verdict.values
    moved = [name for name in TOLD if getattr(old, name) != values[name]]
    return [
        StandingChange(
            member_id=old.pk, name=name, before=_plain(getattr(old, name)),
            after=_plain(values[name]), by=SYSTEM, at=clock.now(),
            why={"en": verdict.why[name].en, "zh": verdict.why[name].zh},
        )
        for name in moved
    ]  # fmt: skip


def _plain(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def _write(rows: list[Standing]) -> None:
    Standing.objects.bulk_create(
        rows, batch_size=200, update_conflicts=True, unique_fields=["member"],
        update_fields=[f.name for f in Standing._meta.concrete_fields if not f.primary_key],
    )  # fmt: skip


def _tell(court: Court, changes: list[StandingChange]) -> None:
    """A move is an event: it may start a playbook."""
    StandingChange.objects.bulk_create(changes, batch_size=AT_ONCE)
    record_each(
        "standing_changed",
        community=court.community,
        told=[
            (c.member_id, {"name": c.name, "before": c.before, "after": c.after})
            for c in changes
        ],
    )
