"""The lines of an import that did not come in: kept in a file beside it, told as a CSV.

The file holds what the lines say, so it is kept for some days only. The import's row says how
long it is: what a killed worker wrote beyond that is cut off before the next lines come.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.kit.settings import read_settings
from qunluo.kit.text import Lang, Text
from qunluo.members.models import MemberImport
from qunluo.members.sheets import Reject, guard_cell

KEPT = timedelta(days=30)
FOLDER = "imports"
_LINE, _WHY = Text("Line", "行号"), Text("Why", "原因")


def _path(imported: MemberImport) -> Path:
    return read_settings().data / FOLDER / f"{imported.pk}.rejects"


def keep_rejects(imported: MemberImport, rejects: Sequence[Reject]) -> int:
    """Adds lines behind those that are known, on the disk; how long the file is then, in bytes.
    The caller holds the import's row and writes the length into it."""
    if not rejects:
        return imported.rejects_size
    path = _path(imported)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        file.truncate(imported.rejects_size)
        file.seek(0, os.SEEK_END)
        for reject in rejects:
            file.write(_as_line(reject))
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _as_line(reject: Reject) -> bytes:
    told = [reject.line, reject.why.en, reject.why.zh, *reject.cells]
    return json.dumps(told).encode() + b"\n"


def are_kept(imported: MemberImport) -> bool:
    """Whether all of its rejected lines can be had still."""
    return imported.rejects_size > 0 and _path(imported).is_file()


def do_tell_rejects(imported: MemberImport, *, by: str, lang: Lang) -> Iterator[str]:
    """All rejected lines with their number, the reason and their cells, as the lines of a CSV
    that no spreadsheet calculates with; recorded, as contact data may be in them."""
    record("rejects_downloaded", community=imported.community_id, actor=by,
           data={"import": imported.pk, "lines": imported.rejected})  # fmt: skip
    return _tell(imported, lang)


def _tell(imported: MemberImport, lang: Lang) -> Iterator[str]:
    yield _as_csv([_LINE(lang), _WHY(lang), *imported.mapping["header"]])
    if not are_kept(imported):  # since before all lines were kept: the first, without cells
        yield from (_as_csv([r["line"], r[lang]]) for r in imported.rejects)
        return
    with _path(imported).open("rb") as file:
        while file.tell() < imported.rejects_size:
            line, en, zh, *cells = json.loads(file.readline())
            yield _as_csv([line, Text(en, zh)(lang), *cells])


def _as_csv(cells: Sequence[str | int]) -> str:
    row = io.StringIO()
    csv.writer(row).writerow([guard_cell(str(cell)) for cell in cells])
    return row.getvalue()


def do_forget_rejects() -> bool:
    """Removes the kept lines of imports that are older than `KEPT`; whether there were any."""
    old = MemberImport.objects.filter(rejects_size__gt=0, at__lt=clock.now() - KEPT)
    found = old.order_by("id").first()
    if found is None:
        return False
    with suppress(FileNotFoundError):
        _path(found).unlink()
    MemberImport.objects.filter(pk=found.pk).update(rejects_size=0)
    return True
