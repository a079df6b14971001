"""A WeChat Pay of our own, after its documentation and without the library that is tested.

It checks what merchants sign, signs what it answers, seals what it notifies:
Authorization and Wechatpay-Signature are RSA-SHA256 (PKCS#1 v1.5) over
`METHOD\\nPATH\\nTIMESTAMP\\nNONCE\\nBODY\\n` and `TIMESTAMP\\nNONCE\\nBODY\\n`; resources are
AEAD_AES_256_GCM under the merchant's API v3 key.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from qunluo.kit.payment_settings import WechatSettings

MCHID, APPID = "1900000109", "wx8888888888888888"
APIV3_KEY = "0123456789abcdef0123456789ABCDEF"
SERIAL, KEY_ID = "5157F09EFDC096DE15EBE81A47057A72", "PUB_KEY_ID_0114232134912410000000000000"
_GIVEN = re.compile(
    r'WECHATPAY2-SHA256-RSA2048 mchid="(\d+)",nonce_str="(\w+)",signature="([^"]+)",'
    r'timestamp="(\d+)",serial_no="(\w+)"'
)


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """One key for each name; making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(name: str) -> bytes:
    return key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(name: str) -> bytes:
    return key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def certificate(name: str, begins: datetime, lasts: timedelta) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay")])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    made = made.public_key(key(name).public_key()).serial_number(x509.random_serial_number())
    made = made.not_valid_before(begins).not_valid_after(begins + lasts)
    return made.sign(key(name), SHA256())


def merchant(gateway: str = "http://127.0.0.1:1", **more: Any) -> WechatSettings:
    values: dict[str, Any] = {
        "mchid": MCHID, "appid": APPID, "serial": SERIAL, "apiv3_key": APIV3_KEY,
        "private_key": private_pem("merchant").decode(), "gateway": gateway,
        "public_key": public_pem("platform").decode(), "public_key_id": KEY_ID,
    }  # fmt: skip
    return WechatSettings(**{**values, **more})


def sign(body: bytes, at: datetime, *, by: str = "platform", serial: str = KEY_ID,
         nonce: str = "") -> dict[str, str]:  # fmt: skip
    """The headers of something that WeChat says."""
    stamp, nonce = str(int(at.timestamp())), nonce or secrets.token_hex(16)
    words = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
    signature = key(by).sign(words, padding.PKCS1v15(), SHA256())
    return {
        "wechatpay-timestamp": stamp, "wechatpay-nonce": nonce, "wechatpay-serial": serial,
        "wechatpay-signature": base64.b64encode(signature).decode(),
        "wechatpay-signature-type": "WECHATPAY2-SHA256-RSA2048",
    }  # fmt: skip


def seal(event_type: str, told: dict[str, Any], *, apiv3_key: str = APIV3_KEY) -> bytes:
    """The body of a notification."""
    kind = "refund" if event_type.startswith("REFUND") else "transaction"
    nonce = secrets.token_hex(6)
    plain = json.dumps(told, ensure_ascii=False).encode()
    sealed = AESGCM(apiv3_key.encode()).encrypt(nonce.encode(), plain, kind.encode())
    return json.dumps({
        "id": secrets.token_hex(18), "create_time": "2026-03-02T12:00:00+08:00",
        "resource_type": "encrypt-resource", "event_type": event_type, "summary": "支付成功",
        "resource": {
            "original_type": kind, "algorithm": "AEAD_AES_256_GCM", "associated_data": kind,
            "nonce": nonce, "ciphertext": base64.b64encode(sealed).decode(),
        },
    }, ensure_ascii=False).encode()  # fmt: skip


def payment(number: str, total: int, at: datetime, **more: Any) -> dict[str, Any]:
    """A transaction as WeChat shows it."""
    return {
        "mchid": MCHID, "appid": APPID, "out_trade_no": number, "trade_type": "NATIVE",
        "transaction_id": f"42000{number}", "trade_state": "SUCCESS", "bank_type": "CMC",
        "trade_state_desc": "支付成功", "success_time": at.isoformat(), "payer": {"openid": "o-1"},
        "amount": {"total": total, "payer_total": total, "currency": "CNY",
                   "payer_currency": "CNY"},
        **more,
    }  # fmt: skip


@dataclass
class WechatHouse:
    """The server's memory: what it was asked, what it holds, and what it shall answer next."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    paid: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    heard: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    faults: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    signer: str = "platform"
    address: str = ""

    def trade(self, number: str) -> str:
        """What it calls an order of ours that was begun, the last time."""
        return [trade for trade in self.orders if trade.startswith(f"{number}-")][-1]

    def pay(self, number: str, at: datetime) -> dict[str, Any]:
        trade = self.trade(number)
        self.paid[trade] = payment(trade, self.orders[trade]["amount"]["total"], at)
        return self.paid[trade]

    def end_refund(self, key_: str, status: str, at: datetime) -> dict[str, Any]:
        """Ends a refund; what its notification says."""
        row = self.refunds[key_]
        row |= {"status": status, "success_time": at.isoformat()}
        told = {k: v for k, v in row.items() if k not in ("status", "create_time")}
        return {**told, "mchid": MCHID, "refund_status": status}

    def answer(
        self, method: str, path: str, body: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        self.heard.append((method, path, body))
        if self.faults:
            return self.faults.pop(0)
        if path.startswith("/v3/pay/transactions/out-trade-no/"):
            number = path.rsplit("/", 1)[1].removesuffix(f"?mchid={MCHID}")
            found = self.paid.get(number)
            return (200, found) if found else (404, {"code": "ORDER_NOT_EXIST"})
        if path.startswith("/v3/pay/transactions/"):
            return self._begin(path.rsplit("/", 1)[1], body)
        if method == "POST":
            return self._refund(body)
        found = self.refunds.get(path.rsplit("/", 1)[1])
        return (200, found) if found else (404, {"code": "RESOURCE_NOT_EXISTS"})

    def _begin(self, way: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if (body["mchid"], body["appid"]) != (MCHID, APPID):
            return 400, {"code": "APPID_MCHID_NOT_MATCH"}
        number = body["out_trade_no"]
        if number in self.paid:
            return 400, {"code": "ORDERPAID", "message": "该订单已支付"}
        asked = {**body, "way": way}
        if self.orders.setdefault(number, asked) != asked:
            return 400, {
                "code": "INVALID_REQUEST",
                "message": "请求重入时，参数与首次请求时不一致",
            }
        return 200, {
            "native": {"code_url": f"weixin://wxpay/bizpayurl?pr={number}"},
            "h5": {"h5_url": f"https://wx.tenpay.com/checkmweb?prepay_id={number}"},
            "jsapi": {"prepay_id": f"wx{number}"},
        }[way]  # fmt: skip

    def _refund(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        paid = {p["transaction_id"]: p for p in self.paid.values()}.get(body["transaction_id"])
        if paid is None:
            return 404, {"code": "RESOURCE_NOT_EXISTS"}
        known = self.refunds.get(body["out_refund_no"])
        if known is not None:
            return 200, known
        gone = [r["amount"]["refund"] for r in self.refunds.values()
                if r["transaction_id"] == body["transaction_id"]]  # fmt: skip
        if sum(gone) + body["amount"]["refund"] > paid["amount"]["total"]:
            return 400, {"code": "INVALID_REQUEST", "message": "退款金额大于支付金额"}
        row = {
            "refund_id": f"50000{len(self.refunds)}", "out_refund_no": body["out_refund_no"],
            "transaction_id": body["transaction_id"], "out_trade_no": paid["out_trade_no"],
            "status": "PROCESSING", "create_time": "2026-03-02T12:00:00+08:00",
            "user_received_account": "招商银行信用卡0403", "amount": body["amount"],
        }  # fmt: skip
        self.refunds[body["out_refund_no"]] = row
        return 200, row


def _signed_by_merchant(handler: BaseHTTPRequestHandler, body: bytes) -> bool:
    given = _GIVEN.fullmatch(handler.headers.get("Authorization", ""))
    if given is None or given[1] != MCHID or given[5] != SERIAL:
        return False
    words = (
        f"{handler.command}\n{handler.path}\n{given[4]}\n{given[2]}\n".encode() + body + b"\n"
    )
    try:
        key("merchant").public_key().verify(
            base64.b64decode(given[3]), words, padding.PKCS1v15(), SHA256()
        )
    except InvalidSignature:
        return False
    return True


def _handler(house: WechatHouse) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(b"")

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers["Content-Length"])))

        def _reply(self, body: bytes) -> None:
            status, told = 401, {"code": "SIGN_ERROR"}
            if _signed_by_merchant(self, body):
                status, told = house.answer(
                    self.command, self.path, json.loads(body) if body else {}
                )
            raw = json.dumps(told, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(raw)))
            for name, value in sign(raw, datetime.now(UTC), by=house.signer).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    return Handler


@contextmanager
def wechat_house() -> Iterator[WechatHouse]:
    """The server, on a port of its own."""
    house = WechatHouse()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(house))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    house.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield house
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
