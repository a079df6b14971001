"""A campaign as it is typed in the wizard: what it is called, for whom, when, and its rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from qunluo.campaigns.lifecycle import Plan, missing_of
from qunluo.campaigns.lint import lint
from qunluo.campaigns.mechanics.kernel import Finding, Supply
from qunluo.campaigns.models import Campaign
from qunluo.campaigns.registry import find_mechanic
from qunluo.console.access import StaffRequest
from qunluo.console.campaigns.inputs import shop_of
from qunluo.console.campaigns.parameters import parameters_of
from qunluo.console.campaigns.typed import (
    Typed,
    as_typed,
    read_moment,
    read_rules,
    read_typed,
    usual_typed,
)
from qunluo.console.wording import current_lang
from qunluo.groups.models import Group
from qunluo.segments.models import Segment

BASE = ("name", "goal", "starts", "ends", "segment", "group")


@dataclass
class Draft:
    """What is typed, read where it can be: `rules` is None until they are right, `wrong` says
    by the path of its input what is not."""

    mechanic: str
    base: dict[str, str]
    typed: Typed
    reasons: dict[str, str] = field(default_factory=dict)
    rules: Any = None
    plan: Plan | None = None
    wrong: dict[str, str] = field(default_factory=dict)


def fresh_draft(request: StaffRequest, mechanic: str, goal: str = "") -> Draft:
    """A form nobody has typed in yet."""
    shop = shop_of(request.community)
    label = find_mechanic(mechanic).label(current_lang())
    base = {**dict.fromkeys(BASE, ""), "name": label, "goal": goal}
    return Draft(mechanic, base, usual_typed(parameters_of(mechanic), shop))


def draft_of(request: StaffRequest, campaign: Campaign) -> Draft:
    """A campaign as the form shows it."""
    zone = ZoneInfo(request.community.zone)
    version = campaign.version
    base = {
        "name": campaign.name, "goal": campaign.goal,
        "starts": _as_word(campaign.starts_at, zone), "ends": _as_word(campaign.ends_at, zone),
        "segment": str(campaign.segment_id or ""), "group": str(campaign.group_id or ""),
    }  # fmt: skip
    parameters, shop = parameters_of(campaign.mechanic), shop_of(request.community)
    rules = version.rules if version else {}
    reasons = dict(version.reasons) if version else {}
    return Draft(campaign.mechanic, base, as_typed(parameters, rules, shop), reasons)


def _as_word(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}" if at else ""


def posted_draft(request: StaffRequest, mechanic: str) -> Draft:
    """What was sent, as it is."""
    base = {name: request.POST.get(name, "")[:200] for name in BASE}
    reasons = {key.removeprefix("why:"): request.POST[key][:200]
               for key in request.POST if key.startswith("why:")}  # fmt: skip
    return Draft(mechanic, base, read_typed(request.POST), reasons)


def read(request: StaffRequest, draft: Draft) -> Draft:
    """Reads what is typed: `rules` and `plan` are there where nothing is wrong with them."""
    shop = shop_of(request.community)
    draft.rules, values, draft.wrong = read_rules(draft.mechanic, draft.typed, shop)
    times = _read_times(draft, shop.zone)
    if not draft.base["name"].strip():
        draft.wrong["name"] = _("It needs a name.")
    if not draft.wrong:
        draft.plan = Plan(
            draft.base["name"], draft.mechanic, values, draft.base["goal"], *times,
            segment=_row(request, Segment, draft.base["segment"]),
            group=_row(request, Group, draft.base["group"]), reasons=draft.reasons,
        )  # fmt: skip
    return draft


def _read_times(draft: Draft, zone: str) -> tuple[datetime | None, datetime | None]:
    starts, ends = (_read_time(draft, name, zone) for name in ("starts", "ends"))
    if starts and ends and starts >= ends:
        draft.wrong["ends"] = _("It must be after the beginning.")
    return starts, ends


def _read_time(draft: Draft, name: str, zone: str) -> datetime | None:
    text = draft.base[name]
    found = read_moment(text, zone) if text else None
    if text and found is None:
        draft.wrong[name] = _("Choose a day and a time.")
    return found


def _row(request: StaffRequest, model: Any, text: str) -> Any:
    """A segment or group of this community; None for no choice."""
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        return None
    return model.objects.filter(community=request.community, pk=int(text)).first()


# what follows from it


def would_be(request: StaffRequest, draft: Draft, campaign: Campaign | None) -> Campaign:
    """The campaign as it would be, for its lint; not kept."""
    plan = draft.plan
    return Campaign(
        pk=campaign.pk if campaign else None, community=request.community,
        mechanic=draft.mechanic, name=draft.base["name"],
        starts_at=plan.starts_at if plan else None, ends_at=plan.ends_at if plan else None,
    )  # fmt: skip


def find_faults(
    request: StaffRequest, draft: Draft, campaign: Campaign | None
) -> list[Finding]:
    """What lint says of what is typed."""
    return lint(would_be(request, draft, campaign), draft.rules) if draft.rules else []


def worst_case(draft: Draft, campaign: Campaign | None) -> tuple[list[Supply], list[Supply]]:
    """What must be in hand, and what of it lacks."""
    if draft.rules is None:
        return [], []
    wanted = list(find_mechanic(draft.mechanic).supplies(draft.rules))
    return wanted, missing_of(campaign, draft.rules) if campaign else wanted


def same(shown: str, lacks: list[Supply]) -> bool:
    """Whether what is confirmed is what was shown."""
    return shown == as_confirmed(lacks)


def as_confirmed(lacks: list[Supply]) -> str:
    return ";".join(f"{s.place}={s.amount} {s.unit}" for s in lacks)


def list_differences(
    mechanic: str, before: Mapping[str, Any], after: Mapping[str, Any], shop: Any
) -> list[tuple[str, str, str]]:
    """What a version changed: the parameter, how it was, how it is."""
    parameters, lang = parameters_of(mechanic), current_lang()
    return [
        (p.title(lang), _shown(p, before, shop), _shown(p, after, shop))
        for p in parameters if before.get(p.name) != after.get(p.name)
    ]  # fmt: skip


def _shown(parameter: Any, rules: Mapping[str, Any], shop: Any) -> str:
    """A parameter's value as it was typed, in one line."""
    typed = as_typed((parameter,), rules, shop)
    if parameter.kind == "yes":
        return _("Yes") if typed else _("No")
    words = [word for path, found in typed.items() if not path.endswith((".size", "~unit"))
             for word in found if word]  # fmt: skip
    unit = next((found[0] for path, found in typed.items() if path.endswith("~unit")), "")
    names = {"1": _("minutes"), "60": _("hours"), "1440": _("days")}
    return " ".join([" · ".join(words), names.get(unit, "")]).strip() or _("none")
