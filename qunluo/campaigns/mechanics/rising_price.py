"""阶梯涨价 rising price: the first pieces cost least, and each step costs more.

    the sale:   (none) ──open or the first buy──▶ selling ──close──▶ closed
    an order:   buy ──▶ open ──paid──▶ paid ──refunded──▶ back
                          └──cancelled──▶ back

The pieces taken are counted under the lock of the one play there is. The next buyer gets the
numbers that follow, and each number has its price: a quantity may straddle steps. What is called
off or refunded gives its places back, so that nobody can drive the price up by orders they never
pay.

What must hold: what is charged is what was quoted, else the order is refused and the new price
shown; pieces taken = pieces of orders that are open or paid ≤ pieces there are; nobody has more
than the limit; the pieces of an order come back once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import Field

from qunluo.campaigns.mechanics.kernel import (
    CANCELLED,
    PAID,
    REFUNDED,
    RESERVED,
    SOLD_OUT,
    SPENT,
    Act,
    Buy,
    Cancel,
    Claim,
    Done,
    Draw,
    Finding,
    Frozen,
    Mechanic,
    Move,
    Refused,
    Supply,
    pool,
)
from qunluo.campaigns.mechanics.parameters import error, findings, parameter, warning
from qunluo.campaigns.mechanics.steps import (
    CLOSE,
    OVER,
    STALE,
    decide_by,
    no,
    ref_of,
    who,
    whole,
)
from qunluo.kit.text import Text

BUY, CANCEL = "buy", "cancel"
SALE = "sale"  # the one play
PIECE, PIECES = "piece", pool("pieces")

# fmt: off
CHANGED = no("changed", "The price has changed meanwhile: look again, then order.",
             "价格刚刚变动了，请刷新后再下单。")
LIMIT = no("limit", "That is more than one member may buy: order fewer pieces.",
           "超出每人限购数量，请减少件数。")
FEWER = no("fewer", "Fewer pieces than that are left: order fewer.", "剩余不足，请减少件数。")
CALLED_OFF = Text("You have called this order off.", "你已取消该订单。")
# fmt: on


class Step(Frozen):
    """So many pieces at this price."""

    pieces: int = Field(ge=1, le=10**6)
    price_minor: int = Field(ge=1, le=10**9)


class Rules(Frozen):
    """What the operator sets."""

    # fmt: off
    sku: str = parameter(
        Text("Product", "商品"), Text("What is sold.", "参加涨价销售的商品规格。"), "sku",
        min_length=1, max_length=60)
    steps: tuple[Step, ...] = parameter(
        Text("Price steps", "价格阶梯"),
        Text("How many pieces at which price, from the first to the last.",
             "从第一件起，每级多少件、什么价格。"),
        "steps", min_length=1, max_length=50)
    per_member: int = parameter(
        Text("Per member", "每人限购"), Text("How many pieces a member may buy.", "每人最多几件。"),
        "piece", default=1, ge=1, le=100)
    pay_minutes: int = parameter(
        Text("Time to pay", "付款时限"),
        Text("An order that is not paid by then is called off.", "超时未付款的订单自动取消。"),
        "minute", default=10, ge=1, le=1440)
    # fmt: on

    @property
    def pieces(self) -> int:
        return sum(step.pieces for step in self.steps)


class Bought(Frozen):
    """An order that is not paid yet; its first piece is number `first`."""

    ref: str
    member: int
    quantity: int
    first: int
    amount_minor: int


class Sale(Frozen):
    taken: int = 0
    asked: int = 0
    open: tuple[Bought, ...] = ()
    closed: bool = False


def price_of(number: int, rules: Rules) -> int:
    """What the piece with this number costs, from 1 on, in minor units."""
    last = 0
    for step in rules.steps:
        last += step.pieces
        if number <= last:
            return step.price_minor
    raise ValueError(f"there is no piece {number}")


def quote(taken: int, quantity: int, rules: Rules) -> int:
    """What the next `quantity` pieces cost when so many are taken."""
    return sum(price_of(taken + n, rules) for n in range(1, quantity + 1))


def quantity_of(ref: str) -> int:
    """How many pieces an order has. Its name says so: what is paid needs no place in the state."""
    return int(ref.rpartition("x")[2])


def _begin(act: Act, rules: Rules) -> Done[Sale]:
    return Done(Sale())


def _buy(sale: Sale, act: Act, rules: Rules, draw: Draw) -> Done[Sale] | Refused:
    quantity = whole(act, "quantity", default=1, most=rules.per_member)
    if (why := _no_buy(sale, quantity, rules)) is not None:
        return why
    amount = quote(sale.taken, quantity or 0, rules)
    if act.data.get("quoted_minor") != amount:
        return CHANGED
    return _sell(sale, act, quantity or 0, amount, rules)


def _no_buy(sale: Sale, quantity: int | None, rules: Rules) -> Refused | None:
    if sale.closed:
        return OVER
    if sale.taken >= rules.pieces:
        return SOLD_OUT
    if quantity is None:
        return LIMIT
    return FEWER if sale.taken + quantity > rules.pieces else None


def _sell(sale: Sale, act: Act, quantity: int, amount: int, rules: Rules) -> Done[Sale]:
    member, number = who(act), sale.asked + 1
    ref = f"{act.play}:{number}x{quantity}"
    bought = Bought(ref=ref, member=member, quantity=quantity, first=sale.taken + 1,
                    amount_minor=amount)  # fmt: skip
    after = Sale(taken=sale.taken + quantity, asked=number, open=(*sale.open, bought))
    pay_by = act.at + timedelta(minutes=rules.pay_minutes)
    return Done(
        after,
        claims=(Claim(f"buyer:{member}", rules.per_member, LIMIT),) * quantity,
        moves=(Move(PIECE, PIECES, RESERVED, quantity),),
        orders=(Buy(ref, member, rules.sku, quantity, amount, pay_by),),
        answer={"ref": ref, "amount_minor": amount, "first": bought.first},
    )


def _paid(sale: Sale, act: Act, rules: Rules, draw: Draw) -> Done[Sale] | Refused:
    """The places are the member's until they are called off; money after that goes back."""
    found = _find(sale, act)
    if found is None:
        return STALE
    move = Move(PIECE, RESERVED, SPENT, found.quantity)
    return Done(_without(sale, found), moves=(move,))


def _cancel(sale: Sale, act: Act, rules: Rules, draw: Draw) -> Done[Sale] | Refused:
    found = _find(sale, act)
    if found is None or found.member != act.member:
        return STALE
    return _give_back(_without(sale, found), found.ref, found.member, RESERVED,
                      Cancel(found.ref, CALLED_OFF))  # fmt: skip


def _cancelled(sale: Sale, act: Act, rules: Rules, draw: Draw) -> Done[Sale] | Refused:
    found = _find(sale, act)
    if found is None:
        return STALE
    return _give_back(_without(sale, found), found.ref, found.member, RESERVED)


def _refunded(sale: Sale, act: Act, rules: Rules, draw: Draw) -> Done[Sale] | Refused:
    """Of an order that was paid; one that was called off before has given its pieces back."""
    if _find(sale, act) is not None:
        return STALE
    return _give_back(sale, ref_of(act), who(act), SPENT)


def _give_back(sale: Sale, ref: str, member: int, source: str, *asks: Cancel) -> Done[Sale]:
    quantity = quantity_of(ref)
    return Done(
        sale.model_copy(update={"taken": sale.taken - quantity}),
        claims=(Claim(f"back:{ref}", 1, STALE),),
        frees=(f"buyer:{member}",) * quantity,
        moves=(Move(PIECE, source, PIECES, quantity, STALE),),
        orders=asks,
    )


def _find(sale: Sale, act: Act) -> Bought | None:
    return next((bought for bought in sale.open if bought.ref == ref_of(act)), None)


def _without(sale: Sale, found: Bought) -> Sale:
    return sale.model_copy(update={"open": tuple(b for b in sale.open if b is not found)})


def _close(sale: Sale, act: Act, rules: Rules, draw: Draw) -> Done[Sale] | Refused:
    """Nothing more is sold; who has ordered may pay."""
    return OVER if sale.closed else Done(sale.model_copy(update={"closed": True}))


_STEPS = decide_by(
    _begin,
    members={BUY: _buy, CANCEL: _cancel, REFUNDED: _refunded},
    others={PAID: _paid, CANCELLED: _cancelled, CLOSE: _close},
)


def _decide(sale: Sale | None, act: Act, rules: Rules, draw: Draw) -> Done[Sale] | Refused:
    """The first who buys begins the sale."""
    begins = sale is None and act.kind == BUY
    return _STEPS(Sale() if begins else sale, act, rules, draw)


# telling


def _broken(sale: Sale, rules: Rules) -> list[str]:
    held = sum(bought.quantity for bought in sale.open)
    wrong = {
        "more is taken than there is": not 0 <= sale.taken <= rules.pieces,
        "more is held than taken": held > sale.taken,
        "a charge that is not the price": any(
            b.amount_minor != quote(b.first - 1, b.quantity, rules) for b in sale.open
        ),
        "an order that doesn't say how much it is": any(
            quantity_of(b.ref) != b.quantity for b in sale.open
        ),
    }
    return [name for name, is_so in wrong.items() if is_so]


def _lint(rules: Rules) -> list[Finding]:
    prices = [step.price_minor for step in rules.steps]
    # fmt: off
    return findings(
        (prices != sorted(set(prices)),
         error("steps", "not_rising", "Each step must cost more than the one before.",
               "每一级价格都必须高于前一级。")),
        (len(prices) == 1,
         warning("steps", "one_step", "With one step the price never rises.", "只有一级，价格不会上涨。")),
        (rules.per_member > rules.steps[0].pieces,
         warning("per_member", "first_step_gone",
                 "One member can take all of the first step.", "一位成员就能买完第一级的全部数量。")),
    )
    # fmt: on


def _shown(sale: Sale, rules: Rules, member: int | None) -> Mapping[str, Any]:
    left = rules.pieces - sale.taken
    return {
        "taken": sale.taken, "left": left, "closed": sale.closed,
        "price_minor": price_of(sale.taken + 1, rules) if left else None,
        "quotes_minor": [quote(sale.taken, n, rules)
                         for n in range(1, min(rules.per_member, left) + 1)],
        "steps": [{"pieces": s.pieces, "price_minor": s.price_minor} for s in rules.steps],
        "refs": [b.ref for b in sale.open if b.member == member],
        "may_buy": left > 0 and not sale.closed,
    }  # fmt: skip


# fmt: off
MECHANIC = Mechanic(
    name="rising_price",
    label=Text("Rising price", "阶梯涨价"),
    gist=Text("The first buy cheapest; with every step the price rises.", "先买先便宜，越买越贵。"),
    use=Text("Presales, courses and tickets, where deciding early shall pay.",
             "预售、课程、门票等鼓励尽早下单的商品。"),
    avoid=Text("Everyday goods: who comes late feels punished.", "日常商品：来晚的成员会觉得吃亏。"),
    rules=Rules, state=Sale, decide=_decide,
    play_of=lambda act, rules: SALE,
    supplies=lambda rules: (Supply(PIECES, PIECE, rules.pieces),),
    broken=_broken, lint=_lint, shown=_shown,
    staff=frozenset({CLOSE}), within=frozenset({BUY}),
)
