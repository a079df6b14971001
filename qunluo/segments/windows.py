"""Windows of days, birthdays and distances, as conditions mean them. Pure."""

from __future__ import annotations

import math
from datetime import date, timedelta

from qunluo.segments.rules import Birthday, Near

EARTH_KM = 6371.0088


def first_day(days: int | None, today: date) -> date | None:
    """The first local day of a window of so many days that ends today."""
    return None if days is None else today - timedelta(days=days - 1)


def birthdays(node: Birthday, today: date) -> dict[int, frozenset[int]]:
    """Months with the days of them that fit; 29 February is kept on the 28th in other years."""
    if node.op == "month":
        return {node.value: frozenset(range(1, 32))}
    found: dict[int, set[int]] = {}
    for n in range(node.value):
        day = today + timedelta(days=n)
        found.setdefault(day.month, set()).add(day.day)
        if (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3:
            found[2].add(29)
    return {month: frozenset(days) for month, days in found.items()}


def haversine_most(km: float) -> float:
    """The square of half the chord that a distance on the globe of radius 1 has: what
    `sin²(Δlat/2) + cos·cos·sin²(Δlon/2)` must not pass."""
    return math.sin(min(km / EARTH_KM, math.pi) / 2) ** 2


def latitudes(near: Near) -> tuple[float, float]:
    """The band in which everything near lies, a little wide."""
    wide = math.degrees(near.km / EARTH_KM) + 1e-6
    return max(-90.0, near.lat - wide), min(90.0, near.lat + wide)
