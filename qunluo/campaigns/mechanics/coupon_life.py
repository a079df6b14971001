"""A coupon's own life: who has it, which order it is in, and when it is over. Pure.

    issued ──lock──► locked ──use──► used ──refund, goods back──► returned (as issued again)
       │               └──release────────────────────────────────►┘
       └─expire──► expired      └─revoke──► revoked       (a returned one too)

What must hold: a coupon is in one order at most; an order that is called off gives it back, a
refund only when the goods come back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from qunluo.campaigns.mechanics.kernel import Frozen, Refused
from qunluo.kit.text import Text


class Coupon(Frozen):
    """One coupon of somebody's, good in [valid_from, valid_until)."""

    state: Literal["issued", "locked", "used", "returned", "expired", "revoked"] = "issued"
    valid_from: datetime
    valid_until: datetime
    order: str = ""


Event = Literal["lock", "use", "release", "refund", "refund_kept", "expire", "revoke"]
FREE = ("issued", "returned")
BACK = "back"  # returned, or expired where its time is over
NEXT = {
    ("locked", "use"): "used",
    ("used", "use"): "used",
    ("locked", "release"): BACK,
    ("used", "refund"): BACK,
    ("used", "refund_kept"): "used",
    ("issued", "revoke"): "revoked",
    ("returned", "revoke"): "revoked",
}
IN_ORDER = Refused(
    "in_order",
    Text(
        "It is in another order: pay that, or cancel it to use the coupon here.",
        "该券已用于另一笔订单，付款或取消那笔订单后再试。",
    ),
)
NOT_VALID = Refused(
    "not_valid", Text("It is not valid now: see its dates.", "不在有效期内，请查看使用时间。")
)
OVER = Refused("over", Text("It has been used, or is over.", "该券已使用或已失效。"))


def step(coupon: Coupon, event: Event, *, at: datetime, order: str = "") -> Coupon | Refused:
    """What becomes of a coupon. The same event of the same order changes nothing twice.

    `release`: its order was called off. `refund`: the order was refunded and its goods came
    back; `refund_kept`: money went back and the goods did not, so that the coupon stays used.
    """
    if event == "lock":
        return _lock(coupon, order, at)
    if event == "expire":
        due = coupon.state in FREE and at >= coupon.valid_until
        return coupon.model_copy(update={"state": "expired"}) if due else coupon
    after = NEXT.get((coupon.state, event))
    if after is None:
        return IN_ORDER if coupon.state == "locked" else OVER
    if coupon.order != order:
        return IN_ORDER
    return _back(coupon, at) if after == BACK else coupon.model_copy(update={"state": after})


def _lock(coupon: Coupon, order: str, at: datetime) -> Coupon | Refused:
    if coupon.state in ("locked", "used") and coupon.order == order:
        return coupon
    if coupon.state not in FREE:
        return IN_ORDER if coupon.state == "locked" else OVER
    if not coupon.valid_from <= at < coupon.valid_until:
        return NOT_VALID
    return coupon.model_copy(update={"state": "locked", "order": order})


def _back(coupon: Coupon, at: datetime) -> Coupon:
    state = "returned" if at < coupon.valid_until else "expired"
    return coupon.model_copy(update={"state": state, "order": ""})
