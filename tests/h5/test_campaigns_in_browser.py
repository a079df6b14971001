"""The sentence of the issue, on a phone: a member opens a poster's link, helps, is refused a
second help, bargains, invites, pays, has a coupon, asks for a refund and sees it reversed. And
every page of campaigns and of what a member has, on phone and desk, with names that mean harm."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from qunluo.campaigns.invites import address_of
from qunluo.campaigns.lifecycle import do_pause, do_resume
from qunluo.campaigns.models import Campaign, Play
from qunluo.commerce.models import Order
from qunluo.commerce.sending import send_refunds
from qunluo.community.models import Community
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import Member
from tests.browser import browser as start_browser
from tests.campaigns.running import BARGAIN, act, done, holds, run, work
from tests.cast import make_group, make_member
from tests.commerce.shop import give_points, sell
from tests.h5.test_every_page import HOSTILE, LANGS, LONG, Reader
from tests.h5.test_scenes import FIRST, RULES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DATA: dict[str, dict[str, object]] = {
    "swap": {"title": LONG[:40], "category": "books"},
    "rising_price": {"quantity": 1, "quoted_minor": 2_600},
}
STRANGE = ("bargain", "lucky_draw")  # the same page for all others
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, start_browser() as started:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright keeps a loop on this thread
        yield started


@pytest.fixture(autouse=True)
def quick() -> None:
    cache.clear()


@pytest.fixture
def group(tea: Community) -> Group:
    sell(tea, "tea", price_minor=5_000, stock=50)
    return make_group(tea)


def push(reader: Reader, kind: str) -> None:
    reader.page.locator(f".press:has([name=kind][value='{kind}']) button").first.click()
    reader.page.wait_for_load_state("load")


def said(reader: Reader, words: str) -> None:
    expect(reader.page.locator("main")).to_contain_text(re.compile(words))


def come_in(reader: Reader, name: str) -> None:
    reader.page.locator("a.main", has_text="Join the group").click()
    reader.page.locator("[name=name]").fill(name)
    reader.page.locator("[name=consent]").check()
    reader.page.locator("form .main").click()


def test_from_a_posters_link_to_a_refund_on_a_phone(
    chromium: Browser, live_server: LiveServer, group: Group
) -> None:
    tea = group.community
    rules = {**BARGAIN, "helpers": 2, "cut_min_minor": 500, "cut_max_minor": 2_500}
    bargain = run(tea, "bargain", rules, group=group)
    coupon = run(tea, "coupon", RULES["coupon"], group=group)
    dora = make_member(tea, "Dora")
    done(act(bargain, dora))
    context = chromium.new_context(locale="en", viewport=PHONE, has_touch=True)
    reader = Reader(context.new_page(), live_server.url, "en")
    page = reader.page
    # a stranger opens the link of Dora's poster, joins, and is back where help is asked
    page.goto(reader.address + address_of(bargain, dora, "poster"))
    said(reader, "Dora asks you to help")
    come_in(reader, "Eve")
    said(reader, "Dora asks you to help")
    again = page.locator(".press").first.evaluate(
        "form => Object.fromEntries(new FormData(form))"
    )
    push(reader, "help")
    said(reader, "You cut CN¥.+ off")
    # the same again, as from another tab: refused, with what to do instead
    page.evaluate(
        """([given, to]) => { const form = document.createElement('form');
        Object.assign(form, {method: 'post', action: to});
        for (const [name, value] of Object.entries({...given, key: 'once-more'})) {
          const field = document.createElement('input');
          Object.assign(field, {type: 'hidden', name, value}); form.append(field); }
        document.body.append(form); form.submit(); }""",
        [again, f"/c/{bargain.code}/do"],
    )
    said(reader, "You have cut this price already. Begin a bargain of your own.")
    push(reader, "open")
    said(reader, "Your bargain has begun")
    eve = Member.objects.get(name="Eve")
    page.get_by_role("link", name="My poster and link").click()
    expect(page.locator("img.poster")).to_be_visible()
    link = page.locator("input[readonly]").input_value()
    play = Play.objects.get(campaign=bargain, starter=eve)
    own = f"{reader.address}/c/{bargain.code}/p/{play.key}"
    helped_by(chromium, live_server, link, "Finn")
    done(act(bargain, make_member(tea, "Gil"), "help", play.key))
    page.goto(own)
    said(reader, "The lowest price is yours")
    said(reader, "Finn")
    pay_in_sandbox(reader)
    work()
    page.get_by_role("link", name="Back to “").click()
    said(reader, "Bought")
    take_coupon(reader, coupon, eve)
    ask_back(reader, eve, own)
    assert reader.wrong == []
    context.close()
    holds(tea)


def helped_by(chromium: Browser, live_server: LiveServer, link: str, name: str) -> None:
    """A friend in a browser of their own, by the link that was sent."""
    context = chromium.new_context(locale="en", viewport=PHONE, java_script_enabled=False)
    friend = Reader(context.new_page(), live_server.url, "en")
    friend.page.goto(link)
    come_in(friend, name)
    push(friend, "help")
    said(friend, "You cut CN¥")
    context.close()


def pay_in_sandbox(reader: Reader) -> None:
    push(reader, "buy")
    reader.page.locator("form:has([value=sandbox]) button").click()
    reader.page.locator("[value=pay]").click()
    said(reader, "It is paid")


def take_coupon(reader: Reader, coupon: Campaign, eve: Member) -> None:
    reader.page.goto(f"{reader.address}/c/{coupon.code}")
    push(reader, "claim")
    said(reader, "The coupon is yours")
    reader.page.goto(f"{reader.address}/me/{eve.pk}/coupons")
    said(reader, "spring")


def ask_back(reader: Reader, eve: Member, own: str) -> None:
    page, order = reader.page, Order.objects.get(member=eve)
    page.goto(f"{reader.address}/me/{eve.pk}/orders")
    page.locator("main a.card").click()
    said(reader, "Why this price")
    page.locator("summary", has_text="Ask for a refund").click()
    page.locator("[name=why]").fill("It is too green")
    page.get_by_role("button", name="Ask for the money back").click()
    said(reader, "It is too green")
    while send_refunds():  # the worker sends it
        pass
    work()
    page.reload()
    expect(page.locator("[data-refund]")).to_contain_text(re.compile("done|on its way"))
    order.refresh_from_db()
    assert (order.state, order.left_minor) == ("refunded", 0)
    page.goto(own)
    said(reader, "given back")


def test_a_campaign_comes_into_an_open_room_and_goes_again(
    chromium: Browser, live_server: LiveServer, group: Group
) -> None:
    dora = make_member(group.community, "Dora")
    Membership.objects.create(group=group, member=dora, joined_at=clock.now())
    context = chromium.new_context(locale="en", viewport=PHONE)
    reader = Reader(context.new_page(), live_server.url, "en")
    reader.be(dora)
    reader.page.goto(f"{reader.address}/r/{group.code}")
    link = reader.page.locator("[data-strip] a")
    expect(link).to_have_count(0)
    assist = run(group.community, "assist", RULES["assist"], group=group)
    Campaign.objects.update(name=HOSTILE)
    look_again = "document.dispatchEvent(new Event('visibilitychange'))"
    reader.page.evaluate(look_again)
    expect(link).to_have_text(HOSTILE)
    do_pause(assist, why="tea is out", by="staff:1")
    reader.page.evaluate(look_again)
    expect(link).to_have_count(0)
    do_resume(assist, by="staff:1")
    reader.page.reload()
    link.click()
    said(reader, "Begin, and ask friends")
    assert reader.page.evaluate("window.hurt") is None
    context.close()


def test_every_page_of_campaigns_fits_is_readable_and_runs_nothing(
    chromium: Browser, live_server: LiveServer, group: Group
) -> None:
    tea = group.community
    tea.name = f"{HOSTILE}{LONG}"[:80]
    tea.save()
    campaigns = {name: run(tea, name, {**rules, **_now(name)}) for name, rules in RULES.items()}
    Campaign.objects.update(name=f"{HOSTILE}{LONG}"[:80], goal=f"{LONG}{HOSTILE}"[:200])
    for lang in LANGS:
        context = chromium.new_context(locale=lang)
        reader = Reader(context.new_page(), live_server.url, lang)
        see_all(reader, campaigns)
        context.close()


def _now(name: str) -> dict[str, str]:
    if name != "contest":
        return {}
    return {"starts_at": "2020-01-01T00:00:00+00:00", "ends_at": "2099-01-01T00:00:00+00:00"}


def see_all(reader: Reader, campaigns: dict[str, Campaign]) -> None:
    tea = campaigns["bargain"].community
    bob, ann = make_member(tea, HOSTILE[:40]), make_member(tea, f"{HOSTILE}{LONG}"[:40])
    give_points(bob, 100)
    for name, campaign in campaigns.items():
        kind = FIRST.get(name, "open")
        data = DATA.get(name, {})
        if kind:
            done(act(campaign, bob, kind, **data))
        if name in STRANGE:
            reader.be(None)
            reader.see(f"c-{name}-stranger", f"/c/{campaign.code}")
        reader.be(bob)
        reader.see(f"c-{name}", f"/c/{campaign.code}")
    for name in ("bargain", "assist", "red_packet", "swap"):
        play = Play.objects.filter(campaign=campaigns[name], starter=bob).latest("pk").key
        if name in ("bargain", "assist"):
            done(act(campaigns[name], ann, "help", play))
        reader.be(ann)
        reader.see(f"p-{name}", f"/c/{campaigns[name].code}/p/{play}")
    reader.be(bob)
    order = Order.objects.filter(member=bob).latest("pk")
    for what in ("orders", f"orders/{order.pk}", "points", "coupons", "rewards"):
        reader.see(f"me-{what.replace('/', '-')}".rstrip("0123456789"), f"/me/{bob.pk}/{what}")
