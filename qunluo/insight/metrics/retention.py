"""Retention: of the members who came in a month, how many still talk in the months after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from qunluo.insight.cohorts import BRACKETS, Cohorts
from qunluo.insight.estimates import wilson
from qunluo.insight.figures import Chart, Facts, Finding, Metric, Move, Series
from qunluo.insight.metrics.member_cubes import (
    MEMBER_MONTH,
    MEMBERSHIP,
    NEVER,
    ROSTER,
    last_whole_month,
    least,
    micros,
    month_name,
    month_number,
    person_months,
)
from qunluo.insight.metrics.phrases import nothing, percent
from qunluo.insight.metrics.study_cubes import Array, column
from qunluo.kit.text import Text

KNOWN_SHARE = 0.5  # of speaking members whose joining must be known to count from it
FEW = 30
SHOWN_COHORTS = 24
LOW_FIRST_MONTH = 0.3

BASIS = {
    "join": Text("joining the group", "入群"),
    "first_message": Text("their first message", "首次发言"),
}


@dataclass(frozen=True)
class Comings:
    """Who came when: sender keys ascending, local microseconds, and how that is known."""

    keys: Array
    at: Array
    basis: str

    @property
    def month(self) -> Array:
        return month_number(self.at.astype("datetime64[us]"))


def comings(cubes: Mapping[str, pa.Table]) -> Comings:
    """By joining (events, then roster) if known for most who talk, else by first message."""
    talk = cubes[MEMBER_MONTH.name]
    speakers, first = least(column(talk, "sender_key"), micros(talk["first_at"]))
    joined, at = least(*_joins(cubes))
    known = int(np.isin(speakers, joined).sum())
    if len(joined) and known >= KNOWN_SHARE * len(speakers):
        return Comings(joined, at, "join")
    return Comings(speakers, first, "first_message")


def _joins(cubes: Mapping[str, pa.Table]) -> tuple[Array, Array]:
    """Sender keys and times of joinings, of events and of the roster."""
    events, roster = cubes[MEMBERSHIP.name], cubes[ROSTER.name]
    keys = np.concatenate([_keys(events, "subject_key"), _keys(roster, "sender_key")])
    at = np.concatenate([micros(events["first_join"]), micros(roster["joined_at"])])
    known = at != NEVER
    return keys[known], at[known]


def _keys(table: pa.Table, name: str) -> Array:
    return table[name].fill_null(0).to_numpy()  # type: ignore[no-any-return]


def cohorts(came: Comings, talk: pa.Table, last: int) -> Cohorts:
    """Cohorts of those who came, with the months they wrote in."""
    who, month = person_months(talk)
    place = np.searchsorted(came.keys, who)
    known = (place < len(came.keys)) & (came.keys[np.minimum(place, len(came.keys) - 1)] == who)
    return Cohorts(came.month, place[known], month[known], last)


def _retention(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    talk = cubes[MEMBER_MONTH.name]
    if not talk.num_rows:
        return Finding({}, 0, nothing("no member wrote", "没有成员发言"))
    came = comings(cubes)
    found = cohorts(came, talk, last_whole_month(facts))
    classic, rolling = found.curve(found.classic), found.curve(found.rolling)
    hits, people = found.pooled(found.classic[:, 1], 1) if found.width > 1 else (0, 0)
    return Finding(
        value=_value(came, found, classic, rolling),
        n=len(came.keys),
        sentence=_sentence(came, found, hits, people),
        interval=wilson(hits, people) if people else None,
        charts=_charts(found, classic, rolling),
        notes=_notes(came, people),
        move=_move(hits, people),
    )


def _value(
    came: Comings,
    found: Cohorts,
    classic: list[tuple[int, int, int]],
    rolling: list[tuple[int, int, int]],
) -> dict[str, object]:
    names = [month_name(int(start)) for start in found.starts]
    return {
        "basis": came.basis,
        "cohorts": {
            name: {"size": int(size), "active": row.tolist()}
            for name, size, row in zip(names, found.sizes, found.classic, strict=True)
        },
        "classic": [_share(*point) for point in classic],
        "rolling": [_share(*point) for point in rolling],
        "bracket": [
            {"from": a, "to": b} | _share(b, *found.pooled(found.bracket(a, b), b))
            for a, b in BRACKETS
        ],
    }


def _share(after: int, hits: int, people: int) -> dict[str, object]:
    if not people:
        return {"month": after, "share": None, "n": 0}
    low, high = wilson(hits, people)
    return {"month": after, "share": hits / people, "n": people, "low": low, "high": high}


def _sentence(came: Comings, found: Cohorts, hits: int, people: int) -> Text:
    basis = BASIS[came.basis]
    if not people:
        return Text(
            f"The archive is too short to see anybody come back: no month after {basis.en} is "
            f"complete ({len(came.keys):,} members).",
            "存档太短，还看不出谁会回来："
            f"{basis.zh}后没有一个完整的月份（{len(came.keys):,} 人）。",
        )
    return Text(
        f"One month after {basis.en}, {percent(hits / people)} of members still talk.",
        f"{basis.zh}一个月后，仍有 {percent(hits / people)} 的成员在发言。",
    )


def _charts(
    found: Cohorts,
    classic: list[tuple[int, int, int]],
    rolling: list[tuple[int, int, int]],
) -> tuple[Chart, ...]:
    if len(classic) < 2:
        return ()
    after = classic[-1][0]
    return (
        Chart(
            kind="line",
            title=Text(
                f"{percent(_of(classic[-1]))} still talk after {after} months",
                f"{after} 个月后仍有 {percent(_of(classic[-1]))} 在发言",
            ),
            x=tuple(float(k) for k, _, _ in classic),
            series=(
                _series(Text("in that month", "当月有发言"), classic),
                _series(Text("in that month or later", "当月或之后有发言"), rolling),
            ),
            x_name=Text("months after the first", "距首月的月数"),
            y_name=Text("share of members", "占成员比例"),
            percent=True,
        ),
        _heatmap(found),
    )


def _of(point: tuple[int, int, int]) -> float:
    return point[1] / point[2] if point[2] else 0.0


def _series(name: Text, points: Sequence[tuple[int, int, int]]) -> Series:
    bounds = [wilson(hits, people) for _, hits, people in points]
    return Series(
        name,
        tuple(_of(point) for point in points),
        tuple(low for low, _ in bounds),
        tuple(high for _, high in bounds),
        tuple(people for _, _, people in points),
    )


def _heatmap(found: Cohorts) -> Chart:
    """The latest cohorts, one row each; months that had not come yet stay empty."""
    shown = range(max(len(found.starts) - SHOWN_COHORTS, 0), len(found.starts))
    columns = min(found.width, SHOWN_COHORTS)
    best = max(shown, key=lambda row: (found.sizes[row], -row))
    name = month_name(int(found.starts[best]))
    return Chart(
        kind="heatmap",
        title=Text(
            f"The largest cohort came in {name}: {found.sizes[best]:,} members",
            f"最大的一批成员来自 {name}：{found.sizes[best]:,} 人",
        ),
        x=tuple(float(k) for k in range(columns)),
        series=tuple(_cohort_row(found, row, columns) for row in shown),
        x_name=Text("months after the first", "距首月的月数"),
        y_name=Text("month of coming", "到来的月份"),
        percent=True,
    )


def _cohort_row(found: Cohorts, row: int, columns: int) -> Series:
    start, size = int(found.starts[row]), int(found.sizes[row])
    name = month_name(start)
    counts = found.classic[row].tolist()
    y = tuple(counts[k] / size if start + k <= found.last + 1 else None for k in range(columns))
    return Series(Text(name, name), y, n=(size,) * columns)


def _notes(came: Comings, people: int) -> tuple[Text, ...]:
    label = (
        Text(
            "Cohorts count from joining (events or roster); who joined and never wrote counts "
            "as not retained.",
            "批次按入群时间（事件或名册）划分；入群后从未发言者计为未留存。",
        )
        if came.basis == "join"
        else Text(
            "Joins are unknown for most members, so cohorts count from the first message; "
            "silent members are not seen. A roster (--roster) would show them.",
            "多数成员的入群时间未知，因此按首次发言划分批次，看不到潜水成员；"
            "提供名册（--roster）即可看到。",
        )
    )
    if not people:
        return (label,)
    later = Text(
        "The rolling share is flattered for old cohorts: they had longer to come back.",
        "滚动留存对早期批次偏高：他们有更长时间回来。",
    )
    few = Text(f"Only n = {people}: read with care.", f"仅 n = {people}，谨慎解读。")
    return (label, later, few) if people < FEW else (label, later)


def _move(hits: int, people: int) -> Move | None:
    if people < FEW or wilson(hits, people)[1] >= LOW_FIRST_MONTH:
        return None
    share = hits / people
    return Move(
        Text(
            f"Only {percent(share)} of newcomers still talk after a month: greet each one by "
            "name in the first week and give them a first small thing to do.",
            f"新成员一个月后仅 {percent(share)} 仍在发言：入群第一周逐一点名欢迎，"
            "并给一个容易完成的小任务。",
        ),
        weight=0.5 + 0.4 * (1 - share),
    )


RETENTION = Metric(
    id="retention",
    name=Text("Retention", "留存"),
    unit=Text("share of those who came", "占到来成员的比例"),
    window=Text("calendar months, local", "本地自然月"),
    definition=Text(
        "Members who came in one calendar month are a cohort: by joining (events or roster) "
        "where it is known for at least half of those who talk, else by first message. "
        "Classic: wrote in month + k. Rolling: wrote in month + k or later. Bracket: wrote in "
        "any month of 1, 2–3, 4–6, 7–12. Pooled shares use only cohorts whose month + k is "
        "complete in the archive. Wilson 95 % intervals.",
        "同一自然月到来的成员为一个批次："
        "若至少一半发言者的入群时间已知则按入群（事件或名册），否则按首次发言。"
        "经典：在第 k 个月发言；滚动：在第 k 个月或之后发言；区间：在第 1、2–3、4–6、7–12 "
        "个月内任一月发言。"
        "合并比例只用第 k 个月在存档内完整的批次。Wilson 95% 区间。",
    ),
    cubes=(MEMBER_MONTH, MEMBERSHIP, ROSTER),
    summarise=_retention,
)

METRICS: tuple[Metric, ...] = (RETENTION,)
