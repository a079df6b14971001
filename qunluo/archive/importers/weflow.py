"""WeChat by WeFlow, as JSON: `{weflow, session, messages}`.

`localType` is not to be trusted, the Chinese `type` is. `isSend` is 1 for the exporter's own
messages, 0 for others' and null for the system's.
"""

from __future__ import annotations

from collections.abc import Iterator

from qunluo.archive.importers.base import Batch, Options, Rows, Source
from qunluo.archive.importers.json_records import NO_SENDER, NO_TIME, Records
from qunluo.archive.importers.json_stream import JsonStream, outline
from qunluo.archive.importers.json_values import Json, fields, text
from qunluo.archive.importers.wechat import SYSTEM_SENDERS, Conversation, Taking, instant_of
from qunluo.archive.importers.wechat_kinds import kind_of_text, kind_of_word
from qunluo.kit.text import Text


class WeFlow:
    name = "weflow"
    label = Text("WeChat by WeFlow (JSON)", "微信（WeFlow JSON）")
    lacks: frozenset[str] = frozenset({"replies", "reactions", "edits", "roster", "threads"})

    def sniff(self, head: bytes, source: Source) -> float:
        found = outline(head)
        return (
            0.97 if "weflow" in found and ("session" in found or "messages" in found) else 0.0
        )

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        rows = Rows("wechat")
        taking = Taking(rows, options)
        chat = _session(source, options)
        with source.open() as raw:
            stream = JsonStream(raw)
            records = Records(stream, rows)
            for key in stream.each_key():
                if key == "messages":
                    for found in records.of_array():
                        reason = _of_weflow(found, chat, taking)
                        if reason:
                            records.reject(reason, found)
                        if rows.full():
                            yield rows.take()
            records.finish()
        taking.events.release()
        yield rows.take()


def _session(source: Source, options: Options) -> Conversation:
    with source.open() as raw:
        stream = JsonStream(raw)
        for key in stream.each_key():
            if key == "session":
                session = fields(stream.value())
                names = (session.get(k) for k in ("displayName", "nickname", "remark", "name"))
                name = next((found for n in names if (found := text(n))), None)
                own = text(session.get("wxid")) or name or "wechat"
                return Conversation(options.group or own, name)
    stem = source.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return Conversation(options.group or stem, stem)


def _of_weflow(found: Json, chat: Conversation, taking: Taking) -> str | None:
    """Take in one record of WeFlow; why not, if not."""
    instant = instant_of(found.get("createTime"), taking.options)
    if instant is None:
        return NO_TIME
    at, zone = instant
    word, said = text(found.get("type")), text(found.get("content"))
    kind = kind_of_word(word) or (kind_of_text(said)[0] if word is None else "other")
    common = taking.common(chat, zone)
    sender, name = text(found.get("senderUsername")) or "", text(found.get("senderDisplayName"))
    own_id = text(found.get("platformMessageId")) or text(found.get("localId"))
    if kind == "system" or (found.get("isSend", 0) is None and sender in SYSTEM_SENDERS):
        taking.events.add(
            said or "", {**common, "at": at, "event_id": own_id, "raw_kind": word}
        )
        return None
    if not sender:
        return NO_SENDER
    taking.people.seen(sender, name, text(found.get("groupNickname")))
    if found.get("isSend") == 1:
        taking.people.own_id = sender
    taking.rows.message(
        **common,
        message_id=own_id,
        sent_at=at,
        sender_id=sender,
        sender_name=name,
        kind=kind,
        raw_kind=word,
        text=said,
        mentions=taking.mentions(said),
    )
    return None
