"""Segments are made, changed and deleted with an event, and not while something stands on them."""

from __future__ import annotations

import pytest

from qunluo.community.actions import do_found
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.members.models import Tag, TagGroup
from qunluo.segments.actions import do_change, do_delete, do_make
from qunluo.segments.errors import (
    SegmentInUseError,
    SegmentNameError,
    SegmentTakenError,
    WrongTreeError,
)
from qunluo.segments.models import Segment
from qunluo.segments.queries import list_uses

pytestmark = pytest.mark.django_db


@pytest.fixture
def coffee(tea: Community) -> dict[str, int]:
    group = TagGroup.objects.create(community=tea, name="drink")
    return {"tag": Tag.objects.create(group=group, name="coffee").pk}


def kinds(community: Community) -> list[str]:
    rows = Event.objects.filter(community_id=community.pk, kind__startswith="segment_")
    return list(rows.order_by("id").values_list("kind", flat=True))


def test_each_change_is_on_record(tea: Community, coffee: dict[str, int]) -> None:
    row = do_make(tea, name=" Coffee  people ", tree=coffee, by="staff:1")
    assert row.name == "Coffee people"
    do_change(row, name="Others", tree={"not": coffee}, by="staff:1")
    assert Segment.objects.get().tree == {"not": coffee}
    do_delete(row, by="staff:1")
    assert not Segment.objects.exists()
    assert kinds(tea) == ["segment_made", "segment_changed", "segment_deleted"]


def test_a_name_is_needed_and_is_there_once(tea: Community, coffee: dict[str, int]) -> None:
    do_make(tea, name="Coffee", tree=coffee, by="staff:1")
    with pytest.raises(SegmentTakenError):
        do_make(tea, name="Coffee", tree=coffee, by="staff:1")
    with pytest.raises(SegmentNameError):
        do_make(tea, name=" ", tree=coffee, by="staff:1")
    assert kinds(tea) == ["segment_made"]


def test_what_is_used_stays(tea: Community, coffee: dict[str, int]) -> None:
    inner = do_make(tea, name="Inner", tree=coffee, by="staff:1")
    outer = do_make(tea, name="Outer", tree={"not": {"segment": inner.pk}}, by="staff:1")
    assert [use.name for use in list_uses(inner)] == ["Outer"]
    with pytest.raises(SegmentInUseError) as told:
        do_delete(inner, by="staff:1")
    assert "segment “Outer”" in told.value.message("en")
    do_delete(outer, by="staff:1")
    do_delete(inner, by="staff:1")


def test_circles_are_refused(tea: Community, coffee: dict[str, int]) -> None:
    inner = do_make(tea, name="Inner", tree=coffee, by="staff:1")
    outer = do_make(tea, name="Outer", tree={"segment": inner.pk}, by="staff:1")
    with pytest.raises(WrongTreeError):
        do_change(
            inner, name="Inner", tree={"any": [coffee, {"segment": outer.pk}]}, by="staff:1"
        )


def test_names_of_another_community_are_none_of_ours(
    tea: Community, coffee: dict[str, int], carol: object
) -> None:
    other = do_found("Other", carol)
    with pytest.raises(WrongTreeError):
        do_make(other, name="Theirs", tree=coffee, by="staff:2")
