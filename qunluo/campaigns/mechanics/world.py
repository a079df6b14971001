"""Carries decisions out, in memory: every act whole or not at all.

The same code is behind what is live (which loads the rows an act touches into a `World`, lets
it act, and writes what changed), behind simulations and behind the tests of the mechanics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal, TypeVar

from qunluo.campaigns.mechanics.kernel import (
    BUDGET,
    CANCELLED,
    EXPIRE,
    OUT,
    PAID,
    REFUNDED,
    RESERVED,
    Act,
    Buy,
    Cancel,
    Claim,
    Done,
    Draw,
    Frozen,
    Grant,
    Mechanic,
    Move,
    Notice,
    Refund,
    Refused,
    Revoke,
    Then,
)
from qunluo.kit.text import Text

Place = tuple[str, str]  # unit, place
OrderState = Literal["open", "paid", "cancelled", "refunded"]
Key = TypeVar("Key")
Value = TypeVar("Value")
STOCK = "stock"  # of each `sku:…`
AUTOMATIC = Text(
    "Your payment came too late and goes back to you.", "付款已超时，款项将原路退回。"
)
LATE = Refused("late", AUTOMATIC)


@dataclass(frozen=True)
class Play:
    """One instance: a team, a task, somebody's bargain. `revision` counts its acts."""

    key: str
    state: Frozen
    revision: int = 1
    deadline: datetime | None = None
    starter: int | None = None


@dataclass(frozen=True)
class Granted:
    """A grant and what became of it: pending (waits), paid, or clawed back."""

    grant: Grant
    play: str
    state: Literal["pending", "paid", "clawed_back"] = "pending"


@dataclass(frozen=True)
class Order:
    buy: Buy
    play: str
    state: OrderState = "open"
    refunded_minor: int = 0


@dataclass(frozen=True)
class Posting:
    """A move as it was made, between two accounts."""

    unit: str
    source: str
    target: str
    amount: int
    leg: str


@dataclass
class World:
    """The accounts, slots, plays, grants and orders of one campaign.

    Rows that are looked for and not there count as empty: a live world overrides the
    `load_…` methods and so sees the database instead.
    """

    mechanic: Mechanic
    rules: Any
    seed: bytes = b"seed"
    balances: dict[Place, int] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)
    plays: dict[str, Play] = field(default_factory=dict)
    grants: dict[str, Granted] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    answers: dict[str, Done[Any]] = field(default_factory=dict)  # by the key of the act
    postings: list[Posting] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    waiting: list[tuple[Then, datetime]] = field(default_factory=list)
    undo: list[Callable[[], object]] = field(default_factory=list)  # of the act that runs

    # what a live world loads

    def load_balance(self, place: Place) -> int:
        return 0

    def load_slot(self, slot: str) -> int:
        return 0

    def load_play(self, key: str) -> Play | None:
        return None

    def load_grant(self, grant: str) -> Granted | None:
        return None

    def load_order(self, ref: str) -> Order | None:
        return None

    def load_answer(self, key: str) -> Done[Any] | None:
        return None

    def load_all_plays(self) -> Mapping[str, Play]:
        return self.plays

    # reading

    def balance(self, unit: str, place: str) -> int:
        where = (unit, place)
        if where not in self.balances:
            self.balances[where] = self.load_balance(where)
        return self.balances[where]

    def slot(self, name: str) -> int:
        if name not in self.slots:
            self.slots[name] = self.load_slot(name)
        return self.slots[name]

    def play(self, key: str) -> Play | None:
        if key not in self.plays:
            found = self.load_play(key)
            if found is None:
                return None
            self.plays[key] = found
        return self.plays[key]

    def grant(self, grant: str) -> Granted | None:
        if grant not in self.grants:
            found = self.load_grant(grant)
            if found is None:
                return None
            self.grants[grant] = found
        return self.grants[grant]

    def order(self, ref: str) -> Order | None:
        if ref not in self.orders:
            found = self.load_order(ref)
            if found is None:
                return None
            self.orders[ref] = found
        return self.orders[ref]

    def total(self, unit: str) -> int:
        """The sum of all accounts of a unit; 0 at any time, since every move is balanced."""
        return sum(n for (of_unit, _), n in self.balances.items() if of_unit == unit)

    # acting

    def fund(self, unit: str, place: str, amount: int) -> None:
        """Value comes in from outside."""
        self._move(Move(unit, OUT, place, amount), "", "fund")

    def act(self, play: str, act: Act) -> Done[Any] | Refused:
        """Lets an act happen in a play; the same key again answers as the first time."""
        if act.key and (earlier := self._answered(act.key)) is not None:
            return earlier
        before = self.play(play)
        act = self._told(play, act)
        revision = before.revision if before else 0
        draw = Draw(self.seed, f"{play}:{revision}")
        state = before.state if before else None
        decision = self.mechanic.decide(state, act, self.rules, draw)
        if isinstance(decision, Refused):
            return decision
        with self._whole() as kept:
            refused = self._carry_out(play, act, decision, before)
            if refused is None:
                kept.append(True)
        if refused is not None:
            return refused
        if act.key:
            self.answers[act.key] = decision
        return decision

    def _answered(self, key: str) -> Done[Any] | None:
        return self.answers.get(key) or self.load_answer(key)

    def _told(self, play: str, act: Act) -> Act:
        names = self.mechanic.reads(self.rules)
        pools = {place: self.balance(unit, place) for unit, place in map(_split, names)}
        plays: Mapping[str, Frozen] = {}
        if act.kind in self.mechanic.gathers:
            plays = {key: found.state for key, found in self.load_all_plays().items()}
        return replace(act, pools=pools, plays=plays, play=play)

    def _carry_out(
        self, play: str, act: Act, done: Done[Any], before: Play | None
    ) -> Refused | None:
        revision = (before.revision if before else 0) + 1
        starter = before.starter if before else act.member
        self._put(self.plays, play, Play(play, done.state, revision, done.deadline, starter))
        for slot in done.frees:
            self._put(self.slots, slot, max(0, self.slot(slot) - 1))
        for claim in sorted(done.claims, key=lambda c: c.slot):
            if (refused := self._claim(claim)) is not None:
                return refused
        return self._carry_value(play, act, done, revision)

    def _carry_value(
        self, play: str, act: Act, done: Done[Any], revision: int
    ) -> Refused | None:
        leg = f"{play}:{revision}"
        for revoke in done.revokes:  # first, so that what comes back can be set aside again
            self.revoke(revoke)
        for number, move in enumerate(done.moves):
            if (refused := self._move(move, play, f"{leg}:{number}")) is not None:
                return refused
        for grant in done.grants:
            if (refused := self._give(grant, play)) is not None:
                return refused
        for name in done.vests:
            self.vest(name)
        for ask in done.orders:
            if (refused := self.ask(ask, play)) is not None:
                return refused
        self.notices += done.notices
        self.waiting += ((then, act.at) for then in done.then)
        return None

    def _claim(self, claim: Claim) -> Refused | None:
        if self.slot(claim.slot) >= claim.most:
            return claim.refused
        self._put(self.slots, claim.slot, self.slots[claim.slot] + 1)
        return None

    def _move(self, move: Move, play: str, leg: str) -> Refused | None:
        if move.amount < 0:
            raise ValueError("a move goes one way")
        source, target = _within(move.source, play), _within(move.target, play)
        there = self.balance(move.unit, source)
        if source == OUT or there >= move.amount:
            self._post(move.unit, source, target, move.amount, leg)
            return None
        if not move.owe:
            return move.refused
        self._post(move.unit, source, target, max(0, there), leg)
        self._post(
            move.unit, f"owed:{source}", target, move.amount - max(0, there), f"{leg}:owed"
        )
        return None

    def _post(self, unit: str, source: str, target: str, amount: int, leg: str) -> None:
        if amount == 0:
            return
        for place, change in ((source, -amount), (target, amount)):
            self._put(self.balances, (unit, place), self.balance(unit, place) + change)
        self.postings.append(Posting(unit, source, target, amount, leg))

    # grants

    def _give(self, grant: Grant, play: str) -> Refused | None:
        if self.grant(grant.id) is not None:
            return None  # one for each (rule, member, cause), whatever asks again
        move = Move(grant.unit, grant.source, f"grant:{grant.id}", grant.amount)
        if (refused := self._move(move, play, f"grant:{grant.id}")) is not None:
            return refused
        self._put(self.grants, grant.id, Granted(grant, play))
        if grant.vests == "now":
            self.vest(grant.id)
        return None

    def vest(self, name: str) -> bool:
        """Pays a grant that waits; whether it did."""
        found = self.grant(name)
        if found is None or found.state != "pending":
            return False
        grant = found.grant
        self._post(grant.unit, f"grant:{name}", f"member:{grant.member}", grant.amount,
                   f"vest:{name}")  # fmt: skip
        self._put(self.grants, name, replace(found, state="paid"))
        return True

    def vest_due(self, now: datetime) -> list[str]:
        """Pays every grant whose time has come."""
        due = [
            name for name, g in self.grants.items()
            if g.grant.vests == "at" and g.grant.vests_at and g.grant.vests_at <= now
        ]  # fmt: skip
        return [name for name in due if self.vest(name)]

    def revoke(self, revoke: Revoke) -> bool:
        """Takes a grant back once; what the member has spent meanwhile is owed."""
        found = self.grant(revoke.grant)
        if found is None or found.state == "clawed_back":
            return False
        grant = found.grant
        waits = found.state == "pending"
        source = f"grant:{revoke.grant}" if waits else f"member:{grant.member}"
        back = grant.source if grant.source.startswith("pool:") else BUDGET
        self._move(Move(grant.unit, source, back, grant.amount, owe=not waits), found.play,
                   f"revoke:{revoke.grant}")  # fmt: skip
        self._put(self.grants, revoke.grant, replace(found, state="clawed_back"))
        return True

    # orders, as commerce carries them out: goods are in `STOCK`, then in the order

    def ask(self, ask: Buy | Cancel | Refund, play: str) -> Refused | None:
        """Opens, calls off or refunds an order; refused where the goods are gone."""
        found = self.order(ask.ref)
        if isinstance(ask, Buy):
            return self._buy(ask, play) if found is None else None
        if found is None:
            return None
        if isinstance(ask, Cancel):
            if found.state == "open":
                self._call_off(found)
        elif found.state == "paid":
            self._refund(ask, found)
        return None

    def _buy(self, buy: Buy, play: str) -> Refused | None:
        if (refused := self._goods(buy, STOCK, f"order:{buy.ref}")) is None:
            self._put(self.orders, buy.ref, Order(buy, play))
        return refused

    def _goods(self, buy: Buy, source: str, target: str) -> Refused | None:
        move = Move(f"sku:{buy.sku}", source, target, buy.quantity)
        return self._move(move, "", f"goods:{buy.ref}:{target}")

    def _call_off(self, found: Order) -> None:
        self._goods(found.buy, f"order:{found.buy.ref}", STOCK)
        self._put(self.orders, found.buy.ref, replace(found, state="cancelled"))

    def _refund(self, ask: Refund, found: Order) -> None:
        left = found.buy.amount_minor - found.refunded_minor
        amount = left if ask.amount_minor is None else min(left, ask.amount_minor)
        total = found.refunded_minor + amount
        whole = total == found.buy.amount_minor
        if whole:
            self._goods(found.buy, f"order:{ask.ref}", STOCK)
        state: OrderState = "refunded" if whole else "paid"
        self._put(self.orders, ask.ref, replace(found, refunded_minor=total, state=state))

    def pay(self, ref: str, at: datetime) -> Done[Any] | Refused:
        """A payment arrives, early or late, once or many times. Money that the mechanic does
        not take any more goes back (K8)."""
        found = self.orders[ref]
        again = f"paid:{ref}"
        if found.state == "refunded" and not self._answered(again):
            return LATE  # it went back already, and stays so
        if found.state == "cancelled" and not self._goods_again(found):
            back = found.buy.amount_minor
            self._put(self.orders, ref, replace(found, state="refunded", refunded_minor=back))
            return LATE
        if found.state in ("open", "cancelled"):
            self._put(self.orders, ref, replace(found, state="paid"))
        answer = self.act(found.play, Act(PAID, at, found.buy.member, again, {"ref": ref}))
        if isinstance(answer, Refused) and self.orders[ref].state == "paid":
            self._refund(Refund(ref, AUTOMATIC), self.orders[ref])
        return answer

    def _goods_again(self, found: Order) -> bool:
        return self._goods(found.buy, STOCK, f"order:{found.buy.ref}") is None

    def cancel(self, ref: str, at: datetime) -> Done[Any] | Refused | None:
        """An order that was not paid is called off by the member or by its time."""
        found = self.orders[ref]
        if found.state != "open":
            return None
        self._call_off(found)
        return self.act(
            found.play, Act(CANCELLED, at, found.buy.member, f"cancelled:{ref}", {"ref": ref})
        )

    def refund(self, ref: str, at: datetime) -> Done[Any] | Refused | None:
        """A paid order is refunded in full after the fact."""
        found = self.orders[ref]
        if found.state != "paid":
            return None
        self._refund(Refund(ref, AUTOMATIC), found)
        return self.act(
            found.play, Act(REFUNDED, at, found.buy.member, f"refunded:{ref}", {"ref": ref})
        )

    # time

    def tick(self, now: datetime) -> int:
        """Everything that is due: what follows from earlier acts, the clocks of plays, orders
        that were not paid, grants that vest. Answers how much there was."""
        return sum((self._follow(), self._cancel_unpaid(now), self._expire(now),
                    len(self.vest_due(now))))  # fmt: skip

    def _follow(self) -> int:
        done = 0
        while self.waiting:
            then, at = self.waiting.pop(0)
            self.act(then.play, Act(then.kind, at, then.member, then.key, then.data))
            done += 1
        return done

    def _cancel_unpaid(self, now: datetime) -> int:
        due = [r for r, o in self.orders.items() if o.state == "open" and o.buy.pay_by <= now]
        for ref in due:
            self.cancel(ref, now)
        return len(due)

    def _expire(self, now: datetime) -> int:
        due = [p for p in self.plays.values() if p.deadline and p.deadline <= now]
        for play in due:
            key = f"expire:{play.key}:{play.revision}"
            self.act(play.key, Act(EXPIRE, now, None, key))
        return len(due)

    # checks

    def broken(self) -> list[str]:
        """What must hold and does not: balance, no account below nothing, and each play's own."""
        result = [f"{unit} does not add up" for unit in self._units() if self.total(unit)]
        for (unit, place), amount in self.balances.items():
            if amount < 0 and place != OUT and not place.startswith("owed:"):
                result.append(f"{place} has {amount} {unit}")
        for play in self.plays.values():
            said = self.mechanic.broken(play.state, self.rules)
            result += [f"{play.key}: {sentence}" for sentence in said]
        return result

    def _units(self) -> Iterable[str]:
        return {unit for unit, _ in self.balances}

    @contextmanager
    def _whole(self) -> Iterator[list[bool]]:
        """Everything written since is undone unless the list says that it counts. What was only
        read stays known."""
        kept: list[bool] = []
        self.undo = []
        lists: tuple[list[Any], ...] = (self.postings, self.notices, self.waiting)
        lengths = [len(each) for each in lists]
        try:
            yield kept
        finally:  # also where something broke on the way
            if not kept:
                for back in reversed(self.undo):
                    back()
                for each, length in zip(lists, lengths, strict=True):
                    del each[length:]

    def _put(self, rows: dict[Key, Value], key: Key, value: Value) -> None:
        """Writes so that it can be undone."""
        there = rows.get(key)
        self.undo.append(
            partial(rows.pop, key) if there is None else partial(rows.__setitem__, key, there)
        )
        rows[key] = value


def _within(place: str, play: str) -> str:
    """Reserved value is kept play by play."""
    return f"{RESERVED}:{play}" if place == RESERVED else place


def _split(name: str) -> Place:
    """`unit@place` of a pool that a mechanic reads."""
    unit, _, place = name.partition("@")
    return unit, place
