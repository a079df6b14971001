"""The expression that says who: typed parts, read from JSON and written back. Pure.

A tree is true or false for every member: what is not known makes a condition false, and so `not`
of it true. Names of tags, groups, fields and segments are ids or keys; `Vocabulary` knows them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from qunluo.kit.text import Text
from qunluo.members.rules import ALL, read_date
from qunluo.segments.errors import WrongTreeError
from qunluo.standing.facts import KINDS
from qunluo.standing.words import CIRCLE, FLAGS, LIFECYCLE, PHASE

DEEPEST = 8
MOST_PARTS = 200
MOST_DAYS = 3_660
WORDS: dict[str, tuple[str, ...]] = {
    "lifecycle": tuple(LIFECYCLE), "phase": tuple(PHASE), "circle": tuple(CIRCLE),
}  # fmt: skip
"""Standings that are words."""
RISKS = tuple(FLAGS)
CAME_BY = ("code", "utm", "inviter", "nothing")
UTM = ("source", "medium", "campaign", "term", "content")
PURPOSES = ("service", "marketing", "analysis", "location")
NUMBERS: dict[str, tuple[int, int]] = {
    "trust": (0, 6), "level": (0, 100), "intimacy": (0, 10**9), "recency": (0, 5),
    "frequency": (0, 5), "monetary": (0, 5), "product": (0, 100), "bringing": (0, 100),
    "content": (0, 100), "revenue": (0, 100), "churn": (0, 100), "orders": (0, 10**6),
}  # fmt: skip
"""Standings that are numbers, with their least and most."""
COMPARE = (">=", "<=", "=")
FIELD_OPS: dict[str, tuple[str, ...]] = {
    "text": ("is", "contains", "set"), "number": (*COMPARE, "set"), "date": (*COMPARE, "set"),
    "yes_no": ("is", "set"), "choice": ("is", "set"),
}  # fmt: skip


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    """At least one part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    part: Node


@dataclass(frozen=True)
class Never:
    """What a name that is gone stands for: nobody."""


@dataclass(frozen=True)
class OfField:
    """A typed profile field; `value` is as the field stores it, None for `set`."""

    key: str
    op: str
    value: str | float | bool | None = None


@dataclass(frozen=True)
class Region:
    op: str  # is, contains, set
    value: str = ""


@dataclass(frozen=True)
class Birthday:
    """In a month of the year, or in the next days, today included."""

    op: str  # month, within
    value: int


@dataclass(frozen=True)
class Met:
    """Known to us since at most (`within`) or more than (`before`) so many local days."""

    op: str
    value: int


@dataclass(frozen=True)
class Tagged:
    tag: int


@dataclass(frozen=True)
class StandsIn:
    """A standing in words is one of these."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class StandsAt:
    """A standing in numbers compared."""

    name: str
    op: str
    value: int


@dataclass(frozen=True)
class Flagged:
    """At least one of these risks is seen in them."""

    risks: tuple[str, ...]


@dataclass(frozen=True)
class Came:
    """What their first touch that tells anything says: a channel code (its id), a part of the
    campaign's address (`key` and value), somebody who invited them, or nothing of these."""

    by: str
    value: int | str = ""
    key: str = ""


@dataclass(frozen=True)
class Allows:
    """Their last word lets us do this on the channel, as `members.queries.may_send` judges."""

    purpose: str
    channel: str


@dataclass(frozen=True)
class Did:
    """How often they did something in the last local days, today included; None: ever."""

    kind: str
    at_least: int | None = None
    at_most: int | None = None
    days: int | None = None


@dataclass(frozen=True)
class Spent:
    """Paid less refunded in the window, in minor units, never below 0; both ends included."""

    low: int | None
    high: int | None
    days: int | None = None


@dataclass(frozen=True)
class Seated:
    """In a group now, or (`ever`) at any time."""

    group: int
    ever: bool = False


@dataclass(frozen=True)
class Near:
    """Within some kilometres of a place, as the crow flies."""

    lat: float
    lon: float
    km: float
    place: str = ""


@dataclass(frozen=True)
class InSegment:
    segment: int


Node: TypeAlias = (
    All | Either | Not | Never | OfField | Region | Birthday | Met | Tagged | StandsIn | StandsAt
    | Flagged | Came | Allows | Did | Spent | Seated | Near | InSegment
)  # fmt: skip
NOBODY = Never()


@dataclass(frozen=True)
class FieldName:
    label: str
    kind: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """What the names in a tree of a community stand for."""

    fields: Mapping[str, FieldName] = field(default_factory=dict)
    tags: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)
    segments: Mapping[int, tuple[str, Node]] = field(default_factory=dict)
    codes: Mapping[int, str] = field(default_factory=dict)


# reading JSON

_NONE = Text("choose a condition.", "请选择一个条件。")
_UNKNOWN = Text("there is no condition “{name}”.", "没有“{name}”这种条件。")
_EMPTY = Text("add a condition, or take this group away.", "请添加一个条件，或删除这个条件组。")
_DEEP = Text(
    f"groups may lie at most {DEEPEST} deep; make a segment of the inner part.",
    f"条件组最多嵌套 {DEEPEST} 层，可把内层另存为一个人群。",
)
_MANY = Text(f"at most {MOST_PARTS} conditions fit.", f"最多 {MOST_PARTS} 个条件。")
_WHOLE = Text(
    "“{name}” must be a whole number from {low} to {high}.",
    "“{name}”必须是 {low} 到 {high} 之间的整数。",
)
_NUMBER = Text(
    "“{name}” must be a number from {low} to {high}.",
    "“{name}”必须是 {low} 到 {high} 之间的数字。",
)
_OP = Text("“{op}” does not fit here; use {ops}.", "此处不能用“{op}”，请用 {ops}。")
_GONE = Text("choose {what} that is there.", "请选择一个存在的{what}。")
_WRITE = Text("write what it is compared with.", "请填写要比较的值。")
_VALUE = Text("choose one of {choices}.", "请从 {choices} 中选择。")
_DATE = Text("write a date like 2026-03-01.", "请填写日期，例如 2026-03-01。")
_RANGE = Text("the first amount is above the second.", "前一个金额大于后一个。")
_CYCLE = Text(
    "“{name}” leads back to this segment; it can't be part of itself.",
    "“{name}”又用到了本人群，人群不能包含自己。",
)
_WHERE = Text("the top", "最外层")
_CODE = Text("a channel code", "渠道码")
_HUGE = 10**15


@dataclass
class _Reader:
    vocabulary: Vocabulary
    own: int | None  # the segment this is the tree of
    read: int = 0

    def node(self, raw: Any, at: tuple[int, ...]) -> Node:
        self.read += 1
        if len(at) > DEEPEST:
            raise _wrong(at, _DEEP)
        if self.read > MOST_PARTS:
            raise _wrong(at, _MANY)
        if not isinstance(raw, Mapping) or not raw:
            raise _wrong(at, _NONE)
        key = next((k for k in _READERS if k in raw), None)
        if key is None:
            raise _wrong(at, _UNKNOWN.format(name=str(next(iter(raw)))[:40]))
        return _READERS[key](self, raw, at)


def check(raw: Any, vocabulary: Vocabulary, *, own: int | None = None) -> Node:
    """The tree that a JSON value says; raises `WrongTreeError` with what is wrong, and where.
    `own` is the segment it belongs to, which it must not lead back to."""
    return _Reader(vocabulary, own).node(raw, ())


def _wrong(at: tuple[int, ...], reason: Text) -> WrongTreeError:
    way = " › ".join(str(n) for n in at)
    where = Text("condition {way}", "条件 {way}").format(way=way) if at else _WHERE
    return WrongTreeError(where=where, reason=reason)


def _parts(reader: _Reader, raw: Any, at: tuple[int, ...]) -> tuple[Node, ...]:
    if not isinstance(raw, list) or not raw:
        raise _wrong(at, _EMPTY)
    return tuple(reader.node(part, (*at, n)) for n, part in enumerate(raw, 1))


def _all(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    return All(_parts(reader, raw["all"], at))


def _any(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    return Either(_parts(reader, raw["any"], at))


def _not(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    return Not(reader.node(raw["not"], (*at, 1)))


def _whole(value: Any, at: tuple[int, ...], name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _wrong(at, _WHOLE.format(name=name, low=low, high=high))
    return value


def _number(value: Any, at: tuple[int, ...], name: str, low: float, high: float) -> float:
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not fits or not math.isfinite(value) or not low <= value <= high:
        raise _wrong(at, _NUMBER.format(name=name, low=low, high=high))
    return float(value)


def _op(raw: Any, at: tuple[int, ...], ops: Sequence[str]) -> str:
    op = raw.get("op")
    if op not in ops:
        raise _wrong(at, _OP.format(op=str(op)[:40], ops=", ".join(ops)))
    return str(op)


def _days(raw: Any, at: tuple[int, ...]) -> int | None:
    days = raw.get("days")
    return None if days is None else _whole(days, at, "days", 1, MOST_DAYS)


def _text(value: Any, at: tuple[int, ...]) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value or len(value) > 200:
        raise _wrong(at, _WRITE)
    return value.strip()


def _of_field(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    known = reader.vocabulary.fields.get(str(raw["field"]))
    if known is None:
        raise _wrong(at, _GONE.format(what=Text("a profile field", "资料字段")))
    op = _op(raw, at, FIELD_OPS[known.kind])
    value = None if op == "set" else _FIELD_VALUES[known.kind](raw.get("value"), at, known)
    return OfField(str(raw["field"]), op, value)


def _field_text(value: Any, at: tuple[int, ...], known: FieldName) -> str:
    return _text(value, at)


def _field_number(value: Any, at: tuple[int, ...], known: FieldName) -> float:
    return _number(value, at, known.label, -_HUGE, _HUGE)


def _field_date(value: Any, at: tuple[int, ...], known: FieldName) -> str:
    found = read_date(str(value))
    if found is None:
        raise _wrong(at, _DATE)
    return found.isoformat()


def _field_yes(value: Any, at: tuple[int, ...], known: FieldName) -> bool:
    if not isinstance(value, bool):
        raise _wrong(at, _VALUE.format(choices="true, false"))
    return value


def _field_choice(value: Any, at: tuple[int, ...], known: FieldName) -> str:
    if value not in known.choices:
        raise _wrong(at, _VALUE.format(choices=", ".join(known.choices)))
    return str(value)


_FIELD_VALUES: dict[str, Callable[[Any, tuple[int, ...], FieldName], Any]] = {
    "text": _field_text, "number": _field_number, "date": _field_date, "yes_no": _field_yes,
    "choice": _field_choice,
}  # fmt: skip


def _fact(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    name = raw["fact"]
    if name == "region":
        op = _op(raw, at, ("is", "contains", "set"))
        return Region(op, "" if op == "set" else _text(raw.get("value"), at))
    if name == "birthday":
        op = _op(raw, at, ("month", "within"))
        most = 12 if op == "month" else 365
        return Birthday(op, _whole(raw.get("value"), at, op, 1, most))
    if name == "met":
        op = _op(raw, at, ("within", "before"))
        return Met(op, _whole(raw.get("value"), at, "days", 1, MOST_DAYS))
    raise _wrong(at, _UNKNOWN.format(name=str(name)[:40]))


def _named(raw: Any, at: tuple[int, ...], known: Mapping[int, Any], what: Text) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or raw not in known:
        raise _wrong(at, _GONE.format(what=what))
    return raw


def _tag(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    return Tagged(_named(raw["tag"], at, reader.vocabulary.tags, Text("a tag", "标签")))


def _standing(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    name = str(raw["standing"])
    if name in NUMBERS:
        low, high = NUMBERS[name]
        return StandsAt(name, _op(raw, at, COMPARE),
                        _whole(raw.get("value"), at, name, low, high))  # fmt: skip
    if name == "flags":
        return Flagged(_some(raw.get("is"), at, RISKS))
    if name not in WORDS:
        raise _wrong(at, _UNKNOWN.format(name=name[:40]))
    return StandsIn(name, _some(raw.get("is"), at, WORDS[name]))


def _some(values: Any, at: tuple[int, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """One or more of the known words, in their order."""
    if not isinstance(values, list) or not values or not set(map(str, values)) <= {*known}:
        raise _wrong(at, _VALUE.format(choices=", ".join(known)))
    return tuple(v for v in known if v in values)


def _one(value: Any, at: tuple[int, ...], known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        raise _wrong(at, _VALUE.format(choices=", ".join(known)))
    return value


def _came(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    by = _one(raw["came_by"], at, CAME_BY)
    if by == "code":
        return Came(by, _named(raw.get("is"), at, reader.vocabulary.codes, _CODE))
    if by == "utm":
        return Came(by, _text(raw.get("is"), at), _one(raw.get("key"), at, UTM))
    return Came(by)


def _allows(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    channel = str(raw.get("channel", ALL))
    if not re.fullmatch(r"[a-z0-9_-]{1,20}", channel):
        raise _wrong(at, _GONE.format(what=Text("a channel", "渠道")))
    return Allows(_one(raw["allows"], at, PURPOSES), channel)


def _did(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    kind = raw["did"]
    if kind not in KINDS:
        raise _wrong(at, _UNKNOWN.format(name=str(kind)[:40]))
    if ("at_least" in raw) == ("at_most" in raw):
        raise _wrong(at, _WRITE)
    if "at_least" in raw:
        return Did(kind, _whole(raw["at_least"], at, "at_least", 1, 10**6), days=_days(raw, at))
    return Did(
        kind, at_most=_whole(raw["at_most"], at, "at_most", 0, 10**6), days=_days(raw, at)
    )


def _spent(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    between = raw["spent"].get("between") if isinstance(raw["spent"], Mapping) else None
    if not isinstance(between, list) or len(between) != 2 or between == [None, None]:
        raise _wrong(at, _WRITE)
    low, high = (
        None if end is None else _whole(end, at, "between", 0, _HUGE) for end in between
    )
    if low is not None and high is not None and low > high:
        raise _wrong(at, _RANGE)
    return Spent(low, high, _days(raw, at))


def _group(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    ever = "was_in_group" in raw
    value = raw["was_in_group" if ever else "in_group"]
    return Seated(_named(value, at, reader.vocabulary.groups, Text("a group", "群")), ever)


def _near(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    place = raw["near"]
    if not isinstance(place, Mapping):
        raise _wrong(at, _WRITE)
    name = str(place.get("place") or "")[:80]
    return Near(
        _number(place.get("lat"), at, "lat", -90, 90),
        _number(place.get("lon"), at, "lon", -180, 180),
        _number(place.get("km"), at, "km", 0.1, 20_000), name.replace("\0", ""),
    )  # fmt: skip


def _segment(reader: _Reader, raw: Any, at: tuple[int, ...]) -> Node:
    known = reader.vocabulary.segments
    number = _named(raw["segment"], at, known, Text("a segment", "人群"))
    if number == reader.own or reader.own in reach(known[number][1], known):
        raise _wrong(at, _CYCLE.format(name=known[number][0]))
    return InSegment(number)


_READERS: dict[str, Callable[[_Reader, Any, tuple[int, ...]], Node]] = {
    "all": _all, "any": _any, "not": _not, "field": _of_field, "fact": _fact, "tag": _tag,
    "standing": _standing, "did": _did, "spent": _spent, "in_group": _group,
    "was_in_group": _group, "near": _near, "segment": _segment, "came_by": _came,
    "allows": _allows,
}  # fmt: skip


# writing JSON


def as_json(node: Node) -> dict[str, Any]:
    """The tree as it is stored; `check` reads the same tree back."""
    return _WRITERS[type(node)](node)


def _out_did(n: Did) -> dict[str, Any]:
    much = {"at_least": n.at_least} if n.at_most is None else {"at_most": n.at_most}
    return {"did": n.kind, **much, "days": n.days}


def _out_came(n: Came) -> dict[str, Any]:
    what = {"utm": {"key": n.key, "is": n.value}, "code": {"is": n.value}}
    return {"came_by": n.by, **what.get(n.by, {})}


def _out_value(name: str, key: str, n: Any) -> dict[str, Any]:
    return {name: key, "op": n.op} | ({} if n.op == "set" else {"value": n.value})


_WRITERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    All: lambda n: {"all": [as_json(p) for p in n.parts]},
    Either: lambda n: {"any": [as_json(p) for p in n.parts]},
    Not: lambda n: {"not": as_json(n.part)},
    Never: lambda n: {"never": True},
    OfField: lambda n: _out_value("field", n.key, n),
    Region: lambda n: _out_value("fact", "region", n),
    Birthday: lambda n: _out_value("fact", "birthday", n),
    Met: lambda n: _out_value("fact", "met", n),
    Tagged: lambda n: {"tag": n.tag},
    StandsIn: lambda n: {"standing": n.name, "is": list(n.values)},
    StandsAt: lambda n: {"standing": n.name, "op": n.op, "value": n.value},
    Flagged: lambda n: {"standing": "flags", "is": list(n.risks)},
    Came: _out_came,
    Allows: lambda n: {"allows": n.purpose, "channel": n.channel},
    Did: _out_did,
    Spent: lambda n: {"spent": {"between": [n.low, n.high]}, "days": n.days},
    Seated: lambda n: {"was_in_group" if n.ever else "in_group": n.group},
    Near: lambda n: {"near": {"lat": n.lat, "lon": n.lon, "km": n.km, "place": n.place}},
    InSegment: lambda n: {"segment": n.segment},
}


# walking


def walk(node: Node) -> Iterator[Node]:
    """The part and all below it."""
    yield node
    if isinstance(node, All | Either):
        for part in node.parts:
            yield from walk(part)
    elif isinstance(node, Not):
        yield from walk(node.part)


def reach(node: Node, segments: Mapping[int, tuple[str, Node]]) -> set[int]:
    """All segments that a tree leads to, through others too."""
    found: set[int] = set()
    waiting = [node]
    while waiting:
        for part in walk(waiting.pop()):
            if isinstance(part, InSegment) and part.segment not in found:
                found.add(part.segment)
                waiting += [segments[part.segment][1]] if part.segment in segments else []
    return found


def resolve(node: Node, vocabulary: Vocabulary) -> Node:
    """The tree with its segments put in their places, and `NOBODY` for each name that is gone.
    Segments that lead back to themselves are nobody, too."""
    return _resolve(node, vocabulary, frozenset())


def _resolve(node: Node, vocabulary: Vocabulary, above: frozenset[int]) -> Node:
    if isinstance(node, All | Either):
        return replace(node, parts=tuple(_resolve(p, vocabulary, above) for p in node.parts))
    if isinstance(node, Not):
        return Not(_resolve(node.part, vocabulary, above))
    if isinstance(node, InSegment):
        if node.segment in above or node.segment not in vocabulary.segments:
            return NOBODY
        inner = vocabulary.segments[node.segment][1]
        return _resolve(inner, vocabulary, above | {node.segment})
    return node if _is_there(node, vocabulary) else NOBODY


def _is_there(node: Node, vocabulary: Vocabulary) -> bool:
    if isinstance(node, Tagged):
        return node.tag in vocabulary.tags
    if isinstance(node, Seated):
        return node.group in vocabulary.groups
    if isinstance(node, Came):
        return node.by != "code" or node.value in vocabulary.codes
    if isinstance(node, OfField):
        known = vocabulary.fields.get(node.key)
        return known is not None and node.op in FIELD_OPS[known.kind]
    return True
