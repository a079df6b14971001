"""Names as they may be shown: their own, or "Member 17", the same one everywhere.

The number is the rank of the account's key among all keys the report knows, so that two
renderings of one archive agree and nothing of the name is left in it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from qunluo.insight.figures import Facts, GroupName, Person, Quote
from qunluo.insight.report.model import Report
from qunluo.insight.report.words import WORDS
from qunluo.kit.text import Text


@dataclass(frozen=True)
class Masks:
    """Which name to show for a person, a group, a file, a quotation."""

    hidden: bool
    people: tuple[int, ...] = ()  # sorted keys
    groups: tuple[int, ...] = ()
    known: Mapping[str, Text] = field(default_factory=dict)  # names used as plain labels

    def person(self, who: Person) -> Text:
        return self._name(who.name, "member_n", self.people, who.key)

    def group(self, group: GroupName) -> Text:
        return self._name(group.name, "group_n", self.groups, group.key)

    def file(self, name: str, position: int) -> Text:
        """A file is often called after the group or person it was exported from."""
        return WORDS["file_n"].format(n=position) if self.hidden else _same(name)

    def label(self, name: str) -> Text:
        """A plain label of an axis or node: masked if it is somebody's name."""
        return self.known.get(name) or _same(name)

    def quote(self, quote: Quote) -> Text:
        return WORDS["quote_hidden"] if self.hidden else _same(quote.text)

    def at(self, quote: Quote) -> str:
        """When it was said: to the second it would name the message, so masked to the day."""
        return quote.at[:10] if self.hidden else quote.at

    def _name(self, name: str, word: str, keys: tuple[int, ...], key: int) -> Text:
        return _numbered(word, keys, key) if self.hidden else _same(name)


def masks_of(report: Report, anonymous: bool) -> Masks:
    """The masks of one report; every key in it has a number of its own."""
    if not anonymous:
        return Masks(hidden=False)
    named = list(_leaves(report.sections))
    people = _keys(report.facts.sender_names, (p.key for p in named if isinstance(p, Person)))
    groups = _keys(report.facts.group_names, (g.key for g in named if isinstance(g, GroupName)))
    labels = frozenset(label for label in named if isinstance(label, str))
    return Masks(True, people, groups, dict(_known(report.facts, labels, people, groups)))


def _known(
    facts: Facts, labels: frozenset[str], people: tuple[int, ...], groups: tuple[int, ...]
) -> Iterator[tuple[str, Text]]:
    """Labels of the report that are somebody's name: figures put names into `Person` and
    `GroupName`, and this holds where one forgets it."""
    for key, name in facts.group_names.items():
        if name in labels:
            yield name, _numbered("group_n", groups, key)
    for key, name in facts.sender_names.items():
        if name in labels:
            yield name, _numbered("member_n", people, key)


def _numbered(word: str, keys: tuple[int, ...], key: int) -> Text:
    return WORDS[word].format(n=bisect_left(keys, key) + 1)


def _keys(known: Iterable[int], met: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({*known, *met}))


def _same(name: str) -> Text:
    return Text(name, name)


def _leaves(value: Any) -> Iterator[Person | GroupName | str]:
    """Every person, group and plain string anywhere inside a value."""
    if isinstance(value, Person | GroupName | str):
        yield value
    elif isinstance(value, dict):
        yield from _leaves(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _leaves(item)
    elif is_dataclass(value) and not isinstance(value, Text | Quote | type):
        for part in fields(value):
            yield from _leaves(getattr(value, part.name))
