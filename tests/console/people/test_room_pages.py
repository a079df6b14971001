"""The live room, questions and moderation: what one tap does, it does with a record."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from qunluo.events.models import Event
from qunluo.groups.models import Case, Membership, Strike
from qunluo.messaging.actions import do_post
from tests.cast import client_of, make_staff
from tests.console.people.conftest import Scene, kinds, read

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}


def at(name: str, *args: object, query: str = "") -> str:
    return reverse(f"people:{name}", args=args) + query


def tap(
    desk: Client, scene: Scene, act: str, why: str = "against the rules"
) -> dict[str, object]:
    given = {"act": act, "message": scene.asked.pk, "why": why}
    answer = desk.post(at("room_act", scene.group.pk), given, headers=JSON)
    found: dict[str, object] = json.loads(read(answer))
    return found


def test_the_room_begins_with_what_was_said(desk: Client, scene: Scene) -> None:
    page = read(desk.get(at("room", scene.group.pk)))
    assert "room-state" in page
    assert f"/live/{scene.group.code}" in page


def test_polling_brings_what_is_new_and_no_more(desk: Client, scene: Scene) -> None:
    news = json.loads(read(desk.get(at("room_news", scene.group.pk, query="?after=0"))))
    assert [item["text"] for item in news] == [scene.asked.text, scene.case.text]
    assert news[0]["question"] == scene.question.pk
    last = news[-1]["revision"]
    more = desk.get(at("room_news", scene.group.pk, query=f"?after={last}"))
    assert json.loads(read(more)) == []


def test_staff_speak_with_their_label(desk: Client, scene: Scene) -> None:
    said = desk.post(at("room_post", scene.group.pk), {"text": "大家好"}, headers=JSON)
    item = json.loads(read(said))[0]
    assert (item["label"], item["name"], item["text"]) == ("staff", "alice", "大家好")
    empty = desk.post(at("room_post", scene.group.pk), {"text": " "}, headers=JSON)
    assert "Type a message" in read(empty, 400)


def test_a_reply_answers_the_question(desk: Client, scene: Scene) -> None:
    given = {"text": "90 度水", "reply_to": scene.asked.pk}
    read(desk.post(at("room_post", scene.group.pk), given, headers=JSON))
    scene.question.refresh_from_db()
    assert scene.question.closed_why == "answered"
    assert json.loads(read(desk.get(at("room_waiting", scene.group.pk)))) == []


def test_hide_and_show_again(desk: Client, scene: Scene) -> None:
    tap(desk, scene, "hide")
    scene.asked.refresh_from_db()
    assert scene.asked.hidden_at
    tap(desk, scene, "restore")
    scene.asked.refresh_from_db()
    assert scene.asked.hidden_at is None
    assert kinds(scene.community)[-2:] == ["message_hidden", "message_restored"]


def test_pin_puts_a_message_above_the_room_once(desk: Client, scene: Scene) -> None:
    tap(desk, scene, "pin")
    tap(desk, scene, "pin")
    scene.group.refresh_from_db()
    assert [card["text"] for card in scene.group.pinned] == [scene.asked.text]


@pytest.mark.parametrize("act", ["remind", "warn", "remove"])
def test_a_step_of_the_ladder_is_a_case_with_a_strike(
    desk: Client, scene: Scene, act: str
) -> None:
    strikes = Strike.objects.count()
    tap(desk, scene, act)
    case = Case.objects.order_by("pk").last()
    assert case is not None
    assert (case.act, case.message_id, case.why) == (act, scene.asked.pk, "against the rules")
    assert Strike.objects.count() == strikes + 1
    inside = Membership.objects.filter(member=scene.bob, left_at=None).exists()
    assert inside == (act != "remove")
    opened = Event.objects.filter(kind="case_opened").order_by("pk").last()
    assert opened is not None
    assert opened.actor.startswith("staff:")
    told = scene.group.messages.order_by("pk").last()
    assert told is not None
    assert told.label == "auto"


def test_an_act_on_somebody_wants_a_reason(desk: Client, scene: Scene) -> None:
    given = {"act": "remove", "message": scene.asked.pk, "why": "  "}
    answer = desk.post(at("room_act", scene.group.pk), given, headers=JSON)
    assert json.loads(read(answer, 400))["code"] == "why_missing"
    assert Case.objects.count() == 1


def test_nobody_is_removed_for_what_staff_said(desk: Client, scene: Scene) -> None:
    ours = do_post(scene.group, text="hello", label="auto")
    given = {"act": "remove", "message": ours.pk, "why": "x"}
    answer = desk.post(at("room_act", scene.group.pk), given, headers=JSON)
    assert json.loads(read(answer, 400))["code"] == "no_member"


def test_a_shop_assistant_speaks_and_moderates_nothing(scene: Scene) -> None:
    client = client_of(make_staff(scene.community, "store_staff").user)
    said = client.post(at("room_post", scene.group.pk), {"text": "hello"}, headers=JSON)
    assert said.status_code == 200
    for name, args in (("room_act", (scene.group.pk,)), ("undo", (scene.case.pk,)),
                       ("uphold", (scene.case.pk,)), ("decide_appeal", (scene.case.pk,))):  # fmt: skip
        assert client.post(at(name, *args), {"why": "x"}).status_code == 403
    assert client.get(at("cases")).status_code == 403


# questions


def test_a_question_is_answered_inline(desk: Client, scene: Scene) -> None:
    page = read(desk.get(at("inbox")))
    assert scene.asked.text in page
    desk.post(at("answer", scene.question.pk), {"text": "用 90 度水"})
    scene.question.refresh_from_db()
    assert scene.question.closed_why == "answered"
    after = read(desk.get(at("inbox")))
    assert "100 % of questions" in after
    assert "n = 1" in after
    assert "Nothing waits" in after


def test_an_answer_that_is_too_long_stays_typed(desk: Client, scene: Scene) -> None:
    long = "x" * 2_001
    page = read(desk.post(at("answer", scene.question.pk), {"text": long}), 400)
    assert long in page
    assert "2000 characters" in page


def test_what_is_overdue_is_marked(desk: Client, scene: Scene) -> None:
    scene.question.due_at = scene.question.at
    scene.question.save()
    page = read(desk.get(at("inbox")))
    assert "q-late" in page
    assert "0 % of questions" in page


def test_dismissed_and_taken(desk: Client, scene: Scene) -> None:
    desk.post(at("take", scene.question.pk))
    assert scene.asked.text in read(desk.get(at("inbox", query="?show=mine")))
    desk.post(at("dismiss", scene.question.pk))
    scene.question.refresh_from_db()
    assert scene.question.closed_why == "dismissed"
    assert kinds(scene.community)[-2:] == ["question_assigned", "question_dismissed"]


def test_duty_begins_and_ends(desk: Client, scene: Scene) -> None:
    desk.post(at("duty"), {"on": "yes"})
    assert "On duty:" in read(desk.get(at("inbox")))
    desk.post(at("duty"), {"on": "no"})
    assert "Nobody is on duty" in read(desk.get(at("inbox")))


# moderation


def test_a_case_is_undone_with_a_reason(desk: Client, scene: Scene) -> None:
    assert "This field is required" in read(desk.post(at("undo", scene.case.pk), {}), 400)
    desk.post(at("undo", scene.case.pk), {"why": "a mistake"})
    scene.case.refresh_from_db()
    assert scene.case.state == "undone"
    assert Strike.objects.get(case=scene.case).lifted_at
    assert "a mistake" in read(desk.get(at("cases", query="?show=decided")))


def test_a_case_is_upheld_once(desk: Client, scene: Scene) -> None:
    desk.post(at("uphold", scene.case.pk), {"why": "clearly"})
    scene.case.refresh_from_db()
    assert scene.case.state == "upheld"
    again = desk.post(at("uphold", scene.case.pk), {"why": "twice"}, headers=JSON)
    assert again.status_code == 400


@pytest.mark.parametrize(("stands", "state"), [("yes", "upheld"), ("no", "undone")])
def test_an_appeal_is_decided(desk: Client, scene: Scene, stands: str, state: str) -> None:
    from qunluo.groups.moderation import do_appeal  # noqa: PLC0415

    do_appeal(scene.case, "我没有打广告", member=scene.bob)
    assert "我没有打广告" in read(desk.get(at("cases", query="?show=appealed")))
    desk.post(at("decide_appeal", scene.case.pk), {"why": "looked again", "stands": stands})
    scene.case.refresh_from_db()
    assert scene.case.state == state


def test_shadow_cases_stand_apart_with_their_words_marked(desk: Client, scene: Scene) -> None:
    scene.case.shadow, scene.case.text = True, "<b>加微信</b> now"
    scene.case.evidence = [{"detector": "ads", "score": 0.9, "words": ["加微信"],
                            "why": {"en": "It asks to add.", "zh": "要加微信。"}}]  # fmt: skip
    scene.case.save()
    assert "Nothing to decide here" in read(desk.get(at("cases")))
    page = read(desk.get(at("cases", query="?show=shadow")))
    assert "&lt;b&gt;<mark>加微信</mark>&lt;/b&gt;" in page
    assert "It asks to add." in page


# search


def test_one_search_finds_messages_and_groups_in_chinese(desk: Client, scene: Scene) -> None:
    page = read(desk.get(at("search", query="?q=乌龙")))
    assert "<mark>乌龙</mark>" in page
    assert "Tea" in read(desk.get(at("search", query="?q=tea")))
    assert "Bob" in read(desk.get(at("search", query="?q=bob")))
    assert "Nothing found" in read(desk.get(at("search", query="?q=咖啡豆")))
    assert "What are you looking for" in read(desk.get(at("search")))


def test_an_analyst_does_not_find_what_was_said(scene: Scene) -> None:
    client = client_of(make_staff(scene.community, "analyst").user)
    assert "Nothing found" in read(client.get(at("search", query="?q=乌龙")))
