"""Doubts about friends who count: facts are gathered after each act, and kept as evidence.

    act ──► facts ──signals (pure)──► evidence ──score──► noted, or open: a person looks

Nothing is decided here; see `reviewing`. Rewards of a play wait for as long as one of its doubts
is open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from qunluo.campaigns.invites import INVITED
from qunluo.campaigns.models import Campaign, Deed, Evidence, Mark, Play, Suspicion
from qunluo.campaigns.signals import (
    ASK_AT,
    BURST,
    BURST_SPAN,
    DORMANT_DAYS,
    VERSION,
    Facts,
    Signal,
    find_loop,
    judge,
    list_bursts,
)
from qunluo.commerce.models import Order
from qunluo.events.actions import follow, record
from qunluo.events.models import Event
from qunluo.groups.models import Membership
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.messaging.models import Message
from qunluo.messaging.tasks import Task, register

HELPS = ("help", "cut", INVITED)  # a friend acts in the play of who gains by it
BROUGHT = "brought"  # who gains acts in the play of the friend
COUNTED = (*HELPS, BROUGHT)
LOOK_BACK = timedelta(days=3)  # so late the dormant are still found
MOST = 1_000  # acts of one play that are looked at together


@dataclass(frozen=True)
class Tie:
    """`friend` counted for `inviter`, by an act in a play."""

    campaign: int
    play: str
    act: str
    friend: int
    inviter: int
    at: datetime


# which acts


def step_signals() -> bool:
    return bool(follow("campaigns.signals", note_acts, kinds=["campaign_helped",
                                                              "campaign_acted", "order_paid"]))  # fmt: skip


def note_acts(events: Sequence[Event]) -> None:
    """Looks at every friend who counted, and again at those who paid since."""
    acts = [e for e in events if e.data.get("act") in COUNTED and e.member_id]
    paid = {e.member_id for e in events if e.kind == "order_paid" and e.member_id}
    wanted = Q(kind__in=COUNTED, member__in=paid)
    for event in acts:
        wanted |= Q(campaign=event.data["campaign"], play=event.data["play"],
                    kind=event.data["act"], member=event.member_id)  # fmt: skip
    if acts or paid:
        do_look(list_ties(Deed.objects.filter(wanted)))


def list_ties(deeds: QuerySet[Deed]) -> list[Tie]:
    """Who counted for whom by these acts."""
    rows = list(deeds.values_list("campaign", "play", "kind", "member", "at").order_by("pk"))
    plays = Play.objects.filter(
        campaign__in={row[0] for row in rows}, key__in={row[1] for row in rows}
    )
    starters = {
        (c, key): who for c, key, who in plays.values_list("campaign", "key", "starter")
    }
    found = (_tie(*row, starters.get(row[:2])) for row in rows)
    return [tie for tie in found if tie is not None]


def _tie(
    campaign: int, play: str, act: str, member: int | None, at: datetime, starter: int | None
) -> Tie | None:
    if member is None or starter is None or member == starter:
        return None
    friend, inviter = (starter, member) if act == BROUGHT else (member, starter)
    return Tie(campaign, play, act, friend, inviter, at)


# facts


def do_look(ties: Sequence[Tie]) -> None:
    """Gathers the facts of ties, and keeps what speaks against them."""
    shared, left, crowds = _shared(ties), _left(ties), _crowds(ties)
    circles = _circles(ties)
    for tie in ties:
        facts = Facts(
            shared=shared.get((tie.friend, tie.inviter), ()), left=left.get(tie.friend, 0),
            burst=crowds.get((tie.campaign, tie.play, tie.friend), 0),
            loop=find_loop(circles[tie.campaign], tie.friend, tie.inviter),
        )  # fmt: skip
        do_keep(tie, judge(facts))
    do_look_at_crowds(crowds, ties)


def do_look_at_crowds(crowds: Mapping[tuple[int, str, int], int], ties: Iterable[Tie]) -> None:
    """Who came in the same crowd earlier is part of it, too."""
    seen = {(tie.campaign, tie.play, tie.friend) for tie in ties}
    missing = {key: size for key, size in crowds.items() if key not in seen and size > BURST}
    deeds = Deed.objects.filter(
        campaign__in={c for c, _, _ in missing}, play__in={p for _, p, _ in missing},
        member__in={m for _, _, m in missing}, kind__in=HELPS,
    )  # fmt: skip
    for tie in list_ties(deeds) if missing else ():
        size = missing.get((tie.campaign, tie.play, tie.friend), 0)
        do_keep(tie, judge(Facts(burst=size)))


def _shared(ties: Sequence[Tie]) -> dict[tuple[int, int], set[str]]:
    """Kinds of marks that a friend and who gains have in common."""
    members = {tie.friend for tie in ties} | {tie.inviter for tie in ties}
    marks: dict[int, set[tuple[str, str]]] = defaultdict(set)
    rows = Mark.objects.filter(member__in=members)
    for member, kind, mark in rows.values_list("member", "kind", "mark_hash"):
        marks[member].add((kind, mark))
    pairs = {(tie.friend, tie.inviter) for tie in ties}
    return {(a, b): {kind for kind, _ in marks[a] & marks[b]} for a, b in pairs}


def _left(ties: Sequence[Tie]) -> dict[int, int]:
    """How often friends had left before they counted, and come again."""
    counted: dict[int, int] = defaultdict(int)
    at = {tie.friend: tie.at for tie in ties}
    rows = Membership.objects.filter(member__in=at, left_at__isnull=False)
    for member, gone in rows.exclude(left_why="closed").values_list("member", "left_at"):
        counted[member] += gone is not None and gone <= at[member]
    return counted


def _crowds(ties: Sequence[Tie]) -> dict[tuple[int, str, int], int]:
    """How many helped within the span, for everybody of a play who was part of it."""
    found: dict[tuple[int, str, int], int] = {}
    for campaign, play in {(t.campaign, t.play) for t in ties if t.act in HELPS}:
        mine = [t.at for t in ties if (t.campaign, t.play) == (campaign, play)]
        rows = Deed.objects.filter(
            campaign=campaign, play=play, kind__in=HELPS, member__isnull=False,
            at__gte=min(mine) - BURST_SPAN, at__lte=max(mine) + BURST_SPAN,
        ).order_by("at", "pk")  # fmt: skip
        helps = list(rows.values_list("member", "at")[:MOST])
        for (member, _), size in zip(helps, list_bursts([at for _, at in helps]), strict=True):
            if member is not None:
                found[campaign, play, member] = size
    return found


def _circles(ties: Sequence[Tie]) -> dict[int, dict[int, set[int]]]:
    """Who helped whom in each campaign, two steps around those who gain."""
    found: dict[int, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for campaign in {tie.campaign for tie in ties}:
        inside = [t for t in ties if t.campaign == campaign]
        around = {t.inviter for t in inside}
        for _ in range(2):
            rows = Deed.objects.filter(campaign=campaign, member__in=around, kind__in=HELPS)
            for tie in list_ties(rows):
                found[campaign][tie.friend].add(tie.inviter)
            around = {who for one in around for who in found[campaign][one]}
    return found


# who never came again


def step_dormant() -> bool:
    """Looks a week later whether friends who counted have done anything at all."""
    until = clock.now() - timedelta(days=DORMANT_DAYS)
    deeds = Deed.objects.filter(
        campaign__state__in=("running", "paused", "ended"), kind__in=(INVITED, BROUGHT),
        at__lte=until, at__gt=until - LOOK_BACK,
    )  # fmt: skip
    return sum(do_keep(tie, judge(facts)) for tie, facts in _dormant(list_ties(deeds))) > 0


def _dormant(ties: Sequence[Tie]) -> Iterator[tuple[Tie, Facts]]:
    awake = _list_awake({tie.friend: tie.at for tie in ties})
    known = set(
        Evidence.objects.filter(
            kind="dormant", suspicion__campaign__in={tie.campaign for tie in ties}
        ).values_list("suspicion__campaign", "suspicion__member")
    )
    for tie in ties:
        if tie.friend not in awake and (tie.campaign, tie.friend) not in known:
            yield tie, Facts(dormant_days=DORMANT_DAYS)


def _list_awake(since: Mapping[int, datetime]) -> set[int]:
    """Who has said or bought anything, or did or was seen later than the day they counted."""
    said = Message.objects.filter(member__in=since, label="member", kind__in=("text", "image"))
    found = set(said.values_list("member", flat=True))
    found |= set(Order.objects.filter(member__in=since).values_list("member", flat=True))
    deeds = Deed.objects.filter(member__in=since).values_list("member", "at")
    seen = Member.objects.filter(pk__in=since).values_list("pk", "seen_at")
    for member, at in [*deeds, *seen]:
        if member is not None and at is not None and at - since[member] > timedelta(days=1):
            found.add(member)
    return {pk for pk in found if pk is not None}


# keeping


def do_keep(tie: Tie, signals: Sequence[Signal]) -> bool:
    """Keeps evidence, each kind once; opens the doubt where it is enough to ask a person.
    Whether anything was new. What a person decided stays decided."""
    if not signals:
        return False
    found = _find(tie)
    known = set(found.evidence.values_list("kind", flat=True))
    fresh = [signal for signal in signals if signal.kind not in known]
    Evidence.objects.bulk_create(
        (Evidence(suspicion=found, kind=s.kind, version=VERSION, facts=dict(s.facts),
                  score=s.score, at=clock.now()) for s in fresh),
        ignore_conflicts=True,
    )  # fmt: skip
    if fresh:
        _weigh(found)
    return bool(fresh)


def _find(tie: Tie) -> Suspicion:
    campaign = Campaign.objects.get(pk=tie.campaign)
    return Suspicion.objects.get_or_create(
        campaign=campaign, play=tie.play, member_id=tie.friend,
        defaults={"community_id": campaign.community_id, "act": tie.act, "at": clock.now(),
                  "inviter_id": tie.inviter},
    )[0]  # fmt: skip


def _weigh(found: Suspicion) -> None:
    score = found.evidence.aggregate(n=Sum("score"))["n"] or 0
    Suspicion.objects.filter(pk=found.pk).update(score=score)
    rows = Suspicion.objects.filter(pk=found.pk, state="noted")
    if score >= ASK_AT and rows.update(state="open"):
        record("invite_doubted", community=found.community_id, member=found.member_id,
               data={"campaign": found.campaign_id, "play": found.play, "score": score})  # fmt: skip


def in_doubt() -> Exists:
    """Of rewards: something of their play waits for a person."""
    rows = Suspicion.objects.filter(
        campaign=OuterRef("campaign"), play=OuterRef("play"), state="open"
    )
    return Exists(rows)


def count_open(community_id: int) -> int:
    """How many wait for a decision, appeals included."""
    rows = Suspicion.objects.filter(community=community_id)
    waits = Q(state="open") | Q(state="voided", appealed_at__isnull=False, answered_at=None)
    return int(rows.filter(waits).aggregate(n=Count("pk"))["n"])


for _task in (
    Task("campaigns.signals", step_signals),
    Task("campaigns.dormant", step_dormant, every_s=3600.0),
):
    register(_task)
