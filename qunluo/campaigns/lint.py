"""What is wrong with a campaign before it is published: errors block, warnings need a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from qunluo.campaigns.mechanics.kernel import Finding
from qunluo.campaigns.models import Campaign
from qunluo.campaigns.registry import find_mechanic
from qunluo.commerce.models import Variant
from qunluo.kit.text import Text

# WeChat's rules for outside links: rewards for shares, sign-ins and assists
SHARING = frozenset({"assist", "bargain", "tiered_invites", "check_in", "group_buy"})
PRICES = ("floor_minor", "price_minor", "unlocked_minor")


def lint(campaign: Campaign, rules: Any) -> list[Finding]:
    """The mechanic's own findings, then those of shop and platform; errors first."""
    found = [*find_mechanic(campaign.mechanic).lint(rules)]
    for rule in RULES:
        found += rule(campaign, rules)
    return sorted(found, key=lambda f: f.level != "error")


def sells_what_there_is(campaign: Campaign, rules: Any) -> Iterator[Finding]:
    """The goods that rules name are in the catalogue, and on sale."""
    for sku in _skus(rules):
        variant = _variant(campaign, sku)
        if variant is None:
            yield Finding("error", "no_such_goods", Text(
                f"There is no “{sku}” in the catalogue. Add it there, or choose another.",
                f"商品目录里没有“{sku}”，请先添加，或换一个商品。"), "sku")  # fmt: skip
        elif not variant.active or variant.product.state != "on_sale":
            yield Finding("error", "goods_off_sale", Text(
                f"“{variant.shown}” is not on sale. Put it on sale first.",
                f"“{variant.shown}”未上架，请先上架。"), "sku")  # fmt: skip


def below_cost(campaign: Campaign, rules: Any) -> Iterator[Finding]:
    """A price below what the goods cost."""
    for sku in _skus(rules):
        variant = _variant(campaign, sku)
        for name in PRICES:
            price = getattr(rules, name, None)
            if variant and isinstance(price, int) and price < variant.cost_minor:
                yield Finding("warning", "below_cost", Text(
                    f"“{variant.shown}” costs you more than it brings in here: say why.",
                    f"“{variant.shown}”的活动价低于成本，请说明原因。"), name)  # fmt: skip


def platform_rules(campaign: Campaign, rules: Any) -> Iterator[Finding]:
    """What WeChat does not allow behind an outside link."""
    if campaign.mechanic in SHARING:
        yield Finding("warning", "wechat_sharing", Text(
            "WeChat blocks pages that reward shares, sign-ins or assists behind an outside link. "
            "Keep it inside your groups and the web room, or say why you run it.",
            "微信会封禁以外链奖励分享、签到、助力的页面，"
            "请只在群内与网页群聊中使用，或说明原因。"))  # fmt: skip


def has_an_end(campaign: Campaign, rules: Any) -> Iterator[Finding]:
    if campaign.ends_at is None:
        yield Finding("warning", "no_end", Text(
            "It has no end: say why, or set one.",
            "没有设置结束时间，请设置，或说明原因。"), "ends_at")  # fmt: skip


RULES: tuple[Callable[[Campaign, Any], Iterable[Finding]], ...] = (
    sells_what_there_is, below_cost, platform_rules, has_an_end,
)  # fmt: skip


def _skus(rules: Any) -> list[str]:
    found = getattr(rules, "sku", "")
    return [found] if found else []


def _variant(campaign: Campaign, sku: str) -> Variant | None:
    rows = Variant.objects.select_related("product")
    return rows.filter(community=campaign.community_id, sku=sku).first()
