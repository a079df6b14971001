"""What a program does is what the console does: the same people, groups and words."""

from __future__ import annotations

import io
import zipfile

import pytest

from qunluo.api.models import Remembered
from qunluo.community.actions import do_found
from qunluo.community.models import Community, Staff
from qunluo.events.models import Event
from qunluo.groups.models import Case, Group, JoinRequest
from qunluo.kit import clock
from qunluo.members.actions import do_set_contact
from qunluo.members.models import Field, Member, Tag, TagGroup
from qunluo.messaging.messages import do_post
from qunluo.messaging.questions import do_ask
from tests.api.calling import Program, program_of
from tests.cast import make_group, make_member, make_user

pytestmark = pytest.mark.django_db


def test_a_group_is_made_changed_and_closed(program: Program) -> None:
    made = program.post("groups", {"name": "Green", "purpose": "to taste", "capacity": 3})
    assert made["join_path"].endswith(made["code"])
    assert (made["state"], made["gate"]) == ("growing", {})
    gate = {"kind": "near", "lat": 31.2, "lon": 121.5, "km": 5}
    changed = program.patch(f"groups/{made['id']}", {"gate": gate})
    assert (changed["gate"], changed["capacity"]) == (gate, 3)
    assert (
        program.refused("PATCH", f"groups/{made['id']}", {"gate": {"kind": "near"}})[0] == 422
    )
    closed = program.post(f"groups/{made['id']}/close", {"why": "season over"})
    assert closed["state"] == "closing"
    assert [g["id"] for g in program.get("groups")["items"]] == [made["id"]]


def test_a_member_comes_in_and_goes(program: Program, group: Group, bob: Member) -> None:
    where = f"groups/{group.pk}/memberships"
    seat = program.post(where, {"member_id": bob.pk})["membership"]
    assert program.post(where, {"member_id": bob.pk})["membership"]["id"] == seat["id"]
    assert [m["name"] for m in program.get(where)["items"]] == ["Bob"]
    left = program.post(f"{where}/{bob.pk}/leave", {"why": "left"})
    assert left["left_why"] == "left"
    assert program.refused("POST", f"{where}/{bob.pk}/leave", {})[0] == 404


def test_a_member_gets_a_nickname_and_the_powers_of_a_moderator(
    program: Program, group: Group, bob: Member
) -> None:
    where = f"groups/{group.pk}/memberships"
    assert program.refused("PATCH", f"{where}/{bob.pk}", {"moderator": True})[0] == 404
    program.post(where, {"member_id": bob.pk})
    for _ in range(2):
        changed = program.patch(
            f"{where}/{bob.pk}", {"nickname": "杭州-Bob", "moderator": True}
        )
        assert (changed["nickname"], changed["moderator"]) == ("杭州-Bob", True)
    assert program.patch(f"{where}/{bob.pk}", {"moderator": False})["nickname"] == "杭州-Bob"
    kinds = list(
        Event.objects.filter(kind__startswith="moderator").values_list("kind", flat=True)
    )
    assert sorted(kinds) == ["moderator_appointed", "moderator_dismissed"]


def test_a_gate_with_approval_keeps_the_request(
    program: Program, tea: Community, bob: Member
) -> None:
    group = make_group(tea, gate={"kind": "approval"})
    where = f"groups/{group.pk}/memberships"
    body = {"member_id": bob.pk, "pass_gate": True, "text": "please"}
    assert program.post(where, body, key="k")["waiting"]
    [request] = program.get("join-requests")["items"]
    assert JoinRequest.objects.count() == 1
    decided = program.post(f"join-requests/{request['id']}/decide", {"approve": True})
    assert decided["state"] == "approved"
    assert len(program.get(where)["items"]) == 1


def test_a_member_is_met_once_and_described(program: Program, tea: Community) -> None:
    Field.objects.create(community=tea, key="city", label="City", kind="text")
    account = {"channel": "shop", "external_id": "u1", "name": "Mei"}
    made = program.post("members", account)
    assert program.post("members", account)["id"] == made["id"]
    assert made["identities"][0]["external_id"] == "u1"
    where = f"members/{made['id']}"
    changed = program.patch(where, {"name": "美", "fields": {"city": "杭州"}})
    assert (changed["name"], changed["fields"]) == ("美", {"city": "杭州"})
    assert program.refused("PATCH", where, {"name": "x", "fields": {"no": 1}})[1] == "no_field"
    assert program.get(where)["name"] == "美"  # nothing of it was done
    assert [m["id"] for m in program.get("members/search?q=杭州")["items"]] == [made["id"]]
    kinds = [e["kind"] for e in program.get(f"{where}/timeline")["items"]]
    assert kinds[-1] == "member_met"


def test_tags_and_consents(program: Program, tea: Community, bob: Member) -> None:
    taste = TagGroup.objects.create(community=tea, name="taste")
    tag = Tag.objects.create(group=taste, name="green")
    body = {"tag_id": tag.pk, "why": "bought it"}
    assert program.post(f"members/{bob.pk}/tags", body)["group"] == "taste"
    assert len(program.get(f"members/{bob.pk}")["tags"]) == 1
    assert program.post(f"members/{bob.pk}/untag", body)["tags"] == []
    said = {"purpose": "marketing", "channel": "all", "granted": True, "words": "Yes, write me"}
    program.post(f"members/{bob.pk}/consents", said)
    [row] = program.get(f"members/{bob.pk}/consents")["items"]
    assert (row["purpose"], row["granted"]) == ("marketing", True)


def test_contact_is_told_for_a_reason_on_record_and_not_kept(
    program: Program, tea: Community, bob: Member
) -> None:
    do_set_contact(bob, email="bob@example.com", by="staff:1")
    where = f"members/{bob.pk}"
    assert "bob@example.com" not in str(program.get(where))
    assert program.refused("POST", f"{where}/contact", {"why": " "})[0] == 422
    told = program.post(f"{where}/contact", {"why": "parcel"}, key="k")
    assert told["email"] == "bob@example.com"
    assert Event.objects.get(kind="contact_revealed").data["why"] == "parcel"
    assert not Remembered.objects.exists()


def test_a_member_is_exported_and_erased(program: Program, bob: Member) -> None:
    packed = program.call("POST", f"members/{bob.pk}/export")
    assert packed.headers["Content-Type"] == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(packed.content)).namelist()
    assert program.call("DELETE", f"members/{bob.pk}").status_code == 204
    assert program.refused("GET", f"members/{bob.pk}") == (404, "not_there")


def test_staff_speak_hide_and_restore(program: Program, group: Group, bob: Member) -> None:
    where = f"groups/{group.pk}/messages"
    said = do_post(group, text="明天品茶吗", label="member", member=bob)
    posted = program.post(where, {"text": "Yes!", "reply_to": said.pk})
    assert (posted["label"], posted["reply_to"]) == ("staff", said.pk)
    assert [m["id"] for m in program.get(where)["items"]] == [posted["id"], said.pk]
    assert [m["id"] for m in program.get("messages/search?q=品茶")["items"]] == [said.pk]
    hidden = program.post(f"messages/{said.pk}/hide", {"why": "off topic"})
    assert (hidden["hidden"], hidden["text"]) == (True, "")
    assert program.post(f"messages/{said.pk}/restore")["text"] == "明天品茶吗"


def test_questions_are_answered_once_or_dismissed(
    program: Program, group: Group, bob: Member
) -> None:
    first, second = (
        do_ask(do_post(group, text=f"why {n}?", label="member", member=bob)) for n in range(2)
    )
    assert first is not None
    assert second is not None
    assert [q["id"] for q in program.get("questions")["items"]] == [first.pk, second.pk]
    answered = program.post(f"questions/{first.pk}/answer", {"text": "so"})
    assert answered["closed_why"] == "answered"
    again = program.refused("POST", f"questions/{first.pk}/answer", {"text": "so"})
    assert again == (409, "answered_already")
    assert program.post(f"questions/{second.pk}/dismiss")["closed_why"] == "dismissed"


def test_cases_are_decided_and_undone(
    program: Program, tea: Community, group: Group, bob: Member
) -> None:
    said = do_post(group, text="buy!", label="member", member=bob)
    program.post(f"messages/{said.pk}/hide", {"why": "spam"})
    case = Case.objects.create(
        community=tea, group=group, member=bob, message_id=said.pk, text="buy!", score=0.6,
        evidence=[], act="warn", by="rule:1", at=clock.now(),
    )  # fmt: skip
    [shown] = program.get("cases?state=open")["items"]
    assert shown["id"] == case.pk
    where = f"cases/{case.pk}"
    assert (
        program.post(f"{where}/decide", {"uphold": True, "why": "it is"})["state"] == "upheld"
    )
    assert program.post(f"{where}/undo", {"why": "it is not"})["state"] == "undone"
    said.refresh_from_db()
    assert said.hidden_at is None


def test_auto_replies_and_codes_are_kept(program: Program, group: Group) -> None:
    made = program.post("auto-replies", {"pattern": "hours", "answer": "9 to 18"})
    changed = program.patch(f"auto-replies/{made['id']}", {"group_id": group.pk})
    assert (changed["group_id"], changed["answer"]) == (group.pk, "9 to 18")
    wrong = program.refused(
        "PATCH", f"auto-replies/{made['id']}", {"how": "regex", "pattern": "("}
    )
    assert wrong == (422, "wrong_pattern")
    assert program.call("DELETE", f"auto-replies/{made['id']}").status_code == 204
    code = program.post("channel-codes", {"name": "Poster", "code": "poster"})
    assert (
        program.refused("POST", "channel-codes", {"name": "x", "code": "poster"})[1] == "taken"
    )
    assert program.patch(f"channel-codes/{code['id']}", {"groups": [group.pk]})["members"] == 0
    assert program.call("DELETE", f"channel-codes/{code['id']}").status_code == 204


def test_own_events_are_marked_as_such_and_counted_once(program: Program, bob: Member) -> None:
    body = {"kind": "checkout_clicked", "member_id": bob.pk, "cause": "c1", "data": {"n": 1}}
    first = program.post("events", body)
    assert first["kind"] == "app_checkout_clicked"
    assert program.post("events", body)["id"] == first["id"]


def test_what_is_of_another_community_is_not_there(tea: Community, bob: Member) -> None:
    """Each address with an id, under a token of somebody else."""
    group = make_group(tea)
    said = do_post(group, text="why?", label="member", member=bob)
    other = do_found("Coffee", make_user("mallory"))
    mallory = program_of(Staff.objects.get(community=other))
    mine = make_member(other, "Mine")
    for where in (f"groups/{group.pk}", f"members/{bob.pk}", f"groups/{group.pk}/messages",
                  f"members/{bob.pk}/timeline"):  # fmt: skip
        assert mallory.refused("GET", where) == (404, "not_there"), where
    for where, body in (
        (f"messages/{said.pk}/hide", {"why": "x"}),
        (f"groups/{group.pk}/memberships", {"member_id": mine.pk}),
        (f"members/{bob.pk}/contact", {"why": "x"}),
        ("auto-replies", {"pattern": "a", "answer": "b", "group_id": group.pk}),
        ("channel-codes", {"name": "a", "groups": [group.pk]}),
        ("events", {"kind": "x", "member_id": bob.pk}),
    ):
        assert mallory.refused("POST", where, body) == (404, "not_there"), where
