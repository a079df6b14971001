"""How staged rows become a segment: ordered, without duplicates, with their neighbours known.

The result is a function of the *set* of rows ever imported, whatever the order of imports:
the same message in two overlapping exports is one message (the platform's own id says so, or
the same group, instant, sender and words, and the how-manieth of these in its export); of two
versions the later edited wins, by a total order.

Decisions are made on a few integer columns; words are only compared where these are equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from qunluo.archive.schema import EVENTS, MESSAGES

Ints = NDArray[np.int64]

NAIVE = pa.timestamp("us")  # UTC in sent_at and at, the community's clock in local_at
STAGED_EXTRA = [("source_no", pa.int32()), ("pos", pa.int64())]
SECOND = 1_000_000
BATCH_ROWS = 122_880


def _stored(
    schema: pa.Schema, keys: list[str], more: list[tuple[str, pa.DataType]]
) -> pa.Schema:
    naive = [f.with_type(NAIVE) if pa.types.is_timestamp(f.type) else f for f in schema]
    first = [pa.field(k, pa.int64()) for k in keys] + [pa.field("local_at", NAIVE)]
    return pa.schema(
        first + [f.with_nullable(True) for f in naive] + [pa.field(*m) for m in more]
    )


_MESSAGE_KEYS = ["group_key", "sender_key"]
_EVENT_KEYS = ["group_key", "subject_key", "actor_key", "inviter_key"]
_ORDER = [("seq", pa.int64()), ("nth", pa.int64())]
_REPLY = ("reply_sender_key", pa.int64())
_DERIVED = [
    (name, pa.int64())
    for name in ("chars", "reaction_count", "reply_delay_s", "prev_sender_key", "prev_gap_s")
]

STAGED_MESSAGES = _stored(MESSAGES, _MESSAGE_KEYS, [_REPLY, *STAGED_EXTRA])
STAGED_EVENTS = _stored(EVENTS, _EVENT_KEYS, STAGED_EXTRA)
SEGMENT_MESSAGES = _stored(MESSAGES, _MESSAGE_KEYS, [_REPLY, *_ORDER, *_DERIVED])
SEGMENT_EVENTS = _stored(EVENTS, _EVENT_KEYS, _ORDER)


@dataclass(frozen=True)
class Shape:
    """Which columns say that two rows are the same, which of them is later, and their order."""

    instant: str
    own_id: str
    who: tuple[str, ...]  # keys that identify a row without an id
    words: tuple[str, ...]  # and texts that do
    latest: tuple[str, ...]  # of two versions, the greater in these wins, nulls last
    ties: tuple[str, ...]  # then in these, so that the order of imports is no matter


MESSAGE_SHAPE = Shape(
    instant="sent_at",
    own_id="message_id",
    who=("sender_key",),
    words=("kind", "text"),
    latest=("edited_at", "revoked", "reaction_count", "seq"),
    ties=("text", "kind", "sender_name", "group_name", "raw_kind", "reply_to", "media_name",
          "sent_at", "sender_key"),
)  # fmt: skip
EVENT_SHAPE = Shape(
    instant="at",
    own_id="event_id",
    who=("subject_key", "actor_key"),
    words=("kind", "new_name", "text"),
    latest=("seq",),
    ties=("kind", "text", "new_name", "subject_name", "group_name", "raw_kind", "at",
          "subject_key"),
)  # fmt: skip


def settled_messages(staged: pa.Table, stored: pa.Table | None, *, overlap: bool) -> Settled:
    """Messages of a segment. `overlap`: some may be there twice, by their ids or by coming from
    several exports."""
    rows = _with_numbers(staged, MESSAGE_SHAPE)
    chars = pc.fill_null(pc.utf8_length(rows["text"]), 0).cast(pa.int64())
    rows = rows.append_column("chars", chars)
    rows = rows.append_column("reaction_count", _reaction_counts(rows["reactions"]))
    if stored is not None:
        rows = pa.concat_tables([rows, stored.select(rows.column_names)])
    if overlap or stored is not None:
        rows = _one_of_each(rows, MESSAGE_SHAPE)
    order = _order(rows, MESSAGE_SHAPE)
    rows = _with_replies(rows)
    return Settled(rows, order, _neighbours(rows, order), SEGMENT_MESSAGES)


def settled_events(staged: pa.Table, stored: pa.Table | None) -> Settled:
    """Events of a segment."""
    rows = _with_numbers(staged, EVENT_SHAPE)
    if stored is not None:
        rows = pa.concat_tables([rows, stored.select(rows.column_names)])
    rows = _one_of_each(rows, EVENT_SHAPE)
    return Settled(rows, _order(rows, EVENT_SHAPE), {}, SEGMENT_EVENTS)


@dataclass(frozen=True)
class Settled:
    """Rows with the order they shall have; `derived` columns are in that order already."""

    rows: pa.Table
    order: Ints
    derived: dict[str, pa.Array]
    schema: pa.Schema

    def batches(self) -> Iterator[pa.Table]:
        """The rows in order, piece by piece, so that only one copy is in memory."""
        plain = [n for n in self.schema.names if n not in self.derived]
        rows = self.rows.select(plain)
        sorted_already = bool((np.diff(self.order) == 1).all())
        for start in range(0, len(self.order), BATCH_ROWS):
            places = self.order[start : start + BATCH_ROWS]
            piece = rows.slice(start, BATCH_ROWS) if sorted_already else rows.take(places)
            made = {k: v.slice(start, piece.num_rows) for k, v in self.derived.items()}
            columns = [made[n] if n in made else piece[n] for n in self.schema.names]
            yield pa.Table.from_arrays(columns, schema=self.schema)


def _ints(rows: pa.Table, name: str) -> Ints:
    """A column as integers; nulls are 0, which no hash is in practice."""
    column = rows[name]
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return np.asarray(pc.fill_null(column, 0).to_numpy(), np.int64)


def _with_numbers(staged: pa.Table, shape: Shape) -> pa.Table:
    """Adds `seq`, the order among rows of one group and instant, and `nth`, the order among
    those that are equal, both as their source has them."""
    place = [_ints(staged, n) for n in ("source_no", "group_key", shape.instant)]
    pos = _ints(staged, "pos")
    nth = np.zeros(len(pos), np.int64)
    near = np.flatnonzero(_repeated(place) & pc.is_null(staged[shape.own_id]).to_numpy())
    alike = [*place, *(_ints(staged, n) for n in shape.who)]
    near = near[_repeated([k[near] for k in alike])]
    if len(near):
        words = [codes(staged[w].take(pa.array(near))) for w in shape.words]
        nth[near] = _ranks([*(k[near] for k in alike), *words], pos[near])
    rows = staged.append_column("seq", pa.array(_ranks(place, pos)))
    return rows.append_column("nth", pa.array(nth)).drop(["source_no", "pos"])


def codes(column: pa.ChunkedArray) -> Ints:
    """Equal numbers for equal words."""
    coded = pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")
    chunks = coded.chunks if isinstance(coded, pa.ChunkedArray) else [coded]
    return np.concatenate([c.indices.to_numpy() for c in chunks]).astype(np.int64)


def sorting(keys: Sequence[Ints]) -> Ints:
    """The stable order of rows by these keys, the first key first.

    Most exports are in order already, which costs much less to see than to sort.
    """
    equal = np.ones(max(len(keys[0]) - 1, 0), bool)  # neighbours, in the keys seen so far
    for key in keys:
        if (equal & (key[1:] < key[:-1])).any():
            return np.asarray(np.lexsort(tuple(reversed(keys))), np.int64)
        equal &= key[1:] == key[:-1]
    return np.arange(len(keys[0]))


def _starts(keys: Sequence[Ints], order: Ints) -> NDArray[np.bool_]:
    """Where, in that order, a row differs from the one before."""
    first = np.ones(len(order), bool)
    if len(order) > 1:
        ordered = (key[order] for key in keys)
        first[1:] = np.logical_or.reduce([k[1:] != k[:-1] for k in ordered])
    return first


def _ranks(keys: Sequence[Ints], pos: Ints) -> Ints:
    """Of each row, its place from 0 by `pos` among the rows with equal keys."""
    order = sorting([*keys, pos])
    first = np.flatnonzero(_starts(keys, order))
    lengths = np.diff(np.append(first, len(order)))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order)) - np.repeat(first, lengths)
    return ranks


def _repeated(keys: Sequence[Ints]) -> NDArray[np.bool_]:
    """Rows whose keys another row has too."""
    order = sorting(keys)
    first = _starts(keys, order)
    last = np.append(first[1:], True) if len(first) else first
    repeated = np.zeros(len(order), bool)
    repeated[order] = ~(first & last)
    return repeated


def _one_of_each(rows: pa.Table, shape: Shape) -> pa.Table:
    """Drops rows that are another version of the same message or event."""
    own = np.asarray(pc.is_valid(rows[shape.own_id]).to_numpy(), bool)
    drop = np.zeros(rows.num_rows, bool)
    with_id = np.flatnonzero(own)
    if len(with_id):
        ids = codes(rows[shape.own_id].take(pa.array(with_id)))
        _drop_older(rows, with_id, [_ints(rows, "group_key")[with_id], ids], shape, drop)
    without = np.flatnonzero(~own)
    if len(without):
        keys = [
            _ints(rows, n)[without] for n in ("group_key", shape.instant, *shape.who, "nth")
        ]
        near = np.flatnonzero(_repeated(keys))
        words = [codes(rows[w].take(pa.array(without[near]))) for w in shape.words]
        _drop_older(rows, without[near], [*(k[near] for k in keys), *words], shape, drop)
    return rows if not drop.any() else rows.filter(pa.array(~drop))


def _drop_older(rows: pa.Table, where: Ints, keys: Sequence[Ints], shape: Shape,
                drop: NDArray[np.bool_]) -> None:  # fmt: skip
    """Marks all but the latest of the rows at `where` whose keys are equal."""
    again = np.flatnonzero(_repeated(keys)) if len(where) else where
    if not len(again):
        return
    same = _identities([k[again] for k in keys])
    versions = rows.select(list(dict.fromkeys([*shape.latest, *shape.ties])))
    versions = versions.take(pa.array(where[again])).append_column("same", pa.array(same))
    ranked = [(n, "descending") for n in versions.column_names if n != "same"]
    order = pc.sort_indices(versions, [("same", "ascending"), *ranked]).to_numpy()
    older = ~_starts([same], order)
    drop[where[again][order[older]]] = True


def _identities(keys: Sequence[Ints]) -> Ints:
    """One number for each combination of keys."""
    order = sorting(keys)
    found = np.empty(len(order), np.int64)
    found[order] = np.cumsum(_starts(keys, order))
    return found


def _order(rows: pa.Table, shape: Shape) -> Ints:
    """By group, instant, the source's order, then by what makes it independent of imports."""
    keys = [_ints(rows, n) for n in ("group_key", shape.instant, "seq", *shape.who, "nth")]
    order = sorting(keys)
    tied = np.flatnonzero(_repeated(keys))
    if not len(tied):
        return order
    own = rows.select([shape.own_id, *shape.words]).take(pa.array(tied))
    ranked = pc.sort_indices(own, [(n, "ascending") for n in own.column_names]).to_numpy()
    last = np.zeros(rows.num_rows, np.int64)
    last[tied[ranked]] = np.arange(len(tied))
    return sorting([*keys, last])


def _with_replies(rows: pa.Table) -> pa.Table:
    """Fills whom a reply answers and after how long, where its target is in the segment."""
    key, at = rows["reply_sender_key"], rows["reply_sent_at"].cast(pa.int64())
    found = _targets(rows)
    if found is not None:
        key = pc.coalesce(rows["sender_key"].take(found), key)
        at = pc.coalesce(rows["sent_at"].cast(pa.int64()).take(found), at)
    gap = pc.subtract(_seconds(rows["sent_at"].cast(pa.int64())), _seconds(at))
    rows = rows.set_column(rows.column_names.index("reply_sender_key"), "reply_sender_key", key)
    return rows.append_column("reply_delay_s", gap)


def _targets(rows: pa.Table) -> pa.Array | None:
    """Of each row, the row it answers; null where it answers none that is here."""
    answers = np.flatnonzero(pc.is_valid(rows["reply_to"]).to_numpy())
    if not len(answers):
        return None
    wanted = rows["reply_to"].take(pa.array(answers))
    named = np.flatnonzero(pc.is_in(rows["message_id"], pc.unique(wanted)).to_numpy())
    named = named[pc.is_valid(rows["message_id"].take(pa.array(named))).to_numpy()]
    known = _in_group(rows, named, rows["message_id"])
    at = pc.index_in(_in_group(rows, answers, rows["reply_to"]), known.combine_chunks())
    found = np.full(rows.num_rows, -1, np.int64)
    hit = np.flatnonzero(pc.is_valid(at).to_numpy())
    found[answers[hit]] = named[np.asarray(at.take(pa.array(hit)).to_numpy(), np.int64)]
    return pa.array(found, mask=found < 0)


def _in_group(rows: pa.Table, where: Ints, ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Ids made unique by their group: platforms number each group's messages anew."""
    at = pa.array(where)
    groups = rows["group_key"].take(at).cast(pa.string())
    return pc.binary_join_element_wise(groups, ids.take(at), "\x1f")


def _neighbours(rows: pa.Table, order: Ints) -> dict[str, pa.Array]:
    """Who wrote before in the group, and how long before; null for a group's first message."""
    group, sender = _ints(rows, "group_key")[order], _ints(rows, "sender_key")[order]
    second = _ints(rows, "sent_at")[order] // SECOND
    first = _starts([group], np.arange(len(order)))
    before = np.roll(sender, 1), second - np.roll(second, 1)
    names = ("prev_sender_key", "prev_gap_s")
    return {n: pa.array(b, mask=first) for n, b in zip(names, before, strict=True)}


def _seconds(instants: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole seconds: integers, so that sums never depend on order."""
    return pc.floor(pc.divide(instants.cast(pa.float64()), float(SECOND))).cast(pa.int64())


def _reaction_counts(reactions: pa.ChunkedArray) -> pa.Array:
    """Reactions of each message, all kinds together."""
    lists = reactions.combine_chunks()
    if lists.null_count == len(lists):
        return pa.array(np.zeros(len(lists), np.int64))
    counts = pc.struct_field(lists.flatten(), "count")
    parents = pc.list_parent_indices(lists).to_numpy()
    weights = pc.fill_null(counts, 0).to_numpy()
    return pa.array(np.bincount(parents, weights, len(lists)).astype(np.int64))
