"""What was begun with whom, what they told, and the sandbox's own book."""

from __future__ import annotations

from django.db import models

from qunluo.commerce.models import Order
from qunluo.community.models import Community


def _choices(*names: str) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class Attempt(models.Model):
    """An order that was taken to a provider, who is asked about it until it is settled."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="attempts")
    provider = models.CharField(max_length=20)
    way = models.CharField(max_length=12)
    keys = models.JSONField(default=list)  # what the provider calls it, once for each way begun
    begun_at = models.DateTimeField()
    asks = models.IntegerField(default=0)
    ask_at = models.DateTimeField(null=True)  # None: not asked any more

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "provider"], name="one_attempt_a_provider")
        ]
        indexes = [
            models.Index(
                fields=["ask_at"],
                condition=models.Q(ask_at__isnull=False),
                name="attempt_to_ask",
            )
        ]


class Notice(models.Model):
    """Something a provider told, once for its key, however often it was told."""

    provider = models.CharField(max_length=20)
    kind = models.CharField(
        max_length=14, choices=_choices("paid", "refunded", "refund_failed")
    )
    key = models.CharField(max_length=140)
    nonce = models.CharField(max_length=80, null=True)
    number = models.CharField(max_length=80)
    amount_minor = models.BigIntegerField()
    at = models.DateTimeField()
    heard_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "kind", "key"], name="told_once"),
            models.UniqueConstraint(fields=["provider", "nonce"], name="one_use_of_a_nonce"),
        ]


class BankAccount(models.Model):
    """Where members of a community send money by transfer, in the words its staff wrote."""

    community = models.OneToOneField(Community, models.CASCADE, related_name="bank_account")
    words = models.TextField(max_length=1000)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()


class SandboxMove(models.Model):
    """The sandbox's book: play money that came for an order or went back, and whether we were
    told. No other table knows of it; a real provider's book is out of reach in the same way."""

    kind = models.CharField(max_length=14, choices=_choices("paid", "refunded"))
    key = models.CharField(max_length=80, unique=True)
    number = models.CharField(max_length=80)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()
    tell_at = models.DateTimeField(null=True)  # None: told, and heard
    tries = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["number"], condition=models.Q(kind="paid"), name="sandbox_pays_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["tell_at"],
                condition=models.Q(tell_at__isnull=False),
                name="sandbox_to_tell",
            )
        ]
