"""Writes a sample: plan everything small, then make and write the rows slab by slab."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow.parquet as pq

from qunluo.archive.schema import EVENTS, MESSAGES
from qunluo.kit.errors import QunluoError
from qunluo.kit.system import system_words
from qunluo.kit.text import Text
from qunluo.sample.deeds import plan_deeds, write_deeds
from qunluo.sample.events import event_tables, plan_events
from qunluo.sample.habits import plan_habits
from qunluo.sample.meant import Plans, standing_table, tie_table
from qunluo.sample.orders import Orders, plan_orders, write_orders
from qunluo.sample.plan import Plan
from qunluo.sample.roster import Registry, write_corporate, write_roster, write_staff
from qunluo.sample.stays import Stays, plan_stays
from qunluo.sample.story import Story
from qunluo.sample.truth import REPLIES, Tally, member_table, reply_table, truth_of

Progress = Callable[[int, int], None]
FILES = (
    "messages.parquet", "events.parquet", "roster.csv", "staff.csv", "orders.csv",
    "corporate.csv", "deeds.parquet", "truth.json", "truth_members.parquet",
    "truth_replies.parquet", "truth_standing.parquet", "truth_ties.parquet",
)  # fmt: skip
UNIQUE = (
    "message_id",
    "reply_to",
    "sent_at",
    "media_bytes",
)  # columns where a dictionary only costs


class SampleNotWrittenError(QunluoError):
    """The folder can't be written to."""

    code: ClassVar[str] = "sample_not_written"
    sentence: ClassVar[Text] = Text(
        "The sample can't be written to {folder}: {reason}. Name another folder or free space.",
        "无法把样例写入 {folder}：{reason}。请换一个文件夹，或腾出磁盘空间。",
    )


@dataclass(frozen=True)
class Sample:
    """What was written: the folder, its files by name, and how much."""

    folder: Path
    plan: Plan
    messages: int
    events: int
    members: int  # rows of the roster
    orders: int

    def path(self, name: str) -> Path:
        return self.folder / name


def write_sample(plan: Plan, to: Path, *, progress: Progress | None = None) -> Sample:
    """Writes `FILES` into the folder `to` (made if missing, files of the same names replaced).

    `progress(done, total)` is told of messages. The same plan gives the same bytes. Raises
    `PlanImpossibleError` and `SampleNotWrittenError`.
    """
    story = Story(plan)
    try:
        to.mkdir(parents=True, exist_ok=True)
        tally = _write_messages(story, to, progress)
        return _write_others(story, tally, to)
    except OSError as error:
        reason = system_words(error)
        raise SampleNotWrittenError(folder=str(to), reason=reason) from error


def _write_messages(story: Story, to: Path, progress: Progress | None) -> Tally:
    tally = Tally(story)
    columns = [f.name for f in MESSAGES if f.name not in UNIQUE]
    with (
        whole(to / "messages.parquet") as path,
        whole(to / "truth_replies.parquet") as replies_path,
        pq.ParquetWriter(path, MESSAGES, compression="zstd", use_dictionary=columns) as out,
        pq.ParquetWriter(replies_path, REPLIES, compression="zstd") as replies,
        ThreadPoolExecutor(1) as press,
    ):
        written: Future[None] | None = None
        for slab in story.slabs():
            table = story.setter.table(slab.random, slab.rows, slab.content, slab.before)
            replies.write_table(reply_table(slab.rows, story.groups, slab.before))
            tally.add(slab.rows, slab.content)
            # One slab is encoded while the next is made; never more, for memory's sake.
            if written:
                written.result()
            written = press.submit(out.write_table, table)
            if progress:
                progress(tally.messages, story.plan.messages)
        if written:
            written.result()
    return tally


def _write_others(story: Story, tally: Tally, to: Path) -> Sample:
    """Events, roster, staff, corporate, orders and truth."""
    plan, groups, people, clock = story.plan, story.groups, story.people, story.clock
    stays = plan_stays(plan, groups, people)
    registry = Registry.of(plan, people, story.accounts, stays.silent)
    orders = plan_orders(plan, story.lives, people, stays)
    events = _write_events(story, stays, registry, to)
    with whole(to / "roster.csv") as path:
        write_roster(path, stays, groups, people, registry, clock)
    with whole(to / "staff.csv") as path:
        write_staff(path, people, groups, registry, clock)
    with whole(to / "corporate.csv") as path:
        write_corporate(path, people, groups, registry)
    with whole(to / "orders.csv") as path:
        write_orders(path, orders, story.lives, registry, clock)
    _write_truth(story, tally, stays, orders, registry, to)
    _write_standing(story, tally, stays, orders, registry, to)
    return Sample(to, plan, tally.messages, events, len(stays.group), len(orders.at))


def _write_events(story: Story, stays: Stays, registry: Registry, to: Path) -> int:
    happenings = plan_events(story.plan.days, stays, story.people, story.accounts)
    with (
        whole(to / "events.parquet") as path,
        pq.ParquetWriter(path, EVENTS, compression="zstd") as out,
    ):
        for table in event_tables(
            happenings, story.groups, registry, story.accounts, story.clock
        ):
            out.write_table(table)
    return len(happenings.at)


def _write_truth(
    story: Story, tally: Tally, stays: Stays, orders: Orders, registry: Registry, to: Path
) -> None:
    members = member_table(story, tally, registry, stays)
    with whole(to / "truth_members.parquet") as path:
        pq.write_table(members, path, compression="zstd")
    truth = truth_of(story, tally, stays, orders, registry)
    with whole(to / "truth.json") as path:
        path.write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _write_standing(
    story: Story, tally: Tally, stays: Stays, orders: Orders, registry: Registry, to: Path
) -> None:
    """The deeds of the last weeks, and where everybody was meant to stand at their end."""
    plan, people, pace = story.plan, story.people, story.pace
    habits = plan_habits(plan, people, stays, pace.rate)
    deeds = plan_deeds(plan, people, stays, orders, pace, habits, story.friends)
    familiar = tally.partners.finish(plan.days, len(registry.ids))
    plans = Plans(plan.days, pace, stays, orders, deeds, habits,
                  story.friends, familiar)  # fmt: skip
    with whole(to / "deeds.parquet") as path:
        write_deeds(path, deeds, story.groups, registry, story.clock)
    with whole(to / "truth_standing.parquet") as path:
        pq.write_table(standing_table(plans, registry), path, compression="zstd")
    with whole(to / "truth_ties.parquet") as path:
        pq.write_table(tie_table(plans, registry), path, compression="zstd")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path to write to that takes its name only when it is complete."""
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
