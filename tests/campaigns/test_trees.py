"""The tree of invitations against reckonings of its own."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.campaigns.models import Attribution
from qunluo.campaigns.trees import (
    Chain,
    joined_at,
    list_core,
    list_generations,
    list_path,
    organic_share,
    read_chain,
    time_to_invite,
)
from qunluo.community.models import Community
from qunluo.groups.actions import do_join
from qunluo.groups.models import Group
from qunluo.members.models import Member
from tests.cast import NOON, make_member
from tests.commerce.shop import buy, pay, sell


def brought(member: Member, inviter: Member | None, hours: float = 0) -> Member:
    at = NOON + timedelta(hours=hours)
    Attribution.objects.create(
        community=member.community, member=member, inviter=inviter, at=at, touched_at=at
    )
    return member


@pytest.fixture
def family(noon: datetime, tea: Community, bob: Member) -> dict[str, Member]:
    """Bob came by himself and brought Ann and Ben; Ann brought Cat, who brought Dan."""
    names = {name: make_member(tea, name) for name in ("Ann", "Ben", "Cat", "Dan", "Eve")}
    brought(bob, None)
    brought(names["Ann"], bob, 2)
    brought(names["Ben"], bob, 4)
    brought(names["Cat"], names["Ann"], 6)
    brought(names["Dan"], names["Cat"], 16)
    brought(names["Eve"], None)
    return {"Bob": bob, **names}


@pytest.mark.django_db
def test_generations_with_their_k_time_to_invite_and_organic_share(
    tea: Community, family: dict[str, Member]
) -> None:
    chain = read_chain(tea)
    found = [(g.number, g.members, g.brought, g.k) for g in list_generations(chain)]
    assert found == [(0, 2, 2, 1.0), (1, 2, 1, 0.5), (2, 1, 1, 1.0), (3, 1, 0, 0.0)]
    # Bob after 2 hours, Ann after 6, Cat after 16: all were made at noon here
    assert time_to_invite(chain, joined_at(chain.friends)) == timedelta(hours=6)
    assert organic_share(tea) == pytest.approx(2 / 6)
    assert organic_share(tea, since=NOON + timedelta(days=9)) is None
    assert list_path(chain, family["Dan"].pk) == [family[n].pk for n in ("Bob", "Ann", "Cat")]


@pytest.mark.django_db
def test_core_members_are_those_whose_friends_stayed_and_bought(
    tea: Community, group: Group, family: dict[str, Member]
) -> None:
    variant = sell(tea, "cup", price_minor=1_000)
    pay(buy(family["Ben"], variant, quantity=2))
    for name in ("Ben", "Cat", "Dan"):
        do_join(group, family[name], by="system")
    core = list_core(tea, read_chain(tea))
    found = [(b.member.name, b.friends, b.stayed, b.below, b.paid_minor) for b in core]
    assert found == [("Bob", 2, 1, 4, 2_000), ("Ann", 1, 1, 2, 0), ("Cat", 1, 1, 1, 0)]


@pytest.mark.django_db
def test_ties_to_oneself_and_circles_count_nowhere(
    tea: Community, family: dict[str, Member]
) -> None:
    Attribution.objects.filter(member=family["Bob"]).update(inviter=family["Bob"])
    chain = read_chain(tea)
    assert chain.roots() == {family["Bob"].pk, family["Eve"].pk}
    Attribution.objects.filter(member=family["Bob"]).update(inviter=family["Dan"])
    circle = read_chain(tea)
    assert [g.members for g in list_generations(circle)] == [1]
    assert len(list_path(circle, family["Dan"].pk)) <= 4
    assert circle.below()[family["Bob"].pk] == 0


@given(st.lists(st.integers(0, 30), max_size=30))
def test_depths_and_sizes_are_those_of_walking_up(parents: list[int]) -> None:
    """Member n + 1 was brought by one with a smaller number, or (0) came alone."""
    chain = Chain()
    for number, drawn in enumerate(parents, 1):
        inviter = drawn % number
        if inviter:
            chain.inviter[number], chain.at[number] = inviter, NOON
            chain.friends[inviter].append(number)
        else:
            chain.alone.add(number)
    depths, below = chain.depths(), chain.below()
    paths = {n: list_path(chain, n) for n in range(1, len(parents) + 1)}
    assert depths == {n: len(path) for n, path in paths.items()}
    assert all(below[n] == sum(n in path for path in paths.values()) for n in paths)
    told = list_generations(chain)
    assert sum(g.members for g in told) == len(parents)
    assert sum(g.brought for g in told) == len(chain.inviter)
