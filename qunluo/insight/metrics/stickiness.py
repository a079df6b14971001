"""Stickiness: on a usual day, what share of the month's active members is there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from qunluo.insight.figures import Chart, Facts, Finding, Metric, Series, Table
from qunluo.insight.metrics.member_cubes import (
    MEMBER_DAY,
    MEMBER_MONTH,
    last_whole_month,
    month_name,
    month_number,
    person_months,
)
from qunluo.insight.metrics.phrases import nothing, number, percent
from qunluo.insight.metrics.study_cubes import Array, column
from qunluo.kit.text import Text

ROWS = 36


def by_month(days: pa.Table, talk: pa.Table) -> list[tuple[int, float, int]]:
    """(month, mean daily actives over all its calendar days, monthly actives), ascending."""
    day, members = column(days, "day").astype("datetime64[D]"), column(days, "members")
    _, months = person_months(talk)
    found, actives = np.unique(months, return_counts=True)
    place = np.searchsorted(found, month_number(day))
    total = np.bincount(place, weights=members, minlength=len(found))
    pairs = zip(found.tolist(), total / _lengths(found), actives.tolist(), strict=True)
    return [(month, float(dau), int(mau)) for month, dau, mau in pairs]


def _lengths(months: Array) -> Array:
    """Days of each month."""
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    after = (months + 1).astype("datetime64[M]").astype("datetime64[D]")
    days: Array = (after - first).astype(np.int64)
    return days


def _stickiness(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    talk = cubes[MEMBER_MONTH.name]
    if not talk.num_rows:
        return Finding({}, 0, nothing("no member wrote", "没有成员发言"))
    months = by_month(cubes[MEMBER_DAY.name], talk)
    whole = [row for row in months if _is_whole(row[0], facts)]
    if not whole:
        return Finding({}, len(months), _too_short(len(months)))
    dau, mau = sum(r[1] for r in whole), sum(r[2] for r in whole)
    return Finding(
        value={
            "share": dau / mau,
            "months": [
                {"month": month_name(m), "dau": d, "mau": n, "share": d / n}
                for m, d, n in whole
            ],
        },
        n=mau,
        sentence=_sentence(whole, dau / mau),
        charts=(_chart(whole),),
        tables=(_table(whole),),
    )


def _is_whole(month: int, facts: Facts) -> bool:
    """The month lies wholly between the archive's first and last day."""
    first = np.datetime64(facts.first_on or "1970-01-01", "D")
    begins = np.datetime64(month, "M").astype("datetime64[D]")
    return bool(begins >= first) and month <= last_whole_month(facts)


def _too_short(months: int) -> Text:
    return Text(
        f"The archive holds no whole calendar month ({months} begun): too short to tell.",
        f"存档中没有完整的自然月（仅 {months} 个不完整月）：时间太短，无法判断。",
    )


def _sentence(whole: list[tuple[int, float, int]], share: float) -> Text:
    month, dau, mau = whole[-1]
    name = month_name(month)
    return Text(
        f"On an average day {percent(share)} of the month's active members write; in {name} "
        f"that was {number(round(dau, 1))} a day out of {mau:,}.",
        f"平均每天有 {percent(share)} 的月活成员发言；{name} 日均 {number(round(dau, 1))} 人，"
        f"月活 {mau:,} 人。",
    )


def _chart(whole: list[tuple[int, float, int]]) -> Chart:
    first, last = whole[0][1] / whole[0][2], whole[-1][1] / whole[-1][2]
    return Chart(
        kind="line",
        title=Text(
            f"Stickiness went from {percent(first)} to {percent(last)}",
            f"黏性从 {percent(first)} 变为 {percent(last)}",
        ),
        x=tuple(month_name(m) for m, _, _ in whole),
        series=(
            Series(
                Text("daily ÷ monthly actives", "日活 ÷ 月活"),
                tuple(d / n for _, d, n in whole),
                n=tuple(n for _, _, n in whole),
            ),
        ),
        x_name=Text("month", "月份"),
        y_name=Text("share of monthly actives", "占月活比例"),
        percent=True,
    )


def _table(whole: list[tuple[int, float, int]]) -> Table:
    shown = whole[::-1][:ROWS]
    return Table(
        title=Text("Daily and monthly actives", "日活与月活"),
        columns=(
            Text("Month", "月份"),
            Text("Daily", "日活"),
            Text("Monthly", "月活"),
            Text("Daily ÷ monthly", "日活÷月活"),
        ),
        rows=tuple((month_name(m), round(d, 1), n, d / n) for m, d, n in shown),
        percent=frozenset({3}),
        more=len(whole) - len(shown),
    )


STICKINESS = Metric(
    id="stickiness",
    name=Text("Stickiness (DAU ÷ MAU)", "黏性（日活÷月活）"),
    unit=Text("share of monthly actives", "占月活比例"),
    window=Text("whole calendar months", "完整自然月"),
    definition=Text(
        "Members who wrote on a day, over all groups, averaged over every calendar day of the "
        "month (silent days count 0) ÷ members who wrote in the month. Over several months: "
        "sum ÷ sum. Reading without writing is not seen.",
        "某日在任一群发言的成员数，对当月所有自然日取平均（无人发言计 0）÷ 当月发言成员数；"
        "多月合并为和÷和。"
        "只看不说的成员无法计入。",
    ),
    cubes=(MEMBER_DAY, MEMBER_MONTH),
    summarise=_stickiness,
)

METRICS: tuple[Metric, ...] = (STICKINESS,)
