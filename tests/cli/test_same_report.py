"""However the exports came in: twice, in halves, after a kill — the same report to the byte."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from qunluo.kit.scratch import LOCK
from tests.cli.conftest import Room
from tests.cli.exports import chat, irc, table

LINES = 300
Make = Callable[[int, int], bytes]
SAMPLES: dict[str, tuple[str, Make]] = {
    "whatsapp": ("_chat.txt", lambda n, first: chat(n, first).encode()),
    "irc": ("2024-02-13.log", lambda n, first: irc(n, first).encode()),
    "table": ("t.parquet", table),
}


def written(room: Room, *words: object) -> tuple[bytes, bytes]:
    """The page and the figures of a report."""
    done = room.run("report", *words, "-o", "r.html", "--json", "r.json", "--group", "g")
    assert done.status == 0, done.err
    return (room / "r.html").read_bytes(), (room / "r.json").read_bytes()


def figures(room: Room, archive: str) -> bytes:
    assert room.run("export", archive, "-o", f"{archive}.parquet").status == 0
    return (room / f"{archive}.parquet").read_bytes()


@pytest.mark.parametrize("name", SAMPLES)
def test_importing_twice_changes_nothing(room: Room, name: str) -> None:
    path, make = SAMPLES[name]
    room.put(path, make(LINES, 0))
    once = written(room, path, "--archive", "a")
    assert written(room, path, "--archive", "a") == once
    assert written(room, path, path, "--archive", "b") == once
    assert written(room, "a") == once
    assert written(room, path) == once


@pytest.mark.parametrize("name", SAMPLES)
def test_overlapping_halves_in_either_order_are_one_report(room: Room, name: str) -> None:
    path, make = SAMPLES[name]
    room.put(f"one/{path}", make(LINES * 2 // 3, 0))
    room.put(f"two/{path}", make(LINES - LINES // 3, LINES // 3))
    room.put(f"all/{path}", make(LINES, 0))
    orders = {"ab": ["one", "two"], "ba": ["two", "one"], "aba": ["one", "two", "one"]}
    for archive, halves in orders.items():
        for half in halves:
            words = ["import", f"{half}/{path}", "--archive", archive, "--group", "g"]
            assert room.run(*words).status == 0
    reports = [written(room, archive) for archive in orders]
    reports.append(written(room, f"one/{path}", f"two/{path}"))
    assert all(report == reports[0] for report in reports)
    words = ["import", f"all/{path}", "--archive", "whole", "--group", "g"]
    assert room.run(*words).status == 0
    assert figures(room, "ab") == figures(room, "whole")


def kill(room: Room, number: signal.Signals, after: float, path: str) -> tuple[int, str]:
    """Ends an import of its own process; status and what it said."""
    words = ["import", room / path, "--archive", room / "a", "--group", "g"]
    child = room.start(*words, lang="zh")
    time.sleep(after)
    child.send_signal(number)
    _, said = child.communicate()
    return child.returncode, said


def moments(room: Room, path: str) -> list[float]:
    """Some times between the start and the end of an undisturbed import."""
    start = time.monotonic()
    child = room.start("import", room / path, "--archive", room / "whole", "--group", "g")
    child.communicate()
    whole = time.monotonic() - start
    return [whole * share for share in (0.55, 0.7, 0.85)]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_killed_import_goes_on_where_it_was_cut(room: Room, name: str) -> None:
    path, make = SAMPLES[name]
    room.put(path, make(LINES * 9, 0))
    never_killed = written(room, path)
    for moment in moments(room, path):
        kill(room, signal.SIGKILL, moment, path)
        if (room / "a" / "manifest.json").exists():
            assert room.run("archive", "verify", "a").status == 0
    forget(room.temporary)
    assert written(room, path, "--archive", "a") == never_killed
    assert room.run("archive", "verify", "a").status == 0
    named = (room / "a" / "manifest.json").read_text()
    assert all(p.name in named for p in (room / "a" / "data").iterdir())


def forget(temporary: Path) -> None:
    """Makes what killed commands left old enough to be swept."""
    for lock in temporary.glob(f"*/{LOCK}"):
        os.utime(lock, (0, 0))


# done, told to stop (Python may pass that on as a signal), or stopped before anything began
ENDED = {0, 130, -signal.SIGINT, -signal.SIGTERM}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_import_says_so_and_tidies_up(room: Room, number: signal.Signals) -> None:
    path, make = SAMPLES["whatsapp"]
    room.put(path, make(LINES * 30, 0))
    ends = [kill(room, number, moment, path) for moment in moments(room, path)]
    for _ in range(10):  # on a busy machine it may be stopped before it can say anything
        if not any("已停止" in said for _, said in ends):
            ends += [kill(room, number, moment, path) for moment in moments(room, path)]
    assert {status for status, _ in ends} <= ENDED, ends
    assert any("已停止" in said for _, said in ends)
    # before our code runs Python may say itself that it was interrupted
    assert all("Traceback" not in said for status, said in ends if status >= 0)
    assert list(room.temporary.iterdir()) == []
    assert room.run("import", path, "--archive", "a", "--group", "g").status == 0
    assert figures(room, "a") == figures(room, "whole")
