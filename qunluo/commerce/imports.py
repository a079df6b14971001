"""Orders out of a CSV: mapped, previewed, then noted in batches, each in one transaction.

A line is the order of its number: the same file twice changes nothing, and an import that is
killed goes on where it was. Who bought must be known here: orders make no members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.db import transaction

from qunluo.commerce.models import Order, OrderImport
from qunluo.commerce.noting import do_note_sale
from qunluo.commerce.sheets import Row, are_enough, guess_columns, read_row
from qunluo.community.models import Community
from qunluo.community.queries import settings_of
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.kit.settings import read_settings
from qunluo.kit.text import Text
from qunluo.members.imports import WrongFileError
from qunluo.members.models import Identity, Member
from qunluo.members.queries import find_survivor, live_members
from qunluo.members.sealing import hash_contact
from qunluo.members.sheets import Dialect, Reject, find_dialect, read_lines

BATCH = 200
BATCHES = 10  # in one step of the worker
PREVIEWED = 1_000
SHOWN = 20
KEPT_REJECTS = 200
_STRANGER = Text(
    "nobody here has this phone, e-mail or account. Import members first.",
    "社群中没有使用该手机号、邮箱或账号的成员，请先导入成员。",
)


class WrongColumnsError(QunluoError):
    """The columns don't tell the order, the amount, the time and who bought."""

    code = "wrong_order_columns"
    sentence = Text(
        "Say which columns are the order number, the amount and the time of payment, and which "
        "one says who bought: phone, e-mail or account. Use each once.",
        "请指定订单号、金额、付款时间，以及手机号、邮箱或账号中的至少一列，每项只能选一次。",
    )


@dataclass(frozen=True)
class Preview:
    """What the first lines would do; nothing is written."""

    header: list[str]
    columns: list[str]
    rows: list[tuple[Row, Member]]  # the first, to be shown
    read: int = 0
    made: int = 0
    known: int = 0
    rejects: list[Reject] = field(default_factory=list)


@transaction.atomic
def do_start_import(community: Community, file: str, *, title: str, by: str) -> OrderImport:
    """Takes in a file that lies below the data folder and guesses its columns. Raises
    `WrongFileError`."""
    path = _path(file)
    dialect = find_dialect(path)
    header = next(read_lines(path, dialect), None)
    if not header or not any(cell.strip() for cell in header):
        raise WrongFileError
    mapping = {
        "encoding": dialect.encoding, "delimiter": dialect.delimiter,
        "header": [title[:80] for title in header], "columns": guess_columns(header),
    }  # fmt: skip
    return OrderImport.objects.create(
        community=community, by=by, file=file, title=title[:200], mapping=mapping,
        at=clock.now(),
    )  # fmt: skip


def _path(file: str) -> Path:
    """Where the file is; never outside the data folder."""
    data = read_settings().data.resolve()
    path = (data / file).resolve()
    if not path.is_relative_to(data) or not path.is_file():
        raise WrongFileError
    return path


def do_map_import(found: OrderImport, columns: Sequence[str]) -> OrderImport:
    """Says what each column holds ("" for nothing); raises `WrongColumnsError`."""
    if len(columns) != len(found.mapping["header"]) or not are_enough(columns):
        raise WrongColumnsError
    found.mapping = {**found.mapping, "columns": list(columns)}
    found.state = "mapped"
    found.save(update_fields=["mapping", "state"])
    return found


def preview(found: OrderImport, *, limit: int = PREVIEWED) -> Preview:
    """What the first lines would do."""
    mapping = found.mapping
    if not are_enough(mapping["columns"]):
        return Preview(mapping["header"], mapping["columns"], [])
    lines = list(islice(_read(found), limit))
    good, rejects = _sort(found.community, lines)
    numbers = [row.sale.number for row, _ in good]
    rows = Order.objects.filter(community=found.community, number__in=numbers)
    there = set(rows.values_list("number", flat=True))
    made = len(set(numbers) - there)
    return Preview(
        mapping["header"], mapping["columns"], good[:SHOWN], read=len(lines), made=made,
        known=len(good) - made, rejects=rejects,
    )  # fmt: skip


def _read(found: OrderImport, after: int = 0) -> Iterator[Row | Reject]:
    """The lines after the first so many; empty ones are none."""
    mapping, community = found.mapping, found.community
    dialect = Dialect(mapping["encoding"], mapping["delimiter"])
    lines = enumerate(read_lines(_path(found.file), dialect), 1)
    filled = ((n, cells) for n, cells in lines if cells is None or any(map(str.strip, cells)))
    currency, now = settings_of(community).currency, clock.now()
    for line, cells in islice(filled, after + 1, None):
        yield read_row(line, cells, mapping["columns"], zone=community.zone,
                       currency=currency, now=now)  # fmt: skip


def _sort(
    community: Community, lines: Sequence[Row | Reject]
) -> tuple[list[tuple[Row, Member]], list[Reject]]:
    """Lines with who bought, and those that can't come in, in the order of the file."""
    people = _find_people(community, [row for row in lines if isinstance(row, Row)])
    good: list[tuple[Row, Member]] = []
    rejects: list[Reject] = []
    for row in lines:
        member = people.get(row.line) if isinstance(row, Row) else None
        if isinstance(row, Reject):
            rejects.append(row)
        elif member is None:
            rejects.append(Reject(row.line, _STRANGER))
        else:
            good.append((row, member))
    return good, rejects


def _find_people(community: Community, rows: Sequence[Row]) -> dict[int, Member]:
    """Who bought, by line: the account counts before the phone, and that before the e-mail."""
    accounts = Identity.objects.filter(
        community=community, external_id__in={row.account for row in rows if row.account}
    )
    by_account = {i.external_id: i.member for i in accounts.select_related("member")}
    by_phone = _by_hash(community, "phone", {row.phone for row in rows if row.phone})
    by_email = _by_hash(community, "email", {row.email for row in rows if row.email})
    found: dict[int, Member] = {}
    for row in rows:
        member = (
            by_account.get(row.account) or by_phone.get(row.phone) or by_email.get(row.email)
        )
        if member is not None and member.erased_at is None:
            found[row.line] = find_survivor(member)
    return found


def _by_hash(community: Community, kind: str, values: set[str]) -> Mapping[str, Member]:
    """The oldest member counts where two have the same; what is only claimed is nobody's."""
    hashes = {hash_contact(value): value for value in values}
    rows = live_members(community).filter(**{f"{kind}_hash__in": list(hashes)})
    return {
        hashes[getattr(member, f"{kind}_hash")]: member
        for member in rows.order_by("-pk")
        if kind not in member.claimed
    }


# reading it in


def do_queue_import(found: OrderImport) -> None:
    """Leaves the import to the worker; raises `WrongColumnsError`."""
    do_map_import(found, found.mapping["columns"])
    OrderImport.objects.filter(pk=found.pk, state="mapped").update(state="queued")
    found.refresh_from_db()


def step_import() -> bool:
    """Reads a part of the oldest import that waits; whether there was one."""
    rows = OrderImport.objects.filter(state__in=("queued", "running")).order_by("pk")
    found = rows.select_related("community").first()
    if found is None:
        return False
    try:
        do_run_import(found, batches=BATCHES)
    except WrongFileError:  # somebody removed it
        OrderImport.objects.filter(pk=found.pk).update(state="failed")
    return True


def do_run_import(found: OrderImport, *, batches: int | None = None) -> bool:
    """Reads the file on from where it was; whether it is done. Of two that read it at once,
    each batch belongs to who moves `read`."""
    found.refresh_from_db()
    if found.state == "done":
        return True
    OrderImport.objects.filter(pk=found.pk).update(state="running")
    lines, left = _read(found, after=found.read), batches
    while left is None or left > 0:
        part = list(islice(lines, BATCH))
        if not part:
            _finish(found)
            return True
        if not _store(found, part):
            return False
        left = None if left is None else left - 1
    return False


@transaction.atomic
def _store(found: OrderImport, part: Sequence[Row | Reject]) -> bool:
    row = OrderImport.objects.select_for_update(of=("self",)).select_related("community").get(
        pk=found.pk
    )  # fmt: skip
    if row.read != found.read or row.state == "done":
        return False  # another worker took this batch
    good, rejects = _sort(row.community, part)
    before = Order.objects.filter(community=row.community).count()
    rejects += [no for sale, member in good if (no := _note(row, sale, member)) is not None]
    made = Order.objects.filter(community=row.community).count() - before
    row.read += len(part)
    row.made += made
    row.rejected += len(rejects)
    row.known += len(part) - len(rejects) - made
    rejects.sort(key=lambda reject: reject.line)
    told = [{"line": r.line, "en": r.why.en, "zh": r.why.zh} for r in rejects]
    row.rejects = [*row.rejects, *told][:KEPT_REJECTS]
    row.save(update_fields=["read", "made", "known", "rejected", "rejects"])
    found.read = row.read
    return True


def _note(row: OrderImport, line: Row, member: Member) -> Reject | None:
    try:
        do_note_sale(row.community, member, line.sale, by=row.by)
    except QunluoError as error:
        return Reject(line.line, Text(error.message("en"), error.message("zh")))
    return None


def _finish(found: OrderImport) -> None:
    """Writes the one event of an import, and removes the file: it holds personal data."""
    with transaction.atomic():
        OrderImport.objects.filter(pk=found.pk).update(state="done")
        found.refresh_from_db()
        told = {name: getattr(found, name) for name in ("read", "made", "known", "rejected")}
        record("orders_imported", community=found.community_id, actor=found.by, data=told,
               cause=f"orders_imported:{found.pk}")  # fmt: skip
    with suppress(OSError, WrongFileError):
        _path(found.file).unlink()
