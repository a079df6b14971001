"""Roster, events and orders fit together and fit the messages."""

from __future__ import annotations

from collections import Counter
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.compute as pc
import pytest

from tests.sample.conftest import LOCAL, Read

ZONE = ZoneInfo(LOCAL)


def stays(study: Read) -> dict[tuple[str, str], tuple[np.datetime64, np.datetime64]]:
    """When each account was in each group, by the roster."""
    forever = "2100-01-01"
    return {
        (r["group_id"], r["member_id"]): (
            np.datetime64(r["joined_at"]),
            np.datetime64(r["left_at"] or forever),
        )
        for r in study.csv("roster.csv").to_pylist()
    }


def test_nobody_speaks_before_joining_or_after_leaving(study: Read) -> None:
    within = stays(study)
    first: dict[tuple[str, str], int] = {}
    last: dict[tuple[str, str], int] = {}
    keys = zip(study.column("group_id"), study.column("sender_id"), strict=True)
    for row, key in enumerate(keys):
        first.setdefault(key, row)
        last[key] = row
    speakers = [key for key in first if key[1] != "system"]
    assert len(speakers) > 5_823
    for key in speakers:
        joined, left = within[key]
        assert joined <= study.local[first[key]]
        assert study.local[last[key]] <= left


def test_events_tell_the_same_as_the_roster(study: Read) -> None:
    roster = study.csv("roster.csv")
    people = roster.filter(pc.is_null(roster["corporate"]))
    kinds = Counter(study.events["kind"].to_pylist())
    assert kinds["join"] == people.num_rows
    assert kinds["leave"] + kinds["remove"] == people.num_rows - people["left_at"].null_count
    joined = stays(study)
    for event in study.events.slice(0, 2_000).to_pylist():
        if event["kind"] == "join":
            local = event["at"].astimezone(ZONE).replace(tzinfo=None)
            assert np.datetime64(local) == joined[event["group_id"], event["subject_id"]][0]


def test_some_who_spoke_left_and_some_were_invited_or_removed(study: Read) -> None:
    events = study.events.to_pylist()
    spoke = set(zip(study.column("group_id"), study.column("sender_id"), strict=True))
    left = {(e["group_id"], e["subject_id"]) for e in events if e["kind"] == "leave"}
    assert len(left & spoke) > 500
    assert sum(e["inviter_id"] is not None for e in events) > 3_000
    assert all(e["actor_id"] for e in events if e["kind"] == "remove")


def test_names_change_when_a_rename_says_so(study: Read) -> None:
    renames = [e for e in study.events.to_pylist() if e["kind"] == "rename"]
    assert len(renames) > 100
    sender, name = study.column("sender_id"), study.column("sender_name")
    checked = 0
    for event in renames[:60]:
        at = np.datetime64(event["at"].astimezone(ZONE).replace(tzinfo=None))
        here = study.rows(event["group_id"])
        mine = here[sender[here] == event["subject_id"]]
        late = study.local[mine] >= at
        assert set(name[mine[~late]]) <= {event["subject_name"]}
        assert set(name[mine[late]]) <= {event["new_name"]}
        checked += late.any()
    assert checked > 3


def test_orders_are_those_of_the_truth(study: Read) -> None:
    orders = study.csv("orders.csv").to_pylist()
    counts = Counter(o["customer_id"] for o in orders)
    truth = study.truth["totals"]
    repeat = sum(n > 1 for n in counts.values()) / len(counts)
    assert len(orders) == truth["orders"]
    assert len(counts) == truth["customers"]
    assert repeat == pytest.approx(truth["repeat_rate"])
    assert 0.3 < repeat < 0.6


def test_members_buy_after_joining_and_campaigns_bring_orders(study: Read) -> None:
    first: dict[str, np.datetime64] = {}
    for (_, who), (joined, _) in stays(study).items():
        first[who] = min(joined, first.get(who, joined))
    campaigns = {c["id"]: c["on"] for c in study.truth["campaigns"]}
    led = 0
    for order in study.csv("orders.csv").to_pylist():
        paid = np.datetime64(order["paid_at"])
        if order["member_id"]:
            assert paid >= first[order["member_id"]]
        if order["campaign"]:
            led += 1
            since = paid.astype("datetime64[D]") - np.datetime64(campaigns[order["campaign"]])
            assert 0 <= since.astype(int) <= 7
        assert float(order["amount"]) > 0
    assert led > 100
