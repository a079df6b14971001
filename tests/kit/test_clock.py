"""One clock for everything; processes agree on it without a word."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.kit import clock
from qunluo.kit.clock import VARIABLE, Clock, WrongClockError, faster, read_clock

DAY = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def test_it_shows_the_worlds_time_unless_told_otherwise() -> None:
    assert abs(clock.now().timestamp() - time.time()) < 60
    assert clock.now().tzinfo == UTC


def test_it_stands_still_where_a_test_wants_it() -> None:
    with clock.use(faster(0, DAY)):
        assert clock.now() == clock.now() == DAY
    assert clock.now() > DAY


def test_the_innermost_clock_counts() -> None:
    with clock.use(faster(0, DAY)):
        with clock.use(faster(0, DAY + timedelta(days=1))):
            assert clock.now() == DAY + timedelta(days=1)
        assert clock.now() == DAY


def test_a_fast_clock_runs_ahead() -> None:
    began = time.time()
    fast = Clock(began - 10, DAY.timestamp(), 60)  # ten of the world's seconds ago
    assert fast.now() >= DAY + timedelta(minutes=10)
    assert fast.real_s(timedelta(minutes=1)) == 1


def test_other_processes_show_the_same() -> None:
    set_to = str(Clock(time.time(), DAY.timestamp(), 0))
    code = "from qunluo.kit import clock; print(clock.now().isoformat())"
    told = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, VARIABLE: set_to}, text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == DAY.isoformat()


@given(st.text())
def test_any_value_is_a_clock_or_told_to_be_none(value: str) -> None:
    with suppress(WrongClockError):
        read_clock({VARIABLE: value}).now()


@pytest.mark.parametrize(
    "value", ["soon", "1,2", "1,2,x", "nan,nan,nan", "0,1e99,1", "0,0,inf"]
)
def test_what_is_no_clock_is_told_in_words(value: str) -> None:
    with pytest.raises(WrongClockError, match="three numbers") as told:
        read_clock({VARIABLE: value})
    assert "三个数字" in told.value.message("zh")
