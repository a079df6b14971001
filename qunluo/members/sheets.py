"""A CSV of members: how it is written, what its columns are, what a row says. Pure."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text
from qunluo.members.rules import (
    clean_account,
    clean_name,
    mask_email,
    mask_phone,
    plain,
    read_date,
    read_email,
    read_phone,
    read_value,
)

COLUMNS = ("name", "phone", "email", "external_id", "region", "birthday", "note", "tags")
FORMULA = frozenset("=+-@\t\r")  # what a cell that spreadsheets calculate with begins with
GUARD = "'"
FIELD = "field:"  # and the key of a profile field
CHUNK = 1 << 20
DELIMITERS = ",\t;|，"
_CALLED: dict[str, tuple[str, ...]] = {
    "name": ("name", "full name", "member", "nickname", "姓名", "名字", "名称", "昵称", "客户名称",
             "客户姓名", "会员姓名"),
    "phone": ("phone", "mobile", "telephone", "tel", "phone number", "mobile number", "手机",
              "手机号", "手机号码", "电话", "电话号码", "联系电话", "联系方式"),
    "email": ("email", "e-mail", "mail", "email address", "邮箱", "电子邮箱", "邮件", "电子邮件"),
    "external_id": ("id", "external id", "externalid", "user id", "userid", "account", "openid",
                    "member id", "编号", "会员编号", "客户编号", "账号", "用户id", "会员号", "会员卡号"),
    "region": ("region", "city", "province", "area", "地区", "城市", "省份", "所在地", "区域"),
    "birthday": ("birthday", "birth date", "date of birth", "birthdate", "生日", "出生日期"),
    "note": ("note", "notes", "remark", "remarks", "comment", "备注", "说明"),
    "tags": ("tags", "tag", "labels", "label", "标签", "客户标签"),
}  # fmt: skip
_NO_KEY = Text(
    "it has no phone, e-mail or account id, so it could not be recognised again.",
    "没有手机号、邮箱或账号，之后将无法识别是否为同一人。",
)
_WRONG_BIRTHDAY = Text(
    "the birthday is no date like 2026-03-01.", "生日不是有效日期，例如 2026-03-01。"
)
_UNREADABLE = Text("the line can't be read as CSV.", "这一行不是有效的 CSV。")


@dataclass(frozen=True)
class Dialect:
    """How a file is written."""

    encoding: str
    delimiter: str


@dataclass(frozen=True)
class FieldKind:
    key: str
    label: str
    kind: str
    choices: Sequence[str] = ()


@dataclass
class Row:
    """What one line says of a member, ready to be stored."""

    line: int
    name: str
    phone: str = ""
    email: str = ""
    external_id: str = ""
    region: str = ""
    birthday: date | None = None
    note: str = ""
    tags: list[str] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reject:
    """A line that can't come in, why, and what it holds, which is shown to nobody by chance."""

    line: int
    why: Text
    cells: tuple[str, ...] = field(default=(), repr=False, compare=False)


def find_dialect(path: Path) -> Dialect:
    """UTF-8 (with or without a mark), UTF-16 with one, else GB18030; reads the file once."""
    encoding = _find_encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as lines:
        head = lines.readline(CHUNK)
    return Dialect(encoding, max(DELIMITERS, key=head.count))


def _find_encoding(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        head = file.read(3)
        if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        try:
            decoder.decode(head)
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "gb18030"
    return "utf-8-sig"


def read_lines(path: Path, dialect: Dialect) -> Iterator[list[str] | None]:
    """The cells of each record, the header first; None for one that can't be read. Streams."""
    with path.open(encoding=dialect.encoding, errors="replace", newline="") as lines:
        reader = csv.reader(lines, delimiter=dialect.delimiter)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield None
                continue
            yield cells


def guess_columns(header: Sequence[str], kinds: Sequence[FieldKind]) -> list[str]:
    """What each column seems to hold, each thing once; "" for what is not known."""
    taken: set[str] = set()
    found: list[str] = []
    for title in header:
        guess = _guess(title, kinds)
        found.append("" if guess in taken else guess)
        taken.add(guess)
    return found


def _guess(title: str, kinds: Sequence[FieldKind]) -> str:
    said = re.sub(r"[\s_]+", " ", title).strip().casefold()
    own = {name: f"{FIELD}{k.key}" for k in kinds for name in (k.key, k.label.casefold())}
    known = {name: column for column, names in _CALLED.items() for name in names}
    return own.get(said) or known.get(said, "")


def read_row(
    line: int, cells: Sequence[str] | None, columns: Sequence[str],
    kinds: Mapping[str, FieldKind],
) -> Row | Reject:  # fmt: skip
    """A member, or why the line can't be one."""
    if cells is None:
        return Reject(line, _UNREADABLE)
    said = {c: _plain(v) for c, v in zip(columns, cells, strict=False) if c}
    try:
        found = _read(line, said, kinds)
    except QunluoError as error:
        found = Reject(line, Text(error.message("en"), error.message("zh")))
    return replace(found, cells=tuple(cells)) if isinstance(found, Reject) else found


def _plain(cell: str) -> str:
    """What a cell says; without the sign that keeps spreadsheets from calculating with it."""
    said = plain(cell, 4000).strip()
    return said[1:] if said[:1] == GUARD and said[1:2] in FORMULA else said


def guard_cell(cell: str) -> str:
    """A cell that a spreadsheet shows and does not calculate with."""
    return GUARD + cell if cell[:1] in FORMULA else cell


def _read(line: int, said: Mapping[str, str], kinds: Mapping[str, FieldKind]) -> Row | Reject:
    row = Row(
        line, clean_name(said.get("name", "")), external_id=clean_account(said.get("external_id", "")),
        phone=read_phone(said["phone"]) if said.get("phone") else "",
        email=read_email(said["email"]) if said.get("email") else "",
        region=clean_name(said.get("region", "")), note=said.get("note", ""),
        tags=_split_tags(said.get("tags", "")), fields=_read_fields(said, kinds),
        birthday=read_date(said.get("birthday", "")),
    )  # fmt: skip
    if not (row.phone or row.email or row.external_id):
        return Reject(line, _NO_KEY)
    if said.get("birthday") and row.birthday is None:
        return Reject(line, _WRONG_BIRTHDAY)
    row.name = row.name or _name_by_contact(row)
    return row


def _name_by_contact(row: Row) -> str:
    masked = mask_phone(row.phone) if row.phone else mask_email(row.email) if row.email else ""
    return masked or clean_name(row.external_id) or "?"


def _split_tags(text: str) -> list[str]:
    names = (clean_name(name)[:60] for name in re.split(r"[;；|,，、]", text))
    return list(dict.fromkeys(name for name in names if name))


def _read_fields(said: Mapping[str, str], kinds: Mapping[str, FieldKind]) -> dict[str, Any]:
    found = {}
    for column, text in said.items():
        kind = kinds.get(column.removeprefix(FIELD)) if column.startswith(FIELD) else None
        if kind is not None:
            found[kind.key] = read_value(kind.kind, kind.choices, text, label=kind.label)
    return {key: value for key, value in found.items() if value is not None}
