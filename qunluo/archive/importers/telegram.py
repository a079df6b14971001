"""Telegram Desktop: `result.json` of one chat or of a whole account.

- Users, channels and groups number from 1 each, so ids keep their prefix: `user12`,
  `channel5`, `chat7`. A supergroup is a `channel`, a small group a `chat`.
- Service messages are events. Their `members` are names without ids: such an account is
  `name:Cy`, unless it is the actor. Who removes only himself has left.
- A message whose `reply_to_message_id` is the notice that opened a topic stands in that topic
  and answers nobody; `reply_to_peer_id` means an answer to a message of another chat.
- A group that became a supergroup is two chats. In one file of a whole account they are found
  by the two notices of that moment, and the messages before it join the supergroup (their ids
  get the old group as prefix, as both count from 1). In two files they stay apart, with a
  warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from qunluo.archive.importers.base import Batch, Options, Rows, Source
from qunluo.archive.importers.json_records import NO_TIME, Records
from qunluo.archive.importers.json_stream import JsonStream, outline
from qunluo.archive.importers.json_values import (
    Json,
    count,
    epoch_micros,
    fields,
    iso_micros,
    number,
    objects,
    text,
    whole,
)
from qunluo.kit.text import Text

CHAT_TYPES = {
    "private_supergroup": "channel",
    "public_supergroup": "channel",
    "private_channel": "channel",
    "public_channel": "channel",
    "private_group": "chat",
    "personal_chat": "user",
    "bot_chat": "user",
    "saved_messages": "user",
    "replies": "user",
    "verification_codes": "user",
}
MEDIA = {
    "sticker": "sticker",
    "video_message": "video",
    "voice_message": "voice",
    "animation": "gif",
    "video_file": "video",
    "audio_file": "music",
}
OTHER_CONTENT = {
    "photo": "image",
    "poll": "poll",
    "location_information": "location",
    "contact_information": "contact",
    "todo_list": "todo",
    "game_title": "game",
    "invoice_information": "payment",
    "file": "file",
}
JOINS = frozenset({"join_group_by_link", "join_group_by_request"})
CALLS = frozenset({"phone_call", "group_call"})
MIGRATIONS = frozenset({"migrate_to_supergroup", "migrate_from_group"})
SAME_MOMENT = 5_000_000  # µs between the two notices of one migration

SPLIT = Text(
    "This group became a supergroup: its other half is in another export file. Both halves are"
    " kept as two groups, because the files do not name each other.",
    "该群曾升级为超级群，另一半记录在另一个导出文件中。两个文件互不指认，因此按两个群保存。",
)


@dataclass
class Chat:
    """One chat while it is read."""

    kind: str = ""
    own_id: str = ""
    name: str | None = None
    group_id: str = ""
    id_prefix: str = ""  # of message ids, where the chat is the first half of another
    topics: set[str] = field(default_factory=set)

    def settle(self, name: str | None) -> None:
        prefix = CHAT_TYPES.get(self.kind, "chat")
        self.group_id = self.group_id or f"{prefix}{self.own_id}"
        self.name = name or self.name


@dataclass
class _Migration:
    """A notice of one: which chat, when, and the supergroup or its old title."""

    chat: str
    at: int
    action: str


class Telegram:
    name = "telegram"
    label = Text("Telegram Desktop (JSON)", "Telegram Desktop（JSON）")
    lacks: frozenset[str] = frozenset({"roster"})

    def sniff(self, head: bytes, source: Source) -> float:
        found = outline(head)
        about = found.get("about")
        if isinstance(about, str) and "Telegram" in about:
            return 0.95
        if "chats" in found or "left_chats" in found:
            inner = fields(found.get("chats")) or fields(found.get("left_chats"))
            return 0.9 if "list" in inner else 0.0
        if text(found.get("type")) not in CHAT_TYPES or "id" not in found:
            return 0.0
        return 0.95 if "messages" in found else 0.6

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        joined = _migrations(source)
        rows = Rows("telegram")
        with source.open() as raw:
            stream = JsonStream(raw)
            yield from _Reader(stream, rows, options, joined).document()
        yield rows.take()


class _Reader:
    def __init__(
        self, stream: JsonStream, rows: Rows, options: Options, joined: dict[str, str]
    ) -> None:
        self.stream, self.rows, self.options, self.joined = stream, rows, options, joined
        self.records = Records(stream, rows)

    def document(self) -> Iterator[Batch]:
        yield from self._chat_or_account()
        self.records.finish()

    def _chat_or_account(self) -> Iterator[Batch]:
        chat = Chat()
        for key in self.stream.each_key():
            if key in ("chats", "left_chats"):
                for inner in self.stream.each_key():
                    if inner == "list":
                        yield from self._list()
            else:
                yield from self._key_of_chat(key, chat, self.options.group)

    def _list(self) -> Iterator[Batch]:
        for _ in self.stream.each_item():
            chat = Chat()
            for key in self.stream.each_key():
                yield from self._key_of_chat(key, chat, None)

    def _key_of_chat(self, key: str, chat: Chat, name: str | None) -> Iterator[Batch]:
        if key == "name":
            chat.name = text(self.stream.value())
        elif key == "type":
            chat.kind = text(self.stream.value()) or ""
        elif key == "id":
            chat.own_id = text(self.stream.value()) or ""
        elif key == "messages":
            chat.settle(name)
            self._join(chat)
            yield from self._messages(chat)

    def _join(self, chat: Chat) -> None:
        whole_group = self.joined.get(chat.group_id)
        if whole_group:
            chat.id_prefix = f"{chat.group_id}:"
            chat.group_id = whole_group

    def _messages(self, chat: Chat) -> Iterator[Batch]:
        for found in self.records.of_array():
            self._one(found, chat)
            if self.rows.full():
                yield self.rows.take()

    def _one(self, found: Json, chat: Chat) -> None:
        at = epoch_micros(found.get("date_unixtime"))
        zone = "utc"
        if at is None:
            local = iso_micros(found.get("date"), self.options.zone)
            at, zone = (local[0], "offset" if local[1] else "assumed") if local else (None, "")
        if at is None:
            self.records.reject(NO_TIME, found)
        elif found.get("type") == "service":
            self._service(found, chat, at, zone)
        else:
            self.rows.message(**_message(found, chat, at, zone))

    # what happened to the group

    def _service(self, found: Json, chat: Chat, at: int, zone: str) -> None:
        action = text(found.get("action")) or ""
        if action == "topic_created":
            chat.topics.add(str(found.get("id")))
        if action in CALLS:
            self.rows.message(**_call(found, chat, at, zone))
            return
        if action in MIGRATIONS and chat.group_id not in self.joined.values():
            self.rows.warnings.append(SPLIT)
        happened = _happened(found, action)
        for place, one in enumerate(happened):
            own = f"{chat.id_prefix}{found.get('id')}" + (f"/{place}" if place else "")
            self.rows.event(
                same_line=place > 0,
                group_id=chat.group_id,
                group_name=chat.name,
                event_id=own if "id" in found else None,
                at=at,
                zone_known=zone,
                raw_kind=action or None,
                **one,
            )


def _happened(found: Json, action: str) -> list[Json]:
    """The events of one service message; never none."""
    actor, actor_id = text(found.get("actor")), _account(found.get("actor_id"))
    if actor_id is None and actor:
        actor_id = f"name:{actor}"
    if action in JOINS:
        inviter = text(found.get("inviter"))
        invited_by = f"name:{inviter}" if inviter else None
        return [_event("join", (actor_id, actor), actor_id, inviter_id=invited_by)]
    if action in ("invite_members", "create_group"):
        own = [(actor_id, actor)] if action == "create_group" else []
        people = own + [p for p in _members(found, actor, actor_id) if p not in own]
        return [_joined(person, actor_id) for person in people] or [_notice(found, actor_id)]
    if action == "remove_members":
        people = _members(found, actor, actor_id)
        return [_left(person, actor_id) for person in people] or [_notice(found, actor_id)]
    return [_notice(found, actor_id)]


Person = tuple[str | None, str | None]


def _members(found: Json, actor: str | None, actor_id: str | None) -> list[Person]:
    """The accounts named: only names, and null for those deleted since."""
    named = found.get("members")
    names = [text(n) for n in named] if isinstance(named, list) else [None]
    return [(_named(n, actor, actor_id), n) for n in names]


def _named(name: str | None, actor: str | None, actor_id: str | None) -> str | None:
    if name is None:
        return None
    return actor_id if name == actor else f"name:{name}"


def _event(kind: str, who: Person, actor_id: str | None, **more: object) -> Json:
    return {
        "kind": kind,
        "subject_id": who[0],
        "subject_name": who[1],
        "actor_id": actor_id,
        **more,
    }


def _joined(who: Person, actor_id: str | None) -> Json:
    inviter = actor_id if who[0] != actor_id else None
    return _event("join", who, actor_id, inviter_id=inviter)


def _left(who: Person, actor_id: str | None) -> Json:
    own = who[0] is not None and who[0] == actor_id
    return _event("leave" if own else "remove", who, actor_id)


def _notice(found: Json, actor_id: str | None) -> Json:
    said = text(found.get("title")) or text(found.get("new_title")) or _plain(found.get("text"))
    return {"kind": "notice", "actor_id": actor_id, "text": said}


# what was written


def _message(found: Json, chat: Chat, at: int, zone: str) -> Json:
    name = text(found.get("from"))  # null for an account deleted since
    sender = _account(found.get("from_id")) or (f"name:{name}" if name else "unknown")
    values: Json = {
        "group_id": chat.group_id,
        "group_name": chat.name,
        "message_id": _own_id(found.get("id"), chat),
        "sent_at": at,
        "zone_known": zone,
        "sender_id": sender,
        "sender_name": name,
        "raw_kind": _raw_kind(found),
        **_content(found),
    }
    _add_reply(values, found, chat)
    _add_marks(values, found)
    return values


def _call(found: Json, chat: Chat, at: int, zone: str) -> Json:
    actor = text(found.get("actor"))
    return {
        "group_id": chat.group_id,
        "group_name": chat.name,
        "message_id": _own_id(found.get("id"), chat),
        "sent_at": at,
        "zone_known": zone,
        "sender_id": _account(found.get("actor_id")) or f"name:{actor or ''}",
        "sender_name": actor,
        "kind": "call",
        "raw_kind": text(found.get("action")),
        "media_seconds": number(found.get("duration_seconds") or found.get("duration")),
    }


def _own_id(value: object, chat: Chat) -> str | None:
    return None if value is None else f"{chat.id_prefix}{value}"


def _account(value: object) -> str | None:
    """`user12`; exports before 2021 wrote a bare number, always of a user."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"user{value}"
    return text(value)


def _raw_kind(found: Json) -> str | None:
    media, own = found.get("media_type"), found.get("type")
    if media is None and own == "message":
        return None
    return text(media) or text(own)


def _content(found: Json) -> Json:
    """Kind, text and media of a message."""
    said = _plain(found.get("text"))
    if found.get("type") == "unsupported":
        return {"kind": "other", "text": said}
    media = text(found.get("media_type"))
    if media:
        return {"kind": MEDIA.get(media, "other"), "text": said, **_media(found)}
    if not found.keys().isdisjoint(OTHER_CONTENT):
        key = next(k for k in OTHER_CONTENT if k in found)
        return {
            "kind": OTHER_CONTENT[key],
            "text": said or _said_inside(found, key),
            **_media(found),
        }
    command = said is not None and said[0] == "/" and _is_command(found)
    return {"kind": "bot_command" if command else "text", "text": said}


def _said_inside(found: Json, key: str) -> str | None:
    """What a poll asks (a text or an array of parts), what a list, game or place is called."""
    if key == "poll":
        return _plain(fields(found.get("poll")).get("question"))
    if key == "todo_list":
        return _plain(fields(found.get("todo_list")).get("title"))
    if key == "location_information":
        return text(found.get("place_name"))
    return text(found.get(key)) if key == "game_title" else None


def _media(found: Json) -> Json:
    path = text(found.get("file")) or text(found.get("photo")) or ""
    name = None if path.startswith("(") or not path else path.rsplit("/", 1)[-1]
    return {
        "media_name": text(found.get("file_name")) or name,
        "media_type": text(found.get("mime_type")),
        "media_bytes": whole(found.get("file_size") or found.get("photo_file_size")),
        "media_seconds": number(found.get("duration_seconds")),
    }


def _is_command(found: Json) -> bool:
    parts = found.get("text_entities") or found.get("text")
    first = parts[0] if isinstance(parts, list) and parts else None
    return isinstance(first, dict) and first.get("type") == "bot_command"


def _plain(value: object) -> str | None:
    """The text of a string, or of an array of strings and of objects with a `text`."""
    if isinstance(value, str):
        return value or None
    if not isinstance(value, list):
        return None
    parts = [p.get("text") if isinstance(p, dict) else p for p in value]
    return "".join([p for p in parts if isinstance(p, str)]) or None


def _add_reply(values: Json, found: Json, chat: Chat) -> None:
    target = found.get("reply_to_message_id")
    if target is None:
        return
    peer = text(found.get("reply_to_peer_id"))
    if peer and peer != chat.group_id:
        return
    if str(target) in chat.topics:
        values["thread_id"] = _own_id(target, chat)
    else:
        values["reply_to"] = _own_id(target, chat)


def _add_marks(values: Json, found: Json) -> None:
    """Mentions, reactions, edits, forwards: most messages have none."""
    mentions = _mentions(found.get("text_entities") or found.get("text"))
    if mentions:
        values["mentions"] = mentions
    if "reactions" in found:
        values["reactions"] = [_reaction(r) for r in objects(found["reactions"])]
    if "edited_unixtime" in found:
        values["edited_at"] = epoch_micros(found["edited_unixtime"])
    if "forwarded_from" in found or "forwarded_from_id" in found:
        values["forwarded"] = True


def _mentions(parts: object) -> list[str]:
    """Who is named: `user9` where the id is known, else the username `@bob`."""
    named: list[str] = []
    for part in parts if isinstance(parts, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "mention_name":
            named.append(_account(part.get("user_id")) or "unknown")
        elif kind == "mention":
            named.append(text(part.get("text")) or "unknown")
    return named


def _reaction(found: Json) -> Json:
    emoji = found.get("emoji") or found.get("document_id") or found.get("type")
    return {"emoji": text(emoji), "count": count(found.get("count"))}


# two halves of one group


def _migrations(source: Source) -> dict[str, str]:
    """Old group → supergroup, for a file that holds both; a plain search keeps it cheap."""
    if not _mentions_both(source):
        return {}
    with source.open() as raw:
        notices = list(_notices(JsonStream(raw)))
    left = [n for n in notices if n.action == "migrate_to_supergroup"]
    came = [n for n in notices if n.action == "migrate_from_group"]
    joined: dict[str, str] = {}
    for old in left:
        near = [n for n in came if abs(n.at - old.at) <= SAME_MOMENT]
        if len(near) == 1:
            joined[old.chat] = near[0].chat
    return joined


def _mentions_both(source: Source) -> bool:
    wanted = {a.encode() for a in MIGRATIONS}
    tail = b""
    with source.open() as raw:
        while wanted and (block := raw.read(1 << 20)):
            wanted = {a for a in wanted if a not in tail + block}
            tail = block[-32:]
    return not wanted


def _notices(stream: JsonStream) -> Iterator[_Migration]:
    for key in stream.each_key():
        for inner in stream.each_key() if key in ("chats", "left_chats") else ():
            for _ in stream.each_item() if inner == "list" else ():
                yield from _notices_of_chat(stream)


def _notices_of_chat(stream: JsonStream) -> Iterator[_Migration]:
    chat = Chat()
    for key in stream.each_key():
        if key == "id":
            chat.own_id = text(stream.value()) or ""
        elif key == "type":
            chat.kind = text(stream.value()) or ""
        elif key == "messages":
            chat.settle(None)
            for found in stream.records():
                if isinstance(found, dict) and text(found.get("action")) in MIGRATIONS:
                    at = epoch_micros(found.get("date_unixtime")) or 0
                    yield _Migration(chat.group_id, at, str(found["action"]))
