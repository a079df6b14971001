"""The providers that an installation's settings name."""

from __future__ import annotations

from collections.abc import Iterator

from qunluo.commerce.provider import PaymentProvider
from qunluo.kit.payment_settings import PaymentSettings
from qunluo.payments.offline.provider import OfflineProvider
from qunluo.payments.sandbox.provider import SandboxProvider


def make_providers(chosen: PaymentSettings) -> Iterator[PaymentProvider]:
    if "sandbox" in chosen.providers:
        yield SandboxProvider()
    if "offline" in chosen.providers:
        yield OfflineProvider()
    if chosen.wechat is not None:
        from qunluo.payments.wechat.provider import (  # noqa: PLC0415 - an optional package
            WechatProvider,
        )

        yield WechatProvider(chosen.wechat, public_url=chosen.public_url)
