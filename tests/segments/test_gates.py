"""A group lets in who is in a segment, or has climbed to a level."""

from __future__ import annotations

import pytest

from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.groups.actions import do_found_group, do_join, do_route
from qunluo.groups.errors import GateClosedError, WrongGateError
from qunluo.kit import clock
from qunluo.members.actions import do_tag
from qunluo.members.models import Member, Tag, TagGroup
from qunluo.segments.actions import do_delete, do_make
from qunluo.segments.errors import SegmentInUseError
from qunluo.segments.models import Segment
from qunluo.standing.models import Standing
from tests.cast import make_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def coffee(tea: Community) -> Tag:
    return Tag.objects.create(
        group=TagGroup.objects.create(community=tea, name="drink"), name="coffee"
    )


@pytest.fixture
def lovers(tea: Community, coffee: Tag) -> Segment:
    return do_make(tea, name="Coffee lovers", tree={"tag": coffee.pk}, by="staff:1")


def gate_of(segment: Segment) -> dict[str, object]:
    return {"kind": "segment", "segment": segment.pk, "name": segment.name}


def test_who_is_in_the_segment_comes_in(
    tea: Community, bob: Member, coffee: Tag, lovers: Segment
) -> None:
    group = make_group(tea, "Beans", gate=gate_of(lovers))
    with pytest.raises(GateClosedError) as told:
        do_join(group, bob, by=bob.actor)
    assert "Coffee lovers" in told.value.message("en")
    do_tag(bob, coffee, by="staff:1", why="")
    assert do_join(group, bob, by=bob.actor).left_at is None


def test_routing_asks_too(tea: Community, bob: Member, coffee: Tag, lovers: Segment) -> None:
    make_group(tea, "Beans", gate=gate_of(lovers), capacity=500)
    everybody = make_group(tea, "Everybody", taken=100)
    assert do_route(tea, bob, by=bob.actor).group_id == everybody.pk
    do_tag(bob, coffee, by="staff:1", why="")
    assert do_route(tea, bob, by=bob.actor).group.name == "Beans"


def test_a_segment_that_is_a_gate_stays(tea: Community, lovers: Segment) -> None:
    make_group(tea, "Beans", gate=gate_of(lovers))
    with pytest.raises(SegmentInUseError) as told:
        do_delete(lovers, by="staff:1")
    assert "Beans" in told.value.message("en")


def test_the_level_is_where_the_member_stands(tea: Community, bob: Member) -> None:
    group = make_group(tea, "Fans", gate={"kind": "level", "level": 2})
    Standing.objects.create(member=bob, community=tea, level=1, judged_on=clock.now().date())
    with pytest.raises(GateClosedError):
        do_join(group, bob, by=bob.actor)
    Standing.objects.filter(pk=bob.pk).update(level=2)
    assert do_join(group, bob, by=bob.actor).member_id == bob.pk


def test_a_gate_is_a_segment_of_the_community_and_says_its_name(
    tea: Community, lovers: Segment, carol: User
) -> None:
    founded = do_found_group(
        tea, name="Beans", purpose="beans", by="staff:1",
        gate={"kind": "segment", "segment": lovers.pk},
    )  # fmt: skip
    assert founded.gate["name"] == "Coffee lovers"
    with pytest.raises(WrongGateError):
        do_found_group(
            do_found("Other", carol), name="Beans", purpose="beans", by="staff:1",
            gate={"kind": "segment", "segment": lovers.pk},
        )  # fmt: skip
