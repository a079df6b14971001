"""Swaps: one live deal a listing, deposits that are conserved, offers of what is one's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from qunluo.campaigns.mechanics.kernel import OPEN, OUT, Act, Done, Refused, Then, of
from qunluo.campaigns.mechanics.steps import CLOSE
from qunluo.campaigns.mechanics.swap import (
    ACCEPT,
    CONFIRM,
    DECLINE,
    DISPUTE,
    MECHANIC,
    OFFER,
    RULE,
    UNOFFER,
    WITHDRAW,
)
from qunluo.campaigns.mechanics.swap_terms import Outcome, Rules, State, lint, returns, stakes
from qunluo.campaigns.mechanics.world import World
from tests.campaigns.schedules import MEMBERS, START, Schedule

DAY = timedelta(days=1)
RULES = Rules(categories=("books",), deposit=20, top_up_most=50)
BOOK = {"title": "A book", "category": "books"}
HAS = 200


def states_of(world: World) -> dict[str, State]:
    return {k: p.state for k, p in world.plays.items() if isinstance(p.state, State)}


class Swaps(Schedule):
    """What listings tell each other arrives late, and in any order."""

    mechanic = MECHANIC
    rules_of = st.builds(
        Rules, categories=st.just(("books",)), deposit=st.sampled_from([0, 20, 150]),
        top_up_most=st.sampled_from([0, 50]), per_member=st.integers(1, 3),
        listing_days=st.sampled_from([2, 14]), deal_days=st.sampled_from([1, 7]),
    )  # fmt: skip
    opening = st.just(BOOK)
    spans = st.sampled_from([1, 60, 700])
    most_plays = 6

    def act(self, play: str, kind: str, member: int | None, data: dict[str, Any]) -> Any:
        if member and not self.world.balance("points", of(member)) and kind == OPEN:
            self.world.fund("points", of(member), HAS)
        return super().act(play, kind, member, data)

    def pick(self, data: st.DataObject) -> tuple[str, State]:
        key = data.draw(st.sampled_from(sorted(self.world.plays)))
        return key, states_of(self.world)[key]

    @initialize(owners=st.lists(MEMBERS, min_size=2, max_size=5))
    def market_day(self, owners: list[int]) -> None:
        if not hasattr(self, "world"):  # initial rules run in any order
            return
        for owner in owners:
            self.act(f"q{self.number}", OPEN, owner, BOOK)

    @precondition(lambda self: any(s.stage == "open" for s in states_of(self.world).values()))
    @rule(data=st.data(), top_up=st.sampled_from([0, 0, 0, 10, -10, 60]))
    def offer(self, data: st.DataObject, top_up: int) -> None:
        states = states_of(self.world)
        mine = data.draw(
            st.sampled_from(sorted(k for k, s in states.items() if s.stage == "open"))
        )
        to = data.draw(st.sampled_from(sorted(states)))
        self.act(mine, OFFER, states[mine].owner, {"to": to, "top_up": top_up})
        if data.draw(st.booleans()):
            self.world.tick(self.now)

    def pairs(self) -> list[tuple[str, str]]:
        """Open listings of two owners."""
        opened = {k: s.owner for k, s in states_of(self.world).items() if s.stage == "open"}
        return [
            (a, b) for a in sorted(opened) for b in sorted(opened) if opened[a] != opened[b]
        ]

    @precondition(lambda self: self.pairs())
    @rule(data=st.data(), top_up=st.sampled_from([0, 0, 50, -50]))
    def offer_and_accept(self, data: st.DataObject, top_up: int) -> None:
        mine, to = data.draw(st.sampled_from(self.pairs()))
        states = states_of(self.world)
        self.act(mine, OFFER, states[mine].owner, {"to": to, "top_up": top_up})
        self.deliver(lambda then: then.play == to)
        self.act(to, ACCEPT, states[to].owner, {"from": mine})

    def deliver(self, meant: Callable[[Then], bool]) -> None:
        for then, at in [found for found in self.world.waiting if meant(found[0])]:
            self.world.waiting.remove((then, at))
            self.world.act(then.play, Act(then.kind, at, then.member, then.key, then.data))

    @precondition(lambda self: any(s.offers for s in states_of(self.world).values()))
    @rule(data=st.data(), kind=st.sampled_from([ACCEPT, ACCEPT, DECLINE]))
    def answer(self, data: st.DataObject, kind: str) -> None:
        with_offers = [k for k, s in states_of(self.world).items() if s.offers]
        key = data.draw(st.sampled_from(sorted(with_offers)))
        state = states_of(self.world)[key]
        offer = data.draw(st.sampled_from(state.offers))
        self.act(key, kind, state.owner, {"from": offer.listing})

    @precondition(lambda self: any(s.sent for s in states_of(self.world).values()))
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        key = data.draw(
            st.sampled_from(sorted(k for k, s in states_of(self.world).items() if s.sent))
        )
        state = states_of(self.world)[key]
        self.act(key, UNOFFER, state.owner, {"to": data.draw(st.sampled_from(state.sent)).to})

    @precondition(lambda self: any(s.deal for s in states_of(self.world).values()))
    @rule(data=st.data(), kind=st.sampled_from([CONFIRM, CONFIRM, DISPUTE, RULE]))
    def in_deal(self, data: st.DataObject, kind: str) -> None:
        key = data.draw(
            st.sampled_from(sorted(k for k, s in states_of(self.world).items() if s.deal))
        )
        outcome = data.draw(st.sampled_from(get_args(Outcome)))
        member = data.draw(st.sampled_from(states_of(self.world)[key].parties))
        self.act(key, kind, None if kind == RULE else member, {"outcome": outcome})

    @precondition(lambda self: self.number % 6 == 5)
    @rule(data=st.data(), kind=st.sampled_from([WITHDRAW, CLOSE]))
    def take_down(self, data: st.DataObject, kind: str) -> None:
        key, state = self.pick(data)
        self.act(key, kind, state.owner if kind == WITHDRAW else None, {})

    @precondition(lambda self: self.world.waiting)
    @rule(data=st.data())
    def one_message_arrives(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.world.waiting) - 1))
        then, at = self.world.waiting.pop(number)
        self.world.act(then.play, Act(then.kind, at, then.member, then.key, then.data))

    @invariant()
    def a_listing_is_in_one_live_deal_at_most(self) -> None:
        if not hasattr(self, "world"):
            return
        live = Counter[str]()
        for key, state in states_of(self.world).items():
            if state.deal:
                live.update([key, state.deal.offer.listing])
        assert all(count == 1 for count in live.values())
        assert all(self.world.slots[f"listing:{key}:live"] == 1 for key in live)

    @invariant()
    def deposits_are_conserved(self) -> None:
        if not hasattr(self, "world"):
            return
        assert isinstance(self.rules, Rules)
        held = 0
        for key, state in states_of(self.world).items():
            staked = sum(stakes(state, self.rules).values())
            assert self.world.balance("points", f"reserved:{key}") == staked
            held += staked
        have = sum(self.world.balance("points", of(m)) for m in range(1, 9))
        assert have + held == -self.world.balance("points", OUT)

    @invariant()
    def when_all_messages_have_arrived_both_sides_agree(self) -> None:
        if not hasattr(self, "world") or self.world.waiting:
            return
        states = states_of(self.world)
        away = {k: s.home for k, s in states.items() if s.stage == "away"}
        assert away == {s.deal.offer.listing: k for k, s in states.items() if s.deal}
        for key, state in states.items():
            assert state.over == ()
            taken = self.world.slots.get(f"listing:{key}:live", 0)
            assert taken == (state.stage != "open")
            assert {one.to for one in state.sent} >= {
                k for k, s in states.items() for o in s.offers if o.listing == key
            }
        open_ones = Counter(
            s.owner for s in states.values() if s.stage in ("open", "dealing", "away")
        )
        assert all(self.world.slots.get(f"owner:{m}", 0) == open_ones[m] for m in range(1, 9))


TestSwaps = Swaps.TestCase
TestSwaps.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def market(rules: Rules = RULES, owners: int = 4) -> World:
    """Member n has the listing Ln and 200 points."""
    world = World(MECHANIC, rules)
    for member in range(1, owners + 1):
        world.fund(rules.unit, of(member), HAS)
        world.act(f"L{member}", Act(OPEN, START, member, "", BOOK))
    return world


def act(world: World, listing: int, kind: str, member: int | None = None, **data: Any) -> Any:
    """The owner acts, or whoever is named."""
    who = None if kind == RULE else member or listing
    return world.act(f"L{listing}", Act(kind, START, who, "", data))


def offer(world: World, mine: int, to: int, top_up: int = 0) -> Any:
    answer = act(world, mine, OFFER, to=f"L{to}", top_up=top_up)
    world.tick(START)
    return answer


def accept(world: World, mine: int, other: int) -> Any:
    return world.act(f"L{mine}", Act(ACCEPT, START, mine, "", {"from": f"L{other}"}))


def has(world: World, *members: int) -> list[int]:
    return [world.balance("points", of(member)) for member in members]


def stage(world: World, listing: int) -> str:
    return states_of(world)[f"L{listing}"].stage


def code(answer: Any) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


def test_two_swap_and_get_their_deposits_and_the_top_up() -> None:
    world = market()
    offer(world, 1, 2, top_up=30)
    accept(world, 2, 1)
    assert has(world, 1, 2) == [150, 180]
    world.tick(START)
    assert isinstance(act(world, 2, CONFIRM, 1), Done)
    assert code(act(world, 2, CONFIRM, 1)) == "confirmed"
    assert has(world, 1, 2) == [150, 180]
    act(world, 2, CONFIRM, 2)
    world.tick(START)
    assert has(world, 1, 2) == [170, 230]
    assert (stage(world, 1), stage(world, 2)) == ("swapped", "swapped")


def test_accepting_one_offer_declines_its_rivals() -> None:
    world = market()
    for rival in (1, 3, 4):
        offer(world, rival, 2)
    accept(world, 2, 3)
    world.tick(START)
    assert [n.member for n in world.notices] == [3, 1, 4]
    assert states_of(world)["L1"].sent == ()
    assert code(accept(world, 2, 1)) == "not_open"


def test_a_listing_accepted_in_two_places_is_in_one_deal() -> None:
    world = market()
    offer(world, 1, 2)
    offer(world, 1, 3)
    assert isinstance(accept(world, 2, 1), Done)
    assert code(accept(world, 3, 1)) == "in_deal"  # before any message arrived
    assert has(world, 3) == [HAS]


def test_an_offer_is_accepted_or_taken_back_never_both() -> None:
    world = market()
    offer(world, 1, 2)
    assert isinstance(act(world, 1, UNOFFER, to="L2"), Done)
    assert code(accept(world, 2, 1)) == "offer_gone"  # L2 has not heard of it yet
    other = market()
    offer(other, 1, 2)
    accept(other, 2, 1)
    assert code(act(other, 1, UNOFFER, to="L2")) == "in_deal"
    assert code(act(other, 1, WITHDRAW)) == "in_deal"


def test_an_offer_that_arrives_after_it_was_taken_back_is_none() -> None:
    world = market()
    act(world, 1, OFFER, to="L2")
    act(world, 1, UNOFFER, to="L2")
    for then, _ in reversed(world.waiting):
        world.act(then.play, Act(then.kind, START, None, then.key, then.data))
    assert states_of(world)["L2"].offers == ()


def test_news_of_a_deal_lost_before_they_came_still_take_the_listing_down() -> None:
    world = market()
    offer(world, 3, 1)
    offer(world, 1, 4)
    offer(world, 1, 2)
    accept(world, 2, 1)
    late = world.waiting.pop()
    act(world, 2, RULE, outcome="other_forfeits")
    world.tick(START)
    world.act("L1", Act(late[0].kind, START, None, late[0].key, late[0].data))
    assert stage(world, 1) == "withdrawn"
    assert [states_of(world)[k].offers for k in ("L1", "L4")] == [(), ()]
    assert states_of(world)["L3"].sent == ()


def test_who_cannot_pay_the_deposit_makes_no_deal() -> None:
    world = market(RULES.model_copy(update={"deposit": HAS + 1}))
    offer(world, 1, 2)
    assert code(accept(world, 2, 1)) in ("too_poor", "other_poor")
    assert has(world, 1, 2) == [HAS, HAS]
    assert stage(world, 2) == "open"
    assert "listing:L1:live" not in {s for s, n in world.slots.items() if n}


def test_a_deal_that_is_not_confirmed_in_time_goes_to_the_operator() -> None:
    world = market()
    offer(world, 1, 2)
    accept(world, 2, 1)
    world.tick(START + 7 * DAY)
    deal = states_of(world)["L2"].deal
    assert deal
    assert deal.disputed
    assert has(world, 1, 2) == [180, 180]  # held until it is decided
    assert isinstance(act(world, 2, RULE, outcome="undone"), Done)
    world.tick(START)
    assert has(world, 1, 2) == [200, 200]
    assert (stage(world, 1), stage(world, 2)) == ("open", "open")
    offer(world, 1, 2)
    assert isinstance(accept(world, 2, 1), Done)


def test_who_does_not_keep_a_deal_loses_the_deposit_to_the_other() -> None:
    world = market()
    offer(world, 1, 2, top_up=-30)  # L2's owner adds 30
    accept(world, 2, 1)
    assert has(world, 1, 2) == [180, 150]
    act(world, 2, RULE, outcome="other_forfeits")
    world.tick(START)
    assert has(world, 1, 2) == [180, 220]
    assert (stage(world, 1), stage(world, 2)) == ("withdrawn", "open")


def test_news_of_a_deal_that_come_after_its_end_do_not_bind_the_listing() -> None:
    world = market()
    offer(world, 1, 2)
    accept(world, 2, 1)
    late = world.waiting.pop()
    assert late[0].kind == "dealt"
    act(world, 2, RULE, outcome="undone")
    world.tick(START)
    then: Then = late[0]
    world.act(then.play, Act(then.kind, START, None, then.key, then.data))
    assert stage(world, 1) == "open"
    assert states_of(world)["L1"].over == ()


def test_nobody_offers_what_is_not_theirs_or_acts_for_another() -> None:
    world = market()
    assert code(act(world, 1, OFFER, 3, to="L2")) == "not_yours"
    offer(world, 1, 2)
    assert code(world.act("L2", Act(ACCEPT, START, 3, "", {"from": "L1"}))) == "not_yours"
    accept(world, 2, 1)
    assert code(act(world, 2, CONFIRM, 3)) == "not_yours"
    assert code(act(world, 2, DISPUTE, 3)) == "not_yours"
    assert code(act(world, 3, CONFIRM, 3)) == "no_deal"


def test_offers_have_their_limits() -> None:
    world = market()
    assert code(act(world, 1, OFFER, to="L2", top_up=51)) == "wrong_offer"
    assert code(act(world, 1, OFFER, to="L1")) == "wrong_offer"
    assert code(act(world, 1, OPEN)) == "begun"
    for number in range(5):
        world.act(f"x{number}", Act(OPEN, START, 1, "", BOOK))
    assert code(world.act("y", Act(OPEN, START, 1, "", BOOK))) == "limit"
    assert code(
        world.act("y", Act(OPEN, START, 5, "", {"title": " ", "category": "books"}))
    ) == ("wrong_listing")
    world.act("x0", Act(OFFER, START, 1, "", {"to": "L1"}))
    world.tick(START)
    assert states_of(world)["L1"].offers == ()  # both are mine


def test_a_listing_ends_by_its_time_and_takes_its_offers_along() -> None:
    world = market()
    offer(world, 1, 2)
    world.tick(START + 14 * DAY)
    world.tick(START + 14 * DAY)
    assert {stage(world, n) for n in (1, 2, 3, 4)} == {"expired"}
    assert code(accept(world, 2, 1)) == "not_open"
    assert world.slots["owner:1"] == 0


def test_whatever_is_decided_as_much_comes_out_as_went_in() -> None:
    world = market()
    offer(world, 1, 2, top_up=30)
    accept(world, 2, 1)
    state = states_of(world)["L2"]
    for outcome in get_args(Outcome):
        out = returns(state, outcome, RULES)
        assert sum(out.values()) == sum(stakes(state, RULES).values()) == 70
        assert all(amount >= 0 for amount in out.values())


def test_rules_that_make_no_sense_are_found_before_publishing() -> None:
    assert lint(RULES) == []
    wrong = Rules(categories=("a", "a"), unit="cent", listing_days=1)
    assert [f.code for f in lint(wrong)] == [
        "same_category", "no_deposit", "money_between_members", "long_deal",
    ]  # fmt: skip


def test_a_page_shows_offers_to_the_owner_and_a_deal_to_its_parties() -> None:
    world = market()
    offer(world, 1, 2)
    state = states_of(world)["L2"]
    assert len(MECHANIC.shown(state, RULES, 2)["offers"]) == 1
    assert "offers" not in MECHANIC.shown(state, RULES, 1)
    accept(world, 2, 1)
    state = states_of(world)["L2"]
    assert MECHANIC.shown(state, RULES, 1)["deal"]["offer"]["listing"] == "L1"
    assert "deal" not in MECHANIC.shown(state, RULES, 3)
