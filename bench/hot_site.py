"""The site of the race at a hot item: ours as it is, and two others that do the same work.

All three find out who asks from the same cookie, ask whether they may, and leave a held piece,
an order, its line, its entries and an event. `locked` is how it is commonly written: the shelf
locked by `select_for_update`, then rows made one by one. `stated` is one conditional statement a
request for the shelf, and as few others as the ORM allows.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from qunluo.campaigns.models import Campaign
from qunluo.campaigns.playing import is_running
from qunluo.channels.web.sessions import find_member, session_of
from qunluo.commerce.models import Order, OrderLine, Variant
from qunluo.commerce.ordering import make_number
from qunluo.events.models import Event
from qunluo.h5.pages import read_json
from qunluo.kit import clock
from qunluo.ledger.models import Account, Entry, Hold, Transfer
from qunluo.members.models import Member


def locked(request: HttpRequest, code: str) -> HttpResponse:
    given, campaign, member = _who(request, code)
    if member is None:
        return JsonResponse({"error": "not here"}, status=403)
    with transaction.atomic():
        shelf = Account.objects.select_for_update().get(kind="sku", owner=str(_variant().pk))
        if shelf.balance - shelf.held < 1:
            return JsonResponse({"error": "sold out"}, status=409)
        key = f"{member.pk}:{given['key']}"
        if Order.objects.filter(community=campaign.community, key=key).exists():
            return JsonResponse({"answer": {}})
        shelf.held += 1
        shelf.save()
        order = Order.objects.create(**_order(campaign, member, key))
        hold = Hold.objects.create(**_hold(shelf, order))
        OrderLine.objects.create(order=order, hold_id=hold.pk, **_line())
        _write_entries(campaign, order, shelf)
        Event.objects.create(**_event(campaign, member, order))
    return JsonResponse({"answer": {"order": order.number}})


def stated(request: HttpRequest, code: str) -> HttpResponse:
    given, campaign, member = _who(request, code)
    if member is None:
        return JsonResponse({"error": "not here"}, status=403)
    variant = _variant()
    with transaction.atomic():
        order = Order.objects.create(**_order(campaign, member, f"{member.pk}:{given['key']}"))
        shelf = Account.objects.get(kind="sku", owner=str(variant.pk))
        hold = Hold.objects.create(**_hold(shelf, order))
        OrderLine.objects.create(order=order, hold_id=hold.pk, **_line())
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


def _order(campaign: Campaign, member: Member, key: str) -> dict[str, Any]:
    now = clock.now()
    return {
        "community": campaign.community, "number": make_number(), "member": member, "key": key,
        "currency": "CNY", "total_minor": 2_600, "at": now, "pay_by": now, "source": "bench",
        "snapshot": {"lines": [{"list_minor": 5_000, "amount_minor": 2_600}]},
    }  # fmt: skip


def _line() -> dict[str, Any]:
    variant = _variant()
    return {
        "variant": variant, "title": variant.shown, "sku": variant.sku, "quantity": 1,
        "list_minor": 5_000, "cost_minor": 0, "amount_minor": 2_600,
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


urlpatterns = [
    path("locked/<slug:code>", locked),
    path("stated/<slug:code>", stated),
    path("", include("qunluo.server.urls")),
]
