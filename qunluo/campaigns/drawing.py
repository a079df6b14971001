"""Whether the draws of a campaign were made as promised, for anybody to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from qunluo.campaigns.mechanics import __name__ as room
from qunluo.campaigns.mechanics.kernel import commitment
from qunluo.campaigns.models import Campaign, Play
from qunluo.campaigns.registry import find_mechanic

MOST = 2_000  # draws that are shown


@dataclass
class DrawCheck:
    """`kept`: the seed is the one whose hash was published at the start; `draws` are those that
    the model publishes, `wrong` what is wrong with them."""

    kept: bool
    publishes: bool = False
    draws: Sequence[Any] = ()
    wrong: list[str] = field(default_factory=list)


def is_over(campaign: Campaign) -> bool:
    """Nothing is drawn any more: the seed may be told."""
    if campaign.state not in ("stopped", "ended"):
        return False
    return not Play.objects.filter(campaign=campaign, deadline__isnull=False).exists()


def check_draws(campaign: Campaign) -> DrawCheck | None:
    """None while the seed is secret."""
    if not is_over(campaign):
        return None
    seed = bytes.fromhex(campaign.seed)
    found = DrawCheck(commitment(seed) == campaign.commitment)
    publish, verify = _published_by(campaign.mechanic)
    if publish is None or verify is None:
        return found
    found.publishes = True
    draws = _draws(campaign, publish)
    found.wrong = verify(seed, campaign.commitment, draws)
    found.draws = draws[:MOST]
    return found


def _published_by(name: str) -> tuple[Callable[..., Any] | None, Callable[..., Any] | None]:
    """A model that draws says itself what is published and how it is checked."""
    module = import_module(f"{room}.{name}")
    return getattr(module, "publish", None), getattr(module, "verify", None)


def _draws(campaign: Campaign, publish: Callable[..., Any]) -> list[Any]:
    """Play by play, each under the rules it began with; in the order they were made."""
    mechanic, found = find_mechanic(campaign.mechanic), []
    for version in campaign.versions.order_by("number"):
        rows = Play.objects.filter(campaign=campaign, version=version).order_by("key")
        states = [mechanic.state.model_validate(row.state) for row in rows]
        found += publish(states, mechanic.rules.model_validate(version.rules))
    return sorted(found, key=lambda draw: (draw.at, draw.label))
