"""What a swap is about: its rules, what is kept of a listing, what each side of a deal has in it
and gets out of it, and the words of its refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from qunluo.campaigns.mechanics.kernel import CENT, POINTS, Finding, Frozen
from qunluo.campaigns.mechanics.parameters import Name, error, findings, parameter, warning
from qunluo.campaigns.mechanics.steps import no
from qunluo.kit.text import Text

Outcome = Literal["swapped", "undone", "owner_forfeits", "other_forfeits"]
OUTCOMES: Mapping[str, Outcome] = {
    "swapped": "swapped", "undone": "undone", "owner_forfeits": "owner_forfeits",
    "other_forfeits": "other_forfeits",
}  # fmt: skip
MOST_OFFERS = 30  # that a listing has at once, sent or received


class Rules(Frozen):
    # fmt: off
    categories: tuple[Name, ...] = parameter(
        Text("Categories", "分类"), Text("What may be listed.", "可以发布的物品分类。"),
        min_length=1, max_length=30)
    unit: Literal["points", "cent"] = parameter(
        Text("Deposits in", "押金单位"), Text("Points, or money.", "积分或现金。"), default=POINTS)
    deposit: int = parameter(
        Text("Deposit", "押金"),
        Text("Each side leaves it until both have what they swapped for.",
             "双方各付，确认收货后退回。"), "unit",
        default=0, ge=0, le=10**9)
    top_up_most: int = parameter(
        Text("Top-up at most", "补差上限"),
        Text("What one side may add; 0: nothing.", "一方可补的差价上限；0 为不允许。"),
        "unit", default=0, ge=0, le=10**9)
    per_member: int = parameter(
        Text("Listings per member", "每人发布数"), Text("At once.", "同时在架的物品数。"),
        default=5, ge=1, le=100)
    listing_days: int = parameter(
        Text("Listed for", "上架时长"), Text("Then a listing ends.", "到期自动下架。"), "day",
        default=14, ge=1, le=365)
    deal_days: int = parameter(
        Text("Time to swap", "交换时限"),
        Text("If not both have confirmed by then, you decide.", "到期未双方确认，由运营裁定。"), "day",
        default=7, ge=1, le=90)
    # fmt: on


class Sent(Frozen):
    """An offer of this listing for another; `number` is its name among this listing's offers."""

    to: str
    number: int


class Offer(Frozen):
    """What another listing's owner offers for this one: that listing, and `top_up` on top
    (negative: so much is wanted on top)."""

    listing: str
    owner: int
    title: str
    number: int
    top_up: int = 0


class Deal(Frozen):
    """The accepted offer; `parties` are the owner of this listing and the other."""

    name: str
    offer: Offer
    until: datetime
    confirmed: tuple[int, ...] = ()
    disputed: bool = False
    said: dict[int, str] = Field(default_factory=dict)  # what each side says is wrong


class State(Frozen):
    """A listing. `dealing`: the deal is here; `away`: it is in the play `home`, and `home_deal`
    its name. `over` names deals that ended, in case that news of their beginning come late."""

    owner: int
    title: str
    category: str
    until: datetime
    stage: Literal["open", "dealing", "away", "swapped", "withdrawn", "expired"] = "open"
    offers: tuple[Offer, ...] = ()
    sent: tuple[Sent, ...] = ()
    deal: Deal | None = None
    home: str = ""
    home_deal: str = ""
    over: tuple[str, ...] = ()
    gone: dict[str, int] = Field(default_factory=dict)  # listing → its last offer taken back
    turn: int = 0  # counts offers and messages, so that each has a name

    @property
    def parties(self) -> tuple[int, ...]:
        return (self.owner, self.deal.offer.owner) if self.deal else ()


# fmt: off
WRONG_LISTING = no("wrong_listing", "Give it a title and one of the categories.",
                   "请填写标题并选择分类。")
ENOUGH = no("limit", "You have as many listings as you may: withdraw one.",
            "在架物品已达上限，可先下架一件。")
NOT_OPEN = no("not_open", "This listing is not open any more.", "该物品已不在架上。")
IN_DEAL = no("in_deal", "One of the two is in another deal just now.", "其中一件正在另一笔交换中。")
WRONG_OFFER = no("wrong_offer", "Offer one of your open listings for another, top-up within limits.",
                 "请用自己在架的物品换别人的物品，补差不能超过上限。")
TOO_MANY = no("too_many", "That is enough offers: wait for answers, or take one back.",
              "报价已经很多了，等等回复或撤回一个。")
OFFER_GONE = no("offer_gone", "This offer was taken back.", "对方已撤回该报价。")
OWN = no("own", "Both are yours.", "两件都是你自己的。")
TOO_POOR = no("too_poor", "You have not enough for the deposit and the top-up.",
              "余额不足以支付押金和补差。")
OTHER_POOR = no("other_poor", "The other side can't pay the deposit just now: ask them.",
                "对方余额不足以支付押金和补差，请联系对方。")
NO_DEAL = no("no_deal", "There is no deal to confirm here.", "这里没有进行中的交换。")
NOT_PARTY = no("not_yours", "Only the two who swap can do this.", "只有交换双方可以操作。")
CONFIRMED = no("confirmed", "You have confirmed: wait for the other side.", "你已确认，等待对方确认。")
# fmt: on

ACCEPTED = Text(
    "Your offer was accepted: swap, then confirm.", "你的报价已被接受，完成交换后请确认。"
)
DECLINED = Text(
    "An offer of yours was declined: try another listing.", "你的报价未被接受，看看别的物品吧。"
)
SWAPPED = Text("The swap is done; your deposit is back.", "交换完成，押金已退回。")
DISPUTED = Text(
    "The swap is not confirmed by both: we look at it.", "交换未获双方确认，运营将介入处理。"
)
DECIDED = Text("The operator has decided about your swap.", "运营已对你的交换作出裁定。")
DECIDED_WHY = Text(
    "The operator has decided about your swap: {why}", "运营已对你的交换作出裁定：{why}"
)


def stakes(state: State, rules: Rules) -> dict[int, int]:
    """What each side of a deal has left in it."""
    if state.deal is None:
        return {}
    owner, other = state.parties
    top_up = state.deal.offer.top_up
    return {owner: rules.deposit + max(0, -top_up), other: rules.deposit + max(0, top_up)}


def returns(state: State, outcome: Outcome, rules: Rules) -> Counter[int]:
    """What each side gets out of a deal; together as much as was left in it."""
    result = Counter(stakes(state, rules))
    if state.deal is None:
        return result
    owner, other = state.parties
    top_up = state.deal.offer.top_up
    if outcome == "swapped":
        result.update({owner: top_up, other: -top_up})
    elif outcome != "undone":
        at_fault, innocent = (owner, other) if outcome == "owner_forfeits" else (other, owner)
        result.update({at_fault: -rules.deposit, innocent: rules.deposit})
    return result


def fates(outcome: Outcome) -> tuple[str, str]:
    """What becomes of the listing with the deal, and of the other."""
    return {
        "swapped": ("swapped", "swapped"), "undone": ("open", "open"),
        "owner_forfeits": ("withdrawn", "open"), "other_forfeits": ("open", "withdrawn"),
    }[outcome]  # fmt: skip


def broken(state: State, rules: Rules) -> list[str]:
    result = []
    if (state.deal is not None) != (state.stage == "dealing"):
        result.append("a deal that is not dealt with")
    if state.deal and not set(state.deal.confirmed) <= set(state.parties):
        result.append("confirmed by a stranger")
    if state.deal and len(state.deal.confirmed) > 1:
        result.append("both have confirmed, and it goes on")
    if state.stage != "open" and state.offers:
        result.append("offers for what is not open")
    return result


def shown(state: State | None, rules: Rules, member: int | None) -> Mapping[str, Any]:
    result: dict[str, Any] = {
        "categories": list(rules.categories), "unit": rules.unit, "deposit": rules.deposit,
        "top_up_most": rules.top_up_most,
    }  # fmt: skip
    if state is None:
        return result
    result |= {"title": state.title, "category": state.category, "owner": state.owner,
               "stage": state.stage, "mine": state.owner == member, "home": state.home,
               "until": state.until.isoformat(), "offered": len(state.offers)}  # fmt: skip
    if state.owner == member:
        result["offers"] = [offer.model_dump() for offer in state.offers]
        result["sent"] = [one.to for one in state.sent]
    if state.deal and member in state.parties:  # what they said is for the team
        result["deal"] = state.deal.model_dump(mode="json", exclude={"said"})
        result["said"] = state.deal.said.get(member or 0, "")
    return result


def lint(rules: Rules) -> list[Finding]:
    # fmt: off
    return findings(
        (len(set(rules.categories)) < len(rules.categories),
         error("categories", "same_category", "A category is there twice.", "分类重复。")),
        (not rules.deposit,
         warning("deposit", "no_deposit",
                 "Without a deposit nobody loses anything by never sending.",
                 "没有押金，不寄出也没有损失，容易跑单。")),
        (rules.unit == CENT,
         warning("unit", "money_between_members",
                 "To hold money of members for each other may take a licence: use points.",
                 "为会员之间保管现金可能需要牌照，建议使用积分。")),
        (rules.deal_days > rules.listing_days,
         warning("deal_days", "long_deal",
                 "A deal may take longer than a listing lasts.", "交换时限比上架时长还久。")),
    )
    # fmt: on
