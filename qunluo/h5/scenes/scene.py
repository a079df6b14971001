"""The parts that every play's page is made of. Nothing here is urgent that isn't: a time is the
play's own, a count is of what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from qunluo.campaigns.mechanics.kernel import CENT, POINTS
from qunluo.campaigns.models import Campaign, Play
from qunluo.h5.pages import lang
from qunluo.kit.money import format_money
from qunluo.kit.text import Text
from qunluo.members.models import Member

Pair = tuple[str, str]
SPANS = (
    (24 * 60, Text("1 day", "1 天"), Text("{n} days", "{n} 天")),
    (60, Text("1 hour", "1 小时"), Text("{n} hours", "{n} 小时")),
    (1, Text("1 minute", "1 分钟"), Text("{n} minutes", "{n} 分钟")),
)


@dataclass(frozen=True)
class Look:
    """Who looks at what: `play` is None where none has begun; `shown` is what the mechanic tells
    this member; `runs` says whether something new may begin now, for this member."""

    campaign: Campaign
    member: Member | None
    play: Play | None
    rules: Any
    shown: Mapping[str, Any]
    runs: bool
    currency: str
    now: datetime
    names: Mapping[int, str] = field(default_factory=dict)
    begun: int = 0  # how many plays of it the member has begun
    taken: Mapping[str, int] = field(default_factory=dict)  # of what is limited, by slot
    goods: Mapping[str, str] = field(default_factory=dict)  # what its articles are called
    listed: Mapping[str, int] = field(
        default_factory=dict
    )  # and cost without it, in minor units
    brief: bool = False  # a line of a list: nothing is done there

    @property
    def own(self) -> bool:
        return self.play is not None and self.play.starter_id == (
            self.member and self.member.pk
        )

    def taken_by_me(self, slot: str, *more: str) -> int:
        """How much of a limited thing the member has had: of `buyer` what `buyer:7` says."""
        me = self.member.pk if self.member else 0
        return self.taken.get(":".join((slot, str(me), *more)), 0)

    def money(self, minor: int) -> str:
        return format_money(minor, self.currency, lang())

    def worth(self, unit: str, amount: int) -> str:
        return worth(unit, amount, self.currency)

    def reward(self, given: Any) -> str:
        """A reward of the rules, in words."""
        return self.worth(given.unit, given.amount)

    def name(self, member: int | None) -> str:
        return self.names.get(member or 0) or say("Somebody", "有人")


@dataclass(frozen=True)
class Choice:
    """A field of a form: a number, some words, or one of `options`."""

    name: str
    label: str
    options: Sequence[Pair] = ()
    value: str = ""
    most: int = 0  # of a number; 0: words
    least: int = 1
    longest: int = 60  # of words


@dataclass(frozen=True)
class Button:
    """A form with one button. `play` "" begins a new play; None: the one that is shown."""

    kind: str
    words: str
    main: bool = True
    play: str | None = None
    data: Mapping[str, str | int] = field(default_factory=dict)
    choices: Sequence[Choice] = ()
    sure: str = ""  # what is lost by it: then it is asked twice


@dataclass(frozen=True)
class Step:
    """A reward on the way, and whether it is reached."""

    words: str
    reached: bool = False


@dataclass(frozen=True)
class Person:
    name: str
    words: str = ""


@dataclass(frozen=True)
class Scene:
    """A play as a page shows it; `extra` names a template of its own for what is only there."""

    lead: str
    big: str = ""
    was: str = ""
    done: int = 0
    of: int = 0
    progress: str = ""
    until: datetime | None = None
    until_words: str = ""
    buttons: Sequence[Button] = ()
    steps: Sequence[Step] = ()
    people: Sequence[Person] = ()
    people_title: str = ""
    facts: Sequence[Pair] = ()
    share: bool = False
    minor: int = 0  # the price that `big` says, where it is that of an article
    done_by_me: bool = False  # nothing waits for this member here
    extra: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


def say(en: str, zh: str, **data: object) -> str:
    """A sentence in the reader's language. A count ends in a Chinese sign: no blank after it."""
    for name, value in data.items():
        if isinstance(value, Text):
            zh = zh.replace(f"{{{name}}} ", f"{{{name}}}")
    return Text(en, zh).format(**data)(lang())


def begun_lead(look: Look, en: str, zh: str) -> str:
    """What to begin; who has begun what they may is led to theirs."""
    if look.begun and not look.play:
        return say("You have begun yours: it is above.", "你已发起，点上方查看。")
    return say(en, zh)


def count_of(n: int, one: str, many: str, zh: str) -> Text:
    """`1 friend`, `3 friends`, `3 位好友`."""
    return Text(f"{n:,} {one if n == 1 else many}", f"{n:,} {zh}")


def friends(n: int) -> Text:
    return count_of(n, "friend", "friends", "位好友")


def pieces(n: int) -> Text:
    return count_of(n, "piece", "pieces", "件")


def span(minutes: int) -> Text:
    """A span in the largest unit that fits it whole."""
    for size, one, many in SPANS:
        if minutes % size == 0 and minutes >= size:
            n = minutes // size
            return one if n == 1 else many.format(n=n)
    return SPANS[-1][2].format(n=minutes)


def worth(unit: str, amount: int, currency: str) -> str:
    """`¥3.00`, `120 points`, `the coupon “spring”`, in the reader's language."""
    kind, _, name = unit.partition(":")
    if unit == CENT:
        return format_money(amount, currency, lang())
    if unit == POINTS:
        return count_of(amount, "point", "points", "积分")(lang())
    words = {"coupon": Text("coupon “{name}”", "优惠券“{name}”"),
             "gift": Text("gift “{name}”", "礼品“{name}”")}.get(kind, Text("{name}", "{name}"))  # fmt: skip
    named = words.format(name=name or unit)(lang())
    return named if amount == 1 else f"{amount:,} × {named}"


def moment(given: object) -> datetime | None:
    """An instant as `shown` writes it."""
    return datetime.fromisoformat(given) if isinstance(given, str) and given else None


def is_over(until: datetime | None, now: datetime) -> bool:
    return until is not None and until <= now


def left(until: datetime, now: datetime) -> str:
    """How long there is, rounded down: nobody is told of more time than there is."""
    minutes = max(0, int((until - now).total_seconds() // 60))
    if minutes < 1:
        return say("less than a minute", "不到 1 分钟")
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        return say("{d} d {h} h", "{d} 天 {h} 小时", d=days, h=hours)
    if hours:
        return say("{h} h {m} min", "{h} 小时 {m} 分钟", h=hours, m=minutes % 60)
    return say("{m} min", "{m} 分钟", m=minutes)
