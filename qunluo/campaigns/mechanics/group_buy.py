"""拼 group-buy: enough people buy together, or nobody does.

    (none) ──open──▶ forming ──leader paid──▶ open ──enough paid──▶ success
                        │                      │ │  join · paid · cancelled · quit
                        │ not paid             │ └─its time: paid ≥ size, or guaranteed──▶ success
                        ▼                      ▼
                      failed ◀──── its time, or nobody left

    success ── settle (each its own) ──▶ the difference of the tier is refunded
    failed ── refund (each its own) ──▶ every payment is back

What must hold: seats held + paid ≤ capacity, so that paid ≤ size; success comes once, and only
with enough payers or labelled as guaranteed by the merchant (buyers are never invented); a
member is in one live group of the activity; the clock is the leader's and stays when a leader
who quits hands over to the next payer; nothing ships before success; failed ⇒ all payments are
refunded, each in a transaction of its own, and what got lost on the way is asked for again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from qunluo.campaigns.mechanics.group_terms import (
    DIFFERENCE,
    ENOUGH,
    FAILED,
    FULL,
    HELD,
    IN_ONE,
    LEADING,
    NO_SUCH,
    NOT_IN,
    NOT_OPEN,
    QUITTED,
    SUCCEEDED,
    TOO_MANY,
    UNPAID,
    Rules,
    lint,
)
from qunluo.campaigns.mechanics.kernel import (
    CANCELLED,
    EXPIRE,
    PAID,
    REFUNDED,
    Act,
    Buy,
    Cancel,
    Claim,
    Done,
    Draw,
    Frozen,
    Grant,
    Mechanic,
    Notice,
    Refund,
    Refused,
    Revoke,
    Then,
)
from qunluo.campaigns.mechanics.steps import (
    CLOSE,
    HEARD,
    OVER,
    STALE,
    budget,
    decide_by,
    given_by,
    grant_of,
    ref_of,
    set_aside,
    who,
    whole,
    worth,
)
from qunluo.kit.text import Text

JOIN, QUIT, GUARANTEE, SETTLE, GIVE_BACK = "join", "quit", "guarantee", "settle", "refund"
AGAIN = timedelta(minutes=10)  # until what has not come back is asked for again


class Seat(Frozen):
    member: int
    ref: str
    quantity: int
    paid_at: datetime | None = None
    settled: bool = False


class Group(Frozen):
    """A group; until the leader has paid, `ends_at` is when that must be."""

    leader: int
    ends_at: datetime
    stage: Literal["forming", "open", "success", "failed"] = "forming"
    seats: tuple[Seat, ...] = ()
    orders: int = 0
    payers: int = 0  # at success
    guaranteed: bool = False
    off_minor: int = 0

    @property
    def paid(self) -> tuple[Seat, ...]:
        return tuple(seat for seat in self.seats if seat.paid_at)

    @property
    def runs(self) -> bool:
        return self.stage in ("forming", "open")

    def seat(self, ref: str) -> Seat | None:
        return next((seat for seat in self.seats if seat.ref == ref), None)

    def but(self, **change: Any) -> Group:
        return self.model_copy(update=change)


def _done(before: Group | None, after: Group, rules: Rules, at: datetime, **more: Any
          ) -> Done[Group]:  # fmt: skip
    given = given_by(more.get("grants", ()))
    moves = set_aside(_reserved(before, rules), _reserved(after, rules), given)
    return Done(after, moves=moves, deadline=_deadline(after, at), **more)


def _reserved(group: Group | None, rules: Rules) -> Counter[str]:
    return worth([rules.leader_bonus] if group is not None and group.runs else [])


def _deadline(group: Group, at: datetime) -> datetime | None:
    if group.runs:
        return group.ends_at + HEARD
    return at + AGAIN if _waiting(group) else None


def _waiting(group: Group) -> list[Seat]:
    """Whose money has still to go back."""
    if group.stage == "success" and not group.off_minor:
        return []
    return [seat for seat in group.paid if not seat.settled]


# joining


def _begin(act: Act, rules: Rules) -> Done[Group] | Refused:
    until = act.at + timedelta(minutes=rules.pay_minutes)
    return _take_seat(None, Group(leader=who(act), ends_at=until), act, rules)


def _join(group: Group, act: Act, rules: Rules, draw: Draw) -> Done[Group] | Refused:
    if not group.runs or (group.stage == "open" and act.at >= group.ends_at):
        return OVER
    if any(seat.member == act.member for seat in group.seats):
        return IN_ONE
    if group.stage == "forming":
        return NOT_OPEN
    if len(group.seats) >= rules.capacity:
        return FULL if len(group.paid) >= rules.capacity else HELD
    return _take_seat(group, group, act, rules)


def _take_seat(
    before: Group | None, group: Group, act: Act, rules: Rules
) -> Done[Group] | Refused:
    member, sku = who(act), str(act.data.get("sku", rules.prices[0].sku))
    price, pieces = (
        rules.price(sku),
        whole(act, "quantity", default=1, most=rules.quantity_most),
    )
    if price is None or pieces is None:
        return NO_SUCH if price is None else TOO_MANY
    ref = f"{act.play}:{group.orders + 1}"
    pay_by = min(act.at + timedelta(minutes=rules.pay_minutes), group.ends_at)
    seats = (*group.seats, Seat(member=member, ref=ref, quantity=pieces))
    return _done(
        before, group.but(seats=seats, orders=group.orders + 1), rules, act.at,
        claims=(Claim(f"live:{member}", 1, IN_ONE),
                Claim(f"times:{member}", rules.groups_each, ENOUGH)),
        orders=(Buy(ref, member, sku, pieces, price * pieces, pay_by),),
        answer={"ref": ref, "price_minor": price * pieces},
    )  # fmt: skip


def _paid(group: Group, act: Act, rules: Rules, draw: Draw) -> Done[Group] | Refused:
    """A seat that is held is confirmed; money for any other goes back."""
    seat = group.seat(ref_of(act))
    if seat is None or seat.paid_at or not group.runs or act.at >= group.ends_at:
        return STALE
    sure = seat.model_copy(update={"paid_at": act.at})
    after = group.but(seats=tuple(sure if s.ref == seat.ref else s for s in group.seats))
    if group.stage == "forming":
        until = act.at + timedelta(minutes=rules.minutes)
        after = after.but(stage="open", ends_at=until)
    if len(after.paid) == rules.capacity:
        return _succeed(group, after, act, rules)
    return _done(group, after, rules, act.at)


# leaving


def _quit(group: Group, act: Act, rules: Rules, draw: Draw) -> Done[Group] | Refused:
    seat = next((s for s in group.seats if s.member == act.member), None)
    if seat is None:
        return NOT_IN
    if not group.runs or act.at >= group.ends_at:
        return OVER
    ask = Refund(seat.ref, QUITTED) if seat.paid_at else Cancel(seat.ref, QUITTED)
    return _leave(group, seat, act, rules, ask)


def _cancelled(group: Group, act: Act, rules: Rules, draw: Draw) -> Done[Group] | Refused:
    seat = group.seat(ref_of(act))
    return STALE if seat is None or seat.paid_at else _leave(group, seat, act, rules)


def _refunded(group: Group, act: Act, rules: Rules, draw: Draw) -> Done[Group] | Refused:
    """Staff gave a payment back: before success the seat is free again."""
    seat = group.seat(ref_of(act))
    if seat is None or not seat.paid_at:
        return STALE
    if group.stage != "success":
        return _leave(group, seat, act, rules)
    bonus = Grant("leader", seat.member, act.play, "", 0).id
    back = (Revoke(bonus, QUITTED),) if seat.member == group.leader else ()
    return _done(group, _without(group, seat), rules, act.at,
                 frees=(f"times:{seat.member}",), revokes=back)  # fmt: skip


def _without(group: Group, seat: Seat) -> Group:
    return group.but(seats=tuple(s for s in group.seats if s.ref != seat.ref))


def _leave(group: Group, seat: Seat, act: Act, rules: Rules, *asks: Refund | Cancel
           ) -> Done[Group]:  # fmt: skip
    """A seat is free again; who has paid next leads when the leader leaves."""
    after, frees = _without(group, seat), _slots(seat)
    if not group.runs or seat.member != group.leader:
        return _done(group, after, rules, act.at, frees=frees, orders=asks)
    if not after.paid:
        return _fail(group, after, act, rules, frees=frees, orders=asks)
    heir = min(after.paid, key=lambda s: (s.paid_at, s.ref)).member
    return _done(group, after.but(leader=heir), rules, act.at, frees=frees, orders=asks,
                 notices=(Notice(heir, LEADING),))  # fmt: skip


def _slots(seat: Seat) -> tuple[str, str]:
    return f"live:{seat.member}", f"times:{seat.member}"


# deciding


def _expire(group: Group, act: Act, rules: Rules, draw: Draw) -> Done[Group] | Refused:
    if group.runs:
        return STALE if act.at < group.ends_at + HEARD else _decide_now(group, act, rules)
    if not _waiting(group):
        return STALE
    return _done(group, group, rules, act.at, then=_ask_again(group, act))


def _decide_now(group: Group, act: Act, rules: Rules) -> Done[Group]:
    by_merchant = 0 < rules.guarantee_from <= len(group.paid) and act.kind == EXPIRE
    enough = len(group.paid) >= rules.size or by_merchant
    return (_succeed if enough else _fail)(group, group, act, rules)


def _guarantee(group: Group, act: Act, rules: Rules, draw: Draw) -> Done[Group] | Refused:
    """The merchant completes a group with those who have paid, and says so."""
    return _succeed(group, group, act, rules) if group.runs and group.paid else OVER


def _close(group: Group, act: Act, rules: Rules, draw: Draw) -> Done[Group] | Refused:
    return _decide_now(group, act, rules) if group.runs else OVER


def _succeed(before: Group, group: Group, act: Act, rules: Rules) -> Done[Group]:
    payers = len(group.paid)
    after = group.but(
        stage="success", seats=group.paid, payers=payers, off_minor=rules.off(payers),
        guaranteed=payers < rules.size,
    )  # fmt: skip
    cancels, frees = _call_off(group)
    return _done(
        before, after, rules, act.at,
        orders=cancels, frees=(*frees, *(f"live:{seat.member}" for seat in after.seats)),
        grants=_bonus(after, act, rules), then=_ask_again(after, act),
        notices=tuple(Notice(seat.member, SUCCEEDED) for seat in after.seats),
    )  # fmt: skip


def _bonus(group: Group, act: Act, rules: Rules) -> tuple[Grant, ...]:
    return tuple(
        grant_of(reward, "leader", group.leader, act.play, at=act.at, days=rules.hold_days)
        for reward in [rules.leader_bonus] if reward
    )  # fmt: skip


def _fail(before: Group, group: Group, act: Act, rules: Rules, *,
          frees: tuple[str, ...] = (), orders: tuple[Refund | Cancel, ...] = (),
          ) -> Done[Group]:  # fmt: skip
    after = group.but(stage="failed", seats=group.paid)
    cancels, freed = _call_off(group)
    return _done(
        before, after, rules, act.at, frees=(*frees, *freed), orders=(*orders, *cancels),
        then=_ask_again(after, act),
        notices=tuple(Notice(seat.member, FAILED) for seat in after.seats),
    )  # fmt: skip


def _call_off(group: Group) -> tuple[tuple[Cancel, ...], tuple[str, ...]]:
    held = [seat for seat in group.seats if not seat.paid_at]
    cancels = tuple(Cancel(seat.ref, UNPAID) for seat in held)
    return cancels, tuple(slot for seat in held for slot in _slots(seat))


# money that goes back, each in a transaction of its own


def _ask_again(group: Group, act: Act) -> tuple[Then, ...]:
    kind = SETTLE if group.stage == "success" else GIVE_BACK
    return tuple(
        Then(act.play, kind, f"{kind}:{seat.ref}", seat.member, {"ref": seat.ref})
        for seat in _waiting(group)
    )


def _settle(group: Group, act: Act, rules: Rules, draw: Draw) -> Done[Group] | Refused:
    seat = group.seat(ref_of(act))
    if group.stage != "success" or seat is None or seat not in _waiting(group):
        return STALE
    done = seat.model_copy(update={"settled": True})
    after = group.but(seats=tuple(done if s.ref == seat.ref else s for s in group.seats))
    ask = Refund(seat.ref, DIFFERENCE, group.off_minor * seat.quantity)
    return _done(group, after, rules, act.at, orders=(ask,))


def _give_back(group: Group, act: Act, rules: Rules, draw: Draw) -> Done[Group] | Refused:
    seat = group.seat(ref_of(act))
    if group.stage != "failed" or seat is None:
        return STALE
    return _leave(group, seat, act, rules, Refund(seat.ref, FAILED))


# telling


def _broken(group: Group, rules: Rules) -> list[str]:
    members = [seat.member for seat in group.seats]
    won = group.stage == "success"
    wrong = {
        "more seats than there are": len(group.seats) > rules.capacity,
        "a member has two seats": len(set(members)) < len(members),
        "a group without its leader": group.runs and group.leader not in members,
        "success without payers": won and group.payers < rules.size and not group.guaranteed,
        "a full group labelled as guaranteed": group.guaranteed and group.payers >= rules.size,
        "an unpaid seat in a group that is decided": not group.runs
        and len(group.paid) < len(group.seats),
        "full, and not decided": group.runs and len(group.paid) >= rules.capacity,
    }
    return [name for name, is_so in wrong.items() if is_so]


def _shown(group: Group, rules: Rules, member: int | None) -> Mapping[str, Any]:
    mine = next((seat for seat in group.seats if seat.member == member), None)
    return {
        "stage": group.stage, "leader": group.leader, "paid": len(group.paid),
        "held": len(group.seats) - len(group.paid), "size": rules.size,
        "capacity": rules.capacity, "missing": max(0, rules.size - len(group.paid)),
        "ends_at": group.ends_at.isoformat(), "guaranteed": group.guaranteed,
        "off_minor": group.off_minor if group.stage == "success" else rules.off(len(group.paid)),
        "members": [seat.member for seat in group.paid], "mine": mine is not None,
        "ref": mine.ref if mine else "", "i_paid": bool(mine and mine.paid_at),
        "may_join": group.stage == "open" and mine is None
        and len(group.seats) < rules.capacity,
        "may_quit": group.runs and mine is not None,
    }  # fmt: skip


# fmt: off
MECHANIC = Mechanic(
    name="group_buy",
    label=Text("Group-buy", "拼团"),
    gist=Text("Enough people buy together, each for less.", "凑够人数一起买，人人享低价。"),
    use=Text("Everyday goods with a clear price advantage; to bring friends of buyers in.",
             "价格优势明显的日常商品；想让买家带来好友时。"),
    avoid=Text("Goods that are scarce, or that people need at once.", "库存紧张或需要立即到手的商品。"),
    rules=Rules, state=Group,
    decide=decide_by(
        _begin, members={JOIN: _join, QUIT: _quit},
        others={PAID: _paid, CANCELLED: _cancelled, REFUNDED: _refunded, EXPIRE: _expire,
                SETTLE: _settle, GIVE_BACK: _give_back, GUARANTEE: _guarantee, CLOSE: _close}),
    play_of=lambda act, rules: "",
    supplies=lambda rules: budget(worth([rules.leader_bonus]), rules.groups),
    broken=_broken, lint=lint, shown=_shown,
    ships=lambda group, ref: group.stage == "success" and group.seat(ref) is not None,
    follows=frozenset({SETTLE, GIVE_BACK}), staff=frozenset({GUARANTEE, CLOSE}),
)
