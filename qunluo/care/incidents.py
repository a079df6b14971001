"""Incidents: opened by what happens or by hand, owned, worked through, closed with an outcome.

Two unique keys hold that of one kind and group there is never more than one that is not closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from qunluo.care.errors import IncidentMovedError, IncidentOpenError, WordsMissingError
from qunluo.care.handbook import find_trigger, options_of
from qunluo.care.models import Incident, IncidentNote, Need
from qunluo.care.needs import is_complaint
from qunluo.care.rules import (
    LEAVES_BEFORE,
    Sign,
    judge_leaves,
    judge_negatives,
    judge_refunds,
    judge_words,
)
from qunluo.community.models import Community, Staff
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.groups.models import Group
from qunluo.insight.metrics.wishes import FAMILIES
from qunluo.kit import clock
from qunluo.messaging.models import Message
from qunluo.messaging.queries import find_on_duty

FOLLOWED = ("message_posted", "member_left", "member_removed", "order_refunded")
FRESH = timedelta(hours=24)  # older messages open nothing any more
LONGEST = 2_000

# reading


def list_incidents(community: Community, *states: str) -> QuerySet[Incident]:
    """Incidents in these states, the latest first."""
    rows = Incident.objects.filter(community=community, state__in=states)
    return rows.select_related("group", "owner__user").order_by("-pk")


def list_evidence(incident: Incident) -> list[Message]:
    """The messages it stands on that can still be read."""
    ids = incident.evidence.get("messages", [])
    rows = Message.objects.filter(pk__in=ids, recalled_at=None)
    return list(rows.select_related("member", "group").order_by("at", "pk"))


# opening


def do_open_incident(
    community: Community,
    kind: str,
    sign: Sign,
    *,
    group: Group | None = None,
    by: str = "system",
) -> Incident:
    """Opens an incident, for whoever is on duty. Raises `IncidentOpenError`."""
    try:
        with transaction.atomic():
            incident = Incident.objects.create(
                community=community, group=group, kind=kind, evidence=sign.evidence, by=by,
                why={"en": sign.why.en, "zh": sign.why.zh}, owner=find_on_duty(community),
                at=clock.now(),
            )  # fmt: skip
            _note(incident, "opened", by=by)
            return incident
    except IntegrityError:
        raise IncidentOpenError from None


def _note(incident: Incident, what: str, *, by: str, text: str = "") -> None:
    """A line of the timeline, and of the record, which keeps no words."""
    IncidentNote.objects.create(incident=incident, what=what, text=text, by=by, at=clock.now())
    record(_kind_of(what), community=incident.community_id, actor=by, group=incident.group_id,
           data={"incident": incident.pk, "trigger": incident.kind})  # fmt: skip


def _kind_of(what: str) -> str:
    if what == "opened":
        return "incident_opened"
    if what == "owned":
        return "incident_owned"
    if what == "handled":
        return "incident_handled"
    if what == "closed":
        return "incident_closed"
    if what == "reopened":
        return "incident_reopened"
    return "incident_noted"


# following what happens


def do_watch(events: Sequence[Event]) -> None:
    """Looks at each group and community that something happened in, once for all its events."""
    ours = [event for event in events if event.at > clock.now() - FRESH]
    communities = Community.objects.in_bulk({event.community_id for event in ours})
    groups = Group.objects.in_bulk({e.group_id for e in ours if e.group_id})
    for community in communities.values():
        mine = [event for event in ours if event.community_id == community.pk]
        _watch_community(community, mine, groups)


def _watch_community(
    community: Community, events: Sequence[Event], groups: dict[int, Group]
) -> None:
    talked = _ids(e for e in events if e.kind == "message_posted" and _by_member(e))
    left = _ids(e for e in events if e.kind in ("member_left", "member_removed"))
    posted = [
        e.data.get("message") for e in events if e.kind == "message_posted" and _by_member(e)
    ]
    looks: list[tuple[str, Group | None, Callable[..., Sign | None]]] = []
    for pk in talked:
        looks += [("negatives", groups.get(pk), _see_negatives),
                  ("words", groups.get(pk), partial(_see_words, posted))]  # fmt: skip
    looks += [("leaves", groups.get(pk), _see_leaves) for pk in left]
    if any(e.kind == "order_refunded" for e in events):
        looks.append(("refunds", None, _see_refunds))
    for kind, group, see in looks:
        _look(community, kind, group, see)


def _by_member(event: Event) -> bool:
    return bool(event.data.get("label") == "member")


def _ids(events: Iterable[Event]) -> list[int]:
    return sorted({event.group_id for event in events if event.group_id})


def _look(
    community: Community, kind: str, group: Group | None, see: Callable[..., Sign | None]
) -> None:
    """Opens an incident where there is a sign of it and none is open. What an incident that was
    closed stood on counts no more."""
    same = Incident.objects.filter(community=community, kind=kind, group=group)
    if same.exclude(state="closed").exists():
        return
    trigger = find_trigger(community, kind)
    last = same.order_by("-closed_at").values_list("closed_at", flat=True).first()
    sign = see(community, group, options_of(trigger), last) if trigger.active else None
    if sign is None:
        return
    try:
        do_open_incident(community, kind, sign, group=group)
    except IncidentOpenError:  # another worker, or a person, was faster
        return


def _see_negatives(
    community: Community, group: Group, options: dict[str, Any], last: datetime | None
) -> Sign | None:
    now = clock.now()
    since = now - timedelta(minutes=options["minutes"])
    bad = [family for family in FAMILIES if is_complaint(family)]
    rows = Need.objects.filter(group=group, family__in=bad, at__gt=max(since, last or since))
    rows = rows.filter(message__recalled_at=None)
    return judge_negatives(list(rows.values_list("message", "member", "at")), now, options)


def _see_words(
    posted: Sequence[Any], community: Community, group: Group, options: dict[str, Any],
    last: datetime | None,
) -> Sign | None:  # fmt: skip
    rows = Message.objects.filter(group=group, pk__in=[pk for pk in posted if pk])
    rows = rows.filter(
        recalled_at=None, at__gt=max(clock.now() - FRESH, last or clock.now() - FRESH)
    )
    return judge_words(list(rows.order_by("pk").values_list("pk", "text")), options)


def _see_leaves(
    community: Community, group: Group, options: dict[str, Any], last: datetime | None
) -> Sign | None:
    """Whoever left because the group closed was not driven away."""
    if group.state in ("closing", "dissolved"):
        return None
    now = clock.now()
    since = now - timedelta(days=LEAVES_BEFORE)
    rows = group.memberships.filter(left_at__gt=since, left_why__in=("left", "removed"))
    window = now - timedelta(hours=options["hours"])
    moments = [t for t in rows.values_list("left_at", flat=True) if t is not None]
    at = [t for t in moments if last is None or t <= window or t > last]
    days = (now - max(group.made_at, since)) / timedelta(days=1)
    return judge_leaves(at, now, options, days=days)


def _see_refunds(
    community: Community, group: None, options: dict[str, Any], last: datetime | None
) -> Sign | None:
    now = clock.now()
    since = now - timedelta(hours=options["hours"])
    rows = Event.objects.filter(
        community_id=community.pk, kind="order_refunded", at__gt=max(since, last or since)
    )
    return judge_refunds(list(rows.values_list("at", flat=True)), now, options)


# working through it


@transaction.atomic
def do_own_incident(incident: Incident, owner: Staff | None, *, by: str) -> None:
    """Says whose it is. Raises `IncidentMovedError` where it is closed."""
    if not Incident.objects.filter(pk=incident.pk).exclude(state="closed").update(owner=owner):
        raise IncidentMovedError
    _note(incident, "owned", by=by, text=owner.shown if owner else "")


@transaction.atomic
def do_note_incident(incident: Incident, text: str, *, by: str) -> None:
    """Adds what happened or was found. Raises `WordsMissingError`."""
    if not text.strip():
        raise WordsMissingError
    _note(incident, "noted", by=by, text=text.strip()[:LONGEST])


@transaction.atomic
def do_tick_step(incident: Incident, key: str, on: bool, *, words: str, by: str) -> None:
    """A step of the script is done, or is not after all; the same again changes nothing."""
    incident = Incident.objects.select_for_update().get(pk=incident.pk)
    if incident.state == "closed":
        raise IncidentMovedError
    if on == (key in incident.steps):
        return
    incident.steps = sorted({*incident.steps, key} if on else {*incident.steps} - {key})
    incident.save(update_fields=["steps"])
    _note(incident, "done" if on else "undone", by=by, text=words[:LONGEST])


@transaction.atomic
def do_handle_incident(incident: Incident, *, by: str) -> None:
    """It is under control; what comes after is still to be done. Raises `IncidentMovedError`."""
    rows = Incident.objects.filter(pk=incident.pk, state="open")
    if not rows.update(state="handled", handled_at=clock.now()):
        raise IncidentMovedError
    _note(incident, "handled", by=by)


@transaction.atomic
def do_close_incident(incident: Incident, outcome: str, *, by: str) -> None:
    """It is over, with what came of it. Raises `WordsMissingError`, `IncidentMovedError`."""
    outcome = outcome.strip()[:LONGEST]
    if not outcome:
        raise WordsMissingError
    rows = Incident.objects.filter(pk=incident.pk).exclude(state="closed")
    if not rows.update(state="closed", outcome=outcome, closed_at=clock.now()):
        raise IncidentMovedError
    _note(incident, "closed", by=by, text=outcome)


def do_reopen_incident(incident: Incident, *, by: str) -> None:
    """It was not over. Raises `IncidentMovedError`, or `IncidentOpenError` where there is a new
    one already."""
    try:
        with transaction.atomic():
            rows = Incident.objects.filter(pk=incident.pk, state="closed")
            if not rows.update(state="open", closed_at=None, handled_at=None):
                raise IncidentMovedError
            _note(incident, "reopened", by=by)
    except IntegrityError:
        raise IncidentOpenError from None
