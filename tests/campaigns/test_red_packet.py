"""Red packets: fair shares, to the cent, one a member, and what is left goes back."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from statistics import mean, stdev
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from qunluo.campaigns.mechanics.kernel import BUDGET, OPEN, Act, Done, Draw, Refused, of
from qunluo.campaigns.mechanics.red_packet import (
    MECHANIC,
    TAKE,
    Rules,
    State,
    lint,
    luckiest,
    shares,
)
from qunluo.campaigns.mechanics.steps import CLOSE
from qunluo.campaigns.mechanics.world import World
from tests.campaigns.schedules import START, Schedule

TEN = Rules(amount=1000, shares=10, smallest=1)
RICH = 300  # points of each member


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    count, smallest = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    return Rules(
        shares=count, smallest=smallest, amount=count * smallest + draw(st.integers(0, 200)),
        equal=draw(st.booleans()), minutes=draw(st.sampled_from([5, 60, 1440])),
        packets=draw(st.integers(1, 3)), giver=draw(st.sampled_from(["campaign", "member"])),
        sender="members",
    )  # fmt: skip


class RedPackets(Schedule):
    mechanic = MECHANIC
    rules_of = any_rules()
    kinds: ClassVar = {TAKE: st.just({})}
    spans = st.sampled_from([1, 4, 30])
    most_plays = 3

    def act(self, play: str, kind: str, member: int | None, data: dict[str, Any]) -> Any:
        if kind == OPEN and member and not self.world.balance("points", f"met:{member}"):
            self.world.fund("points", of(member), RICH)
            self.world.fund("points", f"met:{member}", 1)
        return super().act(play, kind, member, data)

    @precondition(lambda self: self.number % 10 == 9 and self.world.plays)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        self.act(data.draw(st.sampled_from(sorted(self.world.plays))), CLOSE, None, {})

    @invariant()
    def every_point_is_somewhere(self) -> None:
        if not hasattr(self, "world"):
            return
        assert isinstance(self.rules, Rules)
        assert len(self.world.plays) <= self.rules.packets
        won, gave = Counter[int](), Counter[int]()
        for key, play in self.world.plays.items():
            state = play.state
            assert isinstance(state, State)
            taken = sum(one.amount for one in state.taken)
            reserved = self.world.balance("points", f"reserved:{key}")
            assert taken + reserved + state.returned == self.rules.amount
            for one in state.taken:
                won[one.member] += one.amount
            if state.giver and self.rules.giver == "member":
                gave[state.giver] += self.rules.amount - state.returned
        for member in range(1, 9):
            met = RICH * self.world.balance("points", f"met:{member}")
            assert self.world.balance("points", of(member)) == met + won[member] - gave[member]


TestRedPackets = RedPackets.TestCase
TestRedPackets.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def packet(rules: Rules = TEN) -> World:
    world = World(MECHANIC, rules, seed=b"a packet")
    world.fund(rules.unit, BUDGET, rules.amount * rules.packets)
    world.act("p", Act(OPEN, START))
    return world


def take(world: World, member: int, minutes: int = 0) -> Any:
    return world.act("p", Act(TAKE, START + timedelta(minutes=minutes), member))


def code(answer: Any) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


@given(
    st.integers(1, 40),
    st.integers(1, 50),
    st.integers(0, 5000),
    st.booleans(),
    st.binary(max_size=8),
)
@settings(max_examples=200)
def test_shares_add_up_and_none_is_below_the_smallest(
    count: int, smallest: int, more: int, equal: bool, seed: bytes
) -> None:
    rules = Rules(shares=count, smallest=smallest, amount=count * smallest + more, equal=equal)
    drawn = shares(rules, Draw(seed, "p:0"))
    assert sum(drawn) == rules.amount
    assert len(drawn) == count
    assert min(drawn) >= smallest
    assert not equal or max(drawn) - min(drawn) <= 1


def test_no_place_in_the_queue_is_a_better_one() -> None:
    """Means of 3,000 packets lie within 4 standard errors of each place's fair share."""
    packets = [shares(TEN, Draw(b"fair", f"p{n}:0")) for n in range(3000)]
    for place in range(10):
        got = [drawn[place] for drawn in packets]
        assert abs(mean(got) - 100) < 4 * stdev(got) / len(got) ** 0.5


def test_without_the_shuffle_the_last_places_would_vary_more() -> None:
    """What the shuffle is for: as drawn, the means are equal but the spread is not."""

    class AsDrawn(Draw):
        def shuffled(self, items: Any) -> list[Any]:
            return list(items)

    def spread(kind: type[Draw], place: int) -> float:
        return stdev(shares(TEN, kind(b"fair", f"p{n}:0"))[place] for n in range(1500))

    assert spread(AsDrawn, 9) > 1.2 * spread(AsDrawn, 0)
    assert abs(spread(Draw, 9) / spread(Draw, 0) - 1) < 0.1


def test_ten_members_empty_it_and_the_eleventh_hears_so() -> None:
    world = packet()
    amounts = [take(world, member).answer["amount"] for member in range(1, 11)]
    assert sum(amounts) == 1000
    assert code(take(world, 11)) == "sold_out"
    state = world.plays["p"].state
    assert isinstance(state, State)
    best = luckiest(state)
    assert best
    assert best.amount == max(amounts)


def test_a_member_has_one_share_however_often_they_tap() -> None:
    world = packet()
    assert isinstance(take(world, 1), Done)
    assert code(take(world, 1)) == "taken"
    assert code(world.act("p", Act(TAKE, START, 1, "other tap"))) == "taken"


def test_what_nobody_took_goes_back_to_the_cent_and_once() -> None:
    world = packet()
    got = take(world, 1).answer["amount"]
    for days in (1, 2):
        world.tick(START + timedelta(days=days))
    assert world.balance("points", BUDGET) == 1000 - got
    assert code(take(world, 2, 24 * 60)) == "over"


def test_the_last_share_races_the_end_and_the_end_wins() -> None:
    world = packet()
    assert isinstance(take(world, 1, 24 * 60 - 1), Done)
    assert code(take(world, 2, 24 * 60)) == "over"  # before the clock has been there


def test_a_member_gives_own_points_and_gets_back_what_is_left() -> None:
    world = World(MECHANIC, TEN.model_copy(update={"giver": "member"}))
    assert code(world.act("p", Act(OPEN, START, 1))) == "too_poor"
    world.fund("points", of(1), 1000)
    world.act("p", Act(OPEN, START, 1))
    got = take(world, 2).answer["amount"]
    world.tick(START + timedelta(days=1))
    assert world.balance("points", of(1)) == 1000 - got
    assert world.balance("points", of(2)) == got


def test_no_more_packets_are_opened_than_are_funded() -> None:
    world = packet()
    assert code(world.act("q", Act(OPEN, START))) == "no_more"


def test_members_put_out_no_packet_of_the_budget_unless_the_rules_say_so() -> None:
    world = World(MECHANIC, TEN)
    world.fund("points", BUDGET, 2_000)
    assert code(world.act("p", Act(OPEN, START, 1))) == "team"
    assert isinstance(world.act("q", Act(OPEN, START)), Done)
    for rules in (TEN, TEN.model_copy(update={"giver": "member"})):
        of_members = rules.model_copy(update={"sender": "members"})
        world = World(MECHANIC, of_members)
        world.fund("points", BUDGET if rules is TEN else of(1), 1_000)
        assert isinstance(world.act("p", Act(OPEN, START, 1)), Done)
    assert [f.code for f in lint(TEN.model_copy(update={"sender": "members"}))] == [
        "members_send"
    ]


def test_a_page_never_shows_shares_that_are_not_taken() -> None:
    world = packet()
    take(world, 1)
    shown = MECHANIC.shown(world.plays["p"].state, TEN, 1)
    assert len(shown["taken"]) == 1
    assert shown["shares"] == 10  # how many, not how much
    assert shown["luckiest"] is None


def test_rules_that_make_no_sense_are_found_before_publishing() -> None:
    assert lint(TEN) == []
    wrong = Rules(amount=9, shares=10, unit="cent", giver="member", equal=True, minutes=20000)
    assert [f.code for f in lint(wrong)] == [
        "sum_too_small", "members_money", "not_quite_equal", "long_open",
    ]  # fmt: skip
    assert code(World(MECHANIC, wrong).act("p", Act(OPEN, START, 1))) == "uneven"
