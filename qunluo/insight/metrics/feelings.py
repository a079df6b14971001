"""The four feelings 存在感·认同感·归属感·优越感: answered, echoed, tied, honoured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from qunluo.insight.estimates import wilson
from qunluo.insight.figures import Chart, Cube, Facts, Finding, Metric, Move, Series
from qunluo.insight.metrics.member_cubes import (
    MEMBER_MONTH,
    PAIRS,
    month_name,
    month_number,
    pairs_in,
    person_months,
)
from qunluo.insight.metrics.phrases import nothing, percent
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


def _threaded(t: Any) -> Any:
    import ibis  # noqa: PLC0415 - compiled plans are kept

    rows = t.classed.filter(
        t.classed.thread_id.notnull() & t.classed["class"].isin(["member", "brand"])
    )
    within = ibis.window(
        group_by=["group_key", "thread_id"], order_by=["sent_at", "seq", "sender_key"]
    )
    rows = rows.select("local_at", "sender_key", heard_key=rows.sender_key.lag().over(within))
    rows = rows.filter(rows.heard_key.notnull() & (rows.heard_key != rows.sender_key))
    return rows.group_by(
        month=rows.local_at.date().truncate("M"), heard_key=rows.heard_key
    ).agg(n=lambda r: r.count())


THREADED = Cube("threaded", _threaded)
"""month, heard_key, n: messages in a thread right after one of this account, by another."""


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


def presence(cubes: Mapping[str, pa.Table], facts: Facts) -> Level:
    """Members whom somebody answered in the month."""
    heard, threads = cubes[HEARD.name], cubes[THREADED.name].select(["month", "heard_key"])
    told = bool({"replies", "threads"} & facts.has)
    answered = heard.filter(pa.array(column(heard, "replies" if told else "n") > 0))
    found = pa.concat_tables([answered.select(["month", "heard_key"]), threads])
    keys, months = column(found, "heard_key"), month_number(column(found, "month"))
    return level(cubes[MEMBER_MONTH.name], keys, months)


def recognition(cubes: Mapping[str, pa.Table], facts: Facts) -> Level:
    """Members whose messages of the month got a reaction."""
    echoed = cubes[ECHOED.name]
    months = month_number(column(echoed, "month"))
    return level(cubes[MEMBER_MONTH.name], column(echoed, "sender_key"), months)


def belonging(cubes: Mapping[str, pa.Table], facts: Facts) -> Level:
    """Members of the month who have two strong ties in the archive."""
    talk = cubes[MEMBER_MONTH.name]
    who, month = person_months(talk)
    tied = np.isin(who, strongly_tied(cubes[PAIRS.name], "replies" in facts.has))
    return level(talk, who[tied], month[tied])


MEASURES: dict[str, Callable[[Mapping[str, pa.Table], Facts], Level]] = {
    "presence": presence,
    "recognition": recognition,
    "belonging": belonging,
}
NAMES = {
    "presence": Text("presence (answered)", "存在感（得到回应）"),
    "recognition": Text("recognition (reactions)", "认同感（获得表态）"),
    "belonging": Text("belonging (two strong ties)", "归属感（两条强关系）"),
}
WORDS = {
    "presence": Text("are seen to be answered", "得到可见的回应"),
    "recognition": Text("get a reaction", "获得表态"),
    "belonging": Text("have two strong ties", "拥有两条强关系"),
}
TRENDS = {
    "up": Text("rising", "呈上升趋势"),
    "down": Text("falling", "呈下降趋势"),
    "level": Text("no clear change", "无明显变化"),
    "unknown": Text("too short to see a trend", "时间太短，看不出趋势"),
}


def _finding(name: str, cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    if not cubes[MEMBER_MONTH.name].num_rows:
        return Finding({}, 0, nothing("no member wrote", "没有成员发言"))
    found = MEASURES[name](cubes, facts)
    return Finding(
        value=_value(found),
        n=int(found.active.sum()),
        sentence=_sentence(name, found),
        interval=found.bounds(),
        charts=(_chart(name, found),) if len(found.month) > 1 else (),
        notes=_notes(name, facts),
        move=_move(found) if name == "presence" else None,
    )


def _value(found: Level) -> dict[str, object]:
    low, high = found.bounds()
    months = zip(found.month.tolist(), found.had.tolist(), found.active.tolist(), strict=True)
    return {
        "share": found.share,
        "low": low,
        "high": high,
        "trend": found.trend(),
        "months": [{"month": month_name(m), "had": h, "active": a} for m, h, a in months],
    }


def _sentence(name: str, found: Level) -> Text:
    what, trend = WORDS[name], TRENDS[found.trend()]
    if len(found.month) == 1:
        only = month_name(int(found.month[0]))
        return Text(
            f"In {only}, {percent(found.share)} of the members who wrote {what.en}.",
            f"{only} 有 {percent(found.share)} 的发言成员{what.zh}。",
        )
    return Text(
        f"In a usual month {percent(found.share)} of the members who write {what.en}: "
        f"{trend.en}.",
        f"平均每月 {percent(found.share)} 的发言成员{what.zh}，{trend.zh}。",
    )


def _chart(name: str, found: Level) -> Chart:
    months = found.month[-SHOWN_MONTHS:]
    trend = TRENDS[found.trend()]
    return Chart(
        kind="line",
        title=Text(
            f"{percent(found.share)} {WORDS[name].en}: {trend.en}",
            f"{percent(found.share)} {WORDS[name].zh}：{trend.zh}",
        ),
        x=tuple(month_name(int(m)) for m in months),
        series=(_series(NAMES[name], found),),
        x_name=Text("month", "月份"),
        y_name=Text("share of members who write", "占发言成员比例"),
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


def _notes(name: str, facts: Facts) -> tuple[Text, ...]:
    told = name == "presence" and "threads" in facts.has
    if told or "replies" in facts.has or name == "recognition":
        return ()
    return (
        Text(
            "Replies are not marked here: whoever is followed by somebody else within 3 "
            "minutes counts as answered, which flatters busy groups.",
            "此格式没有回复标记：3 分钟内有人接话即视为得到回应，热闹的群会偏高。",
        ),
    )


def _move(presence: Level) -> Move | None:
    if presence.active.sum() < FEW or presence.bounds()[1] >= 0.6:
        return None
    silent = percent(1 - presence.share)
    return Move(
        Text(
            f"{silent} of those who speak in a month are not seen to be answered: let the staff "
            "answer every message that stands alone for an hour.",
            f"每月发言的成员中有 {silent} 未见有人回应："
            "请工作人员回应每一条一小时内无人接话的消息。",
        ),
        weight=0.4 + 0.4 * (1 - presence.share),
    )


def _pride(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    return Finding(
        {},
        0,
        Text(
            "No chat export holds levels, boards or roles, so pride can't be counted from it; "
            "it becomes visible once members have levels in Qunluo.",
            "聊天导出中没有等级、榜单或身份，无法统计优越感；在群落中启用会员等级后即可看到。",
        ),
    )


_MONTHS = Text(
    "Of members who wrote in a month; months are added up. The trend compares the later "
    "half of "
    "months with the earlier and calls only intervals that do not touch different.",
    "以当月发言成员为分母，各月相加；趋势比较后半段与前半段月份，区间不相交才算有变化。",
)
_UNIT = Text("share of active member-months", "占活跃人月比例")
_WINDOW = Text("calendar months", "自然月")

PRESENCE = Metric(
    id="presence",
    name=Text("Presence 存在感", "存在感"),
    unit=_UNIT,
    window=_WINDOW,
    definition=Text(
        "A member or the brand answered them in the month: an explicit reply, the next message "
        "in their thread, or where the format has neither, a message of somebody else within "
        "3 minutes after. " + _MONTHS.en,
        "当月有成员或品牌回应：明确回复，或在同一话题中紧接发言；格式无此数据时，"
        "3 分钟内有他人接话。" + _MONTHS.zh,
    ),
    cubes=(MEMBER_MONTH, HEARD, THREADED),
    summarise=partial(_finding, "presence"),
)
RECOGNITION = Metric(
    id="recognition",
    name=Text("Recognition 认同感", "认同感"),
    unit=_UNIT,
    window=_WINDOW,
    definition=Text(
        "A message that they wrote in the month got a reaction. " + _MONTHS.en,
        "当月所发消息获得表态（点赞等）。" + _MONTHS.zh,
    ),
    cubes=(MEMBER_MONTH, ECHOED),
    summarise=partial(_finding, "recognition"),
    needs=("reactions",),
)
BELONGING = Metric(
    id="belonging",
    name=Text("Belonging 归属感", "归属感"),
    unit=_UNIT,
    window=_WINDOW,
    definition=Text(
        "They have at least two strong ties: at least 3 exchanges in each direction over the "
        "archive, by explicit reply, or where the format has none, by writing right after each "
        "other. " + _MONTHS.en,
        "至少两条强关系：整个存档中双向各至少 3 次互动（明确回复；格式无此数据时为紧接发言）。"
        + _MONTHS.zh,
    ),
    cubes=(MEMBER_MONTH, PAIRS),
    summarise=partial(_finding, "belonging"),
)
PRIDE = Metric(
    id="pride",
    name=Text("Pride 优越感", "优越感"),
    unit=_UNIT,
    window=_WINDOW,
    definition=Text(
        "Members on a level, a board or in a role ÷ active members.",
        "拥有等级、上榜或身份的成员 ÷ 活跃成员。",
    ),
    cubes=(),
    summarise=_pride,
)

METRICS: tuple[Metric, ...] = (PRESENCE, RECOGNITION, BELONGING, PRIDE)
