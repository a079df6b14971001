"""Segments by programs."""

from __future__ import annotations

import pytest

from qunluo.community.models import Community
from qunluo.members.actions import do_tag
from qunluo.members.models import Member, Tag, TagGroup
from tests.api.calling import Program
from tests.cast import make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def coffee(tea: Community, bob: Member) -> Tag:
    group = TagGroup.objects.create(community=tea, name="drink")
    tag = Tag.objects.create(group=group, name="coffee")
    for member in (bob, make_member(tea, "Dan"), make_member(tea, "Eve")):
        do_tag(member, tag, by="system", why="")
    make_member(tea, "Fay")
    return tag


def test_a_segment_is_made_counted_read_and_changed(program: Program, coffee: Tag) -> None:
    made = program.post("segments", {"name": "Coffee", "tree": {"tag": coffee.pk}})
    path = f"segments/{made['id']}"
    assert made["sentence"]["en"] == "Members who have the tag drink · coffee."
    assert program.get(f"{path}/count") == {"count": 3}
    first = program.get(f"{path}/members?limit=2")
    assert [row["name"] for row in first["items"]] == ["Eve", "Dan"]
    rest = program.get(f"{path}/members?limit=2&cursor={first['next']}")
    assert [row["name"] for row in rest["items"]] == ["Bob"]
    assert rest["next"] is None
    program.patch(path, {"name": "Others", "tree": {"not": {"tag": coffee.pk}}})
    assert program.get(f"{path}/count") == {"count": 1}
    assert program.get("segments")["items"][0]["name"] == "Others"
    assert program.call("DELETE", path).status_code == 204
    assert program.refused("GET", path)[0] == 404


def test_what_can_not_be_read_is_refused(program: Program, coffee: Tag) -> None:
    for tree in ({"tag": 999_999}, {"magic": 1}, {"all": []}):
        asked = {"name": "X", "tree": tree}
        assert program.refused("POST", "segments", asked) == (422, "wrong_segment")


def test_one_that_is_used_stays(program: Program, coffee: Tag) -> None:
    inner = program.post("segments", {"name": "Inner", "tree": {"tag": coffee.pk}})
    program.post("segments", {"name": "Outer", "tree": {"segment": inner["id"]}})
    assert program.refused("DELETE", f"segments/{inner['id']}") == (409, "segment_in_use")
