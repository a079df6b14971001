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

_DAY_US = 86_400_000_000
_QUARTER_US = 15 * 60 * 1_000_000  # no zone has ever shifted off the quarter hour since 1972


def key_of(platform: str, own_id: str) -> int:
    """The 64-bit key of an account or group of a platform."""
    digest = hashlib.blake2b(f"{platform}\x1f{own_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def keys_of(platforms: pa.ChunkedArray, ids: pa.ChunkedArray) -> pa.Array:
    """`key_of` for columns; null ids stay null."""
    if ids.null_count == len(ids):
        return pa.nulls(len(ids), pa.int64())
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
    days, where = np.unique(instants // _DAY_US, return_inverse=True)
    first, last = (_offsets(days * _DAY_US + n, zone) for n in (0, _DAY_US - _QUARTER_US))
    offsets = first[where]
    shifting = np.flatnonzero((first != last)[where])  # no zone has shifted twice in a day
    offsets[shifting] = _offsets_by_quarter(instants[shifting], zone)
    return instants + offsets


def _offsets_by_quarter(instants: Ints, zone: ZoneInfo | timezone) -> Ints:
    quarters, where = np.unique(instants // _QUARTER_US, return_inverse=True)
    return _offsets(quarters * _QUARTER_US, zone)[where]


def _offsets(instants: Ints, zone: ZoneInfo | timezone) -> Ints:
    return np.array([_offset(i, zone) for i in instants.tolist()], np.int64)


def _offset(instant: int, zone: ZoneInfo | timezone) -> int:
    offset = datetime.fromtimestamp(instant / 1_000_000, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) * 1_000_000


def month_numbers(local: Ints) -> Ints:
    """Months since 1970-01 of local microseconds."""
    return local.astype("M8[us]").astype("M8[M]").astype(np.int64)
