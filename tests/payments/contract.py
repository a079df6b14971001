"""What every payment provider must do. A new one inherits all of these tests:

class TestMyHouse(ProviderContract):
    def make(self): return MyProvider(...)
    def pay(self, provider, bill): let the payer pay there
    def tell(self, provider, bill): headers and body of the notification that follows, or None
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from qunluo.commerce.provider import (
    Bill,
    ForgedError,
    Notification,
    PaymentProvider,
    RefundBill,
    RefusedError,
    Way,
)
from qunluo.kit import clock

Message = tuple[Mapping[str, str], bytes]
BACK = "https://tea.example/me?back=1"
NEEDED: dict[Way, set[str]] = {
    "redirect": {"url"}, "qr": {"text"}, "instructions": {"reference", "amount_minor", "pay_by"},
    "jsapi": {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"},
}  # fmt: skip


def bill(number: str = "Q260302CONTRACT1", **more: object) -> Bill:
    values = {
        "number": number, "amount_minor": 1250, "title": "白茶 <b>'\"; --",
        "pay_by": clock.now() + timedelta(minutes=30), "account": "o-bob",
        "address": "203.0.113.9", **more,
    }  # fmt: skip
    return Bill(**values)  # type: ignore[arg-type]


def refund_of(
    paid: Notification, amount_minor: int, key: str = "Q260302CONTRACT1-R1"
) -> RefundBill:
    return RefundBill(
        key=key, number=paid.number, payment_key=paid.key, amount_minor=amount_minor,
        paid_minor=paid.amount_minor, why="一包破了",
    )  # fmt: skip


@pytest.mark.django_db
class ProviderContract:
    """Subclass it in a test module and fill in the three methods below."""

    def make(self) -> PaymentProvider:
        """The provider, connected to a house that really keeps a book."""
        raise AssertionError("say how the provider is made")

    def pay(self, provider: PaymentProvider, order: Bill) -> None:
        """The payer pays, at the house."""
        raise AssertionError("say how somebody pays")

    def tell(self, provider: PaymentProvider, order: Bill) -> Message:
        """What the house sends when that was paid."""
        raise AssertionError("say what the house tells")

    def paid(self, provider: PaymentProvider, order: Bill) -> Notification:
        """An order that was begun and paid, as the provider says it."""
        provider.begin(order, return_url=BACK)
        self.pay(provider, order)
        return provider.read_notification(*self.tell(provider, order))

    def test_it_is_a_provider(self) -> None:
        provider = self.make()
        assert isinstance(provider, PaymentProvider)
        assert provider.name.isidentifier()
        assert provider.capabilities.ways
        assert provider.capabilities.notifies or provider.capabilities.staff_confirm

    def test_it_begins_each_way_that_it_declares_and_again(self) -> None:
        provider = self.make()
        for way in provider.capabilities.ways:
            for _ in range(2):
                begun = provider.begin(bill(way=way), return_url=BACK)
                assert begun.kind == way
                assert NEEDED[way] <= set(begun.data)

    def test_where_it_leads_is_an_address(self) -> None:
        provider = self.make()
        if "redirect" in provider.capabilities.ways:
            data = provider.begin(bill(way="redirect"), return_url=BACK).data
            parts = urlsplit(data["url"])
            assert parts.scheme in ("", "https")
            assert parts.path.startswith("/")
            assert set(data["url"]).isdisjoint("<>\"' ")

    def test_what_was_paid_is_told_and_found_under_one_key(self) -> None:
        provider = self.make()
        if not provider.capabilities.notifies:
            return
        order = bill()
        before = provider.query(order)
        told = self.paid(provider, order)
        found = provider.query(order)
        assert before is None
        assert (told.kind, told.number, told.amount_minor) == ("paid", order.number, 1250)
        assert told.at.tzinfo is not None
        assert told.nonce
        if provider.capabilities.queries:
            assert found is not None
            assert (found.kind, found.key, found.amount_minor, found.currency) == (
                told.kind, told.key, told.amount_minor, told.currency,
            )  # fmt: skip

    def test_nobody_else_can_tell_it_anything(self) -> None:
        provider = self.make()
        strangers: list[Message] = [
            ({}, b""),
            ({}, b"{}"),
            ({"authorization": "x"}, b"\x00\xff"),
        ]
        if provider.capabilities.notifies:
            order = bill()
            self.paid(provider, order)
            headers, body = self.tell(provider, order)
            strangers += [(headers, body + b" "), (headers, body[:-1]), (headers, b"{}")]
            strangers += [
                ({k: v for k, v in headers.items() if k != gone}, body) for gone in headers
            ]
            strangers += [({**headers, k: f"{v[:-2]}xx"}, body) for k, v in headers.items()]
        for given, body in strangers:
            with pytest.raises(ForgedError):
                provider.read_notification(given, body)

    def test_an_old_message_is_refused(self) -> None:
        provider = self.make()
        if not provider.capabilities.notifies:
            return
        order = bill()
        self.paid(provider, order)
        headers, body = self.tell(provider, order)
        for shift in (timedelta(minutes=6), timedelta(minutes=-6)):
            with clock.use(clock.faster(0, clock.now() + shift)), pytest.raises(ForgedError):
                provider.read_notification(headers, body)

    def test_it_answers_that_it_was_taken_or_not(self) -> None:
        provider = self.make()
        assert 200 <= provider.answer(True).status < 300
        assert provider.answer(False).status >= 400

    def test_a_refund_goes_back_once_for_its_key(self) -> None:
        provider = self.make()
        if not provider.capabilities.refunds:
            with pytest.raises(RefusedError):
                provider.ask_refund(RefundBill("R-1", "Q-1", "p", 1, 1, "x"))
            return
        paid = self.paid(provider, bill())
        for _ in range(3):
            found = provider.ask_refund(refund_of(paid, 1000))
            assert found is None or (found.key, found.kind) == (
                "Q260302CONTRACT1-R1",
                "refunded",
            )
        provider.ask_refund(refund_of(paid, 250, "Q260302CONTRACT1-R2"))  # the rest is left

    def test_no_more_goes_back_than_came(self) -> None:
        provider = self.make()
        if not provider.capabilities.refunds:
            return
        paid = self.paid(provider, bill())
        provider.ask_refund(refund_of(paid, 1000))
        with pytest.raises(RefusedError):
            provider.ask_refund(refund_of(paid, 251, "Q260302CONTRACT1-R2"))

    def test_what_nobody_knows_is_nothing(self) -> None:
        provider = self.make()
        assert provider.query(bill("Q260302NOBODY01")) is None
        assert provider.query_refund(RefundBill("R-none", "Q-none", "p", 1, 1, "x")) is None
