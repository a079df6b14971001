"""Swaps that are not confirmed by both: what the team decides about them."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from qunluo.campaigns.errors import DisputeOverError, NoWhyError
from qunluo.campaigns.mechanics import swap
from qunluo.campaigns.mechanics.kernel import Refused
from qunluo.campaigns.mechanics.swap_terms import Deal, Outcome, State
from qunluo.campaigns.models import Play
from qunluo.campaigns.playing import Asked, do_act_for
from qunluo.community.models import Community
from qunluo.events.actions import record


def list_disputes(community: Community) -> QuerySet[Play]:
    """Listings whose deal waits for a decision, who waits longest first."""
    rows = Play.objects.filter(
        campaign__community=community, campaign__mechanic=swap.MECHANIC.name,
        state__stage="dealing", state__deal__disputed=True,
    )  # fmt: skip
    return rows.select_related("campaign__community", "version").order_by("pk")


def deal_of(play: Play) -> Deal | None:
    """The deal that is in dispute here; None where there is none."""
    deal = State.model_validate(play.state).deal
    return deal if deal is not None and deal.disputed else None


@transaction.atomic
def do_rule(play: Play, outcome: Outcome, *, why: str, by: str) -> None:
    """Decides: what lay in the deal goes out by it, and both read why. Raises `NoWhyError`,
    `DisputeOverError` where both have confirmed after all, or somebody else has decided."""
    why = why.strip()[:200]
    if not why:
        raise NoWhyError
    row = (
        Play.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=play.pk)
    )
    deal = deal_of(row)
    if deal is None:
        raise DisputeOverError
    data = {"outcome": outcome, "why": why}
    asked = Asked(swap.RULE, f"rule:{deal.name}", row.key, data=data)
    if isinstance(do_act_for(row.campaign, asked, by=by), Refused):
        raise DisputeOverError
    record("swap_ruled", community=row.campaign.community_id, group=row.campaign.group_id,
           actor=by, data={"campaign": row.campaign_id, "play": row.key, **data})  # fmt: skip
