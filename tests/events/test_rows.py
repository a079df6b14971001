"""Many rows in one statement: what `bulk_create` would have written, with the same keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.events.models import Event
from qunluo.events.rows import do_insert, do_replace, new_row
from qunluo.kit import clock
from qunluo.ledger.actions import do_open
from qunluo.ledger.models import Account, Hold

pytestmark = pytest.mark.django_db(transaction=True)

words = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=40
)
numbers = st.integers(-(2**63), 2**63 - 1)
plain = st.none() | st.booleans() | numbers | words
data = st.dictionaries(words, plain | st.lists(plain, max_size=3) | st.dictionaries(
    words, plain, max_size=2), max_size=4)  # fmt: skip
moments = st.datetimes(
    datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)
) | st.builds(
    lambda n: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=n), st.integers(0, 9)
)
events = st.builds(
    dict, community_id=numbers, kind=words, at=moments, member_id=st.none() | numbers,
    group_id=st.none() | numbers, actor=words, data=data,
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(events, min_size=1, max_size=5))
def test_they_are_what_the_orm_would_have_written(given_rows: list[dict[str, Any]]) -> None:
    Event.objects.all().delete()
    made = do_insert(Event(**one) for one in given_rows)
    Event.objects.bulk_create(Event(**one) for one in given_rows)
    rows = list(Event.objects.order_by("pk"))
    ours, theirs = rows[: len(given_rows)], rows[len(given_rows) :]
    assert [row.pk for row in made] == [row.pk for row in ours]
    names = ("community_id", "kind", "at", "member_id", "group_id", "actor", "data", "cause")
    for one, other in zip(ours, theirs, strict=True):
        assert [getattr(one, n) for n in names] == [getattr(other, n) for n in names]
    for name in {key for one in given_rows for key in one["data"]}:
        # what is looked for inside is found in the same ones
        with_it = set(Event.objects.filter(data__has_key=name).values_list("pk", flat=True))
        for one, other in zip(ours, theirs, strict=True):
            assert (one.pk in with_it) == (other.pk in with_it)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(words, max_size=6), st.lists(words, max_size=6))
def test_values_in_one_parameter_find_what_many_find(
    there: list[str], wanted: list[str]
) -> None:
    Event.objects.all().delete()
    do_insert(_event(kind) for kind in there)
    rows = Event.objects.order_by("pk").values_list("kind", flat=True)
    assert list(rows.filter(kind__among=wanted)) == list(rows.filter(kind__in=wanted))
    assert list(rows.filter(kind__among=set(wanted))) == [k for k in there if k in wanted]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(numbers, max_size=6), st.lists(numbers, max_size=6))
def test_numbers_too(there: list[int], wanted: list[int]) -> None:
    Event.objects.all().delete()
    do_insert(_event("seen", member_id=number) for number in there)
    found = Event.objects.filter(member_id__among=wanted).order_by("pk")
    assert [event.member_id for event in found] == [n for n in there if n in wanted]


def _event(kind: str, **more: Any) -> Event:
    return new_row(Event, community_id=1, kind=kind, at=clock.now(), actor="system", **more)


def test_a_new_row_is_what_the_model_makes() -> None:
    now = clock.now()
    told = {"account_id": 1, "amount": 2, "cause": "c", "at": now, "by": "me"}
    ours, theirs = new_row(Hold, **told), Hold(**told)
    assert ours._state.adding
    for field in Hold._meta.concrete_fields:
        assert getattr(ours, field.attname) == getattr(theirs, field.attname)


def test_what_is_made_for_a_row_is_its_own() -> None:
    one, other = _event("a"), _event("b")
    one.data["x"] = 1
    assert other.data == {}
    assert new_row(Event, data={"y": 2}).data == {"y": 2}


def test_a_column_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="Hold"):
        new_row(Hold, amount=1, acount=2)
    with pytest.raises(TypeError, match="account"):
        new_row(Hold, account=Account())


def test_nothing_is_nothing() -> None:
    assert do_insert([]) == []
    do_replace([], unique=["name"], fields=["position"])


def test_what_is_written_is_known_and_can_be_changed() -> None:
    (event,) = do_insert([Event(community_id=1, kind="seen", at=clock.now(), actor="system")])
    event.kind = "done"
    event.save()
    assert Event.objects.get().kind == "done"
    assert Event.objects.get().transaction >= 0  # the database's own default


def test_one_that_is_there_ends_all_of_them_unless_it_is_to_be_left() -> None:
    def rows(*causes: str) -> list[Event]:
        return [
            Event(community_id=1, kind="seen", at=clock.now(), actor="system", cause=cause)
            for cause in causes
        ]

    do_insert(rows("a"))
    with pytest.raises(IntegrityError), transaction.atomic():
        do_insert(rows("b", "a"))
    assert Event.objects.count() == 1
    do_insert(rows("c", "a", "d"), ignore=True)
    assert set(Event.objects.values_list("cause", flat=True)) == {"a", "c", "d"}


def test_what_the_database_refuses_is_refused() -> None:
    account = do_open(1, "outside", "x", "CNY", floor=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        do_insert([Hold(account=account, amount=0, cause="x", at=clock.now(), by="me")])
    with pytest.raises(IntegrityError):
        do_insert(
            [Hold(account_id=account.pk + 9, amount=1, cause="x", at=clock.now(), by="me")]
        )
    assert not Hold.objects.exists()


def test_rows_are_changed_or_added_by_their_unique_fields() -> None:
    def account(owner: str, balance: int) -> Account:
        return Account(
            community_id=1, kind="k", owner=owner, unit="u", balance=balance, floor=None
        )

    unique = ["community_id", "kind", "owner", "unit"]
    do_insert([account("a", 1)])
    do_replace([account("a", 2), account("b", 3)], unique=unique, fields=["balance"])
    assert dict(Account.objects.values_list("owner", "balance")) == {"a": 2, "b": 3}
