"""What follows when a friend arrives: they are attributed, and count once for who brought them."""

from __future__ import annotations

from collections.abc import Sequence

from qunluo.campaigns.invites import COUNTS, INVITED, do_attribute, do_forget_visitors
from qunluo.campaigns.marks import do_forget_marks
from qunluo.campaigns.mechanics.kernel import OPEN
from qunluo.campaigns.models import Attribution, Campaign, Following, Play
from qunluo.campaigns.playing import is_running
from qunluo.events.actions import follow
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.messaging.tasks import Task, register

COMES = ("member_met", "member_joined")
ACTS = ("campaign_joined", "campaign_acted", "campaign_helped")
HERE = ("member_joined", *ACTS)  # they did something: being known by name is not yet enough


def step_arrivals() -> bool:
    return bool(follow("campaigns.arrivals", note_arrivals, kinds=[*COMES, *ACTS]))


def note_arrivals(events: Sequence[Event]) -> None:
    """Attributes who is new, and lets who came by a campaign count in it, each once."""
    came = {event.member_id for event in events if event.kind in COMES and event.member_id}
    for member in Member.objects.filter(pk__in=came).order_by("pk"):
        do_attribute(member)
    here = {event.member_id for event in events if event.kind in HERE and event.member_id}
    found = Attribution.objects.filter(
        member__in=here, inviter__isnull=False, campaign__mechanic__in=COUNTS
    )
    for row in found.select_related("campaign").order_by("pk"):
        if row.inviter_id != row.member_id and row.campaign is not None:
            _let_count(row.campaign, row)


def _let_count(campaign: Campaign, row: Attribution) -> None:
    """The inviter's play gets the friend as an act of its own; it begins where it has not."""
    key, play = f"{INVITED}:{row.member_id}", f"m{row.inviter_id}"
    if not is_running(campaign, clock.now()):
        return
    if not Play.objects.filter(campaign=campaign, key=play).exists():
        _follow_up(campaign, play, OPEN, f"{OPEN}:{play}", row.inviter_id)
    _follow_up(campaign, play, INVITED, key, row.member_id, inviter=row.inviter_id, new=True)


def _follow_up(
    campaign: Campaign, play: str, kind: str, key: str, member: int | None, **data: object
) -> None:
    Following.objects.get_or_create(
        campaign=campaign, key=key,
        defaults={"play": play, "kind": kind, "member_id": member, "data": data,
                  "at": clock.now()},
    )  # fmt: skip


def step_forget() -> bool:
    return do_forget_visitors() + do_forget_marks() > 0


for _task in (
    Task("campaigns.arrivals", step_arrivals),
    Task("campaigns.forget", step_forget, every_s=3600.0),
):
    register(_task)
