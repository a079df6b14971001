"""ChatLab exchange format: JSON and JSONL, each rule with a tiny file."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from qunluo.archive.importers.chatlab import KIND_OF_TYPE, ChatLab
from qunluo.archive.importers.json_stream import NOT_JSON
from tests.archive.sources_builder import Memory, Taken, take, text_file

HEAD = {
    "chatlab": {"version": "0.0.2", "exportedAt": 1703001600},
    "meta": {
        "name": "茶友群",
        "platform": "WeChat",
        "type": "group",
        "groupId": "123@chatroom",
    },
}
MEMBER = {"platformId": "a", "accountName": "张三", "roles": [{"id": "owner"}]}
HI = {"sender": "a", "timestamp": 1703001600, "type": 0, "content": "大家好"}


def read(*messages: dict, **more: object) -> Taken:
    document = HEAD | {"members": [MEMBER], "messages": list(messages)} | more
    return take(ChatLab(), Memory("x.json", json.dumps(document).encode()))


def jsonl(*rows: object) -> Memory:
    return text_file("x.jsonl", *(r if isinstance(r, str) else json.dumps(r) for r in rows))


def test_it_reads_a_message_of_the_platform_its_header_names():
    (found,) = read(HI | {"platformMessageId": "m1"}).messages
    assert found["sent_at"] == datetime.fromtimestamp(1703001600, UTC)
    assert (found["platform"], found["group_id"]) == ("wechat", "123@chatroom")
    assert (found["group_name"], found["message_id"]) == ("茶友群", "m1")
    assert (found["sender_id"], found["sender_name"], found["text"]) == ("a", "张三", "大家好")


def test_the_name_in_the_group_goes_before_the_accounts():
    assert (
        read(HI | {"accountName": "A", "groupNickname": "B"}).messages[0]["sender_name"] == "B"
    )


def test_owners_and_admins_get_no_role():
    assert read(HI).messages[0]["role"] is None


@pytest.mark.parametrize(("number", "kind"), sorted(KIND_OF_TYPE.items()))
def test_it_knows_every_type(number, kind):
    (found,) = read(HI | {"type": number}).messages
    assert (found["kind"], found["raw_kind"]) == (kind, str(number))


def test_an_unknown_type_is_other():
    assert read(HI | {"type": 77}).messages[0]["kind"] == "other"


def test_a_system_message_is_a_notice():
    (found,) = read(HI | {"type": 80, "content": "小红 加入了群聊"}).events
    assert (found["kind"], found["text"]) == ("notice", "小红 加入了群聊")


def test_a_recall_is_a_message_taken_back():
    (found,) = read(HI | {"type": 81}).messages
    assert (found["kind"], found["revoked"]) == ("recalled", True)


def test_a_reply_names_its_target_and_content_may_be_null():
    (found,) = read(HI | {"type": 25, "replyToMessageId": "m0", "content": None}).messages
    assert (found["reply_to"], found["text"]) == ("m0", None)


def test_it_says_what_the_format_loses():
    assert {"joins", "edits", "reactions", "mentions"} <= ChatLab().lacks


def test_records_without_time_or_sender_are_rejected():
    found = read(HI | {"timestamp": None}, HI | {"sender": None}, HI)
    assert ([r.line for r in found.rejects], found.tally.lines) == ([1, 2], 3)


def test_jsonl_has_typed_lines_comments_and_blank_lines():
    lines = (
        {"_type": "header"} | HEAD,
        {"_type": "member"} | MEMBER,
        "",
        {"_type": "message"} | HI,
    )
    found = take(ChatLab(), jsonl("# made by hand", *lines))
    assert found.messages[0]["sender_name"] == "张三"
    assert (found.tally.header, found.tally.blank, found.tally.lines) == (3, 1, 5)


def test_a_broken_line_costs_only_itself():
    head, hi = {"_type": "header"} | HEAD, {"_type": "message"} | HI
    found = take(ChatLab(), jsonl(head, hi, '{"_type":"message","sen', hi, {"_type": "x"}))
    assert len(found.messages) == 2
    assert found.rejects[0].reason == NOT_JSON
    assert [r.line for r in found.rejects] == [3, 5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_both_forms_are_recognised(encoding):
    lines = (
        json.dumps({"_type": "header"} | HEAD) + "\n" + json.dumps({"_type": "message"} | HI)
    )
    for text in (json.dumps(HEAD | {"messages": [HI]}), lines):
        raw = text.encode(encoding)
        assert ChatLab().sniff(raw, Memory("x", raw)) > 0.9
        assert len(take(ChatLab(), Memory("x", raw)).messages) == 1


def test_it_does_not_claim_other_formats():
    for raw in (
        b'{"weflow":{"version":"1"},"messages":[]}',
        b'{"id":"1","speaker":"a"}',
        b"[]",
    ):
        assert ChatLab().sniff(raw, Memory("x", raw)) == 0.0
