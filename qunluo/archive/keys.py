"""Keys and local time: what every row gets on its way into the archive.

A key is a 64-bit hash of platform and id, the same in every archive and in any order of
import; a million accounts meet a collision with probability 3e-8.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]

_QUARTER_US = 15 * 60 * 1_000_000  # no zone has ever shifted off the quarter hour since 1972


def key_of(platform: str, own_id: str) -> int:
    """The 64-bit key of an account or group of a platform."""
    digest = hashlib.blake2b(f"{platform}\x1f{own_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def keys_of(platforms: pa.ChunkedArray, ids: pa.ChunkedArray) -> pa.Array:
    """`key_of` for columns; null ids stay null."""
    if not len(ids):
        return pa.array([], pa.int64())
    names = [str(p) for p in pc.unique(platforms).to_pylist()]
    if len(names) == 1:
        return _keys_of_platform(names[0], ids)
    found = pa.nulls(len(ids), pa.int64())
    for name in names:
        mine = pc.equal(platforms, name).combine_chunks()
        found = pc.if_else(mine, _keys_of_platform(name, ids), found)
    return found


def _keys_of_platform(platform: str, ids: pa.ChunkedArray) -> pa.Array:
    coded = pc.dictionary_encode(ids).combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.chunk(0)
    words = [key_of(platform, w) for w in coded.dictionary.to_pylist()]
    return pa.array(words, pa.int64()).take(coded.indices)


def local_micros(instants: Ints, zone: ZoneInfo | timezone) -> Ints:
    """Microseconds of local wall-clock time for microseconds since 1970 UTC."""
    quarters, where = np.unique(instants // _QUARTER_US, return_inverse=True)
    offsets = [_offset(int(q) * _QUARTER_US, zone) for q in quarters]
    return instants + np.array(offsets, np.int64)[where]


def _offset(instant: int, zone: ZoneInfo | timezone) -> int:
    offset = datetime.fromtimestamp(instant / 1_000_000, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) * 1_000_000


def month_numbers(local: Ints) -> Ints:
    """Months since 1970-01 of local microseconds."""
    return local.astype("M8[us]").astype("M8[M]").astype(np.int64)
