"""Joins that meet nobody: each friend helps in a task of its own, over HTTP, on PostgreSQL.

Ours against SQL written by hand for the same rows, in one run, by turns: over 64 connections, and
over one, where nothing can be carried out together. `python -m bench --only joins`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from bench.crowd import CONNECTIONS, Press, Site, Tally, open_site, run

LEAST = 0.5  # of what is written by hand, over many connections
ALONE = 8  # presses one after the other: one for so many of the crowd's
WAYS = {"ours": "/c/{code}/press", "by hand": "/written/{code}"}
ROWS = ("play", "slot", "deed", "event")
SEAT = """
import json, sys
from datetime import timedelta
from qunluo.server.database import prepare_database
from qunluo.kit.settings import read_settings
prepare_database(read_settings(), "en")
from qunluo.campaigns.lifecycle import Plan, do_fund_worst_case, do_make, do_publish
from qunluo.campaigns.models import Play
from qunluo.campaigns.playing import Tap, do_taps
from qunluo.campaigns.invites import do_attribute
from qunluo.channels.web.models import WebSession
from qunluo.channels.web.sessions import CHANNEL, COOKIE, do_open_session
from qunluo.community.actions import do_found
from qunluo.community.models import User
from qunluo.kit import clock
from qunluo.members.models import Identity, Member
from django.db import transaction
tasks = int(sys.argv[1])
owner = User.objects.create_user(username="owner")
community = do_found("Bench", owner)
now = clock.now()
rules = {"tiers": [{"helps": 3, "reward": {"unit": "points", "amount": 10}}], "tasks": tasks * 2,
         "minutes": 60}
plan = Plan("Help", "assist", rules, ends_at=now + timedelta(days=1))
campaign = do_make(community, plan, by="staff:1")
do_fund_worst_case(campaign, by="staff:1")
do_publish(campaign, reasons={"wechat_sharing": "bench"}, by="staff:1")
campaign.refresh_from_db()
cookies = []
with transaction.atomic():
    owners = Member.objects.bulk_create(
        Member(community=community, name=f"O{n}", made_at=now) for n in range(tasks))
    for start in range(0, tasks, 100):
        for said in do_taps(campaign, [Tap(m, "open", "one") for m in owners[start : start + 100]]):
            assert hasattr(said, "answer"), said
    for n in range(tasks):
        session, cookie = do_open_session()
        member = Member.objects.create(community=community, name=f"F{n}", made_at=now)
        Identity.objects.create(community=community, member=member, channel=CHANNEL,
                                name=member.name, external_id=session.account, made_at=now)
        do_attribute(member)
        cookies.append(f"{COOKIE}={cookie}")
plays = list(Play.objects.order_by("pk").values_list("key", flat=True))
print(json.dumps({"code": campaign.code, "plays": plays, "cookies": cookies}))
"""
COUNT = """
import json
import django
django.setup()
from qunluo.campaigns.models import Deed, Play, Slot
from qunluo.events.models import Event
print(json.dumps({
    "deed": Deed.objects.filter(kind="help").count(),
    "slot": Slot.objects.filter(name__startswith="help:").count(),
    "event": Event.objects.filter(kind="campaign_helped").count(),
    "play": Play.objects.filter(revision__gt=1).count()}))
"""


@dataclass(frozen=True)
class Outcome:
    many: dict[str, Tally]
    alone: dict[str, Tally]
    rows: dict[str, int]  # written, by table

    @property
    def ratio(self) -> float:
        return self.many["ours"].per_s / max(self.many["by hand"].per_s, 0.01)

    @property
    def done(self) -> int:
        return sum(t.done for t in (*self.many.values(), *self.alone.values()))


def race(tasks: int, rounds: int = 3) -> Outcome:
    """So many tasks are helped in each way, in `rounds` parts by turns."""
    one = max(1, tasks // ALONE)
    wanted = len(WAYS) * (CONNECTIONS + tasks + one)
    with open_site(SEAT, str(wanted), urls="bench.hot_site") as site:
        helps = _helps(site)
        _turns(site, helps, {name: Tally(name) for name in WAYS}, CONNECTIONS)  # warms up
        before = json.loads(run(COUNT, site.env))
        many, alone = ({name: Tally(name) for name in WAYS} for _ in range(2))
        for _ in range(rounds):
            _turns(site, helps, many, tasks // rounds)
            _turns(site, helps, alone, max(1, one // rounds), connections=1)
        after = json.loads(run(COUNT, site.env))
    return Outcome(many, alone, {name: after[name] - before[name] for name in ROWS})


def _helps(site: Site) -> Iterator[Press]:
    """Each friend in a task of its own; where to press is filled in."""
    for number, (play, cookie) in enumerate(
        zip(site.told["plays"], site.told["cookies"], strict=True)
    ):
        yield Press("", cookie, {"kind": "help", "key": f"k{number}", "play": play})


def _turns(
    site: Site, helps: Iterator[Press], tallies: dict[str, Tally], size: int,
    connections: int = CONNECTIONS,
) -> None:  # fmt: skip
    for name, tally in tallies.items():
        path = WAYS[name].format(code=site.told["code"])
        presses = [Press(path, p.cookie, p.body) for p in islice(helps, size)]
        site.crowd(presses, tally, connections)


def tell(outcome: Outcome) -> list[str]:
    """What `make bench` prints."""
    lines = [f"joins that meet nobody over HTTP, {CONNECTIONS} connections, PostgreSQL"]
    lines += [tally.told() for tally in outcome.many.values()]
    held = "holds" if outcome.ratio >= LEAST else "MISSED"
    lines.append(f"  ours / by hand: {outcome.ratio:.2f} (at least {LEAST}: {held})")
    lines += ["  the same over one connection", *(t.told() for t in outcome.alone.values())]
    short = [name for name, rows in outcome.rows.items() if rows != outcome.done]
    return [*lines, f"  rows missing or too many: {', '.join(short) or 'none'}"]
