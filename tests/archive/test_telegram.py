"""Telegram Desktop: its traps, each with a tiny export."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from qunluo.archive.importers.base import Options
from qunluo.archive.importers.json_stream import CUT_SHORT
from qunluo.archive.importers.telegram import SPLIT, Telegram
from tests.archive.sources_builder import Memory, Taken, take

SECOND = 1707786300
AT = datetime.fromtimestamp(SECOND, UTC)
HI = {
    "id": 7,
    "type": "message",
    "date": "2024-02-13T09:05:00",
    "date_unixtime": str(SECOND),
    "from": "Ann",
    "from_id": "user12",
    "text": "hi",
}


def chat(*messages: dict, **more: object) -> dict:
    head = {"name": "G", "type": "private_supergroup", "id": 1}
    return head | more | {"messages": list(messages)}


def export(document: object) -> Memory:
    return Memory("ChatExport/result.json", json.dumps(document, ensure_ascii=False).encode())


def read(*messages: dict, options: Options = Options(), **more: object) -> Taken:  # noqa: B008
    return take(Telegram(), export(chat(*messages, **more)), options)


def service(action: str, **more: object) -> dict:
    fixed = {"id": 8, "type": "service", "date_unixtime": str(SECOND)}
    return fixed | {"actor": "Bob", "actor_id": "user9", "action": action} | more


def test_it_reads_a_message():
    (found,) = read(HI).messages
    assert found["sent_at"] == AT
    assert (found["group_id"], found["group_name"]) == ("channel1", "G")
    assert (found["message_id"], found["sender_id"], found["sender_name"]) == (
        "7",
        "user12",
        "Ann",
    )
    assert (found["kind"], found["text"], found["zone_known"]) == ("text", "hi", "utc")


def test_the_epoch_is_a_string_and_goes_before_the_local_date():
    (found,) = read(HI | {"date": "1999-01-01T00:00:00"}).messages
    assert found["sent_at"] == AT


def test_a_local_date_alone_is_taken_in_the_zone_given():
    old = {k: v for k, v in HI.items() if k != "date_unixtime"}
    (found,) = read(old, options=Options(zone=ZoneInfo("Asia/Shanghai"))).messages
    assert found["sent_at"] == datetime(2024, 2, 13, 1, 5, tzinfo=UTC)
    assert found["zone_known"] == "assumed"


def test_a_deleted_account_has_no_name_but_its_id():
    (found,) = read(HI | {"from": None}).messages
    assert (found["sender_id"], found["sender_name"]) == ("user12", None)


def test_a_bare_number_of_old_exports_is_a_user():
    assert read(HI | {"from_id": 12}).messages[0]["sender_id"] == "user12"


def test_ids_keep_their_prefix_because_users_and_channels_share_numbers():
    found = read(HI, HI | {"id": 9, "from_id": "channel12"}).messages
    assert [m["sender_id"] for m in found] == ["user12", "channel12"]
    assert read(HI, type="private_group").messages[0]["group_id"] == "chat1"


def test_text_may_be_an_array_of_strings_and_parts():
    parts = ["hi ", {"type": "mention", "text": "@bob"}, {"type": "bold", "text": "!"}]
    assert read(HI | {"text": parts}).messages[0]["text"] == "hi @bob!"


def test_mentions_are_usernames_or_ids():
    entities = [
        {"type": "mention", "text": "@bob"},
        {"type": "mention_name", "text": "Cy", "user_id": 5},
        {"type": "bold", "text": "x"},
    ]
    (found,) = read(HI | {"text_entities": entities}).messages
    assert found["mentions"] == ["@bob", "user5"]


def test_reactions_edits_and_forwards_are_kept():
    marks = {
        "reactions": [
            {"type": "emoji", "count": 2, "emoji": "👍", "recent": []},
            {"type": "custom_emoji", "count": 1, "document_id": "77"},
        ],
        "edited_unixtime": str(SECOND + 60),
        "forwarded_from": "News",
    }
    (found,) = read(HI | marks).messages
    assert found["reactions"] == [{"emoji": "👍", "count": 2}, {"emoji": "77", "count": 1}]
    assert found["edited_at"] == datetime.fromtimestamp(SECOND + 60, UTC)
    assert found["forwarded"] is True


def test_a_reply_is_kept_but_not_one_to_another_chat():
    answers = read(
        HI | {"reply_to_message_id": 5},
        HI | {"reply_to_message_id": 5, "reply_to_peer_id": "channel99"},
        HI | {"reply_to_message_id": 5, "reply_to_peer_id": "channel1"},
    ).messages
    assert [m["reply_to"] for m in answers] == ["5", None, "5"]


def test_a_message_in_a_topic_answers_nobody():
    found = read(service("topic_created", id=5, title="Tea"), HI | {"reply_to_message_id": 5})
    assert found.events[0]["kind"] == "notice"
    assert (found.messages[0]["thread_id"], found.messages[0]["reply_to"]) == ("5", None)


@pytest.mark.parametrize(
    ("extra", "kind"),
    [
        ({"photo": "photos/p.jpg"}, "image"),
        ({"media_type": "sticker", "file": "s.webp"}, "sticker"),
        ({"media_type": "video_message"}, "video"),
        ({"media_type": "voice_message"}, "voice"),
        ({"media_type": "animation"}, "gif"),
        ({"media_type": "video_file"}, "video"),
        ({"media_type": "audio_file"}, "music"),
        ({"file": "files/a.pdf"}, "file"),
        ({"poll": {"question": "tea?"}}, "poll"),
        ({"location_information": {"latitude": 1, "longitude": 2}}, "location"),
        ({"contact_information": {"first_name": "Cy"}}, "contact"),
        ({"type": "unsupported"}, "other"),
        ({"text": [{"type": "bot_command", "text": "/start"}]}, "bot_command"),
    ],
)
def test_it_knows_the_kind(extra, kind):
    assert read(HI | {"text": ""} | extra).messages[0]["kind"] == kind


def test_media_facts_are_kept_and_a_file_not_exported_has_no_name():
    voice = {
        "media_type": "voice_message",
        "file": "(File not included.)",
        "duration_seconds": 3,
    }
    photo = {"photo": "photos/p.jpg", "photo_file_size": 10, "mime_type": "image/jpeg"}
    first, second = read(HI | voice, HI | photo).messages
    assert (first["media_name"], first["media_seconds"]) == (None, 3.0)
    assert (second["media_name"], second["media_bytes"]) == ("p.jpg", 10)
    assert second["media_type"] == "image/jpeg"


def test_a_polls_question_may_be_text_or_an_array():
    plain, parts = "tea?", ["tea", {"type": "bold", "text": "?"}]
    found = read(*(HI | {"text": "", "poll": {"question": q}} for q in (plain, parts)))
    assert [m["text"] for m in found.messages] == ["tea?", "tea?"]


def test_invited_members_are_names_without_ids_and_may_be_null():
    found = read(service("invite_members", members=["Cy", None])).events
    assert [e["kind"] for e in found] == ["join", "join"]
    assert [e["subject_id"] for e in found] == ["name:Cy", None]
    assert [e["subject_name"] for e in found] == ["Cy", None]
    assert [e["inviter_id"] for e in found] == ["user9", "user9"]
    assert [e["event_id"] for e in found] == ["8", "8/1"]


def test_three_invited_at_once_count_as_one_record():
    found = read(service("invite_members", members=["Cy", "Di", "Ed"]))
    assert (len(found.events), found.tally.events, found.tally.lines) == (3, 1, 1)


def test_who_adds_himself_was_not_invited():
    (found,) = read(service("invite_members", members=["Bob"])).events
    assert (found["subject_id"], found["inviter_id"]) == ("user9", None)


def test_removing_oneself_is_leaving():
    found = read(
        service("remove_members", members=["Bob"]), service("remove_members", members=["Cy"])
    ).events
    assert [(e["kind"], e["subject_id"]) for e in found] == [
        ("leave", "user9"),
        ("remove", "name:Cy"),
    ]


def test_joins_by_link_name_their_inviter():
    by_link, asked = read(
        service("join_group_by_link", inviter="Ann"), service("join_group_by_request")
    ).events
    assert (by_link["kind"], by_link["subject_id"]) == ("join", "user9")
    assert by_link["inviter_id"] == "name:Ann"
    assert (asked["kind"], asked["inviter_id"]) == ("join", None)


def test_creating_a_group_joins_its_creator_and_those_taken_along():
    found = read(service("create_group", title="G", members=["Bob", "Cy"])).events
    assert [e["subject_id"] for e in found] == ["user9", "name:Cy"]


@pytest.mark.parametrize("action", ["pin_message", "edit_group_title", "anything_new"])
def test_other_service_messages_are_notices(action):
    (found,) = read(service(action, title="New")).events
    assert (found["kind"], found["raw_kind"], found["text"]) == ("notice", action, "New")


@pytest.mark.parametrize("action", ["phone_call", "group_call"])
def test_calls_are_messages_of_who_called(action):
    (found,) = read(service(action, duration_seconds=60)).messages
    assert (found["kind"], found["sender_id"], found["media_seconds"]) == (
        "call",
        "user9",
        60.0,
    )


def test_invalid_escapes_are_mended():
    raw = json.dumps(chat(HI)).replace('"hi"', r'"a\x0Bb"').encode()
    (found,) = take(Telegram(), Memory("result.json", raw)).messages
    assert found["text"] == "a\x0bb"


def test_a_cut_file_keeps_what_was_read():
    raw = json.dumps(chat(HI, HI | {"id": 8})).encode()[:-20]
    found = take(Telegram(), Memory("result.json", raw))
    assert len(found.messages) == 1
    assert [(r.line, r.reason) for r in found.rejects] == [(2, CUT_SHORT)]


def test_a_file_cut_between_records_says_so_too():
    raw = json.dumps(chat(HI)).encode()[:-2]
    found = take(Telegram(), Memory("result.json", raw))
    assert (len(found.messages), [r.reason for r in found.rejects]) == (1, [CUT_SHORT])


def test_a_record_without_time_is_rejected():
    found = read(HI, {"id": 9, "type": "message", "text": "?"})
    assert (len(found.messages), [r.line for r in found.rejects]) == (1, [2])


def test_a_whole_account_has_many_chats():
    document = {
        "about": "Here is the data you requested. Remember: Telegram is ad free",
        "contacts": {"list": [{"first_name": "x"}]},
        "chats": {"about": "", "list": [chat(HI), chat(HI, id=2, name="H")]},
        "left_chats": {"about": "", "list": [chat(HI, id=3, name="L", type="private_group")]},
    }
    found = take(Telegram(), export(document), Options(group="one name for all"))
    assert [(m["group_id"], m["group_name"]) for m in found.messages] == [
        ("channel1", "G"),
        ("channel2", "H"),
        ("chat3", "L"),
    ]
    assert found.tally.lines == 3


def migrated(old_at: int, new_at: int) -> dict:
    old = chat(
        HI | {"reply_to_message_id": 6},
        service("migrate_to_supergroup", id=9, date_unixtime=str(old_at)),
        id=5,
        type="private_group",
    )
    new = chat(service("migrate_from_group", id=1, title="G", date_unixtime=str(new_at)), HI)
    return {"about": "Telegram", "chats": {"list": [old, new]}}


def test_two_halves_of_a_migrated_group_in_one_file_are_one_group():
    found = take(Telegram(), export(migrated(SECOND, SECOND + 1)))
    assert {m["group_id"] for m in found.messages} == {"channel1"}
    assert [m["message_id"] for m in found.messages] == ["chat5:7", "7"]
    assert found.messages[0]["reply_to"] == "chat5:6"
    assert found.warnings == []


def test_notices_of_other_moments_are_not_one_migration():
    found = take(Telegram(), export(migrated(SECOND, SECOND + 999)))
    assert {m["group_id"] for m in found.messages} == {"chat5", "channel1"}


def test_a_half_alone_is_kept_apart_with_a_warning():
    found = read(HI, service("migrate_from_group", title="Old"))
    assert found.messages[0]["group_id"] == "channel1"
    assert found.warnings == [SPLIT("en")]


def test_the_user_may_name_the_group():
    assert read(HI, options=Options(group="茶友群")).messages[0]["group_name"] == "茶友群"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_it_is_recognised_in_any_encoding(encoding):
    raw = json.dumps(chat(HI | {"text": "群里的消息"}), ensure_ascii=False).encode(encoding)
    source = Memory("x.json", raw)
    assert Telegram().sniff(raw[:400], source) > 0.9
    assert take(Telegram(), source).messages[0]["text"] == "群里的消息"


def test_it_does_not_claim_other_formats():
    others = [
        {"guild": {"id": "1"}, "channel": {"id": "2", "categoryId": "3"}, "messages": []},
        {"room_name": "r", "messages": [{"type": "m.room.message"}]},
        {"metadata": {}, "chatInfo": {"type": "group"}, "messages": []},
        {"chatlab": {"version": "0.0.2"}, "meta": {"type": "group"}, "messages": []},
    ]
    for other in others:
        raw = json.dumps(other).encode()
        assert Telegram().sniff(raw, Memory("result.json", raw)) == 0.0


def test_lone_surrogates_do_not_stop_an_import():
    raw = json.dumps(chat(HI)).replace('"hi"', r'"a\ud83d"').encode()
    assert take(Telegram(), Memory("r.json", raw)).messages[0]["text"] == "a?"
