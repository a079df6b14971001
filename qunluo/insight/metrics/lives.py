"""I9: how groups live: their curves, how long, and in which shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pyarrow as pa

from qunluo.insight.estimates import quantile, wilson
from qunluo.insight.figures import Chart, Facts, Finding, Metric, Move, Series, Table
from qunluo.insight.metrics.phrases import many, nothing, number, percent
from qunluo.insight.metrics.study_cubes import CLASS_DAY, Array, column, sums, where
from qunluo.insight.metrics.weeks import Life, lives, monday, week_of
from qunluo.kit.text import Text

Type = Literal["one_wave", "recurring_waves", "steady", "stillborn"]
TYPES: dict[Type, Text] = {
    "one_wave": Text("one wave", "一波流"),
    "recurring_waves": Text("recurring waves", "多波复起"),
    "steady": Text("steady", "持续活跃"),
    "stillborn": Text("stillborn", "未激活"),
}

BORN = 100  # member messages in all, below which a group never came to life
UP, DOWN = 0.5, 0.25  # of the level: where a wave begins and ends
STEADY_WEEKS, STEADY_SHARE = 12, 0.75
TWO_MONTHS = 61  # days
ROWS, SHORT_WEEKS = 60, 26
SPANS = (
    (31, Text("up to 1 month", "1 个月以内")),
    (TWO_MONTHS, Text("1–2 months", "1–2 个月")),
    (92, Text("2–3 months", "2–3 个月")),
    (183, Text("3–6 months", "3–6 个月")),
    (10**6, Text("over 6 months", "6 个月以上")),
)


@dataclass(frozen=True)
class Shape:
    """What a group's weekly curve looks like."""

    life: Life
    type: Type
    waves: tuple[tuple[int, int], ...]  # first and last week of each, within `life.weeks`
    active_days: int  # from the first active to the last active week

    @property
    def last_week(self) -> int:
        return self.waves[-1][1] if self.waves else 0


def shape_of(life: Life) -> Shape:
    """The type by the rule that the definition of I9 states."""
    if life.n < BORN:
        return Shape(life, "stillborn", (), 0)
    waves, active = waves_of(life.weeks)
    days = 7 * int(active.nonzero()[0][-1] - active.nonzero()[0][0] + 1)
    span = (life.last_on - life.first_on).days + 1
    return Shape(life, _type(len(life.weeks), waves, active), waves, min(days, span))


def _type(weeks: int, waves: tuple[tuple[int, int], ...], active: Array) -> Type:
    if weeks >= STEADY_WEEKS and active.mean() >= STEADY_SHARE:
        return "steady"
    return "one_wave" if len(waves) == 1 else "recurring_waves"


def waves_of(weeks: Array) -> tuple[tuple[tuple[int, int], ...], Array]:
    """Waves as (first week, last week), and which weeks are active (at least DOWN of level).

    A wave is a run of active weeks that reaches UP somewhere; both on the three-week mean.
    """
    smooth = smoothed(weeks)
    level = quantile(smooth[smooth > 0], 0.9)
    active = smooth >= DOWN * level
    edges = np.flatnonzero(np.diff(np.concatenate(([0], active.astype(np.int8), [0]))))
    runs = zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True)
    return tuple((a, b) for a, b in runs if smooth[a : b + 1].max() >= UP * level), active


def smoothed(weeks: Array) -> Array:
    """Centred three-week mean; at the ends of the two weeks there are."""
    window = np.ones(3)
    mean: Array = np.convolve(weeks, window, "same") / np.convolve(
        np.ones(len(weeks)), window, "same"
    )
    return mean


def _life_curve(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    rows = cubes[CLASS_DAY.name]
    shapes = [shape_of(life) for life in lives(rows)]
    if not shapes:
        return Finding({}, 0, nothing("no group has a message", "没有任何群有消息"))
    kinds = Counter(s.type for s in shapes)
    alive = [s for s in shapes if s.type != "stillborn"]
    short = sum(s.active_days <= TWO_MONTHS for s in alive)
    value = {
        "types": {t: kinds[t] for t in TYPES},
        "median_active_days": quantile([s.active_days for s in alive], 0.5) if alive else None,
        "at_most_two_months": short / len(alive) if alive else None,
        "groups": [_as_value(s, facts) for s in shapes],
    }
    low, high = wilson(short, len(alive))
    return Finding(
        value=value,
        n=len(shapes),
        sentence=_sentence(kinds, alive, short),
        charts=_charts(rows, shapes, kinds),
        tables=(_table(shapes, facts),),
        interval=(low, high) if len(alive) > 1 else None,
        interval_of=Text("active for at most two months", "活跃期不超过两个月"),
        notes=_censored(alive, facts),
        move=_revive(shapes, kinds),
    )


def _as_value(s: Shape, facts: Facts) -> dict[str, object]:
    return {
        "group": facts.group(s.life.group),
        "type": s.type,
        "active_days": s.active_days,
        "waves": len(s.waves),
        "member_messages": s.life.n,
    }


def _sentence(kinds: Counter[Type], alive: list[Shape], short: int) -> Text:
    there = {t: name for t, name in TYPES.items() if kinds[t]}
    en = ", ".join(f"{kinds[t]:,} {name.en}" for t, name in there.items())
    zh = "、".join(f"{name.zh} {kinds[t]:,} 个" for t, name in there.items())
    if not alive:
        return Text(
            f"No group came to life: none has {BORN} messages of members.",
            f"没有一个群真正活起来：成员消息均不足 {BORN} 条。",
        )
    middle = quantile([s.active_days for s in alive], 0.5)
    if kinds.total() == 1:
        return Text(
            f"The group was active for {number(middle)} days; its shape: {next(iter(there.values())).en}.",
            f"该群活跃了 {number(middle)} 天；形态为{next(iter(there.values())).zh}。",
        )
    return Text(
        f"{percent(short / len(alive))} of the groups that came to life stayed active for at "
        f"most two months (median {number(middle)} days); by shape: {en}.",
        f"活起来的群中，{percent(short / len(alive))} 的活跃期不超过两个月"
        f"（中位数 {number(middle)} 天）；按形态：{zh}。",
    )


def _censored(alive: list[Shape], facts: Facts) -> tuple[Text, ...]:
    last = max((s.life.last_on for s in alive), default=None)
    if last is None:
        return ()
    open_ones = [s for s in alive if (last - monday(s.life.first_week + s.last_week)).days < 28]
    if not open_ones:
        return ()
    return (
        Text(
            f"{many(len(open_ones), 'group was', 'groups were')} still active when the archive "
            f"ends: {'its' if len(open_ones) == 1 else 'their'} lifespan is at least the one "
            "shown.",
            f"存档结束时仍有 {len(open_ones):,} 个群活跃：其实际寿命不短于此处所示。",
        ),
    )


def _charts(rows: pa.Table, shapes: list[Shape], kinds: Counter[Type]) -> tuple[Chart, ...]:
    curves = _curve_chart(rows, {s.life.group: s.type for s in shapes})
    if len(shapes) == 1:
        return (curves,)
    days = [s.active_days for s in shapes if s.type != "stillborn"]
    spans = (_span_chart(days),) if days else ()
    return (_type_chart(kinds, len(shapes)), *spans, curves)


def _type_chart(kinds: Counter[Type], n: int) -> Chart:
    top = max(TYPES, key=lambda t: kinds[t])
    return Chart(
        kind="bar",
        title=Text(
            f"{kinds[top]:,} of {many(n, 'group')}: {TYPES[top].en}",
            f"{n:,} 个群中 {kinds[top]:,} 个为{TYPES[top].zh}",
        ),
        x=tuple(TYPES.values()),
        series=(Series(Text("groups", "群数"), tuple(kinds[t] for t in TYPES)),),
        x_name=Text("shape of life", "生命形态"),
        y_name=Text("groups", "群数"),
    )


def _span_chart(days: list[int]) -> Chart:
    edges = (0, *(top for top, _ in SPANS))
    counts = [sum(low < d <= high for d in days) for low, high in pairwise(edges)]
    usual = counts.index(max(counts))
    return Chart(
        kind="bar",
        title=Text(
            f"Most often a group stays active {SPANS[usual][1].en}",
            f"最常见的活跃期：{SPANS[usual][1].zh}",
        ),
        x=tuple(name for _, name in SPANS),
        series=(Series(Text("groups", "群数"), tuple(counts)),),
        x_name=Text("active lifespan", "活跃期"),
        y_name=Text("groups", "群数"),
    )


def _curve_chart(rows: pa.Table, types: Mapping[int, Type]) -> Chart:
    """Months on the x axis; weeks if the members' talk spans at most half a year."""
    member = where(rows, "class", "member")
    weeks = week_of(column(member, "day"))
    by_week = not len(weeks) or int(weeks.max() - weeks.min()) < SHORT_WEEKS
    step = weeks if by_week else column(member, "day").astype("datetime64[M]").astype(np.int64)
    axis = range(int(step.min()), int(step.max()) + 1) if len(step) else range(0)
    kind = np.array([types[g] for g in column(member, "group_key").tolist()], dtype=object)
    there = [t for t in TYPES if (kind == t).any()]
    return Chart(
        kind="line",
        title=_curve_title(column(member, "n"), kind, there),
        x=tuple(_label(a, by_week) for a in axis),
        series=tuple(_curve(t, step[kind == t], member, kind == t, axis) for t in there),
        x_name=Text("week of", "周（起始日）") if by_week else Text("month", "月份"),
        y_name=Text("member messages", "成员消息数"),
    )


def _curve_title(n: Array, kind: Array, there: list[Type]) -> Text:
    if len(there) < 2:
        return Text("Member messages over time", "成员消息的走势")
    top = max(there, key=lambda t: int(n[kind == t].sum()))
    share = percent(float(n[kind == top].sum()) / float(n.sum()))
    return Text(
        f"{share} of the members' messages are in groups of the shape “{TYPES[top].en}”",
        f"{share} 的成员消息来自“{TYPES[top].zh}”的群",
    )


def _label(step: int, by_week: bool) -> str:
    return monday(step).isoformat() if by_week else str(np.datetime64(step, "M"))


def _curve(kind: Type, steps: Array, member: pa.Table, mine: Array, axis: range) -> Series:
    counts = sums(steps, column(member, "n")[mine])
    return Series(TYPES[kind], tuple(counts.get(a, 0) for a in axis))


def _table(shapes: list[Shape], facts: Facts) -> Table:
    ordered = sorted(shapes, key=lambda s: (-s.active_days, -s.life.n, s.life.group))
    return Table(
        title=Text("Lives of groups", "各群的生命"),
        columns=(
            Text("Group", "群"),
            Text("Shape", "形态"),
            Text("Active days", "活跃天数"),
            Text("Waves", "波数"),
            Text("Member messages", "成员消息"),
            Text("Best week", "最高周"),
            Text("First message", "第一条消息"),
            Text("Last message", "最后一条消息"),
        ),
        rows=tuple(
            (
                facts.group(s.life.group),
                TYPES[s.type],
                s.active_days,
                len(s.waves),
                s.life.n,
                int(s.life.weeks.max(initial=0)),
                s.life.first_on.isoformat(),
                s.life.last_on.isoformat(),
            )
            for s in ordered[:ROWS]
        ),
        more=max(len(ordered) - ROWS, 0),
    )


def _revive(shapes: list[Shape], kinds: Counter[Type]) -> Move | None:
    share = kinds["one_wave"] / len(shapes)
    if share < 0.3:
        return None
    en = (
        f"Plan a second wave before the first ends: {percent(share)} of the groups had one "
        "wave only."
    )
    zh = f"在第一波退去之前安排第二波：{percent(share)} 的群只活跃过一波。"
    return Move(Text(en, zh), min(0.2 + 0.5 * share, 0.7))


LIFE_CURVE = Metric(
    id="I9",
    name=Text("Life curve", "群的生命曲线"),
    unit=Text("member messages a week; days", "条/周；天"),
    window=Text(
        "each group from its first to its last message", "每个群自第一条至最后一条消息"
    ),
    definition=Text(
        "Member messages by local Monday-based week from the week of a group's first message "
        "(of any class) to that of its last, weeks without any counted as 0; drawn by month, "
        f"or by week if the archive spans at most {SHORT_WEEKS} weeks. Smoothed: centred "
        "three-week mean. Level: nearest-rank 90% quantile of the smoothed weeks above 0. "
        f"Active week: smoothed ≥ {DOWN:.0%} of the level. Wave: run of active weeks that "
        f"reaches {UP:.0%} of the level. Active lifespan: days from the start of the first to "
        "the end of the last active week, at most its whole life. Types, the first that "
        f"fits: stillborn (fewer than {BORN} member messages in all), steady (at least "
        f"{STEADY_WEEKS} weeks, of which {STEADY_SHARE:.0%} are active), one wave, recurring "
        f"waves (two or more). “At most two months” is {TWO_MONTHS} days, as a share of "
        "groups not stillborn, with Wilson's interval.",
        "从群第一条消息（不分身份）所在周到最后一条所在周，按本地自然周（周一起）统计成员消"
        f"息，没有消息的周计 0；按月绘图，存档不超过 {SHORT_WEEKS} 周时按周绘图。平滑："
        "三周居中均值。水位：大于 0 的平滑周的 90% 最近秩分位数。活跃周：平滑值 ≥ 水位的 "
        f"{DOWN:.0%}。一波：连续活跃周，且其中达到水位的 {UP:.0%}。活跃期：第一个活跃周开始到"
        "最后一个活跃周结束的天数，不超过群的全部天数。形态按序取第一个符合者：未激活（成员消"
        f"息总共不足 {BORN} 条成员消息）、持续活跃（至少 {STEADY_WEEKS} 周且其中 "
        f"{STEADY_SHARE:.0%} 活跃）、一波流、多波复起（两波及以上）。“不超过两个月”为 "
        f"{TWO_MONTHS} 天，占非“未激活”群的比例，附 Wilson 区间。",
    ),
    cubes=(CLASS_DAY,),
    summarise=_life_curve,
    reference=Text("most groups alive for two months or less", "多数群活跃期不超过两个月"),
)

METRICS: tuple[Metric, ...] = (LIFE_CURVE,)
