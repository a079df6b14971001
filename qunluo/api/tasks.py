"""The worker's part: events become calls of webhooks, and calls are sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from qunluo.api.actions import do_forget, secret_of
from qunluo.api.models import HookCall, Webhook
from qunluo.api.rules import OFF_AFTER, plan_retry, sign, wants
from qunluo.api.sending import Sent, send
from qunluo.events.actions import follow, record
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError

FOLLOWER = "webhooks"
LEASE = timedelta(minutes=2)  # of the world's time: a worker that died has let go then


def step() -> bool:
    """Does one piece of work; whether there may be more. Killed anywhere, nothing is lost: a
    call is sent once more rather than not at all, under the same id."""
    followed = follow(FOLLOWER, plan_calls)
    call = claim_call()
    if call is not None:
        do_settle(call, _send(call))
        return True
    return bool(followed) or (do_forget() > 0)


def plan_calls(events: Sequence[Event]) -> None:
    """Writes a call for each webhook that wants to be told; the same event twice is one call."""
    hooks = list(Webhook.objects.filter(active=True))
    calls = [
        HookCall(webhook=hook, event_id=event.pk, body=as_body(event), due_at=event.at,
                 at=clock.now())
        for event in events for hook in hooks
        if event.community_id == hook.community_id and wants(hook.kinds, event.kind)
        and event.at >= hook.made_at
    ]  # fmt: skip
    HookCall.objects.bulk_create(calls, ignore_conflicts=True)


def as_body(event: Event) -> dict[str, Any]:
    """What a receiver reads."""
    return {
        "type": event.kind, "timestamp": event.at.isoformat(),
        "data": {
            "id": event.pk, "community_id": event.community_id, "member_id": event.member_id,
            "group_id": event.group_id, "actor": event.actor, "data": event.data,
        },
    }  # fmt: skip


def claim_call() -> HookCall | None:
    """The next call that is due, ours for a while; None where there is none."""
    now = clock.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    due = HookCall.objects.filter(
        free, state="planned", due_at__lte=now, webhook__active=True
    ).order_by("due_at", "pk")
    for pk in due.values_list("pk", flat=True)[:10]:
        lease = LEASE * max(clock.clock().speed, 1)
        # Nothing updated: another worker got there first.
        if HookCall.objects.filter(free, pk=pk, state="planned").update(
            claimed_until=now + lease, attempts=F("attempts") + 1
        ):
            return HookCall.objects.select_related("webhook").filter(pk=pk).first()
    return None


def _send(call: HookCall) -> Sent:
    body = json.dumps(call.body, ensure_ascii=False, separators=(",", ":")).encode()
    call_id, timestamp = f"msg_{call.pk}", int(clock.now().timestamp())
    try:
        secret = secret_of(call.webhook)
    except QunluoError as error:
        return Sent(None, error.code)
    headers = {
        "Content-Type": "application/json; charset=utf-8", "User-Agent": "Qunluo/1",
        "webhook-id": call_id, "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, call_id=call_id, timestamp=timestamp, body=body),
    }  # fmt: skip
    return send(call.webhook.url, body, headers, local=settings.QUNLUO.webhooks_local)


@transaction.atomic
def do_settle(call: HookCall, sent: Sent) -> None:
    """Keeps what came of a call: sent, to be tried again later, or given up."""
    wait = None if sent.arrived else plan_retry(call.attempts)
    call.state = "sent" if sent.arrived else "planned" if wait else "failed"
    call.status, call.answer, call.claimed_until = sent.status, sent.words, None
    if wait:
        call.due_at = clock.now() + wait
    call.save(update_fields=["state", "status", "answer", "claimed_until", "due_at"])
    if sent.arrived:
        Webhook.objects.filter(pk=call.webhook_id).update(failures=0)
    else:
        _count_failure(call.webhook)


def _count_failure(webhook: Webhook) -> None:
    mine = Webhook.objects.filter(pk=webhook.pk)
    mine.update(failures=F("failures") + 1)
    if mine.filter(active=True, failures__gte=OFF_AFTER).update(
        active=False, off_why="failing"
    ):
        record("webhook_switched_off", community=webhook.community_id,
               data={"webhook": webhook.pk, "failures": OFF_AFTER})  # fmt: skip
