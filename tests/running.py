"""Real processes on the database of a test: the pages and the live stream."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

PATIENCE_S = 60.0
HOST = "127.0.0.1"
UP_WITHIN_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def same_database(folder: Path) -> dict[str, str]:
    """Variables under which another process works on this test's database."""
    found = {"QUNLUO_DATA": str(folder), "QUNLUO_SECRET_KEY": settings.SECRET_KEY}
    if connection.vendor == "postgresql":
        address = os.environ["QUNLUO_DATABASE"]
        name = connection.settings_dict["NAME"]
        base, _, more = address.partition("?")
        found["QUNLUO_DATABASE"] = (
            f"{base.rpartition('/')[0]}/{name}{'?' + more if more else ''}"
        )
        assert make_conninfo(found["QUNLUO_DATABASE"])
    else:
        (folder / "qunluo.sqlite3").symlink_to(connection.settings_dict["NAME"])
    return found


@dataclass
class Process:
    """One server, that can be killed and started again on its port."""

    application: str
    interface: str
    port: int
    path: str
    env: Mapping[str, str]
    running: subprocess.Popen[bytes] | None = field(default=None)
    wanted: bool = True

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        command = [
            sys.executable, "-m", "granian", "--interface", self.interface, "--host", HOST,
            "--port", str(self.port), "--log-level", "error", self.application,
        ]  # fmt: skip
        self.running = subprocess.Popen(
            command, env={**os.environ, **self.env}, start_new_session=True
        )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + UP_WITHIN_S
        while time.monotonic() < end:
            try:
                with closing(http.client.HTTPConnection(HOST, self.port, timeout=10)) as ask:
                    ask.request("GET", self.path)
                    ask.getresponse().read()
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"{self.application} did not answer")

    def kill(self) -> None:
        """As a power cut does: without a word."""
        if self.running is not None:
            os.killpg(self.running.pid, 9)
            self.running.wait()
            self.running = None


@dataclass
class Servers:
    web: Process
    live: Process

    def revive(self) -> None:
        """Starts again what a test has killed."""
        for process in (self.live, self.web):
            if process.wanted and process.running is None:
                process.start()


@contextmanager
def servers(folder: Path, *, web: bool = True) -> Iterator[Servers]:
    """The live stream, and the pages if wanted, on this test's database."""
    ports = free_port(), free_port()
    env = {
        **same_database(folder), "QUNLUO_PORT": str(ports[0]), "QUNLUO_LIVE_PORT": str(ports[1]),
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }  # fmt: skip
    both = Servers(
        Process("qunluo.server.wsgi:application", "wsgi", ports[0], "/assets/icon.svg", env),
        Process("qunluo.server.live:application", "asgi", ports[1], "/live", env),
    )
    try:
        both.web.wanted = web
        both.revive()
        yield both
    finally:
        both.web.kill()
        both.live.kill()


def status_of(port: int, code: str, **headers: str) -> int:
    """Whether somebody may listen."""
    ear = Ear(port, code, **headers)
    ear.close()
    return ear.status


class Ear:
    """One listener to a live stream."""

    def __init__(self, port: int, code: str, after: int = 0, **headers: str) -> None:
        self.line = http.client.HTTPConnection(HOST, port, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.line.request("GET", f"/live/{code}?after={after}", headers=named)
        self.answer = self.line.getresponse()
        self.status = self.answer.status
        self.kept: set[tuple[int, int]] = set()

    def event(self) -> dict[str, Any]:
        """The next event: its name, id and data; comments are passed over."""
        found: dict[str, Any] = {}
        until = time.monotonic() + PATIENCE_S  # signs of life keep the line's own timeout away
        while line := self.answer.readline().decode():
            assert time.monotonic() < until, "nothing was heard"
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                found[name] = value
            elif "data" in found:
                return {**found, "data": json.loads(found["data"])}
            else:
                found = {}
        raise EOFError

    def texts(self, count: int) -> list[str]:
        """The words of the next messages, as many as asked for."""
        heard: list[str] = []
        while len(heard) < count:
            event = self.event()
            if "event" not in event:
                heard += [item["text"] for item in event["data"] if self._is_new(item)]
        return heard

    def _is_new(self, item: dict[str, Any]) -> bool:
        """As a page does: what comes twice, with the same revision, is kept once."""
        mark = (item["id"], item["revision"])
        new = mark not in self.kept
        self.kept.add(mark)
        return new

    def close(self) -> None:
        self.answer.close()
        self.line.close()
