"""Amounts, states and places of campaigns and of the ledger in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from qunluo.campaigns.lifecycle import STATES
from qunluo.campaigns.mechanics.kernel import BUDGET, CENT, POINTS, Supply
from qunluo.campaigns.models import Campaign
from qunluo.campaigns.registry import list_mechanics
from qunluo.campaigns.results import COUNT
from qunluo.console.wording import current_lang
from qunluo.kit.money import CURRENCIES, format_money
from qunluo.kit.text import Text

GOALS: tuple[tuple[str, Text, frozenset[str]], ...] = (
    ("new", Text("Win new members", "拉新"),
     frozenset({"group_buy", "assist", "tiered_invites", "bargain", "flash_sale"})),
    ("sell", Text("Sell more now", "促成购买"),
     frozenset({"coupon", "flash_sale", "group_buy", "bargain", "gift", "rising_price"})),
    ("wake", Text("Wake the group up", "激活社群"),
     frozenset({"red_packet", "lucky_draw", "contest", "check_in", "flash_sale"})),
    ("keep", Text("Bring buyers back", "促进复购"),
     frozenset({"coupon", "gift", "check_in", "lucky_draw"})),
    ("bond", Text("Bring members together", "促进成员互动"),
     frozenset({"swap", "contest", "group_buy", "red_packet"})),
    ("clear", Text("Clear stock", "清库存"),
     frozenset({"flash_sale", "gift", "group_buy", "rising_price", "bargain"})),
)  # fmt: skip

PRIZE = Text("Prize {n}", "第 {n} 项奖品")
STORES = {
    "coupons": Text("Coupons to give out", "待发的券"),
    "free": Text("Free pieces", "赠送件数"),
    "pieces": Text("Pieces to sell", "可售件数"),
}
FREE = "gift:free"  # pieces that are free, whatever they are


def amount(value: int, unit: str, currency: str) -> str:
    """`¥30.00` for cents, `1,200 points`, `20 × coupon “spring”`."""
    lang = current_lang()
    if unit == COUNT:
        return f"{value:,}"
    if unit == CENT:
        return format_money(value, currency, lang)
    if unit in CURRENCIES:
        return format_money(value, unit, lang)
    if unit == POINTS:
        return _("{n} points").format(n=f"{value:,}")
    if unit == "piece":
        return _("{n} pieces").format(n=f"{value:,}")
    return f"{value:,} × {unit_word(unit)}"


def unit_word(unit: str) -> str:
    """What is counted, in words."""
    kind, _colon, name = unit.partition(":")
    if kind == "coupon":
        return _("coupon “{name}”").format(name=name)
    if unit == FREE:
        return STORES["free"](current_lang())
    if kind == "gift":
        return _("gift “{name}”").format(name=name)
    words = {CENT: _("money"), POINTS: _("points"), "piece": _("pieces")}
    return words.get(unit, unit)


def place_word(place: str) -> str:
    """Where a supply lies."""
    return _("Budget") if place == BUDGET else store_word(place.partition(":")[2])


def store_word(name: str) -> str:
    """What a store of a campaign holds; those of no name of their own are known by a code."""
    number = name.removeprefix("prize")
    if name != number and number.isdecimal():
        return PRIZE.format(n=int(number) + 1)(current_lang())
    known = STORES.get(name)
    return known(current_lang()) if known else _("Store “{name}”").format(name=name)


def supply_rows(supplies: Iterable[Supply], currency: str) -> list[tuple[str, str]]:
    return [(place_word(s.place), amount(s.amount, s.unit, currency)) for s in supplies]


def state_word(state: str) -> str:
    return STATES[state](current_lang())


def mechanic_word(name: str) -> str:
    """What a mechanic is called; its name where it is gone."""
    found = list_mechanics().get(name)
    return found.label(current_lang()) if found else name


def window(campaign: Campaign) -> str:
    """“2026-03-02 12:00 – 2026-03-09 12:00”."""
    if campaign.starts_at is None and campaign.ends_at is None:
        return _("from publishing on, without an end")
    begins = _when(campaign.starts_at) or _("from publishing on")
    return f"{begins} – {_when(campaign.ends_at) or _('without an end')}"


def _when(at: datetime | None) -> str:
    return f"{localtime(at):%Y-%m-%d %H:%M}" if at else ""


def act_word(kind: str) -> str:
    """What somebody did in a play."""
    words = {
        "open": _("began"), "help": _("helped"), "cut": _("cut"), "buy": _("ordered"),
        "join": _("joined"), "quit": _("left again"), "cancel": _("took it back"),
        "draw": _("drew"), "take": _("took a share"), "give": _("gave"), "offer": _("offered"),
        "accept": _("accepted"), "confirm": _("confirmed"), "score": _("scored"),
        "invited": _("brought a friend"), "check_in": _("checked in"), "issue": _("got a coupon"),
        "paid": _("the order was paid"), "cancelled": _("the order was called off"),
        "refunded": _("the order was refunded"), "expire": _("its time was over"),
        "close": _("it was closed"), "void": _("it was found invalid"),
        "restore": _("it counts again"),
    }  # fmt: skip
    return words.get(kind, kind.replace("_", " "))


def stage_word(stage: str) -> str:
    """Where a play stands."""
    words = {
        "cutting": _("being cut"), "won": _("won"), "ordered": _("ordered"),
        "bought": _("bought"), "returned": _("given back"), "over": _("over"),
        "open": _("open"), "success": _("succeeded"), "failed": _("failed"),
        "done": _("done"), "closed": _("closed"), "settled": _("settled"),
    }  # fmt: skip
    return words.get(stage, stage.replace("_", " ")) or "–"
