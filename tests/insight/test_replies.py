"""Who answers whom: the strongest evidence decides, and nothing depends on row order."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from qunluo.insight.metrics.replying import REPLY_INFERENCE
from qunluo.insight.replies import addressed, evaluate, infer, quoted
from tests.insight.tables_builder import Said, at, find, tables

NAMES = {1: "Ann", 2: "bob", 3: "小美", 4: "eve"}
START = datetime(2024, 1, 1, tzinfo=UTC)
Line = tuple[int, int, str]  # sender, second, text


def messages(lines: list[Line], **columns: list[str | None]) -> pa.Table:
    return pa.table(
        {
            "group_key": pa.array([7] * len(lines), pa.int64()),
            "sender_key": pa.array([s for s, _, _ in lines], pa.int64()),
            "sent_at": pa.array(
                [START + timedelta(seconds=at) for _, at, _ in lines], pa.timestamp("us", "UTC")
            ),
            "text": pa.array([text for _, _, text in lines], pa.string()),
            **columns,
        }
    )


def linked(lines: list[Line], **columns: list[str | None]) -> list[tuple[int, int, str]]:
    rows = infer(messages(lines, **columns), NAMES).to_pylist()
    return [(r["source"], r["target"], r["evidence"]) for r in rows]


def test_an_explicit_reply_goes_before_a_name() -> None:
    lines = [(1, 0, "one"), (2, 10, "two"), (4, 20, "bob: I mean ann")]
    ids: list[str | None] = ["a", "b", "c"]
    replies: list[str | None] = [None, None, "a"]
    assert linked(lines, message_id=ids, reply_to=replies) == [(2, 0, "explicit")]


def test_a_name_means_its_latest_words_that_were_not_said_to_a_third() -> None:
    lines = [(1, 0, "my disk is full"), (1, 30, "bob: thanks"), (4, 40, "ann, empty it")]
    assert linked([(2, -5, "hi"), *lines])[-1] == (3, 1, "mention")


def test_names_are_found_with_at_signs_and_chinese_punctuation() -> None:
    assert linked([(3, 0, "在吗"), (2, 400, "@小美\u2005 在的")]) == [(1, 0, "mention")]
    assert linked([(3, 0, "在吗"), (2, 400, "小美：在的")]) == [(1, 0, "mention")]
    assert addressed("Ann, look at @Bob") == ["bob", "ann"]


def test_a_name_says_nothing_after_an_hour_or_of_oneself() -> None:
    assert linked([(1, 0, "hello"), (2, 3_601, "ann: hello")]) == []
    assert linked([(1, 0, "hello"), (1, 10, "ann: me again")]) == []


def test_a_quotation_finds_its_message() -> None:
    lines = [
        (1, 0, "the shop opens at nine"),
        (2, 9_000, "hm"),
        (4, 90_000, "「Ann：opens at nine」 no"),
    ]
    assert linked(lines) == [(2, 0, "quote")]
    assert quoted("> opens at nine\nsure?") == "opens at nine"
    assert quoted("> short") is None


def test_whoever_was_spoken_to_answers_once_by_nearness() -> None:
    lines = [(2, 0, "hi"), (1, 5, "bob: why?"), (2, 60, "because"), (2, 70, "of rain")]
    assert linked(lines) == [(1, 0, "mention"), (2, 1, "proximity")]


def test_in_a_crowd_the_message_before_says_nothing() -> None:
    calm = [(1, 0, "first thing"), (2, 10, "second"), (1, 20, "third")]
    assert linked(calm) == [(2, 1, "proximity")]
    crowd = [(5 + i, i, "talk") for i in range(4)]
    assert linked([(1, 0, "first"), *crowd, (1, 20, "third")]) == []


def test_threads_are_rooms_of_their_own() -> None:
    lines = [
        (1, 0, "one thing"),
        (2, 5, "another thing"),
        (1, 10, "still that"),
        (2, 15, "yes"),
    ]
    threads: list[str | None] = ["a", None, "a", None]
    assert linked(lines, thread_id=threads) == []
    assert linked(lines) == [(2, 1, "proximity"), (3, 2, "proximity")]


lines_of = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.integers(0, 4_000),
        st.sampled_from(
            ["ok", "ann: yes", "@bob no", "小美，好", "> the very words", "eve maybe"]
        ),
    ),
    max_size=25,
    unique_by=lambda line: line[1],
)


@given(lines_of, st.randoms(use_true_random=False))
def test_links_point_back_to_others_and_do_not_depend_on_row_order(
    lines: list[Line], shuffle: random.Random
) -> None:
    order = list(range(len(lines)))
    shuffle.shuffle(order)
    found = linked(lines)
    for source, target, _ in found:
        assert lines[target][1] < lines[source][1]
        assert lines[target][0] != lines[source][0]
    assert len({source for source, _, _ in found}) == len(found)
    shuffled = linked([lines[i] for i in order])
    assert sorted((order[s], order[t], e) for s, t, e in shuffled) == found


def test_precision_and_recall_are_counted_by_evidence() -> None:
    lines = [(2, 0, "hi"), (1, 5, "bob: why?"), (2, 60, "because")]
    scores = evaluate(infer(messages(lines), NAMES), {(1, 0), (2, 0)})
    assert (scores["mention"].precision, scores["mention"].recall) == (1.0, 0.5)
    assert (scores["proximity"].right, scores["proximity"].found) == (0, 1)
    assert (scores["all"].precision, scores["all"].recall) == (0.5, 0.5)


def test_the_figure_counts_messages_by_evidence() -> None:
    said = [
        Said("g", "ann", at(0, 9), message_id="m1"),
        Said("g", "bob", at(0, 10), "sure", reply_to="m1"),
        Said("g", "eve", at(0, 11), "bob: really?"),
        Said("g", "bob", at(0, 11, 1), "yes"),
        Said("g", "zoe", at(1, 9), "a new day"),
    ]
    found = find(REPLY_INFERENCE, tables(said))
    counts = {name: part["links"] for name, part in found.value["evidence"].items()}
    assert counts == {"explicit": 1, "mention": 1, "quote": 0, "proximity": 1}
    assert found.value["share"] == 3 / 5
    assert found.n == 5
