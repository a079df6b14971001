"""Many at one hot thing: a flash sale over HTTP, 64 connections, one item, PostgreSQL beside it.

Ours against the same work done with `select_for_update`, and with one conditional statement a
request, all in one run, by turns. Counts what was sold: one too many is an error, not a figure.
`python -m bench --only hot`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

CONNECTIONS = 64
THREADS = 64  # as `qunluo web` has them
LOCKED, STATED = 6.0, 2.0  # at least so many times as fast
SITE = """
import sys
from qunluo.server import conf
conf.ROOT_URLCONF = "bench.hot_site"
from qunluo.server.wsgi import application
"""
SEAT = """
import json, sys
from datetime import timedelta
from qunluo.server.database import prepare_database
from qunluo.kit.settings import read_settings
prepare_database(read_settings(), "en")
from qunluo.campaigns.lifecycle import Plan, do_fund_worst_case, do_make, do_publish
from qunluo.channels.web.models import WebSession
from qunluo.channels.web.sessions import CHANNEL, COOKIE, do_open_session
from qunluo.commerce.catalogue import (ProductForm, VariantForm, do_add_variant, do_change_stock,
                                       do_make_product)
from qunluo.community.actions import do_found
from qunluo.community.models import User
from qunluo.kit import clock
from qunluo.members.models import Identity, Member
from django.db import transaction
buyers, pieces = int(sys.argv[1]), int(sys.argv[2])
owner = User.objects.create_user(username="owner")
community = do_found("Bench", owner)
product = do_make_product(community, ProductForm("Hot", state="on_sale"), by="staff:1")
variant = do_add_variant(product, VariantForm("hot", 5_000), by="staff:1")
do_change_stock(variant, pieces * 9, why="bench", by="staff:1", key="first")
now = clock.now()
codes = []
for number in range(3):
    plan = Plan(f"Sale {number}", "flash_sale",
                {"sku": "hot", "pieces": pieces, "price_minor": 2_600, "pay_minutes": 60},
                ends_at=now + timedelta(days=1))
    campaign = do_make(community, plan, by="staff:1")
    do_fund_worst_case(campaign, by="staff:1")
    do_publish(campaign, reasons={"below_cost": "bench", "wechat_sharing": "bench"}, by="staff:1")
    codes.append(campaign.code)
cookies = []
with transaction.atomic():
    for number in range(buyers):
        session, cookie = do_open_session()
        member = Member.objects.create(community=community, name=f"M{number}", made_at=now)
        Identity.objects.create(community=community, member=member, channel=CHANNEL,
                                name=member.name, external_id=session.account, made_at=now)
        cookies.append(f"{COOKIE}={cookie}")
print(json.dumps({"codes": codes, "cookies": cookies}))
"""
COUNT = """
import json
import django
django.setup()
from qunluo.commerce.models import Order
from qunluo.ledger.auditing import do_audit
from qunluo.ledger.models import Account
from qunluo.community.models import Community
shelf = Account.objects.get(kind="sku")
community = Community.objects.get()
broken = [v.check.name for v in do_audit(community.pk) if not v.holds]
print(json.dumps({"held": shelf.held, "orders": Order.objects.count(), "broken": broken}))
"""


@dataclass
class Shop:
    """A running installation with three sales of the same thing, and everybody's cookie."""

    port: int
    codes: list[str]
    cookies: list[str]
    env: dict[str, str]


@dataclass
class Tally:
    """What one way of selling came to."""

    name: str
    sold: int = 0
    refused: int = 0
    failed: int = 0
    seconds: float = 0.0
    delays_ms: list[float] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        return (self.sold + self.refused) / self.seconds if self.seconds else 0.0

    def at(self, share: float) -> float:
        """A quantile of the answers' times, in ms."""
        found = sorted(self.delays_ms)
        return found[min(len(found) - 1, int(share * len(found)))] if found else 0.0


@dataclass(frozen=True)
class Outcome:
    tallies: dict[str, Tally]
    oversold: int
    broken: tuple[str, ...]

    def ratio(self, name: str) -> float:
        return self.tallies["ours"].per_s / max(self.tallies[name].per_s, 0.01)


def race(buyers: int, rounds: int = 3) -> Outcome:
    """Each buyer buys once at each of the three, by turns of `rounds` parts."""
    with open_shop(buyers) as shop:
        ways = {
            "ours": "/c/{code}/press", "stated": "/stated/{code}", "locked": "/locked/{code}"
        }  # fmt: skip
        tallies = {name: Tally(name) for name in ways}
        _warm(shop, ways)
        for part in _parts(shop.cookies[CONNECTIONS:], rounds):
            for (name, way), code in zip(ways.items(), shop.codes, strict=True):
                asyncio.run(_crowd(shop.port, way.format(code=code), part, tallies[name]))
        counted = json.loads(_python(COUNT, shop.env))
    sold = sum(tally.sold for tally in tallies.values()) + 3 * CONNECTIONS
    return Outcome(tallies, max(0, counted["orders"] - sold), tuple(counted["broken"]))


def _warm(shop: Shop, ways: dict[str, str]) -> None:
    """Processes load what they need."""
    for way, code in zip(ways.values(), shop.codes, strict=True):
        asyncio.run(
            _crowd(shop.port, way.format(code=code), shop.cookies[:CONNECTIONS], Tally("warm"))
        )


def _parts(cookies: Sequence[str], rounds: int) -> Iterator[Sequence[str]]:
    size = max(1, len(cookies) // rounds)
    for start in range(0, size * rounds, size):
        yield cookies[start : start + size]


async def _crowd(port: int, path: str, cookies: Sequence[str], tally: Tally) -> None:
    """All buy once, over so many connections that stay open."""
    waiting = iter(cookies)
    began = time.perf_counter()
    await asyncio.gather(*(_buy(port, path, waiting, tally) for _ in range(CONNECTIONS)))
    tally.seconds += time.perf_counter() - began


async def _buy(port: int, path: str, waiting: Iterator[str], tally: Tally) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for cookie in waiting:
        asked = time.perf_counter()
        writer.write(_request(path, cookie))
        status = await _answer(reader)
        tally.delays_ms.append((time.perf_counter() - asked) * 1000)
        tally.sold += status == 200
        tally.refused += status == 409
        tally.failed += status not in (200, 409)
    writer.close()


def _request(path: str, cookie: str) -> bytes:
    body = json.dumps({"kind": "buy", "key": "one", "data": {"quantity": 1}}).encode()
    token = "a" * 32
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}; csrftoken={token}\r\n"
        f"X-CSRFToken: {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def _answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    for line in head.split("\r\n"):
        if line.startswith("content-length:"):
            await reader.readexactly(int(line.partition(":")[2]))
    return int(head.split()[1])


@contextmanager
def open_shop(buyers: int) -> Iterator[Shop]:
    from tests.postgres import postgres

    with tempfile.TemporaryDirectory(prefix="qunluo-hot-") as data, postgres({}) as address:
        env = {**_plain(), "QUNLUO_DATA": data, "QUNLUO_DATABASE": address,
               "DJANGO_SETTINGS_MODULE": "qunluo.server.conf"}  # fmt: skip
        told = json.loads(_python(SEAT, env, str(buyers + CONNECTIONS), str(buyers * 3)))
        port = _free_port()
        with _served(port, data, env):
            yield Shop(port, told["codes"], told["cookies"], env)


def _plain() -> dict[str, str]:
    dropped = ("QUNLUO_DATABASE", "QUNLUO_CLOCK", "DJANGO_SETTINGS_MODULE", "QUNLUO_PARENT")
    return {name: value for name, value in os.environ.items() if name not in dropped}


def _python(code: str, env: dict[str, str], *words: str) -> str:
    run = subprocess.run([sys.executable, "-c", code, *words], env=env, check=True, text=True,
                         stdout=subprocess.PIPE)  # fmt: skip
    return run.stdout.strip().rsplit("\n", 1)[-1]


@contextmanager
def _served(port: int, data: str, env: dict[str, str]) -> Iterator[None]:
    (Path(data) / "hot_application.py").write_text(SITE, encoding="utf-8")
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
        "--port", str(port), "--log-level", "error", "--blocking-threads", str(THREADS),
        "hot_application:application",
    ]  # fmt: skip
    path = os.pathsep.join([data, str(Path.cwd())])
    with subprocess.Popen(
        command, env={**env, "PYTHONPATH": path}, start_new_session=True
    ) as web:
        try:
            _wait(port)
            yield
        finally:
            os.killpg(web.pid, signal.SIGKILL)


def _wait(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the site did not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tell(outcome: Outcome) -> list[str]:
    """What `make bench` prints."""
    lines = [f"a hot item over HTTP, {CONNECTIONS} connections, PostgreSQL"]
    for tally in outcome.tallies.values():
        lines.append(
            f"  {tally.name:<7} {tally.per_s:8.0f}/s  p50 {median(tally.delays_ms):6.1f} ms  "
            f"p99 {tally.at(0.99):6.1f} ms  sold {tally.sold}  refused {tally.refused}  "
            f"failed {tally.failed}"
        )
    for name, least in (("locked", LOCKED), ("stated", STATED)):
        held = "holds" if outcome.ratio(name) >= least else "MISSED"
        lines.append(
            f"  ours / {name}: {outcome.ratio(name):.1f} (at least {least:.0f}: {held})"
        )
    wrong = f"{outcome.oversold} too many, broken: {', '.join(outcome.broken) or 'nothing'}"
    return [*lines, f"  violations: {wrong}"]
