"""Orders of other shops: by CSV with a preview, or told by a program; each noted once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from qunluo.commerce.errors import OwnOrderError
from qunluo.commerce.imports import (
    WrongColumnsError,
    do_map_import,
    do_queue_import,
    do_run_import,
    do_start_import,
    preview,
    step_import,
)
from qunluo.commerce.models import Order, OrderImport
from qunluo.commerce.noting import Sale, do_note_return, do_note_sale
from qunluo.commerce.sheets import guess_columns
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.members.actions import do_set_contact
from qunluo.members.imports import WrongFileError
from qunluo.members.models import Member
from qunluo.standing.errors import OrderDiffersError
from tests.cast import NOON, make_member
from tests.commerce.shop import STAFF, buy, sell

pytestmark = pytest.mark.django_db
SHEET = """订单号,手机号,实付金额,付款时间,商品,备注
A-1,13800000001,"￥1,280.50",2026-03-01 18:30,绿茶;茶壶,x
A-2,13800000001,99 元,2026/3/1,,x
A-2,13800000001,99 元,2026/3/1,,x
A-3,13899999999,10,2026-03-01,,stranger
A-4,13800000001,ten,2026-03-01,,
A-5,13800000001,10,03/01/2026,,

A 6,13800000001,10,2026-03-01,,
A-7,13800000001,10,2027-03-01,,
A-8,,10,2026-03-01,,
A-1,13800000001,5,2026-03-01,,another amount
"""


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


@pytest.fixture
def sheet() -> Iterator[Path]:
    path = Path(settings.QUNLUO.data) / "orders-test.csv"
    path.write_text(SHEET, encoding="gb18030")
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def dora(tea: Community) -> Member:
    member = make_member(tea, "Dora")
    do_set_contact(member, phone="13800000001", by=STAFF)
    return member


def start(tea: Community, sheet: Path) -> OrderImport:
    return do_start_import(tea, sheet.name, title="till.csv", by=STAFF)


def test_columns_are_guessed_in_both_languages() -> None:
    said = ["Order number", "mobile", "Total", "paid_at", "Items", "what?"]
    assert guess_columns(said) == ["order", "phone", "amount", "paid_at", "items", ""]


def test_a_preview_says_what_would_come_in_and_why_not_and_writes_nothing(
    tea: Community, sheet: Path, dora: Member
) -> None:
    seen = preview(start(tea, sheet))
    assert seen.columns == ["order", "phone", "amount", "paid_at", "items", ""]
    assert (seen.read, seen.made, seen.known) == (10, 2, 2)
    first, member = seen.rows[0]
    assert member == dora
    assert first.sale == Sale(
        "A-1", 128_050, datetime(2026, 3, 1, 10, 30, tzinfo=UTC), ("绿茶", "茶壶")
    )
    assert {r.line: r.why.en.split()[0] for r in seen.rejects} == {
        5: "nobody", 6: "the", 7: "the", 9: "it", 10: "it", 11: "it",
    }  # fmt: skip
    assert not Order.objects.exists()


def test_an_import_notes_each_order_once_and_twice_changes_nothing(
    tea: Community, sheet: Path, dora: Member
) -> None:
    text = sheet.read_bytes()
    for made in (2, 0):
        sheet.write_bytes(text)
        found = start(tea, sheet)
        do_queue_import(found)
        while step_import():
            pass
        found.refresh_from_db()
        assert (found.state, found.read, found.made, found.rejected) == ("done", 10, made, 7)
        assert found.rejects[-1]["line"] == 12
        assert not sheet.exists()
    orders = Order.objects.order_by("number")
    assert [(o.number, o.total_minor, o.state) for o in orders] == [
        ("A-1", 128_050, "completed"), ("A-2", 9_900, "completed"),
    ]  # fmt: skip
    assert Event.objects.filter(kind="order_paid", member_id=dora.pk).count() == 2
    assert Event.objects.filter(kind="orders_imported").count() == 2


def test_two_workers_at_one_import_double_nothing(
    tea: Community, sheet: Path, dora: Member
) -> None:
    one, other = start(tea, sheet), OrderImport.objects.get()
    assert do_run_import(one, batches=1) is False
    assert do_run_import(other) is True
    assert do_run_import(one) is True
    assert (OrderImport.objects.get().made, OrderImport.objects.get().read) == (2, 10)


def test_a_file_that_is_gone_ends_its_import(tea: Community, sheet: Path) -> None:
    found = start(tea, sheet)
    do_queue_import(found)
    sheet.unlink()
    assert step_import()
    found.refresh_from_db()
    assert found.state == "failed"
    assert not step_import()


def test_columns_must_tell_the_order_and_who_bought(tea: Community, sheet: Path) -> None:
    found = start(tea, sheet)
    for columns in (["order", "", "amount", "paid_at", "", ""], ["order"] * 6, ["order"]):
        with pytest.raises(WrongColumnsError):
            do_map_import(found, columns)


def test_no_file_outside_the_data_folder_is_read(tea: Community) -> None:
    with pytest.raises(WrongFileError):
        do_start_import(tea, "../../etc/passwd", title="x", by=STAFF)


def test_an_order_of_another_shop_is_given_back_in_parts(tea: Community, bob: Member) -> None:
    for _ in range(2):
        do_note_sale(tea, bob, Sale("T-1", 1_000, NOON), by=STAFF)
    with pytest.raises(OrderDiffersError):
        do_note_sale(tea, bob, Sale("T-1", 999, NOON), by=STAFF)
    for refund, amount in (("1", 300), ("1", 300), ("2", 700)):
        do_note_return(tea, number="T-1", refund=refund, amount_minor=amount, refunded_at=NOON)
    order = Order.objects.get()
    assert (order.state, order.refunded_minor, order.elsewhere) == ("refunded", 1_000, True)


def test_an_order_that_was_taken_here_is_not_noted_as_paid(tea: Community, bob: Member) -> None:
    order = buy(bob, sell(tea))
    with pytest.raises(OwnOrderError):
        do_note_sale(tea, bob, Sale(order.number, 5_000, NOON), by=STAFF)
    with pytest.raises(OwnOrderError):
        do_note_return(tea, number=order.number, amount_minor=1, refunded_at=NOON)
    order.refresh_from_db()
    assert order.state == "created"
