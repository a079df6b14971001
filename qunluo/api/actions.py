"""Making and revoking tokens, counting calls, keeping webhooks."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, Value

from qunluo.api import errors
from qunluo.api.models import HookCall, Remembered, Token, Webhook
from qunluo.api.queries import PREFIX, hash_of
from qunluo.api.rules import PRIVATE, SECRET_PREFIX, judge_url
from qunluo.api.scopes import list_scopes
from qunluo.api.sending import leads_inside
from qunluo.community.models import Community, Staff
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.kit.sealed import seal, unseal

SHOWN = 12
MINUTE = timedelta(minutes=1)
MOST_WEBHOOKS = 20
KEPT = timedelta(days=1)  # answers to keys


@transaction.atomic
def do_make_token(staff: Staff, *, name: str, scopes: Sequence[str]) -> tuple[Token, str]:
    """A token and its secret, which is told this once. Raises `NoTokenNameError` and
    `WrongScopesError`."""
    if not 1 <= len(name.strip()) <= 80:
        raise errors.NoTokenNameError
    if not scopes or not set(scopes) <= set(list_scopes(staff.role)):
        raise errors.WrongScopesError
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        community=staff.community, staff=staff, name=name.strip(), hash=hash_of(secret),
        shown=secret[:SHOWN], scopes=sorted(set(scopes)), made_at=clock.now(),
    )  # fmt: skip
    record("token_made", community=staff.community_id, actor=staff.actor,
           data={"token": token.pk, "scopes": token.scopes})  # fmt: skip
    return token, secret


@transaction.atomic
def do_revoke_token(token: Token, *, by: str) -> None:
    """The token opens nothing any more; twice is once."""
    if Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=clock.now()):
        record(
            "token_revoked", community=token.community_id, actor=by, data={"token": token.pk}
        )
    token.refresh_from_db()


def do_count_call(token: Token) -> float | None:
    """Counts a call in this minute; where that is one too many, the seconds to wait.

    Conditional statements: whichever process counts, a minute has no more calls than that, and
    who comes second to begin a minute counts in it.
    """
    now = clock.now()
    minute = now.replace(second=0, microsecond=0)
    mine = Token.objects.filter(pk=token.pk)
    for rows, calls in (
        (mine.filter(minute_at=minute, calls__lt=F("per_minute")), F("calls") + 1),
        (mine.exclude(minute_at=minute, minute_at__isnull=False), Value(1)),
        (mine.filter(minute_at=minute, calls__lt=F("per_minute")), F("calls") + 1),
    ):
        if rows.update(minute_at=minute, calls=calls, used_at=now):
            return None
    return clock.clock().real_s(minute + MINUTE - now)


def do_forget() -> int:
    """Answers to keys that are older than a day; how many went."""
    old = Remembered.objects.filter(at__lt=clock.now() - KEPT)
    return old.delete()[0] if old.exists() else 0  # no write where there is nothing to do


# webhooks


def check_url(url: str) -> str:
    """Raises `WrongAddressError`."""
    reason = judge_url(url)
    if reason is None and leads_inside(url, allowed=settings.QUNLUO.webhooks_local):
        reason = PRIVATE
    if reason is not None:
        raise errors.WrongAddressError(url=url[:80], reason=reason)
    return url


@transaction.atomic
def do_make_webhook(
    community: Community, *, url: str, kinds: Sequence[str] = (), by: str
) -> tuple[Webhook, str]:
    """A webhook and the secret that its calls are signed with. Raises `WrongAddressError` and
    `TooManyWebhooksError`."""
    check_url(url)
    if Webhook.objects.filter(community=community).count() >= MOST_WEBHOOKS:
        raise errors.TooManyWebhooksError(most=MOST_WEBHOOKS)
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    webhook = Webhook.objects.create(
        community=community, url=url, secret_sealed=seal(secret, settings.SECRET_KEY),
        kinds=sorted(set(kinds)), made_at=clock.now(),
    )  # fmt: skip
    record("webhook_made", community=community.pk, actor=by, data={"webhook": webhook.pk})
    return webhook, secret


@transaction.atomic
def do_set_webhook(webhook: Webhook, values: dict[str, Any], *, by: str) -> Webhook:
    """Changes the address, the kinds or whether it is on; switching on forgets its failures."""
    if "url" in values:
        webhook.url = check_url(values["url"])
    if "kinds" in values:
        webhook.kinds = sorted(set(values["kinds"]))
    if "active" in values:
        webhook.active = values["active"]
        webhook.failures, webhook.off_why = 0, ""
    webhook.save()
    record("webhook_changed", community=webhook.community_id, actor=by,
           data={"webhook": webhook.pk, "fields": sorted(values)})  # fmt: skip
    return webhook


@transaction.atomic
def do_remove_webhook(webhook: Webhook, *, by: str) -> None:
    record("webhook_removed", community=webhook.community_id, actor=by,
           data={"webhook": webhook.pk})  # fmt: skip
    webhook.delete()


def do_redeliver(call: HookCall) -> HookCall:
    """Sends it again as soon as a worker comes by; one that is on its way stays as it is."""
    HookCall.objects.filter(~Q(state="planned"), pk=call.pk).update(
        state="planned", attempts=0, due_at=clock.now(), claimed_until=None
    )
    call.refresh_from_db()
    return call


def secret_of(webhook: Webhook) -> str:
    """Raises `WrongKeyError` where it was sealed with another key."""
    return unseal(webhook.secret_sealed, settings.SECRET_KEY)
