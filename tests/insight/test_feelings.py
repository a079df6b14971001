"""The feelings, stickiness, needs in talk, people behind accounts; and the same rows in any
order give the same findings."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.insight.figures import Need, Person
from qunluo.insight.identities import (
    Carried,
    Change,
    bridged,
    links,
    looks_like_bot,
    persons,
    stem,
)
from qunluo.insight.inputs import ORDERS, schema
from qunluo.insight.metrics import (
    buying,
    feelings,
    funnel,
    health,
    people,
    replying,
    retention,
    sparks,
    stickiness,
    survival,
    ties,
    wishes,
)
from qunluo.insight.metrics.feelings import BELONGING, PRESENCE, PRIDE, RECOGNITION, Level
from qunluo.insight.metrics.people import PEOPLE
from qunluo.insight.metrics.stickiness import STICKINESS
from qunluo.insight.metrics.wishes import FAMILIES, WISH_TALK, clusters, terms
from tests.insight.tables_builder import Happened, Said, at, find, key, tables

MODULES = (buying, feelings, funnel, health, people, replying, retention, sparks, stickiness,
           survival, ties, wishes)  # fmt: skip
METRICS = [metric for module in MODULES for metric in module.METRICS]


def test_presence_is_being_answered_and_by_neighbours_where_replies_are_unseen() -> None:
    said = [
        Said("g", "ann", at(0, 9), message_id="1"),
        Said("g", "bob", at(0, 10), reply_to="1"),
        Said("g", "cat", at(0, 10, 1)),
        Said("g", "cat", at(0, 12)),
    ]
    told = find(PRESENCE, tables(said), has=["replies"]).value
    assert told["months"] == [{"month": "2022-01", "had": 1, "active": 3}]
    near = find(PRESENCE, tables(said))
    assert near.value["months"] == [{"month": "2022-01", "had": 2, "active": 3}]
    assert "3 minutes" in near.notes[0].en.replace("\n", " ")


def test_the_next_message_of_a_thread_answers_the_one_before() -> None:
    said = [
        Said("g", "ann", at(0, 9), thread_id="tea"),
        Said("g", "bob", at(0, 9, 1), thread_id="milk"),
        Said("g", "cat", at(5, 9), thread_id="tea"),
        Said("g", "dan", at(5, 9, 1)),
    ]
    told = find(PRESENCE, tables(said), has=["threads"])
    assert told.value["months"] == [{"month": "2022-01", "had": 1, "active": 4}]
    assert not told.notes or "3 minutes" not in told.notes[0].en


def test_an_answer_by_a_bot_or_by_oneself_is_none() -> None:
    said = [
        Said("g", "ann", at(0, 9), message_id="1"),
        Said("g", "ann", at(0, 9, 1), reply_to="1"),
        Said("g", "rob", at(0, 9, 2), reply_to="1"),
    ]
    found = find(PRESENCE, tables(said, classes={"rob": "bot"}), has=["replies"])
    assert found.value["share"] == 0


def test_recognition_counts_reactions_of_the_month() -> None:
    said = [Said("g", "ann", at(0), reactions=(("👍", 2),)), Said("g", "bob", at(0))]
    found = find(RECOGNITION, tables([*said, Said("g", "ann", at(40))]), has=["reactions"])
    assert [m["had"] for m in found.value["months"]] == [1, 0]


def test_belonging_needs_two_strong_ties() -> None:
    said: list[Said] = []
    for i in range(3):  # ann exchanges three messages each way with bob and cat
        for other in ("bob", "cat"):
            said += [
                Said("g", "ann", at(i, 9, len(said))),
                Said("g", other, at(i, 9, len(said) + 1)),
            ]
        said.append(Said("g", "ann", at(i, 9, len(said))))
    found = find(BELONGING, tables(said))
    assert found.value["months"] == [{"month": "2022-01", "had": 1, "active": 3}]


def test_a_trend_is_only_told_when_the_intervals_do_not_touch() -> None:
    def trend(*had: int) -> str:
        return Level(np.arange(len(had)), np.array(had), np.full(len(had), 100)).trend()

    assert [trend(20, 60), trend(60, 20), trend(50, 55), trend(50)] == [
        "up", "down", "level", "unknown",
    ]  # fmt: skip


def test_pride_says_that_no_export_holds_it() -> None:
    assert "No chat export" in find(PRIDE, tables([Said("g", "ann", at(0))])).sentence.en


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 80)), max_size=30))
def test_stickiness_equals_a_count_by_hand(rows: list[tuple[str, int]]) -> None:
    ends = [Said("g", "zoe", datetime(2022, 1, 1)), Said("g", "zoe", datetime(2022, 3, 31))]
    said = [*ends, *(Said("g", who, at(day)) for who, day in rows)]
    found = find(STICKINESS, tables(said)).value["months"]
    days: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for m in said:
        days[f"{m.at:%Y-%m}"].add((m.sender, m.at.day))
    for row, length in zip(found, (31, 28, 31) if "2022-02" in days else (31, 31), strict=True):
        seen = days[row["month"]]
        assert row["mau"] == len({who for who, _ in seen})
        assert row["dau"] == pytest.approx(len(seen) / length)


def test_needs_and_complaints_are_counted_once_by_the_first_family() -> None:
    said = [
        Said("g", "ann", at(0, 9), "质量太差了，我要退货"),
        Said("g", "ann", at(0, 10), "It is broken and too expensive"),
        Said("g", "bob", at(1), "希望出小包装"),
        Said("g", "bob", at(2), "good morning"),
        Said("g", "shop", at(3), "优惠券来了"),
    ]
    found = find(WISH_TALK, tables(said, classes={"shop": "brand"}), has=["text"])
    assert found.value["families"] == {
        "quality": {"messages": 1, "members": 1},
        "refund": {"messages": 1, "members": 1},
        "wish": {"messages": 1, "members": 1},
    }
    assert found.n == 3
    quotes = [row[-1].text for row in found.tables[0].rows]
    assert "希望出小包装" in quotes


def test_every_family_has_words_in_both_languages() -> None:
    for family in FAMILIES.values():
        assert "(?i:" in family.words
        assert any("\u4e00" <= c <= "\u9fff" for c in family.words)


def test_like_words_of_several_people_are_one_cluster() -> None:
    said = [(who, "smaller bottle size please") for who in (1, 2, 3)]
    said += [(1, "smaller bottle size now"), (4, "cold soup")]
    found = clusters(said)
    assert [(c.people, c.rows) for c in found] == [(3, (0, 1, 2, 3))]
    assert terms("请问小包装") == {"问小", "小包", "包装"}


@given(
    st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["red big cup", "big cup", "tea"])))
)
def test_a_row_is_in_one_cluster_at_most(said: list[tuple[int, str]]) -> None:
    rows = [row for cluster in clusters(said) for row in cluster.rows]
    assert len(rows) == len(set(rows))
    for cluster in clusters(said):
        assert len({said[row][0] for row in cluster.rows}) == cluster.people >= 3


def test_accounts_are_joined_only_with_evidence() -> None:
    names = {1: "kite", 2: "kite_", 3: "ann", 4: "eve", 5: "Guest42", 6: "zed", 7: "zac"}
    changes = [
        Change(1, 2, 1, "", ""),
        Change(3, 4, 1, "", ""),
        Change(5, 3, 9, "", ""),
        Change(6, 7, 1, "", ""),
        Change(7, 6, 1, "", ""),
    ]
    found = {(k.a, k.b): (k.sure, k.reason) for k in links(changes, names)}
    assert found == {
        (1, 2): ("joined", "same_stem"),
        (3, 4): ("possible", "changed_once"),
        (3, 5): ("possible", "shared_name"),
        (6, 7): ("joined", "changed_often"),
    }
    assert persons(links(changes, names)) == {1: 1, 2: 1, 6: 6, 7: 6}


def test_a_chain_of_too_many_names_joins_nobody() -> None:
    names = {i: chr(97 + i) * 5 for i in range(12)}
    found = links([Change(i, i + 1, 2, "", "") for i in range(11)], names)
    assert {link.reason for link in found} == {"too_many"}
    assert persons(found) == {}


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_persons_are_the_connected_parts(pairs: set[tuple[int, int]]) -> None:
    names = dict.fromkeys(range(10), "same")
    found = persons(links([Change(a, b, 1, "", "") for a, b in sorted(pairs)], names))
    for a, b in pairs:
        if a != b:
            assert found[a] == found[b] <= min(a, b)
    assert all(found[found[key]] == found[key] for key in found)


def test_stems_bots_and_bridges_are_told_by_their_marks() -> None:
    assert {stem(n) for n in ("Kite", "kite_", "kite|away", "kite-afk", "kite61_")} == {"kite"}
    assert stem("a_") == "a_"
    bots = ["ubottu-bot", "dalek_bot", "群机器人", "helper[bot]", "Robot"]
    assert all(looks_like_bot(name) for name in bots)
    assert not any(looks_like_bot(name) for name in ("abbott", "botany", "小明"))
    carried = [
        Carried(1, "ann", 15),
        Carried(1, "bob", 10),
        Carried(2, "b", 30),
        Carried(3, "x", 9),
    ]
    assert bridged(carried, {1: 30, 2: 30, 3: 9}) == carried[:2]
    assert bridged(carried, {1: 300}) == []


def test_the_figure_lists_people_behind_accounts() -> None:
    said = [Said("g", who, at(0)) for who in ("kite", "kite_", "ann", "newsbot")]
    said += [Said("g", "relay", at(1, 9, i), f"<{'xy'[i % 2]}> hi") for i in range(30)]
    events = [Happened("g", "kite", at(0, 13), "rename", new_name="kite_")]
    found = find(PEOPLE, tables(said, events=events))
    assert found.value == {
        "accounts": 5, "persons": 4, "links": {"joined": 1, "possible": 0}, "bridged": 2,
        "bots_among_members": 1,
    }  # fmt: skip
    assert found.tables[2].rows == ((Person(key("newsbot"), "newsbot"), 1),)


def world(seed: int = 5) -> tuple[list[Said], list[Happened], pa.Table]:
    """A year of two groups with joins, replies, names, reactions, complaints and orders."""
    draw = random.Random(seed)
    said: list[Said] = []
    events, paid = [], []
    for p in range(30):
        group, came, name = f"g{p % 2}", draw.randrange(200), f"p{p:02}"
        events.append(Happened(group, name, at(came, 7), inviter="p00" if p % 5 == 1 else None))
        for k in range(draw.randrange(1, 25)):
            when = at(came + draw.randrange(1, 120), draw.randrange(24), k, p)
            words = draw.choice(
                ["hello", f"p{draw.randrange(30):02}: yes", "质量太差", "how much is it?"]
            )
            likes = (("👍", 1),) if draw.random() < 0.2 else ()
            said.append(Said(group, name, when, words, message_id=f"{p}-{k}", reactions=likes))
        if draw.random() < 0.5:
            paid.append({"order_id": name, "customer_id": name, "member_id": name,
                         "paid_at": at(came + 30), "amount_minor": 999, "quantity": 1})  # fmt: skip
    return said, events, pa.Table.from_pylist(paid, schema=schema(ORDERS))


@pytest.mark.parametrize("metric", METRICS, ids=[metric.id for metric in METRICS])
def test_rows_in_any_order_give_the_same_finding(metric: Any) -> None:
    said, events, paid = world()
    mixed, others = said[:], events[:]
    random.Random(9).shuffle(mixed)
    random.Random(9).shuffle(others)
    rows = paid.take(pa.array(list(range(paid.num_rows))[::-1]))
    has: list[Need] = ["replies", "reactions", "text", "orders", "joins"]
    first = find(metric, tables(said, events=events, orders=paid), has=has)
    second = find(metric, tables(mixed, events=others, orders=rows), has=has)
    assert repr(first) == repr(second)
    assert first.sentence.en
    assert first.sentence.zh


@pytest.mark.parametrize("metric", METRICS, ids=[metric.id for metric in METRICS])
def test_an_empty_and_a_tiny_archive_are_survived(metric: Any) -> None:
    for said in (
        [],
        [Said("g", "ann", at(0))],
        [Said("g", "ann", at(0)), Said("g", "b", at(9))],
    ):
        found = find(metric, tables(said))
        assert found.sentence.en
        assert "nan" not in repr(found)
