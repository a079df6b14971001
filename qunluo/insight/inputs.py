"""What a user may add to an archive: staff, roster, orders and corporate accounts.

Each reader answers typed Arrow columns and the rows it could not use. One bad row never stops
a report; a missing column, or a file without one usable row, does, in a sentence that says
what to put right. Documented for users in docs/reference/inputs.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from qunluo.insight.cells import CORPORATE_WORDS, ROLE_WORDS, count, instant, minor, word
from qunluo.insight.sheets import CONTENT_CHARS, Sheet, read_sheet
from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

STRING = pa.string()
ANY_TEXT = Text("text", "文字")
LOCAL = pa.timestamp("us")  # naive, in the community's zone


class InputColumnMissingError(QunluoError):
    """A column without which the file means nothing is not there."""

    code = "input_column_missing"
    sentence = Text(
        "{file}, line {line}: no column “{column}”. The file has: {found}. Name one column "
        "{column} (also understood: {aliases}).",
        "{file} 第 {line} 行：缺少“{column}”列。文件里有：{found}。"
        "请把其中一列命名为 {column}（也认识：{aliases}）。",
    )


class InputHasNoUsableRowError(QunluoError):
    """Every row of the file was rejected, or there is none below the header."""

    code = "input_has_no_usable_row"
    sentence = Text(
        "{file}, line {line}: no row can be used. The first problem: {why}.",
        "{file} 第 {line} 行：没有一行可用。第一个问题：{why}。",
    )


@dataclass(frozen=True)
class InputReject:
    """A row that was left out: where, in which column (None if the whole row), and why."""

    line: int
    column: str | None
    reason: Text
    content: str


@dataclass(frozen=True)
class Input:
    """A file's usable rows, and those left out."""

    file: str
    table: pa.Table
    rejects: tuple[InputReject, ...] = ()


class Staff(Input):
    """Which accounts are not plain members. Columns: `STAFF`."""


class Roster(Input):
    """Who is or was in which group. Columns: `ROSTER`."""


class Orders(Input):
    """What was bought. Columns: `ORDERS`."""


class Corporate(Input):
    """Corporate standing of accounts. Columns: `CORPORATE`."""


@dataclass(frozen=True)
class Column:
    """One column: its name in the file, other names, its type, and how a cell is read.

    `read` answers None for a cell it can't read; `hint` then tells what is expected.
    """

    name: str
    aliases: str  # other names, separated by spaces
    type: pa.DataType = STRING
    read: Callable[[str, tzinfo], Any] = lambda cell, zone: cell
    hint: Text = ANY_TEXT
    required: bool = False
    stored: str = ""  # name in the table, where it differs

    @property
    def field(self) -> str:
        return self.stored or self.name


def _date(name: str, aliases: str, required: bool = False) -> Column:
    hint = Text(
        "a date such as 2024-01-31 or 2024-01-31 18:30",
        "形如 2024-01-31 或 2024-01-31 18:30 的日期",
    )
    return Column(name, aliases, LOCAL, instant, hint, required)


def _words(name: str, aliases: str) -> Column:
    return Column(name, aliases)


def _pattern(cell: str, zone: tzinfo) -> str | None:
    """An account, or a pattern between slashes that RE2 can run."""
    if len(cell) > 2 and cell[0] == cell[-1] == "/":
        try:
            pc.match_substring_regex(pa.array([""]), cell[1:-1])
        except pa.ArrowInvalid:
            return None
    return cell


GROUPS = "group_id group group_name chat room 群 群id 群号 群名 群名称 群聊"
MEMBERS = "sender_id user_id userid wxid account_id id 成员id 会员id 用户id 微信号"
ACCOUNTS = "name sender sender_id member_id user 账号 帐号 昵称 名称 姓名 成员"

CORPORATE_COLUMNS = (
    Column(
        "corporate",
        "verification verified 企业认证 认证 认证状态 企业号",
        read=lambda cell, zone: word(cell, CORPORATE_WORDS),
        hint=Text("verified, lapsed or never", "已认证、已过期或未认证"),
    ),
    _words("vendor", "tool scrm provider 服务商 工具 第三方工具"),
)
ROSTER = (
    _words("group_id", GROUPS),
    _words("member_id", MEMBERS),
    _words("name", "nickname display_name member_name 昵称 姓名 名称 群昵称"),
    _date(
        "joined_at", "joined join_time join_date jointime 入群时间 加入时间 进群时间 入群日期"
    ),
    _date("left_at", "left leave_time leave_date 退群时间 离开时间 离群时间 退群日期"),
    *CORPORATE_COLUMNS,
)
STAFF = (
    Column(
        "account",
        ACCOUNTS,
        read=_pattern,
        hint=Text(
            "a name, an id, or a valid pattern like /bot$/",
            "昵称、ID 或有效的正则（如 /bot$/）",
        ),
        required=True,
    ),
    Column(
        "role",
        "class type 角色 身份 类型",
        read=lambda cell, zone: word(cell, ROLE_WORDS),
        hint=Text("brand, bot, system or member", "品牌、机器人、系统或成员"),
    ),
    _date("from", "from_date since start 开始 起始 开始日期 入职时间"),
    _date("until", "to end until_date 结束 截止 结束日期 离职时间"),
    _words("group", GROUPS),
)
ORDERS = (
    _words("order_id", "order order_no 订单号 订单编号 订单id"),
    _words("customer_id", "customer buyer_id client_id 客户id 客户编号 客户 买家id 买家"),
    _words("member_id", MEMBERS),
    _date(
        "paid_at",
        "date paid payment_time order_date created_at time "
        "付款时间 支付时间 下单时间 日期 时间 订单日期",
        required=True,
    ),
    Column(
        "amount",
        "total price paid_amount revenue 金额 实付金额 实付 支付金额 总价",
        pa.int64(),
        lambda cell, zone: minor(cell),
        Text("an amount such as 11.77", "形如 11.77 的金额"),
        stored="amount_minor",
    ),
    Column(
        "quantity",
        "qty count items 数量 件数",
        pa.int64(),
        lambda cell, zone: count(cell),
        Text("a whole number", "整数"),
    ),
    _words("source", "channel utm_source 来源 渠道"),
    _words("campaign", "activity utm_campaign 活动 活动名称"),
)
CORPORATE = (
    Column("account", ACCOUNTS, required=True),
    *CORPORATE_COLUMNS,
    _words("group", GROUPS),
)


def read_staff(path: str | Path, zone: tzinfo = UTC) -> Staff:
    """Accounts with their role; without a role column all are brand."""
    file, table, rejects = _read(Path(path), STAFF, zone)
    role = pc.fill_null(table["role"], "brand")
    return Staff(file, table.set_column(1, "role", role), rejects)


def read_roster(path: str | Path, zone: tzinfo = UTC) -> Roster:
    """Members by group; a row needs an id or a name."""
    return Roster(*_read(Path(path), ROSTER, zone, either=("member_id", "name")))


def read_corporate(path: str | Path, zone: tzinfo = UTC) -> Corporate:
    """Corporate standing and tool vendor of accounts."""
    return Corporate(*_read(Path(path), CORPORATE, zone, either=("corporate", "vendor")))


def read_orders(path: str | Path, zone: tzinfo = UTC) -> Orders:
    """Paid orders; rows that share an order id are lines of one order.

    A missing customer is the member, a missing quantity 1; a row without an order id is an
    order of its own, called by its line (`#17`).
    """
    file, table, rejects = _read(
        Path(path), ORDERS, zone, either=("customer_id", "member_id"), numbered="order_id"
    )
    names = table.column_names
    customer = pc.coalesce(table["customer_id"], table["member_id"])
    table = table.set_column(names.index("customer_id"), "customer_id", customer)
    quantity = pc.fill_null(table["quantity"], 1)
    table = table.set_column(names.index("quantity"), "quantity", quantity)
    return Orders(file, table, rejects)


def schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema that a reader of these columns answers (for empty tables)."""
    return pa.schema([(column.field, column.type) for column in columns])


def _read(
    path: Path,
    columns: tuple[Column, ...],
    zone: tzinfo,
    either: tuple[str, ...] = (),
    numbered: str = "",
) -> tuple[str, pa.Table, tuple[InputReject, ...]]:
    sheet = read_sheet(path)
    found = {column.name: _find(sheet, column) for column in columns}
    _check_columns(sheet, columns, found, either)
    bad: dict[int, InputReject] = {}
    arrays = {c.field: _values(sheet, c, found[c.name], zone, bad) for c in columns}
    _check_either(sheet, arrays, either, bad)
    if numbered:
        told = zip(arrays[numbered], sheet.lines, strict=True)
        arrays[numbered] = [cell or f"#{line}" for cell, line in told]
    rejects = _rejects(sheet, bad)
    kept = [row for row in range(len(sheet.lines)) if row not in bad]
    if not kept:
        raise _no_row(sheet, rejects)
    return sheet.file, _table(arrays, columns, kept if bad else None), rejects


def _find(sheet: Sheet, column: Column) -> str | None:
    """The header cell that means this column: its own name first, then aliases in order."""
    headers = {_plain(name): name for name in reversed(list(sheet.columns))}
    words = (column.name, *column.aliases.split())
    return next((headers[_plain(w)] for w in words if _plain(w) in headers), None)


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def _check_columns(
    sheet: Sheet,
    columns: tuple[Column, ...],
    found: dict[str, str | None],
    either: tuple[str, ...],
) -> None:
    missing = [c for c in columns if c.required and found[c.name] is None]
    if either and all(found[name] is None for name in either):
        missing += [c for c in columns if c.name == either[0]]
    if missing:
        raise InputColumnMissingError(
            file=sheet.file,
            line=1,
            column=missing[0].name,
            found=", ".join(sheet.columns)[:CONTENT_CHARS] or "–",
            aliases=", ".join(missing[0].aliases.split()[:8]),
        )


def _values(
    sheet: Sheet, column: Column, name: str | None, zone: tzinfo, bad: dict[int, InputReject]
) -> list[Any]:
    """The column's cells as values; every distinct text is read once."""
    if name is None:
        return [None] * len(sheet.lines)
    cells = sheet.columns[name]
    known = {cell: column.read(cell, zone) for cell in set(cells) if cell is not None}
    values = [None if cell is None else known[cell] for cell in cells]
    for row, (cell, value) in enumerate(zip(cells, values, strict=True)):
        if value is None and (cell is not None or column.required):
            bad.setdefault(row, _reject(sheet, row, name, cell, column.hint))
    return values


def _reject(sheet: Sheet, row: int, name: str, cell: str | None, hint: Text) -> InputReject:
    shown = (cell or "")[:60]
    reason = Text(
        f"column “{name}” says “{shown}”, expected {hint.en}",
        f"“{name}”列的内容是“{shown}”，应为{hint.zh}",
    )
    return InputReject(sheet.lines[row], name, reason, _content(sheet, row))


def _check_either(
    sheet: Sheet,
    arrays: dict[str, list[Any]],
    either: tuple[str, ...],
    bad: dict[int, InputReject],
) -> None:
    if not either:
        return
    reason = Text(f"neither {' nor '.join(either)} is given", f"{' 和 '.join(either)} 都没有填")
    for row, cells in enumerate(zip(*(arrays[name] for name in either), strict=True)):
        if all(cell is None for cell in cells):
            line = sheet.lines[row]
            bad.setdefault(row, InputReject(line, None, reason, _content(sheet, row)))


def _content(sheet: Sheet, row: int) -> str:
    return ",".join(cells[row] or "" for cells in sheet.columns.values())[:CONTENT_CHARS]


def _rejects(sheet: Sheet, bad: dict[int, InputReject]) -> tuple[InputReject, ...]:
    whole = [InputReject(line, None, why, content) for line, why, content in sheet.broken]
    return tuple(sorted([*whole, *bad.values()], key=lambda reject: reject.line))


def _no_row(sheet: Sheet, rejects: tuple[InputReject, ...]) -> InputHasNoUsableRowError:
    if rejects:
        return InputHasNoUsableRowError(
            file=sheet.file, line=rejects[0].line, why=rejects[0].reason
        )
    why = Text("there is no row below the header", "表头下面没有数据")
    return InputHasNoUsableRowError(file=sheet.file, line=1, why=why)


def _table(
    arrays: dict[str, list[Any]], columns: tuple[Column, ...], kept: list[int] | None
) -> pa.Table:
    table = pa.table({c.field: pa.array(arrays[c.field], c.type) for c in columns})
    return table if kept is None else table.take(pa.array(kept, pa.int64()))
