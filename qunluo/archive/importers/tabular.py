"""Tables of messages and events: CSV (and its kin), JSONL, Parquet.

The columns are those of `archive.schema`; names that people use for them are known in English
and Chinese (`table_columns`). docs/reference/table-schema.md says it all. CSV and Parquet go
through in blocks without Python for each row.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from qunluo.archive.importers.base import (
    REJECT_CHARS,
    Batch,
    DateOrder,
    Options,
    Reject,
    Source,
    Tally,
    clean,
)
from qunluo.archive.importers.json_stream import NOT_JSON, encoding_of
from qunluo.archive.importers.lines import TOO_LONG, first_lines, lines
from qunluo.archive.importers.table_columns import TIME, columns_of, is_table
from qunluo.archive.importers.table_rows import Place, as_text, rows_of
from qunluo.archive.importers.table_times import date_order_of, needs_order
from qunluo.archive.streams import BrokenFileError
from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

PARQUET = b"PAR1"
DELIMITERS = ",;\t|"
BLOCK_BYTES = 4 << 20  # also the longest row
ROWS = 1 << 17
JSON_ROWS = 20_000
NEUTRAL = r"\A'('*[=+\-@\t\r])"  # how a formula is written so that no spreadsheet runs it

WRONG_CELLS = "the row has another number of cells than the header"
BROKEN_QUOTES = "a quoted cell is never closed, or the row is longer than 4 MB: nothing after it can be read"
BROKE_OFF = Text(
    "Nothing after row {number} could be read. Look for a quotation mark there that is never "
    "closed, then import the file again.",
    "第 {number} 行之后的内容无法读取。请检查该处是否有未闭合的引号，修正后重新导入。",
)


class BrokenTableError(QunluoError):
    code = "broken_table"
    sentence = Text(
        "“{name}” has no columns for time, sender and text. Name them in the first row, as"
        " docs/reference/table-schema.md shows.",
        "“{name}”中找不到时间、发送者和内容列。请按 docs/reference/table-schema.md 的说明在首行写明列名。",
    )


class Tabular:
    name = "tabular"
    label = Text("Table (CSV, JSONL, Parquet)", "表格（CSV、JSONL、Parquet）")
    lacks: frozenset[str] = frozenset({"roster"})

    def sniff(self, head: bytes, source: Source) -> float:
        if head.startswith(PARQUET):
            names = _parquet_names(source)  # None: a table to be sure, but damaged
            return 0.8 if names is None or is_table(names) else 0.0
        start = first_lines(head, 5)
        if _is_json_lines(start):
            return 0.5 if all(is_table(list(_object(one) or {})) for one in start[:1]) else 0.0
        return 0.5 if _dialect(start) else 0.0

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        with source.open() as raw:
            head = raw.read(1 << 16)
        if head.startswith(PARQUET):
            yield from _parquet(source, options)
        elif _is_json_lines(first_lines(head, 5)):
            yield from _json_lines(source, options)
        else:
            yield from _csv(source, options, head)
        yield Batch()


def _place(source: Source, options: Options, order: DateOrder | None) -> Place:
    """The group of a table without a group column is named by the user, or by the file."""
    stem = source.name.rpartition("/")[2].rpartition(".")[0] or source.name
    return Place("table", options.group or stem, options, order)


def _order(tables: Iterator[pa.Table], options: Options) -> DateOrder | None:
    """Whether the day or the month comes first in this file. Only files that have such dates
    are read ahead for it, up to the first block that tells."""
    if options.date_order:
        return options.date_order
    for table in tables:
        texts = _times(table)
        if not needs_order(texts):
            return None
        if order := date_order_of(texts):
            return order
    return None


def _times(table: pa.Table) -> pa.Array:
    column = table.column(TIME)
    if not (pa.types.is_string(column.type) or pa.types.is_binary(column.type)):
        return pa.array([], pa.string())
    return as_text(pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([""]))


# Parquet


def _parquet_names(source: Source) -> list[str] | None:
    """The columns' names, None of a damaged file."""
    with source.open() as raw:
        try:
            return list(pq.read_schema(_seekable(raw)).names)
        except (pa.ArrowException, OSError):
            return None


def _seekable(raw: BinaryIO) -> BinaryIO:
    """Parquet is read from its end: a stream that can't seek goes through a temporary file."""
    if raw.seekable():
        return raw
    copy = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the reader)
    while block := raw.read(1 << 20):
        copy.write(block)
    copy.seek(0)
    return cast(BinaryIO, copy)


def _parquet(source: Source, options: Options) -> Iterator[Batch]:
    names = _parquet_names(source)
    if names is None:
        raise BrokenFileError(name=source.name)
    if not is_table(names):
        raise BrokenTableError(name=source.name)
    place = _place(source, options, _order(_row_groups(source), options))
    seen = 0
    for table in _row_groups(source):
        yield rows_of(table, place, partial(_after, seen))
        seen += table.num_rows


def _after(seen: int, place: int) -> int:
    return seen + place + 1


def _row_groups(source: Source) -> Iterator[pa.Table]:
    with source.open() as raw:
        try:
            yield from _renamed(pq.ParquetFile(_seekable(raw), pre_buffer=False))
        except (pa.ArrowInvalid, OSError) as error:
            raise BrokenFileError(name=source.name) from error


def _renamed(file: pq.ParquetFile) -> Iterator[pa.Table]:
    known = columns_of(file.schema_arrow.names)
    names = [file.schema_arrow.names[place] for place in known]
    for batch in file.iter_batches(ROWS, columns=names, use_threads=False):
        table = pa.Table.from_batches([batch]).select(names)
        yield table.rename_columns(list(known.values()))


# JSONL


def _object(line: str) -> dict[str, object] | None:
    try:
        found = json.loads(line, strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_json_lines(start: list[str]) -> bool:
    return bool(start) and start[0].lstrip().startswith("{")


@dataclass
class _Gathered:
    """Lines of JSON on their way to a block: the cells as text, and what was left out."""

    numbers: list[int] = field(default_factory=list)
    cells: dict[str, list[str | None]] = field(default_factory=dict)
    left_out: Batch = field(default_factory=Batch)

    def add(self, number: int, found: dict[str, object]) -> None:
        keys = list(found)
        row = {name: _cell(found[keys[place]]) for place, name in columns_of(keys).items()}
        for name in row.keys() - self.cells.keys():
            self.cells[name] = [None] * len(self.numbers)
        for name, cells in self.cells.items():
            cells.append(row.get(name))
        self.numbers.append(number)

    def reject(self, number: int, reason: str, content: str) -> None:
        self.left_out.rejects.append(Reject(number, reason, clean(content[:REJECT_CHARS])))
        self.left_out.tally.add(Tally(lines=1, rejects=1))

    def table(self) -> pa.Table:
        columns = {name: pa.array(cells, pa.string()) for name, cells in self.cells.items()}
        columns.setdefault(TIME, pa.nulls(len(self.numbers), pa.string()))
        return pa.table(columns)


def _cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else clean(value)
    return clean(json.dumps(value, ensure_ascii=False))


def _json_lines(source: Source, options: Options) -> Iterator[Batch]:
    ahead = (gathered.table() for gathered in _gathered(source))
    place = _place(source, options, _order(ahead, options))
    for gathered in _gathered(source):
        yield gathered.left_out
        if gathered.numbers:
            yield rows_of(gathered.table(), place, gathered.numbers.__getitem__)


def _gathered(source: Source) -> Iterator[_Gathered]:
    gathered = _Gathered()
    with source.open() as raw:
        for line in lines(raw):
            _json_line(line.number, line.text, line.flaw, gathered)
            if len(gathered.numbers) >= JSON_ROWS:
                yield gathered
                gathered = _Gathered()
    yield gathered


def _json_line(number: int, text: str, flaw: str | None, gathered: _Gathered) -> None:
    found = _object(text) if flaw != TOO_LONG else None
    if not text.strip():
        gathered.left_out.tally.add(Tally(lines=1, blank=1))
    elif found is None:
        gathered.reject(number, TOO_LONG if flaw == TOO_LONG else NOT_JSON, text)
    else:
        gathered.add(number, found)


# CSV


@dataclass(frozen=True)
class _Dialect:
    delimiter: str
    header: list[str]


def _dialect(start: list[str]) -> _Dialect | None:
    """The delimiter by which the first line is a header that can be understood."""
    for delimiter in DELIMITERS if start else "":
        header = _cells(start[0], delimiter)
        if len(header) > 1 and is_table(header):
            return _Dialect(delimiter, header)
    return None


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


class _Utf8(io.RawIOBase):
    """A text stream as UTF-8 that is sure to be valid: the CSV reader of Arrow stumbles over
    bytes that are no text. What can't be decoded becomes "�"."""

    def __init__(self, raw: BinaryIO, encoding: str) -> None:
        super().__init__()
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ascii = encoding == "utf-8"  # where plain blocks can stay as they are
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer)).cast("B")
        while not self._ready and not self._ended:
            block = self._raw.read(1 << 20)
            self._ended = not block
            self._ready = self._utf8(block)
        taken = self._ready[: len(view)]
        view[: len(taken)] = taken
        self._ready = self._ready[len(taken) :]
        return len(taken)

    def _utf8(self, block: bytes) -> bytes:
        if self._ascii and block.isascii() and not self._decoder.getstate()[0]:
            return block.replace(b"\0", b"")
        text = self._decoder.decode(block, self._ended).replace("\0", "")
        return text.encode("utf-8", "replace")


def _csv(source: Source, options: Options, head: bytes) -> Iterator[Batch]:
    dialect = _dialect(first_lines(head, 5))
    if dialect is None:
        raise BrokenTableError(name=source.name)
    encoding = encoding_of(head)
    ahead = (table for table, _ in _blocks(source, encoding, dialect, _Faults()))
    place, faults = _place(source, options, _order(ahead, options)), _Faults()
    yield Batch(tally=Tally(lines=1, header=1))
    for table, seen in _blocks(source, encoding, dialect, faults):
        yield rows_of(table, place, partial(faults.number_after, seen))
        yield faults.take()
    yield faults.take()


class _Faults:
    """Rows with too many or too few cells, and where the others stand beside them."""

    def __init__(self) -> None:
        self.numbers: list[int] = []  # of the faulty rows, the header being row 1
        self._new: list[Reject] = []
        self._warnings: list[Text] = []

    def __call__(self, row: pa.csv.InvalidRow) -> str:
        number = row.number or len(self.numbers) + 2
        self.numbers.append(number)
        self._new.append(Reject(number, WRONG_CELLS, clean(row.text[:REJECT_CHARS])))
        return "skip"

    def stop(self, number: int) -> None:
        number = self.number_of(number)
        self._new.append(Reject(number, BROKEN_QUOTES, ""))
        self._warnings.append(BROKE_OFF.format(number=number))

    def number_of(self, place: int) -> int:
        """The row number, as a spreadsheet shows it, of the good row at `place` (from 0)."""
        number = place + 2
        while (shifted := place + 2 + bisect_right(self.numbers, number)) != number:
            number = shifted
        return number

    def number_after(self, seen: int, place: int) -> int:
        """The same for a row of a block before which `seen` good rows came."""
        return self.number_of(seen + place)

    def take(self) -> Batch:
        new, self._new = self._new, []
        warnings, self._warnings = self._warnings, []
        tally = Tally(lines=len(new), rejects=len(new))
        return Batch(rejects=new, tally=tally, warnings=warnings)


def _blocks(
    source: Source, encoding: str, dialect: _Dialect, faults: _Faults
) -> Iterator[tuple[pa.Table, int]]:
    """Blocks of the table with its columns named, and how many rows came before each."""
    known, seen = columns_of(dialect.header), -1  # the header comes as a row, too
    with source.open() as raw:
        stream = io.BufferedReader(_Utf8(raw, encoding), 1 << 20)
        try:
            for batch in _reader(stream, dialect, faults):
                kept = batch.slice(1) if seen < 0 else batch
                columns = [_without_guard(kept.column(place)) for place in known]
                yield pa.table(columns, names=list(known.values())), max(seen, 0)
                seen += batch.num_rows
        except pa.ArrowInvalid:
            faults.stop(max(seen, 0))


def _reader(
    stream: BinaryIO, dialect: _Dialect, faults: Callable[..., str]
) -> Iterator[pa.RecordBatch]:
    names = [f"f{place}" for place in range(len(dialect.header))]
    reader = pa.csv.open_csv(
        stream,
        pa.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, column_names=names),
        pa.csv.ParseOptions(
            delimiter=dialect.delimiter, newlines_in_values=True, invalid_row_handler=faults
        ),
        pa.csv.ConvertOptions(
            check_utf8=False,
            column_types={name: pa.string() for name in names},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    yield from reader


def _without_guard(column: pa.Array) -> pa.Array:
    """Cells as text, formulas as they were before they were made harmless."""
    texts = as_text(column)
    if not pc.any(pc.starts_with(texts, "'")).as_py():
        return texts
    return pc.replace_substring_regex(texts, NEUTRAL, r"\1")
