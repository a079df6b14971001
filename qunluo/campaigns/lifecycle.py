"""A campaign's way: draft → running ⇄ paused → stopped or ended.

A change of rules while it runs is a new version: what began under the old one ends under it.
The worst case is funded before it is published, and what is left comes back when it closes.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Concat
from pydantic import ValidationError

from qunluo.campaigns.errors import (
    BudgetShortError,
    CampaignMovedError,
    LintError,
    WrongCampaignError,
)
from qunluo.campaigns.lint import lint
from qunluo.campaigns.live import address, of_campaign
from qunluo.campaigns.mechanics.kernel import BUDGET, Finding, Supply, commitment
from qunluo.campaigns.mechanics.steps import CLOSE
from qunluo.campaigns.models import Campaign, CampaignVersion, Following, Play
from qunluo.campaigns.registry import find_mechanic, list_mechanics
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.ledger.actions import Leg, do_open, do_open_outside, do_transfer
from qunluo.ledger.models import Account
from qunluo.segments.models import Segment

STATES: dict[str, Text] = {
    "draft": Text("a draft", "草稿"),
    "running": Text("running", "进行中"),
    "paused": Text("paused", "已暂停"),
    "stopped": Text("stopped", "已停止"),
    "ended": Text("over", "已结束"),
}


@dataclass(frozen=True)
class Plan:
    """What an operator sets. `rules` are the mechanic's own."""

    name: str
    mechanic: str
    rules: Mapping[str, Any]
    goal: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    segment: Segment | None = None
    group: Group | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def do_make(community: Community, plan: Plan, *, by: str) -> Campaign:
    """A draft. Raises `WrongCampaignError`."""
    rules = check(plan)
    seed = secrets.token_bytes(32)
    campaign = Campaign.objects.create(
        community=community, mechanic=plan.mechanic, zone=community.zone, made_at=clock.now(),
        by=by, code=secrets.token_urlsafe(6).replace("-", "x").replace("_", "y").lower(),
        seed=seed.hex(), commitment=commitment(seed), **_values(plan),
    )  # fmt: skip
    _add_version(campaign, rules, plan, by)
    _tell(campaign, "campaign_made", by)
    return campaign


def _values(plan: Plan) -> dict[str, Any]:
    return {
        "name": plan.name.strip()[:80], "goal": plan.goal.strip()[:200],
        "starts_at": plan.starts_at, "ends_at": plan.ends_at, "segment": plan.segment,
        "group": plan.group,
    }  # fmt: skip


def check(plan: Plan) -> Any:
    """The plan's rules, typed; raises `WrongCampaignError` that names the field."""
    if plan.mechanic not in list_mechanics():
        raise WrongCampaignError(
            field=plan.mechanic, reason=Text("there is no such model", "没有这种玩法")
        )
    if not plan.name.strip():
        raise WrongCampaignError(
            field=Text("name", "名称"), reason=Text("it needs one", "不能为空")
        )
    if plan.starts_at and plan.ends_at and plan.starts_at >= plan.ends_at:
        raise WrongCampaignError(
            field=Text("end", "结束时间"),
            reason=Text("it must be after the beginning", "必须晚于开始时间"),
        )
    return read_rules(plan.mechanic, plan.rules)


def read_rules(mechanic: str, given: Mapping[str, Any]) -> Any:
    """Rules as their mechanic types them; raises `WrongCampaignError`."""
    try:
        return find_mechanic(mechanic).rules.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or mechanic
        raise WrongCampaignError(field=where, reason=first["msg"]) from None


@transaction.atomic
def do_change(campaign: Campaign, plan: Plan, *, by: str) -> CampaignVersion:
    """A new version of the rules: of a draft as it is, of one that runs for what begins from
    now on, where lint and budget allow it. Raises `WrongCampaignError`, `LintError`,
    `BudgetShortError`, `CampaignMovedError`."""
    campaign = _lock(campaign, "draft", "running", "paused")
    rules = check(plan)
    if campaign.state != "draft":
        _check_lint(campaign, rules, plan.reasons)
        _check_budget(campaign, rules)
    Campaign.objects.filter(pk=campaign.pk).update(**_values(plan))
    campaign.refresh_from_db()
    version = _add_version(campaign, rules, plan, by)
    _tell(campaign, "campaign_changed", by, version=version.number)
    return version


def _add_version(campaign: Campaign, rules: Any, plan: Plan, by: str) -> CampaignVersion:
    version = CampaignVersion.objects.create(
        campaign=campaign, number=campaign.versions.count() + 1, by=by, at=clock.now(),
        rules=rules.model_dump(mode="json"), reasons=dict(plan.reasons),
    )  # fmt: skip
    campaign.version = version
    campaign.save(update_fields=["version"])
    return version


# budget


def supplies_of(campaign: Campaign) -> Sequence[Supply]:
    """What must be in hand before it is published: the worst case of the rules in force."""
    rules = _rules(campaign)
    found: Sequence[Supply] = find_mechanic(campaign.mechanic).supplies(rules)
    return found


def _rules(campaign: Campaign) -> Any:
    version = campaign.version
    return read_rules(campaign.mechanic, version.rules if version else {})


def account_of(campaign: Campaign, place: str, unit: str) -> Account:
    """The ledger's account of a place of the campaign, made where it is missing."""
    kind, owner = address(campaign.pk, place)
    return do_open(campaign.community_id, kind, owner, unit)


@transaction.atomic
def do_fund(
    campaign: Campaign, unit: str, amount: int, *, key: str, by: str, place: str = BUDGET
) -> None:
    """Puts value at a campaign's disposal; the same key does it once."""
    source = do_open_outside(campaign.community_id, "funds", unit)
    target = account_of(campaign, place, unit)
    do_transfer(
        campaign.community_id, cause=f"campaign:{campaign.pk}:fund:{key}:{place}:{unit}",
        legs=[Leg(source, -amount), Leg(target, amount)], by=by, note=campaign.name,
    )  # fmt: skip
    _tell(campaign, "campaign_funded", by, unit=unit, amount=amount, place=place)


def missing_of(campaign: Campaign, rules: Any = None) -> list[Supply]:
    """What the budget lacks for the worst case of `rules`, else of those in force."""
    if rules is None:
        return _missing(campaign, supplies_of(campaign))
    return _missing(campaign, find_mechanic(campaign.mechanic).supplies(rules))


def _missing(campaign: Campaign, supplies: Sequence[Supply]) -> list[Supply]:
    lacks = ((s, s.amount - account_of(campaign, s.place, s.unit).available) for s in supplies)
    return [Supply(s.place, s.unit, lack) for s, lack in lacks if lack > 0]


@transaction.atomic
def do_fund_worst_case(campaign: Campaign, *, by: str, rules: Any = None) -> list[Supply]:
    """Puts exactly what lacks for the worst case at its disposal; what that was. `rules` are
    those to come, else those in force."""
    campaign = _lock(campaign, "draft", "running", "paused")
    missing = missing_of(campaign, rules)
    for supply in missing:
        before = account_of(campaign, supply.place, supply.unit).entries.count()
        key = f"worst:{before}"  # each funding adds an entry: never the same twice
        do_fund(campaign, supply.unit, supply.amount, key=key, by=by, place=supply.place)
    return missing


def _check_budget(campaign: Campaign, rules: Any) -> None:
    for lack in _missing(campaign, find_mechanic(campaign.mechanic).supplies(rules)):
        have = account_of(campaign, lack.place, lack.unit).available
        raise BudgetShortError(have=have, needed=have + lack.amount, unit=lack.unit)


# the way


@transaction.atomic
def do_publish(
    campaign: Campaign, *, reasons: Mapping[str, str] | None = None, by: str
) -> None:
    """Begins it (at `starts_at`, or now). Raises `LintError` for errors and for warnings
    without a reason, `BudgetShortError`, `CampaignMovedError`."""
    campaign = _lock(campaign, "draft")
    rules, version = _rules(campaign), campaign.version
    given = {**(version.reasons if version else {}), **(reasons or {})}
    _check_lint(campaign, rules, given)
    _check_budget(campaign, rules)
    if version is not None:
        version.reasons = given
        version.save(update_fields=["reasons"])
    _move(
        campaign,
        "running",
        by,
        "campaign_published",
        starts_at=campaign.starts_at or clock.now(),
    )


def _check_lint(campaign: Campaign, rules: Any, reasons: Mapping[str, str]) -> None:
    found: list[Finding] = lint(campaign, rules)
    blocking = [f for f in found if f.level == "error" or not reasons.get(f.code, "").strip()]
    if blocking:
        raise LintError(first=blocking[0].text, findings=blocking)


@transaction.atomic
def do_pause(campaign: Campaign, *, why: str, by: str) -> None:
    """Nobody acts until it goes on; clocks run on."""
    _move(_lock(campaign, "running"), "paused", by, "campaign_paused", why=why[:200])


@transaction.atomic
def do_resume(campaign: Campaign, *, by: str) -> None:
    _move(_lock(campaign, "paused"), "running", by, "campaign_resumed", why="")


@transaction.atomic
def do_stop(campaign: Campaign, *, why: str, by: str) -> None:
    """Ends it at once: every play that is open is closed by its own rules (paid money of what
    can't succeed goes back), each in a transaction of its own."""
    campaign = _lock(campaign, "running", "paused")
    _close(Play.objects.filter(campaign=campaign, deadline__isnull=False), why[:200])
    _move(campaign, "stopped", by, "campaign_stopped", why=why[:200], closed_at=clock.now())


def do_close_late() -> int:
    """Closes plays that began in the moment in which their campaign was stopped; how many."""
    asked = Following.objects.filter(
        campaign=OuterRef("campaign"), key=Concat(Value("stop:"), OuterRef("key"))
    )
    rows = Play.objects.filter(campaign__state="stopped", deadline__isnull=False)
    return _close(rows.filter(~Exists(asked)), "")


def _close(plays: QuerySet[Play], why: str) -> int:
    """Has plays end by their own rules, each in a transaction of its own; how many."""
    made = Following.objects.bulk_create(
        (
            Following(campaign_id=campaign, play=key, kind=CLOSE, key=f"stop:{key}",
                      data={"why": why}, at=clock.now())
            for campaign, key in plays.values_list("campaign", "key").iterator()
        ),
        ignore_conflicts=True, batch_size=500,
    )  # fmt: skip
    return len(made)


@transaction.atomic
def do_end(campaign: Campaign, *, by: str) -> None:
    """Its window is over: nothing begins any more; what has begun ends by its own clock."""
    campaign = _lock(campaign, "running", "paused", "ended")
    if campaign.state != "ended":
        _move(campaign, "ended", by, "campaign_ended", closed_at=clock.now())


@transaction.atomic
def do_take_back_budget(campaign: Campaign, *, by: str) -> dict[str, int]:
    """What is left of the budget and the stores after the end comes back; unit → amount.
    Raises `CampaignMovedError` while plays or rewards are open."""
    campaign = _lock(campaign, "stopped", "ended")
    if Play.objects.filter(campaign=campaign, deadline__isnull=False).exists():
        raise CampaignMovedError(state=Text("still settling its plays", "仍在结算中"))
    back: dict[str, int] = {}
    for account in list_stores(campaign):
        target = do_open_outside(campaign.community_id, "funds", account.unit)
        do_transfer(
            campaign.community_id, by=by, note=campaign.name,
            cause=f"campaign:{campaign.pk}:back:{account.pk}:{account.entries.count()}",
            legs=[Leg(account, -account.available), Leg(target, account.available)],
        )  # fmt: skip
        back[account.unit] = back.get(account.unit, 0) + account.available
    return back


def list_stores(campaign: Campaign) -> list[Account]:
    """The budget and the pools in which something is left."""
    rows = Account.objects.filter(of_campaign(campaign), balance__gt=0)
    stores = (BUDGET, "pool:")
    return [a for a in rows if a.owner.partition(":")[2].startswith(stores)]


def _lock(campaign: Campaign, *states: str) -> Campaign:
    rows = Campaign.objects.select_for_update(of=("self",))
    found = rows.select_related("community", "version").get(pk=campaign.pk)
    if found.state not in states:
        raise CampaignMovedError(state=STATES[found.state])
    return found


def _move(campaign: Campaign, state: str, by: str, kind: str, **values: Any) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(state=state, **values)
    _tell(campaign, kind, by, **{k: v for k, v in values.items() if k == "why"})


def _tell(campaign: Campaign, kind: str, by: str, **data: Any) -> None:
    record(kind, community=campaign.community_id, group=campaign.group_id, actor=by,
           data={"campaign": campaign.pk, **data})  # fmt: skip
