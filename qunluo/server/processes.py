"""The processes of an installation, started together: pages, live stream, worker.

`Crew` keeps them running: one that dies is started again, a moment later each time it dies at
once; when the crew goes home all are told to end and, if they do not, are ended. A child that
loses its parent ends itself, so that nothing keeps running behind a killed `qunluo up`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from qunluo.kit.text import Text

PARENT = "QUNLUO_PARENT"  # the process that looks after this one
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 10.0
LIVED_S = 20.0  # after so long a death is a new one, not another of a series
GOING_S = 10.0  # how long a child may take to end
WATCH_S = 0.1
AGAIN = Text(
    "The {name} process ended ({code}) and is started again.",
    "{name} 进程已退出（{code}），正在重新启动。",
)


@dataclass
class Child:
    """One process: what it is called, its command line, and how it goes."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    wait: float = FIRST_WAIT_S

    def start(self, env: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            list(self.command),
            env={**os.environ, **env, PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the one in front; it tells the others
        )
        self.started = time.monotonic()

    def signal(self, number: int) -> None:
        """To the process and what it started."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None


@dataclass
class Crew:
    """All children, kept running until `stop` is set."""

    children: Sequence[Child]
    env: Mapping[str, str] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    tell: Callable[[str, int], None] = lambda name, code: None

    def run(self) -> None:
        """Starts all, and returns when all have ended after `stop`."""
        try:
            while not self.stop.wait(WATCH_S if self._started() else 0):
                for child in self.children:
                    self._look_after(child)
        finally:
            self._go_home()

    def _started(self) -> bool:
        return all(c.process is not None or c.due for c in self.children)

    def _look_after(self, child: Child) -> None:
        if child.has_died():
            self._mourn(child)
        if child.process is None and time.monotonic() >= child.due:
            child.start(self.env)

    def _mourn(self, child: Child) -> None:
        """Clears away what a dead child left, and says when it is started again."""
        process = child.process
        assert process is not None  # noqa: S101 - it died, so it was
        child.signal(signal.SIGKILL)  # a server's own children would hold its port
        lived = time.monotonic() - child.started
        child.wait = FIRST_WAIT_S if lived > LIVED_S else min(child.wait * 2, LONGEST_WAIT_S)
        child.due = time.monotonic() + child.wait
        child.process = None
        self.tell(child.name, process.returncode)

    def _go_home(self) -> None:
        for child in self.children:
            if child.process is not None:
                with suppress(ProcessLookupError):
                    child.process.terminate()
        end = time.monotonic() + GOING_S
        for child in self.children:
            if child.process is not None:
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.0, end - time.monotonic()))
                child.signal(signal.SIGKILL)
                child.process.wait()


def qunluo(*words: str) -> tuple[str, ...]:
    """A command line of our own."""
    return (sys.executable, "-m", "qunluo", *words)


def has_parent() -> bool:
    """Whether somebody looks after this process."""
    return bool(os.environ.get(PARENT))


def end_with_parent() -> None:
    """Ends this process, as Ctrl-C would, when the one that started it is gone."""
    parent = os.environ.get(PARENT, "")
    if parent.isdecimal():
        threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GOING_S)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(os.getpgid(0), signal.SIGKILL)


def stop_on_signals(stop: threading.Event) -> None:
    """Ctrl-C, kill and a closed terminal set the event."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, frame: stop.set())
