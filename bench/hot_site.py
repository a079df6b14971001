"""The site of the race at a hot item: ours as it is, and two others that do the same work.

All three find out who asks from the same cookie, ask whether they may, reckon the price by the
shop's own rules, and leave a held piece, an order with its reckoning, its line, its entries and
an event. `locked` is how it is commonly written: the shelf locked by `select_for_update`, then
rows made one by one. `stated` is one conditional statement a request for the shelf, and as few
others as the ORM allows. `written` is a help in a task of one's own, without the ORM.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from django.core import signing
from django.db import connection, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from qunluo.campaigns.models import Campaign
from qunluo.campaigns.playing import is_running
from qunluo.channels.web.sessions import CHANNEL, COOKIE, SALT, find_member, session_of
from qunluo.commerce.models import Order, OrderLine, Variant
from qunluo.commerce.ordering import Ask, make_number, quote
from qunluo.commerce.pricing import Offer, Priced
from qunluo.events.models import Event
from qunluo.h5.pages import read_json
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.ledger.models import Account, Entry, Hold, Transfer
from qunluo.members.models import Member


def locked(request: HttpRequest, code: str) -> HttpResponse:
    given, campaign, member = _who(request, code)
    if member is None:
        return JsonResponse({"error": "not here"}, status=403)
    variant = _variant()
    priced = _price(campaign, member, variant)
    with transaction.atomic():
        shelf = Account.objects.select_for_update().get(kind="sku", owner=str(variant.pk))
        if shelf.balance - shelf.held < 1:
            return JsonResponse({"error": "sold out"}, status=409)
        key = f"{member.pk}:{given['key']}"
        if Order.objects.filter(community=campaign.community, key=key).exists():
            return JsonResponse({"answer": {}})
        shelf.held += 1
        shelf.save()
        order = Order.objects.create(**_order(campaign, member, key, variant, priced))
        hold = Hold.objects.create(**_hold(shelf, order))
        OrderLine.objects.create(order=order, hold_id=hold.pk, **_line(variant, priced))
        _write_entries(campaign, order, shelf)
        Event.objects.create(**_event(campaign, member, order))
    return JsonResponse({"answer": {"order": order.number}})


def stated(request: HttpRequest, code: str) -> HttpResponse:
    given, campaign, member = _who(request, code)
    if member is None:
        return JsonResponse({"error": "not here"}, status=403)
    variant = _variant()
    priced = _price(campaign, member, variant)
    with transaction.atomic():
        key = f"{member.pk}:{given['key']}"
        order = Order.objects.create(**_order(campaign, member, key, variant, priced))
        shelf = Account.objects.get(kind="sku", owner=str(variant.pk))
        hold = Hold.objects.create(**_hold(shelf, order))
        OrderLine.objects.create(order=order, hold_id=hold.pk, **_line(variant, priced))
        _write_entries(campaign, order, shelf)
        Event.objects.create(**_event(campaign, member, order))
        taken = Account.objects.filter(pk=shelf.pk, balance__gte=F("held") + 1)
        if not taken.update(held=F("held") + 1):  # last, so that its lock is short
            transaction.set_rollback(True)
            return JsonResponse({"error": "sold out"}, status=409)
    return JsonResponse({"answer": {"order": order.number}})


def _who(request: HttpRequest, code: str) -> tuple[dict[str, Any], Campaign, Member | None]:
    campaign = Campaign.objects.select_related("community", "version").get(code=code)
    member = find_member(session_of(request), campaign.community_id)
    may = member is not None and is_running(campaign, clock.now())
    return read_json(request), campaign, member if may else None


def _variant() -> Variant:
    return Variant.objects.select_related("product").get(sku="hot")


def _price(campaign: Campaign, member: Member, variant: Variant) -> Priced:
    """What it costs by the rules of the shop, and what the campaign says."""
    words = Text(campaign.name, campaign.name)
    said = Offer(f"campaign:{campaign.pk}", "campaign", "fixed", 2_600, words)
    return quote(member, [Ask(variant)], offers=[said])


def _order(
    campaign: Campaign, member: Member, key: str, variant: Variant, priced: Priced
) -> dict[str, Any]:
    now = clock.now()
    return {
        "community": campaign.community, "number": make_number(), "member": member, "key": key,
        "currency": "CNY", "total_minor": priced.total_minor, "at": now, "pay_by": now,
        "source": "bench", "snapshot": priced.snapshot,
    }  # fmt: skip


def _line(variant: Variant, priced: Priced) -> dict[str, Any]:
    return {
        "variant": variant, "title": variant.shown, "sku": variant.sku, "quantity": 1,
        "list_minor": variant.list_minor, "cost_minor": variant.cost_minor,
        "amount_minor": priced.lines[0].amount_minor,
    }  # fmt: skip


def _hold(shelf: Account, order: Order) -> dict[str, Any]:
    return {"account": shelf, "amount": 1, "cause": f"order:{order.pk}", "at": order.at,
            "by": "bench"}  # fmt: skip


def _write_entries(campaign: Campaign, order: Order, shelf: Account) -> None:
    """What is promised is booked as a transfer of its own, from the shelf to itself."""
    booked = Transfer.objects.create(
        community_id=campaign.community_id, cause=order.number, at=order.at, by="bench"
    )
    Entry.objects.create(transfer=booked, account=shelf, amount=0)


def _event(campaign: Campaign, member: Member, order: Order) -> dict[str, Any]:
    return {"community_id": campaign.community_id, "kind": "order_created", "at": order.at,
            "member_id": member.pk, "actor": member.actor, "data": {"order": order.number}}  # fmt: skip


def written(request: HttpRequest, code: str) -> HttpResponse:
    """A help in somebody's task, by SQL for just these rows."""
    given, now = read_json(request), clock.now()
    cookie = signing.loads(request.COOKIES[COOKIE], salt=SALT)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(WHO, [code, CHANNEL, sha256(cookie.encode()).hexdigest()])
        found = cursor.fetchone()
        if found is None:
            return JsonResponse({"error": "not here"}, status=403)
        campaign, community, group, member, _came = found
        cursor.execute(PLAY, [campaign, given["play"]])
        play, state, revision = cursor.fetchone()
        task, slot = json.loads(state), f"help:{member}:{now:%Y-%m-%d}"
        helped = any(each["member"] == member for each in task["helps"])
        if task["stage"] == "over" or task["owner"] == member or helped:
            return JsonResponse({"error": "not now"}, status=409)
        task["helps"].append({"member": member, "at": now.isoformat(), "void": "", "times": 1})
        cursor.execute(SLOT, [campaign, slot])
        if cursor.fetchone() is None:
            transaction.set_rollback(True)
            return JsonResponse({"error": "enough today"}, status=409)
        cursor.execute(HELPED, [json.dumps(task), play])
        answer = json.dumps({"helps": len(task["helps"]), "reached": []})
        key = f"{member}:{given['key']}"
        cursor.execute(DEED, [campaign, key, given["play"], member, revision + 1, now, answer])
        told = json.dumps({"campaign": campaign, "play": given["play"], "act": "help"})
        cursor.execute(EVENT, [community, now, member, group, f"member:{member}", told])
    return JsonResponse({"answer": json.loads(answer)})


WHO = """
SELECT c.id, c.community_id, c.group_id, m.id, a.at
FROM campaigns_campaign c
JOIN members_identity i ON i.community_id = c.community_id
JOIN web_websession s ON s.account = i.external_id
JOIN members_member m ON m.id = i.member_id
JOIN campaigns_attribution a ON a.member_id = m.id
WHERE c.code = %s AND c.state = 'running' AND c.ends_at > now() AND i.channel = %s
  AND s.token_hash = %s AND s.revoked_at IS NULL AND m.erased_at IS NULL
"""
PLAY = """
SELECT id, state::text, revision FROM campaigns_play
WHERE campaign_id = %s AND key = %s AND deadline > now() FOR UPDATE
"""
SLOT = """
INSERT INTO campaigns_slot (campaign_id, name, taken) VALUES (%s, %s, 1)
ON CONFLICT (campaign_id, name) DO UPDATE SET taken = campaigns_slot.taken + 1
WHERE campaigns_slot.taken < 3 RETURNING taken
"""
HELPED = "UPDATE campaigns_play SET state = %s, revision = revision + 1 WHERE id = %s"
DEED = """
INSERT INTO campaigns_deed (campaign_id, key, play, kind, member_id, revision, at, answer)
VALUES (%s, %s, %s, 'help', %s, %s, %s, %s)
"""
EVENT = """
INSERT INTO events_event (community_id, kind, at, member_id, group_id, actor, data)
VALUES (%s, 'campaign_helped', %s, %s, %s, %s, %s)
"""
urlpatterns = [
    path("written/<slug:code>", written),
    path("locked/<slug:code>", locked),
    path("stated/<slug:code>", stated),
    path("", include("qunluo.server.urls")),
]
