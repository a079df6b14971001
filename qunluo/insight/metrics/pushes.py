"""I4 and I5: how often the brand speaks, and how many messages it sends at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from qunluo.insight.estimates import quantile, weighted_quantile
from qunluo.insight.figures import Chart, Cube, Facts, Finding, Metric, Move, Series, Table
from qunluo.insight.metrics.phrases import NO_BRAND, many, nothing, number, percent
from qunluo.insight.metrics.study_cubes import CLASS_DAY, by_group, column, sums, where
from qunluo.kit.text import Text

ROWS = 50
BUCKETS = ((1, "≤1"), (5, "2–5"), (20, "6–20"), (50, "21–50"), (100, "51–100"), (None, ">100"))
LOUD = 100  # brand messages a day above which a group drowns in them
LARGE = 10  # sizes from here on are drawn as one


@dataclass(frozen=True)
class Pace:
    """The brand's messages of one group."""

    group: int
    n: int
    days: int  # from the group's first to its last message of any class, both counted
    largest: int
    largest_on: date | None

    @property
    def a_day(self) -> float:
        return self.n / self.days

    @property
    def bucket(self) -> str:
        return next(name for top, name in BUCKETS if top is None or self.a_day <= top)


def paces(class_day: pa.Table) -> list[Pace]:
    """One row a group, the fastest first; groups where the brand never spoke have n = 0."""
    found = [_pace(group, rows) for group, rows in by_group(class_day).items()]
    return sorted(found, key=lambda p: (-p.a_day, p.group))


def _pace(group: int, rows: pa.Table) -> Pace:
    days, brand = column(rows, "day"), where(rows, "class", "brand")
    span = int((days.max() - days.min()) // np.timedelta64(1, "D")) + 1
    counts = column(brand, "n")
    if not len(counts):
        return Pace(group, 0, span, 0, None)
    top = int(counts.argmax())
    on = column(brand, "day")[top].astype(date)
    return Pace(group, int(counts.sum()), span, int(counts[top]), on)


def _daily(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    found = paces(cubes[CLASS_DAY.name])
    if not any(p.n for p in found):
        return Finding({}, 0, nothing(NO_BRAND.en, NO_BRAND.zh))
    middle = quantile([p.a_day for p in found], 0.5)
    buckets = [{"bucket": b, "groups": sum(p.bucket == b for p in found)} for _, b in BUCKETS]
    most = max(found, key=lambda p: (p.largest, -p.group))
    value = {
        "median": middle,
        "buckets": buckets,
        "largest": {
            "n": most.largest,
            "on": str(most.largest_on),
            "group": facts.group(most.group),
        },
    }
    return Finding(
        value=value,
        n=len(found),
        sentence=_daily_sentence(found, middle, most),
        charts=(_daily_chart(buckets, len(found)),),
        tables=(_daily_table(found, facts),),
        move=_quieter(found),
    )


def _daily_sentence(found: list[Pace], middle: float, most: Pace) -> Text:
    names = [p.bucket for p in found]
    usual = max((b for _, b in BUCKETS), key=names.count)
    return Text(
        f"Most often a group gets {usual} brand messages a day ({names.count(usual):,} of "
        f"{many(len(found), 'group')}; median {number(middle)}); the largest day had "
        f"{most.largest:,}, on {most.largest_on}.",
        f"最常见的是每天收到 {usual} 条品牌消息（{len(found):,} 个群中有 "
        f"{names.count(usual):,} 个；中位数 {number(middle)} 条）；最多的一天是 "
        f"{most.largest_on}，单群 {most.largest:,} 条。",
    )


def _daily_chart(buckets: list[dict[str, Any]], n: int) -> Chart:
    usual = max(buckets, key=lambda b: b["groups"])
    return Chart(
        kind="bar",
        title=Text(
            f"{usual['groups']:,} of {many(n, 'group')} get {usual['bucket']} brand messages "
            "a day",
            f"{n:,} 个群中有 {usual['groups']:,} 个每天收到 {usual['bucket']} 条品牌消息",
        ),
        x=tuple(b["bucket"] for b in buckets),
        series=(Series(Text("groups", "群数"), tuple(b["groups"] for b in buckets)),),
        x_name=Text("brand messages a day", "每天品牌消息数"),
        y_name=Text("groups", "群数"),
    )


def _daily_table(found: list[Pace], facts: Facts) -> Table:
    return Table(
        title=Text("Groups by brand messages a day", "各群每天的品牌消息"),
        columns=(
            Text("Group", "群"),
            Text("Brand messages", "品牌消息"),
            Text("Days", "天数"),
            Text("A day", "日均"),
            Text("Largest day", "最多的一天"),
            Text("On", "日期"),
        ),
        rows=tuple(
            (
                facts.group(p.group),
                p.n,
                p.days,
                round(p.a_day, 1),
                p.largest,
                str(p.largest_on) if p.largest_on else None,
            )
            for p in found[:ROWS]
        ),
        more=max(len(found) - ROWS, 0),
    )


def _quieter(found: list[Pace]) -> Move | None:
    loud = [p for p in found if p.a_day > LOUD]
    if not loud:
        return None
    en = f"Send less in {many(len(loud), 'group')} with over {LOUD} brand messages a day."
    zh = f"减少 {len(loud):,} 个群的推送：日均品牌消息超过 {LOUD} 条。"
    return Move(Text(en, zh), min(0.3 + len(loud) / len(found), 0.7))


DAILY = Metric(
    id="I4",
    name=Text("Brand messages a day", "品牌日均消息数"),
    unit=Text("messages a day", "条/天"),
    window=Text(
        "each group from its first to its last message", "每个群自第一条至最后一条消息"
    ),
    definition=Text(
        "Per group: messages of brand accounts ÷ local days from the group's first to its last "
        "message of any class, both days counted. Groups are put into buckets by this mean: "
        "at most 1, above 1 to 5, to 20, to 50, to 100, above 100. The median is the "
        "nearest-rank one over groups. Largest day: most brand messages of one group on one "
        "local day. Groups without a brand message count with 0.",
        "每个群：品牌账号的消息数 ÷ 该群第一条到最后一条消息（不分身份）之间的本地天数"
        "（首尾都计）。按此均值分档：不超过 1、1 以上至 5、至 20、至 50、至 100、100 以上。"
        "中位数取群间最近秩。最多的一天：单个群在一个本地日内的品牌消息最大值。"
        "没有品牌消息的群按 0 计。",
    ),
    cubes=(CLASS_DAY,),
    summarise=_daily,
    reference=Text(
        "mostly 6–20 a day; one group at 750; the largest day above 1,000",
        "多为每天 6–20 条；有一个群日均 750 条；最多的一天超过 1,000 条",
    ),
)


def _pushes(t: Any) -> Any:
    brand = t.classed.filter(t.classed["class"] == "brand")
    minutes = brand.group_by(group_key="group_key", minute=brand.local_at.truncate("m")).agg(
        size=lambda m: m.count()
    )
    return minutes.group_by(["group_key", "size"]).agg(minutes=lambda m: m.count())


PUSHES = Cube("pushes", _pushes)
"""group_key, size (brand messages in one clock minute), minutes."""


def _push_size(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    rows = cubes[PUSHES.name]
    sizes, minutes = column(rows, "size"), column(rows, "minutes")
    total = int(minutes.sum()) if len(minutes) else 0
    if not total:
        return Finding({}, 0, nothing(NO_BRAND.en, NO_BRAND.zh))
    by_size = sums(sizes, minutes)
    value = {
        "median": int(weighted_quantile(sizes, minutes, 0.5)),
        "p90": int(weighted_quantile(sizes, minutes, 0.9)),
        "largest": max(by_size),
        "sizes": [{"size": s, "minutes": m, "share": m / total} for s, m in by_size.items()],
    }
    return Finding(
        value=value,
        n=total,
        sentence=_push_sentence(by_size, total),
        charts=(_push_chart(by_size, total),),
        tables=(_push_table(rows, facts),),
    )


def _push_sentence(by_size: Mapping[int, int], total: int) -> Text:
    small = sum(m for s, m in by_size.items() if s <= 2) / total
    large = sum(m for s, m in by_size.items() if s >= 5) / total
    return Text(
        f"{percent(small)} of the brand's pushes are 1–2 messages; {percent(large)} bring five "
        f"or more at once, up to {max(by_size):,} in one minute.",
        f"品牌推送中 {percent(small)} 为 1–2 条；{percent(large)} 一次连发 5 条及以上，"
        f"一分钟内最多 {max(by_size):,} 条。",
    )


def _push_chart(by_size: Mapping[int, int], total: int) -> Chart:
    shown = [by_size.get(size, 0) for size in range(1, LARGE)]
    counts = [*shown, sum(m for s, m in by_size.items() if s >= LARGE)]
    usual = min(by_size, key=lambda s: (-by_size[s], s))
    return Chart(
        kind="bar",
        title=Text(
            f"The most frequent push has {many(usual, 'message')}",
            f"最常见的一次推送为 {usual:,} 条消息",
        ),
        x=(*(str(s) for s in range(1, LARGE)), f"≥{LARGE}"),
        series=(Series(Text("pushes", "推送"), tuple(c / total for c in counts)),),
        x_name=Text("messages in one minute", "一分钟内的消息数"),
        y_name=Text("share of pushes", "占全部推送"),
        percent=True,
    )


def _push_table(rows: pa.Table, facts: Facts) -> Table:
    found = [_push_row(group, part) for group, part in by_group(rows).items()]
    found.sort(key=lambda r: (-r[3], -r[2], r[0]))
    return Table(
        title=Text("Groups with the largest pushes", "单次推送最多的群"),
        columns=(
            Text("Group", "群"),
            Text("Pushes", "推送次数"),
            Text("Mean size", "平均条数"),
            Text("Largest", "最多条数"),
        ),
        rows=tuple((facts.group(r[0]), *r[1:]) for r in found[:ROWS]),
        more=max(len(found) - ROWS, 0),
    )


def _push_row(group: int, part: pa.Table) -> tuple[int, int, float, int]:
    sizes, minutes = column(part, "size"), column(part, "minutes")
    mean = float((sizes * minutes).sum() / minutes.sum())
    return group, int(minutes.sum()), round(mean, 2), int(sizes.max())


PUSH_SIZE = Metric(
    id="I5",
    name=Text("Push size", "单次推送条数"),
    unit=Text("messages in one clock minute", "条/自然分钟"),
    window=Text("the whole archive", "整个存档"),
    definition=Text(
        "A push is one local clock minute of one group in which brand accounts wrote; its size "
        "is the number of their messages in that minute. Distribution over all pushes; "
        "quantiles are nearest-rank. Exports that know only minutes give the same figure.",
        "一次推送 = 某群中品牌账号有发言的一个本地自然分钟；其大小为该分钟内品牌账号的消息数。"
        "对全部推送统计分布；分位数取最近秩。只精确到分钟的导出结果相同。",
    ),
    cubes=(PUSHES,),
    summarise=_push_size,
    reference=Text("mostly 1–2; some 8–9", "多为 1–2 条；有些 8–9 条"),
)

METRICS: tuple[Metric, ...] = (DAILY, PUSH_SIZE)
