"""ConvoKit corpora: old and new keys, and the files beside the utterances."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from qunluo.archive.importers.convokit import ConvoKit
from tests.archive.sources_builder import Memory, Taken, take

HI = {
    "id": "u1",
    "speaker": "ann",
    "conversation_id": "c1",
    "reply_to": None,
    "timestamp": 1700000000,
    "text": "hi",
    "meta": {"score": 3, "kind": "whatever"},
}


def corpus(*lines: object) -> Memory:
    text = "".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines)
    return Memory("my-corpus/utterances.jsonl", text.encode())


def read(*lines: object) -> Taken:
    return take(ConvoKit(), corpus(*lines))


def test_a_corpus_is_a_group_and_a_conversation_a_thread():
    (found,) = read(HI).messages
    assert found["sent_at"] == datetime.fromtimestamp(1700000000, UTC)
    assert (found["platform"], found["group_id"]) == ("convokit", "my-corpus")
    assert (found["thread_id"], found["message_id"]) == ("c1", "u1")
    assert (found["sender_id"], found["text"], found["kind"]) == ("ann", "hi", "text")


def test_replies_are_written_in_two_ways():
    dash = {k: v for k, v in HI.items() if k != "reply_to"} | {"reply-to": "u0"}
    assert [m["reply_to"] for m in read(HI | {"reply_to": "u0"}, dash).messages] == ["u0", "u0"]


def test_old_corpora_say_user_and_root():
    old = {"id": "u1", "user": "ann", "root": "c1", "timestamp": "1700000000.5", "text": "x"}
    (found,) = read(old).messages
    assert (found["sender_id"], found["thread_id"]) == ("ann", "c1")
    assert found["sent_at"].microsecond == 500_000


def test_an_utterance_without_time_is_rejected():
    found = read(HI | {"timestamp": None}, "not json", HI, "")
    assert [r.line for r in found.rejects] == [1, 2]
    assert (len(found.messages), found.tally.blank) == (1, 1)


def test_the_files_beside_are_claimed_and_yield_nothing():
    for name in ("speakers.json", "conversations.json", "corpus.json", "index.json"):
        source = Memory(f"c/{name}", b'{"ann": {}}', {"c/utterances.jsonl": b"{}"})
        assert ConvoKit().sniff(source.content, source) > 0.5
        assert take(ConvoKit(), source).tally.lines == 0
    alone = Memory("c/speakers.json", b'{"ann": {}}')
    assert ConvoKit().sniff(alone.content, alone) == 0.0


def test_it_is_recognised_by_content():
    source = corpus(HI)
    assert ConvoKit().sniff(source.content, source) > 0.9
    table = b'{"time": 1, "sender": "a", "text": "x"}\n'
    assert ConvoKit().sniff(table, Memory("x.jsonl", table)) == 0.0
