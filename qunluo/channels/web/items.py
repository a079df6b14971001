"""Messages as the web room's script reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qunluo.members.models import Member
from qunluo.messaging.models import Message
from qunluo.messaging.queries import as_room_item


def as_items(messages: Sequence[Message], viewer: int | None = None) -> list[dict[str, Any]]:
    """Room items, and with each the `key` its sender gave it, by which they know it again, and
    whether a simulated member said it."""
    people = {message.member_id for message in messages if message.member_id is not None}
    rows = Member.objects.filter(pk__in=people, simulated=True)
    simulated = set(rows.values_list("pk", flat=True))
    return [
        {**as_room_item(message, viewer), "key": message.external_id or "",
         "simulated": message.member_id in simulated}
        for message in messages
    ]  # fmt: skip
