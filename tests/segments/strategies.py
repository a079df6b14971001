"""Trees of any shape, and a community small enough to be asked member by member."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from qunluo.community.models import Community
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import (
    ChannelCode,
    Consent,
    Field,
    Identity,
    Member,
    Tag,
    Tagging,
    TagGroup,
    Touch,
)
from qunluo.members.queries import find_source, may_send
from qunluo.segments.models import Segment
from qunluo.segments.rules import (
    COMPARE,
    FIELD_OPS,
    NUMBERS,
    PURPOSES,
    RISKS,
    UTM,
    WORDS,
    All,
    Allows,
    Birthday,
    Came,
    Did,
    Either,
    FieldName,
    Flagged,
    InSegment,
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
    as_json,
)
from qunluo.segments.windows import EARTH_KM, birthdays
from qunluo.standing.models import Standing, Tally
from tests.cast import make_group

CITIES = ("", "Hangzhou", "杭州", "杭州市西湖区", "Hang%", "hangzhou_")
KEYS = {
    "skin": FieldName("Skin", "choice", ("dry", "oily", "油性")),
    "age": FieldName("Age", "number"), "vegan": FieldName("Vegan", "yes_no"),
    "since": FieldName("Since", "date"), "job-1": FieldName("Job", "text"),
}  # fmt: skip
BORN = (None, date(2000, 2, 29), date(1990, 3, 2), date(1990, 3, 9), date(1985, 12, 31))
CAMPAIGNS = ("spring", "Spring", "双十一", "1", "null")
CHANNELS = ("all", "web", "wecom", "fax")  # no word names the last one
DEEDS = ("said", "paid", "checked_in")
WINDOWS = (None, 1, 7, 30, 90)
_VALUES: dict[str, tuple[Any, ...]] = {
    "choice": ("dry", "oily", "油性"), "number": (0, 3.0, 30, 7.5, -1),
    "yes_no": (True, False), "date": ("1999-12-31", "2025-02-28", "2026-03-02"),
    "text": ("nurse", "Nurse", "a%b", "护士", "it's"),
}  # fmt: skip


def leaves(words: Vocabulary) -> st.SearchStrategy[Node]:
    """Conditions that name only what is there."""
    days = st.sampled_from(WINDOWS)
    kinds: list[st.SearchStrategy[Any]] = [
        st.builds(Tagged, st.sampled_from(sorted(words.tags))),
        st.sampled_from(sorted(WORDS)).flatmap(
            lambda name: st.sets(st.sampled_from(WORDS[name]), min_size=1).map(
                lambda chosen: StandsIn(name, tuple(v for v in WORDS[name] if v in chosen))
            )
        ),
        st.builds(StandsAt, st.sampled_from(sorted(NUMBERS)), st.sampled_from(COMPARE), st.integers(0, 5)),
        st.builds(Did, st.sampled_from(DEEDS), st.integers(1, 4), st.none(), days),
        st.builds(Did, st.sampled_from(DEEDS), st.none(), st.integers(0, 4), days),
        st.tuples(st.integers(0, 3), st.integers(0, 3)).flatmap(
            lambda ends: st.builds(
                Spent, st.sampled_from((None, min(ends) * 100)), st.just(max(ends) * 100), days
            )
        ),
        st.builds(Spent, st.integers(0, 400), st.none(), days),
        st.builds(Seated, st.sampled_from(sorted(words.groups)), st.booleans()),
        st.builds(Near, st.sampled_from((30.25, -89.0, 0.0)), st.sampled_from((120.15, 179.9)),
                  st.sampled_from((1.0, 5.0, 300.0, 15_000.0)), st.sampled_from(("", "West Lake"))),
        st.builds(Region, st.just("is"), st.sampled_from(CITIES[1:])),
        st.builds(Region, st.just("contains"), st.sampled_from(("杭", "ang", "Hang", "%", "_"))),
        st.just(Region("set")),
        st.builds(Birthday, st.just("month"), st.integers(1, 12)),
        st.builds(Birthday, st.just("within"), st.sampled_from((1, 7, 60, 365))),
        st.builds(Met, st.sampled_from(("within", "before")), st.sampled_from((1, 7, 90))),
        st.sampled_from(sorted(KEYS)).flatmap(_of_field),
        st.sets(st.sampled_from(RISKS), min_size=1).map(
            lambda chosen: Flagged(tuple(risk for risk in RISKS if risk in chosen))
        ),
        st.sampled_from((Came("inviter"), Came("nothing"))),
        st.builds(Came, st.just("code"), st.sampled_from(sorted(words.codes))),
        st.builds(Came, st.just("utm"), st.sampled_from(CAMPAIGNS), st.sampled_from(UTM)),
        st.builds(Allows, st.sampled_from(PURPOSES), st.sampled_from(CHANNELS)),
    ]  # fmt: skip
    if words.segments:
        kinds.append(st.builds(InSegment, st.sampled_from(sorted(words.segments))))
    return st.one_of(kinds)


def _of_field(key: str) -> st.SearchStrategy[Node]:
    kind = KEYS[key].kind
    return st.sampled_from(FIELD_OPS[kind]).flatmap(
        lambda op: st.builds(
            OfField, st.just(key), st.just(op),
            st.none() if op == "set" else st.sampled_from(_VALUES[kind]),
        )
    )  # fmt: skip


def trees(words: Vocabulary) -> st.SearchStrategy[Node]:
    return st.recursive(
        leaves(words),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda p: All(tuple(p))),
            st.lists(inner, min_size=1, max_size=3).map(lambda p: Either(tuple(p))),
            inner.map(Not),
        ),
        max_leaves=8,
    )


WORDS_ALONE = Vocabulary(KEYS, {1: "drink · coffee", 2: "drink · tea"}, {5: "Tea", 6: "Milk"},
                         {9: ("VIP", StandsAt("trust", ">=", 5))},
                         {3: "Shop window", 4: "Leaflet"})  # fmt: skip


# a community, and what is known of everybody in it


@dataclass
class Known:
    """All of one member that a tree may ask."""

    row: Member | None = None
    region: str = ""
    birthday: date | None = None
    place: tuple[float, float] | None = None
    made_at: datetime | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    tags: dict[int, datetime | None] = field(default_factory=dict)  # until when
    standing: dict[str, Any] | None = None
    sums: list[tuple[str, date, int, int]] = field(default_factory=list)
    seats: dict[int, bool] = field(default_factory=dict)  # group → inside now


def holds(  # noqa: PLR0911, PLR0912 - one case for each condition
    node: Node, one: Known, trees_: Mapping[int, tuple[str, Node]], zone: ZoneInfo
) -> bool:
    """The answer as the words say it, by hand."""
    now = clock.now()
    today = now.astimezone(zone).date()

    def sums(days: int | None) -> list[tuple[str, date, int, int]]:
        first = date.min if days is None else today - timedelta(days=days - 1)
        last = date.max if days is None else today
        return [row for row in one.sums if first <= row[1] <= last]

    match node:
        case All(parts):
            return all(holds(p, one, trees_, zone) for p in parts)
        case Either(parts):
            return any(holds(p, one, trees_, zone) for p in parts)
        case Not(part):
            return not holds(part, one, trees_, zone)
        case InSegment(number):
            return number in trees_ and holds(trees_[number][1], one, trees_, zone)
        case Tagged(tag):
            return tag in one.tags and (one.tags[tag] is None or one.tags[tag] > now)
        case StandsIn(name, values):
            return one.standing is not None and one.standing[name] in values
        case StandsAt(name, op, value):
            return one.standing is not None and _compare(one.standing[name], op, value)
        case Flagged(risks):
            return one.standing is not None and not set(risks).isdisjoint(one.standing["flags"])
        case Came(by, value, key):
            return _came(one, by, value, key)
        case Allows(purpose, channel):
            assert one.row is not None
            return may_send(one.row, purpose, channel)
        case Did(kind, least, most, days):
            n = sum(row[2] for row in sums(days) if row[0] == kind)
            return n >= least if least is not None else n <= (most or 0)
        case Spent(low, high, days):
            sign = {"paid": 1, "refunded": -1}
            n = max(0, sum(sign[r[0]] * r[3] for r in sums(days) if r[0] in sign))
            return (low or 0) <= n and (high is None or n <= high)
        case Seated(group, ever):
            return group in one.seats and (ever or one.seats[group])
        case Near(lat, lon, km, _):
            return one.place is not None and _km((lat, lon), one.place) <= km
        case Region(op, value):
            return {
                "set": one.region != "",
                "is": one.region == value,
                "contains": value in one.region,
            }[op]
        case Birthday():
            found = birthdays(node, today)
            born = one.birthday
            return born is not None and born.day in found.get(born.month, ())
        case Met(op, value):
            assert one.made_at is not None
            late = one.made_at.astimezone(zone).date() > today - timedelta(days=value)
            return late if op == "within" else not late
        case OfField(key, op, value):
            if op == "set" or key not in one.fields:
                return key in one.fields
            said = one.fields[key]
            return value in said if op == "contains" else _compare(said, op, value)
    return False


def _came(one: Known, by: str, value: int | str, key: str) -> bool:
    assert one.row is not None
    first, _last = find_source(one.row)
    if first is None:
        return by == "nothing"
    return {
        "code": first.code_id == value, "inviter": first.inviter_id is not None,
        "nothing": not (first.code_id or first.inviter_id or first.utm),
        "utm": first.utm.get(f"utm_{key}", first.utm.get(key)) == value,
    }[by]  # fmt: skip


def _compare(found: Any, op: str, value: Any) -> bool:
    return {">=": lambda: found >= value, "<=": lambda: found <= value}.get(
        op, lambda: found == value
    )()


def _km(a: tuple[float, float], b: tuple[float, float]) -> float:
    (lat, lon), (lat2, lon2) = [tuple(map(math.radians, p)) for p in (a, b)]
    sine = math.sin(lat) * math.sin(lat2) + math.cos(lat) * math.cos(lat2) * math.cos(
        lon - lon2
    )
    return EARTH_KM * math.acos(max(-1.0, min(1.0, sine)))


@dataclass
class World:
    community: Community
    known: dict[int, Known]
    tags: list[Tag]
    groups: list[Group]
    codes: list[ChannelCode]

    def who(self, node: Node, words: Vocabulary) -> set[int]:
        zone = ZoneInfo(self.community.zone)
        return {pk for pk, one in self.known.items() if holds(node, one, words.segments, zone)}


def make_world(community: Community, seed: int, members: int = 40) -> World:
    """Everybody has some of everything, drawn."""
    draw = random.Random(seed)
    drink = TagGroup.objects.create(community=community, name="drink")
    tags = [Tag.objects.create(group=drink, name=n) for n in ("coffee", "tea", "milk")]
    groups = [make_group(community, name) for name in ("Tea", "Milk")]
    for key, f in KEYS.items():
        Field.objects.create(community=community, key=key, label=f.label, kind=f.kind,
                             choices=list(f.choices))  # fmt: skip
    codes = [
        ChannelCode.objects.create(community=community, code=f"c{seed}-{n}", name=n,
                                   made_at=clock.now()) for n in ("window", "leaflet")
    ]  # fmt: skip
    world = World(community, {}, tags, groups, codes)
    for _ in range(members):
        add_member(world, draw)
    for name, tree in (
        ("VIP", All((StandsAt("trust", ">=", 3), Not(Tagged(tags[0].pk))))),
        ("late", Either((Met("within", 7), Did("paid", at_least=1, days=30)))),
    ):
        make_segment(community, name, tree)
    inner = Segment.objects.get(community=community, name="VIP")
    make_segment(community, "outer", Not(InSegment(inner.pk)))
    return world


def make_segment(community: Community, name: str, tree: Node) -> Segment:
    now = clock.now()
    return Segment.objects.create(community=community, name=name, tree=as_json(tree), by="system",
                                  made_at=now, changed_at=now)  # fmt: skip


def add_touches(world: World, draw: random.Random, row: Member) -> None:
    """Some at the same moment, some that tell nothing."""
    for _ in range(draw.randint(0, 4)):
        utm = {draw.choice(("utm_", "")) + part: draw.choice(CAMPAIGNS) for part in UTM
               if draw.random() < 0.3}  # fmt: skip
        Touch.objects.create(
            member=row, at=clock.now() - timedelta(days=draw.randint(0, 2)),
            code=draw.choice((None, None, *world.codes)), page=draw.choice(("", "", "/j/tea")),
            inviter_id=draw.choice((None, None, *world.known)),
            utm=utm if draw.random() < 0.4 else {},
        )  # fmt: skip


def add_consents(draw: random.Random, row: Member) -> None:
    for _ in range(draw.randint(0, 6)):
        Consent.objects.create(
            member=row, purpose=draw.choice(PURPOSES), channel=draw.choice(CHANNELS[:3]),
            granted=draw.random() < 0.5, at=clock.now() - timedelta(days=draw.randint(0, 2)),
        )  # fmt: skip


def add_member(world: World, draw: random.Random) -> int:
    community, now = world.community, clock.now()
    today = now.astimezone(ZoneInfo(community.zone)).date()
    one = Known(
        region=draw.choice(CITIES),
        made_at=now - timedelta(hours=draw.choice((1, 13, 24, 150, 160, 2150, 9000))),
        birthday=draw.choice(BORN),
        place=draw.choice((None, (30.26, 120.16), (30.9, 121.4), (-88.9, -10.0), (0.01, -179.95))),
        fields={k: draw.choice(_VALUES[f.kind]) for k, f in KEYS.items() if draw.random() < 0.6},
    )  # fmt: skip
    lat, lon = one.place or (None, None)
    row = Member.objects.create(
        community=community, name="M", region=one.region, birthday=one.birthday, lat=lat, lon=lon,
        fields=one.fields, made_at=one.made_at,
    )  # fmt: skip
    one.row = row
    Identity.objects.create(community=community, member=row, channel="web", name="M",
                            external_id=f"m{row.pk}", made_at=now)  # fmt: skip
    add_touches(world, draw, row)
    add_consents(draw, row)
    for tag in world.tags:
        if draw.random() < 0.5:
            until = draw.choice(
                (None, None, now + timedelta(hours=2), now - timedelta(minutes=1))
            )
            Tagging.objects.create(
                member=row, tag=tag, by="system", why="", at=now, expires_at=until
            )
            one.tags[tag.pk] = until
    if draw.random() < 0.85:
        one.standing = {name: draw.choice(values) for name, values in WORDS.items()}
        one.standing |= {
            name: draw.randint(low, min(high, 6)) for name, (low, high) in NUMBERS.items()
        }
        one.standing["flags"] = draw.sample(RISKS, draw.randint(0, len(RISKS)))
        Standing.objects.create(
            member=row, community=community, judged_on=today, **one.standing
        )
    for kind in (*DEEDS, "refunded"):
        for ago in draw.sample((0, 1, 6, 7, 29, 30, 89, 90, -1), draw.randint(0, 4)):
            day, n, amount = (
                today - timedelta(days=ago),
                draw.randint(0, 3),
                draw.randint(0, 3) * 100,
            )
            Tally.objects.create(community=community, member_id=row.pk, origin_id=row.pk, kind=kind,
                                 day=day, n=n, amount_minor=amount)  # fmt: skip
            one.sums.append((kind, day, n, amount))
    for group in world.groups:
        if draw.random() < 0.5:
            inside = draw.random() < 0.5
            Membership.objects.create(
                group=group, member=row, joined_at=now, left_at=None if inside else now
            )
            one.seats[group.pk] = inside
    world.known[row.pk] = one
    return row.pk
