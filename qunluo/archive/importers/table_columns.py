"""Which column of a table is what: the names of the schema, and what people call them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qunluo.archive.schema import EVENTS, MESSAGES

TIME = "sent_at"  # of a message and of an event
EVENT = "event"

ALIASES: dict[str, tuple[str, ...]] = {
    "platform": ("平台", "来源", "app", "source"),
    "group_id": (
        "group",
        "群",
        "群id",
        "群号",
        "群聊id",
        "chat_id",
        "room_id",
        "roomid",
        "channel_id",
    ),
    "group_name": (
        "群名",
        "群名称",
        "群聊",
        "群聊名称",
        "chat",
        "room",
        "channel",
        "chat_name",
    ),
    "message_id": ("id", "msgid", "msg_id", "消息id", "消息编号"),
    "thread_id": ("thread", "topic", "话题", "主题"),
    TIME: (
        *("time", "at", "date", "datetime", "timestamp", "created_at", "send_time", "ts"),
        *("时间", "发送时间", "日期", "日期时间", "消息时间", "发言时间", "时间戳"),
    ),
    "sender_id": (
        *("sender", "from", "user", "user_id", "author", "author_id", "from_id", "uid"),
        *("发送者", "发送人", "发言人", "发送者id", "用户id", "用户", "成员", "账号"),
    ),
    "sender_name": (
        "name",
        "nickname",
        "nick",
        "user_name",
        "昵称",
        "群昵称",
        "发送者昵称",
        "姓名",
    ),
    "role": ("角色", "身份"),
    "kind": ("type", "msg_type", "msgtype", "message_type", "类型", "消息类型"),
    "raw_kind": ("原始类型",),
    "text": (
        *("content", "message", "body", "msg", "内容", "消息", "消息内容", "文本", "正文"),
    ),
    "reply_to": ("reply", "reply_to_id", "in_reply_to", "回复", "回复消息id"),
    "reply_sender_id": ("回复对象",),
    "mentions": ("mention", "提及", "艾特"),
    "edited_at": ("edited", "编辑时间"),
    "revoked": ("recalled", "deleted", "撤回", "已撤回"),
    "forwarded": ("转发", "已转发"),
    "reactions": ("reaction", "表情回应"),
    "media_name": ("file_name", "filename", "文件名"),
    "media_bytes": ("file_size", "文件大小"),
    "media_seconds": ("duration", "时长"),
    EVENT: ("event_kind", "event_type", "事件", "事件类型"),
    "event_id": ("事件id",),
    "subject_id": ("subject", "member", "member_id", "对象"),
    "subject_name": ("member_name", "对象昵称"),
    "actor_id": ("actor", "操作人"),
    "inviter_id": ("inviter", "invited_by", "邀请人"),
    "new_name": ("新昵称", "新名称"),
}

NAMES: tuple[str, ...] = tuple(dict.fromkeys([*MESSAGES.names, EVENT, *EVENTS.names]))
_KNOWN = {name: name for name in NAMES if name != "at"} | {
    alias: name for name, aliases in ALIASES.items() for alias in aliases
}


def columns_of(header: Sequence[str]) -> dict[int, str]:
    """Column number → name in the schema. The exact name goes before an alias, and the first
    of two aliases before the second; what is not known is left out."""
    found: dict[int, str] = {}
    for exact in (True, False):
        for place, cell in enumerate(header):
            word = _word(cell)
            name = _KNOWN.get(word)
            is_free = place not in found and name not in found.values()
            if name and is_free and exact == (word == name):
                found[place] = name
    return dict(sorted(_mended(found).items()))


def is_table(header: Sequence[str]) -> bool:
    """Whether these columns can be messages or events: who, when, and what."""
    names = set(columns_of(header).values())
    who = bool(names & {"sender_id", "subject_id"})
    return who and TIME in names and bool(names & {"text", "kind", EVENT})


def _mended(found: dict[int, str]) -> dict[int, str]:
    """A table with names only: the name is the id, of people as of groups."""
    for own, name in (("sender_id", "sender_name"), ("group_id", "group_name")):
        if own not in found.values() and not (own == "sender_id" and _is_events(found)):
            found = {place: own if n == name else n for place, n in found.items()}
    return found


def _is_events(found: dict[int, str]) -> bool:
    return "subject_id" in found.values()


def _word(cell: str) -> str:
    """`Sent At ` is `sent_at`."""
    return re.sub(r"[\s\-]+", "_", cell.strip().strip("\ufeff").lower())
