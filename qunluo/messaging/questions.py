"""Questions that no rule answered: asked, answered, dismissed."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from qunluo.community.models import Staff
from qunluo.community.queries import settings_of
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.messaging.errors import AnsweredAlreadyError
from qunluo.messaging.messages import do_post
from qunluo.messaging.models import Message, Question
from qunluo.messaging.queries import find_on_duty


def do_ask(message: Message) -> Question | None:
    """Puts a member's message before the person on duty, with a timer; once."""
    if message.member_id is None:
        return None
    community = message.group.community
    duty, now = find_on_duty(community), clock.now()
    question, new = Question.objects.get_or_create(
        message=message,
        defaults={
            "community": community, "member_id": message.member_id, "at": now,
            "staff_id": duty.pk if duty else None,
            "due_at": now + timedelta(minutes=settings_of(community).answer_within_min),
        },
    )  # fmt: skip
    if new:
        record("question_asked", community=community.pk, actor=f"member:{message.member_id}",
               member=message.member_id, group=message.group_id,
               data={"question": question.pk, "message": message.pk})  # fmt: skip
    return question


@transaction.atomic
def do_answer(question: Question, text: str, *, staff: Staff) -> Message:
    """Answers in the group, as a reply to what was asked. Raises `AnsweredAlreadyError`, and
    then nothing was said."""
    asked = question.message
    answer = do_post(asked.group, text=text, label="staff", staff=staff, reply_to=asked,
                     mentions=[question.member_id])  # fmt: skip
    question.refresh_from_db()
    if question.answer_id != answer.pk:
        raise AnsweredAlreadyError
    return answer


@transaction.atomic
def do_dismiss(question: Question, *, staff: Staff) -> None:
    """It needs no answer. Raises `AnsweredAlreadyError`."""
    waiting = Question.objects.filter(pk=question.pk, answered_at=None)
    if not waiting.update(answered_at=clock.now(), closed_why="dismissed"):
        raise AnsweredAlreadyError
    record("question_dismissed", community=question.community_id, actor=staff.actor,
           member=question.member_id, group=question.message.group_id,
           data={"question": question.pk})  # fmt: skip
    question.refresh_from_db()
