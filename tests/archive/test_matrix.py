"""Element's export of a Matrix room, with what events say of each other."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from qunluo.archive.importers import FORMATS
from qunluo.archive.importers.base import Options
from qunluo.archive.importers.matrix import Matrix
from tests.archive.sources_builder import Memory, Taken, take

AT = 1_700_000_000_000


def event(
    number: int, kind: str, content: dict[str, object], **more: object
) -> dict[str, object]:
    base: dict[str, object] = {
        "type": kind,
        "sender": "@ann:hs",
        "content": content,
        "origin_server_ts": AT + number * 1000,
        "event_id": f"${number}",
        "room_id": "!tea:hs",
    }
    return base | more


def said(number: int, body: str, **more: object) -> dict[str, object]:
    return event(number, "m.room.message", {"msgtype": "m.text", "body": body} | more)


def member(
    number: int, membership: str, who: str = "@bob:hs", **more: object
) -> dict[str, object]:
    return event(number, "m.room.member", {"membership": membership}, state_key=who, **more)


def room(*events: object) -> Memory:
    document = {
        "room_name": "Tea",
        "room_creator": "@ann:hs",
        "topic": "",
        "export_date": "21/11/2026",
        "exported_by": "@ann:hs",
        "messages": list(events),
    }
    return Memory("export.json", json.dumps(document).encode())


def kinds(taken: Taken) -> list[tuple[object, object]]:
    return [(e["kind"], e["raw_kind"]) for e in taken.events]


def test_a_message_has_its_ids_and_its_instant_in_milliseconds() -> None:
    message = take(Matrix(), room(said(1, "hi"))).messages[0]
    assert message["sent_at"] == datetime.fromtimestamp(AT / 1000 + 1, UTC)
    assert (message["group_id"], message["group_name"]) == ("!tea:hs", "Tea")
    assert (message["message_id"], message["sender_id"], message["text"]) == (
        "$1",
        "@ann:hs",
        "hi",
    )


@pytest.mark.parametrize(
    ("made", "kind", "raw_kind"),
    [
        (member(1, "join", sender="@bob:hs"), "join", "join"),
        (member(1, "leave", sender="@bob:hs"), "leave", "leave"),
        (member(1, "leave"), "remove", "kick"),
        (member(1, "ban"), "remove", "ban"),
        (member(1, "invite"), "invite", "invite"),
        (
            member(
                1,
                "leave",
                sender="@bob:hs",
                unsigned={"prev_content": {"membership": "invite"}},
            ),
            "notice",
            "declined",
        ),
        (
            member(1, "leave", unsigned={"prev_content": {"membership": "ban"}}),
            "notice",
            "unbanned",
        ),
        (
            member(
                1, "join", sender="@bob:hs", unsigned={"prev_content": {"membership": "join"}}
            ),
            "notice",
            "profile",
        ),
        (event(1, "m.room.topic", {"topic": "green"}, state_key=""), "notice", "m.room.topic"),
    ],
)
def test_memberships_are_told_from_what_was_before(
    made: dict[str, object], kind: str, raw_kind: str
) -> None:
    assert kinds(take(Matrix(), room(made))) == [(kind, raw_kind)]


def test_a_new_display_name_is_a_rename_and_shown_from_then_on() -> None:
    joined = member(1, "join", "@ann:hs")
    joined["content"] = {"membership": "join", "displayname": "Ann"}
    renamed = event(
        3,
        "m.room.member",
        {"membership": "join", "displayname": "Anna"},
        state_key="@ann:hs",
        unsigned={"prev_content": {"membership": "join", "displayname": "Ann"}},
    )
    taken = take(Matrix(), room(joined, said(2, "a"), renamed, said(4, "b")))
    assert [m["sender_name"] for m in taken.messages] == ["Ann", "Anna"]
    assert kinds(taken)[1] == ("rename", "displayname")
    assert (taken.events[1]["subject_name"], taken.events[1]["new_name"]) == ("Ann", "Anna")


def test_an_invitation_names_the_inviter() -> None:
    found = take(Matrix(), room(member(1, "invite"))).events[0]
    assert (found["subject_id"], found["inviter_id"]) == ("@bob:hs", "@ann:hs")


def test_the_reply_fallback_is_cut_off() -> None:
    relation = {"m.in_reply_to": {"event_id": "$1"}}
    body = "> <@bob:hs> asked\n> twice\n\nanswered\n> my own quote"
    message = take(Matrix(), room(said(2, body, **{"m.relates_to": relation}))).messages[0]
    assert (message["reply_to"], message["text"]) == ("$1", "answered\n> my own quote")
    assert take(Matrix(), room(said(2, "> quote"))).messages[0]["text"] == "> quote"


def test_a_thread_is_no_reply_unless_it_says_so() -> None:
    relation = {
        "rel_type": "m.thread",
        "event_id": "$1",
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": "$2"},
    }
    real = relation | {"is_falling_back": False}
    taken = take(
        Matrix(),
        room(
            said(3, "a", **{"m.relates_to": relation}), said(4, "b", **{"m.relates_to": real})
        ),
    )
    assert [(m["thread_id"], m["reply_to"]) for m in taken.messages] == [
        ("$1", None),
        ("$1", "$2"),
    ]


def edit(number: int, target: str, body: str, **more: object) -> dict[str, object]:
    content = {
        "msgtype": "m.text",
        "body": f"* {body}",
        "m.new_content": {"msgtype": "m.text", "body": body},
        "m.relates_to": {"rel_type": "m.replace", "event_id": target},
    }
    return event(number, "m.room.message", content, **more)


def test_edits_change_their_message_and_are_no_messages() -> None:
    taken = take(Matrix(), room(said(1, "tee"), edit(2, "$1", "te"), edit(3, "$1", "tea")))
    assert [m["text"] for m in taken.messages] == ["tea"]
    assert taken.messages[0]["edited_at"] == datetime.fromtimestamp(AT / 1000 + 3, UTC)
    assert taken.tally.continuation == 2


def test_only_the_sender_can_edit() -> None:
    taken = take(Matrix(), room(said(1, "tea"), edit(2, "$1", "coffee", sender="@eve:hs")))
    assert [m["text"] for m in taken.messages] == ["tea", "coffee"]


def test_an_edit_of_a_message_before_the_export_stays_a_message() -> None:
    assert take(Matrix(), room(edit(2, "$gone", "tea"))).messages[0]["text"] == "tea"


def test_reactions_are_counted_at_their_message() -> None:
    def reaction(number: int, key: str, **more: object) -> dict[str, object]:
        relation = {"rel_type": "m.annotation", "event_id": "$1", "key": key}
        return event(number, "m.reaction", {"m.relates_to": relation}, **more)

    taken = take(
        Matrix(),
        room(
            said(1, "tea?"),
            reaction(2, "👍"),
            reaction(3, "👍"),
            reaction(4, "🍵"),
            reaction(5, "🍵", unsigned={"redacted_because": {}}),
        ),
    )
    assert taken.messages[0]["reactions"] == [
        {"emoji": "👍", "count": 2},
        {"emoji": "🍵", "count": 1},
    ]
    assert (taken.tally.messages, taken.tally.continuation) == (1, 4)


def test_redacted_and_undecryptable_messages_stay_as_messages() -> None:
    taken = take(
        Matrix(),
        room(
            event(
                1, "m.room.message", {}, unsigned={"redacted_because": {"sender": "@ann:hs"}}
            ),
            said(2, "soon gone"),
            event(3, "m.room.redaction", {}, redacts="$2"),
            event(4, "m.room.encrypted", {"algorithm": "m.megolm.v1", "ciphertext": "x"}),
            event(
                5, "m.room.message", {"msgtype": "m.bad.encrypted", "body": "Unable to decrypt"}
            ),
        ),
    )
    assert [(m["kind"], m["revoked"], m["text"]) for m in taken.messages] == [
        ("recalled", True, None),
        ("recalled", True, None),
        ("other", None, None),
        ("other", None, None),
    ]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"msgtype": "m.emote", "body": "waves"}, "action"),
        ({"msgtype": "m.image", "body": "a.png"}, "image"),
        ({"msgtype": "m.audio", "body": "a.ogg", "org.matrix.msc3245.voice": {}}, "voice"),
        ({"msgtype": "m.audio", "body": "a.mp3"}, "music"),
        ({"msgtype": "org.example.new", "body": "?"}, "other"),
        ({}, "other"),
    ],
)
def test_kinds_follow_the_message_type(content: dict[str, object], kind: str) -> None:
    found = take(Matrix(), room(event(1, "m.room.message", content))).messages[0]
    assert found["kind"] == kind


def test_media_polls_and_mentions_are_read() -> None:
    info = {"mimetype": "video/mp4", "size": 9, "duration": 1500}
    question = {"m.poll.start": {"question": {"body": "Green?"}}}
    pill = '<a href="https://matrix.to/#/@bob:hs">Bob</a>'
    taken = take(
        Matrix(),
        room(
            event(1, "m.room.message", {"msgtype": "m.video", "body": "a.mp4", "info": info}),
            event(2, "m.poll.start", question),
            said(3, "Bob: hi", formatted_body=pill),
            said(4, "hi", **{"m.mentions": {"user_ids": ["@cy:hs"]}}),
        ),
    )
    video, poll, old, new = taken.messages
    assert (video["media_name"], video["media_bytes"], video["media_seconds"]) == (
        "a.mp4",
        9,
        1.5,
    )
    assert (poll["kind"], poll["text"]) == ("poll", "Green?")
    assert (old["mentions"], new["mentions"]) == (["@bob:hs"], ["@cy:hs"])


def test_an_event_without_time_or_sender_is_kept_as_a_reject() -> None:
    broken = said(1, "x") | {"origin_server_ts": 10**30}
    taken = take(Matrix(), room(broken, {"type": "m.room.message"}, "no event"))
    assert [r.line for r in taken.rejects] == [1, 2, 3]


def test_it_is_told_by_content() -> None:
    source = room(said(1, "hi"))
    assert Matrix().sniff(source.content, source) > 0.9
    for other in (b"{}", b"", b'{"name":"x","messages":[{"id":1,"type":"message"}]}', b"[]"):
        assert Matrix().sniff(other, source) == 0


def test_the_name_that_the_user_gives_wins() -> None:
    assert (
        take(Matrix(), room(said(1, "a")), Options(group="茶")).messages[0]["group_name"]
        == "茶"
    )


def test_it_is_registered() -> None:
    assert FORMATS["matrix"] == "Matrix"
