"""A drives B: whether others talk more in the hour after the core (or the brand) has posted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from qunluo.insight.estimates import ROUNDS
from qunluo.insight.figures import Chart, Cube, Facts, Finding, Metric, Move, Series, Table
from qunluo.insight.metrics.member_cubes import WHO
from qunluo.insight.metrics.phrases import nothing, signed
from qunluo.insight.metrics.study_cubes import Array, by_group, column
from qunluo.kit.text import Text

LEADERS = 5  # speakers of a group whose posts are held to drive the others
GROUPS = 300  # the most talkative are looked at
WEEK_H = 168
BANDS = (
    1,
    3,
    10,
    30,
    100,
)  # others' messages in the hour before, from which the next band begins
FEW = 30  # hours with a post
ROWS = 30
WHOSE = {
    "core": Text("the five most active members", "最活跃的五名成员"),
    "brand": Text("the brand", "品牌"),
}


def _pulse(t: Any) -> Any:
    import ibis  # noqa: PLC0415 - compiled plans are kept, so most runs never need it

    people = t.person.group_by(WHO).agg(n=lambda p: p.n.sum()).join(t.classes, WHO)
    members = people.filter(people["class"] == "member")
    by_talk = ibis.window(group_by="group_key", order_by=[ibis.desc("n"), "sender_key"])
    ranked = members.mutate(place=ibis.row_number().over(by_talk)).filter(
        lambda m: m.place < LEADERS
    )
    leaders = ranked.select(*WHO, "place")
    rows = t.classed.semi_join(_talkative(people.left_join(leaders, WHO)), "group_key")
    rows = rows.left_join(leaders, WHO)
    leads, member = rows.place.notnull(), rows["class"] == "member"
    rows = rows.mutate(
        hour=rows.local_at.epoch_seconds() // 3_600,
        core=leads.cast("int64"),
        brand=(rows["class"] == "brand").cast("int64"),
        others=(member & ~leads).cast("int64"),
    )
    return rows.group_by(["group_key", "hour"]).agg(
        core=lambda r: r.core.sum(),
        brand=lambda r: r.brand.sum(),
        others=lambda r: r.others.sum(),
    )


def _talkative(people: Any) -> Any:
    """The groups where members besides the leaders wrote most."""
    import ibis  # noqa: PLC0415 - compiled plans are kept, so most runs never need it

    other = (people["class"] == "member") & people.place.isnull()
    size = people.group_by("group_key").agg(others=people.n.sum(where=other).fill_null(0))
    return size.order_by([ibis.desc("others"), "group_key"]).limit(GROUPS)


PULSE = Cube("pulse", _pulse)
"""group_key, hour (since 1970, local), core (messages of the group's five most active
members), brand, others (of other members); hours with any
message, of the `GROUPS` groups where others wrote most."""


@dataclass(frozen=True)
class Effect:
    """Messages of others in the hour after a post, beyond what such hours have without one.

    `extra` and `posts` are Σ over the hours of each calendar week: the bootstrap draws weeks.
    """

    extra: Array
    posts: Array
    after: float  # mean messages of others in the hour after
    seed: int

    @property
    def n(self) -> int:
        return int(self.posts.sum())

    @property
    def mean(self) -> float:
        return float(self.extra.sum() / self.n) if self.n else float("nan")

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95 % percentile interval over resampled weeks."""
        weeks = len(self.posts)
        drawn = np.random.default_rng(self.seed).integers(0, weeks, (ROUNDS, weeks))
        posts = self.posts[drawn].sum(axis=1)
        kept = posts > 0
        means = self.extra[drawn].sum(axis=1)[kept] / posts[kept]
        low, high = np.quantile(means, [0.025, 0.975])
        return float(low), float(high)


@dataclass(frozen=True)
class Hours:
    """A group's hours that count: those with a post (`posted`) and those they are matched to.

    `extra` adds up to the effect: of an hour with a post, by how much others' messages rose
    from the hour before to the hour after, less the mean rise of matched hours. Matched
    hours add their deviation from that mean, weighted: 0 in sum, but it tells the bootstrap
    how unsure the mean is.
    """

    hour: Array
    posted: Array
    after: Array
    extra: Array


def lagged(pulse: pa.Table, source: str) -> dict[int, Hours]:
    """Per group, hours with a post of `source` and matched hours without: same group, same hour
    of the week, others about equally busy (BANDS) in the hour before."""
    return {group: _lagged(rows, source) for group, rows in sorted(by_group(pulse).items())}


def _lagged(rows: pa.Table, source: str) -> Hours:
    hour = column(rows, "hour")
    start, width = int(hour.min()), int(hour.max() - hour.min()) + 1
    posts, others = np.zeros(width), np.zeros(width)
    posts[hour - start], others[hour - start] = column(rows, source), column(rows, "others")
    now = np.arange(1, width - 1)  # hours that have one before and one after
    posted, after = posts[now] > 0, others[now + 1]
    cell = _cells(now + start, others[now - 1])
    extra, matched = _extra(cell, posted, after - others[now - 1])
    return Hours(now[matched] + start, posted[matched], after[matched], extra[matched])


def _cells(hour: Array, before: Array) -> Array:
    band = np.searchsorted(np.array(BANDS), before, side="right")
    cells: Array = hour % WEEK_H * (len(BANDS) + 1) + band
    return cells


def _extra(cell: Array, posted: Array, change: Array) -> tuple[Array, Array]:
    """See `Hours.extra`, and which hours lie in a cell that has both kinds."""
    cells = WEEK_H * (len(BANDS) + 1)
    loud = np.bincount(cell[posted], minlength=cells)
    quiet = np.bincount(cell[~posted], minlength=cells)
    usual = np.bincount(cell[~posted], weights=change[~posted], minlength=cells)
    matched = (loud[cell] > 0) & (quiet[cell] > 0)
    quiet = np.maximum(quiet, 1)
    off = change - usual[cell] / quiet[cell]
    return np.where(posted, off, -off * loud[cell] / quiet[cell]), matched


def effect(parts: list[Hours], seed: int) -> Effect:
    """One effect over these groups' hours."""
    hour = np.concatenate([part.hour for part in parts])
    posted = np.concatenate([part.posted for part in parts])
    extra = np.concatenate([part.extra for part in parts])
    after = np.concatenate([part.after for part in parts])[posted]
    _, week = np.unique(hour // WEEK_H, return_inverse=True)
    weeks = int(week.max()) + 1 if len(week) else 0
    return Effect(
        np.bincount(week, weights=extra, minlength=weeks),
        np.bincount(week, weights=posted, minlength=weeks),
        float(after.mean()) if len(after) else float("nan"),
        seed,
    )


def _sparks(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    pulse = cubes[PULSE.name]
    if not pulse.num_rows:
        return Finding({}, 0, nothing("there is no message", "没有消息"))
    by_source = {source: lagged(pulse, source) for source in WHOSE}
    found = {s: effect(list(parts.values()), facts.seed) for s, parts in by_source.items()}
    known = {source: one for source, one in found.items() if one.n >= FEW}
    if not known:
        n = max(one.n for one in found.values())
        return Finding({}, n, _too_few(n))
    groups = _group_effects(by_source["core"], facts)
    core = known.get("core")
    return Finding(
        value={source: _told(one) for source, one in known.items()},
        n=sum(one.n for one in known.values()),
        sentence=_sentence(known),
        interval=core.interval if core else None,
        charts=(_chart(known),),
        tables=(groups,) if groups.rows else (),
        notes=(_CAUSE,),
        move=_move(core) if core else None,
    )


def _too_few(n: int) -> Text:
    return Text(
        f"Too little to tell: only {n} hours with a post can be compared with hours without "
        f"one ({FEW} are needed).",
        f"数据太少：只有 {n} 个有发言的小时可与无发言的小时比较（至少需要 {FEW} 个）。",
    )


def verdict(one: Effect) -> str:
    """`more`, `less`, or `inconclusive` when the interval holds 0."""
    low, high = one.interval
    if low > 0:
        return "more"
    return "less" if high < 0 else "inconclusive"


def _told(one: Effect) -> dict[str, object]:
    low, high = one.interval
    return {
        "extra": one.mean,
        "low": low,
        "high": high,
        "after": one.after,
        "hours": one.n,
        "verdict": verdict(one),
    }


def _sentence(known: Mapping[str, Effect]) -> Text:
    parts = [_phrase(source, one) for source, one in known.items()]
    return Text(" ".join(p.en for p in parts), "".join(p.zh for p in parts))


def _phrase(source: str, one: Effect) -> Text:
    low, high = one.interval
    who = WHOSE[source]
    ends = Text(f"{signed(low)} to {signed(high)}", f"{signed(low)} 至 {signed(high)}")
    if verdict(one) == "inconclusive":
        return Text(
            f"Whether posts of {who.en} draw others out is inconclusive (95% interval {ends.en} "
            "messages).",
            f"{who.zh}的发言是否带动他人，尚无定论（95% 区间 {ends.zh} 条）。",
        )
    more = verdict(one) == "more"
    return Text(
        f"In the hour after {who.en} posted, others wrote {abs(one.mean):.2f} "
        f"{'more' if more else 'fewer'} messages than in like hours without a post.",
        f"{who.zh}发言后的一小时内，其他成员比同类时段{'多' if more else '少'}发 "
        f"{abs(one.mean):.2f} 条。",
    )


def _chart(known: Mapping[str, Effect]) -> Chart:
    bounds = [one.interval for one in known.values()]
    drawn = [source for source, one in known.items() if verdict(one) == "more"]
    title = (
        Text(
            f"Others talk more after {' and '.join(WHOSE[s].en for s in drawn)}",
            f"{'和'.join(WHOSE[s].zh for s in drawn)}发言后，其他人更活跃",
        )
        if drawn
        else Text("Nobody's posts clearly draw others out", "没有谁的发言明显带动了他人")
    )
    return Chart(
        kind="bar",
        title=title,
        x=tuple(WHOSE[source] for source in known),
        series=(
            Series(
                Text("extra messages of others", "他人额外消息"),
                tuple(one.mean for one in known.values()),
                tuple(low for low, _ in bounds),
                tuple(high for _, high in bounds),
                tuple(one.n for one in known.values()),
            ),
        ),
        x_name=Text("who posted", "谁发言"),
        y_name=Text("extra messages in the next hour", "下一小时额外消息数"),
        reference=((0.0, Text("no effect", "无影响")),),
    )


def _group_effects(parts: Mapping[int, Hours], facts: Facts) -> Table:
    found = [
        (g, effect([part], facts.seed))
        for g, part in parts.items()
        if int(part.posted.sum()) >= FEW
    ]
    found.sort(key=lambda row: (-row[1].n, row[0]))
    return Table(
        title=Text("Effect of the five most active, by group", "最活跃五人的带动作用（按群）"),
        columns=(
            Text("Group", "群"),
            Text("Extra messages", "额外消息"),
            Text("From", "下限"),
            Text("To", "上限"),
            Text("Hours", "小时数"),
            Text("Verdict", "结论"),
        ),
        rows=tuple(_group_row(g, one, facts) for g, one in found[:ROWS]),
        more=max(len(found) - ROWS, 0),
    )


_VERDICTS = {
    "more": Text("more", "更多"),
    "less": Text("fewer", "更少"),
    "inconclusive": Text("inconclusive", "无定论"),
}


def _group_row(group: int, one: Effect, facts: Facts) -> tuple[Any, ...]:
    low, high = one.interval
    numbers = (round(one.mean, 3), round(low, 3), round(high, 3))
    return (facts.group(group), *numbers, one.n, _VERDICTS[verdict(one)])


_CAUSE = Text(
    "Matched on group, hour of the week and how busy the hour before was; what moves both "
    "(news, a campaign) can still explain a part.",
    "已按群、一周中的小时和前一小时的热度匹配；同时影响双方的因素（新闻、活动）"
    "仍可能解释一部分。",
)


def _move(core: Effect) -> Move | None:
    if verdict(core) != "more" or core.after <= 0:
        return None
    share = min(core.mean / core.after, 1.0)
    return Move(
        Text(
            "Let the most active members open topics in hours that are quiet today: after "
            "their "
            f"posts others write {core.mean:.1f} messages more an hour.",
            "请最活跃的成员在目前安静的时段开话题：他们发言后，其他人每小时多发 "
            f"{core.mean:.1f} 条。",
        ),
        weight=0.3 + 0.4 * share,
    )


SPARKS = Metric(
    id="drives",
    name=Text("A drives B", "谁带动谁"),
    unit=Text("messages of others in the next hour", "他人在下一小时的消息数"),
    window=Text("clock hours of the whole archive", "整个存档的自然小时"),
    definition=Text(
        "Sources are a group's five most active members, and the brand. For every clock hour "
        "with a post of the source: by how much others' messages rise from the hour before to "
        "the hour after, minus the mean rise around hours without one in the same group, "
        "at the "
        "same hour of the week, with others about equally busy in the hour before (bands from "
        "0, 1, 3, 10, 30, 100). 95 % bootstrap interval "
        "over calendar weeks; inconclusive when it holds 0. The 300 groups with most talk.",
        "来源为群内最活跃的五名成员，以及品牌。对来源有发言的每个自然小时："
        "其他成员消息从前一小时到后一小时的增量，"
        "减去同群、一周同一小时、前一小时热度相近（0、1、3、10、30、100 起分档）"
        "但来源未发言时的平均增量。"
        "按自然周自助抽样的 95% 区间，含 0 即无定论。取讨论最多的 300 个群。",
    ),
    cubes=(PULSE,),
    summarise=_sparks,
)

METRICS: tuple[Metric, ...] = (SPARKS,)
