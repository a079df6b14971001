"""What a coupon takes off, as the shop's reckoning of prices understands it."""

from __future__ import annotations

from qunluo.campaigns.mechanics.coupon import Rules
from qunluo.campaigns.mechanics.coupon_life import Coupon
from qunluo.commerce.pricing import WHOLE, Offer
from qunluo.kit.text import Text


def offer(rules: Rules, coupon: Coupon, id_: str) -> Offer:
    """The offer of one coupon; whether it counts is decided by the reckoning."""
    return Offer(
        id=id_, phase="coupon", kind="percent" if rules.percent else "amount",
        value=rules.percent * WHOLE // 100 if rules.percent else rules.off_minor,
        words=Text(rules.name, rules.name), group=rules.group, scope=rules.scope,
        threshold_minor=rules.threshold_minor, cap_minor=rules.cap_minor or None,
        starts_at=coupon.valid_from, ends_at=coupon.valid_until,
    )  # fmt: skip
