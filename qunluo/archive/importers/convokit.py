"""ConvoKit corpora: `utterances.jsonl` beside speakers, conversations, corpus and index.

A corpus is a group and a conversation a thread. Utterances that Qunluo wrote itself carry all
columns of the archive in `meta` (marked `"qunluo": 1`) and are read back whole. An utterance
without a timestamp can't be placed in time and is rejected.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa

from qunluo.archive.importers.base import Batch, Options, Rows, Source
from qunluo.archive.importers.json_records import NO_SENDER, NO_TIME
from qunluo.archive.importers.json_stream import NOT_JSON
from qunluo.archive.importers.json_values import (
    Json,
    count,
    epoch_micros,
    fields,
    number,
    objects,
    text,
    whole,
)
from qunluo.archive.importers.lines import TOO_LONG, first_lines, lines
from qunluo.archive.schema import MESSAGES
from qunluo.kit.text import Text

SIBLINGS = frozenset(
    {"speakers.json", "users.json", "conversations.json", "corpus.json", "index.json"}
)
UTTERANCES = "utterances.jsonl"
MARK = "qunluo"
KEPT_OUTSIDE_META = frozenset({"sent_at", "text"})


class ConvoKit:
    name = "convokit"
    label = Text("ConvoKit corpus", "ConvoKit 语料库")
    lacks: frozenset[str] = frozenset({"joins", "leaves", "roster"})

    def sniff(self, head: bytes, source: Source) -> float:
        if _is_sibling(source):
            return 0.9 if head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"{" else 0.0
        first = next(iter(first_lines(head, 1)), "")
        found = _object(first) or {}
        speaker = "speaker" in found or "user" in found
        talk = "conversation_id" in found or "root" in found
        return 0.95 if speaker and talk and {"id", "text"} <= found.keys() else 0.0

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        rows = Rows("convokit")
        if not _is_sibling(source):
            yield from _utterances(source, rows, options)
        yield rows.take()


def _is_sibling(source: Source) -> bool:
    name = source.name.rpartition("/")[2]
    return name in SIBLINGS and source.sibling(UTTERANCES) is not None


def _object(line: str) -> Json | None:
    try:
        found = json.loads(line, strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _utterances(source: Source, rows: Rows, options: Options) -> Iterator[Batch]:
    folder = source.name.rpartition("/")[0].rpartition("/")[2] or "corpus"
    group: Json = {"group_id": folder, "group_name": options.group or folder}
    with source.open() as raw:
        for line in lines(raw):
            rows.tally.lines += 1
            reason = TOO_LONG if line.flaw == TOO_LONG else _line(line.text, rows, group)
            if reason:
                rows.reject(line.number, reason, line.text)
            if rows.full():
                yield rows.take()


def _line(line: str, rows: Rows, group: Json) -> str | None:
    """Keep the utterance of a line; gives why not, where it can't be read."""
    if not line.strip():
        rows.tally.blank += 1
        return None
    found = _object(line)
    if found is None:
        return NOT_JSON
    at, speaker = epoch_micros(found.get("timestamp")), found.get("speaker", found.get("user"))
    sender = text(fields(speaker).get("id")) if isinstance(speaker, dict) else text(speaker)
    if at is None:
        return NO_TIME
    if sender is None:
        return NO_SENDER
    meta = fields(found.get("meta"))
    own = _own(meta) if MARK in meta else _foreign(found, sender, group)
    rows.platform = text(own.pop("platform", None)) or "convokit"
    rows.message(**{"sent_at": at, "zone_known": "utc", "text": text(found.get("text"))} | own)
    return None


def _foreign(found: Json, sender: str, group: Json) -> Json:
    return {
        **group,
        "message_id": text(found.get("id")),
        "thread_id": text(found.get("conversation_id", found.get("root"))),
        "reply_to": text(found.get("reply_to", found.get("reply-to"))),
        "sender_id": sender,
        "kind": "text",
    }


def _own(meta: Json) -> Json:
    """The columns that Qunluo's own exporter put into `meta`, each only if of its type."""
    names = [f for f in MESSAGES if f.name in meta and f.name not in KEPT_OUTSIDE_META]
    values = {f.name: _typed(meta[f.name], f.type) for f in names}
    required = {f.name: "unknown" for f in MESSAGES if not f.nullable and f.name != "sent_at"}
    return required | {name: v for name, v in values.items() if v is not None}


def _typed(value: object, kind: pa.DataType) -> object:
    if pa.types.is_timestamp(kind):
        return epoch_micros(value)
    if pa.types.is_integer(kind):
        return whole(value)
    if pa.types.is_floating(kind):
        return number(value)
    if pa.types.is_boolean(kind):
        return value if isinstance(value, bool) else None
    if pa.types.is_list(kind):
        return _listed(value, kind)
    return value if isinstance(value, str) else None


def _listed(value: object, kind: pa.DataType) -> object:
    if not isinstance(value, list):
        return None
    if pa.types.is_string(kind.value_type):
        return [text(v) for v in value]
    return [
        {"emoji": text(v.get("emoji")), "count": count(v.get("count"))} for v in objects(value)
    ]
