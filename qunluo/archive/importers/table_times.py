"""Instants of a table's column, whole blocks at a time: ISO, local forms, epochs, Excel days.

Everything becomes microseconds since 1970 UTC with a word for how the zone was known. What
can't be read is null. Local times are of the zone the user gave; of a repeated hour at the end
of summer time the first is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.importers.base import DateOrder, Options
from qunluo.archive.importers.json_values import iso_micros

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

US = pa.timestamp("us")
US_UTC = pa.timestamp("us", tz="UTC")
DAY = 86_400_000_000
QUARTER = 900_000_000
EXCEL_EPOCH_DAYS = 25_569  # 1970-01-01 as Excel counts days
# below the first bound a number is an Excel day, then epoch seconds, milliseconds, …
BOUNDS = np.array([1e5, 1e11, 1e14, 1e17])
MICROS_OF_ONE = {"s": 1_000_000.0, "ms": 1000.0}
LATEST = 253_402_300_799 * 1_000_000
EARLIEST = -62_135_596_800 * 1_000_000

NUMBER = r"^\s*-?\d+(\.\d+)?\s*$"
SHORT_FIRST = r"^\s*\d{1,2}[-/.]\d{1,2}[-/.]"
LOCAL = (
    r"^\s*(?P<a>\d{1,4})[-/.年](?P<b>\d{1,2})[-/.月](?P<c>\d{1,4})日?"
    r"(?:[T\s,]+(?:星期.)?\s*(?P<before>上午|下午|[AaPp][Mm])?\s*"
    r"(?P<h>\d{1,2})[:时](?P<m>\d{2})(?:[:分](?P<s>\d{2})(?P<f>\.\d{1,9})?秒?)?分?"
    r"\s*(?P<after>[AaPp]\.?[Mm]\.?)?)?\s*$"
)


@dataclass(frozen=True)
class Instants:
    """One value a row: microseconds (null where unreadable) and how the zone was known."""

    at: pa.Array  # timestamp[us, UTC]
    zone_known: pa.Array  # string


def instants(column: pa.Array, options: Options, order: DateOrder | None) -> Instants:
    """The instants of a column of any type that tables have for time."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return instants(column.dictionary_decode(), options, order)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _of_timestamps(column, options)
    if pa.types.is_nested(kind):  # no time is a list
        return instants(pa.nulls(len(column), pa.string()), options, order)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _of_numbers(column, options)
    return _of_texts(column.cast(pa.string(), safe=False), options, order)


def needs_order(column: pa.Array) -> bool:
    """Whether there are dates that begin with a day or a month."""
    return bool(pc.any(pc.match_substring_regex(column, SHORT_FIRST)).as_py())


def date_order_of(column: pa.Array) -> DateOrder | None:
    """Whether `3/4/2024` is day or month first, by the largest values; null if nothing says."""
    short = pc.if_else(pc.match_substring_regex(column, SHORT_FIRST), column, None)
    parts = pc.extract_regex(short, LOCAL)
    first, second = (_largest(parts, name) for name in ("a", "b"))
    if first > 12 and second <= 12:
        return "dmy"
    return "mdy" if second > 12 and first <= 12 else None


def _largest(parts: pa.Array, name: str) -> int:
    found = pc.max(pc.struct_field(parts, [name]).cast(pa.int64())).as_py()
    return int(found or 0)


def _of_timestamps(column: pa.Array, options: Options) -> Instants:
    aware = pa.types.is_timestamp(column.type) and column.type.tz is not None
    local = pc.cast(column, US_UTC if aware else US, safe=False)
    if aware:
        return Instants(local, _word("utc", len(local)))
    return _local(local, options.zone)


def _local(column: pa.Array, zone: ZoneInfo | timezone) -> Instants:
    valid, micros = _ints(column)
    return Instants(_stamps(to_utc(micros, zone), valid), _word("assumed", len(column)))


def to_utc(local: Ints, zone: ZoneInfo | timezone) -> Ints:
    """UTC of wall-clock microseconds; offsets are looked up once for each quarter hour."""
    if zone is UTC:
        return local
    quarters, where = np.unique(local // QUARTER, return_inverse=True)
    offsets = [_offset(int(q) * QUARTER, zone) for q in quarters]
    shifted: Ints = local - np.array(offsets, np.int64)[where]
    return shifted


def _offset(local: int, zone: ZoneInfo | timezone) -> int:
    naive = datetime(1970, 1, 1) + timedelta(microseconds=local)  # noqa: DTZ001  (a wall clock)
    offset = naive.replace(tzinfo=zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) * 1_000_000


def _of_numbers(column: pa.Array, options: Options) -> Instants:
    exact = pa.types.is_integer(column.type)
    valid = pc.is_valid(column).to_numpy(zero_copy_only=False)
    kind = pa.int64() if exact else pa.float64()
    values = pc.fill_null(pc.cast(column, kind, safe=False), 0).to_numpy()
    return _numbers(values, valid, options)


def _numbers(values: Ints | Floats, valid: npt.NDArray[np.bool_], options: Options) -> Instants:
    size = np.abs(values.astype(np.float64))
    if options.unit:
        scale = np.full(len(values), MICROS_OF_ONE[options.unit])
        is_day = np.zeros(len(values), bool)
    else:
        scale = np.array([0.0, 1e6, 1e3, 1.0, 1e-3])[np.searchsorted(BOUNDS, size, "right")]
        is_day = size < BOUNDS[0]
    micros = _scaled(values, scale)
    days = np.where(is_day, values.astype(np.float64) - EXCEL_EPOCH_DAYS, 0.0)
    clock = np.round(days * (DAY / 1000)).astype(np.int64) * 1000  # Excel is good to the ms
    micros = np.where(is_day, to_utc(clock, options.zone) if is_day.any() else clock, micros)
    words = pc.if_else(pa.array(is_day), "assumed", "utc")
    return Instants(_stamps(micros, valid & (size < 1e19)), words)


def _scaled(values: Ints | Floats, scale: Floats) -> Ints:
    """Microseconds of epoch numbers, exact for integers."""
    if values.dtype == np.int64:
        whole = values * np.maximum(scale, 1.0).astype(np.int64)
        return np.where(scale < 1.0, values // 1000, whole).astype(np.int64)
    scaled = np.round(values * scale)
    return np.where(np.abs(scaled) < 9e18, scaled, 0).astype(np.int64)


def _of_texts(column: pa.Array, options: Options, order: DateOrder | None) -> Instants:
    """One try for the whole block, as files hold one form; else each form by itself."""
    for kind in (US_UTC, US):
        try:
            stamps = pc.cast(column, kind)
        except pa.ArrowInvalid:
            continue
        return _of_offsets(stamps) if kind == US_UTC else _local(stamps, options.zone)
    return _mixed(column, options, order)


def _of_offsets(stamps: pa.Array) -> Instants:
    valid, micros = _ints(stamps)
    return Instants(_stamps(micros, valid), _word("offset", len(stamps)))


def _mixed(column: pa.Array, options: Options, order: DateOrder | None) -> Instants:
    at, known = np.zeros(len(column), np.int64), np.full(len(column), "", object)
    done = np.zeros(len(column), bool)

    def keep(where: npt.NDArray[np.bool_], found: Instants) -> None:
        valid, micros = _ints(found.at)
        places = np.flatnonzero(where)[valid]
        at[places], done[places] = micros[valid], True
        known[places] = found.zone_known.to_numpy(zero_copy_only=False)[valid]

    numbers = _true(pc.match_substring_regex(column, NUMBER))
    if numbers.any():
        keep(numbers, _number_texts(column.filter(pa.array(numbers)), options))
    local = _true(pc.match_substring_regex(column, LOCAL)) & ~numbers
    if local.any():
        keep(local, _local_texts(column.filter(pa.array(local)), options, order))
    rest = ~numbers & ~local & _true(pc.is_valid(column))
    if rest.any():
        keep(rest, _one_by_one(column.filter(pa.array(rest)), options))
    return Instants(_stamps(at, done), pa.array(known, pa.string()))


def _number_texts(column: pa.Array, options: Options) -> Instants:
    stripped = pc.utf8_trim_whitespace(column)
    whole = not pc.any(pc.match_substring(stripped, ".")).as_py()
    short = pc.if_else(pc.less_equal(pc.utf8_length(stripped), 18), stripped, None)
    if whole:
        return _of_numbers(short.cast(pa.int64()), options)
    return _of_numbers(stripped.cast(pa.float64()), options)


def _local_texts(column: pa.Array, options: Options, order: DateOrder | None) -> Instants:
    parts = pc.extract_regex(column, LOCAL)
    a, b, c, h, m, s = (_part(parts, name) for name in "abchms")
    first_is_year = a > 31
    day_first = np.full(len(a), order == "dmy")
    year = np.where(first_is_year, a, np.where(c < 100, c + 2000, c))
    month = np.where(first_is_year | day_first, b, a)
    day = np.where(first_is_year, c, np.where(day_first, a, b))
    hour, clock_ok = _hour(parts, h)
    clock = ((hour * 60 + m) * 60 + s) * 1_000_000 + _fraction(parts)
    ok = clock_ok & (m < 60) & (s < 60) & (first_is_year | (order in ("dmy", "mdy")))
    days, date_ok = _days(year, month, day)
    stamps = _stamps(days * DAY + clock, ok & date_ok).cast(US)
    return _local(stamps, options.zone)


def _hour(parts: pa.Array, hour: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The hour of 24, and whether there is such an hour."""
    words = pc.binary_join_element_wise(
        pc.struct_field(parts, ["before"]), pc.struct_field(parts, ["after"]), ""
    )
    late = _true(pc.match_substring_regex(words, "下午|[Pp]"))
    early = _true(pc.match_substring_regex(words, "上午|[Aa]"))
    of_day = np.where(late & (hour < 12), hour + 12, np.where(early & (hour == 12), 0, hour))
    return of_day, of_day < 24


def _fraction(parts: pa.Array) -> Ints:
    said = pc.struct_field(parts, ["f"])
    numbers = pc.if_else(pc.equal(said, ""), "0", said).cast(pa.float64())
    micros: Ints = np.round(numbers.to_numpy() * 1e6).astype(np.int64)
    return np.minimum(micros, 999_999)


def _days(year: Ints, month: Ints, day: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Days since 1970, and whether the date exists."""
    ok = (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1) & (year <= 9999)
    months = (np.where(ok, year, 1970) - 1970) * 12 + np.where(ok, month, 1) - 1
    start = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
    following = (months + 1).astype("M8[M]").astype("M8[D]").astype(np.int64)
    return start + day - 1, ok & (day <= following - start)


def _part(parts: pa.Array, name: str) -> Ints:
    said = pc.struct_field(parts, [name])
    values: Ints = pc.if_else(pc.equal(said, ""), "0", said).cast(pa.int64()).to_numpy()
    return values


def _one_by_one(column: pa.Array, options: Options) -> Instants:
    """What fits no form above: each distinct text by itself (rare, or one odd line)."""
    coded = column.dictionary_encode()
    values = [_single(v, options) for v in coded.dictionary.to_pylist()]
    at = pa.array([v[0] for v in values], pa.int64()).take(coded.indices)
    known = pa.array([v[1] for v in values], pa.string()).take(coded.indices)
    return Instants(at.cast(US_UTC), known)


def _single(said: str, options: Options) -> tuple[int | None, str]:
    found = iso_micros(said, options.zone)
    return (found[0], "offset" if found[1] else "assumed") if found else (None, "")


def _ints(column: pa.Array) -> tuple[npt.NDArray[np.bool_], Ints]:
    valid = pc.is_valid(column).to_numpy(zero_copy_only=False)
    return valid, pc.fill_null(column.cast(pa.int64()), 0).to_numpy()


def _stamps(micros: Ints, valid: npt.NDArray[np.bool_]) -> pa.Array:
    ok = valid & (micros >= EARLIEST) & (micros <= LATEST)
    return pa.array(micros, pa.int64(), mask=~ok).cast(US_UTC)


def _true(mask: pa.Array) -> npt.NDArray[np.bool_]:
    flags: npt.NDArray[np.bool_] = pc.fill_null(mask, False).to_numpy(zero_copy_only=False)
    return flags


def _word(word: Literal["utc", "offset", "assumed"], count: int) -> pa.Array:
    return pa.repeat(pa.scalar(word), count)
