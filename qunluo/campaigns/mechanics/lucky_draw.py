"""Lucky draw 抽奖: points for a chance, with odds that are shown and draws that anyone can check.

    (none) ──open──► drawing ──draw──► drawing …   (one play a member)

Every draw takes a number in [0, sum of the weights) and gives the prize in whose range it lies.
A prize whose stock is gone is left out, and the odds of that draw are shown without it. Points,
prize and record are one act: whole, or not at all.

Commit–reveal: the hash of the seed is published before the first draw, the seed after the last.
A draw's number is made of the seed and its label (play and number of the act), so `verify` finds
whether any was changed, left out or drawn again. It needs nothing but what is published.

What must hold: a prize is given no more often than there are; each draw was paid for; every
record verifies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator

from qunluo.campaigns.mechanics.kernel import (
    CENT,
    OPEN,
    POINTS,
    SPENT,
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
    commitment,
    of,
    pool,
)
from qunluo.campaigns.mechanics.parameters import error, findings, parameter, warning
from qunluo.campaigns.mechanics.steps import (
    BEGUN,
    NOBODY,
    NOT_YOURS,
    UNKNOWN,
    day_of,
    known_zone,
    no,
)
from qunluo.kit.text import Text

DRAW = "draw"
BLANK = -1  # the index of no prize
HIGHEST_MINOR = 50_000_00  # yuan 50,000: the law's limit for a prize drawn by lot


class Prize(Frozen):
    # fmt: off
    name: str = parameter(
        Text("Prize", "奖品"), Text("What it is called.", "奖品名称。"), min_length=1, max_length=40)
    weight: int = parameter(
        Text("Weight", "权重"), Text("Its chance is weight ÷ all weights.", "中奖概率＝权重 ÷ 总权重。"),
        ge=1, le=10**6)
    unit: str = parameter(
        Text("Of what", "内容"), Text("points, cent, coupon:… or gift:…", "积分、现金、券或礼品。"), "reward",
        min_length=1, max_length=60)
    amount: int = parameter(
        Text("Amount", "数量"), Text("How much of it.", "每份的数量。"), ge=1, le=10**9)
    stock: int = parameter(
        Text("How many", "份数"), Text("So many are given at most.", "最多送出几份。"), "piece",
        ge=1, le=10**6)
    # fmt: on


class Rules(Frozen):
    # fmt: off
    prizes: tuple[Prize, ...] = parameter(
        Text("Prizes", "奖品"), Text("What can be won.", "可抽中的奖品。"), min_length=1, max_length=20)
    blank_weight: int = parameter(
        Text("Weight of nothing", "未中奖权重"), Text("0: every draw wins.", "0 表示每抽必中。"),
        default=0, ge=0, le=10**7)
    cost_points: int = parameter(
        Text("Points per draw", "每次消耗积分"), Text("0: free.", "0 表示免费。"), "points",
        default=0, ge=0, le=10**6)
    per_day: int = parameter(
        Text("Draws a day", "每日次数"), Text("Of a member.", "每位会员每天最多几次。"),
        default=1, ge=1, le=50)
    per_member: int = parameter(
        Text("Draws in all", "总次数"), Text("Of a member.", "每位会员在活动中最多几次。"),
        default=30, ge=1, le=200)
    zone: Annotated[str, AfterValidator(known_zone)] = parameter(
        Text("Time zone", "时区"), Text("When a day begins.", "每日次数按此时区的日期计算。"), "zone",
        default="Asia/Shanghai")
    # fmt: on


class Record(Frozen):
    """One draw: which prizes were in it, the number, and what it gave (`BLANK`: nothing)."""

    label: str
    open: tuple[int, ...]
    number: int
    prize: int
    at: datetime


class State(Frozen):
    member: int
    records: tuple[Record, ...] = ()


class Published(Frozen):
    """A draw as it is published: names and weights in their order, the number, what it gave."""

    label: str
    table: tuple[tuple[str, int], ...]
    number: int
    prize: str  # "" : nothing
    at: datetime


# fmt: off
NO_PRIZE = no("sold_out", "All prizes are won: nothing was taken from you.", "奖品已全部抽完，未扣除积分。")
TODAY = no("today", "You have drawn enough for today: come back tomorrow.", "今天的次数用完了，明天再来吧。")
ENOUGH = no("limit", "You have had all your draws in this campaign.", "你在本次活动的抽奖次数已用完。")
TOO_POOR = no("too_poor", "You have not enough points: check in to earn some.",
              "积分不足，去签到赚积分吧。")
# fmt: on


def decide(state: State | None, act: Act, rules: Rules, draw: Draw) -> Done[State] | Refused:
    if act.member is None:
        return NOBODY
    if act.kind == OPEN:
        return Done(State(member=act.member)) if state is None else BEGUN
    if act.kind != DRAW:
        return UNKNOWN
    state = state or State(member=act.member)
    return _draw(state, act, rules, draw) if act.member == state.member else NOT_YOURS


def _draw(state: State, act: Act, rules: Rules, draw: Draw) -> Done[State] | Refused:
    there = in_stock(rules, act.pools)
    if not there:
        return NO_PRIZE
    table = weights(rules, there)
    number = draw.below(sum(weight for _, weight in table))
    prize = pick(table, number)
    record = Record(label=draw.label, open=there, number=number, prize=prize, at=act.at)
    return Done(
        state.model_copy(update={"records": (*state.records, record)}),
        claims=_limits(state.member, act.at, rules),
        moves=(Move(POINTS, of(state.member), SPENT, rules.cost_points, refused=TOO_POOR),),
        grants=_won(state.member, record, rules),
        answer=_answer(record, rules),
    )


def _limits(member: int, at: datetime, rules: Rules) -> tuple[Claim, ...]:
    today = day_of(at, rules.zone).isoformat()
    return (
        Claim(f"drawn:{member}:{today}", rules.per_day, TODAY),
        Claim(f"drawn:{member}", rules.per_member, ENOUGH),
    )


def _won(member: int, record: Record, rules: Rules) -> tuple[Grant, ...]:
    if record.prize == BLANK:
        return ()
    won = rules.prizes[record.prize]
    place = pool(store(record.prize))
    return (Grant("prize", member, record.label, won.unit, won.amount, source=place),)


def _answer(record: Record, rules: Rules) -> dict[str, Any]:
    won = None if record.prize == BLANK else rules.prizes[record.prize]
    return {
        "prize": won.name if won else "", "unit": won.unit if won else "",
        "amount": won.amount if won else 0, "number": record.number, "label": record.label,
        "odds": odds(rules, record.open),
    }  # fmt: skip


def in_stock(rules: Rules, pools: Mapping[str, int]) -> tuple[int, ...]:
    """Which prizes are in a draw: those of which one is left."""
    return tuple(
        n for n, prize in enumerate(rules.prizes)
        if pools.get(pool(store(n)), 0) >= prize.amount
    )  # fmt: skip


def weights(rules: Rules, there: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """The prizes of a draw with their weights, nothing last."""
    table = [(n, rules.prizes[n].weight) for n in there]
    return (*table, (BLANK, rules.blank_weight)) if rules.blank_weight else tuple(table)


def pick(table: Sequence[tuple[Any, int]], number: int) -> Any:
    """In whose range a number lies: the first weight w has [0, w), and so on."""
    for prize, weight in table:
        if 0 <= number < weight:
            return prize
        number -= weight
    raise ValueError("the number lies beyond all weights")


def odds(rules: Rules, there: Iterable[int]) -> list[dict[str, Any]]:
    """The chance of each, in percent; "" is nothing."""
    table = weights(rules, there)
    total = sum(weight for _, weight in table)
    return [
        {"name": _name(rules, n), "percent": round(100 * weight / total, 4)}
        for n, weight in table
    ]  # fmt: skip


def _name(rules: Rules, prize: int) -> str:
    return "" if prize == BLANK else rules.prizes[prize].name


# what is published, and how it is checked


def publish(states: Iterable[State], rules: Rules) -> list[Published]:
    """All draws in the order in which they were made."""
    records = [record for state in states for record in state.records]
    return [
        Published(
            label=record.label, number=record.number, at=record.at, prize=_name(rules, record.prize),
            table=tuple((_name(rules, n), w) for n, w in weights(rules, record.open)),
        )
        for record in sorted(records, key=lambda r: (r.at, r.label))
    ]  # fmt: skip


def verify(seed: bytes, committed: str, draws: Sequence[Published]) -> list[str]:
    """What is wrong with published draws; nothing: each follows from the seed, none is missing
    between two others, and the seed is the one that was fixed before."""
    result = [] if commitment(seed) == committed else ["the seed is not the one committed to"]
    for draw in draws:
        total = sum(weight for _, weight in draw.table)
        number = Draw(seed, draw.label).below(total) if total else -1
        if number != draw.number:
            result.append(f"{draw.label}: the number is {number}")
        elif pick(draw.table, number) != draw.prize:
            result.append(f"{draw.label}: {number} gives another prize")
    return result + _gaps(draws)


def _gaps(draws: Sequence[Published]) -> list[str]:
    numbers: dict[str, list[int]] = {}
    for draw in draws:
        play, _, number = draw.label.rpartition(":")
        numbers.setdefault(play, []).append(int(number))
    return [
        f"{play}: a draw is missing, or there twice"
        for play, found in numbers.items()
        if sorted(found) != list(range(min(found), min(found) + len(found))) or min(found) > 1
    ]


def verify_stock(draws: Sequence[Published], rules: Rules) -> list[str]:
    """Whether the tables were the rules': a prize is out of the draw when, and only when, all
    there are of it have been won by then."""
    stock = {prize.name: prize.stock for prize in rules.prizes}
    won = Counter(draw.prize for draw in draws if draw.prize)
    result = [f"{name}: given too often" for name, n in won.items() if n > stock.get(name, 0)]
    for draw in draws:
        inside = {name for name, _ in draw.table if name}
        by_then = Counter(d.prize for d in draws if d.at <= draw.at)
        before = Counter(d.prize for d in draws if d.at < draw.at)
        result += [f"{draw.label}: {name} was left out" for name in set(stock) - inside
                   if by_then[name] < stock[name]]  # fmt: skip
        result += [f"{draw.label}: {name} was gone already" for name in inside
                   if before[name] >= stock.get(name, 0)]  # fmt: skip
    return result


def broken(state: State, rules: Rules) -> list[str]:
    result = []
    for record in state.records:
        table = weights(rules, record.open)
        if not 0 <= record.number < sum(weight for _, weight in table):
            result.append(f"{record.label}: a number beyond the weights")
        elif pick(table, record.number) != record.prize:
            result.append(f"{record.label}: another prize than its number's")
    if len(state.records) > rules.per_member:
        result.append("more draws than a member has")
    return result


def lint(rules: Rules) -> list[Finding]:
    total = sum(prize.weight for prize in rules.prizes) + rules.blank_weight
    back = sum(p.weight * p.amount for p in rules.prizes if p.unit == POINTS)
    # fmt: off
    return findings(
        (len({prize.name for prize in rules.prizes}) < len(rules.prizes),
         error("prizes", "same_name", "Two prizes have the same name.", "有两个奖品同名。")),
        (any(p.unit == CENT and p.amount > HIGHEST_MINOR for p in rules.prizes),
         error("prizes", "above_the_law",
               "A prize drawn by lot may be worth 50,000 yuan at most.",
               "抽奖式有奖销售最高奖金额不得超过五万元。")),
        (rules.cost_points and back >= rules.cost_points * total,
         error("cost_points", "points_machine",
               "A draw gives back more points than it costs: it would be drawn without end.",
               "平均返还积分不低于消耗，会被无限套利。")),
        (rules.per_day > rules.per_member,
         warning("per_day", "day_above_all",
                 "More draws a day than in all.", "每日次数超过了总次数。")),
        (rules.blank_weight * 100 > 99 * total,
         warning("blank_weight", "hardly_a_chance",
                 "Fewer than one draw in a hundred wins: members will feel fooled.",
                 "中奖率低于 1%，会员会觉得被愚弄。")),
    )
    # fmt: on


def shown(state: State | None, rules: Rules, member: int | None) -> Mapping[str, Any]:
    there = state.records[-1].open if state and state.records else range(len(rules.prizes))
    mine = state is not None and state.member == member
    records = state.records if mine and state else ()
    return {
        "odds": odds(rules, there), "cost_points": rules.cost_points, "per_day": rules.per_day,
        "draws": len(records), "draws_left": rules.per_member - len(records),
        "won": [{"name": _name(rules, r.prize), "label": r.label, "number": r.number,
                 "at": r.at.isoformat()} for r in records if r.prize != BLANK],
    }  # fmt: skip


def store(prize: int) -> str:
    return f"prize{prize}"


def supplies(rules: Rules) -> Sequence[Supply]:
    return tuple(
        Supply(pool(store(n)), p.unit, p.amount * p.stock) for n, p in enumerate(rules.prizes)
    )


MECHANIC = Mechanic(
    name="lucky_draw",
    label=Text("Lucky draw", "积分抽奖"),
    gist=Text(
        "A few points for a chance at a prize; the odds are shown, every draw can be checked.",
        "用积分抽奖，概率公示，每一抽都可验证。",
    ),
    use=Text(
        "To give points a use, and members a reason to look in every day.",
        "适合消耗积分、让会员每天都来看看。",
    ),
    avoid=Text(
        "As the reason to buy: what is won by luck teaches nobody what an article is worth.",
        "不宜作为购买理由，靠运气得来的不会让人认可价值。",
    ),
    rules=Rules,
    state=State,
    decide=decide,
    play_of=lambda act, rules: f"m{act.member}",
    supplies=supplies,
    broken=broken,
    lint=lint,
    shown=shown,
    within=frozenset({DRAW}),
    reads=lambda rules: [f"{p.unit}@{pool(store(n))}" for n, p in enumerate(rules.prizes)],
)
