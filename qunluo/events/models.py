"""One row for everything that happened; rows are added, never changed."""

from __future__ import annotations

from typing import Any

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

    class Meta:
        indexes = [
            models.Index(fields=["community_id", "-id"], name="event_newest"),
            models.Index(fields=["member_id", "-id"], name="event_of_member"),
            models.Index(fields=["group_id", "-id"], name="event_of_group"),
            models.Index(fields=["community_id", "kind", "-id"], name="event_of_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class Consumer(models.Model):
    """How far a reader of the record has come; moved in the transaction of what it wrote."""

    name = models.CharField(max_length=60, primary_key=True)
    position = models.BigIntegerField(default=0)
