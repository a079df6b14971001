"""Scores of contests, from what those who take part do anyway: each event counts once, and what
is undone before the end counts no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from qunluo.campaigns.arriving import ACTS, COMES, GOES
from qunluo.campaigns.gifts import is_for
from qunluo.campaigns.invites import do_attribute, is_still_there
from qunluo.campaigns.mechanics import contest
from qunluo.campaigns.mechanics.check_in import CHECK_IN
from qunluo.campaigns.mechanics.contest import CORRECT, SCORE
from qunluo.campaigns.models import Campaign, Deed, Following
from qunluo.campaigns.playing import rules_of
from qunluo.commerce.models import Order
from qunluo.events.actions import follow
from qunluo.events.models import Event
from qunluo.kit.money import to_major
from qunluo.members.models import Member
from qunluo.messaging.tasks import Task, register

ORDERS = ("order_paid", "order_refunded")
KINDS: Mapping[str, Sequence[str]] = {
    "orders": ORDERS, "spend": ORDERS, "invites": (*COMES, *GOES),
    "check_ins": ("campaign_joined", "campaign_acted"), "helps": ("campaign_helped",),
}  # fmt: skip
LIVE = ("running", "paused", "ended")  # what was done in time is heard of afterwards


@dataclass(frozen=True)
class Score:
    """What something is worth to somebody; `ref` names it for as long as it may be undone. The
    first word counts it, a later one with less corrects it."""

    member: Member
    points: int
    ref: str
    at: datetime
    corrected: datetime | None = None
    worth: int = 0  # since it was corrected


def step_scores() -> bool:
    return bool(follow("campaigns.scores", note_scores, kinds=[*COMES, *GOES, *ACTS, *ORDERS]))


def note_scores(events: Sequence[Event]) -> None:
    """Called in the transaction that follows the record."""
    communities = {event.community_id for event in events}
    rows = Campaign.objects.filter(
        community__in=communities, mechanic=contest.MECHANIC.name, state__in=LIVE,
        version__isnull=False,
    )  # fmt: skip
    for row in rows.select_related("version", "community").order_by("pk"):
        rules: contest.Rules = rules_of(row)
        for event in events:
            if event.community_id == row.community_id and event.kind in KINDS[rules.counts]:
                for score in _scores(rules.counts, event):
                    _tell(row, rules, score)


def _tell(row: Campaign, rules: contest.Rules, score: Score) -> None:
    if not rules.starts_at <= score.at < rules.ends_at or score.points < 1:
        return
    if not _takes_part(row, score) or not is_for(row, score.member):
        return
    _follow_up(row, SCORE, score, f"{SCORE}:{score.ref}", score.points, score.at)
    if score.corrected is not None and score.corrected < rules.ends_at:
        key = f"{CORRECT}:{score.ref}:{score.worth}"
        _follow_up(row, CORRECT, score, key, score.worth, score.corrected)


def _takes_part(row: Campaign, score: Score) -> bool:
    """Nobody gets onto a board, with their name, who did not say so before."""
    rows = Deed.objects.filter(campaign=row, play=f"m{score.member.pk}", revision=1)
    return rows.filter(at__lte=score.at).exists()


def _follow_up(
    row: Campaign, kind: str, score: Score, key: str, points: int, at: datetime
) -> None:
    data = {"points": points, "ref": score.ref}
    Following.objects.get_or_create(
        campaign=row, key=key,
        defaults={"play": f"m{score.member.pk}", "kind": kind, "member": score.member,
                  "data": data, "at": at},
    )  # fmt: skip


# what counts


def _scores(counts: str, event: Event) -> Iterator[Score]:
    if event.kind in ORDERS:
        yield from _of_order(counts, event)
    elif counts == "invites" and event.member_id:
        yield from _of_friend(event)
    elif event.member_id and (counts == "helps" or event.data.get("act") in ("open", CHECK_IN)):
        yield from _of_act(counts, event)


def _of_order(counts: str, event: Event) -> Iterator[Score]:
    """What the order is by now: paid in full, in part, or given back."""
    rows = Order.objects.filter(community=event.community_id, number=event.data.get("order"))
    order = rows.select_related("member__community").first()
    if order is None or order.paid_at is None:
        return
    money = counts == "spend"
    whole = int(to_major(order.paid_minor, order.currency)) if money else 1
    left = int(to_major(order.left_minor, order.currency)) if money else 1
    left = 0 if order.state == "refunded" else left
    at = event.at if event.kind == "order_refunded" else order.closed_at
    corrected = (at or event.at) if left < whole else None
    yield Score(order.member, whole, f"order:{order.number}", order.paid_at, corrected, left)


def _of_friend(event: Event) -> Iterator[Score]:
    """A friend who came counts for who brought them, until they leave."""
    member = Member.objects.filter(pk=event.member_id or 0, erased_at=None).first()
    found = do_attribute(member) if member is not None else None
    if found is None or found.inviter is None or found.inviter_id == found.member_id:
        return
    gone = event.kind in GOES and not is_still_there(found.member)
    ref = f"friend:{found.member_id}"
    yield Score(found.inviter, 1, ref, found.at, event.at if gone else None)


def _of_act(counts: str, event: Event) -> Iterator[Score]:
    """A day checked in, or a help that counted."""
    member = Member.objects.select_related("community").filter(pk=event.member_id or 0).first()
    campaign = Campaign.objects.filter(pk=event.data.get("campaign")).first()
    if member is None or campaign is None:
        return
    if counts == "helps" or campaign.mechanic == "check_in":
        yield Score(member, 1, f"act:{event.pk}", event.at)


register(Task("campaigns.scores", step_scores))
