"""What takes money for us, and how to make it do that.

Everything above asks for capabilities, never for a provider's name. A provider reads and writes
nothing of ours: it gets plain values, talks to its own house, and tells what it heard there. A
new one is one folder in `qunluo/payments` with a class of this protocol, registered when the
process starts and tested by `tests/payments/contract.py`.

Its methods may use the network, so none may be called inside a transaction, but
`read_notification`, which is given all it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

Way = Literal["redirect", "qr", "jsapi", "instructions"]
Told = Literal["paid", "refunded", "refund_failed"]


class NoProviderError(QunluoError):
    """No provider of this name is set up here."""

    code = "no_provider"
    sentence = Text(
        "“{name}” takes no payments here. Choose one of: {known}.",
        "这里没有启用“{name}”收款。可选：{known}。",
    )


class ProviderError(Exception):
    """The provider did not do it; nothing moved. The words name no secret and no person."""


class UnreachableError(ProviderError):
    """Not now; worth another attempt, not before `retry_after`."""

    def __init__(self, why: str, retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(why)


class RefusedError(ProviderError):
    """Never: the provider said no, and will again."""


class ForgedError(Exception):
    """What came is not the provider's, or not meant for us; nothing of it is believed."""


@dataclass(frozen=True)
class Capabilities:
    """What a provider can do."""

    ways: tuple[Way, ...]  # to begin a payment, the best first
    real_money: bool = True
    notifies: bool = False  # calls the notification address
    refunds: bool = False  # sends money back when asked; elsewhere staff do, and say so
    queries: bool = False  # tells about a payment or refund when asked
    staff_confirm: bool = False  # a person says that the money arrived
    needs_account: tuple[Way, ...] = ()  # ways that need to know the payer's account there


@dataclass(frozen=True)
class Bill:
    """What is to be paid: an order as its provider sees it."""

    number: str  # of the order: 6 to 32 letters, digits, - or _; once in an installation
    amount_minor: int
    title: str  # one line, shown where the money is taken
    pay_by: datetime
    currency: str = "CNY"
    way: Way | None = None  # None: the provider's best
    account: str = ""  # of the payer with the provider (WeChat: openid)
    address: str = ""  # the payer's network address; some providers ask for it
    lang: str = "en"
    keys: tuple[str, ...] = ()  # under which it was begun, as `Begun.key` said


@dataclass(frozen=True)
class RefundBill:
    """What is to go back. `key` is the same at every attempt, so that it goes back once."""

    key: str  # 6 to 64 letters, digits, - or _
    number: str  # of the order
    payment_key: str  # as its notification said
    amount_minor: int
    paid_minor: int  # the whole payment
    why: str
    currency: str = "CNY"


@dataclass(frozen=True)
class Begun:
    """What the payer does next. data: redirect {"url"}; qr {"text"}; jsapi {what the page hands
    to the platform}; instructions {what the page shows}."""

    kind: Way
    data: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""  # the provider's own name of the attempt


@dataclass(frozen=True)
class Notification:
    """What a provider says happened, however often and by whichever way it says so.

    `key` names the payment ("paid") or our refund ("refunded", "refund_failed"). `nonce` is what
    a notification may carry but once; empty where we asked.
    """

    key: str
    number: str
    amount_minor: int
    at: datetime
    kind: Told
    currency: str = "CNY"
    nonce: str = ""
    payer: str = ""  # their account with the provider, where it says so
    why: str = ""  # of a refund that failed


@dataclass(frozen=True)
class Answer:
    """What the provider expects to hear after a notification."""

    status: int
    body: str = ""
    content_type: str = "application/json"


@runtime_checkable
class PaymentProvider(Protocol):
    """A house that takes money."""

    name: ClassVar[str]

    @property
    def capabilities(self) -> Capabilities: ...

    def begin(self, order: Bill, *, return_url: str) -> Begun:
        """Prepares a payment; the same order again is no second one. Raises `ProviderError`."""
        ...

    def read_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """What a call of the notification address says; raises `ForgedError`. Header names in
        lower case. No network."""
        ...

    def answer(self, taken: bool) -> Answer:
        """What to answer: that it was taken, or that it was not and may be sent again."""
        ...

    def ask_refund(self, refund: RefundBill) -> Notification | None:
        """Asks for a refund; what became of it, None where that is told later. Raises
        `ProviderError`."""
        ...

    def query(self, order: Bill) -> Notification | None:
        """The payment of an order, None where there is none. Raises `ProviderError`."""
        ...

    def query_refund(self, refund: RefundBill) -> Notification | None:
        """What became of a refund, None where it is under way. Raises `ProviderError`."""
        ...


_providers: dict[str, PaymentProvider] = {}


def register(provider: PaymentProvider) -> PaymentProvider:
    """Makes a provider known under its name, in place of an earlier one."""
    _providers[provider.name] = provider
    return provider


def unregister(name: str) -> None:
    """Forgets a provider; one that is unknown is forgotten already."""
    _providers.pop(name, None)


def find_provider(name: str) -> PaymentProvider:
    """Raises `NoProviderError`."""
    if name not in _providers:
        raise NoProviderError(name=name, known=", ".join(sorted(_providers)) or "—")
    return _providers[name]


def list_providers() -> list[PaymentProvider]:
    return [provider for _, provider in sorted(_providers.items())]
