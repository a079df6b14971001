"""Gates say what would admit; routing always gives the same answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.groups.errors import WrongGateError
from qunluo.groups.rules import (
    GATES,
    Applicant,
    Option,
    Refusal,
    Route,
    check_gate,
    distance_km,
    judge_gate,
    judge_state,
    plan_route,
    wants_successor,
)

SHANGHAI, SUZHOU = (31.23, 121.47), (31.30, 120.62)
NEAR = {"kind": "near", "lat": SHANGHAI[0], "lon": SHANGHAI[1], "km": 3, "store": "望山店"}

PASSING: list[tuple[dict[str, Any], Applicant]] = [
    ({}, Applicant()),
    ({"kind": "open"}, Applicant()),
    ({"kind": "approval"}, Applicant(approved=True)),
    ({"kind": "invited"}, Applicant(invited_by=7)),
    ({"kind": "tag", "tags": [3, 4], "names": ["VIP"]}, Applicant(tags=frozenset({4}))),
    (NEAR, Applicant(lat=31.24, lon=121.47)),
    ({"kind": "plan", "plan": "gold"}, Applicant(plans=frozenset({"gold"}))),
    ({"kind": "level", "level": 3, "name": "铁粉"}, Applicant(level=3)),
    ({"kind": "segment", "segment": 9, "name": "VIP"}, Applicant(segments=frozenset({9}))),
]


@pytest.mark.parametrize(("gate", "applicant"), PASSING)
def test_a_gate_admits_who_has_what_it_asks_for(
    gate: dict[str, Any], applicant: Applicant
) -> None:
    assert check_gate(gate) == gate
    assert judge_gate(gate, applicant).admitted


@pytest.mark.parametrize("gate", [gate for gate, _ in PASSING[2:]])
def test_a_refusal_says_in_both_languages_what_would_admit(gate: dict[str, Any]) -> None:
    verdict = judge_gate(gate, Applicant())
    assert not verdict.admitted
    assert verdict.waits == (gate["kind"] == "approval")
    assert len(verdict.why.en.split()) > 8
    assert any("一" <= sign <= "鿿" for sign in verdict.why.zh)
    assert "{" not in verdict.why.en + verdict.why.zh


def test_the_refusal_names_the_tag_the_plan_the_level_and_the_distance() -> None:
    far = Applicant(lat=SUZHOU[0], lon=SUZHOU[1])
    said = [judge_gate(gate, far).why.zh for gate, _ in PASSING[4:]]
    for word, why in zip(("VIP", "望山店", "gold", "铁粉", "VIP"), said, strict=True):
        assert word in why
    assert "81" in said[1]


@pytest.mark.parametrize("kind", GATES)
def test_every_gate_has_a_judge(kind: str) -> None:
    assert judge_gate({"kind": kind}, Applicant()).why.zh


def test_an_unknown_gate_opens_for_nobody() -> None:
    with pytest.raises(WrongGateError):
        judge_gate({"kind": "magic"}, Applicant())


def test_distances_are_those_of_the_globe() -> None:
    assert distance_km(0, 0, 0, 180) == pytest.approx(20015.1, abs=0.5)
    assert distance_km(*SHANGHAI, *SHANGHAI) == 0
    assert distance_km(*SHANGHAI, None, None) is None


places = st.none() | st.tuples(st.integers(-60, 60), st.integers(-120, 120))
gates = st.sampled_from([gate for gate, _ in PASSING])


@st.composite
def options(draw: st.DrawFn) -> list[Option]:
    ids = draw(st.lists(st.integers(1, 40), unique=True, max_size=6))
    return [_option(draw, number) for number in ids]


def _option(draw: st.DrawFn, number: int) -> Option:
    place = draw(places)
    lat, lon = place or (None, None)
    capacity = draw(st.integers(1, 4))
    return Option(
        number, f"G{number}", draw(gates), frozenset(draw(st.sets(st.integers(1, 4)))), lat, lon,
        draw(st.integers(0, capacity)), capacity,
    )  # fmt: skip


@st.composite
def applicants(draw: st.DrawFn) -> Applicant:
    place = draw(places)
    lat, lon = place or (None, None)
    return Applicant(
        1, frozenset(draw(st.sets(st.integers(1, 4)))), lat, lon,
        draw(st.none() | st.just(9)), level=draw(st.integers(0, 4)),
    )  # fmt: skip


@given(options(), applicants(), st.randoms())
def test_the_same_input_gives_the_same_answer_in_any_order(
    groups: list[Option], applicant: Applicant, dice: Any
) -> None:
    mixed = groups[:]
    dice.shuffle(mixed)
    assert plan_route(groups, applicant) == plan_route(mixed, applicant)


@given(options(), applicants())
def test_nobody_gets_past_a_gate_or_into_a_full_group(
    groups: list[Option], applicant: Applicant
) -> None:
    route = plan_route(groups, applicant)
    fitting = [
        o for o in groups if o.taken < o.capacity and judge_gate(o.gate, applicant).admitted
    ]
    if isinstance(route, Refusal):
        assert not fitting
        assert len(route.reasons) == len(groups)
        return
    chosen = next(o for o in groups if o.group_id == route.group_id)
    assert chosen.taken < chosen.capacity
    assert route.waits or chosen in fitting
    assert route.waits == (not fitting)
    assert route.reasons


@given(options(), applicants())
def test_no_other_open_group_is_nearer(groups: list[Option], applicant: Applicant) -> None:
    route = plan_route(groups, applicant)
    if isinstance(route, Route) and not route.waits:
        away = {
            o.group_id: distance_km(o.lat, o.lon, applicant.lat, applicant.lon) for o in groups
        }
        mine = away[route.group_id]
        fitting = [
            o for o in groups if o.taken < o.capacity and judge_gate(o.gate, applicant).admitted
        ]
        others = [away[o.group_id] for o in fitting]
        assert all(other is None or (mine is not None and mine <= other) for other in others)


def test_the_order_is_nearest_then_tags_then_room_then_age() -> None:
    me = Applicant(tags=frozenset({1, 2}), lat=0.0, lon=0.0)
    near = Option(9, "near", lat=0.0, lon=0.1)
    tagged = Option(8, "tagged", tags=frozenset({1}))
    empty = Option(7, "empty", taken=0, capacity=10)
    fuller = Option(6, "fuller", taken=5, capacity=10)
    twin = Option(5, "twin", taken=0, capacity=99)
    found = []
    left = [fuller, twin, tagged, near, empty]
    while left:
        route = plan_route(left, me)
        assert isinstance(route, Route)
        found.append(route.group_id)
        left = [o for o in left if o.group_id != route.group_id]
    assert found == [9, 8, 5, 7, 6]


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_successor_opens_from_nine_tenths_on(taken: int, capacity: int) -> None:
    assert wants_successor(taken, capacity) == (taken * 10 >= capacity * 9)


@pytest.mark.parametrize(
    ("state", "taken", "days", "after"),
    [("setup", 0, 99, "setup"), ("setup", 1, 0, "growing"), ("growing", 60, 1, "mature"),
     ("mature", 60, 14, "silent"), ("silent", 10, 0, "growing"), ("closing", 60, 99, "closing"),
     ("dissolved", 0, 99, "dissolved")],
)  # fmt: skip
def test_a_group_becomes_what_happens_in_it(
    state: str, taken: int, days: float, after: str
) -> None:
    assert judge_state(state, taken=taken, capacity=100, quiet_days=days) == after
