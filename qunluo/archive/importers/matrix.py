"""Element's JSON export of a Matrix room.

Reactions, edits and redactions are events of their own that name another event. A first pass
collects them (memory grows with these, not with the messages), the second attaches them; their
records count as `continuation`. Undecryptable messages stay as messages without text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from qunluo.archive.importers.base import Batch, Options, Rows, Source
from qunluo.archive.importers.json_records import NO_SENDER, NO_TIME, Records
from qunluo.archive.importers.json_stream import Broken, JsonStream, outline
from qunluo.archive.importers.json_values import Json, fields, objects, text, whole
from qunluo.archive.importers.matrix_events import MEMBERSHIP, change
from qunluo.kit.text import Text

KINDS = {
    "m.text": "text", "m.notice": "text", "m.emote": "action", "m.image": "image",
    "m.video": "video", "m.audio": "music", "m.file": "file", "m.location": "location",
    "m.sticker": "sticker", "m.bad.encrypted": "other", "m.room.encrypted": "other",
    "m.call.invite": "call", "m.key.verification.request": "system",
}  # fmt: skip
POLLS = ("m.poll.start", "org.matrix.msc3381.poll.start")
MESSAGES = frozenset(
    {"m.room.message", "m.room.encrypted", "m.sticker", "m.call.invite", *POLLS}
)
ATTACHED = frozenset(
    {"m.reaction", "m.room.redaction", "m.poll.response", "org.matrix.msc3381.poll.response"}
    | {"m.poll.end", "org.matrix.msc3381.poll.end", "m.call.answer", "m.call.hangup"}
    | {"m.call.candidates", "m.call.select_answer", "m.call.negotiate", "m.call.reject"}
)
_PILL = re.compile(r'href="https://matrix\.to/#/(?:@|%40)([^"?]+)"')
_YEARS = range(0, 253_402_300_800_000)


@dataclass(frozen=True)
class Edit:
    """The newest words of a message."""

    at: int
    content: Json


@dataclass
class Attached:
    """What later events say of earlier ones, by the earlier event's id."""

    reactions: dict[str, Counter[str]] = field(default_factory=dict)
    edits: dict[tuple[str, str], Edit] = field(default_factory=dict)  # and its sender
    redacted: set[str] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)  # edits that found their message

    def note(self, event: Json) -> None:
        """Remembers a reaction, an edit or a redaction."""
        content = fields(event.get("content"))
        relation = fields(content.get("m.relates_to"))
        target = text(relation.get("event_id"))
        if event.get("type") == "m.room.redaction":
            redacted = text(event.get("redacts")) or text(content.get("redacts"))
            self.redacted.add(redacted or "")
        elif target and event.get("type") == "m.reaction" and not _is_redacted(event):
            self.reactions.setdefault(target, Counter())[text(relation.get("key")) or "?"] += 1
        elif target and relation.get("rel_type") == "m.replace":
            self._note_edit((target, text(event.get("sender")) or ""), event, content)

    def _note_edit(self, key: tuple[str, str], event: Json, content: Json) -> None:
        at, before = _at(event), self.edits.get(key)
        if at is not None and (before is None or before.at <= at):
            self.edits[key] = Edit(at, fields(content.get("m.new_content")))

    def reactions_to(self, event_id: str) -> list[Json] | None:
        """Emoji and counts, most used first."""
        found = self.reactions.get(event_id)
        if not found:
            return None
        ranked = sorted(found.items(), key=lambda one: (-one[1], one[0]))
        return [{"emoji": emoji, "count": count} for emoji, count in ranked]


class Matrix:
    name = "matrix"
    label = Text("Matrix room (Element JSON export)", "Matrix 房间（Element JSON 导出）")
    lacks: frozenset[str] = frozenset({"roster"})

    def sniff(self, head: bytes, source: Source) -> float:
        found = outline(head)
        events = objects(found.get("messages"))
        typed = all("type" in event and "origin_server_ts" in event for event in events)
        if "room_name" in found and "exported_by" in found and typed:
            return 0.95
        return 0.8 if events and typed and all("event_id" in event for event in events) else 0.0

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        rows, attached = Rows("matrix"), Attached()
        with source.open() as raw:
            for event in _events(JsonStream(raw)):
                attached.note(event)
        with source.open() as raw:
            records = Records(JsonStream(raw), rows)
            room = Room(options.group, attached)
            for key in records.stream.each_key():
                if key == "room_name" and records.stream.at() == '"':
                    room.name = room.name or text(records.stream.value())
                elif key == "messages" and records.stream.at() == "[":
                    yield from _history(records, rows, room)
            records.finish()
        yield rows.take()


def _events(stream: JsonStream) -> Iterator[Json]:
    for key in stream.each_key():
        if key == "messages" and stream.at() == "[":
            for record in stream.records():
                if not isinstance(record, Broken):
                    yield record


def _history(records: Records, rows: Rows, room: Room) -> Iterator[Batch]:
    for event in records.of_array():
        at, sender = _at(event), text(event.get("sender"))
        if at is None or sender is None:
            records.reject(NO_TIME if at is None else NO_SENDER, event)
        else:
            room.take(event, rows, sender=sender, at=at)
        if rows.full():
            yield rows.take()


@dataclass
class Room:
    """A room as its history goes by: who bears which name now."""

    name: str | None
    attached: Attached
    shown: dict[str, str] = field(default_factory=dict)

    def take(self, event: Json, rows: Rows, *, sender: str, at: int) -> None:
        """A message, a membership event, a notice, or what belongs to another message."""
        kind = text(event.get("type")) or ""
        if kind in ATTACHED:
            rows.tally.continuation += 1
        elif kind in MESSAGES:
            self._message(event, rows, sender=sender, at=at)
        else:
            self._event(event, rows, sender=sender, at=at)

    def _place(self, event: Json) -> dict[str, Any]:
        name = self.name or text(event.get("room_id")) or "matrix"
        return {"group_id": text(event.get("room_id")) or name, "group_name": name}

    def _event(self, event: Json, rows: Rows, *, sender: str, at: int) -> None:
        subject = text(event.get("state_key")) or sender
        happened, before = change(event, sender), self.shown.get(subject)
        if event.get("type") == MEMBERSHIP and happened.name:
            self.shown[subject] = happened.name
        rows.event(
            **self._place(event),
            event_id=text(event.get("event_id")),
            at=at,
            zone_known="utc",
            kind=happened.kind,
            raw_kind=happened.raw_kind,
            subject_id=subject if event.get("type") == MEMBERSHIP else None,
            subject_name=before or self.shown.get(subject),
            actor_id=sender,
            inviter_id=sender if happened.kind == "invite" else None,
            new_name=happened.name if happened.kind == "rename" else None,
            text=happened.text,
        )

    def _message(self, event: Json, rows: Rows, *, sender: str, at: int) -> None:
        event_id, content = text(event.get("event_id")) or "", fields(event.get("content"))
        relation = fields(content.get("m.relates_to"))
        if relation.get("rel_type") == "m.replace":
            key = (text(relation.get("event_id")) or "", sender)
            if key in self.attached.seen:
                rows.tally.continuation += 1
                return
            content = fields(content.get("m.new_content"))  # of a message before this export
        edit = self.attached.edits.get((event_id, sender))
        if edit:
            self.attached.seen.add((event_id, sender))
        rows.message(
            **self._place(event),
            **_said(event, edit.content if edit else content, self.attached.redacted),
            **_related(relation),
            message_id=event_id or None,
            sent_at=at,
            zone_known="utc",
            sender_id=sender,
            sender_name=self.shown.get(sender),
            mentions=_mentions(content),
            edited_at=edit.at if edit else None,
            reactions=self.attached.reactions_to(event_id),
        )


def _said(event: Json, content: Json, redacted: set[str]) -> Json:
    """Kind, words and media of a message."""
    raw_kind = text(content.get("msgtype")) or text(event.get("type")) or ""
    if _is_redacted(event) or text(event.get("event_id")) in redacted:
        return {"kind": "recalled", "raw_kind": raw_kind, "revoked": True}
    if event.get("type") in POLLS:
        return {"kind": "poll", "raw_kind": raw_kind, "text": _question(content)}
    kind = KINDS.get(raw_kind, "other")
    if kind == "music" and "org.matrix.msc3245.voice" in content:
        kind = "voice"
    said: Json = {"kind": kind, "raw_kind": raw_kind}
    if kind != "other":
        said["text"] = _without_fallback(content)
    return said | (
        _media(content) if kind in ("image", "video", "music", "voice", "file") else {}
    )


def _media(content: Json) -> Json:
    info = fields(content.get("info"))
    millis = whole(info.get("duration"))
    return {
        "media_name": text(content.get("filename")) or text(content.get("body")),
        "media_type": text(info.get("mimetype")),
        "media_bytes": whole(info.get("size")),
        "media_seconds": None if millis is None else millis / 1000,
    }


def _related(relation: Json) -> Json:
    """The answered message and the thread; in a thread, a fallback is no answer."""
    thread = relation.get("rel_type") == "m.thread"
    answered = text(fields(relation.get("m.in_reply_to")).get("event_id"))
    fallback = thread and relation.get("is_falling_back") is True
    root = text(relation.get("event_id")) if thread else None
    return {"thread_id": root, "reply_to": None if fallback else answered}


def _without_fallback(content: Json) -> str | None:
    """The words without the quotation that old clients put before an answer."""
    body = text(content.get("body"))
    related = fields(content.get("m.relates_to"))
    if not body or not body.startswith("> ") or "m.in_reply_to" not in related:
        return body
    lines = body.split("\n")
    quoted = next((n for n, line in enumerate(lines) if not line.startswith(">")), len(lines))
    return "\n".join(lines[quoted:]).lstrip("\n")


def _mentions(content: Json) -> list[str]:
    stated = content.get("m.mentions")
    if isinstance(stated, dict):
        people = stated.get("user_ids")
        return [p for p in people if isinstance(p, str)] if isinstance(people, list) else []
    pills = _PILL.findall(text(content.get("formatted_body")) or "")
    return list(dict.fromkeys("@" + pill.replace("%3A", ":") for pill in pills))


def _question(content: Json) -> str | None:
    """The question of a poll."""
    start = next((fields(content[key]) for key in POLLS if key in content), {})
    asked = fields(start.get("question"))
    return text(asked.get("org.matrix.msc1767.text")) or text(asked.get("body"))


def _is_redacted(event: Json) -> bool:
    return "redacted_because" in fields(event.get("unsigned"))


def _at(event: Json) -> int | None:
    millis = whole(event.get("origin_server_ts"))
    return millis * 1000 if millis is not None and millis in _YEARS else None
