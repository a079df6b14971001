"""Slack export, zip or folder: `<channel>/YYYY-MM-DD.json` beside `users.json` and others.

`ts` is a string and the id of a message in its channel; it is never made a float. A folder
bears the channel's *name* of the day of export, so the group's id comes from `channels.json`
(direct messages lie in folders named by id). A thread's answers lie in their own day's file.
The lists beside the days yield no rows; they are read where names are needed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from qunluo.archive.importers.base import Batch, Options, Rows, Source
from qunluo.archive.importers.json_records import NO_TIME, Records
from qunluo.archive.importers.json_stream import JsonStream, outline
from qunluo.archive.importers.json_values import (
    Json,
    count,
    epoch_micros,
    fields,
    objects,
    text,
    whole,
)
from qunluo.archive.importers.media_names import kind_of_mime
from qunluo.kit.text import Text

CHANNEL_LISTS = ("channels.json", "groups.json", "mpims.json", "dms.json")
USER_LISTS = ("users.json", "org_users.json")
LISTS = frozenset(
    {*CHANNEL_LISTS, *USER_LISTS, "integration_logs.json", "canvases.json", "lists.json"}
    | {"file_conversations.json", "huddle_transcripts.json", "external_users.json"}
)
LIST_KEYS = (
    {"id", "team_id"},  # users
    {"id", "created", "members"},  # channels, groups, dms
    {"id", "name", "created", "creator"},
    {"user_id", "change_type", "date"},  # integrations
    {"id", "filetype"},  # canvases
)
JOINS = frozenset({"channel_join", "group_join"})
LEAVES = frozenset({"channel_leave", "group_leave"})
NOTICES = (
    *("channel_", "group_", "pinned_", "unpinned_", "bot_add", "bot_remove", "bot_enable"),
    *("bot_disable", "reminder_", "sh_room_", "ekm_", "app_", "message_"),
)
SYSTEM_ACCOUNT = "USLACKBOT"

_MARK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")

HIDDEN = Text(
    "The free plan hid files or older messages: Slack exports only what it still shows.",
    "Slack 免费版隐藏了部分文件或较早的消息，导出中只有仍可见的内容。",
)


@dataclass(frozen=True)
class Person:
    name: str | None
    bot: bool


@dataclass(frozen=True)
class Channel:
    group_id: str
    group_name: str | None


@dataclass
class Workspace:
    """The lists beside the days: users by id, channels by folder name."""

    users: dict[str, Person] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)

    def shown(self, user: str) -> str | None:
        person = self.users.get(user)
        return person.name if person else None


class Slack:
    name = "slack"
    label = Text("Slack export", "Slack 导出")
    lacks: frozenset[str] = frozenset({"roster"})

    def __init__(self) -> None:
        self._known: dict[str, Workspace] = {}

    def sniff(self, head: bytes, source: Source) -> float:
        records = outline(head).get("")
        if not isinstance(records, list):
            return 0.0
        found = objects(records)
        if not found:
            return 0.6 if _is_list_of_slack(source) else 0.0
        if all({"ts", "type"} <= one.keys() and one["type"] == "message" for one in found):
            return 0.95
        is_list = any(keys <= found[0].keys() for keys in LIST_KEYS)
        return 0.9 if is_list and _is_list_of_slack(source) else 0.0

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        rows = Rows("slack")
        if not _is_list_of_slack(source):
            space = self._workspace(source)
            with source.open() as raw:
                records = Records(JsonStream(raw), rows)
                yield from _day(records, rows, space, _channel(source, space, options))
        yield rows.take()

    def _workspace(self, source: Source) -> Workspace:
        """The lists, read once for all days of an export: they tell exports apart."""
        lists = [(name, source.sibling(f"../{name}")) for name in (*USER_LISTS, *CHANNEL_LISTS)]
        found = [(name, one) for name, one in lists if one]
        key = hashlib.sha256(repr([(n, _start(one)) for n, one in found]).encode()).hexdigest()
        if key not in self._known:
            self._known = {key: _workspace(found)}
        return self._known[key]


def _is_list_of_slack(source: Source) -> bool:
    """Whether the file is one of the lists: by its name, as it may be empty, and its kin."""
    name = source.name.rpartition("/")[2]
    return name in LISTS and any(source.sibling(kin) for kin in ("channels.json", "users.json"))


def _start(source: Source) -> tuple[int, bytes]:
    with source.open() as raw:
        return getattr(source, "size", 0), hashlib.sha256(raw.read(1 << 16)).digest()


def _workspace(lists: list[tuple[str, Source]]) -> Workspace:
    space = Workspace()
    for name, source in lists:
        for found in _objects(source):
            if name in USER_LISTS:
                _add_user(space, found)
    for name, source in lists:
        for found in _objects(source) if name in CHANNEL_LISTS else ():
            _add_channel(space, found)
    return space


def _objects(source: Source) -> Iterator[Json]:
    with source.open() as raw:
        for found in JsonStream(raw).records():
            if isinstance(found, dict):
                yield found


def _add_user(space: Workspace, found: Json) -> None:
    own, profile = text(found.get("id")), fields(found.get("profile"))
    if own:
        bot = found.get("is_bot") is True or own == SYSTEM_ACCOUNT
        space.users[own] = Person(_name(profile) or text(found.get("name")), bot)


def _name(profile: Json) -> str | None:
    return text(profile.get("display_name")) or text(profile.get("real_name"))


def _add_channel(space: Workspace, found: Json) -> None:
    own, name = text(found.get("id")), text(found.get("name"))
    if own is None:
        return
    members = found.get("members")
    people = (
        [space.shown(str(m)) or str(m) for m in members] if isinstance(members, list) else []
    )
    space.channels[own] = Channel(own, name or ", ".join(people[:10]) or own)
    if name:
        space.channels[name] = Channel(own, name)


def _channel(source: Source, space: Workspace, options: Options) -> Channel:
    folder = source.name.rpartition("/")[0].rpartition("/")[2] or "unknown"
    known = space.channels.get(folder) or Channel(folder, folder)
    return Channel(known.group_id, options.group or known.group_name)


def _day(records: Records, rows: Rows, space: Workspace, channel: Channel) -> Iterator[Batch]:
    for found in records.of_array():
        _one(found, records, rows, space, channel)
        if rows.full():
            yield rows.take()
    records.finish()


def _one(found: Json, records: Records, rows: Rows, space: Workspace, channel: Channel) -> None:
    at, subtype = epoch_micros(found.get("ts")), text(found.get("subtype")) or ""
    where: Json = {"group_id": channel.group_id, "group_name": channel.group_name}
    if at is None:
        records.reject(NO_TIME, found)
    elif subtype in JOINS | LEAVES or (subtype.startswith(NOTICES)):
        rows.event(
            same_line=False, **where, at=at, zone_known="utc", **_event(found, subtype, space)
        )
    else:
        rows.message(**where, sent_at=at, zone_known="utc", **_message(found, subtype, space))
        if any(f.get("mode") == "hidden_by_limit" for f in objects(found.get("files"))):
            _warn_once(rows)


def _warn_once(rows: Rows) -> None:
    if HIDDEN not in rows.warnings:
        rows.warnings.append(HIDDEN)


def _event(found: Json, subtype: str, space: Workspace) -> Json:
    user = text(found.get("user"))
    values: Json = {
        # several people may join in one microsecond's `ts` of a bulk invite
        "event_id": f"{found.get('ts')}/{user or ''}",
        "raw_kind": subtype,
        "actor_id": user,
    }
    if subtype in JOINS:
        inviter = text(found.get("inviter"))
        return {**values, "kind": "join", **_subject(user, space), "inviter_id": inviter}
    if subtype in LEAVES:
        return {**values, "kind": "leave", **_subject(user, space)}
    return {**values, "kind": "notice", "text": readable(text(found.get("text")), space)}


def _subject(user: str | None, space: Workspace) -> Json:
    return {"subject_id": user, "subject_name": space.shown(user) if user else None}


def _message(found: Json, subtype: str, space: Workspace) -> Json:
    sender, name = _sender(found, space)
    said = text(found.get("text"))
    values: Json = {
        "message_id": text(found.get("ts")),
        "sender_id": sender,
        "sender_name": name,
        "role": _role(found, subtype, space, sender),
        "raw_kind": subtype or None,
        "text": readable(said, space) or _attached(found, space),
        "mentions": _mentions(said) or None,
        "edited_at": epoch_micros(fields(found.get("edited")).get("ts")),
        **_kind(found, subtype),
    }
    _add_thread(values, found)
    if "reactions" in found:
        values["reactions"] = [_reaction(r) for r in objects(found["reactions"])]
    if any(a.get("is_share") is True for a in objects(found.get("attachments"))):
        values["forwarded"] = True
    return values


def _sender(found: Json, space: Workspace) -> tuple[str, str | None]:
    """Who wrote: `bot_message` may lack `user`, a file comment has it inside."""
    user = text(found.get("user")) or text(fields(found.get("comment")).get("user"))
    called = text(found.get("username"))
    if user:
        profile = fields(found.get("user_profile"))
        return user, _name(profile) or space.shown(user) or called
    bot = text(found.get("bot_id"))
    called = called or _shown_bot(found)
    return bot or (f"bot:{called}" if called else "unknown"), called


def _shown_bot(found: Json) -> str | None:
    return text(fields(found.get("bot_profile")).get("name"))


def _role(found: Json, subtype: str, space: Workspace, sender: str) -> str | None:
    person = space.users.get(sender)
    bot = subtype == "bot_message" or "bot_id" in found or (person is not None and person.bot)
    if sender == SYSTEM_ACCOUNT:
        return "system"
    return "bot" if bot else None


def _kind(found: Json, subtype: str) -> Json:
    if subtype == "tombstone":
        return {"kind": "recalled", "revoked": True}
    files = objects(found.get("files")) or objects([found.get("file")])
    if subtype == "me_message":
        return {"kind": "action"}
    if subtype == "huddle_thread":
        return {"kind": "call"}
    if subtype == "document_comment_root":
        return {"kind": "document"}
    return _file(files[0]) if files and subtype != "file_comment" else {"kind": "text"}


def _file(found: Json) -> Json:
    name, mime = text(found.get("name")), text(found.get("mimetype"))
    kind = "voice" if found.get("subtype") == "slack_audio" else kind_of_mime(mime, name)
    length = whole(found.get("duration_ms"))
    return {
        "kind": kind,
        "media_name": name,
        "media_type": mime,
        "media_bytes": whole(found.get("size")),
        "media_seconds": length / 1000 if length is not None else None,
    }


def _add_thread(values: Json, found: Json) -> None:
    thread = text(found.get("thread_ts"))
    if thread:
        values["thread_id"] = thread
        values["reply_to"] = thread if thread != found.get("ts") else None


def _reaction(found: Json) -> Json:
    return {"emoji": text(found.get("name")), "count": count(found.get("count"))}


def _attached(found: Json, space: Workspace) -> str | None:
    """What bots and comments say outside `text`."""
    comment = text(fields(found.get("comment")).get("comment"))
    parts = [
        text(a.get("text")) or text(a.get("fallback"))
        for a in objects(found.get("attachments"))
    ]
    return readable(comment or "\n".join(p for p in parts if p) or None, space)


def _mentions(said: str | None) -> list[str]:
    marks = _MARK.findall(said) if said and "<@" in said else []
    return [mark[1:] for mark, _ in marks if mark.startswith("@")]


def readable(said: str | None, space: Workspace) -> str | None:
    """Slack's markup as a person sees it: `<@U2>` by name, `&lt;` as `<`."""
    if not said or ("<" not in said and "&" not in said):
        return said
    shown = _MARK.sub(partial(_shown_mark, space), said) if "<" in said else said
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _shown_mark(space: Workspace, found: re.Match[str]) -> str:
    mark, label = found[1], found[2]
    if mark.startswith("@"):
        return f"@{label or space.shown(mark[1:]) or mark[1:]}"
    if mark.startswith("#"):
        known = space.channels.get(mark[1:])
        return f"#{label or (known.group_name if known else None) or mark[1:]}"
    if mark.startswith("!"):
        return label or f"@{mark[1:].partition('^')[0]}"
    return mark if not label or label in mark else f"{label} ({mark})"
