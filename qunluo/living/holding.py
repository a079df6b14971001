"""The sample's campaigns are held by its staff: published, held again, their budget taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from qunluo.campaigns.errors import CampaignMovedError
from qunluo.campaigns.lifecycle import (
    Plan,
    do_fund_worst_case,
    do_make,
    do_publish,
    do_take_back_budget,
    list_stores,
)
from qunluo.campaigns.models import Campaign
from qunluo.community.models import Community
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.living import trade_script as script
from qunluo.living.acts import Stage


@transaction.atomic
def publish(
    community: Community, planned: script.Planned, *, by: str, number: int = 1
) -> Campaign:
    """Begins it now, with its worst case in hand, or nothing of it."""
    name, now = planned.name, clock.now()
    if number > 1:
        name = script.NEXT.format(name=planned.name, n=number)
    where = Group.objects.filter(community=community, code__startswith=planned.group)
    plan = Plan(
        name, planned.mechanic, planned.rules, goal=planned.goal, starts_at=now,
        ends_at=now + timedelta(days=planned.days), reasons=planned.reasons,
        group=where.order_by("pk").first() if planned.group else None,
    )  # fmt: skip
    campaign = do_make(community, plan, by=by)
    do_fund_worst_case(campaign, by=by)
    do_publish(campaign, by=by)
    campaign.refresh_from_db()
    return campaign


def hold_again(stage: Stage) -> bool:
    """What is over begins anew, unless somebody stopped it; what is left of the budget of what
    is over goes back."""
    post = stage.staff()
    if post is None:
        return False
    for planned in script.CAMPAIGNS:
        held = _held(stage.community, planned)
        last = held.last()
        if planned.again and last is not None and last.state == "ended":
            publish(stage.community, planned, by=post.actor, number=held.count() + 1)
            return True
    return any(_take_back(row, post.actor) for row in _over(stage.community))


def _held(community: Community, planned: script.Planned) -> QuerySet[Campaign]:
    rows = Campaign.objects.filter(community=community, mechanic=planned.mechanic)
    return rows.filter(name__startswith=planned.name).order_by("pk")


def _over(community: Community) -> Iterator[Campaign]:
    """The last ones of each that ended; older ones have given theirs back."""
    for planned in script.CAMPAIGNS:
        row = _held(community, planned).filter(state="ended").last()
        if row is not None and any(a.available > 0 for a in list_stores(row)):
            yield row


def _take_back(row: Campaign, by: str) -> bool:
    with suppress(CampaignMovedError):  # some plays are still open
        do_take_back_budget(row, by=by)
        return True
    return False
