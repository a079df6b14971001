"""What a room shows, what waits for an answer, and what was said about something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from qunluo.community.models import Community, Staff
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.kit.fulltext import Index
from qunluo.members.fulltext import FEW, declare, matching
from qunluo.members.models import Member
from qunluo.messaging.models import Delivery, Message, Question

MESSAGES = declare(Index("messaging_message", scope="group_id"))
QUOTED = 80  # characters of a message that is answered to


def _shown() -> QuerySet[Message]:
    return Message.objects.select_related("reply_to", "group")


def list_news(group: Group, after_revision: int, limit: int = 200) -> list[Message]:
    """What is new or changed since a revision, in the order of the changes."""
    rows = _shown().filter(group=group, revision__gt=after_revision)
    return list(rows.order_by("revision")[:limit])


def list_before(group: Group, before_id: int | None = None, limit: int = 50) -> list[Message]:
    """The page that ends before a message (none: the newest page), the oldest first."""
    rows = _shown().filter(group=group).order_by("-id")
    if before_id is not None:
        rows = rows.filter(id__lt=before_id)
    return list(rows[:limit])[::-1]


def find_message(group: Group, message_id: int) -> Message | None:
    return _shown().filter(group=group, pk=message_id).first()


def as_room_item(message: Message, viewer_member_id: int | None = None) -> dict[str, Any]:
    """A message as a room shows it, in plain values; what was taken back has no words.

    `reactions` are [{"emoji", "n", "mine", "members"}]; `at` is an ISO instant.
    """
    gone = bool(message.recalled_at or message.hidden_at)
    return {
        "id": message.pk, "revision": message.revision, "kind": message.kind,
        "label": message.label, "name": message.name, "member": message.member_id,
        "staff": message.staff_id,
        "mine": viewer_member_id is not None and message.member_id == viewer_member_id,
        "text": "" if gone else message.text, "image": "" if gone else message.image,
        "reply": _as_quote(message.reply_to), "mentions": [] if gone else message.mentions,
        "reactions": [] if gone else _as_reactions(message, viewer_member_id),
        "at": message.at.isoformat(), "recalled": message.recalled_at is not None,
        "hidden": message.hidden_at is not None,
    }  # fmt: skip


def _as_quote(message: Message | None) -> dict[str, Any] | None:
    if message is None:
        return None
    gone = bool(message.recalled_at or message.hidden_at)
    text = "" if gone else message.text[:QUOTED]
    return {"id": message.pk, "name": message.name, "text": text, "kind": message.kind}


def _as_reactions(message: Message, viewer: int | None) -> list[dict[str, Any]]:
    return [
        {"emoji": emoji, "n": len(ids), "mine": viewer in ids, "members": ids}
        for emoji, ids in message.reactions.items()
    ]


def search_messages(
    community: Community, text: str, *, group: Group | None = None, limit: int = 50
) -> list[Message]:
    """Messages that hold every word of a text, the newest first; nothing that was taken back."""
    rows = _shown().filter(group__community=community, recalled_at=None, hidden_at=None)
    if group is not None:
        return matching(rows.filter(group=group), text, limit=limit, scopes=[group.pk])
    groups = Group.objects.filter(community=community).values_list("pk", flat=True)
    return matching(rows, text, limit=limit, scopes=list(groups[: FEW + 1]))


def list_questions(community: Community) -> QuerySet[Question]:
    """What waits for an answer, the most urgent first."""
    waiting = Question.objects.filter(community=community, answered_at=None)
    return waiting.select_related("message__group", "member").order_by("due_at", "id")


@dataclass(frozen=True)
class Answered:
    """How many questions whose time is over were answered in it."""

    in_time: int
    n: int

    @property
    def percent(self) -> int | None:
        return round(100 * self.in_time / self.n) if self.n else None


def count_answered(community: Community, *, since: datetime) -> Answered:
    """Of the questions asked after `since`: those answered or overdue, and of them in time. What
    was dismissed or taken back needed no answer."""
    asked = Question.objects.filter(community=community, at__gt=since)
    answered = asked.filter(closed_why="answered")
    overdue = asked.filter(answered_at=None, due_at__lt=clock.now()).count()
    in_time = answered.filter(answered_at__lte=F("due_at")).count()
    return Answered(in_time, answered.count() + overdue)


def find_on_duty(community: Community) -> Staff | None:
    """Who answers now: whoever is on duty, else an owner."""
    posts = Staff.objects.filter(community=community, user__is_active=True).order_by("id")
    return posts.filter(on_duty=True).first() or posts.filter(role="owner").first()


def list_deliveries(member: Member) -> QuerySet[Delivery]:
    """What went out to somebody, or will, the newest first."""
    return Delivery.objects.filter(member=member).order_by("-id")


def is_gone(group: Group, image: str) -> bool:
    """Whether a picture was taken back or removed wherever it was shown; one that was not sent
    yet is not."""
    shown = Message.objects.filter(group=group, image=image)
    return shown.exists() and not shown.filter(recalled_at=None, hidden_at=None).exists()
