"""The web room as a channel: what is sent there is in our own database at once."""

from __future__ import annotations

from hashlib import sha256
from typing import ClassVar

from qunluo.channels.web.models import DirectItem
from qunluo.channels.web.sessions import CHANNEL
from qunluo.groups.actions import do_leave
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.members.models import Member
from qunluo.messaging.actions import do_post
from qunluo.messaging.channel import BaseChannel, Capabilities, Parcel, Receipt, RefusedError
from qunluo.messaging.models import Message

KEY_LENGTH = 120  # of `Message.external_id`
LABELS = ("auto", "staff", "system")  # nothing is ever sent in a member's name


class WebChannel(BaseChannel):
    """The same key twice is one message: its key is unique where it is stored."""

    name: ClassVar[str] = CHANNEL
    capabilities = Capabilities(
        post=True, direct=True, pin=True, remove=True, announcement=True, create_group=True,
        invite_link=True, idempotent=True, receipts=True, mentions=True, replies=True, images=True,
    )  # fmt: skip

    def post(self, parcel: Parcel) -> Receipt:
        return self._say(parcel, "text")

    def announcement(self, parcel: Parcel) -> Receipt:
        return self._say(parcel, "notice")

    def direct(self, parcel: Parcel) -> Receipt:
        """Shown on the member's own pages, and in the room they have open."""
        member = Member.objects.filter(pk=parcel.member or 0, erased_at=None).first()
        if member is None:
            raise RefusedError("no such member")
        if not parcel.text.strip():
            raise RefusedError("nothing to say")
        item, _ = DirectItem.objects.get_or_create(
            key=short_key(parcel.key),
            defaults={"member": member, "text": parcel.text, "at": clock.now()},
        )
        return Receipt(external_id=str(item.pk), received=True)

    def pin(self, parcel: Parcel) -> Receipt:
        """Adds a benefit to those that stand above the room; the same one stands once."""
        group = _group(parcel)
        title, _, text = parcel.text.partition("\n")
        benefit = {"title": str(parcel.body.get("title") or title)[:80], "text": text.strip()}
        if benefit not in group.pinned:
            group.pinned = [*group.pinned, benefit]
            group.save(update_fields=["pinned"])
        return Receipt(received=True)

    def remove(self, parcel: Parcel) -> Receipt:
        """Somebody who is gone already stays gone."""
        seat = Membership.objects.filter(
            group=_group(parcel), member_id=parcel.member or 0, left_at=None
        ).first()
        if seat is not None:
            do_leave(seat, why="removed", by="system")
        return Receipt(received=True)

    def create_group(self, parcel: Parcel) -> Receipt:
        """A room is there as soon as its group is."""
        return Receipt(external_id=_group(parcel).code, received=True)

    def invite_link(self, parcel: Parcel) -> Receipt:
        code = _group(parcel).code
        return Receipt(external_id=code, received=True, data={"path": f"/j/{code}"})

    def _say(self, parcel: Parcel, kind: str) -> Receipt:
        group = _group(parcel)
        label = str(parcel.body.get("label") or "auto")
        try:
            message = do_post(
                group, text=parcel.text, label=label if label in LABELS else "auto",
                name=str(parcel.body.get("name") or "")[:80], kind="image" if parcel.image else kind,
                reply_to=Message.objects.filter(group=group, pk=parcel.reply_to or 0).first(),
                mentions=parcel.mentions, image=parcel.image, external_id=short_key(parcel.key),
            )  # fmt: skip
        except QunluoError as error:
            raise RefusedError(error.code) from error
        return Receipt(external_id=str(message.pk), received=True)


def short_key(key: str) -> str:
    """A key as it is stored; a long one by its hash."""
    return key if len(key) <= KEY_LENGTH else sha256(key.encode()).hexdigest()


def _group(parcel: Parcel) -> Group:
    group = Group.objects.select_related("community").filter(pk=parcel.group or 0).first()
    if group is None:
        raise RefusedError("no such group")
    return group
