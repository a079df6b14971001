"""The list of members, and everything about one of them."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from qunluo.community.actions import do_found
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.actions import do_set_contact, do_tag
from qunluo.members.models import Field, Merge, Tagging
from tests.cast import client_of, make_member, make_staff, make_user
from tests.console.people.conftest import HOSTILE, SCRIPT, Scene, kinds, read

pytestmark = pytest.mark.django_db


def at(name: str, *args: object, query: str = "") -> str:
    return reverse(f"people:{name}", args=args) + query


def test_the_list_shows_members_and_narrows_them(desk: Client, scene: Scene) -> None:
    make_member(scene.community, "王小明")
    do_tag(scene.bob, scene.tag, by="system", why="asked for it")
    page = read(desk.get(at("members")))
    assert "Bob" in page
    assert "王小明" in page
    for query in (f"?tag={scene.tag.pk}", f"?group={scene.group.pk}"):
        narrowed = read(desk.get(at("members", query=query)))
        assert "Bob" in narrowed
        assert "王小明" not in narrowed


def test_a_tag_that_expired_finds_nobody(desk: Client, scene: Scene) -> None:
    do_tag(scene.bob, scene.tag, by="system", why="a while")
    Tagging.objects.update(expires_at=clock.now() - timedelta(days=1))
    assert "Nobody fits" in read(desk.get(at("members", query=f"?tag={scene.tag.pk}")))


def test_an_empty_list_says_what_to_do(desk: Client, tea: object) -> None:
    assert "Make a channel code" in read(desk.get(at("members")))


def test_strange_filters_are_no_filters(desk: Client, scene: Scene) -> None:
    for query in (
        "?tag=x&group=-1&source=9999999999999999999999&before=x",
        "?q=%27",
        "?q=(",
    ):
        assert desk.get(at("members", query=query)).status_code == 200


def test_contact_data_are_masked_until_somebody_says_why(desk: Client, scene: Scene) -> None:
    do_set_contact(scene.bob, phone="13800138000", by="system")
    for name, args in (("members", ()), ("member", (scene.bob.pk,))):
        page = read(desk.get(at(name, *args)))
        assert "138****8000" in page
        assert "13800138000" not in page
    refused = desk.post(at("reveal", scene.bob.pk), {"reveal-why": " "})
    assert "13800138000" not in read(refused, 400)
    assert "contact_revealed" not in kinds(scene.community)
    shown = read(desk.post(at("reveal", scene.bob.pk), {"reveal-why": "parcel came back"}))
    assert "13800138000" in shown
    looked = Event.objects.get(kind="contact_revealed")
    assert looked.actor.startswith("staff:")
    assert "parcel came back" in str(looked.data)


def test_the_page_says_who_they_are_from_evidence(desk: Client, scene: Scene) -> None:
    page = read(desk.get(at("member", scene.bob.pk)))
    for said in ("in Tea", "wrote 2 messages", "asked 1 question", "1 strike counts"):
        assert said in page


def test_a_tag_is_set_with_its_reason_and_taken_off_again(desk: Client, scene: Scene) -> None:
    day = (clock.now() + timedelta(days=9)).date().isoformat()
    given = {"tag": scene.tag.pk, "why": "bought it twice", "until": day}
    assert desk.post(at("tag", scene.bob.pk), given).status_code == 302
    tagging = Tagging.objects.get(member=scene.bob)
    assert tagging.expires_at is not None
    page = read(desk.get(at("member", scene.bob.pk)))
    assert "bought it twice" in page
    assert "alice" in page
    off = at("untag", scene.bob.pk, tagging.pk)
    assert "This field is required" in read(desk.post(off, {"why": ""}), 400)
    assert desk.post(off, {"why": "no longer"}).status_code == 302
    assert not Tagging.objects.exists()
    assert {"member_tagged", "member_untagged"} <= set(kinds(scene.community))


def test_what_was_typed_stays_in_a_refused_form(desk: Client, scene: Scene) -> None:
    given = {"tag": scene.tag.pk, "why": "typed with care", "until": "2001-01-01"}
    page = read(desk.post(at("tag", scene.bob.pk), given), 400)
    assert 'value="typed with care"' in page
    assert "That day is over" in page


def test_fields_are_saved_as_their_kinds(desk: Client, scene: Scene) -> None:
    for key, kind in (("city", "text"), ("age", "number"), ("owner", "yes_no")):
        Field.objects.create(community=scene.community, key=key, label=key, kind=kind)
    given = {"field_city": "yes", "field_age": "41", "field_owner": "no", "why": "told me"}
    assert desk.post(at("set_fields", scene.bob.pk), given).status_code == 302
    scene.bob.refresh_from_db()
    assert scene.bob.fields == {"city": "yes", "age": 41, "owner": False}
    wrong = read(desk.post(at("set_fields", scene.bob.pk), given | {"field_age": "old"}), 400)
    assert 'value="old"' in wrong


def test_a_member_is_renamed(desk: Client, scene: Scene) -> None:
    desk.post(at("rename", scene.bob.pk), {"name": "Robert"})
    scene.bob.refresh_from_db()
    assert scene.bob.name == "Robert"


def test_two_who_are_one_are_merged_and_parted_again(desk: Client, scene: Scene) -> None:
    other = make_member(scene.community, "Bobby")
    for member in (scene.bob, other):
        do_set_contact(member, phone="13800138000", verified=True, by="system")
    page = read(desk.get(at("member", scene.bob.pk)))
    assert "the same checked phone number" in page
    desk.post(at("merge", scene.bob.pk, other.pk))
    merge = Merge.objects.get()
    assert (merge.kept_id, merge.gone_id) == (scene.bob.pk, other.pk)
    assert desk.get(at("member", other.pk)).headers["Location"] == at("member", scene.bob.pk)
    desk.post(at("undo_merge", scene.bob.pk, merge.pk))
    other.refresh_from_db()
    assert other.merged_into_id is None


def test_strangers_are_not_merged(desk: Client, scene: Scene) -> None:
    other = make_member(scene.community, "Stranger")
    desk.post(at("merge", scene.bob.pk, other.pk))
    assert not Merge.objects.exists()


def test_all_their_data_leave_as_one_zip(desk: Client, scene: Scene) -> None:
    answer = desk.post(at("export", scene.bob.pk))
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None
    assert "member_exported" in kinds(scene.community)


def test_erasure_wants_the_name_typed(desk: Client, scene: Scene) -> None:
    wrong = read(desk.post(at("erase", scene.bob.pk), {"typed": "Rob"}), 400)
    assert "This is not the name" in wrong
    assert desk.post(at("erase", scene.bob.pk), {"typed": "Bob"}).status_code == 302
    scene.bob.refresh_from_db()
    assert scene.bob.erased_at is not None
    assert desk.get(at("member", scene.bob.pk)).status_code == 404


def test_the_timeline_can_be_narrowed(desk: Client, scene: Scene) -> None:
    page = read(desk.get(at("member", scene.bob.pk, query="?show=Groups")))
    assert "Joined a group" in page
    assert "Asked a question" not in page


def test_hostile_names_stay_text(desk: Client, scene: Scene) -> None:
    scene.bob.name = HOSTILE
    scene.bob.save()
    for name, args in (
        ("members", ()),
        ("member", (scene.bob.pk,)),
        ("cases", ()),
        ("inbox", ()),
    ):
        page = read(desk.get(at(name, *args)))
        assert "<img src=x" not in page
    scene.group.name = SCRIPT
    scene.group.save()
    assert "<script>document" not in read(desk.get(at("room", scene.group.pk)))


def test_another_communitys_members_are_not_there(desk: Client, scene: Scene) -> None:
    dan = make_user("dan")
    do_found("Coffee friends", dan)
    his = client_of(dan)
    for name in ("member", "tag", "erase", "export", "reveal", "rename"):
        ask = his.get if name == "member" else his.post
        assert ask(at(name, scene.bob.pk)).status_code == 404
    assert desk.get(at("member", scene.bob.pk)).status_code == 200


def test_an_analyst_looks_and_changes_nothing(scene: Scene) -> None:
    client = client_of(make_staff(scene.community, "analyst").user)
    page = read(client.get(at("member", scene.bob.pk)))
    assert "Add a tag" not in page
    assert "Erase" not in page
    for name in ("tag", "erase", "export", "reveal", "rename"):
        assert client.post(at(name, scene.bob.pk)).status_code == 403
