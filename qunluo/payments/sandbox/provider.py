"""The embedded default: no real money, everything else as with a real provider."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from django.urls import reverse

from qunluo.commerce.provider import (
    Answer,
    Begun,
    Bill,
    Capabilities,
    Notification,
    RefundBill,
)
from qunluo.kit import clock
from qunluo.payments.sandbox import house
from qunluo.payments.sandbox.signing import NONCE, Ticket, unpack, write_ticket


class SandboxProvider:
    """Its page is one of ours at a signed address; what is tapped there is told to the same
    door where a real provider's notifications arrive."""

    name: ClassVar[str] = house.NAME
    capabilities = Capabilities(
        ways=("redirect",), real_money=False, notifies=True, refunds=True, queries=True
    )

    def begin(self, order: Bill, *, return_url: str) -> Begun:
        ticket = Ticket(
            number=order.number, amount_minor=order.amount_minor, currency=order.currency,
            title=order.title, pay_by=order.pay_by.isoformat(), return_url=return_url,
        )  # fmt: skip
        return Begun("redirect", {"url": reverse("h5:sandbox", args=[write_ticket(ticket)])})

    def read_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:
        told = unpack(headers, body, clock.now())
        at = datetime.fromisoformat(told.pop("at"))
        return Notification(**told, at=at, nonce=headers[NONCE])

    def answer(self, taken: bool) -> Answer:
        return Answer(204 if taken else 400)

    def ask_refund(self, refund: RefundBill) -> Notification | None:
        return house.do_give_back(refund)

    def query(self, order: Bill) -> Notification | None:
        return house.find_payment(order.number)

    def query_refund(self, refund: RefundBill) -> Notification | None:
        return house.find_refund(refund.key)
