"""Contests: time, caps and teams; ranks from a snapshot; prizes given once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from qunluo.campaigns.mechanics.contest import (
    BOARD,
    DISQUALIFY,
    MECHANIC,
    MOVE,
    REINSTATE,
    SCORE,
    Rules,
    State,
    lint,
    play_of,
    standing,
    supplies,
)
from qunluo.campaigns.mechanics.contest_ranks import Band, Row, prizes, rank, total_prizes
from qunluo.campaigns.mechanics.kernel import BUDGET, OPEN, Act, Done, Refused, of
from qunluo.campaigns.mechanics.steps import CLOSE
from qunluo.campaigns.mechanics.world import World
from tests.campaigns.schedules import MEMBERS, START, Schedule

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
GOLD = Band(first=1, last=1, unit="points", amount=100)
SILVER = Band(first=2, last=3, unit="points", amount=31)
RULES = Rules(metric="cups", starts_at=START, ends_at=START + 3 * DAY, daily_cap=50,
              bands=(GOLD, SILVER), review_minutes=60)  # fmt: skip
TEAMS = RULES.model_copy(
    update={"teams": ("red", "blue"), "team_size": 2, "starts_at": START + HOUR}
)


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    starts_at = START + timedelta(minutes=draw(st.sampled_from([0, 0, 5])))
    return Rules(
        metric="m", starts_at=starts_at, daily_cap=draw(st.sampled_from([0, 5, 20])),
        ends_at=starts_at + timedelta(minutes=draw(st.sampled_from([5, 60, 1500]))),
        tie=draw(st.sampled_from(["earliest", "shared"])), bands=(GOLD, SILVER),
        teams=draw(st.sampled_from([(), (), ("red", "blue", "green")])),
        team_size=draw(st.integers(1, 3)), min_score=draw(st.integers(1, 6)),
        review_minutes=draw(st.sampled_from([0, 60, 600])),
    )  # fmt: skip


class Contests(Schedule):
    mechanic = MECHANIC
    rules_of = any_rules()
    opening = st.fixed_dictionaries({"team": st.sampled_from(["red", "blue", "green", "pink"])})
    kinds: ClassVar = {MOVE: opening}
    spans = st.sampled_from([1, 4, 60, 700])
    most_plays = 6

    @rule(member=st.integers(1, 4), points=st.integers(0, 9))
    def score(self, member: int, points: int) -> None:
        self.act(f"m{member}", SCORE, member, {"points": points})

    @precondition(lambda self: BOARD in self.world.plays and self.number % 3 == 2)
    @rule(kind=st.sampled_from([DISQUALIFY, REINSTATE]), who=MEMBERS)
    def judge(self, kind: str, who: int) -> None:
        self.act(BOARD, kind, None, {"id": str(who)})

    @precondition(lambda self: self.number > 20)
    @rule()
    def close(self) -> None:
        self.act(BOARD, CLOSE, None, {})

    def _entries(self) -> list[State]:
        states = [p.state for p in self.world.plays.values() if isinstance(p.state, State)]
        return [s for s in states if s.kind == "entry"]

    @invariant()
    def recomputed_ranks_are_those_stored(self) -> None:
        board = self.world.plays.get(BOARD) if hasattr(self, "world") else None
        if board is None or not isinstance(board.state, State):
            return
        assert isinstance(self.rules, Rules)
        if board.state.stage in ("frozen", "settled"):
            assert standing(self._entries(), self.rules, board.state.out) == board.state.rows
            assert not {str(m) for r in board.state.rows for m in r.members} & {
                *board.state.out
            }

    @invariant()
    def prizes_are_no_more_than_was_set_aside(self) -> None:
        board = self.world.plays.get(BOARD) if hasattr(self, "world") else None
        if board is None or not isinstance(board.state, State):
            return
        assert isinstance(self.rules, Rules)
        funded = sum(supply.amount for supply in supplies(self.rules))
        reserved = self.world.balance("points", f"reserved:{BOARD}")
        won = sum(self.world.balance("points", of(m)) for m in range(1, 9))
        assert self.world.balance("points", BUDGET) + reserved + won == funded
        held = board.state.stage in ("running", "frozen")
        assert reserved == (funded if held else 0)
        assert won == 0 or board.state.stage == "settled"

    @invariant()
    def teams_are_no_larger_than_they_may_be(self) -> None:
        if not hasattr(self, "world"):
            return
        assert isinstance(self.rules, Rules)
        for team in self.rules.teams:
            there = [s for s in self._entries() if s.team == team]
            assert len(there) <= self.rules.team_size
            assert self.world.slots.get(f"team:{team}", 0) == len(there)


TestContests = Contests.TestCase
TestContests.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def arena(rules: Rules = RULES) -> World:
    world = World(MECHANIC, rules)
    for supply in supplies(rules):
        world.fund(supply.unit, supply.place, supply.amount)
    return world


def score(world: World, member: int, points: int, hours: float = 0, key: str = "") -> Any:
    act = Act(SCORE, START + hours * HOUR, member, key, {"points": points})
    return world.act(f"m{member}", act)


def join(world: World, member: int, team: str, hours: float = 0) -> Any:
    act = Act(OPEN, START + hours * HOUR, member, "", {"team": team})
    return world.act(f"m{member}", act)


def judge(world: World, kind: str) -> Any:
    return world.act(BOARD, Act(kind, START + 3 * DAY, None, "", {"id": "3"}))


def won(world: World, *members: int) -> list[int]:
    return [world.balance("points", of(member)) for member in members]


def board(world: World) -> State:
    state = world.plays[BOARD].state
    assert isinstance(state, State)
    return state


def code(answer: Any) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


def test_the_best_win_after_the_review_and_once() -> None:
    world = arena()
    for member, points in ((1, 10), (2, 30), (3, 20), (4, 5)):
        score(world, member, points)
    world.tick(START + 3 * DAY)
    assert board(world).stage == "frozen"
    assert won(world, 1, 2, 3, 4) == [0, 0, 0, 0]
    for days in (4, 5, 6):
        world.tick(START + days * DAY)
    assert won(world, 1, 2, 3, 4) == [31, 100, 31, 0]
    assert sorted(n.member for n in world.notices) == [1, 2, 3]


def test_the_last_score_racing_the_end_does_not_count() -> None:
    world = arena()
    assert isinstance(score(world, 1, 5, 72 - 0.001), Done)
    assert code(score(world, 1, 5, 72)) == "too_late"
    world.tick(START + 3 * DAY)
    assert code(score(world, 1, 5, 73)) == "too_late"
    assert [r.score for r in board(world).rows] == [5]


def test_a_day_counts_to_its_cap_and_the_day_is_the_campaigns() -> None:
    world = arena()  # it is noon in Shanghai
    assert score(world, 1, 40).answer["counted"] == 40
    assert score(world, 1, 40, 11.9).answer["counted"] == 10
    assert score(world, 1, 40, 12).answer["counted"] == 40


def test_two_events_in_a_second_both_count_and_one_event_twice_does_not() -> None:
    world = arena()
    score(world, 1, 5, key="e1")
    score(world, 1, 5, key="e2")
    assert score(world, 1, 5, key="e2").answer["score"] == 10
    assert world.plays["m1"].state.score == 10  # type: ignore[attr-defined]


def test_who_reached_a_score_first_is_ahead_and_capped_points_do_not_move_that() -> None:
    world = arena()
    score(world, 2, 50, 1)
    score(world, 1, 50, 2)
    score(world, 2, 50, 3)  # above the cap: counts nothing, and changes nothing
    world.tick(START + 3 * DAY)
    assert [r.id for r in board(world).rows] == ["2", "1"]


def test_shared_ranks_share_the_prizes_of_these_ranks() -> None:
    world = arena(RULES.model_copy(update={"tie": "shared"}))
    for member in (1, 2):
        score(world, member, 9, member)
    score(world, 3, 5)
    world.tick(START + 9 * DAY)
    world.tick(START + 9 * DAY)
    assert [r.rank for r in board(world).rows] == [1, 1, 3]
    assert won(world, 1, 2, 3) == [65, 65, 31]  # (100 + 31) / 2, a point is left over
    assert world.balance("points", BUDGET) == 162 - 161


def test_teams_are_frozen_at_the_start() -> None:
    world = arena(TEAMS)
    assert isinstance(join(world, 1, "red"), Done)
    assert isinstance(join(world, 2, "red"), Done)
    assert code(join(world, 3, "red")) == "sold_out"
    assert code(join(world, 3, "pink")) == "no_team"
    assert isinstance(world.act("m2", Act(MOVE, START, 2, "", {"team": "blue"})), Done)
    assert isinstance(join(world, 3, "red"), Done)
    late = Act(MOVE, START + HOUR, 2, "", {"team": "red"})
    assert code(world.act("m2", late)) == "frozen"
    assert code(join(world, 4, "blue", 1)) == "frozen"
    assert code(score(world, 4, 5, 2)) == "no_team"


def test_each_member_of_the_best_team_wins() -> None:
    world = arena(TEAMS)
    for member, team in ((1, "red"), (2, "blue"), (3, "blue")):
        world.act(f"m{member}", Act(OPEN, START, member, "", {"team": team}))
    score(world, 1, 10, 2)
    score(world, 2, 6, 2)
    score(world, 3, 6, 3)
    for days in (4, 5):
        world.tick(START + days * DAY)
    assert won(world, 1, 2, 3) == [31, 100, 100]


def test_a_disqualified_member_makes_room_and_an_appeal_restores_exactly() -> None:
    world = arena()
    for member in (1, 2, 3):
        score(world, member, 10 * member)
    world.tick(START)
    assert code(judge(world, DISQUALIFY)) == "not_now"
    world.tick(START + 3 * DAY)
    before = board(world)
    judge(world, DISQUALIFY)
    assert [(r.id, r.rank) for r in board(world).rows] == [("2", 1), ("1", 2)]
    judge(world, REINSTATE)
    assert board(world) == before
    judge(world, DISQUALIFY)
    world.tick(START + 4 * DAY)
    assert won(world, 1, 2, 3) == [31, 100, 0]
    assert code(judge(world, REINSTATE)) == "not_now"


def test_a_contest_that_is_closed_gives_everything_back() -> None:
    world = arena()
    score(world, 1, 5)
    world.tick(START)
    world.act(BOARD, Act(CLOSE, START + HOUR))
    world.tick(START + 9 * DAY)
    assert world.balance("points", BUDGET) == 162
    assert won(world, 1) == [0]


def test_nobody_scores_for_another_or_touches_the_board() -> None:
    world = arena()
    score(world, 1, 5)
    world.tick(START)
    assert code(world.act("m1", Act(SCORE, START, 2, "", {"points": 5}))) == "not_yours"
    assert code(world.act(BOARD, Act(OPEN, START, 2))) == "not_yours"
    assert play_of(Act(OPEN, START, 2), RULES) == "m2"


ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=12,
).map(lambda found: [
    Row(id=str(n), order=n, score=s, reached_at=START + m * HOUR, members=(n,))
    for n, (s, m) in enumerate(found)
])  # fmt: skip


@given(rows=ROWS, shared=st.booleans(), data=st.data())
@settings(max_examples=200)
def test_ranks_do_not_depend_on_the_order_of_the_rows(
    rows: list[Row], shared: bool, data: st.DataObject
) -> None:
    ranked = rank(rows, shared=shared)
    assert rank(data.draw(st.permutations(rows)), shared=shared) == ranked
    assert rank(ranked, shared=shared) == ranked
    for row in ranked:
        ahead = sum(other.score > row.score for other in rows)
        if shared:
            assert row.rank == ahead + 1
    if not shared:
        assert [row.rank for row in ranked] == list(range(1, len(rows) + 1))
    given_away = sum(amount for _, _, amount in prizes(ranked, (GOLD, SILVER)))
    assert given_away <= total_prizes((GOLD, SILVER), 1)["points"]


def test_rules_that_make_no_sense_are_found_before_publishing() -> None:
    assert lint(RULES) == []
    mug = Band(first=3, last=3, unit="gift:mug", amount=1)
    wrong = RULES.model_copy(update={
        "ends_at": START, "bands": (SILVER, mug), "tie": "shared", "teams": ("red", "red"),
        "daily_cap": 0, "review_minutes": 0,
    })  # fmt: skip
    assert [f.code for f in lint(wrong)] == [
        "no_time", "wrong_bands", "indivisible", "one_team", "no_cap", "no_review",
    ]  # fmt: skip
    assert [f.code for f in lint(RULES.model_copy(update={"ends_at": START + 200 * DAY}))] == [
        "long"
    ]


def test_a_page_shows_the_board_and_ones_own_rank() -> None:
    world = arena()
    for member in (1, 2):
        score(world, member, member)
    world.tick(START + 3 * DAY)
    shown = MECHANIC.shown(board(world), RULES, 1)
    assert shown["my_rank"] == 2
    assert shown["rows"][0] == {"id": "2", "score": 2, "rank": 1}
