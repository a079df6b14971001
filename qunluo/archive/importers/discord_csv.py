"""DiscordChatExporter, CSV: `AuthorID,Author,Date,Content,Attachments,Reactions`.

It has no message id, type or reply, and no channel: that stands only in the file's name
(`Guild - Category - channel [1234].csv`), the number in brackets being the channel's id.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import datetime

from qunluo.archive.importers.base import Batch, Options, Rows, Source, micros
from qunluo.archive.importers.json_values import Json, count, iso_micros
from qunluo.archive.importers.lines import first_lines, lines
from qunluo.archive.importers.media_names import kind_of_name
from qunluo.kit.text import Text

HEADER = ["AuthorID", "Author", "Date", "Content", "Attachments", "Reactions"]

_CHANNEL = re.compile(r"(?:.* - )?(.+?)(?: \[(\d+)\])?(?: \[part \d+\])?\.\w+$")
_REACTION = re.compile(r"([^\s,]+) \((\d+)\)")
_CLOCKS = ("%H:%M", "%I:%M %p", "%H:%M:%S", "%I:%M:%S %p")
_DAYS = {
    "dmy": ("%d/%m/%Y", "%d-%b-%y", "%d.%m.%Y"),
    "mdy": ("%m/%d/%Y", "%d-%b-%y"),
    "ymd": ("%Y/%m/%d", "%Y-%m-%d", "%d-%b-%y"),
}


class DiscordCsv:
    name = "discord_csv"
    label = Text("DiscordChatExporter (CSV)", "DiscordChatExporter（CSV）")
    lacks: frozenset[str] = frozenset(
        {"ids", "replies", "joins", "leaves", "edits", "mentions", "roster", "threads"}
    )

    def sniff(self, head: bytes, source: Source) -> float:
        first = first_lines(head, 1)
        plain = first[0].replace('"', "").rstrip("\r") if first else ""
        return 0.97 if plain == ",".join(HEADER) else 0.0

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        rows = Rows("discord")
        group = _group(source.name, options)
        with source.open() as raw:
            reader = csv.reader(f"{line.text}\n" for line in lines(raw))
            records = _records(reader, rows)
            rows.tally.header += next(records, None) is not None
            for number, cells in enumerate(records, start=2):
                _one(cells, number, group, rows, options)
                if rows.full():
                    yield rows.take()
        yield rows.take()


def _records(reader: Iterator[list[str]], rows: Rows) -> Iterator[list[str]]:
    """Rows of the table, counted; one that breaks the rules of CSV comes as no cells."""
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = []
        rows.tally.lines += 1
        yield cells


def _one(cells: list[str], number: int, group: Json, rows: Rows, options: Options) -> None:
    if len(cells) != len(HEADER):
        rows.reject(number, "the row has not the six columns of this format", ",".join(cells))
        return
    at = _instant(cells[2], options)
    if at is None:
        rows.reject(number, "the date can't be read", ",".join(cells))
    elif not (cells[0] or cells[1]):
        rows.reject(number, "the row names no author", ",".join(cells))
    else:
        rows.message(**group, **_message(cells, at))


def _message(cells: list[str], at: tuple[int, bool]) -> Json:
    author_id, author, _, content, attachments, reactions = cells
    file = attachments.split(",")[0].split("?")[0].replace("\\", "/").rpartition("/")[2]
    return {
        "sent_at": at[0],
        "zone_known": "offset" if at[1] else "assumed",
        "sender_id": author_id or f"name:{author}",
        "sender_name": author or None,
        "kind": kind_of_name(file) if file else "text",
        "text": content or None,
        "media_name": file or None,
        "reactions": [
            {"emoji": name, "count": count(n)} for name, n in _REACTION.findall(reactions)
        ]
        or None,
    }


def _instant(said: str, options: Options) -> tuple[int, bool] | None:
    """ISO 8601 with offset, or the short forms of older versions in the user's own locale."""
    known = iso_micros(said, options.zone)
    if known:
        return known
    orders = [options.date_order] if options.date_order else ["mdy", "ymd"]
    for form in (f"{day} {clock}" for o in orders for day in _DAYS[o] for clock in _CLOCKS):
        try:
            local = datetime.strptime(said.strip(), form)  # noqa: DTZ007  (zone follows)
        except ValueError:
            continue
        return micros(local.replace(tzinfo=options.zone)), False
    return None


def _group(path: str, options: Options) -> Json:
    found = _CHANNEL.match(path.rpartition("/")[2])
    name = found[1] if found else path
    own = found[2] if found and found[2] else f"file:{name}"
    return {"group_id": own, "group_name": options.group or name}
