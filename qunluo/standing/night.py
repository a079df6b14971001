"""The full judging of a community: what compares members first, then everybody in chunks.

A night that is killed begins again, and comes to the same; what it wrote until then is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from qunluo.community.models import Community
from qunluo.events.models import Consumer
from qunluo.insight.graph import Graph, graph_of, influence
from qunluo.insight.rfm import cuts
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.standing.facts import ACTIVE, INTO, OUT_OF
from qunluo.standing.judging import Court, do_judge, open_court
from qunluo.standing.loading import ordinal
from qunluo.standing.models import STAFF, Correction, Reckoning, Standing
from qunluo.standing.rules import RFM, Last
from qunluo.standing.thresholds import Thresholds

FOLLOWER = "standing.sums"
CHUNK = 500
WEEKS = 4
WINDOW_DAYS = 7 * WEEKS
LEASE = timedelta(minutes=10)
INVITE_REACH = 3  # a member brought reaches as much as three who answered
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Places:
    """Where everybody stands beside the others; members that are not in `keys` are in no group,
    and stand at the periphery."""

    keys: Ints  # sorted
    circle: NDArray[np.str_]
    influence: Floats
    weeks: Ints
    lower_since: dict[int, date]

    def of(self, member: int) -> Last:
        at = int(np.searchsorted(self.keys, member))
        if at == len(self.keys) or self.keys[at] != member:
            return Last()
        return Last(str(self.circle[at]), round(float(self.influence[at]), 6),
                    int(self.weeks[at]), self.lower_since.get(member))  # fmt: skip


def do_judge_all(community: Community) -> int:
    """Judges every member of the community by all that is known; how many. Chunk by chunk, each
    a transaction, so that it takes little memory and holds nobody up for long."""
    places = _prepare(community)
    court, judged, last = open_court(community), 0, 0
    while ids := _next_ids(community, last):
        with transaction.atomic():
            hold_sums()
            do_judge(court, ids, {pk: places.of(pk) for pk in ids})
        judged, last = judged + len(ids), ids[-1]
        Reckoning.objects.filter(community=community).update(claimed_until=clock.now() + LEASE)
    Reckoning.objects.filter(community=community).update(
        judged_on=court.today, claimed_until=None
    )
    return judged


def _next_ids(community: Community, after: int) -> list[int]:
    live = Member.objects.filter(community=community, merged_into=None, erased_at=None)
    return list(live.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:CHUNK])


def hold_sums() -> Consumer:
    """Nobody adds to the sums until the transaction ends: what is read here stays true."""
    Consumer.objects.get_or_create(name=FOLLOWER)
    return Consumer.objects.select_for_update().get(name=FOLLOWER)


def find_due(now: datetime) -> Community | None:
    """A community whose local day was not judged yet, claimed for whoever asked."""
    for community in Community.objects.order_by("pk"):
        row, _ = Reckoning.objects.get_or_create(community=community)
        today = open_court(community).today
        if row.judged_on == today or row.behind is not None:
            continue
        mine = Reckoning.objects.filter(pk=row.pk, claimed_until=row.claimed_until)
        free = row.claimed_until is None or row.claimed_until <= now
        if free and mine.update(claimed_until=now + LEASE):
            return community
    return None


# what compares members


def _prepare(community: Community) -> Places:
    court = open_court(community)
    live = _live(community)
    borders = find_borders(community, live, court.today)
    Reckoning.objects.update_or_create(community=community, defaults={"borders": borders})
    return find_places(community, court, live)


def _live(community: Community) -> Ints:
    rows = Member.objects.filter(community=community, merged_into=None, erased_at=None)
    return np.sort(_numbers(rows.values_list("pk", flat=True).iterator(chunk_size=10_000)))


def _numbers(rows: Iterator[int]) -> Ints:
    return np.fromiter(rows, np.int64)


def _table(sql: str, args: Sequence[Any], columns: int) -> Ints:
    """Rows of whole numbers; a day as its ordinal."""
    with connection.cursor() as cursor:
        cursor.execute(sql, args)
        rows = iter(lambda: cursor.fetchmany(10_000), [])
        flat = (ordinal(v) if isinstance(v, (date, str)) else int(v)
                for row in chain.from_iterable(rows) for v in row)  # fmt: skip
        return np.fromiter(flat, np.int64).reshape(-1, columns)


_ORDERS = """
SELECT member_id,
    SUM(CASE WHEN kind = 'paid' THEN n ELSE -n END),
    SUM(CASE WHEN kind = 'paid' THEN amount_minor ELSE -amount_minor END),
    MAX(CASE WHEN kind = 'paid' AND n > 0 THEN day END)
FROM standing_tally WHERE community_id = %s AND kind IN ('paid', 'refunded')
GROUP BY member_id
HAVING SUM(CASE WHEN kind = 'paid' THEN n ELSE -n END) > 0
"""


def find_borders(community: Community, live: Ints, today: date) -> dict[str, list[int]]:
    """The cuts of the fifths among all who have an order that stands, by the rule of the
    report (`insight.rfm`): equal values are of one class."""
    rows = _table(_ORDERS, [community.pk], 4)
    rows = rows[np.isin(rows[:, 0], live)]
    if not len(rows):
        return {}
    values = (today.toordinal() - rows[:, 3], rows[:, 1], np.maximum(rows[:, 2], 0))
    return {name: list(cuts(column)) for name, column in zip(RFM, values, strict=True)}


def find_places(community: Community, court: Court, live: Ints) -> Places:
    """Circles among all who are in a group now."""
    keys = np.intersect1d(_inside(community), live)
    since = court.today - timedelta(days=WINDOW_DAYS - 1)
    score, tied = _influence(community, keys, since)
    weeks = _weeks(community, keys, court.today)
    found = Ranked(keys, score, tied & (weeks > 0), weeks)
    circle, lower = settle_circles(found, _before(community), court.thresholds, court.today,
                                   by_hand=_core_by_hand(community))  # fmt: skip
    return Places(keys, circle, score, weeks, lower)


_INSIDE = """
SELECT member_id FROM standing_tally WHERE community_id = %s AND kind IN ({kinds})
GROUP BY member_id HAVING SUM(CASE WHEN kind IN ({into}) THEN n ELSE -n END) > 0
"""


def _inside(community: Community) -> Ints:
    """Who is in a group now."""
    sql = _INSIDE.format(kinds=_listed((*INTO, *OUT_OF)), into=_listed(INTO))
    return np.unique(_table(sql, [community.pk], 1)[:, 0])


def _listed(kinds: Sequence[str]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


_TIES = """
SELECT member_id, other_id, SUM(CASE WHEN kind IN ('reply', 'mention') THEN n ELSE 0 END),
    MAX(CASE WHEN kind = 'invite' THEN 1 ELSE 0 END)
FROM standing_contact
WHERE community_id = %s AND day >= %s AND kind IN ('reply', 'mention', 'reaction', 'invite')
GROUP BY member_id, other_id HAVING SUM(n) > 0
"""


def _influence(
    community: Community, keys: Ints, since: date
) -> tuple[Floats, NDArray[np.bool_]]:
    return score_ties(keys, _table(_TIES, [community.pk, since], 4))


def score_ties(keys: Ints, rows: Ints) -> tuple[Floats, NDArray[np.bool_]]:
    """Influence of `keys` from rows of (member, other, replies and mentions, whether they
    brought them): half the share of PageRank, half the share of reach (people who turned to
    them, and thrice those they brought), over the mean; and who has any tie."""
    rows = rows[(rows[:, 0] != STAFF) & (rows[:, 1] != STAFF)]
    invited = rows[:, 3] > 0
    turned = rows[~invited | (rows[:, 2] > 0)]
    graph = graph_of(keys, turned[:, 0], turned[:, 1], turned[:, 2].astype(np.float64))
    reach = _count(keys, turned[:, 1]) + INVITE_REACH * _count(keys, rows[invited, 0])
    score = (_over_mean(_rank(graph)) + _over_mean(reach)) / 2
    return np.round(score, 6), (graph.strength > 0) | (reach > 0)


def _rank(graph: Graph) -> Floats:
    """PageRank above what somebody without any tie has."""
    if not len(graph.source):
        return np.zeros(len(graph))
    found = influence(graph)
    return np.where(graph.strength > 0, found - found.min(), 0.0)


def _count(keys: Ints, members: Ints) -> Floats:
    kept = members[np.isin(members, keys)]
    return np.bincount(np.searchsorted(keys, kept), minlength=len(keys)).astype(np.float64)


def _over_mean(values: Floats) -> Floats:
    mean = values.mean() if len(values) else 0.0
    return values / mean if mean else values


def _weeks(community: Community, keys: Ints, today: date) -> Ints:
    """In how many of the last four weeks each was active."""
    sql = (
        "SELECT DISTINCT member_id FROM standing_tally WHERE community_id = %s "
        f"AND kind IN ({_listed(ACTIVE)}) AND day > %s AND day <= %s AND n > 0"
    )
    found = np.zeros(len(keys), np.int64)
    for week in range(WEEKS):
        end = today - timedelta(days=7 * week)
        active = _table(sql, [community.pk, end - timedelta(days=7), end], 1)[:, 0]
        found += np.isin(keys, active)
    return found


def _before(community: Community) -> dict[int, tuple[str, date | None]]:
    """Who was in an inner circle, and since when a lower one is due."""
    rows = Standing.objects.filter(community=community).exclude(placed="periphery")
    found = rows.values_list("member_id", "placed", "lower_since")
    return {pk: (placed, since) for pk, placed, since in found.iterator(chunk_size=10_000)}


def _core_by_hand(community: Community) -> int:
    mine = Correction.objects.filter(member__community=community, lifted_at=None)
    return mine.filter(name="circle", value="core").count()


# circles: pure


@dataclass(frozen=True)
class Ranked:
    """Everybody who is in a group, by ascending id."""

    keys: Ints
    score: Floats
    tied: NDArray[np.bool_]  # any activity and any tie in four weeks
    weeks: Ints


def settle_circles(
    found: Ranked,
    before: dict[int, tuple[str, date | None]],
    at: Thresholds,
    today: date,
    *,
    by_hand: int = 0,
) -> tuple[NDArray[np.str_], dict[int, date]]:
    """The circle of each, and since when a lower one is due for those who keep theirs.

    Up at once, down only when a lower circle was due for the days of grace; but the core is
    never more than its share, so that who is above takes the seat of who is kept.
    """
    n = len(found.keys)
    ranked = np.lexsort((found.keys, -found.score))
    ranked = ranked[found.tied[ranked]]
    seats = max(0, int(at.core_share * n) - by_hand)
    core = ranked[found.weeks[ranked] >= at.core_weeks][:seats]
    rest = ranked[~np.isin(ranked, core)][: int(at.influence_share * n)]
    circle = np.full(n, "periphery", dtype="<U9")
    circle[rest], circle[core] = "influence", "core"
    lower: dict[int, date] = {}
    free = seats - len(core)
    for place in _by_rank(found, before):
        was, since = before[int(found.keys[place])]
        began = since or today
        if _order(circle[place]) >= _order(was) or (today - began).days >= at.grace_days:
            continue
        if was == "core" and free <= 0:
            circle[place] = "influence"
            continue
        free -= was == "core"
        circle[place], lower[int(found.keys[place])] = was, began
    return circle, lower


def _by_rank(found: Ranked, before: dict[int, tuple[str, date | None]]) -> list[int]:
    """Places of those who were in an inner circle, the most influential first."""
    mine = np.flatnonzero(np.isin(found.keys, np.fromiter(before, np.int64, len(before))))
    return [int(p) for p in mine[np.lexsort((found.keys[mine], -found.score[mine]))]]


def _order(circle: str) -> int:
    return ("periphery", "influence", "core").index(str(circle))
