"""WeChat by the HTTP interface of chatlog, as JSON.

- chatlog quotes name the sender and time of what they answer, never its id.
- System messages bear the literal sender “系统消息”; joins are text.
- `@name` with the space U+2005 is all there is of mentions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from qunluo.archive.importers.base import Batch, Options, Rows, Source
from qunluo.archive.importers.json_records import NO_SENDER, NO_TIME, Records
from qunluo.archive.importers.json_stream import JsonStream, outline
from qunluo.archive.importers.json_values import Json, fields, iso_micros, number, text, whole
from qunluo.archive.importers.named_people import NamedEvents, People, called_names
from qunluo.archive.importers.wechat_kinds import kind_of_numbers
from qunluo.kit.text import Text

SYSTEM = "系统消息"
SYSTEM_SENDERS = frozenset({SYSTEM, "system", "系统", "sys", ""})
"""Who is named as sender of what nobody wrote."""

LISTS = frozenset({"items", "messages", "data", "records", "list"})


@dataclass
class Conversation:
    """One chat of the file."""

    id: str
    name: str | None = None


@dataclass
class Taking:
    """What all records of a file share."""

    rows: Rows
    options: Options
    people: People = field(default_factory=People)
    events: NamedEvents = field(init=False)

    def __post_init__(self) -> None:
        self.events = NamedEvents(self.rows, self.people)

    def common(self, chat: Conversation, zone: str) -> Json:
        name = self.options.group or chat.name
        return {"group_id": chat.id, "group_name": name, "zone_known": zone}

    def mentions(self, said: str | None) -> list[str] | None:
        called = [self.people.id_of(name) for name in called_names(said)]
        return list(dict.fromkeys(called)) or None


class Chatlog:
    name = "wechat"
    label = Text("WeChat by chatlog (JSON)", "微信（chatlog JSON）")
    lacks: frozenset[str] = frozenset({"reactions", "edits", "roster", "threads"})

    def sniff(self, head: bytes, source: Source) -> float:
        """Records with `talker`, `sender` and `isSelf`."""
        found = outline(head)
        lists = (value for key, value in found.items() if key == "" or key in LISTS)
        first = next((fields(v[0]) for v in lists if isinstance(v, list) and v), {})
        telling = {"talker", "sender", "time"} <= first.keys()
        return (
            0.95 if telling and first.keys() & {"isSelf", "isChatRoom", "talkerName"} else 0.0
        )

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        rows = Rows("wechat")
        taking = Taking(rows, options)
        with source.open() as raw:
            stream = JsonStream(raw)
            records = Records(stream, rows)
            for _ in _arrays(stream):
                for found in records.of_array():
                    reason = _take_in(found, taking)
                    if reason:
                        records.reject(reason, found)
                    if rows.full():
                        yield rows.take()
            records.finish()
        taking.events.release()
        yield rows.take()


def _arrays(stream: JsonStream, deeper: int = 3) -> Iterator[None]:
    """The arrays of records: the document itself, or in it, not `deeper` than that."""
    if stream.at() == "[":
        yield None
        return
    for key in stream.each_key():
        if key in LISTS and stream.at() == "[":
            yield None
        elif key in LISTS and stream.at() == "{" and deeper:
            yield from _arrays(stream, deeper - 1)


def _take_in(found: Json, taking: Taking) -> str | None:
    """Take in one record of chatlog; why not, if not."""
    instant = instant_of(found.get("time"), taking.options)
    if instant is None:
        return NO_TIME
    at, zone = instant
    talker = text(found.get("talker")) or "wechat"
    chat = Conversation(taking.options.group or talker, text(found.get("talkerName")))
    sender, name = text(found.get("sender")) or "", text(found.get("senderName"))
    said, type_ = text(found.get("content")), whole(found.get("type"))
    kind = kind_of_numbers(type_, whole(found.get("subType")))
    common = taking.common(chat, zone)
    if kind == "system" or sender == SYSTEM:
        own = {
            **common,
            "at": at,
            "event_id": text(found.get("seq")),
            "raw_kind": _raw_kind(found),
        }
        taking.events.add(said or "", own)
        return None
    if not sender:
        return NO_SENDER
    taking.people.seen(sender, name)
    if found.get("isSelf") is True:
        taking.people.own_id = sender
    taking.rows.message(
        **common,
        message_id=text(found.get("seq")),
        sent_at=at,
        sender_id=sender,
        sender_name=name,
        kind=kind,
        raw_kind=_raw_kind(found),
        text=said or _title(found),
        mentions=taking.mentions(said),
        **_quote(found, taking.options),
        **_media(fields(found.get("contents"))),
    )
    return None


def instant_of(value: object, options: Options) -> tuple[int, str] | None:
    """ISO 8601, or an epoch in seconds or milliseconds."""
    epoch = whole(value)
    if epoch is not None:
        return epoch_of(epoch)
    local = iso_micros(value, options.zone)
    return (local[0], "offset" if local[1] else "assumed") if local else None


def epoch_of(epoch: int) -> tuple[int, str] | None:
    """Microseconds of an epoch in seconds or milliseconds."""
    if not 0 < epoch < 10**14:
        return None
    return (epoch * 1000 if epoch > 10**11 else epoch * 1_000_000), "utc"


def _raw_kind(found: Json) -> str | None:
    type_, subtype = whole(found.get("type")), whole(found.get("subType"))
    if type_ is None:
        return None
    return f"{type_}/{subtype}" if subtype else str(type_)


def _quote(found: Json, options: Options) -> Json:
    """Who wrote what is answered, and when: chatlog gives no id."""
    refer = fields(fields(found.get("contents")).get("refer"))
    instant = instant_of(refer.get("time"), options)
    return {
        "reply_sender_id": text(refer.get("sender")),
        "reply_sent_at": instant[0] if instant else None,
    }


def _title(found: Json) -> str | None:
    contents = fields(found.get("contents"))
    return text(contents.get("title")) or text(contents.get("desc"))


def _media(contents: Json) -> Json:
    return {
        "media_name": text(contents.get("fileName")) or text(contents.get("filename")),
        "media_bytes": whole(contents.get("fileSize") or contents.get("size")),
        "media_seconds": number(contents.get("duration")),
    }
