"""The one clock: everything that depends on the time asks here.

It runs with the world unless told otherwise. `QUNLUO_CLOCK=started,shows,speed` (two Unix times
and a factor) makes every process of one installation agree on an accelerated clock without a
word between them; a test sets one with `use`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

VARIABLE = "QUNLUO_CLOCK"


class WrongClockError(QunluoError):
    """QUNLUO_CLOCK is none."""

    code = "wrong_clock"
    sentence = Text(
        "QUNLUO_CLOCK is “{value}”; it must be three numbers, “started,shows,speed”: two Unix "
        "times and how much faster than the world it runs. Unset it for the world's time.",
        "QUNLUO_CLOCK 的值为“{value}”，应为三个数字“started,shows,speed”："
        "两个 Unix 时间和相对现实的倍速。不设置即使用现实时间。",
    )


@dataclass(frozen=True)
class Clock:
    """Shows `shows` when the world's clock shows `started`, and runs `speed` times as fast."""

    started: float = 0.0
    shows: float = 0.0
    speed: float = 1.0

    def now(self) -> datetime:
        """The time it shows, an aware UTC instant."""
        return datetime.fromtimestamp(self.shows + self._passed() * self.speed, UTC)

    def _passed(self) -> float:
        return time.time() - self.started

    def real_s(self, span: timedelta) -> float:
        """How many of the world's seconds a span of this clock takes."""
        return span.total_seconds() / self.speed if self.speed else 0.0

    def __str__(self) -> str:
        return f"{self.started},{self.shows},{self.speed}"


WORLD = Clock()
_set: list[Clock] = []


def clock() -> Clock:
    """The clock in use; raises `WrongClockError` where the variable is none."""
    return _set[-1] if _set else read_clock(os.environ)


def now() -> datetime:
    return clock().now()


def read_clock(env: Mapping[str, str]) -> Clock:
    value = env.get(VARIABLE, "").strip()
    if not value:
        return WORLD
    try:
        started, shows, speed = (float(part) for part in value.split(","))
        found = Clock(started, shows, speed)
        found.now()
    except (ValueError, OverflowError, OSError):
        raise WrongClockError(value=value) from None
    return found


def faster(speed: float, shows: datetime | None = None) -> Clock:
    """A clock that runs `speed` times as fast from now on; 0 stands still."""
    began = time.time()
    return Clock(began, shows.timestamp() if shows else began, speed)


@contextmanager
def use(chosen: Clock) -> Iterator[Clock]:
    """Everything inside sees this clock (in this process)."""
    _set.append(chosen)
    try:
        yield chosen
    finally:
        _set.remove(chosen)
