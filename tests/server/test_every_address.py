"""Every address there is: what each needs is written on it, and nobody gets in without.

A view of ours carries `permission` (for staff, set by the one decorator that registers views) or
`open_to` (a sentence: who it is for and what guards it). A new one without either fails here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from qunluo.community.models import Community, User
from qunluo.community.rules import PERMISSIONS, Role, may
from tests.cast import client_of, make_staff

pytestmark = pytest.mark.django_db

SAMPLES = {"int": "1", "slug": "x", "str": "x", "uuid": "0" * 8, "path": "x", "job": "0" * 16}
ENTERED = {200, 201, 202, 204, 206}


@dataclass(frozen=True)
class Address:
    """A pattern, an address that fits it, and what is behind."""

    route: str
    path: str
    view: Callable[..., Any]

    @property
    def ours(self) -> bool:
        return self._module.startswith("qunluo.")

    @property
    def of_wagtail(self) -> bool:
        return self._module.startswith("wagtail.")

    @property
    def _module(self) -> str:
        found = getattr(self.view, "view_class", self.view)
        return str(getattr(found, "__module__", ""))

    @property
    def permission(self) -> str | None:
        return getattr(self.view, "permission", None)

    @property
    def open_to(self) -> str | None:
        return getattr(self.view, "open_to", None)


def walk(patterns: list[Any], route: str = "", path: str = "/") -> Iterator[Address]:
    for found in patterns:
        here = found.pattern
        inner, example = route + str(here), path + sample(here)
        if isinstance(found, URLResolver):
            yield from walk(found.url_patterns, inner, example)
        elif isinstance(found, URLPattern):
            yield Address(inner, example, found.callback)


def sample(pattern: Any) -> str:
    """An address that fits: 1 for a number, x for a word."""
    text = str(pattern)
    if not isinstance(pattern, RoutePattern):
        return text.lstrip("^").rstrip("$").replace("\\Z", "")
    for name, converter in pattern.converters.items():
        kind = _kind(text, name)
        text = text.replace(f"<{kind}:{name}>", _fitting(kind, converter))
        text = text.replace(f"<{name}>", "x")
    return text


def _kind(text: str, name: str) -> str:
    before = text.partition(f":{name}>")[0]
    return before.rpartition("<")[2]


def _fitting(kind: str, converter: Any) -> str:
    return SAMPLES.get(kind, "1" if getattr(converter, "regex", "") == "[0-9]+" else "x")


def addresses() -> list[Address]:
    return [a for a in walk(get_resolver().url_patterns) if "(?P<" not in a.route]


def ask(client: Client, address: Address) -> int:
    return int(client.get(address.path).status_code)


def test_every_view_of_ours_says_who_may_enter() -> None:
    silent = [a.route for a in addresses() if a.ours and not (a.permission or a.open_to)]
    assert silent == []
    unknown = {a.permission for a in addresses() if a.permission} - set(PERMISSIONS)
    assert unknown == set()


def test_there_are_addresses_to_walk() -> None:
    asked = {a.permission for a in addresses() if a.permission}
    assert len(asked) >= 10


@pytest.mark.parametrize("who", ["nobody", "carol"])
def test_nobody_without_a_role_gets_in(tea: Community, carol: User, who: str) -> None:
    client = client_of(carol if who == "carol" else None)
    closed = [a for a in addresses() if a.permission or (a.of_wagtail and a.route not in OURS)]
    entered = [a.path for a in closed if ask(client, a) in ENTERED]
    assert entered == []


def test_a_role_gets_in_nowhere_else(tea: Community, role: Role) -> None:
    client = client_of(make_staff(tea, role).user)
    forbidden = [a for a in addresses() if a.permission and not may(role, a.permission)]
    entered = {
        a.path: code for a in forbidden if (code := ask(client, a)) not in (403, 404, 405)
    }
    assert entered == {}


def test_no_role_gets_to_wagtails_own_pages(tea: Community, role: Role) -> None:
    """What we don't use of the shell is no second door to anything."""
    client = client_of(make_staff(tea, role).user)
    theirs = [a for a in addresses() if a.of_wagtail and a.route not in OURS]
    entered = [a.path for a in theirs if ask(client, a) in ENTERED]
    assert entered == []


OURS: set[str] = set()
"""Routes of the shell's own that signed-in staff do use."""
