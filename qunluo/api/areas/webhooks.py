"""Where events are sent, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Query, Schema
from pydantic import Field

from qunluo.api import actions
from qunluo.api.models import HookCall, Webhook
from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.queries import list_calls, list_webhooks
from qunluo.api.values import Id, fetch, given

area = Area("webhooks")

Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Url = Annotated[str, Field(min_length=8, max_length=400)]


class WebhookOut(Schema):
    """`off_why` is “failing” where it switched itself off."""

    id: int
    url: str
    kinds: list[str]
    active: bool
    failures: int
    off_why: str
    made_at: datetime


class WebhookMade(WebhookOut):
    """`secret` signs every call (Standard Webhooks, HMAC-SHA256); it is told this once."""

    secret: str


class WebhookIn(Schema):
    """No `kinds`: all of them."""

    url: Url
    kinds: list[Kind] = Field(default_factory=list, max_length=60)


class WebhookChange(Schema):
    """`active` switches it on again, and forgets its failures."""

    url: Url = ""
    kinds: list[Kind] = Field(default_factory=list, max_length=60)
    active: bool = True


class HookCallOut(Schema):
    """`status` is the receiver's, null where nobody answered."""

    id: int
    event_id: int
    body: dict[str, Any]
    state: Literal["planned", "sent", "failed"]
    attempts: int
    due_at: datetime
    status: int | None
    answer: str
    at: datetime


def _find(request: Call, webhook_id: int) -> Webhook:
    return fetch(list_webhooks(request.auth.community), webhook_id)


@area.get("/webhooks", "webhooks:read", Page[WebhookOut])
def list_all_webhooks(request: Call, paging: Query[Paging]) -> dict[str, Any]:
    """The webhooks of the community."""
    return cut(list_webhooks(request.auth.community), paging, of="webhooks")


@area.post("/webhooks", "webhooks:write", WebhookMade, 201, kept=False)
def create_webhook(request: Call, body: WebhookIn) -> dict[str, Any]:
    """Sends events to an address from now on.

    The answer tells the secret, and is not kept for the idempotency key.
    """
    hook, secret = actions.do_make_webhook(
        request.auth.community, url=body.url, kinds=body.kinds, by=request.auth.actor
    )
    return {**WebhookOut.from_orm(hook).dict(), "secret": secret}


@area.get("/webhooks/{webhook_id}", "webhooks:read", WebhookOut)
def get_webhook(request: Call, webhook_id: Id) -> Webhook:
    """One webhook."""
    return _find(request, webhook_id)


@area.patch("/webhooks/{webhook_id}", "webhooks:write", WebhookOut)
def update_webhook(request: Call, webhook_id: Id, body: WebhookChange) -> Webhook:
    """Changes the address or kinds, or switches it on or off."""
    return actions.do_set_webhook(
        _find(request, webhook_id), given(body), by=request.auth.actor
    )


@area.delete("/webhooks/{webhook_id}", "webhooks:write")
def delete_webhook(request: Call, webhook_id: Id) -> None:
    """Removes a webhook and its log."""
    actions.do_remove_webhook(_find(request, webhook_id), by=request.auth.actor)


@area.get("/webhooks/{webhook_id}/calls", "webhooks:read", Page[HookCallOut])
def list_webhook_calls(request: Call, webhook_id: Id, paging: Query[Paging]) -> dict[str, Any]:
    """The log: what was sent, or waits, the newest first."""
    hook = _find(request, webhook_id)
    return cut(list_calls(hook), paging, of=f"calls:{hook.pk}")


@area.post("/webhooks/{webhook_id}/calls/{call_id}/redeliver", "webhooks:write", HookCallOut)
def redeliver_call(request: Call, webhook_id: Id, call_id: Id) -> HookCall:
    """Sends a call again, under the same id."""
    found = fetch(list_calls(_find(request, webhook_id)), call_id)
    return actions.do_redeliver(found)
