"""Members out of a CSV: mapped, previewed, then read in batches, each in one transaction.

A row is the member with its account id, its phone or its e-mail, in this order; who is there
gets what they lack and keeps what they have. So the same file twice changes nothing, and an
import that is killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

from django.db import IntegrityError, connection, transaction

from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.kit.settings import read_settings
from qunluo.kit.text import Text
from qunluo.members.incoming import Batch
from qunluo.members.models import Field, MemberImport
from qunluo.members.rejecting import keep_rejects
from qunluo.members.sheets import (
    COLUMNS,
    FIELD,
    Dialect,
    FieldKind,
    Reject,
    Row,
    find_dialect,
    guess_columns,
    read_lines,
    read_row,
)

BATCH = 2_000
KEPT_REJECTS = 200
PREVIEWED = 1_000
SHOWN = 20
CHANNEL = "import"
TRIES = 3


class WrongFileError(QunluoError):
    """The file is gone, empty or no CSV."""

    code = "wrong_import_file"
    sentence = Text(
        "This file has no table in it. Save the sheet as CSV, with titles in its first line.",
        "文件中没有表格，请将表格另存为 CSV，第一行为列名。",
    )


class WrongMappingError(QunluoError):
    """The columns don't fit, or nothing tells members apart."""

    code = "wrong_mapping"
    sentence = Text(
        "Say which column is the phone, the e-mail or the account id, and use each target once.",
        "请指定手机号、邮箱或账号中的至少一列，且每个目标只能选一次。",
    )


@dataclass(frozen=True)
class Preview:
    """What the first rows would do; nothing is written."""

    header: list[str]
    columns: list[str]
    rows: list[Row]  # the first, to be shown
    read: int
    made: int
    met: int
    rejects: list[Reject] = field(default_factory=list)


@transaction.atomic
def do_start_import(
    community: Community, file: str, *, title: str, by: str, channel: str = CHANNEL
) -> MemberImport:
    """Takes in a file that lies below the data folder and guesses its columns."""
    path = _path(file)
    dialect = find_dialect(path)
    header = next(read_lines(path, dialect), None)
    if not header or not any(cell.strip() for cell in header):
        raise WrongFileError
    columns = guess_columns(header, list(_kinds(community).values()))
    mapping = {"encoding": dialect.encoding, "delimiter": dialect.delimiter, "channel": channel,
               "header": [h[:80] for h in header], "columns": columns}  # fmt: skip
    return MemberImport.objects.create(
        community=community,
        by=by,
        file=file,
        title=title[:200],
        mapping=mapping,
        at=clock.now(),
    )


def _path(file: str) -> Path:
    """Where the file is; never outside the data folder."""
    data = read_settings().data.resolve()
    path = (data / file).resolve()
    if not path.is_relative_to(data) or not path.is_file():
        raise WrongFileError
    return path


def _kinds(community: Community) -> dict[str, FieldKind]:
    rows = Field.objects.filter(community=community)
    return {row.key: FieldKind(row.key, row.label, row.kind, row.choices) for row in rows}


def list_targets(community: Community) -> list[str]:
    """What a column may be mapped to."""
    return [*COLUMNS, *(f"{FIELD}{key}" for key in _kinds(community))]


def do_map_import(
    imported: MemberImport, columns: Sequence[str], *, channel: str | None = None
) -> MemberImport:
    """Says what each column holds ("" for nothing); raises `WrongMappingError`."""
    used = [column for column in columns if column]
    known = set(list_targets(imported.community))
    if len(columns) != len(imported.mapping["header"]) or len(set(used)) != len(used):
        raise WrongMappingError
    if not set(used) <= known or not {"phone", "email", "external_id"} & set(used):
        raise WrongMappingError
    more = {"channel": channel[:20]} if channel else {}
    imported.mapping = {**imported.mapping, "columns": list(columns), **more}
    imported.state = "mapped"
    imported.save(update_fields=["mapping", "state"])
    return imported


def preview(imported: MemberImport, *, limit: int = PREVIEWED) -> Preview:
    """What the first rows would do."""
    found = list(islice(_read(imported), limit))
    rows = [row for row in found if isinstance(row, Row)]
    batch = Batch(imported.community, imported.mapping["channel"], rows)
    return Preview(
        header=imported.mapping["header"], columns=imported.mapping["columns"],
        rows=rows[:SHOWN], read=len(found), made=batch.made, met=batch.met,
        rejects=[row for row in found if isinstance(row, Reject)],
    )  # fmt: skip


def _read(imported: MemberImport, after: int = 0) -> Iterator[Row | Reject]:
    """The rows after the first so many; empty lines are none."""
    mapping, kinds = imported.mapping, _kinds(imported.community)
    dialect = Dialect(mapping["encoding"], mapping["delimiter"])
    lines = enumerate(read_lines(_path(imported.file), dialect), 1)
    filled = ((n, cells) for n, cells in lines if cells is None or any(map(str.strip, cells)))
    for line, cells in islice(filled, after + 1, None):
        yield read_row(line, cells, mapping["columns"], kinds)


def do_queue_import(imported: MemberImport) -> None:
    """Leaves the import to the worker; raises `WrongMappingError` where no key is mapped."""
    do_map_import(imported, imported.mapping["columns"])
    MemberImport.objects.filter(pk=imported.pk, state="mapped").update(state="queued")
    imported.refresh_from_db()


def do_run_import(imported: MemberImport, *, batches: int | None = None) -> bool:
    """Reads the file on from where it was, to its end or so many batches; whether it is done.
    Two that run it at once don't double anything: each batch belongs to who moves `read`."""
    imported.refresh_from_db()
    if imported.state == "done":
        return True
    if not {"phone", "email", "external_id"} & set(imported.mapping["columns"]):
        raise WrongMappingError
    MemberImport.objects.filter(pk=imported.pk).update(state="running")
    rows = _read_on(imported)
    for _ in range(batches) if batches is not None else count():
        found = list(islice(rows, BATCH))
        if not found:
            _finish(imported)
            return True
        if not _take_in(imported, found):
            return False
    _left_at[:] = [(imported.pk, imported.read, rows)]
    return False


_left_at: list[tuple[int, int, Iterator[Row | Reject]]] = []  # of this process, one at most


def _read_on(imported: MemberImport) -> Iterator[Row | Reject]:
    """The rows from where the import is: where this process left it, the file need not be read
    from its beginning again."""
    left = _left_at.pop() if _left_at else None
    if left is not None and left[:2] == (imported.pk, imported.read):
        return left[2]
    return _read(imported, after=imported.read)


def _take_in(imported: MemberImport, found: Sequence[Row | Reject]) -> bool:
    """One batch; again where somebody met one of its members at the same moment."""
    for attempt in range(TRIES):
        try:
            return _store(imported, found)
        except IntegrityError:
            if attempt == TRIES - 1:
                raise
    return False


@transaction.atomic
def _store(imported: MemberImport, found: Sequence[Row | Reject]) -> bool:
    row = MemberImport.objects.select_for_update().get(pk=imported.pk)
    if row.read != imported.read or row.state == "done":
        return False  # another worker took this batch
    batch = Batch(
        row.community, row.mapping["channel"], [r for r in found if isinstance(r, Row)]
    )
    batch.store(by=row.by)
    rejects = [r for r in found if isinstance(r, Reject)]
    row.read += len(found)
    row.made += batch.made
    row.met += batch.met
    row.rejected += len(rejects)
    row.rejects = [*row.rejects, *map(_plain, rejects)][:KEPT_REJECTS]
    row.rejects_size = keep_rejects(row, rejects)
    row.save(update_fields=["read", "made", "met", "rejected", "rejects", "rejects_size"])
    imported.read = row.read
    return True


def _plain(reject: Reject) -> dict[str, Any]:
    return {"line": reject.line, "en": reject.why.en, "zh": reject.why.zh}


def _finish(imported: MemberImport) -> None:
    """Writes the one event of an import, and removes the file: it holds personal data."""
    with transaction.atomic():
        MemberImport.objects.filter(pk=imported.pk).update(state="done")
        imported.refresh_from_db()
        record("members_imported", community=imported.community_id, actor=imported.by,
               cause=f"members_imported:{imported.pk}", data=count_import(imported))  # fmt: skip
    with suppress(OSError, WrongFileError):
        _path(imported.file).unlink()
    if connection.vendor == "postgresql" and imported.made > BATCH:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE members_member")  # the planner learns the words


def count_import(imported: MemberImport) -> dict[str, int]:
    names: Iterable[str] = ("read", "made", "met", "rejected")
    return {name: getattr(imported, name) for name in names}
