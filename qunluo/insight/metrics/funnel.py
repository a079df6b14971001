"""Funnels: of those who came, who talks, comes back, buys and brings others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.insight.estimates import quantile, wilson
from qunluo.insight.figures import Chart, Facts, Finding, Metric, Move, Series, Table
from qunluo.insight.metrics.member_cubes import (
    DAY,
    INVITES,
    MEMBER_MONTH,
    MEMBERSHIP,
    ORDERS,
    ROSTER,
    end_of,
    greatest,
    least,
    micros,
)
from qunluo.insight.metrics.phrases import many, nothing, number, percent
from qunluo.insight.metrics.retention import BASIS, Comings, comings
from qunluo.insight.metrics.study_cubes import Array, column
from qunluo.kit.text import Text

BACK_DAYS = 7
JUDGED_DAYS = 30  # who came later had no time to pass
FEW = 30
ROWS = 20

STAGES: dict[str, Text] = {
    "acquisition": Text("came", "到来"),
    "activation": Text("wrote", "发言"),
    "retention": Text("wrote again after a week", "一周后再次发言"),
    "revenue": Text("bought", "下单"),
    "referral": Text("brought somebody", "带来新人"),
}
RARRA = ("retention", "activation", "referral", "revenue", "acquisition")


@dataclass(frozen=True)
class Passed:
    """Who passed which stage; arrays run along `came.keys`. Stages without data are left out."""

    came: Comings
    stages: dict[str, Array]
    days_to_buy: Array  # of those who bought on or after coming

    def __len__(self) -> int:
        return len(self.came.keys)

    def nested(self) -> list[tuple[str, int]]:
        """How many passed each stage and all before it."""
        still, found = np.ones(len(self), dtype=bool), []
        for name, passed in self.stages.items():
            still = still & passed
            found.append((name, int(still.sum())))
        return found


def passed(cubes: Mapping[str, pa.Table], end: int) -> Passed:
    """Stages of everybody who came at least 30 days before the archive's end."""
    came = comings(cubes)
    old = came.at <= end - JUDGED_DAYS * DAY
    came = Comings(came.keys[old], came.at[old], came.basis)
    talk = cubes[MEMBER_MONTH.name]
    last = _along(came, *greatest(column(talk, "sender_key"), micros(talk["last_at"])))
    stages = {"acquisition": np.ones(len(came.keys), dtype=bool)}
    if came.basis == "join":  # else coming and writing are the same event
        stages["activation"] = np.isin(came.keys, column(talk, "sender_key"))
    stages["retention"] = last >= came.at + BACK_DAYS * DAY
    orders, invites = cubes[ORDERS.name], cubes[INVITES.name]
    bought = _first_orders(came, orders)
    if orders.num_rows:
        stages["revenue"] = bought != _NONE
    if invites.num_rows:
        stages["referral"] = np.isin(came.keys, column(invites, "inviter_key"))
    later = (bought != _NONE) & (bought >= came.at // DAY * DAY)
    days = np.maximum(bought[later] - came.at[later], 0) / DAY
    return Passed(came, stages, days)


_NONE = np.iinfo(np.int64).min


def _along(came: Comings, keys: Array, values: Array) -> Array:
    """The values of these keys along `came.keys`; the least integer where there is none."""
    found = np.full(len(came.keys), _NONE, dtype=np.int64)
    place = np.searchsorted(came.keys, keys)
    place[place == len(came.keys)] = 0
    if len(found):
        known = came.keys[place] == keys
        found[place[known]] = values[known]
    return found


def _first_orders(came: Comings, orders: pa.Table) -> Array:
    known = orders.filter(pc.is_valid(orders["sender_key"]))
    keys, first = least(known["sender_key"].to_numpy(), micros(known["paid_at"]))
    return _along(came, keys, first)


def _funnel(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    found = passed(cubes, end_of(facts))
    if not len(found):
        return Finding(
            {}, 0, nothing("nobody came 30 days before the end", "没有人在末 30 天之前到来")
        )
    steps = found.nested()
    main = [step for step in steps if step[0] != "referral"]  # buyers need bring nobody
    return Finding(
        value=_value(found, steps, cubes),
        n=len(found),
        sentence=_sentence(found, main),
        interval=wilson(main[-1][1], len(found)),
        charts=_charts(found, steps, main[-1]),
        tables=(_step_table(found, steps), _source_table(cubes[ORDERS.name])),
        notes=_notes(found),
        move=_move(main),
    )


def _value(
    found: Passed, steps: list[tuple[str, int]], cubes: Mapping[str, pa.Table]
) -> dict[str, object]:
    n, days = len(found), found.days_to_buy
    invited = int(pc.sum(cubes[INVITES.name]["invited"]).as_py() or 0)
    alone = {name: int(rows.sum()) for name, rows in found.stages.items()}
    rates = [
        {"stage": name, "n": alone[name], "share": alone[name] / n}
        for name in RARRA
        if name in alone and name != "acquisition"
    ]
    return {
        "basis": found.came.basis,
        "aarrr": [_step(name, count, before, n) for (name, count), before in _jumps(steps)],
        "rarra": [
            *rates,
            {"stage": "acquisition", "invited": invited, "per_member": invited / n},
        ],
        "days_to_buy": {
            "n": len(days),
            "quartiles": [quantile(days, q) for q in (0.25, 0.5, 0.75)] if len(days) else [],
        },
    }


def _jumps(steps: list[tuple[str, int]]) -> list[tuple[tuple[str, int], int]]:
    """Each step with the count of the one before it (of itself for the first)."""
    before = [steps[0][1], *(count for _, count in steps[:-1])]
    return list(zip(steps, before, strict=True))


def _step(name: str, count: int, before: int, n: int) -> dict[str, object]:
    low, high = wilson(count, before)
    return {
        "stage": name,
        "n": count,
        "of_all": count / n,
        "of_previous": count / before if before else None,
        "low": low,
        "high": high,
    }


def _sentence(found: Passed, steps: list[tuple[str, int]]) -> Text:
    jumps, lost = len(steps) - 1, 1 - steps[-1][1] / len(found)
    worst = worst_jump(steps)
    days = found.days_to_buy
    time = (
        Text(
            f" Half of those who bought did so within {number(quantile(days, 0.5))} days.",
            f"下单者中一半在 {number(quantile(days, 0.5))} 天内成交。",
        )
        if len(days)
        else Text("", "")
    )
    return Text(
        f"{many(jumps, 'jump loses', 'jumps lose')} {percent(lost)} of "
        f"{many(len(found), 'member')}; the "
        f"steepest is from “{STAGES[worst[0]].en}” to “{STAGES[worst[1]].en}” "
        f"({percent(worst[2])} lost).{time.en}",
        f"{jumps} 次跳转流失 {percent(lost)}（共 {len(found):,} 名成员）；最陡的一步是"
        f"“{STAGES[worst[0]].zh}”到“{STAGES[worst[1]].zh}”（流失 {percent(worst[2])}）。"
        f"{time.zh}",
    )


def worst_jump(steps: list[tuple[str, int]]) -> tuple[str, str, float]:
    """The two stages between which the largest share is lost, and that share."""
    jumps = [
        (a, b, 1 - after / before if before else 0.0)
        for (a, before), (b, after) in pairwise(steps)
    ]
    return max(jumps, key=lambda jump: jump[2])


def _charts(
    found: Passed, steps: list[tuple[str, int]], last: tuple[str, int]
) -> tuple[Chart, ...]:
    n = len(found)
    bounds = [wilson(count, n) for _, count in steps]
    bars = Chart(
        kind="bar",
        title=Text(
            f"{percent(last[1] / n)} pass every step to “{STAGES[last[0]].en}”",
            f"{percent(last[1] / n)} 走完全部步骤到“{STAGES[last[0]].zh}”",
        ),
        x=tuple(STAGES[name] for name, _ in steps),
        series=(
            Series(
                Text("passed", "通过"),
                tuple(count / n for _, count in steps),
                tuple(low for low, _ in bounds),
                tuple(high for _, high in bounds),
                (n,) * len(steps),
            ),
        ),
        x_name=Text("step", "步骤"),
        y_name=Text("share of those who came", "占到来者比例"),
        percent=True,
    )
    return (bars, _time_chart(found.days_to_buy)) if len(found.days_to_buy) else (bars,)


def _time_chart(days: Array) -> Chart:
    ordered = np.sort(days)
    marks = [0, 1, 3, 7, 14, 30, 60, 90, 180, 365]
    shares = tuple(float(np.searchsorted(ordered, d, "right") / len(days)) for d in marks)
    week = percent(shares[3])
    return Chart(
        kind="line",
        title=Text(f"{week} of buyers buy within a week", f"{week} 的买家在一周内下单"),
        x=tuple(float(d) for d in marks),
        series=(Series(Text("have bought", "已下单"), shares, n=(len(days),) * len(marks)),),
        x_name=Text("days since coming", "到来后的天数"),
        y_name=Text("share of buyers", "占买家比例"),
        percent=True,
    )


def _step_table(found: Passed, steps: list[tuple[str, int]]) -> Table:
    rows = [
        (
            STAGES[name],
            count,
            count / len(found),
            count / before if before else None,
            before - count,
        )
        for (name, count), before in _jumps(steps)
    ]
    return Table(
        title=Text("Steps and jumps", "各步骤与流失"),
        columns=(
            Text("Step", "步骤"),
            Text("Members", "成员"),
            Text("Of all", "占全部"),
            Text("Of the step before", "占上一步"),
            Text("Lost", "流失"),
        ),
        rows=tuple(rows),
        percent=frozenset({2, 3}),
    )


def _source_table(orders: pa.Table) -> Table:
    """Orders, customers and revenue by source of the order."""
    named = orders.set_column(
        orders.column_names.index("source"), "source", pc.fill_null(orders["source"], "")
    )
    rows = named.group_by("source").aggregate(
        [("customer_id", "count_distinct"), ("order_id", "count"), ("amount_minor", "sum")]
    )
    found = sorted(rows.to_pylist(), key=lambda r: (-(r["amount_minor_sum"] or 0), r["source"]))
    return Table(
        title=Text("Orders by source", "按来源统计的订单"),
        columns=(
            Text("Source", "来源"),
            Text("Customers", "客户数"),
            Text("Orders", "订单数"),
            Text("Amount", "金额"),
        ),
        rows=tuple(
            (
                r["source"] or Text("not stated", "未注明"),
                r["customer_id_count_distinct"],
                r["order_id_count"],
                (r["amount_minor_sum"] or 0) / 100,
            )
            for r in found[:ROWS]
        ),
        more=max(len(found) - ROWS, 0),
    )


def _notes(found: Passed) -> tuple[Text, ...]:
    basis = BASIS[found.came.basis]
    notes = [
        Text(f"“Came” counts from {basis.en}.", f"“到来”按{basis.zh}计。"),
    ]
    if "revenue" not in found.stages:
        notes.append(
            Text("Buying is unknown: add --orders.", "未知是否下单：请提供订单（--orders）。")
        )
    if "referral" not in found.stages:
        notes.append(
            Text(
                "Who brought whom is unknown: the export names no inviters.",
                "未知谁带来了谁：导出中没有邀请人。",
            )
        )
    if len(found) < FEW:
        notes.append(Text(f"Only n = {len(found)}.", f"仅 n = {len(found)}。"))
    return tuple(notes)


_HELP = {
    "activation": Text(
        "welcome each newcomer with one question that is easy to answer",
        "用一个容易回答的问题欢迎每位新人",
    ),
    "retention": Text(
        "give newcomers a reason to return in the second week (a fixed weekly topic)",
        "给新人一个第二周回来的理由（固定的每周话题）",
    ),
    "revenue": Text(
        "offer those who talk a first small purchase, at most two taps from the message",
        "给活跃成员一个小额首单，从消息到付款不超过两步",
    ),
    "referral": Text(
        "ask satisfied buyers to bring one friend, with a thank-you for both",
        "请满意的买家带一位朋友，双方都有答谢",
    ),
}


def _move(steps: list[tuple[str, int]]) -> Move | None:
    before, after, lost = worst_jump(steps)
    if dict(steps)[before] < FEW or lost < 0.3:
        return None
    return Move(
        Text(
            f"The steepest loss is before “{STAGES[after].en}” ({percent(lost)}): "
            f"{_HELP[after].en}.",
            f"流失最大的一步在“{STAGES[after].zh}”之前（{percent(lost)}）：{_HELP[after].zh}。",
        ),
        weight=0.3 + 0.3 * lost,
    )


FUNNEL = Metric(
    id="funnel",
    name=Text("Funnel (AARRR and RARRA)", "漏斗（AARRR 与 RARRA）"),
    unit=Text("share of those who came", "占到来者比例"),
    window=Text("who came at least 30 days before the end", "存档结束前至少 30 天到来的成员"),
    definition=Text(
        "Came: joined (events or roster) where known, else first message. Wrote: any message. "
        "Came back: a message at least 7 days after coming. Bought: an order whose member is "
        "the account. Brought somebody: named as inviter. AARRR counts who passed a step and "
        "all before it (buying before bringing); RARRA shows each step by itself, retention "
        "first, and people brought per member last. Time to buy: from coming to the first "
        "order on or after that day.",
        "到来：已知入群（事件或名册）则按入群，否则按首次发言。发言：任意消息。回来：到来 "
        "7 天后仍有消息。"
        "下单：订单的成员 ID 为该账号。带来新人：被记为邀请人。AARRR "
        "计通过该步及之前所有步骤的人（先下单后带人）；"
        "RARRA 逐步单独计算，留存在前，人均带来新人在后。成交时间：从到来到当日或之后的首单。",
    ),
    cubes=(MEMBER_MONTH, MEMBERSHIP, ROSTER, ORDERS, INVITES),
    summarise=_funnel,
    one_of=("orders", "joins", "roster"),
)

METRICS: tuple[Metric, ...] = (FUNNEL,)
