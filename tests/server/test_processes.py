"""The processes of an installation: kept running, ended together, behind one address."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from qunluo.kit.settings import read_settings
from qunluo.server.errors import PortTakenError
from qunluo.server.processes import Child, Crew
from qunluo.server.serving import find_live_port

SLEEPER = "import time; time.sleep(600)"
WAIT_S = 90.0


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def until(holds: Callable[[], object], patience_s: float = WAIT_S) -> None:
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


@contextmanager
def running(crew: Crew) -> Iterator[None]:
    thread = threading.Thread(target=crew.run)
    thread.start()
    try:
        yield
    finally:
        crew.stop.set()
        thread.join()


def pid_of(child: Child) -> int:
    return child.process.pid if child.process else 0


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_child_that_dies_is_started_again() -> None:
    deaths: list[tuple[str, int]] = []
    crew = Crew([Child("one", python(SLEEPER)), Child("two", python(SLEEPER))])
    crew.tell = lambda name, code: deaths.append((name, code))
    with running(crew):
        until(lambda: all(pid_of(child) for child in crew.children), 20)
        first, other = map(pid_of, crew.children)
        os.kill(first, signal.SIGKILL)
        until(lambda: pid_of(crew.children[0]) not in (0, first), 20)
        assert pid_of(crew.children[1]) == other
        assert deaths == [("one", -signal.SIGKILL)]
        last = pid_of(crew.children[0])
    assert not is_alive(last)
    assert not is_alive(other)


def test_a_child_that_always_dies_is_not_started_all_the_time() -> None:
    crew = Crew([Child("one", python("raise SystemExit(3)"))])
    deaths: list[int] = []
    crew.tell = lambda name, code: deaths.append(code)
    with running(crew):
        time.sleep(2.5)
    assert 1 <= len(deaths) <= 4
    assert set(deaths) == {3}
    assert crew.children[0].wait > 0.5


def test_children_see_what_the_crew_has_set(tmp_path: Path) -> None:
    said = tmp_path / "said"
    code = f"import os; open({str(said)!r}, 'w').write(os.environ['WORD']); {SLEEPER}"
    with running(Crew([Child("one", python(code))], {"WORD": "hello"})):
        until(lambda: said.exists() and said.read_text() == "hello", 20)


def test_the_live_port_is_the_next_that_is_free() -> None:
    with socket.socket() as taken, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        assert find_live_port(read_settings({}), port) > port + 1
        with pytest.raises(PortTakenError):
            find_live_port(read_settings({"QUNLUO_LIVE_PORT": str(port + 1)}), port)


# the whole


def answers(port: int, path: str) -> bool:
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as ask:
            ask.request("GET", path)
            status = ask.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    return status < 400


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """`qunluo up` in an empty folder, once it has printed its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = tmp_path / "data"
    env = {**os.environ, "QUNLUO_DATA": str(data), "QUNLUO_PORT": str(port), "LANG": "C"}
    for name in ("QUNLUO_DATABASE", "DJANGO_SETTINGS_MODULE", "LC_ALL"):
        env.pop(name, None)
    with subprocess.Popen(
        [sys.executable, "-m", "qunluo", "up"], env=env, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as up:  # fmt: skip
        assert up.stdout is not None
        assert f"http://127.0.0.1:{port}/" in up.stdout.readline()
        yield up, port, data
        up.send_signal(signal.SIGINT)
        up.wait(30)


def children_of(pid: int) -> dict[str, int]:
    """Name → process, of what `qunluo up` started."""
    found = {}
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and f"PPid:\t{pid}\n" in (folder / "status").read_text():
                words = (folder / "cmdline").read_text().split("\0")
                found[words[3]] = int(folder.name)
        except (OSError, IndexError):
            continue
    return found


def test_one_command_starts_all_and_one_signal_stops_all(
    started: tuple[subprocess.Popen[str], int, Path],
) -> None:
    up, port, data = started
    assert answers(port, "/assets/icon.svg")
    until(lambda: answers(port + 1, "/live"))
    children = children_of(up.pid)
    assert set(children) == {"web", "live", "worker"}
    with sqlite3.connect(data / "qunluo.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM django_migrations").fetchone()[0] > 50
    database.close()
    os.kill(children["web"], signal.SIGKILL)
    until(lambda: children_of(up.pid).get("web") not in (None, children["web"]))
    until(lambda: answers(port, "/assets/icon.svg"))
    up.send_signal(signal.SIGINT)
    assert up.wait(30) == 0
    until(lambda: not any(is_alive(pid) for pid in children.values()), 20)


def test_children_do_not_outlive_a_killed_parent(
    started: tuple[subprocess.Popen[str], int, Path],
) -> None:
    up, port, _ = started
    children = children_of(up.pid)
    up.kill()
    until(lambda: not any(is_alive(pid) for pid in children.values()), 40)
    until(lambda: not answers(port, "/assets/icon.svg"), 20)


def run(*words: str, data: Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "QUNLUO_DATA": str(data), "LANG": "C"}
    for name in ("QUNLUO_DATABASE", "DJANGO_SETTINGS_MODULE", "LC_ALL"):
        env.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "qunluo", *words], env=env, input=typed, text=True,
        capture_output=True, timeout=200, check=False,
    )  # fmt: skip


def test_reset_asks_first_and_leaves_an_empty_installation(tmp_path: Path) -> None:
    data = tmp_path / "data"
    emptied = run("reset", "--yes", data=data)
    assert emptied.returncode == 0, emptied.stderr
    with sqlite3.connect(data / "qunluo.sqlite3") as database:
        database.execute(
            "INSERT INTO community_community (name, slug, zone, lang, settings, simulated,"
            " made_at) VALUES ('Tea', 'tea', 'UTC', 'en', '{}', 0, '2026-03-01')"
        )
    database.close()
    (data / "archive" / "1").mkdir()
    secret = (data / "secret").read_text()
    refused = run("reset", data=data, typed="n\n")
    assert "Nothing was deleted" in refused.stdout
    assert (data / "archive" / "1").exists()
    assert run("reset", data=data, typed="y\n").returncode == 0
    assert not (data / "archive" / "1").exists()
    with sqlite3.connect(data / "qunluo.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM community_community").fetchone() == (0,)
    database.close()
    assert (data / "secret").read_text() == secret


@pytest.mark.parametrize(
    ("name", "value"),
    [("QUNLUO_CLOCK", "soon"), ("QUNLUO_PORT", "eighty"), ("QUNLUO_DATABASE", "mysql://x")],
)
@pytest.mark.parametrize("command", ["up", "web", "live", "worker"])
def test_a_wrong_setting_stops_the_start_with_a_sentence(
    command: str, name: str, value: str, tmp_path: Path
) -> None:
    env = {**os.environ, "QUNLUO_DATA": str(tmp_path), name: value, "LANG": "C"}
    env.pop("LC_ALL", None)
    ended = subprocess.run(
        [sys.executable, "-m", "qunluo", command], env=env, text=True, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert name in ended.stderr
    assert "Traceback" not in ended.stderr
