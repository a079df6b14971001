"""ChatLab exchange format 0.0.1 and 0.0.2, as JSON and as JSONL.

It carries no join events, edits, reactions or mentions, and its ids have lost the prefixes
some platforms need to tell users from channels. Owner and admin of its member list are offices
in the group, not the company's staff, so they set no role.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from qunluo.archive.importers.base import Batch, Options, Rows, Source
from qunluo.archive.importers.json_records import NO_SENDER, NO_TIME, Records
from qunluo.archive.importers.json_stream import NOT_JSON, JsonStream, outline
from qunluo.archive.importers.json_values import Json, epoch_micros, fields, text, whole
from qunluo.archive.importers.lines import TOO_LONG, first_lines, lines
from qunluo.kit.text import Text

KIND_OF_TYPE = {
    0: "text",
    1: "image",
    2: "voice",
    3: "video",
    4: "file",
    5: "sticker",
    7: "link",
    8: "location",
    20: "red_packet",
    21: "transfer",
    22: "poke",
    23: "call",
    24: "link",  # a share: music, a mini program; which is not said
    25: "text",  # a reply
    26: "forward",
    27: "contact",
    81: "recalled",
    99: "other",
}
SYSTEM = 80


class ChatLab:
    name = "chatlab"
    label = Text("ChatLab exchange format", "ChatLab 交换格式")
    lacks: frozenset[str] = frozenset(
        {"joins", "leaves", "edits", "reactions", "mentions", "roster", "threads"}
    )

    def sniff(self, head: bytes, source: Source) -> float:
        if _is_lines(head):
            return 0.97
        found = outline(head)
        version = text(fields(found.get("chatlab")).get("version"))
        return 0.97 if version and ("meta" in found or "messages" in found) else 0.0

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        with source.open() as raw:
            head = raw.read(1 << 16)
        reader = _Lines if _is_lines(head) else _Document
        yield from reader(source, options).read()


def _is_lines(head: bytes) -> bool:
    """Whether the first line that is no comment is a `header` line."""
    for line in first_lines(head, 50):
        if line.strip() and not line.lstrip().startswith("#"):
            found = _object(line)
            return bool(found and found.get("_type") == "header" and "chatlab" in found)
    return False


def _object(line: str) -> Json | None:
    try:
        found = json.loads(line, strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


class _Rows:
    """Rows of one conversation, whose platform and group its header names."""

    def __init__(self, source: Source, options: Options) -> None:
        self.source, self.options = source, options
        self.rows = Rows("unknown")
        self.group: Json = {}
        self.names: dict[str, str] = {}
        self.fill({})

    def fill(self, meta: Json) -> None:
        self.rows.platform = (text(meta.get("platform")) or "unknown").lower()
        name = self.options.group or text(meta.get("name"))
        own = text(meta.get("groupId")) or f"name:{text(meta.get('name')) or self.source.name}"
        self.group = {"group_id": own, "group_name": name}

    def member(self, found: Json) -> None:
        name = text(found.get("groupNickname")) or text(found.get("accountName"))
        own = text(found.get("platformId"))
        if own and name:
            self.names[own] = name

    def message(self, found: Json) -> str | None:
        """Keep one message; gives why not, where it can't be read."""
        at, sender = epoch_micros(found.get("timestamp")), text(found.get("sender"))
        if at is None:
            return NO_TIME
        kind = whole(found.get("type"))
        if kind == SYSTEM:
            self.rows.event(
                same_line=False, **self.group, at=at, zone_known="utc", **_notice(found, sender)
            )
        elif sender is None:
            return NO_SENDER
        else:
            self.rows.message(
                **self.group,
                sent_at=at,
                zone_known="utc",
                sender_id=sender,
                sender_name=_shown(found) or self.names.get(sender),
                **_content(found, kind),
            )
        return None


def _notice(found: Json, sender: str | None) -> Json:
    return {
        "kind": "notice",
        "raw_kind": str(SYSTEM),
        "event_id": text(found.get("platformMessageId")),
        "actor_id": sender,
        "text": text(found.get("content")),
    }


def _shown(found: Json) -> str | None:
    return text(found.get("groupNickname")) or text(found.get("accountName"))


def _content(found: Json, kind: int | None) -> Json:
    name = KIND_OF_TYPE.get(99 if kind is None else kind, "other")
    return {
        "message_id": text(found.get("platformMessageId")),
        "reply_to": text(found.get("replyToMessageId")),
        "kind": name,
        "raw_kind": None if kind is None else str(kind),
        "text": text(found.get("content")),
        "revoked": True if name == "recalled" else None,
    }


class _Document(_Rows):
    """The JSON form: one object with `chatlab`, `meta`, `members`, `messages`."""

    def read(self) -> Iterator[Batch]:
        with self.source.open() as raw:
            records = Records(JsonStream(raw), self.rows)
            for key in records.stream.each_key():
                yield from self._part(key, records)
            records.finish()
        yield self.rows.take()

    def _part(self, key: str, records: Records) -> Iterator[Batch]:
        if key == "meta":
            self.fill(fields(records.stream.value()))
        elif key == "members":
            for found in records.stream.records():
                self.member(found if isinstance(found, dict) else {})
        elif key == "messages":
            for found in records.of_array():
                reason = self.message(found)
                if reason:
                    records.reject(reason, found)
                if self.rows.full():
                    yield self.rows.take()


class _Lines(_Rows):
    """The JSONL form: lines with `_type`, comments by `#`; a broken line costs only itself."""

    def read(self) -> Iterator[Batch]:
        with self.source.open() as raw:
            for line in lines(raw):
                self.rows.tally.lines += 1
                reason = TOO_LONG if line.flaw == TOO_LONG else self._line(line.text)
                if reason:
                    self.rows.reject(line.number, reason, line.text)
                if self.rows.full():
                    yield self.rows.take()
        yield self.rows.take()

    def _line(self, line: str) -> str | None:
        if not line.strip():
            self.rows.tally.blank += 1
            return None
        if line.lstrip().startswith("#"):
            self.rows.tally.header += 1
            return None
        found = _object(line)
        if found is None:
            return NOT_JSON
        return self._typed(found)

    def _typed(self, found: Json) -> str | None:
        kind = found.get("_type")
        if kind == "message":
            return self.message(found)
        if kind == "header":
            self.fill(fields(found.get("meta")))
        elif kind == "member":
            self.member(found)
        else:
            return "the line is neither header, member nor message"
        self.rows.tally.header += 1
        return None
