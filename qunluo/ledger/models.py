"""Accounts, transfers of balanced entries, holds, and lots that expire."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Account(models.Model):
    """Where value of one unit lies. `balance` is the sum of its entries, `held` the part that
    is promised; what is available (balance − held) never falls below `floor`.

    Rooms above are named by words: `("member", "5", "points")`, `("sku", "7", "piece")`.
    `lots` accounts keep what came in apart, by when it expires.
    """

    community_id = models.BigIntegerField()
    kind = models.CharField(max_length=30)
    owner = models.CharField(max_length=160)
    unit = models.CharField(max_length=60)
    balance = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(null=True, default=0)
    lots = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["community_id", "kind", "owner", "unit"], name="one_account_each"
            ),
            models.CheckConstraint(
                condition=Q(floor=None) | Q(balance__gte=F("floor") + F("held")),
                name="never_below_floor",
            ),
            models.CheckConstraint(condition=Q(held__gte=0), name="held_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.owner} {self.unit}"

    @property
    def available(self) -> int:
        return self.balance - self.held


class Transfer(models.Model):
    """Value that moved, whole; never changed. Taken back by another one, which `reverses` it."""

    community_id = models.BigIntegerField()
    cause = models.CharField(max_length=250)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)
    note = models.CharField(max_length=250, blank=True)
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="reversed_by"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["community_id", "cause"], name="one_transfer_a_cause"
            )
        ]

    def __str__(self) -> str:
        return self.cause


class Entry(models.Model):
    """What a transfer adds to an account (or takes, when negative)."""

    transfer = models.ForeignKey(Transfer, models.PROTECT, related_name="entries")
    account = models.ForeignKey(Account, models.PROTECT, related_name="entries")
    amount = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.amount:+} {self.account_id}"


class Hold(models.Model):
    """A part of an account that is promised until it is captured, released or expires."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="holds", db_index=False)
    amount = models.BigIntegerField()
    cause = models.CharField(max_length=250)
    state = models.CharField(max_length=10, default="held")
    at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "cause"], name="one_hold_a_cause"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="hold_is_positive"),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="held"), name="hold_runs_out")
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.state}: {self.cause}"


class Lot(models.Model):
    """What came into a `lots` account at once, and how much of it is left. What expires first
    is spent first."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="parcels")
    entry = models.ForeignKey(Entry, models.PROTECT, null=True)
    amount = models.BigIntegerField()
    left = models.BigIntegerField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(left__gte=0, left__lte=F("amount")), name="lot_is_within"
            )
        ]
        indexes = [
            models.Index(fields=["account", "expires_at", "id"], condition=Q(left__gt=0),
                         name="lot_of_account"),
            models.Index(fields=["expires_at"], condition=Q(left__gt=0), name="lot_runs_out"),
        ]  # fmt: skip


class LotUse(models.Model):
    """What was taken of a lot, by an entry or by a hold; given back, it keeps its own expiry."""

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="uses")
    entry = models.ForeignKey(Entry, models.PROTECT, null=True, related_name="uses")
    hold = models.ForeignKey(Hold, models.PROTECT, null=True, related_name="uses")
    amount = models.BigIntegerField()
