"""Circles and ties: who carries the talk, which communities there are, who bridges them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from qunluo.insight.estimates import wilson
from qunluo.insight.figures import Chart, Cube, Facts, Finding, Metric, Move, Series, Table
from qunluo.insight.graph import (
    Communities,
    Graph,
    bridges,
    circles,
    communities,
    drawn,
    graph_of,
    influence,
    spread,
)
from qunluo.insight.metrics.member_cubes import DAY, PAIRS, WHO, end_of, micros
from qunluo.insight.metrics.phrases import many, nothing, number, percent
from qunluo.insight.metrics.replying import ADDRESSED
from qunluo.insight.metrics.study_cubes import SPEAKERS, Array, column, sums, where
from qunluo.kit.text import Text

NEXT_WEIGHT = 0.25  # of writing right after somebody, where replies can't be seen
FEW_REPLIES = 0.05  # of adjacencies, below which these count as well
NEW_DAYS = 30
ROWS = 20
DRAWN = 60
CLEAR = 0.3  # modularity from which communities are worth telling
CIRCLES = {
    "core": Text("core", "核心圈"),
    "influence": Text("influence", "影响圈"),
    "periphery": Text("periphery", "外围圈"),
}


def _active_weeks(t: Any) -> Any:
    members = t.classes.filter(t.classes["class"] == "member").select(*WHO)
    days = t.person_day.semi_join(members, WHO)
    return days.group_by("sender_key").agg(weeks=lambda d: d.day.truncate("W").nunique())


ACTIVE_WEEKS = Cube("active_weeks", _active_weeks)
"""sender_key, weeks (distinct Monday weeks with a message, over all groups)."""

CUBES = (SPEAKERS, PAIRS, ACTIVE_WEEKS, ADDRESSED)


@dataclass(frozen=True)
class Members:
    """Writing members with their ties; arrays run along `graph.keys`."""

    graph: Graph
    n: Array  # messages
    weeks: Array
    first: Array  # local microseconds
    adjacency: bool  # ties also count who wrote right after whom

    @property
    def tied(self) -> Array:
        found: Array = self.graph.strength > 0
        return found


def members_of(cubes: Mapping[str, pa.Table]) -> Members:
    """The tie graph of all writing members, over all groups."""
    people = where(cubes[SPEAKERS.name], "class", "member")
    keys = np.unique(column(people, "sender_key"))
    sender, other, weight, adjacency = _ties(cubes)
    graph = graph_of(keys, sender, other, weight)
    place = np.searchsorted(keys, column(people, "sender_key"))
    n = np.bincount(place, weights=column(people, "n"), minlength=len(keys)).astype(np.int64)
    first = np.full(len(keys), np.iinfo(np.int64).max)
    np.minimum.at(first, place, micros(people["first_at"]))
    return Members(graph, n, _weeks(cubes[ACTIVE_WEEKS.name], keys), first, adjacency)


def _weeks(table: pa.Table, keys: Array) -> Array:
    weeks = np.zeros(len(keys), dtype=np.int64)
    weeks[np.searchsorted(keys, column(table, "sender_key"))] = column(table, "weeks")
    return weeks


def _ties(cubes: Mapping[str, pa.Table]) -> tuple[Array, Array, Array, bool]:
    """Sender, other, weight: replies, then names; adjacency as well if both are rare."""
    pairs, named = cubes[PAIRS.name], cubes[ADDRESSED.name]
    parts = [_weighted(where(pairs, "tie", "reply"), 1.0), _weighted(named, 1.0)]
    near = _weighted(where(pairs, "tie", "next"), NEXT_WEIGHT)
    seen = sum(float(part[2].sum()) for part in parts)
    adjacency = seen < FEW_REPLIES * float(near[2].sum()) / NEXT_WEIGHT
    parts += [near] if adjacency else []
    sender, other, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    return sender, other, weight, adjacency


def _weighted(rows: pa.Table, weight: float) -> tuple[Array, Array, Array]:
    return (
        column(rows, "sender_key"),
        column(rows, "other_key"),
        column(rows, "n").astype(np.float64) * weight,
    )


# circles


def _circles(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    people = members_of(cubes)
    if not people.tied.any():
        return Finding({}, 0, nothing("no member answered another", "成员之间没有任何互动"))
    score = influence(people.graph)
    circle = circles(people.graph, score, people.weeks)
    core = people.graph.keys[circle == "core"]
    flow = _core_flow(cubes, core, facts)
    return Finding(
        value=_circle_value(people, circle, flow),
        n=len(people.graph),
        sentence=_circle_sentence(people, circle),
        charts=(_circle_chart(people, circle),) if (circle == "core").any() else (),
        tables=(_core_table(people, circle, score, facts), flow),
        notes=_tie_notes(people),
        move=_circle_move(people, circle),
    )


def _share_of_talk(people: Members, which: Array) -> float:
    total = int(people.n.sum())
    return float(people.n[which].sum()) / total if total else 0.0


def _share_of_ties(people: Members, which: Array) -> float:
    """Share of tie weight in which one of these takes part."""
    graph = people.graph
    touches = which[graph.source] | which[graph.target]
    return float(graph.weight[touches].sum() / graph.weight.sum())


def _circle_value(people: Members, circle: Array, flow: Table) -> dict[str, object]:
    counted = {
        name: {
            "members": int((circle == name).sum()),
            "messages": _share_of_talk(people, circle == name),
            "ties": _share_of_ties(people, circle == name),
        }
        for name in CIRCLES
    }
    groups = [{"group": row[0], "core_share": row[2]} for row in flow.rows]
    return {"circles": counted, "groups": groups}


def _circle_sentence(people: Members, circle: Array) -> Text:
    core = circle == "core"
    size = int(core.sum())
    if not size:
        return Text(
            f"There is no core yet: none of {len(circle):,} members stands out over three "
            "weeks.",
            f"尚未形成核心圈：{len(circle):,} 名成员中没有人在三周以上持续突出。",
        )
    talk, ties = _share_of_talk(people, core), _share_of_ties(people, core)
    return Text(
        f"{many(size, 'core member')} ({percent(size / len(circle))}) write {percent(talk)} of "
        f"member messages and take part in {percent(ties)} of all exchanges.",
        f"{size:,} 名核心成员（{percent(size / len(circle))}）贡献了 {percent(talk)} "
        "的成员消息，"
        f"参与了 {percent(ties)} 的互动。",
    )


def _circle_chart(people: Members, circle: Array) -> Chart:
    shares = {name: _share_of_talk(people, circle == name) for name in CIRCLES}
    rows = (
        (Text("members", "成员"), {n: float((circle == n).mean()) for n in CIRCLES}),
        (Text("messages", "消息"), shares),
        (Text("exchanges", "互动"), {n: _share_of_ties(people, circle == n) for n in CIRCLES}),
    )
    core = percent(shares["core"])
    return Chart(
        kind="bar",
        title=Text(f"The core writes {core} of messages", f"核心圈贡献 {core} 的消息"),
        x=tuple(CIRCLES.values()),
        series=tuple(Series(name, tuple(row[n] for n in CIRCLES)) for name, row in rows),
        x_name=Text("circle", "圈层"),
        y_name=Text("share", "占比"),
        percent=True,
    )


def _core_table(people: Members, circle: Array, score: Array, facts: Facts) -> Table:
    ranked = np.lexsort((people.graph.keys, -score))
    shown = [i for i in ranked.tolist() if circle[i] != "periphery"]
    partners = _partners(people.graph)
    rows = tuple(
        (
            facts.person(int(people.graph.keys[i])),
            CIRCLES[str(circle[i])],
            round(float(score[i]), 4),
            int(partners[i]),
            int(people.weeks[i]),
            int(people.n[i]),
        )
        for i in shown[:ROWS]
    )
    return Table(
        title=Text("Who carries the talk", "谁在撑起讨论"),
        columns=(
            Text("Member", "成员"),
            Text("Circle", "圈层"),
            Text("Influence", "影响力"),
            Text("Partners", "互动对象"),
            Text("Active weeks", "活跃周数"),
            Text("Messages", "消息数"),
        ),
        rows=rows,
        percent=frozenset({2}),
        more=max(len(shown) - ROWS, 0),
    )


def _partners(graph: Graph) -> Array:
    a, b, _ = graph.undirected
    return np.bincount(np.concatenate([a, b]), minlength=len(graph))


def _core_flow(cubes: Mapping[str, pa.Table], core: Array, facts: Facts) -> Table:
    """Per group, the share of member messages that core members write."""
    people = where(cubes[SPEAKERS.name], "class", "member")
    total = sums(column(people, "group_key"), column(people, "n"))
    ours = people.filter(pa.array(np.isin(column(people, "sender_key"), core)))
    by_core = sums(column(ours, "group_key"), column(ours, "n"))
    rows = [(group, n, by_core.get(group, 0) / n) for group, n in total.items() if n]
    rows.sort(key=lambda row: (-row[1], row[0]))
    return Table(
        title=Text("Talk through the core, by group", "各群经由核心圈的讨论"),
        columns=(
            Text("Group", "群"),
            Text("Member messages", "成员消息"),
            Text("By the core", "核心圈占比"),
        ),
        rows=tuple((facts.group(g), n, share) for g, n, share in rows[:ROWS]),
        percent=frozenset({2}),
        more=max(len(rows) - ROWS, 0),
    )


def _circle_move(people: Members, circle: Array) -> Move | None:
    core = circle == "core"
    if not core.any():
        return None
    talk = _share_of_talk(people, core)
    if talk < 0.5:
        return None
    return Move(
        Text(
            f"{percent(talk)} of the talk hangs on "
            f"{many(int(core.sum()), 'person', 'people')}: "
            "thank them by name, and invite the ten most answered of the influence circle to "
            "host one topic each.",
            f"{percent(talk)} 的讨论系于 {int(core.sum())} 人：点名致谢，"
            "并邀请影响圈里最受回应的十人各主持一个话题。",
        ),
        weight=0.3 + 0.4 * talk,
    )


def _tie_notes(people: Members) -> tuple[Text, ...]:
    if not people.adjacency:
        return ()
    return (
        Text(
            "Replies and names are rare here, so writing right after somebody counts as a "
            "quarter of a tie; read ties with care.",
            "这里很少有回复和点名，因此紧接他人发言按四分之一次互动计，请谨慎解读。",
        ),
    )


# ties


def _tie_finding(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    people = members_of(cubes)
    if not people.tied.any():
        return Finding({}, 0, nothing("no member answered another", "成员之间没有任何互动"))
    found = communities(people.graph, facts.seed)
    lonely, new = _newcomers(people, end_of(facts))
    between = bridges(people.graph, found.of) if found.modularity >= CLEAR else []
    return Finding(
        value=_tie_value(people, found, between, lonely, new),
        n=int(people.tied.sum()),
        sentence=_tie_sentence(found, between, lonely, new),
        charts=(_graph_chart(people, found, facts),),
        tables=(
            _community_table(people, found, facts),
            _bridge_table(people, found, between, facts),
        ),
        notes=_tie_notes(people),
        move=_newcomer_move(lonely, new),
    )


def _newcomers(people: Members, end: int) -> tuple[int, int]:
    """Of members who first wrote in the last 30 days: how many without a tie, and all."""
    new = people.first >= end - NEW_DAYS * DAY
    return int((new & ~people.tied).sum()), int(new.sum())


def _tie_value(
    people: Members, found: Communities, between: list[int], lonely: int, new: int
) -> dict[str, object]:
    return {
        "members": len(people.graph),
        "tied": int(people.tied.sum()),
        "ties": len(people.graph.undirected[0]),
        "communities": found.sizes.tolist(),
        "modularity": found.modularity,
        "bridges": len(between),
        "newcomers": {"n": new, "without_tie": lonely, "share": lonely / new if new else None},
    }


def _tie_sentence(found: Communities, between: list[int], lonely: int, new: int) -> Text:
    parts = _parts(found)
    fresh = (
        Text(
            f" Of {many(new, 'newcomer')} in the last {NEW_DAYS} days, {lonely:,} "
            f"{'has' if lonely == 1 else 'have'} no tie yet.",
            f"最近 {NEW_DAYS} 天的 {new:,} 名新成员中，{lonely:,} 人还没有任何互动关系。",
        )
        if new
        else Text("", "")
    )
    if found.modularity < CLEAR:
        return Text(f"{parts.en}.{fresh.en}", f"{parts.zh}。{fresh.zh}")
    bridged = many(len(between), "member bridges", "members bridge")
    return Text(
        f"{parts.en}; {bridged} them.{fresh.en}",
        f"{parts.zh}；有 {len(between):,} 人在其间牵线。{fresh.zh}",
    )


def _parts(found: Communities) -> Text:
    sizes = found.sizes
    largest = percent(float(sizes[0]) / float(sizes.sum()))
    if found.modularity < CLEAR:
        return Text(
            f"Members form one web without clear circles (modularity {found.modularity:.2f})",
            f"成员连成一片，没有明显的小圈子（模块度 {found.modularity:.2f}）",
        )
    return Text(
        f"Members form {many(len(sizes), 'community', 'communities')}, the largest with "
        f"{largest} of them (modularity {found.modularity:.2f})",
        f"成员形成 {len(sizes)} 个小圈子，最大的占 {largest}（模块度 {found.modularity:.2f}）",
    )


def _graph_chart(people: Members, found: Communities, facts: Facts) -> Chart:
    nodes, links = drawn(people.graph, found.of, DRAWN)
    strength, keys = people.graph.strength, people.graph.keys
    return Chart(
        kind="graph",
        title=Text(
            f"The {len(nodes)} members with the most ties, coloured by community",
            f"互动最多的 {len(nodes)} 名成员，颜色表示小圈子",
        ),
        x=(),
        series=(),
        x_name=Text("", ""),
        y_name=Text("", ""),
        nodes=tuple(
            (facts.person(int(keys[i])), round(float(strength[i]), 2), int(found.of[i]))
            for i in nodes
        ),
        links=tuple((a, b, round(w, 2)) for a, b, w in links),
    )


def _community_table(people: Members, found: Communities, facts: Facts) -> Table:
    rows = []
    for number_, size in enumerate(found.sizes[:ROWS].tolist()):
        inside = np.flatnonzero(found.of == number_)
        top = inside[np.lexsort((inside, -people.graph.strength[inside]))][:3]
        known = [facts.person(int(people.graph.keys[i])) for i in top]
        messages = int(people.n[inside].sum())
        rows.append((number_ + 1, size, messages, *known, *[None] * (3 - len(known))))
    return Table(
        title=Text("Communities", "小圈子"),
        columns=(
            Text("No.", "序号"),
            Text("Members", "成员"),
            Text("Messages", "消息数"),
            Text("Most tied", "互动最多"),
            Text("then", "其次"),
            Text("then", "再次"),
        ),
        rows=tuple(rows),
        more=max(len(found.sizes) - ROWS, 0),
    )


def _bridge_table(
    people: Members, found: Communities, between: list[int], facts: Facts
) -> Table:
    across = spread(people.graph, found.of)
    return Table(
        title=Text("Who bridges communities", "谁在小圈子之间牵线"),
        columns=(
            Text("Member", "成员"),
            Text("Spread of ties", "关系分散度"),
            Text("Exchanges", "互动次数"),
        ),
        rows=tuple(
            (
                facts.person(int(people.graph.keys[i])),
                round(float(across[i]), 3),
                number(float(people.graph.strength[i])),
            )
            for i in between[:ROWS]
        ),
        more=max(len(between) - ROWS, 0),
    )


def _newcomer_move(lonely: int, new: int) -> Move | None:
    if new < 10 or wilson(lonely, new)[0] < 0.3:
        return None
    return Move(
        Text(
            f"{many(lonely, 'newcomer')} of the last {NEW_DAYS} days were answered by nobody: "
            "give each a host who answers the first message within the day.",
            f"最近 {NEW_DAYS} 天有 {lonely:,} 名新成员没有得到任何回应："
            "为每人安排一位接待人，当天回应其首次发言。",
        ),
        weight=0.4 + 0.5 * lonely / new,
    )


_TIES = Text(
    "Ties among members: an explicit reply or a message that names or quotes the other "
    "counts 1 "
    "(the latter estimated from a sample in large archives); only where these are rarer than "
    "1 in 20 neighbouring messages does writing right after somebody count ¼.",
    "成员间的互动：明确回复，或提及、点名对方，各计 1 次；仅当其少于相邻发言的 1/20 时，"
    "紧接他人发言计 ¼ 次。",
)

CIRCLE = Metric(
    id="circles",
    name=Text("Circles", "圈层"),
    unit=Text("members", "成员"),
    window=Text("the whole archive", "整个存档"),
    definition=Text(
        _TIES.en + " Influence is PageRank along the ties. Core: the top of all members by "
        "influence, at most 5 %, with a tie and messages in at least 3 weeks; influence: the "
        "next 25 % with a tie; periphery: the rest.",
        _TIES.zh
        + "影响力为互动关系上的 PageRank。核心圈：影响力最高者，至多占 5%，有互动且至少在 3 周内发言；"
        "影响圈：其后 25% 有互动者；外围圈：其余成员。",
    ),
    cubes=CUBES,
    summarise=_circles,
)

TIES = Metric(
    id="ties",
    name=Text("Ties and communities", "关系与小圈子"),
    unit=Text("members", "成员"),
    window=Text(
        "the whole archive; newcomers: its last 30 days", "整个存档；新成员：最后 30 天"
    ),
    definition=Text(
        _TIES.en + " Communities by Leiden (modularity, seeded). A bridge has at least half of "
        "its ties spread outside one community (participation coefficient ≥ 0.5; only where "
        "communities are clear, modularity ≥ 0.3). A newcomer "
        "first wrote in the last 30 days.",
        _TIES.zh + "小圈子用 Leiden 算法（模块度，固定种子）。牵线者：关系分散在多个小圈子"
        "（参与系数 ≥ 0.5，仅在模块度 ≥ 0.3 时）。"
        "新成员：最后 30 天内首次发言者。",
    ),
    cubes=CUBES,
    summarise=_tie_finding,
)

METRICS: tuple[Metric, ...] = (CIRCLE, TIES)
