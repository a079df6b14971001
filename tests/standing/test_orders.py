"""Orders and refunds that other systems tell of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from qunluo.community.models import Community, Staff, User
from qunluo.events.models import Event
from qunluo.members.models import Member
from qunluo.standing.actions import do_note_order, do_note_refund
from qunluo.standing.errors import NoOrderError, OrderDiffersError, WrongAmountError
from tests.api.calling import Program, program_of
from tests.cast import NOON, make_member


@pytest.fixture
def program(tea: Community, alice: User) -> Program:
    """May do all that Alice may."""
    return program_of(Staff.objects.get(community=tea, user=alice))


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
BODY = {"order": "A-1", "amount_minor": 9900, "paid_at": "2026-02-20T10:00:00+08:00"}


def test_an_order_is_noted_when_it_was_paid_and_once(tea: Community, bob: Member) -> None:
    when = NOON - timedelta(days=3)
    one = do_note_order(tea, order="A-1", member=bob, amount_minor=9900, paid_at=when)
    again = do_note_order(tea, order="A-1", member=bob, amount_minor=9900, paid_at=NOON)
    assert one.pk == again.pk
    assert one.at == when
    assert Event.objects.filter(kind="order_paid").count() == 1


def test_the_same_number_with_another_amount_or_member_is_refused(
    tea: Community, bob: Member
) -> None:
    do_note_order(tea, order="A-1", member=bob, amount_minor=9900, paid_at=NOON)
    other = make_member(tea, "Dan")
    for member, amount in ((bob, 1), (other, 9900)):
        with pytest.raises(OrderDiffersError):
            do_note_order(tea, order="A-1", member=member, amount_minor=amount, paid_at=NOON)


def test_refunds_add_up_to_the_whole_and_no_further(tea: Community, bob: Member) -> None:
    do_note_order(tea, order="A-1", member=bob, amount_minor=100, paid_at=NOON)

    def refund(number: str, amount: int) -> bool:
        found = do_note_refund(tea, order="A-1", refund=number, amount_minor=amount,
                               refunded_at=NOON)  # fmt: skip
        return bool(found.data["whole"])

    assert not refund("r1", 40)
    assert not refund("r1", 40)  # told again
    with pytest.raises(WrongAmountError):
        refund("r2", 61)
    assert refund("r2", 60)
    with pytest.raises(WrongAmountError):
        refund("r3", 0)
    assert Event.objects.filter(kind="order_refunded").count() == 2


def test_a_refund_needs_its_order(tea: Community) -> None:
    with pytest.raises(NoOrderError):
        do_note_refund(tea, order="none", amount_minor=1, refunded_at=NOON)


def test_a_program_notes_orders_and_refunds(program: Program, bob: Member) -> None:
    made = program.post("orders", BODY | {"member_id": bob.pk}, key="k-1")
    assert made["at"] == "2026-02-20T02:00:00Z"
    assert program.post("orders", BODY | {"member_id": bob.pk}, key="k-1") == made
    assert program.post("orders", BODY | {"member_id": bob.pk}) == made
    back = {"amount_minor": 9900, "refunded_at": "2026-02-21T10:00:00+08:00"}
    assert program.post("orders/A-1/refunds", back)["whole"] is True
    assert program.refused("POST", "orders/none/refunds", back)[1] == "no_order"
    wrong = BODY | {"member_id": bob.pk, "amount_minor": 1}
    assert program.refused("POST", "orders", wrong)[1] == "order_differs"
