"""Signatures, retries and addresses of webhooks. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

from qunluo.kit.text import Text

DELAYS = tuple(timedelta(seconds=s) for s in (5, 60, 300, 1_800, 7_200, 21_600, 43_200, 86_400))
OFF_AFTER = 30  # failures in a row
SECRET_PREFIX = "whsec_"  # noqa: S105 - the standard's mark, no secret
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

NOT_HTTP = Text(
    "it must begin with https:// (or http://).", "须以 https://（或 http://）开头。"
)
NOT_HOST = Text("it names no host that can be reached.", "其中没有可访问的主机名。")
WITH_USER = Text("it must not hold a name and password.", "不能包含用户名和密码。")
PRIVATE = Text(
    "it leads into a private network. QUNLUO_WEBHOOKS_LOCAL=yes allows that.",
    "它指向内部网络；如确需使用，请设置 QUNLUO_WEBHOOKS_LOCAL=yes。",
)
FAILING = Text(
    "It failed {count} times in a row and was switched off. Put the receiver right, then switch "
    "it on again; what was not delivered can be sent again from the log.",
    "它连续失败 {count} 次，已自动停用。请修复接收端后重新启用；未送达的内容可在日志中重新发送。",
).format(count=OFF_AFTER)


def sign(secret: str, *, call_id: str, timestamp: int, body: bytes) -> str:
    """The signature of Standard Webhooks: HMAC-SHA256 over id, time and body, in Base64."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    words = f"{call_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, words, hashlib.sha256).digest()).decode()


def plan_retry(attempts: int) -> timedelta | None:
    """How long to wait after so many attempts; None: that was the last one."""
    return DELAYS[attempts - 1] if attempts <= len(DELAYS) else None


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, whatever it is wrapped in."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def judge_url(url: str) -> Text | None:
    """Why events can't be sent there, as far as the address itself tells."""
    parts = split(url)
    if parts is None or parts.scheme not in ("http", "https"):
        return NOT_HTTP
    if not parts.hostname or any(sign <= " " or sign == "\x7f" for sign in url):
        return NOT_HOST
    return WITH_USER if parts.username or parts.password else None


def split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
        (parts.hostname or "").encode("idna")
    except (ValueError, UnicodeError):
        return None
    return parts


def wants(kinds: list[str], kind: str) -> bool:
    """Whether a webhook with these kinds is told of an event; none means all."""
    return not kinds or kind in kinds
