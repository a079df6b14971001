"""One row for everything that happened; rows are added, never changed."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import models


class TransactionNumber(models.Func):
    """The number of the running transaction on PostgreSQL, where rows may become visible out of
    the order of their ids; 0 on SQLite, where writers queue."""

    arity = 0
    output_field = models.BigIntegerField()

    def as_sql(  # type: ignore[override]
        self, compiler: Any, connection: Any, **extra: Any
    ) -> tuple[str, list[Any]]:
        if connection.vendor == "postgresql":
            return "(pg_current_xact_id()::text::bigint)", []
        return "0", []


class Place(NamedTuple):
    """Where a reader is. Ids are drawn before rows are seen: on PostgreSQL a lower one may come
    to light later. But all rows of transactions below the oldest running one are there, so the
    order is that of transactions, then of ids."""

    transaction: int = 0
    id: int = 0

    @property
    def after(self) -> models.Q:
        """Events that are still to be read."""
        later = models.Q(transaction__gt=self.transaction)
        return later | models.Q(transaction=self.transaction, id__gt=self.id)

    @property
    def until(self) -> models.Q:
        """Events that were read."""
        earlier = models.Q(transaction__lt=self.transaction)
        return earlier | models.Q(transaction=self.transaction, id__lte=self.id)


class Event(models.Model):
    """`kind` is a past participle in English (`member_joined`); `data` is small and flat.

    Rooms above are named by plain ids: this room knows none of them.
    """

    community_id = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    at = models.DateTimeField()
    member_id = models.BigIntegerField(null=True)
    group_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=80)  # "staff:3", "member:5", "rule:7", "system"
    data = models.JSONField(default=dict)
    cause = models.CharField(max_length=160, null=True, unique=True)
    transaction = models.BigIntegerField(db_default=TransactionNumber())

    @property
    def place(self) -> Place:
        return Place(self.transaction, self.pk)

    class Meta:
        indexes = [
            models.Index(fields=["community_id", "-id"], name="event_newest"),
            models.Index(fields=["member_id", "-id"], name="event_of_member"),
            models.Index(fields=["group_id", "-id"], name="event_of_group"),
            models.Index(fields=["community_id", "kind", "-id"], name="event_of_kind"),
            models.Index(fields=["transaction", "id"], name="event_followed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class Consumer(models.Model):
    """How far a reader of the record has come: the last event, by transaction and id. Moved in
    the transaction of what it wrote."""

    name = models.CharField(max_length=60, primary_key=True)
    transaction = models.BigIntegerField(default=0)
    position = models.BigIntegerField(default=0)

    @property
    def place(self) -> Place:
        return Place(self.transaction, self.position)
