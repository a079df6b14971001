"""What every channel must do. A new one inherits all of these tests:

class TestMyChannel(ChannelContract):
    def make(self, tmp_path): return MyChannel(...)
    def parcel(self, kind, group, member): return Parcel(key=..., kind=kind, ...)
    def sent(self, channel, parcel): return how often this arrived on the platform
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import Identity, Member
from qunluo.messaging import channel as channels
from qunluo.messaging.channel import (
    KINDS,
    BaseChannel,
    CannotError,
    Channel,
    ChannelError,
    Parcel,
    Receipt,
    find_channel,
    register,
    send,
)
from qunluo.messaging.models import Delivery, Message
from qunluo.messaging.outbox import claim, do_end_leases, do_plan_delivery, try_deliver_one
from tests.cast import NOON

HOSTILE = "<script>alert(1)</script> “引号” {name} %s \u202e 👩‍👩‍👧 ' OR 1=1 --"
SPOKEN = ("post", "direct", "announcement")


@pytest.mark.django_db(transaction=True)
class ChannelContract:
    """Subclass it in a test module and fill in the three methods below."""

    def make(self, tmp_path: Path) -> Channel:
        """The channel, connected to something that really takes what it sends."""
        raise AssertionError("say how the channel is made")

    def parcel(self, kind: str, group: Group, member: Member) -> Parcel:
        """Something of a kind that this channel can send."""
        return Parcel(
            key=f"{kind}-1", kind=kind, text="Good morning", group=group.pk, member=member.pk,
            group_external_id=group.external_id, account=member.identities.get().external_id,
        )  # fmt: skip

    def sent(self, channel: Channel, parcel: Parcel) -> int:
        """How often the platform has it, with exactly this text."""
        raise AssertionError("look on the platform")

    # given

    @pytest.fixture
    def channel(self, tmp_path: Path) -> Iterator[Channel]:
        before = dict(channels._channels)
        yield register(self.make(tmp_path))
        channels._channels.clear()
        channels._channels.update(before)

    @pytest.fixture
    def place(self, channel: Channel, group: Group) -> Group:
        group.channel = channel.name
        group.external_id = "room-1"
        group.save()
        return group

    @pytest.fixture
    def dora(self, channel: Channel, place: Group) -> Member:
        member = Member.objects.create(
            community=place.community, name="Dora", made_at=clock.now()
        )
        Identity.objects.create(
            community=place.community, member=member, channel=channel.name, made_at=clock.now(),
            external_id="dora-1",
        )  # fmt: skip
        Membership.objects.create(group=place, member=member, joined_at=clock.now())
        Group.objects.filter(pk=place.pk).update(taken=1)
        return member

    # must hold

    def test_it_is_found_by_its_name(self, channel: Channel) -> None:
        assert isinstance(channel, Channel)
        assert find_channel(channel.name) is channel
        assert channel.name.isidentifier()
        assert len(channel.name) <= 20

    @pytest.mark.parametrize("kind", KINDS)
    def test_it_declares_what_it_does(self, channel: Channel, kind: str) -> None:
        own = getattr(type(channel), kind) is not getattr(BaseChannel, kind)
        assert own == getattr(channel.capabilities, kind)

    @pytest.mark.parametrize("kind", KINDS)
    def test_it_sends_what_it_can_and_refuses_the_rest(
        self, channel: Channel, place: Group, dora: Member, kind: str
    ) -> None:
        parcel = self.parcel(kind, place, dora)
        if channel.capabilities.can(kind):
            assert isinstance(send(channel, parcel), Receipt)
            assert self.sent(channel, parcel) == 1
        else:
            with pytest.raises(CannotError):
                send(channel, parcel)
            assert self.sent(channel, parcel) == 0

    @pytest.mark.parametrize("kind", SPOKEN)
    def test_words_arrive_as_they_are(
        self, channel: Channel, place: Group, dora: Member, kind: str
    ) -> None:
        parcel = replace(self.parcel(kind, place, dora), text=HOSTILE)
        if channel.capabilities.can(kind):
            send(channel, parcel)
            assert self.sent(channel, parcel) == 1

    @pytest.mark.parametrize("kind", SPOKEN)
    def test_the_same_key_is_sent_once_where_it_says_so(
        self, channel: Channel, place: Group, dora: Member, kind: str
    ) -> None:
        parcel = self.parcel(kind, place, dora)
        if channel.capabilities.can(kind):
            first, again = send(channel, parcel), send(channel, parcel)
            once = channel.capabilities.idempotent
            assert self.sent(channel, parcel) == (1 if once else 2)
            if once:
                assert first.external_id == again.external_id

    @pytest.mark.parametrize("kind", ["post", "remove"])
    def test_a_group_that_is_not_there_is_refused_in_words(
        self, channel: Channel, place: Group, dora: Member, kind: str
    ) -> None:
        parcel = replace(self.parcel(kind, place, dora), group=None, group_external_id="")
        if channel.capabilities.can(kind):
            with pytest.raises(ChannelError):
                send(channel, parcel)

    def test_what_is_delivered_in_a_group_is_one_of_its_messages(
        self, channel: Channel, place: Group, dora: Member
    ) -> None:
        if not channel.capabilities.can("post"):
            return
        delivery = plan(place, "post")
        assert try_deliver_one()
        delivery.refresh_from_db()
        assert delivery.state in ("sent", "received")
        assert list(Message.objects.filter(group=place)) == [delivery.message]
        assert not try_deliver_one()

    def test_who_dies_after_the_call_sends_nothing_twice(
        self, channel: Channel, place: Group, dora: Member
    ) -> None:
        """The claim and the call happened, the record did not."""
        if not channel.capabilities.can("post"):
            return
        with clock.use(clock.faster(0, NOON)):
            delivery = plan(place, "post")
            taken = claim(delivery.pk)
            assert taken
            send(channel, taken[1])
        with clock.use(clock.faster(0, NOON + timedelta(minutes=5))):
            assert do_end_leases() == 1
            again = try_deliver_one()
        delivery.refresh_from_db()
        once = channel.capabilities.idempotent
        assert again == once
        assert (delivery.state in ("sent", "received")) == once
        assert (delivery.state == "unknown") != once
        assert self.sent(channel, taken[1]) == 1
        assert Message.objects.filter(group=place).count() <= 1


def plan(group: Group, kind: str) -> Delivery:
    return do_plan_delivery(
        group.community, channel=group.channel, kind=kind, cause=f"test:{kind}", group=group,
        body={"text": "Good morning"}, own_act=True,
    )  # fmt: skip
