"""Words of the pages about people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import template
from django.utils.formats import date_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from qunluo.community.rules import Permission
from qunluo.community.rules import may as role_may
from qunluo.console.access import StaffRequest
from qunluo.console.wording import current_lang
from qunluo.kit import clock
from qunluo.kit.sealed import WrongKeyError
from qunluo.members.models import Field, Member
from qunluo.members.queries import mask_contact
from qunluo.members.rules import mask_email, mask_phone
from qunluo.members.sheets import Row

register = template.Library()


@register.filter
def may(request: StaffRequest, permission: Permission) -> bool:
    """Whether the reader's role carries a permission."""
    return role_may(request.staff.role, permission)


@register.filter
def of(names: Mapping[str, str], actor: str) -> str:
    return names.get(actor, actor)


@register.filter
def at(rows: Mapping[int, Any], key: int) -> Any:
    """What stands under a number; nothing where there is none."""
    return rows.get(key, ())


@register.filter
def instant(at: datetime | None) -> SafeString | str:
    """Day and minute in the zone in force, the exact time on hover and for the script."""
    if at is None:
        return ""
    here = localtime(at)
    year = "" if here.year == clock.now().year else f"{here.year}-"
    words = f"{year}{here:%m-%d %H:%M}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(), date_format(here, "DATETIME_FORMAT"), words,
    )  # fmt: skip


@register.filter
def masked(member: Member) -> str:
    """Enough of the contact data to tell them by, too little to use them."""
    try:
        return " · ".join(mask_contact(member).values())
    except WrongKeyError:
        return "•••"


@register.filter
def fields_of(member: Member) -> list[tuple[str, str]]:
    """The community's own fields that have a value."""
    fields = Field.objects.filter(community=member.community_id).order_by("pk")
    values = ((field.label, member.fields.get(field.key)) for field in fields)
    return [(label, _shown(value)) for label, value in values if value not in (None, "")]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return f"{value:g}" if isinstance(value, float) else str(value)


@register.filter
def reason(stored: object) -> str:
    """A reason as it is kept, {"en", "zh"} or plain words, in the reader's language."""
    if isinstance(stored, Mapping):
        return str(stored.get(current_lang()) or stored.get("en", ""))
    return str(stored)


@register.filter
def purpose(name: str) -> str:
    words = {
        "service": _("Service"), "marketing": _("Offers"), "analysis": _("Analysis"),
        "location": _("Location"),
    }  # fmt: skip
    return words.get(name, name)


@register.filter
def highlighted(text: str, words: Sequence[str]) -> SafeString:
    """The text with each of the words marked; all of it escaped."""
    spans = merge_spans(find_spans(text, words))
    parts, at = [], 0
    for start, end in spans:
        parts += [escape(text[at:start]), format_html("<mark>{}</mark>", text[start:end])]
        at = end
    parts.append(escape(text[at:]))
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped above


def find_spans(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where words occur, whatever their case."""
    spans, folded = [], text.lower()
    if len(folded) != len(text):  # a sign that grows with its case: places would be wrong
        folded = text
    for word in {word.lower() for word in words if word}:
        at = folded.find(word)
        while at >= 0:
            spans.append((at, at + len(word)))
            at = folded.find(word, at + len(word))
    return sorted(spans)


def merge_spans(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, none overlapping another."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


@register.filter
def kind(name: str) -> str:
    """The words for a kind of profile field."""
    words = {
        "text": _("Text"), "number": _("Number"), "date": _("Date"), "yes_no": _("Yes or no"),
        "choice": _("One of a list"),
    }  # fmt: skip
    return words.get(name, name)


@register.simple_tag
def clock_speed() -> str:
    """How much faster than the world the clock runs: timers on a page keep up with it."""
    return str(clock.clock().speed)


@register.filter
def import_state(name: str) -> str:
    """The words for where an import stands."""
    words = {
        "mapping": _("columns to choose"), "mapped": _("ready to start"),
        "queued": _("waits for its turn"), "running": _("runs"), "done": _("done"),
        "failed": _("broke off"),
    }  # fmt: skip
    return words.get(name, name)


@register.filter
def row_contact(row: Row) -> str:
    """How a line of an import tells its member, masked."""
    phone = mask_phone(row.phone) if row.phone else ""
    email = mask_email(row.email) if row.email else ""
    return " · ".join(part for part in (phone, email, row.external_id) if part)
