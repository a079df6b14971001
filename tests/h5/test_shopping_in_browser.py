"""On a phone: a coupon is taken, an order made with it, paid in the sandbox and given back, and
the coupon with it. And every page of the shop, with names that mean harm."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Literal

import pytest
from django.core.cache import cache
from PIL import Image
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from qunluo.campaigns.lifecycle import do_end
from qunluo.campaigns.mechanics.lucky_draw import Published, verify
from qunluo.campaigns.models import Campaign, Coupon
from qunluo.channels.web.product_images import keep_product_image
from qunluo.commerce.catalogue import VariantForm, do_add_variant, do_change_stock
from qunluo.commerce.models import Order, Product, Variant
from qunluo.commerce.sending import send_refunds
from qunluo.community.models import Community
from qunluo.groups.models import Membership
from qunluo.h5.shopping import till_address
from qunluo.kit import clock
from qunluo.members.models import Member
from tests.browser import browser as start_browser
from tests.browser import shoot
from tests.campaigns.running import act, done, holds, run, work
from tests.cast import make_group, make_member
from tests.commerce.shop import STAFF, sell
from tests.h5.test_every_page import HOSTILE, LANGS, LONG, Reader

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FIVE = {
    "name": "满30减5",
    "total": 20,
    "per_member": 3,
    "off_minor": 500,
    "threshold_minor": 3_000,
}
GIFT = {"tiers": [{"threshold_minor": 9_000, "gift": "tin", "stock": 5, "worth_minor": 900}]}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, start_browser() as started:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright keeps a loop on this thread
        yield started


@pytest.fixture(autouse=True)
def quick() -> None:
    cache.clear()


@pytest.fixture
def bob(tea: Community) -> Member:
    member = make_member(tea)
    group = make_group(tea)
    Membership.objects.create(group=group, member=member, joined_at=clock.now())
    return member


def picture(variant: Variant) -> None:
    """A product with a picture and a second variant, of which few are left."""
    made = io.BytesIO()
    Image.new("RGB", (600, 600), "#7a9e6b").save(made, "PNG")
    name = keep_product_image(made.getvalue(), variant.community_id)
    Product.objects.filter(pk=variant.product_id).update(image=name)
    Variant.objects.filter(pk=variant.pk).update(title="100 g")
    more = do_add_variant(variant.product, VariantForm("tin-2", 9_000, title="250 g"), by=STAFF)
    do_change_stock(more, 3, why="delivery", by=STAFF, key="more")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_coupon_is_taken_used_and_given_back_on_a_phone(
    chromium: Browser, live_server: LiveServer, bob: Member, scheme: Literal["light", "dark"]
) -> None:
    tea, tin = bob.community, sell(bob.community, "tin")
    picture(tin)
    campaign, lang = run(tea, "coupon", FIVE), "zh-CN" if scheme == "light" else "en"
    run(
        tea, "coupon", FIVE | {"name": "满80减20", "threshold_minor": 8_000, "off_minor": 2_000}
    )
    context = chromium.new_context(
        locale=lang,
        viewport={"width": 390, "height": 844},
        has_touch=True,
        color_scheme=scheme,
    )
    reader = Reader(context.new_page(), live_server.url, lang)
    page = reader.page
    reader.be(bob)
    for one in Campaign.objects.order_by("pk"):
        page.goto(f"{reader.address}/c/{one.code}")
        page.locator(".press:has([value=claim]) button").click()
        page.wait_for_load_state("load")
    to_the_till(reader, bob, tin, scheme)
    total = page.locator("section .price")
    expect(total).to_contain_text("45.00")  # 50.00, and the coupon takes off 5.00
    expect(page.locator("[type=checkbox][name=coupon]").nth(1)).to_be_disabled()
    expect(page.locator("form").nth(0)).to_contain_text("30.00")  # so much more for the other
    page.locator("label [name=coupon]:checked").click()  # the page reckons again by itself
    expect(total).to_contain_text("50.00")
    page.locator("label [name=coupon]:enabled").click()
    expect(total).to_contain_text("45.00")
    shoot(page, f"till-{scheme}")
    page.locator("form .main").click()
    page.locator("form:has([value=sandbox]) button").click()
    page.locator("[value=pay]").click()
    page.wait_for_load_state("load")
    work()
    coupon = Coupon.objects.get(reward__campaign=campaign)
    order = Order.objects.get()
    assert (order.state, order.paid_minor, coupon.state) == ("paid", 4_500, "used")
    page.goto(f"{reader.address}/me/{bob.pk}/orders/{order.pk}")
    expect(page.locator("details").first).to_contain_text("5.00")
    shoot(page, f"order-{scheme}")
    give_back(reader, scheme)
    coupon.refresh_from_db()
    assert (coupon.state, coupon.order) == ("returned", None)
    page.goto(f"{reader.address}/me/{bob.pk}/coupons")
    expect(page.locator("section.card").first.locator("a.button")).to_be_visible()
    shoot(page, f"coupons-{scheme}")
    assert reader.wrong == []
    context.close()
    holds(tea)


def to_the_till(reader: Reader, bob: Member, tin: Variant, scheme: str) -> None:
    """From the member's own page to what it costs."""
    page = reader.page
    page.goto(f"{reader.address}/me")
    page.locator(f"a[href='/me/{bob.pk}/shop']").click()
    expect(page.locator(".goods .label")).to_have_count(0)  # there is some left
    shoot(page, f"shop-{scheme}")
    page.locator(".goods a").first.click()
    expect(page.locator("[name=variant]")).to_have_count(2)
    shoot(page, f"product-{scheme}")
    page.locator(f"[name=variant][value='{tin.pk}']").check()
    page.locator("form .main").click()


def give_back(reader: Reader, scheme: str) -> None:
    page = reader.page
    page.locator("details:has([name=why]) summary").click()
    page.locator("[name=why]").fill("too green")
    page.locator("details:has([name=why]) button").click()
    expect(page.locator("[data-refund]")).to_be_visible()
    while send_refunds():  # the worker sends it
        pass
    work()
    page.reload()
    shoot(page, f"refunded-{scheme}")


def test_every_page_of_the_shop_fits_is_readable_and_runs_nothing(
    chromium: Browser, live_server: LiveServer, bob: Member
) -> None:
    tea = bob.community
    tea.name = f"{HOSTILE}{LONG}"[:80]
    tea.save()
    tin, gone = sell(tea, "tin", stock=40), sell(tea, "gone", stock=0)
    picture(tin)
    Product.objects.update(title=f"{HOSTILE}{LONG}"[:120], text=f"{LONG}\n{HOSTILE}")
    named = {"name": HOSTILE.replace(":", "")[:40].replace("|", ""), "per_member": 1}
    campaigns = [run(tea, "coupon", FIVE | named), run(tea, "gift", GIFT)]
    campaigns.append(run(tea, "coupon", FIVE | {"scope": ["gone"]}))
    for one in campaigns[::2]:
        done(act(one, bob, "claim"))
    for lang in LANGS:
        context = chromium.new_context(locale=lang)
        reader = Reader(context.new_page(), live_server.url, lang)
        reader.be(bob)
        reader.see("shop", f"/me/{bob.pk}/shop")
        reader.see("product", f"/me/{bob.pk}/shop/{tin.product_id}")
        reader.see("sold-out", f"/me/{bob.pk}/shop/{gone.product_id}")
        reader.see("till", till_address(bob, tin, 2))
        reader.press("order-to-pay", "/till/order")
        order = Order.objects.latest("pk")
        reader.see("order-unpaid", f"/me/{bob.pk}/orders/{order.pk}")
        reader.see("coupons", f"/me/{bob.pk}/coupons")
        reader.see("till-held", till_address(bob, tin))
        reader.page.goto(f"{reader.address}/me/{bob.pk}/orders/{order.pk}")
        reader.press("called-off", "/cancel")
        work()
        sell_out(reader, bob, tin)
        context.close()
    Product.objects.update(state="off_sale")
    holds(tea)


def test_draws_are_there_for_everybody_to_check(
    chromium: Browser, live_server: LiveServer, bob: Member
) -> None:
    rules = {"prizes": [{"name": HOSTILE[:20], "weight": 3, "unit": "gift:cup", "amount": 1,
                         "stock": 5}], "blank_weight": 2, "per_day": 6}  # fmt: skip
    campaign = run(bob.community, "lucky_draw", rules)
    done(act(campaign, bob))
    for number in range(4):
        done(act(campaign, bob, "draw", f"m{bob.pk}", key=f"d{number}"))
    context = chromium.new_context(locale="zh-CN")
    reader = Reader(context.new_page(), live_server.url, "zh-CN")
    reader.be(None)
    address = f"/c/{campaign.code}/draws"
    reader.see("draws-secret", address)
    expect(reader.page.locator("main")).not_to_contain_text(campaign.seed)
    assert reader.page.request.get(f"{reader.address}{address}.json").status == 404
    do_end(campaign, by=STAFF)
    reader.see("draws-told", address)
    expect(reader.page.locator(".plain-list li")).to_have_count(4)
    told = reader.page.request.get(f"{reader.address}{address}.json").json()
    published = [Published.model_validate(one) for one in told["draws"]]
    assert verify(bytes.fromhex(told["seed"]), told["commitment"], published) == []
    context.close()


def sell_out(reader: Reader, bob: Member, tin: Variant) -> None:
    """Somebody else buys the rest while the page is open: nothing is ordered."""
    before = Order.objects.count()
    reader.page.goto(reader.address + till_address(bob, tin))
    left = 40
    do_change_stock(tin, -left, why="gone", by=STAFF, key=f"out-{reader.lang}")
    reader.press("sold-out-meanwhile", "/till/order")
    assert Order.objects.count() == before
    do_change_stock(tin, left, why="again", by=STAFF, key=f"in-{reader.lang}")
