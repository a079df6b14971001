"""The work of jobs: a child process runs the command line, a thread listens to its progress.

The child says on stderr, one JSON object a line, how far it is; its last line may be an error.
If this process dies, the child's next word finds no listener and it ends too.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from qunluo.console.errors import JobBrokeError
from qunluo.console.jobs import LISTS, Job, Request, Shelf, State, read_summary
from qunluo.kit.text import Text

AT_ONCE = 2  # so that a long report does not keep a small one waiting
LOG_LINES = 200
STARTING = Text("Starting", "正在启动")
SIGNALLED = {130, 143}  # how a shell tells that a signal ended a program


@dataclass(frozen=True)
class Progress:
    """How far the current stage is; `total` 0 where it can't be known."""

    stage: str = "start"
    done: int = 0
    total: int = 0
    text: Text = STARTING


@dataclass
class Attempt:
    """One try at a job, as long as it lasts."""

    progress: Progress = field(default_factory=Progress)
    child: subprocess.Popen[str] | None = None
    stopped: bool = False
    error: Text | None = None
    error_code: str | None = None
    log: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_LINES))


class Workshop:
    """Runs the jobs of one shelf, a few at once, in the order they came."""

    def __init__(self, shelf: Shelf, at_once: int = AT_ONCE) -> None:
        self.shelf = shelf
        self.waiting: queue.Queue[str | None] = queue.Queue()  # None: time to go home
        self.attempts: dict[str, Attempt] = {}
        self.lock = threading.Lock()
        self.closing = False
        shelf.tidy()
        self.hands = [threading.Thread(target=self._work, daemon=True) for _ in range(at_once)]
        for hand in self.hands:
            hand.start()

    def add(self, job: Job) -> None:
        """Queues a job, new or to be tried again; asked twice it runs once."""
        with self.lock:
            if job.id in self.attempts:
                return
            self.attempts[job.id] = Attempt()
            self.shelf.save(replace(job, state="waiting", error=None))
        self.waiting.put(job.id)

    def stop(self, job_id: str) -> None:
        """Ends a waiting or running job; nothing happens if it has ended already."""
        with self.lock:
            attempt = self.attempts.get(job_id)
            if attempt is None:
                return
            attempt.stopped = True
            if attempt.child is not None:
                attempt.child.terminate()

    def progress(self, job_id: str) -> Progress:
        attempt = self.attempts.get(job_id)
        return attempt.progress if attempt else Progress()

    def close(self) -> None:
        """Ends all children at the end of the server; their jobs count as interrupted."""
        with self.lock:
            self.closing = True
            for attempt in self.attempts.values():
                if attempt.child is not None:
                    attempt.child.terminate()
        for _ in self.hands:
            self.waiting.put(None)

    def _work(self) -> None:
        while (job_id := self.waiting.get()) is not None:
            job, attempt = self.shelf.find(job_id), self.attempts[job_id]
            try:
                if job is not None and not self.closing:
                    self._run(job, attempt)
            finally:
                with self.lock:
                    if self.attempts.get(job_id) is attempt:
                        del self.attempts[job_id]

    def _run(self, job: Job, attempt: Attempt) -> None:
        running = self.shelf.save(replace(job, state="running"))
        work = self.shelf.folder(job.id) / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        try:
            ended = self._run_steps(running, attempt, work)
            if ended == "done":
                self.shelf.publish(running, read_summary(work / "report.json"))
                return
        except (OSError, ValueError, KeyError) as error:
            attempt.log.append(f"{type(error).__name__}: {error}")
            ended = "failed"
        self._give_up(running, attempt, ended)

    def _run_steps(self, job: Job, attempt: Attempt, work: Path) -> State:
        for command in plan_commands(job.request, work):
            code = self._run_child(command, attempt, work)
            if attempt.stopped:
                return "stopped"
            if code != 0:
                return "interrupted" if code < 0 or code in SIGNALLED else "failed"
        return "done"

    def _run_child(self, command: Sequence[str], attempt: Attempt, work: Path) -> int:
        with self.lock:
            if attempt.stopped or self.closing:
                return -signal.SIGTERM
            attempt.child = _start(command, work)
        with attempt.child as child:
            for line in child.stderr or ():
                hear(attempt, line)
        attempt.child = None
        return child.returncode

    def _give_up(self, job: Job, attempt: Attempt, state: State) -> None:
        folder = self.shelf.folder(job.id)
        log = folder / "log.txt"
        log.write_text("".join(f"{line}\n" for line in attempt.log), encoding="utf-8")
        error = None
        if state == "failed":
            error = attempt.error or JobBrokeError.sentence.format(log=log)
        shutil.rmtree(folder / "work", ignore_errors=True)  # before it may be tried again
        with self.lock:  # whoever sees that it ended may try it again
            del self.attempts[job.id]
            ended = replace(job, state=state, error=error, error_code=attempt.error_code)
            self.shelf.save(ended)


@cache
def open_workshop(data: Path) -> Workshop:
    """The one workshop of a data folder in this process."""
    return Workshop(Shelf(data))


def plan_commands(request: Request, work: Path) -> list[list[str]]:
    """The command lines that make the report of a request in the folder `work`."""
    if not request.sample:
        return [_report(request, work)]
    made = work / "sample"
    filled = replace(request, **_sample_files(made))
    return [[*_QUNLUO, "sample", "-o", str(made), *_TELLING], _report(filled, work)]


_QUNLUO = (sys.executable, "-m", "qunluo")
_TELLING = ("--progress", "json")


def _sample_files(made: Path) -> dict[str, Any]:
    return {
        "files": (str(made / "messages.parquet"), str(made / "events.parquet")),
        **{name: str(made / f"{name}.csv") for name in LISTS},
    }


def _report(request: Request, work: Path) -> list[str]:
    command = [*_QUNLUO, "report", *request.files, "--tz", request.zone, "--lang", request.lang]
    for name in LISTS:
        path = getattr(request, name)
        command += [f"--{name}", path] if path else []
    command += ["--date-order", request.date_order] if request.date_order else []
    command += ["--anonymous"] if request.anonymous else []
    html, data = str(work / "report.html"), str(work / "report.json")
    return [*command, "-o", html, "--json", data, *_TELLING]


def _start(command: Sequence[str], work: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own command line, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal is for the server alone
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONUTF8": "1", "QUNLUO_DEBUG": "1", "TMPDIR": str(work)},
    )


def hear(attempt: Attempt, line: str) -> None:
    """Takes one line of the child: progress, an error, or anything else for the log."""
    said = _parse(line)
    if "error" in said:
        attempt.error = Text(str(said["error"].get("en")), str(said["error"].get("zh")))
        attempt.error_code = said["error"].get("code")
    elif "stage" in said:
        words = said.get("text") or {}
        text = Text(str(words.get("en", "")), str(words.get("zh", "")))
        done, total = int(said.get("done") or 0), int(said.get("total") or 0)
        attempt.progress = Progress(str(said["stage"]), done, total, text)
    elif line.strip():
        attempt.log.append(line.rstrip())


def _parse(line: str) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
