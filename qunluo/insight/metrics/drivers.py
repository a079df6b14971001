"""I11: what keeps a recurring group alive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from qunluo.insight.figures import Chart, Facts, Finding, Metric, Move, Quote, Series, Table
from qunluo.insight.metrics import shills
from qunluo.insight.metrics.lives import shape_of
from qunluo.insight.metrics.phrases import many, percent
from qunluo.insight.metrics.study_cubes import (
    CLASS_DAY,
    SPEAKERS,
    TALK_DAY,
    Array,
    by_group,
    column,
    where,
)
from qunluo.insight.metrics.weeks import Life, lives
from qunluo.kit.text import Text

Driver = Literal["shill", "draw", "question", "koc", "mixed"]
DRIVERS: dict[Driver, Text] = {
    "shill": Text("shill-like", "疑似水军"),
    "draw": Text("draw-driven", "抽奖驱动"),
    "question": Text("question-driven", "问答驱动"),
    "koc": Text("KOC-driven", "KOC 驱动"),
    "mixed": Text("mixed", "混合"),
}
ENOUGH: dict[Driver, float] = {"shill": 0.2, "draw": 0.25, "question": 0.25, "koc": 0.15}
"""From which strength on a driver counts; the dominant one is the furthest above its own."""
VOICE, LONGER = 0.03, 1.4  # a KOC's share of the messages; length over that of quieter ones
AFTER = 1  # days after a draw that it still moves
ROWS = 50


@dataclass(frozen=True)
class Driven:
    """A recurring group, how strong each driver is in it, and the evidence."""

    life: Life
    strength: Mapping[Driver, float]
    voices: tuple[int, ...]  # its KOC-like members, the loudest first
    draw: str | None
    draw_at: datetime | None

    @property
    def driver(self) -> Driver:
        top = max(ENOUGH, key=lambda d: self.strength[d] / ENOUGH[d])
        return top if self.strength[top] >= ENOUGH[top] else "mixed"


def driven(cubes: Mapping[str, pa.Table]) -> list[Driven]:
    """Every recurring group with its drivers, by group."""
    recurring = [
        life
        for life in lives(cubes[CLASS_DAY.name])
        if shape_of(life).type == "recurring_waves"
    ]
    shady: dict[int, set[int]] = {}
    for s in shills.suspects(cubes):
        if s.suspicious:
            shady.setdefault(s.group, set()).add(s.sender)
    people = by_group(where(cubes[SPEAKERS.name], "class", "member"))
    days = by_group(where(cubes[CLASS_DAY.name], "class", "member"))
    talk = by_group(cubes[TALK_DAY.name])
    return [
        _driven(e, people[e.group], days[e.group], talk[e.group], shady.get(e.group, set()))
        for e in recurring
    ]


def _driven(
    life: Life, people: pa.Table, days: pa.Table, talk: pa.Table, shady: set[int]
) -> Driven:
    n, who = column(people, "n"), column(people, "sender_key")
    suspect = np.isin(who, list(shady))
    voices = koc_like(n, column(people, "chars"), suspect)
    asked, texts = column(talk, "questions").sum(), column(talk, "texts").sum()
    strength: dict[Driver, float] = {
        "shill": float(n[suspect].sum() / life.n),
        "draw": draw_part(days, talk),
        "question": float(asked / texts) if texts else 0.0,
        "koc": float(n[voices].sum() / life.n),
    }
    text, at = _first_draw(talk)
    order = voices[np.lexsort((who[voices], -n[voices]))]
    return Driven(life, strength, tuple(who[order].tolist()), text, at)


def koc_like(n: Array, chars: Array, suspect: Array) -> Array:
    """Places of members who write much and at length: not suspicious, at least 3 % of the
    member messages, on average 1.4 times as long as those of the members below 3 %."""
    much = n >= VOICE * n.sum()
    quiet = ~much & ~suspect
    usual = chars[quiet].sum() / max(int(n[quiet].sum()), 1)
    long = chars >= LONGER * max(usual, 1) * n
    found: Array = np.flatnonzero(much & ~suspect & long & quiet.any())
    return found


def draw_part(days: pa.Table, talk: pa.Table) -> float:
    """Which part of the member messages draws brought: the excess of the days with a draw and
    the day after over the other days of the group's life, ÷ all member messages."""
    day, n = column(days, "day"), column(days, "n")
    drawn = column(talk, "day")[column(talk, "draws") > 0]
    moved: Array = np.unique(np.concatenate([drawn + d for d in range(AFTER + 1)]))
    span = int((column(talk, "day").max() - column(talk, "day").min()).astype(int)) + 1
    on = n[np.isin(day, moved)].sum()
    rest = max(span - len(moved), 1)
    excess = on - len(moved) * (n.sum() - on) / rest
    return max(float(excess / n.sum()), 0.0)


def _first_draw(talk: pa.Table) -> tuple[str | None, datetime | None]:
    drawn = talk.filter(pa.array(column(talk, "draws") > 0)).sort_by("day").to_pylist()
    if not drawn:
        return None, None
    on = drawn[0]["day"]
    return drawn[0]["draw_text"], datetime(on.year, on.month, on.day)  # noqa: DTZ001 - local


def _drivers(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    found = sorted(driven(cubes), key=lambda d: (-d.life.n, d.life.group))
    counts = Counter(d.driver for d in found)
    value = {
        "drivers": {d: counts[d] for d in DRIVERS},
        "groups": [_as_value(d, facts) for d in found],
    }
    return Finding(
        value=value,
        n=len(found),
        sentence=_sentence(counts, len(found)),
        charts=(_chart(counts, len(found)),) if found else (),
        tables=(_table(found, facts),) if found else (),
        notes=_notes(len(found)),
        move=_move(counts, len(found)),
    )


def _as_value(d: Driven, facts: Facts) -> dict[str, Any]:
    strength = {name: round(s, 4) for name, s in d.strength.items()}
    return {"group": facts.group(d.life.group), "driver": d.driver, "strength": strength}


def _sentence(counts: Counter[Driver], n: int) -> Text:
    if not n:
        return Text(
            "No group comes back in waves, so there is nothing to explain here.",
            "没有多波复起的群，此处无可解释。",
        )
    en = ", ".join(f"{counts[d]:,} {name.en}" for d, name in DRIVERS.items() if counts[d])
    zh = "、".join(f"{name.zh} {counts[d]:,} 个" for d, name in DRIVERS.items() if counts[d])
    return Text(
        f"Of {many(n, 'group')} that come back in waves: {en}.",
        f"{n:,} 个多波复起的群中：{zh}。",
    )


def _chart(counts: Counter[Driver], n: int) -> Chart:
    top = max(DRIVERS, key=lambda d: counts[d])
    return Chart(
        kind="bar",
        title=Text(
            f"{counts[top]:,} of {many(n, 'recurring group')}: {DRIVERS[top].en}",
            f"{n:,} 个多波复起的群中，{counts[top]:,} 个为{DRIVERS[top].zh}",
        ),
        x=tuple(DRIVERS.values()),
        series=(Series(Text("groups", "群数"), tuple(counts[d] for d in DRIVERS)),),
        x_name=Text("dominant driver", "主要驱动"),
        y_name=Text("groups", "群数"),
    )


def _table(found: list[Driven], facts: Facts) -> Table:
    return Table(
        title=Text("What keeps recurring groups alive", "多波复起的群靠什么活着"),
        columns=(
            Text("Group", "群"),
            Text("Dominant driver", "主要驱动"),
            Text("Member messages", "成员消息"),
            Text("By suspects", "可疑账号"),
            Text("Brought by draws", "抽奖带来"),
            Text("Questions", "提问"),
            Text("By KOCs", "KOC 发言"),
            Text("Loudest KOC", "最活跃的 KOC"),
            Text("First draw", "首次抽奖"),
        ),
        rows=tuple(_row(d, facts) for d in found[:ROWS]),
        percent=frozenset({3, 4, 5, 6}),
        more=max(len(found) - ROWS, 0),
    )


def _row(d: Driven, facts: Facts) -> tuple[Any, ...]:
    at = d.draw_at.date().isoformat() if d.draw_at else ""
    return (
        facts.group(d.life.group),
        DRIVERS[d.driver],
        d.life.n,
        *(d.strength[name] for name in ENOUGH),
        facts.person(d.voices[0]) if d.voices else None,
        Quote(d.draw, at) if d.draw else None,
    )


def _notes(n: int) -> tuple[Text, ...]:
    if not 0 < n < 5:
        return ()
    en = f"Only {many(n, 'recurring group')}: read them one by one."
    return (Text(en, f"仅 {n:,} 个多波复起的群：宜逐个查看。"),)


def _move(counts: Counter[Driver], n: int) -> Move | None:
    if not counts["koc"] + counts["question"]:
        return None
    en = (
        f"Learn from the {many(counts['koc'] + counts['question'], 'group')} that questions "
        f"and core members keep alive ({percent((counts['koc'] + counts['question']) / n)} of "
        "the recurring ones): name a core member and a question hour elsewhere."
    )
    zh = (
        f"借鉴靠提问与核心成员活着的 {counts['koc'] + counts['question']:,} 个群："
        "在其他群也确定核心成员和固定的问答时间。"
    )
    return Move(Text(en, zh), 0.4)


DRIVER = Metric(
    id="I11",
    name=Text("What keeps it alive", "群靠什么活着"),
    unit=Text("groups; share of member messages", "群；占成员消息"),
    window=Text("each recurring group's whole life", "每个多波复起群的全部时间"),
    definition=Text(
        "For groups with recurring waves (I9), four strengths. Shill-like: member messages "
        "by suspicious accounts (I12) ÷ all member messages; counts from 20%. Draw-driven: "
        "member messages on local days with a brand or bot message with words of a lottery "
        "and on the day after, less what the group's other days would have had, ÷ all member "
        "messages; from 25%. Question-driven: member texts with a question mark or question "
        "words ÷ member texts; from 25%. KOC-driven: messages of KOC-like members ÷ all "
        "member messages; from 15%. KOC-like: not suspicious, at least 3% of the member "
        "messages, and on average at least 1.4 times the characters a message of the members "
        "below 3% who are not suspicious. Dominant: the largest ratio of strength to its "
        "threshold, if at least 1; else mixed.",
        "对多波复起的群（I9）计算四种强度。疑似水军：可疑账号（I12）的消息 ÷ 全部成员消息，"
        "20% 起算。抽奖驱动：品牌或机器人发过含抽奖词消息的本地日及次日的成员消息，减去按其他"
        "日子推算的数量，÷ 全部成员消息，25% 起算。问答驱动：含问号或疑问词的成员文本 ÷ "
        "成员文本，25% 起算。KOC 驱动：类 KOC 成员的消息 ÷ 全部成员消息，15% 起算。类 KOC："
        "不可疑、占成员消息 3% 以上、且每条平均字数不低于占比 3% 以下的不可疑成员的 1.4 倍。"
        "主要驱动：强度与其门槛之比最大且不小于 1 者，否则为混合。",
    ),
    cubes=(CLASS_DAY, TALK_DAY, *shills.CUBES),
    summarise=_drivers,
    reference=Text(
        "four types: shill-like, draw-driven, question-driven, KOC-driven",
        "四类：疑似水军、抽奖驱动、问答驱动、KOC 驱动",
    ),
    needs=("text",),
)

METRICS: tuple[Metric, ...] = (DRIVER,)
