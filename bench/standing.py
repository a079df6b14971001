"""Standing of many members: after one event, and of everybody in a night.

Makes a community in a folder of its own (SQLite) or in an empty database (QUNLUO_DATABASE), with
the sums of some months behind it, then tells it of single events and lets nights come.
`python -m bench.standing --members 1000000`.
"""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import islice

import click

from qunluo.kit import clock

MOST_EVENT_MS = 20.0
MOST_NIGHT_S = 600.0  # at a million members
MOST_GROWTH_MB = 400.0  # of a million members: a few columns of numbers, never all facts
EVENTS = 100
BATCH = 5_000
Row = tuple[int | str | date, ...]


@dataclass(frozen=True)
class Outcome:
    """Milliseconds, seconds and megabytes."""

    members: int
    tallies: int
    contacts: int
    event_p50_ms: float
    event_p95_ms: float
    night_s: float
    again_s: float
    growth_mb: float


def race(members: int) -> Outcome:
    """Runs it in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="qunluo-bench-") as data:
        environment = {**os.environ, "QUNLUO_DATA": data}
        command = [sys.executable, "-m", "bench.standing", "--members", str(members), "--json"]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))


def tell(found: Outcome) -> list[str]:
    """The lines that `make bench` prints."""
    most = max(MOST_NIGHT_S * found.members / 1e6, 5.0)
    return [
        f"\nStanding: {found.members:,} members, {found.tallies:,} sums of days, "
        f"{found.contacts:,} contacts",
        f"  after one event: p50 {found.event_p50_ms:.1f} ms, p95 {found.event_p95_ms:.1f} ms "
        f"(at most {MOST_EVENT_MS:.0f} ms: {_holds(found.event_p95_ms <= MOST_EVENT_MS)})",
        f"  a whole night: {found.night_s:.0f} s (at most {most:.0f} s: "
        f"{_holds(found.night_s <= most)}), the next one {found.again_s:.0f} s",
        f"  memory grew by {found.growth_mb:,.0f} MB meanwhile (at most {MOST_GROWTH_MB:.0f} MB: "
        f"{_holds(found.growth_mb <= MOST_GROWTH_MB)})",
    ]


def _holds(yes: bool) -> str:
    return "holds" if yes else "DOES NOT HOLD"


# inside


def measure(members: int) -> Outcome:
    from qunluo.kit.settings import read_settings
    from qunluo.server.database import prepare_database

    prepare_database(read_settings(), "en")
    community, first = _found(members)
    tallies, contacts = _fill(community, first, members)
    _progress(f"{tallies:,} sums, {contacts:,} contacts")
    before = _peak_mb()
    night = _night(community)
    growth = _peak_mb() - before
    _progress(f"night {night:.1f} s")
    events = sorted(_one_event(community, first, members) for _ in range(EVENTS))
    again = _night(community)
    return Outcome(
        members, tallies, contacts, statistics.median(events), events[int(EVENTS * 0.95) - 1],
        night, again, growth,
    )  # fmt: skip


def _progress(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _found(members: int) -> tuple[int, int]:
    """A community with members; its id and the first member's."""
    from qunluo.community.actions import do_found
    from qunluo.community.models import User
    from qunluo.members.models import Member

    community = do_found("Bench", User.objects.create_user(username="owner"))
    made = clock.now() - timedelta(days=120)
    for begin in range(0, members, BATCH):
        Member.objects.bulk_create(
            Member(community=community, name=f"M{n}", made_at=made)
            for n in range(begin, min(begin + BATCH, members))
        )
    first = Member.objects.order_by("pk").values_list("pk", flat=True)[0]
    return community.pk, first


def _fill(community: int, first: int, members: int) -> tuple[int, int]:
    """Months of life in sums: all joined, a third talks, a sixth buys."""
    dice = random.Random(7)
    tallies = _insert("standing_tally", _tallies(dice, community, first, members))
    contacts = _insert("standing_contact", _contacts(dice, community, first, members))
    return tallies, contacts


def _tallies(dice: random.Random, community: int, first: int, members: int) -> Iterator[Row]:
    today = clock.now().date()
    for member in range(first, first + members):
        yield (community, member, member, "joined", today - timedelta(days=119), 1, 0)
        if dice.random() < 0.33:
            days = dice.sample(range(110), dice.randrange(4, 24))
            for ago in days:
                yield (community, member, member, "said", today - timedelta(days=ago), 2, 0)
        if dice.random() < 0.16:
            for ago in dice.sample(range(110), dice.randrange(1, 4)):
                day = today - timedelta(days=ago)
                yield (community, member, member, "paid", day, 1, dice.randrange(900, 90_000))


def _contacts(dice: random.Random, community: int, first: int, members: int) -> Iterator[Row]:
    """Answers within rooms of two hundred."""
    today = clock.now().date()
    for member in range(first, first + members):
        if dice.random() >= 0.33:
            continue
        room = first + (member - first) // 200 * 200
        taken = set()
        for _ in range(dice.randrange(2, 10)):
            other = room + dice.randrange(min(200, first + members - room))
            ago = dice.randrange(110)
            if other != member and (other, ago) not in taken:
                taken.add((other, ago))
                yield (community, member, other, member, other, "reply",
                       today - timedelta(days=ago), 1)  # fmt: skip


_COLUMNS = {
    "standing_tally": "community_id, member_id, origin_id, kind, day, n, amount_minor",
    "standing_contact": "community_id, member_id, other_id, origin_id, other_origin_id, kind, "
    "day, n",
}


def _insert(table: str, rows: Iterator[Row]) -> int:
    from django.db import connection, transaction

    names, n = _COLUMNS[table], 0
    places = ", ".join(["%s"] * (names.count(",") + 1))
    sql = f"INSERT INTO {table} ({names}) VALUES ({places})"
    while part := list(islice(rows, 50_000)):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(sql, part)
        n += len(part)
    return n


def _night(community: int) -> float:
    from qunluo.community.models import Community
    from qunluo.standing.actions import do_judge_all

    began = time.perf_counter()
    do_judge_all(Community.objects.get(pk=community))
    return time.perf_counter() - began


def _one_event(community: int, first: int, members: int) -> float:
    """From the record of one event to the standing that follows; in milliseconds."""
    from qunluo.events.actions import record
    from qunluo.standing.actions import do_follow

    one, other = (first + random.randrange(members) for _ in range(2))
    record("message_posted", community=community, member=one,
           data={"label": "member", "to_member": other, "to_label": "member"})  # fmt: skip
    began = time.perf_counter()
    do_follow()
    took = (time.perf_counter() - began) * 1000
    while do_follow():  # what the change itself told
        pass
    return took


@click.command()
@click.option("--members", type=click.IntRange(min=10), default=100_000, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(members: int, as_json: bool) -> None:
    """Measures standing, here and now."""
    if not as_json:
        print("\n".join(tell(race(members))))
        return
    print(json.dumps(asdict(measure(members))))


if __name__ == "__main__":
    main()
