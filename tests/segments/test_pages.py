"""The pages of segments: the form says who, the panel says how many."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given

from qunluo.community.models import Community, User
from qunluo.console.segments.drafts import as_draft, as_tree, draw, read_draft
from qunluo.members.actions import do_tag
from qunluo.members.models import Member, Tag, TagGroup
from qunluo.segments.models import Segment
from qunluo.segments.rules import All, Either, Not, as_json, check
from tests.cast import client_of, make_staff
from tests.segments.strategies import WORDS_ALONE as WORDS
from tests.segments.strategies import trees


def posted(drawn: Any) -> QueryDict:
    """What a browser sends of the form."""
    found = QueryDict(mutable=True)
    parts = [drawn]
    while parts:
        part = parts.pop()
        if part.no:
            found[f"{part.path}.no"] = "1"
        if part.join:
            found[f"{part.path}.join"] = part.join
            found[f"{part.path}.size"] = str(len(part.parts))
            parts += part.parts
            continue
        found[f"{part.path}.kind"] = part.kind
        for one in part.inputs:
            found.setlist(f"{part.path}:{one.name}", one.chosen)
    return found


@given(trees(WORDS))
def test_the_form_sends_back_what_it_shows(tree: Any) -> None:
    drawn = draw(as_draft(as_json(tree), WORDS), WORDS, [])
    again = check(as_tree(read_draft(posted(drawn))), WORDS)
    assert plain(again) == plain(tree)


def plain(node: Any) -> Any:
    """Without what changes no meaning: groups of one, and twice not."""
    if isinstance(node, All | Either):
        parts = tuple(map(plain, node.parts))
        return parts[0] if len(parts) == 1 else type(node)(parts)
    if isinstance(node, Not):
        inner = plain(node.part)
        return inner.part if isinstance(inner, Not) else Not(inner)
    return node


@pytest.fixture
def coffee(tea: Community, bob: Member) -> Tag:
    tag = Tag.objects.create(
        group=TagGroup.objects.create(community=tea, name="drink"), name="coffee"
    )
    do_tag(bob, tag, by="system", why="")
    return tag


def form_of(tag: Tag) -> dict[str, str]:
    return {"n.join": "all", "n.size": "1", "n.0.kind": "tag", "n.0:tag": str(tag.pk)}


def test_a_segment_is_made_by_the_form(alice: User, coffee: Tag) -> None:
    client = client_of(alice)
    panel = client.post("/console/segments/panel", form_of(coffee)).content.decode()
    assert "Members who have the tag drink · coffee." in panel
    assert "1 member" in panel
    assert "Bob" in panel
    client.post("/console/segments/save", {**form_of(coffee), "name": "Coffee"})
    row = Segment.objects.get()
    assert row.tree == {"all": [{"tag": coffee.pk}]}
    for path in ("", f"{row.pk}", f"{row.pk}/edit", f"{row.pk}/count"):
        answer = client.get(f"/console/segments/{path}")
        assert answer.status_code == 200
    assert "Bob" in client.get(f"/console/members?segment={row.pk}").content.decode()
    client.post(f"/console/segments/{row.pk}/delete")
    assert not Segment.objects.exists()


def test_a_half_typed_form_says_what_it_lacks(alice: User, coffee: Tag) -> None:
    client = client_of(alice)
    half = form_of(coffee) | {"n.0:tag": ""}
    assert (
        "choose a tag that is there"
        in client.post("/console/segments/panel", half).content.decode()
    )
    kept = client.post("/console/segments/save", {**half, "name": "Coffee"})
    assert kept.status_code == 400
    assert not Segment.objects.exists()


@pytest.mark.parametrize(("act", "sees"), [("row:n", "n.1.kind"), ("box:n", "n.1.join")])
def test_buttons_add_rows_and_groups(alice: User, coffee: Tag, act: str, sees: str) -> None:
    client = client_of(alice)
    body = {**form_of(coffee), "act": act}
    assert f'name="{sees}"' in client.post("/console/segments/editor", body).content.decode()
    fragment = client.post("/console/segments/editor", body, headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()


def test_who_only_sees_members_can_not_change_segments(tea: Community, coffee: Tag) -> None:
    client = client_of(make_staff(tea, "analyst").user)
    assert client.get("/console/segments/").status_code == 200
    assert client.get("/console/segments/new").status_code == 403
    assert client.post("/console/segments/save", form_of(coffee)).status_code == 403


def test_carol_sees_nothing(carol: User, coffee: Tag) -> None:
    assert client_of(carol).get("/console/segments/").status_code in (302, 403, 404)
