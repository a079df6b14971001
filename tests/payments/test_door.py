"""The door: what providers tell counts once, and what is not theirs changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from qunluo.commerce.models import Order, Payment, Refund
from qunluo.commerce.provider import Notification, register, unregister
from qunluo.commerce.refunding import do_refund, do_send_again
from qunluo.commerce.sending import send_refunds
from qunluo.commerce.tasks import expire_unpaid
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.payments.beginning import ask_due, begin
from qunluo.payments.door import StrangeNoticeError, do_take
from qunluo.payments.models import Attempt, Notice
from qunluo.payments.wechat.provider import WechatProvider
from tests.cast import NOON
from tests.commerce.shop import buy, pieces, sell
from tests.payments.wechat_house import APIV3_KEY, WechatHouse, payment, seal, sign

pytestmark = pytest.mark.django_db
HERE = "/pay/wechat/notify"


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    """Nothing moves but what a test moves."""
    return noon


@pytest.fixture(autouse=True)
def registered(wechat: WechatProvider, house: WechatHouse) -> Iterator[None]:
    register(wechat)
    yield
    unregister(wechat.name)


@pytest.fixture
def order(bob: Member) -> Order:
    return buy(bob, sell(bob.community, price_minor=1250))


def call(client: Client, headers: dict[str, str], body: bytes) -> int:
    answer = client.post(HERE, body, content_type="application/json", headers=headers)
    assert answer.status_code == 204 or b"FAIL" in answer.content
    return answer.status_code


def told(order: Order, total: int | None = None, **more: Any) -> bytes:
    amount = order.total_minor if total is None else total
    return seal("TRANSACTION.SUCCESS", payment(order.number, amount, clock.now(), **more))


def paid_there(order: Order, house: WechatHouse) -> bytes:
    """What WeChat tells of what was begun and paid there."""
    return seal("TRANSACTION.SUCCESS", house.pay(order.number, clock.now()))


def tell(client: Client, body: bytes, **signed: Any) -> int:
    return call(client, sign(body, signed.pop("at", clock.now()), **signed), body)


@pytest.fixture
def wechats() -> Client:
    """A caller without cookies, whose forms nobody vouches for."""
    return Client(enforce_csrf_checks=True, headers={"host": "localhost"})


def test_a_payment_is_taken_and_told_again_counts_once(wechats: Client, order: Order) -> None:
    body = told(order)
    assert [tell(wechats, body) for _ in range(3)] == [204] * 3
    order.refresh_from_db()
    assert (order.state, order.paid_minor) == ("paid", 1250)
    assert Payment.objects.get().key == f"42000{order.number}"
    assert Notice.objects.count() == 1
    assert pieces(order.lines.get().variant) == (9, 0, 1)


def test_the_very_same_message_again_is_answered_and_changes_nothing(
    wechats: Client, order: Order
) -> None:
    body = told(order)
    headers = sign(body, clock.now())
    assert [call(wechats, headers, body) for _ in range(2)] == [204, 204]
    assert Payment.objects.count() == 1


def test_a_nonce_that_was_used_for_something_else_is_refused(
    wechats: Client, order: Order, bob: Member, caplog: pytest.LogCaptureFixture
) -> None:
    other = buy(bob, sell(bob.community, "cup", price_minor=800))
    assert tell(wechats, told(order), nonce="n" * 32) == 204
    assert tell(wechats, told(other), nonce="n" * 32) == 400
    other.refresh_from_db()
    assert other.state == "created"
    assert "replayed nonce" in caplog.text


@pytest.mark.parametrize(
    ("more", "signed", "why"),
    [
        ({}, {"by": "stranger"}, "forged signature"),
        ({}, {"at": NOON - timedelta(minutes=6)}, "old timestamp"),
        ({"mchid": "1900000999"}, {}, "wrong mchid"),
        ({"appid": "wx0000000000000000"}, {}, "wrong appid"),
        ({"out_trade_no": "Q260302NOBODYS1"}, {}, "no_order"),
    ],
)
def test_what_is_not_for_us_is_refused_in_one_line_without_secrets(
    wechats: Client, order: Order, caplog: pytest.LogCaptureFixture, more: dict[str, Any],
    signed: dict[str, Any], why: str,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, logger="qunluo")
    body = told(order, **more)
    assert tell(wechats, body, **signed) == 400
    order.refresh_from_db()
    assert order.state == "created"
    assert not Payment.objects.exists()
    assert not Notice.objects.exists()
    lines = [
        record.getMessage() for record in caplog.records if record.name.startswith("qunluo")
    ]
    assert len(lines) == 1
    assert why in lines[0]
    assert not any(secret in lines[0] for secret in (APIV3_KEY, "o-1", "ciphertext", "BEGIN"))


def test_a_wrong_amount_pays_nothing_and_goes_back(
    wechats: Client, order: Order, caplog: pytest.LogCaptureFixture
) -> None:
    assert tell(wechats, told(order, total=1)) == 204
    order.refresh_from_db()
    assert (order.state, order.paid_minor) == ("created", 0)
    assert Payment.objects.get().verdict == "wrong_amount"
    assert Refund.objects.get().amount_minor == 1
    assert "wrong_amount" in caplog.text


def test_a_wrong_currency_pays_nothing(wechats: Client, order: Order) -> None:
    amount = {"total": 1250, "currency": "USD"}
    tell(wechats, told(order, amount=amount))
    order.refresh_from_db()
    assert order.state == "created"


def test_one_key_tells_one_story(order: Order) -> None:
    first = Notification("k", order.number, 1250, clock.now(), "paid")
    assert do_take("wechat", first)
    assert not do_take("wechat", first)
    other = Notification("k", order.number, 1249, clock.now(), "paid")
    with pytest.raises(StrangeNoticeError):
        do_take("wechat", other)


def test_strange_calls_are_turned_away(wechats: Client, order: Order) -> None:
    assert wechats.get(HERE).status_code == 405
    assert wechats.post("/pay/nobody/notify").status_code == 404
    large = wechats.post(HERE, b"x" * 70_000, content_type="application/json")
    assert large.status_code == 413
    form = wechats.post(HERE, {"a": "b"})
    assert form.status_code == 400


def test_money_that_comes_too_late_goes_back_by_itself(
    wechats: Client, order: Order, house: WechatHouse, wechat: WechatProvider
) -> None:
    begin(order, "wechat", return_url="https://tea.example/me")
    with clock.use(clock.faster(0, NOON + timedelta(hours=1))):
        expire_unpaid()
        tell(wechats, paid_there(order, house))
        order.refresh_from_db()
        assert order.state == "expired"
        refund = Refund.objects.get()
        assert send_refunds()
        assert house.refunds[refund.number]["amount"]["refund"] == 1250
        row = house.end_refund(refund.number, "SUCCESS", clock.now())
        assert [tell(wechats, seal("REFUND.SUCCESS", row)) for _ in range(2)] == [204, 204]
    refund.refresh_from_db()
    assert refund.state == "done"


def test_a_refund_may_fail_twice(wechats: Client, order: Order, house: WechatHouse) -> None:
    begin(order, "wechat", return_url="https://tea.example/me")
    tell(wechats, paid_there(order, house))
    refund = do_refund(order, why="broken", by="staff:1", key="r")
    for _ in range(2):
        send_refunds()
        row = house.end_refund(refund.number, "ABNORMAL", clock.now())
        house.refunds[refund.number]["status"] = "PROCESSING"
        assert tell(wechats, seal("REFUND.ABNORMAL", row)) == 204
        refund.refresh_from_db()
        assert (refund.state, refund.problem) == ("failed", "ABNORMAL")
        do_send_again(refund, by="staff:1")


# words that got lost


def test_a_payment_whose_word_got_lost_is_found_before_the_order_ends(
    order: Order, house: WechatHouse
) -> None:
    begin(order, "wechat", return_url="https://tea.example/me")
    assert not ask_due()
    house.pay(order.number, NOON + timedelta(minutes=1))
    with clock.use(clock.faster(0, NOON + timedelta(minutes=3))):
        assert ask_due()
        assert not ask_due()
    order.refresh_from_db()
    assert order.state == "paid"
    assert Attempt.objects.get().ask_at is None


def test_late_money_whose_word_got_lost_is_found_and_goes_back(
    order: Order, house: WechatHouse
) -> None:
    begin(order, "wechat", return_url="https://tea.example/me")
    with clock.use(clock.faster(0, NOON + timedelta(minutes=31))):
        ask_due()
        expire_unpaid()
        house.pay(order.number, clock.now())
    for minutes in (42, 95, 60 * 25):
        with clock.use(clock.faster(0, NOON + timedelta(minutes=minutes))):
            ask_due()
    order.refresh_from_db()
    assert order.state == "expired"
    assert Payment.objects.get().verdict == "late"
    assert Refund.objects.get().amount_minor == 1250
    assert Attempt.objects.get().ask_at is None


def test_money_paid_in_two_places_goes_back_from_one_though_its_word_got_lost(
    order: Order, house: WechatHouse
) -> None:
    for name in ("wechat", "sandbox"):
        begin(order, name, return_url="https://tea.example/me")
    house.pay(order.number, clock.now())
    do_take("sandbox", Notification("sb-1", order.number, 1250, clock.now(), "paid"))
    with clock.use(clock.faster(0, NOON + timedelta(minutes=3))):
        assert ask_due()
    verdicts = dict(Payment.objects.values_list("provider", "verdict"))
    assert verdicts == {"sandbox": "taken", "wechat": "twice"}
    assert Refund.objects.get().payment.provider == "wechat"  # type: ignore[union-attr]


def test_who_does_not_answer_is_asked_again_later(order: Order, house: WechatHouse) -> None:
    begin(order, "wechat", return_url="https://tea.example/me")
    house.pay(order.number, clock.now())
    house.faults.append((500, {"code": "SYSTEM_ERROR"}))
    with clock.use(clock.faster(0, NOON + timedelta(minutes=2))):
        assert ask_due()
    assert not Payment.objects.exists()
    with clock.use(clock.faster(0, NOON + timedelta(minutes=29, seconds=30))):
        assert ask_due()
    assert Payment.objects.get().verdict == "taken"


def test_an_order_without_an_answer_is_asked_about_no_more_in_the_end(
    order: Order, house: WechatHouse
) -> None:
    begin(order, "wechat", return_url="https://tea.example/me")
    at, asked = NOON, 0
    while (due := Attempt.objects.get().ask_at) is not None:
        assert due > at
        at, asked = due, asked + 1
        with clock.use(clock.faster(0, due)):
            assert ask_due()
    assert asked == 6
    assert at == NOON + timedelta(days=1, minutes=30)
