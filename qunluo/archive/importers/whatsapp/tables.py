"""Columns of messages in the exact schema of the archive."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.importers.whatsapp.blocks import Positions, spans
from qunluo.archive.importers.whatsapp.bodies import (
    Special,
    body_bytes,
    rows_at,
    special_rows,
)
from qunluo.archive.importers.whatsapp.rows import (
    MARK,
    MARK_PATTERN,
    Flags,
    Headers,
    Memory,
    Split,
    person_of,
)
from qunluo.archive.schema import INSTANT, KINDS, MESSAGES

MENTION = re.compile("@\u2068([^\u2069\n]+)\u2069|@\\+?(\\d{7,15})(?!\\d)")
LRM = "\u200e".encode()


@dataclass
class Draft:
    """The messages of a block on their way to a table."""

    ids: list[str]  # of distinct senders
    names: list[str]
    senders: npt.NDArray[np.int64]  # positions in the two
    at: npt.NDArray[np.int64]
    bodies: pa.StringArray
    marked: Flags  # bodies that hold direction marks
    by_app: Flags  # bodies that begin with the mark of what the app wrote itself
    special: Special


def draft(headers: Headers, parts: Split, ends: Positions, memory: Memory) -> Draft:
    """Senders, instants and bodies of the messages of a block."""
    texts = parts.people.dictionary.to_pylist()
    people = [memory.person(text) or person_of(text) for text in texts]
    bodies = spans(headers.block, parts.body_starts, ends[parts.messages])
    marked, by_app = _marks(bodies)
    return Draft(
        ids=[person.id for person in people],
        names=[person.name for person in people],
        senders=np.asarray(parts.people.indices, np.int64),
        at=headers.at[parts.messages],
        bodies=bodies,
        marked=marked,
        by_app=by_app,
        special=special_rows(bodies, marked),
    )


def _marks(bodies: pa.StringArray) -> tuple[Flags, Flags]:
    """Which bodies hold direction marks, and which begin with U+200E."""
    offsets, data = body_bytes(bodies)
    data = data[: offsets[-1]]
    marked, by_app = np.zeros(len(bodies), bool), np.zeros(len(bodies), bool)
    heads = np.flatnonzero(data == LRM[0])
    heads = heads[heads < len(data) - 2]
    second, third = data[heads + 1], data[heads + 2]
    is_mark = (second == 0x80) & ((third == 0x8E) | ((third >= 0xAA) & (third <= 0xAE)))
    is_mark |= (second == 0x81) & (third >= 0xA6) & (third <= 0xA9)
    marked[rows_at(offsets, heads[is_mark])] = True
    lrm = heads[(second == LRM[1]) & (third == LRM[2])]
    rows = rows_at(offsets, lrm)
    by_app[rows[lrm == offsets[rows]]] = True
    return marked, by_app


def message_table(made: Draft, group: str, keep: Flags) -> pa.Table:
    """The messages that are to be kept, as a table."""
    count = len(made.bodies)
    special = made.special
    given: dict[str, pa.Array] = {
        "platform": pa.repeat("whatsapp", count),
        "group_id": pa.repeat(group, count),
        "group_name": pa.repeat(group, count),
        "sent_at": pa.array(made.at, pa.int64()).cast(INSTANT),
        "zone_known": pa.repeat("assumed", count),
        "sender_id": pa.array(made.ids, pa.string()).take(pa.array(made.senders)),
        "sender_name": pa.array(made.names, pa.string()).take(pa.array(made.senders)),
        "kind": _kinds(special.kinds, count),
        "raw_kind": _sparse(special.raw_kinds, count),
        "text": _texts(made),
        "mentions": _mentions(made.bodies),
        "revoked": pa.array(_flags(special.revoked, count)),
        "media_name": _sparse(special.media_names, count),
    }
    columns = [given.get(f.name) for f in MESSAGES]
    filled = [
        pa.nulls(count, f.type) if column is None else column
        for f, column in zip(MESSAGES, columns, strict=True)
    ]
    table = pa.Table.from_arrays(filled, schema=MESSAGES)
    return table if keep.all() else table.filter(pa.array(keep))


def _kinds(kinds: dict[int, str], count: int) -> pa.StringArray:
    if not kinds:
        return pa.repeat("text", count)
    codes = np.full(count, KINDS.index("text"), np.int8)
    codes[list(kinds)] = [KINDS.index(kind) for kind in kinds.values()]
    return pa.array(KINDS, pa.string()).take(pa.array(codes))


def _sparse(values: dict[int, str], count: int) -> pa.StringArray:
    """A column of a few values among nulls."""
    if not values:
        return pa.nulls(count, pa.string())
    codes = np.full(count, -1, np.int64)
    codes[list(values)] = np.arange(len(values))
    return pa.array(list(values.values()), pa.string()).take(pa.array(codes, mask=codes < 0))


def _flags(rows: set[int], count: int) -> Flags:
    flags = np.zeros(count, bool)
    flags[sorted(rows)] = True
    return flags


def _texts(made: Draft) -> pa.StringArray:
    """Bodies without direction marks; placeholders give way to their caption or to null."""
    replaced = made.marked.copy()
    replaced[list(made.special.texts)] = True
    if not replaced.any():
        return made.bodies
    rows = np.flatnonzero(replaced)
    bare = pc.replace_substring_regex(made.bodies.take(pa.array(rows)), MARK_PATTERN, "")
    values = bare.to_pylist() if made.special.texts else None
    if values is not None:
        texts = made.special.texts
        values = [texts.get(row, text) for row, text in zip(rows.tolist(), values, strict=True)]
        bare = pa.array(values, pa.string())
    return pc.replace_with_mask(made.bodies, pa.array(replaced), bare)


def _mentions(bodies: pa.StringArray) -> pa.ListArray:
    """Who is called by `@`: marked names, or bare numbers."""
    kind = MESSAGES.field("mentions").type
    offsets, data = body_bytes(bodies)
    rows = np.unique(rows_at(offsets, np.flatnonzero(data[: offsets[-1]] == ord("@"))))
    if not len(rows):
        return pa.nulls(len(bodies), kind)
    called: dict[int, list[str]] = {}
    for row, text in zip(rows.tolist(), bodies.take(pa.array(rows)).to_pylist(), strict=True):
        people = [_called(found) for found in MENTION.finditer(text)]
        if people:
            called[row] = people
    codes = np.full(len(bodies), -1, np.int64)
    codes[list(called)] = np.arange(len(called))
    return pa.array(list(called.values()), kind).take(pa.array(codes, mask=codes < 0))


def _called(found: re.Match[str]) -> str:
    return person_of(MARK.sub("", found[1])).id if found[1] else f"+{found[2]}"
