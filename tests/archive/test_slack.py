"""Slack exports: their traps, each with a tiny folder in memory."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from qunluo.archive.importers.slack import HIDDEN, Slack
from tests.archive.sources_builder import Memory, Taken, take

USERS = [
    {"id": "U1", "team_id": "T", "name": "ann", "profile": {"display_name": "Ann"}},
    {
        "id": "U2",
        "team_id": "T",
        "name": "bob",
        "profile": {"display_name": "", "real_name": "Bob"},
    },
    {"id": "U9", "team_id": "T", "name": "helper", "is_bot": True, "profile": {}},
]
CHANNELS = [{"id": "C1", "name": "tea", "created": 1, "creator": "U1", "members": ["U1"]}]
DMS = [{"id": "D1", "created": 1, "members": ["U1", "U2"]}]
TS = "1736478630.905399"
HI = {"type": "message", "user": "U1", "text": "hi", "ts": TS}


def day(*records: dict, folder: str = "tea", **lists: object) -> Memory:
    beside = {"users": USERS, "channels": CHANNELS, "dms": DMS} | lists
    others = {f"{n}.json": json.dumps(v).encode() for n, v in beside.items() if v is not None}
    return Memory(f"{folder}/2025-01-10.json", json.dumps(records).encode(), others)


def read(*records: dict, folder: str = "tea", **lists: object) -> Taken:
    return take(Slack(), day(*records, folder=folder, **lists))


def test_it_reads_a_message():
    (found,) = read(HI).messages
    assert found["sent_at"] == datetime(2025, 1, 10, 3, 10, 30, 905_399, tzinfo=UTC)
    assert (found["group_id"], found["group_name"]) == ("C1", "tea")
    assert (found["sender_id"], found["sender_name"], found["text"]) == ("U1", "Ann", "hi")
    assert found["zone_known"] == "utc"


def test_ts_is_a_string_and_the_id_and_never_a_float():
    ts = "1736478630.905390"
    (found,) = read(HI | {"ts": ts}).messages
    assert found["message_id"] == ts
    assert found["sent_at"].microsecond == 905_390


def test_a_childs_thread_is_what_it_answers_and_the_root_answers_nobody():
    root = HI | {"thread_ts": TS, "reply_count": 1, "replies": [{"user": "U2", "ts": "2"}]}
    child = HI | {"ts": "1736999999.000100", "thread_ts": TS, "user": "U2"}
    shown = child | {"ts": "1736999999.000200", "subtype": "thread_broadcast"}
    found = read(root, child, shown).messages
    assert [m["reply_to"] for m in found] == [None, TS, TS]
    assert {m["thread_id"] for m in found} == {TS}


def test_a_folders_name_is_looked_up_in_channels():
    assert read(HI, channels=None, users=None).messages[0]["group_id"] == "tea"
    renamed = [CHANNELS[0] | {"name": "coffee"}]
    assert read(HI, folder="coffee", channels=renamed).messages[0]["group_id"] == "C1"


def test_direct_messages_lie_in_folders_named_by_id():
    (found,) = read(HI, folder="D1").messages
    assert (found["group_id"], found["group_name"]) == ("D1", "Ann, Bob")


def test_joins_and_leaves_are_events():
    found = read(
        {"type": "message", "subtype": "channel_join", "user": "U2", "ts": TS, "inviter": "U1"},
        {"type": "message", "subtype": "channel_leave", "user": "U2", "ts": TS},
    ).events
    assert [(e["kind"], e["subject_id"]) for e in found] == [("join", "U2"), ("leave", "U2")]
    assert (found[0]["inviter_id"], found[0]["subject_name"]) == ("U1", "Bob")


def test_a_topic_is_a_notice():
    (found,) = read(HI | {"subtype": "channel_topic", "text": "<@U2> set it"}).events
    assert (found["kind"], found["raw_kind"], found["text"]) == (
        "notice",
        "channel_topic",
        "@Bob set it",
    )


def test_a_bot_message_may_lack_its_user():
    bot = {"type": "message", "subtype": "bot_message", "ts": TS, "text": "beep"}
    found = read(
        bot | {"bot_id": "B1", "username": "Robo"}, bot | {"username": "Robo"}, bot
    ).messages
    assert [m["sender_id"] for m in found] == ["B1", "bot:Robo", "unknown"]
    assert [m["role"] for m in found] == ["bot", "bot", "bot"]


def test_bots_are_known_from_the_user_list():
    assert read(HI | {"user": "U9"}).messages[0]["role"] == "bot"


def test_a_tombstone_is_a_message_taken_back():
    (found,) = read(HI | {"subtype": "tombstone", "user": "USLACKBOT"}).messages
    assert (found["kind"], found["revoked"], found["role"]) == ("recalled", True, "system")


def test_comments_and_canvases_and_actions_are_messages():
    found = read(
        {"type": "message", "subtype": "file_comment", "ts": TS}
        | {"comment": {"user": "U2", "comment": "nice"}},
        HI | {"subtype": "document_comment_root"},
        HI | {"subtype": "me_message"},
    ).messages
    assert [m["kind"] for m in found] == ["text", "document", "action"]
    assert (found[0]["sender_id"], found[0]["text"]) == ("U2", "nice")


def test_markup_becomes_what_people_see():
    said = "<@U2> &lt;b&gt; &amp;amp; <https://x.y|site> <#C1|tea> <!here> <https://z>"
    (found,) = read(HI | {"text": said}).messages
    assert found["text"] == "@Bob <b> &amp; site (https://x.y) #tea @here https://z"
    assert found["mentions"] == ["U2"]


def test_edits_and_reactions_are_kept():
    marks = {
        "edited": {"user": "U1", "ts": "1736478640.000000"},
        "reactions": [{"name": "tea", "users": ["U1", "U2"], "count": 2}],
    }
    (found,) = read(HI | marks).messages
    assert found["edited_at"] == datetime(2025, 1, 10, 3, 10, 40, tzinfo=UTC)
    assert found["reactions"] == [{"emoji": "tea", "count": 2}]


def test_files_give_kind_and_facts():
    file = {"name": "a.png", "mimetype": "image/png", "size": 5}
    (found,) = read(HI | {"files": [file]}).messages
    assert (found["kind"], found["media_name"], found["media_bytes"]) == ("image", "a.png", 5)


def test_what_the_free_plan_hides_is_said_once():
    hidden = HI | {"files": [{"id": "F1", "mode": "hidden_by_limit"}]}
    assert read(hidden, hidden).warnings == [HIDDEN("en")]


@pytest.mark.parametrize("name", ["users", "channels", "integration_logs", "dms", "canvases"])
def test_the_lists_are_claimed_quietly_and_yield_nothing(name):
    lists = {"integration_logs": [{"user_id": "U1", "change_type": "added", "date": "1"}]}
    content = {"users": USERS, "channels": CHANNELS, "dms": DMS} | lists
    raw = json.dumps(content.get(name, [])).encode()
    source = Memory(f"{name}.json", raw, day(HI).others)
    assert Slack().sniff(raw, source) >= 0.6
    found = take(Slack(), source)
    assert (found.tally.lines, found.messages, found.rejects) == (0, [], [])


def test_grid_exports_have_org_users():
    lists = {"users": None, "org_users": USERS}
    assert read(HI, **lists).messages[0]["sender_name"] == "Ann"


def test_another_export_does_not_inherit_names():
    slack = Slack()
    take(slack, day(HI))
    others = [USERS[0] | {"profile": {"display_name": "Other"}}]
    (found,) = take(slack, day(HI, users=others)).messages
    assert found["sender_name"] == "Other"


def test_a_record_without_ts_is_rejected():
    found = read({"type": "message", "text": "?"}, HI)
    assert ([r.line for r in found.rejects], len(found.messages)) == ([1], 1)


def test_it_is_recognised_by_content():
    source = day(HI)
    assert Slack().sniff(source.content, source) > 0.9
    cut = day(*[HI] * 9).content[:300]
    assert Slack().sniff(cut, source) > 0.9
    other = b'[{"id":1,"msgtype":"text"}]'
    assert Slack().sniff(other, Memory("a/2025-01-10.json", other)) == 0.0
    assert Slack().sniff(b"[]", Memory("a/2025-01-10.json", b"[]")) == 0.0
