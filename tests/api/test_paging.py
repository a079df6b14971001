"""A list is read to its end, each row once, whatever is added meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.api.errors import WrongCursorError
from qunluo.api.paging import make_cursor, read_cursor
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.models import Event
from tests.api.calling import Program
from tests.cast import make_member

pytestmark = pytest.mark.django_db


def test_each_row_comes_once_while_others_are_added(tea: Community, program: Program) -> None:
    there = [make_member(tea, f"M{n}").pk for n in range(7)]
    seen: list[int] = []
    cursor = ""
    while True:
        page = program.get(f"members?limit=2&cursor={cursor}")
        seen += [m["id"] for m in page["items"]]
        make_member(tea, "later")
        if page["next"] is None:
            break
        cursor = page["next"]
    assert seen == there[::-1]


@pytest.mark.django_db(transaction=True)  # what is told is committed
def test_the_record_goes_on_from_where_it_was(tea: Community, program: Program) -> None:
    first = record("member_met", community=tea.pk)
    record("member_left", community=tea.pk)
    second = record("member_met", community=tea.pk)
    page = program.get("events?kinds=member_met&limit=1")
    assert [e["id"] for e in page["items"]] == [first.pk]
    rest = program.get(f"events?kinds=member_met&limit=1&cursor={page['next']}")
    assert [e["id"] for e in rest["items"]] == [second.pk]
    assert rest["next"] is None


@pytest.mark.django_db(transaction=True)
def test_an_event_that_comes_to_light_late_is_read_by_who_goes_on(
    tea: Community, program: Program
) -> None:
    """Its id was drawn first, by a longer transaction."""
    late = record("member_met", community=tea.pk)
    there = [record("member_met", community=tea.pk) for _ in range(3)]
    Event.objects.filter(pk=late.pk).delete()
    Event.objects.filter(pk__in=[e.pk for e in there]).update(transaction=1)
    page = program.get("events?kinds=member_met&limit=2")
    late.transaction = 2
    Event.objects.bulk_create([late])
    rest = program.get(f"events?kinds=member_met&limit=5&cursor={page['next']}")
    assert [e["id"] for e in rest["items"]] == [there[2].pk, late.pk]


def test_a_cursor_fits_its_own_list_only(tea: Community, program: Program) -> None:
    for _ in range(3):
        make_member(tea)
    cursor = program.get("members?limit=1")["next"]
    assert program.refused("GET", f"groups?cursor={cursor}") == (422, "wrong_cursor")
    assert program.refused("GET", "members?cursor=forged") == (422, "wrong_cursor")


@given(st.integers(1, 2**63 - 1), st.text(max_size=20))
def test_a_cursor_is_read_as_it_was_made(pk: int, of: str) -> None:
    assert read_cursor(make_cursor(pk, of), of) == pk


@given(st.text(max_size=80))
def test_any_other_words_are_no_cursor(words: str) -> None:
    with pytest.raises(WrongCursorError):
        read_cursor(words, "members")
