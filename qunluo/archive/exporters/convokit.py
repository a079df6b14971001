"""A ConvoKit corpus: a folder with utterances, speakers, conversations, corpus and index.

Utterance ids are `platform:group/message`, unique in the corpus. Every column of the archive
is kept in `meta`, so that the importer reads the corpus back whole. A conversation is a thread,
or else the whole group. ConvoKit has no place for membership events: they are left out. Memory
grows with speakers and conversations, not with utterances.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from qunluo.archive.exporters.base import Batches, Written, conform, whole_file
from qunluo.archive.schema import MESSAGES

MARK = "qunluo"
OUTSIDE_META = ("sent_at", "text")
META_TYPES = {"list": "<class 'list'>", "bool": "<class 'bool'>", "double": "<class 'float'>"}

Row = dict[str, object]


@dataclass
class _Corpus:
    speakers: dict[str, Row] = field(default_factory=dict)
    conversations: dict[str, Row] = field(default_factory=dict)
    written: int = 0


def write(messages: Batches, events: Batches, to: Path) -> Written:
    """Write the corpus into the folder `to`, which is made if needed."""
    to.mkdir(parents=True, exist_ok=True)
    corpus = _Corpus()
    with whole_file(to / "utterances.jsonl") as file:
        for batch in messages:
            for row in _plain(batch).to_pylist():
                file.write(_line(_utterance(row, corpus)))
    _siblings(corpus, to)
    return Written(corpus.written, 0, sum(batch.num_rows for batch in events))


def _plain(batch: pa.RecordBatch) -> pa.Table:
    """Instants as microseconds, which JSON can hold exactly."""
    table = conform(batch, MESSAGES)
    kinds = [pa.int64() if pa.types.is_timestamp(f.type) else f.type for f in MESSAGES]
    columns = [c.cast(k) for c, k in zip(table.columns, kinds, strict=True)]
    return pa.table(columns, names=MESSAGES.names)


def _utterance(row: Row, corpus: _Corpus) -> Row:
    place = f"{row['platform']}:{row['group_id']}"
    corpus.written += 1
    own = row["message_id"]
    speaker = f"{row['platform']}:{row['sender_id']}"
    talk = f"{place}/{row['thread_id']}" if row["thread_id"] is not None else place
    corpus.speakers[speaker] = {"name": row["sender_name"], "role": row["role"]}
    corpus.conversations.setdefault(talk, {"group_name": row["group_name"]})
    return {
        "id": f"{place}/{own}" if own is not None else f"{place}/#{corpus.written}",
        "conversation_id": talk,
        "text": row["text"] or "",
        "speaker": speaker,
        "meta": _meta(row),
        "reply-to": f"{place}/{row['reply_to']}" if row["reply_to"] is not None else None,
        "timestamp": _seconds(row["sent_at"]),
        "vectors": [],
    }


def _meta(row: Row) -> Row:
    meta: Row = {MARK: 1}
    for column in MESSAGES:
        value = row[column.name]
        if value is not None and column.name not in OUTSIDE_META:
            instant = pa.types.is_timestamp(column.type)
            meta[column.name] = _seconds(value) if instant else value
    return meta


def _seconds(micros: object) -> object:
    """Epoch seconds: whole where they are, else with the fraction a double holds exactly."""
    if not isinstance(micros, int):
        return None
    return micros // 1_000_000 if micros % 1_000_000 == 0 else micros / 1_000_000


def _siblings(corpus: _Corpus, to: Path) -> None:
    _json(to / "speakers.json", _components(corpus.speakers))
    _json(to / "conversations.json", _components(corpus.conversations))
    _json(to / "corpus.json", {"generator": MARK})
    _json(to / "index.json", _index())


def _components(found: dict[str, Row]) -> Row:
    return {own: {"meta": meta, "vectors": []} for own, meta in sorted(found.items())}


def _index() -> Row:
    text = ["<class 'str'>"]
    inside = {f.name: [_python_type(f.type)] for f in MESSAGES if f.name not in OUTSIDE_META}
    return {
        "utterances-index": {MARK: ["<class 'int'>"], **inside},
        "speakers-index": {"name": text, "role": text},
        "conversations-index": {"group_name": text},
        "overall-index": {"generator": text},
        "version": 1,
        "vectors": [],
    }


def _python_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return META_TYPES["list"]
    if pa.types.is_timestamp(kind):
        return META_TYPES["double"]
    if pa.types.is_integer(kind):
        return "<class 'int'>"
    return META_TYPES.get(str(kind), "<class 'str'>")


def _json(to: Path, value: Row) -> None:
    with whole_file(to) as file:
        file.write(_line(value))


def _line(value: Row) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
