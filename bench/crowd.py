"""A crowd over HTTP: an installation on PostgreSQL, served as `qunluo web` is, and 64 connections."""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

CONNECTIONS = 64
THREADS = 64  # as `qunluo web` has them
_LENGTH = re.compile(rb"(?i)content-length: *([0-9]+)")
SITE = """
import sys
from qunluo.server import conf
conf.ROOT_URLCONF = "{urls}"
from qunluo.server.wsgi import application
import threading
for thread in threading.enumerate():
    if thread.name == "warming":  # what a site loads in its first seconds is nobody's delay here
        thread.join()
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
        requests = iter([_request(press) for press in presses])
        began = time.perf_counter()
        _crowd(self.port, requests, tally, connections)
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


def _crowd(port: int, requests: Iterator[bytes], tally: Tally, connections: int) -> None:
    """One thread, and as little of it as goes: the crowd must not take the site's share."""
    with selectors.DefaultSelector() as ready:
        for request in islice(requests, connections):
            one = _Connection(port)
            ready.register(one.socket, selectors.EVENT_READ, one)
            one.ask(request)
        while ready.get_map():
            for key, _ in ready.select():
                if key.data.hear(tally) and not key.data.ask(next(requests, None)):
                    ready.unregister(key.fileobj)
                    key.data.socket.close()


class _Connection:
    """One buyer after the other."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.asked, self.heard = 0.0, b""

    def ask(self, request: bytes | None) -> bool:
        """Whether there was one more."""
        if request is None:
            return False
        self.asked, self.heard = time.perf_counter(), b""
        self.socket.sendall(request)
        return True

    def hear(self, tally: Tally) -> bool:
        """Whether the answer is whole; an end of the connection is a failure."""
        part = self.socket.recv(65_536)
        self.heard += part
        if part and not _is_whole(self.heard):
            return False
        status = int(self.heard[9:12] or 0)
        tally.delays_ms.append((time.perf_counter() - self.asked) * 1000)
        tally.done += status == 200
        tally.refused += status == 409
        tally.failed += status not in (200, 409)
        return True


def _is_whole(heard: bytes) -> bool:
    head, ended, body = heard.partition(b"\r\n\r\n")
    told = _LENGTH.search(head)
    return bool(ended) and (told is None or len(body) >= int(told[1]))


def _request(press: Press) -> bytes:
    body = json.dumps(press.body).encode()
    token = "a" * 32
    return (
        f"POST {press.path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Cookie: {press.cookie}; csrftoken={token}\r\n"
        f"X-CSRFToken: {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


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
