"""Flash sale 限时秒杀: few pieces at a low price, first come first served, and a lower price still
for those who bring friends.

A play is one member's part in the sale. Each order in it goes its way:

    buy ──► open ──paid──► paid ──refunded──► gone
              │
              └─cancelled (by the member, or not paid in time)──► gone

What must hold: the pieces held and sold are never more than the sale has, nor a member's more
than the limit; what is called off or refunded is free for others at once; the lower price is
given for friends who count once in the whole sale, and is not burnt by an order that came to
nothing; money for an order that is gone goes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from qunluo.campaigns.mechanics.kernel import (
    CANCELLED,
    OPEN,
    PAID,
    REFUNDED,
    SOLD_OUT,
    Act,
    Buy,
    Cancel,
    Claim,
    Done,
    Draw,
    Finding,
    Frozen,
    Mechanic,
    Notice,
    Refused,
)
from qunluo.campaigns.mechanics.parameters import error, findings, parameter, warning
from qunluo.campaigns.mechanics.steps import whole
from qunluo.kit.text import Text

BUY, CANCEL, INVITED = "buy", "cancel", "invited"
SLOW_MINUTES = 60


class Rules(Frozen):
    sku: str = parameter(
        Text("Article", "商品规格"),
        Text("What is sold; its stock is the shop's.", "秒杀的商品规格，库存来自商城。"),
        "sku", min_length=1, max_length=60,
    )  # fmt: skip
    pieces: int = parameter(
        Text("Pieces", "秒杀数量"),
        Text("How many are sold in this sale at most.", "本场最多卖出多少件。"),
        "piece", ge=1, le=1_000_000,
    )  # fmt: skip
    price_minor: int = parameter(
        Text("Price", "秒杀价"), Text("Of one piece.", "每件的秒杀价。"), "cent", ge=1, le=10**9
    )
    per_member: int = parameter(
        Text("Per member", "每人限购"),
        Text("How many pieces a member may have.", "每人最多可买几件。"),
        "piece", default=1, ge=1, le=20,
    )  # fmt: skip
    pay_minutes: int = parameter(
        Text("Time to pay", "付款时限"),
        Text(
            "An order that is not paid by then is called off, and its pieces are free again.",
            "超时未付款的订单自动取消，名额立即释放。",
        ),
        "minute", default=10, ge=1, le=1440,
    )  # fmt: skip
    invites: int = parameter(
        Text("Friends for the lower price", "解锁需邀请"),
        Text(
            "Who brings so many friends gets the lower price; 0: there is none.",
            "邀请几位好友可解锁更低价；0 表示不设。",
        ),
        "member", default=0, ge=0, le=20,
    )  # fmt: skip
    unlocked_minor: int = parameter(
        Text("Lower price", "解锁价"),
        Text("Of one piece, once it is unlocked.", "邀请达标后的每件价格。"),
        "cent", default=10, ge=1, le=10**9,
    )  # fmt: skip
    unlocked_pieces: int = parameter(
        Text("Pieces at the lower price", "解锁价件数"),
        Text("How many a member gets for the lower price.", "每人可按解锁价购买的件数。"),
        "piece", default=1, ge=1, le=20,
    )  # fmt: skip
    new_only: bool = parameter(
        Text("New friends only", "仅限新人"),
        Text(
            "Only friends who came to the community by this invitation count.",
            "只有通过本次邀请新加入社群的好友才计入。",
        ),
        default=True,
    )


class Bought(Frozen):
    ref: str
    quantity: int
    cheap: int  # of them, at the lower price
    amount_minor: int
    state: Literal["open", "paid"] = "open"


class State(Frozen):
    """What a member has in the sale. Orders that came to nothing leave no trace but the count,
    so that a name is never used twice."""

    member: int
    invited: tuple[int, ...] = ()
    asked: int = 0
    orders: tuple[Bought, ...] = ()


NOT_STARTED = Refused(
    "not_started",
    Text(
        "Your friend has not joined this sale: join it yourself.",
        "好友还没有参加这场秒杀，你可以自己参加。",
    ),
)
NOT_YOURS = Refused(
    "not_yours",
    Text("Only its owner can do this: join yourself.", "只能本人操作，快去自己抢一份吧。"),
)
LIMIT = Refused(
    "limit",
    Text(
        "You have as many as one member may have; pay the open order or cancel it.",
        "已达到每人限购数量，可先付款或取消未付款的订单。",
    ),
)
SELF = Refused(
    "self_invite",
    Text("You can't invite yourself: send it to a friend.", "不能邀请自己，发给好友试试吧。"),
)
NOT_NEW = Refused(
    "not_new",
    Text(
        "You are in the community already, so this counts for friends who are not yet.",
        "你已经是社群成员了，只有新朋友才能帮好友解锁。",
    ),
)
INVITED_BEFORE = Refused(
    "invited_before",
    Text("You have helped in this sale already.", "你在这场秒杀中已经帮好友解锁过了。"),
)
NO_INVITES = Refused(
    "no_invites", Text("This sale has one price for all.", "本场秒杀没有邀请解锁价。")
)
GONE = Refused(
    "gone",
    Text(
        "This order was called off; what you paid goes back to you.",
        "订单已取消，已付款项将原路退回。",
    ),
)
UNKNOWN = Refused("unknown", Text("This can't be done here.", "这里不能这样操作。"))


def decide(state: State | None, act: Act, rules: Rules, draw: Draw) -> Done[State] | Refused:
    if act.kind in (OPEN, BUY) and state is None and act.member is not None:
        state = State(member=act.member)
    if state is None:
        return NOT_STARTED
    steps = {OPEN: _open, BUY: _buy, CANCEL: _cancel, INVITED: _invited,
             PAID: _paid, CANCELLED: _gone, REFUNDED: _gone}  # fmt: skip
    step = steps.get(act.kind)
    return step(state, act, rules) if step else UNKNOWN


def _open(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    return Done(state) if act.member == state.member else NOT_YOURS


def _buy(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    if act.member != state.member:
        return NOT_YOURS
    quantity = whole(act, "quantity", default=1, most=rules.per_member)
    if quantity is None or held(state) + quantity > rules.per_member:
        return LIMIT
    cheap = min(quantity, cheap_left(state, rules))
    amount = quote(quantity, cheap, rules)
    bought = Bought(ref=f"{act.play}:{state.asked + 1}", quantity=quantity, cheap=cheap,
                    amount_minor=amount)  # fmt: skip
    pay_by = act.at + timedelta(minutes=rules.pay_minutes)
    return Done(
        _with(state, orders=(*state.orders, bought), asked=state.asked + 1),
        claims=_claims(state.member, quantity, rules),
        orders=(Buy(bought.ref, state.member, rules.sku, quantity, amount, pay_by),),
        answer={"ref": bought.ref, "amount_minor": amount, "pay_by": pay_by.isoformat()},
    )


def _cancel(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    if act.member != state.member:
        return NOT_YOURS
    found = find(state, str(act.data.get("ref", "")))
    if found is None or found.state != "open":
        return GONE
    why = Text("The member cancelled.", "会员取消了订单。")
    return replace(_released(state, found), orders=(Cancel(found.ref, why),))


def _invited(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    friend = act.member
    if not rules.invites:
        return NO_INVITES
    if friend is None or friend == state.member:
        return SELF
    if friend in state.invited:
        return INVITED_BEFORE
    if rules.new_only and not act.data.get("new"):
        return NOT_NEW
    after = _with(state, invited=(*state.invited, friend))
    claim = Claim(f"invited:{friend}", 1, INVITED_BEFORE)
    return Done(after, claims=(claim,), notices=_unlocked_now(after, rules))


def _unlocked_now(state: State, rules: Rules) -> tuple[Notice, ...]:
    if len(state.invited) != rules.invites:
        return ()
    said = Text(
        "Your friends are here: the lower price is yours.",
        "好友已到齐，解锁价已开放，快去下单！",
    )
    return (Notice(state.member, said),)


def _paid(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    """The pieces are the member's until they are called off, so a payment in the last second
    (or a little after it, before anybody called them off) is in time."""
    found = find(state, act.data["ref"])
    if found is None:
        return GONE
    paid = found.model_copy(update={"state": "paid"})
    return Done(_with(state, orders=tuple(paid if o is found else o for o in state.orders)))


def _gone(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    found = find(state, act.data["ref"])
    return GONE if found is None else _released(state, found)


def _released(state: State, gone: Bought) -> Done[State]:
    """All pieces are free again, and the lower price is as if it had not been used."""
    left = tuple(o for o in state.orders if o is not gone)
    return Done(_with(state, orders=left), frees=_slots(state.member) * gone.quantity)


def _with(state: State, **changes: Any) -> State:
    return state.model_copy(update=changes)


def _slots(member: int) -> tuple[str, str]:
    return ("sold", f"buyer:{member}")


def _claims(member: int, quantity: int, rules: Rules) -> tuple[Claim, ...]:
    sold, buyer = _slots(member)
    one = (Claim(sold, rules.pieces, SOLD_OUT), Claim(buyer, rules.per_member, LIMIT))
    return one * quantity


def find(state: State, ref: str) -> Bought | None:
    return next((o for o in state.orders if o.ref == ref), None)


def held(state: State) -> int:
    """How many pieces the member has, paid or to be paid."""
    return sum(o.quantity for o in state.orders)


def cheap_left(state: State, rules: Rules) -> int:
    """How many pieces the member may still have at the lower price."""
    if not rules.invites or len(state.invited) < rules.invites:
        return 0
    return max(0, rules.unlocked_pieces - sum(o.cheap for o in state.orders))


def quote(quantity: int, cheap: int, rules: Rules) -> int:
    """What so many pieces cost, `cheap` of them at the lower price, in minor units."""
    return cheap * rules.unlocked_minor + (quantity - cheap) * rules.price_minor


def broken(state: State, rules: Rules) -> list[str]:
    result = []
    if held(state) > rules.per_member:
        result.append("more pieces than a member may have")
    if sum(o.cheap for o in state.orders) > rules.unlocked_pieces:
        result.append("more pieces at the lower price than are given")
    if any(o.cheap for o in state.orders) and len(state.invited) < rules.invites:
        result.append("the lower price without its friends")
    if any(o.amount_minor != quote(o.quantity, o.cheap, rules) for o in state.orders):
        result.append("a charge that is not the price")
    if len(set(state.invited)) != len(state.invited) or state.member in state.invited:
        result.append("a friend who counts twice, or oneself")
    return result


def lint(rules: Rules) -> list[Finding]:
    # fmt: off
    return findings(
        (rules.invites and rules.unlocked_minor >= rules.price_minor,
         error("unlocked_minor", "unlocked_not_lower",
               "The lower price is not below the sale's.",
               "解锁价应低于秒杀价。")),
        (rules.per_member > rules.pieces,
         error("per_member", "limit_above_pieces",
               "One member may have more than the sale has.",
               "每人限购数超过了秒杀数量。")),
        (rules.invites > 3,
         warning("invites", "many_invites",
               "Few members bring more than three friends; 2 or 3 work best.",
               "很少有人能邀请三位以上好友，建议 2–3 位。")),
        (rules.pay_minutes > SLOW_MINUTES,
         warning("pay_minutes", "slow_pay",
               "Orders that are never paid keep pieces from others for over an hour.",
               "未付款订单会占用名额一小时以上。")),
    )
    # fmt: on


def shown(state: State | None, rules: Rules, member: int | None) -> Mapping[str, Any]:
    mine = state is not None and state.member == member
    unlocked = bool(state and rules.invites and len(state.invited) >= rules.invites)
    result: dict[str, Any] = {
        "price_minor": rules.price_minor, "unlocked_minor": rules.unlocked_minor,
        "pieces": rules.pieces, "per_member": rules.per_member, "invites": rules.invites,
        "invited": len(state.invited) if state else 0, "unlocked": unlocked, "mine": mine,
    }  # fmt: skip
    if mine and state:
        result["held"] = held(state)
        result["orders"] = [o.model_dump(mode="json") for o in state.orders]
    return result


def play_of(act: Act, rules: Rules) -> str:
    """Everybody's own; a friend who was invited acts in the inviter's."""
    return f"m{act.data.get('inviter', 0) if act.kind == INVITED else act.member}"


def supplies(rules: Rules) -> Sequence[Any]:
    return ()  # the pieces are the shop's stock


MECHANIC = Mechanic(
    name="flash_sale",
    label=Text("Flash sale", "限时秒杀"),
    gist=Text(
        "A few pieces at a low price, first come, first served; friends unlock a lower one.",
        "限量低价，先到先得；邀请好友可解锁更低价。",
    ),
    use=Text(
        "To wake a community up at an hour you announce, or to win new members for one article.",
        "适合约定时间的集中引爆，或用一款商品拉新。",
    ),
    avoid=Text(
        "When stock is uncertain, or your regular price would look wrong for weeks after.",
        "库存不确定，或低价会伤害日常价格时不宜使用。",
    ),
    rules=Rules,
    state=State,
    decide=decide,
    play_of=play_of,
    supplies=supplies,
    broken=broken,
    lint=lint,
    shown=shown,
    within=frozenset({BUY, INVITED}),
    facts=frozenset({"inviter", "new"}),
    asks=frozenset(),  # only an invitation looks at them, which is nobody's own act
)
