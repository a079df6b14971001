"""Many at one hot thing: a flash sale over HTTP, 64 connections, one item, PostgreSQL beside it.

Ours against the same work done with `select_for_update`, and with one conditional statement a
request, all in one run, by turns. Counts what was sold: one too many is an error, not a figure.
`python -m bench --only hot`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.crowd import CONNECTIONS, Press, Site, Tally, open_site, run

LOCKED, STATED = 6.0, 2.0  # at least so many times as fast
WAYS = {"ours": "/c/{code}/press", "stated": "/stated/{code}", "locked": "/locked/{code}"}
BUY = {"kind": "buy", "key": "one", "data": {"quantity": 1}}
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
from django.db import connection, transaction
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
connection.cursor().execute("ANALYZE")  # as PostgreSQL does by itself after a minute
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


@dataclass(frozen=True)
class Outcome:
    tallies: dict[str, Tally]
    oversold: int
    broken: tuple[str, ...]

    def ratio(self, name: str) -> float:
        return self.tallies["ours"].per_s / max(self.tallies[name].per_s, 0.01)


def race(buyers: int, rounds: int = 3) -> Outcome:
    """Each buyer buys once at each of the three, by turns of `rounds` parts."""
    words = str(buyers + CONNECTIONS), str(buyers * 3)
    with open_site(SEAT, *words, urls="bench.hot_site") as site:
        cookies = site.told["cookies"]
        tallies = {name: Tally(name) for name in WAYS}
        _all_buy(site, cookies[:CONNECTIONS], {name: Tally(name) for name in WAYS})  # warms up
        for part in _parts(cookies[CONNECTIONS:], rounds):
            _all_buy(site, part, tallies)
        counted = json.loads(run(COUNT, site.env))
    sold = sum(tally.done for tally in tallies.values()) + 3 * CONNECTIONS
    return Outcome(tallies, max(0, counted["orders"] - sold), tuple(counted["broken"]))


def _all_buy(site: Site, cookies: Sequence[str], tallies: dict[str, Tally]) -> None:
    for (name, tally), code in zip(tallies.items(), site.told["codes"], strict=True):
        path = WAYS[name].format(code=code)
        site.crowd((Press(path, cookie, BUY) for cookie in cookies), tally)


def _parts(cookies: Sequence[str], rounds: int) -> Iterator[Sequence[str]]:
    size = max(1, len(cookies) // rounds)
    for start in range(0, size * rounds, size):
        yield cookies[start : start + size]


def tell(outcome: Outcome) -> list[str]:
    """What `make bench` prints."""
    lines = [f"a hot item over HTTP, {CONNECTIONS} connections, PostgreSQL"]
    lines += [tally.told() for tally in outcome.tallies.values()]
    for name, least in (("locked", LOCKED), ("stated", STATED)):
        held = "holds" if outcome.ratio(name) >= least else "MISSED"
        lines.append(
            f"  ours / {name}: {outcome.ratio(name):.1f} (at least {least:.0f}: {held})"
        )
    wrong = f"{outcome.oversold} too many, broken: {', '.join(outcome.broken) or 'nothing'}"
    return [*lines, f"  violations: {wrong}"]
