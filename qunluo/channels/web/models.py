"""What the web room keeps of its own: who is signed in, and what was said to one person."""

from __future__ import annotations

from django.db import models

from qunluo.members.models import Member


class WebSession(models.Model):
    """A browser that is signed in as an account; only a hash of its token is kept."""

    token_hash = models.CharField(max_length=64, unique=True)
    account = models.CharField(max_length=120, db_index=True)  # `Identity.external_id`
    made_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)


class DirectItem(models.Model):
    """Something said to one member, shown on their pages; `key` makes it once."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="direct_items")
    key = models.CharField(max_length=160, unique=True)
    text = models.TextField()
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["member", "-id"], name="direct_of_member")]
