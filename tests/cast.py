"""The cast: Alice owns and operates, Bob is a member, Carol must see nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from django.test import Client

from qunluo.community.actions import do_appoint, do_found
from qunluo.community.models import Community, Staff, User
from qunluo.community.rules import ROLES, Role
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.members.models import Identity, Member

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # noon in Shanghai, a Monday
_numbers = count(1)


@pytest.fixture
def noon() -> Iterator[datetime]:
    """The clock stands still at noon."""
    with clock.use(clock.faster(0, NOON)):
        yield NOON


def make_user(name: str) -> User:
    return User.objects.create_user(username=name, password="correct horse battery staple")


def make_member(community: Community, name: str = "Bob", channel: str = "web") -> Member:
    member = Member.objects.create(community=community, name=name, made_at=clock.now())
    Identity.objects.create(
        community=community, member=member, channel=channel, name=name,
        external_id=f"{name}-{next(_numbers)}", made_at=clock.now(),
    )  # fmt: skip
    return member


def make_group(community: Community, name: str = "Tea", **more: object) -> Group:
    values = {
        "purpose": "to talk about tea", "state": "growing", "made_at": clock.now(), **more
    }  # fmt: skip
    return Group.objects.create(
        community=community, name=name, code=f"g{next(_numbers)}", **values
    )


def make_staff(community: Community, role: Role, name: str = "") -> Staff:
    return do_appoint(
        community, make_user(name or f"{role}-{next(_numbers)}"), role, by="system"
    )


def client_of(user: User | None = None, lang: str = "en") -> Client:
    """A browser, signed in or not."""
    client = Client(headers={"host": "localhost", "accept-language": lang})
    if user is not None:
        client.force_login(user)
    return client


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice")


@pytest.fixture
def carol(db: None) -> User:
    """Has an account and no role."""
    return make_user("carol")


@pytest.fixture
def tea(alice: User) -> Community:
    """Alice's community."""
    return do_found("Tea friends", alice)


@pytest.fixture
def bob(tea: Community) -> Member:
    return make_member(tea)


@pytest.fixture
def group(tea: Community) -> Group:
    return make_group(tea)


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> Role:
    found: Role = request.param
    return found
