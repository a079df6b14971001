"""砍 bargain: friends cut a price down to its floor, each by a surprise.

    (none) ──open──▶ cutting ──help × N──▶ won ◀─cancelled─┐
                      │  │ ▲                │              │
                      │  │ └─cancelled──┐  buy             │
                      │  └─buy (early)──┴▶ ordered ◀───────┘
                      │                      │ paid
                   its time                bought ──refunded──▶ returned
                      ▼
                     over  ◀── pay-by passes on `won` and `ordered`

What must hold: the cuts add up to start − price; each lies in [cut_min, cut_max]; cut N, and no
other, reaches the floor exactly; one cut per helper and none by the owner; nothing is cut after
the end. A price that is won stays so until pay-by, whatever becomes of an order: a cancelled one
costs nothing. While a play runs, start − floor is set aside for it; what was not cut goes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from qunluo.campaigns.mechanics.kernel import (
    BUDGET,
    CANCELLED,
    CENT,
    EXPIRE,
    PAID,
    REFUNDED,
    RESERVED,
    SPENT,
    Act,
    Buy,
    Cancel,
    Claim,
    Done,
    Draw,
    Finding,
    Frozen,
    Mechanic,
    Move,
    Notice,
    Refused,
)
from qunluo.campaigns.mechanics.parameters import error, findings, parameter, warning
from qunluo.campaigns.mechanics.steps import (
    CLOSE,
    HEARD,
    NOT_YOURS,
    OVER,
    STALE,
    budget,
    decide_by,
    no,
    ref_of,
    set_aside,
    who,
)
from qunluo.kit.text import Text

HELP, BUY = "help", "buy"
LONG = 60 * 24 * 60  # minutes: the longest a price is bargained about

# fmt: off
OWN = no("own", "You can't cut your own price: ask friends to.", "不能给自己砍价，快请好友帮忙。")
HELPED = no("helped", "You have cut this price already. Begin a bargain of your own.",
            "你已经帮忙砍过了，可以自己发起一个。")
HELPED_ENOUGH = no("helped_enough", "You have helped as often as this campaign allows.",
                   "你在本次活动的帮砍次数已用完。")
AT_FLOOR = no("at_floor", "The lowest price is reached already: nothing is left to cut.",
              "已经砍到底价了。")
BUYING = no("buying", "It is being bought at this price: pay the order, or cancel it first.",
            "正在按当前价格下单，请先付款或取消订单。")
NOT_YET = no("not_yet", "You can buy when the lowest price is reached: ask more friends.",
             "砍到底价后才能购买，快邀请更多好友。")
ENOUGH = no("enough", "You have begun as many bargains as you may.", "你的发起次数已用完。")
WON = Text("Your price is down to the lowest. Buy before the time is over.",
           "恭喜，已砍到底价！请在有效期内下单。")
MISSED = Text("The time of your bargain is over. You can begin another one.",
              "你的砍价已结束，可以再发起一个。")
# fmt: on


class Rules(Frozen):
    """What the operator sets."""

    # fmt: off
    sku: str = parameter(
        Text("Product", "商品"), Text("What is bargained about.", "参加砍价的商品规格。"), "sku",
        min_length=1, max_length=60)
    start_minor: int = parameter(
        Text("Start price", "起始价"), Text("The price before the first cut.", "砍价前的价格。"), "cent",
        ge=2, le=10**9)
    floor_minor: int = parameter(
        Text("Lowest price", "底价"), Text("The price after the last cut.", "全部砍完后的价格。"), "cent",
        ge=1, le=10**9)
    helpers: int = parameter(
        Text("Helpers", "帮砍人数"),
        Text("How many cuts reach the lowest price, exactly.", "恰好多少人砍完到底价。"), "member", ge=1,
        le=200)
    cut_min_minor: int = parameter(
        Text("Smallest cut", "最小砍价"), Text("No cut is smaller.", "每次至少砍这么多。"), "cent", ge=1,
        le=10**9)
    cut_max_minor: int = parameter(
        Text("Largest cut", "最大砍价"), Text("No cut is larger.", "每次最多砍这么多。"), "cent", ge=1,
        le=10**9)
    newcomer_bonus_minor: int = parameter(
        Text("New helper's bonus", "新人加砍"),
        Text("How much deeper the cut of a new member is, up to the largest cut.",
             "新成员帮砍时多砍的金额，不超过最大砍价。"),
        "cent", default=0, ge=0, le=10**9)
    minutes: int = parameter(
        Text("Time to cut", "砍价时长"), Text("How long friends can help.", "好友可以帮砍的时间。"),
        "minute", default=24 * 60, ge=1, le=LONG)
    pay_minutes: int = parameter(
        Text("Time to pay", "付款时限"), Text("How long a won price is kept.", "砍成的价格保留多久。"),
        "minute", default=120, ge=5, le=LONG)
    buy_early: bool = parameter(
        Text("Buy early", "允许提前购买"),
        Text("Whether the owner may buy before the lowest price is reached.",
             "未砍到底价时能否按当前价购买。"),
        default=True)
    plays_each: int = parameter(
        Text("Bargains per member", "每人发起次数"),
        Text("How many bargains one member may begin.", "每位成员可发起几次。"), default=1, ge=1, le=100)
    helps_each: int = parameter(
        Text("Helps per member", "每人帮砍次数"),
        Text("In how many bargains one member may help.", "每位成员可帮几个砍价。"), default=3, ge=1,
        le=1000)
    winners: int = parameter(
        Text("Bargains at once", "同时进行数"),
        Text("For how many bargains the discount is set aside.", "为多少个砍价预留优惠预算。"), ge=1,
        le=10**6)
    # fmt: on

    @property
    def discount(self) -> int:
        return self.start_minor - self.floor_minor


class Cut(Frozen):
    member: int
    minor: int


class Bargain(Frozen):
    """One member's bargain."""

    owner: int
    ends_at: datetime
    stage: Literal["cutting", "won", "ordered", "bought", "returned", "over"] = "cutting"
    cuts: tuple[Cut, ...] = ()
    pay_by: datetime | None = None
    order: str = ""  # the last one
    orders: int = 0


def draw_cut(left: int, cuts_left: int, bounds: tuple[int, int], draw: Draw,
             *, bonus: int = 0) -> int:  # fmt: skip
    """One cut, of what is `left` with so many to come: uniform among those that leave to each
    later cut a value within the bounds; the last is all that is left."""
    if cuts_left == 1:
        return left
    low, high = bounds
    least = max(low, left - high * (cuts_left - 1))
    most = min(high, left - low * (cuts_left - 1))
    return min(most, draw.between(least, most) + bonus)


def price(state: Bargain, rules: Rules) -> int:
    """What it costs now, in minor units."""
    return rules.start_minor - sum(cut.minor for cut in state.cuts)


def _begin(act: Act, rules: Rules) -> Done[Bargain]:
    state = Bargain(owner=who(act), ends_at=act.at + timedelta(minutes=rules.minutes))
    return Done(
        state,
        claims=(Claim(f"own:{state.owner}", rules.plays_each, ENOUGH),),
        moves=set_aside({}, _reserved(state, rules)),
        deadline=state.ends_at,
        answer={"price_minor": rules.start_minor},
    )


def _reserved(state: Bargain, rules: Rules) -> Counter[str]:
    runs = state.stage in ("cutting", "won", "ordered")
    return Counter({CENT: rules.discount} if runs else {})


def _done(before: Bargain, after: Bargain, rules: Rules, **more: Any) -> Done[Bargain]:
    """What was set aside for a bargain goes back to the budget when it is over."""
    spent = more.pop("spent", 0)
    back = set_aside(_reserved(before, rules), _reserved(after, rules), {CENT: spent})
    moves = (*back, *more.pop("moves", ()))
    return Done(after, moves=moves, deadline=_deadline(after), **more)


def _deadline(state: Bargain) -> datetime | None:
    """The end of its stage; an order is waited for until we must have heard that it was paid."""
    heard = state.pay_by + HEARD if state.pay_by else None
    return {"cutting": state.ends_at, "won": state.pay_by, "ordered": heard}.get(state.stage)


# cutting


def _help(state: Bargain, act: Act, rules: Rules, draw: Draw) -> Done[Bargain] | Refused:
    if (why := _no_help(state, act)) is not None:
        return why
    left = price(state, rules) - rules.floor_minor
    bonus = rules.newcomer_bonus_minor if act.data.get("newcomer") is True else 0
    bounds = rules.cut_min_minor, rules.cut_max_minor
    minor = draw_cut(left, rules.helpers - len(state.cuts), bounds, draw, bonus=bonus)
    cuts = (*state.cuts, Cut(member=who(act), minor=minor))
    after = state.model_copy(update={"cuts": cuts})
    won = len(cuts) == rules.helpers
    if won:
        pay_by = act.at + timedelta(minutes=rules.pay_minutes)
        after = after.model_copy(update={"stage": "won", "pay_by": pay_by})
    return _done(
        state, after, rules,
        claims=(Claim(f"help:{act.member}", rules.helps_each, HELPED_ENOUGH),),
        notices=(Notice(state.owner, WON),) if won else (),
        answer={"cut_minor": minor, "price_minor": price(after, rules)},
    )  # fmt: skip


def _no_help(state: Bargain, act: Act) -> Refused | None:
    if state.stage == "won":
        return AT_FLOOR
    if state.stage == "ordered":
        return BUYING
    if state.stage != "cutting" or act.at >= state.ends_at:
        return OVER
    if act.member == state.owner:
        return OWN
    return HELPED if any(cut.member == act.member for cut in state.cuts) else None


# buying


def _buy(state: Bargain, act: Act, rules: Rules, draw: Draw) -> Done[Bargain] | Refused:
    if act.member != state.owner:
        return NOT_YOURS
    if (why := _no_buy(state, act, rules)) is not None:
        return why
    pay_by = state.pay_by or act.at + timedelta(minutes=rules.pay_minutes)
    number = state.orders + 1
    ref = f"{act.play}:{number}"
    change = {"stage": "ordered", "pay_by": pay_by, "order": ref, "orders": number}
    order = Buy(ref, state.owner, rules.sku, 1, price(state, rules), pay_by)
    return _done(state, state.model_copy(update=change), rules, orders=(order,),
                 answer={"ref": ref, "price_minor": order.amount_minor})  # fmt: skip


def _no_buy(state: Bargain, act: Act, rules: Rules) -> Refused | None:
    if state.stage == "cutting" and act.at < state.ends_at:
        return None if rules.buy_early else NOT_YET
    if state.stage == "won" and state.pay_by and act.at < state.pay_by:
        return None
    return BUYING if state.stage == "ordered" else OVER


def _paid(state: Bargain, act: Act, rules: Rules, draw: Draw) -> Done[Bargain] | Refused:
    in_time = state.pay_by is not None and act.at < state.pay_by
    if state.stage != "ordered" or ref_of(act) != state.order or not in_time:
        return STALE
    cut = rules.start_minor - price(state, rules)
    after = state.model_copy(update={"stage": "bought"})
    return _done(state, after, rules, spent=cut, moves=(Move(CENT, RESERVED, SPENT, cut),))


def _cancelled(state: Bargain, act: Act, rules: Rules, draw: Draw) -> Done[Bargain] | Refused:
    if state.stage != "ordered" or ref_of(act) != state.order:
        return STALE
    return _done(state, _without_order(state, act.at, rules), rules)


def _without_order(state: Bargain, at: datetime, rules: Rules) -> Bargain:
    """A price that is won stays so until pay-by; one that isn't can be cut further."""
    if len(state.cuts) < rules.helpers and at < state.ends_at:
        return state.model_copy(update={"stage": "cutting", "pay_by": None})
    kept = state.pay_by is not None and at < state.pay_by
    return state.model_copy(update={"stage": "won" if kept else "over"})


def _refunded(state: Bargain, act: Act, rules: Rules, draw: Draw) -> Done[Bargain] | Refused:
    if state.stage != "bought" or ref_of(act) != state.order:
        return STALE
    cut = rules.start_minor - price(state, rules)
    after = state.model_copy(update={"stage": "returned"})
    return _done(state, after, rules, moves=(Move(CENT, SPENT, BUDGET, cut),))


# ending


def _expire(state: Bargain, act: Act, rules: Rules, draw: Draw) -> Done[Bargain] | Refused:
    due = _deadline(state)
    if due is None or act.at < due:
        return STALE
    if state.stage != "ordered":
        return _end(state, rules)
    call_off = Cancel(state.order, MISSED)
    return _done(state, _without_order(state, act.at, rules), rules, orders=(call_off,))


def _close(state: Bargain, act: Act, rules: Rules, draw: Draw) -> Done[Bargain] | Refused:
    """No more is cut; who has won or ordered keeps the price until pay-by."""
    return _end(state, rules) if state.stage == "cutting" else OVER


def _end(state: Bargain, rules: Rules) -> Done[Bargain]:
    after = state.model_copy(update={"stage": "over"})
    return _done(state, after, rules, notices=(Notice(state.owner, MISSED),))


# telling


def _broken(state: Bargain, rules: Rules) -> list[str]:
    at_floor = price(state, rules) == rules.floor_minor
    helpers = [cut.member for cut in state.cuts]
    cuts = [cut.minor for cut in state.cuts]
    wrong = {
        "below the floor": price(state, rules) < rules.floor_minor,
        "the floor is reached by the last cut only": at_floor != (len(cuts) == rules.helpers),
        "a cut out of bounds": any(
            not rules.cut_min_minor <= cut <= rules.cut_max_minor for cut in cuts
        ),
        "one helper cut twice": len(set(helpers)) < len(helpers),
        "the owner helped": state.owner in helpers,
        "a price without its time": state.stage in ("won", "ordered") and not state.pay_by,
    }
    return [name for name, is_so in wrong.items() if is_so]


def _lint(rules: Rules) -> list[Finding]:
    low, high = rules.helpers * rules.cut_min_minor, rules.helpers * rules.cut_max_minor
    # fmt: off
    return findings(
        (not low <= rules.discount <= high,
         error("helpers", "unreachable_floor",
               "So many helpers can't reach the lowest price exactly: helpers × smallest cut ≤ "
               "start − lowest price ≤ helpers × largest cut.",
               "无法恰好砍到底价：须满足 人数×最小砍价 ≤ 起始价−底价 ≤ 人数×最大砍价。")),
        (rules.helpers > 50,
         warning("helpers", "too_many_helpers",
                 "Few members find more than 50 helpers: most bargains will be lost.",
                 "很少有人能邀到 50 位以上好友，大多数砍价会失败。")),
        (rules.newcomer_bonus_minor > rules.cut_max_minor - rules.cut_min_minor,
         warning("newcomer_bonus_minor", "bonus_cut_short",
                 "The new helper's bonus is larger than cuts can differ: it is cut short.",
                 "新人加砍超过了单次砍价的浮动范围，会被截断。")),
    )
    # fmt: on


def _shown(state: Bargain, rules: Rules, member: int | None) -> Mapping[str, Any]:
    mine = next((cut.minor for cut in state.cuts if cut.member == member), None)
    return {
        "stage": state.stage, "owner": state.owner, "mine": member == state.owner,
        "price_minor": price(state, rules), "start_minor": rules.start_minor,
        "floor_minor": rules.floor_minor, "helpers": len(state.cuts), "needed": rules.helpers,
        "my_cut_minor": mine, "ends_at": state.ends_at.isoformat(),
        "pay_by": state.pay_by.isoformat() if state.pay_by else None,
        "ref": state.order if state.stage == "ordered" else "",
        "may_help": state.stage == "cutting" and member != state.owner and mine is None,
        "may_buy": member == state.owner and (
            state.stage == "won" or (state.stage == "cutting" and rules.buy_early)),
    }  # fmt: skip


# fmt: off
MECHANIC = Mechanic(
    name="bargain",
    label=Text("Bargain", "砍价"),
    gist=Text("Friends cut a price down, each by a surprise.", "邀请好友一起把价格砍下来。"),
    use=Text("A product many want, whose margin bears the lowest price; to be talked about.",
             "人人想要、底价也有利润的商品；想让大家主动转发时。"),
    avoid=Text("Small groups, where the helpers run out, and goods with little margin.",
               "人数少、帮手不够的群，以及利润很薄的商品。"),
    rules=Rules, state=Bargain,
    decide=decide_by(
        _begin, members={HELP: _help, BUY: _buy},
        others={PAID: _paid, CANCELLED: _cancelled, REFUNDED: _refunded, EXPIRE: _expire,
                CLOSE: _close}),
    play_of=lambda act, rules: "",
    supplies=lambda rules: budget({CENT: rules.discount}, rules.winners),
    broken=_broken, lint=_lint, shown=_shown,
    staff=frozenset({CLOSE}),
    facts=frozenset({"newcomer"}),
)
