"""Many members in one room: every message reaches everybody once, and how soon.

Starts a whole installation in a folder of its own (pages, live stream, worker), lets members
listen to the live stream and speak over HTTP, and counts what each of them got.
`python -m bench.room --members 200 --messages 200`.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

MOST_P95_MS = 300.0
WARM = 40  # messages of the first seconds after the start: counted, but their delays are told apart
SETTLE_S = 30.0
ANSWER_S = 10.0
SEAT = """
import json, sys
from qunluo.server.database import prepare_database
from qunluo.kit.settings import read_settings
prepare_database(read_settings(), "en")
from qunluo.channels.web.sessions import CHANNEL, COOKIE, do_open_session
from qunluo.community.actions import do_found
from qunluo.community.models import User
from qunluo.groups.actions import do_found_group, do_join
from qunluo.members.actions import do_meet
owner = User.objects.create_user(username="owner")
community = do_found("Bench", owner)
group = do_found_group(community, name="Room", purpose="to be measured", by="system",
                       capacity=2000, state="growing")
cookies = []
for number in range(int(sys.argv[1])):
    session, cookie = do_open_session()
    member = do_meet(community, channel=CHANNEL, external_id=session.account, name=f"M{number}")
    do_join(group, member, by=member.actor)
    cookies.append(f"{COOKIE}={cookie}")
print(json.dumps({"code": group.code, "cookies": cookies}))
"""


@dataclass
class Room:
    """An installation with one group and everybody's cookie."""

    port: int
    code: str
    cookies: list[str]
    process: subprocess.Popen[str]

    @property
    def live_port(self) -> int:
        return self.port + 1


@dataclass
class Listener:
    """What one member got: text → when it came first, and how often it came as a new item."""

    came: dict[str, float] = field(default_factory=dict)
    ids: dict[str, set[int]] = field(default_factory=dict)  # text → message ids
    after: int = 0

    def take(self, items: Sequence[dict[str, object]]) -> None:
        now = time.perf_counter()
        for item in items:
            text, number = str(item.get("text", "")), item.get("id")
            self.came.setdefault(text, now)
            if isinstance(number, int):
                self.ids.setdefault(text, set()).add(number)


@dataclass(frozen=True)
class Outcome:
    """`missing` and `doubled` count pairs of listener and message."""

    members: int
    messages: int
    missing: int
    doubled: int
    p50_ms: float
    p95_ms: float
    first_p95_ms: float = 0.0  # of the first seconds, in which processes load what they need


@contextmanager
def open_room(members: int) -> Iterator[Room]:
    """A running installation in an empty folder."""
    with tempfile.TemporaryDirectory(prefix="qunluo-room-") as data:
        port = _free_port()
        env = _environment(data, port)
        seated = subprocess.run(
            [sys.executable, "-c", SEAT, str(members)], env=env, check=True, text=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        told = json.loads(seated.stdout.strip().rsplit("\n", 1)[-1])
        command = [sys.executable, "-m", "qunluo", "up"]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as up:
            try:
                assert up.stdout is not None
                up.stdout.readline()  # it answers
                yield Room(port, told["code"], told["cookies"], up)
            finally:
                up.send_signal(signal.SIGINT)
                up.wait(60)


def _environment(data: str, port: int) -> dict[str, str]:
    dropped = ("QUNLUO_DATABASE", "QUNLUO_CLOCK", "DJANGO_SETTINGS_MODULE", "QUNLUO_PARENT")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    mine = {"QUNLUO_DATA": data, "QUNLUO_PORT": str(port), "QUNLUO_LIVE_PORT": str(port + 1)}
    return kept | mine


def _free_port() -> int:
    """One whose neighbour is free, too."""
    while True:
        with (
            socket.socket() as one,
            socket.socket() as next_one,
            suppress(OSError, OverflowError),
        ):
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            next_one.bind(("127.0.0.1", port + 1))
            return port


async def listen(room: Room, cookie: str, listener: Listener, ready: asyncio.Event) -> None:
    """Listens until cancelled; comes back with the revision it has when the line breaks."""
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            await _listen_once(room, cookie, listener, ready)
        await asyncio.sleep(0.2)


async def _listen_once(
    room: Room, cookie: str, listener: Listener, ready: asyncio.Event
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", room.live_port, limit=1 << 22)
    try:
        writer.write(
            f"GET /live/{room.code}?after={listener.after} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{room.live_port}\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        if b" 200 " not in await reader.readline():
            return
        while line := await reader.readline():
            words = line.decode().rstrip("\r\n")
            if words.startswith("retry:"):
                ready.set()
            elif words.startswith("id:"):
                listener.after = max(listener.after, int(words[3:].strip() or 0))
            elif words.startswith("data:"):
                listener.take(json.loads(words[5:]))
    finally:
        writer.close()


async def say(room: Room, cookie: str, text: str, key: str) -> bool:
    """Says something, again under the same key until it is taken; whether it was."""
    end = time.monotonic() + SETTLE_S
    while time.monotonic() < end:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(ANSWER_S):
                if await _say_once(room, cookie, text, key) == 200:
                    return True
        await asyncio.sleep(0.2)
    return False


async def _say_once(room: Room, cookie: str, text: str, key: str) -> int:
    token = "b" * 32
    body = json.dumps({"key": key, "text": text}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", room.port)
    try:
        head = (
            f"POST /r/{room.code}/say HTTP/1.1\r\nHost: 127.0.0.1:{room.port}\r\n"
            f"Cookie: {cookie}; csrftoken={token}\r\nX-CSRFToken: {token}\r\n"
            "Content-Type: application/json\r\nAccept: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        status = await reader.readline()
        await reader.read()
        return int(status.split(b" ")[1]) if status else 0
    finally:
        writer.close()


Meanwhile = Callable[[Room], Awaitable[None]]


async def _nothing(room: Room) -> None:
    return None


async def measure(
    room: Room, messages: int, every_s: float, meanwhile: Meanwhile = _nothing, warm: int = 0
) -> Outcome:
    """Everybody listens, members speak in turn; `meanwhile` runs beside it. The delays of the
    first `warm` messages are told apart."""
    listeners = [Listener() for _ in room.cookies]
    ready = [asyncio.Event() for _ in room.cookies]
    tasks = [
        asyncio.create_task(listen(room, *each))
        for each in zip(room.cookies, listeners, ready, strict=True)
    ]
    await asyncio.gather(*(event.wait() for event in ready))
    disturbing = asyncio.create_task(_run(meanwhile, room))
    said = await _talk(room, messages, every_s)
    await disturbing
    await _settle(listeners, said)
    for task in tasks:
        task.cancel()
    return judge(listeners, said, warm)


async def _run(meanwhile: Meanwhile, room: Room) -> None:
    await meanwhile(room)


async def _talk(room: Room, messages: int, every_s: float) -> dict[str, float]:
    """What was said and when it was begun to be said."""
    said: dict[str, float] = {}
    posting = []
    for number in range(messages):
        text, key = f"word {number} {secrets.token_hex(4)}", secrets.token_hex(8)
        said[text] = time.perf_counter()
        cookie = room.cookies[number * 7 % len(room.cookies)]
        posting.append(asyncio.create_task(say(room, cookie, text, key)))
        await asyncio.sleep(every_s)
    taken = await asyncio.gather(*posting)
    if not all(taken):
        raise RuntimeError(f"{taken.count(False)} messages were not taken")
    return said


async def _settle(listeners: Sequence[Listener], said: dict[str, float]) -> None:
    end = time.monotonic() + SETTLE_S
    while time.monotonic() < end and any(said.keys() - one.came.keys() for one in listeners):
        await asyncio.sleep(0.1)


def judge(listeners: Sequence[Listener], said: dict[str, float], warm: int = 0) -> Outcome:
    """Who lacks what, what came as two messages, and the delays in ms."""
    first, later = dict(list(said.items())[:warm]), dict(list(said.items())[warm:])
    delays = _delays(listeners, later)
    return Outcome(
        members=len(listeners),
        messages=len(said),
        missing=sum(len(said.keys() - one.came.keys()) for one in listeners),
        doubled=sum(len(one.ids.get(text, ())) > 1 for one in listeners for text in said),
        p50_ms=_percentile(delays, 0.5),
        p95_ms=_percentile(delays, 0.95),
        first_p95_ms=_percentile(_delays(listeners, first), 0.95) if warm else 0.0,
    )


def _delays(listeners: Sequence[Listener], said: dict[str, float]) -> list[float]:
    return sorted(
        (one.came[text] - began) * 1000
        for one in listeners for text, began in said.items() if text in one.came
    )  # fmt: skip


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf


def race(members: int = 200, messages: int = 200, every_s: float = 0.1) -> Outcome:
    """A room of that size, undisturbed."""
    with open_room(members) as room:
        return asyncio.run(measure(room, messages + WARM, every_s, warm=WARM))


def children_of(pid: int) -> dict[str, int]:
    """Name → process, of what `qunluo up` started (Linux)."""
    found = {}
    for folder in Path("/proc").iterdir():
        with suppress(OSError, IndexError):
            if folder.name.isdecimal() and f"PPid:\t{pid}\n" in (folder / "status").read_text():
                found[(folder / "cmdline").read_text().split("\0")[3]] = int(folder.name)
    return found


def tell(outcome: Outcome) -> list[str]:
    """The lines that `make bench` prints."""
    whole = outcome.missing == 0 and outcome.doubled == 0
    return [
        f"\nOne room: {outcome.members} members listen, {outcome.messages} messages",
        f"  missing {outcome.missing}, doubled {outcome.doubled}: "
        f"{'holds' if whole else 'DOES NOT HOLD'}",
        f"  from saying to hearing: p50 {outcome.p50_ms:.0f} ms, p95 {outcome.p95_ms:.0f} ms "
        f"(at most {MOST_P95_MS:.0f} ms: "
        f"{'holds' if outcome.p95_ms <= MOST_P95_MS else 'DOES NOT HOLD'}); "
        f"right after the start, p95 of {WARM}: {outcome.first_p95_ms:.0f} ms",
    ]
