"""When there was talk: days and months, minutes, cohorts of speakers."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from qunluo.insight.estimates import summary
from qunluo.insight.figures import Chart, Facts, Finding, Metric, Series, Table
from qunluo.insight.metrics.count_cubes import (
    BURST,
    BUSIEST_MINUTE,
    COHORT,
    MONTH_ACTIVE,
    PEOPLE_COHORT,
    PEOPLE_MINUTE,
)
from qunluo.insight.metrics.phrases import many, nothing, number, percent
from qunluo.insight.metrics.study_cubes import CLASS_DAY
from qunluo.insight.metrics.talk import ALL_TIME, MESSAGES
from qunluo.kit.text import Text

AT_LEAST = (2, 5, 10, 15, 20, 30, 50)
COHORT_MONTHS = 13
COHORT_ROWS = 18  # cohorts drawn; the document has them all


def _calendar(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    days = _days(cubes[CLASS_DAY.name])
    months = cubes[MONTH_ACTIVE.name].sort_by("month").to_pylist()
    if not days["all"]:
        return Finding({}, 0, nothing("no message", "没有消息"))
    value = {
        "all": _calendar_value(days["all"], months, "n", "speakers"),
        "people": _calendar_value(days["people"], months, "people_n", "people"),
    }
    every = value["all"]
    return Finding(
        value=value,
        n=len(days["all"]),
        sentence=_calendar_sentence(every, facts),
        charts=_calendar_charts(months, days["all"]),
    )


def _calendar_sentence(every: Mapping[str, Any], facts: Facts) -> Text:
    trend, (day, top) = _trend(every["monthly"], facts), every["busiest_days"][0]
    if every["days_spanned"] == 1:
        return Text(f"All {top:,} messages are of one day.", f"{top:,} 条消息都在同一天。")
    active, span = every["days_active"], every["days_spanned"]
    days = Text(
        "There was talk every day" if active == span
        else f"There was talk on {active:,} of {span:,} days",
        "每天都有人说话" if active == span else f"{span:,} 天中有 {active:,} 天有人说话",
    )  # fmt: skip
    middle = number(every["per_active_day"]["p50"])
    usual = Text(
        f"the median day has {middle} messages, the busiest ({day}) {top:,}.",
        f"单日中位数 {middle} 条，最多的一天（{day}）{top:,} 条。",
    )
    if trend is None:
        return Text(f"{days.en}; {usual.en}", f"{days.zh}；{usual.zh}")
    said = Text(days.en[0].lower() + days.en[1:], days.zh)
    return Text(f"{trend.en}; {said.en}; {usual.en}", f"{trend.zh}；{said.zh}；{usual.zh}")


def _trend(monthly: Mapping[str, int], facts: Facts) -> Text | None:
    """Where the talk goes: the busiest whole month against the last one; None below three."""
    first, last = facts.first_on or "", facts.last_on or ""
    whole = {m: n for m, n in monthly.items() if _is_whole(m, first, last)}
    if len(whole) < 3:
        return None
    end = max(whole)
    top = max(whole, key=lambda m: (whole[m], m))
    if top == end:
        return Text(
            f"The last whole month, {end}, was the busiest ({whole[end]:,} messages)",
            f"最近的完整月 {end} 消息最多（{whole[end]:,} 条）",
        )
    left = percent(whole[end] / whole[top])
    return Text(
        f"Talk peaked in {top} ({whole[top]:,} messages) and was at {left} of that in {end}, the "
        "last whole month",
        f"消息在 {top} 达到顶峰（{whole[top]:,} 条），最近的完整月 {end} 为其 {left}",
    )


def _is_whole(month: str, first: str, last: str) -> bool:
    """Whether the archive covers a month from its first to its last day."""
    begins = date.fromisoformat(f"{month}-01")
    ends = begins.replace(day=monthrange(begins.year, begins.month)[1])
    return bool(first) and first <= begins.isoformat() and ends.isoformat() <= last


def _days(rows: pa.Table) -> dict[str, dict[date, int]]:
    """Day → messages, of all accounts and without bots and system accounts."""
    people = rows.filter(pc.is_in(rows["class"], pa.array(["brand", "member"])))
    return {"all": _by_day(rows), "people": _by_day(people)}


def _by_day(rows: pa.Table) -> dict[date, int]:
    sums = rows.group_by("day").aggregate([("n", "sum")]).sort_by("day")
    return dict(zip(sums["day"].to_pylist(), sums["n_sum"].to_pylist(), strict=True))


def _calendar_value(days: Mapping[date, int], months: Sequence[Mapping[str, Any]], n: str,
                    speakers: str) -> dict[str, Any]:  # fmt: skip
    if not days:
        return {}
    span = (max(days) - min(days)).days + 1
    busiest = sorted(days.items(), key=lambda d: (-d[1], d[0]))[:5]
    return {
        "days_spanned": span,
        "days_active": len(days),
        "per_active_day": summary(list(days.values())),
        "busiest_days": [[str(d), c] for d, c in busiest],
        "monthly": {_month(m["month"]): m[n] for m in months if m[n]},
        "monthly_active_speakers": {
            _month(m["month"]): m[speakers] for m in months if m[speakers]
        },
    }


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _calendar_charts(
    months: Sequence[Mapping[str, Any]], days: Mapping[date, int]
) -> tuple[Chart, ...]:
    """By month, or by day where there are at most two months; none of a single day."""
    if len(months) > 2:
        return (_month_chart(months),)
    return (_day_chart(days),) if len(days) > 1 else ()


def _day_chart(days: Mapping[date, int]) -> Chart:
    top = max(days, key=lambda day: (days[day], day))
    span = [min(days) + timedelta(days=k) for k in range((max(days) - min(days)).days + 1)]
    return Chart(
        kind="bar",
        title=Text(
            f"The busiest day was {top}: {many(days[top], 'message')}",
            f"最热闹的一天是 {top}：{days[top]:,} 条",
        ),
        x=tuple(str(day) for day in span),
        series=(Series(MESSAGES, tuple(days.get(day, 0) for day in span)),),
        x_name=Text("day", "日期"),
        y_name=MESSAGES,
    )


def _month_chart(months: Sequence[Mapping[str, Any]]) -> Chart:
    top = max(months, key=lambda m: (m["n"], m["month"]))
    return Chart(
        kind="bar",
        title=Text(
            f"The busiest month was {_month(top['month'])}: {top['n']:,} messages",
            f"最热闹的月份是 {_month(top['month'])}：{top['n']:,} 条",
        ),
        x=tuple(_month(m["month"]) for m in months),
        series=(Series(MESSAGES, tuple(m["n"] for m in months)),),
        x_name=Text("month", "月份"),
        y_name=MESSAGES,
    )


def _bursts(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    every, people = (_sizes(cubes[c.name]) for c in (BURST, PEOPLE_MINUTE))
    minutes = sum(every.values())
    if not minutes:
        return Finding({}, 0, nothing("no message", "没有消息"))
    top = cubes[BUSIEST_MINUTE.name].to_pylist()
    value = {
        "all": _burst_value(every, top, "n"),
        "people": _burst_value(people, top, "people"),
    }
    dense = value["all"]["minutes_with_at_least"]["5"] / minutes
    return Finding(
        value=value,
        n=minutes,
        sentence=Text(
            f"In {percent(dense)} of the minutes with any talk in a group, five or more "
            f"messages came; the densest minute had {max(every)}.",
            f"在有人说话的分钟里，{percent(dense)} 的分钟有五条及以上消息；最密集的一分钟有 "
            f"{max(every)} 条。",
        ),
        charts=(_burst_chart(every),),
    )


def _sizes(rows: pa.Table) -> dict[int, int]:
    """Messages in a minute → minutes, sizes ascending."""
    return {r["size"]: r["minutes"] for r in rows.sort_by("size").to_pylist()}


def _burst_value(sizes: Mapping[int, int], top: Sequence[Mapping[str, Any]],
                 column: str) -> dict[str, Any]:  # fmt: skip
    if not sizes:
        return {}
    busiest = sorted(top, key=lambda r: (-r[column], r["minute"], r["group_key"]))[:5]
    return {
        "per_minute": summary(list(sizes), list(sizes.values())),
        "minutes_with_at_least": {
            str(k): sum(n for size, n in sizes.items() if size >= k) for k in AT_LEAST
        },
        "busiest_minutes": [[f"{r['minute']:%Y-%m-%d %H:%M}", r[column]] for r in busiest],
    }


def _burst_chart(sizes: Mapping[int, int]) -> Chart:
    shown = [*range(1, 10)]
    more = sum(n for size, n in sizes.items() if size >= 10)
    return Chart(
        kind="bar",
        title=Text(
            f"{percent(sizes.get(1, 0) / sum(sizes.values()))} of the minutes have one message",
            f"{percent(sizes.get(1, 0) / sum(sizes.values()))} 的分钟只有一条消息",
        ),
        x=(*map(str, shown), "10+"),
        series=(Series(Text("minutes", "分钟数"), (*(sizes.get(s, 0) for s in shown), more)),),
        x_name=Text("messages in one clock minute of a group", "同一群同一分钟内的消息数"),
        y_name=Text("minutes", "分钟数"),
    )


def _cohorts(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    every, people = (_cohort_rows(cubes[c.name]) for c in (COHORT, PEOPLE_COHORT))
    if not every:
        return Finding({}, 0, nothing("no message", "没有消息"))
    value = {"all": _cohort_value(every), "people": _cohort_value(people)}
    n = sum(row[0] for row in every.values())
    pooled = value["all"]["pooled_retention"]
    back = next((share for share in pooled[1:2] if share is not None), None)
    return Finding(
        value=value,
        n=n,
        sentence=_cohort_sentence(n, back),
        charts=(_cohort_chart(pooled),) if len(every) > 1 else (),
        tables=(_cohort_table(every),),
        notes=(_BY_FIRST_MESSAGE,),
    )


_BY_FIRST_MESSAGE = Text(
    "Cohorts by first message, not by join: who joined and never wrote is not in here.",
    "按首次发言而非入群分组：入群后从未发言的人不在其中。",
)


def _cohort_rows(rows: pa.Table) -> dict[date, list[int]]:
    """First month → speakers active 0, 1, 2 … months later, up to the archive's last month."""
    if not rows.num_rows:
        return {}
    last = pc.max(rows["month"]).as_py()
    found: dict[date, list[int]] = {}
    for r in rows.sort_by([("first", "ascending"), ("month", "ascending")]).to_pylist():
        length = _months_between(r["first"], last) + 1
        counts = found.setdefault(r["first"], [0] * min(length, COHORT_MONTHS))
        after = _months_between(r["first"], r["month"])
        if after < COHORT_MONTHS:
            counts[after] = r["n"]
    return found


def _months_between(first: date, later: date) -> int:
    return (later.year - first.year) * 12 + later.month - first.month


def _cohort_value(rows: Mapping[date, list[int]]) -> dict[str, Any]:
    return {
        "cohorts": {_month(first): counts for first, counts in rows.items()},
        "pooled_retention": _pooled(list(rows.values())),
    }


def _pooled(rows: Sequence[Sequence[int]]) -> list[float | None]:
    """Share active k months later, over the cohorts that are k months old at least."""
    shares: list[float | None] = []
    for k in range(COHORT_MONTHS):
        old = [row for row in rows if len(row) > k]
        base = sum(row[0] for row in old)
        shares.append(sum(row[k] for row in old) / base if base else None)
    return shares


def _cohort_sentence(n: int, back: float | None) -> Text:
    if back is None:
        return Text(
            f"{many(n, 'account')} wrote; one month is too short to see who comes back.",
            f"共 {n:,} 个账号发言；仅一个月，尚看不出谁会回来。",
        )
    return Text(
        f"{percent(back)} of the accounts write again in the month after their first message.",
        f"{percent(back)} 的账号在首次发言的次月再次发言。",
    )


def _cohort_chart(pooled: Sequence[float | None]) -> Chart:
    known = [(k, share) for k, share in enumerate(pooled) if share is not None]
    months, last = known[-1]
    return Chart(
        kind="line",
        title=Text(
            f"{percent(last)} still write {many(months, 'month')} after their first message",
            f"首次发言 {months} 个月后，仍有 {percent(last)} 在发言",
        ),
        x=tuple(str(k) for k in range(len(pooled))),
        series=(Series(Text("all cohorts", "全部批次"), tuple(pooled)),),
        x_name=Text("months since the first message", "首次发言后的月数"),
        y_name=Text("share active", "活跃占比"),
        percent=True,
    )


def _cohort_table(rows: Mapping[date, list[int]]) -> Table:
    latest = list(rows.items())[-COHORT_ROWS:]
    width = max(len(counts) for _, counts in latest)
    return Table(
        title=Text("Active speakers by month of first message", "按首次发言月份的活跃人数"),
        columns=(Text("Cohort", "批次"), *(Text(f"+{k}", f"+{k}") for k in range(width))),
        rows=tuple(
            (_month(first), *counts, *[None] * (width - len(counts)))
            for first, counts in latest
        ),
        more=len(rows) - len(latest),
    )


METRICS: tuple[Metric, ...] = (
    Metric(
        id="calendar",
        name=Text("Days and months", "日与月"),
        unit=MESSAGES,
        window=ALL_TIME,
        definition=Text(
            "Messages and actions by local calendar day and month. An active day has at least "
            "one. Quantiles are nearest-rank over active days. Monthly active speakers: distinct "
            "accounts with at least one message in the month. `people` leaves out bots and "
            "system accounts.",
            "按当地日历日与月统计消息与动作。活跃日至少一条。分位数为活跃日的最近秩分位。月活跃发言"
            "账号：当月至少发一条消息的不同账号。`people` 不含机器人与系统账号。",
        ),
        cubes=(CLASS_DAY, MONTH_ACTIVE),
        summarise=_calendar,
    ),
    Metric(
        id="bursts",
        name=Text("Bursts", "消息密度"),
        unit=Text("messages in one clock minute of a group", "同一群同一分钟内的消息数"),
        window=ALL_TIME,
        definition=Text(
            "Messages and actions of one group within one wall-clock minute; only minutes with "
            "at least one. `people` leaves out bots and system accounts.",
            "同一群在同一时钟分钟内的消息与动作数；只计至少一条的分钟。`people` 不含机器人与系统账号。",
        ),
        cubes=(BURST, PEOPLE_MINUTE, BUSIEST_MINUTE),
        summarise=_bursts,
    ),
    Metric(
        id="cohorts",
        name=Text("Cohorts of speakers", "发言者批次"),
        unit=Text("accounts", "账号数"),
        window=Text("13 months from the first message", "首次发言起 13 个月"),
        definition=Text(
            "Cohort: local calendar month of an account's first message in the archive. Row k: "
            "its accounts with at least one message in month +k, classic retention. Pooled: sum "
            "over the cohorts that are at least k months old ÷ their size. `people` leaves out "
            "bots and system accounts.",
            "批次：账号在档案中首次发言的当地月份。第 k 列：该批账号在第 +k 月至少发言一次的人数（经典"
            "留存）。合并值：满 k 个月的各批之和 ÷ 其人数。`people` 不含机器人与系统账号。",
        ),
        cubes=(COHORT, PEOPLE_COHORT),
        summarise=_cohorts,
    ),
)
