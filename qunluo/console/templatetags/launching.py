"""Words that come in both languages, in the one of the page."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from django import template

from qunluo.console.wording import current_lang
from qunluo.kit.money import format_money
from qunluo.kit.text import Text

register = template.Library()


@register.filter
def said(words: Text | dict[str, Any]) -> str:
    """A text, or what was kept of one."""
    lang = current_lang()
    return words(lang) if isinstance(words, Text) else str(words.get(lang, ""))


@register.filter
def percent(share: Fraction) -> str:
    """“12 %”, with a decimal where it is below ten."""
    value = float(100 * share)
    return f"{value:.0f} %" if value >= 10 or value == int(value) else f"{value:.1f} %"


@register.filter
def money(minor: Fraction, currency: str) -> str:
    """An amount, to the minor unit, as people of the reader's language write it."""
    return format_money(round(minor), currency, current_lang())
