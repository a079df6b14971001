"""Money that arrives where no program sees it; staff say that it did, and that it went back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from qunluo.commerce.provider import (
    Answer,
    Begun,
    Bill,
    Capabilities,
    ForgedError,
    Notification,
    RefundBill,
    RefusedError,
)


class OfflineProvider:
    """It tells nothing and can be asked nothing; the page says what to write on the transfer."""

    name: ClassVar[str] = "offline"
    capabilities = Capabilities(ways=("instructions",), staff_confirm=True)

    def begin(self, order: Bill, *, return_url: str) -> Begun:
        return Begun("instructions", {
            "reference": order.number, "amount_minor": order.amount_minor,
            "currency": order.currency, "pay_by": order.pay_by, "return_url": return_url,
        })  # fmt: skip

    def read_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:
        raise ForgedError("a bank transfer is confirmed by staff only")

    def answer(self, taken: bool) -> Answer:
        return Answer(204 if taken else 404)

    def ask_refund(self, refund: RefundBill) -> Notification | None:
        raise RefusedError("staff send it by hand")

    def query(self, order: Bill) -> Notification | None:
        return None

    def query_refund(self, refund: RefundBill) -> Notification | None:
        return None
