"""Local time of a sample as plain numbers, and back to instants and ISO text.

Inside the sample a moment is the number of local seconds since the midnight that begins
`first_on`: no zone arithmetic is needed until rows are written.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.schema import INSTANT
from qunluo.sample.numbers import Array, Ints
from qunluo.sample.plan import Plan

DAY, HOUR, MINUTE = 86_400, 3_600, 60
MARGIN_DAYS = 2  # times just outside the plan's days may be asked for


class Clock:
    """Days, weeks and instants of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.days = plan.days
        self.first_on = plan.first_on
        self.weekday = plan.first_on.weekday()
        start = plan.first_on - timedelta(days=MARGIN_DAYS)
        dates = [start + timedelta(days=d) for d in range(plan.days + 2 * MARGIN_DAYS)]
        self._hours = _hour_starts([datetime.combine(d, time()) for d in dates], plan)
        self._dates = pa.array([d.isoformat() for d in dates])
        self._times = _clock_texts()

    def micros(self, at: Array) -> Ints:
        """Microseconds since 1970 UTC."""
        hour, rest = np.divmod(at, HOUR)
        result: Ints = self._hours[hour + MARGIN_DAYS * 24] + rest.astype(np.int64) * 1_000_000
        return result

    def instants(self, at: Array) -> pa.Array:
        return pa.array(self.micros(at)).cast(INSTANT)

    def iso(self, at: Array, missing: Array | None = None) -> pa.Array:
        """`2022-05-01 18:30:00` in local time, null where `missing`."""
        day, second = np.divmod(at, DAY)
        days = pa.array(day + MARGIN_DAYS, mask=missing)
        return pc.binary_join_element_wise(
            self._dates.take(days), self._times.take(pa.array(second)), " "
        )

    def week(self, day: Array) -> Array:
        """The number of the day's calendar week (Monday first), 0 for that of `first_on`."""
        return (day + self.weekday) // 7

    def week_of(self, day: int) -> int:
        """`week` of a single day."""
        return (day + self.weekday) // 7

    def monday(self, week: int) -> str:
        """The ISO day on which a week begins."""
        return (self.first_on + timedelta(days=week * 7 - self.weekday)).isoformat()

    def date(self, day: int) -> str:
        return (self.first_on + timedelta(days=day)).isoformat()

    def weekdays(self) -> Array:
        """0 (Monday) to 6 for every day of the plan."""
        return (np.arange(self.days) + self.weekday) % 7

    def month_starts(self) -> list[int]:
        """Days on which a calendar month begins, with 0 and the end."""
        dates = [self.first_on + timedelta(days=d) for d in range(self.days)]
        return [0, *(d for d, on in enumerate(dates) if on.day == 1 and d), self.days]


def _hour_starts(midnights: list[datetime], plan: Plan) -> Ints:
    """Instant of every local hour; only days with a change of offset are looked up by hour."""
    offsets = [m.replace(tzinfo=plan.zone).utcoffset() for m in midnights]
    starts = np.array([_micros(m, plan) for m in midnights], np.int64)
    hours = starts[:, None] + np.arange(24, dtype=np.int64) * HOUR * 1_000_000
    for d in range(len(midnights) - 1):
        if offsets[d] != offsets[d + 1]:
            by_hour = [midnights[d] + timedelta(hours=h) for h in range(24)]
            hours[d] = [_micros(m, plan) for m in by_hour]
    return hours.ravel()


def _micros(local: datetime, plan: Plan) -> int:
    utc = local.replace(tzinfo=plan.zone).astimezone(UTC)
    return int(utc.timestamp()) * 1_000_000


def _clock_texts() -> pa.Array:
    """00:00:00 to 23:59:59."""
    two = pa.array([f"{i:02d}" for i in range(60)])
    second = np.arange(DAY)
    parts = (second // HOUR, second // MINUTE % 60, second % 60)
    return pc.binary_join_element_wise(*(two.take(pa.array(p)) for p in parts), ":")
