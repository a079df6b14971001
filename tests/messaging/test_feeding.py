"""The running community becomes an archive, exactly once, whatever happens in between."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as careful
from hypothesis import strategies as st

from qunluo.archive.engines.duckdb import DuckDB
from qunluo.archive.store import Archive
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.groups.models import Group, Membership
from qunluo.insight.inputs import read_roster
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.messaging.feeding import archive_path, feed, feed_once, message_row
from qunluo.messaging.insight import Feeder, find_figures, has_archive, write_roster
from qunluo.messaging.models import Message, Room
from tests.cast import NOON, make_group, make_member

# on PostgreSQL the record is read up to what every transaction has committed
pytestmark = pytest.mark.django_db(transaction=True)
STEPS = ("read", "announced", "written", "moved")


class KilledError(BaseException):
    """Stands for the end of the process between two steps."""


@pytest.fixture(autouse=True)
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has archives of its own."""
    monkeypatch.setattr(settings, "QUNLUO", replace(settings.QUNLUO, data=tmp_path))


def next_revision(group: Group) -> int:
    room, _ = Room.objects.get_or_create(group=group)
    room.revision += 1
    room.save()
    return room.revision


def say(group: Group, member: Member | None, text: str, **more: Any) -> Message:
    values = {"label": "member", "name": member.name if member else "Alice", **more}
    return Message.objects.create(
        group=group, member=member, text=text, at=clock.now(),
        revision=next_revision(group), **values,
    )  # fmt: skip


def change(message: Message, **values: Any) -> None:
    for name, value in values.items():
        setattr(message, name, value)
    message.revision = next_revision(message.group)
    message.save()


def rows(community: Community, kind: str = "messages") -> list[dict[str, Any]]:
    if not has_archive(community.pk):
        return []
    with DuckDB(threads=1) as engine:
        archive = Archive.open(archive_path(community.pk), engine)
        manifest = archive.manifest()
        found = archive.messages(manifest) if kind == "messages" else archive.events(manifest)
        tables = [pq.read_table(path) for path in found.paths]
    return pa.concat_tables(tables).to_pylist() if tables else []


def texts(community: Community) -> list[str | None]:
    return [row["text"] for row in rows(community)]


def test_what_is_said_is_in_the_archive_once(
    tea: Community, group: Group, bob: Member, noon: object
) -> None:
    first = say(group, bob, "is it fresh?")
    say(group, None, "it is", label="staff", staff_id=7, reply_to=first)
    assert feed(tea) == 2
    assert feed(tea) == 0
    found = {row["text"]: row for row in rows(tea)}
    assert found["it is"]["reply_to"] == str(first.pk)
    assert found["it is"]["role"] == "brand"
    assert found["is it fresh?"]["sender_id"] == f"m{bob.pk}"
    assert found["is it fresh?"]["edited_at"] is None


def test_members_who_come_and_go_are_events(tea: Community, group: Group, bob: Member) -> None:
    for kind in ("member_joined", "member_left", "settings_changed"):
        record(kind, community=tea.pk, member=bob.pk, group=group.pk)
    assert feed(tea) == 2
    assert [row["kind"] for row in rows(tea, "events")] == ["join", "leave"]
    assert feed(tea) == 0


def test_a_recall_takes_the_words_out_of_the_archive(
    tea: Community, group: Group, bob: Member
) -> None:
    message = say(group, bob, "my secret")
    feed(tea)
    change(message, recalled_at=clock.now())
    assert feed(tea) == 1
    (row,) = rows(tea)
    assert row["text"] is None
    assert row["kind"] == "recalled"
    change(message, recalled_at=None)  # hidden messages come back like this
    feed(tea)
    assert texts(tea) == ["my secret"]
    files = "".join(path.name for path in archive_path(tea.pk).rglob("*.parquet"))
    assert files.count("messages-") == 1  # the old segment, with the old words, is gone


def test_a_reaction_taken_back_is_taken_back(tea: Community, group: Group, bob: Member) -> None:
    message = say(group, bob, "done")
    for who in ([1, 2], [1], []):
        change(message, reactions={"👍": who})
        feed(tea)
        (row,) = rows(tea)
        assert row["reaction_count"] == len(who)


def test_who_is_erased_leaves_neither_name_nor_words(
    tea: Community, group: Group, bob: Member
) -> None:
    say(group, bob, "I live in Elm Street")
    feed(tea)
    bob.erased_at = clock.now()
    bob.save()
    record("member_erased", community=tea.pk, member=bob.pk)
    assert feed(tea) == 1
    (row,) = rows(tea)
    assert row["text"] is None
    assert row["sender_name"] is None


def test_who_is_merged_becomes_one_account(tea: Community, group: Group, bob: Member) -> None:
    other = make_member(tea, "Bobby")
    say(group, bob, "one")
    say(group, other, "two")
    feed(tea)
    Member.objects.filter(pk=other.pk).update(merged_into=bob)
    record("member_merged", community=tea.pk, member=bob.pk,
           data={"kept": bob.pk, "gone": other.pk})  # fmt: skip
    feed(tea)
    assert {row["sender_id"] for row in rows(tea)} == {f"m{bob.pk}"}
    assert len(rows(tea)) == 2


def test_another_community_is_no_matter(tea: Community, bob: Member, alice: Any) -> None:
    from qunluo.community.actions import do_found  # noqa: PLC0415 - one more than the cast has

    other = do_found("Coffee friends", alice)
    say(make_group(other), make_member(other, "Dan"), "coffee")
    assert feed(tea) == 0
    assert feed(other) == 1


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_any_step_nothing_is_lost_or_doubled(
    step: str, tea: Community, group: Group, bob: Member
) -> None:
    def die_at(reached: str) -> None:
        if reached == step:
            raise KilledError

    record("member_joined", community=tea.pk, member=bob.pk, group=group.pk)
    message = say(group, bob, "first")
    with pytest.raises(KilledError):
        feed_once(tea, die_at)
    say(group, bob, "second")
    change(message, hidden_at=clock.now())
    with pytest.raises(KilledError):
        feed_once(tea, die_at)
    change(message, hidden_at=None)
    feed(tea)
    assert sorted(map(str, texts(tea))) == ["first", "second"]
    assert len(rows(tea, "events")) == 1


ACTS = st.lists(
    st.tuples(st.sampled_from(["say", "recall", "show", "feed", *STEPS]), st.integers(0, 9)),
    max_size=25,
)


@given(acts=ACTS)
@careful(
    max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_whatever_happens_the_archive_is_what_the_room_shows(
    acts: list[tuple[str, int]], tea: Community, bob: Member
) -> None:
    group, said = make_group(tea), list[Message]()
    with clock.use(clock.faster(1, NOON + timedelta(days=1))):
        for act, number in acts:
            _play(act, number, group, bob, said)
        feed(tea)
    shown = {str(m.pk): message_row(m)["text"] for m in said}
    found = {row["message_id"]: row["text"] for row in rows(tea) if row["message_id"] in shown}
    assert found == shown


def _play(act: str, number: int, group: Group, bob: Member, said: list[Message]) -> None:
    def die(reached: str) -> None:
        if reached == act:
            raise KilledError

    if act == "say":
        said.append(say(group, bob, f"words {number}"))
    elif act in ("recall", "show") and said:
        change(said[number % len(said)], hidden_at=clock.now() if act == "recall" else None)
    elif act in (*STEPS, "feed"):
        try:
            feed_once(group.community, die)
        except KilledError:
            return


def test_figures_tell_what_was_said_and_how_old_they_are(
    tea: Community, group: Group, bob: Member, noon: Any
) -> None:
    assert find_figures(tea.pk, "en") is None
    for number in range(30):
        say(group, bob, f"is number {number} fresh?")
    record("member_joined", community=tea.pk, member=bob.pk, group=group.pk)
    Membership.objects.create(group=group, member=bob, joined_at=noon)
    feeder = Feeder()
    feeder.round(threading.Event())
    found = find_figures(tea.pk, "zh")
    assert found is not None
    assert (found.made_at, found.messages, found.groups) == (noon, 30, 1)
    cards = [card for section in found.sections for card in section["cards"]]
    assert len(cards) > 20
    assert all(card["definition"] and (card["says"] or card["missing"]) for card in cards)
    say(group, bob, "one more")
    feeder.round(threading.Event())  # the archive has it; the figures wait for their turn
    assert len(rows(tea)) == 31
    again = find_figures(tea.pk, "zh")
    assert again is not None
    assert again.messages == 30


def test_the_roster_is_a_list_the_report_reads(
    tea: Community, group: Group, bob: Member, tmp_path: Path, noon: Any
) -> None:
    Membership.objects.create(group=group, member=bob, joined_at=noon)
    write_roster(tea, tmp_path / "roster.csv")
    found = read_roster(tmp_path / "roster.csv", ZoneInfo(tea.zone)).table.to_pylist()
    assert found[0]["member_id"] == f"m{bob.pk}"
    assert found[0]["joined_at"].hour == 12


FEEDER = """
import os, signal, sys, time
import qunluo.server.conf as conf
conf.DATABASES["default"]["NAME"] = sys.argv[1]
import django
django.setup()
from qunluo.community.models import Community
from qunluo.messaging import feeding
feeding.BATCH = 5
for patience in map(float, sys.argv[3:]):
    child, ended, end = os.fork(), 0, time.monotonic() + patience
    if child == 0:
        feeding.feed(Community.objects.get(pk=int(sys.argv[2])))
        os._exit(0)
    while not ended and time.monotonic() < end:
        time.sleep(0.01)
        ended, status = os.waitpid(child, os.WNOHANG)
    if not ended:
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
sys.exit(status != 0)
"""
"""Feeds in one child after the other; the patience with all but the last is short."""


def test_a_feeder_killed_again_and_again_brings_every_message_once(
    tea: Community, group: Group, bob: Member, tmp_path: Path
) -> None:
    for number in range(60):
        say(group, bob, f"message {number}")
    env = {
        **os.environ,
        "QUNLUO_DATA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "qunluo.server.conf",
    }
    name, patience = str(connection.settings_dict["NAME"]), ("0.05", "0.2", "0.4", "0.6", "120")
    command = [sys.executable, "-c", FEEDER, name, str(tea.pk), *patience]
    subprocess.run(command, env=env, check=True)
    assert sorted(map(str, texts(tea))) == sorted(f"message {n}" for n in range(60))
