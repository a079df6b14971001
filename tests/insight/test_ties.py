"""The tie graph, circles, communities and bridges; sparks of the core."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.insight.figures import Person
from qunluo.insight.graph import bridges, circles, communities, graph_of, influence, spread
from qunluo.insight.metrics.replying import ADDRESSED
from qunluo.insight.metrics.sparks import SPARKS
from qunluo.insight.metrics.ties import CIRCLE, TIES
from tests.insight.tables_builder import Said, at, collect, find, key, tables

edges = st.lists(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5)), max_size=30
)


def graph(rows: list[tuple[int, int, int]], keys: range = range(1, 10)):  # type: ignore[no-untyped-def]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return graph_of(np.array(keys), columns[0], columns[1], columns[2].astype(float))


@given(edges)
def test_the_graph_adds_up_what_was_exchanged(rows: list[tuple[int, int, int]]) -> None:
    found = graph(rows)
    for place, who in enumerate(found.keys.tolist()):
        assert found.strength[place] == sum(n for a, b, n in rows if a != b and who in (a, b))
    a, b, weight = found.undirected
    pairs = {(x, y) for x, y, _ in rows if x != y}
    assert len(a) == len({tuple(sorted(p)) for p in pairs})
    assert weight.sum() == sum(n for x, y, n in rows if x != y)
    assert (a < b).all()


@settings(max_examples=40)
@given(edges.filter(bool), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    rows: list[tuple[int, int, int]], shuffle: random.Random
) -> None:
    mixed = rows[:]
    shuffle.shuffle(mixed)
    one, other = graph(rows), graph(mixed)
    assert influence(one).tolist() == influence(other).tolist()
    assert communities(one, 7).of.tolist() == communities(other, 7).of.tolist()


@given(edges, st.lists(st.integers(0, 5), min_size=40, max_size=40))
def test_the_core_is_never_more_than_five_in_a_hundred(
    rows: list[tuple[int, int, int]], weeks: list[int]
) -> None:
    found = graph(rows, range(1, 41))
    circle = circles(found, influence(found), np.array(weeks))
    assert (circle == "core").sum() <= 2
    assert (circle == "influence").sum() <= 10
    for place in np.flatnonzero(circle == "core"):
        assert found.strength[place] > 0
        assert weeks[place] >= 3


def test_two_cliques_are_two_communities_and_who_joins_them_bridges() -> None:
    cliques = [
        (a, b, 3) for group in (range(1, 5), range(5, 9)) for a in group for b in group if a < b
    ]
    found = graph([*cliques, (9, 1, 3), (9, 5, 3)])
    parts = communities(found, 1)
    assert sorted(parts.sizes.tolist()) == [4, 5]
    assert len(set(parts.of[:4].tolist())) == 1
    assert len(set(parts.of[4:8].tolist())) == 1
    assert [int(found.keys[i]) for i in bridges(found, parts.of)] == [9]
    assert spread(found, parts.of)[1] == 0


def test_names_in_messages_are_ties() -> None:
    said = [
        Said("g", "Ann", at(0), "hello"),
        Said("g", "bob", at(0, 13), "ann: hi"),
        Said("g", "bob", at(0, 14), "well @Ann, look"),
        Said("g", "eve", at(0, 15), "listen", mentions=("bob",)),
        Said("g", "eve", at(0, 16), "note: nobody is called so"),
        Said("h", "bob", at(0, 17), "ann: not in this group"),
        Said("g", "Ann", at(0, 18), "ann: myself"),
    ]
    rows = collect(ADDRESSED, tables(said)).to_pylist()
    assert {(r["sender_key"], r["other_key"], r["n"]) for r in rows} == {
        (key("bob"), key("Ann"), 2),
        (key("eve"), key("bob"), 1),
    }


def community(people: int = 40) -> list[Said]:
    """Everybody names p0 in three weeks; p39 comes late and speaks to nobody."""
    said = [Said("g", "p0", at(d, 8), "good morning") for d in (0, 7, 14, 60)]
    for p in range(1, people - 1):
        said += [Said("g", f"p{p}", at(d, 9, p), "p0: thank you") for d in (0, 7)]
    return [*said, Said("g", f"p{people - 1}", at(59), "is anybody here?")]


def test_whom_everybody_turns_to_is_the_core() -> None:
    found = find(CIRCLE, tables(community()))
    assert found.value["circles"]["core"]["members"] == 1
    assert found.value["circles"]["core"]["ties"] == 1.0
    assert found.tables[0].rows[0][0] == Person(key("p0"), "p0")
    assert found.value["groups"][0]["core_share"] == 4 / (4 + 2 * 38 + 1)


def test_newcomers_without_a_tie_are_counted() -> None:
    found = find(TIES, tables(community()))
    assert found.value["newcomers"] == {"n": 1, "without_tie": 1, "share": 1.0}
    assert found.value["tied"] == 39
    names = [node[0] for chart in found.charts for node in chart.nodes]
    assert all(isinstance(name, Person) for name in names)
    assert len(names) == 39


def test_neighbours_count_only_where_replies_are_rare() -> None:
    quiet = [Said("g", who, at(0, 9, i), "…") for i, who in enumerate(["ann", "bob", "ann"])]
    found = find(TIES, tables(quiet))
    assert found.value["tied"] == 2
    assert "quarter" in found.notes[0].en
    assert not find(TIES, tables(community())).notes


def posts(follow: bool, days: int = 140) -> list[Said]:
    """The core posts at a random hour of two; where `follow`, three others answer an hour on."""
    draw = random.Random(1)
    said = []
    for day in range(days):
        for hour in (10, 15):
            posted = draw.random() < 0.5
            if posted:
                said += [Said("g", f"core{i}", at(day, hour, i)) for i in range(5)]
            answers = 3 if follow and posted else draw.choice((0, 1))
            said += [
                Said("g", f"m{draw.randrange(60)}", at(day, hour + 1, i))
                for i in range(answers)
            ]
    return said


def test_a_planted_spark_is_found_and_its_absence_is_inconclusive() -> None:
    lit = find(SPARKS, tables(posts(follow=True))).value["core"]
    assert lit["verdict"] == "more"
    assert lit["low"] < 2.5 < lit["high"]
    dark = find(SPARKS, tables(posts(follow=False)))
    assert dark.value["core"]["verdict"] == "inconclusive"
    assert "inconclusive" in dark.sentence.en
    assert dark.move is None


def test_too_few_posts_say_so() -> None:
    found = find(SPARKS, tables([Said("g", "ann", at(d)) for d in range(5)]))
    assert "Too little" in found.sentence.en
    assert found.interval is None
