"""Real processes: WeChat calls two of them at once, and one is killed in the middle."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qunluo.commerce.models import Order, Payment
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.payments.models import Notice
from tests.commerce.shop import buy, pieces, sell
from tests.payments.wechat_house import (
    APIV3_KEY,
    APPID,
    KEY_ID,
    MCHID,
    SERIAL,
    payment,
    private_pem,
    public_pem,
    seal,
    sign,
)
from tests.running import HOST, Process, free_port, same_database

pytestmark = pytest.mark.django_db(transaction=True)


def env_of(folder: Path) -> dict[str, str]:
    (folder / "apiclient_key.pem").write_bytes(private_pem("merchant"))
    (folder / "pub_key.pem").write_bytes(public_pem("platform"))
    return {
        **same_database(folder), "PYTHONPATH": str(Path(__file__).parents[2]),
        "QUNLUO_PAYMENTS": "wechat", "QUNLUO_PUBLIC_URL": "https://tea.example",
        "QUNLUO_WECHAT_MCHID": MCHID, "QUNLUO_WECHAT_APPID": APPID,
        "QUNLUO_WECHAT_SERIAL": SERIAL, "QUNLUO_WECHAT_APIV3_KEY": APIV3_KEY,
        "QUNLUO_WECHAT_PRIVATE_KEY": str(folder / "apiclient_key.pem"),
        "QUNLUO_WECHAT_PUBLIC_KEY": str(folder / "pub_key.pem"),
        "QUNLUO_WECHAT_PUBLIC_KEY_ID": KEY_ID,
    }  # fmt: skip


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Process, Process]]:
    env = env_of(tmp_path)
    made = [
        Process("qunluo.server.wsgi:application", "wsgi", port, "/assets/icon.svg",
                {**env, "QUNLUO_PORT": str(port)})
        for port in (free_port(), free_port())
    ]  # fmt: skip
    try:
        for process in made:
            process.start()
        yield made[0], made[1]
    finally:
        for process in made:
            process.kill()


def tell(process: Process, body: bytes) -> int:
    """What it answers; 0 where it died before it could."""
    line = http.client.HTTPConnection(HOST, process.port, timeout=30)
    headers = {"content-type": "application/json", **sign(body, clock.now())}
    try:
        line.request("POST", "/pay/wechat/notify", body, headers)
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        line.close()


def check_paid_once(order: Order) -> None:
    order.refresh_from_db()
    assert (order.state, order.paid_minor) == ("paid", 1250)
    assert Payment.objects.filter(order=order).count() == 1
    assert Notice.objects.filter(number=order.number).count() == 1
    paid = Event.objects.filter(kind="order_paid", data__order=order.number)
    assert paid.count() == 1
    assert pieces(order.lines.get().variant) == (9, 0, 1)


def test_a_payment_is_one_over_two_processes_and_the_death_of_one(
    bob: Member, both: tuple[Process, Process]
) -> None:
    first, second = (buy(bob, sell(bob.community, sku, price_minor=1250)) for sku in "ab")
    body = seal("TRANSACTION.SUCCESS", payment(first.number, 1250, clock.now()))
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(tell, both[n % 2], body) for n in range(20)]
        assert [one.result() for one in asked] == [204] * 20
    check_paid_once(first)
    body = seal("TRANSACTION.SUCCESS", payment(second.number, 1250, clock.now()))
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(tell, both[n % 2], body) for n in range(12)]
        both[0].kill()
        assert {one.result() for one in asked} <= {204, 0, 500}
    both[0].start()
    assert [tell(process, body) for process in both] == [204, 204]
    check_paid_once(second)
