"""Settling rows: a function of the set of rows, whatever came first."""

from __future__ import annotations

from functools import reduce

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.archive.settled import (
    SEGMENT_EVENTS,
    SEGMENT_MESSAGES,
    STAGED_EVENTS,
    STAGED_MESSAGES,
    Settled,
    settled_events,
    settled_messages,
)
from qunluo.archive.staging import staged
from tests.archive.store_builder import SHANGHAI, Join, Line, rows_of

names = st.sampled_from(["ann", "bob"])
plain = st.builds(
    Line,
    minute=st.integers(0, 4),
    sender=names,
    text=st.sampled_from(["hello", "好的", ""]),
    group=st.sampled_from(["g", "h"]),
)
with_id = st.builds(
    Line,
    minute=st.integers(0, 4),
    sender=names,
    text=st.sampled_from(["v1", "v2"]),
    group=st.sampled_from(["g", "h"]),
    id=st.sampled_from(["1", "2", "3"]),
    reply_to=st.sampled_from([None, "1", "2"]),
    edited=st.sampled_from([None, 5, 6]),
)
joins = st.builds(Join, minute=st.integers(0, 4), subject=names)


def export(row: st.SearchStrategy[Line]) -> st.SearchStrategy[list[Line]]:
    return st.lists(row, max_size=8).map(lambda rows: sorted(rows, key=lambda r: r.minute))


def settle(stored: pa.Table | None, lines: list[Line]) -> pa.Table:
    rows = rows_of(lines).take().messages
    place = {"instant": "sent_at", "source_no": 0, "first_pos": 0, "zone": SHANGHAI}
    came = staged(rows, to=STAGED_MESSAGES, **place)
    return whole(settled_messages(came, stored, overlap=True), SEGMENT_MESSAGES)


def whole(settled: Settled, schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *settled.batches()]).combine_chunks()


@settings(max_examples=150)
@given(st.lists(export(st.one_of(plain, with_id)), min_size=1, max_size=3))
def test_exports_in_any_order_settle_to_the_same_rows(parts: list[list[Line]]) -> None:
    forward = reduce(settle, parts, None)
    assert forward == reduce(settle, reversed(parts), None)
    assert forward == reduce(settle, [*parts, parts[0]], None)
    assert forward == reduce(settle, [], forward)


@settings(max_examples=100)
@given(export(plain), st.integers(0, 8))
def test_halves_that_meet_between_two_minutes_settle_to_the_whole(
    lines: list[Line], cut: int
) -> None:
    while 0 < cut < len(lines) and lines[cut - 1].minute == lines[cut].minute:
        cut += 1
    both = settle(settle(None, lines[:cut]), lines[cut:])
    assert both == settle(None, lines)
    assert both.num_rows == len(lines)


@settings(max_examples=100)
@given(export(with_id))
def test_of_each_message_the_latest_edit_stays(lines: list[Line]) -> None:
    rows = settle(None, lines).to_pylist()
    latest: dict[tuple[str, str | None], int] = {}
    for line in lines:
        key = (line.group, line.id)
        latest[key] = max(latest.get(key, -1), -1 if line.edited is None else line.edited)
    assert {(r["group_id"], r["message_id"]) for r in rows} == set(latest)
    assert len(rows) == len(latest)
    start = min((r["edited_at"] for r in rows if r["edited_at"]), default=None)
    for r in rows:
        assert (r["edited_at"] is None) == (latest[r["group_id"], r["message_id"]] < 0)
    assert start is None or any(r["edited_at"] == start for r in rows)


@settings(max_examples=100)
@given(export(st.one_of(plain, with_id)))
def test_every_message_knows_who_wrote_before_it_in_its_group(lines: list[Line]) -> None:
    rows = settle(None, lines).to_pylist()
    before: dict[str, dict[str, object]] = {}
    for r in rows:
        last = before.get(r["group_id"])
        assert r["prev_sender_key"] == (last["sender_key"] if last else None)
        if last:
            assert r["prev_gap_s"] == (r["sent_at"] - last["sent_at"]).total_seconds()
        before[r["group_id"]] = r


@settings(max_examples=100)
@given(export(with_id))
def test_every_reply_knows_whom_it_answers(lines: list[Line]) -> None:
    rows = settle(None, lines).to_pylist()
    by_id = {(r["group_id"], r["message_id"]): r for r in rows}
    for r in rows:
        target = by_id.get((r["group_id"], r["reply_to"])) if r["reply_to"] else None
        assert r["reply_sender_key"] == (target["sender_key"] if target else None)
        delay = (r["sent_at"] - target["sent_at"]).total_seconds() if target else None
        assert r["reply_delay_s"] == delay


@settings(max_examples=50)
@given(st.lists(joins, max_size=8), st.lists(joins, max_size=8))
def test_events_settle_to_the_same_rows_in_either_order(a: list[Join], b: list[Join]) -> None:
    def events(stored: pa.Table | None, lines: list[Join]) -> pa.Table:
        ordered = sorted(lines, key=lambda j: j.minute)
        place = {"instant": "at", "source_no": 0, "first_pos": 0, "zone": SHANGHAI}
        came = staged(rows_of(ordered).take().events, to=STAGED_EVENTS, **place)
        return whole(settled_events(came, stored), SEGMENT_EVENTS)

    assert events(events(None, a), b) == events(events(None, b), a)
    assert events(None, a).num_rows == len(a)
