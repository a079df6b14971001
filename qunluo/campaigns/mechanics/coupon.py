"""Coupons 优惠券: so many to be had, so many a member, and one for the inviter of who buys.

A play is one member's part (or one batch that the operator hands out):

    claim ──► has coupons ──paid (an order with one)──► bought ──return window over──► done
                 │  ▲                                     │
                 │  └──────────────refunded───────────────┘
                 └─time to buy is over──► done
    the inviter's coupon:  set aside at the claim ──► given after the window, or back in the pool
                           (void on review, restored after an appeal)

What a coupon itself goes through is in `coupon_life`.

What must hold: no more are issued than there are, nor a member gets more than the limit; the
inviter's side is paid once for a friend, and only for an order that was paid and can't be
refunded any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from qunluo.campaigns.mechanics.kernel import (
    EXPIRE,
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
    Notice,
    Refused,
    Revoke,
    Supply,
    Then,
    pool,
)
from qunluo.campaigns.mechanics.parameters import error, findings, parameter, warning
from qunluo.campaigns.mechanics.steps import CLOSE
from qunluo.kit.text import Text

CLAIM, ISSUE, BROUGHT = "claim", "issue", "brought"
VOID, RESTORE = "void", "restore"
COUPONS = pool("coupons")
GRACE = timedelta(days=1)  # an order of the last minute may be paid for so long
BATCH = 500  # members at once
HIGH = 50  # percent off, above which somebody should think twice


class Rules(Frozen):
    name: str = parameter(
        Text("Coupon", "券名"),
        Text("What it is called on pages and in the books.", "显示在页面和账目中的名称。"),
        min_length=1, max_length=40, pattern=r"^[^:|@]+$",
    )  # fmt: skip
    total: int = parameter(
        Text("How many", "发行总量"),
        Text("No more are ever issued, inviters' ones included.", "发放上限，含邀请人奖励券。"),
        "piece", ge=1, le=10_000_000,
    )  # fmt: skip
    per_member: int = parameter(
        Text("Per member", "每人限领"),
        Text("How many a member may take.", "每位会员最多可领几张。"),
        "piece", default=1, ge=1, le=100,
    )  # fmt: skip
    off_minor: int = parameter(
        Text("Amount off", "减免金额"),
        Text("What it takes off; 0 for a percentage.", "直接减免的金额；按比例优惠时填 0。"),
        "cent", default=0, ge=0, le=10**9,
    )  # fmt: skip
    percent: int = parameter(
        Text("Percent off", "减免比例"),
        Text("20 is 20 % off; 0 for an amount.", "20 表示减 20%（八折）；按金额优惠时填 0。"),
        "percent", default=0, ge=0, le=100,
    )  # fmt: skip
    cap_minor: int = parameter(
        Text("At most off", "最高减免"),
        Text("Of a percentage; 0: no limit.", "按比例优惠的封顶金额；0 表示不封顶。"),
        "cent", default=0, ge=0, le=10**9,
    )  # fmt: skip
    threshold_minor: int = parameter(
        Text("From", "使用门槛"),
        Text("What the articles must come to.", "适用商品需满多少金额。"),
        "cent", default=0, ge=0, le=10**9,
    )  # fmt: skip
    scope: tuple[str, ...] = parameter(
        Text("Articles", "适用商品"),
        Text("For which articles; none: all.", "适用的商品规格；不填为全场通用。"),
        "sku", default=(),
    )  # fmt: skip
    valid_days: int = parameter(
        Text("Valid for", "有效期"),
        Text("From the day it is taken.", "自领取之日起计算。"),
        "day", default=7, ge=1, le=366,
    )  # fmt: skip
    group: str = parameter(
        Text("Coupons that don't add up", "不可叠加的券"),
        Text("Coupons that have the same name here are not added up: the best one counts.",
             "此处名称相同的券不叠加，一笔订单只用最优惠的一张。"),
        default="coupon", min_length=1, max_length=40,
    )  # fmt: skip
    inviter_most: int = parameter(
        Text("Coupons for inviting", "邀请奖励上限"),
        Text(
            "An inviter gets one for each new friend who bought, so many at most; 0: none.",
            "每位新朋友完成购买后邀请人得一张券，最多几张；0 表示无邀请奖励。",
        ),
        "piece", default=0, ge=0, le=1000,
    )  # fmt: skip
    return_days: int = parameter(
        Text("Return window", "退货期"),
        Text(
            "The inviter's coupon is given so long after the friend paid.",
            "好友付款后经过多少天（不可再退款）才发放邀请人的券。",
        ),
        "day", default=7, ge=0, le=90,
    )  # fmt: skip


class Paid(Frozen):
    ref: str
    at: datetime


class State(Frozen):
    """A member's part; `member` None: a batch of the operator's."""

    member: int | None = None
    claimed: int = 0
    inviter: int | None = None
    tie: Literal["none", "waiting", "given", "lost", "void"] = "none"
    was: Literal["", "waiting", "given"] = ""  # the tie, before it was void
    until: datetime | None = None  # time to buy for the inviter's sake
    paid: tuple[Paid, ...] = ()


LIMIT = Refused(
    "limit", Text("You have taken all you can: use them.", "你已领满上限，快去使用吧。")
)
INVITER_LIMIT = Refused(
    "inviter_limit",
    Text("The inviter has all there are to get for inviting.", "邀请人的奖励已达上限。"),
)
NOT_YOURS = Refused(
    "not_yours",
    Text("Only its owner can do this: take your own.", "只能本人操作，去领自己的券吧。"),
)
BAD_BATCH = Refused(
    "bad_batch",
    Text("Name up to 500 members, each once.", "请选择 1–500 位会员，每人仅一次。"),
)
UNKNOWN = Refused("unknown", Text("This can't be done here.", "这里不能这样操作。"))
NO_TIE = Refused("no_tie", Text("Nobody gains by this friend.", "没有人因这位好友获得奖励。"))
NOT_VALID = Text("The friend did not count on review.", "经核查，该好友不计入。")
NO_PURCHASE = Text("The friend has not bought in time.", "好友未在有效期内完成购买。")


def decide(state: State | None, act: Act, rules: Rules, draw: Draw) -> Done[State] | Refused:
    if act.kind == ISSUE:
        return _issue(act, rules) if state is None else UNKNOWN
    if state is None and act.member is not None and act.kind in (OPEN, CLAIM):
        state = State(member=act.member)
    steps = {OPEN: _open, CLAIM: _claim, BROUGHT: _brought, PAID: _paid,
             REFUNDED: _refunded, EXPIRE: _expire, VOID: _void, RESTORE: _restore, CLOSE: _close}  # fmt: skip
    step = steps.get(act.kind)
    return step(state, act, rules) if step and state else UNKNOWN


def _open(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    if act.member != state.member:
        return NOT_YOURS
    return Done(state, deadline=_deadline(state, rules))


def _claim(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    if act.member is None or act.member != state.member:
        return NOT_YOURS
    after = _with(state, claimed=state.claimed + 1)
    return Done(
        after,
        claims=(_of_member(act.member, rules),),
        grants=(_coupon(act.member, str(after.claimed), rules),),
        then=_ties(state, act, rules),
        deadline=_deadline(after, rules),
        answer={"coupon": rules.name, "until": ends_at(act.at, rules).isoformat()},
    )


def _ties(state: State, act: Act, rules: Rules) -> tuple[Then, ...]:
    """What the inviter gets is an act of its own: that there is none left for the inviter is
    no reason to refuse the friend."""
    inviter = act.data.get("inviter")
    if not rules.inviter_most or not inviter or inviter == state.member:
        return ()
    if state.claimed or not act.data.get("new"):
        return ()
    data = {"until": (ends_at(act.at, rules) + GRACE).isoformat()}
    return (Then(act.play, BROUGHT, f"brought:{state.member}", inviter, data),)


def _brought(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    if state.tie != "none" or act.member is None:
        return UNKNOWN
    until = datetime.fromisoformat(act.data["until"])
    after = _with(state, inviter=act.member, tie="waiting", until=until)
    return Done(
        after,
        claims=(Claim(f"inviter:{act.member}", rules.inviter_most, INVITER_LIMIT),),
        grants=(_reward(after, rules),),
        deadline=_deadline(after, rules),
    )


def _paid(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    ref = str(act.data["ref"])
    paid = state.paid
    if all(one.ref != ref for one in paid):
        paid = (*paid, Paid(ref=ref, at=act.at))
    after = _with(state, paid=paid)
    return Done(after, deadline=_deadline(after, rules))


def _refunded(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    """The friend may buy again as long as there is time."""
    left = tuple(one for one in state.paid if one.ref != act.data["ref"])
    after = _with(state, paid=left)
    if left or state.tie != "waiting" or state.until is None or act.at < state.until:
        return Done(after, deadline=_deadline(after, rules))
    return _lose(after, rules)


def _expire(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    due = _deadline(state, rules)
    if due is None or act.at < due:
        return Done(state, deadline=due)
    if not state.paid:
        return _lose(state, rules)
    said = Text("Your friend has bought: a coupon for you.", "好友已完成购买，奖励券已到账。")
    notices = (Notice(state.inviter, said),) if state.inviter else ()
    return Done(_with(state, tie="given"), vests=(_reward(state, rules).id,), notices=notices)


def _void(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    """On review the friend does not count for the inviter; their own coupons stay."""
    if state.tie not in ("waiting", "given"):
        return NO_TIE
    revoke = Revoke(_reward(state, rules).id, NOT_VALID)
    return Done(_with(state, tie="void", was=state.tie), revokes=(revoke,))


def _restore(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    """An appeal was right. Whoever carries this out gives the same coupon back."""
    if state.tie != "void":
        return NO_TIE
    after = _with(state, tie=state.was or "waiting", was="")
    return Done(after, deadline=_deadline(after, rules))


def _close(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    """Who has bought keeps the promise to the inviter; nobody else does any more."""
    if state.tie == "waiting" and not state.paid:
        return _lose(state, rules)
    return Done(state, deadline=_deadline(state, rules))


def _lose(state: State, rules: Rules) -> Done[State]:
    revoke = Revoke(_reward(state, rules).id, NO_PURCHASE)
    return Done(
        _with(state, tie="lost"), frees=(f"inviter:{state.inviter}",), revokes=(revoke,)
    )


def _deadline(state: State, rules: Rules) -> datetime | None:
    """When it is decided whether the inviter gets something."""
    if state.tie != "waiting":
        return None
    if state.paid:
        return min(one.at for one in state.paid) + timedelta(days=rules.return_days)
    return state.until


def _issue(act: Act, rules: Rules) -> Done[State] | Refused:
    """A batch is issued as a whole or not at all."""
    members = [int(member) for member in act.data.get("members", ())]
    if not 1 <= len(members) <= BATCH or len(set(members)) != len(members):
        return BAD_BATCH
    return Done(
        State(claimed=len(members)),
        claims=tuple(_of_member(member, rules) for member in members),
        grants=tuple(_coupon(member, f"batch:{act.play}", rules) for member in members),
        answer={"issued": len(members)},
    )


def _of_member(member: int, rules: Rules) -> Claim:
    return Claim(f"member:{member}", rules.per_member, LIMIT)


def _coupon(member: int, cause: str, rules: Rules) -> Grant:
    return Grant("coupon", member, cause, unit(rules), 1, source=COUPONS)


def _reward(state: State, rules: Rules) -> Grant:
    """What waits for the inviter of this member."""
    cause = f"friend:{state.member}"
    inviter = state.inviter or 0  # only asked where there is one
    return Grant("inviter", inviter, cause, unit(rules), 1, source=COUPONS, vests="later")


def _with(state: State, **changes: Any) -> State:
    return state.model_copy(update=changes)


def unit(rules: Rules) -> str:
    return f"coupon:{rules.name}"


def ends_at(issued_at: datetime, rules: Rules) -> datetime:
    return issued_at + timedelta(days=rules.valid_days)


def broken(state: State, rules: Rules) -> list[str]:
    result = []
    if state.member is not None and state.claimed > rules.per_member:
        result.append("more coupons than a member may take")
    if (state.tie == "none") != (state.inviter is None):
        result.append("a reward for no inviter")
    if state.inviter is not None and state.inviter == state.member:
        result.append("a reward for inviting oneself")
    if len({one.ref for one in state.paid}) != len(state.paid):
        result.append("an order that counts twice")
    return result


def lint(rules: Rules) -> list[Finding]:
    # fmt: off
    return findings(
        (bool(rules.off_minor) == bool(rules.percent),
         error("off_minor", "amount_or_percent",
               "Set an amount or a percentage, one of them.",
               "减免金额与比例必须且只能填一项。")),
        (rules.off_minor and rules.threshold_minor < rules.off_minor,
         error("threshold_minor", "free_goods",
               "With no higher threshold, articles can be had for nothing.",
               "门槛低于减免金额，会出现零元购。")),
        (rules.percent > HIGH and not rules.cap_minor,
         error("cap_minor", "no_cap",
               "More than half off needs a limit.",
               "减免超过 50% 时必须设置封顶金额。")),
        (rules.inviter_most and not rules.return_days,
         warning("return_days", "paid_at_once",
               "Inviters are paid for orders that may still come back.",
               "未设退货期，订单退款前邀请奖励就已发放。")),
    )
    # fmt: on


def shown(state: State | None, rules: Rules, member: int | None) -> Mapping[str, Any]:
    mine = state is not None and state.member is not None and state.member == member
    claimed = state.claimed if mine and state else 0
    return {
        "name": rules.name, "off_minor": rules.off_minor, "percent": rules.percent,
        "cap_minor": rules.cap_minor, "threshold_minor": rules.threshold_minor,
        "valid_days": rules.valid_days, "mine": mine, "claimed": claimed,
        "may_claim": rules.per_member - claimed, "invites": rules.inviter_most > 0,
    }  # fmt: skip


def play_of(act: Act, rules: Rules) -> str:
    """Everybody's own; a batch is a play by itself."""
    return "" if act.kind == ISSUE else f"m{act.member}"


def supplies(rules: Rules) -> Sequence[Supply]:
    return (Supply(COUPONS, unit(rules), rules.total),)


MECHANIC = Mechanic(
    name="coupon",
    label=Text("Coupons", "优惠券"),
    gist=Text(
        "Members take a coupon, and get another for each new friend who buys.",
        "会员领券下单，每有一位新朋友完成购买再得一张。",
    ),
    use=Text(
        "To bring back buyers, lift the size of orders, or thank those who bring buyers.",
        "适合召回老客、提升客单价、奖励带来新客的会员。",
    ),
    avoid=Text(
        "When everybody would have bought anyway: hold out a control group and see.",
        "大家本来就会购买时慎用，建议先留对照组验证。",
    ),
    rules=Rules,
    state=State,
    decide=decide,
    play_of=play_of,
    supplies=supplies,
    broken=broken,
    lint=lint,
    shown=shown,
    follows=frozenset({BROUGHT, PAID, REFUNDED}),
    staff=frozenset({ISSUE, CLOSE, VOID, RESTORE}),
    within=frozenset({CLAIM}),
    facts=frozenset({"inviter", "new", "ref"}),
)
