"""A tree as a condition of the database over members: exact, as of now.

Each condition is a list of members' ids, so that it is true or false for everybody, never
unknown, and `not` needs no care.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import reduce
from operator import and_, or_
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, FloatField, OuterRef, Q, QuerySet, Sum, TextField, Value
from django.db.models.expressions import Case, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce, Cos, Power, Radians, Sin, StrIndex

from qunluo.community.models import Community
from qunluo.kit import clock
from qunluo.members.models import Consent, Member, Tagging, Touch
from qunluo.members.rules import ALL, judge_consent
from qunluo.segments.rules import (
    All,
    Allows,
    Birthday,
    Came,
    Did,
    Either,
    Flagged,
    Met,
    Near,
    Node,
    Not,
    OfField,
    Region,
    Seated,
    Spent,
    StandsAt,
    StandsIn,
    Tagged,
    Vocabulary,
)
from qunluo.segments.windows import birthdays, first_day, haversine_most, latitudes
from qunluo.standing.models import Standing, Tally

NOBODY_Q = Q(pk__in=[])
_COMPARE = {">=": "gte", "<=": "lte", "=": "exact"}


@dataclass(frozen=True)
class Scope:
    """Where and when a tree is asked. `only` narrows every list to some members, which answers
    for a few without reading those of all."""

    community: int
    zone: ZoneInfo
    now: datetime
    vocabulary: Vocabulary
    only: tuple[int, ...] | None = None

    @property
    def today(self) -> Any:
        return self.now.astimezone(self.zone).date()


def scope_of(
    community: Community, vocabulary: Vocabulary, only: Sequence[int] | None = None
) -> Scope:
    return Scope(community.pk, ZoneInfo(community.zone), clock.now(), vocabulary,
                 None if only is None else tuple(only))  # fmt: skip


def as_query(node: Node, scope: Scope) -> Q:
    """The condition on `Member`; the tree must be resolved (`rules.resolve`)."""
    if isinstance(node, All):
        return _joined(node.parts, scope, Q.AND)
    if isinstance(node, Either):
        return _joined(node.parts, scope, Q.OR)
    if isinstance(node, Not):
        return ~as_query(node.part, scope)
    asker = _ASKERS.get(type(node))
    return asker(node, scope) if asker else NOBODY_Q


def _joined(parts: Sequence[Node], scope: Scope, how: str) -> Q:
    asked = [as_query(part, scope) for part in parts]
    return reduce(and_ if how == Q.AND else or_, asked)


def _among(rows: QuerySet[Any], scope: Scope, name: str) -> Q:
    """Members whose ids are in a column of these rows."""
    if scope.only is not None:
        rows = rows.filter(**{f"{name}__in": scope.only})
    return Q(pk__in=rows.values(name))


def _members(where: Q, scope: Scope, **shown: Any) -> Q:
    rows = Member.objects.filter(community=scope.community).annotate(**shown).filter(where)
    if scope.only is not None:
        rows = rows.filter(pk__in=scope.only)
    return Q(pk__in=rows.order_by().values("pk"))


def _tagged(node: Tagged, scope: Scope) -> Q:
    current = Q(expires_at=None) | Q(expires_at__gt=scope.now)
    return _among(Tagging.objects.filter(current, tag=node.tag), scope, "member_id")


def _stands_in(node: StandsIn, scope: Scope) -> Q:
    rows = Standing.objects.filter(community=scope.community)
    return _among(rows.filter(**{f"{node.name}__in": node.values}), scope, "member_id")


def _stands_at(node: StandsAt, scope: Scope) -> Q:
    rows = Standing.objects.filter(community=scope.community)
    where = {f"{node.name}__{_COMPARE[node.op]}": node.value}
    return _among(rows.filter(**where), scope, "member_id")


def _flagged(node: Flagged, scope: Scope) -> Q:
    rows = Standing.objects.filter(community=scope.community)
    rows = rows.annotate(said=Cast("flags", TextField()))  # the same on every database
    places = {f"at_{risk}": StrIndex("said", Value(f'"{risk}"')) for risk in node.risks}
    where = reduce(or_, (Q(**{f"{place}__gt": 0}) for place in places))
    return _among(rows.annotate(**places).filter(where), scope, "member_id")


_TELLS = Q(code__isnull=False) | Q(inviter__isnull=False) | ~Q(utm={})
_FIRST = _TELLS | ~Q(page="")
"""What counts as telling anything, as in `members.queries.find_source`."""


def _came(node: Came, scope: Scope) -> Q:
    if node.by == "nothing":
        return ~_first_touches(_TELLS, scope)
    if node.by == "inviter":
        return _first_touches(Q(inviter__isnull=False), scope)
    if node.by == "code":
        return _first_touches(Q(code=node.value), scope)
    both = (
        Cast(KeyTextTransform(key, "utm"), TextField()) for key in (f"utm_{node.key}", node.key)
    )
    return _first_touches(Q(there=node.value), scope, there=Coalesce(*both))


def _first_touches(where: Q, scope: Scope, **shown: Any) -> Q:
    """Members whose first touch that tells anything is one of these; it does itself."""
    earlier = Q(at__lt=OuterRef("at")) | Q(at=OuterRef("at"), pk__lt=OuterRef("pk"))
    before = Touch.objects.filter(_FIRST, earlier, member=OuterRef("member"))
    rows = Touch.objects.filter(member__community=scope.community)
    rows = rows.annotate(**shown).filter(where).filter(~Exists(before.order_by()))
    return _among(rows, scope, "member_id")


def _allows(node: Allows, scope: Scope) -> Q:
    asked = judge_consent(node.purpose, None)
    here = Q(purpose=node.purpose, channel__in=[node.channel, ALL])
    later = Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk"))
    after = Consent.objects.filter(here, later, member=OuterRef("member")).order_by()
    last = Consent.objects.filter(here, member__community=scope.community)
    other = last.filter(granted=not asked).filter(~Exists(after))
    found = _among(other, scope, "member_id")
    return ~found if asked else found


def _days(days: int | None, scope: Scope) -> Q:
    since = first_day(days, scope.today)
    return Q() if since is None else Q(day__gte=since, day__lte=scope.today)


def _did(node: Did, scope: Scope) -> Q:
    rows = Tally.objects.filter(_days(node.days, scope), community=scope.community)
    counted = rows.filter(kind=node.kind).values("member_id").annotate(much=Sum("n"))
    if node.at_most is not None:
        return ~_among(counted.filter(much__gt=node.at_most), scope, "member_id")
    return _among(counted.filter(much__gte=node.at_least), scope, "member_id")


def _spent(node: Spent, scope: Scope) -> Q:
    rows = Tally.objects.filter(_days(node.days, scope), community=scope.community)
    paid = Case(When(kind="paid", then=F("amount_minor")), default=-F("amount_minor"))
    summed = rows.filter(kind__in=("paid", "refunded")).values("member_id")
    summed = summed.annotate(much=Sum(paid))
    where = Q()
    if node.low:
        where &= _among(summed.filter(much__gte=node.low), scope, "member_id")
    if node.high is not None:
        where &= ~_among(summed.filter(much__gt=node.high), scope, "member_id")
    return where or _members(Q(), scope)


def _seated(node: Seated, scope: Scope) -> Q:
    seats: Any = Member._meta.get_field("memberships").related_model
    rows = seats.objects.filter(group=node.group)
    return _among(rows if node.ever else rows.filter(left_at=None), scope, "member_id")


def _near(node: Near, scope: Scope) -> Q:
    south, north = latitudes(node)
    band = Q(lat__gte=south, lat__lte=north, lon__isnull=False)
    half = Power(Sin(Radians(F("lat") - Value(node.lat)) / 2.0), 2)
    wide = Power(Sin(Radians(F("lon") - Value(node.lon)) / 2.0), 2)
    away = half + Cos(Radians(Value(node.lat))) * Cos(Radians(F("lat"))) * wide
    rows = Member.objects.filter(band, community=scope.community)
    if scope.only is not None:
        rows = rows.filter(pk__in=scope.only)
    # what lies outside the band is never computed: it would cost more than the rest
    far = Case(When(band, then=away), default=Value(9.0), output_field=FloatField())
    close = rows.annotate(away=far).filter(away__lte=haversine_most(node.km))
    return Q(pk__in=close.order_by().values("pk"))


def _region(node: Region, scope: Scope) -> Q:
    if node.op == "set":
        return _members(~Q(region=""), scope)
    if node.op == "is":
        return _members(Q(region=node.value), scope)
    return _members(Q(at__gt=0), scope, at=_place_in(F("region"), node.value))


def _place_in(text: Any, words: str) -> StrIndex:
    """Where words are in a text, 0: nowhere. LIKE is not the same on all databases."""
    return StrIndex(text, Value(words))


def _birthday(node: Birthday, scope: Scope) -> Q:
    where = Q()
    for month, days in birthdays(node, scope.today).items():
        where |= Q(birthday__month=month, birthday__day__in=sorted(days))
    return _members(where, scope)


def _met(node: Met, scope: Scope) -> Q:
    since = datetime.combine(scope.today - timedelta(days=node.value - 1), time(), scope.zone)
    return _members(
        Q(made_at__gte=since) if node.op == "within" else Q(made_at__lt=since), scope
    )


def _of_field(node: OfField, scope: Scope) -> Q:
    known = scope.vocabulary.fields[node.key]
    if node.op == "set":
        return _members(Q(fields__has_key=node.key), scope)
    if known.kind in ("number", "yes_no"):
        there: Any = KeyTransform(node.key, "fields")
        value: Any = node.value
    else:
        # a plain text: the lookups of the transform would read what it is compared with as JSON
        there, value = Cast(KeyTextTransform(node.key, "fields"), TextField()), node.value
    if node.op == "contains":
        return _members(Q(at__gt=0), scope, at=_place_in(there, str(value)))
    how = _COMPARE.get(node.op, "exact")
    return _members(Q(**{f"there__{how}": value}), scope, there=there)


_ASKERS: dict[type, Callable[[Any, Scope], Q]] = {
    Tagged: _tagged, StandsIn: _stands_in, StandsAt: _stands_at, Did: _did, Spent: _spent,
    Seated: _seated, Near: _near, Region: _region, Birthday: _birthday, Met: _met,
    OfField: _of_field, Flagged: _flagged, Came: _came, Allows: _allows,
}  # fmt: skip
