"""From sums to standing: where a member is, and on which evidence. Pure.

Nothing but the sums, the thresholds and the day decide; only the circle and the RFM classes,
which compare members, bring what the last full night found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from qunluo.insight.rfm import score
from qunluo.kit.text import Text
from qunluo.standing.facts import INTO, ITEMS, TALK, Facts, Touched, as_date
from qunluo.standing.thresholds import Thresholds
from qunluo.standing.words import CIRCLE, LIFECYCLE, PHASE
from qunluo.standing.worth import judge_churn, judge_flags, judge_intimacy, judge_values

PHASES = {
    "new": "ripen", "growing": "ripen", "mature": "extend", "silent": "win_back", "lost": "win_back",
}  # fmt: skip
RFM = ("recency", "frequency", "monetary")


@dataclass(frozen=True)
class Last:
    """What a night found of a member beside others: the circle, and how far influence went."""

    circle: str = "periphery"
    influence: float = 0.0
    weeks: int = 0  # active ones of the last four
    lower_since: date | None = None


@dataclass(frozen=True)
class Verdict:
    """Columns of `Standing`, and for each name the evidence."""

    values: dict[str, Any] = field(default_factory=dict)
    why: dict[str, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class By:
    """Something a person set by hand."""

    value: str
    why: str
    name: str  # who


def judge(
    facts: Facts,
    thresholds: Thresholds,
    today: date,
    last: Last,
    *,
    borders: Mapping[str, list[int]],
    by_hand: Mapping[str, By] | None = None,
) -> Verdict:
    """Where the member stands today. `borders` are the cuts of the RFM classes."""
    day, hand = today.toordinal(), by_hand or {}
    verdict = Verdict(_counted(facts, last))
    circle = _circle(last, hand)
    lifecycle = _lifecycle(facts, thresholds, day, circle[0])
    found = {"lifecycle": lifecycle, "trust": climb(facts, thresholds, day), "circle": circle}
    for name, (value, why) in found.items():
        verdict.values[name], verdict.why[name] = _corrected(name, value, why, hand)
    _add_phase(verdict)
    _add_rfm(verdict, facts, day, borders)
    _add_worth(verdict, facts, thresholds, day, hand)
    return verdict


def _counted(facts: Facts, last: Last) -> dict[str, Any]:
    return {
        "groups": facts.groups, "joined_on": as_date(facts.joined_on),
        "active_on": as_date(facts.active_on), "ordered_on": as_date(_ordered_on(facts)),
        "orders": facts.orders, "spent_minor": facts.spent, "influence": last.influence,
        "lower_since": last.lower_since, "placed": last.circle, "weeks": last.weeks,
    }  # fmt: skip


def _ordered_on(facts: Facts) -> int | None:
    return facts.last("paid") if facts.orders else None


def _corrected(name: str, value: Any, why: Text, hand: Mapping[str, By]) -> tuple[Any, Text]:
    """The value that a person set, with what the evidence says beside."""
    if name not in hand:
        return value, why
    by = hand[name]
    words = Text(
        "Set by hand by {name}: {why}. The evidence says otherwise: {said}",
        "由 {name} 人工设定：{why}。证据原为：{said}",
    ).format(name=by.name, why=by.why, said=why)
    return (int(by.value) if name in ("trust", "level") else by.value), words


# lifecycle and phase


def _lifecycle(facts: Facts, at: Thresholds, today: int, circle: str) -> tuple[str, Text]:
    """lost > silent > mature > new > growing. Between the days in which somebody counts as
    active and those after which they are silent, nobody moves down: they are what they were."""
    active, orders = facts.active_on, facts.orders
    idle = today - (facts.began_on if active is None else active)
    if facts.groups == 0 and facts.count(*INTO) > 0:
        return "lost", _left_all(facts)
    if idle >= at.lost_days:
        return "lost", _idle(facts, idle)
    if idle >= at.silent_days:
        return "silent", _idle(facts, idle)
    if orders >= at.mature_orders or (
        circle != "periphery" and orders >= at.mature_orders_in_circle
    ):
        return "mature", _mature(idle, orders, circle)
    here = today - facts.began_on
    if here <= at.new_days and not orders:
        return "new", Text(
            f"Here for {_days(here)}, no order yet.", f"加入 {here} 天，尚无订单。"
        )
    return "growing", _growing(idle, orders, at)


def _left_all(facts: Facts) -> Text:
    day = as_date(facts.last("left", "removed", "closed"))
    return Text(f"In no group any more since {day}.", f"自 {day} 起已不在任何群。")


def _idle(facts: Facts, idle: int) -> Text:
    day = as_date(facts.active_on)
    if day is None:
        return Text(
            f"Nothing done in the {_days(idle)} since they are known.",
            f"自有记录起 {idle} 天无任何活动。",
        )
    return Text(f"No activity for {_days(idle)}; the last was on {day}.",
                f"已 {idle} 天无活动，最近一次在 {day}。")  # fmt: skip


def _mature(idle: int, orders: int, circle: str) -> Text:
    ring = CIRCLE[circle]
    if circle == "periphery":
        return Text(f"{_orders(orders)}, active {_ago(idle)}.",
                    f"{orders} 笔订单，{_ago_zh(idle)}活跃。")  # fmt: skip
    return Text(f"{_orders(orders)}, {ring.en} circle, active {_ago(idle)}.",
                f"{orders} 笔订单，{ring.zh}，{_ago_zh(idle)}活跃。")  # fmt: skip


def _growing(idle: int, orders: int, at: Thresholds) -> Text:
    if idle < at.growing_days:
        return Text(f"Active {_ago(idle)}, {_orders(orders)}.",
                    f"{_ago_zh(idle)}活跃，{orders} 笔订单。")  # fmt: skip
    return Text(
        f"Last active {_ago(idle)}: silent from {_days(at.silent_days)} on.",
        f"{_ago_zh(idle)}有过活动，满 {at.silent_days} 天才算沉默。",
    )


def _days(n: int) -> str:
    return f"{n} day" if n == 1 else f"{n} days"


def _orders(n: int) -> str:
    return "no order" if not n else f"{n} order" if n == 1 else f"{n} orders"


def _ago(n: int) -> str:
    return "today" if n <= 0 else "yesterday" if n == 1 else f"{n} days ago"


def _ago_zh(n: int) -> str:
    return "今天" if n <= 0 else "昨天" if n == 1 else f"{n} 天前"


def _add_phase(verdict: Verdict) -> None:
    lifecycle = verdict.values["lifecycle"]
    phase = PHASES[lifecycle]
    verdict.values["phase"] = phase
    told, follows = LIFECYCLE[lifecycle], PHASE[phase]
    verdict.why["phase"] = Text(
        f"{follows.en.capitalize()}: the lifecycle is {told.en}.",
        f"{follows.zh}：处于{told.zh}期。",
    )


# the trust ladder


def climb(facts: Facts, at: Thresholds, today: int) -> tuple[int, Text]:
    """The highest rung that was ever reached: it only climbs."""
    for rung, find in _RUNGS:
        why = find(facts, at, today)
        if why is not None:
            return rung, why
    return 0, Text("Known only from a page or a list.", "仅浏览过页面或在名单中。")


def _advocate(facts: Facts, at: Thresholds, today: int) -> Text | None:
    if facts.stayed:
        n, days = len(facts.stayed), at.stay_days
        return Text(f"Brought {n} who stayed {days} days or longer.",
                    f"带来 {n} 位留存满 {days} 天的成员。")  # fmt: skip
    day = as_date(facts.first("testified"))
    return (
        day if day is None else Text(f"Gave a testimony on {day}.", f"{day} 发布了客户见证。")
    )


def _customer(facts: Facts, at: Thresholds, today: int) -> Text | None:
    """At the end of some day an order stood: a refund later is a flag, no step down."""
    stands = 0
    moves = Counter(facts.days.get("paid", {}))
    moves.subtract(facts.days.get("refunded", {}))
    for day in sorted(moves):
        stands += moves[day]
        if stands > 0:
            on = as_date(day)
            return Text(f"Paid an order on {on} that was not refunded then.",
                        f"{on} 支付了订单，当时未退款。")  # fmt: skip
    return None


def _familiar(facts: Facts, at: Thresholds, today: int) -> Text | None:
    found = find_exchanges(facts.contacts, at.familiar_exchanges, at.familiar_days)
    if found is None:
        return None
    day, n = as_date(found), at.familiar_exchanges
    return Text(
        f"By {day}: {n} two-way exchanges within {at.familiar_days} days.",
        f"截至 {day}，{at.familiar_days} 天内有 {n} 次双向互动。",
    )


def find_exchanges(contacts: list[Touched], wanted: int, days: int) -> int | None:
    """The first day that ends a window with so many two-way exchanges: with each partner as many
    as the rarer direction has. Partners that are the staff count as one."""
    talk = sorted(c for c in contacts if c.kind in TALK)
    there: Counter[tuple[int, bool]] = Counter()
    both, gone = 0, 0
    for place, one in enumerate(talk):
        while talk[gone].day <= one.day - days:
            both += _turn(there, talk[gone], -talk[gone].n)
            gone += 1
        both += _turn(there, one, one.n)
        last_of_day = place + 1 == len(talk) or talk[place + 1].day != one.day
        if last_of_day and both >= wanted:
            return one.day
    return None


def _turn(there: Counter[tuple[int, bool]], one: Touched, n: int) -> int:
    """Counts a direction up or down; by how much the exchanges change."""
    mine, theirs = (one.partner, one.outward), (one.partner, not one.outward)
    before = min(there[mine], there[theirs])
    there[mine] += n
    return min(there[mine], there[theirs]) - before


def _informed(facts: Facts, at: Thresholds, today: int) -> Text | None:
    n = facts.count(*ITEMS)
    if n < at.informed_items:
        return None
    return Text(f"Read, watched or attended {n}.", f"阅读、观看或参加过 {n} 次内容。")


def _acquainted(facts: Facts, at: Thresholds, today: int) -> Text | None:
    day = as_date(facts.first("nicknamed"))
    if day is not None:
        return Text(f"Set the nickname on {day}.", f"{day} 设置了群昵称。")
    day = as_date(facts.first("greeted"))
    if day is not None:
        return Text(f"Answered the welcome on {day}.", f"{day} 回应了欢迎。")
    return _first_words(facts, at)


def _first_words(facts: Facts, at: Thresholds) -> Text | None:
    """Words or a reaction right after joining answer the welcome."""
    spoke = {
        day
        for kind in ("said", "reacted")
        for day, n in facts.days.get(kind, {}).items()
        if n > 0
    }
    joined = (day for kind in INTO for day in facts.days.get(kind, {}))
    for day in sorted(joined):
        for later in range(at.welcome_days + 1):
            if day + later in spoke:
                on = as_date(day + later)
                return Text(
                    f"Spoke up on {on}, right after joining.", f"入群后随即于 {on} 发言或互动。"
                )
    return None


def _curious(facts: Facts, at: Thresholds, today: int) -> Text | None:
    day = as_date(facts.joined_on)
    if day is not None:
        return Text(f"Joined a group on {day}.", f"{day} 加入了群。")
    day = as_date(facts.first("contacted"))
    if day is not None:
        return Text(f"Left contact data on {day}.", f"{day} 留下了联系方式。")
    day = as_date(facts.first("said", "reacted", "checked_in"))
    return day if day is None else Text(f"Took part on {day}.", f"{day} 参与了互动。")


_RUNGS = (
    (6, _advocate), (5, _customer), (4, _familiar), (3, _informed), (2, _acquainted),
    (1, _curious),
)  # fmt: skip


# circle and RFM: beside others


def _circle(last: Last, hand: Mapping[str, By]) -> tuple[str, Text]:
    circle = hand["circle"].value if "circle" in hand else last.circle
    times = f"{last.influence:.1f}"
    return circle, Text(
        f"Influence {times} times the average of the last four weeks, active in {last.weeks} of them.",
        f"近四周影响力为平均值的 {times} 倍，其中 {last.weeks} 周活跃。",
    )


def _add_rfm(
    verdict: Verdict, facts: Facts, today: int, borders: Mapping[str, list[int]]
) -> None:
    """Classes between the borders of the last night; 0 without an order that stands."""
    on, cuts = _ordered_on(facts), [borders.get(name, []) for name in RFM]
    if on is None or not all(cuts):
        none = Text("No order that stands.", "没有有效订单。")
        wait = Text("Classes come with the next night.", "分级将在今晚计算后给出。")
        verdict.values.update(dict.fromkeys(RFM, 0))
        verdict.why["rfm"] = none if on is None else wait
        return
    values = (today - on, facts.orders, facts.spent)
    classes = [
        score(value, cut, low_is_best=name == "recency")
        for name, value, cut in zip(RFM, values, cuts, strict=True)
    ]
    verdict.values.update(zip(RFM, classes, strict=True))
    money = f"{facts.spent / 100:,.2f}"
    verdict.why["rfm"] = Text(
        f"Last order {_ago(values[0])}, {_orders(values[1])}, {money} in all, in fifths of all buyers.",
        f"{_ago_zh(values[0])}下单，共 {values[1]} 笔、{money}，在全部买家中按五等分。",
    )


# worth


def _add_worth(
    verdict: Verdict, facts: Facts, at: Thresholds, today: int, hand: Mapping[str, By]
) -> None:
    points, level, why = judge_intimacy(facts, at)
    level, why = _corrected("level", level, why, hand)
    verdict.values.update(intimacy=points, level=level)
    verdict.why["level"] = why
    for name, (value, because) in judge_values(facts, at, today).items():
        verdict.values[name], verdict.why[name] = value, because
    flags, said = judge_flags(facts, at, today)
    verdict.values["flags"], verdict.why["flags"] = flags, said
    churn, because = judge_churn(facts, at, today, verdict.values["lifecycle"], flags)
    verdict.values["churn"], verdict.why["churn"] = churn, because
