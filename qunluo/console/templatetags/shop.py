"""Words of the shop's pages."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

from qunluo.commerce import words
from qunluo.console.wording import current_lang
from qunluo.kit.money import format_money
from qunluo.kit.text import Text

register = template.Library()
_ALL: Mapping[str, Mapping[str, Text]] = {
    "state": words.STATES, "role": words.ROLES, "product": words.PRODUCT_STATES,
    "phase": words.PHASES, "kind": words.KINDS, "refund": words.REFUNDS,
    "verdict": words.VERDICTS, "provider": words.PROVIDERS,
}  # fmt: skip


@register.filter
def money(minor: int, currency: str) -> str:
    """An amount as people of the reader's language write it."""
    return format_money(minor, currency, current_lang())


@register.filter
def called(name: str, what: str) -> str:
    """The word for a state, a role, a phase."""
    found = _ALL[what].get(name)
    return found(current_lang()) if found else name


@register.filter
def said(text: Text) -> str:
    """A `Text` in the reader's language."""
    return text(current_lang())
