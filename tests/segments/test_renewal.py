"""Columns are written anew when enough has changed; those before serve until then, and after a
process that was killed while it wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import override_settings

from qunluo.community.models import Community
from qunluo.events.actions import record_each
from qunluo.kit import clock
from qunluo.members.models import Member, Tag, Tagging, TagGroup
from qunluo.segments import counting, tasks
from qunluo.segments.counting import count
from qunluo.segments.queries import count_now
from qunluo.segments.rules import Tagged
from qunluo.segments.snapshots import find_snapshot, folder_of
from qunluo.segments.tasks import is_due, renew_due
from tests.running import same_database

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[2]
LEAST, MOST_TOUCHED = 200, 20  # as in a community of 20,000, but made in a moment
RENEW_AT = MOST_TOUCHED // 2
WRITER = """
import os, signal, sys
import django
django.setup()
from qunluo.segments import counting, tasks

def watch(event, given):
    if event == how and str(given[0]).endswith(end):
        if act == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        print("there", flush=True)
        sys.stdin.readline()

counting.MOST_TOUCHED, tasks.LEAST, tasks.RENEW_AT = map(int, sys.argv[1:])
while line := sys.stdin.readline():
    how, end, act = line.split()
    child = os.fork()
    if child == 0:
        sys.addaudithook(watch)
        tasks.renew_due()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Renews in a child, which at a step of the work dies as by a power cut, or waits for a word."""
MOMENTS = [("os.mkdir", "/.2"), ("open", "/.2/manifest.json"), ("os.rename", "/.2")]


@pytest.fixture
def tag(
    tea: Community, noon: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tag]:
    """Of a community that is just large enough, with a data folder of its own."""
    monkeypatch.setattr(counting, "MOST_TOUCHED", MOST_TOUCHED)
    monkeypatch.setattr(tasks, "LEAST", LEAST)
    monkeypatch.setattr(tasks, "RENEW_AT", RENEW_AT)
    with override_settings(QUNLUO=replace(django_settings.QUNLUO, data=tmp_path)):
        now = clock.now()
        Member.objects.bulk_create(
            [Member(community=tea, name="M", made_at=now) for _ in range(LEAST)],
            batch_size=5_000,
        )
        group = TagGroup.objects.create(community=tea, name="drink")
        yield Tag.objects.create(group=group, name="coffee")


def do_tag_many(tag: Tag, start: int, end: int) -> None:
    """Some members get the tag, as `do_tag` gives it."""
    community = tag.group.community
    mine = Member.objects.filter(community=community).order_by("pk")[start:end]
    ids = list(mine.values_list("pk", flat=True))
    Tagging.objects.bulk_create(
        Tagging(member_id=pk, tag=tag, by="system", why="", at=clock.now()) for pk in ids
    )
    record_each("member_tagged", community=community.pk, told=[(pk, {}) for pk in ids])


def numbers(tag: Tag) -> list[str]:
    """The folders that are there, hidden ones as well."""
    return sorted(path.name for path in folder_of(tag.group.community).iterdir())


def same_answer(tag: Tag) -> int:
    found = count(tag.group.community, Tagged(tag.pk))
    assert found == count_now(tag.group.community, Tagged(tag.pk))
    return found


class Writer:
    """Another process on the same database and folder."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        assert running.stdin is not None
        assert running.stdout is not None
        self.hears, self.says = running.stdin, running.stdout

    def tell(self, *words: str) -> None:
        self.hears.write(" ".join(words) + "\n")
        self.hears.flush()

    def said(self) -> str:
        return self.says.readline().strip()


@pytest.fixture
def writer(tag: Tag, tmp_path: Path) -> Iterator[Writer]:
    env = {**os.environ, **same_database(tmp_path), "PYTHONPATH": str(ROOT),
           "DJANGO_SETTINGS_MODULE": "qunluo.server.conf"}  # fmt: skip
    sizes = map(str, (MOST_TOUCHED, LEAST, RENEW_AT))
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, *sizes], env=env, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as running:  # fmt: skip
        yield Writer(running)


def test_columns_are_renewed_when_many_have_changed(tag: Tag) -> None:
    community = tag.group.community
    assert renew_due() == 1
    assert renew_due() == 0
    do_tag_many(tag, 0, RENEW_AT)
    assert not is_due(community)
    assert same_answer(tag) == RENEW_AT
    do_tag_many(tag, RENEW_AT, RENEW_AT + 1)
    assert is_due(community)
    assert renew_due() == 1
    assert numbers(tag) == ["1", "2"]
    assert same_answer(tag) == RENEW_AT + 1
    assert not is_due(community)
    do_tag_many(tag, RENEW_AT + 1, 4 * RENEW_AT)  # too many: the database counts meanwhile
    assert same_answer(tag) == 4 * RENEW_AT
    assert renew_due() == 1
    Member.objects.filter(pk=Member.objects.latest("pk").pk).delete()
    assert not is_due(community)  # below the least, the database is fast enough


def test_a_writer_that_is_killed_leaves_the_old_columns(tag: Tag, writer: Writer) -> None:
    renew_due()
    do_tag_many(tag, 0, RENEW_AT + 1)
    for how, end in MOMENTS:
        writer.tell(how, end, "die")
        assert writer.said() == "-9"
        assert "2" not in numbers(tag)
        kept = find_snapshot(tag.group.community)
        assert kept is not None
        assert kept.folder.endswith("/1")
        assert same_answer(tag) == RENEW_AT + 1
    assert renew_due() == 1
    assert numbers(tag) == ["1", "2"]
    assert same_answer(tag) == RENEW_AT + 1


def test_while_new_columns_are_written_the_old_ones_answer(tag: Tag, writer: Writer) -> None:
    community = tag.group.community
    renew_due()
    do_tag_many(tag, 0, RENEW_AT + 1)
    writer.tell("open", "/.2/manifest.json", "wait")
    assert writer.said() == "there"
    do_tag_many(tag, RENEW_AT + 1, RENEW_AT + 5)  # after the view of the writer
    kept = find_snapshot(community)
    assert kept is not None
    assert kept.folder.endswith("/1")
    assert same_answer(tag) == RENEW_AT + 5
    writer.tell("go on")
    assert writer.said() == "0"
    renewed = find_snapshot(community)
    assert renewed is not None
    assert renewed.folder.endswith("/2")
    assert same_answer(tag) == RENEW_AT + 5
