"""DiscordChatExporter, JSON and CSV: its traps, each with a tiny export."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from qunluo.archive.importers.base import Options
from qunluo.archive.importers.discord import Discord
from qunluo.archive.importers.discord_csv import DiscordCsv
from tests.archive.sources_builder import Memory, Taken, take

ANN = {"id": "9", "name": "ann", "discriminator": "0000", "nickname": "Ann", "isBot": False}
BOB = {"id": "8", "name": "bob", "isBot": False}
CHANNEL = {
    "id": "2",
    "type": "GuildTextChat",
    "categoryId": "3",
    "category": "c",
    "name": "tea",
}
HI = {
    "id": "1",
    "type": "Default",
    "timestamp": "2024-02-13T09:05:00.1+08:00",
    "timestampEdited": None,
    "content": "hi",
    "author": ANN,
    "attachments": [],
    "embeds": [],
    "stickers": [],
    "reactions": [],
    "mentions": [],
}


def export(*messages: dict, channel: dict | None = None, count: int | None = None) -> Memory:
    document = {
        "guild": {"id": "5", "name": "Guild"},
        "channel": channel or CHANNEL,
        "dateRange": {"after": None, "before": None},
        "messages": list(messages),
        "messageCount": len(messages) if count is None else count,
    }
    return Memory("x.json", json.dumps(document, ensure_ascii=False).encode())


def read(*messages: dict, channel: dict | None = None) -> Taken:
    return take(Discord(), export(*messages, channel=channel))


def test_it_reads_a_message_with_its_offset():
    (found,) = read(HI).messages
    assert found["sent_at"] == datetime(2024, 2, 13, 1, 5, 0, 100_000, tzinfo=UTC)
    assert found["zone_known"] == "offset"
    assert (found["group_id"], found["group_name"]) == ("2", "tea")
    assert (found["message_id"], found["sender_id"], found["sender_name"]) == ("1", "9", "Ann")
    assert (found["kind"], found["raw_kind"], found["text"]) == ("text", "Default", "hi")


def test_the_name_stands_in_for_a_missing_nickname():
    assert read(HI | {"author": BOB}).messages[0]["sender_name"] == "bob"


def test_bots_say_so_and_roles_of_the_day_of_export_do_not_count():
    roles = [{"id": "1", "name": "Staff", "position": 1}]
    bot, person = read(
        HI | {"author": ANN | {"isBot": True}}, HI | {"author": ANN | {"roles": roles}}
    ).messages
    assert (bot["role"], person["role"]) == ("bot", None)


def test_only_a_reply_answers():
    reference = {"type": "Default", "messageId": "0", "channelId": "2", "guildId": "5"}
    found = read(
        HI | {"type": "Reply", "reference": reference},
        HI | {"type": "Default", "reference": reference},
        HI | {"type": "Reply", "reference": reference | {"channelId": "77"}},
    ).messages
    assert [m["reply_to"] for m in found] == ["0", None, None]


def test_an_interaction_is_no_reply():
    bot = ANN | {"isBot": True}
    (found,) = read(
        HI | {"type": "20", "author": bot, "interaction": {"id": "4", "user": BOB}}
    ).messages
    assert (found["reply_to"], found["role"], found["raw_kind"]) == (None, "bot", "20")


def test_a_forwarded_message_brings_its_text():
    (found,) = read(
        HI
        | {
            "content": "",
            "reference": {"type": "Forward"},
            "forwardedMessage": {"content": "old"},
        }
    ).messages
    assert (found["forwarded"], found["text"], found["reply_to"]) == (True, "old", None)


def test_joins_to_the_server_are_events():
    (found,) = read(HI | {"type": "GuildMemberJoin", "content": "Joined the server."}).events
    assert (found["kind"], found["subject_id"], found["subject_name"]) == ("join", "9", "Ann")
    assert found["raw_kind"] == "GuildMemberJoin"


def test_recipients_are_added_removed_or_leave():
    found = read(
        HI | {"id": "11", "type": "RecipientAdd", "mentions": [BOB]},
        HI | {"id": "12", "type": "RecipientRemove", "mentions": [BOB]},
        HI | {"id": "13", "type": "RecipientRemove", "mentions": [ANN]},
    ).events
    assert [(e["kind"], e["subject_id"]) for e in found] == [
        ("join", "8"),
        ("remove", "8"),
        ("leave", "9"),
    ]
    assert found[0]["inviter_id"] == "9"


@pytest.mark.parametrize(
    "kind",
    ["ChannelNameChange", "ChannelIconChange", "ChannelPinnedMessage", "ThreadCreated", "8"],
)
def test_other_types_and_numerals_outside_the_list_are_notices(kind):
    (found,) = read(HI | {"type": kind}).events
    assert (found["kind"], found["raw_kind"], found["text"]) == ("notice", kind, "hi")


def test_a_call_has_its_length():
    (found,) = read(
        HI | {"type": "Call", "callEndedTimestamp": "2024-02-13T09:06:00.1+08:00"}
    ).messages
    assert (found["kind"], found["media_seconds"]) == ("call", 60.0)


@pytest.mark.parametrize(
    ("extra", "kind"),
    [
        ({"attachments": [{"fileName": "a.PNG", "fileSizeBytes": 5}]}, "image"),
        ({"attachments": [{"fileName": "voice-message.ogg"}]}, "voice"),
        ({"attachments": [{"fileName": "a.zip"}]}, "file"),
        ({"stickers": [{"name": "wave"}]}, "sticker"),
        ({"content": "", "embeds": [{"url": "https://x", "title": "X"}]}, "link"),
    ],
)
def test_it_knows_the_kind(extra, kind):
    assert read(HI | extra).messages[0]["kind"] == kind


def test_reactions_mentions_and_edits_are_kept():
    (found,) = read(
        HI
        | {"reactions": [{"emoji": {"id": "", "name": "🍵"}, "count": 3}], "mentions": [BOB]}
        | {"timestampEdited": "2024-02-13T01:06:00+00:00"}
    ).messages
    assert found["reactions"] == [{"emoji": "🍵", "count": 3}]
    assert found["mentions"] == ["8"]
    assert found["edited_at"] == datetime(2024, 2, 13, 1, 6, tzinfo=UTC)


def test_a_thread_belongs_to_its_parent_channel():
    thread = {
        "id": "20",
        "type": "GuildPublicThread",
        "categoryId": "2",
        "category": "tea",
        "name": "t",
    }
    (found,) = read(HI, channel=thread).messages
    assert (found["group_id"], found["thread_id"], found["group_name"]) == ("2", "20", "tea")


def test_leaves_are_told_as_lacking():
    assert "leaves" in Discord().lacks


def test_fewer_messages_than_announced_are_a_warning():
    found = take(Discord(), export(HI, count=5))
    assert "5" in found.warnings[0]


def test_records_without_time_or_author_are_rejected():
    found = read(HI | {"timestamp": "soon"}, HI | {"author": None}, HI)
    assert ([r.line for r in found.rejects], len(found.messages)) == ([1, 2], 1)


def test_it_is_recognised_and_others_are_not():
    raw = export(HI).content
    assert Discord().sniff(raw[:300], export(HI)) > 0.9
    other = b'{"name":"G","type":"private_group","id":1,"messages":[]}'
    assert Discord().sniff(other, Memory("x", other)) == 0.0


# CSV

CSV = (
    "AuthorID,Author,Date,Content,Attachments,Reactions\r\n"
    '"9","ann","2024-02-13T09:05:00.0000000+08:00","hi\r\nthere","https://x/a.png?y=1","👍 (2),x (1)"\r\n'
)


def table(text: str, name: str = "Guild - Text - tea [222].csv") -> Memory:
    return Memory(name, text.encode())


def test_csv_takes_the_channel_from_the_files_name():
    (found,) = take(DiscordCsv(), table(CSV)).messages
    assert (found["group_id"], found["group_name"]) == ("222", "tea")
    assert found["sent_at"] == datetime(2024, 2, 13, 1, 5, tzinfo=UTC)
    assert (found["message_id"], found["reply_to"]) == (None, None)
    assert (found["kind"], found["media_name"]) == ("image", "a.png")
    assert found["reactions"] == [{"emoji": "👍", "count": 2}, {"emoji": "x", "count": 1}]


def test_csv_says_what_it_lacks():
    assert {"ids", "replies", "joins", "leaves"} <= DiscordCsv().lacks


@pytest.mark.parametrize(
    ("said", "order", "month"),
    [
        ("13/02/2024 09:05", "dmy", 2),
        ("02/13/2024 9:05 AM", "mdy", 2),
        ("13-Feb-24 09:05 AM", None, 2),
    ],
)
def test_csv_dates_of_older_versions_are_local(said, order, month):
    text = CSV.replace("2024-02-13T09:05:00.0000000+08:00", said)
    options = Options(zone=ZoneInfo("Asia/Shanghai"), date_order=order)
    (found,) = take(DiscordCsv(), table(text), options).messages
    assert found["sent_at"] == datetime(2024, month, 13, 1, 5, tzinfo=UTC)
    assert found["zone_known"] == "assumed"


def test_csv_rows_that_cannot_be_read_are_kept_apart():
    found = take(DiscordCsv(), table(CSV + "a,b\r\n" + '"9","ann","never","x","",""\r\n'))
    assert (len(found.messages), [r.line for r in found.rejects]) == (1, [3, 4])
    assert found.tally.header == 1


def test_csv_is_recognised_by_its_header():
    assert DiscordCsv().sniff(CSV.encode("utf-8-sig")[:200], table(CSV)) > 0.9
    assert DiscordCsv().sniff(b"time,sender,text\n1,2,3\n", table(CSV)) == 0.0
