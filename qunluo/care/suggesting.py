"""Finding pairs to introduce: group by group, from tags, ties and the circles among them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import transaction
from django.db.models import Q, QuerySet

from qunluo.care.errors import SameTagError
from qunluo.care.introductions import do_tidy
from qunluo.care.matching import Match, Pair, Person, Tagged, choose, find_matches, ordered
from qunluo.care.models import Complement, Introduction, IntroductionOptOut
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.marks import do_mark, is_done
from qunluo.groups.models import Group, Membership
from qunluo.insight.estimates import wilson
from qunluo.insight.graph import communities, graph_of
from qunluo.kit import clock
from qunluo.members.models import Identity, Tag, Tagging
from qunluo.members.queries import list_allowed
from qunluo.standing.models import TieMedian
from qunluo.standing.sums import find_survivors
from qunluo.standing.ties import have_met, list_tied, list_ties

MOST_OPEN = 50  # suggestions that wait in a community
MOST_EACH = 2  # of these with the same member
MOST_PEOPLE = 500  # looked at in one group: the newest
NEW_DAYS = 30
SEED = 7
OVER = ("closing", "dissolved")


# finding


def do_suggest(community: Community) -> int:
    """Fills the list of suggestions; how many came on it. Never a pair that was introduced,
    asked or dismissed before, nor somebody who opted out."""
    do_tidy(community)
    waiting = Introduction.objects.filter(community=community, state="suggested")
    taken = Counter(end for pair in waiting.values_list("one_id", "other_id") for end in pair)
    room = MOST_OPEN - waiting.count()
    if room <= 0:
        return 0
    found: dict[Pair, tuple[Match, int]] = {}
    for group in _running(community):
        for match in _find_in(group, taken, room):
            found.setdefault((match.one, match.other), (match, group.pk))
    ranked = sorted((m for m, _ in found.values()), key=lambda m: (-m.score, m.one, m.other))
    chosen = choose(ranked, most=room, each=MOST_EACH, taken=dict(taken))
    return _keep(community, [(m, found[m.one, m.other][1]) for m in chosen])


def _running(community: Community) -> QuerySet[Group]:
    rows = Group.objects.filter(community=community).exclude(state__in=OVER)
    return rows.select_related("community").order_by("pk")


def _find_in(group: Group, taken: Mapping[int, int], room: int) -> list[Match]:
    people, tagged = look_at(group, clock.now())
    ids = [p.pk for p in people]
    matches = find_matches(people, tagged, list_apart(group.community, ids), new_days=NEW_DAYS)
    return choose(matches, most=room, each=MOST_EACH, taken=dict(taken))


def _keep(community: Community, chosen: Sequence[tuple[Match, int]]) -> int:
    now, before = clock.now(), Introduction.objects.filter(community=community).count()
    Introduction.objects.bulk_create(
        [
            Introduction(
                community=community, group_id=group, one_id=m.one, other_id=m.other,
                score=m.score, suggested_at=now,
                reasons=[{"en": text.en, "zh": text.zh} for text in m.reasons],
            )
            for m, group in chosen
        ],
        ignore_conflicts=True,  # another looked at the same time
    )  # fmt: skip
    return Introduction.objects.filter(community=community).count() - before


def list_apart(community: Community, ids: Sequence[int]) -> set[Pair]:
    """Pairs among these that have a tie, or were on the list before, under whatever name."""
    pairs = {ordered(a, b) for a in ids for b in ids if a < b}
    rows = Introduction.objects.filter(community=community).exclude(state="lapsed")
    ends = list(rows.values_list("one_id", "other_id"))
    now = find_survivors({end for pair in ends for end in pair})
    seen = {ordered(now.get(a, a), now.get(b, b)) for a, b in ends}
    return have_met(pairs) | (seen & pairs)


def look_at(group: Group, now: datetime) -> tuple[list[Person], Tagged]:
    """The members of a group who may be introduced, with their tags and circles."""
    seats = Membership.objects.filter(
        group=group, left_at=None, member__merged_into=None, member__erased_at=None
    )
    rows = list(seats.select_related("member").order_by("-joined_at", "-pk")[:MOST_PEOPLE])
    shut = list_shut([seat.member_id for seat in rows])
    rows = [seat for seat in rows if seat.member_id not in shut]
    ids = [seat.member_id for seat in rows]
    tags, names = _tags_of(ids, now)
    tied = list_tied(group.community, ids)
    circles = find_circles(group.community, ids)
    people = [
        Person(
            seat.member_id, seat.member.name, frozenset(tags.get(seat.member_id, ())),
            seat.member_id in tied, (now - seat.joined_at).days,
            *circles.get(seat.member_id, (-1, 0)),
        )
        for seat in rows
    ]  # fmt: skip
    counts = Counter(tag for mine in tags.values() for tag in mine)
    shares = {tag: n / max(1, len(ids)) for tag, n in counts.items()}
    return people, Tagged(names, shares, _complements(group.community))


def _tags_of(ids: Sequence[int], now: datetime) -> tuple[dict[int, set[int]], dict[int, str]]:
    rows = Tagging.objects.filter(member__in=ids)
    live = rows.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    tags: dict[int, set[int]] = defaultdict(set)
    names: dict[int, str] = {}
    for member, tag, name in live.values_list("member_id", "tag_id", "tag__name"):
        tags[member].add(tag)
        names[tag] = name
    return tags, names


def list_shut(ids: Sequence[int]) -> set[int]:
    """Who of these can't be asked: opted out, without an account, or service refused."""
    out = set(
        IntroductionOptOut.objects.filter(member__in=ids).values_list("member_id", flat=True)
    )
    accounts: dict[str, list[int]] = defaultdict(list)
    for member, channel in Identity.objects.filter(member__in=ids).values_list(
        "member_id", "channel"
    ):
        accounts[channel].append(member)
    reached = {
        pk for channel, own in accounts.items() for pk in list_allowed(own, "service", channel)
    }
    return out | (set(ids) - reached)


def find_circles(community: Community, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Of who has ties among these: the cluster (Leiden, as in the report), and its size."""
    rows = list(list_ties(community, ids).order_by("one", "other"))
    keys = np.array(sorted(ids), dtype=np.int64)
    graph = graph_of(
        keys,
        np.array([row.one_id for row in rows], dtype=np.int64),
        np.array([row.other_id for row in rows], dtype=np.int64),
        np.array([sum(row.kinds.values()) for row in rows], dtype=np.float64),
    )
    found = communities(graph, SEED)
    sizes = found.sizes
    return {
        int(key): (int(of), int(sizes[of]))
        for key, of in zip(graph.keys, found.of, strict=True)
        if of >= 0
    }


# tags that complement each other


def _complements(community: Community) -> frozenset[Pair]:
    rows = Complement.objects.filter(community=community)
    return frozenset(rows.values_list("one_id", "other_id"))


@transaction.atomic
def do_complement(community: Community, one: Tag, other: Tag, *, by: str) -> Complement:
    """From now on members of the one are suggested to those of the other. Raises
    `SameTagError`."""
    if one.pk == other.pk:
        raise SameTagError
    first, second = sorted((one, other), key=lambda tag: tag.pk)
    row, made = Complement.objects.get_or_create(
        one=first, other=second,
        defaults={"community": community, "by": by, "at": clock.now()},
    )  # fmt: skip
    if made:
        record("complement_set", community=community.pk, actor=by,
               data={"tags": [first.name, second.name]})  # fmt: skip
    return row


@transaction.atomic
def do_uncomplement(row: Complement, *, by: str) -> None:
    if Complement.objects.filter(pk=row.pk).delete()[0]:
        record("complement_removed", community=row.community_id, actor=by,
               data={"tags": [row.one.name, row.other.name]})  # fmt: skip


# what came of it


@dataclass(frozen=True)
class Share:
    """How many of so many, with the 95 % interval by Wilson."""

    hits: int
    n: int

    @property
    def share(self) -> float:
        return self.hits / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.hits, self.n) if self.n else (0.0, 1.0)


@dataclass(frozen=True)
class Outcome:
    """Ties within four weeks: of those introduced, and of those suggested and not introduced."""

    introduced: Share
    others: Share
    waiting: int  # introduced, and their four weeks are not over


def measure(community: Community) -> Outcome:
    """What is known so far. It is no experiment: people chose whom to introduce."""
    rows = Introduction.objects.filter(community=community)
    over = rows.exclude(measured_at=None)
    made, others = over.exclude(made_at=None), over.filter(made_at=None)
    return Outcome(
        Share(made.filter(tied=True).count(), made.count()),
        Share(others.filter(tied=True).count(), others.count()),
        rows.exclude(made_at=None).filter(measured_at=None).count(),
    )


# the worker's part


def suggest_due() -> bool:
    """Looks for pairs where a night has brought the ties up to date since the last look."""
    for row in TieMedian.objects.select_related("community").order_by("pk"):
        name = f"care.introductions:{row.pk}"
        if is_done(name, row.judged_on):
            continue
        do_suggest(row.community)
        do_mark(name, row.judged_on)
        return True
    return False
