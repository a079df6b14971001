"""The default sample has the figures of the reference study, recomputed from its rows."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from qunluo.archive.schema import EVENTS, MESSAGES
from tests.sample.conftest import Read


def test_it_has_the_schema_of_the_archive(study: Read) -> None:
    assert study.messages.schema.equals(MESSAGES)
    assert study.events.schema.equals(EVENTS)


def test_it_has_the_totals_of_the_study(study: Read) -> None:
    messages = study.messages
    assert messages.num_rows == 510_000
    assert pc.count_distinct(messages["sender_id"]).as_py() == 5_823
    assert pc.count_distinct(messages["group_id"]).as_py() == 67
    assert pc.count_distinct(messages["kind"]).as_py() == 31
    assert pc.count_distinct(messages["message_id"]).as_py() == 510_000


def test_it_begins_and_ends_on_the_days_of_the_study(study: Read) -> None:
    assert study.day.min() == np.datetime64(date(2021, 8, 18))
    assert study.day.max() == np.datetime64(date(2023, 3, 20))


def test_rows_are_in_order_of_time(study: Read) -> None:
    assert (np.diff(study.local) >= np.timedelta64(0)).all()


def test_classes_share_messages_seventy_to_twentyseven_to_three(study: Read) -> None:
    assert Counter(study.klass.tolist()) == {
        "brand": 357_000,
        "member": 137_700,
        "system": 15_300,
    }


def test_brand_posts_mix_kinds_as_in_the_study(study: Read) -> None:
    kinds = Counter(study.column("kind")[study.klass == "brand"].tolist())
    assert kinds["image"] / kinds["text"] == pytest.approx(1, abs=0.07)
    assert kinds["mini_program"] / kinds["text"] == pytest.approx(1 / 3, abs=0.03)
    assert kinds["channels_video"] / kinds["text"] == pytest.approx(0.01, abs=0.002)


def test_most_groups_get_six_to_twenty_brand_messages_a_day(study: Read) -> None:
    paces = []
    most = 0
    for name in study.groups:
        day, brand = study.day[study.rows(name)], study.day[study.rows(name, "brand")]
        paces.append(len(brand) / ((day.max() - day.min()).astype(int) + 1))
        most = max(most, np.unique(brand, return_counts=True)[1].max())
    assert sum(5 < p <= 20 for p in paces) > 67 / 2
    assert max(paces) == pytest.approx(750, rel=0.02)
    assert sum(p > 100 for p in paces) == 1
    assert most > 1_000


def test_pushes_are_mostly_one_or_two_and_some_eight_or_nine(study: Read) -> None:
    brand = study.klass == "brand"
    minute = study.local[brand].astype("datetime64[m]").astype(np.int64)
    number = {name: k for k, name in enumerate(study.groups)}
    group = np.array([number[g] for g in study.column("group_id")[brand]])
    sizes = np.unique(group * 10**9 + minute, return_counts=True)[1]
    share = np.bincount(sizes) / len(sizes)
    assert share[1:3].sum() > 0.75
    assert share[8:10].sum() > 0.025
    assert share[8] > share[6] + share[7] * 0.5


def test_members_peak_in_the_morning_and_brands_in_office_hours(study: Read) -> None:
    hour = (study.local - study.day).astype("timedelta64[h]").astype(int)
    member = np.bincount(hour[study.klass == "member"], minlength=24)
    brand = np.bincount(hour[study.klass == "brand"], minlength=24) / 357_000
    assert 8 <= member.argmax() <= 10
    assert brand[[9, 10, 14, 15, 16, 17]].sum() > 0.7


def test_activity_has_two_heaps(study: Read) -> None:
    roster = study.csv("roster.csv")
    size = Counter(roster.filter(pc.is_null(roster["left_at"]))["group_id"].to_pylist())
    rates = []
    for name in study.groups:
        mine = study.rows(name, "member")
        rates.append(len(set(study.column("sender_id")[mine])) / size[name])
    assert sum(r > 0.2 for r in rates) == 47
    assert sum(r > 0.5 for r in rates) == 3
    assert sum(0.4 <= r <= 0.5 for r in rates) == 24
    assert sum(r < 0.2 for r in rates) == 20


def test_six_groups_hold_68_percent_of_member_messages(study: Read) -> None:
    groups = Counter(study.column("group_id")[study.klass == "member"].tolist())
    assert sum(n for _, n in groups.most_common(6)) / 137_700 == pytest.approx(0.68, abs=0.005)


def test_most_groups_fall_silent_within_two_months(study: Read) -> None:
    short = 0
    for name in study.groups:
        days = study.day[study.rows(name, "member")].astype(int)
        short += (days[int(0.95 * len(days))] - days[0]) <= 62
    assert 40 <= short <= 55


def test_the_shill_group_is_the_one_of_the_study(study: Read) -> None:
    (name,) = [g for g, truth in study.groups.items() if "shill" in truth["parts"]]
    member = Counter(study.column("sender_id")[study.rows(name, "member")].tolist())
    roster = study.csv("roster.csv")
    there = pc.and_(pc.equal(roster["group_id"], name), pc.is_null(roster["left_at"]))
    assert len(study.rows(name)) == 44_352
    assert len(member) == 100
    assert roster.filter(there).num_rows == 282
    shills = study.groups[name]["parts"]["shill"]
    assert len(shills) == 22
    for shill in shills:
        assert member[shill] >= 500
        assert 0.01 <= member[shill] / 44_352 <= 0.04


def test_honest_members_of_the_shill_group_look_alike_by_numbers(study: Read) -> None:
    (group,) = [g for g in study.groups.values() if "shill" in g["parts"]]
    count = Counter(study.column("sender_id")[study.rows(group["group"])].tolist())
    alike = [m for m in group["parts"]["chatty"] if 500 <= count[m] <= 0.04 * 44_352]
    assert len(alike) >= 4


def test_corporate_accounts_have_the_standings_and_vendors_of_the_study(study: Read) -> None:
    roster = study.csv("roster.csv")
    corporate = roster.filter(pc.is_valid(roster["corporate"]))
    assert Counter(corporate["corporate"].to_pylist()) == {
        "verified": 278,
        "lapsed": 81,
        "never": 3,
    }
    vendors = Counter(corporate["vendor"].to_pylist())
    assert vendors.most_common(1)[0][1] / 362 > 0.55
    table = study.csv("corporate.csv")
    key = [("account", "ascending")]
    same = pa.table({"account": corporate["member_id"], "corporate": corporate["corporate"],
                     "vendor": corporate["vendor"], "group": corporate["group_id"]})  # fmt: skip
    assert table.sort_by(key).equals(same.sort_by(key))
