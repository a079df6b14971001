"""QQ by QQ Chat Exporter (QCE): one JSON file, or `manifest.json` with `chunks/*.jsonl`.

- What a message is stands in its elements: pictures are of type `text`.
- System messages come from the account “未知” and tell joins only in their text.
- A reply names the message it answers, unless the exporter could not find it (null, "0").
- A message without time gets the time of the export: such a one is set aside, when its
  sequence number shows that it is older.
- An account is its QQ number (uin), or where that is hidden its uid.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from qunluo.archive.importers.base import Batch, Options, Rows, Source
from qunluo.archive.importers.json_records import NO_SENDER, NO_TIME, Records
from qunluo.archive.importers.json_stream import NOT_JSON, JsonStream, outline
from qunluo.archive.importers.json_values import (
    Json,
    fields,
    iso_micros,
    number,
    objects,
    text,
    whole,
)
from qunluo.archive.importers.lines import TOO_LONG, first_lines, lines
from qunluo.archive.importers.named_people import NamedEvents, People
from qunluo.kit.text import Text

STAMPED_AT_EXPORT = "this message has no time of its own, only that of the export"
UNRESOLVED = frozenset({"", "0", "null", "undefined"})
EXPORT_TAKES = 600 * 1_000_000  # µs an export may run

ELEMENTS = {
    "image": "image", "pic": "image", "face": "text", "market_face": "sticker",
    "marketface": "sticker", "mface": "sticker", "bface": "sticker", "file": "file",
    "video": "video", "audio": "voice", "voice": "voice", "ptt": "voice", "record": "voice",
    "forward": "forward", "multi_forward": "forward", "multiforward": "forward",
    "location": "location", "json": "link", "ark": "link", "xml": "link", "share": "link",
    "music": "music", "contact": "contact", "poke": "poke", "shake": "poke",
    "red_packet": "red_packet", "wallet": "red_packet", "call": "call", "markdown": "text",
    "dice": "game", "rps": "game", "calendar": "calendar", "mini_program": "mini_program",
}  # fmt: skip
WRITTEN = frozenset({"text", "at", "face", "reply"})
TYPES = {
    "text": "text", "reply": "text", "file": "file", "video": "video", "audio": "voice",
    "voice": "voice", "image": "image", "forward": "forward", "json": "link",
    "location": "location", "market_face": "sticker", "sticker": "sticker",
}  # fmt: skip
LEGACY_TYPES = {1: "text", 2: "text", 3: "file", 4: "text", 5: "system", 6: "voice",
                7: "video", 8: "forward", 9: "text", 10: "red_packet", 11: "link"}  # fmt: skip


@dataclass
class Chat:
    """What the file says about its chat."""

    info: Json = field(default_factory=dict)
    exported_at: int | None = None

    def group(self, options: Options, source: Source) -> tuple[str, str | None]:
        """The id and the name of the group."""
        name = text(self.info.get("name"))
        keys = ("peerUid", "peerUin", "groupCode", "uin", "uid", "id")
        own = next((found for key in keys if (found := text(self.info.get(key)))), None)
        stem = source.name.rsplit("/", 1)[-1].partition(".")[0]
        return options.group or own or name or stem, options.group or name

    def own_account(self) -> str | None:
        return text(self.info.get("selfUin")) or text(self.info.get("selfUid"))


class QqExporter:
    name = "qq_json"
    label = Text("QQ by QQ Chat Exporter (JSON)", "QQ 聊天导出（QQ Chat Exporter JSON）")
    lacks: frozenset[str] = frozenset({"reactions", "edits", "roster", "threads"})

    def sniff(self, head: bytes, source: Source) -> float:
        """A file with `chatInfo`, its manifest, or lines with the fields of its messages."""
        found = outline(head)
        if "chatInfo" in found and ("metadata" in found or "messages" in found):
            return 0.97
        first = found.get("messages")
        if isinstance(first, list) and first and _is_message(first[0]):
            return 0.9
        return 0.9 if _first_record(head) else 0.0

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        """All messages of the file; of a manifest none, as its chunks are files of their own."""
        with source.open() as stream:
            head = stream.read(1 << 16)
        found = outline(head)
        if "chatInfo" in found or "messages" in found:
            yield from _document(source, options)
        else:
            yield from _chunk(source, options)


def _is_message(found: object) -> bool:
    given = fields(found)
    return (
        "sender" in given and "content" in given and ("timestamp" in given or "time" in given)
    )


def _first_record(head: bytes) -> bool:
    """Whether the first line is a message of a chunk."""
    try:
        return any(_is_message(json.loads(line)) for line in first_lines(head, 1))
    except (ValueError, RecursionError):
        return False


def _document(source: Source, options: Options) -> Iterator[Batch]:
    chat = _about(source)
    rows = Rows("qq")
    with source.open() as raw:
        stream = JsonStream(raw)
        records = Records(stream, rows)
        reader = _Reader(rows, chat, options, source)
        if _is_manifest(source):
            rows.tally.lines = rows.tally.header = 1
            yield rows.take()
            return
        for key in stream.each_key():
            if key == "messages":
                for found in records.of_array():
                    reason = reader.message(found)
                    if reason:
                        records.reject(reason, found)
                    if rows.full():
                        yield rows.take()
        records.finish()
    reader.events.release()
    yield rows.take()


def _is_manifest(source: Source) -> bool:
    with source.open() as stream:
        found = outline(stream.read(1 << 16))
    return "messages" not in found and ("chunked" in found or "chunks" in found)


def _about(source: Source | None) -> Chat:
    """The chat, by a walk over the keys of the document; usually it stands first."""
    chat = Chat()
    if source is None:
        return chat
    with source.open() as raw:
        stream = JsonStream(raw)
        for key in stream.each_key():
            if key == "chatInfo":
                chat.info = fields(stream.value())
            elif key == "metadata":
                chat.exported_at = _exported_at(fields(stream.value()))
            if key == "messages" and chat.info:
                break
    return chat


def _exported_at(metadata: Json) -> int | None:
    for key in ("exportTime", "exportedAt", "exportDate", "generatedAt", "timestamp"):
        value = metadata.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value * 1000 if value > 10**11 else value * 1_000_000
        found = iso_micros(value, Options().zone)
        if found:
            return found[0]
    return None


def _chunk(source: Source, options: Options) -> Iterator[Batch]:
    """One `chunks/c000001.jsonl`; what chat it is of stands in the manifest above it."""
    rows = Rows("qq")
    manifest = source.sibling("../manifest.json") or source.sibling("manifest.json")
    reader = _Reader(rows, _about(manifest), options, source)
    with source.open() as raw:
        for line in lines(raw):
            rows.tally.lines += 1
            if not line.text.strip():
                rows.tally.blank += 1
                continue
            reason = line.flaw if line.flaw == TOO_LONG else _of_line(line.text, reader)
            if reason:
                rows.reject(line.number, reason, line.text)
            if rows.full():
                yield rows.take()
    reader.events.release()
    yield rows.take()


def _of_line(line: str, reader: _Reader) -> str | None:
    try:
        found = json.loads(line, strict=False)
    except (ValueError, RecursionError):
        return NOT_JSON
    return reader.message(found) if isinstance(found, dict) else NOT_JSON


class _Reader:
    def __init__(self, rows: Rows, chat: Chat, options: Options, source: Source) -> None:
        self.rows, self.chat, self.options = rows, chat, options
        self.group_id, self.group_name = chat.group(options, source)
        self.people = People()
        self.people.own_id = chat.own_account()
        self.events = NamedEvents(rows, self.people)
        self.by_uid: dict[str, str] = {}
        self.last_seq = 0

    def message(self, found: Json) -> str | None:
        """Take in one record; why not, if not."""
        at, zone = self._time(found)
        if at is None:
            return NO_TIME
        if self._stamped_at_export(found, at):
            return STAMPED_AT_EXPORT
        content = _content(found)
        common: Json = {
            "group_id": self.group_id,
            "group_name": self.group_name,
            "zone_known": zone,
        }
        if _is_system(found, content):
            own = {**common, "at": at, "event_id": text(found.get("id"))}
            self.events.add(content.text or "", own)
            return None
        sender = self._account(fields(found.get("sender")))
        if sender is None:
            return NO_SENDER
        self.rows.message(**common, sent_at=at, sender_id=sender, **self._sent(found, content))
        return None

    def _time(self, found: Json) -> tuple[int | None, str]:
        """Milliseconds, or seconds in older files, or the written time."""
        stamp = found.get("timestamp")
        epoch = whole(stamp)
        if epoch is None:
            local = iso_micros(stamp or found.get("time"), self.options.zone)
            return (local[0], "offset" if local[1] else "assumed") if local else (None, "")
        if not 0 < epoch < 10**14:
            return None, ""
        return (epoch * 1000 if epoch > 10**11 else epoch * 1_000_000), "utc"

    def _stamped_at_export(self, found: Json, at: int) -> bool:
        raw = fields(found.get("rawMessage"))
        if "msgTime" in raw and whole(raw["msgTime"]) in (0, None):
            return True
        seq = whole(found.get("seq")) or 0
        older, self.last_seq = 0 < seq < self.last_seq, max(seq, self.last_seq)
        exported = self.chat.exported_at
        return older and exported is not None and abs(exported - at) < EXPORT_TAKES

    def _account(self, sender: Json) -> str | None:
        uid, uin = text(sender.get("uid")), text(sender.get("uin"))
        own = uin if uin and uin not in UNRESOLVED else uid
        if own is None:
            return None
        if uid:
            self.by_uid[uid] = own
        names = (text(sender.get(key)) for key in ("groupCard", "name", "nickname", "remark"))
        self.people.seen(own, *names)
        return own

    def _sent(self, found: Json, content: Content) -> Json:
        sender = fields(found.get("sender"))
        kind, media = _kind(found, content)
        raw_kind = found.get("type", found.get("messageType"))
        return {
            "message_id": text(found.get("id")) or text(found.get("messageId")),
            "sender_name": text(sender.get("groupCard")) or text(sender.get("name")),
            "role": "bot" if sender.get("isBot") or sender.get("isRobot") else None,
            "kind": kind,
            "raw_kind": None if raw_kind is None else str(raw_kind),
            "text": content.text,
            "reply_to": _reply_to(content),
            "mentions": self._mentions(content),
            "revoked": bool(found.get("recalled") or found.get("isRecalled")),
            "forwarded": kind == "forward" or None,
            **media,
        }

    def _mentions(self, content: Content) -> list[str] | None:
        """Accounts called, once each, in order."""
        called = [self._called(one) for one in (*content.data_of("at"), *content.mentions)]
        return list(dict.fromkeys(one for one in called if one)) or None

    def _called(self, one: Json) -> str | None:
        uin, uid = text(one.get("uin")), text(one.get("uid"))
        if uin and uin not in UNRESOLVED:
            return uin
        return self.by_uid.get(uid, uid) if uid and uid not in UNRESOLVED else None


# the content of one message


@dataclass(frozen=True)
class Content:
    """What was sent: its text, and the elements it is made of."""

    text: str | None
    elements: list[Json]
    kinds: set[str]  # of the elements, as the exporter names them
    mentions: list[Json]
    reply: Json

    def data_of(self, kind: str) -> list[Json]:
        """The data of all elements of one kind."""
        if kind not in self.kinds:
            return []
        return [fields(e.get("data")) for e in self.elements if e.get("type") == kind]


def _content(found: Json) -> Content:
    given = found.get("content")
    if not isinstance(given, dict):
        return Content(text(given), [], set(), [], {})
    elements = objects(given.get("elements"))
    said = text(given.get("text")) or text(given.get("raw"))
    if said is None:
        said = "".join(part for e in elements if (part := _element_text(e))) or None
    kinds = {str(e.get("type")) for e in elements}
    mentions = objects(given.get("mentions"))
    return Content(said, elements, kinds, mentions, fields(given.get("reply")))


def _element_text(element: Json) -> str | None:
    data = fields(element.get("data"))
    return text(data.get("text")) or text(data.get("content")) or text(data.get("summary"))


def _is_system(found: Json, content: Content) -> bool:
    if found.get("system") or found.get("isSystemMessage") or found.get("type") == "system":
        return True
    return content.kinds == {"system"}


def _reply_to(content: Content) -> str | None:
    """The message answered, where the exporter found it."""
    for data in (*content.data_of("reply"), content.reply):
        for key in ("referencedMessageId", "messageId", "replyMessageId"):
            own = text(data.get(key))
            if own and own not in UNRESOLVED:
                return own
    return None


def _kind(found: Json, content: Content) -> tuple[str, Json]:
    """The kind of a message by its elements, and the facts of its first medium."""
    if content.kinds <= WRITTEN:
        if found.get("recalled") and not content.text:
            return "recalled", {}
        return _kind_of_type(found, content), {}
    media = [
        e for e in content.elements if ELEMENTS.get(str(e.get("type"))) not in (None, "text")
    ]
    if not media:
        return _kind_of_type(found, content), {}
    kinds = [_element_kind(e) for e in media]
    facts = _media(fields(media[0].get("data")))
    if len(set(kinds)) > 1:
        return "mixed", facts
    written = any((text(data.get("text")) or "").strip() for data in content.data_of("text"))
    return ("mixed" if written and kinds[0] in ("image", "sticker") else kinds[0]), facts


def _element_kind(element: Json) -> str:
    kind = ELEMENTS.get(str(element.get("type")), "other")
    return "mini_program" if kind == "link" and "miniapp" in json.dumps(element) else kind


def _kind_of_type(found: Json, content: Content) -> str:
    """Only written elements, or none: then the type of the message decides."""
    if content.kinds & WRITTEN and found.get("type", "text") in ("text", "reply"):
        return "text"
    legacy = found.get("messageType")
    if "type" not in found and isinstance(legacy, int):
        return LEGACY_TYPES.get(legacy, "other")
    return TYPES.get(str(found.get("type")), "other")


def _media(data: Json) -> Json:
    return {
        "media_name": text(data.get("filename")) or text(data.get("name")),
        "media_type": text(data.get("mimeType")),
        "media_bytes": whole(data.get("size")),
        "media_seconds": number(data.get("duration")),
    }
