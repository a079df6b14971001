"""Any bytes, through every importer: rows, rejects or a sentence, never another exception."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.archive.importers import FORMATS, importer
from qunluo.archive.importers.base import Options, Tally
from qunluo.archive.schema import EVENTS, MESSAGES
from qunluo.kit.errors import QunluoError
from tests.archive.sources_builder import Memory

NAMES = sorted(FORMATS)
PATHS = ["2015-05-06.log", "1-tea/Saying.20hi.json", "_chat.txt", "general/2024-01-01.json"]
LINES = [
    "[00:00] <ann> hi", "=== ann [h] has joined #tea", "[00:00] * ann waves",
    "--- Day changed Thu Oct 18 2012", "00:00 <@ann> hi", "00:00 -!- ann [h] has quit [x]",
    "2012-10-17 09:16:51\tann\thi", "2012-10-17T09:16:51+0000  <joao&gt; hi",
    "13/02/2024, 09:05 - Ann: hi", "[13/02/2024, 09:05:11] Ann: \u200eimage omitted",
    "[2024/2/13 下午9:05:11] 小红: 收到", "Time,SenderName,Sender,TalkerName,Talker,Content",
    "AuthorID,Author,Date,Content,Attachments,Reactions", "消息记录（此消息记录为文本格式）",
    "2019-07-16 18:15:05 【管理员】地瓜(23333)", "sent_at,sender_id,text", "a,b,c", "",
    '{"id":"1","speaker":"a","timestamp":1,"text":"x"}', '"unclosed, quote',
]  # fmt: skip
KEYS = [
    "messages", "id", "type", "date", "date_unixtime", "from", "from_id", "text", "content",
    "sender", "sender_full_name", "timestamp", "ts", "user", "subtype", "msgid", "msgtime",
    "msgtype", "tolist", "action", "room_name", "exported_by", "origin_server_ts", "event_id",
    "unsigned", "m.relates_to", "rel_type", "members", "meta", "chatlab", "metadata", "chatInfo",
    "guild", "channel", "author", "name", "reactions", "mentions", "elements", "seq", "time",
    "talker", "contents", "weflow", "session", "createTime", "zerver_message", "recipient",
    "date_sent", "attachments", "actor", "accountName", "platformMessageId", "edited", "files",
]  # fmt: skip
ODD: list[object] = [
    None, True, 0, -1, 1.5, 10**30, -(10**30), 1_700_000_000, 1_700_000_000_000, "", "message",
    "text", "x", "1700000000", "1700000000.000100", "2024-02-13T09:05:00", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00", "\ud800", "\x00", "м" * 50, "m.replace", "channel_join", "revoke",
]  # fmt: skip

values = st.recursive(
    st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=25,
)
records = st.lists(st.dictionaries(st.sampled_from(KEYS), values, max_size=12), max_size=4)
documents = records.flatmap(
    lambda found: st.sampled_from(
        [found, {"messages": found}, {"zerver_message": found}, {"chats": {"list": found}}]
    )
)
as_json = documents.map(lambda found: json.dumps(found).encode())
as_jsonl = records.map(lambda found: "\n".join(map(json.dumps, found)).encode())
as_lines = st.lists(st.sampled_from(LINES) | st.text(max_size=30), max_size=12).map(
    lambda found: "\n".join(found).encode("utf-8", "replace")
)
contents = st.binary(max_size=400) | as_json | as_jsonl | as_lines


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Plausible content with a hole, a cut, a stray byte or another encoding."""
    raw = draw(contents)
    at = draw(st.integers(0, len(raw)))
    how = draw(st.sampled_from(["whole", "cut", "stray", "gap", "utf-16", "gb18030"]))
    if how == "cut":
        return raw[:at]
    if how == "stray":
        return raw[:at] + draw(st.binary(min_size=1, max_size=4)) + raw[at:]
    if how == "gap":
        return raw[:at] + raw[at + draw(st.integers(1, 9)) :]
    return raw if how == "whole" else raw.decode("utf-8", "replace").encode(how, "replace")


def read(name: str, source: Memory) -> Iterator[Tally]:
    for batch in importer(name).read(source, Options()):
        assert batch.messages.schema.equals(MESSAGES)
        assert batch.events.schema.equals(EVENTS)
        batch.messages.validate(full=True)
        batch.events.validate(full=True)
        assert batch.tally.messages == batch.messages.num_rows
        assert batch.tally.rejects == len(batch.rejects)
        for required in ("group_id", "sent_at", "sender_id", "kind", "zone_known"):
            assert batch.messages[required].null_count == 0
        for reject in batch.rejects:
            reject.content.encode()
        yield batch.tally


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(raw=damaged(), path=st.sampled_from(PATHS))
def test_no_bytes_break_an_importer_and_every_line_is_accounted_for(
    name: str, raw: bytes, path: str
) -> None:
    assert_it_holds(name, Memory(path, raw))


def assert_it_holds(name: str, source: Memory) -> None:
    """Sniffs and reads; a refusal in words is fine, a lost line or another exception is not."""
    assert 0 <= importer(name).sniff(source.content[:65_536], source) <= 1
    tally = Tally()
    try:
        for part in read(name, source):
            tally.add(part)
    except QunluoError as refused:
        assert refused.message("zh") != refused.message("en")  # noqa: PT017
    else:
        assert tally.accounts_for_every_line(), tally


HOSTILE = [
    b"[" * 100_000,
    b'{"messages":' * 30_000,
    b'{"messages":[' + b"[" * 100_000,
    b'[{"content":"x","id":1,"sender_full_name":"a","timestamp":' + b"1" * 5_000 + b"}]",
    b'{"messages":[{"id":1,"type":"message","date":' + b"9" * 5_000 + b"}]}",
    b'{"messages":[{"a":' + b'{"a":' * 50_000 + b"}]}",
    b"[00:00] <" * 20_000,
    b"13/02/2024, 09:05 - " * 20_000,
    b'"' * 50_000,
    b"a,b\n" + b'"' + b"x,\n" * 50_000,
    "\ud800".encode("utf-16", "surrogatepass") * 2_000,
    b"\xff\xfe" + b"\x00\xd8" * 2_000,
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_shapes_break_no_importer(name: str, number: int) -> None:
    assert_it_holds(name, Memory(PATHS[0], HOSTILE[number]))


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_file_is_claimed_by_no_importer(name: str) -> None:
    for raw in (b"", b"\n\n", b"\xef\xbb\xbf"):
        assert importer(name).sniff(raw, Memory("x.txt", raw)) < 0.5


@pytest.mark.parametrize("name", NAMES)
def test_importers_describe_themselves(name: str) -> None:
    found = importer(name)
    assert found.name == name
    assert found.label("en")
    assert found.label("zh")
    known = {"ids", "replies", "reactions", "leaves", "joins", "zone", "edits", "mentions"}
    assert found.lacks <= known | {"roster", "threads", "senders"}
