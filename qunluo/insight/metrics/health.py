"""Health 三低一高: conversion, repurchase and retention too low, churn too high."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.insight.estimates import quantile, wilson
from qunluo.insight.figures import Chart, Facts, Finding, Metric, Move, Series, Table
from qunluo.insight.metrics.member_cubes import (
    MEMBER_MONTH,
    ORDERS,
    last_whole_month,
    month_name,
    month_number,
    pairs_in,
    person_months,
)
from qunluo.insight.metrics.phrases import interval, many, nothing, percent
from qunluo.insight.metrics.study_cubes import Array, column
from qunluo.kit.text import Text

HISTORY = 6  # months before that a month is held against
CHURN_AFTER = 2  # months of silence that call a member gone
FEW = 20  # members below which a group is no peer
ROWS = 30
SHOWN_MONTHS = 24

Sign = Literal["conversion", "repurchase", "retention", "churn"]
SIGNS: dict[Sign, Text] = {
    "conversion": Text("conversion", "转化率"),
    "repurchase": Text("repurchase", "复购率"),
    "retention": Text("retention", "留存率"),
    "churn": Text("churn", "流失率"),
}
HIGH_IS_BAD: frozenset[Sign] = frozenset({"churn"})


@dataclass(frozen=True)
class Rates:
    """One sign by month: hits of so many people. Months without anybody are left out."""

    sign: Sign
    month: Array
    hits: Array
    people: Array

    @property
    def now(self) -> tuple[int, int]:
        return int(self.hits[-1]), int(self.people[-1])

    @property
    def before(self) -> tuple[int, int]:
        """Summed over the months before the last, at most HISTORY of them."""
        return (
            int(self.hits[-1 - HISTORY : -1].sum()),
            int(self.people[-1 - HISTORY : -1].sum()),
        )

    def light(self) -> str:
        """`red` if the last month's interval lies wholly on the bad side of the history's
        mean, `green` if wholly on the good side, `amber` if it holds it, `grey` without one."""
        hits, people = self.before
        if not people or not self.now[1]:
            return "grey"
        low, high = wilson(*self.now)
        usual = hits / people
        worse = low > usual if self.sign in HIGH_IS_BAD else high < usual
        better = high < usual if self.sign in HIGH_IS_BAD else low > usual
        return "red" if worse else "green" if better else "amber"


def monthly(sign: Sign, months: Array, of: Array, hit: Array) -> Rates:
    """Rates from one row a person and month: `of` counts, `hit` among them."""
    found, place = np.unique(months[of], return_inverse=True)
    hits = np.bincount(place, weights=hit[of], minlength=len(found)).astype(np.int64)
    return Rates(sign, found, hits, np.bincount(place, minlength=len(found)))


def talk_rates(who: Array, month: Array, last: int) -> dict[Sign, Rates]:
    """Retention and churn from distinct (person, month) pairs up to whole month `last`.

    Retention of month m: active in m − 1 who are active in m too. Churn of m: active in m who
    wrote neither in m + 1 nor in m + 2, both whole: every month gets the same time to return.
    """
    order = np.lexsort((month, who))
    who, month = who[order], month[order]
    has_next = np.append(who[1:] == who[:-1], False)
    following = np.append(month[1:], 0)
    returned = has_next & (following == month + 1)
    judged = month <= last - CHURN_AFTER
    kept = monthly("retention", month + 1, month + 1 <= last, returned)
    gone = monthly("churn", month, judged, ~(has_next & (following <= month + CHURN_AFTER)))
    return {"retention": kept, "churn": gone}


def order_rates(who: Array, month: Array, orders: pa.Table, last: int) -> dict[Sign, Rates]:
    """Conversion: of members active in a month, those who ordered in it. Repurchase: of
    customers of a month, those who had ordered on an earlier day."""
    if not orders.num_rows:
        return {}
    known = orders.filter(pc.is_valid(orders["sender_key"]))
    paid = month_number(column(known, "paid_at"))
    bought = pairs_in(who, month, known["sender_key"].to_numpy(), paid)
    months, repeated = repeat_months(orders)
    found = {"repurchase": monthly("repurchase", months, months <= last, repeated)}
    if known.num_rows:
        found["conversion"] = monthly("conversion", month, month <= last, bought)
    return {sign: found[sign] for sign in SIGNS if sign in found}


def repeat_months(orders: pa.Table) -> tuple[Array, Array]:
    """One row a customer and month with an order: the month, and whether an earlier day had one."""
    _, who = np.unique(
        np.array(orders["customer_id"].to_pylist(), dtype=str), return_inverse=True
    )
    day = column(orders, "paid_at").astype("datetime64[D]").astype(np.int64)
    order = np.lexsort((day, who))
    who, day = who[order], day[order]
    first = np.append(True, who[1:] != who[:-1])
    first_day = day[first][np.cumsum(first) - 1]
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    rows = np.append((who[1:] != who[:-1]) | (month[1:] != month[:-1]), True)  # last of each
    return month[rows], day[rows] > first_day[rows]


def signs(cubes: Mapping[str, pa.Table], last: int) -> dict[Sign, Rates]:
    """Every sign that the data allows and that has at least one month."""
    who, month = person_months(cubes[MEMBER_MONTH.name])
    found = order_rates(who, month, cubes[ORDERS.name], last) | talk_rates(who, month, last)
    return {sign: rates for sign, rates in found.items() if len(rates.month)}


def _health(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    talk, last = cubes[MEMBER_MONTH.name], last_whole_month(facts)
    found = signs(cubes, last)
    if not found:
        return Finding({}, 0, nothing("no two whole months are known", "没有两个完整的自然月"))
    peers = group_rates(talk, last)
    lights = {sign: rates.light() for sign, rates in found.items()}
    return Finding(
        value={
            "signs": {sign: _told(rates) for sign, rates in found.items()},
            "peers": _peer_value(peers),
        },
        n=max(rates.now[1] for rates in found.values()),
        sentence=_sentence(found, lights),
        charts=(_chart(found),),
        tables=(_sign_table(found), _peer_table(peers, facts)),
        notes=_notes(found),
        move=_move(found, lights),
    )


def _told(rates: Rates) -> dict[str, object]:
    hits, people = rates.now
    low, high = wilson(hits, people)
    before = rates.before
    return {
        "month": month_name(int(rates.month[-1])),
        "share": hits / people,
        "n": people,
        "low": low,
        "high": high,
        "usual": before[0] / before[1] if before[1] else None,
        "light": rates.light(),
        "months": [
            {"month": month_name(m), "hits": h, "people": p}
            for m, h, p in zip(
                rates.month.tolist(), rates.hits.tolist(), rates.people.tolist(), strict=True
            )
        ],
    }


@dataclass(frozen=True)
class Peer:
    """A group's retention over the whole archive."""

    group: int
    hits: int
    people: int

    @property
    def share(self) -> float:
        return self.hits / self.people


def group_rates(talk: pa.Table, last: int) -> list[Peer]:
    """Month-to-month retention of each group with at least FEW member-months, lowest first."""
    group, who = column(talk, "group_key"), column(talk, "sender_key")
    month = month_number(column(talk, "month"))
    order = np.lexsort((month, who, group))
    group, who, month = group[order], who[order], month[order]
    same = (group[1:] == group[:-1]) & (who[1:] == who[:-1]) & (month[1:] == month[:-1] + 1)
    returned = np.append(same, False)
    of = month + 1 <= last
    keys, place = np.unique(group[of], return_inverse=True)
    people = np.bincount(place, minlength=len(keys))
    hits = np.bincount(place, weights=returned[of], minlength=len(keys))
    rows = zip(keys.tolist(), hits.tolist(), people.tolist(), strict=True)
    peers = [Peer(int(g), int(h), int(p)) for g, h, p in rows if p >= FEW]
    return sorted(peers, key=lambda p: (p.share, p.group))


def peer_median(peers: list[Peer]) -> float:
    return quantile([p.share for p in peers], 0.5)


def peer_light(peer: Peer, median: float) -> str:
    """`red` if the group's interval lies wholly below the peers' median, `green` above."""
    low, high = wilson(peer.hits, peer.people)
    return "red" if high < median else "green" if low > median else "amber"


def _peer_value(peers: list[Peer]) -> dict[str, object]:
    if len(peers) < 3:
        return {"groups": len(peers), "median": None, "red": 0}
    median = peer_median(peers)
    red = sum(peer_light(p, median) == "red" for p in peers)
    return {"groups": len(peers), "median": median, "red": red}


def _sentence(found: Mapping[Sign, Rates], lights: Mapping[Sign, str]) -> Text:
    red = [sign for sign in SIGNS if lights.get(sign) == "red"]
    rates = found[red[0]] if red else next(iter(found.values()))
    hits, people = rates.now
    name, month = SIGNS[rates.sign], month_name(int(rates.month[-1]))
    words = interval(*wilson(hits, people))
    if not red:
        return Text(
            f"No sign is red against the community's own months before; {name.en} was "
            f"{percent(hits / people)} in {month} ({words.en}).",
            f"与自身前几个月相比，没有指标亮红灯；{month} 的{name.zh}为 "
            f"{percent(hits / people)}（{words.zh}）。",
        )
    usual = percent(rates.before[0] / rates.before[1])
    names = Text(", ".join(SIGNS[s].en for s in red), "、".join(SIGNS[s].zh for s in red))
    return Text(
        f"{many(len(red), 'sign is', 'signs are')} red: {names.en}. In {month}, {name.en} was "
        f"{percent(hits / people)} ({words.en}) against {usual} before.",
        f"{len(red)} 项亮红灯：{names.zh}。{month} 的{name.zh}为 "
        f"{percent(hits / people)}（{words.zh}），"
        f"此前为 {usual}。",
    )


def _chart(found: Mapping[Sign, Rates]) -> Chart:
    months = sorted({int(m) for rates in found.values() for m in rates.month})[-SHOWN_MONTHS:]
    red = sum(rates.light() == "red" for rates in found.values())
    return Chart(
        kind="line",
        title=Text(
            f"{red} of {len(found)} signs are red", f"{len(found)} 项指标中 {red} 项亮红灯"
        ),
        x=tuple(month_name(m) for m in months),
        series=tuple(_series(rates, months) for rates in found.values()),
        x_name=Text("month", "月份"),
        y_name=Text("share", "比例"),
        percent=True,
    )


def _series(rates: Rates, months: list[int]) -> Series:
    at = {
        int(m): (int(h), int(p))
        for m, h, p in zip(rates.month, rates.hits, rates.people, strict=True)
    }
    points = [at.get(m) for m in months]
    bounds = [wilson(*point) if point else (None, None) for point in points]
    return Series(
        SIGNS[rates.sign],
        tuple(point[0] / point[1] if point else None for point in points),
        tuple(low for low, _ in bounds),
        tuple(high for _, high in bounds),
        tuple(point[1] if point else 0 for point in points),
    )


LIGHTS = {
    "red": Text("red", "红"),
    "amber": Text("no clear difference", "无明显差异"),
    "green": Text("green", "绿"),
    "grey": Text("no history", "无历史"),
}


def _sign_table(found: Mapping[Sign, Rates]) -> Table:
    rows = []
    for sign, rates in found.items():
        hits, people = rates.now
        before = rates.before
        usual = before[0] / before[1] if before[1] else None
        month = month_name(int(rates.month[-1]))
        numbers = (hits / people, *wilson(hits, people), usual, people)
        rows.append((SIGNS[sign], month, *numbers, LIGHTS[rates.light()]))
    return Table(
        title=Text("The four signs against their own history", "四项指标与自身历史对比"),
        columns=(
            Text("Sign", "指标"),
            Text("Month", "月份"),
            Text("Share", "比例"),
            Text("From", "下限"),
            Text("To", "上限"),
            Text("Before", "此前"),
            Text("n", "n"),
            Text("Light", "灯"),
        ),
        rows=tuple(rows),
        percent=frozenset({2, 3, 4, 5}),
    )


def _peer_table(peers: list[Peer], facts: Facts) -> Table:
    median = peer_median(peers) if len(peers) >= 3 else None
    rows = [
        (
            facts.group(p.group),
            p.share,
            *wilson(p.hits, p.people),
            p.people,
            LIGHTS["grey" if median is None else peer_light(p, median)],
        )
        for p in peers[:ROWS]
    ]
    return Table(
        title=Text("Retention of groups against their peers", "各群留存与同类群对比"),
        columns=(
            Text("Group", "群"),
            Text("Return next month", "次月仍发言"),
            Text("From", "下限"),
            Text("To", "上限"),
            Text("Member-months", "人月"),
            Text("Light", "灯"),
        ),
        rows=tuple(rows),
        percent=frozenset({1, 2, 3}),
        more=max(len(peers) - ROWS, 0),
    )


def _notes(found: Mapping[Sign, Rates]) -> tuple[Text, ...]:
    if "repurchase" in found and "conversion" in found:
        return ()
    if "repurchase" in found:
        return (
            Text(
                "Conversion is unknown: no order names a member who writes (member_id).",
                "转化率未知：没有订单写明发言成员的 member_id。",
            ),
        )
    return (
        Text(
            "Conversion and repurchase need orders: add --orders.",
            "转化率和复购率需要订单：请提供 --orders。",
        ),
    )


_HELP: dict[Sign, Text] = {
    "conversion": Text(
        "offer active members one small, clear first purchase this week",
        "本周给活跃成员一个简单明确的小额首单",
    ),
    "repurchase": Text(
        "write to last month's customers with what goes with their order",
        "联系上月客户，推荐与其订单搭配的商品",
    ),
    "retention": Text(
        "bring back last month's active members with a fixed weekly topic that names them",
        "用点名邀请的固定每周话题，把上月活跃成员请回来",
    ),
    "churn": Text(
        "ask ten members who fell silent why, before changing anything",
        "先私聊十位沉默成员问明原因，再做调整",
    ),
}


def _move(found: Mapping[Sign, Rates], lights: Mapping[Sign, str]) -> Move | None:
    red = [sign for sign in SIGNS if lights.get(sign) == "red"]
    if not red:
        return None
    sign = red[0]
    name = SIGNS[sign]
    (hits, people), (was, of) = found[sign].now, found[sign].before
    now, usual = percent(hits / people), percent(was / of)
    went = Text("rose", "升至") if sign in HIGH_IS_BAD else Text("fell", "降至")
    return Move(
        Text(
            f"{name.en.capitalize()} {went.en} to {now}, from {usual} in the months before: "
            f"{_HELP[sign].en}.",
            f"{name.zh}{went.zh} {now}（此前为 {usual}）：{_HELP[sign].zh}。",
        ),
        weight=0.9,
    )


HEALTH = Metric(
    id="health",
    name=Text("Health: three lows, one high", "健康度：三低一高"),
    unit=Text("share of members or customers", "占成员或客户比例"),
    window=Text(
        "the last whole month against up to six before", "最近完整月对比之前至多六个月"
    ),
    definition=Text(
        "Conversion: of members who wrote in a month, those with an order in it. "
        "Repurchase: of "
        "the month's customers, those with an order on an earlier day. Retention: of members "
        "who wrote in the month before, those who wrote in this. Churn: of members who "
        "wrote in "
        "a month, those who wrote in neither of the two whole months after it. Red only "
        "if the last month's Wilson 95 % interval lies wholly on the bad side of the mean of "
        "the months before; a group, if its interval lies wholly below its peers' median (at "
        "least 20 member-months, three groups).",
        "转化率：当月发言成员中当月下单者。复购率：当月客户中此前某日已下过单者。留存率："
        "上月发言成员中本月仍发言者。"
        "流失率：当月发言成员中随后两个完整月均未发言者。仅当最近月的 Wilson 95% "
        "区间完全落在前几个月均值的"
        "不利一侧才亮红灯；群则须区间完全低于同类群中位数（至少 20 人月、三个群）。",
    ),
    cubes=(MEMBER_MONTH, ORDERS),
    summarise=_health,
)

METRICS: tuple[Metric, ...] = (HEALTH,)
