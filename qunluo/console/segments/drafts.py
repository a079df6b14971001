"""The form of a tree: rows and groups as they are typed, which need not be right yet.

Every part has a path (`n`, `n.1`, `n.1.2`); its inputs are named by it. A draft turns into the
JSON that `segments.rules.check` reads, and such JSON into a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from qunluo.console.wording import current_lang
from qunluo.members.rules import ALL
from qunluo.messaging.channel import list_channels
from qunluo.segments.rules import NUMBERS, PURPOSES, RISKS, UTM, WORDS, Vocabulary
from qunluo.segments.sentences import DEEDS, MEASURES, PURPOSE_NAMES, UTM_NAMES
from qunluo.standing.words import CIRCLE, FLAGS, LIFECYCLE, PHASE

ROOT = "n"
MOST = 200
JOINS = ("all", "any")
KINDS: tuple[tuple[str, Promise | str], ...] = (
    ("tag", gettext_lazy("Has the tag")),
    ("lifecycle", gettext_lazy("Lifecycle is")),
    ("did", gettext_lazy("Did something")),
    ("near", gettext_lazy("Is near a place")),
    ("spent", gettext_lazy("Spent")),
    ("group", gettext_lazy("Is in a group")),
    ("measure", gettext_lazy("Trust, RFM or another score")),
    ("circle", gettext_lazy("Circle is")),
    ("phase", gettext_lazy("Phase is")),
    ("region", gettext_lazy("Region")),
    ("birthday", gettext_lazy("Birthday")),
    ("met", gettext_lazy("Came to us")),
    ("flags", gettext_lazy("Risk is seen")),
    ("came", gettext_lazy("First came by")),
    ("allows", gettext_lazy("Allows messages")),
    ("field", gettext_lazy("Profile field")),
    ("segment", gettext_lazy("Is in the segment")),
)
_VALUES = {"lifecycle": LIFECYCLE, "phase": PHASE, "circle": CIRCLE, "flags": FLAGS}


@dataclass
class Row:
    """One condition as typed; `given` by the names of its inputs."""

    kind: str
    given: dict[str, list[str]] = field(default_factory=dict)
    no: bool = False

    def one(self, name: str, otherwise: str = "") -> str:
        found = self.given.get(name)
        return found[0].strip() if found else otherwise


@dataclass
class Box:
    """A group of conditions: all or any of them, or (`no`) the opposite."""

    join: str = "all"
    parts: list[Row | Box] = field(default_factory=list)
    no: bool = False


# what was typed


def read_draft(given: QueryDict) -> Box:
    """The draft in a posted form."""
    found = _read(given, ROOT, [0], 0)
    return found if isinstance(found, Box) else Box(parts=[found])


def _read(given: QueryDict, path: str, count: list[int], depth: int) -> Row | Box:
    count[0] += 1
    no = given.get(f"{path}.no") == "1"
    if f"{path}.join" not in given:
        kind = given.get(f"{path}.kind", "tag")
        lead = f"{path}:"
        values = {k[len(lead) :]: given.getlist(k) for k in given if k.startswith(lead)}
        return Row(kind if kind in dict(KINDS) else "tag", values, no)
    join = given.get(f"{path}.join", "all")
    box = Box(join if join in JOINS else "all", [], no)
    size = given.get(f"{path}.size", "0")
    for n in range(min(int(size), MOST) if size.isascii() and size.isdecimal() else 0):
        if count[0] > MOST or depth > 10:
            break
        box.parts.append(_read(given, f"{path}.{n}", count, depth + 1))
    return box


def act_on(box: Box, act: str) -> None:
    """A button that was pressed: `row:n.1`, `box:n`, `drop:n.1.0`."""
    verb, _colon, path = act.partition(":")
    way = [int(step) for step in path.split(".")[1:] if step.isascii() and step.isdecimal()]
    target: Row | Box = box
    above: Box | None = None
    for step in way:
        if not isinstance(target, Box) or step >= len(target.parts):
            return
        above, target = target, target.parts[step]
    if verb == "drop" and above is not None:
        above.parts.remove(target)
    elif verb == "row" and isinstance(target, Box):
        target.parts.append(Row("tag"))
    elif verb == "box" and isinstance(target, Box):
        target.parts.append(Box("any", [Row("tag")]))


# to JSON


def as_tree(part: Row | Box) -> Any:
    """What is typed, as `check` reads it; what is missing there stays missing, and is refused."""
    if isinstance(part, Box):
        inner: Any = {part.join: [as_tree(p) for p in part.parts]}
    else:
        inner = _TREES[part.kind](part)
    return {"not": inner} if part.no else inner


def _whole(text: str) -> Any:
    plain = text.lstrip("-")
    return (
        int(text) if plain.isascii() and plain.isdecimal() and len(plain) < 16 else text or None
    )


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text or None


def _days(row: Row) -> dict[str, Any]:
    days = row.one("days")
    return {"days": _whole(days)} if days else {}


def _did(row: Row) -> Any:
    times = _whole(row.one("times", "1"))
    return {"did": row.one("what", "paid"), row.one("op", "at_least"): times, **_days(row)}


def _minor(text: str) -> Any:
    """An amount as people write it, in minor units."""
    amount = _number(text)
    return round(amount * 100) if isinstance(amount, float) and abs(amount) < 1e12 else amount


def _spent(row: Row) -> Any:
    ends = [_minor(row.one("low")), _minor(row.one("high"))]
    return {"spent": {"between": ends}, **_days(row)}


def _group(row: Row) -> Any:
    ever = row.one("when") == "ever"
    return {"was_in_group" if ever else "in_group": _whole(row.one("group"))}


def _near(row: Row) -> Any:
    place = row.one("place").split("|", 2)
    lat, lon, name = [*place, "", "", ""][:3]
    if row.one("lat") or row.one("lon"):
        lat, lon, name = row.one("lat"), row.one("lon"), ""
    return {"near": {"lat": _number(lat), "lon": _number(lon), "place": name,
                     "km": _number(row.one("km", "5"))}}  # fmt: skip


def _measure(row: Row) -> Any:
    return {"standing": row.one("what", "trust"), "op": row.one("op", ">="),
            "value": _whole(row.one("value"))}  # fmt: skip


def _words(name: str) -> Callable[[Row], Any]:
    return lambda row: {"standing": name, "is": row.given.get("is", [])}


def _fact(name: str, usual: str, reader: Callable[[str], Any]) -> Callable[[Row], Any]:
    def write(row: Row) -> Any:
        op = row.one("op", usual)
        return {
            "fact": name,
            "op": op,
            **({} if op == "set" else {"value": reader(row.one("value"))}),
        }

    return write


def _field(row: Row) -> Any:
    """The kind of the field decides what its value is; it is told beside the key."""
    key, _colon, kind = row.one("key").partition(":")
    op, value = row.one("op", "is"), row.one("value")
    found: Any = {
        "number": _number,
        "yes_no": {"yes": True, "no": False}.get,
    }
    read = found.get(kind, str)
    return {"field": key, "op": op, **({} if op == "set" else {"value": read(value)})}


def _came(row: Row) -> Any:
    by = row.one("by", "code")
    more: Any = {
        "code": {"is": _whole(row.one("code"))},
        "utm": {"key": row.one("key", "campaign"), "is": row.one("value")},
    }
    return {"came_by": by, **more.get(by, {})}


def _allows(row: Row) -> Any:
    return {"allows": row.one("purpose", "marketing"), "channel": row.one("channel", ALL)}


_TREES: dict[str, Callable[[Row], Any]] = {
    "tag": lambda row: {"tag": _whole(row.one("tag"))},
    "segment": lambda row: {"segment": _whole(row.one("segment"))},
    "did": _did, "spent": _spent, "group": _group, "near": _near, "measure": _measure,
    "lifecycle": _words("lifecycle"), "phase": _words("phase"), "circle": _words("circle"),
    "region": _fact("region", "is", str), "birthday": _fact("birthday", "month", _whole),
    "met": _fact("met", "within", _whole), "field": _field,
    "flags": _words("flags"), "came": _came, "allows": _allows,
}  # fmt: skip


# from JSON


def as_draft(tree: Any, vocabulary: Vocabulary) -> Box:
    """A stored tree as the form shows it."""
    found = _draft(tree, vocabulary)
    return found if isinstance(found, Box) else Box(parts=[found])


def _draft(tree: Any, words: Vocabulary) -> Row | Box:
    if "not" in tree:
        inner = _draft(tree["not"], words)
        inner.no = not inner.no
        return inner
    for join in JOINS:
        if join in tree:
            return Box(join, [_draft(part, words) for part in tree[join]])
    return _row(tree, words)


def _row(tree: Mapping[str, Any], words: Vocabulary) -> Row:  # noqa: PLR0911 - one for each kind
    days = {"days": [str(tree["days"])]} if tree.get("days") else {}
    if "did" in tree:
        op = "at_least" if "at_least" in tree else "at_most"
        return Row("did", {"what": [tree["did"]], "op": [op], "times": [str(tree[op])], **days})
    if "spent" in tree:
        low, high = (_major(end) for end in tree["spent"]["between"])
        return Row("spent", {"low": [low], "high": [high], **days})
    if "near" in tree:
        return _near_row(tree["near"])
    if "standing" in tree:
        if "is" in tree:
            return Row(tree["standing"], {"is": list(tree["is"])})
        return Row("measure", {"what": [tree["standing"]], "op": [tree["op"]],
                               "value": [str(tree["value"])]})  # fmt: skip
    if "came_by" in tree:
        return _came_row(tree)
    if "allows" in tree:
        return Row("allows", {"purpose": [tree["allows"]], "channel": [tree["channel"]]})
    if "fact" in tree:
        return Row(tree["fact"], {"op": [tree["op"]], "value": [str(tree.get("value", ""))]})
    if "field" in tree:
        return _field_row(tree, words)
    for name in ("in_group", "was_in_group"):
        if name in tree:
            when = "now" if name == "in_group" else "ever"
            return Row("group", {"group": [str(tree[name])], "when": [when]})
    name = "segment" if "segment" in tree else "tag"
    return Row(name, {name: [str(tree.get(name, ""))]})


def _major(minor: int | None) -> str:
    return "" if minor is None else f"{minor / 100:.2f}".removesuffix(".00")


def _near_row(near: Mapping[str, Any]) -> Row:
    km = f"{near['km']:g}"
    if near.get("place"):
        return Row(
            "near", {"place": [_place(near["lat"], near["lon"], near["place"])], "km": [km]}
        )
    return Row("near", {"lat": [repr(near["lat"])], "lon": [repr(near["lon"])], "km": [km]})


def _place(lat: float, lon: float, name: str) -> str:
    return f"{float(lat)!r}|{float(lon)!r}|{name}"


def _came_row(tree: Mapping[str, Any]) -> Row:
    value = {"code": "code", "utm": "value"}.get(tree["came_by"])
    given = {"by": [tree["came_by"]]} | ({value: [str(tree["is"])]} if value else {})
    return Row("came", given | ({"key": [tree["key"]]} if "key" in tree else {}))


def _field_row(tree: Mapping[str, Any], words: Vocabulary) -> Row:
    known = words.fields.get(tree["field"])
    value = tree.get("value", "")
    shown = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    key = f"{tree['field']}:{known.kind if known else 'text'}"
    return Row("field", {"key": [key], "op": [tree["op"]], "value": [shown]})


# what the page shows


@dataclass(frozen=True)
class Place:
    """Somewhere people may be near: a group with a store."""

    name: str
    lat: float
    lon: float


@dataclass(frozen=True)
class Input:
    """One input of a row: a choice, several, a number or words."""

    name: str
    label: str
    kind: str  # select, checks, number, text
    chosen: list[str]
    options: list[tuple[str, str]] = field(default_factory=list)
    least: str = ""
    redraws: bool = False

    @property
    def value(self) -> str:
        return self.chosen[0] if self.chosen else ""


@dataclass(frozen=True)
class Drawn:
    """A part with its path, ready for the template."""

    path: str
    no: bool
    join: str = ""
    kind: str = ""
    inputs: tuple[Input, ...] = ()
    parts: tuple[Drawn, ...] = ()
    depth: int = 0


def draw(part: Row | Box, words: Vocabulary, places: list[Place], path: str = ROOT) -> Drawn:
    depth = path.count(".")
    if isinstance(part, Box):
        inner = tuple(draw(p, words, places, f"{path}.{n}") for n, p in enumerate(part.parts))
        return Drawn(path, part.no, part.join, parts=inner, depth=depth)
    inputs = tuple(_inputs(part, words, places))
    return Drawn(path, part.no, kind=part.kind, inputs=inputs, depth=depth)


def _inputs(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
    return _DRAWERS[row.kind](row, words, places)


def _select(row: Row, name: str, label: str, options: list[tuple[str, str]], usual: str = "",
            *, redraws: bool = False) -> Input:  # fmt: skip
    return Input(name, label, "select", [row.one(name, usual)], options, redraws=redraws)


def _count(row: Row, name: str, label: str, usual: str = "", least: str = "1") -> Input:
    return Input(name, label, "number", [row.one(name, usual)], least=least)


def _named(names: Mapping[int, Any]) -> list[tuple[str, str]]:
    shown = (
        (str(pk), name if isinstance(name, str) else name[0]) for pk, name in names.items()
    )
    return [("", "—"), *shown]


def _window(row: Row) -> Input:
    return _count(row, "days", _("in the last … days (empty: ever)"))


def _draw_did(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
    lang = current_lang()
    deeds = [(kind, text(lang)) for kind, text in DEEDS.items()]
    ops = [("at_least", _("at least")), ("at_most", _("at most"))]
    return [_select(row, "what", _("What"), deeds, "paid"), _select(row, "op", _("How often"), ops),
            _count(row, "times", _("Times"), "1", "0"), _window(row)]  # fmt: skip


def _draw_spent(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
    return [_count(row, "low", _("From"), least="0"), _count(row, "high", _("To"), least="0"),
            _window(row)]  # fmt: skip


def _draw_group(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
    whens = [("now", _("now")), ("ever", _("now or earlier"))]
    return [_select(row, "group", _("Group"), _named(words.groups)),
            _select(row, "when", _("When"), whens)]  # fmt: skip


def _draw_near(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
    known = [(_place(p.lat, p.lon, p.name), p.name) for p in places]
    chosen = row.one("place")
    if chosen and chosen not in dict(known):
        known.append((chosen, chosen.split("|", 2)[-1]))
    found = [_select(row, "place", _("Place"), [("", _("Latitude and longitude")), *known],
                     redraws=True), _count(row, "km", _("Within kilometres"), "5", "0.1")]  # fmt: skip
    if not chosen:
        found += [Input(name, label, "text", [row.one(name)]) for name, label in
                  (("lat", _("Latitude")), ("lon", _("Longitude")))]  # fmt: skip
    return found


def _draw_measure(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
    lang = current_lang()
    names = [(name, MEASURES[name](lang)) for name in NUMBERS]
    ops = [(">=", _("at least")), ("<=", _("at most")), ("=", _("exactly"))]
    return [_select(row, "what", _("Score"), names), _select(row, "op", _("How much"), ops),
            _count(row, "value", _("Value"), least="0")]  # fmt: skip


def _draw_words(name: str) -> Callable[[Row, Vocabulary, list[Place]], list[Input]]:
    def drawn(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
        lang = current_lang()
        known = RISKS if name == "flags" else WORDS[name]
        options = [(value, _VALUES[name][value](lang)) for value in known]
        return [Input("is", _("One of"), "checks", row.given.get("is", []), options)]

    return drawn


def _draw_region(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
    ops = [("is", _("is")), ("contains", _("contains")), ("set", _("is known"))]
    found = [_select(row, "op", _("How"), ops, redraws=True)]
    if row.one("op") != "set":
        found.append(Input("value", _("Words"), "text", [row.one("value")]))
    return found


def _draw_birthday(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
    ops = [("month", _("in the month (1 to 12)")), ("within", _("in the next … days"))]
    return [_select(row, "op", _("When"), ops), _count(row, "value", _("Number"))]


def _draw_met(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
    ops = [("within", _("in the last … days")), ("before", _("more than … days ago"))]
    return [_select(row, "op", _("When"), ops), _count(row, "value", _("Days"))]


def _draw_came(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
    lang, by = current_lang(), row.one("by", "code")
    ways = [("code", _("a channel code")), ("utm", _("a campaign")),
            ("inviter", _("a member's invitation")), ("nothing", _("nothing of these"))]  # fmt: skip
    found = [_select(row, "by", _("What"), ways, "code", redraws=True)]
    if by == "code":
        found.append(_select(row, "code", _("Channel code"), _named(words.codes)))
    elif by == "utm":
        parts = [(part, UTM_NAMES[part](lang)) for part in UTM]
        found += [_select(row, "key", _("Which part"), parts, "campaign"),
                  Input("value", _("Words"), "text", [row.one("value")])]  # fmt: skip
    return found


def _draw_allows(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
    lang, chosen = current_lang(), row.one("channel", ALL)
    purposes = [(purpose, PURPOSE_NAMES[purpose](lang)) for purpose in PURPOSES]
    names = dict.fromkeys([*(channel.name for channel in list_channels()), chosen])
    channels = [(ALL, _("every channel")), *((n, n) for n in names if n != ALL)]
    return [_select(row, "purpose", _("What"), purposes, "marketing"),
            _select(row, "channel", _("Channel"), channels, ALL)]  # fmt: skip


def _draw_field(row: Row, words: Vocabulary, places: list[Place]) -> list[Input]:
    keys = [(f"{key}:{f.kind}", f.label) for key, f in words.fields.items()]
    found = [_select(row, "key", _("Field"), [("", "—"), *keys], redraws=True)]
    known = words.fields.get(row.one("key").partition(":")[0])
    if known is None:
        return found
    found.append(_select(row, "op", _("How"), _FIELD_OPS[known.kind](), redraws=True))
    if row.one("op") != "set":
        found.append(_field_value(row, known.kind, list(known.choices)))
    return found


def _field_value(row: Row, kind: str, choices: list[str]) -> Input:
    if kind == "choice":
        return _select(row, "value", _("Value"), [("", "—"), *((c, c) for c in choices)])
    if kind == "yes_no":
        return _select(
            row, "value", _("Value"), [("", "—"), ("yes", _("yes")), ("no", _("no"))]
        )
    return Input("value", _("Value"), "text", [row.one("value")])


def _compare_ops() -> list[tuple[str, str]]:
    return [
        ("=", _("exactly")),
        (">=", _("at least")),
        ("<=", _("at most")),
        ("set", _("is known")),
    ]


def _date_ops() -> list[tuple[str, str]]:
    return [
        ("=", _("on")),
        (">=", _("on or after")),
        ("<=", _("on or before")),
        ("set", _("is known")),
    ]


def _is_ops() -> list[tuple[str, str]]:
    return [("is", _("is")), ("set", _("is known"))]


def _text_ops() -> list[tuple[str, str]]:
    return [("is", _("is")), ("contains", _("contains")), ("set", _("is known"))]


_FIELD_OPS: dict[str, Callable[[], list[tuple[str, str]]]] = {
    "text": _text_ops, "number": _compare_ops, "date": _date_ops, "yes_no": _is_ops,
    "choice": _is_ops,
}  # fmt: skip
_DRAWERS: dict[str, Callable[[Row, Vocabulary, list[Place]], list[Input]]] = {
    "tag": lambda row, words, places: [_select(row, "tag", _("Tag"), _named(words.tags))],
    "segment": lambda row, words, places: [
        _select(row, "segment", _("Segment"), _named(words.segments))
    ],
    "did": _draw_did, "spent": _draw_spent, "group": _draw_group, "near": _draw_near,
    "measure": _draw_measure, "lifecycle": _draw_words("lifecycle"),
    "phase": _draw_words("phase"), "circle": _draw_words("circle"), "region": _draw_region,
    "birthday": _draw_birthday, "met": _draw_met, "field": _draw_field,
    "flags": _draw_words("flags"), "came": _draw_came, "allows": _draw_allows,
}  # fmt: skip
