"""What WeChat Pay tells, as our notifications; anything that is not ours is refused. Pure."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any

from qunluo.commerce.provider import Bill, ForgedError, Notification, Way

FRESH = timedelta(minutes=5)  # a signature is worth nothing afterwards
PAID = ("SUCCESS", "REFUND")  # a payment that was given back was one all the same
LETTERS: dict[Way, str] = {"qr": "n", "jsapi": "j", "redirect": "h"}
_TRADE = re.compile(r"(.{6,32})-[njh][0-9a-f]{4}")
BACK = {"SUCCESS": "refunded", "CLOSED": "refund_failed", "ABNORMAL": "refund_failed"}


def trade_of(order: Bill, way: Way) -> str:
    """What WeChat calls an order: it takes one number for one way and one set of terms, and
    refuses it with others, so each has its own. The same terms again are the same number."""
    more = {"jsapi": order.account, "redirect": order.address}.get(way, "")
    terms = f"{order.amount_minor} {order.pay_by.timestamp():.0f} {more} {order.title}"
    mark = hashlib.sha256(terms.encode()).hexdigest()[:4]
    return f"{order.number}-{LETTERS[way]}{mark}"


def number_of(trade: str) -> str:
    """Our order's number in what WeChat calls it."""
    found = _TRADE.fullmatch(trade)
    return found[1] if found else trade


def check_fresh(stamp: str, now: datetime) -> None:
    """Raises `ForgedError` for a time that is none, or too far from ours."""
    if not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 12:
        raise ForgedError("no timestamp")
    if abs(now.timestamp() - int(stamp)) > FRESH.total_seconds():
        raise ForgedError("old timestamp")


def read_event(
    event: dict[str, Any], *, mchid: str, appid: str, nonce: str, now: datetime
) -> Notification:
    """An opened notification; raises `ForgedError`."""
    resource = event.get("resource")
    kind = str(event.get("event_type", ""))
    if not isinstance(resource, dict):
        raise ForgedError("nothing in it")
    if kind.startswith("TRANSACTION."):
        told = read_payment(resource, mchid=mchid, appid=appid, nonce=nonce)
        if told is None:
            raise ForgedError("a payment that was not made")
        return told
    if kind.startswith("REFUND."):
        refund = read_refund(resource, now=now, mchid=mchid, nonce=nonce)
        if refund is None:
            raise ForgedError("a refund under way")
        return refund
    raise ForgedError("neither a payment nor a refund")


def read_payment(
    told: dict[str, Any], *, mchid: str, appid: str, nonce: str = ""
) -> Notification | None:
    """A payment, None where there is none yet; raises `ForgedError`."""
    if told.get("mchid") != mchid:
        raise ForgedError("wrong mchid")
    if told.get("appid") != appid:
        raise ForgedError("wrong appid")
    if told.get("trade_state") not in PAID:
        return None
    amount, payer = _part(told, "amount"), told.get("payer")
    return Notification(
        key=_word(told, "transaction_id"), number=number_of(_word(told, "out_trade_no")),
        amount_minor=_minor(amount, "total"), currency=str(amount.get("currency", "CNY")),
        at=_moment(told, "success_time"), kind="paid", nonce=nonce,
        payer=str(payer.get("openid", ""))[:128] if isinstance(payer, dict) else "",
    )  # fmt: skip


def read_refund(
    told: dict[str, Any], *, now: datetime, mchid: str | None = None, nonce: str = ""
) -> Notification | None:
    """A refund that ended, None while it is under way; raises `ForgedError`. `mchid` stands in
    notifications only; what we asked for is ours. A failure has no time of its own: it is
    `now`."""
    if mchid is not None and told.get("mchid") != mchid:
        raise ForgedError("wrong mchid")
    status = str(told.get("refund_status" if mchid is not None else "status", ""))
    if status not in BACK:
        return None
    amount, done = _part(told, "amount"), status == "SUCCESS"
    return Notification(
        key=_word(told, "out_refund_no"), number=number_of(_word(told, "out_trade_no")),
        amount_minor=_minor(amount, "refund"), currency=str(amount.get("currency", "CNY")),
        at=_moment(told, "success_time") if done else now,
        kind="refunded" if done else "refund_failed", nonce=nonce, why="" if done else status,
    )  # fmt: skip


def _part(told: dict[str, Any], name: str) -> dict[str, Any]:
    found = told.get(name)
    if not isinstance(found, dict):
        raise ForgedError(f"no {name}")
    return found


def _word(told: dict[str, Any], name: str) -> str:
    found = told.get(name)
    if not isinstance(found, str) or not 1 <= len(found) <= 64:
        raise ForgedError(f"no {name}")
    return found


def _minor(amount: dict[str, Any], name: str) -> int:
    found = amount.get(name)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise ForgedError(f"no amount {name}")
    return found


def _moment(told: dict[str, Any], name: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(told.get(name)))
    except ValueError:
        raise ForgedError(f"no {name}") from None
    if found.tzinfo is None:
        raise ForgedError(f"no {name}")
    return found
