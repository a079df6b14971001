"""Every provider keeps the contract."""

from __future__ import annotations

import pytest

from qunluo.commerce.provider import Bill, PaymentProvider
from qunluo.kit import clock
from qunluo.payments.models import SandboxMove
from qunluo.payments.offline.provider import OfflineProvider
from qunluo.payments.sandbox import house
from qunluo.payments.sandbox.provider import SandboxProvider
from qunluo.payments.sandbox.signing import Ticket, pack
from qunluo.payments.wechat.provider import WechatProvider
from tests.payments.contract import Message, ProviderContract
from tests.payments.wechat_house import WechatHouse, seal, sign


def ticket_of(order: Bill) -> Ticket:
    return Ticket(order.number, order.amount_minor, order.currency, order.title,
                  order.pay_by.isoformat(), "/me?back=1")  # fmt: skip


class TestSandbox(ProviderContract):
    def make(self) -> PaymentProvider:
        return SandboxProvider()

    def pay(self, provider: PaymentProvider, order: Bill) -> None:
        house.do_pay(ticket_of(order))

    def tell(self, provider: PaymentProvider, order: Bill) -> Message:
        move = SandboxMove.objects.get(kind="paid", number=order.number)
        return pack(house.write(move), clock.now())


class TestOffline(ProviderContract):
    def make(self) -> PaymentProvider:
        return OfflineProvider()


class TestWechat(ProviderContract):
    house: WechatHouse
    made: WechatProvider

    @pytest.fixture(autouse=True)
    def connected(self, wechat: WechatProvider, house: WechatHouse) -> None:
        self.made, self.house = wechat, house

    def make(self) -> PaymentProvider:
        return self.made

    def pay(self, provider: PaymentProvider, order: Bill) -> None:
        self.house.pay(order.number, clock.now())

    def tell(self, provider: PaymentProvider, order: Bill) -> Message:
        body = seal("TRANSACTION.SUCCESS", self.house.paid[self.house.trade(order.number)])
        return sign(body, clock.now()), body
