"""A block of a table, any column types, to rows of the archive, without Python for each row."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.importers.base import Batch, DateOrder, Options, Reject, Tally, clean
from qunluo.archive.importers.json_values import count, objects
from qunluo.archive.importers.table_columns import EVENT, TIME
from qunluo.archive.importers.table_times import instants
from qunluo.archive.schema import (
    EVENT_KINDS,
    EVENTS,
    INSTANT,
    KINDS,
    MESSAGES,
    REACTIONS,
    ROLES,
)

NO_TIME = "the time is missing or can't be read (or day and month can't be told apart)"
NO_SENDER = "the row names no sender"
NO_EVENT = "the row's event is none that is known"
NO_SUBJECT = "the event names nobody it happened to"

KIND_WORDS = {
    "文本": "text", "文字": "text", "图片": "image", "照片": "image", "语音": "voice",
    "视频": "video", "文件": "file", "表情": "sticker", "表情包": "sticker", "动图": "gif",
    "链接": "link", "小程序": "mini_program", "视频号": "channels_video", "直播": "live",
    "音乐": "music", "位置": "location", "名片": "contact", "红包": "red_packet",
    "转账": "transfer", "转发": "forward", "聊天记录": "forward", "笔记": "note",
    "公告": "announcement", "群公告": "announcement", "拍一拍": "poke", "投票": "poll",
    "系统": "system", "系统消息": "system", "撤回": "recalled", "通话": "call", "其他": "other",
    "photo": "image", "picture": "image", "audio": "voice", "url": "link",
}  # fmt: skip
EVENT_WORDS = {
    "入群": "join", "加入": "join", "进群": "join", "joined": "join", "退群": "leave",
    "离开": "leave", "left": "leave", "quit": "leave", "移出": "remove", "踢出": "remove",
    "removed": "remove", "kick": "remove", "邀请": "invite", "invited": "invite",
    "改名": "rename", "nick": "rename", "通知": "notice",
}  # fmt: skip
ROLE_WORDS = {"品牌": "brand", "员工": "brand", "staff": "brand", "成员": "member", "群友": "member",
              "机器人": "bot", "系统": "system"}  # fmt: skip
YES = frozenset({"1", "true", "t", "yes", "y", "是", "真"})
NO = frozenset({"0", "false", "f", "no", "n", "否", "假"})
ZONES = frozenset({"utc", "offset", "assumed", "inferred"})


@dataclass(frozen=True)
class Place:
    """What a table does not say in its columns."""

    platform: str
    group: str  # where there is no group column, or its cell is empty
    options: Options
    order: DateOrder | None


def rows_of(table: pa.Table, place: Place, number_of: Callable[[int], int]) -> Batch:
    """The rows of a block whose columns bear names of the schema.

    `number_of` gives the number of a row of the block as rejects shall show it.
    """
    block = _Block(table, place)
    events, unknown = block.which_are_events()
    messages = pc.invert(events)
    reasons = block.reasons(events, unknown)
    good = pc.is_null(reasons)
    empty = block.empty()
    usable = pc.and_(good, pc.invert(empty))
    rejects = block.rejects(pc.if_else(empty, None, reasons), number_of)
    found = _kept(block.messages, pc.and_(messages, usable), MESSAGES)
    happened = _kept(block.events, pc.and_(events, usable), EVENTS)
    blank = pc.sum(empty).as_py() or 0
    tally = Tally(table.num_rows, found.num_rows, happened.num_rows, len(rejects), blank)
    return Batch(found, happened, rejects, tally)


def _kept(table: Callable[[], pa.Table], wanted: pa.Array, schema: pa.Schema) -> pa.Table:
    """The wanted rows; most blocks hold only messages, so nothing is built for the others."""
    if not pc.any(wanted).as_py():
        return schema.empty_table()
    return table() if pc.all(wanted).as_py() else table().filter(wanted)


class _Block:
    def __init__(self, table: pa.Table, place: Place) -> None:
        self.table, self.place, self.size = table, place, table.num_rows
        self.time = instants(self._raw(TIME), place.options, place.order)

    def _raw(self, name: str) -> pa.Array:
        if name not in self.table.column_names:
            return pa.nulls(self.size, pa.string())
        column = self.table.column(name).combine_chunks()
        return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column

    def texts(self, name: str) -> pa.Array:
        """A column as text, an empty cell null; of `text` an empty one stays."""
        found = as_text(self._raw(name))
        return found if name == "text" else pc.if_else(pc.equal(found, ""), None, found)

    # what a row is

    def which_are_events(self) -> tuple[pa.Array, pa.Array]:
        """Which rows are events, and which name an event that is not known."""
        if EVENT in self.table.column_names:
            named = self.texts(EVENT)
            is_event = pc.is_valid(named)
            return is_event, pc.and_(is_event, pc.is_null(self.event_kinds()))
        words = {*EVENT_KINDS, "入群", "退群"}
        is_event = pc.is_in(pc.utf8_lower(self.texts("kind")), pa.array(sorted(words)))
        return is_event, pa.repeat(False, self.size)

    def event_kinds(self) -> pa.Array:
        named = self.texts(EVENT if EVENT in self.table.column_names else "kind")
        return mapped(named, lambda word: _one_of(word, EVENT_KINDS, EVENT_WORDS))

    def subject(self) -> pa.Array:
        """Whom an event happened to; in a table of joins that is simply the sender."""
        return pc.coalesce(self.texts("subject_id"), self.texts("sender_id"))

    def reasons(self, events: pa.Array, unknown: pa.Array) -> pa.Array:
        """Why a row can't be read; null where it can."""
        no_time = pc.is_null(self.time.at)
        no_sender = pc.and_(pc.invert(events), pc.is_null(self.texts("sender_id")))
        needs = pc.invert(pc.fill_null(pc.equal(self.event_kinds(), "notice"), False))
        no_one = pc.and_(pc.is_null(self.subject()), pc.is_null(self.texts("subject_name")))
        no_subject = pc.and_(pc.and_(events, needs), no_one)
        no_subject = pc.and_(no_subject, pc.is_null(self.texts("event_id")))
        cases = pc.make_struct(no_time, no_sender, unknown, no_subject)
        return pc.case_when(cases, NO_TIME, NO_SENDER, NO_EVENT, NO_SUBJECT)

    def empty(self) -> pa.Array:
        """Rows without anything, as spreadsheets leave at their end."""
        filled = pa.repeat(False, self.size)
        for name in self.table.column_names:
            filled = pc.or_(filled, pc.is_valid(self._raw(name)))
        return pc.invert(filled)

    def rejects(self, reasons: pa.Array, number_of: Callable[[int], int]) -> list[Reject]:
        places = pc.indices_nonzero(pc.is_valid(reasons)).to_pylist()
        rows = self.table.take(pa.array(places, pa.int64())).to_pylist() if places else []
        said = reasons.take(pa.array(places, pa.int64())).to_pylist()
        return [
            Reject(number_of(p), why, _shown(row))
            for p, why, row in zip(places, said, rows, strict=True)
        ]

    # the columns of the archive

    def messages(self) -> pa.Table:
        given = self._shared() | {
            "sent_at": self.time.at,
            "sender_id": pc.fill_null(self.texts("sender_id"), ""),
            "kind": self._kinds(),
            "raw_kind": self._raw_kinds(),
            "role": mapped(self.texts("role"), lambda word: _one_of(word, ROLES, ROLE_WORDS)),
        }
        return self._typed(MESSAGES, given)

    def events(self) -> pa.Table:
        given = self._shared() | {
            "at": self.time.at,
            "kind": pc.fill_null(self.event_kinds(), ""),
            "event_id": pc.coalesce(self.texts("event_id"), self.texts("message_id")),
            "subject_id": self.subject(),
            "subject_name": pc.coalesce(self.texts("subject_name"), self.texts("sender_name")),
        }
        return self._typed(EVENTS, given)

    def _shared(self) -> dict[str, pa.Array]:
        stated = self.texts("zone_known")
        stated = pc.if_else(pc.is_in(stated, pa.array(sorted(ZONES))), stated, None)
        return {
            "platform": pc.fill_null(self.texts("platform"), self.place.platform),
            "group_id": pc.fill_null(self.texts("group_id"), self.place.group),
            "group_name": self._group_names(),
            "zone_known": pc.coalesce(stated, self.time.zone_known, pa.scalar("assumed")),
        }

    def _group_names(self) -> pa.Array:
        if self.place.options.group:
            return pa.repeat(pa.scalar(self.place.options.group), self.size)
        if "group_name" in self.table.column_names:
            return self.texts("group_name")
        return pc.fill_null(self.texts("group_id"), self.place.group)

    def _kinds(self) -> pa.Array:
        found = mapped(
            self.texts("kind"), lambda word: _one_of(word, KINDS, KIND_WORDS) or "other"
        )
        return pc.fill_null(found, "text")

    def _raw_kinds(self) -> pa.Array:
        """The word of the file, where it is not one of ours."""
        said = self.texts("kind")
        own = pc.fill_null(pc.equal(said, self._kinds()), False)
        return pc.coalesce(self.texts("raw_kind"), pc.if_else(own, None, said))

    def _typed(self, schema: pa.Schema, given: dict[str, pa.Array]) -> pa.Table:
        columns = [given[f.name] if f.name in given else self._cast(f) for f in schema]
        return pa.table(
            [_required(c, f) for c, f in zip(columns, schema, strict=True)], schema=schema
        )

    def _cast(self, column: pa.Field) -> pa.Array:
        """An optional column: a cell that is no such value is null."""
        kind, raw = column.type, self._raw(column.name)
        if raw.type == kind:
            return raw
        if pa.types.is_string(kind):
            return self.texts(column.name)
        if kind == INSTANT:
            return instants(raw, self.place.options, self.place.order).at
        if pa.types.is_list(kind):
            return _lists(raw, kind)
        if pa.types.is_boolean(kind):
            return mapped(as_text(raw), _yes_or_no, pa.bool_())
        return numbers(raw, kind)


def _required(column: pa.Array, of: pa.Field) -> pa.Array:
    """Rows that are filtered out later may still be null here: Arrow does not mind."""
    return column.cast(of.type) if column.type != of.type else column


def as_text(column: pa.Array) -> pa.Array:
    """Any column as UTF-8 text; bytes that are no text become "�"."""
    if column.type == pa.string():
        return column
    if pa.types.is_dictionary(column.type):
        return as_text(column.dictionary_decode())
    if pa.types.is_floating(column.type):
        return _float_text(column)
    if pa.types.is_nested(column.type):
        return _nested_text(column)
    try:
        return pc.cast(column, pa.string())
    except pa.ArrowInvalid:
        return _bytes_text(column)


def _bytes_text(column: pa.Array) -> pa.Array:
    texts = [None if v is None else v.decode("utf-8", "replace") for v in column.to_pylist()]
    return pa.array(texts, pa.string())


def _nested_text(column: pa.Array) -> pa.Array:
    """Lists, structs and the like as JSON, which is no chat but at least all there."""
    texts = [
        None if v is None else clean(json.dumps(v, ensure_ascii=False, default=str))
        for v in column.to_pylist()
    ]
    return pa.array(texts, pa.string())


def _float_text(column: pa.Array) -> pa.Array:
    """Ids that a data frame turned into floats: `12.0` is `12`."""
    return pc.replace_substring_regex(pc.cast(column, pa.string()), r"\.0$", "")


def mapped(
    column: pa.Array, word: Callable[[str], object], kind: pa.DataType | None = None
) -> pa.Array:
    """Each distinct text looked up once."""
    coded = column.dictionary_encode()
    values = [None if v is None else word(v) for v in coded.dictionary.to_pylist()]
    return pa.array(values, kind or pa.string()).take(coded.indices)


def numbers(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Numbers of a column, null where there is none."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return pc.cast(column, kind, safe=False)
    texts = pc.utf8_trim_whitespace(as_text(column))
    form = (
        r"^-?\d{1,18}$"
        if pa.types.is_integer(kind)
        else r"^-?\d{1,18}(\.\d+)?([eE][-+]?\d{1,3})?$"
    )
    return pc.cast(pc.if_else(pc.match_substring_regex(texts, form), texts, None), kind)


def _lists(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        try:
            return pc.cast(column, kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            return pa.nulls(len(column), kind)
    reader = _reactions if kind == REACTIONS else _names
    return mapped(as_text(column), reader, kind)


def _names(said: str) -> object:
    """`["a","b"]`, or `a;b`."""
    if said.startswith("["):
        try:
            found = json.loads(said)
        except (ValueError, RecursionError):
            return None
        return [clean(str(v)) for v in found if v is not None]
    return [part.strip() for part in said.split(";") if part.strip()] or None


def _reactions(said: str) -> object:
    """`[{"emoji":"👍","count":2}]`."""
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list):
        return None
    return [
        {"emoji": _emoji(v.get("emoji")), "count": count(v.get("count"))}
        for v in objects(found)
    ]


def _emoji(value: object) -> str | None:
    return clean(value) if isinstance(value, str) else None


def _yes_or_no(word: str) -> bool | None:
    said = word.strip().lower()
    return True if said in YES else (False if said in NO else None)


def _one_of(word: str, words: tuple[str, ...], others: dict[str, str]) -> str | None:
    said = word.strip().lower()
    return said if said in words else others.get(said)


def _shown(row: dict[str, object]) -> str:
    values = (v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in row.values())
    return clean(",".join("" if v is None else str(v) for v in values)[:500])
