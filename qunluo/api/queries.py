"""Who calls, and what was sent where."""

from __future__ import annotations

import hashlib

from django.db.models import QuerySet

from qunluo.api.models import HookCall, Token, Webhook
from qunluo.community.models import Community

PREFIX = "qun_"


def hash_of(secret: str) -> str:
    """What is kept of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_token(secret: str) -> Token | None:
    """The token in force, if its maker still signs in and works for the community."""
    if not secret.startswith(PREFIX) or not secret.isascii():
        return None
    rows = Token.objects.select_related("staff__user", "community").filter(
        hash=hash_of(secret), revoked_at=None, staff__user__is_active=True
    )
    return rows.first()


def list_tokens(community: Community) -> QuerySet[Token]:
    """Tokens of a community, the newest first; revoked ones, too."""
    return (
        Token.objects.filter(community=community).select_related("staff__user").order_by("-id")
    )


def list_webhooks(community: Community) -> QuerySet[Webhook]:
    return Webhook.objects.filter(community=community).order_by("-id")


def list_calls(webhook: Webhook) -> QuerySet[HookCall]:
    """What was sent to a webhook, or will be, the newest first."""
    return HookCall.objects.filter(webhook=webhook).order_by("-id")
