"""Ties between members: the table of each night, and what is true of one member now.

The night goes through the members in chunks of ids, each a transaction, and writes what differs:
it takes little memory, and one that is killed begins again and comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import F, Max, Min, Q, QuerySet, Sum

from qunluo.community.models import Community
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.models import Member
from qunluo.standing.judging import open_court
from qunluo.standing.models import STAFF, Contact, Reckoning, Tie, TieMedian
from qunluo.standing.night import LEASE, hold_sums
from qunluo.standing.tie_rules import (
    Bond,
    Medians,
    Pair,
    Turns,
    find_bonds,
    is_strong,
)

CHUNK = 500
KIND_WORDS: dict[str, Text] = {
    "reply": Text("replies", "回复"),
    "mention": Text("mentions", "提及"),
    "reaction": Text("reactions", "表情回应"),
    "invite": Text("invitations", "邀请"),
    "order": Text("joint orders", "一起下单"),
    "gathering": Text("gatherings", "同场活动"),
}
_WRITTEN = [
    "kinds",
    "dimension",
    "frequency",
    "weeks",
    "strong",
    "since",
    "last_on",
    "judged_on",
]


@dataclass(frozen=True)
class Partner:
    """One tie from the side of one member."""

    member: Member
    bond: Bond
    strong: bool
    today: int

    @property
    def weeks(self) -> float:
        return self.bond.weeks(self.today)

    @property
    def frequency(self) -> float:
        return self.bond.frequency(self.today)

    @property
    def why(self) -> Text:
        """Which kinds, how many, since when."""
        since = date.fromordinal(self.bond.since)
        en = ", ".join(f"{KIND_WORDS[kind].en}: {n}" for kind, n in self.bond.kinds)
        zh = "、".join(f"{KIND_WORDS[kind].zh} {n} 次" for kind, n in self.bond.kinds)
        return Text(
            f"{en}; since {since}, {self.frequency:.1f} a week",
            f"{zh}；始于 {since}，每周 {self.frequency:.1f} 次",
        )


# reading


def ties_of(member: Member) -> list[Partner]:
    """A member's ties as the sums stand now, strong ones first, then the busiest; strong by the
    last night's medians."""
    court = open_court(member.community)
    today, medians = court.today.toordinal(), medians_of(member.community)
    bonds = find_bonds(load_turns([member.pk]))
    others = {pair: pair[0] + pair[1] - member.pk for pair in bonds}
    live = _live(member.community_id, others.values()).in_bulk()
    found = [
        Partner(live[others[pair]], bond, is_strong(bond, medians, today), today)
        for pair, bond in bonds.items()
        if others[pair] in live
    ]
    return sorted(found, key=lambda p: (not p.strong, -p.bond.contacts, p.member.pk))


def list_tied(community: Community, ids: Iterable[int]) -> set[int]:
    """Who of these has a tie with anybody: by the last night, and by what came since."""
    asked = set(ids)
    rows = Tie.objects.filter(community=community)
    tied = set(rows.filter(one__in=asked).values_list("one_id", flat=True))
    tied |= set(rows.filter(other__in=asked).values_list("other_id", flat=True))
    bonds = find_bonds(load_turns(asked - tied))
    ends = {end for pair in bonds for end in pair}
    live = set(_live(community.pk, ends).values_list("pk", flat=True))
    for one, other in bonds:
        if one in live and other in live:
            tied |= {one, other} & asked
    return tied


def have_met(pairs: Iterable[Pair]) -> set[Pair]:
    """Which of these pairs (smaller id first) have a tie now."""
    asked = set(pairs)
    ones = {one for one, _ in asked}
    return asked & find_bonds(load_turns(ones, with_ids={other for _, other in asked})).keys()


def met_between(pair: Pair, since: date, until: date) -> bool:
    """Whether one of two turned to the other in these days, the last one included."""
    rows = Contact.objects.filter(day__gte=since, day__lte=until)
    either = Q(member_id=pair[0], other_id=pair[1]) | Q(member_id=pair[1], other_id=pair[0])
    return bool(find_bonds(_sum_up(rows.filter(either))))


def medians_of(community: Community) -> Medians | None:
    """None before the first night, and where there is no tie."""
    row = TieMedian.objects.filter(community=community).exclude(ties=0).first()
    return Medians(row.dimension, row.frequency, row.weeks) if row else None


def list_ties(community: Community, ids: Sequence[int]) -> QuerySet[Tie]:
    """Ties among these members, of the last night."""
    return Tie.objects.filter(community=community, one__in=ids, other__in=ids)


def load_turns(ids: Iterable[int], *, with_ids: Iterable[int] | None = None) -> list[Turns]:
    """All that lies between these members and others, or those of `with_ids` only."""
    mine = list(ids)
    rows = Contact.objects.exclude(member_id=STAFF).exclude(other_id=STAFF)
    outward, inward = rows.filter(member_id__in=mine), rows.filter(other_id__in=mine)
    if with_ids is not None:
        theirs = list(with_ids)
        outward, inward = (
            outward.filter(other_id__in=theirs),
            inward.filter(member_id__in=theirs),
        )
    return list({*_sum_up(outward), *_sum_up(inward)})


def _sum_up(rows: QuerySet[Contact]) -> Iterator[Turns]:
    counted = Q(n__gt=0)
    found = rows.order_by().values_list("member_id", "other_id", "kind").annotate(
        total=Sum("n"), first=Min("day", filter=counted), last=Max("day", filter=counted)
    )  # fmt: skip
    for one, other, kind, n, first, last in found.iterator(chunk_size=5000):
        yield Turns(one, other, kind, n, _ordinal(first), _ordinal(last))


def _ordinal(day: date | None) -> int | None:
    return None if day is None else day.toordinal()


def _live(community: int, ids: Iterable[int]) -> QuerySet[Member]:
    rows = Member.objects.filter(community=community, merged_into=None, erased_at=None)
    return rows.filter(pk__in=set(ids))


# writing


@transaction.atomic
def do_tie(community: Community, ids: Sequence[int]) -> None:
    """Brings the ties of these members up to date, whoever the other is."""
    hold_sums()
    bonds = find_bonds(load_turns(ids))
    rows = Tie.objects.filter(Q(one__in=ids) | Q(other__in=ids))
    _replace(community, bonds, rows.filter(community=community))


def do_tie_all(community: Community) -> int:
    """All ties of a community, and then which are strong; how many there are."""
    last = 0
    while ids := _next_ids(community, last):
        with transaction.atomic():
            hold_sums()
            mine = Tie.objects.filter(community=community, one__gt=last, one__lte=ids[-1])
            _replace(community, find_bonds(_load_owned(ids)), mine)
        last = ids[-1]
        Reckoning.objects.filter(community=community, claimed_until__isnull=False).update(
            claimed_until=clock.now() + LEASE
        )
    Tie.objects.filter(community=community, one__gt=last).delete()
    return _do_settle(community)


def _next_ids(community: Community, after: int) -> list[int]:
    live = Member.objects.filter(community=community, merged_into=None, erased_at=None)
    return list(live.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:CHUNK])


def _load_owned(ids: Sequence[int]) -> Iterator[Turns]:
    """What lies between these members and those with larger ids: each pair once a night."""
    rows = Contact.objects.exclude(member_id=STAFF)
    yield from _sum_up(rows.filter(member_id__in=ids, other_id__gt=F("member_id")))
    rows = Contact.objects.exclude(other_id=STAFF)
    yield from _sum_up(rows.filter(other_id__in=ids, member_id__gt=F("other_id")))


def _replace(community: Community, bonds: dict[Pair, Bond], before: QuerySet[Tie]) -> None:
    """Writes what differs from the rows that were there."""
    ends = {end for pair in bonds for end in pair}
    live = set(_live(community.pk, ends).values_list("pk", flat=True))
    today, medians = open_court(community).today, medians_of(community)
    rows = {
        pair: _as_row(community, pair, bond, medians, today)
        for pair, bond in bonds.items()
        if pair[0] in live and pair[1] in live
    }
    old = {(row.one_id, row.other_id): row for row in before}
    gone = [row.pk for pair, row in old.items() if pair not in rows]
    Tie.objects.filter(pk__in=gone).delete()
    fresh = [row for pair, row in rows.items() if _differs(old.get(pair), row)]
    Tie.objects.bulk_create(
        fresh, batch_size=80, update_conflicts=True, unique_fields=["one", "other"],
        update_fields=_WRITTEN,
    )  # fmt: skip


def _as_row(
    community: Community, pair: Pair, bond: Bond, medians: Medians | None, today: date
) -> Tie:
    at = today.toordinal()
    return Tie(
        community=community, one_id=pair[0], other_id=pair[1], kinds=dict(bond.kinds),
        dimension=bond.dimension, frequency=bond.frequency(at), weeks=bond.weeks(at),
        strong=is_strong(bond, medians, at), since=date.fromordinal(bond.since),
        last_on=date.fromordinal(bond.last), judged_on=today,
    )  # fmt: skip


def _differs(old: Tie | None, row: Tie) -> bool:
    return old is None or any(getattr(old, name) != getattr(row, name) for name in _WRITTEN)


@transaction.atomic
def _do_settle(community: Community) -> int:
    """The medians of all ties, and which ties are above all three."""
    mine = Tie.objects.filter(community=community)
    n = mine.count()
    medians = Medians(*(_median(mine, name, n) for name in Medians._fields))
    TieMedian.objects.update_or_create(
        community=community,
        defaults={**medians._asdict(), "ties": n, "judged_on": open_court(community).today},
    )
    above = Q(**{f"{name}__gt": getattr(medians, name) for name in Medians._fields})
    mine.filter(above, strong=False).update(strong=True)
    mine.exclude(above).filter(strong=True).update(strong=False)
    return n


def _median(rows: QuerySet[Tie], name: str, n: int) -> float:
    """The middle of a column, read from its index: the ties themselves stay where they are."""
    if not n:
        return 0.0
    middle = rows.order_by(name).values_list(name, flat=True)[(n - 1) // 2 : n // 2 + 1]
    values = [float(value) for value in middle]
    return sum(values) / len(values)
