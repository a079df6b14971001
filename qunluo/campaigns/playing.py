"""Carries acts out on live campaigns: each once for its key, whole or not at all.

Acts of one campaign that wait together can be carried out in one transaction
(`do_act_together`): the rows they share are locked, loaded and written once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction

from qunluo.campaigns.errors import NotAudienceError, NotRunningError, NotYoursError
from qunluo.campaigns.live import Live, Probe, lock_plays
from qunluo.campaigns.mechanics.kernel import (
    CANCELLED,
    EXPIRE,
    OPEN,
    PAID,
    REFUNDED,
    Act,
    Done,
    Refused,
)
from qunluo.campaigns.mechanics.steps import CLOSE
from qunluo.campaigns.models import Campaign
from qunluo.campaigns.registry import find_mechanic
from qunluo.campaigns.writing import do_write
from qunluo.kit import clock
from qunluo.ledger.errors import ShortError
from qunluo.members.models import Member
from qunluo.segments.queries import is_in
from qunluo.segments.rules import InSegment

TRIES = 4
NOBODYS = frozenset({PAID, CANCELLED, REFUNDED, EXPIRE, CLOSE})  # of orders and clocks


@dataclass(frozen=True)
class Asked:
    """An act on its way: `play` may be "" where the mechanic names it or a new one begins."""

    kind: str
    key: str
    play: str = ""
    member: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


def do_act(
    campaign: Campaign, kind: str, *, member: Member, key: str, play: str = "",
    data: Mapping[str, Any] | None = None, facts: Mapping[str, Any] | None = None,
) -> Done[Any] | Refused:  # fmt: skip
    """A member does something. The same key again answers as the first time. `facts` are what
    we know and no page may say. Raises `NotRunningError`, `NotAudienceError`, `NotYoursError`."""
    check_may_act(campaign, kind, member)
    mechanic = find_mechanic(campaign.mechanic)
    told = {k: v for k, v in (data or {}).items() if k not in mechanic.facts}
    asked = Asked(kind, f"{member.pk}:{key}"[:120], play, member.pk, {**told, **(facts or {})})
    return do_act_together(campaign, [asked], by=member.actor)[0]


def do_act_for(campaign: Campaign, asked: Asked, *, by: str) -> Done[Any] | Refused:
    """The clock, an event or the operator acts, whatever the window says."""
    return do_act_together(campaign, [asked], by=by)[0]


def check_may_act(campaign: Campaign, kind: str, member: Member) -> None:
    mechanic = find_mechanic(campaign.mechanic)
    if kind in NOBODYS or kind in mechanic.staff or kind in mechanic.follows:
        raise NotYoursError
    begins = kind == OPEN or kind in mechanic.within
    if not is_running(campaign, clock.now(), begins=begins):
        raise NotRunningError(name=campaign.name)
    segment = campaign.segment_id
    if member.community_id != campaign.community_id or (
        segment and not is_in(member, InSegment(segment))
    ):
        raise NotAudienceError(name=campaign.name)


def is_running(campaign: Campaign, now: datetime, *, begins: bool = True) -> bool:
    """Within its window `[starts_at, ends_at)`, and neither paused nor stopped. What has begun
    goes on after the window, by its own clock."""
    began = campaign.starts_at is None or campaign.starts_at <= now
    over = campaign.ends_at is not None and campaign.ends_at <= now
    states = ("running",) if begins else ("running", "ended")
    return campaign.state in states and began and not (over and begins)


def do_act_together(
    campaign: Campaign, acts: Sequence[Asked], *, by: str
) -> list[Done[Any] | Refused]:
    """Carries acts out in one transaction, in this order. What somebody else wrote meanwhile
    makes it begin again, a few times."""
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                return _act(campaign, acts, by)
        except (IntegrityError, OperationalError, ShortError):
            if not left or connection.in_atomic_block:
                raise
    raise AssertionError("unreachable")


def _act(campaign: Campaign, acts: Sequence[Asked], by: str) -> list[Done[Any] | Refused]:
    now = clock.now()
    named = [(name_play(campaign, asked), _as_act(asked, now)) for asked in acts]
    live, probe = Live(campaign), Probe(campaign)
    rows = lock_plays(campaign, [play for play, _ in named])
    live.take(rows)
    live.lock_deeds(act for _, act in named)
    probe.take(rows)
    for play, act in named:
        if act.key not in live.answers:
            probe.act(play, act)
    live.lock(probe.asked)
    answers = [live.act(play, act) for play, act in named]
    if live.fresh:
        do_write(live, by=by)
    return answers


def _as_act(asked: Asked, now: datetime) -> Act:
    return Act(asked.kind, asked.at or now, asked.member, asked.key, dict(asked.data))


def name_play(campaign: Campaign, asked: Asked) -> str:
    """The play an act belongs to; one that begins is named after its act, so that the same act
    again finds it."""
    if asked.play:
        return asked.play
    live = find_mechanic(campaign.mechanic)
    rules = rules_of(campaign)
    act = _as_act(asked, clock.now())
    return live.play_of(act, rules) or _fresh(asked.key)


def _fresh(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def rules_of(campaign: Campaign) -> Any:
    """The rules in force, typed."""
    given = campaign.version.rules if campaign.version else {}
    return find_mechanic(campaign.mechanic).rules.model_validate(given)
