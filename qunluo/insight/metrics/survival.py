"""Survival: how long members and groups stay alive, with those still alive counted as such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from qunluo.insight.estimates import Z95
from qunluo.insight.figures import Chart, Facts, Finding, Metric, Series, Table
from qunluo.insight.metrics.member_cubes import (
    DAY,
    MEMBER_MONTH,
    MEMBERSHIP,
    NEVER,
    ROSTER,
    end_of,
    greatest,
    least,
    micros,
)
from qunluo.insight.metrics.phrases import many, nothing, percent
from qunluo.insight.metrics.study_cubes import Array, column
from qunluo.kit.text import Text

SILENT_DAYS = 30
FEW = 20
MARKS = (7, 30, 90, 180, 365)  # days at which the curve is told
POINTS = 200  # of a drawn curve


@dataclass(frozen=True)
class Lives:
    """Durations in days; `gone[i]` tells an end from a life still going on (censored)."""

    days: Array
    gone: Array

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True)
class Curve:
    """Kaplan–Meier: `alive[i]` of all live longer than `days[i]`, with a 95 % interval."""

    days: Array
    alive: Array
    low: Array
    high: Array

    def at(self, day: float) -> tuple[float, float, float]:
        """Share alive after `day` with its interval; (1, 1, 1) before the first end."""
        place = int(np.searchsorted(self.days, day, side="right")) - 1
        if place < 0:
            return 1.0, 1.0, 1.0
        return float(self.alive[place]), float(self.low[place]), float(self.high[place])

    @property
    def median(self) -> float | None:
        """The first day by which at most half are alive; None if more than half stay."""
        below = np.flatnonzero(self.alive <= 0.5)
        return float(self.days[below[0]]) if len(below) else None


def kaplan_meier(lives: Lives) -> Curve:
    """The product-limit estimate with Greenwood's variance and the log-log interval.

    S = Π (1 − d ÷ n) over days with ends; who is censored on a day is still at risk then.
    The interval is S^exp(±z·√(Σ d ÷ (n·(n−d))) ÷ log S); where S is 1 it is 1, where S is 0
    (no variance) it reaches from 0 to the bound before. Written out because it is six lines
    and scipy.stats takes half a second to import; tests hold it against scipy.
    """
    days, which = np.unique(lives.days, return_inverse=True)
    ends = np.bincount(which, weights=lives.gone, minlength=len(days))
    at_risk = len(lives) - np.concatenate(([0], np.cumsum(np.bincount(which))[:-1]))
    alive = np.cumprod(1 - ends / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = Z95 * np.sqrt(np.cumsum(ends / (at_risk * (at_risk - ends)))) / np.log(alive)
        low, high = alive ** np.exp(-spread), alive ** np.exp(spread)
    low, high = np.where(alive == 1, 1.0, low), np.where(alive == 1, 1.0, high)
    if alive[-1] == 0:
        low[-1], high[-1] = 0.0, high[-2] if len(high) > 1 else 1.0
    return Curve(days, alive, low, high)


def talking_lives(keys: Array, first: Array, last: Array, end: int) -> Lives:
    """From first to last message of each key, judged 30 days before the archive's end.

    Whoever wrote after that day is alive on it (censored there); whoever did not is gone
    since the last message. Keys that only begin after that day are too young to judge.
    """
    judged = end - SILENT_DAYS * DAY
    _, began = least(keys, first)
    _, ended = greatest(keys, last)
    old = began < judged
    began, ended = began[old], ended[old]
    gone = ended < judged
    return Lives((np.where(gone, ended, judged) - began) / DAY, gone)


def memberships(cubes: Mapping[str, pa.Table], end: int) -> Lives:
    """From joining to leaving one group; the roster's dates go before the events'.

    A leave after which the member joined again is no end.
    """
    roster, events = cubes[ROSTER.name], cubes[MEMBERSHIP.name]
    joined, left = micros(roster["joined_at"]), micros(roster["left_at"])
    if not (joined != NEVER).any():
        joined, left = micros(events["first_join"]), micros(events["last_leave"])
        left = np.where(micros(events["last_join"]) > left, NEVER, left)
    known = (joined != NEVER) & (joined < end) & ((left == NEVER) | (left >= joined))
    joined, left = joined[known], left[known]
    gone = (left != NEVER) & (left < end)
    return Lives((np.where(gone, left, end) - joined) / DAY, gone)


def _member_survival(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    talk, end = cubes[MEMBER_MONTH.name], end_of(facts)
    keys = column(talk, "sender_key")
    talking = talking_lives(keys, micros(talk["first_at"]), micros(talk["last_at"]), end)
    staying = memberships(cubes, end)
    return _finding(
        {"talking": talking, "membership": staying} if len(staying) else {"talking": talking},
        Text("members", "成员"),
        ("member", "members"),
    )


def _group_survival(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    talk, end = cubes[MEMBER_MONTH.name], end_of(facts)
    keys = column(talk, "group_key")
    lives = talking_lives(keys, micros(talk["first_at"]), micros(talk["last_at"]), end)
    return _finding({"talking": lives}, Text("groups", "群"), ("group", "groups"))


NAMES = {
    "talking": Text("still talking", "仍在发言"),
    "membership": Text("still in the group", "仍在群内"),
}


def _finding(lives: Mapping[str, Lives], who: Text, counted: tuple[str, str]) -> Finding:
    main = lives["talking"]
    if not len(main):
        why = nothing(
            f"no {counted[0]} began more than {SILENT_DAYS} days before the archive ends",
            f"存档结束前 {SILENT_DAYS} 天之前没有开始发言的{who.zh}",
        )
        return Finding({}, 0, why)
    curves = {name: kaplan_meier(found) for name, found in lives.items() if len(found)}
    share, low, high = curves["talking"].at(30)
    few = Text(
        f"Only {many(len(main), *counted)}: the interval is wide.",
        f"仅 {len(main)} 个{who.zh}：区间很宽。",
    )
    return Finding(
        value={name: _told(curve, lives[name]) for name, curve in curves.items()},
        n=len(main),
        sentence=_sentence(curves["talking"], main, who, share),
        interval=(low, high) if len(main) > 1 else None,
        charts=(_chart(curves, who),) if len(main) > 1 else (),
        tables=(_table(curves),) if len(main) > 1 else (),
        notes=(
            *((_NOT_LIFESPAN,) if who.en == "groups" else ()),
            *((few,) if 1 < len(main) < FEW else ()),
        ),
    )


_NOT_LIFESPAN = Text(
    "This lasts to the last message of any member, however lonely; the active lifespan (life "
    "curve) ends when the talk dries up, and is shorter.",
    "此处算到最后一条成员消息，哪怕只有零星一条；生命曲线中的活跃期在讨论冷却时即结束，因此更短。",
)


def _told(curve: Curve, lives: Lives) -> dict[str, object]:
    marks = {day: curve.at(day) for day in MARKS if day <= lives.days.max()}
    return {
        "n": len(lives),
        "gone": int(lives.gone.sum()),
        "median_days": curve.median,
        "alive": [
            {"day": day, "share": s, "low": low, "high": high}
            for day, (s, low, high) in marks.items()
        ],
    }


def _sentence(curve: Curve, lives: Lives, who: Text, share: float) -> Text:
    gone, n = int(lives.gone.sum()), len(lives)
    if n == 1:
        return _only(who, int(lives.days[0]), bool(gone))
    if curve.median is None:
        half = Text("more than half still talk at the end", "到末期仍有一半以上在发言")
    else:
        days = round(curve.median)
        half = Text(
            f"half write their last message within {many(days, 'day')}",
            f"一半在 {days} 天内发出最后一条消息",
        )
    said = Text(
        f"{percent(share)} of {who.en} still get a message" if who.en == "groups"
        else f"{percent(share)} of {who.en} still write",
        f"{percent(share)} 的{who.zh}在首条消息 30 天后仍有成员发言" if who.en == "groups"
        else f"{percent(share)} 的{who.zh}在首次发言 30 天后仍在发言",
    )  # fmt: skip
    return Text(
        f"{said.en} 30 days after the first; {half.en} ({gone:,} of {n:,} are silent by now).",
        f"{said.zh}；{half.zh}（{n:,} 个中已有 {gone:,} 个沉默）。",
    )


def _only(who: Text, days: int, gone: bool) -> Text:
    name = Text("group" if who.en == "groups" else "member", who.zh)
    return Text(
        f"The only {name.en} fell silent after {many(days, 'day')}."
        if gone
        else f"The only {name.en} still talks after {many(days, 'day')}.",
        f"唯一的{name.zh}在 {days:,} 天后沉默。"
        if gone
        else f"唯一的{name.zh}至今仍在发言（已 {days:,} 天）。",
    )


def _chart(curves: Mapping[str, Curve], who: Text) -> Chart:
    median = curves["talking"].median
    told = (
        Text("More than half talk to the end", "一半以上到最后仍在发言")
        if median is None
        else Text(f"Half are silent after {median:,.0f} days", f"{median:,.0f} 天后只剩一半")
    )
    days = _grid(curves)
    return Chart(
        kind="step",
        title=told,
        x=tuple(days),
        series=tuple(_series(NAMES[name], curve, days) for name, curve in curves.items()),
        x_name=Text("days since the start", "开始后的天数"),
        y_name=Text(f"share of {who.en} alive", f"{who.zh}存活比例"),
        percent=True,
    )


def _grid(curves: Mapping[str, Curve]) -> list[float]:
    """Whole days at which the drawn curves step, at most POINTS of them."""
    longest = max(float(curve.days.max()) for curve in curves.values())
    step = max(1.0, float(np.ceil(longest / POINTS)))
    return [float(day) for day in np.arange(0.0, longest + step, step)]


def _series(name: Text, curve: Curve, days: list[float]) -> Series:
    points = [tuple(round(v, 5) for v in curve.at(day)) for day in days]
    return Series(
        name,
        tuple(p[0] for p in points),
        tuple(p[1] for p in points),
        tuple(p[2] for p in points),
    )


def _table(curves: Mapping[str, Curve]) -> Table:
    rows = [
        (NAMES[name], day, *(round(v, 4) for v in curve.at(day)))
        for name, curve in curves.items()
        for day in MARKS
        if day <= curve.days.max()
    ]
    return Table(
        title=Text("Alive after so many days", "若干天后的存活比例"),
        columns=(
            Text("Counted by", "口径"),
            Text("Days", "天数"),
            Text("Alive", "存活"),
            Text("From", "下限"),
            Text("To", "上限"),
        ),
        rows=tuple(rows),
        percent=frozenset({2, 3, 4}),
    )


_RULE = Text(
    "A life lasts from the first to the last message. The judgement falls 30 days before the "
    "archive ends: whoever wrote after that day is alive on it (censored, not lost); whoever "
    "did not is gone since the last message; who began after it is not judged. Kaplan–Meier "
    "with a log-log 95 % interval.",
    "从首次发言到最后一次发言为一段存活。以存档结束前 30 天为判定日："
    "之后仍有发言者在判定日视为存活（删失，不算流失）；"
    "否则自最后一次发言起视为流失；判定日之后才开始的不计。Kaplan–Meier 估计，log-log 95% "
    "区间。",
)

MEMBER_SURVIVAL = Metric(
    id="survival_members",
    name=Text("Survival of members", "成员存活"),
    unit=Text("share alive", "存活比例"),
    window=Text("the whole archive", "整个存档"),
    definition=Text(
        _RULE.en + " Where joins are known (roster, else events), a second curve counts from "
        "joining to leaving one group; a leave followed by a join is no end.",
        _RULE.zh
        + "若已知入群时间（名册优先，其次事件），另有一条曲线按入群到退群计；退群后再次入群不算结束。",
    ),
    cubes=(MEMBER_MONTH, MEMBERSHIP, ROSTER),
    summarise=_member_survival,
)

GROUP_SURVIVAL = Metric(
    id="survival_groups",
    name=Text("Survival of groups", "群存活"),
    unit=Text("share alive", "存活比例"),
    window=Text("the whole archive", "整个存档"),
    definition=Text("Messages of members only. " + _RULE.en, "仅计成员消息。" + _RULE.zh),
    cubes=(MEMBER_MONTH,),
    summarise=_group_survival,
    reference=Text("most groups are alive for at most 2 months", "多数群存活不超过 2 个月"),
)

METRICS: tuple[Metric, ...] = (MEMBER_SURVIVAL, GROUP_SURVIVAL)
