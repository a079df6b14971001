"""Values of decoded JSON, taken only where they have the type expected; null otherwise."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from qunluo.archive.importers.base import micros

Json = dict[str, object]

EARLIEST = -62_135_596_800 * 1_000_000  # year 1
LATEST = 253_402_300_799 * 1_000_000  # year 9999


def text(value: object) -> str | None:
    """A string, or a number written as one (ids come both ways); empty is null."""
    if type(value) is str or value is None:  # nearly always; every message passes here often
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def whole(value: object) -> int | None:
    """An integer of 64 bits, also if written as a string or as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = int(value)
    except (ValueError, OverflowError):
        return None
    return found if -(1 << 63) <= found < 1 << 63 else None


def count(value: object) -> int:
    """How many, as 32 bits hold it; 0 where nothing is said."""
    return min(max(whole(value) or 0, 0), (1 << 31) - 1)


def number(value: object) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e300 else None


def fields(value: object) -> Json:
    """An object, empty if it is none."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    """The objects of an array."""
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def epoch_micros(value: object) -> int | None:
    """Microseconds of epoch seconds, a number or string; "1.23" is never made a float."""
    if type(value) is str and len(value) < 12 and value.isdecimal():  # nearly always
        return int(value) * 1_000_000
    if isinstance(value, float):
        value = format(value, ".6f")
    if isinstance(value, int) and not isinstance(value, bool):
        return _in_range(value * 1_000_000)
    if not isinstance(value, str):
        return None
    before = value.startswith("-")
    seconds, _, fraction = value.removeprefix("-").partition(".")
    if not seconds.isdecimal() or (fraction and not fraction.isdecimal()):
        return None
    found = int(seconds) * 1_000_000 + int((fraction + "000000")[:6])
    return _in_range(-found if before else found)


def iso_micros(value: object, zone: ZoneInfo | timezone) -> tuple[int, bool] | None:
    """Microseconds of an ISO 8601 instant, and whether it states its offset; else it is in
    `zone`."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    stated = at.tzinfo is not None
    try:
        return micros(at if stated else at.replace(tzinfo=zone)), stated
    except OverflowError:
        return None


def _in_range(at: int) -> int | None:
    return at if EARLIEST <= at <= LATEST else None
