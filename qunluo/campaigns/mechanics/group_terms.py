"""What a group-buy is agreed on: its parameters, what is wrong with them, its sentences."""

from __future__ import annotations

from pydantic import Field

from qunluo.campaigns.mechanics.kernel import Finding, Frozen
from qunluo.campaigns.mechanics.parameters import parameter
from qunluo.campaigns.mechanics.steps import Reward, no
from qunluo.kit.text import Text

# fmt: off
NOT_OPEN = no("not_open", "The leader has not paid yet: try again in some minutes.",
              "团长还没付款，请过几分钟再来。")
FULL = no("full", "This group is full. Open one of your own.", "这个团已满员，可以自己开一个团。")
HELD = no("held", "All seats are taken, some not paid yet: try again in some minutes.",
          "名额已占满，其中有人还没付款，请过几分钟再来。")
IN_ONE = no("in_one", "You are in a group already: quit it first, or wait until it succeeds.",
            "你已在一个团里，请先退出或等它成团。")
ENOUGH = no("enough", "You have bought as often as this campaign allows.", "你的参团次数已用完。")
NO_SUCH = no("no_such", "This product is not part of the group-buy.", "该商品不在本次拼团中。")
TOO_MANY = no("too_many", "Order fewer pieces: that is more than one order may have.",
              "超出每单限购件数，请减少数量。")
NOT_IN = no("not_in", "You are not in this group.", "你不在这个团里。")
SUCCEEDED = Text("Your group is complete: your order is on its way.", "拼团成功！订单将尽快发货。")
FAILED = Text("Your group did not get complete: your money goes back to you.",
              "拼团未成功，款项将原路退回。")
DIFFERENCE = Text("So many joined that the price fell: here is the difference.",
                  "参团人数达到更低价档，差价已退回。")
QUITTED = Text("You have left the group: your money goes back to you.", "你已退团，款项将原路退回。")
UNPAID = Text("The group has ended before this order was paid.", "拼团已结束，未付款的订单已取消。")
LEADING = Text("You lead the group now: its leader has left.", "原团长已退出，你现在是团长。")
# fmt: on


class Price(Frozen):
    sku: str = Field(min_length=1, max_length=60)
    price_minor: int = Field(ge=1, le=10**9)


class Tier(Frozen):
    """From so many payers on, each piece costs so much less."""

    people: int = Field(ge=2, le=1000)
    off_minor: int = Field(ge=1, le=10**9)


class Rules(Frozen):
    """What the operator sets."""

    # fmt: off
    prices: tuple[Price, ...] = parameter(
        Text("Products and prices", "商品与拼团价"),
        Text("What can be bought in a group, and its price.", "可拼团的商品规格及其拼团价。"),
        "prices", min_length=1, max_length=50)
    size: int = parameter(
        Text("Group size", "成团人数"), Text("How many payers make a group.", "多少人付款即成团。"),
        "member", ge=2, le=1000)
    tiers: tuple[Tier, ...] = parameter(
        Text("Price tiers", "阶梯优惠"),
        Text("With more people each piece costs less; the difference is refunded at the end.",
             "人数越多每件越便宜，结束时退还差价。"),
        "tiers", default=(), max_length=10)
    minutes: int = parameter(
        Text("Duration", "成团时限"),
        Text("How long a group may gather, from the leader's payment.", "从团长付款起的成团时间。"),
        "minute", default=24 * 60, ge=5, le=60 * 24 * 30)
    pay_minutes: int = parameter(
        Text("Time to pay", "付款时限"), Text("How long a seat is held for an order.", "名额保留多久。"),
        "minute", default=15, ge=1, le=24 * 60)
    quantity_most: int = parameter(
        Text("Pieces per order", "每单限购"), Text("Most pieces in one order.", "每单最多几件。"),
        "piece", default=1, ge=1, le=1000)
    groups_each: int = parameter(
        Text("Groups per member", "每人参团次数"),
        Text("In how many successful groups one member may buy.", "每位成员最多成功参团几次。"),
        default=1, ge=1, le=1000)
    guarantee_from: int = parameter(
        Text("Guaranteed from", "商家保成团人数"),
        Text("From how many payers on the merchant completes a group whose time is over; 0: "
             "never. It is labelled, and buyers are never invented.",
             "到期时有多少人付款即由商家保成团，0 表示不保；页面会如实标注，绝不虚构买家。"),
        "member", default=0, ge=0, le=1000)
    leader_bonus: Reward | None = parameter(
        Text("Leader's bonus", "团长奖励"),
        Text("What the leader of a successful group gets.", "成团后团长获得的奖励。"),
        "reward", default=None)
    hold_days: int = parameter(
        Text("Days until the bonus is paid", "奖励冻结天数"),
        Text("Until then a refund takes it back.", "期间团长退款则收回奖励。"),
        "day", default=7, ge=0, le=90)
    groups: int = parameter(
        Text("Groups at once", "同时拼团数"),
        Text("For how many groups the leader's bonus is set aside.", "为多少个团预留团长奖励。"),
        default=100, ge=1, le=10**6)
    # fmt: on

    @property
    def capacity(self) -> int:
        return max([self.size, *(tier.people for tier in self.tiers)])

    def price(self, sku: str) -> int | None:
        return next((p.price_minor for p in self.prices if p.sku == sku), None)

    def off(self, payers: int) -> int:
        """How much less a piece costs with so many payers."""
        return max((t.off_minor for t in self.tiers if t.people <= payers), default=0)


def lint(rules: Rules) -> list[Finding]:
    found = []
    people, offs = [t.people for t in rules.tiers], [t.off_minor for t in rules.tiers]
    # fmt: off
    grow = people == sorted(set(people)) and offs == sorted(set(offs))
    if not grow or min(people, default=rules.size) < rules.size:
        found.append(Finding("error", "tiers", Text(
            "Tiers begin at the group size, and each has more people and takes more off.",
            "阶梯须从成团人数起，人数与优惠逐级递增。"), "tiers"))
    if max(offs, default=0) >= min(p.price_minor for p in rules.prices):
        found.append(Finding("error", "below_nothing", Text(
            "A tier takes off more than a product costs.", "阶梯优惠不能大于等于商品价格。"), "tiers"))
    if len({p.sku for p in rules.prices}) < len(rules.prices):
        found.append(Finding("error", "same_product", Text(
            "A product has two prices.", "同一商品有两个价格。"), "prices"))
    if rules.guarantee_from >= rules.size:
        found.append(Finding("error", "guarantee", Text(
            "A guarantee is for fewer payers than make a group.", "保成团人数须小于成团人数。"),
            "guarantee_from"))
    if rules.size > 20 and not rules.guarantee_from:
        found.append(Finding("warning", "large", Text(
            "Groups of more than 20 seldom get complete.", "20 人以上的团很难拼成。"), "size"))
    # fmt: on
    return found
