"""I10: what made a week spike: one chatterbox, an event, or many people at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from qunluo.insight.estimates import wilson
from qunluo.insight.figures import (
    Chart,
    Cube,
    Facts,
    Finding,
    Metric,
    Move,
    Quote,
    Series,
    Table,
)
from qunluo.insight.metrics.lives import TYPES, Type, shape_of
from qunluo.insight.metrics.phrases import many, nothing, percent
from qunluo.insight.metrics.study_cubes import (
    CLASS_DAY,
    TALK_DAY,
    Array,
    by_group,
    column,
    where,
)
from qunluo.insight.metrics.weeks import Life, lives, monday, week_of
from qunluo.kit.text import Text

Cause = Literal["chatterbox", "event", "broad"]
CAUSES: dict[Cause, Text] = {
    "chatterbox": Text("one chatterbox", "一个话痨"),
    "event": Text("a campaign or lottery", "活动或抽奖"),
    "broad": Text("many members at once", "多人共同活跃"),
}
BEFORE = 8  # weeks that a spike is measured against
TIMES = 3
FLOOR = 20  # member messages of a week below which it is no spike
HALF = 0.5  # of the excess, made by one member
NEAR = 3  # days up to the peak day in which a call can have caused it
ROWS = 50


def _weekly(t: Any) -> Any:
    """Member messages by (group, member, week), and the group's total of that week."""
    member = t.classes.filter(t.classes["class"] == "member")
    rows = t.person_day.join(member, ["group_key", "sender_key"])
    week = rows.mutate(week=rows.day.truncate("W").cast("date"))
    counted = week.group_by(["group_key", "sender_key", "week"]).agg(n=lambda r: r.n.sum())
    return counted.mutate(total=counted.n.sum().over(group_by=["group_key", "week"]))


def _loud(weekly: Any) -> Any:
    """Only who makes half of a threefold excess: that takes over a third of the week."""
    return weekly.filter((weekly.n * TIMES >= weekly.total) & (weekly.total >= FLOOR))


def _loud_weeks(t: Any) -> Any:
    weekly = _weekly(t)
    whom = ["group_key", "sender_key"]
    return weekly.semi_join(_loud(weekly), whom).select(*whom, "week", "n")


LOUD_WEEKS = Cube("loud_weeks", _loud_weeks)
"""group_key, sender_key, week (its Monday), n of members who once wrote a third of a week."""


def _loud_quotes(t: Any) -> Any:
    import ibis  # noqa: PLC0415 - compiled plans are kept, so most runs never need it

    loud = _loud(_weekly(t)).select("group_key", "sender_key", "week")
    text = t.messages.filter(t.messages.kind == "text")
    keys = ["group_key", "sender_key", "week"]
    said = text.mutate(week=text.local_at.truncate("W").cast("date")).semi_join(loud, keys)
    ranks = {"length": -said.text.length(), "at": said.local_at, "text": said.text}
    rank = ibis.struct(ranks)  # the longest, of equals the first
    return said.group_by(keys).agg(
        text=said.text.substr(0, 200).argmin(rank), at=said.local_at.argmin(rank)
    )


LOUD_QUOTES = Cube("loud_quotes", _loud_quotes)
"""group_key, sender_key, week, text, at: the longest text of those weeks, as evidence."""


@dataclass(frozen=True)
class Spike:
    """A week above three times the median of the eight before, and what explains it."""

    group: int
    week: int  # see `weeks.week_of`
    n: int
    median: float
    cause: Cause
    sender: int | None  # who made the largest part of the excess, if it is half or more
    part: float  # that part
    call_at: datetime | None
    quote: str | None

    @property
    def excess(self) -> float:
        return self.n - self.median


def spikes(cubes: Mapping[str, pa.Table]) -> list[Spike]:
    """All spikes with their causes, by group and week."""
    own = _own_weeks(cubes[LOUD_WEEKS.name])
    said = _quotes(cubes[LOUD_QUOTES.name])
    days = by_group(where(cubes[CLASS_DAY.name], "class", "member"))
    talk = by_group(cubes[TALK_DAY.name])
    return [
        _explained(life, at, own, said, days[life.group], talk[life.group])
        for life in lives(cubes[CLASS_DAY.name])
        for at in spike_weeks(life.weeks)
    ]


def spike_weeks(weeks: Array) -> list[int]:
    """Places in `weeks` of the spikes."""
    places = range(BEFORE, len(weeks))
    return [i for i in places if weeks[i] >= FLOOR and weeks[i] > TIMES * _median(weeks, i)]


def _median(weeks: Array, at: int) -> float:
    return float(np.median(weeks[at - BEFORE : at]))


Own = Mapping[int, Mapping[int, Mapping[int, int]]]  # group → member → week → messages


def _own_weeks(loud: pa.Table) -> Own:
    own: dict[int, dict[int, dict[int, int]]] = {}
    weeks = week_of(column(loud, "week")).tolist()
    for row, week in zip(loud.to_pylist(), weeks, strict=True):
        member = own.setdefault(row["group_key"], {}).setdefault(row["sender_key"], {})
        member[week] = row["n"]
    return own


def _quotes(said: pa.Table) -> dict[tuple[int, int, int], tuple[str, datetime]]:
    weeks = week_of(column(said, "week")).tolist()
    return {
        (row["group_key"], row["sender_key"], week): (row["text"], row["at"])
        for row, week in zip(said.to_pylist(), weeks, strict=True)
    }


def _explained(
    life: Life,
    at: int,
    own: Own,
    said: Mapping[tuple[int, int, int], tuple[str, datetime]],
    days: pa.Table,
    talk: pa.Table,
) -> Spike:
    week, n, median = life.first_week + at, int(life.weeks[at]), _median(life.weeks, at)
    sender, part = _loudest(own.get(life.group, {}), week, n - median)
    if part >= HALF and sender is not None:
        text, when = said.get((life.group, sender, week), (None, None))
        return Spike(life.group, week, n, median, "chatterbox", sender, part, when, text)
    call = call_before(talk, peak_day(days, week))
    cause: Cause = "event" if call else "broad"
    when, text = call or (None, None)
    return Spike(life.group, week, n, median, cause, None, part, when, text)


def _loudest(
    members: Mapping[int, Mapping[int, int]], week: int, excess: float
) -> tuple[int | None, float]:
    """Who made most of the excess, and which part: own messages less own median before."""
    parts = {who: _own_excess(weeks, week) / excess for who, weeks in members.items()}
    if not parts:
        return None, 0.0
    who = max(parts, key=lambda w: (parts[w], -w))
    return who, max(parts[who], 0.0)


def _own_excess(weeks: Mapping[int, int], week: int) -> float:
    before = [weeks.get(week - back, 0) for back in range(1, BEFORE + 1)]
    return weeks.get(week, 0) - float(np.median(before))


def peak_day(days: pa.Table, week: int) -> np.datetime64:
    """The day of the week with most member messages, the first of equals."""
    day, n = column(days, "day"), column(days, "n")
    inside = week_of(day) == week
    found: np.datetime64 = day[inside][np.lexsort((day[inside], -n[inside]))[0]]
    return found


def call_before(talk: pa.Table, peak: np.datetime64) -> tuple[datetime, str] | None:
    """The campaign or lottery message that a peak follows: time and text.

    In the three days up to the peak there must be more of them a day than twice the daily mean
    of the eight weeks before: where they are daily routine, they explain nothing.
    """
    back = (peak - column(talk, "day").astype("datetime64[D]")).astype(np.int64)
    calls = column(talk, "calls")
    near, before = (back >= 0) & (back < NEAR), (back >= NEAR) & (back < NEAR + 7 * BEFORE)
    if calls[near].sum() / NEAR <= 2 * calls[before].sum() / (7 * BEFORE):
        return None
    row = talk.filter(pa.array(near & (calls > 0))).sort_by("call_at").to_pylist()[0]
    return row["call_at"], row["call_text"]


def _causes(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    found = spikes(cubes)
    counts = Counter(s.cause for s in found)
    shapes = {life.group: shape_of(life).type for life in lives(cubes[CLASS_DAY.name])}
    by_type = Counter((shapes[s.group], s.cause) for s in found)
    long_lives = sum(len(life.weeks) > BEFORE for life in lives(cubes[CLASS_DAY.name]))
    low, high = wilson(counts["chatterbox"], len(found))
    value = {
        "causes": {c: counts[c] for c in CAUSES},
        "by_shape": {t: {c: by_type[t, c] for c in CAUSES} for t in TYPES},
        "groups_long_enough": long_lives,
        "spikes": [_as_value(s, facts) for s in found],
    }
    return Finding(
        value=value,
        n=len(found),
        sentence=_sentence(by_type, len(found), long_lives),
        interval=(low, high) if found else None,
        interval_of=CAUSES["chatterbox"],
        charts=(_chart(by_type),) if found else (),
        tables=(_table(found, facts),) if found else (),
        notes=_notes(by_type, len(found)),
        move=_move(counts, len(found)),
    )


def _as_value(s: Spike, facts: Facts) -> dict[str, Any]:
    return {
        "group": facts.group(s.group),
        "week": monday(s.week).isoformat(),
        "messages": s.n,
        "median_before": s.median,
        "cause": s.cause,
        "member": facts.person(s.sender) if s.sender is not None else None,
        "part": round(s.part, 4),
    }


ByType = Mapping[tuple[Type, Cause], int]


def _sentence(by_type: ByType, n: int, long_lives: int) -> Text:
    if not long_lives:
        return nothing(
            f"no group lived for more than {BEFORE} weeks, which a spike is measured against",
            f"没有存续超过 {BEFORE} 周的群，无从比较突增",
        )
    if not n:
        return Text(
            f"In no week did {'the group' if long_lives == 1 else f'any of {long_lives:,} groups'} "
            "write three times as much as usual.",
            f"{'该群' if long_lives == 1 else f'{long_lives:,} 个群'}没有一周超过平时水平的三倍。",
        )
    parts = [_of_shapes(by_type, *side) for side in _sides(by_type)]
    weeks = many(n, "week")
    return Text(
        f"{weeks} spiked: {'; '.join(p.en for p in parts)}.",
        f"共有 {n:,} 个突增周：{'；'.join(p.zh for p in parts)}。",
    )


def _sides(by_type: ByType) -> list[tuple[Text, tuple[Type, ...]]]:
    """A wave of a group that lives in waves is a spike by the rule but no surprise: told apart."""
    waves: tuple[Type, ...] = ("recurring_waves",)
    others = tuple(t for t in TYPES if t not in waves)
    sides = [(_OTHERS, others), (_WAVES, waves)]
    there = [s for s in sides if any(by_type[t, c] for t in s[1] for c in CAUSES)]
    return there if len(there) > 1 else [(Text("", ""), there[0][1])]


_OTHERS = Text("in steady and one-wave groups ", "持续活跃和一波流的群中，")
_WAVES = Text("in groups that live in waves ", "多波复起的群中，")


def _of_shapes(by_type: ByType, where_: Text, shapes: tuple[Type, ...]) -> Text:
    counts: dict[Cause, int] = {c: sum(by_type[t, c] for t in shapes) for c in CAUSES}
    top, n = max(CAUSES, key=lambda c: counts[c]), sum(counts.values())
    return Text(
        f"{where_.en}{counts[top]:,} of {n:,} come from {CAUSES[top].en}",
        f"{where_.zh}{n:,} 个中有 {counts[top]:,} 个来自{CAUSES[top].zh}",
    )


def _chart(by_type: ByType) -> Chart:
    there = [t for t in TYPES if any(by_type[t, c] for c in CAUSES)]
    counts = {c: sum(by_type[t, c] for t in there) for c in CAUSES}
    n, chatter = sum(counts.values()), counts["chatterbox"]
    return Chart(
        kind="stacked",
        title=Text(
            f"{percent(chatter / n)} of all spikes come from one chatterbox",
            f"全部突增中，{percent(chatter / n)} 来自一个话痨",
        ),
        x=tuple(CAUSES.values()),
        series=tuple(Series(TYPES[t], tuple(by_type[t, c] for c in CAUSES)) for t in there),
        x_name=Text("cause", "原因"),
        y_name=Text("spike weeks", "突增周数"),
    )


def _table(found: list[Spike], facts: Facts) -> Table:
    ordered = sorted(found, key=lambda s: (-s.excess, s.group, s.week))
    return Table(
        title=Text("Spikes and their evidence", "突增与证据"),
        columns=(
            Text("Group", "群"),
            Text("Week of", "周（起始日）"),
            Text("Member messages", "成员消息"),
            Text("Median before", "此前中位数"),
            Text("Cause", "原因"),
            Text("Member", "成员"),
            Text("Their part of the excess", "占超出部分"),
            Text("Evidence", "证据"),
        ),
        rows=tuple(_row(s, facts) for s in ordered[:ROWS]),
        percent=frozenset({6}),
        more=max(len(found) - ROWS, 0),
    )


def _row(s: Spike, facts: Facts) -> tuple[Any, ...]:
    at = s.call_at.isoformat(sep=" ", timespec="minutes") if s.call_at else ""
    return (
        facts.group(s.group),
        monday(s.week).isoformat(),
        s.n,
        s.median,
        CAUSES[s.cause],
        facts.person(s.sender) if s.sender is not None else None,
        s.part if s.sender is not None else None,
        Quote(s.quote, at) if s.quote else None,
    )


_ONLY_WAVES = Text(
    "In groups that live in waves a wave counts as a spike: read “mostly one chatterbox” by the "
    "other groups.",
    "在多波复起的群中，每一波都会计为突增：判断“是否多为一个话痨”应看其他形态的群。",
)


def _notes(by_type: ByType, n: int) -> tuple[Text, ...]:
    few = Text(
        f"Only {many(n, 'spike')}: take the shares as examples.",
        f"仅 {n:,} 个突增周：占比仅供参考。",
    )
    waves = any(by_type["recurring_waves", c] for c in CAUSES)
    return (*((_ONLY_WAVES,) if waves else ()), *((few,) if 0 < n < 10 else ()))


def _move(counts: Counter[Cause], n: int) -> Move | None:
    if n < 3 or counts["event"] / n < 0.3:
        return None
    en = f"Repeat what works: {many(counts['event'], 'spike')} followed a campaign or lottery."
    zh = f"复用有效做法：{counts['event']:,} 次突增紧随活动或抽奖。"
    return Move(Text(en, zh), 0.3)


SPIKE_CAUSE = Metric(
    id="I10",
    name=Text("Cause of a spike", "突增的原因"),
    unit=Text("weeks", "周"),
    window=Text("each group from its ninth week on", "每个群自第九周起"),
    definition=Text(
        "Spike: a local Monday-based week of a group with at least "
        f"{FLOOR} member messages and more than {TIMES} times the median of its {BEFORE} weeks "
        "before (weeks without messages count 0; all eight must lie in the group's life). "
        "Excess = messages − that median. Cause, the first that fits. Chatterbox: one member's "
        "messages of the week less the median of their own in the eight weeks before are at "
        "least 50% of the excess. Event: in the three days up to the busiest day there are "
        "brand or bot messages with words of a campaign or lottery, more a day than twice "
        "their daily mean in the 56 days before. Broad: neither. Shapes of life as in I9.",
        f"突增：某群某本地自然周（周一起）的成员消息不少于 {FLOOR} 条，且超过此前 {BEFORE} "
        f"周中位数的 {TIMES} 倍（无消息的周计 0；八周须都在群的存续期内）。超出部分 = 消息数 "
        "− 该中位数。原因按序取第一个符合者。话痨：某成员该周消息减去其自身此前八周的中位数，"
        "不少于超出部分的 50%。活动：截至最忙一天的三天内，品牌或机器人发过含活动或抽奖词的消"
        "息，且日均多于此前 56 天日均的两倍。共同活跃：以上都不是。生命形态同 I9。",
    ),
    cubes=(CLASS_DAY, TALK_DAY, LOUD_WEEKS, LOUD_QUOTES),
    summarise=_causes,
    reference=Text("mostly one chatterbox", "多为一个话痨"),
)

METRICS: tuple[Metric, ...] = (SPIKE_CAUSE,)
