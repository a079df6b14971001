"""The web room keeps what every channel promises."""

from __future__ import annotations

from pathlib import Path

from qunluo.channels.web.channel import WebChannel
from qunluo.channels.web.models import DirectItem
from qunluo.groups.models import Group, Membership
from qunluo.messaging.channel import Channel, Parcel
from qunluo.messaging.models import Message
from tests.channels.contract import ChannelContract


class TestWebChannel(ChannelContract):
    def make(self, tmp_path: Path) -> Channel:
        return WebChannel()

    def sent(self, channel: Channel, parcel: Parcel) -> int:
        """How often the room, or the member's page, shows it."""
        group = Group.objects.get(pk=parcel.group)
        if parcel.kind == "direct":
            return DirectItem.objects.filter(member=parcel.member, text=parcel.text).count()
        if parcel.kind == "pin":
            return [pin["title"] for pin in group.pinned].count(parcel.text)
        if parcel.kind == "remove":
            return Membership.objects.filter(group=group, left_why="removed").count()
        if parcel.kind in ("create_group", "invite_link"):
            return 1 if group.code else 0  # a room needs nothing else
        return Message.objects.filter(group=group, text=parcel.text).count()
