"""A room whose processes are killed while people talk: nothing is lost, nothing doubled."""

from __future__ import annotations

import asyncio
import os
import signal

from bench.room import Listener, Room, children_of, judge, measure, open_room

MEMBERS, MESSAGES = 12, 40


async def kill_one_after_the_other(room: Room) -> None:
    for name in ("worker", "web", "live"):
        await asyncio.sleep(1.0)
        pid = children_of(room.process.pid).get(name)
        if pid:
            os.killpg(pid, signal.SIGKILL)


def test_every_message_reaches_everybody_once_though_all_processes_are_killed() -> None:
    with open_room(MEMBERS) as room:
        outcome = asyncio.run(measure(room, MESSAGES, 0.15, kill_one_after_the_other))
    assert (outcome.members, outcome.messages) == (MEMBERS, MESSAGES)
    assert outcome.missing == 0
    assert outcome.doubled == 0


def test_what_is_missing_or_doubled_is_seen() -> None:
    one, other = Listener(), Listener()
    one.take([{"id": 1, "text": "a"}, {"id": 2, "text": "a"}, {"id": 3, "text": "b"}])
    other.take([{"id": 1, "text": "a"}, {"id": 1, "text": "a"}])
    outcome = judge([one, other], {"a": 0.0, "b": 0.0})
    assert (outcome.missing, outcome.doubled) == (1, 1)
