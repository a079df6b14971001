"""The words every mechanic is written in: values in, one decision out, no I/O.

`decide(state, act, rules, draw)` answers `Done` (the new state and everything that follows from
it, which is carried out whole or not at all) or `Refused` (with a sentence that says what would
help). A mechanic never looks at the clock, at a table or at chance: `act.at` is the time, and
`draw` is the only luck, the same again for the same act.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from qunluo.kit.text import Text

OPEN = "open"  # the act by which a play begins
EXPIRE = "expire"  # the act of the clock at `Done.deadline`
PAID, CANCELLED, REFUNDED = "paid", "cancelled", "refunded"  # what became of an order
# where value lies; every other place belongs to the campaign
BUDGET, SPENT, OUT = "budget", "spent", "out"
RESERVED = "reserved"  # of this play
CENT, POINTS = "cent", "points"


class Frozen(BaseModel):
    """Rules and states: typed, checked when made, never changed, and JSON at any time."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Act:
    """Somebody does something in a play, or the clock does.

    `key` names the act: the same key again is the same act and gets the same answer. `pools`
    tells what is left of those that the mechanic `reads`, `plays` the states of all plays of
    the campaign where the act is one of those that `gathers`. `play` is where it happens; who
    carries it out fills all three in.
    """

    kind: str
    at: datetime
    member: int | None = None
    key: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    pools: Mapping[str, int] = field(default_factory=dict)
    plays: Mapping[str, Any] = field(default_factory=dict)
    play: str = ""


@dataclass(frozen=True)
class Refused:
    """Nothing happens, and `why` says what the member can do."""

    code: str
    why: Text


SOLD_OUT = Refused("sold_out", Text("It is sold out.", "已经被抢光了。"))
NO_BUDGET = Refused(
    "no_budget", Text("The campaign has given away all it had.", "活动奖励已经发完了。")
)
TAKEN = Refused("taken", Text("You have done this already.", "你已经参加过了。"))


@dataclass(frozen=True)
class Claim:
    """Takes one of the `most` there are of `slot` within the campaign; else `refused`."""

    slot: str
    most: int = 1
    refused: Refused = TAKEN


@dataclass(frozen=True)
class Move:
    """Moves value from one place to another: `BUDGET`, `SPENT`, `RESERVED` (of this play),
    `OUT`, `pool("mugs")`, `of(member)`. What the source lacks refuses the whole act, unless
    `owe`: then the rest is owed by the member (who had it, and spent it)."""

    unit: str
    source: str
    target: str
    amount: int
    refused: Refused = SOLD_OUT
    owe: bool = False


def pool(name: str) -> str:
    """The place of a campaign's own store of something: prizes, gifts, coupons, seats."""
    return f"pool:{name}"


def of(member: int) -> str:
    """A member's own account."""
    return f"member:{member}"


@dataclass(frozen=True)
class Grant:
    """A reward, at most one for each (rule, member, cause). Its value is moved from `source` at
    once, and to the member when it vests: at `vests_at`, by a later `Done.vests`, or now.

    `unit` says what it is: `points`, `cent` (money), `coupon:<template>`, `gift:<name>`.
    """

    rule: str
    member: int
    cause: str
    unit: str
    amount: int
    source: str = RESERVED
    vests: Literal["now", "at", "later"] = "now"
    vests_at: datetime | None = None

    @property
    def id(self) -> str:
        return f"{self.rule}|{self.member}|{self.cause}"


@dataclass(frozen=True)
class Revoke:
    """Takes a grant back, by its `Grant.id`: from where it waits, or from the member."""

    grant: str
    why: Text


@dataclass(frozen=True)
class Buy:
    """An order to be paid until `pay_by`; `ref` is its name within the campaign. The play gets
    the acts `paid`, `cancelled` (also when it was not paid in time) and `refunded` with
    `data["ref"]`; money for which `paid` is refused goes back by itself."""

    ref: str
    member: int
    sku: str
    quantity: int
    amount_minor: int
    pay_by: datetime


@dataclass(frozen=True)
class Cancel:
    """Calls an order off that is not paid."""

    ref: str
    why: Text


@dataclass(frozen=True)
class Refund:
    """Gives money of a paid order back; None: all that is left."""

    ref: str
    why: Text
    amount_minor: int | None = None


@dataclass(frozen=True)
class Notice:
    """A sentence for a member, as a delivery with all its consents and caps."""

    member: int
    text: Text


@dataclass(frozen=True)
class Then:
    """An act that follows in another play (or in this), in a transaction of its own."""

    play: str
    kind: str
    key: str
    member: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


S = TypeVar("S", bound=Frozen)


@dataclass(frozen=True)
class Done(Generic[S]):
    """What follows from an act; all of it, or nothing.

    `deadline` is when the clock acts next in this play (None: never again); `answer` is what
    the page tells whoever acted.
    """

    state: S
    claims: tuple[Claim, ...] = ()
    frees: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    grants: tuple[Grant, ...] = ()
    vests: tuple[str, ...] = ()
    revokes: tuple[Revoke, ...] = ()
    orders: tuple[Buy | Cancel | Refund, ...] = ()
    notices: tuple[Notice, ...] = ()
    then: tuple[Then, ...] = ()
    deadline: datetime | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What a lint of rules says; errors block publishing, warnings need a reason."""

    level: Literal["error", "warning"]
    code: str
    text: Text
    field: str = ""


@dataclass(frozen=True)
class Supply:
    """What a campaign must have in hand before it is published."""

    place: str  # BUDGET or pool(…)
    unit: str
    amount: int


Decide = Callable[[Any, Act, Any, "Draw"], Done[Any] | Refused]


@dataclass(frozen=True)
class Mechanic:
    """A campaign model: its words for people, its types, its functions.

    `decide` gets the state None for the act that begins a play. `play_of(act, rules)` names
    the play an act belongs to where the page does not ("" : a new one). `supplies(rules)` is
    the worst case. `broken(state, rules)` says what must hold and does not; `lint(rules)` what
    is wrong with rules before they are published; `shown(state, rules, member)` is what a
    member's page shows of a play, flat and JSON.
    """

    name: str
    label: Text
    gist: Text  # one sentence: what members do
    use: Text  # when to use it
    avoid: Text  # when not
    rules: type[Frozen]
    state: type[Frozen]
    decide: Decide
    play_of: Callable[[Act, Any], str]
    supplies: Callable[[Any], Sequence[Supply]]
    broken: Callable[[Any, Any], Sequence[str]]
    lint: Callable[[Any], Sequence[Finding]]
    shown: Callable[[Any, Any, int | None], Mapping[str, Any]]
    reads: Callable[[Any], Sequence[str]] = lambda _: ()  # pools whose rest it must know
    gathers: frozenset[str] = frozenset()  # acts that must see every play
    follows: frozenset[str] = frozenset()  # acts by nobody's hand: of a `Then`, or of an event
    staff: frozenset[str] = frozenset()  # acts that only the operator may do
    within: frozenset[str] = frozenset()  # acts that, as `OPEN`, need the campaign's window
    facts: frozenset[str] = frozenset()  # names in `Act.data` that we tell, and never a page
    asks: frozenset[str] | None = None  # acts of members that look at facts; None: any may
    ships: Callable[[Any, str], bool] = lambda state, ref: True  # may its goods go out yet


class Draw:
    """Luck that anybody can check afterwards: HMAC-SHA256 of a seed that was fixed (and whose
    hash was published) before, over what is drawn for."""

    def __init__(self, seed: bytes, label: str) -> None:
        self._seed, self.label, self._number = seed, label, 0

    def below(self, n: int) -> int:
        """A number in [0, n), each equally likely (by rejection, so without a bias)."""
        if n < 1:
            raise ValueError("nothing to draw from")
        whole = 1 << 64
        while True:
            drawn = int.from_bytes(self._next()[:8], "big")
            if drawn < whole - whole % n:
                return drawn % n

    def between(self, low: int, high: int) -> int:
        """A number in [low, high], both included."""
        return low + self.below(high - low + 1)

    def shuffled(self, items: Sequence[Any]) -> list[Any]:
        """In random order (Fisher–Yates)."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = self.below(last + 1)
            result[last], result[other] = result[other], result[last]
        return result

    def _next(self) -> bytes:
        message = f"{self.label}#{self._number}".encode()
        self._number += 1
        return hmac.new(self._seed, message, hashlib.sha256).digest()


def commitment(seed: bytes) -> str:
    """What is published before the first draw, so that the seed can't be changed after it."""
    return hashlib.sha256(seed).hexdigest()
