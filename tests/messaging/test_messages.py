"""What is said, taken back, and seen by whom."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.erasing import do_erase
from qunluo.members.models import Member
from qunluo.messaging.actions import (
    do_answer,
    do_ask,
    do_dismiss,
    do_hide,
    do_post,
    do_react,
    do_recall,
    do_restore,
)
from qunluo.messaging.errors import (
    AnsweredAlreadyError,
    EmptyMessageError,
    NotYourMessageError,
    TooLateError,
)
from qunluo.messaging.models import Message, Room
from qunluo.messaging.queries import (
    Answered,
    as_room_item,
    count_answered,
    list_before,
    list_news,
    list_questions,
    search_messages,
)
from tests.cast import make_group, make_member, make_staff


@pytest.fixture
def said(group: Group, bob: Member) -> Message:
    Membership.objects.create(group=group, member=bob, joined_at=clock.now())
    return do_post(group, text="早上好，新茶到了吗？", label="member", member=bob)


def test_revisions_count_up_by_one_in_each_group(group: Group, tea: Community) -> None:
    other = make_group(tea, "Coffee")
    for n in range(4):
        do_post(group, text=f"hello {n}", label="system")
        do_post(other, text=f"hello {n}", label="system")
    for one in (group, other):
        assert [m.revision for m in list_news(one, 0, 10)] == [1, 2, 3, 4]
        assert Room.objects.get(group=one).revision == 4


def test_readers_see_changes_after_their_revision(said: Message, bob: Member) -> None:
    do_react(said, bob, "👍", True)
    assert [m.pk for m in list_news(said.group, 1, 10)] == [said.pk]
    assert list_news(said.group, 2, 10) == []


def test_the_same_external_id_is_the_same_message(group: Group) -> None:
    first = do_post(group, text="hello", label="auto", external_id="x1")
    again = do_post(group, text="hello", label="auto", external_id="x1")
    assert first == again
    assert Room.objects.get(group=group).revision == 1
    assert Event.objects.filter(kind="message_posted").count() == 1


def test_nothing_is_no_message(group: Group) -> None:
    with pytest.raises(EmptyMessageError):
        do_post(group, text="  ", label="system")
    assert not Room.objects.exists()


def test_what_was_recalled_has_no_words_any_more(said: Message, bob: Member) -> None:
    answer = do_post(said.group, text="yes", label="system", reply_to=said)
    do_recall(said, by=bob.actor)
    item = as_room_item(said)
    assert (item["text"], item["recalled"]) == ("", True)
    quoted = as_room_item(Message.objects.get(pk=answer.pk))["reply"]
    assert quoted["text"] == ""
    assert search_messages(said.group.community, "新茶") == []


def test_only_the_sender_and_the_staff_recall(said: Message, tea: Community) -> None:
    with pytest.raises(NotYourMessageError):
        do_recall(said, by=make_member(tea, "Dora").actor)
    do_recall(said, by=make_staff(tea, "moderator").actor)
    assert said.recalled_at


def test_a_member_recalls_for_a_while_only(noon: datetime, said: Message, bob: Member) -> None:
    with clock.use(clock.faster(0, noon + timedelta(minutes=3))), pytest.raises(TooLateError):
        do_recall(said, by=bob.actor)


def test_reactions_are_set_once_and_taken_off(said: Message, bob: Member) -> None:
    do_react(said, bob, "👍", True)
    do_react(said, bob, "👍", True)
    assert as_room_item(said, bob.pk)["reactions"] == [
        {"emoji": "👍", "n": 1, "mine": True, "members": [bob.pk]}
    ]
    do_react(said, bob, "👍", False)
    assert as_room_item(said, bob.pk)["reactions"] == []
    assert said.revision == 3


def test_a_stale_reader_does_not_undo_what_others_did(said: Message, bob: Member) -> None:
    stale = Message.objects.get(pk=said.pk)
    do_hide(said, by="rule:1", why="advert")
    do_react(stale, bob, "👍", True)
    assert Message.objects.get(pk=said.pk).hidden_at is not None


def test_hidden_messages_come_back_whole(said: Message) -> None:
    do_hide(said, by="rule:1", why="advert")
    assert as_room_item(said)["text"] == ""
    do_restore(said, by="staff:1")
    assert as_room_item(said)["text"].startswith("早上好")


def test_erasure_leaves_nothing_said(said: Message, bob: Member) -> None:
    answer = do_post(said.group, text="yes", label="system", reply_to=said)
    do_erase(bob, by=bob.actor)
    said.refresh_from_db()
    assert (said.text, said.name, said.search, said.image) == ("", "", "", "")
    assert as_room_item(Message.objects.get(pk=answer.pk))["reply"]["text"] == ""
    assert said.pk in [m.pk for m in list_news(said.group, answer.revision, 10)]


def test_pages_end_where_the_next_begins(group: Group) -> None:
    posts = [do_post(group, text=f"n{n}", label="system") for n in range(5)]
    newest = list_before(group, None, 2)
    assert newest == posts[3:]
    assert list_before(group, newest[0].pk, 10) == posts[:3]


@pytest.mark.parametrize("text", ["新茶", "茶", "早上好 新茶"])
def test_chinese_words_are_found(said: Message, tea: Community, text: str) -> None:
    assert search_messages(tea, text) == [said]
    assert search_messages(tea, text, group=make_group(tea, "Coffee")) == []


def test_a_question_is_answered_once(said: Message, tea: Community, bob: Member) -> None:
    staff = make_staff(tea, "operator")
    question = do_ask(said)
    assert question
    assert question.staff_id == tea.staff.get(role="owner").pk
    assert list(list_questions(tea)) == [question]
    answer = do_answer(question, "到了", staff=staff)
    assert (answer.reply_to, answer.mentions, answer.label) == (said, [bob.pk], "staff")
    long_ago = clock.now() - timedelta(days=30)
    assert count_answered(tea, since=long_ago) == Answered(1, 1)
    assert count_answered(tea, since=clock.now()) == Answered(0, 0)
    with pytest.raises(AnsweredAlreadyError):
        do_answer(question, "yes", staff=staff)
    assert Message.objects.filter(label="staff").count() == 1
    assert Event.objects.get(kind="question_answered").data["in_time"] is True


def test_a_reply_of_the_staff_settles_the_question(said: Message, tea: Community) -> None:
    staff = make_staff(tea, "operator", "Ann")
    staff.on_duty = True
    staff.save()
    question = do_ask(said)
    assert question
    assert question.staff_id == staff.pk
    do_post(said.group, text="到了", label="staff", staff=staff, reply_to=said)
    assert not list_questions(tea).exists()


def test_what_was_dismissed_or_recalled_waits_no_more(said: Message, tea: Community) -> None:
    staff = make_staff(tea, "operator")
    question = do_ask(said)
    assert question
    do_dismiss(question, staff=staff)
    with pytest.raises(AnsweredAlreadyError):
        do_dismiss(question, staff=staff)
    assert count_answered(tea, since=said.at - timedelta(days=1)) == Answered(0, 0)
