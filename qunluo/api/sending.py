"""One signed POST to an address on the open internet: resolved once, and sent right there."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from qunluo.api.rules import is_public, split

TIMEOUT_S = 10
KEPT = 300  # characters of an answer


@dataclass(frozen=True)
class Sent:
    """What came of it: the status, None where nobody answered; and the beginning of the words."""

    status: int | None
    words: str

    @property
    def arrived(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def addresses_of(host: str, port: int) -> list[str]:
    """Where a name leads now; none where nowhere."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def leads_inside(url: str, *, allowed: bool) -> bool:
    """Whether an address leads to a machine that is not of the open internet."""
    parts = split(url)
    if allowed or parts is None or not parts.hostname:
        return False
    return any(not is_public(ip) for ip in addresses_of(parts.hostname, parts.port or 443))


def send(url: str, body: bytes, headers: Mapping[str, str], *, local: bool) -> Sent:
    """Posts the body. Redirects are not followed: they could lead inside. The name is resolved
    once and that address used, so that a second answer of the name server changes nothing."""
    parts = split(url)
    if parts is None or not parts.hostname:
        return Sent(None, "no address")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = addresses_of(parts.hostname, port)
    if not found:
        return Sent(None, "the name is not known")
    if not local and not all(map(is_public, found)):
        return Sent(None, "the address is private")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _connection(parts.scheme, parts.hostname, port, found[0])
    try:
        connection.request("POST", path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        return Sent(answer.status, _words(answer.read(KEPT)))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Sent(None, type(error).__name__)
    finally:
        connection.close()


def _words(said: bytes) -> str:
    return said.decode("utf-8", "replace").replace("\x00", "")


def _connection(scheme: str, host: str, port: int, ip: str) -> http.client.HTTPConnection:
    kind = _PinnedTLS if scheme == "https" else _Pinned
    connection = kind(host, port, timeout=TIMEOUT_S)
    connection.ip = ip
    return connection


class _Pinned(http.client.HTTPConnection):
    """Connects to one address, whatever the name says by then."""

    ip = ""

    def connect(self) -> None:
        self.sock = socket.create_connection((self.ip, self.port), self.timeout)


class _PinnedTLS(_Pinned):
    """The certificate must be the name's."""

    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context()
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
