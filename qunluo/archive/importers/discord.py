"""DiscordChatExporter, JSON: one file per channel or thread, perhaps in partitions.

A channel is a group; a thread belongs to the group of its parent channel, which the file calls
its category. Joins to the server are recorded in the channel where Discord announced them;
leaves of a server never are. Roles are those of the day of export, so none is taken as the
role of then. A slash command's answer (`interaction`) is no reply.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

from qunluo.archive.importers.base import Batch, Options, Rows, Source
from qunluo.archive.importers.json_records import NO_SENDER, NO_TIME, Records
from qunluo.archive.importers.json_stream import JsonStream, outline
from qunluo.archive.importers.json_values import (
    Json,
    count,
    fields,
    iso_micros,
    objects,
    text,
    whole,
)
from qunluo.archive.importers.media_names import kind_of_name
from qunluo.kit.text import Text

WRITTEN = frozenset({"Default", "Reply", "20", "23"})  # 20, 23: answers to commands
COMMANDS = frozenset({"20", "23", "ChatInputCommand", "ContextMenuCommand"})
CUT = Text(
    "The file says it holds {said} messages, but {found} were found: it looks cut off.",
    "文件标明有 {said} 条消息，实际读到 {found} 条，文件可能不完整。",
)


@dataclass
class Channel:
    """Where the messages stand: filled from `guild` and `channel`."""

    group_id: str = "unknown"
    group_name: str | None = None
    thread_id: str | None = None
    own_id: str | None = None

    def fill(self, found: Json, name: str | None) -> None:
        self.own_id = text(found.get("id"))
        kind, parent = str(found.get("type") or ""), text(found.get("categoryId"))
        if "Thread" in kind and parent:
            self.group_id, self.thread_id = parent, self.own_id
            self.group_name = name or text(found.get("category"))
        else:
            self.group_id = self.own_id or "unknown"
            self.group_name = name or text(found.get("name"))


class Discord:
    name = "discord"
    label = Text("DiscordChatExporter (JSON)", "DiscordChatExporter（JSON）")
    lacks: frozenset[str] = frozenset({"leaves", "roster"})

    def sniff(self, head: bytes, source: Source) -> float:
        found = outline(head)
        channel = fields(found.get("channel"))
        if "guild" not in found or "categoryId" not in channel or "id" not in channel:
            return 0.0
        return 0.95

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        rows = Rows("discord")
        with source.open() as raw:
            yield from _document(Records(JsonStream(raw), rows), rows, options)
        yield rows.take()


def _document(records: Records, rows: Rows, options: Options) -> Iterator[Batch]:
    channel, stream = Channel(), records.stream
    for key in stream.each_key():
        if key == "channel":
            channel.fill(fields(stream.value()), options.group)
        elif key == "messages":
            for found in records.of_array():
                _one(found, channel, records, rows, options)
                if rows.full():
                    yield rows.take()
        elif key == "messageCount":
            said = whole(stream.value())
            if said is not None and said != records.number:
                rows.warnings.append(CUT.format(said=said, found=records.number))
    records.finish()


def _one(found: Json, channel: Channel, records: Records, rows: Rows, options: Options) -> None:
    at = iso_micros(found.get("timestamp"), options.zone)
    author = fields(found.get("author"))
    if at is None:
        records.reject(NO_TIME, found)
    elif text(author.get("id")) is None:
        records.reject(NO_SENDER, found)
    else:
        zone = "offset" if at[1] else "assumed"
        kind = text(found.get("type")) or "Default"
        if kind in WRITTEN:
            rows.message(**_message(found, author, channel, at[0], zone))
        elif kind == "Call":
            rows.message(**_call(found, author, channel, at[0], zone))
        else:
            rows.event(same_line=False, **_event(found, author, channel, at[0], zone))


def _message(found: Json, author: Json, channel: Channel, at: int, zone: str) -> Json:
    values = _written(found, author, channel, at, zone)
    values.update(_content(found))
    if found.get("type") == "Reply":
        values["reply_to"] = _answered(found, channel)
    if found.get("forwardedMessage") or _reference(found).get("type") == "Forward":
        values["forwarded"] = True
    if found.get("mentions"):
        values["mentions"] = [m for m in _ids(found.get("mentions")) if m]
    if found.get("reactions"):
        values["reactions"] = [_reaction(r) for r in objects(found.get("reactions"))]
    edited = iso_micros(found.get("timestampEdited"), UTC)
    values["edited_at"] = edited[0] if edited else None
    return values


def _written(found: Json, author: Json, channel: Channel, at: int, zone: str) -> Json:
    return {
        "group_id": channel.group_id,
        "group_name": channel.group_name,
        "thread_id": channel.thread_id,
        "message_id": text(found.get("id")),
        "sent_at": at,
        "zone_known": zone,
        "sender_id": text(author.get("id")),
        "sender_name": _shown(author),
        "role": "bot" if author.get("isBot") is True else None,
        "raw_kind": text(found.get("type")),
    }


def _call(found: Json, author: Json, channel: Channel, at: int, zone: str) -> Json:
    ended = iso_micros(found.get("callEndedTimestamp"), UTC)
    values = _written(found, author, channel, at, zone)
    values["kind"] = "call"
    values["media_seconds"] = (ended[0] - at) / 1_000_000 if ended else None
    return values


def _event(found: Json, author: Json, channel: Channel, at: int, zone: str) -> Json:
    values: Json = {
        "group_id": channel.group_id,
        "group_name": channel.group_name,
        "event_id": text(found.get("id")),
        "at": at,
        "zone_known": zone,
        "raw_kind": text(found.get("type")),
        "actor_id": text(author.get("id")),
    }
    values.update(_happened(found, author))
    return values


def _happened(found: Json, author: Json) -> Json:
    """What the event was and whom it happened to."""
    kind, own = found.get("type"), text(author.get("id"))
    named = objects(found.get("mentions"))
    other = named[0] if named else author
    subject = {"subject_id": text(other.get("id")), "subject_name": _shown(other)}
    if kind == "GuildMemberJoin":
        return {"kind": "join", "subject_id": own, "subject_name": _shown(author)}
    if kind == "RecipientAdd":
        inviter = own if subject["subject_id"] != own else None
        return {"kind": "join", **subject, "inviter_id": inviter}
    if kind == "RecipientRemove":
        return {"kind": "leave" if subject["subject_id"] == own else "remove", **subject}
    return {"kind": "notice", "text": text(found.get("content"))}


def _content(found: Json) -> Json:
    """Kind, text and media; a forwarded message's own are inside it."""
    inner = fields(found.get("forwardedMessage"))
    said = text(found.get("content")) or text(inner.get("content"))
    files = objects(found.get("attachments")) or objects(inner.get("attachments"))
    if files:
        return {"text": said, **_file(files[0])}
    stickers = objects(found.get("stickers")) or objects(inner.get("stickers"))
    if stickers:
        return {"kind": "sticker", "text": said, "media_name": text(stickers[0].get("name"))}
    if said is None:
        return _embedded(objects(found.get("embeds")))
    return {"kind": "bot_command" if _is_command(found) else "text", "text": said}


def _file(found: Json) -> Json:
    name = text(found.get("fileName"))
    size = whole(found.get("fileSizeBytes"))
    return {"kind": kind_of_name(name), "media_name": name, "media_bytes": size}


def _embedded(embeds: list[Json]) -> Json:
    parts = [text(e.get(k)) for e in embeds for k in ("title", "description")]
    said = "\n".join(p for p in parts if p) or None
    linked = any(e.get("url") for e in embeds)
    return {"kind": "link" if linked else "text", "text": said}


def _is_command(found: Json) -> bool:
    return text(found.get("type")) in COMMANDS and not fields(found.get("author")).get("isBot")


def _reference(found: Json) -> Json:
    return fields(found.get("reference"))


def _answered(found: Json, channel: Channel) -> str | None:
    """The message answered, where it is one of this channel."""
    reference = _reference(found)
    there = text(reference.get("channelId"))
    if reference.get("type", "Default") != "Default" or (there and there != channel.own_id):
        return None
    return text(reference.get("messageId"))


def _reaction(found: Json) -> Json:
    emoji = fields(found.get("emoji"))
    return {"emoji": text(emoji.get("name")), "count": count(found.get("count"))}


def _ids(found: object) -> list[str | None]:
    return [text(one.get("id")) for one in objects(found)]


def _shown(author: Json) -> str | None:
    return text(author.get("nickname")) or text(author.get("name"))
