"""The guided start, begun by two at once: one becomes the owner, one community and one group are
there. Each race is first shown to be possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from qunluo.community.actions import do_found
from qunluo.community.models import Community, Staff, User
from qunluo.events.models import Event
from qunluo.groups.models import Group
from tests.cast import client_of, make_user
from tests.racing import won

pytestmark = pytest.mark.django_db(transaction=True)
START, PASSWORD = "/console/start", "a sentence only I know"
BROWSERS = 4


@pytest.fixture(autouse=True)
def no_guesses() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def together(step: Callable[[int], Any], count: int = BROWSERS) -> list[Any]:
    return won([partial(step, n) for n in range(count)])


def test_without_the_guard_two_would_own_it() -> None:
    """The control: looking first and founding then lets both in."""
    both_looked = Barrier(2, timeout=30)

    def look_then_found(n: int) -> None:
        assert not User.objects.exists()
        both_looked.wait()
        with transaction.atomic():
            do_found(f"Community {n}", make_user(f"owner{n}"))

    together(look_then_found, 2)
    assert User.objects.count() == 2
    assert Staff.objects.filter(role="owner").count() == 2


def test_of_many_browsers_one_becomes_the_owner() -> None:
    browsers = [client_of() for _n in range(BROWSERS)]

    def begin(n: int) -> bool:
        browsers[n].post(START, {"name": f"owner{n}", "password": PASSWORD})
        return "_auth_user_id" in browsers[n].session

    inside = together(begin)
    assert User.objects.count() == 1
    assert inside.count(True) == 1
    for browser in browsers:
        assert browser.get(START).status_code in (200, 302)


@pytest.fixture
def tabs() -> list[Client]:
    """The first owner's browser tabs, before there is a community."""
    owner = make_user("alice")
    return [client_of(owner) for _n in range(BROWSERS)]


def test_of_many_tabs_one_founds_the_community(tabs: list[Client]) -> None:
    def found(n: int) -> int:
        given = {"name": f"Tea {n}", "zone": "Asia/Shanghai", "lang": "en"}
        return tabs[n].post(START, given).status_code

    assert together(found) == [302] * BROWSERS
    assert Community.objects.count() == 1
    assert Staff.objects.filter(role="owner").count() == 1


def test_of_many_tabs_one_opens_the_first_group(tabs: list[Client]) -> None:
    do_found("Tea", User.objects.get())

    def open_it(n: int) -> int:
        given = {"name": f"Tea {n}", "purpose": "to talk", "gives": ""}
        return tabs[n].post(f"{START}/group", given).status_code

    assert set(together(open_it)) <= {302, 200}  # made just now, or shown as made already
    assert Group.objects.count() == 1
    assert Event.objects.filter(kind="group_founded").count() == 1
    for tab in tabs:
        assert Group.objects.get().code in tab.get(f"{START}/group").content.decode()
