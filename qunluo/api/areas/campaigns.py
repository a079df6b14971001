"""Campaigns: what there is, how it stands, and running it under the console's rules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Query, Schema
from pydantic import Field

from qunluo.api.errors import NotThereError
from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.values import Id, Instant, Name, Number, Why, fetch
from qunluo.campaigns import lifecycle
from qunluo.campaigns.mechanics.kernel import Supply
from qunluo.campaigns.models import Campaign
from qunluo.campaigns.registry import list_mechanics
from qunluo.campaigns.results import Figure, results_of
from qunluo.groups.models import Group
from qunluo.segments.models import Segment

area = Area("campaigns")
State = Literal["draft", "running", "paused", "stopped", "ended"]
Reasons = dict[Annotated[str, Field(max_length=60)], Annotated[str, Field(max_length=200)]]


class MechanicOut(Schema):
    """A model; `rules` is the JSON Schema of its rules, with words in English and Chinese."""

    name: str
    label: dict[str, str]
    gist: dict[str, str]
    rules: dict[str, Any]


class MechanicsOut(Schema):
    items: list[MechanicOut]


class CampaignOut(Schema):
    """`commitment` is the hash of the seed of its draws; `why` says why it was paused or
    stopped."""

    id: int
    name: str
    mechanic: str
    goal: str
    state: State
    code: str
    starts_at: datetime | None
    ends_at: datetime | None
    segment_id: int | None
    group_id: int | None
    version: int
    rules: dict[str, Any]
    commitment: str
    why: str
    made_at: datetime


class FigureOut(Schema):
    """`here` is counted from the campaign's rows, `there` from the book it must agree with.
    `unit` is empty for a count, a currency for money of orders, else a unit of the ledger."""

    name: str
    unit: str
    here: int
    there: int
    reconciles: bool
    how: dict[str, str]


class ResultsOut(CampaignOut):
    figures: list[FigureOut]


class CampaignIn(Schema):
    """`rules` are the model's own, see `list_models`; amounts in minor units."""

    name: Name
    mechanic: str = Field(min_length=1, max_length=30)
    rules: dict[str, Any]
    goal: str = Field("", max_length=200)
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    segment_id: Number | None = None
    group_id: Number | None = None


class CampaignChange(CampaignIn):
    """The whole, as it is to be. `reasons` accept warnings of one that runs, by their code;
    `fund` puts what the new worst case lacks at its disposal."""

    reasons: Reasons = Field(default_factory=dict)
    fund: bool = False


class PublishIn(Schema):
    """`reasons` accept warnings, by their code; `fund` puts what the worst case lacks at its
    disposal, else it must be in hand."""

    reasons: Reasons = Field(default_factory=dict)
    fund: bool = False


class WhyIn(Schema):
    why: Why


class CampaignsAsked(Paging):
    state: Literal["draft", "running", "paused", "stopped", "ended", "any"] = "any"


def _show(row: Campaign) -> dict[str, Any]:
    names = ("id", "name", "mechanic", "goal", "state", "code", "starts_at", "ends_at",
             "segment_id", "group_id", "commitment", "why", "made_at")  # fmt: skip
    version = row.version
    return {name: getattr(row, name) for name in names} | {
        "version": version.number if version else 0, "rules": version.rules if version else {},
    }  # fmt: skip


def _show_figure(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name, "unit": figure.unit, "here": figure.here, "there": figure.there,
        "reconciles": figure.reconciles, "how": {"en": figure.how.en, "zh": figure.how.zh},
    }  # fmt: skip


def _rows(request: Call) -> Any:
    rows = Campaign.objects.filter(community=request.auth.community)
    return rows.select_related("community", "version")


def _find(request: Call, campaign_id: int) -> Campaign:
    found: Campaign = fetch(_rows(request), campaign_id)
    return found


def _plan(request: Call, body: CampaignIn, reasons: Reasons) -> lifecycle.Plan:
    """Raises `NotThereError`."""
    community = request.auth.community
    segment = group = None
    if body.segment_id is not None:
        segment = fetch(Segment.objects.filter(community=community), body.segment_id)
    if body.group_id is not None:
        group = fetch(Group.objects.filter(community=community), body.group_id)
    return lifecycle.Plan(
        body.name, body.mechanic, body.rules, body.goal, body.starts_at, body.ends_at,
        segment, group, reasons,
    )  # fmt: skip


@area.get("/mechanics", "campaigns:read", MechanicsOut)
def list_models(request: Call) -> dict[str, Any]:
    """The models there are, each with what its rules ask for."""
    return {"items": [
        {"name": m.name, "label": {"en": m.label.en, "zh": m.label.zh},
         "gist": {"en": m.gist.en, "zh": m.gist.zh}, "rules": m.rules.model_json_schema()}
        for m in list_mechanics().values()
    ]}  # fmt: skip


@area.get("/campaigns", "campaigns:read", Page[CampaignOut])
def list_campaigns(request: Call, asked: Query[CampaignsAsked]) -> dict[str, Any]:
    """Campaigns, the newest first."""
    rows = _rows(request)
    rows = rows if asked.state == "any" else rows.filter(state=asked.state)
    return cut(rows, asked, of="campaigns", show=_show)


@area.get("/campaigns/{campaign_id}", "campaigns:read", ResultsOut)
def read_campaign(request: Call, campaign_id: Id) -> dict[str, Any]:
    """One campaign with its results, each figure against the books."""
    row = _find(request, campaign_id)
    return _show(row) | {"figures": [_show_figure(f) for f in results_of(row).all]}


@area.post("/campaigns", "campaigns:write", CampaignOut, 201)
def make_campaign(request: Call, body: CampaignIn) -> dict[str, Any]:
    """Makes a draft; nothing is given away before it is published."""
    plan = _plan(request, body, {})
    return _show(lifecycle.do_make(request.auth.community, plan, by=request.auth.actor))


@area.post("/campaigns/{campaign_id}/change", "campaigns:write", CampaignOut)
def change_campaign(request: Call, campaign_id: Id, body: CampaignChange) -> dict[str, Any]:
    """Changes a campaign: what has begun keeps the rules it began with."""
    row, by = _find(request, campaign_id), request.auth.actor
    if body.mechanic != row.mechanic:
        raise NotThereError
    plan = _plan(request, body, body.reasons)
    if body.fund and row.state != "draft":
        rules = lifecycle.read_rules(row.mechanic, body.rules)
        lifecycle.do_fund_worst_case(row, by=by, rules=rules)
    lifecycle.do_change(row, plan, by=by)
    return _show(_find(request, campaign_id))


class SupplyOut(Schema):
    """What was put at its disposal."""

    place: str
    unit: str
    amount: int


class PublishedOut(CampaignOut):
    funded: list[SupplyOut]


@area.post("/campaigns/{campaign_id}/publish", "campaigns:write", PublishedOut)
def publish_campaign(request: Call, campaign_id: Id, body: PublishIn) -> dict[str, Any]:
    """Begins a draft, at its time or now; the worst case must be in hand."""
    row, by = _find(request, campaign_id), request.auth.actor
    funded = lifecycle.do_fund_worst_case(row, by=by) if body.fund else []
    lifecycle.do_publish(row, reasons=body.reasons, by=by)
    return _show(_find(request, campaign_id)) | {"funded": [_show_supply(s) for s in funded]}


def _show_supply(supply: Supply) -> dict[str, Any]:
    return {"place": supply.place, "unit": supply.unit, "amount": supply.amount}


@area.post("/campaigns/{campaign_id}/pause", "campaigns:write", CampaignOut)
def pause_campaign(request: Call, campaign_id: Id, body: WhyIn) -> dict[str, Any]:
    """Nobody acts until it goes on."""
    lifecycle.do_pause(_find(request, campaign_id), why=body.why, by=request.auth.actor)
    return _show(_find(request, campaign_id))


@area.post("/campaigns/{campaign_id}/resume", "campaigns:write", CampaignOut)
def resume_campaign(request: Call, campaign_id: Id) -> dict[str, Any]:
    """A paused campaign goes on."""
    lifecycle.do_resume(_find(request, campaign_id), by=request.auth.actor)
    return _show(_find(request, campaign_id))


@area.post("/campaigns/{campaign_id}/stop", "campaigns:write", CampaignOut)
def stop_campaign(request: Call, campaign_id: Id, body: WhyIn) -> dict[str, Any]:
    """Ends it at once; open plays are closed by their own rules."""
    lifecycle.do_stop(_find(request, campaign_id), why=body.why, by=request.auth.actor)
    return _show(_find(request, campaign_id))
