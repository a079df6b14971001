"""What members did besides talking fits to who was there, and to where they were meant to stand."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from qunluo.sample import Plan, write_sample
from qunluo.sample.deeds import KINDS
from qunluo.sample.habits import RECORDED_DAYS
from tests.sample.conftest import LOCAL, Read

ZONE = ZoneInfo(LOCAL)
PLAN = Plan(20_000, groups=8, speakers=350, first_on=date(2022, 11, 1))


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """A sample that is alive at its end."""
    return Read(write_sample(PLAN, tmp_path_factory.mktemp("lively")))


def rows(sample: Read, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(sample.sample.path(name)).to_pylist()
    return found


def local(at: datetime) -> datetime:
    return at.astimezone(ZONE).replace(tzinfo=None)


def test_every_kind_of_deed_is_done_in_the_last_weeks(lively: Read) -> None:
    deeds = rows(lively, "deeds.parquet")
    assert {deed["kind"] for deed in deeds} == set(KINDS)
    assert deeds == sorted(deeds, key=lambda deed: deed["at"])
    since = datetime.combine(PLAN.last_on, datetime.min.time()) - timedelta(days=RECORDED_DAYS)
    for deed in deeds:
        assert deed["kind"] == "order_refunded" or local(deed["at"]) >= since
        assert local(deed["at"]).date() <= PLAN.last_on


def stays(sample: Read) -> dict[tuple[str, str], tuple[datetime, ...]]:
    found = {}
    for row in sample.csv("roster.csv").to_pylist():
        left = row["left_at"] or "2100-01-01 00:00:00"
        found[row["group_id"], row["member_id"]] = tuple(
            datetime.fromisoformat(at) for at in (row["joined_at"], left)
        )
    return found


def test_deeds_are_of_members_who_are_there(lively: Read) -> None:
    within = stays(lively)
    for deed in rows(lively, "deeds.parquet"):
        if deed["kind"] == "order_refunded":
            continue
        for who in (deed["member_id"], *deed["others"]):
            joined, left = within[deed["group_id"], who]
            assert joined <= local(deed["at"]) <= left, deed
        assert deed["member_id"] not in deed["others"]


def test_only_what_was_paid_is_given_back(lively: Read) -> None:
    paid = Counter(
        (row["member_id"], round(float(row["amount"]) * 100))
        for row in lively.csv("orders.csv").to_pylist()
    )
    given = Counter(
        (deed["member_id"], deed["amount_minor"])
        for deed in rows(lively, "deeds.parquet") if deed["kind"] == "order_refunded"
    )  # fmt: skip
    assert given
    assert all(n <= paid[key] for key, n in given.items())


def test_friends_answer_each_other_far_more_often_than_others_do(lively: Read) -> None:
    sender = dict(zip(lively.column("message_id"), lively.column("sender_id"), strict=True))
    turns: Counter[frozenset[str]] = Counter()
    for link in rows(lively, "truth_replies.parquet"):
        turns[frozenset((sender[link["message_id"]], sender[link["target_id"]]))] += 1
    friends = [frozenset(row.values()) for row in rows(lively, "truth_ties.parquet")]
    assert len(friends) >= 3
    assert len(set().union(*friends)) == 2 * len(friends)  # nobody has two
    usual = sorted(turns.values())[len(turns) // 2]
    often = [turns[pair] / usual for pair in friends]
    assert min(often) >= 3
    assert sum(often) / len(often) >= 10


def test_the_devoted_check_in_every_week_and_visitors_every_other(lively: Read) -> None:
    meant = {row["member_id"]: row for row in rows(lively, "truth_standing.parquet")}
    weeks: dict[str, set[int]] = defaultdict(set)
    for deed in rows(lively, "deeds.parquet"):
        if deed["kind"] == "checked_in":
            back = (PLAN.last_on - local(deed["at"]).date()).days // 7
            weeks[deed["member_id"]].add(back)
    sizes: dict[str, list[int]] = defaultdict(list)
    for who, row in meant.items():
        if row["habit"] and not row["going"] and row["lifecycle"] in ("growing", "mature"):
            sizes[row["habit"]].append(len(weeks[who] & {0, 1, 2, 3}))
    assert sizes.keys() == {"devoted", "regular", "visitor"}
    assert min(sizes["devoted"]) >= 3
    assert max(sizes["visitor"]) <= 2
