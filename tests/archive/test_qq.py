"""QQ: exports of QQ Chat Exporter, whole and in chunks, and QQ's own text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.archive.importers import importer
from qunluo.archive.importers.qq_json import STAMPED_AT_EXPORT, QqExporter
from qunluo.archive.importers.qq_txt import QqText
from tests.archive.builders import memory_source
from tests.archive.chat_reading import Read

CHAT = {
    "name": "福利群",
    "type": "group",
    "selfUid": "u_me",
    "selfUin": "99",
    "participantCount": 3,
}


def message(**more: object) -> dict[str, object]:
    """A message as the exporter writes it."""
    return {
        "id": "7501",
        "seq": "102",
        "timestamp": 1758025456000,
        "time": "2025-09-16T12:24:16.000Z",
        "sender": {"uid": "u_x", "uin": "12345", "name": "A", "groupCard": "客服A", "title": ""},
        "type": "text",
        "content": {"text": "好", "elements": [{"type": "text", "data": {"text": "好"}}],
                    "resources": [], "mentions": []},
        "recalled": False,
        "system": False,
    } | more  # fmt: skip


def elements(*given: tuple[str, dict[str, object]], text: str = "") -> dict[str, object]:
    return {"text": text, "elements": [{"type": t, "data": d} for t, d in given]}


def export(*messages: object, **more: object) -> str:
    whole = {"metadata": {"name": "QQChatExporter V5"}, "chatInfo": CHAT, "statistics": {},
             "messages": list(messages)}  # fmt: skip
    return json.dumps(whole | more, ensure_ascii=False)


def read(*messages: object, **more: object) -> Read:
    return Read(QqExporter(), export(*messages, **more), "qq.json")


def test_both_formats_are_listed() -> None:
    assert importer("qq_json").name == "qq_json"
    assert importer("qq_txt").name == "qq_txt"


def test_it_reads_a_message_of_the_exporter() -> None:
    only = read(message()).only
    assert only["sent_at"] == datetime(2025, 9, 16, 12, 24, 16, tzinfo=UTC)
    assert (only["group_id"], only["group_name"]) == ("福利群", "福利群")
    assert (only["message_id"], only["zone_known"]) == ("7501", "utc")
    assert (only["sender_id"], only["sender_name"]) == ("12345", "客服A")
    assert (only["kind"], only["raw_kind"], only["text"]) == ("text", "text", "好")


def test_it_sniffs_files_manifests_and_chunks() -> None:
    source = memory_source("x", b"")
    assert QqExporter().sniff(export(message()).encode(), source) > 0.9
    assert (
        QqExporter().sniff(json.dumps({"metadata": {}, "chatInfo": CHAT}).encode(), source)
        > 0.9
    )
    assert QqExporter().sniff((json.dumps(message()) + "\n").encode(), source) > 0.8


@pytest.mark.parametrize(
    "other",
    [
        b'{"name":"G","type":"private_group","id":1,"messages":[{"id":1,"type":"message"}]}',
        b'{"guild":{},"channel":{},"messages":[]}',
        b'[{"seq":1,"talker":"x","sender":"y"}]',
        b"",
        b"plain text\n",
    ],
)
def test_it_claims_no_other_format(other: bytes) -> None:
    assert QqExporter().sniff(other, memory_source("x", b"")) == 0
    assert QqText().sniff(other, memory_source("x", b"")) == 0


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ([("image", {"filename": "a.jpg"})], "image"),
        ([("text", {"text": "look"}), ("image", {"filename": "a.jpg"})], "mixed"),
        ([("market_face", {"name": "汪汪"})], "sticker"),
        ([("face", {"id": 1})], "text"),
        ([("at", {"uid": "u_b"}), ("text", {"text": " 好"})], "text"),
        ([("file", {"filename": "a.pdf"})], "file"),
        ([("audio", {"duration": 3})], "voice"),
        ([("forward", {})], "forward"),
        ([("location", {})], "location"),
        ([("json", {"content": "{}"})], "link"),
        ([("json", {"content": '{"app":"com.tencent.miniapp_01"}'})], "mini_program"),
        ([("something_new", {})], "other"),
    ],
)
def test_what_a_message_is_stands_in_its_elements(
    given: list[tuple[str, dict[str, object]]], kind: str
) -> None:
    kind_of_type = "text" if kind != "other" else "type_17"
    assert read(message(type=kind_of_type, content=elements(*given))).only["kind"] == kind


def test_media_facts_are_kept() -> None:
    data: dict[str, object] = {"filename": "a.jpg", "size": 1234, "duration": 2.5}
    only = read(message(content=elements(("video", data)))).only
    assert (only["media_name"], only["media_bytes"], only["media_seconds"]) == (
        "a.jpg",
        1234,
        2.5,
    )


@pytest.mark.parametrize(
    ("data", "answered"),
    [
        ({"referencedMessageId": "7500"}, "7500"),
        ({"referencedMessageId": None, "messageId": "0"}, None),
        ({"referencedMessageId": None, "messageId": "7400"}, "7400"),
        ({}, None),
    ],
)
def test_a_reply_names_its_message_unless_unresolved(
    data: dict[str, object], answered: str | None
) -> None:
    content = elements(("reply", data), ("text", {"text": "好"}), text="好")
    only = read(message(type="reply", content=content)).only
    assert (only["reply_to"], only["kind"]) == (answered, "text")


def test_mentions_are_accounts_once_each() -> None:
    speaker = message(sender={"uid": "u_b", "uin": "777", "name": "B"})
    content = elements(("at", {"uid": "u_b"}), ("at", {"uid": "u_c"}), text="@B @C 好")
    content["mentions"] = [{"uid": "u_b", "name": "B", "type": "user"}]
    found = read(speaker, message(content=content)).messages[1]
    assert found["mentions"] == ["777", "u_c"]


def test_hidden_numbers_leave_the_uid() -> None:
    assert (
        read(message(sender={"uid": "u_x", "uin": "0", "name": "A"})).only["sender_id"] == "u_x"
    )


def test_joins_stand_only_in_the_text_of_system_elements() -> None:
    system = message(
        id="9", type="system", system=True,
        sender={"uid": "未知", "uin": "", "name": "未知"},
        content=elements(("system", {"content": "x"}), text="A邀请B加入了群聊"),
    )  # fmt: skip
    found = read(system, message(sender={"uid": "u_b", "uin": "777", "name": "B"}), message())
    assert found.event["kind"] == "join"
    assert (found.event["subject_id"], found.event["inviter_id"]) == ("777", "12345")
    assert found.event["event_id"] == "9"
    assert len(found.messages) == 2


def test_other_system_messages_are_notices_with_their_text() -> None:
    found = read(message(system=True, content={"text": "红包已被领完", "elements": []}))
    assert (found.event["kind"], found.event["text"]) == ("notice", "红包已被领完")


def test_recalled_messages_are_marked() -> None:
    found = read(message(recalled=True), message(recalled=True, content=elements()))
    assert [(m["revoked"], m["kind"]) for m in found.messages] == [
        (True, "text"),
        (True, "recalled"),
    ]


def test_a_message_stamped_with_the_time_of_the_export_is_set_aside() -> None:
    exported = 1758100000000
    older = message(seq="50", timestamp=exported - 1000)
    found = read(message(), older, metadata={"exportTime": exported})
    assert len(found.messages) == 1
    assert [r.reason for r in found.rejects] == [STAMPED_AT_EXPORT]


def test_the_newest_message_may_be_as_young_as_the_export() -> None:
    exported = 1758100000000
    newest = message(seq="103", timestamp=exported - 1000)
    assert len(read(message(), newest, metadata={"exportTime": exported}).messages) == 2


def test_the_raw_message_without_time_is_set_aside() -> None:
    assert read(message(rawMessage={"msgTime": "0"})).tally.rejects == 1


def test_older_files_number_their_types_and_count_seconds() -> None:
    old = {"messageId": "1", "timestamp": 1758025456, "messageType": 6,
           "sender": {"uin": "5", "name": "A"}, "content": {"text": ""}}  # fmt: skip
    only = read(old).only
    assert (only["kind"], only["raw_kind"], only["message_id"]) == ("voice", "6", "1")
    assert only["sent_at"] == datetime(2025, 9, 16, 12, 24, 16, tzinfo=UTC)


def test_what_names_no_time_or_no_sender_is_kept_as_reject() -> None:
    found = read(message(timestamp=None, time=None), message(sender={}), 5)
    assert found.tally.rejects == 3


def test_the_chat_may_be_told_after_its_messages() -> None:
    whole = {"messages": [message()], "metadata": {}, "chatInfo": CHAT}
    assert Read(QqExporter(), json.dumps(whole), "qq.json").only["group_name"] == "福利群"


def test_a_file_cut_off_keeps_what_was_read() -> None:
    text = export(message(), message(id="2"), message(id="3"))
    found = Read(QqExporter(), text[: text.index('"id": "3"') + 40], "qq.json")
    assert (found.tally.messages, found.tally.rejects) == (2, 1)


def test_chunks_take_their_chat_from_the_manifest() -> None:
    manifest = json.dumps(
        {"metadata": {}, "chatInfo": CHAT, "chunked": {"chunks": []}}
    ).encode()
    lines = json.dumps(message()) + "\n\n" + "{broken\n" + json.dumps(message(id="2")) + "\n"
    found = Read(QqExporter(), lines, "e/chunks/c000001.jsonl", {"e/manifest.json": manifest})
    assert [m["group_name"] for m in found.messages] == ["福利群"] * 2
    assert (found.tally.blank, found.tally.rejects) == (1, 1)


def test_a_manifest_holds_no_messages() -> None:
    manifest = {"metadata": {}, "chatInfo": CHAT, "chunked": {"chunks": [{"file": "x"}]}}
    found = Read(QqExporter(), json.dumps(manifest), "manifest.json")
    assert (found.tally.lines, found.tally.header) == (1, 1)


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_any_bytes_lose_no_record(raw: bytes) -> None:
    for text in (
        raw,
        export(message()).encode()[:-2] + raw,
        json.dumps(message()).encode() + raw,
    ):
        Read(QqExporter(), text, "qq.json")
    Read(QqText(), raw)
    Read(QqText(), HEADING.encode() + raw)


# QQ's own text

HEADING = """消息记录（此消息记录为文本格式，不支持重新导入）

================================================================
消息分组:我的QQ群
================================================================
消息对象:福利群
================================================================

"""


def text(body: str, **options: object) -> Read:
    return Read(QqText(), HEADING + body, "全部消息记录.txt", **options)


def test_it_sniffs_the_heading_and_the_heads() -> None:
    whole = HEADING + "2019-07-16 18:15:05 地瓜(23333)\n好\n\n"
    assert QqText().sniff(whole.encode(), memory_source("x", b"")) > 0.8
    assert (
        QqText().sniff(
            ("2019-07-16 18:15:05 地瓜(23333)\n好\n\n" * 3).encode(), memory_source("x", b"")
        )
        >= 0.6
    )


def test_it_reads_head_and_body() -> None:
    found = text(
        "2019-07-16 18:15:05 【管理员】地瓜(23333)\n大家好\n第二行\n\n",
        zone=ZoneInfo("Asia/Shanghai"),
    )
    only = found.only
    assert only["sent_at"] == datetime(2019, 7, 16, 10, 15, 5, tzinfo=UTC)
    assert (only["sender_id"], only["sender_name"]) == ("23333", "地瓜")
    assert (only["text"], only["zone_known"]) == ("大家好\n第二行", "assumed")
    assert only["group_name"] == "福利群"
    assert (found.tally.header, found.tally.continuation) == (6, 2)


def test_an_account_may_be_a_mail_address() -> None:
    only = text("2019-07-16 8:15:05 地瓜<a@b.com>\n好\n\n").only
    assert (only["sender_id"], only["sender_name"]) == ("a@b.com", "地瓜")


def test_a_name_may_equal_the_account_or_hold_brackets() -> None:
    found = text(
        "2019-07-16 18:15:05 23333(23333)\na\n\n2019-07-16 18:15:06 小(红)(23334)\nb\n\n"
        "2019-07-16 18:15:07 (23335)\nc\n\n"
    )
    assert [(m["sender_id"], m["sender_name"]) for m in found.messages] == [
        ("23333", "23333"), ("23334", "小(红)"), ("23335", "23335"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kind"),
    [("[图片]", "image"), ("[图片][图片]", "image"), ("[表情]", "sticker"), ("看 [图片]", "mixed"),
     ("好[表情]", "text"), ("[语音]", "voice"), ("[某物]", "text"), ("好", "text")],
)  # fmt: skip
def test_placeholders_tell_the_kind(body: str, kind: str) -> None:
    assert text(f"2019-07-16 18:15:05 地瓜(23333)\n{body}\n\n").only["kind"] == kind


@pytest.mark.parametrize(
    ("phrase", "kind", "subject"),
    [("加入了群聊", "join", "23333"), ("退出了群聊", "leave", "23333"),
     ("被移出群聊", "remove", "23333"), ("撤回了一条消息", "notice", None)],
)  # fmt: skip
def test_phrases_of_the_system_under_a_name_are_events(
    phrase: str, kind: str, subject: str | None
) -> None:
    event = text(f"2019-07-16 18:15:05 地瓜(23333)\n{phrase}\n\n").event
    assert (event["kind"], event["subject_id"], event["text"]) == (kind, subject, phrase)


def test_the_systems_own_account_writes_events() -> None:
    found = text(
        "2019-07-16 18:15:05 系统消息(10000)\n地瓜加入了本群。\n\n"
        "2019-07-16 18:15:06 系统消息\n土豆被移出群聊\n\n"
        "2019-07-16 18:15:07 地瓜(23333)\n大家好\n\n"
    )
    assert [(e["kind"], e["subject_id"]) for e in found.events] == [
        ("join", "23333"), ("remove", "name:土豆"),
    ]  # fmt: skip
    assert len(found.messages) == 1


def test_somebody_who_only_writes_about_leaving_stays() -> None:
    assert text("2019-07-16 18:15:05 地瓜(23333)\n他退出了群聊吗\n\n").only["kind"] == "text"


def test_blank_lines_inside_a_body_stay_and_those_after_it_go() -> None:
    found = text("2019-07-16 18:15:05 地瓜(23333)\na\n\nb\n\n\n")
    assert found.only["text"] == "a\n\nb"


def test_several_groups_of_one_file_are_kept_apart() -> None:
    one = "2019-07-16 18:15:05 地瓜(23333)\na\n\n"
    found = text(one + HEADING.replace("福利群", "第二群").split("\n", 2)[2] + one)
    assert [m["group_name"] for m in found.messages] == ["福利群", "第二群"]


def test_the_encoding_of_old_clients_is_read() -> None:
    raw = (HEADING + "2019-07-16 18:15:05 地瓜(23333)\n大家好，新品上架\n\n").encode("gb18030")
    assert Read(QqText(), raw).only["text"] == "大家好，新品上架"


def test_lines_without_a_head_and_impossible_times_are_rejects() -> None:
    found = Read(QqText(), "stray\n2019-02-31 18:15:05 地瓜(23333)\nbody\n")
    assert [r.line for r in found.rejects] == [1, 2, 3]


NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=10)
BODY = st.lists(
    st.text(st.characters(categories=["L"]), min_size=1, max_size=20), min_size=1, max_size=3
).map("\n".join)


@given(
    st.lists(
        st.tuples(NAMES, st.integers(10_000_001, 99_999_999), BODY), min_size=1, max_size=6
    )
)
@settings(max_examples=40)
def test_any_conversation_comes_back_as_it_was(talk: list[tuple[str, int, str]]) -> None:
    at = datetime(2019, 7, 16, 18, 15, 5, tzinfo=UTC)
    lines = [
        f"{at + timedelta(minutes=n):%Y-%m-%d %H:%M:%S} {name}({own})\n{said}\n\n"
        for n, (name, own, said) in enumerate(talk)
    ]
    found = text("".join(lines))
    expected = [(str(own), name, said) for name, own, said in talk]
    assert [(m["sender_id"], m["sender_name"], m["text"]) for m in found.messages] == expected
