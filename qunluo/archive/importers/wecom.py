"""WeCom's message archive (会话内容存档) after decryption: a JSON array, or a line for each message.

The sender's id tells the side: `wm…`/`wo…` are customers, `wb…` robots, all others staff. A
recall names the message it takes back; that message is marked. Chats of two have no room and get
the pair of accounts as group. Members lists that lie beside are known, and hold no messages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from qunluo.archive.importers.base import Batch, Options, Rows, Source
from qunluo.archive.importers.json_records import NO_SENDER, NO_TIME, Records
from qunluo.archive.importers.json_stream import NOT_JSON, JsonStream, outline
from qunluo.archive.importers.json_values import Json, fields, number, objects, text, whole
from qunluo.archive.importers.lines import TOO_LONG, first_lines, lines
from qunluo.kit.text import Text

NO_MESSAGE = "the record is neither a message nor a recall"

KINDS = {
    "text": "text", "markdown": "text", "image": "image", "voice": "voice", "video": "video",
    "card": "contact", "location": "location", "emotion": "sticker", "file": "file",
    "link": "link", "weapp": "mini_program", "chatrecord": "forward", "todo": "todo",
    "vote": "poll", "collect": "form", "redpacket": "red_packet",
    "external_redpacket": "red_packet", "meeting": "meeting", "meeting_notification": "meeting",
    "docmsg": "document", "doc": "document", "info": "text", "news": "article",
    "calendar": "calendar", "mixed": "mixed", "meeting_voice_call": "call",
    "voip_doc_share": "document", "voiptext": "call", "sphfeed": "channels_video",
    "agree": "system", "disagree": "system", "qydiskfile": "file", "switch": "system",
}  # fmt: skip
BODY = {"external_redpacket": "redpacket", "docmsg": "doc", "markdown": "info", "news": "info"}
"""Where the body of a message type has another key than the type."""

CONSENT = frozenset({"agree", "disagree"})
SECONDS_BELOW = 10**11


class WeCom:
    name = "wecom"
    label = Text("WeCom message archive", "企业微信会话内容存档")
    lacks: frozenset[str] = frozenset(
        {"replies", "reactions", "joins", "leaves", "edits", "mentions", "threads"}
    )

    def sniff(self, head: bytes, source: Source) -> float:
        """Records with `msgid`, `action` and `msgtype`; or a list of members of a group."""
        return 0.97 if _is_record(_first(head)) else 0.9 if _is_roster(outline(head)) else 0.0

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        with source.open() as raw:
            head = raw.read(1 << 16)
        rows = Rows("wecom")
        if not _is_record(_first(head)) and _is_roster(outline(head)):
            rows.tally.lines = rows.tally.header = 1
            yield rows.take()
            return
        taking = _Taking(rows, options, _recalled(source))
        with source.open() as raw:
            yield from _lines(raw, taking) if _is_lines(head) else _document(raw, taking)
        yield rows.take()


# the shapes of files


def _first(head: bytes) -> Json:
    """The first record of the file."""
    if _is_lines(head):
        return _decoded(next(iter(first_lines(head, 1)), ""))
    found = outline(head)
    for value in found.values():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return value[0]
    return found


def _is_lines(head: bytes) -> bool:
    """Whether each line is a record, and not only the file as a whole."""
    start = first_lines(head, 2)
    return bool(start) and _is_record(_decoded(start[0]))


def _decoded(line: str) -> Json:
    try:
        return fields(json.loads(line, strict=False))
    except (ValueError, RecursionError):
        return {}


def _is_record(found: Json) -> bool:
    return "msgid" in found and (
        "msgtype" in found or found.get("action") in ("switch", "recall")
    )


def _is_roster(found: Json) -> bool:
    """What `groupchat/get` of the archive or of customer contact answers."""
    if "group_chat" in found:
        return "member_list" in fields(found["group_chat"])
    return "members" in found and ("roomname" in found or "room_create_time" in found)


_RECALLED = re.compile(rb'"pre_msgid"\s*:\s*"([^"\\]{1,200})"')


def _recalled(source: Source) -> set[str]:
    """The messages that some recall of the file takes back; it stands after them."""
    found: set[str] = set()
    with source.open() as raw:
        rest = b""
        while chunk := raw.read(1 << 20):
            text_ = rest + chunk
            found |= {own.decode("utf-8", "replace") for own in _RECALLED.findall(text_)}
            rest = text_[-300:]
    return found


def _document(raw: BinaryIO, taking: _Taking) -> Iterator[Batch]:
    stream = JsonStream(raw)
    records = Records(stream, taking.rows)
    for _ in _arrays(stream):
        for found in records.of_array():
            reason = taking.record(found)
            if reason:
                records.reject(reason, found)
            if taking.rows.full():
                yield taking.rows.take()
    records.finish()


def _arrays(stream: JsonStream) -> Iterator[None]:
    if stream.at() == "[":
        yield None
        return
    for _ in stream.each_key():
        if stream.at() == "[":
            yield None


def _lines(raw: BinaryIO, taking: _Taking) -> Iterator[Batch]:
    rows = taking.rows
    for line in lines(raw):
        rows.tally.lines += 1
        if not line.text.strip():
            rows.tally.blank += 1
            continue
        found = _decoded(line.text)
        reason = (
            TOO_LONG if line.flaw == TOO_LONG else taking.record(found) if found else NOT_JSON
        )
        if reason:
            rows.reject(line.number, reason, line.text)
        if rows.full():
            yield rows.take()


# records


class _Taking:
    def __init__(self, rows: Rows, options: Options, recalled: set[str]) -> None:
        self.rows, self.options, self.recalled = rows, options, recalled

    def record(self, found: Json) -> str | None:
        """Take in one record; why not, if not."""
        action = text(found.get("action"))
        if action == "switch":  # a member of staff changed between companies: of no chat
            self.rows.tally.header += 1
            return None
        if "msgid" not in found:
            return NO_MESSAGE
        at = self._time(found.get("msgtime"))
        sender = text(found.get("from"))
        if at is None:
            return NO_TIME
        if sender is None:
            return NO_SENDER
        group = self._group(found, sender)
        kind = text(found.get("msgtype")) or "other"
        if action == "recall" or kind == "revoke" or kind in CONSENT:
            self._notice(found, at, sender, group, kind)
        else:
            self._message(found, at, sender, group, kind)
        return None

    def _time(self, value: object) -> int | None:
        """Milliseconds; a mirror of Tencent Cloud writes seconds."""
        stamp = whole(value)
        if stamp is None or not 0 < stamp < 10**14:
            return None
        seconds = self.options.unit == "s" or (
            self.options.unit is None and stamp < SECONDS_BELOW
        )
        return stamp * 1_000_000 if seconds else stamp * 1000

    def _group(self, found: Json, sender: str) -> str:
        """The room; of two people, both."""
        room = text(found.get("roomid"))
        if self.options.group or room:
            return self.options.group or room or ""
        given = found.get("tolist")
        others = [text(one) for one in given] if isinstance(given, list) else []
        return "|".join(sorted({sender, *(one for one in others if one)}))

    def _notice(self, found: Json, at: int, sender: str, group: str, kind: str) -> None:
        taken_back = text(fields(found.get("revoke")).get("pre_msgid"))
        self.rows.event(
            group_id=group, event_id=text(found.get("msgid")), at=at, zone_known="utc",
            kind="notice", raw_kind=kind, actor_id=sender, subject_id=None, text=taken_back,
        )  # fmt: skip

    def _message(self, found: Json, at: int, sender: str, group: str, kind: str) -> None:
        own = text(found.get("msgid"))
        body = fields(found.get(kind)) or fields(found.get(BODY.get(kind, "content")))
        self.rows.message(
            group_id=group,
            message_id=own,
            sent_at=at,
            zone_known="utc",
            sender_id=sender,
            role=role_of(sender),
            kind=KINDS.get(kind, "other"),
            raw_kind=kind,
            text=_text(body),
            revoked=own in self.recalled,
            forwarded=True if kind == "chatrecord" else None,
            media_name=text(body.get("filename")),
            media_type=text(body.get("fileext")),
            media_bytes=whole(
                body.get("filesize") or body.get("imagesize") or body.get("voice_size")
            ),
            media_seconds=number(body.get("play_length")),
        )


def role_of(account: str) -> str:
    """Customers are members, robots bots, and whoever has an id of the company is the brand."""
    if account.startswith("wb"):
        return "bot"
    return "member" if account.startswith(("wm", "wo")) else "brand"


def _text(body: Json) -> str | None:
    """What was written: the text, or the heading of what was sent."""
    for key in ("content", "title", "votetitle", "room_name", "topic", "doc_title", "wish",
                "address", "displayname", "description", "feed_desc", "filename"):  # fmt: skip
        if found := text(body.get(key)):
            return found
    return "\n".join(_parts(body)) or None


def _parts(body: Json) -> list[str]:
    """The texts of a mixed message or of a bundle of messages; their bodies are JSON again."""
    parts: list[str] = []
    for item in objects(body.get("item")):
        inner = _decoded(str(item.get("content") or ""))
        found = text(inner.get("content")) or text(inner.get("title"))
        if found:
            parts.append(found)
    return parts
