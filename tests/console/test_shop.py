"""The shop in the console: products, stock, orders with their reasons, money back."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from qunluo.commerce.imports import step_import
from qunluo.commerce.models import Order, OrderImport, PriceRule, Product, Refund, Variant
from qunluo.commerce.ordering import Delivery
from qunluo.commerce.provider import Capabilities
from qunluo.commerce.sending import send_refunds
from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.community.rules import Role, may
from qunluo.events.models import Event
from qunluo.members.actions import do_set_contact
from qunluo.members.models import Member
from qunluo.members.searching import do_index
from tests.cast import client_of, make_member, make_staff, make_user
from tests.commerce.shop import House, buy, open_house, pay, pieces, sell

pytestmark = pytest.mark.django_db
HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}"
AT = "/console/shop"


@pytest.fixture
def desk(alice: User, tea: Community) -> Client:
    return client_of(alice)


@pytest.fixture
def house() -> Iterator[House]:
    with open_house() as made:
        yield made


def shown(desk: Client, path: str) -> str:
    answer = desk.get(f"{AT}/{path}")
    assert answer.status_code == 200, path
    return answer.content.decode()


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_a_product_is_made_stocked_and_sold(desk: Client, tea: Community) -> None:
    fields = {"title": HOSTILE, "text": HOSTILE, "role": "hit", "state": "on_sale"}
    desk.post(f"{AT}/products/new", fields)
    row = Product.objects.get()
    for path in ("products", f"products/{row.pk}"):
        page = shown(desk, path)
        assert HOSTILE not in page
        assert "&lt;img src=x" in page
    variant = {"sku": "T-1", "title": "100 g", "list_minor": "12.50", "cost_minor": "5"}
    desk.post(f"{AT}/products/{row.pk}/variants", {**variant, "active": "on"})
    made = Variant.objects.get()
    assert (made.list_minor, made.cost_minor, made.active) == (1_250, 500, True)
    key = key_of(shown(desk, f"products/{row.pk}"))
    for _ in range(2):  # a second tap is the same movement
        desk.post(f"{AT}/variants/{made.pk}/stock", {"pieces": 8, "why": "came", "key": key})
    assert pieces(made) == (8, 0, 0)
    page = shown(desk, f"products/{row.pk}")
    assert "CN¥12.50" in page
    assert "came" in page
    assert Event.objects.filter(kind="stock_changed").count() == 1


def test_what_does_not_fit_is_said_in_sentences(desk: Client, tea: Community) -> None:
    variant = sell(tea)
    there = f"{AT}/products/{variant.product_id}/variants"
    taken = desk.post(there, {"sku": "tea", "list_minor": "1"})
    assert "Another variant has the code" in taken.content.decode()
    for amount in ("ten", "1.234", "-1"):
        answer = desk.post(there, {"sku": "x", "list_minor": amount})
        assert answer.status_code == 400
    stock = desk.post(f"{AT}/variants/{variant.pk}/stock", {"pieces": -11, "why": "x", "key": "k"},
                      follow=True, headers={"referer": "http://localhost/console/shop/products"})  # fmt: skip
    assert "10 can go" in stock.content.decode()


def test_changing_a_product_leaves_its_stock_and_its_orders_alone(
    desk: Client, tea: Community, bob: Member
) -> None:
    variant = sell(tea)
    order = buy(bob, variant, quantity=3)
    pay(order)
    desk.post(f"{AT}/products/{variant.product_id}/edit",
              {"title": "Green", "role": "regular", "state": "off_sale"})  # fmt: skip
    desk.post(f"{AT}/variants/{variant.pk}/edit", {"sku": "tea", "list_minor": "99"})
    variant.refresh_from_db()
    assert (variant.list_minor, variant.active, pieces(variant)) == (9_900, False, (7, 0, 3))
    order.refresh_from_db()
    assert order.total_minor == 15_000


def test_a_picture_is_drawn_anew(desk: Client, tea: Community) -> None:
    data = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(data, "PNG")
    picture = SimpleUploadedFile("x.png", data.getvalue(), "image/png")
    desk.post(f"{AT}/products/new",
              {"title": "Tea", "role": "hit", "state": "draft", "picture": picture})  # fmt: skip
    row = Product.objects.get()
    answer = desk.get(f"{AT}/products/{row.pk}/image")
    assert answer["Content-Type"] == "image/webp"
    assert b"".join(answer.streaming_content)[:4] == b"RIFF"  # type: ignore[attr-defined]
    broken = SimpleUploadedFile("x.png", b"<script>", "image/png")
    refused = desk.post(f"{AT}/products/new",
                        {"title": "T", "role": "hit", "state": "draft", "picture": broken})  # fmt: skip
    assert refused.status_code == 400


def test_a_price_rule_is_made_counts_and_ends(
    desk: Client, tea: Community, bob: Member
) -> None:
    variant = sell(tea)
    rule = {"name": "Spring", "phase": "campaign", "kind": "percent", "value": "12.5",
            "starts_at": "2020-01-01T00:00"}  # fmt: skip
    desk.post(f"{AT}/prices", rule)
    row = PriceRule.objects.get()
    assert (row.value, row.percent) == (1_250, "12.5")
    order = buy(bob, variant)
    page = shown(desk, f"orders/{order.pk}")
    assert "campaign: Spring" in page
    assert "-CN¥6.25" in page
    assert "12.5 %" in shown(desk, "prices")
    desk.post(f"{AT}/prices/{row.pk}/end")
    assert buy(bob, variant).total_minor == 5_000
    assert desk.post(f"{AT}/prices", {**rule, "value": "101"}).status_code == 400


def test_an_order_says_why_it_cost_that_and_where_it_goes(
    desk: Client, tea: Community, bob: Member
) -> None:
    order = buy(bob, sell(tea), to=Delivery(address="5 Elm Street", shipping_minor=800))
    assert order.number in shown(desk, "orders")
    page = shown(desk, f"orders/{order.pk}")
    assert "5 Elm Street" in page
    assert "CN¥58.00" in page
    store = client_of(make_staff(tea, "store_staff").user)
    page = shown(store, f"orders/{order.pk}")
    assert "Elm" not in page


def test_an_order_is_sent_arrives_and_is_found(
    desk: Client, tea: Community, bob: Member
) -> None:
    order = buy(bob, sell(tea))
    pay(order)
    assert "1 paid order waits" in shown(desk, "orders")
    for act, state in (("fulfil", "fulfilled"), ("complete", "completed")):
        desk.post(f"{AT}/orders/{order.pk}/move", {"act": act})
        order.refresh_from_db()
        assert order.state == state
    do_index(bob)
    link = f'href="{AT}/orders/{order.pk}"'
    for found in (f"who={order.number}", "who=Bob", "state=completed"):
        assert link in shown(desk, f"orders?{found}")
    for other in ("who=nobody", "state=paid"):
        assert link not in shown(desk, f"orders?{other}")


def test_an_unpaid_order_is_called_off(desk: Client, tea: Community, bob: Member) -> None:
    order = buy(bob, sell(tea))
    desk.post(f"{AT}/orders/{order.pk}/move", {"act": "cancel", "why": "by phone"})
    order.refresh_from_db()
    assert (order.state, order.closed_why) == ("cancelled", "by phone")


def test_a_refund_is_looked_at_first_and_given_back_once(
    desk: Client, tea: Community, bob: Member, house: House
) -> None:
    variant = sell(tea)
    order = buy(bob, variant, quantity=2)
    pay(order)
    line = order.lines.get()
    there = f"{AT}/orders/{order.pk}/refund"
    typed = {f"line-{line.pk}": "1", "amount": "", "why": HOSTILE, "restock": "yes",
             "key": key_of(shown(desk, f"orders/{order.pk}"))}  # fmt: skip
    looked = desk.post(there, typed).content.decode()
    assert "CN¥50.00 would go back." in looked
    assert "1 piece would come back." in looked
    assert HOSTILE not in looked
    assert not Refund.objects.exists()
    again = {**typed, "really": "yes", "key": key_of(looked)}
    for _ in range(2):
        desk.post(there, again)
    assert Refund.objects.get().amount_minor == 5_000
    assert pieces(variant) == (9, 0, 1)


def test_a_refund_that_is_too_much_or_nothing_says_so(
    desk: Client, tea: Community, bob: Member
) -> None:
    order = buy(bob, sell(tea))
    pay(order)
    for typed in ({"amount": "50.01"}, {"amount": "x"}, {}):
        answer = desk.post(f"{AT}/orders/{order.pk}/refund", {"why": "x", **typed})
        assert answer.status_code == 400
        assert 'class="q-wrong"' in answer.content.decode()
    assert not Refund.objects.exists()


def test_a_refund_that_nobody_sends_is_given_back_by_hand(
    desk: Client, tea: Community, bob: Member, house: House
) -> None:
    house.can = Capabilities(("instructions",))
    order = buy(bob, sell(tea))
    pay(order)
    desk.post(f"{AT}/orders/{order.pk}/refund",
              {"all": "yes", "why": "x", "really": "yes", "key": "k"})  # fmt: skip
    send_refunds()
    assert "1 refund needs a person." in shown(desk, "orders")
    desk.post(f"{AT}/refunds/{Refund.objects.get().pk}", {"act": "by_hand"})
    assert Refund.objects.get().state == "done"


def test_orders_of_another_shop_come_in_with_a_preview(desk: Client, tea: Community) -> None:
    do_set_contact(make_member(tea, "Dora"), phone="13800000001", by="staff:1")
    sheet = "order,phone,amount,date\nA-1,13800000001,12.5,2026-03-01\nA-2,13900000009,1,2026-03-01\n"
    file = SimpleUploadedFile("till.csv", sheet.encode(), "text/csv")
    there = desk.post(f"{AT}/imports", {"file": file})["Location"]
    page = desk.get(there).content.decode()
    assert "Of the first 2 lines, 1 would be new orders" in page
    assert "Line 3: nobody here has this phone" in page
    assert not Order.objects.exists()
    desk.post(f"{there}/run")
    while step_import():
        pass
    assert Order.objects.get().total_minor == 1_250
    page = desk.get(there).content.decode()
    assert "2 lines read: 1 new, 0 known, 1 rejected." in page
    assert desk.get(f"{there}/state").json()["ended"] is True
    order = Order.objects.get()
    assert "another shop" in shown(desk, "orders")
    assert "gives it back" in shown(desk, f"orders/{order.pk}")
    assert OrderImport.objects.get().state == "done"


def test_each_role_does_what_it_may(tea: Community, bob: Member, role: Role) -> None:
    order = buy(bob, sell(tea))
    pay(order)
    staff = client_of(make_staff(tea, role).user)
    assert staff.get(f"{AT}/orders").status_code == (200 if may(role, "see_shop") else 403)
    assert staff.get(f"{AT}/prices").status_code == (200 if may(role, "run_shop") else 403)
    answer = staff.post(f"{AT}/orders/{order.pk}/refund", {"all": "yes", "why": "x"})
    assert answer.status_code == (200 if may(role, "refund") else 403)


def test_another_community_finds_nothing(tea: Community, bob: Member) -> None:
    variant = sell(tea)
    order = buy(bob, variant)
    dave = make_user("dave")
    do_found("Coffee", dave)
    desk = client_of(dave)
    assert order.number not in shown(desk, "orders")
    for path in (f"orders/{order.pk}", f"products/{variant.product_id}"):
        assert desk.get(f"{AT}/{path}").status_code == 404
    for path in (f"orders/{order.pk}/move", f"variants/{variant.pk}/stock"):
        assert desk.post(f"{AT}/{path}").status_code == 404


def test_the_currency_is_a_setting_and_orders_keep_theirs(
    desk: Client, tea: Community, bob: Member
) -> None:
    variant = sell(tea, price_minor=500)
    before = buy(bob, variant)
    tea.settings = {"currency": "JPY"}
    tea.save()
    bob.community.refresh_from_db()
    after = buy(bob, variant)
    assert (before.currency, after.currency) == ("CNY", "JPY")
    assert "¥500" in shown(desk, f"orders/{after.pk}")
    assert "CN¥5.00" in shown(desk, f"orders/{before.pk}")
    assert "¥500" in shown(desk, "products")
    assert 'name="currency"' in desk.get("/console/settings").content.decode()
