"""What members send in the web room, taken in as any channel's messages are."""

from __future__ import annotations

from collections.abc import Sequence

from qunluo.channels.web.sessions import CHANNEL
from qunluo.groups.models import Group
from qunluo.members.models import Identity, Member
from qunluo.messaging.actions import do_process, do_receive
from qunluo.messaging.models import Message


def do_say(
    group: Group, member: Member, *, key: str, text: str, image: str = "",
    reply_to: int | None = None, mentions: Sequence[int] = (),
) -> Message | None:  # fmt: skip
    """A member's message; sent again under the same key it is the one that is there. None where
    it could not be said any more."""
    account = Identity.objects.filter(member=member, channel=CHANNEL).values_list(
        "external_id", flat=True
    )
    whole_key = f"{member.pk}:{key}"
    body = {
        "community": group.community_id, "group": group.pk, "external_id": account.first() or "",
        "name": member.name, "text": text, "reply_to": reply_to, "mentions": list(mentions),
        "image": image, "message_id": whole_key,
    }  # fmt: skip
    return do_process(do_receive(CHANNEL, f"{group.pk}:{whole_key}", "message", body))
