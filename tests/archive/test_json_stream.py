"""Streaming JSON: whole, cut anywhere, broken inside, in any encoding, in tiny blocks."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.archive.importers import json_stream
from qunluo.archive.importers.json_stream import (
    CUT_SHORT,
    NOT_JSON,
    Broken,
    JsonStream,
    mend_escapes,
    outline,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def walk(raw: bytes, block: int) -> list[object]:
    stream = JsonStream(io.BytesIO(raw), block)
    found: list[object] = []
    for key in stream.each_key():
        if key == "messages":
            found += stream.records()
    return found


@given(st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=5), st.integers(1, 40))
def test_it_gives_the_records_whatever_the_size_of_its_blocks(records, block):
    document = {"before": {"a": [1, "]"]}, "messages": records, "after": "x"}
    assert walk(json.dumps(document, ensure_ascii=False).encode(), block) == records


@given(
    st.lists(st.fixed_dictionaries({"id": st.integers(0, 99), "t": TEXTS}), min_size=1),
    st.data(),
)
def test_a_cut_file_gives_its_whole_records_and_at_most_one_broken_one(records, data):
    raw = json.dumps({"messages": records}).encode()
    cut = data.draw(st.integers(0, len(raw) - 1))
    found = walk(raw[:cut], 7)
    whole = [one for one in found if isinstance(one, dict)]
    assert whole == records[: len(whole)]
    assert len(found) - len(whole) <= 1


def test_a_cut_record_says_so():
    found = walk(b'{"messages":[{"id":1},{"id":2,"text":"half', 64)
    assert found[0] == {"id": 1}
    assert isinstance(found[1], Broken)
    assert found[1].reason == CUT_SHORT
    assert "half" in found[1].content


def test_a_broken_record_does_not_lose_those_after_it():
    found = walk(b'{"messages":[{"id":1},{"id":oops,"t":"}"},{"id":3}]}', 5)
    assert found == [{"id": 1}, Broken(NOT_JSON, '{"id":oops,"t":"}"}'), {"id": 3}]


def test_it_mends_escapes_that_json_does_not_know():
    assert walk(rb'{"messages":[{"t":"a\x0Bb\'c\\x0B\n"}]}', 4) == [{"t": "a\x0bb'c\\x0B\n"}]
    assert mend_escapes(r"\\x0B") == r"\\x0B"


def test_raw_control_characters_in_strings_are_let_through():
    assert walk(b'{"messages":[{"t":"a\tb\x01"}]}', 64) == [{"t": "a\tb\x01"}]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"]
)
def test_it_reads_every_encoding_exports_come_in(encoding):
    raw = '{"messages":[{"t":"群聊里的消息"}]}'.encode(encoding)
    assert walk(raw, 1 << 16) == [{"t": "群聊里的消息"}]


def test_it_skips_what_nobody_asks_for():
    raw = b'{"avatars":{"a":"' + b"x" * 5000 + b'","b":[1,{"c":"}"}]},"messages":[{"id":1}]}'
    assert walk(raw, 16) == [{"id": 1}]


def test_a_record_without_end_stops_at_the_limit(monkeypatch):
    monkeypatch.setattr(json_stream, "RECORD_CHARS", 1000)
    found = walk(b'{"messages":[{"t":"' + b"x" * 5000, 100)
    assert [one.reason for one in found if isinstance(one, Broken)] == [json_stream.TOO_LONG]


def test_deep_nesting_is_one_broken_record():
    deep = b"[" * 100_000 + b"]" * 100_000
    found = walk(b'{"messages":[{"t":' + deep + b'},{"id":2}]}', 1 << 20)
    assert isinstance(found[0], Broken)
    assert found[1] == {"id": 2}


def test_an_array_may_hold_things_that_are_no_records():
    found = walk(b'{"messages":[1, "x", {"id":2}]}', 3)
    assert [isinstance(one, Broken) for one in found] == [True, True, False]


def test_the_outline_shows_keys_and_first_records_of_a_cut_head():
    head = b'{"name":"G","chat":{"id":1,"list":[{"a":1}]},"messages":[{"id":1},{"id":2},{"id'
    assert outline(head) == {
        "name": "G",
        "chat": {"id": 1, "list": [{"a": 1}]},
        "messages": [{"id": 1}, {"id": 2}],
    }
    assert outline(b'[{"ts":"1"},{"ts') == {"": [{"ts": "1"}]}


@given(st.binary(max_size=200))
def test_any_bytes_can_be_outlined(head):
    assert isinstance(outline(head), dict)


@given(st.text(alphabet='{}[]",:\\ab1 x', max_size=60), st.integers(1, 9))
def test_any_text_comes_to_an_end(text, block):
    assert isinstance(walk(text.encode(), block), list)
