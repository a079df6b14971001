"""Where a group stands, intent × order value, and where to move it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from qunluo.kit.money import format_money
from qunluo.kit.text import Text

Level = Literal["high", "low"]
FEWEST_MEMBERS = 10
FEWEST_ORDERS = 5
LEAST_DAYS = 14  # of the month in which the group existed
CONVERTS = Fraction(10, 100)  # of the members ordered: intent is high by that alone
CONVERTS_SOME = Fraction(5, 100)  # … or this much, where they take part as well
TALKS = Fraction(30, 100)  # of the members spoke
TAKES_PART = Fraction(20, 100)  # of the members were in a campaign
KINDS: dict[tuple[Level, Level], str] = {  # intent, order value → blueprint
    ("high", "low"): "traffic", ("high", "high"): "vip",
    ("low", "low"): "benefits", ("low", "high"): "seeding",
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """A group's month. `members` were in it at some time, `spoke` and `buyers` are of them;
    `orders` are theirs while they were in, those refunded as a whole left out; `joined_in` is
    how many took part in a campaign, None where the community had none."""

    days: int
    members: int
    spoke: int
    buyers: int
    orders: int
    amount_minor: int
    joined_in: int | None = None

    @property
    def activity(self) -> Fraction:
        return _share(self.spoke, self.members)

    @property
    def conversion(self) -> Fraction:
        return _share(self.buyers, self.members)

    @property
    def order_minor(self) -> Fraction:
        """The mean order, in minor units."""
        return _share(self.amount_minor, self.orders)

    @property
    def arpu_minor(self) -> Fraction:
        """Revenue a member, in minor units."""
        return _share(self.amount_minor, self.members)

    @property
    def participation(self) -> Fraction | None:
        return None if self.joined_in is None else _share(self.joined_in, self.members)


@dataclass(frozen=True)
class Position:
    """A place in the quadrant, or none on an axis that the data does not carry; the move that is
    suggested, and the blueprint it leads to."""

    intent: Level | None
    order_value: Level | None
    reasons: tuple[Text, ...]
    move: Text
    suggests: str = ""

    @property
    def kind(self) -> str:
        """The blueprint of this place; empty without one."""
        if self.intent is None or self.order_value is None:
            return ""
        return KINDS[self.intent, self.order_value]


def _share(part: int, whole: int) -> Fraction:
    return Fraction(part, whole) if whole else Fraction(0)


def judge_position(
    facts: Facts, *, dear_minor: int, own: str = "", currency: str = "CNY"
) -> Position:
    """A group's place in its month. An order, or what a member spends in the month, is of high
    value from `dear_minor` on; `own` is the blueprint it was founded from."""
    if facts.days < LEAST_DAYS or facts.members < FEWEST_MEMBERS:
        return Position(None, None, (_say_few(facts),), _WAIT)
    intent, why = _judge_intent(facts)
    value, worth = _judge_value(facts, dear_minor, currency)
    reasons = (why, _say_part(facts), worth)
    if value is None:
        return Position(intent, None, reasons, _SELL)
    suggests, move = _plan_move(intent, value, KINDS[intent, value], own)
    return Position(intent, value, reasons, move, suggests)


def _say_few(facts: Facts) -> Text:
    words = Text(
        "Too little to judge: {members} members in {days} days; it takes {fewest} members and "
        "{least} days.",
        "数据太少，无法判断：{days} 天内 {members} 位成员；至少需要 {fewest} 位成员、{least} 天。",
    )
    return words.format(
        members=facts.members, days=facts.days, fewest=FEWEST_MEMBERS, least=LEAST_DAYS
    )


def _judge_intent(facts: Facts) -> tuple[Level, Text]:
    """High where many order, or some do and they talk or take part as well."""
    part = facts.participation or Fraction(0)
    involved = facts.activity >= TALKS or part >= TAKES_PART
    bought = facts.conversion
    high = bought >= CONVERTS or (bought >= CONVERTS_SOME and involved)
    words = Text(
        "{buyers} of {members} members ordered ({conversion}) and {spoke} spoke ({activity}): "
        "intent is {level}. It is high from {high} on, or from {some} where {talks} speak or "
        "{part} take part.",
        "{members} 位成员中 {buyers} 位下单（{conversion}），{spoke} 位发言（{activity}）：意向{level}。"
        "下单率达 {high} 为高；达 {some} 且发言达 {talks} 或活动参与达 {part} 也为高。",
    )
    return "high" if high else "low", words.format(
        buyers=facts.buyers, members=facts.members, conversion=_percent(bought),
        spoke=facts.spoke, activity=_percent(facts.activity), level=LEVELS["high" if high else "low"],
        high=_percent(CONVERTS), some=_percent(CONVERTS_SOME), talks=_percent(TALKS),
        part=_percent(TAKES_PART),
    )  # fmt: skip


def _say_part(facts: Facts) -> Text:
    if facts.joined_in is None:
        return Text("No campaign ran this month, so taking part in one says nothing yet.",
                    "本月没有营销活动，活动参与率暂不计入。")  # fmt: skip
    words = Text("{n} of {members} took part in a campaign ({share}).",
                 "{members} 位成员中 {n} 位参与了活动（{share}）。")  # fmt: skip
    return words.format(n=facts.joined_in, members=facts.members,
                        share=_percent(facts.participation or Fraction(0)))  # fmt: skip


def _judge_value(facts: Facts, dear_minor: int, currency: str) -> tuple[Level | None, Text]:
    if facts.orders < FEWEST_ORDERS:
        words = Text("{n} orders are too few to say what an order is worth; it takes {fewest}.",
                     "仅 {n} 单，无法判断客单价；至少需要 {fewest} 单。")  # fmt: skip
        return None, words.format(n=facts.orders, fewest=FEWEST_ORDERS)
    high = max(facts.order_minor, facts.arpu_minor) >= dear_minor
    words = Text(
        "{n} orders of {order} on average, {arpu} a member: order value is {level}. It is high "
        "from {dear} on.",
        "{n} 单，平均客单价 {order}，人均 {arpu}：客单价{level}。达 {dear} 为高。",
    )
    return "high" if high else "low", words.format(
        n=facts.orders, level=LEVELS["high" if high else "low"],
        order=_money(facts.order_minor, currency), arpu=_money(facts.arpu_minor, currency),
        dear=_money(Fraction(dear_minor), currency),
    )  # fmt: skip


def _plan_move(intent: Level, value: Level, place: str, own: str) -> tuple[str, Text]:
    """One step in the quadrant, and the blueprint there."""
    if own in KINDS.values() and own != place:
        return place, Text(f"{_DRIFTED.en} {_MOVES[intent, value].en}",
                           f"{_DRIFTED.zh}{_MOVES[intent, value].zh}")  # fmt: skip
    towards: Level = "high"
    goal = (intent, towards) if intent == "high" else (towards, value)
    return KINDS[goal], _MOVES[intent, value]


LEVELS = {"high": Text("high", "高"), "low": Text("low", "低")}
_DRIFTED = Text(
    "It lives as another kind than it was founded as: take over that kind's rhythm, or bring it "
    "back.",
    "它的表现已不同于建群时的类型：要么改用新类型的节奏，要么拉回来。",
)
_MOVES: dict[tuple[Level, Level], Text] = {
    ("high", "high"): Text(
        "Keep it: deepen the care, few messages, contacts before renewals.",
        "保持：加深服务、少打扰、到期前先联系。",
    ),
    ("high", "low"): Text(
        "Raise the order: sets, larger packs, a membership for who comes weekly; invite the best "
        "to a VIP group.",
        "提升客单：组合装、大包装、周客会员；邀请最好的客户进 VIP 群。",
    ),
    ("low", "high"): Text(
        "Raise the intent: trials, buyers' words and an adviser one word away.",
        "提升意向：试用、买家真实评价、一句话找到顾问。",
    ),
    ("low", "low"): Text(
        "Make a habit first: fixed times, small tasks for all, and a first order that is easy.",
        "先养成习惯：固定时段、全群小任务、轻松的首单。",
    ),
}
_WAIT = Text("Wait for more members before moving anything.", "先积累成员，再谈调整。")
_SELL = Text(
    "Offer one thing that is easy to order and see who takes it; then the order value shows.",
    "先推一款容易下单的产品，看谁会买，客单价自然显现。",
)


def _percent(share: Fraction) -> str:
    value = float(100 * share)
    return f"{value:.0f} %" if value >= 10 or value == int(value) else f"{value:.1f} %"


def _money(minor: Fraction, currency: str) -> Text:
    """In both languages, to the minor unit."""
    whole = math.floor(minor + Fraction(1, 2))
    return Text(format_money(whole, currency, "en"), format_money(whole, currency, "zh"))
