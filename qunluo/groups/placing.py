"""A group's month is counted, judged and kept: once a month, by the worker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet

from qunluo.community.models import Community
from qunluo.community.queries import settings_of
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.groups.models import Group, Membership, Positioning
from qunluo.groups.positioning import Facts, judge_position
from qunluo.groups.queries import RUNNING

CAMPAIGN = ("campaign_joined", "campaign_helped", "campaign_won")  # kinds of taking part
AT_ONCE = 20  # groups of one round
_Stays = dict[int, list[tuple[datetime, datetime | None]]]


def month_before(day: date) -> date:
    """The first day of the month before."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def bounds_of(month: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants at which a local month begins and is over."""
    after = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    begin, end = (datetime(d.year, d.month, 1, tzinfo=zone) for d in (month, after))
    return begin, end


def count_month(group: Group, month: date) -> Facts:
    """What happened in a group in a local month. Orders are of members while they were in; one
    who is in several groups counts in each."""
    begin, end = bounds_of(month, ZoneInfo(group.community.zone))
    stays = _find_stays(group, begin, end)
    said = _events(group.community, begin, end, ["message_posted"]).filter(group_id=group.pk)
    spoke = set(said.values_list("member_id", flat=True)) & set(stays)
    paid = list(_list_paid(group.community, stays, begin, end))
    alive = min(end, group.closed_at or end) - max(begin, group.opened_at)
    return Facts(
        days=max(alive.days, 0), members=len(stays), spoke=len(spoke),
        buyers=len({member for member, _ in paid}), orders=len(paid),
        amount_minor=sum(amount for _, amount in paid),
        joined_in=_count_campaign(group.community, stays, begin, end),
    )  # fmt: skip


def _find_stays(group: Group, begin: datetime, end: datetime) -> _Stays:
    seats = Membership.objects.filter(group=group, joined_at__lt=end)
    seats = seats.filter(Q(left_at=None) | Q(left_at__gt=begin))
    found: _Stays = defaultdict(list)
    for member, came, left in seats.values_list("member_id", "joined_at", "left_at"):
        found[member].append((came, left))
    return found


def _events(
    community: Community, begin: datetime, end: datetime, kinds: Iterable[str]
) -> QuerySet[Event]:
    return Event.objects.filter(
        community_id=community.pk, kind__in=kinds, at__gte=begin, at__lt=end
    )


def _list_paid(
    community: Community, stays: _Stays, begin: datetime, end: datetime
) -> Iterable[tuple[int, int]]:
    """Member and amount of each order that stands, less what was given back of it."""
    whole, back = _find_refunds(community, begin)
    rows = _events(community, begin, end, ["order_paid"]).order_by("id")
    for member, at, data in rows.values_list("member_id", "at", "data").iterator():
        order = str(data.get("order", ""))
        there = stays.get(member, []) if member is not None else []
        if member is None or order in whole or not any(_within(at, *stay) for stay in there):
            continue
        yield member, max(int(data.get("amount_minor") or 0) - back.get(order, 0), 0)


def _within(at: datetime, came: datetime, left: datetime | None) -> bool:
    return came <= at and (left is None or at < left)


def _find_refunds(community: Community, begin: datetime) -> tuple[set[str], dict[str, int]]:
    """Orders given back as a whole, and what was given back of others, since the month began."""
    whole, back = set[str](), defaultdict[str, int](int)
    rows = Event.objects.filter(community_id=community.pk, kind="order_refunded", at__gte=begin)
    for data in rows.values_list("data", flat=True).iterator():
        order = str(data.get("order", ""))
        if data.get("whole"):
            whole.add(order)
        back[order] += int(data.get("amount_minor") or 0)
    return whole, back


def _count_campaign(
    community: Community, stays: _Stays, begin: datetime, end: datetime
) -> int | None:
    """Members who took part in a campaign; None where the community had none."""
    rows = _events(community, begin, end, CAMPAIGN)
    took = set(rows.values_list("member_id", flat=True))
    return len(took & set(stays)) if took else None


@transaction.atomic
def do_place(group: Group, month: date, *, now: datetime) -> Positioning:
    """The group's position in a month that is over; judged once, and kept."""
    there = Positioning.objects.filter(group=group, month=month).first()
    if there is not None:
        return there
    facts = count_month(group, month)
    set_ = settings_of(group.community)
    found = judge_position(
        facts, dear_minor=set_.dear_order_minor, own=group.blueprint, currency=set_.currency
    )
    kept, new = Positioning.objects.get_or_create(
        group=group, month=month,
        defaults={
            "intent": found.intent or "", "order_value": found.order_value or "",
            "facts": asdict(facts), "reasons": [asdict(why) for why in found.reasons],
            "move": asdict(found.move), "suggests": found.suggests, "judged_at": now,
        },
    )  # fmt: skip
    if new:
        record("group_positioned", community=group.community_id, group=group.pk,
               data={"month": month.isoformat(), "intent": kept.intent,
                     "order_value": kept.order_value, "suggests": kept.suggests})  # fmt: skip
    return kept


def step_places(now: datetime) -> bool:
    """Judges some groups that lack last month's position; whether there were any."""
    for community in Community.objects.order_by("id"):
        month = month_before(now.astimezone(ZoneInfo(community.zone)).date())
        _, end = bounds_of(month, ZoneInfo(community.zone))
        groups = Group.objects.filter(community=community, state__in=RUNNING, made_at__lt=end)
        waiting = groups.exclude(positions__month=month).select_related("community")
        found = list(waiting.order_by("id")[:AT_ONCE])
        for group in found:
            do_place(group, month, now=now)
        if found:
            return True
    return False


def list_places(group: Group, months: int = 12) -> list[Positioning]:
    """The months of a group, the newest first."""
    return list(Positioning.objects.filter(group=group).order_by("-month")[:months])
