"""What was said, and what waits for an answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Schema
from pydantic import Field

from qunluo.api.areas.groups import find_group_of
from qunluo.api.operations import Area, Call
from qunluo.api.paging import MOST, USUAL, Page, Paging, cut
from qunluo.api.values import Id, Number, Why, Words, fetch
from qunluo.groups.queries import list_memberships
from qunluo.messaging import actions, queries
from qunluo.messaging.models import Message, Question

area = Area("messages")


class ReactionOut(Schema):
    emoji: str
    n: int


class MessageOut(Schema):
    """`text` and `image` are empty where it was taken back (`recalled`) or removed (`hidden`).
    `label`: member, staff, auto or system."""

    id: int
    group_id: int
    revision: int
    kind: str
    label: str
    name: str
    member: int | None
    staff: int | None
    text: str
    image: str
    reply_to: int | None
    mentions: list[int]
    reactions: list[ReactionOut]
    at: datetime
    recalled: bool
    hidden: bool


class PostIn(Schema):
    text: Words
    reply_to: Number | None = None
    mentions: list[Number] = Field(default_factory=list, max_length=50)


class HideIn(Schema):
    why: Why


class SearchIn(Schema):
    q: str = Field(min_length=1, max_length=200)
    group_id: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    limit: int = Field(USUAL, ge=1, le=MOST)


class MessagesFound(Schema):
    items: list[MessageOut]


class QuestionOut(Schema):
    id: int
    message: MessageOut
    member_id: int
    staff_id: int | None
    at: datetime
    due_at: datetime
    answered_at: datetime | None
    answer_id: int | None
    closed_why: str

    @staticmethod
    def resolve_message(question: Question) -> dict[str, Any]:
        return show(question.message)


class AnswerIn(Schema):
    text: Words


def show(message: Message) -> dict[str, Any]:
    """As a room shows it, for nobody in particular."""
    item = queries.as_room_item(message)
    reply = item.pop("reply")
    return {**item, "group_id": message.group_id, "reply_to": reply["id"] if reply else None}


def _find(call: Call, message_id: int) -> Message:
    rows = Message.objects.select_related("group__community", "reply_to")
    return fetch(rows.filter(group__community=call.auth.community), message_id)


@area.get("/groups/{group_id}/messages", "messages:read", Page[MessageOut])
def list_messages(request: Call, group_id: Id, paging: Query[Paging]) -> dict[str, Any]:
    """What was said in a group, the newest first."""
    group = find_group_of(request, group_id)
    rows = Message.objects.filter(group=group).select_related("reply_to")
    return cut(rows, paging, of=f"messages:{group.pk}", show=show)


@area.get("/messages/search", "messages:read", MessagesFound)
def search_messages(request: Call, asked: Query[SearchIn]) -> dict[str, Any]:
    """Messages that hold every word, the newest first."""
    group = find_group_of(request, asked.group_id) if asked.group_id else None
    found = queries.search_messages(
        request.auth.community, asked.q, group=group, limit=asked.limit
    )
    return {"items": [show(message) for message in found]}


@area.post("/groups/{group_id}/messages", "messages:write", MessageOut, 201)
def post_message(request: Call, group_id: Id, body: PostIn) -> dict[str, Any]:
    """Says something as the staff member who made the token."""
    group = find_group_of(request, group_id)
    reply_to = (
        fetch(Message.objects.filter(group=group), body.reply_to) if body.reply_to else None
    )
    seats = list_memberships(group).filter(member_id__in=body.mentions)
    message = actions.do_post(
        group, text=body.text, label="staff", staff=request.auth.staff, reply_to=reply_to,
        mentions=sorted(seats.values_list("member_id", flat=True)),
    )  # fmt: skip
    return show(message)


@area.post("/messages/{message_id}/hide", "moderation:write", MessageOut)
def hide_message(request: Call, message_id: Id, body: HideIn) -> dict[str, Any]:
    """Takes a message out of sight; twice is once."""
    message = _find(request, message_id)
    actions.do_hide(message, by=request.auth.actor, why=body.why)
    return show(message)


@area.post("/messages/{message_id}/restore", "moderation:write", MessageOut)
def restore_message(request: Call, message_id: Id) -> dict[str, Any]:
    """Brings a hidden message back into sight."""
    message = _find(request, message_id)
    actions.do_restore(message, by=request.auth.actor)
    return show(message)


# questions


def _find_question(call: Call, question_id: int) -> Question:
    rows = Question.objects.select_related("message__group__community", "message__reply_to")
    return fetch(rows.filter(community=call.auth.community), question_id)


@area.get("/questions", "questions:read", Page[QuestionOut])
def list_questions(request: Call, paging: Query[Paging]) -> dict[str, Any]:
    """What waits for an answer, the longest first; `due_at` says until when."""
    rows = queries.list_questions(request.auth.community)
    return cut(rows, paging, of="questions", newest=False)


@area.post("/questions/{question_id}/answer", "questions:write", QuestionOut)
def answer_question(request: Call, question_id: Id, body: AnswerIn) -> Question:
    """Answers in the group, as a reply."""
    question = _find_question(request, question_id)
    actions.do_answer(question, body.text, staff=request.auth.staff)
    question.refresh_from_db()
    return question


@area.post("/questions/{question_id}/dismiss", "questions:write", QuestionOut)
def dismiss_question(request: Call, question_id: Id) -> Question:
    """It needs no answer."""
    question = _find_question(request, question_id)
    actions.do_dismiss(question, staff=request.auth.staff)
    return question
