"""红包 red packet: a sum in so many shares, each a surprise, first come, first served.

    (none) ──open──► open ──take × shares──► empty
                      └──its time, or closed──► over (what nobody took goes back)

A packet out of the budget is put out by the team, unless the rules let members do it; one out of
somebody's own points by that member. The shares are drawn when the packet is opened: with R left
for k shares each is uniform in [smallest, 2R/k − smallest], the last is what is left; then they
are shuffled, so that no place in the queue is a better one.

What must hold: the shares add up to the sum and none is below the smallest; a member takes one;
taken + left + returned is the sum, to the cent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from qunluo.campaigns.mechanics.kernel import (
    BUDGET,
    CENT,
    EXPIRE,
    OPEN,
    POINTS,
    RESERVED,
    Act,
    Claim,
    Done,
    Draw,
    Finding,
    Frozen,
    Grant,
    Mechanic,
    Move,
    Refused,
    Supply,
    of,
)
from qunluo.campaigns.mechanics.parameters import error, findings, parameter, warning
from qunluo.campaigns.mechanics.steps import BEGUN, CLOSE, NOBODY, NOT_BEGUN, UNKNOWN, no
from qunluo.kit.text import Text

TAKE = "take"
LONG = timedelta(days=7)


class Rules(Frozen):
    # fmt: off
    amount: int = parameter(
        Text("Sum", "总金额"), Text("What one packet holds.", "每个红包的总额。"), "unit",
        ge=1, le=10**9)
    unit: Literal["points", "cent"] = parameter(
        Text("Of what", "发放内容"), Text("Points, or money.", "积分或现金。"), default=POINTS)
    shares: int = parameter(
        Text("Shares", "份数"), Text("How many members get one.", "可以被多少人领取。"), "member",
        ge=1, le=500)
    smallest: int = parameter(
        Text("Smallest share", "最小份额"), Text("Nobody gets less.", "每份至少多少。"), "unit",
        default=1, ge=1, le=10**9)
    equal: bool = parameter(
        Text("Equal shares", "普通红包"),
        Text("Everybody gets the same instead of a surprise.", "每人金额相同，不拼手气。"),
        default=False)
    minutes: int = parameter(
        Text("Open for", "有效时长"),
        Text("What nobody took until then goes back.", "到期未领取的部分退回。"), "minute",
        default=24 * 60, ge=1, le=30 * 24 * 60)
    packets: int = parameter(
        Text("Packets", "红包个数"), Text("How many are opened at most.", "活动中最多发出几个。"), "piece",
        default=1, ge=1, le=10_000)
    giver: Literal["campaign", "member"] = parameter(
        Text("Who gives", "由谁发出"),
        Text("The campaign, or members out of their own points.", "由活动发出，或会员用自己的积分发。"),
        default="campaign")
    sender: Literal["team", "members"] = parameter(
        Text("Who may put out the campaign's packets", "活动红包由谁来发"),
        Text("The team, or any member, too; the budget pays either way.",
             "仅团队，或任何会员都可以发；费用都由活动预算承担。"),
        default="team")
    # fmt: on


class Taken(Frozen):
    member: int
    amount: int
    at: datetime


class State(Frozen):
    """`shares` in the order in which they are taken; only those taken are shown."""

    giver: int | None
    shares: tuple[int, ...]
    taken: tuple[Taken, ...] = ()
    until: datetime
    stage: Literal["open", "empty", "over"] = "open"
    returned: int = 0


# fmt: off
HAD = no("taken", "You have had your share of this one.", "这个红包你已经领过了。")
EMPTY = no("sold_out", "All shares are taken: be quicker next time.", "手慢了，红包已被领完。")
OVER = no("over", "It was open until its time was over.", "红包已过期。")
NO_MORE = no("no_more", "All packets of this campaign are out.", "本次活动的红包已全部发出。")
TOO_POOR = no("too_poor", "You have not enough points for this packet.", "积分不足，无法发出这个红包。")
TEAM = no("team", "The team puts out the packets of this campaign: be quick when one is here.",
          "本活动的红包由团队发出，出现时快来抢。")
UNEVEN = no("uneven", "The sum can't be shared like this.", "金额无法按此规则分配。")
# fmt: on


def decide(state: State | None, act: Act, rules: Rules, draw: Draw) -> Done[State] | Refused:
    if act.kind == OPEN:
        return _open(act, rules, draw) if state is None else BEGUN
    if state is None:
        return NOT_BEGUN
    if act.kind == TAKE:
        return _take(state, act, rules)
    if act.kind == CLOSE:
        return _end(state, rules)
    return _expire(state, act, rules) if act.kind == EXPIRE else UNKNOWN


def _open(act: Act, rules: Rules, draw: Draw) -> Done[State] | Refused:
    own = rules.giver == "member"
    if own and act.member is None:
        return NOBODY
    if act.member is not None and not may_send(rules):
        return TEAM
    if rules.amount < rules.shares * rules.smallest:
        return UNEVEN
    until = act.at + timedelta(minutes=rules.minutes)
    source = of(act.member) if own and act.member else BUDGET
    return Done(
        State(giver=act.member, shares=tuple(shares(rules, draw)), until=until),
        claims=(Claim("packets", rules.packets, NO_MORE),),
        moves=(Move(rules.unit, source, RESERVED, rules.amount,
                    refused=TOO_POOR if own else NO_MORE),),
        deadline=until,
        answer={"until": until.isoformat()},
    )  # fmt: skip


def may_send(rules: Rules) -> bool:
    """Whether a member may put out a packet: of one's own points, or where the rules let
    members spend the campaign's budget."""
    return rules.giver == "member" or rules.sender == "members"


def shares(rules: Rules, draw: Draw) -> list[int]:
    """All shares of a packet, in the order in which they will be taken."""
    if rules.equal:
        each, more = divmod(rules.amount, rules.shares)
        return draw.shuffled([each + (n < more) for n in range(rules.shares)])
    result, left = [], rules.amount
    for k in range(rules.shares, 1, -1):
        share = draw.between(rules.smallest, 2 * left // k - rules.smallest)
        result.append(share)
        left -= share
    return draw.shuffled([*result, left])


def _take(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    member = act.member
    if member is None:
        return NOBODY
    if any(one.member == member for one in state.taken):
        return HAD
    if state.stage != "open" or act.at >= state.until:
        return EMPTY if state.stage == "empty" else OVER
    share = state.shares[len(state.taken)]
    taken = (*state.taken, Taken(member=member, amount=share, at=act.at))
    full = len(taken) == len(state.shares)
    return Done(
        _with(state, taken=taken, stage="empty" if full else "open"),
        grants=(Grant("share", member, act.play, rules.unit, share),),
        deadline=None if full else state.until,
        answer={"amount": share, "unit": rules.unit, "left": len(state.shares) - len(taken)},
    )


def _expire(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    if state.stage != "open":
        return Done(state)
    if act.at < state.until:
        return Done(state, deadline=state.until)
    return _end(state, rules)


def _end(state: State, rules: Rules) -> Done[State] | Refused:
    """What nobody took goes back to who gave it."""
    if state.stage != "open":
        return OVER
    rest = sum(state.shares) - sum(one.amount for one in state.taken)
    own = rules.giver == "member" and state.giver
    back = Move(rules.unit, RESERVED, of(state.giver) if own and state.giver else BUDGET, rest)
    return Done(_with(state, stage="over", returned=rest), moves=(back,))


def _with(state: State, **changes: Any) -> State:
    return state.model_copy(update=changes)


def luckiest(state: State) -> Taken | None:
    """Who got the most, once everything is taken; of equals who came first."""
    if state.stage != "empty":
        return None
    return max(state.taken, key=lambda one: one.amount)


def broken(state: State, rules: Rules) -> list[str]:
    result = []
    if sum(state.shares) != rules.amount or len(state.shares) != rules.shares:
        result.append("the shares are not the sum")
    if min(state.shares) < rules.smallest:
        result.append("a share below the smallest")
    if [one.amount for one in state.taken] != list(state.shares[: len(state.taken)]):
        result.append("a share that is not the next")
    if len({one.member for one in state.taken}) != len(state.taken):
        result.append("two shares of one member")
    over = state.stage == "over"
    rest = sum(state.shares[len(state.taken) :])
    if state.returned != (rest if over else 0):
        result.append("what was not taken did not go back")
    return result


def lint(rules: Rules) -> list[Finding]:
    # fmt: off
    return findings(
        (rules.amount < rules.shares * rules.smallest,
         error("smallest", "sum_too_small",
               "The sum is less than all the smallest shares together.",
               "总金额不足以让每份达到最小份额。")),
        (rules.giver == "member" and rules.unit == CENT,
         error("giver", "members_money",
               "Members can give points, but to pass on their money takes a licence.",
               "会员之间转账现金需要支付牌照，只能用积分发红包。")),
        (rules.giver == "campaign" and rules.sender == "members",
         warning("sender", "members_send",
                 "Any member may put out a packet of your budget, at any time.",
                 "任何会员随时都能用你的预算发红包。")),
        (rules.equal and rules.amount % rules.shares,
         warning("equal", "not_quite_equal",
                 "The sum can't be divided evenly: some get one more.",
                 "总金额无法均分，部分人会多得一个最小单位。")),
        (timedelta(minutes=rules.minutes) > LONG,
         warning("minutes", "long_open",
                 "What is open for weeks is forgotten; a day is usual.",
                 "开放时间过长容易被遗忘，通常为 24 小时。")),
    )
    # fmt: on


def shown(state: State | None, rules: Rules, member: int | None) -> Mapping[str, Any]:
    result: dict[str, Any] = {
        "unit": rules.unit,
        "amount": rules.amount,
        "shares": rules.shares,
    }
    if state is None:
        return result
    mine = next((one.amount for one in state.taken if one.member == member), None)
    best = luckiest(state)
    return result | {
        "stage": state.stage, "mine": mine, "left": len(state.shares) - len(state.taken),
        "until": state.until.isoformat(), "giver": state.giver,
        "taken": [one.model_dump(mode="json") for one in state.taken],
        "luckiest": best.member if best else None,
    }  # fmt: skip


def supplies(rules: Rules) -> Sequence[Supply]:
    if rules.giver == "member":
        return ()
    return (Supply(BUDGET, rules.unit, rules.amount * rules.packets),)


MECHANIC = Mechanic(
    name="red_packet",
    label=Text("Red packet", "红包"),
    gist=Text(
        "A sum in surprise shares: the first members to tap get one each.",
        "拼手气红包，先到先得，每人一份。",
    ),
    use=Text(
        "To thank a group that is there at the moment: a festival, the end of a live session.",
        "适合节日、直播结束等时刻感谢在场的群友。",
    ),
    avoid=Text(
        "To get strangers in: they take their share and leave.",
        "不宜用于拉新，陌生人领完就走。",
    ),
    rules=Rules,
    state=State,
    decide=decide,
    play_of=lambda act, rules: "",
    supplies=supplies,
    broken=broken,
    lint=lint,
    shown=shown,
    staff=frozenset({CLOSE}),
)
