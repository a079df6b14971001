"""Lucky draws: odds as shown, stock, points and prize in one act, and draws that verify."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from pydantic import ValidationError

from qunluo.campaigns.mechanics.kernel import (
    SPENT,
    Act,
    Done,
    Draw,
    Refused,
    commitment,
    of,
    pool,
)
from qunluo.campaigns.mechanics.lucky_draw import (
    BLANK,
    DRAW,
    MECHANIC,
    Prize,
    Rules,
    State,
    lint,
    odds,
    pick,
    publish,
    store,
    supplies,
    verify,
    verify_stock,
    weights,
)
from qunluo.campaigns.mechanics.world import World
from tests.campaigns.schedules import MEMBERS, START, Schedule

MUG = Prize(name="mug", weight=1, unit="gift:mug", amount=1, stock=1)
TEN = Prize(name="ten points", weight=3, unit="points", amount=10, stock=5)
RULES = Rules(prizes=(MUG, TEN), blank_weight=6, cost_points=5, per_day=3)
HOUR = timedelta(hours=1)
SEED = b"a seed that was committed to"

prizes = st.lists(
    st.builds(
        lambda weight, amount, stock, points: Prize(
            name="?", weight=weight, unit="points" if points else "gift:mug",
            amount=amount, stock=stock,
        ), st.integers(1, 9), st.integers(1, 3), st.integers(1, 3), st.booleans(),
    ), min_size=1, max_size=3,
).map(lambda found: tuple(p.model_copy(update={"name": f"p{n}"}) for n, p in enumerate(found)))  # fmt: skip
any_rules = st.builds(
    Rules, prizes=prizes, blank_weight=st.integers(0, 9), cost_points=st.integers(0, 5),
    per_day=st.integers(1, 3), per_member=st.integers(1, 8),
)  # fmt: skip


class LuckyDraws(Schedule):
    mechanic = MECHANIC
    rules_of = any_rules
    most_plays = 4

    @precondition(lambda self: not hasattr(self, "earned"))
    @rule()
    def everybody_begins_with_some(self) -> None:
        for member in range(1, 9):
            self.earn(member, 12)

    @rule(member=MEMBERS, points=st.integers(10, 60))
    def earn_more(self, member: int, points: int) -> None:
        self.earn(member, points)

    def earn(self, member: int, points: int) -> None:
        self.world.fund("points", of(member), points)
        self.earned = getattr(self, "earned", 0) + points

    @rule(member=MEMBERS)
    def draw_one(self, member: int) -> None:
        self.act(f"m{member}", DRAW, member, {})

    @invariant()
    def prizes_and_points_add_up(self) -> None:
        if not hasattr(self, "world"):
            return
        rules = self.rules
        assert isinstance(rules, Rules)
        states = [p.state for p in self.world.plays.values() if isinstance(p.state, State)]
        won = Counter(r.prize for s in states for r in s.records)
        for n, prize in enumerate(rules.prizes):
            left = self.world.balance(prize.unit, pool(store(n)))
            assert left == prize.amount * (prize.stock - won[n])
        draws = sum(won.values())
        assert self.world.balance("points", SPENT) == draws * rules.cost_points
        gained = sum(
            p.amount * won[n] for n, p in enumerate(rules.prizes) if p.unit == "points"
        )
        have = sum(self.world.balance("points", of(m)) for m in range(1, 9))
        assert have == getattr(self, "earned", 0) - draws * rules.cost_points + gained

    @invariant()
    def anybody_can_verify_every_draw(self) -> None:
        if not hasattr(self, "world"):
            return
        assert isinstance(self.rules, Rules)
        states = [p.state for p in self.world.plays.values() if isinstance(p.state, State)]
        draws = publish(states, self.rules)
        assert verify(self.world.seed, commitment(self.world.seed), draws) == []
        assert verify_stock(draws, self.rules) == []


TestLuckyDraws = LuckyDraws.TestCase
TestLuckyDraws.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def booth(rules: Rules = RULES) -> World:
    world = World(MECHANIC, rules, seed=SEED)
    for supply in supplies(rules):
        world.fund(supply.unit, supply.place, supply.amount)
    for member in (1, 2, 3):
        world.fund("points", of(member), 1000)
    return world


def draw(world: World, member: int = 1, hours: float = 0) -> Any:
    return world.act(f"m{member}", Act(DRAW, START + timedelta(hours=hours), member))


def code(answer: Any) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(1, 9)), min_size=1, max_size=6))
def test_rand_0_total_is_not_off_by_one_every_number_has_its_prize_and_total_has_none(
    table: list[tuple[str, int]],
) -> None:
    total = sum(weight for _, weight in table)
    found = Counter(pick(table, number) for number in range(total))
    expected: Counter[str] = Counter()
    for name, weight in table:
        expected[name] += weight
    assert found == expected
    for beyond in (total, -1):
        with pytest.raises(ValueError, match="beyond"):
            pick(table, beyond)


def test_numbers_are_drawn_from_zero_to_below_the_total_each_alike() -> None:
    drawn = Counter(Draw(SEED, f"m1:{n}").below(10) for n in range(20_000))
    assert set(drawn) == set(range(10))
    assert all(abs(count - 2000) < 4 * (20_000 * 0.1 * 0.9) ** 0.5 for count in drawn.values())


def test_prizes_come_as_often_as_the_odds_say() -> None:
    table = weights(RULES, (0, 1))
    drawn = Counter(pick(table, Draw(SEED, f"m1:{n}").below(10)) for n in range(20_000))
    for row, prize in zip(odds(RULES, (0, 1)), (0, 1, BLANK), strict=True):
        p = row["percent"] / 100
        assert abs(drawn[prize] - 20_000 * p) < 4 * (20_000 * p * (1 - p)) ** 0.5


def test_a_prize_is_not_kept_when_points_are_short() -> None:
    world = booth(RULES.model_copy(update={"cost_points": 1001, "blank_weight": 0}))
    assert code(draw(world)) == "too_poor"
    assert not world.grants
    assert not world.slots.get("drawn:1")
    assert world.play("m1") is None


def test_a_day_has_its_draws_and_ends_at_midnight_of_the_campaign() -> None:
    world = booth()  # it is noon in Shanghai
    assert [isinstance(draw(world, hours=h), Done) for h in (0, 1, 2)] == [True] * 3
    assert code(draw(world, hours=11.99)) == "today"
    assert isinstance(draw(world, hours=12), Done)


def test_whatever_the_luck_no_prize_is_given_more_often_than_there_are() -> None:
    world = booth(RULES.model_copy(update={"per_day": 50, "blank_weight": 0}))
    answers = [draw(world, member) for member in (1, 2, 3) for _ in range(10)]
    won = Counter(a.answer["prize"] for a in answers if isinstance(a, Done))
    assert won == {"mug": 1, "ten points": 5}
    assert code(answers[-1]) == "sold_out"
    assert world.balance("points", SPENT) == 6 * 5  # none was taken for nothing


def test_what_is_gone_is_left_out_of_the_odds() -> None:
    assert [row["percent"] for row in odds(RULES, (0, 1))] == [10.0, 30.0, 60.0]
    assert [row["name"] for row in odds(RULES, (1,))] == ["ten points", ""]
    assert round(sum(row["percent"] for row in odds(RULES, (1,))), 3) == 100


def test_any_tampering_with_published_draws_is_found() -> None:
    world = booth(RULES.model_copy(update={"per_day": 50}))
    for _ in range(8):
        draw(world)
    state = world.plays["m1"].state
    assert isinstance(state, State)
    draws, hashed = publish([state], RULES), commitment(SEED)
    assert verify(SEED, hashed, draws) == []
    assert verify(b"another", hashed, draws)[0] == "the seed is not the one committed to"
    other = "mug" if draws[3].prize != "mug" else ""
    bribed = [*draws[:3], draws[3].model_copy(update={"prize": other}), *draws[4:]]
    assert verify(SEED, hashed, bribed) == [f"m1:3: {draws[3].number} gives another prize"]
    luckier = [*draws[:3], draws[3].model_copy(update={"number": 99}), *draws[4:]]
    assert len(verify(SEED, hashed, luckier)) == 1
    assert verify(SEED, hashed, draws[:3] + draws[4:]) == [
        "m1: a draw is missing, or there twice"
    ]
    assert verify(SEED, hashed, draws[2:])  # the first two are hidden


def test_a_prize_hidden_from_the_draws_is_found() -> None:
    world = booth(RULES.model_copy(update={"blank_weight": 60}))
    draw(world)
    state = world.plays["m1"].state
    assert isinstance(state, State)
    record = state.records[0].model_copy(update={"open": (1,)})
    hidden = publish([state.model_copy(update={"records": (record,)})], RULES)
    assert verify_stock(hidden, RULES) == ["m1:0: mug was left out"]


def test_a_prize_that_only_seemed_to_be_there_is_found() -> None:
    world = booth(RULES.model_copy(update={"blank_weight": 0, "per_day": 50}))
    for hour in range(6):
        draw(world, hours=hour)
    state = world.plays["m1"].state
    assert isinstance(state, State)
    last = state.records[-1]
    again = last.model_copy(update={"label": "m1:6", "open": (0, 1), "at": last.at + HOUR})
    lured = publish([state.model_copy(update={"records": (*state.records, again)})], RULES)
    assert "m1:6: mug was gone already" in verify_stock(lured, RULES)


def test_the_same_tap_twice_is_one_draw() -> None:
    world = booth()
    act = Act(DRAW, START, 1, "tap")
    assert world.act("m1", act) == world.act("m1", act)
    assert world.balance("points", SPENT) == 5


def test_rules_that_make_no_sense_are_found_before_publishing() -> None:
    assert lint(RULES) == []
    rich = Prize(name="mug", weight=1, unit="cent", amount=60_000_00, stock=1)
    wrong = Rules(prizes=(MUG, rich, TEN.model_copy(update={"amount": 100})), cost_points=1,
                  per_day=9, per_member=3)  # fmt: skip
    assert [f.code for f in lint(wrong)] == [
        "same_name", "above_the_law", "points_machine", "day_above_all",
    ]  # fmt: skip
    assert [f.code for f in lint(RULES.model_copy(update={"blank_weight": 900}))] == [
        "hardly_a_chance"
    ]
    with pytest.raises(ValidationError):
        Rules(prizes=(MUG,), zone="Nowhere")


def test_a_page_shows_the_odds_before_the_first_draw() -> None:
    assert [row["percent"] for row in MECHANIC.shown(None, RULES, 1)["odds"]] == [
        10.0,
        30.0,
        60.0,
    ]
