"""One that breaks holds up no other, and rests longer each time it breaks again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from qunluo.community.models import Community
from qunluo.events.turns import Turns
from qunluo.members.models import Member
from tests.cast import make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def twelve(tea: Community) -> list[Member]:
    return [make_member(tea, f"Member {n:02}") for n in range(12)]


def test_a_window_full_of_broken_rows_lets_those_behind_it_through(
    twelve: list[Member], noon: datetime
) -> None:
    turns, came, broken = Turns(), list[str](), {one.pk for one in twelve[:5]}
    due = Member.objects.filter(name__startswith="Member").order_by("pk")

    def do(row: Member) -> bool:
        if row.pk in broken:
            raise ValueError(row.name)
        came.append(row.name)
        return True

    def go(after: float) -> int:
        waits = due.exclude(name__in=came)
        return turns.go(waits, do, at_once=5, at=noon + timedelta(seconds=after))

    for _ in range(2):  # the first is tried again at once: it may have been the moment
        with pytest.raises(ValueError, match="Member 00"):
            go(0)
    assert [go(0), go(0), go(0)] == [5, 2, 0]
    assert came == [one.name for one in twelve[5:]]
    with pytest.raises(ValueError, match="Member 00"):
        go(2)
    assert go(5) == 0  # twice as long
    broken.clear()
    assert go(6) == 5
    assert len(came) == 12


def test_others_are_through_when_the_first_error_is_told(
    twelve: list[Member], noon: datetime
) -> None:
    came = []

    def do(row: Member) -> bool:
        came.append(row.name)
        if row.name in ("Member 03", "Member 07"):
            raise ValueError(row.name)
        return True

    with pytest.raises(ValueError, match="Member 03"):
        Turns().go(Member.objects.order_by("pk"), do, at_once=100, at=noon)
    assert {one.name for one in twelve} <= set(came)
