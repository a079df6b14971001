"""The sample community's clock: faster than the world, and going on where it stopped."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from qunluo.kit import clock
from qunluo.kit.clock import Clock

SPEED = 12.0  # a day in two hours: a newcomer sees mornings, and a welcome is still at once
ZONE = ZoneInfo("Asia/Shanghai")
FIRST_HOUR = 10  # of the local day on which it begins: people are awake
KEEP_EVERY_S = 5.0
NAME = "clock.json"


def start_of_play(now: datetime | None = None) -> datetime:
    """Ten in the morning of today, where the sample community lives."""
    today = (now or datetime.now(UTC)).astimezone(ZONE)
    return today.replace(hour=FIRST_HOUR, minute=0, second=0, microsecond=0).astimezone(UTC)


@contextmanager
def kept_clock(data: Path) -> Iterator[Clock]:
    """The accelerated clock, in use in this process; where it stops it goes on another day.

    A clock that QUNLUO_CLOCK sets is used as it is.
    """
    if os.environ.get(clock.VARIABLE, "").strip():
        yield clock.clock()
        return
    chosen = clock.faster(SPEED, read_kept(data) or start_of_play())
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(data, chosen, done), daemon=True)
    keeper.start()
    try:
        with clock.use(chosen):
            yield chosen
    finally:
        done.set()
        keeper.join(timeout=2)
        keep(data, chosen.now())


def read_kept(data: Path) -> datetime | None:
    """What the clock showed when it stopped, and a little more, so that it never goes back."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        shown = json.loads((data / NAME).read_text("utf-8"))["shows"]
        return datetime.fromisoformat(shown) + timedelta(seconds=KEEP_EVERY_S * SPEED)
    return None


def keep(data: Path, shown: datetime) -> None:
    fresh = data / f".{NAME}"
    fresh.write_text(json.dumps({"shows": shown.isoformat()}), encoding="utf-8")
    fresh.replace(data / NAME)


def _keep(data: Path, chosen: Clock, done: threading.Event) -> None:
    while not done.wait(KEEP_EVERY_S):
        with suppress(OSError):
            keep(data, chosen.now())
