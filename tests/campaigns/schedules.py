"""Random schedules of a mechanic: acts by anybody in any order, payments early, late and twice,
cancels, refunds, replays of earlier acts, and time that passes; what must hold is asked after
every step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.strategies import SearchStrategy

from qunluo.campaigns.mechanics.kernel import OPEN, OUT, Act, Done, Frozen, Mechanic
from qunluo.campaigns.mechanics.world import STOCK, World

START = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
MEMBERS = st.integers(1, 8)
MINUTES = st.sampled_from([1, 7, 30, 60, 24 * 60, 3 * 24 * 60, 30 * 24 * 60])


class Schedule(RuleBasedStateMachine):
    """Subclasses say which rules are drawn (`rules_of`), how a play begins (`opening`: data of
    the act `open`), what can be done (`kinds`: kind → its data) and add what must hold."""

    mechanic: ClassVar[Mechanic]
    rules_of: ClassVar[SearchStrategy[Any]]
    opening: ClassVar[SearchStrategy[dict[str, Any]]] = st.just({})
    kinds: ClassVar[Mapping[str, SearchStrategy[dict[str, Any]]]] = {}
    stock: ClassVar[Mapping[str, int]] = {}  # sku → pieces
    scarce: ClassVar[bool] = False  # fund only a part of what the worst case needs
    spans: ClassVar[SearchStrategy[int]] = MINUTES  # by which time passes
    most_plays: ClassVar[int] = 1000  # few plays let each come far

    world: World
    rules: Frozen

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.now, self.number = START, 0
        self.done: list[tuple[str, Act]] = []
        self.rules = data.draw(self.rules_of)
        seed = data.draw(st.binary(min_size=8, max_size=8))
        self.world = World(self.mechanic, self.rules, seed=seed)
        for supply in self.mechanic.supplies(self.rules):
            part = data.draw(st.integers(0, supply.amount)) if self.scarce else supply.amount
            self.world.fund(supply.unit, supply.place, part)
        for sku, pieces in self.stock.items():
            self.world.fund(f"sku:{sku}", STOCK, pieces)

    def act(self, play: str, kind: str, member: int | None, data: dict[str, Any]) -> Any:
        self.number += 1
        act = Act(kind, self.now, member, f"k{self.number}", data)
        answer = self.world.act(play, act)
        if isinstance(answer, Done):
            self.done.append((play, act))
        return answer

    @precondition(lambda self: len(self.world.plays) < self.most_plays)
    @rule(member=MEMBERS, data=st.data())
    def open_play(self, member: int, data: st.DataObject) -> None:
        given = data.draw(self.opening)
        named = self.mechanic.play_of(Act(OPEN, self.now, member, data=given), self.rules)
        self.act(named or f"p{self.number + 1}", OPEN, member, given)

    @precondition(lambda self: self.kinds and self.world.plays)
    @rule(member=MEMBERS, data=st.data())
    def act_in_play(self, member: int, data: st.DataObject) -> None:
        play = data.draw(st.sampled_from(sorted(self.world.plays)))
        kind = data.draw(st.sampled_from(sorted(self.kinds)))
        self.act(play, kind, member, data.draw(self.kinds[kind]))

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        play, act = data.draw(st.sampled_from(self.done))
        before = (dict(self.world.balances), dict(self.world.slots), dict(self.world.plays))
        assert self.world.act(play, act) == self.world.answers[act.key]
        assert before == (self.world.balances, self.world.slots, self.world.plays)

    @precondition(lambda self: self.world.orders)
    @rule(data=st.data(), times=st.integers(1, 3))
    def pay(self, data: st.DataObject, times: int) -> None:
        ref = data.draw(st.sampled_from(sorted(self.world.orders)))
        for _ in range(times):
            self.world.pay(ref, self.now)

    @precondition(lambda self: self.world.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.world.cancel(data.draw(st.sampled_from(sorted(self.world.orders))), self.now)

    @precondition(lambda self: self.world.orders)
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        self.world.refund(data.draw(st.sampled_from(sorted(self.world.orders))), self.now)

    @rule(data=st.data())
    def time_passes(self, data: st.DataObject) -> None:
        self.now += timedelta(minutes=data.draw(self.spans))
        self.world.tick(self.now)

    @rule()
    def tick(self) -> None:
        self.world.tick(self.now)

    @invariant()
    def everything_holds(self) -> None:
        if hasattr(self, "world"):
            assert self.world.broken() == []
            assert self.world.balance("cent", OUT) <= 0
