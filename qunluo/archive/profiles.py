"""What a segment says of its accounts and groups: latest names, ends, unanswered references."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from qunluo.archive.settled import NAIVE, Settled, codes, sorting

_I64, _TEXT = pa.int64(), pa.string()

ACCOUNTS = pa.schema(
    [
        ("sender_key", _I64),
        ("platform", _TEXT),
        ("sender_id", _TEXT),
        ("name", _TEXT),
        ("role", _TEXT),
        ("last_at", NAIVE),
    ]
)
"""Each account with its latest name and the platform's own word on it."""

GROUPS = pa.schema(
    [
        ("group_key", _I64),
        ("platform", _TEXT),
        ("group_id", _TEXT),
        ("name", _TEXT),
        ("last_at", NAIVE),
    ]
)
"""Each group with its latest name."""

EDGES = pa.schema(
    [
        ("group_key", _I64),
        ("first_at", NAIVE),
        ("first_local", NAIVE),
        ("first_key", _I64),
        ("last_at", NAIVE),
        ("last_key", _I64),
    ]
)
"""The first and last message of each group: what adjacency across segments needs."""

OPEN_REPLIES = pa.schema(
    [
        ("group_key", _I64),
        ("sender_key", _I64),
        ("sent_at", NAIVE),
        ("local_at", NAIVE),
        ("reply_to", _TEXT),
    ]
)
"""Replies whose target is not in the segment."""


def accounts_of(settled: Settled) -> pa.Table:
    """Rows of `ACCOUNTS`; of names at one instant, the one in the later place of the segment."""
    last = _last_of_each(settled, "sender_key", "sender_name")
    taken = settled.rows.take(pa.array(last))
    names = {"name": "sender_name", "last_at": "sent_at"}
    return pa.table([taken[names.get(n, n)] for n in ACCOUNTS.names], schema=ACCOUNTS)


def groups_of(settled: Settled) -> pa.Table:
    """Rows of `GROUPS`."""
    last = _last_of_each(settled, "group_key", "group_name")
    taken = settled.rows.take(pa.array(last))
    names = {"name": "group_name", "last_at": "sent_at"}
    return pa.table([taken[names.get(n, n)] for n in GROUPS.names], schema=GROUPS)


def _last_of_each(settled: Settled, key: str, name: str) -> NDArray[np.int64]:
    """Of each key its latest row that has a name, or its latest row."""
    rows, order = settled.rows, settled.order
    at = rows["sent_at"].cast(_I64).to_numpy()[order]
    named = pc.is_valid(rows[name]).to_numpy()[order]
    ranked = order[sorting([named, at])]
    which = codes(rows[key])
    last = np.empty(which.max(initial=-1) + 1, np.int64)
    last[which[ranked]] = ranked  # of several, the last one stays
    return last[np.argsort(rows[key].take(last).to_numpy())]


def _ends(keys: NDArray[np.int64]) -> NDArray[np.intp]:
    """The last place of each run of equal keys."""
    return np.flatnonzero(np.append(keys[1:] != keys[:-1], True)) if len(keys) else keys


def edges_of(settled: Settled) -> pa.Table:
    """Rows of `EDGES`."""
    order = settled.order
    groups = settled.rows["group_key"].to_numpy()[order]
    ends = _ends(groups)
    starts = np.append(0, ends[:-1] + 1) if len(ends) else ends
    first, last = (settled.rows.take(pa.array(order[i])) for i in (starts, ends))
    columns = [first["group_key"], first["sent_at"], first["local_at"], first["sender_key"]]
    return pa.table([*columns, last["sent_at"], last["sender_key"]], schema=EDGES)


def open_replies_of(settled: Settled) -> pa.Table:
    """Rows of `OPEN_REPLIES`."""
    rows = settled.rows
    unmet = pc.and_(pc.is_valid(rows["reply_to"]), pc.is_null(rows["reply_sender_key"]))
    return rows.select(OPEN_REPLIES.names).filter(unmet)


PROFILES: dict[str, tuple[pa.Schema, Callable[[Settled], pa.Table]]] = {
    "accounts": (ACCOUNTS, accounts_of),
    "groups": (GROUPS, groups_of),
    "edges": (EDGES, edges_of),
    "open_replies": (OPEN_REPLIES, open_replies_of),
}
"""Small tables kept with each segment, by name."""
