"""Words and numbers of the templates, and the one language a request is answered in."""

from __future__ import annotations

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from qunluo.console.jobs import Summary
from qunluo.console.looks import asset_version
from qunluo.insight.report.numbers import exact, human, when
from qunluo.kit.text import Lang

register = template.Library()


def current_lang() -> Lang:
    """Ours for Django's: "zh" or "en"."""
    return "zh" if (get_language() or "en").startswith("zh") else "en"


@register.filter
def number(value: int) -> SafeString:
    """1.2 万 or 12k, the exact value on hover."""
    return format_html('<span title="{}">{}</span>', exact(value), human(value, current_lang()))


@register.filter
def formats(found: Summary) -> str:
    """The apps that the files of a report came from."""
    return ", ".join(words(current_lang()) for words in found.formats)


@register.filter
def moment(iso: str) -> SafeString:
    """An instant; the page's script turns it into the reader's own zone."""
    minute = iso[:16]
    words = f"{when(minute, current_lang())} UTC"
    return format_html('<time datetime="{}">{}</time>', iso, words)


@register.simple_tag
def asset(name: str) -> str:
    """The address of a style, script or picture of the page."""
    return f"{reverse('asset', args=[name])}?v={asset_version()}"
