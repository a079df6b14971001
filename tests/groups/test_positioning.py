"""Where a group stands in a month, and that it is never said where too little is known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.groups.models import Group, Membership, Positioning
from qunluo.groups.placing import count_month, do_place, list_places, month_before, step_places
from qunluo.groups.positioning import (
    FEWEST_MEMBERS,
    FEWEST_ORDERS,
    KINDS,
    LEAST_DAYS,
    Facts,
    judge_position,
)
from qunluo.kit import clock
from qunluo.members.models import Member
from tests.cast import make_group, make_member

pytestmark = pytest.mark.django_db
DEAR = 30_000
FEB = date(2026, 2, 1)
MARCH = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def month(**more: int | None) -> Facts:
    values: dict[str, int | None] = {
        "days": 28, "members": 100, "spoke": 20, "buyers": 12, "orders": 15, "amount_minor": 150_000,
    }  # fmt: skip
    return Facts(**(values | more))  # type: ignore[arg-type]


facts = st.builds(
    Facts, days=st.integers(0, 31), members=st.integers(0, 500), spoke=st.integers(0, 500),
    buyers=st.integers(0, 500), orders=st.integers(0, 900), amount_minor=st.integers(0, 10**9),
    joined_in=st.none() | st.integers(0, 500),
)  # fmt: skip


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (month(), "traffic"), (month(amount_minor=15 * DEAR), "vip"),
        (month(buyers=5), "benefits"), (month(buyers=5, amount_minor=15 * DEAR), "seeding"),
        (month(buyers=5, spoke=30), "traffic"), (month(buyers=5, joined_in=20), "traffic"),
        (month(buyers=4, spoke=90, joined_in=90), "benefits"),
        (month(members=10, buyers=2, orders=30, amount_minor=10 * DEAR), "vip"),  # by ARPU
        (month(members=9), ""), (month(days=13), ""), (month(orders=4), ""),
    ],
)  # fmt: skip
def test_a_month_has_its_place(found: Facts, place: str) -> None:
    assert judge_position(found, dear_minor=DEAR).kind == place


@given(facts, st.sampled_from(["", *KINDS.values(), "store"]))
def test_too_little_data_is_said_and_never_judged(found: Facts, own: str) -> None:
    position = judge_position(found, dear_minor=DEAR, own=own)
    few = found.members < FEWEST_MEMBERS or found.days < LEAST_DAYS
    assert (position.intent is None) is few
    assert (position.order_value is None) is (few or found.orders < FEWEST_ORDERS)
    assert position.reasons
    assert position.move.zh
    assert bool(position.suggests) is bool(position.kind)


@given(facts, st.integers(1, 50))
def test_more_buyers_never_lower_the_intent(found: Facts, more: int) -> None:
    richer = Facts(**{**vars_of(found), "buyers": found.buyers + more})
    before, after = (judge_position(f, dear_minor=DEAR).intent for f in (found, richer))
    assert (before, after) != ("high", "low")


def vars_of(found: Facts) -> dict[str, int | None]:
    return {name: getattr(found, name) for name in found.__dataclass_fields__}


def test_without_campaigns_it_is_said_so() -> None:
    said = " ".join(r.en for r in judge_position(month(), dear_minor=DEAR).reasons)
    assert "No campaign ran" in said
    assert "No campaign" not in " ".join(
        r.en for r in judge_position(month(joined_in=3), dear_minor=DEAR).reasons
    )


def test_a_group_that_lives_as_another_kind_is_told() -> None:
    drifted = judge_position(month(), dear_minor=DEAR, own="vip")
    assert drifted.suggests == "traffic"
    assert "another kind" in drifted.move.en
    at_home = judge_position(month(), dear_minor=DEAR, own="traffic")
    assert at_home.suggests == "vip"


# counted from the record


@pytest.fixture
def shop(tea: Community) -> Group:
    return make_group(tea, "Shop", made_at=datetime(2026, 1, 5, tzinfo=UTC))


def seat(group: Group, name: str, day: int = 1, left: int | None = None) -> Member:
    member = make_member(group.community, name)
    Membership.objects.create(
        group=group, member=member, joined_at=datetime(2026, 2, day, tzinfo=UTC),
        left_at=None if left is None else datetime(2026, 2, left, tzinfo=UTC),
    )  # fmt: skip
    return member


def at(day: int, kind: str, member: Member, group: Group | None = None, **data: object) -> None:
    with clock.use(clock.faster(0, datetime(2026, 2, day, 3, tzinfo=UTC))):
        record(kind, community=member.community_id, member=member.pk,
               group=group.pk if group else None, data=data)  # fmt: skip


def test_a_month_is_counted_from_the_record(shop: Group) -> None:
    ann, ben, cy = seat(shop, "Ann"), seat(shop, "Ben", 10, left=20), seat(shop, "Cy")
    other = make_member(shop.community, "Other")
    at(5, "message_posted", ann, shop)
    at(6, "message_posted", ann, shop)
    at(6, "message_posted", other, shop)  # staff or gone: no member of the month
    at(5, "order_paid", ann, order="1", amount_minor=1_000)
    at(6, "order_paid", ann, order="2", amount_minor=2_000)
    at(7, "order_refunded", ann, order="2", amount_minor=2_000, whole=True)
    at(8, "order_paid", cy, order="3", amount_minor=5_000)
    at(9, "order_refunded", cy, order="3", amount_minor=500, whole=False)
    at(9, "order_paid", ben, order="4", amount_minor=9_000)  # before he came
    at(12, "order_paid", ben, order="5", amount_minor=7_000)
    at(21, "order_paid", ben, order="6", amount_minor=9_000)  # after he left
    at(8, "order_paid", other, order="7", amount_minor=9_000)
    found = count_month(shop, FEB)
    assert found == Facts(days=28, members=3, spoke=1, buyers=3, orders=3, amount_minor=12_500)
    at(9, "campaign_joined", cy)
    assert count_month(shop, FEB).joined_in == 1


def test_a_month_is_local(shop: Group) -> None:
    ann = seat(shop, "Ann")
    for hour, order in ((15, "in"), (17, "out")):  # 23:00 and 01:00 in Shanghai
        with clock.use(clock.faster(0, datetime(2026, 2, 28, hour, tzinfo=UTC))):
            record("order_paid", community=shop.community_id, member=ann.pk,
                   data={"order": order, "amount_minor": 1})  # fmt: skip
    assert count_month(shop, FEB).orders == 1
    assert count_month(shop, date(2026, 3, 1)).orders == 1
    assert month_before(date(2026, 1, 31)) == date(2025, 12, 1)


def test_the_worker_judges_each_month_once_and_keeps_its_history(shop: Group) -> None:
    for number in range(12):
        member = seat(shop, f"M{number}")
        at(3 + number, "order_paid", member, order=str(number), amount_minor=40_000)
    assert step_places(MARCH)
    assert not step_places(MARCH)
    (kept,) = list_places(shop)
    assert (kept.month, kept.intent, kept.order_value) == (FEB, "high", "high")
    assert kept.facts["orders"] == 12
    assert all(why["zh"] for why in kept.reasons)
    assert Event.objects.filter(kind="group_positioned").count() == 1
    assert step_places(MARCH + timedelta(days=31))
    assert [p.month for p in list_places(shop)] == [date(2026, 3, 1), FEB]
    assert do_place(shop, FEB, now=MARCH).pk == kept.pk


def test_a_young_or_empty_group_is_kept_as_unknown(tea: Community) -> None:
    young = make_group(tea, "Young", made_at=datetime(2026, 2, 25, tzinfo=UTC))
    assert step_places(MARCH)
    kept = Positioning.objects.get(group=young)
    assert (kept.intent, kept.order_value, kept.suggests) == ("", "", "")
    assert "Too little" in kept.reasons[0]["en"]
