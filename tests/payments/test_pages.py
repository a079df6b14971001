"""Paying as a member and confirming as staff, on the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from qunluo.commerce.models import Order, Payment, Refund
from qunluo.commerce.provider import register, unregister
from qunluo.commerce.refunding import do_refund
from qunluo.commerce.sending import send_refunds
from qunluo.commerce.tasks import expire_unpaid
from qunluo.community.actions import do_found
from qunluo.community.models import User
from qunluo.events.models import Event
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.payments.models import BankAccount
from qunluo.payments.offline.actions import do_set_account
from qunluo.payments.offline.provider import OfflineProvider
from qunluo.payments.tasks import tell_of_sandbox
from qunluo.payments.wechat.provider import WechatProvider
from tests.cast import NOON, client_of, make_staff, make_user
from tests.commerce.shop import buy, sell
from tests.h5.people import seated
from tests.payments.wechat_house import WechatHouse

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>{{7*7}}"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit Mobile/15E148"


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def visit(group: Group) -> tuple[Client, Order]:
    """A member's browser, and what they ordered."""
    client, member = seated(group)
    tea = sell(group.community, price_minor=1250)
    tea.product.title = HOSTILE
    tea.product.save()
    return client, buy(member, tea)


@pytest.fixture
def offline() -> Iterator[None]:
    register(OfflineProvider())
    yield
    unregister("offline")


def page_of(order: Order) -> str:
    return f"/me/{order.member_id}/orders/{order.number}/pay"


def go(client: Client, order: Order, provider: str = "sandbox") -> str:
    """Where the choice of a provider leads."""
    answer = client.post(page_of(order), {"provider": provider})
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


# the sandbox


def test_a_member_pays_with_play_money(visit: tuple[Client, Order]) -> None:
    client, order = visit
    page = client.get(page_of(order)).content.decode()
    assert "CN¥12.50" in page
    assert "no real money" in page
    assert HOSTILE not in page
    there = go(client, order)
    shown = client.get(there).content.decode()
    assert "Sandbox: no real money" in shown
    back = client.post(there, {"do": "pay"})
    assert back["Location"].endswith(f"{page_of(order)}?back=1")
    order.refresh_from_db()
    assert order.state == "paid"
    paid = client.get(back["Location"]).content.decode()
    assert "It is paid" in paid
    order_page = re.search(r'class="button wide" href="([^"]+)"', paid)
    assert order_page is not None
    assert order.number in client.get(order_page[1]).content.decode()
    assert "paid already" in client.get(there).content.decode()


def test_a_payment_that_fails_charges_nothing(visit: tuple[Client, Order]) -> None:
    client, order = visit
    back = client.post(go(client, order), {"do": "fail"})
    page = client.get(back["Location"]).content.decode()
    assert "Nothing was charged" in page
    assert not Payment.objects.exists()


def test_money_that_is_late_comes_back(visit: tuple[Client, Order]) -> None:
    client, order = visit
    assert (
        "Late, as you wished" in client.post(go(client, order), {"do": "late"}).content.decode()
    )
    assert not tell_of_sandbox()
    with clock.use(clock.faster(0, NOON + timedelta(minutes=32))):
        expire_unpaid()
        assert tell_of_sandbox()
        assert Payment.objects.get().verdict == "late"
        assert send_refunds()
        assert tell_of_sandbox()
        page = client.get(page_of(order)).content.decode()
    assert Refund.objects.get().state == "done"
    assert "can't be paid any more" in page
    assert "goes back to you by itself" in page


def test_a_refund_of_play_money_is_told_by_the_house(visit: tuple[Client, Order]) -> None:
    client, order = visit
    client.post(go(client, order), {"do": "pay"})
    order.refresh_from_db()
    refund = do_refund(order, why="broken", by="staff:1", key="r")
    send_refunds()
    refund.refresh_from_db()
    assert refund.state == "sent"
    assert tell_of_sandbox()
    refund.refresh_from_db()
    assert refund.state == "done"


@pytest.mark.parametrize("token", ["x", "notify", "eyJudW1iZXIiOiJRMSJ9:1abc:zzz"])
def test_a_page_of_the_sandbox_that_nobody_signed_is_not_there(token: str) -> None:
    assert client_of().get(f"/sandbox/{token}").status_code == 404
    assert client_of().post(f"/sandbox/{token}", {"do": "pay"}).status_code == 404


def test_nobody_pays_or_sees_what_another_ordered(
    visit: tuple[Client, Order], group: Group
) -> None:
    _, order = visit
    dora, _ = seated(group, "Dora")
    for client in (dora, client_of()):
        assert client.get(page_of(order)).status_code == 404
        assert client.post(page_of(order), {"provider": "sandbox"}).status_code == 404


def test_a_way_to_pay_that_is_none_is_told(visit: tuple[Client, Order]) -> None:
    client, order = visit
    answer = client.post(page_of(order), {"provider": "paypal"})
    assert answer.status_code == 400
    assert "paypal" in answer.content.decode()


# by transfer


@pytest.mark.usefixtures("offline")
def test_a_transfer_is_awaited_confirmed_and_on_the_record(
    visit: tuple[Client, Order], alice: User
) -> None:
    client, order = visit
    do_set_account(order.community, f"Tea Ltd {HOSTILE}", by="staff:1")
    page = client.post(page_of(order), {"provider": "offline"}).content.decode()
    assert order.number in page
    assert "Tea Ltd" in page
    assert HOSTILE not in page
    order.refresh_from_db()
    assert order.pay_by == NOON + timedelta(days=2)
    desk = client_of(alice)
    shown = desk.get("/console/transfers").content.decode()
    assert order.number in shown
    with clock.use(clock.faster(0, NOON + timedelta(hours=20))):
        sent = {"reference": " TT  0042 ", "amount": "12.50", "at": "2026-03-02T13:00"}
        answer = desk.post(f"/console/transfers/orders/{order.pk}", sent)
        assert answer.status_code == 302
    order.refresh_from_db()
    assert order.state == "paid"
    deed = Event.objects.get(kind="transfer_confirmed")
    assert deed.actor.startswith("staff:")
    assert deed.data["reference"] == "TT 0042"
    assert "confirmed a bank transfer" in desk.get("/console/record").content.decode()
    desk.post(f"/console/transfers/orders/{order.pk}", sent)
    assert Payment.objects.count() == 1


@pytest.mark.usefixtures("offline")
def test_one_transfer_pays_one_order(visit: tuple[Client, Order], alice: User) -> None:
    client, order = visit
    other = buy(order.member, sell(order.community, "cup", price_minor=1250))
    desk = client_of(alice)
    for one in (order, other):
        client.post(page_of(one), {"provider": "offline"})
        desk.post(
            f"/console/transfers/orders/{one.pk}", {"reference": "TT1", "amount": "12.50"}
        )
    other.refresh_from_db()
    assert other.state == "created"
    assert order.number in desk.get("/console/transfers").content.decode()


@pytest.mark.usefixtures("offline")
def test_a_wrong_amount_is_sent_back_by_hand(visit: tuple[Client, Order], alice: User) -> None:
    client, order = visit
    client.post(page_of(order), {"provider": "offline"})
    desk = client_of(alice)
    there = f"/console/transfers/orders/{order.pk}"
    for wrong in ({"reference": "", "amount": "1"}, {"reference": "a", "amount": "much"}):
        desk.post(there, wrong)
    assert not Payment.objects.exists()
    desk.post(there, {"reference": "TT1", "amount": "12.40"})
    order.refresh_from_db()
    assert order.state == "created"
    send_refunds()
    assert Refund.objects.get().state == "by_hand"


@pytest.mark.usefixtures("offline")
def test_an_order_of_a_campaign_waits_for_no_bank(group: Group) -> None:
    client, member = seated(group)
    order = buy(member, sell(group.community), source="campaign:1:seat")
    assert "Bank transfer" not in client.get(page_of(order)).content.decode()
    assert client.post(page_of(order), {"provider": "offline"}).status_code == 400
    order.refresh_from_db()
    assert order.pay_by == NOON + timedelta(minutes=30)


@pytest.mark.usefixtures("offline")
def test_only_some_of_the_staff_of_this_community_confirm(visit: tuple[Client, Order]) -> None:
    _, order = visit
    there = f"/console/transfers/orders/{order.pk}"
    sent = {"reference": "TT1", "amount": "12.50"}
    moderator = client_of(make_staff(order.community, "moderator").user)
    assert moderator.post(there, sent).status_code == 403
    other = make_user("dave")
    do_found("Coffee", other)
    assert client_of(other).post(there, sent).status_code == 404
    operator = client_of(make_staff(order.community, "operator").user)
    assert operator.post("/console/transfers/account", {"words": "mine"}).status_code == 403
    assert not Payment.objects.exists()
    assert not BankAccount.objects.exists()


# by WeChat


@pytest.fixture
def with_wechat(wechat: WechatProvider, house: WechatHouse) -> Iterator[None]:
    register(wechat)
    yield
    unregister(wechat.name)


@pytest.mark.usefixtures("with_wechat")
def test_a_desk_shows_a_code_and_a_phone_a_way(
    visit: tuple[Client, Order], house: WechatHouse
) -> None:
    client, order = visit
    page = client.post(page_of(order), {"provider": "wechat"}).content.decode()
    picture = re.search(r'src="(/paying/code/[^"]+)"', page)
    assert picture is not None
    assert b"<svg" in client.get(picture[1]).content
    assert client.get("/paying/code/forged").status_code == 404
    phone = {"user-agent": PHONE}
    led = client.post(page_of(order), {"provider": "wechat"}, headers=phone).content.decode()
    assert 'href="https://wx.tenpay.com/checkmweb' in led
    assert 'referrerpolicy="origin"' in led


@pytest.mark.usefixtures("with_wechat")
def test_inside_wechat_the_page_pays_itself(visit: tuple[Client, Order]) -> None:
    client, order = visit
    order.member.identities.create(
        community=order.community, channel="wechat", external_id="o-bob", made_at=clock.now()
    )
    inside = {"user-agent": f"{PHONE} MicroMessenger/8.0"}
    page = client.post(page_of(order), {"provider": "wechat"}, headers=inside).content.decode()
    assert "data-wechat-pay" in page
    assert f'data-w-package="prepay_id=wx{order.number}-j' in page


@pytest.mark.usefixtures("with_wechat")
def test_a_platform_that_is_silent_is_told_kindly(
    visit: tuple[Client, Order], house: WechatHouse
) -> None:
    client, order = visit
    for status in (500, 403):
        house.faults.append((status, {"code": "X"}))
        answer = client.post(page_of(order), {"provider": "wechat"})
        assert answer.status_code == 400
        assert "Nothing was charged" in answer.content.decode()
