"""What a platform can do, and how to make it do that.

Everything above asks for capabilities, never for a platform's name. A new channel is one folder
with a class that implements what it declares, registered when the process starts, and tested by
`tests/channels/contract.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, ClassVar, Protocol, runtime_checkable

from qunluo.messaging.errors import NoChannelError

KINDS = ("post", "direct", "pin", "remove", "announcement", "create_group", "invite_link",
         "welcome")  # fmt: skip
"""What may be sent; a channel has a method of each name."""


@dataclass(frozen=True)
class Capabilities:
    """What a channel can do, and within which limits."""

    post: bool = False
    direct: bool = False
    pin: bool = False
    remove: bool = False
    announcement: bool = False
    create_group: bool = False
    invite_link: bool = False
    welcome: bool = False  # by a call of its own; elsewhere a welcome is a post
    idempotent: bool = False  # the same key twice is sent once
    receipts: bool = False  # tells later whether it arrived
    mentions: bool = False
    replies: bool = False
    images: bool = False
    text_limit: int = 4_000  # characters
    welcome_window_s: float | None = None  # the platform's own limit

    def can(self, kind: str) -> bool:
        """Whether it sends this kind, be it a welcome as a post."""
        return bool(getattr(self, kind, False)) or (kind == "welcome" and self.post)

    def list_kinds(self) -> list[str]:
        return [f.name for f in fields(self) if f.name in KINDS and getattr(self, f.name)]


@dataclass(frozen=True)
class Parcel:
    """One thing to send. `key` is the same at every attempt; `group` and `member` are our ids,
    the others the platform's."""

    key: str
    kind: str
    text: str = ""
    group: int | None = None
    group_external_id: str = ""
    member: int | None = None
    account: str = ""  # of the member on this channel
    mentions: tuple[int, ...] = ()
    reply_to: int | None = None  # a message of ours
    image: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Receipt:
    """What the platform answered: that it took it, not that anybody saw it. `received` only
    where the platform vouches for that."""

    external_id: str = ""
    received: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)


class ChannelError(Exception):
    """Nothing was sent, for certain."""


class UnreachableError(ChannelError):
    """Not now; worth another attempt, not before `retry_after`."""

    def __init__(self, why: str, retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(why)


class RefusedError(ChannelError):
    """Never: the platform said no, and will again."""


class CannotError(RefusedError):
    """The channel lacks the capability."""


@runtime_checkable
class Channel(Protocol):
    """A platform. Its methods return once the platform took the parcel, raise `ChannelError`
    where it certainly did not, and anything else where that is unknown."""

    name: ClassVar[str]

    @property
    def capabilities(self) -> Capabilities: ...
    def post(self, parcel: Parcel) -> Receipt: ...
    def direct(self, parcel: Parcel) -> Receipt: ...
    def pin(self, parcel: Parcel) -> Receipt: ...
    def remove(self, parcel: Parcel) -> Receipt: ...
    def announcement(self, parcel: Parcel) -> Receipt: ...
    def create_group(self, parcel: Parcel) -> Receipt: ...
    def invite_link(self, parcel: Parcel) -> Receipt: ...
    def welcome(self, parcel: Parcel) -> Receipt: ...


class BaseChannel:
    """A channel that can't do anything yet: override what yours can, and declare it."""

    name: ClassVar[str] = ""
    capabilities = Capabilities()

    def post(self, parcel: Parcel) -> Receipt:
        raise self._cannot(parcel)

    def direct(self, parcel: Parcel) -> Receipt:
        raise self._cannot(parcel)

    def pin(self, parcel: Parcel) -> Receipt:
        raise self._cannot(parcel)

    def remove(self, parcel: Parcel) -> Receipt:
        raise self._cannot(parcel)

    def announcement(self, parcel: Parcel) -> Receipt:
        raise self._cannot(parcel)

    def create_group(self, parcel: Parcel) -> Receipt:
        raise self._cannot(parcel)

    def invite_link(self, parcel: Parcel) -> Receipt:
        raise self._cannot(parcel)

    def welcome(self, parcel: Parcel) -> Receipt:
        raise self._cannot(parcel)

    def _cannot(self, parcel: Parcel) -> CannotError:
        return CannotError(f"{self.name} can't do “{parcel.kind}”")


_channels: dict[str, Channel] = {}


def register(channel: Channel) -> Channel:
    """Makes a channel known under its name, in place of an earlier one."""
    _channels[channel.name] = channel
    return channel


def find_channel(name: str) -> Channel:
    """Raises `NoChannelError`."""
    if name not in _channels:
        raise NoChannelError(name=name)
    return _channels[name]


def list_channels() -> list[Channel]:
    return [channel for _, channel in sorted(_channels.items())]


def send(channel: Channel, parcel: Parcel) -> Receipt:
    """Makes the channel do it; a welcome is a post where the channel has none of its own.

    Raises what the channel raises, and `CannotError`.
    """
    can = channel.capabilities
    if not can.can(parcel.kind):
        raise CannotError(f"{channel.name} can't do “{parcel.kind}”")
    own = bool(getattr(can, parcel.kind))
    receipt: Receipt = getattr(channel, parcel.kind if own else "post")(parcel)
    return receipt
