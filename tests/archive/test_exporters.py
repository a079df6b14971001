"""Exports read back by our own importers: nothing is lost but what a format can't hold."""

from __future__ import annotations

import csv
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.archive.exporters import chatlab, convokit, parquet, tabular
from qunluo.archive.exporters.base import Written
from qunluo.archive.importers import importer
from qunluo.archive.schema import EVENT_KINDS, EVENTS, KINDS, MESSAGES, ROLES
from tests.archive.sources_builder import Memory, Taken, take

AT = datetime(2024, 2, 13, 1, 5, tzinfo=UTC)
WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12
)
NAMES = WORDS | st.sampled_from(["=1+1", "'=x", "-a", "@b", "\tx", 'a"b', "a,b", "a\r\nb", "'"])
INSTANTS = st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1)).map(
    lambda d: d.replace(tzinfo=UTC)
)
ZONES = st.sampled_from(["utc", "offset", "assumed", "inferred"])
REACTIONS = st.lists(
    st.fixed_dictionaries({"emoji": NAMES, "count": st.integers(0, 9)}), max_size=2
)

MESSAGE = st.fixed_dictionaries(
    {
        "platform": NAMES,
        "group_id": NAMES,
        "sent_at": INSTANTS,
        "zone_known": ZONES,
        "sender_id": NAMES,
        "kind": st.sampled_from(KINDS),
    },
    optional={
        **dict.fromkeys(
            ("group_name", "message_id", "thread_id", "sender_name", "raw_kind"), NAMES
        ),
        **dict.fromkeys(
            ("reply_to", "reply_sender_id", "media_name", "media_type", "text"), NAMES
        ),
        **dict.fromkeys(("reply_sent_at", "edited_at"), INSTANTS),
        **dict.fromkeys(("revoked", "forwarded"), st.booleans()),
        "role": st.sampled_from(ROLES),
        "mentions": st.lists(NAMES, max_size=2),
        "reactions": REACTIONS,
        "media_bytes": st.integers(0, 1 << 40),
        "media_seconds": st.floats(0, 1e6),
    },
)
EVENT = st.fixed_dictionaries(
    {
        "platform": NAMES,
        "group_id": NAMES,
        "at": INSTANTS,
        "zone_known": ZONES,
        "kind": st.sampled_from(EVENT_KINDS),
        "subject_id": NAMES,
    },
    optional=dict.fromkeys(
        (
            "group_name",
            "event_id",
            "raw_kind",
            "subject_name",
            "actor_id",
            "inviter_id",
            "new_name",
            "text",
        ),
        NAMES,
    ),
)


def batches(rows: list[dict], schema: pa.Schema) -> list[pa.RecordBatch]:
    """Two batches, so that writers meet more than one."""
    half = len(rows) // 2
    return [pa.RecordBatch.from_pylist(part, schema) for part in (rows[:half], rows[half:])]


def filled(rows: list[dict], schema: pa.Schema) -> list[dict]:
    return pa.Table.from_pylist(rows, schema).to_pylist()


def on_disk(path: Path) -> Memory:
    return Memory(path.name, path.read_bytes())


def message(**more: object) -> dict:
    fixed = {"platform": "p", "group_id": "g", "sent_at": AT, "zone_known": "utc"}
    return fixed | {"sender_id": "a", "kind": "text"} | more


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@settings(max_examples=40)
@given(st.lists(MESSAGE, max_size=6), st.lists(EVENT, max_size=4))
@pytest.mark.parametrize(("module", "name"), [(tabular, "x.csv"), (parquet, "x.parquet")])
def test_a_table_is_read_back_whole(module, name, messages, events):
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, name)
        written = module.write(batches(messages, MESSAGES), batches(events, EVENTS), path)
        found = take(importer("tabular"), on_disk(path))
    assert written == Written(len(messages), len(events))
    assert found.messages == filled(messages, MESSAGES)
    assert found.events == filled(events, EVENTS)
    assert found.rejects == []


@settings(max_examples=40)
@given(st.lists(MESSAGE, max_size=6), st.lists(EVENT, max_size=2))
def test_a_corpus_is_read_back_whole_but_for_events(messages, events):
    with tempfile.TemporaryDirectory() as place:
        written = convokit.write(
            batches(messages, MESSAGES), batches(events, EVENTS), Path(place)
        )
        found = take(importer("convokit"), on_disk(Path(place, "utterances.jsonl")))
    assert written == Written(len(messages), 0, len(events))
    assert found.messages == filled(messages, MESSAGES)


CHATLAB_COLUMNS = ("group_id", "message_id", "sender_id", "text", "reply_to", "sent_at", "kind")
PLAIN = st.sampled_from(
    ["text", "image", "voice", "video", "file", "sticker", "link", "forward"]
)


@settings(max_examples=40)
@given(st.lists(MESSAGE.map(lambda m: m | {"platform": "qq"}), max_size=6), st.data())
def test_chatlab_keeps_what_it_can_hold(messages, data):
    kept = [
        m | {"sent_at": m["sent_at"].replace(microsecond=0), "kind": data.draw(PLAIN)}
        for m in messages
    ]
    with tempfile.TemporaryDirectory() as place:
        chatlab.write(batches(kept, MESSAGES), [], Path(place))
        found = [
            m for path in sorted(Path(place).iterdir()) for m in chatlab_file(path).messages
        ]
    assert shown(found) == shown(filled(kept, MESSAGES))


def chatlab_file(path: Path) -> Taken:
    return take(importer("chatlab"), on_disk(path))


def shown(rows: list[dict]) -> list[str]:
    return sorted(repr([row[c] for c in CHATLAB_COLUMNS]) for row in rows)


def test_chatlab_makes_sentences_of_events(folder):
    happened = {
        "platform": "qq",
        "group_id": "g",
        "at": AT,
        "zone_known": "utc",
        "kind": "join",
    }
    events = batches([happened | {"subject_id": "a", "subject_name": "小红"}], EVENTS)
    assert chatlab.write([], events, folder) == Written(0, 1)
    (found,) = [e for path in folder.iterdir() for e in chatlab_file(path).events]
    assert (found["kind"], found["text"]) == ("notice", "小红 加入了群聊")


def test_chatlab_writes_one_file_for_each_group_and_replaces_old_ones(folder):
    rows = [message(group_id=g, group_name="茶/友:群") for g in ("g", "h", "g")]
    for _ in range(2):
        chatlab.write(batches(rows, MESSAGES), [], folder)
    assert sorted(len(chatlab_file(p).messages) for p in folder.iterdir()) == [1, 2]


def test_cells_that_a_spreadsheet_would_run_are_made_harmless(folder):
    texts = ["=1+1", "+1", "-1", "@a", "\tx", "\rx", "plain", "'=x", None, ""]
    path = folder / "x.csv"
    tabular.write(batches([message(text=t) for t in texts], MESSAGES), [], path)
    with path.open(newline="", encoding="utf-8") as file:
        cells = [row["text"] for row in csv.DictReader(file)]
    assert cells == ["'=1+1", "'+1", "'-1", "'@a", "'\tx", "'\rx", "plain", "''=x", "", ""]


def test_a_corpus_has_the_files_that_convokit_expects(folder):
    rows = [message(message_id="1", thread_id="t"), message(message_id="2", reply_to="1")]
    convokit.write(batches(rows, MESSAGES), [], folder)
    first, second = [
        json.loads(x) for x in (folder / "utterances.jsonl").read_text().splitlines()
    ]
    assert {
        "id",
        "speaker",
        "conversation_id",
        "reply-to",
        "timestamp",
        "text",
        "meta",
    } <= first.keys()
    assert second["reply-to"] == first["id"]
    assert set(json.loads((folder / "speakers.json").read_text())) == {first["speaker"]}
    talks = json.loads((folder / "conversations.json").read_text())
    assert set(talks) == {first["conversation_id"], second["conversation_id"]}
    index = json.loads((folder / "index.json").read_text())
    assert {
        "utterances-index",
        "speakers-index",
        "conversations-index",
        "overall-index",
    } <= index.keys()
    assert set(first["meta"]) <= set(index["utterances-index"])


def test_equal_rows_give_equal_files(folder):
    rows = [message(sent_at=AT + timedelta(seconds=n), message_id=str(n)) for n in range(9)]
    for place in ("a", "b"):
        convokit.write(batches(rows, MESSAGES), [], folder / place)
        chatlab.write(batches(rows, MESSAGES), [], folder / place)
        parquet.write(batches(rows, MESSAGES), [], folder / place / "x.parquet")
    first, second = (
        {p.name: p.read_bytes() for p in sorted((folder / place).iterdir())}
        for place in ("a", "b")
    )
    assert first == second


def test_a_failed_export_leaves_no_file(folder):
    def failing():
        yield from batches([message()], MESSAGES)
        raise RuntimeError

    for module, name in ((tabular, "x.csv"), (parquet, "x.parquet")):
        with pytest.raises(RuntimeError):
            module.write(failing(), [], folder / name)
    assert list(folder.iterdir()) == []
