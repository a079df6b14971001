"""What messaging forgets with a member: their words, and what others said with their name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from qunluo.groups.models import Membership
from qunluo.kit import clock
from qunluo.members.models import Identity
from qunluo.messaging.messages import next_revision
from qunluo.messaging.models import Delivery, Inbound, Message, Question

AROUND = timedelta(days=1)  # of joining: what was said of them then


def erase(member_ids: Sequence[int]) -> None:
    """Called in the transaction of the erasure. Rows stay where others lean on them; nothing in
    them tells who or what."""
    accounts = list(
        Identity.objects.filter(member__in=member_ids).values("channel", "external_id")
    )
    said = Message.objects.filter(member__in=member_ids).exclude(name="", text="", image="")
    do_blank_messages(said.order_by("group_id", "id"))
    do_blank_messages(_list_about(member_ids))
    Delivery.objects.filter(member__in=member_ids).update(body={}, receipt={})
    Delivery.objects.filter(member__in=member_ids, state="planned").update(
        state="dropped", why="gone"
    )
    Inbound.objects.filter(message__member__in=member_ids).update(body={})
    for account in accounts:
        Inbound.objects.filter(
            channel=account["channel"], body__external_id=account["external_id"]
        ).update(body={})


def do_blank_messages(messages: Iterable[Message]) -> int:
    """Empties messages where they stand, and readers see that; how many there were."""
    n = 0
    for message in messages:
        message.text = message.name = message.search = message.image = ""
        message.mentions, message.recalled_at = [], message.recalled_at or clock.now()
        message.revision = next_revision(message.group_id)
        message.save(update_fields=["text", "name", "search", "image", "mentions", "recalled_at",
                                    "revision"])  # fmt: skip
        Question.objects.filter(message=message, answered_at=None).update(
            answered_at=message.recalled_at, closed_why="recalled"
        )
        n += 1
    return n


def _list_about(member_ids: Sequence[int]) -> list[Message]:
    """Automated messages that name them: answers to them, and the notices of their joining."""
    answers = Delivery.objects.filter(member__in=member_ids).exclude(message=None)
    found = {m.pk: m for m in Message.objects.filter(pk__in=answers.values("message"))}
    ids = set(member_ids)
    for seat in Membership.objects.filter(member__in=member_ids):
        since = (seat.joined_at - AROUND, seat.joined_at + AROUND)
        notices = Message.objects.filter(
            group=seat.group_id, label__in=("system", "auto"), at__range=since
        )
        found |= {m.pk: m for m in notices if ids & set(m.mentions)}
    return [found[pk] for pk in sorted(found)]
