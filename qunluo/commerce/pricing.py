"""What something costs, and why. Pure: values in, a reckoning out that explains itself.

    list price → segment → campaign → coupon → points → shipping

Offers of one phase that share an exclusivity group compete, and the best for the buyer wins; a
group that an earlier phase won is taken. An offer without a group of its own shares that of its
phase. Every winner leaves one reason on each line that it changes, so the reasons of a line add
up to the difference between its list price and its amount. Discounts on several lines are
spread in proportion, by largest remainder: the parts add up to the whole.

The snapshot holds what went in and what came out: `replay` reckons it again later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from qunluo.kit.text import Text

Phase = Literal["segment", "campaign", "coupon", "points", "shipping"]
Kind = Literal["unit_price", "fixed", "percent", "amount", "points"]
PHASES: tuple[Phase, ...] = ("segment", "campaign", "coupon", "points", "shipping")
VERSION = 1  # of these rules; an old snapshot is replayed by its own
WHOLE = 10_000  # a percentage is given in hundredths of a percent


@dataclass(frozen=True)
class Line:
    """Some pieces of one thing; `list_minor` is what one of them costs."""

    key: str
    quantity: int
    list_minor: int

    @property
    def whole_minor(self) -> int:
        return self.quantity * self.list_minor


@dataclass(frozen=True)
class Offer:
    """A way to pay less. `value` is, by `kind`:

    unit_price: what a piece costs, where that is less; fixed: what all pieces in scope cost
    together, less or more, as a campaign quoted it, and nothing later changes that; percent:
    hundredths of a percent off; amount: minor units off; points: how many may be spent, of
    which each `points_each` pay `minor_each`.

    `scope` names lines (none: all of them); `threshold_minor` is what these must come to before
    this phase. It is in force in [starts_at, ends_at).
    """

    id: str
    phase: Phase
    kind: Kind
    value: int
    words: Text
    group: str = ""
    scope: tuple[str, ...] = ()
    threshold_minor: int = 0
    cap_minor: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    points_each: int = 1
    minor_each: int = 1

    @property
    def exclusive(self) -> str:
        return self.group or self.phase


@dataclass(frozen=True)
class Reason:
    """What an offer changed on a line; negative: less to pay."""

    offer: str
    phase: Phase
    words: Text
    minor: int
    points: int = 0


@dataclass(frozen=True)
class Missed:
    """An offer that did not count, and why; `short`: what it needs and what there is, in minor
    units, where it is that."""

    offer: str
    words: Text
    why: Text
    short: tuple[int, int] | None = None


@dataclass(frozen=True)
class PricedLine:
    line: Line
    amount_minor: int
    reasons: tuple[Reason, ...] = ()

    @property
    def points(self) -> int:
        return sum(reason.points for reason in self.reasons)


@dataclass(frozen=True)
class Priced:
    """The whole reckoning. `total_minor` = Σ lines + shipping."""

    lines: tuple[PricedLine, ...]
    shipping_minor: int
    shipping_reasons: tuple[Reason, ...]
    missed: tuple[Missed, ...]
    snapshot: Mapping[str, Any] = field(repr=False, compare=False, default_factory=dict)

    @property
    def goods_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    @property
    def total_minor(self) -> int:
        return self.goods_minor + self.shipping_minor

    @property
    def points(self) -> int:
        """How many points it takes."""
        return sum(line.points for line in self.lines)

    @property
    def offers(self) -> frozenset[str]:
        """Which offers counted."""
        reasons = [r for line in self.lines for r in line.reasons]
        return frozenset(r.offer for r in (*reasons, *self.shipping_reasons))


NOT_NOW = Text("It is not in force at this time.", "不在有效时间内。")
NOTHING = Text("It would change nothing here.", "对本单没有影响。")
TAKEN = Text(
    "“{winner}” counts instead: only one of these does.", "已享受“{winner}”，不可同享。"
)
TOO_LITTLE = Text(
    "It needs a purchase of {threshold} or more, this is {base}.",
    "需满 {threshold}，当前 {base}。",
)


def price(
    lines: Sequence[Line], offers: Sequence[Offer], *, at: datetime, shipping_minor: int = 0
) -> Priced:
    """What the lines cost at an instant, with every reason."""
    reckoning = _Reckoning(list(lines), shipping_minor)
    for phase in PHASES:
        reckoning.apply([offer for offer in offers if offer.phase == phase], at)
    made = reckoning.result()
    return replace(made, snapshot=_snapshot(made, lines, offers, at, shipping_minor))


@dataclass
class _Effect:
    """What an offer would do: the change of each line, or of shipping."""

    offer: Offer
    changes: list[int]
    points: int = 0

    @property
    def minor(self) -> int:
        return sum(self.changes)

    @property
    def rank(self) -> tuple[bool, int, int, str]:
        """What a campaign quoted holds; else the buyer pays the least money, then points."""
        return (self.offer.kind != "fixed", self.minor, self.points, self.offer.id)


class _Reckoning:
    def __init__(self, lines: list[Line], shipping_minor: int) -> None:
        self.lines = lines
        self.amounts = [line.whole_minor for line in lines]
        self.reasons: list[list[Reason]] = [[] for _ in lines]
        self.shipping = shipping_minor
        self.shipping_reasons: list[Reason] = []
        self.missed: list[Missed] = []
        self.won: dict[str, Offer] = {}
        self.quoted: set[int] = set()  # lines whose price a campaign has said: it stays

    def apply(self, offers: Sequence[Offer], at: datetime) -> None:
        """One phase: the best of each group, one group after the other. Whether an offer's
        threshold is met is decided by what the phase begins with."""
        begun = list(self.amounts)
        eligible = [offer for offer in offers if self._is_eligible(offer, begun, at)]
        for group in sorted({offer.exclusive for offer in eligible}):
            self._decide([offer for offer in eligible if offer.exclusive == group])

    def _is_eligible(self, offer: Offer, begun: Sequence[int], at: datetime) -> bool:
        early = offer.starts_at is not None and at < offer.starts_at
        late = offer.ends_at is not None and at >= offer.ends_at
        base = sum(begun[n] for n in self._scope(offer))
        if early or late:
            self._miss(offer, NOT_NOW)
        elif base < offer.threshold_minor:
            short = (offer.threshold_minor, base)
            self._miss(offer, TOO_LITTLE.format(threshold=short[0], base=base), short)
        elif offer.exclusive in self.won:
            self._miss(offer, TAKEN.format(winner=self.won[offer.exclusive].words))
        else:
            return True
        return False

    def _decide(self, rivals: Sequence[Offer]) -> None:
        effects = sorted((self._effect(offer) for offer in rivals), key=lambda e: e.rank)
        winner = (
            effects[0] if any(effects[0].changes) or effects[0].offer.kind == "fixed" else None
        )
        for effect in effects:
            if effect is winner:
                self._take(effect)
            elif winner is None or not any(effect.changes):
                self._miss(effect.offer, NOTHING)
            else:
                self._miss(effect.offer, TAKEN.format(winner=winner.offer.words))

    def _take(self, effect: _Effect) -> None:
        offer = effect.offer
        self.won[offer.exclusive] = offer
        if offer.phase == "shipping":
            self.shipping += effect.minor
            said = Reason(offer.id, offer.phase, offer.words, effect.minor)
            self.shipping_reasons.append(said)
            return
        spent, scope = spread(effect.points, [-c for c in effect.changes]), self._scope(offer)
        for n, change in enumerate(effect.changes):
            if change or (offer.kind == "fixed" and n in scope):
                self.amounts[n] += change
                said = Reason(offer.id, offer.phase, offer.words, change, spent[n])
                self.reasons[n].append(said)
        if offer.kind == "fixed":
            self.quoted.update(scope)

    def _scope(self, offer: Offer) -> list[int]:
        """The lines it is about; a price that was quoted is changed by nothing after it."""
        wanted = {
            n for n, one in enumerate(self.lines) if not offer.scope or one.key in offer.scope
        }
        return sorted(wanted - self.quoted)

    def _effect(self, offer: Offer) -> _Effect:
        if offer.phase == "shipping":
            return _Effect(offer, [-_off(offer, self.shipping)])
        scope = self._scope(offer)
        base = [amount if n in scope else 0 for n, amount in enumerate(self.amounts)]
        if offer.kind == "unit_price":
            return _Effect(offer, self._by_piece(offer, scope))
        if offer.kind == "fixed":
            return _Effect(offer, self._as_quoted(offer, scope))
        if offer.kind == "points":
            blocks = _blocks(offer, sum(base))
            off, points = blocks * offer.minor_each, blocks * offer.points_each
            return _Effect(offer, [-part for part in spread(off, base)], points)
        return _Effect(offer, [-part for part in spread(_off(offer, sum(base)), base)])

    def _by_piece(self, offer: Offer, scope: Sequence[int]) -> list[int]:
        wanted = [line.quantity * offer.value for line in self.lines]
        return [
            min(0, wanted[n] - amount) if n in scope else 0
            for n, amount in enumerate(self.amounts)
        ]

    def _as_quoted(self, offer: Offer, scope: Sequence[int]) -> list[int]:
        weights = [line.whole_minor if n in scope else 0 for n, line in enumerate(self.lines)]
        if not any(weights):  # what is given away on the list may be sold by a campaign
            weights = [line.quantity if n in scope else 0 for n, line in enumerate(self.lines)]
        parts = spread(offer.value, weights) if scope else [0] * len(self.lines)
        return [parts[n] - amount if n in scope else 0 for n, amount in enumerate(self.amounts)]

    def _miss(self, offer: Offer, why: Text, short: tuple[int, int] | None = None) -> None:
        self.missed.append(Missed(offer.id, offer.words, why, short))

    def result(self) -> Priced:
        lines = tuple(
            PricedLine(line, amount, tuple(reasons))
            for line, amount, reasons in zip(
                self.lines, self.amounts, self.reasons, strict=True
            )
        )
        return Priced(lines, self.shipping, tuple(self.shipping_reasons), tuple(self.missed))


def _off(offer: Offer, base: int) -> int:
    """How much a percentage or an amount takes off, never more than there is."""
    off = base * min(offer.value, WHOLE) // WHOLE if offer.kind == "percent" else offer.value
    off = off if offer.cap_minor is None else min(off, offer.cap_minor)
    return max(0, min(off, base))


def _blocks(offer: Offer, base: int) -> int:
    """How many blocks of points fit: no point is spent for nothing."""
    base = base if offer.cap_minor is None else min(base, offer.cap_minor)
    return max(0, min(offer.value // offer.points_each, base // offer.minor_each))


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Whole parts of `total` in proportion to the weights, which add up to it (largest
    remainder; of equal remainders the first gets more). All weights 0: nothing can be spread."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for n in by_rest[: total - sum(parts)]:
        parts[n] += 1
    return parts


# the snapshot


def _snapshot(
    made: Priced, lines: Sequence[Line], offers: Sequence[Offer], at: datetime, shipping: int
) -> dict[str, Any]:
    return {
        "version": VERSION, "at": at.isoformat(), "shipping_minor": shipping,
        "lines": [dict(vars(line)) for line in lines],
        "offers": [_plain(offer) for offer in offers],
        "total_minor": made.total_minor,
    }  # fmt: skip


def _plain(offer: Offer) -> dict[str, Any]:
    times = {
        name: at.isoformat() if at else None
        for name, at in (("starts_at", offer.starts_at), ("ends_at", offer.ends_at))
    }
    words = {"en": offer.words.en, "zh": offer.words.zh}
    return {**vars(offer), **times, "words": words, "scope": list(offer.scope)}


def replay(snapshot: Mapping[str, Any]) -> Priced:
    """Reckons an order again from what was kept of it; the same outcome."""
    lines = [Line(**line) for line in snapshot["lines"]]
    offers = [_offer(plain) for plain in snapshot["offers"]]
    at = datetime.fromisoformat(snapshot["at"])
    return price(lines, offers, at=at, shipping_minor=snapshot["shipping_minor"])


def _offer(plain: Mapping[str, Any]) -> Offer:
    times = {
        name: datetime.fromisoformat(plain[name]) if plain[name] else None
        for name in ("starts_at", "ends_at")
    }
    more = {"words": Text(**plain["words"]), "scope": tuple(plain["scope"]), **times}
    return Offer(**{**plain, **more})
