"""A form as it is typed, which need not be right yet: every input has a path (`r.tiers.0.people`)
and keeps its words; they turn into the JSON of rules, and rules into words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.translation import gettext as _
from pydantic import ValidationError

from qunluo.campaigns.mechanics.kernel import CENT
from qunluo.campaigns.registry import find_mechanic
from qunluo.console.campaigns.complaints import complain
from qunluo.console.campaigns.parameters import Parameter, parameters_of
from qunluo.console.wording import current_lang
from qunluo.kit.errors import QunluoError
from qunluo.kit.money import read_money, to_major

ROOT = "r"
SPANS = (1, 60, 1_440)  # minutes, hours, days
NAMED = ("coupon", "gift")  # rewards that need a name
Typed = dict[str, list[str]]


@dataclass(frozen=True)
class Shop:
    """Where amounts and times are read: a community's currency and zone."""

    currency: str
    zone: str


def read_typed(given: QueryDict) -> Typed:
    """What a posted form says of the rules."""
    return {name: given.getlist(name) for name in given if name.startswith(f"{ROOT}.")}


def one(typed: Mapping[str, Sequence[str]], path: str) -> str:
    found = typed.get(path)
    return found[0].strip() if found else ""


def size_of(typed: Mapping[str, Sequence[str]], path: str, most: int) -> int:
    text = one(typed, f"{path}.size")
    return min(int(text), most) if text.isascii() and text.isdecimal() and len(text) < 4 else 0


# to rules


@dataclass
class Reading:
    """Rules read from words; `wrong` says by its path what can't be."""

    shop: Shop
    typed: Typed
    wrong: dict[str, str]

    def parts(self, parameters: Iterable[Parameter], path: str) -> dict[str, Any]:
        found = {p.name: self.value(p, f"{path}.{p.name}") for p in parameters}
        return {name: value for name, value in found.items() if value is not None}

    def value(self, wanted: Parameter, path: str) -> Any:
        """What is typed there; None where nothing is."""
        if wanted.kind == "rows":
            rows = [self.parts(wanted.parts, f"{path}.{n}") for n in self._rows(wanted, path)]
            return (rows[0] if rows else None) if wanted.single else rows
        if wanted.kind == "list":
            return [
                self.value(wanted.parts[0], f"{path}.{n}") for n in self._rows(wanted, path)
            ]
        if wanted.kind == "reward":
            return self._reward(path)
        if wanted.kind == "skus":
            return self.typed.get(path, [])
        if wanted.kind == "yes":
            return one(self.typed, path) == "1"
        return self._plain(wanted, path)

    def _rows(self, wanted: Parameter, path: str) -> range:
        return range(size_of(self.typed, path, wanted.most_rows))

    def _plain(self, wanted: Parameter, path: str) -> Any:
        text = one(self.typed, path)
        if not text:
            return "" if wanted.kind == "text" and not wanted.required else None
        readers = {
            "money": self._money, "span": self._span, "whole": self._whole, "what": self._what,
            "worth": self._beside, "moment": self._moment,
        }  # fmt: skip
        reader = readers.get(wanted.kind)
        return reader(text, path) if reader else text

    def _span(self, text: str, path: str) -> int | None:
        number, unit = self._whole(text, path), one(self.typed, f"{path}~unit")
        return number * int(unit) if number is not None and unit in map(str, SPANS) else number

    def _beside(self, text: str, path: str) -> int | None:
        """An amount of what the field beside it says."""
        return self._worth(text, path, one(self.typed, f"{path.rpartition('.')[0]}.unit"))

    def _money(self, text: str, path: str) -> int | None:
        try:
            return read_money(text, self.shop.currency)
        except QunluoError as error:
            self.wrong[path] = error.message(current_lang())
            return None

    def _whole(self, text: str, path: str) -> int | None:
        plain = text.replace(",", "").removeprefix("-")
        if plain.isascii() and plain.isdecimal() and len(plain) < 16:
            return int(text.replace(",", ""))
        self.wrong[path] = _("Write a whole number, such as 12.")
        return None

    def _moment(self, text: str, path: str) -> str | None:
        found = read_moment(text, self.shop.zone)
        if found is None:
            self.wrong[path] = _("Choose a day and a time.")
        return found.isoformat() if found else None

    def _worth(self, text: str, path: str, what: str) -> int | None:
        return self._money(text, path) if what == CENT else self._whole(text, path)

    def _what(self, what: str, path: str) -> str:
        name = one(self.typed, f"{path}~name")
        if what in NAMED and not name:
            self.wrong[path] = _("Say which one: its name is missing.")
        return f"{what}:{name}" if what in NAMED else what

    def _reward(self, path: str) -> dict[str, Any] | None:
        what, amount = one(self.typed, f"{path}~what"), one(self.typed, path)
        if not what:
            return None
        number = self._worth(amount, path, what)
        name = one(self.typed, f"{path}~name")
        if what in NAMED and not name:
            self.wrong[path] = _("Say which one: its name is missing.")
        unit = f"{what}:{name}" if what in NAMED else what
        return {"unit": unit, **({} if number is None else {"amount": number})}


def read_moment(text: str, zone: str) -> datetime | None:
    """An instant as a browser writes it, in a zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 1970 < found.year < 9000:
        return None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


def read_rules(
    mechanic: str, typed: Typed, shop: Shop
) -> tuple[Any, dict[str, Any], dict[str, str]]:
    """The rules, typed (None where they can't be), their JSON, and what is wrong by its path;
    "" is the whole."""
    reading = Reading(shop, typed, {})
    values = reading.parts(parameters_of(mechanic), ROOT)
    try:
        rules = find_mechanic(mechanic).rules.model_validate(values)
    except ValidationError as error:
        said = complain(error, parameters_of(mechanic), shop.currency)
        return None, values, {**said, **reading.wrong}
    return (None if reading.wrong else rules), values, reading.wrong


# from rules


def as_typed(parameters: Iterable[Parameter], rules: Mapping[str, Any], shop: Shop,
             path: str = ROOT) -> Typed:  # fmt: skip
    """Stored rules as the form shows them."""
    found: Typed = {}
    for wanted in parameters:
        value = rules.get(wanted.name)
        if wanted.kind == "worth" and value is not None and rules.get("unit") == CENT:
            found[f"{path}.{wanted.name}"] = [_amount(value, shop)]
        else:
            found |= _write(wanted, value, f"{path}.{wanted.name}", shop)
    return found


def usual_typed(parameters: Iterable[Parameter], shop: Shop) -> Typed:
    """A fresh form: what is usual, and one row of what needs one."""
    found: Typed = {}
    for wanted in parameters:
        path = f"{ROOT}.{wanted.name}"
        if wanted.kind == "zone":
            found[path] = [shop.zone]
        elif wanted.kind in ("rows", "list") and not wanted.usual:
            found[f"{path}.size"] = [str(wanted.fewest_rows)]
        else:
            found |= _write(wanted, _as_json(wanted.usual), path, shop)
    return found


def _as_json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_as_json(part) for part in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def _write(wanted: Parameter, value: Any, path: str, shop: Shop) -> Typed:
    if wanted.kind in ("rows", "list"):
        return _write_rows(wanted, value, path, shop)
    if value is None:
        return {}
    writer = _WRITERS.get(wanted.kind)
    return writer(value, path, shop) if writer else {path: [_word(wanted, value, shop)]}


def _write_reward(value: Any, path: str, shop: Shop) -> Typed:
    what, _colon, name = str(value["unit"]).partition(":")
    amount = _amount(value["amount"], shop) if what == CENT else str(value["amount"])
    return {f"{path}~what": [what], f"{path}~name": [name], path: [amount]}


def _write_what(value: Any, path: str, shop: Shop) -> Typed:
    what, _colon, name = str(value).partition(":")
    return {path: [what], f"{path}~name": [name]}


def _write_span(value: Any, path: str, shop: Shop) -> Typed:
    unit = next(u for u in reversed(SPANS) if int(value) % u == 0)
    return {path: [str(int(value) // unit)], f"{path}~unit": [str(unit)]}


_WRITERS: dict[str, Callable[[Any, str, Shop], Typed]] = {
    "reward": _write_reward, "what": _write_what, "span": _write_span,
    "skus": lambda value, path, shop: {path: [str(sku) for sku in value]},
    "yes": lambda value, path, shop: {path: ["1"]} if value else {},
}  # fmt: skip


def _word(wanted: Parameter, value: Any, shop: Shop) -> str:
    if wanted.kind == "money":
        return _amount(value, shop)
    if wanted.kind == "moment":
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return f"{at.astimezone(ZoneInfo(shop.zone)):%Y-%m-%dT%H:%M}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _write_rows(wanted: Parameter, value: Any, path: str, shop: Shop) -> Typed:
    rows = list(value) if isinstance(value, list | tuple) else [value] if value else []
    found: Typed = {f"{path}.size": [str(len(rows))]}
    for n, row in enumerate(rows):
        here = f"{path}.{n}"
        if wanted.kind == "rows":
            found |= as_typed(wanted.parts, row, shop, here)
        else:
            found |= _write(wanted.parts[0], row, here, shop)
    return found


def _amount(minor: int, shop: Shop) -> str:
    return str(to_major(int(minor), shop.currency))


# buttons


def act_on(typed: Typed, act: str) -> None:
    """A button that was pressed: `add:r.tiers`, `drop:r.tiers.1`."""
    verb, _colon, path = act.partition(":")
    if verb == "add" and path.startswith(ROOT):
        typed[f"{path}.size"] = [str(size_of(typed, path, 99) + 1)]
    elif verb == "drop" and path.startswith(ROOT):
        above, _dot, number = path.rpartition(".")
        if number.isascii() and number.isdecimal():
            _drop(typed, above, int(number))


def _drop(typed: Typed, above: str, gone: int) -> None:
    """Takes a row away; those after it move up."""
    size = size_of(typed, above, 99)
    if gone >= size:
        return
    rows = {n: {k[len(f"{above}.{n}"):]: v for k, v in typed.items() if _within(k, f"{above}.{n}")}
            for n in range(size)}  # fmt: skip
    for n in rows:
        for key in [k for k in typed if _within(k, f"{above}.{n}")]:
            del typed[key]
    for place, n in enumerate(n for n in rows if n != gone):
        typed.update({f"{above}.{place}{rest}": words for rest, words in rows[n].items()})
    typed[f"{above}.size"] = [str(size - 1)]


def _within(key: str, path: str) -> bool:
    return key == path or key.startswith((f"{path}.", f"{path}~"))
