"""The worker's part: events become calls of webhooks, and calls are sent."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

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
logger = logging.getLogger("qunluo.api")


def step() -> bool:
    """Does one piece of work; whether there may be more. Killed anywhere, nothing is lost: a
    call is sent once more rather than not at all, under the same id."""
    followed = follow_events()
    return send_next() or followed or (do_forget() > 0)


def look_after() -> bool:
    """The worker's round: events become calls at once, and calls are sent beside the rounds. A
    receiver that is slow to answer must hold up no group."""
    followed = follow_events()
    if due_calls().exists() and _sending.acquire(blocking=False):
        threading.Thread(target=_send_all, name="webhooks", daemon=True).start()
    return followed


_sending = threading.Lock()


def _send_all() -> None:
    try:
        while send_next():
            pass
    except Exception as error:
        logger.warning("webhooks: %s", type(error).__name__)
    finally:
        connection.close()
        _sending.release()


def follow_events() -> bool:
    """Plans the calls of new events; whether there were any."""
    return bool(follow(FOLLOWER, plan_calls))


def send_next() -> bool:
    """Sends one call that is due; whether there was one."""
    call = claim_call()
    if call is not None:
        do_settle(call, _send(call))
    return call is not None


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


def due_calls() -> QuerySet[HookCall]:
    """What is to be sent now and nobody holds, the longest due first."""
    now = clock.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    return HookCall.objects.filter(
        free, state="planned", due_at__lte=now, webhook__active=True
    ).order_by("due_at", "pk")


def claim_call() -> HookCall | None:
    """The next call that is due, ours for a while; None where there is none."""
    lease = LEASE * max(clock.clock().speed, 1)
    for pk in due_calls().values_list("pk", flat=True)[:10]:
        now = clock.now()
        free = Q(claimed_until=None) | Q(claimed_until__lt=now)
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
