"""Words of the pages about campaigns and the ledger."""

from __future__ import annotations

from django import template

from qunluo.campaigns.models import Campaign
from qunluo.console.campaigns import words

register = template.Library()


@register.filter
def state_word(state: str) -> str:
    return words.state_word(state)


@register.filter
def mechanic_word(name: str) -> str:
    return words.mechanic_word(name)


@register.filter
def window(campaign: Campaign) -> str:
    return words.window(campaign)


@register.filter
def unit_word(unit: str) -> str:
    return words.unit_word(unit)


@register.filter
def act_word(kind: str) -> str:
    return words.act_word(kind)


@register.filter
def stage_word(stage: str | None) -> str:
    return words.stage_word(stage or "")
