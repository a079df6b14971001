"""Campaigns to test in: something to sell, rules, a budget, and everybody's acts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

from qunluo.campaigns.lifecycle import (
    Plan,
    do_fund_worst_case,
    do_make,
    do_publish,
    read_rules,
)
from qunluo.campaigns.lint import lint
from qunluo.campaigns.mechanics.kernel import OPEN, Done, Refused
from qunluo.campaigns.models import Campaign
from qunluo.campaigns.playing import do_act
from qunluo.campaigns.scoring import step_scores
from qunluo.campaigns.tasks import (
    step_coupons,
    step_deadlines,
    step_ends,
    step_following,
    step_orders,
    step_rewards,
)
from qunluo.commerce.tasks import expire_unpaid
from qunluo.community.models import Community
from qunluo.kit import clock
from qunluo.ledger.auditing import do_audit
from qunluo.members.models import Member
from tests.cast import NOON

STAFF = "staff:1"
BARGAIN: dict[str, Any] = {
    "sku": "tea", "start_minor": 5_000, "floor_minor": 2_000, "helpers": 3,
    "cut_min_minor": 500, "cut_max_minor": 1_500, "winners": 10, "helps_each": 50,
    "minutes": 60, "pay_minutes": 30,
}  # fmt: skip
FLASH: dict[str, Any] = {"sku": "tea", "pieces": 5, "price_minor": 2_600, "pay_minutes": 10}
REASONS = {
    "below_cost": "to bring people in",
    "wechat_sharing": "web room only",
    "no_end": "no",
}
_keys = count(1)


def run(community: Community, mechanic: str, rules: dict[str, Any], **more: Any) -> Campaign:
    """A published campaign, its worst case funded, for a day."""
    now = clock.now()
    values = {"starts_at": now, "ends_at": now + timedelta(days=1), **more}
    plan = Plan(f"A {mechanic}", mechanic, rules, **values)
    campaign = do_make(community, plan, by=STAFF)
    do_fund_worst_case(campaign, by=STAFF)
    do_publish(campaign, reasons=_any_reason(campaign), by=STAFF)
    campaign.refresh_from_db()
    return campaign


def _any_reason(campaign: Campaign) -> dict[str, str]:
    version = campaign.version
    rules = read_rules(campaign.mechanic, version.rules if version else {})
    return {finding.code: "a test" for finding in lint(campaign, rules)}


def act(
    campaign: Campaign, member: Member, kind: str = OPEN, play: str = "", key: str = "",
    **data: Any,
) -> Done[Any] | Refused:  # fmt: skip
    return do_act(
        campaign, kind, member=member, key=key or f"t{next(_keys)}", play=play, data=data
    )


def done(answer: Done[Any] | Refused) -> Done[Any]:
    assert isinstance(answer, Done), answer
    return answer


@contextmanager
def later(**span: float) -> Iterator[None]:
    """So long after noon."""
    with clock.use(clock.faster(0, NOON + timedelta(**span))):
        yield


def work() -> None:
    """All that the worker has to do by now."""
    steps: list[Callable[[], object]] = [
        step_orders, step_scores, step_coupons, step_following, step_deadlines, step_rewards,
        step_ends,
    ]  # fmt: skip
    expire_unpaid()
    while sum(bool(step()) for step in steps):  # all of them, each round
        pass


def holds(community: Community) -> None:
    broken = {v.check.name: v.broken for v in do_audit(community.pk) if not v.holds}
    assert broken == {}
