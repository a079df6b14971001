"""The calls to WeChat Pay: signed, and their answers checked, by the library.

It knows no way to name another gateway and fetches certificates by itself when it meets one it
does not know; both are settled here, so that nobody who sends us a strange notification makes
us call anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import requests
from wechatpayv3 import WeChatPay, WeChatPayType

from qunluo.commerce.provider import RefusedError, UnreachableError
from qunluo.kit.payment_settings import GATEWAY, WechatSettings, list_certificates

TIMEOUT_S = (5.0, 15.0)  # to be connected, to be answered
LATER = {  # codes that say: not now
    "SYSTEM_ERROR", "SYSTEMERROR", "BANKERROR", "FREQUENCY_LIMITED", "FREQUENCY_LIMIT_EXCEED",
    "RATELIMIT_EXCEEDED", "BIZERR_NEED_RETRY",
}  # fmt: skip
NO_FUNDS = ("NOT_ENOUGH", "NOTENOUGH")  # the merchant's balance is short: until it is filled
TOP_UP = timedelta(hours=1)
UNKNOWN = 404

Told = dict[str, Any]
Call = Callable[..., tuple[int, str]]


class House:
    """WeChat Pay as one merchant reaches it."""

    def __init__(self, chosen: WechatSettings, notify_url: str) -> None:
        self.chosen = chosen
        self.client = _connect(chosen, notify_url)
        self.serials = _list_serials(chosen)

    def ask(self, call: Call, *given: Any, **named: Any) -> Told | None:
        """What it answers, None for what it does not know. Raises `ProviderError`; nothing in
        its words comes from a key or a person."""
        try:
            status, text = call(*given, **named)
        except requests.RequestException as error:
            raise UnreachableError(type(error).__name__) from None
        except Exception as error:  # the library raises nothing more exact
            raise UnreachableError(
                f"its answer does not hold: {type(error).__name__}"
            ) from None
        return _read(status, text)

    def open(self, headers: Mapping[str, str], body: bytes) -> Told | None:
        """A notification whose signature holds, with what was sealed in it; None for others."""
        if _plain(headers.get("wechatpay-serial", "")) not in self.serials:
            return None  # the library would go and fetch certificates
        try:
            found = self.client.callback(dict(headers), body)
        except Exception:  # whatever a stranger's bytes make of it
            return None
        return found if isinstance(found, dict) else None

    def sign(self, *lines: str) -> str:
        return str(self.client.sign(list(lines)))


def _connect(chosen: WechatSettings, notify_url: str) -> Any:
    client = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE, mchid=chosen.mchid, appid=chosen.appid,
        private_key=chosen.private_key, cert_serial_no=chosen.serial,
        apiv3_key=chosen.apiv3_key, notify_url=notify_url, timeout=TIMEOUT_S,
        cert_dir=str(chosen.certificates) if chosen.certificates else None,
        public_key=chosen.public_key or None, public_key_id=chosen.public_key_id or None,
    )  # fmt: skip
    if chosen.gateway != GATEWAY:
        client._core._gate_way = chosen.gateway
    if chosen.public_key and chosen.certificates:  # moving from the one to the other
        client._core._certificates = list_certificates(chosen.certificates)
    return client


def _list_serials(chosen: WechatSettings) -> frozenset[str]:
    """Whose signatures we can check, without asking anybody."""
    kept = list_certificates(chosen.certificates) if chosen.certificates else []
    serials = {_plain(f"{c.serial_number:X}") for c in kept}
    return frozenset(serials | ({chosen.public_key_id} if chosen.public_key_id else set()))


def _plain(serial: str) -> str:
    """Hexadecimal numbers as they compare; the name of a public key as it is."""
    return serial if serial.startswith("PUB_KEY_ID_") else serial.upper().lstrip("0")


def _read(status: int, text: str | bytes) -> Told | None:
    try:
        told = json.loads(text) if text else {}
    except ValueError:
        told = {}
    if not isinstance(told, dict):
        told = {}
    if status in (200, 202, 204):
        return told
    code = str(told.get("code", ""))[:40]
    if status == UNKNOWN:
        return None
    if code in NO_FUNDS:
        raise UnreachableError(code, TOP_UP)
    if code in LATER or status >= 500 or status == requests.codes.too_many_requests:
        raise UnreachableError(code or str(status))
    raise RefusedError(code or str(status))
