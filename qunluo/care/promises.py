"""Contact debt: members who were promised attention, and how long nobody has kept it.

An exchange is what standing counts as one in the groups (the staff answered them, or they the
staff), or one that somebody noted by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet

from qunluo.care.errors import (
    PromisedError,
    WhyMissingError,
    WordsMissingError,
    WrongCadenceError,
)
from qunluo.care.models import Exchange, Promise
from qunluo.care.rules import Debt, count_debt
from qunluo.community.models import Community, Staff
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.messaging.rules import zone_of
from qunluo.standing.models import Tally

LONGEST = 2_000
MOST_DAYS = 365


@dataclass(frozen=True)
class Owed:
    """A promise, the day of the last real exchange, and what is owed today."""

    promise: Promise
    last_on: date | None
    debt: Debt

    @property
    def late(self) -> bool:
        return self.debt.overdue > 0


def list_owed(community: Community, now: datetime) -> list[Owed]:
    """Every promise that stands, the most overdue first."""
    return _count(Promise.objects.filter(community=community, ended_at=None), community, now)


def list_owed_to(member: Member, now: datetime) -> list[Owed]:
    """What one member is promised now, the most overdue first."""
    rows = Promise.objects.filter(member=member, ended_at=None)
    return _count(rows, member.community, now)


def _count(rows: QuerySet[Promise], community: Community, now: datetime) -> list[Owed]:
    promises = list(rows.select_related("member", "staff__user"))
    last = find_last_exchanges(community, [promise.member_id for promise in promises])
    today = now.astimezone(zone_of(community.zone)).date()
    owed = [
        Owed(p, last.get(p.member_id),
             count_debt(p.since, last.get(p.member_id), p.every_days, today))
        for p in promises
    ]  # fmt: skip
    return sorted(owed, key=lambda o: (-o.debt.overdue, o.promise.every_days, o.promise.pk))


def find_last_exchanges(community: Community, members: list[int]) -> dict[int, date]:
    """The local day of each member's last real exchange with the staff."""
    zone = zone_of(community.zone)
    seen = Tally.objects.filter(
        community=community, member_id__in=members, kind="staffed", n__gt=0
    )
    found: dict[int, date] = dict(seen.values_list("member_id").annotate(Max("day")))
    noted = Exchange.objects.filter(member__in=members).values_list("member")
    for member, at in noted.annotate(Max("at")):
        day = at.astimezone(zone).date()
        found[member] = max(day, found.get(member, day))
    return found


def do_promise(
    member: Member, *, every_days: int, what: str, staff: Staff | None, by: str,
    since: date | None = None,
) -> Promise:  # fmt: skip
    """Promises a member attention. Raises `WrongCadenceError`, `WordsMissingError`,
    `PromisedError`."""
    if not 1 <= every_days <= MOST_DAYS:
        raise WrongCadenceError
    if not what.strip():
        raise WordsMissingError
    now = clock.now()
    today = now.astimezone(zone_of(member.community.zone)).date()
    try:
        with transaction.atomic():
            promise = Promise.objects.create(
                community=member.community, member=member, every_days=every_days, staff=staff,
                what=what.strip()[:200], since=since or today, by=by, at=now,
            )  # fmt: skip
            record("attention_promised", community=member.community_id, actor=by,
                   member=member.pk, data={"promise": promise.pk, "every": every_days})  # fmt: skip
            return promise
    except IntegrityError:
        raise PromisedError from None


@transaction.atomic
def do_end_promise(promise: Promise, *, why: str, by: str) -> None:
    """Nothing is owed any more, for a reason. Twice is once. Raises `WhyMissingError`."""
    why = why.strip()[:200]
    if not why:
        raise WhyMissingError
    rows = Promise.objects.filter(pk=promise.pk, ended_at=None)
    if rows.update(ended_at=clock.now(), ended_why=why):
        record("promise_ended", community=promise.community_id, actor=by,
               member=promise.member_id, data={"promise": promise.pk, "why": why})  # fmt: skip


@transaction.atomic
def do_note_exchange(member: Member, text: str, *, by: str) -> Exchange:
    """Somebody had a real exchange with a member, outside of the groups. The record keeps that,
    not what was said. Raises `WordsMissingError`."""
    text = text.strip()[:LONGEST]
    if not text:
        raise WordsMissingError
    exchange = Exchange.objects.create(
        community=member.community, member=member, text=text, by=by, at=clock.now()
    )
    record("exchange_noted", community=member.community_id, actor=by, member=member.pk,
           data={"exchange": exchange.pk})  # fmt: skip
    return exchange
