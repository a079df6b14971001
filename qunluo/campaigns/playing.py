"""Carries acts out on live campaigns: each once for its key, whole or not at all.

Acts of one campaign that wait together can be carried out in one transaction
(`do_act_together`): the rows they share are locked, loaded and written once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from qunluo.kit.errors import QunluoError
from qunluo.ledger.errors import ShortError
from qunluo.members.models import Member
from qunluo.segments.queries import find_in
from qunluo.segments.rules import InSegment

TRIES = 4
NOBODY: Mapping[int, Member] = {}
NOBODYS = frozenset({PAID, CANCELLED, REFUNDED, EXPIRE, CLOSE})  # of orders and clocks


Standing = tuple[str, int | None]  # a campaign's state, and the version in force


class MovedError(Exception):
    """A campaign was paused, stopped or changed while acts in it were on their way."""


@dataclass(frozen=True)
class Asked:
    """An act on its way: `play` may be "" where the mechanic names it or a new one begins."""

    kind: str
    key: str
    play: str = ""
    member: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True)
class Tap:
    """What a member does on a page. `facts` are what we know and no page may say."""

    member: Member
    kind: str
    key: str
    play: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


Answer = Done[Any] | Refused


def do_act(
    campaign: Campaign, kind: str, *, member: Member, key: str, play: str = "",
    data: Mapping[str, Any] | None = None, facts: Mapping[str, Any] | None = None,
) -> Answer:  # fmt: skip
    """A member does something. The same key again answers as the first time. Raises
    `NotRunningError`, `NotAudienceError`, `NotYoursError`."""
    answer = do_taps(campaign, [Tap(member, kind, key, play, data or {}, facts or {})])[0]
    if isinstance(answer, QunluoError):
        raise answer
    return answer


def do_taps(campaign: Campaign, taps: Sequence[Tap]) -> list[Answer | QunluoError]:
    """What each came to, in one transaction: done, refused by the rules, or an error of who
    may not."""
    for left in reversed(range(TRIES)):
        try:
            return _do_taps(campaign, taps)
        except (
            MovedError
        ):  # paused, stopped or changed meanwhile: asked again of what is so now
            campaign.refresh_from_db(fields=["state", "version", "starts_at", "ends_at"])
            if not left:
                raise
    raise AssertionError("unreachable")


def _do_taps(campaign: Campaign, taps: Sequence[Tap]) -> list[Answer | QunluoError]:
    errors = _find_errors(campaign, taps)
    may = [tap for tap, error in zip(taps, errors, strict=True) if error is None]
    rules, members = rules_of(campaign), {tap.member.pk: tap.member for tap in may}
    asked = [_asked(campaign, rules, tap) for tap in may]
    answers = iter(do_act_together(campaign, asked, members=members, seen=_as_seen(campaign)))
    return [next(answers) if error is None else error for error in errors]


def _asked(campaign: Campaign, rules: Any, tap: Tap) -> Asked:
    mechanic = find_mechanic(campaign.mechanic)
    told = {k: v for k, v in tap.data.items() if k not in mechanic.facts}
    asked = Asked(tap.kind, f"{tap.member.pk}:{tap.key}"[:120], "", tap.member.pk,
                  {**told, **tap.facts})  # fmt: skip
    own = mechanic.play_of(_as_act(asked, clock.now()), rules)
    # where there is one only, no page says another; nor does it name what begins: names are in
    # the causes of transfers
    return replace(asked, play=own or ("" if tap.kind == OPEN else tap.play))


def do_act_for(campaign: Campaign, asked: Asked, *, by: str) -> Answer:
    """The clock, an event or the operator acts, whatever the window says."""
    return do_act_together(campaign, [asked], by=by)[0]


def _find_errors(campaign: Campaign, taps: Sequence[Tap]) -> list[QunluoError | None]:
    """Why each may not act, asked of the audience once."""
    running = {
        begins: is_running(campaign, clock.now(), begins=begins) for begins in (True, False)
    }
    audience = _find_audience(campaign, [tap.member for tap in taps])
    mechanic = find_mechanic(campaign.mechanic)
    result: list[QunluoError | None] = []
    for tap in taps:
        if tap.kind in NOBODYS | mechanic.staff | mechanic.follows:
            result.append(NotYoursError())
        elif not running[tap.kind == OPEN or tap.kind in mechanic.within]:
            result.append(NotRunningError(name=campaign.name))
        else:
            member = tap.member.pk in audience
            result.append(None if member else NotAudienceError(name=campaign.name))
    return result


def _find_audience(campaign: Campaign, members: Sequence[Member]) -> Collection[int]:
    mine = [m.pk for m in members if m.community_id == campaign.community_id]
    if campaign.segment_id is None or not mine:
        return set(mine)
    return find_in(campaign.community, InSegment(campaign.segment_id), mine)


def is_running(campaign: Campaign, now: datetime, *, begins: bool = True) -> bool:
    """Within its window `[starts_at, ends_at)`, and neither paused nor stopped. What has begun
    goes on after the window or a stop as far as its own rules let it: a price that was won is
    still paid."""
    began = campaign.starts_at is None or campaign.starts_at <= now
    over = campaign.ends_at is not None and campaign.ends_at <= now
    states = ("running",) if begins else ("running", "ended", "stopped")
    return campaign.state in states and began and not (over and begins)


def do_act_together(
    campaign: Campaign, acts: Sequence[Asked], *, by: str = "",
    members: Mapping[int, Member] = NOBODY, seen: Standing | None = None,
) -> list[Answer]:  # fmt: skip
    """Carries acts out in one transaction, in this order; `by` whom, where it is not whoever
    acts; `members` are those whom the caller has at hand; `seen` is how the campaign stood when
    it was asked whether they may. What somebody else wrote meanwhile makes it begin again, a few
    times. Raises `MovedError` where the campaign stands otherwise by now."""
    if not acts:
        return []
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                if seen is not None and _hold(campaign) != seen:
                    raise MovedError
                return _act(campaign, acts, by, members)
        except (IntegrityError, OperationalError, ShortError):
            if not left or connection.in_atomic_block:
                raise
    raise AssertionError("unreachable")


def _as_seen(campaign: Campaign) -> Standing:
    return campaign.state, campaign.version_id


def _hold(campaign: Campaign) -> Standing | None:
    """How it stands now, and until the transaction ends: who pauses, stops or changes it (under
    `FOR UPDATE`) waits for what is under way, and other acts don't. It is the lock that each row
    of an act that names the campaign takes anyway, only earlier."""
    lock = (
        " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    )  # else one writes at a time
    table = Campaign._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT state, version_id FROM {table} WHERE id = %s{lock}", [campaign.pk]
        )
        found: Standing | None = cursor.fetchone()
    return found


def _act(
    campaign: Campaign, acts: Sequence[Asked], by: str, members: Mapping[int, Member]
) -> list[Answer]:
    now = clock.now()
    rules = rules_of(campaign)
    named = [(name_play(campaign, asked, rules), _as_act(asked, now)) for asked in acts]
    live = Live(campaign)
    live.members |= members
    probe = Probe(campaign, live.versions)
    rows = lock_plays(campaign, [play for play, _ in named])
    live.take_sought([play for play, _ in named], rows)
    live.lock_deeds([act for _, act in named])
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


def name_play(campaign: Campaign, asked: Asked, rules: Any) -> str:
    """The play an act belongs to under the rules in force; one that begins is named after its
    act, so that the same act again finds it."""
    if asked.play:
        return asked.play
    mechanic = find_mechanic(campaign.mechanic)
    return mechanic.play_of(_as_act(asked, clock.now()), rules) or _fresh(asked.key)


def _fresh(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def rules_of(campaign: Campaign) -> Any:
    """The rules in force, typed."""
    given = campaign.version.rules if campaign.version else {}
    return find_mechanic(campaign.mechanic).rules.model_validate(given)
