"""The record is followed exactly once, whoever dies when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.db import transaction

from qunluo.community.models import Community
from qunluo.events.actions import follow, is_behind, record
from qunluo.events.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_cause_is_one_event(tea: Community) -> None:
    first = record("member_joined", community=tea.pk, cause="join:1")
    assert record("member_joined", community=tea.pk, cause="join:1") == first


def test_followers_see_each_event_once_and_in_order(tea: Community) -> None:
    for n in range(5):
        record("message_posted", community=tea.pk, data={"n": n})
    seen: list[object] = []

    def keep(events: Sequence[Event]) -> None:
        seen.extend(e.data["n"] for e in events)

    assert [follow("reader", keep, kinds=["message_posted"], limit=2) for _ in range(4)] == [
        2, 2, 1, 0,
    ]  # fmt: skip
    assert seen == [0, 1, 2, 3, 4]


def test_a_follower_that_breaks_stays_where_it_was(tea: Community) -> None:
    record("message_posted", community=tea.pk)

    def write_and_break(events: Sequence[Event]) -> None:
        record("seen", community=tea.pk)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        follow("reader", write_and_break, kinds=["message_posted"])
    assert not Event.objects.filter(kind="seen").exists()
    found: list[Event] = []
    assert follow("reader", found.extend, kinds=["message_posted"]) == 1


def test_an_event_of_a_running_transaction_is_not_passed_by(tea: Community) -> None:
    found: list[Event] = []
    with transaction.atomic():
        record("message_posted", community=tea.pk)
    assert follow("reader", found.extend, kinds=["message_posted"]) == 1


def test_a_lower_id_that_comes_to_light_later_is_not_lost(tea: Community) -> None:
    """A longer transaction drew its id first and is seen last."""
    Event.objects.all().delete()
    late = record("message_posted", community=tea.pk, data={"whose": "the longer one"})
    soon = record("message_posted", community=tea.pk, data={"whose": "the shorter one"})
    Event.objects.filter(pk=late.pk).delete()  # nobody sees it yet
    Event.objects.filter(pk=soon.pk).update(transaction=1)
    seen: list[str] = []

    def keep(events: Sequence[Event]) -> None:
        seen.extend(event.data["whose"] for event in events)

    assert follow("reader", keep) == 1
    assert not is_behind("reader")
    late.transaction = 2
    Event.objects.bulk_create([late])
    assert is_behind("reader")
    assert follow("reader", keep) == 1
    assert seen == ["the shorter one", "the longer one"]
