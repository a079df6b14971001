"""Gifts with orders: the ladder, the cheapest free, and what a refund does to them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from qunluo.campaigns.mechanics.gift import (
    FREE,
    MECHANIC,
    Line,
    Rules,
    State,
    Tier,
    best,
    lint,
    missing_minor,
    settle,
    stocks,
    supplies,
    total,
)
from qunluo.campaigns.mechanics.kernel import (
    CANCELLED,
    OPEN,
    PAID,
    REFUNDED,
    Act,
    Done,
    Refused,
    pool,
)
from qunluo.campaigns.mechanics.world import World
from tests.campaigns.schedules import START, Schedule

CUP = Tier(threshold_minor=10000, gift="cup", worth_minor=1500, stock=2)
BAG = Tier(threshold_minor=20000, gift="bag", worth_minor=4000, stock=1)
LADDER = Rules(tiers=(CUP, BAG), per_member=9)
THREE_FOR_TWO = Rules(buy=2, free=1, times=2, free_stock=10, per_member=9)

ladders = st.builds(
    lambda low, gap, stock, share, per: Rules(
        tiers=(
            Tier(threshold_minor=low, gift="cup", worth_minor=low // 4, stock=stock),
            Tier(threshold_minor=low + gap, gift="cup" if share else "bag", quantity=2,
                 worth_minor=low // 2, stock=stock),
        ), per_member=per,
    ),
    st.integers(50, 400), st.integers(1, 300), st.integers(1, 5), st.booleans(), st.integers(1, 3),
)  # fmt: skip
pieces = st.builds(
    lambda buy, free, times, stock, per: Rules(
        buy=buy, free=free, times=times, free_stock=stock, per_member=per
    ),
    st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.integers(1, 9), st.integers(1, 3),
)  # fmt: skip
baskets = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 300)), min_size=1, max_size=3
).map(
    lambda found: [
        {"sku": f"s{n}", "quantity": q, "amount_minor": q * minor}
        for n, (q, minor) in enumerate(found)
    ]
)


class Gifts(Schedule):
    mechanic = MECHANIC
    rules_of = st.one_of(ladders, pieces)
    opening = st.fixed_dictionaries({"ref": st.from_regex(r"\A[1-9][0-9]\Z"), "lines": baskets})

    @precondition(lambda self: self.world.plays)
    @rule(data=st.data(), kind=st.sampled_from([PAID, CANCELLED]))
    def paid_or_not(self, data: st.DataObject, kind: str) -> None:
        play = data.draw(st.sampled_from(sorted(self.world.plays)))
        self.world.act(play, Act(kind, self.now, None, f"{kind}:{play}", {"ref": play[1:]}))

    @precondition(lambda self: self.world.plays)
    @rule(data=st.data(), back=st.booleans())
    def part_goes_back(self, data: st.DataObject, back: bool) -> None:
        play = data.draw(st.sampled_from(sorted(self.world.plays)))
        state = self.world.plays[play].state
        assert isinstance(state, State)
        left = []
        for line in state.lines:
            stays = data.draw(st.integers(0, line.quantity))
            if stays:
                amount = line.amount_minor * stays // line.quantity
                left.append({**line.model_dump(), "quantity": stays, "amount_minor": amount})
        self.act(play, REFUNDED, None, {"lines": left, "gift_back": back})

    @invariant()
    def gifts_are_conserved(self) -> None:
        if not hasattr(self, "world"):
            return
        assert isinstance(self.rules, Rules)
        given = Counter[str]()
        orders = Counter[str]()
        for play in self.world.plays.values():
            state = play.state
            assert isinstance(state, State)
            if state.stage not in ("returned", "cancelled"):
                given[state.gift] += state.quantity
                orders[f"member:{state.member}"] += 1
        for gift, stock in stocks(self.rules).items():
            left = self.world.balance(f"gift:{gift}", pool(gift))
            assert left >= 0
            assert left + given[gift] == stock
        assert all(self.world.slots[slot] == n for slot, n in orders.items())
        assert all(n <= self.rules.per_member for n in orders.values())


TestGifts = Gifts.TestCase
TestGifts.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def shop(rules: Rules = LADDER) -> World:
    world = World(MECHANIC, rules)
    for supply in supplies(rules):
        world.fund(supply.unit, supply.place, supply.amount)
    return world


def line(sku: str, quantity: int, minor: int, *, gift: bool = False) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity, "amount_minor": minor, "gift": gift}


def order(world: World, ref: str, *lines: dict[str, Any], member: int = 1) -> Any:
    return world.act(f"o{ref}", Act(OPEN, START, member, "", {"ref": ref, "lines": lines}))


def told(world: World, ref: str, kind: str, **data: Any) -> Any:
    return world.act(f"o{ref}", Act(kind, START, None, "", {"ref": ref, **data}))


def left(world: World, gift: str) -> int:
    return world.balance(f"gift:{gift}", pool(gift))


def code(answer: Any) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


def test_only_the_best_step_reached_counts() -> None:
    world = shop()
    assert order(world, "a", line("tea", 3, 25000)).answer["gift"] == "bag"
    assert left(world, "cup") == 2


def test_when_the_best_gift_is_gone_the_next_one_comes() -> None:
    world = shop()
    gifts = [order(world, ref, line("tea", 3, 25000)).answer["gift"] for ref in "abc"]
    assert gifts == ["bag", "cup", "cup"]
    assert code(order(world, "d", line("tea", 3, 25000))) == "sold_out"


def test_a_gift_counts_for_no_threshold_and_takes_no_voucher() -> None:
    world = shop()
    gift = line("cup", 1, 1500, gift=True)
    assert code(order(world, "a", line("tea", 1, 9000), gift)) == "below"
    answer = order(world, "b", line("tea", 1, 10000), gift).answer
    assert (answer["price_minor"], answer["voucher"]) == (0, False)
    assert missing_minor((Line(**line("tea", 1, 9000)), Line(**gift)), LADDER) == 1000


def test_restock_is_not_guarded_by_stock_the_last_gift_comes_back_to_an_empty_pool() -> None:
    world = shop()
    order(world, "a", line("tea", 1, 20000))
    assert left(world, "bag") == 0
    told(world, "a", CANCELLED)
    assert left(world, "bag") == 1
    assert code(told(world, "a", PAID)) == "closed"


def test_a_gift_that_is_kept_is_charged_on_refund() -> None:
    world = shop()
    order(world, "a", line("tea", 2, 24000))
    told(world, "a", PAID)
    part = told(world, "a", REFUNDED, lines=[line("tea", 1, 12000)])
    assert part.answer == {"charge_minor": 4000 - 1500, "refund_minor": 12000 - 2500}
    rest = told(world, "a", REFUNDED, lines=[])
    assert rest.answer == {"charge_minor": 1500, "refund_minor": 12000 - 1500}
    assert world.balance("gift:bag", "member:1") == 1


def test_a_gift_that_comes_back_is_not_charged_and_can_be_given_again() -> None:
    world = shop()
    order(world, "a", line("tea", 2, 24000))
    told(world, "a", PAID)
    back = told(world, "a", REFUNDED, lines=[], gift_back=True)
    assert back.answer == {"charge_minor": 0, "refund_minor": 24000}
    assert left(world, "bag") == 1
    assert order(world, "b", line("tea", 2, 24000)).answer["gift"] == "bag"


def test_a_refund_after_which_the_gift_is_still_deserved_costs_nothing() -> None:
    world = shop()
    order(world, "a", line("tea", 2, 24000))
    told(world, "a", PAID)
    kept = told(world, "a", REFUNDED, lines=[line("tea", 1, 20000)], gift_back=False)
    assert kept.answer == {"charge_minor": 0, "refund_minor": 4000}
    assert world.plays["oa"].state.stage == "given"  # type: ignore[attr-defined]


def test_the_cheapest_piece_is_the_free_one() -> None:
    world = shop(THREE_FOR_TWO)
    answer = order(world, "a", line("cake", 2, 4000), line("tea", 1, 900)).answer
    assert (answer["free"], answer["off_minor"]) == (["tea"], 900)
    six = order(world, "b", line("cake", 4, 8000), line("tea", 3, 2700)).answer
    assert (six["free"], six["off_minor"]) == (["tea", "tea"], 1800)
    assert left(world, FREE) == 7


def test_a_gift_is_no_piece_that_makes_another_one_free() -> None:
    world = shop(THREE_FOR_TWO)
    gift = line("cup", 1, 0, gift=True)
    assert code(order(world, "a", line("cake", 2, 4000), gift)) == "below"


def test_sending_the_paid_pieces_back_does_not_leave_a_free_one() -> None:
    world = shop(THREE_FOR_TWO)
    order(world, "a", line("tea", 1, 900), line("cake", 2, 4000))
    told(world, "a", PAID)
    back = told(world, "a", REFUNDED, lines=[line("tea", 1, 900)])
    assert back.answer["refund_minor"] == 4000 - 900  # 4000 were paid, the tea is 900


def test_more_cannot_be_left_of_an_order_than_there_was() -> None:
    world = shop()
    order(world, "a", line("tea", 2, 24000))
    told(world, "a", PAID)
    assert code(told(world, "a", REFUNDED, lines=[line("tea", 3, 24000)])) == "unknown"
    assert code(told(world, "a", REFUNDED, lines=[line("cake", 1, 1)])) == "unknown"


def test_a_member_has_so_many_gifts_and_a_cancelled_one_does_not_count() -> None:
    world = shop(LADDER.model_copy(update={"per_member": 1}))
    order(world, "a", line("tea", 1, 10000))
    assert code(order(world, "b", line("tea", 1, 10000))) == "limit"
    told(world, "a", CANCELLED)
    assert isinstance(order(world, "b", line("tea", 1, 10000)), Done)


@given(rules=st.one_of(ladders, pieces), basket=baskets, data=st.data())
@settings(max_examples=150)
def test_in_how_many_parts_an_order_goes_back_the_member_never_gains(
    rules: Rules, basket: list[dict[str, Any]], data: st.DataObject
) -> None:
    lines = tuple(Line.model_validate(x) for x in basket)
    won = best(lines, rules, None)
    if not won.gift:
        return
    paid = total(lines) - (won.worth_minor if won.free else 0)
    state = State(member=1, ref="a", lines=lines, paid_minor=paid, gift=won.gift,
                  quantity=won.quantity, worth_minor=won.worth_minor, stage="given")  # fmt: skip
    world = World(MECHANIC, rules)
    for supply in supplies(rules):
        world.fund(supply.unit, supply.place, 1000)
    order(world, "a", *basket)
    told(world, "a", PAID)
    whole = settle(state, (), gift_back=False, rules=rules)[1]
    given_back = 0
    for _ in range(data.draw(st.integers(0, 3))):
        now = world.plays["oa"].state
        assert isinstance(now, State)
        stays = [x.model_dump() for x in now.lines if data.draw(st.booleans())]
        given_back += told(world, "a", REFUNDED, lines=stays).answer["refund_minor"]
    given_back += told(world, "a", REFUNDED, lines=[]).answer["refund_minor"]
    assert 0 <= given_back <= paid
    if not won.free:
        assert given_back >= whole == paid - won.worth_minor


def test_rules_that_make_no_sense_are_found_before_publishing() -> None:
    assert lint(LADDER) == []
    assert lint(THREE_FOR_TWO) == []
    assert next(f.code for f in lint(Rules())) == "ladder_or_pieces"
    upside_down = Rules(tiers=(CUP, BAG.model_copy(update={"worth_minor": 1})))
    assert [f.code for f in lint(upside_down)] == ["unreachable_better"]
    same = Rules(tiers=(CUP, CUP.model_copy(update={"worth_minor": 10000})))
    assert [f.code for f in lint(same)] == ["same_threshold", "dear_gift"]
    odd = Rules(buy=1, free=2)
    assert [f.code for f in lint(odd)] == ["more_free_than_paid", "no_free_stock"]
