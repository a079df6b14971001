"""Values of standing, and what events say of them, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _

from qunluo.console.wording import current_lang
from qunluo.events.models import Event
from qunluo.kit.money import format_money
from qunluo.standing.correcting import list_choices
from qunluo.standing.thresholds import USUAL, Thresholds
from qunluo.standing.words import NAMES, name_value

MOVES = ("standing_changed", "standing_corrected", "correction_lifted")
ORDERS = ("order_paid", "order_refunded")


def word(name: str, value: str, at: Thresholds = USUAL) -> str:
    """A value of a standing."""
    lang, choices = current_lang(), list_choices(name, at)
    if value in choices:
        return choices[value](lang)
    parts = [name_value(name, part)(lang) for part in value.split(",") if part]
    return _(", ").join(parts) or "–"


def say_move(event: Event, currency: str) -> str:
    """What moved from where to where; empty for events that are no moves."""
    data, name = event.data, str(event.data.get("name", ""))
    if event.kind in MOVES and name in NAMES:
        before, after = (word(name, str(data.get(side, ""))) for side in ("before", "after"))
        label = NAMES[name](current_lang())
        return _("{name}: {before} → {after}").format(name=label, before=before, after=after)
    if event.kind in ORDERS:
        amount = format_money(data.get("amount_minor", 0), currency, current_lang())
        return f"{data.get('order', '')} · {amount}"
    return ""
