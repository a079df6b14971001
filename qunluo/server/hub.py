"""Who listens to which group, and the one reader of changes that all of them share."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from qunluo.server.listening import (
    Admitted,
    News,
    event,
    list_directs,
    read_news,
    read_revisions,
)

SQLITE_STEP_S = 0.005  # one PRAGMA, some microseconds
POSTGRES_STEP_S = 0.05  # one query for all groups that are listened to
WAITING = 200  # chunks for one listener: who is further behind comes back with their revision
AFTER_ERROR_S = 1.0
CLOSE = b""
log = logging.getLogger(__name__)
InThread = Callable[..., Awaitable[Any]]


@dataclass(eq=False)
class Listener:
    """One open page. `queue` holds what it has to be told; `CLOSE` ends it."""

    admitted: Admitted
    cookies: Mapping[str, str]
    code: str
    queue: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(WAITING))

    def tell(self, chunk: bytes) -> None:
        try:
            self.queue.put_nowait(chunk)
        except asyncio.QueueFull:
            self.queue = asyncio.Queue(1)
            self.queue.put_nowait(CLOSE)


@dataclass
class Topic:
    """A group that is listened to, and the revision its listeners have been told of."""

    revision: int
    listeners: set[Listener] = field(default_factory=set)


class Hub:
    """Reads each change once and tells everybody who listens to its group."""

    def __init__(self, in_thread: InThread) -> None:
        self.topics: dict[int, Topic] = {}
        self.in_thread = in_thread
        self.direct = 0  # the last direct item that was told
        self.task: asyncio.Task[None] | None = None
        self.version = Version()

    def join(self, listener: Listener) -> None:
        admitted = listener.admitted
        topic = self.topics.setdefault(admitted.group_id, Topic(admitted.revision))
        topic.listeners.add(listener)
        if self.task is None or self.task.done():
            self.direct = admitted.direct
            self.task = asyncio.create_task(self._follow())

    def leave(self, listener: Listener) -> None:
        topic = self.topics.get(listener.admitted.group_id)
        if topic is not None:
            topic.listeners.discard(listener)
            if not topic.listeners:
                del self.topics[listener.admitted.group_id]

    def close(self) -> None:
        for topic in self.topics.values():
            for listener in topic.listeners:
                listener.tell(CLOSE)

    async def _follow(self) -> None:
        while self.topics:
            try:
                await asyncio.sleep(self.version.step_s)
                if self.version.changed():
                    await self._tell_all()
            except Exception:
                log.exception("the live stream could not read the database")
                self.version = Version()
                await asyncio.sleep(AFTER_ERROR_S)

    async def _tell_all(self) -> None:
        revisions = await self.in_thread(read_revisions, list(self.topics))
        for group_id, revision in revisions.items():
            topic = self.topics.get(group_id)
            if topic is not None and revision > topic.revision:
                await self._tell(group_id, topic)
        await self._tell_directs()

    async def _tell(self, group_id: int, topic: Topic) -> None:
        people = {li.admitted.member_id for li in topic.listeners if li.admitted.member_id}
        news: News = await self.in_thread(read_news, group_id, topic.revision, people)
        topic.revision = news.revision
        chunk = event(news.items, revision=news.revision)
        for listener in list(topic.listeners):
            outside = listener.admitted.member_id in news.outside
            listener.tell(event([], "gone") if outside else chunk)

    async def _tell_directs(self) -> None:
        everyone = [li for topic in self.topics.values() for li in topic.listeners]
        people = {li.admitted.member_id for li in everyone if li.admitted.member_id}
        self.direct, items = await self.in_thread(list_directs, self.direct, people)
        for listener in everyone:
            mine = items.get(listener.admitted.member_id)
            if mine:
                listener.tell(event(mine, "direct"))


class Version:
    """Whether anything was committed since it was last asked. On SQLite one pragma says so; on
    PostgreSQL the revisions themselves are asked, less often."""

    def __init__(self) -> None:
        self.is_sqlite = connection.vendor == "sqlite"
        self.step_s = SQLITE_STEP_S if self.is_sqlite else POSTGRES_STEP_S
        self.reader: sqlite3.Connection | None = None
        self.seen = -1

    def changed(self) -> bool:
        if not self.is_sqlite:
            return True
        if self.reader is None:
            self.reader = sqlite3.connect(str(connection.settings_dict["NAME"]))
        found = int(self.reader.execute("PRAGMA data_version").fetchone()[0])
        changed, self.seen = found != self.seen, found
        return changed
