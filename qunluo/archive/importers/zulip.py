"""Zulip, two shapes: the public archive (a folder per stream, one JSON array per topic) and the
full export (`realm.json` and `messages-000001.json` …).

The archive has neither sender ids nor joins: the full name is the sender. Its topic is the file
name with `.20` for a space; its text is HTML and becomes plain text, quotes as `> ` lines. A
quote that links the quoted message is Zulip's reply.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from qunluo.archive.importers.base import Batch, Options, Rows, Source
from qunluo.archive.importers.json_records import NO_SENDER, NO_TIME, Records
from qunluo.archive.importers.json_stream import Broken, JsonStream, outline
from qunluo.archive.importers.json_values import Json, epoch_micros, objects, text, whole
from qunluo.archive.importers.zulip_text import plain, quoted_in_html, quoted_in_markdown
from qunluo.kit.text import Text

PERSONAL, STREAM = 1, 2  # types of recipient
HEAD = 1 << 16
ARCHIVE_KEYS = {"id", "content", "timestamp", "sender_full_name"}
PEOPLE = (
    "zerver_userprofile",
    "zerver_userprofile_mirrordummy",
    "zerver_userprofile_crossrealm",
)
_ENCODED = re.compile(r"\.([0-9A-Fa-f]{2})")
_FOLDER = re.compile(r"(\d+)-(.+)")
_MENTION_HTML = re.compile(r'<span class="user-mention" data-user-id="(\d+)">@?([^<]*)</span>')
_MENTION_MARKDOWN = re.compile(r"@\*\*([^*|\n]+)(?:\|(\d+))?\*\*")
_UPLOAD = re.compile(r'<a href="/?user_uploads/[^"]*"[^>]*>([^<]+)</a>')


@dataclass(frozen=True)
class Person:
    name: str | None
    bot: bool


@dataclass
class Realm:
    """What `realm.json` says of ids."""

    people: dict[int, Person] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)  # by full name
    recipients: dict[int, tuple[int, int]] = field(default_factory=dict)  # type and its id
    streams: dict[int, str] = field(default_factory=dict)


class Zulip:
    name = "zulip"
    label = Text("Zulip archive or export", "Zulip 归档或导出")
    lacks: frozenset[str] = frozenset({"joins", "leaves", "roster", "reactions"})

    def __init__(self) -> None:
        self._realm: tuple[str, Realm] = ("", Realm())

    def sniff(self, head: bytes, source: Source) -> float:
        found = outline(head)
        if found == {"": []} and b"{" in head:  # the first message alone is longer than that
            found = {"": _first_record(source)}
        if found and all(key.startswith("zerver_") for key in found):
            return 0.95
        records = objects(found.get("", found.get("messages")))
        return 0.95 if records and all(r.keys() >= ARCHIVE_KEYS for r in records) else 0.0

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        rows = Rows("zulip")
        with source.open() as raw:
            records = Records(JsonStream(raw), rows)
            if records.stream.at() == "[":
                yield from _topic(records, rows, Place.of(source, options))
            else:
                yield from self._tables(records, rows, source, options)
            records.finish()
        yield rows.take()

    def _tables(
        self, records: Records, rows: Rows, source: Source, options: Options
    ) -> Iterator[Batch]:
        for key in records.stream.each_key():
            if key == "messages" and records.stream.at() == "[":
                yield from _topic(records, rows, Place.of(source, options))
            elif key == "zerver_message" and records.stream.at() == "[":
                export = Export(self._realm_of(source), options)
                for record in records.of_array():
                    export.message(record, records, rows)
                    if rows.full():
                        yield rows.take()

    def _realm_of(self, source: Source) -> Realm:
        """`realm.json`, read once for the many message files of an export."""
        found = source.sibling("realm.json")
        if found is None:
            return Realm()
        with found.open() as raw:
            key = hashlib.sha256(raw.read(1 << 20)).hexdigest()
        if self._realm[0] != key:
            self._realm = (key, _realm(found))
        return self._realm[1]


def _first_record(source: Source) -> list[object]:
    with source.open() as raw:
        return [next(iter(JsonStream(raw).records()), None)]


# the public archive


@dataclass(frozen=True)
class Place:
    """The stream and topic that the path of a topic's file names."""

    group_id: str
    group_name: str
    topic: str

    @classmethod
    def of(cls, source: Source, options: Options) -> Place:
        """`113489-new-members/Saying.20hi.json` is topic “Saying hi” of “new-members”."""
        *folders, file = str(getattr(source, "trail", source.name)).split("/")
        folder = decoded(folders[-1]) if folders else "zulip"
        stream = _FOLDER.fullmatch(folder)
        number, name = (stream[1], stream[2]) if stream else (folder, folder)
        topic = decoded(file.removesuffix(".json"))
        return cls(options.group or number, options.group or name, topic)


def decoded(name: str) -> str:
    """`Saying.20hi` as Zulip's addresses write it is `Saying hi`."""
    return unquote(_ENCODED.sub(r"%\1", name.replace("%", "%25")), errors="replace")


def _topic(records: Records, rows: Rows, place: Place) -> Iterator[Batch]:
    for record in records.of_array():
        sender = text(record.get("sender_id")) or text(record.get("sender_full_name"))
        at = epoch_micros(record.get("timestamp"))
        if sender is None or at is None:
            records.reject(NO_TIME if at is None else NO_SENDER, record)
            continue
        _said(record, rows, place, sender=sender, at=at)
        if rows.full():
            yield rows.take()


def _said(record: Json, rows: Rows, place: Place, *, sender: str, at: int) -> None:
    html = text(record.get("content")) or ""
    uploads = _UPLOAD.findall(html) if "user_uploads" in html else []
    mentions = _MENTION_HTML.findall(html) if "user-mention" in html else []
    said = plain(html)
    by_id = record.get("sender_id") is not None
    rows.message(
        group_id=place.group_id,
        group_name=place.group_name,
        message_id=text(record.get("id")),
        thread_id=text(record.get("subject")) or place.topic,
        sent_at=at,
        zone_known="utc",
        sender_id=sender,
        sender_name=text(record.get("sender_full_name")),
        kind=_kind(said, uploads, image="message_inline_image" in html),
        raw_kind="me" if said.startswith("/me ") else None,
        text=said,
        reply_to=quoted_in_html(html),
        mentions=[number if by_id else plain(name) for number, name in mentions],
        edited_at=epoch_micros(record.get("last_edit_timestamp")),
        media_name=plain(uploads[0]) if uploads else None,
    )


def _kind(said: str, uploads: list[str], *, image: bool) -> str:
    """A message that is nothing but an upload is of its kind; all else is text."""
    if len(uploads) != 1 or said.strip() != plain(uploads[0]):
        return "text"
    return "image" if image else "file"


# the full export


@dataclass
class Export:
    """Messages of a full export, with the names that `realm.json` gives to ids."""

    realm: Realm
    options: Options

    def message(self, record: Json, records: Records, rows: Rows) -> None:
        """One row, or a reject where sender or time is missing."""
        sender = whole(record.get("sender"))
        at = epoch_micros(record.get("date_sent", record.get("pub_date")))
        if sender is None or at is None:
            records.reject(NO_TIME if at is None else NO_SENDER, record)
            return
        person = self.realm.people.get(sender)
        said = text(record.get("content")) or ""
        group, name, topic = self._place(record, sender)
        rows.message(
            group_id=self.options.group or group,
            group_name=self.options.group or name,
            message_id=text(record.get("id")),
            thread_id=topic,
            sent_at=at,
            zone_known="utc",
            sender_id=str(sender),
            sender_name=person.name if person else None,
            role="bot" if person and person.bot else None,
            kind="text",
            raw_kind="me" if said.startswith("/me ") else None,
            text=said,
            reply_to=quoted_in_markdown(said),
            mentions=self._mentions(said),
            edited_at=epoch_micros(record.get("last_edit_time")),
        )

    def _place(self, record: Json, sender: int) -> tuple[str, str | None, str | None]:
        """Group id, group name and topic; the two sides of a direct message share a group."""
        recipient = whole(record.get("recipient")) or 0
        kind, number = self.realm.recipients.get(recipient, (0, 0))
        if kind == STREAM:
            return str(number), self.realm.streams.get(number), text(record.get("subject"))
        if kind == PERSONAL:
            return "dm-{}-{}".format(*sorted((sender, number))), None, None
        return f"recipient-{recipient}", None, text(record.get("subject"))

    def _mentions(self, said: str) -> list[str]:
        found = _MENTION_MARKDOWN.findall(said)
        return [number or self.realm.ids.get(name, name) for name, number in found]


def _realm(source: Source) -> Realm:
    realm = Realm()
    with source.open() as raw:
        stream = JsonStream(raw)
        for table in stream.each_key():
            if stream.at() == "[" and table in (*PEOPLE, "zerver_recipient", "zerver_stream"):
                for record in stream.records():
                    _note(realm, table, {} if isinstance(record, Broken) else record)
    return realm


def _note(realm: Realm, table: str, record: Json) -> None:
    number, name = whole(record.get("id")), text(record.get("full_name"))
    if number is None:
        return
    if table == "zerver_recipient":
        realm.recipients[number] = (
            whole(record.get("type")) or 0,
            whole(record.get("type_id")) or 0,
        )
    elif table == "zerver_stream":
        realm.streams[number] = text(record.get("name")) or str(number)
    else:
        cross = table.endswith("crossrealm")  # the system's own bots, known by address alone
        name = name or (text(record.get("email")) or "").partition("@")[0] or None
        realm.people[number] = Person(name, cross or record.get("is_bot") is True)
        realm.ids.setdefault(name or "", str(number))
