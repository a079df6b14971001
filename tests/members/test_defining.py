"""What a community wants to know of its members is defined by one action each, and recorded."""

from __future__ import annotations

from typing import Any

import pytest

from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.members.actions import (
    do_define_field,
    do_define_tag_group,
    do_define_tags,
    do_remove_code,
    do_remove_tag,
    do_set_code,
    do_tag,
)
from qunluo.members.errors import TagInUseError, TakenError
from qunluo.members.models import ChannelCode, Member, Tag

pytestmark = pytest.mark.django_db
ALICE = "staff:1"


def last() -> tuple[str, str, dict[str, Any]]:
    event = Event.objects.latest("id")
    return event.kind, event.actor, event.data


def test_a_field_gets_a_key_for_programs(tea: Community) -> None:
    city = do_define_field(tea, label="Home town", kind="text", by=ALICE)
    assert last() == ("field_made", ALICE, {"name": "Home town", "key": "home-town"})
    again = do_define_field(tea, label="Home town", kind="text", by=ALICE)
    assert (city.key, again.key) == ("home-town", "home-town-2")
    assert do_define_field(tea, label="城市", kind="text", by=ALICE).key.startswith("field-")
    with pytest.raises(TakenError):
        do_define_field(tea, label="Other", key="home-town", kind="text", by=ALICE)


def test_a_name_that_is_taken_leaves_no_trace(tea: Community) -> None:
    do_define_tag_group(tea, name="Taste", single=True, by=ALICE)
    before = Event.objects.count()
    with pytest.raises(TakenError, match="Taste"):
        do_define_tag_group(tea, name="Taste", single=False, by=ALICE)
    assert Event.objects.count() == before


def test_new_tags_are_recorded_and_known_ones_stay(tea: Community) -> None:
    group = do_define_tag_group(tea, name="Taste", single=True, by=ALICE)
    (green,) = do_define_tags(group, ["green"], by=ALICE)
    found = do_define_tags(group, ["green", "black"], by=ALICE)
    assert [tag.name for tag in found] == ["green", "black"]
    assert found[0] == green
    assert Event.objects.filter(kind="tag_made").count() == 2
    assert last() == ("tag_made", ALICE, {"name": "Taste · black"})


def test_a_tag_that_somebody_has_is_not_removed(tea: Community, bob: Member) -> None:
    group = do_define_tag_group(tea, name="Taste", single=True, by=ALICE)
    green, black = do_define_tags(group, ["green", "black"], by=ALICE)
    do_tag(bob, green, by=ALICE, why="said so")
    with pytest.raises(TagInUseError):
        do_remove_tag(green, by=ALICE)
    do_remove_tag(black, by=ALICE)
    assert list(Tag.objects.all()) == [green]
    assert last()[0] == "tag_deleted"


def test_a_code_is_opened_changed_switched_and_removed(tea: Community) -> None:
    code = do_set_code(ChannelCode(community=tea), {"name": "Poster"}, by=ALICE)
    assert last()[0] == "channel_code_made"
    assert len(code.code) == 8
    printed = code.code
    for values, kind in (
        ({"name": "Door", "utm": {"source": "door"}}, "channel_code_set"),
        ({"active": False}, "channel_code_closed"),
        ({"active": True}, "channel_code_opened"),
    ):
        do_set_code(code, values, by=ALICE)
        assert last() == (
            kind, ALICE, {"code": printed, "name": "Door", "fields": sorted(values)}
        )  # fmt: skip
    before = Event.objects.count()
    do_set_code(code, {"active": True}, by=ALICE)
    assert Event.objects.count() == before
    with pytest.raises(TakenError):
        do_set_code(ChannelCode(community=tea), {"name": "x", "code": printed}, by=ALICE)
    do_remove_code(code, by=ALICE)
    assert not ChannelCode.objects.exists()
