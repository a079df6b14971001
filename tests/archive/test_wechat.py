"""WeChat: chatlog as JSON and as table, WeFlow, MemoTrace and PyWxDump."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.archive.importers import importer
from qunluo.archive.importers.base import Importer
from qunluo.archive.importers.wechat import Chatlog
from qunluo.archive.importers.wechat_csv import WeChatCsv
from qunluo.archive.importers.wechat_kinds import kind_of_numbers, kind_of_text
from qunluo.archive.importers.weflow import WeFlow
from tests.archive.builders import memory_source
from tests.archive.chat_reading import Read

AT = datetime(2024, 2, 13, 1, 5, tzinfo=UTC)


def record(**more: object) -> dict[str, object]:
    """A message as chatlog gives it."""
    return {
        "seq": 1707786300001, "time": "2024-02-13T09:05:00+08:00", "talker": "123@chatroom",
        "talkerName": "福利群", "isChatRoom": True, "sender": "wxid_a", "senderName": "小红",
        "isSelf": False, "type": 1, "subType": 0, "content": "好的",
    } | more  # fmt: skip


def chatlog(*records: object, **options: object) -> Read:
    return Read(Chatlog(), json.dumps(records, ensure_ascii=False), "chatlog.json", **options)


def test_all_formats_are_listed() -> None:
    assert [importer(name).name for name in ("wechat", "weflow", "wechat_csv")] == [
        "wechat", "weflow", "wechat_csv",
    ]  # fmt: skip


def test_it_reads_a_message_of_chatlog() -> None:
    only = chatlog(record()).only
    assert (only["sent_at"], only["zone_known"]) == (AT, "offset")
    assert (only["group_id"], only["group_name"]) == ("123@chatroom", "福利群")
    assert (only["sender_id"], only["sender_name"], only["text"]) == ("wxid_a", "小红", "好的")
    assert (only["message_id"], only["kind"], only["raw_kind"]) == (
        "1707786300001",
        "text",
        "1",
    )


@pytest.mark.parametrize(
    ("type_", "subtype", "kind"),
    [(1, 0, "text"), (3, 0, "image"), (34, 0, "voice"), (42, 0, "contact"), (43, 0, "video"),
     (47, 0, "sticker"), (48, 0, "location"), (49, 0, "link"), (50, 0, "call"), (49, 4, "link"),
     (49, 5, "link"), (49, 6, "file"), (49, 8, "gif"), (49, 19, "forward"), (49, 24, "note"),
     (49, 33, "mini_program"), (49, 36, "mini_program"), (49, 51, "channels_video"),
     (49, 57, "text"), (49, 62, "poke"), (49, 63, "live"), (49, 87, "announcement"),
     (49, 92, "music"), (49, 2000, "transfer"), (49, 2001, "red_packet"), (49, 9999, "other"),
     (77, 0, "other")],
)  # fmt: skip
def test_numbers_tell_the_kind(type_: int, subtype: int, kind: str) -> None:
    assert chatlog(record(type=type_, subType=subtype)).only["kind"] == kind


def test_version_four_keeps_type_and_subtype_in_one_number() -> None:
    assert kind_of_numbers(49 + (6 << 32), None) == "file"


def test_the_numbers_stay_as_raw_kind() -> None:
    assert chatlog(record(type=49, subType=9999)).only["raw_kind"] == "49/9999"


def test_a_quote_names_sender_and_time_but_no_message() -> None:
    refer = {
        "type": 1,
        "sender": "wxid_b",
        "time": "2024-02-13T09:00:00+08:00",
        "content": "在吗",
    }
    only = chatlog(record(type=49, subType=57, contents={"refer": refer})).only
    assert (only["reply_sender_id"], only["reply_to"]) == ("wxid_b", None)
    assert only["reply_sent_at"] == datetime(2024, 2, 13, 1, 0, tzinfo=UTC)
    assert only["text"] == "好的"


def test_system_messages_are_events_and_joins_are_told_by_text() -> None:
    system = record(
        type=10000, sender="系统消息", senderName="", content='"小红"邀请"小明"加入了群聊'
    )
    found = chatlog(system, record(), record(sender="wxid_m", senderName="小明"))
    assert len(found.messages) == 2
    assert (found.event["kind"], found.event["subject_id"]) == ("join", "wxid_m")
    assert (found.event["inviter_id"], found.event["raw_kind"]) == ("wxid_a", "10000")


def test_the_literal_sender_of_the_system_is_no_account() -> None:
    found = chatlog(record(type=1, sender="系统消息", content='"小明"退出了群聊'))
    assert (found.event["kind"], found.event["subject_id"]) == ("leave", "name:小明")


def test_mentions_are_names_before_a_special_space() -> None:
    found = chatlog(
        record(), record(sender="wxid_b", senderName="B", content="@小红\u2005@路人\u2005 你好")
    )
    assert found.messages[1]["mentions"] == ["wxid_a", "name:路人"]


def test_you_is_the_account_that_sent_itself() -> None:
    system = record(type=10000, sender="系统消息", content='你邀请"小明"加入了群聊')
    found = chatlog(system, record(isSelf=True, sender="wxid_me"))
    assert found.event["inviter_id"] == "wxid_me"


def test_records_may_lie_inside_a_document() -> None:
    whole = json.dumps({"total": 1, "items": [record()]})
    assert Read(Chatlog(), whole).only["sender_id"] == "wxid_a"
    assert Read(Chatlog(), json.dumps({"data": {"items": [record()]}})).tally.messages == 1


def test_records_without_time_or_sender_are_rejects() -> None:
    assert chatlog(record(time="?"), record(sender="")).tally.rejects == 2


def test_a_document_cut_off_keeps_what_was_read() -> None:
    whole = json.dumps([record(), record()])
    found = Read(Chatlog(), whole[:-30])
    assert (found.tally.messages, found.tally.rejects) == (1, 1)


def test_lone_surrogates_do_not_stop_the_import() -> None:
    assert Read(Chatlog(), json.dumps([record(content="\ud83d")])).tally.messages == 1


# WeFlow


def weflow(*messages: object) -> Read:
    whole = {"weflow": {"version": "1"}, "session": {"wxid": "123@chatroom", "type": "群聊",
             "displayName": "福利群"}, "messages": list(messages)}  # fmt: skip
    return Read(WeFlow(), json.dumps(whole, ensure_ascii=False), "weflow.json")


def flow(**more: object) -> dict[str, object]:
    return {
        "localId": 5, "createTime": 1707786300, "type": "文本消息", "localType": 49,
        "content": "好的", "isSend": 0, "senderUsername": "wxid_a", "senderDisplayName": "小红",
    } | more  # fmt: skip


def test_it_reads_a_message_of_weflow() -> None:
    only = weflow(flow()).only
    assert (only["sent_at"], only["zone_known"]) == (AT, "utc")
    assert (only["group_id"], only["group_name"]) == ("123@chatroom", "福利群")
    assert (only["sender_id"], only["message_id"], only["kind"]) == ("wxid_a", "5", "text")


@pytest.mark.parametrize(
    ("word", "kind"),
    [("图片消息", "image"), ("语音消息", "voice"), ("引用消息", "text"), ("动画表情", "sticker"),
     ("红包", "red_packet"), ("神秘消息", "other")],
)  # fmt: skip
def test_the_chinese_type_counts_and_not_the_number(word: str, kind: str) -> None:
    only = weflow(flow(type=word, localType=1)).only
    assert (only["kind"], only["raw_kind"]) == (kind, word)


def test_weflow_tells_the_exporter_and_the_system() -> None:
    found = weflow(
        flow(type="系统消息", isSend=None, senderUsername="", content='你将"小明"移出了群聊'),
        flow(isSend=1, senderUsername="wxid_me"),
    )
    assert (found.event["kind"], found.event["actor_id"]) == ("remove", "wxid_me")


# tables

CHATLOG_HEADER = "Time,SenderName,Sender,TalkerName,Talker,Content\n"


def table(text: str, name: str = "t.csv", **options: object) -> Read:
    return Read(WeChatCsv(), text, name, **options)


def test_the_table_of_chatlog_has_no_zone() -> None:
    row = "2024-02-13 09:05:00,小红,wxid_a,福利群,123@chatroom,好的\n"
    found = table(CHATLOG_HEADER + row, zone=ZoneInfo("Asia/Shanghai"))
    assert (found.only["sent_at"], found.only["zone_known"]) == (AT, "assumed")
    assert (found.only["sender_id"], found.only["group_name"]) == ("wxid_a", "福利群")
    assert found.tally.header == 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [("[语音]", "voice"), ("![图片](http://x/image/1)", "image"), ("[视频]", "video"),
     ("![动画表情](http://x)", "sticker"), ("[链接|新品](http://x)", "link"),
     ("[文件|a.pdf](http://x)", "file"),
     ("[小程序|点单](http://x)", "mini_program"), ("[红包]", "red_packet"), ("[语音] 是我发的", "text"),
     ("[强]", "text"), ("好的", "text")],
)  # fmt: skip
def test_the_table_of_chatlog_tells_kinds_by_placeholders(content: str, kind: str) -> None:
    assert kind_of_text(content)[0] == kind
    row = f"2024-02-13 09:05:00,小红,wxid_a,福利群,123@chatroom,{content}\n"
    assert table(CHATLOG_HEADER + row).only["kind"] == kind


def test_system_rows_of_the_table_are_events() -> None:
    row = '2024-02-13 09:05:00,,系统消息,福利群,123@chatroom,"""小明""退出了群聊"\n'
    assert table(CHATLOG_HEADER + row).event["kind"] == "leave"


MEMO_HEADER = (
    "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,"
    "StrContent,StrTime,Remark,NickName,Sender\n"
)


def test_it_reads_a_row_of_memotrace() -> None:
    rows = (
        "1,7,1,0,0,1707786300,2,好的,2024-02-13 09:05:00,,小红,wxid_a\n"
        "2,7,49,6,1,1707786301,2,文件,2024-02-13 09:05:01,,我,wxid_me\n"
        '3,7,10000,0,0,1707786302,2,"""小明""加入了群聊",2024-02-13 09:05:02,,,\n'
    )
    found = table(MEMO_HEADER + rows, "福利群.csv")
    assert [(m["sender_id"], m["kind"], m["raw_kind"]) for m in found.messages] == [
        ("wxid_a", "text", "1"), ("wxid_me", "file", "49/6"),
    ]  # fmt: skip
    assert found.messages[0]["sent_at"] == AT
    assert (found.messages[0]["group_name"], found.messages[0]["zone_known"]) == (
        "福利群",
        "utc",
    )
    assert found.event["kind"] == "join"


def test_it_reads_a_row_of_pywxdump() -> None:
    header = "id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime\n"
    row = "1,99,图片,0,wxid_a,123@chatroom,,x.jpg,2024-02-13 09:05:00\n"
    only = table(header + row, zone=ZoneInfo("Asia/Shanghai")).only
    assert (only["sent_at"], only["kind"], only["message_id"]) == (AT, "image", "99")
    assert only["group_id"] == "123@chatroom"


def test_cells_of_several_lines_quotes_and_excel_bom_are_read() -> None:
    row = '2024-02-13 09:05:00,小红,wxid_a,福利群,123@chatroom,"一\n二,""三"""\n'
    assert table("\ufeff" + CHATLOG_HEADER + row).only["text"] == '一\n二,"三"'


def test_the_encoding_of_excel_in_china_is_read() -> None:
    row = "2024-02-13 09:05:00,小红,wxid_a,福利群,123@chatroom,新品上架了，欢迎下单\n"
    raw = (CHATLOG_HEADER + row).encode("gb18030")
    assert Read(WeChatCsv(), raw).only["text"] == "新品上架了，欢迎下单"


def test_rows_that_do_not_fit_are_rejects() -> None:
    rows = "only,two\n\n?,小红,wxid_a,福利群,1@chatroom,好\n2024-02-13 09:05:00,小红,,福利群,1@chatroom,好\n"
    found = table(CHATLOG_HEADER + rows)
    assert (found.tally.rejects, found.tally.blank) == (3, 1)


# all


@pytest.mark.parametrize(
    ("reader", "content"),
    [
        (Chatlog(), json.dumps([record()])),
        (Chatlog(), json.dumps({"items": [record()]})),
        (WeFlow(), json.dumps({"weflow": {}, "session": {}, "messages": []})),
        (WeChatCsv(), CHATLOG_HEADER),
        (WeChatCsv(), MEMO_HEADER),
    ],
)
def test_each_format_is_claimed_by_its_reader_alone(reader: Importer, content: str) -> None:
    source = memory_source("x", b"")
    for other in (Chatlog(), WeFlow(), WeChatCsv()):
        sure = other.sniff(content.encode(), source)
        assert sure > 0.9 if other.name == reader.name else sure == 0


@pytest.mark.parametrize(
    "other", [b"", b"[]", b"{}", b"a,b\n1,2\n", b'[{"text":"x"}]', b"\xff\xfe"]
)
def test_nothing_else_is_claimed(other: bytes) -> None:
    for reader in (Chatlog(), WeFlow(), WeChatCsv()):
        assert reader.sniff(other, memory_source("x", b"")) == 0


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_any_bytes_lose_no_record(raw: bytes) -> None:
    for reader, start in (
        (Chatlog(), json.dumps([record()])[:-1].encode()),
        (WeFlow(), b'{"weflow":{},"messages":['),
        (WeChatCsv(), CHATLOG_HEADER.encode()),
    ):
        Read(reader, raw)
        Read(reader, start + raw)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3), max_leaves=4),
       st.sampled_from(sorted(record())))  # fmt: skip
@settings(max_examples=100)
def test_any_value_in_any_field_is_read_or_set_aside(value: object, key: str) -> None:
    assert chatlog(record(**{key: value})).tally.lines == 1
