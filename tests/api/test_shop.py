"""What a program does in the shop is what the console does."""

from __future__ import annotations

import pytest

from qunluo.commerce.models import Order, PriceRule, Refund, Variant
from qunluo.community.models import Community
from qunluo.members.models import Member
from tests.api.calling import Program
from tests.commerce.shop import pay, pieces, sell

pytestmark = pytest.mark.django_db


def test_a_product_is_made_changed_and_stocked(program: Program) -> None:
    made = program.post("products", {"title": "Tea", "role": "hit"})
    assert program.patch(f"products/{made['id']}", {"state": "draft"})["role"] == "hit"
    where = f"products/{made['id']}/variants"
    variant = program.post(where, {"sku": "T-1", "list_minor": 1_250})
    assert program.refused("POST", where, {"sku": "T-1", "list_minor": 1}) == (409, "sku_taken")
    changed = program.patch(f"variants/{variant['id']}", {"list_minor": 990})
    assert (changed["list_minor"], changed["sku"]) == (990, "T-1")
    stock = {"pieces": 5, "why": "delivery", "key": "d-1"}
    for _ in range(2):
        moved = program.post(f"variants/{variant['id']}/stock", stock)
    assert moved["available"] == 5
    less = {"pieces": -6, "why": "broken", "key": "d-2"}
    assert program.refused("POST", f"variants/{variant['id']}/stock", less)[1] == "wrong_stock"
    assert program.get("products?state=on_sale")["items"] == []
    [found] = program.get("products")["items"]
    assert found["variants"][0]["available"] == 5


def test_an_order_is_taken_sent_and_given_back(
    program: Program, tea: Community, bob: Member
) -> None:
    variant = sell(tea)
    body = {"member_id": bob.pk, "lines": [{"variant_id": variant.pk, "quantity": 2}],
            "key": "o-1"}  # fmt: skip
    made = program.post("checkouts", body)
    assert (made["state"], made["total_minor"]) == ("created", 10_000)
    assert program.post("checkouts", body)["order"] == made["order"]
    assert pieces(variant) == (10, 2, 0)
    row = Order.objects.get()
    where = f"orders/{row.number}"
    assert program.refused("POST", f"{where}/fulfil", {})[1] == "order_moved"
    pay(row)
    assert program.post(f"{where}/fulfil", {"note": "SF 1"})["state"] == "fulfilled"
    assert program.post(f"{where}/complete")["state"] == "completed"
    back = {"key": "r-1", "why": "broken",
            "lines": [{"line_id": made["lines"][0]["id"], "quantity": 1}]}  # fmt: skip
    seen = program.post(f"{where}/returns", {**back, "dry_run": True})
    assert (seen["amount_minor"], seen["number"]) == (5_000, None)
    assert not Refund.objects.exists()
    for _ in range(2):
        given = program.post(f"{where}/returns", back)
    assert (given["state"], given["whole"], Refund.objects.count()) == ("asked", False, 1)
    assert program.refused("POST", f"{where}/returns", {"key": "r", "why": "x",
                           "amount_minor": 5_001})[1] == "wrong_refund"  # fmt: skip
    assert program.get(where)["refunded_minor"] == 5_000
    assert [o["order"] for o in program.get("orders?state=completed")["items"]] == [row.number]
    assert program.get(f"orders?member_id={bob.pk + 1}")["items"] == []


def test_an_unpaid_order_is_called_off(program: Program, tea: Community, bob: Member) -> None:
    variant = sell(tea, stock=1)
    body = {"member_id": bob.pk, "lines": [{"variant_id": variant.pk}]}
    made = program.post("checkouts", {**body, "key": "a"})
    assert program.refused("POST", "checkouts", {**body, "key": "b"})[1] == "sold_out"
    where = f"orders/{made['order']}/cancel"
    assert program.post(where, {"why": "by phone"})["state"] == "cancelled"
    program.post("checkouts", {**body, "key": "c"})


def test_a_price_is_made_counts_and_ends(program: Program, tea: Community, bob: Member) -> None:
    variant = sell(tea)
    price = {"name": "Spring", "phase": "campaign", "kind": "percent", "value": 1_000,
             "variant_ids": [variant.pk], "starts_at": "2020-01-01T00:00:00Z"}  # fmt: skip
    made = program.post("prices", price)
    body = {"member_id": bob.pk, "lines": [{"variant_id": variant.pk}]}
    order = program.post("checkouts", {**body, "key": "a"})
    assert order["total_minor"] == 4_500
    assert order["lines"][0]["reasons"][0]["en"] == "Spring"
    assert program.call("DELETE", f"prices/{made['id']}").status_code == 204
    assert not PriceRule.objects.get().active
    assert program.get("prices")["items"] == []
    assert program.refused("POST", "prices", {**price, "variant_ids": [10**9]})[0] == 404


def test_orders_of_other_shops_are_read_and_not_given_back_here(
    program: Program, bob: Member
) -> None:
    sale = {"order": "T-1", "member_id": bob.pk, "amount_minor": 990,
            "paid_at": "2026-03-01T10:00:00Z", "items": ["pot"]}  # fmt: skip
    program.post("orders", sale)
    [seen] = program.get("orders")["items"]
    assert (seen["order"], seen["elsewhere"], seen["lines"]) == ("T-1", True, [])
    back = {"key": "r", "why": "x"}
    assert program.refused("POST", "orders/T-1/returns", back)[1] == "order_elsewhere"
    assert program.refused("POST", "orders/T-2/returns", back)[0] == 404


def test_what_is_of_another_community_is_not_there(program: Program, bob: Member) -> None:
    assert Variant.objects.count() == 0
    for method, path in (("GET", "orders/Q1"), ("PATCH", "products/1")):
        assert program.refused(method, path, {} if method == "PATCH" else None)[0] == 404
