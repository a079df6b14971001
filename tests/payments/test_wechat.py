"""WeChat Pay against a server that signs, seals and refuses as its documentation says."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from qunluo.commerce.provider import (
    Bill,
    ForgedError,
    RefundBill,
    RefusedError,
    UnreachableError,
    Way,
)
from qunluo.kit import clock
from qunluo.payments.wechat.provider import WechatProvider
from qunluo.payments.wechat.reading import LETTERS, number_of, trade_of
from tests.payments.wechat_house import (
    APIV3_KEY,
    APPID,
    MCHID,
    WechatHouse,
    certificate,
    key,
    merchant,
    payment,
    private_pem,
    seal,
    sign,
)

NUMBER = "Q20260302000001"
BACK = "https://tea.example/me"
SOON = datetime.now(UTC) + timedelta(minutes=30)


def bill(**more: Any) -> Bill:
    values = {"number": NUMBER, "amount_minor": 1250, "title": "白茶 · 100 克", "pay_by": SOON}
    return Bill(**{**values, **more})


def refund_bill(**more: Any) -> RefundBill:
    values: dict[str, Any] = {
        "key": "R1-Q20260302000001", "number": NUMBER,
        "payment_key": f"42000{trade_of(bill(), 'qr')}", "amount_minor": 250,
        "paid_minor": 1250, "why": "少了一包",
    }  # fmt: skip
    return RefundBill(**{**values, **more})


# beginning


def test_a_code_is_asked_for_with_the_order_as_it_is(
    wechat: WechatProvider, house: WechatHouse
) -> None:
    begun = wechat.begin(bill(), return_url=BACK)
    assert (begun.kind, begun.key) == ("qr", house.trade(NUMBER))
    assert begun.data == {"text": f"weixin://wxpay/bizpayurl?pr={begun.key}"}
    asked = house.orders[begun.key]
    assert asked["amount"] == {"total": 1250, "currency": "CNY"}
    assert asked["description"] == "白茶 · 100 克"
    assert asked["notify_url"] == "https://tea.example/pay/wechat/notify"
    assert datetime.fromisoformat(asked["time_expire"]).tzinfo is not None


def test_a_phone_is_led_there_and_back(wechat: WechatProvider, house: WechatHouse) -> None:
    begun = wechat.begin(bill(way="redirect", address="203.0.113.9"), return_url=BACK)
    assert begun.data["url"].endswith("&redirect_url=https%3A%2F%2Ftea.example%2Fme")
    assert house.orders[house.trade(NUMBER)]["scene_info"] == {
        "payer_client_ip": "203.0.113.9", "h5_info": {"type": "Wap"},
    }  # fmt: skip


def test_inside_wechat_the_page_gets_what_only_we_could_sign(wechat: WechatProvider) -> None:
    begun = wechat.begin(bill(way="jsapi", account="o-bob"), return_url=BACK)
    data = begun.data
    words = "\n".join([APPID, data["timeStamp"], data["nonceStr"], data["package"], ""])
    key("merchant").public_key().verify(
        base64.b64decode(data["paySign"]), words.encode(), padding.PKCS1v15(), SHA256()
    )
    assert data["package"] == f"prepay_id=wx{begun.key}"


def test_who_changes_the_way_or_the_terms_is_not_refused_and_is_found(
    wechat: WechatProvider, house: WechatHouse
) -> None:
    """WeChat takes one number for one way and one set of terms only."""
    later = SOON + timedelta(days=2)
    ways: list[dict[str, Any]] = [
        {}, {"way": "redirect", "address": "203.0.113.9"}, {"way": "redirect", "address": "::1"},
        {"way": "jsapi", "account": "o-bob"}, {"pay_by": later}, {},
    ]  # fmt: skip
    keys = [wechat.begin(bill(**more), return_url=BACK).key for more in ways]
    assert len(house.orders) == len(ways) - 1
    assert all(len(key) <= 32 for key in keys)
    house.paid[keys[2]] = payment(keys[2], 1250, clock.now())
    assert wechat.query(bill()) is None
    found = wechat.query(bill(keys=tuple(keys)))
    assert found is not None
    assert found.number == NUMBER


@given(
    st.from_regex(r"Q[0-9]{6}[2-9A-Z]{10}", fullmatch=True), st.sampled_from(sorted(LETTERS))
)
def test_what_wechat_calls_an_order_names_it(number: str, way: Way) -> None:
    assert number_of(trade_of(bill(number=number), way)) == number
    assert number_of(number) == number


@pytest.mark.parametrize(
    "more", [{"way": "jsapi"}, {"way": "instructions"}, {"currency": "EUR"}]
)
def test_what_wechat_cannot_do_is_not_asked_of_it(
    wechat: WechatProvider, house: WechatHouse, more: dict[str, Any]
) -> None:
    with pytest.raises(RefusedError):
        wechat.begin(bill(**more), return_url=BACK)
    assert house.heard == []


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "PARAM_ERROR", RefusedError),
        (401, "SIGN_ERROR", RefusedError),
        (403, "NO_AUTH", RefusedError),
        (403, "NOT_ENOUGH", UnreachableError),
        (429, "FREQUENCY_LIMITED", UnreachableError),
        (500, "SYSTEM_ERROR", UnreachableError),
        (502, "", UnreachableError),
    ],
)
def test_a_refusal_is_told_from_a_delay(
    wechat: WechatProvider, house: WechatHouse, status: int, code: str, error: type[Exception]
) -> None:
    house.faults.append((status, {"code": code, "message": "o-bob 的余额"}))
    with pytest.raises(error) as caught:
        wechat.begin(bill(), return_url=BACK)
    assert "o-bob" not in str(caught.value)


def test_an_answer_that_wechat_did_not_sign_is_not_believed(
    wechat: WechatProvider, house: WechatHouse
) -> None:
    wechat.begin(bill(), return_url=BACK)
    house.pay(NUMBER, datetime.now(UTC))
    house.signer = "stranger"
    with pytest.raises(UnreachableError):
        wechat.query(bill())


def test_nobody_there_is_a_delay() -> None:
    with pytest.raises(UnreachableError):
        _unreached().begin(bill(), return_url=BACK)


# notifications


def told(
    more: dict[str, Any] | None = None, *, event: str = "TRANSACTION.SUCCESS", **signed: Any
) -> tuple[dict[str, str], bytes]:
    now = clock.now()
    body = seal(event, payment(NUMBER, 1250, now, **(more or {})))
    return sign(body, signed.pop("at", now), **signed), body


def test_a_payment_is_read(wechat: WechatProvider) -> None:
    headers, body = told()
    found = wechat.read_notification(headers, body)
    assert (found.kind, found.key, found.number) == ("paid", f"42000{NUMBER}", NUMBER)
    assert (found.amount_minor, found.currency) == (1250, "CNY")
    assert found.nonce == headers["wechatpay-nonce"]


def test_a_forged_signature_is_refused(wechat: WechatProvider) -> None:
    for headers, body in (told(by="stranger"), _changed(), _probe()):
        with pytest.raises(ForgedError, match="forged signature"):
            wechat.read_notification(headers, body)


def _changed() -> tuple[dict[str, str], bytes]:
    headers, body = told()
    return headers, body.replace(b"encrypt-resource", b"encrypt-resourcE")


def _probe() -> tuple[dict[str, str], bytes]:
    """WeChat itself sends wrong signatures now and then, to see that they are checked."""
    headers, body = told()
    probe = "WECHATPAY/SIGNTEST/" + headers["wechatpay-signature"]
    return {**headers, "wechatpay-signature": probe}, body


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_an_old_message_is_refused_though_its_signature_holds(
    wechat: WechatProvider, age: timedelta
) -> None:
    with pytest.raises(ForgedError, match="old timestamp"):
        wechat.read_notification(*told(at=clock.now() - age))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"mchid": "1900000999"}, "wrong mchid"),
        ({"appid": "wx0000000000000000"}, "wrong appid"),
        ({"trade_state": "NOTPAY"}, "not made"),
        ({"amount": {"total": "1250"}}, "no amount"),
        ({"amount": {"total": -1}}, "no amount"),
        ({"transaction_id": ""}, "no transaction_id"),
        ({"success_time": "yesterday"}, "no success_time"),
        ({"success_time": "2026-03-02T12:00:00"}, "no success_time"),
    ],
)
def test_a_message_that_is_not_ours_is_refused(
    wechat: WechatProvider, more: dict[str, Any], why: str
) -> None:
    with pytest.raises(ForgedError, match=why):
        wechat.read_notification(*told(more))


def test_a_message_sealed_for_another_merchant_is_refused(wechat: WechatProvider) -> None:
    body = seal("TRANSACTION.SUCCESS", {}, apiv3_key=APIV3_KEY[::-1])
    with pytest.raises(ForgedError):
        wechat.read_notification(sign(body, clock.now()), body)


def test_a_strange_serial_makes_us_call_nobody(
    wechat: WechatProvider, house: WechatHouse
) -> None:
    with pytest.raises(ForgedError):
        wechat.read_notification(*told(serial="ABCDEF0123456789"))
    assert house.heard == []


@given(st.dictionaries(st.sampled_from(["wechatpay-timestamp", "wechatpay-nonce",
       "wechatpay-signature", "wechatpay-serial", "wechatpay-signature-type"]), st.text()),
       st.binary())  # fmt: skip
def test_no_strange_bytes_break_the_reader(headers: dict[str, str], body: bytes) -> None:
    headers.setdefault("wechatpay-timestamp", str(int(clock.now().timestamp())))
    with pytest.raises(ForgedError):
        _unreached().read_notification(headers, body)


@cache
def _unreached() -> WechatProvider:
    return WechatProvider(merchant(), public_url="https://t")


def test_a_certificate_of_the_platform_serves_as_well_as_its_key(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    young = certificate("platform", now - timedelta(days=1), timedelta(days=2))
    over = certificate("old platform", now - timedelta(days=9), timedelta(days=2))
    for name, kept in (("a", young), ("b", over)):
        (tmp_path / f"{name}.pem").write_bytes(kept.public_bytes(Encoding.PEM))
    (tmp_path / "apiclient_key.pem").write_bytes(private_pem("merchant"))
    for more in ({"public_key": "", "public_key_id": ""}, {}):  # alone, and beside the key
        chosen = merchant(certificates=tmp_path, **more)
        provider = WechatProvider(chosen, public_url="https://t")
        signed = told(serial=f"{young.serial_number:X}")
        assert provider.read_notification(*signed).number == NUMBER
        with pytest.raises(ForgedError):
            provider.read_notification(
                *told(serial=f"{over.serial_number:X}", by="old platform")
            )


# giving back, and asking


def test_a_refund_is_asked_for_once_and_told_later(
    wechat: WechatProvider, house: WechatHouse
) -> None:
    wechat.begin(bill(), return_url=BACK)
    house.pay(NUMBER, clock.now())
    assert wechat.ask_refund(refund_bill()) is None
    assert wechat.ask_refund(refund_bill()) is None  # the same again
    assert len(house.refunds) == 1
    assert wechat.query_refund(refund_bill()) is None
    row = house.end_refund("R1-Q20260302000001", "SUCCESS", clock.now())
    body = seal("REFUND.SUCCESS", row)
    heard = wechat.read_notification(sign(body, clock.now()), body)
    asked = wechat.query_refund(refund_bill())
    assert asked is not None
    assert (heard.kind, heard.key, heard.amount_minor) == (
        "refunded",
        "R1-Q20260302000001",
        250,
    )
    assert (asked.kind, asked.key, asked.amount_minor) == (heard.kind, heard.key, 250)


def test_a_refund_that_failed_says_so(wechat: WechatProvider, house: WechatHouse) -> None:
    wechat.begin(bill(), return_url=BACK)
    house.pay(NUMBER, clock.now())
    wechat.ask_refund(refund_bill())
    row = house.end_refund("R1-Q20260302000001", "ABNORMAL", clock.now())
    body = seal("REFUND.ABNORMAL", row)
    heard = wechat.read_notification(sign(body, clock.now()), body)
    assert (heard.kind, heard.why) == ("refund_failed", "ABNORMAL")


def test_more_than_was_paid_does_not_go_back(
    wechat: WechatProvider, house: WechatHouse
) -> None:
    wechat.begin(bill(), return_url=BACK)
    house.pay(NUMBER, clock.now())
    with pytest.raises(RefusedError, match="INVALID_REQUEST"):
        wechat.ask_refund(refund_bill(amount_minor=1251))


def test_an_empty_till_is_a_delay_until_it_is_filled(
    wechat: WechatProvider, house: WechatHouse
) -> None:
    house.faults.append((403, {"code": "NOT_ENOUGH", "message": "基本账户余额不足"}))
    with pytest.raises(UnreachableError) as caught:
        wechat.ask_refund(refund_bill())
    assert caught.value.retry_after == timedelta(hours=1)


def test_an_order_is_asked_for_by_its_number(
    wechat: WechatProvider, house: WechatHouse
) -> None:
    assert wechat.query(bill()) is None
    wechat.begin(bill(), return_url=BACK)
    assert wechat.query(bill()) is None
    house.pay(NUMBER, clock.now())
    found = wechat.query(bill())
    assert found is not None
    row = house.paid[house.trade(NUMBER)]
    assert (found.kind, found.key, found.payer) == ("paid", row["transaction_id"], "o-1")
    assert (found.number, found.amount_minor) == (NUMBER, 1250)
    row["trade_state"] = "REFUND"  # it was paid all the same
    assert wechat.query(bill()) is not None
    row["mchid"] = "1900000999"
    with pytest.raises(UnreachableError):
        wechat.query(bill())


def test_wechat_hears_what_it_expects(wechat: WechatProvider) -> None:
    taken, again = wechat.answer(True), wechat.answer(False)
    assert (taken.status, taken.body) == (204, "")
    assert again.status >= 400
    assert json.loads(again.body)["code"] == "FAIL"


def test_keys_are_not_shown(house: WechatHouse) -> None:
    shown = repr(merchant(house.address))
    assert APIV3_KEY not in shown
    assert "PRIVATE KEY" not in shown
    assert MCHID in shown
