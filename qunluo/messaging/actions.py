"""Everything that other rooms do with messages, in one place."""

from __future__ import annotations

from qunluo.messaging.inbox import do_process, do_receive
from qunluo.messaging.messages import (
    do_hide,
    do_post,
    do_react,
    do_recall,
    do_restore,
    do_settle,
)
from qunluo.messaging.outbox import do_plan_delivery, do_settle_unknown
from qunluo.messaging.questions import do_answer, do_ask, do_dismiss
from qunluo.messaging.replies import do_name, do_remove_auto_reply, do_set_auto_reply

__all__ = [
    "do_answer",
    "do_ask",
    "do_dismiss",
    "do_hide",
    "do_name",
    "do_plan_delivery",
    "do_post",
    "do_process",
    "do_react",
    "do_recall",
    "do_receive",
    "do_remove_auto_reply",
    "do_restore",
    "do_set_auto_reply",
    "do_settle",
    "do_settle_unknown",
]
