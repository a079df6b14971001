"""Cubes that several of the study's figures share, and how their rows become arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from qunluo.insight.figures import Cube

Array = NDArray[Any]

DRAW_WORDS = (
    "抽奖|开奖|中奖|抽取|摇奖|抽免单|红包雨|抢红包|幸运观众"
    "|(?i:lottery|raffle|giveaway|lucky draw|prize draw)"
)
"""Words of a lottery (RE2)."""

CAMPAIGN_WORDS = (
    DRAW_WORDS + "|活动开始|活动预告|专场|秒杀|拼团|接龙|报名|瓜分|助力|打卡赛|直播预告"
    "|(?i:flash sale|contest|group buy|sign up now|campaign)"
)
"""Words of a campaign or a lottery (RE2)."""

QUESTION_WORDS = (
    "[?？]|吗|请问|怎么|如何|为什么|有没有|能不能|是不是|多少钱|哪里|哪个|谁知道"
    "|(?i:how (do|to|can)|anyone know|anybody know)"
)
"""Marks and words of a question (RE2)."""


def _speakers(t: Any) -> Any:
    whom = ["group_key", "sender_key"]
    return (
        t.person.join(t.classes, whom)
        .group_by([*whom, "class", "suspected"])
        .agg(
            n=lambda p: p.n.sum(),
            chars=lambda p: p.chars.sum(),
            days=lambda p: p.days.sum(),
            first_at=lambda p: p.first_at.min(),
            last_at=lambda p: p.last_at.max(),
        )
    )


SPEAKERS = Cube("speakers", _speakers)
"""group_key, sender_key, class, suspected, n, chars, days, first_at, last_at."""


def _class_day(t: Any) -> Any:
    joined = t.person_day.join(t.classes, ["group_key", "sender_key"])
    return joined.group_by(["group_key", "day", "class"]).agg(n=lambda p: p.n.sum())


CLASS_DAY = Cube("class_day", _class_day)
"""group_key, day, class, n."""


def _talk_day(t: Any) -> Any:
    import ibis  # noqa: PLC0415 - compiled plans are kept, so most runs never need it

    rows = t.classed.mutate(
        day=t.classed.local_at.date(),
        asked=_holds(t.classed["class"] == "member", t.classed.text, QUESTION_WORDS),
        called=_holds(
            t.classed["class"].isin(["brand", "bot"]), t.classed.text, CAMPAIGN_WORDS
        ),
    )
    said = rows.called.ifelse(rows.text.substr(0, 200), None)  # few rows have to carry one
    rows = rows.mutate(drew=_holds(rows.called, rows.text, DRAW_WORDS), said=said)
    first = ibis.struct({"at": rows.local_at, "said": rows.said})  # minutes hold several
    return rows.group_by(["group_key", "day"]).agg(
        texts=lambda r: ((r["class"] == "member") & (r.kind == "text")).sum(),
        questions=lambda r: r.asked.sum(),
        calls=lambda r: r.called.sum(),
        draws=lambda r: r.drew.sum(),
        call_at=lambda r: r.local_at.min(where=r.called),
        call_text=rows.said.argmin(first, where=rows.called),
        draw_text=rows.said.argmin(first, where=rows.drew),
    )


def _holds(wanted: Any, text: Any, words: str) -> Any:
    """Whether a text holds one of the words; looked at only in the rows wanted."""
    import ibis  # noqa: PLC0415 - compiled plans are kept, so most runs never need it

    return ibis.cases((wanted, text.re_search(words).fill_null(False)), else_=False)


TALK_DAY = Cube("talk_day", _talk_day)
"""group_key, day, texts and questions of members, calls (campaign or lottery messages of the
brand or a bot) and draws among them, call_at, call_text, draw_text (the day's first)."""


def column(table: pa.Table, name: str) -> Array:
    """A column as a numpy array; dates as datetime64[D]."""
    values: Array = table[name].to_numpy()
    return values


def where(table: pa.Table, name: str, value: str) -> pa.Table:
    """The rows in which a text column has this value."""
    return table.filter(pc.equal(table[name], value))


def sums(keys: Array, values: Array) -> dict[int, int]:
    """Σ values by key, keys ascending."""
    found, which = np.unique(keys, return_inverse=True)
    totals = np.bincount(which, weights=values, minlength=len(found))
    return {int(k): round(v) for k, v in zip(found, totals, strict=True)}


def by_group(table: pa.Table) -> dict[int, pa.Table]:
    """Slices of a table by `group_key`, keys ascending; the rows keep their order."""
    order = np.argsort(column(table, "group_key"), kind="stable")
    ordered = table.take(pa.array(order))
    keys, starts = np.unique(column(ordered, "group_key"), return_index=True)
    ends = np.append(starts, len(order))[1:]
    return {int(k): ordered.slice(a, b - a) for k, a, b in zip(keys, starts, ends, strict=True)}
