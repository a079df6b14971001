"""What a member would see: a fresh play under these rules, as its mechanic shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from qunluo.campaigns.mechanics.kernel import CENT, OPEN, Act, Done, Draw, Mechanic
from qunluo.console.campaigns.parameters import Parameter, describe
from qunluo.console.wording import current_lang
from qunluo.kit import clock
from qunluo.kit.money import format_money

SOMEBODY = 1  # whose play it is
PLENTY = 10**6
HIDDEN = frozenset({"owner", "leader", "giver", "member", "ref", "stage", "mine"})


@dataclass(frozen=True)
class Screen:
    """A member's page: the price now and before, how far it is, facts in words, until when."""

    price: str
    before: str
    done: int
    needed: int
    facts: list[tuple[str, str]]
    until: str

    @property
    def share(self) -> int:
        """How much of the way is gone, in tenths."""
        return min(10, round(10 * self.done / self.needed)) if self.needed else 0


def draw_screen(mechanic: Mechanic, rules: Any, currency: str) -> Screen:
    shown = show_fresh(mechanic, rules)
    words = {p.name: p for p in describe(mechanic.rules)}
    price, before = shown.get("price_minor"), shown.get("start_minor")
    ends = shown.get("ends_at") or shown.get("until")
    return Screen(
        _money(price, currency), _money(before, currency) if before != price else "",
        _count(shown.get("helpers", shown.get("helps", shown.get("paid", 0)))),
        _count(shown.get("needed", shown.get("size", shown.get("top", 0)))),
        [fact for name, value in shown.items()
         if (fact := _fact(words.get(name), name, value, shown, currency))],
        f"{localtime(datetime.fromisoformat(ends)):%Y-%m-%d %H:%M}" if ends else "",
    )  # fmt: skip


def show_fresh(mechanic: Mechanic, rules: Any) -> Mapping[str, Any]:
    """What the mechanic shows of a play that somebody has just begun."""
    pools = {name.partition("@")[2]: PLENTY for name in mechanic.reads(rules)}
    act = Act(OPEN, clock.now(), SOMEBODY, "preview", pools=pools, play="preview")
    begun = mechanic.decide(None, act, rules, Draw(b"preview", "preview"))
    state = begun.state if isinstance(begun, Done) else None
    return mechanic.shown(state, rules, SOMEBODY)


def _money(value: Any, currency: str) -> str:
    return format_money(value, currency, current_lang()) if isinstance(value, int) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _fact(
    wanted: Parameter | None, name: str, value: Any, shown: Mapping[str, Any], currency: str
) -> tuple[str, str] | None:
    """A figure of the page with the words of the rule that set it."""
    if wanted is None or name in HIDDEN or name in ("price_minor", "start_minor", "helpers"):
        return None
    label = wanted.title(current_lang())
    if isinstance(value, bool):
        return (label, _("Yes")) if value else None
    if value == 0:
        return None  # of rules it means: none
    if isinstance(value, int):
        is_money = wanted.kind == "money" or (
            wanted.kind == "worth" and shown.get("unit") == CENT
        )
        unit = f" {wanted.suffix(current_lang())}" if wanted.suffix else ""
        return label, _money(value, currency) if is_money else f"{value:,}{unit}"
    return (label, value) if isinstance(value, str) and wanted.kind == "text" else None
