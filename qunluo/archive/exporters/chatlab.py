"""ChatLab exchange format 0.0.2, JSONL: a folder with one file for each group.

The format holds whole seconds and a small set of types; edits, reactions, mentions and threads
are lost, and membership events become its system messages, sentences a person reads.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.exporters.base import Batches, Written, conform
from qunluo.archive.schema import EVENTS, MESSAGES

VERSION = "0.0.2"
TYPE_OF_KIND = {
    "text": 0,
    "image": 1,
    "voice": 2,
    "video": 3,
    "file": 4,
    "sticker": 5,
    "gif": 5,
    "link": 7,
    "article": 7,
    "location": 8,
    "red_packet": 20,
    "transfer": 21,
    "poke": 22,
    "call": 23,
    "meeting": 23,
    "mini_program": 24,
    "music": 24,
    "channels_video": 24,
    "product": 24,
    "forward": 26,
    "contact": 27,
    "announcement": 80,
    "system": 80,
    "recalled": 81,
}
REPLY, SYSTEM, OTHER = 25, 80, 99
SENTENCES = {
    "join": "{name} 加入了群聊",
    "leave": "{name} 退出了群聊",
    "remove": "{name} 被移出群聊",
    "invite": "{name} 被邀请加入群聊",
    "rename": "{name} 改名为 {new_name}",
}

Row = dict[str, object]


def write(messages: Batches, events: Batches, to: Path) -> Written:
    """Write one JSONL file for each group into the folder `to`, which is made if needed.

    Each batch appends to the files of its groups, so that thousands of groups need no
    thousands of open files. Files of an earlier run are replaced; all appear at the end.
    """
    to.mkdir(parents=True, exist_ok=True)
    begun: set[Path] = set()
    counts = [0, 0]
    try:
        for batch in messages:
            counts[0] += _append(conform(batch, MESSAGES), to, begun)
        for batch in events:
            counts[1] += _append(conform(batch, EVENTS), to, begun)
        for part in sorted(begun):
            part.replace(part.with_suffix(""))
    finally:
        for part in begun:
            part.unlink(missing_ok=True)
    return Written(*counts)


def _append(table: pa.Table, to: Path, begun: set[Path]) -> int:
    for group in _groups(table):
        rows = group.to_pylist()
        path = to / (file_name(rows[0]) + ".part")
        fresh = path not in begun
        begun.add(path)
        with path.open("wb" if fresh else "ab") as file:
            if fresh:
                file.write(_line(_header(rows[0])))
            file.writelines(_line(_message(row)) for row in rows)
    return int(table.num_rows)


def _groups(table: pa.Table) -> Iterator[pa.Table]:
    """The rows of each group, instants as whole seconds."""
    at = table.column("sent_at" if "sent_at" in table.column_names else "at")
    seconds = pc.floor(pc.divide(at.cast(pa.int64()).cast(pa.float64()), 1e6)).cast(pa.int64())
    table = table.append_column("seconds", seconds)
    own = pc.binary_join_element_wise(
        table.column("platform"), table.column("group_id"), "\x1f"
    )
    for one in pc.unique(own).to_pylist():
        yield table.filter(pc.equal(own, one))


def file_name(row: Row) -> str:
    """A name any disk takes, unlike for unlike groups."""
    own = hashlib.sha256(f"{row['platform']}\x1f{row['group_id']}".encode()).hexdigest()[:12]
    name = re.sub(r"[^\w\-]+", "_", str(row["group_name"] or row["group_id"]))[:40].strip("_")
    return f"{name}-{own}.jsonl"


def _header(row: Row) -> Row:
    return {
        "_type": "header",
        # the format wants a time of export; that of the first row keeps equal rows equal files
        "chatlab": {"version": VERSION, "exportedAt": row["seconds"], "generator": "Qunluo"},
        "meta": {
            "name": row["group_name"] or row["group_id"],
            "platform": row["platform"],
            "type": "group",
            "groupId": row["group_id"],
        },
    }


def _message(row: Row) -> Row:
    if "sent_at" not in row:
        return _system(row)
    name = row["sender_name"] or row["sender_id"]
    found: Row = {
        "_type": "message",
        "sender": row["sender_id"],
        "accountName": name,
        "timestamp": row["seconds"],
        "type": _type(row),
        "content": row["text"],
        "platformMessageId": row["message_id"],
        "replyToMessageId": row["reply_to"],
    }
    return {key: v for key, v in found.items() if v is not None or key == "content"}


def _type(row: Row) -> int:
    kind = TYPE_OF_KIND.get(str(row["kind"]), OTHER)
    return REPLY if kind == 0 and row["reply_to"] is not None else kind


def _system(row: Row) -> Row:
    name = row["subject_name"] or row["subject_id"] or "?"
    sentence = SENTENCES.get(str(row["kind"]), "")
    return {
        "_type": "message",
        "sender": row["actor_id"] or row["subject_id"] or "system",
        "accountName": str(name),
        "timestamp": row["seconds"],
        "type": SYSTEM,
        "content": row["text"] or sentence.format(name=name, new_name=row["new_name"] or "?"),
    }


def _line(value: Row) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
