"""What can go wrong with standing and orders, in sentences a person can act on."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class NoOrderError(QunluoError):
    """A refund of an order that nobody told of."""

    code = "no_order"
    sentence = Text(
        "There is no order “{order}”. Tell of the order first, then of its refund.",
        "没有订单“{order}”，请先录入订单，再录入退款。",
    )


class OrderDiffersError(QunluoError):
    """The same number again, with another member or amount."""

    code = "order_differs"
    sentence = Text(
        "Order “{order}” is known with another member or amount. A correction is a refund and a "
        "new order.",
        "订单“{order}”已存在，但成员或金额不同。如需更正，请先退款再录入新订单。",
    )


class WrongAmountError(QunluoError):
    """An amount below zero, or a refund above what was paid."""

    code = "wrong_amount"
    sentence = Text(
        "The amount can't be {amount}: it must lie between 0 and {most}.",
        "金额不能是 {amount}，须在 0 到 {most} 之间。",
    )


class WrongCorrectionError(QunluoError):
    """Something that can't be set by hand, or not to that."""

    code = "wrong_correction"
    sentence = Text(
        "“{name}” can't be set to “{value}”. Choose one of the values that are offered.",
        "“{name}”不能设为“{value}”，请选择列出的值。",
    )


class CorrectionWhyError(QunluoError):
    """A correction without a reason."""

    code = "why_missing"
    sentence = Text("Please say why: the record keeps it.", "请填写原因，系统会留档。")
