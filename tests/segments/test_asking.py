"""The database answers as one would by hand, member by member."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.community.actions import do_found
from qunluo.community.models import Community
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.segments.queries import (
    count_now,
    find_in,
    is_in,
    list_members,
    load_vocabulary,
    sample,
)
from qunluo.segments.rules import All, Not, Tagged
from tests.cast import NOON, make_member
from tests.segments.strategies import World, make_world, trees

pytestmark = pytest.mark.django_db
QUICK = settings(max_examples=40, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.use(clock.faster(0, NOON)):
        yield


@pytest.fixture(params=(1, 2))
def world(tea: Community, request: Any) -> World:
    return make_world(tea, request.param)


@QUICK
@given(data=st.data())
def test_the_database_finds_who_is_meant(world: World, data: st.DataObject) -> None:
    words = load_vocabulary(world.community)
    tree = data.draw(trees(words))
    few = data.draw(st.lists(st.sampled_from(sorted(world.known)), max_size=6, unique=True))
    meant = world.who(tree, words)
    assert set(list_members(world.community, tree, words).values_list("pk", flat=True)) == meant
    assert find_in(world.community, tree, few, words) == meant & set(few)


def test_one_member_is_asked_alone(world: World) -> None:
    words = load_vocabulary(world.community)
    tree = Tagged(world.tags[0].pk)
    for pk in world.known:
        assert is_in(Member.objects.get(pk=pk), tree, words) == (pk in world.who(tree, words))


def test_a_sample_is_of_those_meant(world: World) -> None:
    words = load_vocabulary(world.community)
    tree = Not(Tagged(world.tags[0].pk))
    found = sample(world.community, tree, 3, words)
    assert len(found) == 3
    assert {member.pk for member in found} <= world.who(tree, words)
    assert count_now(world.community, tree, words) == len(world.who(tree, words))


def test_nobody_of_another_community_and_nobody_gone_is_meant(world: World, carol: Any) -> None:
    other = do_found("Other", carol)
    stranger = make_member(other)
    some = list(Member.objects.filter(community=world.community).order_by("pk")[:2])
    Member.objects.filter(pk=some[0].pk).update(merged_into=some[1])
    everybody = Not(All((Tagged(world.tags[0].pk), Not(Tagged(world.tags[0].pk)))))
    found = set(list_members(world.community, everybody).values_list("pk", flat=True))
    assert found == set(world.known) - {some[0].pk}
    assert stranger.pk not in found


def test_a_tag_that_is_gone_is_nobodys(world: World) -> None:
    gone = Tagged(999_999)
    assert count_now(world.community, gone) == 0
    assert count_now(world.community, Not(gone)) == len(world.known)
