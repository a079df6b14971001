"""What holds for every JSON importer: any damage is survived, each file has one owner."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.archive.importers import FORMATS, importer
from tests.archive.sources_builder import Memory, take

TS = "1736478630.905399"
DOCUMENTS: dict[str, object] = {
    "telegram": {
        "name": "G",
        "type": "private_supergroup",
        "id": 1,
        "messages": [
            {
                "id": 7,
                "type": "message",
                "date_unixtime": "1707786300",
                "from": "Ann",
                "from_id": "user12",
                "reply_to_message_id": 5,
                "text": ["hi ", {"type": "mention", "text": "@bob"}],
                "reactions": [{"type": "emoji", "count": 2, "emoji": "👍"}],
                "photo": "p.jpg",
                "file_size": 5,
            },
            {
                "id": 8,
                "type": "service",
                "date_unixtime": "1707786300",
                "actor": "Bob",
                "actor_id": "user9",
                "action": "invite_members",
                "members": ["Cy", None],
            },
        ],
    },
    "discord": {
        "guild": {"id": "5"},
        "channel": {"id": "2", "type": "GuildTextChat", "categoryId": "3", "name": "tea"},
        "messages": [
            {
                "id": "1",
                "type": "Reply",
                "timestamp": "2024-02-13T09:05:00.1+08:00",
                "content": "hi",
                "author": {"id": "9", "name": "ann", "isBot": False},
                "attachments": [{"fileName": "a.png", "fileSizeBytes": 5}],
                "reactions": [{"emoji": {"name": "x"}, "count": 1}],
                "mentions": [{"id": "8"}],
                "reference": {"type": "Default", "messageId": "0", "channelId": "2"},
            },
            {
                "id": "2",
                "type": "RecipientAdd",
                "timestamp": "2024-02-13T09:05:00Z",
                "mentions": [],
            }
            | {"author": {"id": "9", "name": "ann"}},
        ],
        "messageCount": 2,
    },
    "slack": [
        {
            "type": "message",
            "user": "U1",
            "text": "<@U2> hi",
            "ts": TS,
            "thread_ts": TS,
            "edited": {"user": "U1", "ts": TS},
            "reactions": [{"name": "x", "count": 1}],
            "files": [{"name": "a.png", "size": 5, "duration_ms": 3}],
        },
        {"type": "message", "subtype": "channel_join", "user": "U4", "ts": TS, "text": "x"},
    ],
    "chatlab": {
        "chatlab": {"version": "0.0.2", "exportedAt": 1},
        "meta": {"name": "G", "platform": "qq", "type": "group", "groupId": "1"},
        "members": [{"platformId": "a", "accountName": "A"}],
        "messages": [{"sender": "a", "timestamp": 1703001600, "type": 0, "content": "hi"}],
    },
    "convokit": {
        "id": "u1",
        "speaker": "ann",
        "conversation_id": "c1",
        "reply-to": None,
        "timestamp": 1700000000,
        "text": "hi",
        "meta": {
            "qunluo": 1,
            "group_id": "g",
            "mentions": ["a"],
            "media_bytes": 3,
            "platform": "p",
        },
    },
    "tabular": {
        "time": 1703001600,
        "sender": "a",
        "text": "hi",
        "reactions": [],
        "kind": "text",
    },
}
NAMES = {"slack": "tea/2025-01-10.json", "convokit": "c/utterances.jsonl"}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JUNK = (
    SCALARS
    | st.lists(SCALARS, max_size=3)
    | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)
)


def source(name: str, document: object) -> Memory:
    return Memory(NAMES.get(name, "x.json"), (json.dumps(document) + "\n").encode())


def places(document: object) -> list[tuple[object, object]]:
    """Every container and key in it, at any depth."""
    inner = document.items() if isinstance(document, dict) else ()
    inner = enumerate(document) if isinstance(document, list) else inner
    found: list[tuple[object, object]] = []
    for key, value in inner:
        found += [(document, key), *places(value)]
    return found


@settings(max_examples=150)
@given(st.sampled_from(sorted(DOCUMENTS)), st.data())
def test_any_value_anywhere_is_survived(name, data):
    document = copy.deepcopy(DOCUMENTS[name])
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(document)))
        container[key] = data.draw(JUNK)  # type: ignore[index]
    take(importer(name), source(name, document))


@settings(max_examples=60)
@given(st.sampled_from(sorted(DOCUMENTS)), st.data())
def test_a_file_cut_anywhere_is_survived(name, data):
    whole = source(name, DOCUMENTS[name])
    cut = data.draw(st.integers(1, len(whole.content) - 1))
    if name == "tabular" and cut < 30:
        return  # without its columns a table is refused in plain words
    take(importer(name), Memory(whole.name, whole.content[:cut]))


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_each_file_has_one_owner(name):
    whole = source(name, DOCUMENTS[name])
    sure = {n: importer(n).sniff(whole.content[: 1 << 16], whole) for n in sorted(FORMATS)}
    assert max(sure, key=lambda n: sure[n]) == name
    assert sorted(sure.values())[-1] > sorted(sure.values())[-2]


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_each_sample_is_read_whole(name):
    found = take(importer(name), source(name, DOCUMENTS[name]))
    assert found.messages
    assert found.rejects == []
