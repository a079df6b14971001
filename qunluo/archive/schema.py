"""The two row kinds of every archive, and the words allowed in them.

A **message** was written by an account (a person, a brand account, a bot, a system account).
An **event** is what happened to a membership, or a notice that no account wrote.
Importers fill the columns named here; the store adds the derived ones.
"""

from __future__ import annotations

from typing import Literal, get_args

import pyarrow as pa

Kind = Literal[
    "text", "image", "voice", "video", "sticker", "gif", "file", "link", "mini_program",
    "channels_video", "live", "music", "location", "contact", "red_packet", "transfer",
    "forward", "note", "announcement", "poke", "poll", "form", "todo", "calendar", "meeting",
    "document", "article", "mixed", "product", "call", "game", "action", "bot_command",
    "payment", "recalled", "system", "other",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)

EventKind = Literal["join", "leave", "remove", "invite", "rename", "notice"]
EVENT_KINDS: tuple[str, ...] = get_args(EventKind)

Role = Literal["brand", "member", "bot", "system"]
ROLES: tuple[str, ...] = get_args(Role)

ZoneKnown = Literal["utc", "offset", "assumed", "inferred"]
"""How the instant was known: an epoch, a stated offset, the zone the user gave, or only the
time of the line before (Ubuntu `===` lines)."""

INSTANT = pa.timestamp("us", tz="UTC")
REACTIONS = pa.list_(pa.struct([("emoji", pa.string()), ("count", pa.int32())]))

MESSAGES = pa.schema(
    [
        pa.field("platform", pa.string(), nullable=False),
        pa.field("group_id", pa.string(), nullable=False),
        pa.field("group_name", pa.string()),
        pa.field("message_id", pa.string()),  # the platform's own, unique in its group
        pa.field("thread_id", pa.string()),  # topic or thread, where the platform has them
        pa.field("sent_at", INSTANT, nullable=False),
        pa.field("zone_known", pa.string(), nullable=False),
        pa.field("sender_id", pa.string(), nullable=False),
        pa.field("sender_name", pa.string()),  # as shown then
        pa.field("role", pa.string()),  # only where the platform itself says it
        pa.field("kind", pa.string(), nullable=False),
        pa.field("raw_kind", pa.string()),
        pa.field("text", pa.string()),
        pa.field("reply_to", pa.string()),  # message_id of an explicit reply
        pa.field("reply_sender_id", pa.string()),  # WeChat quotes name sender and time instead
        pa.field("reply_sent_at", INSTANT),
        pa.field("mentions", pa.list_(pa.string())),
        pa.field("edited_at", INSTANT),
        pa.field("revoked", pa.bool_()),
        pa.field("forwarded", pa.bool_()),
        pa.field("reactions", REACTIONS),
        pa.field("media_name", pa.string()),
        pa.field("media_type", pa.string()),
        pa.field("media_bytes", pa.int64()),
        pa.field("media_seconds", pa.float64()),
    ]
)

EVENTS = pa.schema(
    [
        pa.field("platform", pa.string(), nullable=False),
        pa.field("group_id", pa.string(), nullable=False),
        pa.field("group_name", pa.string()),
        pa.field("event_id", pa.string()),
        pa.field("at", INSTANT, nullable=False),
        pa.field("zone_known", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # EventKind
        pa.field("raw_kind", pa.string()),
        pa.field("subject_id", pa.string()),  # whom it happened to
        pa.field("subject_name", pa.string()),
        pa.field("actor_id", pa.string()),  # who did it, where another did
        pa.field("inviter_id", pa.string()),
        pa.field("new_name", pa.string()),  # of a rename
        pa.field("text", pa.string()),  # of a notice
    ]
)

REJECTS = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),  # 1-based line or record number
        pa.field("reason", pa.string(), nullable=False),
        pa.field("content", pa.string(), nullable=False),  # first 500 characters
    ]
)
