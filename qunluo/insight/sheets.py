"""Small tables that people keep by hand: CSV of any spreadsheet, or JSON, as columns of text.

Nothing here knows what the columns mean; `insight.inputs` does.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from qunluo.kit.errors import QunluoError
from qunluo.kit.system import system_words
from qunluo.kit.text import Text

DELIMITERS = ",\t;|，"
CELL_CHARS = 1_000_000  # a longer cell is no table of people
CONTENT_CHARS = 500


class InputUnreadableError(QunluoError):
    """The file can't be opened at all."""

    code = "input_unreadable"
    sentence = Text(
        "{file} can't be opened: {why}. Check the path and the file's permissions.",
        "打不开 {file}：{why}。请检查路径是否正确、是否有读取权限。",
    )


class InputNotATableError(QunluoError):
    """The file opens, but holds no rows with a header."""

    code = "input_not_a_table"
    sentence = Text(
        "{file}, line {line}: {why}. Save it as CSV (UTF-8) with one header line, or as JSON "
        "with one object a row.",
        "{file} 第 {line} 行：{why}。请另存为带表头的 CSV（UTF-8），或每行一个对象的 JSON。",
    )


@dataclass(frozen=True)
class Sheet:
    """Columns of text as they stand in the file; an absent or blank cell is None.

    `lines[i]` is the 1-based line (CSV, JSON lines) or record number (JSON) of row i; `broken`
    are lines that are no row at all, with the reason and their content.
    """

    file: str
    columns: dict[str, list[str | None]]
    lines: list[int]
    broken: list[tuple[int, Text, str]]


def read_sheet(path: Path) -> Sheet:
    """The rows of a CSV, JSON or JSON-lines file, recognised by content.

    Encodings: UTF-8 with or without byte order mark, UTF-16 with one, GB18030.
    Raises InputUnreadableError and InputNotATableError.
    """
    raw = _bytes(path)
    text = _decode(raw, path.name)
    first = text.lstrip()[:1]
    if not first:
        raise _not_a_table(path.name, 1, "the file is empty", "文件是空的")
    return _json_sheet(path.name, text) if first in "[{" else _csv_sheet(path.name, text)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputUnreadableError(file=path.name, why=system_words(error)) from error


def _decode(raw: bytes, file: str) -> str:
    if raw.startswith(b"PK\x03\x04"):
        raise _not_a_table(
            file, 1, "this is an Excel workbook or a zip", "这是 Excel 工作簿或压缩包"
        )
    utf16 = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise _not_a_table(
        file,
        1,
        "its text is neither UTF-8, UTF-16 nor GB18030",
        "文字编码不是 UTF-8、UTF-16 或 GB18030",
    )


def _not_a_table(file: str, line: int, en: str, zh: str) -> InputNotATableError:
    return InputNotATableError(file=file, line=line, why=Text(en, zh))


# CSV


def _csv_sheet(file: str, text: str) -> Sheet:
    rows = _csv_rows(file, text)
    line, header = next(rows, (1, []))
    names = _header(file, line, header)
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    lines: list[int] = []
    broken: list[tuple[int, Text, str]] = []
    for line, cells in rows:
        if any(cells[len(names) :]):
            broken.append((line, _too_many(len(cells), len(names)), _content(cells)))
            continue
        lines.append(line)
        for place, name in enumerate(names):
            columns[name].append(_blank(cells[place]) if place < len(cells) else None)
    return Sheet(file, columns, lines, broken)


def _csv_rows(file: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the line each begins on."""
    csv.field_size_limit(CELL_CHARS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    begins = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _not_a_table(
                file, begins, f"not CSV ({error})", f"不是 CSV（{error}）"
            ) from error
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1


def _delimiter(text: str) -> str:
    head = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=head.count)


def _header(file: str, line: int, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        shown = twice[0] or "(blank)"
        raise _not_a_table(
            file, line, f"two columns are called “{shown}”", f"有两列都叫“{shown}”"
        )
    return names


def _too_many(got: int, want: int) -> Text:
    return Text(
        f"{got} cells where the header names {want}: put quotes around a cell with a separator",
        f"有 {got} 个单元格，而表头只有 {want} 列：含分隔符的单元格要加引号",
    )


def _content(cells: Iterable[str]) -> str:
    return ",".join(cells)[:CONTENT_CHARS]


def _blank(cell: str) -> str | None:
    return cell.strip() or None


# JSON


def _json_sheet(file: str, text: str) -> Sheet:
    broken: list[tuple[int, Text, str]] = []
    records = list(_json_records(file, text, broken))
    names = list(dict.fromkeys(name for _, record in records for name in record))
    columns = {name: [_json_cell(record.get(name)) for _, record in records] for name in names}
    return Sheet(file, columns, [line for line, _ in records], broken)


def _json_records(
    file: str, text: str, broken: list[tuple[int, Text, str]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    found = _whole(file, text)
    numbered = enumerate(found, 1) if found is not None else _json_lines(text, broken)
    for line, record in numbered:
        if isinstance(record, dict):
            yield line, record
        else:
            broken.append((line, Text("no object", "不是对象"), str(record)[:CONTENT_CHARS]))


def _whole(file: str, text: str) -> list[Any] | None:
    """The rows of one JSON document; None where each line is a document of its own."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        if _many_documents(text):
            return None
        raise _not_a_table(
            file, error.lineno, f"not JSON ({error.msg})", f"不是 JSON（{error.msg}）"
        ) from error
    except RecursionError as error:
        raise _not_a_table(file, 1, "nested too deep", "嵌套层数过多") from error
    if isinstance(found, list):
        return found
    lists = [value for value in found.values() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else [found]


def _many_documents(text: str) -> bool:
    """JSON lines: one of the first lines is an object by itself."""
    return any(_document(line) is not None for line in islice(text.splitlines(), 20))


def _document(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _json_lines(
    text: str, broken: list[tuple[int, Text, str]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, content in enumerate(text.splitlines(), 1):
        record = _document(content) if content.strip() else None
        if record is not None:
            yield line, record
        elif content.strip():
            broken.append((line, Text("not JSON", "不是 JSON"), content[:CONTENT_CHARS]))


def _json_cell(value: object) -> str | None:
    if value is None or isinstance(value, bool | str):
        return (
            _blank(value) if isinstance(value, str) else None if value is None else str(value)
        )
    return (
        str(value) if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)
    )
