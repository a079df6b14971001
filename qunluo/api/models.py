"""Tokens, remembered answers and webhooks."""

from __future__ import annotations

from django.db import models

from qunluo.community.models import Community, Staff


class Token(models.Model):
    """A program's key: only its hash is kept; it may do what its scopes and its maker may."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="tokens")
    staff = models.ForeignKey(Staff, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    hash = models.CharField(max_length=64, unique=True)
    shown = models.CharField(max_length=12)  # its first letters, to tell it by
    scopes = models.JSONField()
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    per_minute = models.IntegerField(default=600)
    minute_at = models.DateTimeField(null=True)  # the minute that `calls` are of
    calls = models.IntegerField(default=0)

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> str:
        """How the record names whoever calls with it: by the staff member who made it."""
        return self.staff.actor


class Remembered(models.Model):
    """The answer to a write with an idempotency key: the same key gets the same answer."""

    token = models.ForeignKey(Token, models.CASCADE, related_name="+")
    key = models.CharField(max_length=120)
    request_hash = models.CharField(max_length=64)
    status = models.IntegerField(null=True)
    body = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="answer_once")]
        indexes = [models.Index(fields=["at"], name="remembered_since")]


class Webhook(models.Model):
    """Where events are sent, signed."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=400)
    secret_sealed = models.TextField()
    kinds = models.JSONField(default=list)  # of events; none: all
    active = models.BooleanField(default=True)
    failures = models.IntegerField(default=0)  # in a row
    off_why = models.CharField(max_length=20, blank=True)  # "failing": it switched itself off
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.url


class HookCall(models.Model):
    """One event on its way to one webhook, with what came of it."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="calls")
    event_id = models.BigIntegerField()
    body = models.JSONField()
    state = models.CharField(max_length=10, default="planned")  # sent, failed
    attempts = models.IntegerField(default=0)
    due_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    status = models.IntegerField(null=True)
    answer = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event_id"], name="hook_once")
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(state="planned"), name="hook_due"
            )
        ]
