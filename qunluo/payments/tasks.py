"""The worker's steps of payments; importing this registers them."""

from __future__ import annotations

from django.conf import settings

from qunluo.messaging.tasks import Task, register
from qunluo.payments.beginning import ask_due
from qunluo.payments.door import hear
from qunluo.payments.sandbox import house


def tell_of_sandbox() -> bool:
    return house.tell_due(hear)


register(Task("payments.asked", ask_due, every_s=5.0))
if "sandbox" in settings.QUNLUO.payments.providers:
    register(Task("payments.sandbox", tell_of_sandbox, every_s=1.0))
