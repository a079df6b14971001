"""A crowd over HTTP: an installation on PostgreSQL, served as `qunluo web` is, and 64 connections."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONNECTIONS = 64
THREADS = 64  # as `qunluo web` has them
SITE = """
import sys
from qunluo.server import conf
conf.ROOT_URLCONF = "{urls}"
from qunluo.server.wsgi import application
"""


@dataclass(frozen=True)
class Press:
    """One request: where, by whose cookie, what."""

    path: str
    cookie: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Site:
    """A running installation; `told` is what its seat said."""

    port: int
    told: dict[str, Any]
    env: dict[str, str]

    def crowd(
        self, presses: Iterable[Press], tally: Tally, connections: int = CONNECTIONS
    ) -> None:
        """All press once, over so many connections that stay open."""
        began = time.perf_counter()
        asyncio.run(_crowd(self.port, presses, tally, connections))
        tally.seconds += time.perf_counter() - began


@dataclass
class Tally:
    """What one way of doing it came to."""

    name: str
    done: int = 0
    refused: int = 0
    failed: int = 0
    seconds: float = 0.0
    delays_ms: list[float] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        return (self.done + self.refused) / self.seconds if self.seconds else 0.0

    def at(self, share: float) -> float:
        """A quantile of the answers' times, in ms."""
        found = sorted(self.delays_ms)
        return found[min(len(found) - 1, int(share * len(found)))] if found else 0.0

    def told(self) -> str:
        return (
            f"  {self.name:<8} {self.per_s:7.0f}/s  p50 {self.at(0.5):6.1f} ms  "
            f"p99 {self.at(0.99):6.1f} ms  done {self.done}  refused {self.refused}  "
            f"failed {self.failed}"
        )


async def _crowd(port: int, presses: Iterable[Press], tally: Tally, connections: int) -> None:
    waiting = iter(presses)
    await asyncio.gather(*(_press(port, waiting, tally) for _ in range(connections)))


async def _press(port: int, waiting: Iterator[Press], tally: Tally) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for press in waiting:
        asked = time.perf_counter()
        writer.write(_request(press))
        status = await _answer(reader)
        tally.delays_ms.append((time.perf_counter() - asked) * 1000)
        tally.done += status == 200
        tally.refused += status == 409
        tally.failed += status not in (200, 409)
    writer.close()


def _request(press: Press) -> bytes:
    body = json.dumps(press.body).encode()
    token = "a" * 32
    return (
        f"POST {press.path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Cookie: {press.cookie}; csrftoken={token}\r\n"
        f"X-CSRFToken: {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def _answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    for line in head.split("\r\n"):
        if line.startswith("content-length:"):
            await reader.readexactly(int(line.partition(":")[2]))
    return int(head.split()[1])


@contextmanager
def open_site(seat: str, *words: str, urls: str) -> Iterator[Site]:
    """`seat` is a program that fills the database and prints what it made, as JSON."""
    from tests.postgres import postgres

    with tempfile.TemporaryDirectory(prefix="qunluo-crowd-") as data, postgres({}) as address:
        env = {**_plain(), "QUNLUO_DATA": data, "QUNLUO_DATABASE": address,
               "DJANGO_SETTINGS_MODULE": "qunluo.server.conf"}  # fmt: skip
        told = json.loads(run(seat, env, *words))
        port = _free_port()
        with _served(port, data, env, urls):
            yield Site(port, told, env)


def _plain() -> dict[str, str]:
    dropped = ("QUNLUO_DATABASE", "QUNLUO_CLOCK", "DJANGO_SETTINGS_MODULE", "QUNLUO_PARENT")
    return {name: value for name, value in os.environ.items() if name not in dropped}


def run(code: str, env: dict[str, str], *words: str) -> str:
    run = subprocess.run([sys.executable, "-c", code, *words], env=env, check=True, text=True,
                         stdout=subprocess.PIPE)  # fmt: skip
    return run.stdout.strip().rsplit("\n", 1)[-1]


@contextmanager
def _served(port: int, data: str, env: dict[str, str], urls: str) -> Iterator[None]:
    (Path(data) / "crowd_application.py").write_text(SITE.format(urls=urls), "utf-8")
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
        "--port", str(port), "--log-level", "error", "--blocking-threads", str(THREADS),
        "crowd_application:application",
    ]  # fmt: skip
    path = os.pathsep.join([data, str(Path.cwd())])
    with subprocess.Popen(
        command, env={**env, "PYTHONPATH": path}, start_new_session=True
    ) as web:
        try:
            _wait(port)
            yield
        finally:
            os.killpg(web.pid, signal.SIGKILL)


def _wait(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the site did not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
