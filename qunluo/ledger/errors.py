"""What can't be done with value, and what to do instead."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class ShortError(QunluoError):
    """An account would fall below its floor."""

    code = "short"
    sentence = Text(
        "There are only {available} {unit} left.", "只剩 {available} {unit}，不够用。"
    )


class UnbalancedError(QunluoError):
    """What comes in is not what goes out."""

    code = "unbalanced"
    sentence = Text(
        "The entries of “{cause}” do not add up to nothing in {unit}.",
        "“{cause}”的分录在 {unit} 上不平衡。",
    )


class CauseTakenError(QunluoError):
    """The cause is that of another transfer."""

    code = "cause_taken"
    sentence = Text(
        "“{cause}” has been booked already, with other amounts.",
        "“{cause}”已经记过账，而且金额不同。",
    )


class ReversedError(QunluoError):
    """A transfer is reversed once."""

    code = "reversed"
    sentence = Text("This has been taken back already.", "这一笔已经冲正过了。")


class HoldEndedError(QunluoError):
    """It was captured, released, or its time is over."""

    code = "hold_ended"
    sentence = Text("What was held has been {state} already.", "这笔预留已经是“{state}”状态。")
