"""Plans of any size, the seed, and the WhatsApp form."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.sample import (
    FILES,
    Plan,
    PlanImpossibleError,
    SampleNotWrittenError,
    write_sample,
    write_whatsapp,
)
from qunluo.sample.numbers import apportion, capped, table_of
from qunluo.sample.story import Story
from tests.sample.conftest import read

SMALL = Plan(messages=1_000, groups=3, speakers=60)


def test_a_small_sample_has_its_exact_sizes(tmp_path: Path) -> None:
    small = read(tmp_path, SMALL)
    assert small.messages.num_rows == 1_000
    assert pc.count_distinct(small.messages["sender_id"]).as_py() == 60
    assert pc.count_distinct(small.messages["group_id"]).as_py() == 3
    assert (small.klass == "brand").sum() == 700
    assert (small.klass == "system").sum() == 30
    assert small.day.min() == np.datetime64(SMALL.first_on)
    assert small.day.max() == np.datetime64(SMALL.last_on)


@pytest.mark.parametrize("messages", [200, 5_000, 40_000])
def test_a_sized_plan_works_at_any_size(tmp_path: Path, messages: int) -> None:
    plan = Plan.sized(messages, seed=3)
    found = read(tmp_path, plan)
    assert found.messages.num_rows == messages
    assert pc.count_distinct(found.messages["sender_id"]).as_py() == plan.speakers
    assert pc.count_distinct(found.messages["group_id"]).as_py() == plan.groups


def test_twice_the_study_has_two_shill_groups_and_the_same_shares(tmp_path: Path) -> None:
    double = read(tmp_path, Plan.sized(1_020_000, seed=2))
    rates = [g["speaking_members"] / g["size"] for g in double.truth["groups"]]
    assert double.truth["plan"]["groups"] == 134
    assert double.truth["plan"]["speakers"] == 11_646
    assert double.truth["classes"] == {"brand": 714_000, "member": 275_400, "system": 30_600}
    assert sum("shill" in g["parts"] for g in double.truth["groups"]) == 2
    assert sum(r > 0.2 for r in rates) == 94


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    write_sample(SMALL, tmp_path / "a")
    write_sample(SMALL, tmp_path / "b")
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_another_seed_gives_another_community(tmp_path: Path) -> None:
    write_sample(SMALL, tmp_path / "a")
    write_sample(replace(SMALL, seed=2), tmp_path / "b")
    for name in set(FILES) - {"truth_ties.parquet"}:  # so small a community has no friends
        assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "b" / name).read_bytes()


def test_days_are_those_of_the_zone_even_where_clocks_change(tmp_path: Path) -> None:
    plan = replace(
        SMALL,
        zone=ZoneInfo("Europe/Berlin"),
        first_on=date(2022, 2, 1),
        last_on=date(2022, 12, 1),
    )
    rows = read(tmp_path, plan).messages["sent_at"].to_pylist()
    local = [r.astimezone(plan.zone).date() for r in rows]
    assert (min(local), max(local)) == (plan.first_on, plan.last_on)
    assert [r.timestamp() for r in rows] == sorted(r.timestamp() for r in rows)


def test_progress_is_told_in_order_up_to_the_total(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_sample(SMALL, tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (1_000, 1_000)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(messages=50, groups=1, speakers=10),
        Plan(messages=1_000, groups=200, speakers=60),
        Plan(messages=1_000, groups=3, speakers=900),
        replace(SMALL, last_on=date(2021, 8, 20)),
    ],
)
def test_it_refuses_sizes_that_contradict_each_other(tmp_path: Path, plan: Plan) -> None:
    with pytest.raises(PlanImpossibleError) as error:
        write_sample(plan, tmp_path)
    assert str(plan.messages) in error.value.message("zh")
    assert not list(tmp_path.iterdir())


def test_it_says_where_it_could_not_write(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(SampleNotWrittenError, match="taken"):
        write_sample(SMALL, tmp_path / "taken")


def test_whatsapp_text_has_one_line_with_a_sender_per_message(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    assert write_whatsapp(SMALL, path) == 1_000
    text = path.read_text("utf-8")
    head = re.compile(r"^(\d\d/\d\d/\d{4}, \d\d:\d\d) - ([^:\n]+): ", re.M)
    found = head.findall(text)
    assert len(found) == 1_000
    assert len({name for _, name in found}) >= 60
    assert text.splitlines()[0].startswith("18/08/2021, 00:00 - Messages and calls")
    assert "<Media omitted>" in text


@given(
    messages=st.integers(300, 8_000),
    groups=st.integers(1, 12),
    crowd=st.floats(0, 1),
    seed=st.integers(0, 99),
    last_on=st.sampled_from([date(2021, 10, 20), date(2022, 3, 1), date(2023, 3, 20)]),
)
@settings(max_examples=15)
def test_any_possible_plan_gives_its_exact_sizes_and_days(
    messages: int, groups: int, crowd: float, seed: int, last_on: date
) -> None:
    groups = min(groups, messages // 100)
    least, most = 5 * groups + 1, int(messages * 0.27 * 0.33) - 1
    speakers = max(least, round(least + crowd * (most - least)))
    plan = Plan(messages, groups, speakers, seed, last_on=last_on)
    rows = [slab.rows for slab in Story(plan).slabs()]
    at = np.concatenate([r.at for r in rows])
    assert len(at) == messages
    assert len(np.unique(np.concatenate([r.account for r in rows]))) == speakers
    assert (at[0] // 86_400, at[-1] // 86_400) == (0, plan.days - 1)


@given(
    total=st.integers(0, 10_000),
    weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=40),
)
def test_shares_add_up_and_are_off_by_less_than_one(total: int, weights: list[float]) -> None:
    parts = apportion(total, weights)
    exact = np.array(weights) / sum(weights) * total
    assert parts.sum() == total
    assert (np.abs(parts - exact) < 1 + 1e-6).all()


@given(
    high=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    fill=st.floats(0, 1),
)
@settings(max_examples=60)
def test_capped_shares_add_up_and_keep_their_caps(high: list[int], fill: float) -> None:
    total = int(sum(high) * fill)
    parts = capped(total, np.ones(len(high)), 0, np.array(high, float))
    assert parts.sum() == total
    assert (parts <= high).all()


def test_a_lookup_table_keeps_rare_keys() -> None:
    table = table_of({4: 1.0, 9: 1e-9}, 100)
    assert (table == 9).sum() == 1
    assert len(table) == 100
