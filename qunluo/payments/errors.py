"""What a person can put right when paying."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class PlatformSilentError(QunluoError):
    code = "platform_silent"
    sentence = Text(
        "Whoever takes the money does not answer just now. Nothing was charged: try again in a "
        "minute, or pay another way.",
        "收款方暂时没有响应，没有产生扣款。请稍后再试，或换一种方式付款。",
    )


class PlatformRefusedError(QunluoError):
    code = "platform_refused"
    sentence = Text(
        "This way to pay does not work for this order. Nothing was charged: pay another way.",
        "该订单无法使用这种方式付款，没有产生扣款，请换一种方式。",
    )


class NoReferenceError(QunluoError):
    code = "no_reference"
    sentence = Text(
        "Write the reference of the transfer, as the bank's statement shows it.",
        "请填写银行流水中的转账凭证号。",
    )


class ReferenceTakenError(QunluoError):
    """One transfer pays one order."""

    code = "reference_taken"
    sentence = Text(
        "The transfer {reference} was confirmed before, for the order {number}.",
        "转账凭证 {reference} 已用于确认订单 {number}。",
    )


class WrongTransferError(QunluoError):
    code = "wrong_transfer"
    sentence = Text(
        "Write the reference and the amount of the transfer; its time is optional.",
        "请填写转账凭证号和金额，转账时间可不填。",
    )
