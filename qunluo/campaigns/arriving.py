"""What follows when a friend arrives: they are attributed, and count once for who brought them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from qunluo.campaigns.invites import (
    COUNTS,
    INVITED,
    do_attribute,
    do_forget_visitors,
    is_still_there,
)
from qunluo.campaigns.marks import do_forget_marks, do_mark_orders, do_mark_payers
from qunluo.campaigns.mechanics.kernel import OPEN
from qunluo.campaigns.models import Attribution, Campaign, Following, Play
from qunluo.campaigns.playing import Asked, is_running, name_play, rules_of
from qunluo.campaigns.registry import find_mechanic
from qunluo.events.actions import follow
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.messaging.tasks import Task, register

COMES = ("member_met", "member_joined")
ACTS = ("campaign_joined", "campaign_acted", "campaign_helped")
HERE = ("member_joined", *ACTS)  # they did something: being known by name is not yet enough
GOES = ("member_left", "member_removed", "member_erased")
LEFT = "left"


def step_arrivals() -> bool:
    kinds = [*COMES, *ACTS, *GOES, "order_paid"]
    return bool(follow("campaigns.arrivals", note_arrivals, kinds=kinds))


def note_arrivals(events: Sequence[Event]) -> None:
    """Attributes who is new, lets who came by a campaign count in it, each once, and who left
    again count no more; keeps the marks of where orders go to and who paid them."""
    for member in Member.objects.filter(pk__in=_members(events, COMES)).order_by("pk"):
        do_attribute(member)
    for row in _brought(_members(events, HERE)):
        _let_count(row)
    for event in events:
        if event.kind in GOES and event.member_id:
            _let_go(event, event.member_id)
    payers = _members(events, ["order_paid"])
    do_mark_orders(payers)
    do_mark_payers(payers)


def _members(events: Sequence[Event], kinds: Collection[str]) -> set[int]:
    return {event.member_id for event in events if event.kind in kinds and event.member_id}


def _brought(members: Collection[int]) -> Iterator[Attribution]:
    """Who of them was brought by a campaign that counts friends."""
    rows = Attribution.objects.filter(
        member__in=members, inviter__isnull=False, campaign__mechanic__in=COUNTS
    )
    found = rows.select_related("campaign__version", "inviter", "member").order_by("pk")
    return (row for row in found if row.inviter_id != row.member_id)


def _let_count(row: Attribution) -> None:
    """The inviter's play gets the friend as an act of its own; it begins where it has not."""
    campaign = row.campaign
    if campaign is None or not is_running(campaign, clock.now()):
        return
    play, begun = _play_of(campaign, row.inviter_id)
    if not begun:
        _follow_up(campaign, play, OPEN, _opening(row.inviter_id), row.inviter_id)
    _follow_up(
        campaign, play, INVITED, f"{INVITED}:{row.member_id}", row.member_id,
        inviter=row.inviter_id, new=True, newcomer=True,
    )  # fmt: skip


def _play_of(campaign: Campaign, inviter: int | None) -> tuple[str, bool]:
    """The inviter's play, and whether it has begun."""
    mine = Play.objects.filter(campaign=campaign, starter=inviter).order_by("pk").first()
    if mine is not None:
        return mine.key, True
    asked = Asked(OPEN, _opening(inviter), member=inviter)
    return name_play(campaign, asked, rules_of(campaign)), False


def _opening(inviter: int | None) -> str:
    return f"{OPEN}:{inviter}"


def _let_go(event: Event, member: int) -> None:
    """Somebody left: who is in no group any more has not stayed."""
    for row in _brought([member]):
        campaign = row.campaign
        if campaign is None or LEFT not in find_mechanic(campaign.mechanic).follows:
            continue
        play, begun = _play_of(campaign, row.inviter_id)
        if begun and not is_still_there(row.member):
            _follow_up(campaign, play, LEFT, f"{LEFT}:{event.pk}", member, at=event.at)


def _follow_up(
    campaign: Campaign, play: str, kind: str, key: str, member: int | None,
    at: datetime | None = None, **data: object,
) -> None:  # fmt: skip
    Following.objects.get_or_create(
        campaign=campaign, key=key,
        defaults={"play": play, "kind": kind, "member_id": member, "data": data,
                  "at": at or clock.now()},
    )  # fmt: skip


def step_forget() -> bool:
    return do_forget_visitors() + do_forget_marks() > 0


for _task in (
    Task("campaigns.arrivals", step_arrivals),
    Task("campaigns.forget", step_forget, every_s=3600.0),
):
    register(_task)
