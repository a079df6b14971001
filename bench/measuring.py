"""What a child process cost: CPU, wall time and the most memory it ever held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from tempfile import TemporaryFile
from typing import IO

PEAK_UNIT = 1 if sys.platform == "darwin" else 1 << 10  # bytes there, kB elsewhere
CLEARED = ("PYTHONDONTWRITEBYTECODE", "QUNLUO_ENGINE_MEMORY", "PYTHONPROFILEIMPORTTIME")


class ChildFailedError(Exception):
    """A contender ended with an error; these are its words."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds are user and system time of the whole process; `work` is the part of it
    after Python and the libraries were loaded, where the child tells."""

    cpu: float
    wall: float
    peak_mb: float
    work: float | None = None


def run(command: Sequence[str], env: Mapping[str, str]) -> Cost:
    """Runs a command to its end and answers what it cost."""
    started = time.perf_counter()
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        child = subprocess.Popen(list(command), stdout=out, stderr=err, env=_environment(env))
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        said, complaint = (_words(stream) for stream in (out, err))
    if child.returncode:
        raise ChildFailedError(f"{' '.join(command)}: {child.returncode}\n{complaint}")
    peak = usage.ru_maxrss * PEAK_UNIT / 1e6
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak, _work(said))


def _words(stream: IO[str]) -> str:
    stream.seek(0)
    return stream.read()


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    """As a user has it: compiled modules are kept, no setting changes what is measured."""
    return {k: v for k, v in os.environ.items() if k not in CLEARED} | dict(env)


def _work(said: str) -> float | None:
    last = said.strip().rsplit("\n", 1)[-1]
    return float(json.loads(last)["work"]) if last.startswith('{"work"') else None


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each figure, and the greatest memory."""
    works = [c.work for c in costs if c.work is not None]
    return Cost(
        median(c.cpu for c in costs),
        median(c.wall for c in costs),
        max(c.peak_mb for c in costs),
        median(works) if works else None,
    )
