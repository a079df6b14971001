"""WeChat as CSV: chatlog, MemoTrace (留痕), and PyWxDump.

chatlog's table has neither a type nor a zone: kinds are read from placeholders such as `[语音]`,
and times in the zone the user gives. MemoTrace and PyWxDump write numbers or Chinese words.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from qunluo.archive.importers.base import Batch, Options, Rows, Source
from qunluo.archive.importers.json_records import NO_SENDER, NO_TIME
from qunluo.archive.importers.json_values import Json, iso_micros, whole
from qunluo.archive.importers.lines import lines
from qunluo.archive.importers.wechat import SYSTEM_SENDERS, Conversation, Taking, epoch_of
from qunluo.archive.importers.wechat_kinds import kind_of_numbers, kind_of_text, kind_of_word
from qunluo.kit.text import Text

NO_TABLE = "the row can't be read as CSV"
WRONG_CELLS = "the row has another number of cells than the header"
LONGEST_CELL = 16 << 20

Cells = dict[str, str]


@dataclass(frozen=True)
class Parsed:
    """One row of any of the tables."""

    chat: Conversation
    at: tuple[int, str] | None
    sender: str
    name: str | None
    kind: str
    raw_kind: str | None
    text: str
    own_id: str | None = None
    from_me: bool = False


@dataclass(frozen=True)
class Layout:
    """One kind of table: by which columns it is known, and how a row is read."""

    columns: frozenset[str]
    parse: Callable[[Cells, Options, str], Parsed]


class WeChatCsv:
    name = "wechat_csv"
    label = Text(
        "WeChat table (chatlog, MemoTrace, PyWxDump)", "微信表格（chatlog、留痕、PyWxDump）"
    )
    lacks: frozenset[str] = frozenset(
        {"replies", "reactions", "zone", "edits", "roster", "threads"}
    )

    def sniff(self, head: bytes, source: Source) -> float:
        row = next(_cells(io.BytesIO(head)), [])
        return 0.95 if isinstance(row, list) and _layout(row) else 0.0

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        rows = Rows("wechat")
        taking = Taking(rows, options)
        with source.open() as raw:
            table = _cells(raw)
            header = next(table, [])
            layout = _layout(header) if isinstance(header, list) else None
            rows.tally.lines = rows.tally.header = 1 if header else 0
            for number, row in enumerate(table, 2):
                _row(row, header, layout, number, taking, source.name)
                if rows.full():
                    yield rows.take()
        taking.events.release()
        yield rows.take()


def _row(
    row: list[str] | str,
    header: list[str] | str,
    layout: Layout | None,
    number: int,
    taking: Taking,
    name: str,
) -> None:
    """Take in one row, or set it aside."""
    taking.rows.tally.lines += 1
    if isinstance(row, str) or isinstance(header, str) or layout is None:
        taking.rows.reject(number, NO_TABLE, row if isinstance(row, str) else ",".join(row))
    elif not any(cell.strip() for cell in row):
        taking.rows.tally.blank += 1
    elif len(row) != len(header):
        taking.rows.reject(number, WRONG_CELLS, ",".join(row))
    else:
        cells = dict(zip((cell.strip() for cell in header), row, strict=True))
        reason = _take_in(layout.parse(cells, taking.options, name), taking)
        if reason:
            taking.rows.reject(number, reason, ",".join(row))


def _take_in(found: Parsed, taking: Taking) -> str | None:
    if found.at is None:
        return NO_TIME
    at, zone = found.at
    common = taking.common(found.chat, zone)
    if found.kind == "system" or found.sender in ("系统消息", "系统"):
        own: Json = {**common, "at": at, "event_id": found.own_id, "raw_kind": found.raw_kind}
        taking.events.add(found.text, own)
        return None
    if found.sender in SYSTEM_SENDERS:
        return NO_SENDER
    taking.people.seen(found.sender, found.name)
    if found.from_me:
        taking.people.own_id = found.sender
    taking.rows.message(
        **common,
        message_id=found.own_id,
        sent_at=at,
        sender_id=found.sender,
        sender_name=found.name,
        kind=found.kind,
        raw_kind=found.raw_kind,
        text=found.text,
        mentions=taking.mentions(found.text),
    )
    return None


# the tables


def _chatlog(cells: Cells, options: Options, _name: str) -> Parsed:
    kind, raw_kind = kind_of_text(cells["Content"])
    talker = cells["Talker"].strip() or "wechat"
    return Parsed(
        Conversation(options.group or talker, cells["TalkerName"] or None),
        _time(cells["Time"], options),
        cells["Sender"].strip(),
        cells["SenderName"] or None,
        kind,
        raw_kind,
        cells["Content"],
    )


def _memotrace(cells: Cells, options: Options, name: str) -> Parsed:
    own = cells.get("localId", "").strip() or None
    type_, subtype = whole(cells["Type"]), whole(cells.get("SubType"))
    kind, raw_kind = kind_of_numbers(type_, subtype), cells["Type"] or None
    if type_ is None:
        kind = kind_of_word(cells["Type"]) or kind_of_text(cells["StrContent"])[0]
    elif subtype:
        raw_kind = f"{type_}/{subtype}"
    shown = cells.get("Remark") or cells.get("NickName") or None
    mine = cells.get("IsSender") == "1"
    sender = cells.get("Sender", "").strip() or (shown or "") or ("我" if mine else "")
    return Parsed(
        Conversation(options.group or cells.get("TalkerId", "").strip() or _stem(name), _stem(name)),
        _time(cells["CreateTime"], options) or _time(cells.get("StrTime", ""), options),
        sender, shown, kind, raw_kind, cells["StrContent"], own, mine,
    )  # fmt: skip


def _pywxdump(cells: Cells, options: Options, name: str) -> Parsed:
    word = cells["type_name"].strip()
    kind = kind_of_word(word) or ("other" if word else kind_of_text(cells["msg"])[0])
    room = cells.get("room_name", "").strip() or _stem(name)
    return Parsed(
        Conversation(options.group or room, _stem(name)),
        _time(cells["CreateTime"], options),
        cells["talker"].strip(),
        cells.get("nickname") or cells["talker"] or None,
        kind,
        word or None,
        cells["msg"],
        cells.get("MsgSvrID") or cells.get("id") or None,
        cells.get("is_sender") == "1",
    )


LAYOUTS = (
    Layout(
        frozenset({"Time", "SenderName", "Sender", "TalkerName", "Talker", "Content"}), _chatlog
    ),
    Layout(frozenset({"StrContent", "CreateTime", "Type"}), _memotrace),
    Layout(frozenset({"type_name", "talker", "msg", "CreateTime"}), _pywxdump),
)


def _layout(header: list[str]) -> Layout | None:
    names = {cell.strip() for cell in header}
    return next((layout for layout in LAYOUTS if layout.columns <= names), None)


def _time(said: str, options: Options) -> tuple[int, str] | None:
    """An epoch, or a written time with or without offset."""
    said = said.strip()
    epoch = whole(said)
    if epoch is not None:
        return epoch_of(epoch)
    local = iso_micros(said.replace("/", "-"), options.zone)
    return (local[0], "offset" if local[1] else "assumed") if local else None


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].rsplit(".", 1)[0]


# the rows of a table


def _cells(raw: BinaryIO) -> Iterator[list[str] | str]:
    """Rows as cells, or as text where they can't be read."""
    csv.field_size_limit(LONGEST_CELL)
    texts = (line.text + "\n" for line in lines(raw))
    reader = csv.reader(texts)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield str(error)
