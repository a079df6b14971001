"""What is done to a group on its pages: its effect, its line in the record, and who may not."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.community.rules import ROLES, may
from qunluo.events.models import Event
from qunluo.groups.actions import do_join, do_request
from qunluo.groups.models import Group, JoinRequest, Membership, ModerationRule
from qunluo.groups.moderation import list_rules
from qunluo.kit import clock
from qunluo.members.models import Member, Tag, TagGroup
from qunluo.messaging.actions import do_ask, do_post
from qunluo.messaging.models import AutoReply, Message, Question
from qunluo.messaging.rules import matches
from tests.cast import client_of, make_group, make_member, make_staff, make_user

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}
FILLED = {
    "name": "绿茶 & friends", "purpose": "to brew\ntogether", "gives": "a tasting on Fridays",
    "audience": "who drinks tea", "success": "40 % write each week", "capacity": "321",
    "ends_at": "2030-05-06T20:30", "gate": "open", "welcome": "Hello {name}", "rules": "Be kind",
    "nickname": "{city}-{nick}", "lat": "", "lon": "", "km": "", "plan": "", "level": "",
}  # fmt: skip
REPLY = {
    "how": "contains", "pattern": "opening hours", "answer": "9 to 18", "priority": "3",
    "group_cooldown_s": "61", "member_cooldown_s": "601",
}  # fmt: skip


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice")


@pytest.fixture
def desk(alice: User) -> Client:
    return client_of(alice)


@pytest.fixture
def at(group: Group) -> Callable[[str], str]:
    return lambda path="": f"/console/groups/{group.pk}{path}"


def last(kind: str, community: Community) -> Event:
    """The newest line of the record of a kind, which a person of the staff wrote."""
    found = Event.objects.filter(kind=kind, community_id=community.pk).latest("id")
    assert found.actor.startswith("staff:")
    return found


def told(page: Any) -> list[str]:
    return re.findall(r'role="alert">([^<]+)<', page.content.decode())


# the group itself


def test_every_field_of_a_group_is_kept(desk: Client, group: Group, at: Any) -> None:
    answer = desk.post(at("/edit"), FILLED)
    assert answer["Location"] == at("")
    group.refresh_from_db()
    plain = ("name", "purpose", "gives", "audience", "success", "welcome", "rules", "nickname")
    kept = {name: getattr(group, name).replace("\r\n", "\n") for name in plain}
    assert kept == {name: FILLED[name] for name in plain}
    assert (group.capacity, group.gate) == (321, {"kind": "open"})
    assert group.ends_at == datetime(2030, 5, 6, 12, 30, tzinfo=UTC)  # Shanghai's evening
    record = last("group_changed", group.community)
    assert record.group_id == group.pk
    assert {"name", "ends_at", "capacity", "gate", "nickname"} <= set(record.data["fields"])


def test_the_form_shows_what_is_kept_and_saving_it_changes_nothing(
    desk: Client, group: Group, at: Any
) -> None:
    desk.post(at("/edit"), FILLED)
    before = Group.objects.values().get(pk=group.pk)
    page = desk.get(at("/edit"))
    form = page.context["form"]
    shown = {f.name: f.value() for f in form if f.value() is not None}
    shown["ends_at"] = FILLED["ends_at"]
    assert 'value="2030-05-06T20:30"' in page.content.decode()
    desk.post(at("/edit"), shown)
    assert Group.objects.values().get(pk=group.pk) == before


@pytest.mark.parametrize(
    ("gate", "more", "kept"),
    [
        ("approval", {}, {}),
        ("invited", {}, {}),
        (
            "near",
            {"lat": "31.2", "lon": "121.5", "km": "5"},
            {"lat": 31.2, "lon": 121.5, "km": 5},
        ),
        ("plan", {"plan": "gold"}, {"plan": "gold"}),
        ("level", {"level": "3"}, {"level": 3}),
    ],
)
def test_every_gate_is_kept_and_shown_again(
    desk: Client, group: Group, at: Any, gate: str, more: dict[str, str], kept: dict[str, Any]
) -> None:
    assert desk.post(at("/edit"), {**FILLED, "gate": gate, **more}).status_code == 302
    group.refresh_from_db()
    assert group.gate == {"kind": gate, **kept}
    form = desk.get(at("/edit")).context["form"]
    assert form["gate"].value() == gate
    assert {name: form[name].value() for name in kept} == kept
    assert desk.get(at("")).status_code == 200


def test_the_gate_by_tag_takes_this_communitys_tags_only(
    desk: Client, tea: Community, group: Group, at: Any
) -> None:
    mine = Tag.objects.create(
        group=TagGroup.objects.create(community=tea, name="t"), name="vip"
    )
    other = do_found("Coffee", make_user("dan"))
    foreign = Tag.objects.create(
        group=TagGroup.objects.create(community=other, name="t"), name="secret"
    )
    answer = desk.post(at("/edit"), {**FILLED, "gate": "tag", "tags": [foreign.pk]})
    assert answer.status_code == 400
    assert "secret" not in answer.content.decode()
    desk.post(at("/edit"), {**FILLED, "gate": "tag", "tags": [mine.pk]})
    group.refresh_from_db()
    assert group.gate == {"kind": "tag", "tags": [mine.pk], "names": ["vip"]}
    assert desk.get(at("/edit")).context["form"]["tags"].value() == [mine.pk]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", ""), ("name", "x" * 81), ("purpose", "  "), ("capacity", "0"),
        ("capacity", "many"), ("capacity", "9" * 30), ("ends_at", "tomorrow"),
        ("ends_at", "0001-01-01T00:00"), ("ends_at", "9999-12-31T23:59"), ("gate", "moon"),
        ("gate", "near"), ("gate", "tag"), ("gate", "plan"), ("gate", "level"),
        ("nickname", "{city"), ("nickname", "{city}{nick}"), ("lat", "91"), ("km", "nan"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_beside_it_and_what_was_typed_stays(
    desk: Client, group: Group, at: Any, field: str, wrong: str
) -> None:
    before = Group.objects.values().get(pk=group.pk)
    typed = {**FILLED, field: wrong}
    answer = desk.post(at("/edit"), typed)
    page = answer.content.decode()
    if answer.status_code == 302:
        assert (field, wrong) == ("ends_at", "9999-12-31T23:59")
        return
    assert answer.status_code == 400
    assert "Not kept yet" in page
    assert answer.context["form"].errors[field], answer.context["form"].errors
    for name in ("purpose", "welcome", "audience", "success", "rules"):
        assert answer.context["form"][name].value() == typed[name]
        assert typed[name].splitlines()[0].strip() in page
    assert Group.objects.values().get(pk=group.pk) == before
    assert not Event.objects.filter(kind="group_changed").exists()


def test_what_cannot_be_is_told_in_chinese_too(alice: User, group: Group, at: Any) -> None:
    page = client_of(alice, "zh-hans").post(at("/edit"), {**FILLED, "gate": "near"})
    assert page.status_code == 400
    assert all(re.search("[一-鿿]", line) for line in told(page))


def test_a_group_is_closed_once_with_its_reason(desk: Client, group: Group, at: Any) -> None:
    assert "Say why" in desk.post(at("/close"), {"why": " "}, follow=True).content.decode()
    group.refresh_from_db()
    assert group.state == "growing"
    desk.post(at("/close"), {"why": "the season is over"})
    group.refresh_from_db()
    assert group.state == "closing"
    assert last("group_closing", group.community).data["why"] == "the season is over"
    again = desk.post(at("/close"), {"why": "again"}, follow=True).content.decode()
    assert "was closing already" in again
    assert Event.objects.filter(kind="group_closing").count() == 1
    assert "not a word" not in again


def test_the_record_tells_all_of_it(desk: Client, group: Group, at: Any) -> None:
    desk.post(at("/edit"), FILLED)
    desk.post(at("/close"), {"why": "the season is over"})
    page = desk.get("/console/record").content.decode()
    for words in ("alice", "changed a group", "began to close a group", "the season is over"):
        assert words in page


# benefits


def pin(desk: Client, path: str, *titles: str) -> None:
    for title in titles:
        desk.post(path, {"title": title, "text": f"about {title}"})


def marks(desk: Client, path: str) -> list[str]:
    return re.findall(r'name="away" value="(\w+)"', desk.get(path).content.decode())


def test_a_benefit_is_pinned_once_and_taken_away(desk: Client, group: Group, at: Any) -> None:
    pin(desk, at("/pin"), "Tasting", "Tasting", "Discount")
    group.refresh_from_db()
    assert [p["title"] for p in group.pinned] == ["Tasting", "Discount"]
    first, second = marks(desk, at(""))
    desk.post(at("/pin"), {"away": first})
    desk.post(at("/pin"), {"away": first})  # the same tap again, from a page grown old
    group.refresh_from_db()
    assert [p["title"] for p in group.pinned] == ["Discount"]
    assert marks(desk, at("")) == [second]
    assert last("group_changed", group.community).data["fields"] == ["pinned"]
    assert Event.objects.filter(kind="group_changed").count() == 3


@pytest.mark.parametrize("away", ["", "0", "-1", "9" * 5000, "²", "x"])
def test_a_strange_benefit_is_none(desk: Client, group: Group, at: Any, away: str) -> None:
    pin(desk, at("/pin"), "Tasting")
    assert desk.post(at("/pin"), {"away": away}).status_code == 302
    group.refresh_from_db()
    assert len(group.pinned) == 1


def test_a_benefit_without_a_title_is_refused_and_stays_typed(
    desk: Client, group: Group, at: Any
) -> None:
    page = desk.post(at("/pin"), {"title": "", "text": "every Friday at five"})
    assert page.status_code == 400
    assert "every Friday at five" in page.content.decode()
    assert told(page) == ["This field is required."]
    group.refresh_from_db()
    assert group.pinned == []


# auto-replies


def test_an_auto_reply_is_added_changed_switched_and_deleted(
    desk: Client, tea: Community, group: Group, at: Any
) -> None:
    desk.post(at("/replies"), REPLY)
    reply = AutoReply.objects.get()
    assert (reply.group, reply.community, reply.active) == (group, tea, True)
    assert {name: str(getattr(reply, name)) for name in REPLY} == REPLY
    assert last("auto_reply_made", tea).data == {"reply": reply.pk, "active": True}
    one = at(f"/replies/{reply.pk}")
    assert "opening hours" in desk.get(one).content.decode()
    desk.post(one, {**REPLY, "answer": "10 to 19"})
    reply.refresh_from_db()
    assert (reply.answer, reply.active) == ("10 to 19", True)
    assert last("auto_reply_set", tea).data == {"reply": reply.pk, "fields": ["answer"]}
    for active in (False, True):
        desk.post(f"{one}/switch")
        reply.refresh_from_db()
        assert reply.active is active
        assert last("auto_reply_switched", tea).data["active"] is active
    assert desk.post(f"{one}/delete")["Location"] == at("")
    assert not AutoReply.objects.exists()
    assert last("auto_reply_removed", tea).data["pattern"] == "opening hours"
    assert desk.post(f"{one}/delete").status_code == 404


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("pattern", ""), ("pattern", "x" * 201), ("answer", " "), ("priority", "-1"),
        ("group_cooldown_s", "soon"), ("how", "guess"),
    ],
)  # fmt: skip
def test_a_wrong_auto_reply_is_told_and_stays_typed(
    desk: Client, group: Group, at: Any, field: str, wrong: str
) -> None:
    desk.post(at("/replies"), REPLY)
    reply = AutoReply.objects.get()
    for path in (at("/replies"), at(f"/replies/{reply.pk}")):
        page = desk.post(path, {**REPLY, "answer": "typed with care", field: wrong})
        assert page.status_code == 400
        assert told(page)
        assert field == "answer" or "typed with care" in page.content.decode()
    assert AutoReply.objects.get().answer == "9 to 18"


@pytest.mark.parametrize(
    "pattern", ["(", "[a-", "*", "(?<=a)b", "(((a{100}){100}){100})", "\\"]
)
def test_a_regex_that_is_none_is_told_with_its_reason(
    desk: Client, group: Group, at: Any, pattern: str
) -> None:
    page = desk.post(at("/replies"), {**REPLY, "how": "regex", "pattern": pattern})
    assert page.status_code == 400
    assert len(told(page)) == 1
    assert not AutoReply.objects.exists()


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "(.*)(.*)(.*)b$", "^(a|aa)+$"])
def test_a_regex_that_brings_others_to_a_halt_stays_quick(
    desk: Client, group: Group, at: Any, pattern: str
) -> None:
    desk.post(at("/replies"), {**REPLY, "how": "regex", "pattern": pattern})
    reply = AutoReply.objects.get()
    began = time.monotonic()
    assert not matches(reply.how, reply.pattern, "a" * 900 + "!")
    assert time.monotonic() - began < 1


# moderation


def test_a_rule_acts_in_this_group_only_and_goes_back(
    desk: Client, tea: Community, group: Group, at: Any
) -> None:
    rule, other = list_rules(group)[0], make_group(tea, "Other")
    assert rule.group_id is None
    everywhere = rule.shadow
    desk.post(at(f"/rules/{rule.pk}"), {"shadow": "0"})
    own = ModerationRule.objects.get(group=group)
    assert (own.detector, own.shadow) == (rule.detector, False)
    data = last("settings_changed", tea).data
    assert data == {"rule": own.pk, "detector": rule.detector, "shadow": False}
    desk.post(at(f"/rules/{rule.pk}"), {"shadow": "1"})  # a page that still shows the first
    assert ModerationRule.objects.filter(group=group).count() == 1
    desk.post(at(f"/rules/{own.pk}"), {"shadow": "1"})
    own.refresh_from_db()
    assert own.shadow is True
    rule.refresh_from_db()
    assert rule.shadow is everywhere
    assert own not in list_rules(other)


def test_a_member_becomes_moderator_and_is_one_no_more(
    desk: Client, group: Group, bob: Member, at: Any
) -> None:
    seat = do_join(group, bob, by=bob.actor)
    for on, kind in (("1", "moderator_appointed"), ("0", "moderator_dismissed")):
        for _twice in range(2):
            desk.post(at("/moderators"), {"seat": seat.pk, "on": on})
        seat.refresh_from_db()
        assert seat.moderator is (on == "1")
        assert last(kind, group.community).member_id == bob.pk
        assert Event.objects.filter(kind=kind).count() == 1


@pytest.mark.parametrize("seat", ["", "x", "-1", "²", "9" * 5000, "999999"])
def test_who_has_no_seat_is_no_moderator(desk: Client, at: Any, seat: str) -> None:
    assert desk.post(at("/moderators"), {"seat": seat, "on": "1"}).status_code == 404


# at the gate


@pytest.fixture
def asked(group: Group) -> JoinRequest:
    group.gate = {"kind": "approval"}
    group.save()
    return do_request(group, make_member(group.community, "Dora"), "I love tea")


def decide(desk: Client, asked: JoinRequest, answer: str) -> str:
    path = f"/console/requests/{asked.pk}"
    return str(desk.post(path, {"answer": answer}, follow=True).content.decode())


def test_who_is_approved_is_in_and_not_twice(desk: Client, asked: JoinRequest) -> None:
    assert "Dora is in." in decide(desk, asked, "approve")
    assert Membership.objects.get(left_at=None).member == asked.member
    assert last("request_decided", asked.group.community).data["approved"] is True
    assert "Dora is in." not in decide(desk, asked, "approve")
    assert Membership.objects.count() == 1


def test_who_is_refused_is_out_and_not_twice(desk: Client, asked: JoinRequest) -> None:
    assert "Dora was refused." in decide(desk, asked, "refuse")
    again = decide(desk, asked, "refuse")
    assert "Dora was refused." not in again
    assert "decided" in again
    assert "Dora is in." not in decide(desk, asked, "approve")
    assert not Membership.objects.exists()
    assert Event.objects.filter(kind="request_decided").count() == 1


@pytest.mark.parametrize("state", ["growing", "closing", "dissolved"])
def test_nobody_is_approved_into_a_group_without_a_seat(
    desk: Client, asked: JoinRequest, state: str
) -> None:
    Group.objects.filter(pk=asked.group_id).update(taken=200, capacity=200, state=state)
    page = decide(desk, asked, "approve")
    assert "Dora is in." not in page
    asked.refresh_from_db()
    assert asked.state == "waiting"
    assert not Membership.objects.exists()
    assert not Event.objects.filter(kind="request_decided").exists()


@pytest.mark.parametrize("state", ["closing", "dissolved"])
def test_nobody_is_approved_into_a_group_that_ends(
    desk: Client, asked: JoinRequest, state: str
) -> None:
    Group.objects.filter(pk=asked.group_id).update(state=state)
    decide(desk, asked, "approve")
    assert not Membership.objects.exists()


def test_only_a_clear_answer_decides(desk: Client, asked: JoinRequest) -> None:
    for answer in ("", "maybe"):
        decide(desk, asked, answer)
        asked.refresh_from_db()
        assert asked.state == "waiting"


# in the room


@pytest.fixture
def said(group: Group, bob: Member) -> Message:
    do_join(group, bob, by=bob.actor)
    return do_post(group, text="How is oolong brewed?", label="member", member=bob)


def tap(desk: Client, said: Message, act: str, **more: str) -> Any:
    path = f"/console/rooms/{said.group_id}/act"
    given = {"act": act, "message": said.pk, "why": "off topic", **more}
    return desk.post(path, given, headers=JSON)


def test_each_tap_has_its_effect_and_its_line(desk: Client, said: Message) -> None:
    tea = said.group.community
    tap(desk, said, "hide")
    said.refresh_from_db()
    assert said.hidden_at
    assert last("message_hidden", tea).data["why"] == "off topic"
    tap(desk, said, "restore")
    said.refresh_from_db()
    assert said.hidden_at is None
    assert last("message_restored", tea).member_id == said.member_id
    tap(desk, said, "remind")
    assert last("case_opened", tea).data["act"] == "remind"
    assert Membership.objects.filter(member=said.member, left_at=None).exists()
    tap(desk, said, "remove")
    assert Membership.objects.get(member=said.member).left_why == "removed"
    assert last("member_removed", tea).member_id == said.member_id


def test_a_second_tap_on_remove_removes_nobody_twice(desk: Client, said: Message) -> None:
    for _twice in range(2):
        tap(desk, said, "remove")
    assert Event.objects.filter(kind="member_removed").count() == 1
    said.group.refresh_from_db()
    assert said.group.taken == 0


def test_an_answer_in_the_room_closes_the_question(desk: Client, said: Message) -> None:
    do_ask(said)
    path = f"/console/rooms/{said.group_id}/post"
    desk.post(path, {"text": "At 90 degrees", "reply_to": said.pk}, headers=JSON)
    assert Question.objects.get().closed_why == "answered"
    assert last("question_answered", said.group.community)


@pytest.mark.parametrize("act", ["", "ban", "delete", "hide; remove", "step"])
def test_an_act_that_is_none_is_refused(desk: Client, said: Message, act: str) -> None:
    assert tap(desk, said, act).status_code == 400


def test_a_sign_that_no_database_keeps_is_refused_everywhere(
    desk: Client, said: Message, at: Any
) -> None:
    assert desk.post(at("/close"), {"why": "a\0b"}).status_code == 400
    assert tap(desk, said, "hide", why="a\0b").status_code == 400
    assert desk.get("/console/members?q=%00").status_code == 400
    assert desk.get("/console/record?kind=%00").status_code == 400
    assert client_of().post("/console/sign-in", {"username": "\0"}).status_code == 400
    assert desk.get("/j/a%00b").status_code == 400


# who may not


def everything(community: Community) -> dict[str, Any]:
    """All that these pages can change."""
    tables = {
        "groups": Group, "replies": AutoReply, "rules": ModerationRule, "seats": Membership,
        "requests": JoinRequest, "messages": Message, "events": Event,
    }  # fmt: skip
    return {name: list(model.objects.order_by("pk").values()) for name, model in tables.items()}


def attempts(group: Group, said: Message) -> list[tuple[str, dict[str, Any]]]:
    """Every address of this file, with what would change something."""
    own = f"/console/groups/{group.pk}"
    reply = AutoReply.objects.create(
        community=group.community, group=group, how="exact", pattern="hi", answer="hello"
    )
    asker = make_member(group.community, "Eve")
    request = JoinRequest.objects.create(group=group, member=asker, at=clock.now())
    rule = list_rules(group)[0]
    return [
        (f"{own}/edit", FILLED), (f"{own}/close", {"why": "x"}), (f"{own}/pin", {"title": "x"}),
        (f"{own}/replies", REPLY), (f"{own}/replies/{reply.pk}", REPLY),
        (f"{own}/replies/{reply.pk}/switch", {}), (f"{own}/replies/{reply.pk}/delete", {}),
        (f"{own}/rules/{rule.pk}", {"shadow": "0"}),
        (f"{own}/moderators", {"seat": group.memberships.get().pk, "on": "1"}),
        (f"/console/requests/{request.pk}", {"answer": "approve"}),
        (f"/console/requests/{request.pk}", {"answer": "refuse"}),
        ("/console/groups/new", FILLED),
        *((f"/console/rooms/{group.pk}/act", {"act": act, "message": said.pk, "why": "x"})
          for act in ("hide", "restore", "pin", "remind", "warn", "remove")),
    ]  # fmt: skip


def test_carol_strangers_and_roles_without_the_permission_change_nothing(
    group: Group, said: Message, carol: User
) -> None:
    tries = attempts(group, said)
    others = [
        make_staff(group.community, role).user for role in ROLES if not may(role, "moderate")
    ]
    before = everything(group.community)
    for client in (client_of(), client_of(carol), *map(client_of, others)):
        for path, given in tries:
            assert client.post(path, given).status_code in (302, 403, 404), path
    assert everything(group.community) == before


def test_a_moderator_does_not_run_groups(group: Group, said: Message) -> None:
    tries = [t for t in attempts(group, said) if "/rooms/" not in t[0]]
    client = client_of(make_staff(group.community, "moderator").user)
    before = everything(group.community)
    for path, given in tries:
        assert client.post(path, given).status_code == 403, path
    assert everything(group.community) == before


def test_the_owner_of_another_community_finds_none_of_it(group: Group, said: Message) -> None:
    tries = [t for t in attempts(group, said) if not t[0].endswith("/new")]
    dan = make_user("dan")
    do_found("Coffee", dan)
    before = everything(group.community)
    for path, given in tries:
        assert client_of(dan).post(path, given).status_code == 404, path
    assert everything(group.community) == before


def test_a_reply_and_a_rule_are_not_reached_through_another_group(
    desk: Client, tea: Community, group: Group
) -> None:
    other = make_group(tea, "Other")
    reply = AutoReply.objects.create(
        community=tea, group=other, how="exact", pattern="hi", answer="hello"
    )
    rule = ModerationRule.objects.create(
        community=tea, group=other, detector="links", made_at=clock.now()
    )
    own = f"/console/groups/{group.pk}"
    for path in (
        f"replies/{reply.pk}/switch",
        f"replies/{reply.pk}/delete",
        f"rules/{rule.pk}",
    ):
        assert desk.post(f"{own}/{path}", {"shadow": "0"}).status_code == 404
    assert clock.now() - rule.made_at < timedelta(hours=1)
