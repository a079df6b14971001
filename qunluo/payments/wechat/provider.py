"""WeChat Pay: inside WeChat (jsapi), in a phone's browser (redirect), or by a code (qr)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from wechatpayv3 import WeChatPayType

from qunluo.commerce.provider import (
    Answer,
    Begun,
    Bill,
    Capabilities,
    ForgedError,
    Notification,
    RefundBill,
    RefusedError,
    UnreachableError,
    Way,
)
from qunluo.kit import clock
from qunluo.kit.payment_settings import WechatSettings
from qunluo.payments.wechat.house import House, Told
from qunluo.payments.wechat.reading import (
    check_fresh,
    read_event,
    read_payment,
    read_refund,
    trade_of,
)

NOTIFY = "/pay/wechat/notify"
CURRENCY = "CNY"
DESCRIPTION, REASON = 127, 80  # characters that WeChat takes
KINDS = {
    "jsapi": WeChatPayType.JSAPI, "redirect": WeChatPayType.H5, "qr": WeChatPayType.NATIVE,
}  # fmt: skip
SIGNED = ("wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature", "wechatpay-serial")


class WechatProvider:
    """One merchant. `public_url` is where WeChat reaches us."""

    name: ClassVar[str] = "wechat"
    capabilities = Capabilities(
        ways=("qr", "redirect", "jsapi"), notifies=True, refunds=True, queries=True,
        needs_account=("jsapi",),
    )  # fmt: skip

    def __init__(self, chosen: WechatSettings, *, public_url: str) -> None:
        self._chosen = chosen
        self._house = House(chosen, public_url + NOTIFY)

    def begin(self, order: Bill, *, return_url: str) -> Begun:
        way: Way = order.way or self.capabilities.ways[0]
        if order.currency != CURRENCY:
            raise RefusedError("WeChat Pay takes CNY only")
        if way not in KINDS or (way == "jsapi" and not order.account):
            raise RefusedError("WeChat Pay does not know this payer")
        told = self._house.ask(self._house.client.pay, **_order(order, way)) or {}
        return Begun(way, self._show(way, told, return_url), key=trade_of(order, way))

    def _show(self, way: Way, told: Told, return_url: str) -> dict[str, str]:
        if way == "qr":
            return {"text": _given(told, "code_url")}
        if way == "redirect":
            back = quote(return_url, safe="")
            return {"url": f"{_given(told, 'h5_url')}&redirect_url={back}"}
        return self._hand_over(_given(told, "prepay_id"))

    def _hand_over(self, prepay_id: str) -> dict[str, str]:
        """What the page gives to WeChat's own browser."""
        stamp, nonce = str(int(clock.now().timestamp())), _nonce()
        package = f"prepay_id={prepay_id}"
        return {
            "appId": self._chosen.appid, "timeStamp": stamp, "nonceStr": nonce,
            "package": package, "signType": "RSA",
            "paySign": self._house.sign(self._chosen.appid, stamp, nonce, package),
        }  # fmt: skip

    def read_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:
        if not all(headers.get(name) for name in SIGNED):
            raise ForgedError("not signed")
        now = clock.now()
        check_fresh(headers["wechatpay-timestamp"], now)
        event = self._house.open(headers, body)
        if event is None:
            raise ForgedError("forged signature, or not sealed for us")
        return read_event(
            event, mchid=self._chosen.mchid, appid=self._chosen.appid, now=now,
            nonce=headers["wechatpay-nonce"],
        )  # fmt: skip

    def answer(self, taken: bool) -> Answer:
        """WeChat wants nothing where it was taken, and asks again for a day where not."""
        if taken:
            return Answer(204)
        return Answer(400, '{"code": "FAIL", "message": "失败"}')

    def ask_refund(self, refund: RefundBill) -> Notification | None:
        amount = {
            "refund": refund.amount_minor,
            "total": refund.paid_minor,
            "currency": CURRENCY,
        }
        told = self._house.ask(
            self._house.client.refund, out_refund_no=refund.key, amount=amount,
            transaction_id=refund.payment_key, reason=refund.why[:REASON] or None,
        )  # fmt: skip
        return self._check_refund(refund, told)

    def query(self, order: Bill) -> Notification | None:
        """Asks for each way it may have been begun."""
        trades = {*order.keys, *(trade_of(order, way) for way in self.capabilities.ways)}
        found = (self._query(trade, order.number) for trade in sorted(trades))
        return next((told for told in found if told is not None), None)

    def _query(self, trade: str, number: str) -> Notification | None:
        told = self._house.ask(self._house.client.query, out_trade_no=trade)
        if told is None:
            return None
        try:
            found = read_payment(told, mchid=self._chosen.mchid, appid=self._chosen.appid)
        except ForgedError as error:
            raise UnreachableError(f"its answer does not hold: {error}") from None
        if found is not None and found.number != number:
            raise UnreachableError("its answer is about another order")
        return found

    def query_refund(self, refund: RefundBill) -> Notification | None:
        told = self._house.ask(self._house.client.query_refund, out_refund_no=refund.key)
        return self._check_refund(refund, told)

    def _check_refund(self, refund: RefundBill, told: Told | None) -> Notification | None:
        if told is None:
            return None
        try:
            found = read_refund(told, now=clock.now())
        except ForgedError as error:
            raise UnreachableError(f"its answer does not hold: {error}") from None
        if found is not None and (found.key, found.amount_minor) != (
            refund.key,
            refund.amount_minor,
        ):
            raise UnreachableError("its answer is about another refund")
        return found


def _order(order: Bill, way: Way) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if way == "jsapi":
        more["payer"] = {"openid": order.account}
    if way == "redirect":
        more["scene_info"] = {
            "payer_client_ip": order.address or "127.0.0.1", "h5_info": {"type": "Wap"},
        }  # fmt: skip
    return {
        "description": order.title[:DESCRIPTION], "out_trade_no": trade_of(order, way),
        "amount": {"total": order.amount_minor, "currency": CURRENCY},
        "time_expire": order.pay_by.replace(microsecond=0).isoformat(),
        "pay_type": KINDS[way], **more,
    }  # fmt: skip


def _given(told: Told, name: str) -> str:
    found = told.get(name)
    if not isinstance(found, str) or not found:
        raise UnreachableError(f"no {name} in its answer")
    return found


def _nonce() -> str:
    return secrets.token_hex(16)
