"""送 gift: with an order of enough comes a gift, or the cheapest of its pieces is free.

A play is one order of the shop:

    open (ordered) ──► reserved ──paid──► given ──refunded──► given (still deserved)
                          │                 ├──► returned (the gift came back)
                          └─cancelled──► cancelled         └──► charged (the gift was kept)

Of a ladder the best step counts that the order reaches and whose gift is there. The gift is
outside: it counts for no threshold and takes no voucher. Of N + M pieces the M cheapest are free.

What must hold: gifts that are reserved, given or kept and the rest of the stock are together
the stock; a refund is never negative, and all of them never more than what was paid; nobody
gets a gift cheaper by sending its order back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from qunluo.campaigns.mechanics.kernel import (
    CANCELLED,
    OPEN,
    PAID,
    REFUNDED,
    Act,
    Claim,
    Done,
    Draw,
    Finding,
    Frozen,
    Grant,
    Mechanic,
    Refused,
    Revoke,
    Supply,
    pool,
)
from qunluo.campaigns.mechanics.parameters import error, findings, parameter, warning
from qunluo.campaigns.mechanics.steps import BEGUN, NOBODY, NOT_BEGUN, UNKNOWN, no
from qunluo.kit.text import Text

FREE = "free"  # the pool of free pieces


class Tier(Frozen):
    """One step of the ladder: `quantity` of `gift` from `threshold_minor` on."""

    threshold_minor: int = parameter(
        Text("From", "满"), Text("What the articles must come to.", "适用商品需满多少金额。"),
        "cent", ge=1, le=10**9,
    )  # fmt: skip
    gift: str = parameter(
        Text("Gift", "赠品"), Text("What comes with it.", "赠送的商品规格。"), "sku",
        min_length=1, max_length=50, pattern=r"^[^:|@]+$",
    )  # fmt: skip
    quantity: int = parameter(
        Text("Pieces", "件数"), Text("How many of it.", "赠送几件。"), "piece",
        default=1, ge=1, le=100,
    )  # fmt: skip
    worth_minor: int = parameter(
        Text("Worth", "赠品价值"),
        Text("What is charged for all of it, if it is kept when the order goes back.",
             "退货但保留赠品时，从退款中扣除的总金额。"), "cent", ge=0, le=10**9,
    )  # fmt: skip
    stock: int = parameter(
        Text("Stock", "赠品库存"), Text("How many pieces are set aside.", "为活动预留的赠品件数。"),
        "piece", ge=1, le=10**7,
    )  # fmt: skip


class Rules(Frozen):
    tiers: tuple[Tier, ...] = parameter(
        Text("Ladder", "赠品阶梯"),
        Text("The best step reached counts; none: buy N get M.", "只取达到的最高一档；不填则为买 N 送 M。"),
        default=(), max_length=10,
    )  # fmt: skip
    buy: int = parameter(
        Text("Buy", "买 N 件"), Text("So many pieces are paid …", "每付款 N 件……"), "piece",
        default=0, ge=0, le=100,
    )  # fmt: skip
    free: int = parameter(
        Text("Free", "送 M 件"),
        Text("… and so many more, the cheapest, are free.", "……其中最便宜的 M 件免费。"),
        "piece", default=0, ge=0, le=100,
    )  # fmt: skip
    times: int = parameter(
        Text("Times", "每单次数"), Text("How often in one order.", "每笔订单最多享受几次。"), "",
        default=1, ge=1, le=100,
    )  # fmt: skip
    free_stock: int = parameter(
        Text("Free pieces", "免费件总量"), Text("In all orders together.", "所有订单合计送出的件数上限。"),
        "piece", default=0, ge=0, le=10**7,
    )  # fmt: skip
    scope: tuple[str, ...] = parameter(
        Text("Articles", "适用商品"), Text("Which count; none: all.", "哪些商品计入；不填为全场。"),
        "sku", default=(),
    )  # fmt: skip
    per_member: int = parameter(
        Text("Orders per member", "每人次数"),
        Text("How many orders of a member come with a gift.", "每位会员最多几笔订单可得赠品。"), "",
        default=1, ge=1, le=1000,
    )  # fmt: skip


class Line(Frozen):
    """Pieces of an order, with what they come to before this gift."""

    sku: str
    quantity: int
    amount_minor: int
    gift: bool = False


Lines = tuple[Line, ...]


class State(Frozen):
    """What came with an order; `lines` is what is left of it."""

    member: int
    ref: str
    lines: Lines
    paid_minor: int
    gift: str
    quantity: int
    worth_minor: int
    stage: Literal["reserved", "cancelled", "given", "returned", "charged"] = "reserved"
    charged_minor: int = 0
    refunded_minor: int = 0


class Deserved(Frozen):
    """What some lines come with: a gift worth something, or pieces that cost so much less."""

    gift: str = ""
    quantity: int = 0
    worth_minor: int = 0
    free: tuple[str, ...] = ()  # the pieces that cost nothing


NOTHING = Deserved()
BELOW = no("below", "Add a little more, and a gift comes with it.", "再凑一点就能获得赠品。")
GIFTS_GONE = no("sold_out", "All gifts are given away.", "赠品已经送完了。")
LIMIT = no("limit", "You have had your gifts of this campaign.", "你已享受过本次活动的赠品。")
CLOSED = no("closed", "This order is closed: its gift is settled.", "该订单的赠品已结清。")
WHY_CANCELLED = Text("The order was called off.", "订单已取消。")
WHY_REFUNDED = Text("The order went back.", "订单已退款。")


def decide(state: State | None, act: Act, rules: Rules, draw: Draw) -> Done[State] | Refused:
    if act.kind == OPEN:
        return _ordered(act, rules) if state is None else BEGUN
    if state is None:
        return NOT_BEGUN
    steps = {PAID: _paid, CANCELLED: _cancelled, REFUNDED: _refunded}
    return steps[act.kind](state, act, rules) if act.kind in steps else UNKNOWN


def _ordered(act: Act, rules: Rules) -> Done[State] | Refused:
    if act.member is None:
        return NOBODY
    lines = read_lines(act)
    won = best(lines, rules, act.pools)
    if won is NOTHING:
        return GIFTS_GONE if best(lines, rules, None) is not NOTHING else BELOW
    paid = total(lines) - (won.worth_minor if won.free else 0)
    state = State(member=act.member, ref=str(act.data["ref"]), lines=lines, paid_minor=paid,
                  gift=won.gift, quantity=won.quantity, worth_minor=won.worth_minor)  # fmt: skip
    return Done(
        state,
        claims=(Claim(f"member:{act.member}", rules.per_member, LIMIT),),
        grants=(_grant(state),),
        answer={"gift": won.gift, "quantity": won.quantity, "free": list(won.free),
                "off_minor": won.worth_minor if won.free else 0, "price_minor": 0,
                "voucher": False},
    )  # fmt: skip


def _paid(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    if state.stage != "reserved":
        return CLOSED
    return Done(_with(state, stage="given"), vests=(_grant(state).id,))


def _cancelled(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    if state.stage != "reserved":
        return CLOSED
    return Done(
        _with(state, stage="cancelled"),
        frees=(f"member:{state.member}",),
        revokes=(Revoke(_grant(state).id, WHY_CANCELLED),),
    )


def _refunded(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    if state.stage in ("reserved", "cancelled"):
        return CLOSED
    left, back = read_lines(act), bool(act.data.get("gift_back"))
    if not _is_part(left, state.lines):
        return UNKNOWN
    still = _worth(state, left, rules) >= state.worth_minor
    returned = back and _may_return(state) and not still
    charge, refund = settle(state, left, gift_back=back, rules=rules)
    stage = "returned" if returned else "charged" if charge else state.stage
    after = _with(state, lines=left, stage=stage, charged_minor=state.charged_minor + charge,
                  refunded_minor=state.refunded_minor + refund)  # fmt: skip
    return Done(
        after,
        frees=(f"member:{state.member}",) if returned else (),
        revokes=(Revoke(_grant(state).id, WHY_REFUNDED),) if returned else (),
        answer={"charge_minor": charge, "refund_minor": refund},
    )


def settle(state: State, left: Lines, *, gift_back: bool, rules: Rules) -> tuple[int, int]:
    """What is charged for a gift that is kept, and what goes back, when only `left` stays of an
    order; asked before a refund as well, since the page says it first. Minor units."""
    gross = total(state.lines) - total(left)
    if state.stage == "returned" or (gift_back and _may_return(state)):
        return 0, gross
    due = max(0, state.worth_minor - _worth(state, left, rules) - state.charged_minor)
    room = state.paid_minor - state.refunded_minor
    charge = min(due, gross)
    return charge, min(gross - charge, room)


def _may_return(state: State) -> bool:
    """A free piece is one of the order's own and comes back with its line."""
    return state.gift != FREE and state.stage == "given"


def _worth(state: State, left: Lines, rules: Rules) -> int:
    """What the rest of an order deserves of what came with it."""
    deserved = best(left, rules, None)
    if state.gift == FREE:
        return min(deserved.worth_minor, state.worth_minor)
    kept = deserved.gift == state.gift and deserved.quantity >= state.quantity
    return state.worth_minor if kept else min(deserved.worth_minor, state.worth_minor)


def best(lines: Lines, rules: Rules, pools: Mapping[str, int] | None) -> Deserved:
    """The best that lines come with, of what `pools` still have (None: of everything)."""
    mine = tuple(x for x in lines if not x.gift and (not rules.scope or x.sku in rules.scope))
    if not rules.tiers:
        return _cheapest(mine, rules, pools)
    reached = [
        tier for tier in rules.tiers
        if tier.threshold_minor <= total(mine) and _there(tier.gift, tier.quantity, pools)
    ]  # fmt: skip
    if not reached:
        return NOTHING
    top = max(reached, key=lambda tier: tier.threshold_minor)
    return Deserved(gift=top.gift, quantity=top.quantity, worth_minor=top.worth_minor)


def _cheapest(lines: Lines, rules: Rules, pools: Mapping[str, int] | None) -> Deserved:
    pieces = sorted(
        (x.amount_minor // x.quantity, x.sku) for x in lines for _ in range(x.quantity)
    )
    sets = len(pieces) // (rules.buy + rules.free) if rules.buy and rules.free else 0
    count = min(sets, rules.times) * rules.free
    if not count or not _there(FREE, count, pools):
        return NOTHING
    free = pieces[:count]
    return Deserved(gift=FREE, quantity=count, worth_minor=sum(minor for minor, _ in free),
                    free=tuple(sku for _, sku in free))  # fmt: skip


def _there(gift: str, quantity: int, pools: Mapping[str, int] | None) -> bool:
    return pools is None or pools.get(pool(gift), 0) >= quantity


def missing_minor(lines: Lines, rules: Rules) -> int | None:
    """How much more reaches the next step; None: there is none."""
    have = total(x for x in lines if not x.gift and (not rules.scope or x.sku in rules.scope))
    above = [t.threshold_minor - have for t in rules.tiers if t.threshold_minor > have]
    return min(above, default=None)


def read_lines(act: Act) -> Lines:
    return tuple(Line.model_validate(line) for line in act.data.get("lines", ()))


def total(lines: Any) -> int:
    return sum(line.amount_minor for line in lines if not line.gift)


def _is_part(left: Lines, whole: Lines) -> bool:
    """What is left can't be more than what there was, of any article."""
    have: Counter[str] = Counter()
    for sign, lines in ((1, whole), (-1, left)):
        for line in lines:
            have[f"{line.sku} pieces"] += sign * line.quantity
            have[f"{line.sku} minor"] += sign * line.amount_minor
    return all(rest >= 0 for rest in have.values())


def _grant(state: State) -> Grant:
    return Grant("gift", state.member, state.ref, f"gift:{state.gift}", state.quantity,
                 source=pool(state.gift), vests="later")  # fmt: skip


def _with(state: State, **changes: Any) -> State:
    return state.model_copy(update=changes)


def broken(state: State, rules: Rules) -> list[str]:
    charged = state.charged_minor > 0
    faults = {
        "charged more than the gift is worth": state.charged_minor > state.worth_minor,
        "refunded more than was paid": not 0 <= state.refunded_minor <= state.paid_minor,
        "a charge without a kept gift": charged != (state.stage == "charged"),
    }
    return [said for said, found in faults.items() if found]


def lint(rules: Rules) -> list[Finding]:
    ladder = sorted(rules.tiers, key=lambda t: t.threshold_minor)
    worths = [tier.worth_minor for tier in ladder]
    # fmt: off
    return findings(
        (bool(rules.tiers) == bool(rules.buy and rules.free),
         error("tiers", "ladder_or_pieces",
               "Set a ladder, or buy N get M, one of them.",
               "赠品阶梯与买 N 送 M 必须且只能设一种。")),
        (rules.tiers and len({t.threshold_minor for t in rules.tiers}) < len(rules.tiers),
         error("tiers", "same_threshold",
               "Two steps begin at the same amount.",
               "有两档门槛相同。")),
        (worths != sorted(worths),
         error("tiers", "unreachable_better",
               "A higher step gives less than a lower one.",
               "高门槛的赠品价值反而更低。")),
        (any(tier.worth_minor >= tier.threshold_minor for tier in rules.tiers),
         warning("tiers", "dear_gift",
               "A gift is worth more than the order it comes with.",
               "赠品价值高于订单门槛。")),
        (not rules.tiers and rules.free > rules.buy,
         warning("free", "more_free_than_paid",
               "More pieces are free than paid.",
               "免费件数多于付款件数。")),
        (not rules.tiers and rules.free_stock < rules.free,
         error("free_stock", "no_free_stock",
               "Not one order's free pieces are set aside.",
               "免费件总量不足一单所需。")),
    )
    # fmt: on


def stocks(rules: Rules) -> dict[str, int]:
    """How many of each gift are set aside."""
    result: Counter[str] = Counter({} if rules.tiers else {FREE: rules.free_stock})
    for tier in rules.tiers:
        result[tier.gift] += tier.stock
    return dict(result)


def supplies(rules: Rules) -> Sequence[Supply]:
    return tuple(Supply(pool(gift), f"gift:{gift}", n) for gift, n in stocks(rules).items())


def reads(rules: Rules) -> Sequence[str]:
    return tuple(f"gift:{gift}@{pool(gift)}" for gift in stocks(rules))


def shown(state: State | None, rules: Rules, member: int | None) -> Mapping[str, Any]:
    result: dict[str, Any] = {
        "tiers": [t.model_dump(exclude={"stock"}) for t in rules.tiers],
        "buy": rules.buy, "free": rules.free, "times": rules.times,
    }  # fmt: skip
    if state is not None and state.member == member:
        result |= {"gift": state.gift, "quantity": state.quantity, "stage": state.stage,
                   "charged_minor": state.charged_minor}  # fmt: skip
    return result


MECHANIC = Mechanic(
    name="gift",
    label=Text("Gift with an order", "满赠 / 买赠"),
    gist=Text(
        "An order of enough comes with a gift, or its cheapest piece is free.",
        "满额送赠品，或买 N 送 M（最便宜的免费）。",
    ),
    use=Text(
        "To lift the size of orders, or to let members try something new.",
        "适合提升客单价，或让会员试用新品。",
    ),
    avoid=Text(
        "When gifts are few and the promise is loud: orders without one disappoint.",
        "赠品不足而宣传很响时不宜使用，送不到会伤害信任。",
    ),
    rules=Rules,
    state=State,
    decide=decide,
    play_of=lambda act, rules: f"o{act.data.get('ref', '')}",
    supplies=supplies,
    broken=broken,
    lint=lint,
    shown=shown,
    reads=reads,
    follows=frozenset({OPEN, PAID, CANCELLED, REFUNDED}),
    facts=frozenset({"ref", "lines", "gift_back"}),
)
