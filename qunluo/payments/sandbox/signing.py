"""How the sandbox signs: its pages' addresses, and what it tells us. Nobody else can."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing

from qunluo.commerce.provider import ForgedError

SALT = "qunluo.payments.sandbox"
FRESH = timedelta(minutes=5)
STAMP, NONCE, SIGNATURE = "sandbox-timestamp", "sandbox-nonce", "sandbox-signature"


@dataclass(frozen=True)
class Ticket:
    """What stands in the address of the sandbox's page."""

    number: str
    amount_minor: int
    currency: str
    title: str
    pay_by: str
    return_url: str


def write_ticket(ticket: Ticket) -> str:
    return signing.dumps(asdict(ticket), salt=SALT, compress=True)


def read_ticket(token: str) -> Ticket | None:
    """What an address says; None where nobody of us wrote it."""
    try:
        return Ticket(**signing.loads(token, salt=SALT))
    except (signing.BadSignature, TypeError):
        return None


def _key() -> bytes:
    secret = settings.SECRET_KEY.encode()
    return hashlib.blake2b(secret, digest_size=32, person=b"sandbox").digest()


def _sign(stamp: str, nonce: str, body: bytes) -> str:
    words = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
    return hmac.new(_key(), words, hashlib.sha256).hexdigest()


def pack(told: Mapping[str, Any], now: datetime) -> tuple[dict[str, str], bytes]:
    """Headers and body of a notification."""
    body = json.dumps(told, sort_keys=True).encode()
    stamp, nonce = str(int(now.timestamp())), secrets.token_hex(16)
    return {STAMP: stamp, NONCE: nonce, SIGNATURE: _sign(stamp, nonce, body)}, body


def unpack(headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, Any]:
    """What a notification says; raises `ForgedError`."""
    stamp, nonce = headers.get(STAMP, ""), headers.get(NONCE, "")
    given = headers.get(SIGNATURE, "")
    if not hmac.compare_digest(_sign(stamp, nonce, body).encode(), given.encode()):
        raise ForgedError("forged signature")
    if abs(now.timestamp() - int(stamp)) > FRESH.total_seconds():  # we signed it: a number
        raise ForgedError("old timestamp")
    told: dict[str, Any] = json.loads(body)
    return told
