"""When people talk: hours of the day, and moments drawn from them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from qunluo.living.clocks import ZONE

# how much of a day's talk falls into each local hour; the night is nearly silent
HOURS = (
    0.4, 0.15, 0.08, 0.05, 0.05, 0.1, 0.5, 1.6, 3.2, 5.0, 6.5, 6.4,
    7.6, 5.6, 4.6, 4.8, 5.0, 5.6, 6.2, 7.0, 8.6, 9.4, 7.4, 2.6,
)  # fmt: skip
_WHOLE = sum(HOURS)


def liveliness(at: datetime) -> float:
    """How lively the hour is: 1 on average over a day."""
    return HOURS[at.astimezone(ZONE).hour] * 24 / _WHOLE


def moments(
    random: Random, start: datetime, end: datetime, per_day: float
) -> Iterator[datetime]:
    """Moments in order, as many a day on average, where the day is lively."""
    fastest = per_day * max(HOURS) * 24 / _WHOLE  # thinning: candidates at the liveliest rate
    at = start
    while True:
        at += timedelta(days=random.expovariate(fastest))
        if at >= end:
            return
        if random.random() * max(HOURS) < HOURS[at.astimezone(ZONE).hour]:
            yield at
