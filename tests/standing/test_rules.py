"""Each row of the table of standings, and what holds of all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.standing.facts import KINDS, Facts, Touched, has_stayed
from qunluo.standing.rules import By, Last, Verdict, find_exchanges, judge
from qunluo.standing.thresholds import (
    USUAL,
    Thresholds,
    WrongThresholdError,
    check_thresholds,
    read_thresholds,
    store_thresholds,
)

TODAY = date(2026, 3, 2)
DAY = TODAY.toordinal()


def facts(**ago: int | list[int]) -> Facts:
    """Facts by how many days ago something happened; `made` is when they became known."""
    made = ago.pop("made", 400)
    assert isinstance(made, int)
    found = Facts(DAY - made)
    for kind, days in ago.items():
        for back in [days] if isinstance(days, int) else days:
            found.add(kind, DAY - back, amount=1000 * (kind in ("paid", "refunded")))
    return found


def stand(found: Facts, last: Last = Last(), **more: object) -> Verdict:  # noqa: B008 - frozen
    return judge(found, USUAL, TODAY, last, borders={}, **more)  # type: ignore[arg-type]


def lifecycle(found: Facts, circle: str = "periphery") -> str:
    return str(stand(found, Last(circle)).values["lifecycle"])


# lifecycle and phase


@pytest.mark.parametrize(("days", "expected"), [(0, "new"), (14, "new"), (15, "growing")])
def test_new_is_who_joined_in_the_last_14_days_without_an_order(
    days: int, expected: str
) -> None:
    assert lifecycle(facts(joined=days, said=0)) == expected


def test_who_joined_yesterday_and_bought_is_no_longer_new() -> None:
    assert lifecycle(facts(joined=1, paid=0)) == "growing"


def test_growing_is_who_is_active_with_fewer_than_two_orders() -> None:
    assert lifecycle(facts(joined=100, said=13)) == "growing"
    assert lifecycle(facts(joined=100, said=13, paid=50)) == "growing"


def test_mature_is_who_is_active_with_two_orders() -> None:
    assert lifecycle(facts(joined=100, said=29, paid=[60, 50])) == "mature"


@pytest.mark.parametrize("circle", ["core", "influence"])
def test_mature_is_also_one_order_in_the_inner_circles(circle: str) -> None:
    assert lifecycle(facts(joined=100, said=20, paid=50), circle) == "mature"
    assert lifecycle(facts(joined=100, said=20, paid=50)) == "growing"


def test_a_refunded_order_makes_nobody_mature() -> None:
    assert lifecycle(facts(joined=100, said=5, paid=[60, 50], refunded=4)) == "growing"


@pytest.mark.parametrize(("idle", "expected"), [(29, "growing"), (30, "silent"), (89, "silent"),
                                                (90, "lost")])  # fmt: skip
def test_silent_is_30_days_without_activity_and_lost_90(idle: int, expected: str) -> None:
    assert lifecycle(facts(joined=300, said=idle)) == expected


def test_between_active_and_silent_nobody_moves_down() -> None:
    for idle in range(14, 30):
        assert lifecycle(facts(joined=300, said=idle)) == "growing"
        assert lifecycle(facts(joined=300, said=idle, paid=[80, 70])) == "mature"


def test_lost_is_who_left_every_group() -> None:
    assert lifecycle(facts(joined=[20, 20], left=[3, 2], said=5)) == "lost"
    assert lifecycle(facts(joined=[20, 20], left=3, said=5)) != "lost"
    assert lifecycle(facts(joined=20, removed=3, restored=1)) != "lost"


def test_a_buyer_in_no_group_is_not_lost_for_that() -> None:
    assert lifecycle(facts(paid=[20, 3])) == "mature"


@pytest.mark.parametrize(("found", "phase"), [
    (facts(joined=1), "ripen"), (facts(joined=50, said=1), "ripen"),
    (facts(joined=50, said=1, paid=[9, 8]), "extend"), (facts(joined=50, said=40), "win_back"),
    (facts(joined=500, said=140), "win_back"),
])  # fmt: skip
def test_the_phase_follows_the_lifecycle(found: Facts, phase: str) -> None:
    assert stand(found).values["phase"] == phase


# the trust ladder


def trust(found: Facts) -> int:
    return int(stand(found).values["trust"])


def test_unaware_is_who_is_known_from_a_page_only() -> None:
    assert trust(facts()) == 0


@pytest.mark.parametrize("kind", ["joined", "contacted"])
def test_curious_is_who_joined_or_left_contact_data(kind: str) -> None:
    assert trust(facts(**{kind: 3})) == 1


@pytest.mark.parametrize("kind", ["nicknamed", "greeted"])
def test_acquainted_is_who_answered_the_welcome_or_set_the_nickname(kind: str) -> None:
    assert trust(facts(joined=30, **{kind: 3})) == 2


def test_words_right_after_joining_answer_the_welcome() -> None:
    assert trust(facts(joined=30, said=29)) == 2
    assert trust(facts(joined=30, said=28)) == 1


def test_informed_is_three_items_read_watched_or_attended() -> None:
    assert trust(facts(joined=30, read=3, watched=2)) == 1
    assert trust(facts(joined=30, read=3, watched=2, attended=1)) == 3


def exchange(partner: int, ago: int, n: int = 1, back: int | None = None) -> list[Touched]:
    return [Touched(DAY - ago, partner, True, "reply", n),
            Touched(DAY - ago, partner, False, "mention", n if back is None else back)]  # fmt: skip


def test_familiar_is_three_two_way_exchanges_in_30_days() -> None:
    found = facts(joined=300)
    found.contacts = [*exchange(0, 40), *exchange(7, 30), *exchange(8, 11)]
    assert trust(found) == 4
    found.contacts = [*exchange(0, 41), *exchange(7, 30), *exchange(8, 11)]
    assert trust(found) == 1


def test_an_exchange_needs_both_ways_with_the_same_partner() -> None:
    assert find_exchanges(exchange(5, 3, n=9, back=2), 3, 30) is None
    assert find_exchanges([*exchange(5, 3, n=9, back=2), *exchange(6, 1)], 3, 30) == DAY - 1
    emoji = [Touched(DAY, 5, side, "reaction", 9) for side in (True, False)]
    assert find_exchanges(emoji, 1, 30) is None


def test_customer_is_who_paid_an_order_that_was_not_refunded() -> None:
    assert trust(facts(joined=30, paid=3)) == 5
    assert trust(facts(joined=30, paid=3, refunded=3)) == 1


def test_a_refund_is_a_flag_and_no_lower_rung() -> None:
    found = stand(facts(joined=30, paid=9, refunded=3))
    assert found.values["trust"] == 5
    assert found.values["flags"] == ["refunded"]


def test_advocate_is_who_brought_somebody_that_stayed_or_gave_a_testimony() -> None:
    found = facts(joined=30)
    found.stayed = (DAY - 3,)
    assert trust(found) == 6
    assert trust(facts(joined=30, testified=2)) == 6


def test_leaving_is_a_flag_and_no_lower_rung() -> None:
    found = stand(facts(joined=[50, 50], nicknamed=40, left=3, paid=20))
    assert found.values["trust"] == 5
    assert found.values["flags"] == ["left"]


@pytest.mark.parametrize(("moves", "stayed"), [
    ({"joined": 8}, True), ({"joined": 7}, True), ({"joined": 6}, False),
    ({"joined": 20, "left": 14}, False), ({"joined": 20, "left": 12}, True),
    ({"joined": [20, 18], "left": 15}, True), ({"joined": [20, 15], "left": 17}, False),
])  # fmt: skip
def test_who_was_brought_stayed_if_never_out_of_all_groups(
    moves: dict[str, int | list[int]], stayed: bool
) -> None:
    assert (has_stayed(facts(**moves), 7, DAY) is not None) == stayed


# worth


def test_intimacy_counts_what_was_watched_bought_said_and_checked_in() -> None:
    one = stand(facts(joined=9, watched=3, paid=2, said=1, checked_in=1)).values
    assert one["intimacy"] == 2 + 20 + 1 + 3
    assert one["level"] == 1


def test_a_flood_of_words_brings_no_more_than_a_days_points() -> None:
    found = facts(joined=9)
    found.add("said", DAY, n=5000)
    assert stand(found).values["intimacy"] == USUAL.said_a_day


def test_each_core_value_grows_with_its_own_evidence() -> None:
    none = stand(facts(joined=9)).values
    assert [none[n] for n in ("product", "bringing", "content", "revenue")] == [0, 0, 0, 0]
    assert stand(facts(wish_adopted=[3, 2])).values["product"] == 50
    brought = facts()
    brought.brought, brought.stayed = 2, (DAY - 1, DAY - 2)
    assert stand(brought).values["bringing"] == 50
    assert stand(facts(said=3, reacted_to=list(range(40)))).values["content"] == 50
    money = facts()
    money.add("paid", DAY, amount=USUAL.half_revenue_minor)
    assert stand(money).values["revenue"] == 50


def test_the_risk_to_go_grows_while_a_lively_member_stays_away() -> None:
    risks = [int(stand(facts(joined=99, said=list(range(idle, 60)))).values["churn"])
             for idle in range(0, 29)]  # fmt: skip
    assert risks == sorted(risks)
    assert risks[0] == 0
    assert risks[-1] >= 60


# circle and RFM


def test_rfm_classes_lie_between_the_borders_and_need_an_order() -> None:
    borders = {"recency": [3, 10, 30, 90], "frequency": [1, 1, 2, 4], "monetary": [1, 2, 3, 4]}
    found = judge(facts(joined=9, paid=[4, 2]), USUAL, TODAY, Last(), borders=borders).values
    assert (found["recency"], found["frequency"], found["monetary"]) == (5, 3, 5)
    none = judge(facts(joined=9), USUAL, TODAY, Last(), borders=borders).values
    assert none["recency"] == none["frequency"] == none["monetary"] == 0


# by hand


def test_what_a_person_set_wins_and_says_what_the_evidence_was() -> None:
    found = stand(
        facts(joined=300, said=40), by_hand={"lifecycle": By("mature", "VIP", "Alice")}
    )
    assert found.values["lifecycle"] == "mature"
    assert found.values["phase"] == "extend"
    assert "Alice" in found.why["lifecycle"].en
    assert "No activity for 40 days" in found.why["lifecycle"].en


# of all members

KIND = st.sampled_from(KINDS)
MOVES = st.lists(st.tuples(KIND, st.integers(0, 200), st.integers(1, 3)), max_size=30)
CONTACTS = st.lists(
    st.builds(Touched, st.integers(DAY - 60, DAY), st.integers(0, 3), st.booleans(),
              st.sampled_from(["reply", "mention", "reaction"]), st.integers(1, 3)), max_size=20
)  # fmt: skip


def built(moves: list[tuple[str, int, int]], contacts: list[Touched]) -> Facts:
    found = Facts(DAY - 200)
    for kind, ago, n in moves:
        found.add(kind, DAY - ago, n, amount=500 * (kind in ("paid", "refunded")))
    found.contacts = list(contacts)
    return found


@given(MOVES, CONTACTS, st.integers(0, 99))
def test_the_order_in_which_facts_come_makes_no_difference(
    moves: list[tuple[str, int, int]], contacts: list[Touched], seed: int
) -> None:
    one = stand(built(moves, contacts))
    Random(seed).shuffle(moves)
    Random(seed).shuffle(contacts)
    other = stand(built(moves, contacts))
    assert (one.values, one.why) == (other.values, other.why)


@given(MOVES, CONTACTS)
def test_every_value_is_one_of_its_own_and_has_a_reason(
    moves: list[tuple[str, int, int]], contacts: list[Touched]
) -> None:
    found = stand(built(moves, contacts))
    assert found.values["lifecycle"] in ("new", "growing", "mature", "silent", "lost")
    assert 0 <= found.values["trust"] <= 6
    for name in ("product", "bringing", "content", "revenue", "churn"):
        assert 0 <= found.values[name] <= 100
    assert set(found.why) == {
        "lifecycle", "phase", "trust", "circle", "rfm", "level", "product", "bringing",
        "content", "revenue", "churn", "flags",
    }  # fmt: skip
    for text in found.why.values():
        assert text.en
        assert text.zh


@given(MOVES, CONTACTS, st.integers(1, 60))
def test_trust_never_falls_as_days_pass(
    moves: list[tuple[str, int, int]], contacts: list[Touched], days: int
) -> None:
    found = built(moves, contacts)
    later = judge(found, USUAL, TODAY + timedelta(days=days), Last(), borders={})
    assert later.values["trust"] >= stand(found).values["trust"]


@given(MOVES, CONTACTS, st.tuples(KIND, st.integers(1, 3)))
def test_trust_never_falls_by_what_happens_today(
    moves: list[tuple[str, int, int]], contacts: list[Touched], more: tuple[str, int]
) -> None:
    """What happened on earlier days stands, whatever comes today: also a refund, or leaving."""
    earlier = [(kind, ago + 1, n) for kind, ago, n in moves]
    before = stand(built(earlier, contacts)).values["trust"]
    after = stand(built([*earlier, (more[0], 0, more[1])], contacts)).values["trust"]
    assert after >= before


# thresholds


def test_a_community_stores_only_what_differs() -> None:
    assert store_thresholds(USUAL) == {}
    mine = replace(USUAL, silent_days=45, levels=USUAL.levels[:2])
    assert read_thresholds(store_thresholds(mine)) == mine
    assert set(store_thresholds(mine)) == {"silent_days", "levels"}


@pytest.mark.parametrize("wrong", [
    {"core_share": 0.06}, {"lost_days": 30}, {"silent_days": 20}, {"points_said": -1},
    {"familiar_days": 0},
])  # fmt: skip
def test_borders_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(WrongThresholdError):
        check_thresholds(replace(USUAL, **wrong))  # type: ignore[arg-type]


def test_a_community_may_wait_longer_for_silence() -> None:
    patient = Thresholds(silent_days=45, lost_days=120)
    found = judge(facts(joined=300, said=40), patient, TODAY, Last(), borders={})
    assert found.values["lifecycle"] == "growing"
