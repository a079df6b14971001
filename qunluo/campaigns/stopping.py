"""What stopping a campaign would do: tried on what is there, and not kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.db import transaction

from qunluo.campaigns.live import Live
from qunluo.campaigns.mechanics.kernel import BUDGET, Act, Cancel, Done, Refund
from qunluo.campaigns.mechanics.steps import CLOSE
from qunluo.campaigns.models import Campaign, Play, Reward
from qunluo.kit import clock

MOST = 500  # plays that are tried


@dataclass
class Stopping:
    """How many plays end and how many run on by their own clocks (a won price is kept); what
    that cancels and refunds, and how much of each unit is free again. `left_out` plays were
    not tried; `waiting` are rewards that stay promised."""

    closes: int = 0
    keeps: int = 0
    cancels: int = 0
    refunds: int = 0
    refunded_minor: int = 0
    notices: int = 0
    free: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    left_out: int = 0


def plan_stop(campaign: Campaign) -> Stopping:
    """Closes every open play by its own rules, in a transaction that is taken back."""
    rows = Play.objects.filter(campaign=campaign, deadline__isnull=False)
    keys = list(rows.order_by("key").values_list("key", flat=True)[:MOST])
    found = Stopping(left_out=rows.count() - len(keys))
    found.waiting = Reward.objects.filter(campaign=campaign, state="pending").count()
    with transaction.atomic():
        live = Live(campaign)
        for key in keys:
            _try(live, key, found)
        _count_orders(live, found)
        transaction.set_rollback(True)
    found.notices = len(live.notices)
    for posting in live.postings:
        if posting.target == BUDGET or posting.target.startswith("pool:"):
            found.free[posting.unit] += posting.amount
    return found


def _try(live: Live, key: str, found: Stopping) -> None:
    play = live.play(key)
    act = Act(CLOSE, clock.now(), None, f"plan-stop:{key}")
    answer = live.act(key, act) if play is not None else None
    found.closes += isinstance(answer, Done)
    found.keeps += not isinstance(answer, Done)
    if isinstance(answer, Done):
        found.cancels += sum(isinstance(ask, Cancel) for ask in answer.orders)
        found.refunds += sum(isinstance(ask, Refund) for ask in answer.orders)


def _count_orders(live: Live, found: Stopping) -> None:
    for ref, order in live.orders.items():
        known = live.known_orders.get(ref)
        if known is not None:
            found.refunded_minor += order.refunded_minor - known.refunded_minor
