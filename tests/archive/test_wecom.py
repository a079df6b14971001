"""WeCom's message archive."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.archive.importers import importer
from qunluo.archive.importers.wecom import KINDS, WeCom
from tests.archive.builders import memory_source
from tests.archive.chat_reading import Read

AT = datetime(2023, 8, 7, 5, 37, 46, 454_000, tzinfo=UTC)


def record(**more: object) -> dict[str, object]:
    return {
        "msgid": "1_external", "action": "send", "from": "ZhangSan", "tolist": ["wmA", "LiSi"],
        "roomid": "wr1", "msgtime": 1691386666454, "msgtype": "text", "text": {"content": "hi"},
    } | more  # fmt: skip


def read(*records: object, **options: object) -> Read:
    return Read(WeCom(), json.dumps(records), "wecom.json", **options)


def test_it_is_listed_among_the_formats() -> None:
    assert importer("wecom").name == "wecom"


def test_it_reads_a_message() -> None:
    only = read(record()).only
    assert (only["sent_at"], only["zone_known"]) == (AT, "utc")
    assert (only["group_id"], only["message_id"], only["text"]) == ("wr1", "1_external", "hi")
    assert (only["sender_id"], only["kind"]) == ("ZhangSan", "text")


@pytest.mark.parametrize(
    ("account", "role"),
    [("ZhangSan", "brand"), ("wmAbC", "member"), ("woAbC", "member"), ("wbAbC", "bot")],
)
def test_the_account_tells_the_side(account: str, role: str) -> None:
    assert read(record(**{"from": account})).only["role"] == role


@pytest.mark.parametrize("msgtype", sorted(set(KINDS) - {"agree", "disagree", "switch"}))
def test_message_types_become_kinds(msgtype: str) -> None:
    only = read(record(msgtype=msgtype)).only
    assert (only["kind"], only["raw_kind"]) == (KINDS[msgtype], msgtype)


def test_unknown_types_are_other_and_keep_their_name() -> None:
    only = read(record(msgtype="hologram")).only
    assert (only["kind"], only["raw_kind"]) == ("other", "hologram")


def test_a_recall_is_a_notice_and_marks_the_message_it_takes_back() -> None:
    recall = record(
        msgid="2", action="recall", msgtype="revoke", revoke={"pre_msgid": "1_external"}
    )
    found = read(record(), record(msgid="3"), recall)
    assert [(m["message_id"], m["revoked"]) for m in found.messages] == [
        ("1_external", True), ("3", False),
    ]  # fmt: skip
    assert (found.event["kind"], found.event["raw_kind"]) == ("notice", "revoke")
    assert (found.event["actor_id"], found.event["text"]) == ("ZhangSan", "1_external")


def test_a_chat_of_two_has_the_pair_as_group_whoever_speaks() -> None:
    there = record(roomid="", tolist=["wmA"])
    back = record(roomid="", tolist=["ZhangSan"], **{"from": "wmA"})
    assert {m["group_id"] for m in read(there, back).messages} == {"ZhangSan|wmA"}


def test_a_change_of_company_has_another_shape_and_is_of_no_chat() -> None:
    switch = {"msgid": "9", "action": "switch", "time": 1691386666454, "user": "ZhangSan"}
    found = read(switch, record())
    assert (found.tally.header, found.tally.messages) == (1, 1)


def test_consent_to_archiving_is_a_notice() -> None:
    agree = record(msgtype="agree", agree={"userid": "wmA", "agree_time": 1})
    assert (read(agree).event["kind"], read(agree).event["raw_kind"]) == ("notice", "agree")


def test_seconds_of_the_mirror_are_told_by_their_size_or_by_the_user() -> None:
    at = AT.replace(microsecond=0)
    assert read(record(msgtime=1691386666)).only["sent_at"] == at
    assert read(record(msgtime=1691386666), unit="s").only["sent_at"] == at


@pytest.mark.parametrize(
    ("msgtype", "key", "body", "text"),
    [
        ("link", "link", {"title": "新品", "link_url": "x"}, "新品"),
        ("weapp", "weapp", {"title": "点单"}, "点单"),
        ("vote", "vote", {"votetitle": "喝什么"}, "喝什么"),
        ("docmsg", "doc", {"title": "表", "link_url": "x"}, "表"),
        ("markdown", "info", {"content": "**a**"}, "**a**"),
        ("mixed", "mixed", {"item": [{"type": "text", "content": '{"content":"a"}'},
                                     {"type": "image", "content": "{}"}]}, "a"),
    ],
)  # fmt: skip
def test_the_text_is_found_in_the_body(
    msgtype: str, key: str, body: dict[str, object], text: str
) -> None:
    given = {k: v for k, v in record(msgtype=msgtype).items() if k != "text"}
    assert read(given | {key: body}).only["text"] == text


def test_media_facts_are_kept() -> None:
    file = record(msgtype="file", file={"filename": "a.pdf", "fileext": "pdf", "filesize": 9})
    only = read(file).only
    assert (only["media_name"], only["media_type"], only["media_bytes"]) == ("a.pdf", "pdf", 9)


def test_lines_are_read_as_well_as_an_array() -> None:
    lines = json.dumps(record()) + "\n\nnot json\n" + json.dumps(record(msgid="2")) + "\n"
    found = Read(WeCom(), lines, "wecom.jsonl")
    assert [m["message_id"] for m in found.messages] == ["1_external", "2"]
    assert (found.tally.blank, found.tally.rejects) == (1, 1)


def test_records_may_lie_inside_a_document() -> None:
    whole = json.dumps({"errcode": 0, "chatdata": [record()]})
    assert Read(WeCom(), whole).tally.messages == 1


@pytest.mark.parametrize(
    "roster",
    [
        {
            "roomname": "群",
            "room_create_time": 1,
            "members": [{"memberid": "wmA", "jointime": 1}],
        },
        {"group_chat": {"chat_id": "wr1", "member_list": [{"userid": "wmA", "type": 2}]}},
    ],
)
def test_a_list_of_members_is_known_and_holds_no_messages(roster: dict[str, object]) -> None:
    text = json.dumps(roster)
    assert WeCom().sniff(text.encode(), memory_source("x", b"")) > 0.8
    found = Read(WeCom(), text)
    assert (found.tally.lines, found.tally.header) == (1, 1)


def test_it_sniffs_arrays_lines_and_documents_and_nothing_else() -> None:
    source = memory_source("x", b"")
    for text in (
        json.dumps([record()]),
        json.dumps(record()) + "\n",
        json.dumps({"d": [record()]}),
    ):
        assert WeCom().sniff(text.encode(), source) > 0.9
    for other in (b"", b"{}", b"[]", b"a\n", b'{"members":[]}', b'{"messages":[{"id":1}]}'):
        assert WeCom().sniff(other, source) == 0


def test_what_is_no_message_is_kept_as_reject() -> None:
    found = read(record(msgtime="?"), record(**{"from": None}), {"x": 1}, 7)
    assert found.tally.rejects == 4


def test_a_document_cut_off_keeps_what_was_read() -> None:
    found = Read(WeCom(), json.dumps([record(), record()], indent=1)[:-40])
    assert (found.tally.messages, found.tally.rejects) == (1, 1)


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_any_bytes_lose_no_record(raw: bytes) -> None:
    for text in (
        raw,
        json.dumps([record()])[:-1].encode() + raw,
        json.dumps(record()).encode() + raw,
    ):
        Read(WeCom(), text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3), max_leaves=4),
       st.sampled_from(sorted(record())))  # fmt: skip
@settings(max_examples=100)
def test_any_value_in_any_field_is_read_or_set_aside(value: object, key: str) -> None:
    assert read(record(**{key: value})).tally.lines == 1
