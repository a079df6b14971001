"""The live stream: an ASGI application beside the pages that tells listeners what is new.

`GET /live/<group code>?after=<revision>` answers with server-sent events: `data:` is a JSON list
of room items, `id:` the revision they lead to. It tails the database, so it may be killed and
started at any moment: a listener comes back with the revision it has, and misses nothing.

Each change of a group is read once, whoever listens. The ORM is used in threads only.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qs

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qunluo.server.conf")
django.setup()

from django.db import connection  # noqa: E402 - Django first
from django.http import parse_cookie  # noqa: E402 - Django first

from qunluo.kit.errors import QunluoError  # noqa: E402 - Django first
from qunluo.server.hub import CLOSE, Hub, Listener  # noqa: E402 - Django first
from qunluo.server.listening import (  # noqa: E402 - Django first
    Admitted,
    admit,
    allowed_origin,
    catch_up,
    event,
    list_unseen,
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Result = TypeVar("Result")

KEEP_ALIVE_S = 15.0  # proxies and phones drop what is silent; admission is checked again then
RETRY_MS = 1_000
STREAM = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
ALWAYS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
log = logging.getLogger(__name__)
_threads = ThreadPoolExecutor(4, thread_name_prefix="live")


async def in_thread(ask: Callable[..., Result], *given: Any) -> Result:
    """Runs what touches the database away from the loop; its connection stays open."""

    def run() -> Result:
        try:
            return ask(*given)
        except QunluoError:
            raise
        except Exception:
            connection.close()  # it may be broken: the next one opens another
            raise

    return await asyncio.get_running_loop().run_in_executor(_threads, run)


hub = Hub(in_thread)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The application that Granian serves."""
    if scope["type"] == "lifespan":
        await _live_and_die(receive, send)
    elif scope["type"] == "http":
        await _answer(scope, receive, send)


async def _live_and_die(receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    hub.close()
    await send({"type": "lifespan.shutdown.complete"})


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    code = scope["path"].removeprefix("/live/")
    if scope["path"] == "/live":  # whether it is up
        return await _say(send, 200)
    if scope["method"] != "GET" or code == scope["path"] or not code.isascii() or "/" in code:
        return await _say(send, 404)
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    origin = allowed_origin(headers.get(b"host", ""), headers.get(b"origin", ""))
    cookies = parse_cookie(headers.get(b"cookie", ""))
    found = await in_thread(admit, code, cookies) if origin is not None else None
    if found is None or origin is None:
        return await _say(send, 403, _cors(origin))
    listener = Listener(found, cookies, code)
    await _stream(listener, _after(scope, headers), receive, send, _cors(origin))
    return None


def _after(scope: Scope, headers: dict[bytes, str]) -> int:
    """The revision a listener has: what the browser saw last, else what the page named."""
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("after", ["0"])[0]
    known = [headers.get(b"last-event-id", ""), asked]
    return max((int(v) for v in known if v.isdecimal() and len(v) < 19), default=0)


def _cors(origin: str | None) -> list[tuple[bytes, bytes]]:
    if not origin:
        return []
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


async def _say(send: Send, status: int, more: list[tuple[bytes, bytes]] | None = None) -> None:
    await send(
        {"type": "http.response.start", "status": status, "headers": [*ALWAYS, *(more or [])]}
    )
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _stream(
    listener: Listener, after: int, receive: Receive, send: Send,
    cors: list[tuple[bytes, bytes]],
) -> None:  # fmt: skip
    """First what is new since `after`, then what comes; joined before the first is read, so that
    nothing falls between. Items may come twice, with the same revision: a reader keeps one."""
    headers = [*STREAM, *ALWAYS, *cors]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    hub.join(listener)
    gone = asyncio.create_task(_watch(listener, receive))
    try:
        await _send(send, f"retry: {RETRY_MS}\n\n".encode())
        await _send(send, await in_thread(catch_up, listener.admitted, after))
        await _send(send, event(await in_thread(list_unseen, listener.admitted), "direct"))
        await _pass_on(listener, send)
        with suppress(Exception):  # the reader may be gone already
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()
        hub.leave(listener)


async def _watch(listener: Listener, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.tell(CLOSE)


async def _pass_on(listener: Listener, send: Send) -> None:
    while True:
        try:
            async with asyncio.timeout(KEEP_ALIVE_S):
                chunk = await listener.queue.get()
        except TimeoutError:
            chunk = await _still_here(listener)
        await _send(send, chunk)
        if chunk.startswith(b"event: gone") or chunk == CLOSE:
            return


async def _still_here(listener: Listener) -> bytes:
    """A comment that keeps the line open, or the word that they may not listen any more."""
    found: Admitted | None = await in_thread(admit, listener.code, listener.cookies)
    return b": here\n\n" if found is not None else event([], "gone")


async def _send(send: Send, chunk: bytes) -> None:
    if chunk:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
