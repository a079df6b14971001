"""What the orders tell: who buys again, which buyers carry the revenue, RFM classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.insight.cohorts import Cohorts
from qunluo.insight.estimates import wilson
from qunluo.insight.figures import Chart, Facts, Finding, Metric, Move, Series, Table
from qunluo.insight.metrics.member_cubes import ORDERS, month_name
from qunluo.insight.metrics.phrases import many, nothing, percent
from qunluo.insight.metrics.study_cubes import Array, column
from qunluo.insight.rfm import (
    CLASSES,
    CUTS,
    Customers,
    Scores,
    customers,
    cuts,
    rank_scores,
    threshold_scores,
    top_share,
)
from qunluo.kit.text import Text

MANY = 10  # orders from here on are one bar
ROWS = 20
FEW = 30


def order_days(orders: pa.Table) -> Array:
    """Local days since 1970 of the orders."""
    days: Array = column(orders, "paid_at").astype("datetime64[D]").astype(np.int64)
    return days


def buyers(orders: pa.Table) -> Customers:
    """Customers as of the day of the last order. Missing amounts count 0."""
    day = order_days(orders)
    ids = np.array(orders["customer_id"].to_pylist(), dtype=str)
    amount = pc.fill_null(orders["amount_minor"], 0).to_numpy()
    return customers(ids, day, amount, int(day.max()))


# repeat


def _repeat(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    orders = cubes[ORDERS.name]
    if not orders.num_rows:
        return Finding({}, 0, nothing("there is no order", "没有订单"))
    found = buyers(orders)
    by_orders, by_days = int((found.orders > 1).sum()), int((found.days > 1).sum())
    cohort = first_order_cohorts(orders, found)
    return Finding(
        value=_repeat_value(orders, found, cohort),
        n=len(found),
        sentence=_repeat_sentence(found, by_orders, by_days),
        interval=wilson(by_days, len(found)),
        charts=(_orders_chart(found, by_orders), _cohort_chart(cohort)),
        tables=(_month_table(orders),),
        notes=_order_notes(orders, len(found)),
        move=_repeat_move(by_days, len(found)),
    )


def first_order_cohorts(orders: pa.Table, found: Customers) -> Cohorts:
    """Customers by the month of their first order, with the months they ordered in."""
    ids = np.array(orders["customer_id"].to_pylist(), dtype=str)
    by_name = np.argsort(found.ids, kind="stable")
    who = by_name[np.searchsorted(found.ids[by_name], ids)]
    month = _months(order_days(orders))
    pairs = np.unique(np.stack([who, month]), axis=1)
    last_day = int(order_days(orders).max())
    last = int(_months(np.array([last_day + 1]))[0]) - 1
    return Cohorts(_months(found.first), pairs[0], pairs[1], last)


def _months(days: Array) -> Array:
    months: Array = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months


def _repeat_value(orders: pa.Table, found: Customers, cohort: Cohorts) -> dict[str, object]:
    n = len(found)
    by_orders, by_days = int((found.orders > 1).sum()), int((found.days > 1).sum())
    return {
        "orders": orders.num_rows,
        "customers": n,
        "amount_minor": int(found.amount.sum()),
        "zero_amount": int(pc.sum(pc.equal(orders["amount_minor"], 0)).as_py() or 0),
        "by_orders": {"customers": by_orders, "share": by_orders / n},
        "by_days": {"customers": by_days, "share": by_days / n},
        "orders_per_customer": _histogram(found),
        "months": _by_month(orders),
        "cohorts": {
            month_name(int(start)): row[: cohort.last_column(int(start))].tolist()
            for start, row in zip(cohort.starts, cohort.classic, strict=True)
        },
        "top_share": {str(part): top_share(found.amount, part) for part in (0.01, 0.1, 0.2)},
    }


def _histogram(found: Customers) -> dict[str, int]:
    counts = np.bincount(np.minimum(found.orders, MANY), minlength=MANY + 1)
    return {str(k): int(counts[k]) for k in range(1, MANY + 1)}


def _by_month(orders: pa.Table) -> dict[str, dict[str, int]]:
    months = _months(order_days(orders))
    amount = pc.fill_null(orders["amount_minor"], 0).to_numpy()
    _, who = np.unique(
        np.array(orders["customer_id"].to_pylist(), dtype=str), return_inverse=True
    )
    found: dict[str, dict[str, int]] = {}
    for month in np.unique(months).tolist():
        rows = months == month
        found[month_name(month)] = {
            "orders": int(rows.sum()),
            "amount_minor": int(amount[rows].sum()),
            "customers": len(np.unique(who[rows])),
        }
    return found


def _repeat_sentence(found: Customers, by_orders: int, by_days: int) -> Text:
    n = len(found)
    return Text(
        f"{percent(by_days / n)} of {many(n, 'customer')} bought on more than one day; counting "
        f"orders instead of days it is {percent(by_orders / n)}.",
        f"{n:,} 名客户中 {percent(by_days / n)} 在不止一天下过单；"
        f"若按订单数而非天数计，为 {percent(by_orders / n)}。",
    )


def _orders_chart(found: Customers, by_orders: int) -> Chart:
    counts = _histogram(found)
    once = percent(1 - by_orders / len(found))
    return Chart(
        kind="bar",
        title=Text(f"{once} ordered once and no more", f"{once} 的客户只下过一单"),
        x=tuple(k if int(k) < MANY else f"≥{MANY}" for k in counts),
        series=(Series(Text("customers", "客户"), tuple(counts.values())),),
        x_name=Text("orders", "订单数"),
        y_name=Text("customers", "客户数"),
    )


def _cohort_chart(cohort: Cohorts) -> Chart:
    points = cohort.curve(cohort.classic)[1:]
    bounds = [wilson(hits, people) for _, hits, people in points]
    y = tuple(hits / people for _, hits, people in points)
    told = percent(y[0]) if y else "–"
    return Chart(
        kind="line",
        title=Text(
            f"{told} order again in the month after the first", f"首购次月再次下单的占 {told}"
        ),
        x=tuple(float(k) for k, _, _ in points),
        series=(
            Series(
                Text("ordered in that month", "当月下单"),
                y,
                tuple(low for low, _ in bounds),
                tuple(high for _, high in bounds),
                tuple(people for _, _, people in points),
            ),
        ),
        x_name=Text("months after the first order", "距首单的月数"),
        y_name=Text("share of customers", "占客户比例"),
        percent=True,
    )


def _month_table(orders: pa.Table) -> Table:
    months = _by_month(orders)
    return Table(
        title=Text("Orders by month", "各月订单"),
        columns=(
            Text("Month", "月份"),
            Text("Orders", "订单数"),
            Text("Amount", "金额"),
            Text("Customers", "客户数"),
        ),
        rows=tuple(
            (name, row["orders"], row["amount_minor"] / 100, row["customers"])
            for name, row in months.items()
        ),
    )


def _order_notes(orders: pa.Table, n: int) -> tuple[Text, ...]:
    unlinked = orders["sender_key"].null_count
    share = percent(unlinked / orders.num_rows)
    linked = Text(
        f"{share} of orders are of customers who never wrote in the archive, or whose id "
        "differs from the export's.",
        f"{share} 的订单来自未在存档中发言、或 ID 与导出不一致的客户。",
    )
    if unlinked == orders.num_rows:
        linked = Text(
            "No order is linked to a member who writes (member_id), so these are customers only.",
            "没有订单能对应到发言成员（member_id），因此这里只有客户、没有成员。",
        )
    few = Text(f"Only n = {n}: read with care.", f"仅 n = {n}，谨慎解读。")
    return ((linked,) if unlinked else ()) + ((few,) if n < FEW else ())


def _repeat_move(by_days: int, n: int) -> Move | None:
    if n < FEW or wilson(by_days, n)[1] >= 0.5:
        return None
    return Move(
        Text(
            f"{percent(1 - by_days / n)} of buyers never came back: two weeks after a first "
            "order, ask how it went and offer what goes with it.",
            f"{percent(1 - by_days / n)} 的买家没有再来：首单两周后主动回访使用情况，"
            "并推荐搭配商品。",
        ),
        weight=0.4 + 0.4 * (1 - by_days / n),
    )


# RFM

SEGMENTS: dict[str, Text] = {
    "best": Text("best (recent, often)", "重要价值（近期且频繁）"),
    "fading": Text("fading (often, not lately)", "重要挽留（频繁但近期未买）"),
    "fresh": Text("fresh (recent, seldom)", "新近（近期但次数少）"),
    "asleep": Text("asleep (seldom, long ago)", "沉睡（少且久未购买）"),
}


def segments(scores: Scores) -> dict[str, Array]:
    """Which customers are in which segment: recent is R ≥ 4, often is F ≥ 4."""
    recent, often = scores.r >= 4, scores.f >= 4
    return {
        "best": recent & often,
        "fading": ~recent & often,
        "fresh": recent & ~often,
        "asleep": ~recent & ~often,
    }


def _rfm(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    orders = cubes[ORDERS.name]
    if not orders.num_rows:
        return Finding({}, 0, nothing("there is no order", "没有订单"))
    found = buyers(orders)
    ranks, thresholds = rank_scores(found), threshold_scores(found)
    parts = segments(ranks)
    return Finding(
        value=_rfm_value(found, ranks, thresholds, orders),
        n=len(found),
        sentence=_rfm_sentence(found, parts),
        charts=(_rfm_chart(ranks),),
        tables=(_segment_table(found, parts), _buyer_table(found, ranks, orders, facts)),
        notes=_order_notes(orders, len(found)),
        move=_rfm_move(found, parts),
    )


def _rfm_value(
    found: Customers, ranks: Scores, thresholds: Scores, orders: pa.Table
) -> dict[str, object]:
    as_of = np.datetime64(int(order_days(orders).max()), "D")
    return {
        "as_of": str(as_of),
        "cuts": {
            "at": list(CUTS),
            "recency_days": list(cuts(found.recency)),
            "orders": list(cuts(found.orders)),
            "amount_minor": list(cuts(found.amount)),
        },
        "by_threshold": _classes(thresholds),
        "by_rank": _classes(ranks),
        "segments": {name: int(rows.sum()) for name, rows in segments(ranks).items()},
    }


def _classes(scores: Scores) -> dict[str, Any]:
    def counts(values: Array) -> list[int]:
        return [int(n) for n in np.bincount(values, minlength=CLASSES + 1)[1:]]

    return {
        "r": counts(scores.r),
        "f": counts(scores.f),
        "m": counts(scores.m),
        "555": scores.count(5),
        "111": scores.count(1),
    }


def _rfm_sentence(found: Customers, parts: Mapping[str, Array]) -> Text:
    best = parts["best"]
    share = int(found.amount[best].sum()) / max(int(found.amount.sum()), 1)
    return Text(
        f"The best {percent(float(best.mean()))} of customers (recent and frequent) brought "
        f"{percent(share)} of revenue; {percent(float(parts['asleep'].mean()))} are asleep.",
        f"最有价值的 {percent(float(best.mean()))} 客户（近期且频繁）贡献了 "
        f"{percent(share)} 的收入；"
        f"{percent(float(parts['asleep'].mean()))} 的客户已沉睡。",
    )


def _rfm_chart(scores: Scores) -> Chart:
    counts = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    np.add.at(counts, (scores.f - 1, scores.r - 1), 1)
    top = int(counts[CLASSES - 1, CLASSES - 1])
    return Chart(
        kind="heatmap",
        title=Text(
            f"{many(top, 'customer')} are in the top class of both recency and frequency",
            f"{top:,} 名客户的近度和频度都在最高一档",
        ),
        x=tuple(f"R{k}" for k in range(1, CLASSES + 1)),
        series=tuple(
            Series(Text(f"F{f + 1}", f"F{f + 1}"), tuple(int(n) for n in counts[f]))
            for f in range(CLASSES)
        ),
        x_name=Text("recency class (5 = latest)", "近度档（5 = 最近）"),
        y_name=Text("frequency class", "频度档"),
    )


def _segment_table(found: Customers, parts: Mapping[str, Array]) -> Table:
    total = max(int(found.amount.sum()), 1)
    rows = [
        (
            SEGMENTS[name],
            int(rows.sum()),
            float(rows.mean()),
            int(found.amount[rows].sum()) / total,
        )
        for name, rows in parts.items()
    ]
    return Table(
        title=Text("Segments by rank classes", "按排名分档的客群"),
        columns=(
            Text("Segment", "客群"),
            Text("Customers", "客户数"),
            Text("Share", "占比"),
            Text("Of revenue", "收入占比"),
        ),
        rows=tuple(rows),
        percent=frozenset({2, 3}),
    )


def _buyer_table(found: Customers, ranks: Scores, orders: pa.Table, facts: Facts) -> Table:
    """The largest customers that are known members; ids of others are never shown."""
    known = orders.filter(pc.is_valid(orders["sender_key"]))
    member = dict(
        zip(known["customer_id"].to_pylist(), known["sender_key"].to_pylist(), strict=True)
    )
    largest = np.argsort(-found.amount, kind="stable").tolist()
    shown = [i for i in largest if str(found.ids[i]) in member]
    return Table(
        title=Text("Largest customers among members", "成员中的大客户"),
        columns=(
            Text("Member", "成员"),
            Text("RFM", "RFM"),
            Text("Days since last", "距上次天数"),
            Text("Orders", "订单数"),
            Text("Amount", "金额"),
        ),
        rows=tuple(
            (
                facts.person(member[str(found.ids[i])]),
                f"{ranks.r[i]}{ranks.f[i]}{ranks.m[i]}",
                int(found.recency[i]),
                int(found.orders[i]),
                int(found.amount[i]) / 100,
            )
            for i in shown[:ROWS]
        ),
        more=max(len(shown) - ROWS, 0),
    )


def _rfm_move(found: Customers, parts: Mapping[str, Array]) -> Move | None:
    fading = parts["fading"]
    share = int(found.amount[fading].sum()) / max(int(found.amount.sum()), 1)
    if int(fading.sum()) < 10 or share < 0.1:
        return None
    return Move(
        Text(
            f"Write to the {int(fading.sum()):,} frequent buyers who have stopped lately: they "
            f"made {percent(share)} of revenue.",
            f"联系 {int(fading.sum()):,} 位近期停购的高频客户：他们贡献过 {percent(share)} "
            "的收入。",
        ),
        weight=min(0.4 + share, 0.95),
    )


REPEAT = Metric(
    id="orders",
    name=Text("Repeat purchase", "复购"),
    unit=Text("share of customers", "占客户比例"),
    window=Text("all orders given", "全部订单"),
    definition=Text(
        "Customers with orders on at least two distinct local days ÷ all customers; beside it "
        "the share with at least two orders, which counts two orders of one day as a return. "
        "Rows with one order id are one order; orders of amount 0 count. Cohorts by month of "
        "the first order.",
        "在至少两个不同本地日下单的客户 ÷ 全部客户；"
        "另列至少两单的客户占比（同日两单也算复购）。"
        "同一订单号的多行为一单；金额为 0 的订单计入。批次按首单月份划分。",
    ),
    cubes=(ORDERS,),
    summarise=_repeat,
    needs=("orders",),
)

RFM = Metric(
    id="rfm",
    name=Text("RFM classes", "RFM 分层"),
    unit=Text("customers", "客户"),
    window=Text("all orders, as of the day of the last", "全部订单，截至最后一单当日"),
    definition=Text(
        "Recency (days since the last order), frequency (orders) and amount in five classes, 5 "
        "best. By threshold: 1 + the number of nearest-rank quintile cuts strictly below the "
        "value (recency: 5 − that); equal values share a class, so a class may be empty. By "
        "rank: sorted by value, then customer id, rank × 5 ÷ n + 1; every class is filled. "
        "Segments use ranks: recent is R ≥ 4, often is F ≥ 4.",
        "近度（距最后一单天数）、频度（订单数）、金额各分五档，5 为最佳。阈值法：1 + "
        "严格低于该值的最近秩五分位点个数"
        "（近度为 5 减该数），同值同档，可能有空档。排名法：按值再按客户 ID 排序，档 = "
        "名次×5÷n+1，各档都不空。"
        "客群用排名法：R ≥ 4 为近期，F ≥ 4 为频繁。",
    ),
    cubes=(ORDERS,),
    summarise=_rfm,
    needs=("orders",),
)

METRICS: tuple[Metric, ...] = (REPEAT, RFM)
