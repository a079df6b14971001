"""The inputs of a form of rules, ready for its template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from qunluo.commerce.catalogue import list_products, list_stock
from qunluo.community.models import Community
from qunluo.community.queries import settings_of
from qunluo.console.asking import list_zones
from qunluo.console.campaigns.parameters import Parameter
from qunluo.console.campaigns.typed import NAMED, ROOT, SPANS, Shop, Typed, one, size_of
from qunluo.console.wording import current_lang
from qunluo.kit.money import currency_sign, format_money
from qunluo.kit.text import Text

Option = tuple[str, str]
COUNTED = {  # what a contest counts
    "orders": Text("paid orders", "付款订单数"),
    "spend": Text("money paid", "付款金额"),
    "invites": Text("friends who came", "邀请到的好友"),
    "check_ins": Text("days checked in", "打卡天数"),
    "helps": Text("helps given", "助力次数"),
}


@dataclass(frozen=True)
class Offer:
    """What inputs choose from."""

    shop: Shop
    goods: Sequence[Option] = ()


@dataclass(frozen=True)
class Input:
    """One input: `value` as typed, `wrong` what is said below it."""

    path: str
    kind: str
    label: str
    gist: str = ""
    value: str = ""
    values: Sequence[str] = ()
    extra: str = ""  # the unit of a span, what kind a reward is
    name: str = ""  # of a coupon or gift
    options: Sequence[Option] = ()
    suffix: str = ""
    wrong: str = ""
    required: bool = False
    rows: Sequence[Sequence[Input]] = field(default_factory=list)
    may_add: bool = False
    may_drop: bool = False


def shop_of(community: Community) -> Shop:
    return Shop(settings_of(community).currency, community.zone)


def offer_of(community: Community) -> Offer:
    """The catalogue, with prices and what is on the shelf."""
    shop = shop_of(community)
    variants = [v for p in list_products(community, "on_sale") for v in p.variants.all()
                if v.active]  # fmt: skip
    stock = list_stock(variants)
    goods = [
        (v.sku, _("{goods}, {price}, {n} in stock").format(
            goods=v.shown, price=format_money(v.list_minor, shop.currency, current_lang()),
            n=stock[v.pk].available))
        for v in variants
    ]  # fmt: skip
    return Offer(shop, goods)


def draw(
    parameters: Iterable[Parameter], typed: Typed, offer: Offer, wrong: Mapping[str, str],
    path: str = ROOT,
) -> list[Input]:  # fmt: skip
    """The inputs below a path."""
    return [_draw(p, f"{path}.{p.name}", typed, offer, wrong) for p in parameters]


def _draw(
    wanted: Parameter, path: str, typed: Typed, offer: Offer, wrong: Mapping[str, str]
) -> Input:
    lang = current_lang()
    suffix = wanted.suffix(lang) if wanted.suffix and wanted.kind == "whole" else ""
    size = size_of(typed, path, wanted.most_rows)
    return Input(
        path, wanted.kind, wanted.title(lang), wanted.gist(lang), one(typed, path),
        typed.get(path, []), _extra(wanted, typed, path), one(typed, f"{path}~name"),
        _options(wanted, offer, typed.get(path, [])),
        currency_sign(offer.shop.currency, lang) if wanted.kind == "money" else suffix, wrong.get(path, ""),
        wanted.required, [_row(wanted, f"{path}.{n}", typed, offer, wrong) for n in range(size)],
        size < wanted.most_rows, size > wanted.fewest_rows,
    )  # fmt: skip


def _extra(wanted: Parameter, typed: Typed, path: str) -> str:
    if wanted.kind == "reward":
        return one(typed, f"{path}~what")
    return one(typed, f"{path}~unit") or "1"


def _row(
    wanted: Parameter, path: str, typed: Typed, offer: Offer, wrong: Mapping[str, str]
) -> list[Input]:
    if wanted.kind == "rows":
        return draw(wanted.parts, typed, offer, wrong, path)
    return [_draw(wanted.parts[0], path, typed, offer, wrong)]


def _options(wanted: Parameter, offer: Offer, chosen: Sequence[str]) -> Sequence[Option]:
    if wanted.kind in ("sku", "skus"):
        known = {sku for sku, _words in offer.goods}
        gone = [(sku, _("{sku}, not on sale").format(sku=sku))
                for sku in chosen if sku and sku not in known]  # fmt: skip
        return [*offer.goods, *gone]
    if wanted.kind == "zone":
        return [(zone, zone) for zone in list_zones()]
    if wanted.kind == "choice":
        return [(choice, choice_word(choice)) for choice in wanted.choices]
    if wanted.kind in ("reward", "what"):
        return reward_kinds()
    if wanted.kind == "span":
        return list(zip(map(str, SPANS), (_("minutes"), _("hours"), _("days")), strict=True))
    return ()


def reward_kinds() -> list[Option]:
    names = {"coupon": _("a coupon"), "gift": _("a gift")}
    return [("points", _("points")), ("cent", _("money")), *((n, names[n]) for n in NAMED)]


def choice_word(choice: str) -> str:
    """A choice in words, where it has some."""
    words = {
        "shared": _("ranks and prizes are shared"),
        "points": _("points"), "cent": _("money"), "earliest": _("who was first is ahead"),
        "anyone": _("everybody"), "newcomers": _("new members only"),
        "campaign": _("we do, from the budget"), "member": _("a member"),
    }  # fmt: skip
    counted = COUNTED.get(choice)
    return counted(current_lang()) if counted else words.get(choice, choice.replace("_", " "))
