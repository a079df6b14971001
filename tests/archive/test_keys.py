"""Keys and local time of rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.archive.keys import key_of, keys_of, local_micros, month_numbers
from qunluo.archive.manifest import ZoneUnknownError, zone_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
zones = st.sampled_from(
    ["UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
instants = st.datetimes(datetime(1972, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


@given(st.lists(instants, min_size=1), zones)
def test_local_time_is_what_the_zone_says(times: list[datetime], zone: str) -> None:
    micros = np.array([(t - EPOCH) // timedelta(microseconds=1) for t in times], np.int64)
    local = local_micros(micros, ZoneInfo(zone))
    said = [t.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC) for t in times]
    assert [EPOCH + timedelta(microseconds=int(m)) for m in local] == said
    months = month_numbers(local)
    assert [int(m) for m in months] == [(s.year - 1970) * 12 + s.month - 1 for s in said]


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.none() | st.text(max_size=3))))
def test_keys_of_columns_are_the_keys_of_their_values(
    rows: list[tuple[str, str | None]],
) -> None:
    platforms = pa.chunked_array([[p for p, _ in rows]], pa.string())
    ids = pa.chunked_array([[i for _, i in rows]], pa.string())
    expected = [None if i is None else key_of(p, i) for p, i in rows]
    assert keys_of(platforms, ids).to_pylist() == expected


def test_a_key_never_changes() -> None:
    # archives on disk hold these
    assert key_of("whatsapp", "小红") == 2441623517953058187
    assert key_of("a", "bc") != key_of("ab", "c")


def test_a_zone_that_is_none_is_named() -> None:
    with pytest.raises(ZoneUnknownError, match="Mars/Olympus"):
        zone_of("Mars/Olympus")
    with pytest.raises(ZoneUnknownError):
        zone_of("../etc/passwd")
