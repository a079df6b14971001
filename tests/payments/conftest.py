"""What the tests of payments share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from qunluo.payments.wechat.provider import WechatProvider
from tests.payments.wechat_house import WechatHouse, merchant, wechat_house


@pytest.fixture(scope="package")
def wechat_server() -> Iterator[WechatHouse]:
    with wechat_house() as running:
        yield running


@pytest.fixture
def house(wechat_server: WechatHouse) -> WechatHouse:
    """WeChat Pay, remembering nothing."""
    house = wechat_server
    for kept in (house.orders, house.paid, house.refunds, house.heard, house.faults):
        kept.clear()
    house.signer = "platform"
    return house


@pytest.fixture(scope="package")
def wechat(wechat_server: WechatHouse) -> WechatProvider:
    return WechatProvider(merchant(wechat_server.address), public_url="https://tea.example")
