"""An account that a caller keeps in hand says what is there, whatever was done with it."""

from __future__ import annotations

import pytest

from qunluo.ledger.actions import Leg, do_hold, do_open, do_open_outside, do_transfer

pytestmark = pytest.mark.django_db


def test_an_account_in_hand_is_promised_and_moved_again_and_again() -> None:
    mine = do_open(7, "member", 1, "points")
    legs = [Leg(mine, 30), Leg(do_open_outside(7, "given", "points"), -30)]
    do_transfer(7, cause="given", legs=legs, by="staff:1")
    for cause in "ab":
        do_hold(mine, 5, cause=cause, by="staff:1")
    assert (mine.balance, mine.held) == (30, 10)
    do_hold(mine, 5, cause="c", by="staff:1")
    spent = [Leg(mine, -4), Leg(do_open_outside(7, "spent", "points"), 4)]
    do_transfer(7, cause="spent", legs=spent, by="staff:1")
    assert (mine.balance, mine.held, mine.available) == (26, 15, 11)
