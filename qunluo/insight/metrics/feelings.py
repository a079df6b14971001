"""The four feelings 存在感·认同感·归属感·优越感: answered, echoed, tied, honoured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from qunluo.insight.estimates import wilson
from qunluo.insight.figures import Chart, Cube, Facts, Finding, Metric, Move, Series, Table
from qunluo.insight.metrics.member_cubes import (
    MEMBER_MONTH,
    PAIRS,
    month_name,
    month_number,
    pairs_in,
    person_months,
)
from qunluo.insight.metrics.phrases import interval, nothing, percent
from qunluo.insight.metrics.study_cubes import Array, column
from qunluo.kit.text import Text

NEAR_S = 180  # who writes right after within three minutes answers, where replies are unseen
STRONG = 3  # exchanges in each direction that make a tie strong
TIES = 2
SHOWN_MONTHS = 36
FEW = 30


def _heard(t: Any) -> Any:
    rows = t.classed
    near = (rows.prev_gap_s <= NEAR_S) & (rows.prev_sender_key != rows.sender_key)
    rows = rows.mutate(
        replied=rows.reply_sender_key.notnull().cast("int64"),
        heard_key=rows.reply_sender_key.coalesce(near.ifelse(rows.prev_sender_key, None)),
    )
    rows = rows.filter(
        rows.heard_key.notnull()
        & (rows.heard_key != rows.sender_key)
        & rows["class"].isin(["member", "brand"])
    )
    return rows.group_by(
        month=rows.local_at.date().truncate("M"), heard_key=rows.heard_key
    ).agg(replies=lambda r: r.replied.sum(), n=lambda r: r.count())


HEARD = Cube("heard", _heard)
"""month, heard_key, replies (explicit, to this account), n (with neighbours within 3 minutes)."""


def _echoed(t: Any) -> Any:
    rows = t.classed.filter((t.classed["class"] == "member") & (t.classed.reaction_count > 0))
    return rows.group_by(
        month=rows.local_at.date().truncate("M"), sender_key=rows.sender_key
    ).agg(reactions=lambda r: r.reaction_count.sum())


ECHOED = Cube("echoed", _echoed)
"""month, sender_key, reactions that the member's messages of that month got."""


@dataclass(frozen=True)
class Level:
    """One feeling by month: active members who had it, and all active members."""

    month: Array
    had: Array
    active: Array

    @property
    def share(self) -> float:
        return float(self.had.sum() / self.active.sum())

    def bounds(self) -> tuple[float, float]:
        return wilson(int(self.had.sum()), int(self.active.sum()))

    def trend(self) -> str:
        """Later half against earlier half: `up`, `down`, `level`, or `unknown` if short.

        Different only if their 95 % intervals do not touch.
        """
        half = len(self.month) // 2
        if not half:
            return "unknown"
        early = wilson(int(self.had[:half].sum()), int(self.active[:half].sum()))
        late = wilson(int(self.had[half:].sum()), int(self.active[half:].sum()))
        if late[0] > early[1]:
            return "up"
        return "down" if late[1] < early[0] else "level"


def level(talk: pa.Table, keys: Array, months: Array) -> Level:
    """Of the members active in each month, how many are among (`keys`, `months`)."""
    who, month = person_months(talk)
    found, place = np.unique(month, return_inverse=True)
    had = pairs_in(who, month, keys, months)
    return Level(
        found,
        np.bincount(place, weights=had, minlength=len(found)).astype(np.int64),
        np.bincount(place, minlength=len(found)),
    )


def strongly_tied(pairs: pa.Table, explicit: bool) -> Array:
    """Sender keys with at least two strong ties.

    A tie is strong with at least 3 exchanges in each direction: replies, or where these are
    unseen, writing right after each other.
    """
    rows = pairs.filter(pa.array(column(pairs, "tie") == ("reply" if explicit else "next")))
    people, place = np.unique(
        np.concatenate([column(rows, "sender_key"), column(rows, "other_key")]),
        return_inverse=True,
    )
    source, target = place[: rows.num_rows], place[rows.num_rows :]
    code, which = np.unique(source * max(len(people), 1) + target, return_inverse=True)
    n = np.bincount(which, weights=column(rows, "n"), minlength=len(code))
    strong = code[n >= STRONG]
    back = strong % max(len(people), 1) * max(len(people), 1) + strong // max(len(people), 1)
    mutual = strong[np.isin(strong, back)] // max(len(people), 1)
    keys, ties = np.unique(mutual, return_counts=True)
    found: Array = people[keys[ties >= TIES]]
    return found


def levels(cubes: Mapping[str, pa.Table], facts: Facts) -> dict[str, Level]:
    """Presence, recognition (where the format has reactions) and belonging, by month."""
    talk, heard, echoed = cubes[MEMBER_MONTH.name], cubes[HEARD.name], cubes[ECHOED.name]
    explicit = "replies" in facts.has
    answered = column(heard, "replies" if explicit else "n") > 0
    keys, months = column(heard, "heard_key"), month_number(column(heard, "month"))
    found = {"presence": level(talk, keys[answered], months[answered])}
    if "reactions" in facts.has:
        months = month_number(column(echoed, "month"))
        found["recognition"] = level(talk, column(echoed, "sender_key"), months)
    who, month = person_months(talk)
    tied = np.isin(who, strongly_tied(cubes[PAIRS.name], explicit))
    return {**found, "belonging": level(talk, who[tied], month[tied])}


NAMES = {
    "presence": Text("presence (answered)", "存在感（得到回应）"),
    "recognition": Text("recognition (reactions)", "认同感（获得表态）"),
    "belonging": Text("belonging (two strong ties)", "归属感（两条强关系）"),
    "pride": Text("pride (level, board or role)", "优越感（等级、榜单或身份）"),
}
TRENDS = {
    "up": Text("rising", "上升"),
    "down": Text("falling", "下降"),
    "level": Text("no clear change", "无明显变化"),
    "unknown": Text("too short to tell", "时间太短"),
}


def _feelings(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    talk = cubes[MEMBER_MONTH.name]
    if not talk.num_rows:
        return Finding({}, 0, nothing("no member wrote", "没有成员发言"))
    found = levels(cubes, facts)
    return Finding(
        value=_value(found, cubes[ECHOED.name]),
        n=int(found["presence"].active.sum()),
        sentence=_sentence(found),
        charts=(_chart(found),),
        tables=(_table(found),),
        notes=_notes(facts),
        move=_move(found),
    )


def _value(found: Mapping[str, Level], echoed: pa.Table) -> dict[str, object]:
    told: dict[str, object] = {}
    for name in NAMES:
        one = found.get(name)
        if one is None:
            told[name] = None
            continue
        low, high = one.bounds()
        months = zip(one.month.tolist(), one.had.tolist(), one.active.tolist(), strict=True)
        told[name] = {
            "share": one.share,
            "low": low,
            "high": high,
            "trend": one.trend(),
            "months": [{"month": month_name(m), "had": h, "active": a} for m, h, a in months],
        }
    if "recognition" in found:
        total = int(column(echoed, "reactions").sum())
        told["reactions_per_active_member"] = total / int(found["recognition"].active.sum())
    return told


def _sentence(found: Mapping[str, Level]) -> Text:
    presence, belonging = found["presence"], found["belonging"]
    words = interval(*presence.bounds())
    return Text(
        f"In a usual month {percent(presence.share)} of active members are answered "
        f"({words.en}; "
        f"{TRENDS[presence.trend()].en}) and {percent(belonging.share)} have two strong ties.",
        f"平均每月 {percent(presence.share)} 的活跃成员得到回应（{words.zh}；"
        f"{TRENDS[presence.trend()].zh}），"
        f"{percent(belonging.share)} 拥有两条强关系。",
    )


def _chart(found: Mapping[str, Level]) -> Chart:
    months = found["presence"].month[-SHOWN_MONTHS:]
    weakest = min(found, key=lambda name: found[name].share)
    return Chart(
        kind="line",
        title=Text(
            f"The weakest is {NAMES[weakest].en}: {percent(found[weakest].share)}",
            f"最弱的是{NAMES[weakest].zh}：{percent(found[weakest].share)}",
        ),
        x=tuple(month_name(int(m)) for m in months),
        series=tuple(_series(NAMES[name], one) for name, one in found.items()),
        x_name=Text("month", "月份"),
        y_name=Text("share of active members", "占活跃成员比例"),
        percent=True,
    )


def _series(name: Text, one: Level) -> Series:
    had, active = one.had[-SHOWN_MONTHS:].tolist(), one.active[-SHOWN_MONTHS:].tolist()
    bounds = [wilson(h, a) for h, a in zip(had, active, strict=True)]
    return Series(
        name,
        tuple(h / a for h, a in zip(had, active, strict=True)),
        tuple(low for low, _ in bounds),
        tuple(high for _, high in bounds),
        tuple(active),
    )


def _table(found: Mapping[str, Level]) -> Table:
    rows = [
        (NAMES[name], one.share, *one.bounds(), TRENDS[one.trend()], int(one.active.sum()))
        for name, one in found.items()
    ]
    return Table(
        title=Text("The feelings and their trend", "各项感受与趋势"),
        columns=(
            Text("Feeling", "感受"),
            Text("Share", "占比"),
            Text("From", "下限"),
            Text("To", "上限"),
            Text("Trend", "趋势"),
            Text("Member-months", "人月"),
        ),
        rows=tuple(rows),
        percent=frozenset({1, 2, 3}),
    )


def _notes(facts: Facts) -> tuple[Text, ...]:
    notes = [
        Text(
            "Pride needs levels, boards or roles, which no chat export holds: not counted.",
            "优越感需要等级、榜单或身份数据，聊天导出中没有：未统计。",
        )
    ]
    if "reactions" not in facts.has:
        notes.append(
            Text(
                "Recognition needs reactions, which this format does not carry: not counted.",
                "认同感需要表态（点赞等）数据，此格式没有：未统计。",
            )
        )
    if "replies" not in facts.has:
        notes.append(
            Text(
                "Replies are not marked here: whoever is followed by somebody else within 3 "
                "minutes counts as answered, which flatters busy groups.",
                "此格式没有回复标记：3 分钟内有人接话即视为得到回应，热闹的群会偏高。",
            )
        )
    return tuple(notes)


def _move(found: Mapping[str, Level]) -> Move | None:
    presence = found["presence"]
    if presence.active.sum() < FEW or presence.bounds()[1] >= 0.6:
        return None
    silent = percent(1 - presence.share)
    return Move(
        Text(
            f"{silent} of those who speak in a month are answered by nobody: let the staff "
            "answer every message that stands alone for an hour.",
            f"每月发言的成员中有 {silent} 无人回应："
            "请工作人员回应每一条一小时内无人接话的消息。",
        ),
        weight=0.4 + 0.4 * (1 - presence.share),
    )


FEELINGS = Metric(
    id="feelings",
    name=Text("Four feelings", "四感（存在·认同·归属·优越）"),
    unit=Text("share of active member-months", "占活跃人月比例"),
    window=Text("calendar months", "自然月"),
    definition=Text(
        "Of members who wrote in a month. Presence: somebody of members or brand answered "
        "them in it (explicit reply; where the format has none, somebody else wrote within 3 "
        "minutes after). Recognition: their messages got a reaction. Belonging: they have at "
        "least two strong ties, with at least 3 exchanges in each direction over the archive. "
        "Pride: a level, board or role. Months are added up; the trend compares the later "
        "half of months with the earlier and calls only intervals that do not touch different.",
        "以当月发言成员为分母。存在感：当月有成员或品牌回应（明确回复；无此数据时，3 "
        "分钟内有他人接话）。"
        "认同感：消息获得表态。归属感：至少两条强关系，即整个存档中双向各至少 3 次互动。"
        "优越感：有等级、上榜或身份。"
        "各月相加；趋势比较后半段与前半段，区间不相交才算有变化。",
    ),
    cubes=(MEMBER_MONTH, HEARD, ECHOED, PAIRS),
    summarise=_feelings,
)

METRICS: tuple[Metric, ...] = (FEELINGS,)
