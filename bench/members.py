"""A million members come in from a CSV, and are found among what they said.

Each part is a process of its own in a new installation: `python -m bench.members PART COUNT`
inside it, `race` from outside. The import is the worker's own step; the searches are the
functions that the pages call, with the pages' limits.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench import people
from bench.inputs import ROOT
from bench.measuring import PEAK_UNIT, ChildFailedError
from bench.races import Limit

if TYPE_CHECKING:
    from qunluo.community.models import Community
    from qunluo.groups.models import Group

MOST_MS = 200.0
MOST_MINUTES = 10.0
MOST_GROWTH = 1.1  # of memory, from a tenth of the file to its end
TIMES = 5
FILE = "incoming/people.csv"
PAGE, ALL, ROOM = 500, 20, 50  # limits of the list of members, of the one search, of a room
SPOKEN = 1_000  # messages of a group
SPEAKERS = 100_000  # of the members; the others listen
WRITTEN = 5_000  # messages of a transaction
MEMBERS = {
    "one sign, the commonest": "王",
    "one sign, a rare one": "龙",
    "a full name": "王伟芳",
    "a name of two signs": "李娜",
    "the commonest city": "上海",
    "a city of the oldest 2 %": people.FIRST_CITY,
    "name and city": "张丽 杭州",
    "sign and sign": "李 苏",
    "Latin, one letter": "a",
    "Latin, begun": "mil",
    "Latin, two words": "alice mill",
    "a phone": people.phone(77),
    "an account": people.account(99),
    "nothing found": "龘靐齉",
    "both known, never together": f"哈尔滨 {people.FIRST_CITY}",
}
MESSAGES = {
    "one sign, in most": "好",
    "one sign": "货",
    "the commonest word": "好的",
    "a phrase": "请问还有货吗",
    "words of the oldest 2 %": people.FIRST_WORD,
    "two words": "草莓 新鲜",
    "two words far apart": "退款 跑步",
    "an order, begun": "订单123",
    "Latin": "free shipping",
    "Latin, one letter": "s",
    "Latin, begun": "shi",
    "digits, begun": "12",
    "nothing found": "龘靐齉",
    "both known, never together": "nowhere 好的",
}


@dataclass(frozen=True)
class Import:
    """Wall and CPU seconds, and the most memory its process held at a tenth and at the end."""

    seconds: float
    cpu: float
    tenth_mb: float
    peak_mb: float


@dataclass(frozen=True)
class Answer:
    """One question, asked several times."""

    among: str
    what: str
    text: str
    found: int
    median_ms: float
    worst_ms: float


@dataclass(frozen=True)
class Outcome:
    database: str
    members: int
    messages: int
    imported: Import
    said_s: float
    answers: tuple[Answer, ...]


def race(members: int, messages: int, database: str = "sqlite") -> Outcome:
    """The whole of it on one of `sqlite`, `postgres`."""
    with _installation(database) as env:
        people.write_people(Path(env["QUNLUO_DATA"]) / FILE, members)
        imported = Import(**_run(env, "import", members))
        said = _run(env, "say", messages)["seconds"]
        answers = tuple(Answer(**row) for row in _run(env, "search", members)["answers"])
    return Outcome(database, members, messages, imported, said, answers)


@contextmanager
def _installation(database: str) -> Iterator[dict[str, str]]:
    """The environment of an empty one; PostgreSQL as it is installed, with its defaults."""
    from tests.postgres import postgres

    dropped = ("QUNLUO_DATABASE", "QUNLUO_CLOCK", "DJANGO_SETTINGS_MODULE", "QUNLUO_PARENT")
    env = {name: value for name, value in os.environ.items() if name not in dropped}
    with tempfile.TemporaryDirectory(prefix="qunluo-members-") as data:
        (Path(data) / FILE).parent.mkdir()
        env |= {"QUNLUO_DATA": data, "PYTHONPATH": str(ROOT)}
        if database == "sqlite":
            yield env
            return
        with postgres({}) as address:
            yield env | {"QUNLUO_DATABASE": address}


def _run(env: dict[str, str], part: str, count: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.members", part, str(count)]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        out, complaint = child.communicate()
    if child.returncode:
        raise ChildFailedError(f"{' '.join(command)}: {child.returncode}\n{complaint}")
    return dict(json.loads(out.strip().rsplit("\n", 1)[-1]))


def main() -> None:
    """What runs inside."""
    from qunluo.kit.settings import read_settings
    from qunluo.server.database import prepare_database

    part, count = sys.argv[1], int(sys.argv[2])
    prepare_database(read_settings(), "en")
    print(json.dumps({"import": _import, "say": _say, "search": _search}[part](count)))


def _import(count: int) -> dict[str, float]:
    """Founds a community and reads the file in, step by step as the worker does."""
    from qunluo.community.actions import do_found
    from qunluo.community.models import User
    from qunluo.members.imports import do_queue_import, do_start_import
    from qunluo.members.tasks import step_import

    community = do_found("Bench", User.objects.create_user(username="owner"))
    began, worked = time.perf_counter(), time.process_time()
    row = do_start_import(community, FILE, title="people.csv", by="system")
    do_queue_import(row)
    tenth = 0.0
    while step_import():
        row.refresh_from_db()
        if not tenth and row.read * 10 >= count:
            tenth = _peak_mb()
    if row.made != count:
        raise RuntimeError(f"{row.made} members of {count} came in")
    return {
        "seconds": time.perf_counter() - began, "cpu": time.process_time() - worked,
        "tenth_mb": tenth, "peak_mb": _peak_mb(),
    }  # fmt: skip


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT / 1e6


def _say(count: int) -> dict[str, float]:
    """Messages as `do_post` leaves them in their tables and in the full-text index, in a group
    for every thousand; the record of who posted when is left out, nothing reads it here."""
    from django.db import connection

    from qunluo.community.models import Community

    began = time.perf_counter()
    community = Community.objects.get(name="Bench")
    _post_all(_groups(community, max(2, count // SPOKEN)), count)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as its own service does within minutes
    return {"seconds": time.perf_counter() - began}


def _groups(community: Community, count: int) -> list[Group]:
    from qunluo.groups.actions import do_found_group

    return [
        do_found_group(community, name=f"G{n}", purpose="to be searched", by="system")
        for n in range(count)
    ]


def _post_all(groups: list[Group], count: int) -> None:
    from django.db import connection, transaction

    from qunluo.kit.grams import grams
    from qunluo.members.models import Member
    from qunluo.messaging.models import Room

    speakers = list(Member.objects.order_by("id").values_list("id", "name")[:SPEAKERS])
    insert, texts = _insert(), people.sayings(count)
    for start in range(0, count, WRITTEN):
        rows = []
        for number, text in enumerate(islice(texts, WRITTEN), start):
            group = groups[number % len(groups)].pk
            speaker = speakers[number * 7919 % len(speakers)]
            rows.append((group, *speaker, text, grams(text), 1 + number // len(groups)))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(insert, rows)
    Room.objects.bulk_create(
        [Room(group=group, revision=1 + count // len(groups)) for group in groups]
    )


def _insert() -> str:
    """What Django would say for a message, with the values that are the same in all of them."""
    from django.db import connection

    from qunluo.kit import clock
    from qunluo.messaging.models import Message

    given = ("group_id", "member_id", "name", "text", "search", "revision")
    same = {"label": "member", "kind": "text", "image": "", "mentions": "[]",
            "reactions": "{}", "at": clock.now().isoformat(" ")}  # fmt: skip
    columns = ", ".join(f'"{name}"' for name in (*given, *same))
    values = ", ".join(["%s"] * len(given) + [f"'{value}'" for value in same.values()])
    table = connection.ops.quote_name(Message._meta.db_table)
    return f"INSERT INTO {table} ({columns}) VALUES ({values})"


def _search(count: int) -> dict[str, Any]:
    from qunluo.community.models import Community
    from qunluo.members.queries import search_ids, search_members
    from qunluo.messaging.queries import search_messages

    community = Community.objects.get(name="Bench")
    group = community.groups.order_by("id")[1]
    asked: list[tuple[str, dict[str, str], Callable[[str], list[Any]]]] = [
        ("the list of members", MEMBERS, lambda q: search_ids(community, q, limit=PAGE)),
        ("members", MEMBERS, lambda q: search_members(community, q, limit=ALL)),
        ("messages", MESSAGES, lambda q: search_messages(community, q, limit=ALL)),
        ("messages of a room", MESSAGES,
         lambda q: search_messages(community, q, group=group, limit=ROOM)),
    ]  # fmt: skip
    return {
        "answers": [
            {"among": among, "what": what, "text": text, **_timed(search, text)}
            for among, questions, search in asked for what, text in questions.items()
        ]
    }  # fmt: skip


def _timed(search: Callable[[str], list[Any]], text: str) -> dict[str, float]:
    took, found = [], 0
    for _ in range(TIMES):
        began = time.perf_counter()
        found = len(search(text))
        took.append((time.perf_counter() - began) * 1000)
    return {"found": found, "median_ms": median(took), "worst_ms": max(took)}


def limits(outcome: Outcome) -> list[Limit]:
    """What must hold, at any size."""
    slowest = {
        among: max(a.worst_ms for a in outcome.answers if a.among == among)
        for among in dict.fromkeys(a.among for a in outcome.answers)
    }
    took = outcome.imported
    return [
        Limit("import", took.seconds / 60, MOST_MINUTES, " minutes"),
        Limit("memory of the import, end / tenth", took.peak_mb / took.tenth_mb, MOST_GROWTH),
        *(
            Limit(f"slowest answer, {among}", ms, MOST_MS, " ms")
            for among, ms in slowest.items()
        ),
    ]


def rows(outcome: Outcome) -> list[tuple[str, str, str, str]]:
    """The table of answers."""
    return [("", "found", "median ms", "worst ms")] + [
        (f"{a.among}: {a.what}", str(a.found), f"{a.median_ms:.1f}", f"{a.worst_ms:.1f}")
        for a in outcome.answers
    ]


def title(outcome: Outcome) -> str:
    took = outcome.imported
    return (
        f"{outcome.members:,} members from a CSV on {outcome.database}: {took.seconds:.0f} s "
        f"({took.cpu:.0f} s of CPU), "
        f"peak {took.tenth_mb:.0f} MB at a tenth, {took.peak_mb:.0f} MB at the end; "
        f"{outcome.messages:,} messages put there in {outcome.said_s:.0f} s"
    )


if __name__ == "__main__":
    main()
