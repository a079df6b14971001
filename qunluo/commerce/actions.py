"""What is done in the shop; each in one transaction, with its event."""

from __future__ import annotations

from qunluo.commerce.catalogue import (
    do_add_variant,
    do_change_product,
    do_change_stock,
    do_change_variant,
    do_make_product,
)
from qunluo.commerce.offers import do_end_rule, do_make_rule
from qunluo.commerce.ordering import (
    Ask,
    Delivery,
    do_cancel,
    do_complete,
    do_expire,
    do_fulfil,
    do_order,
    quote,
)
from qunluo.commerce.paying import begin_payment, do_hear, do_pay
from qunluo.commerce.refunding import (
    do_confirm_refund,
    do_refund,
    do_refund_each,
    do_send_again,
)

__all__ = [
    "Ask", "Delivery", "begin_payment", "do_add_variant", "do_cancel", "do_change_product",
    "do_change_stock", "do_change_variant", "do_complete", "do_confirm_refund", "do_end_rule",
    "do_expire", "do_fulfil", "do_hear", "do_make_product", "do_make_rule",
    "do_order", "do_pay", "do_refund", "do_refund_each", "do_send_again", "quote",
]  # fmt: skip
