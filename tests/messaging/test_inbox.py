"""What comes in counts once, however often it is brought."""

from __future__ import annotations

import pytest

from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.messaging.actions import do_process, do_receive
from qunluo.messaging.models import Inbound, Message


@pytest.fixture
def seat(group: Group, bob: Member) -> Membership:
    return Membership.objects.create(group=group, member=bob, joined_at=clock.now())


def said(seat: Membership, text: str = "hello", **more: object) -> dict[str, object]:
    account = seat.member.identities.get().external_id
    return {"community": seat.group.community_id, "group": seat.group_id,
            "external_id": account, "text": text, **more}  # fmt: skip


def test_a_replay_returns_the_first(seat: Membership) -> None:
    first = do_receive("web", "k1", "message", said(seat))
    again = do_receive("web", "k1", "message", said(seat, "other words"))
    assert (again, again.body["text"]) == (first, "hello")


def test_what_is_processed_twice_happens_once(seat: Membership) -> None:
    inbound = do_receive("web", "k1", "message", said(seat))
    message = do_process(inbound)
    assert message
    assert (message.text, message.label, message.name) == ("hello", "member", "Bob")
    assert do_process(Inbound.objects.get(pk=inbound.pk)) == message
    assert Message.objects.filter(label="member").count() == 1


def test_who_is_not_in_the_group_says_nothing_there(seat: Membership) -> None:
    seat.left_at = clock.now()
    seat.save()
    inbound = do_receive("web", "k1", "message", said(seat))
    assert do_process(inbound) is None
    assert inbound.why == "not_in_group"
    assert inbound.done_at
    assert not Message.objects.exists()


def test_a_kind_that_nobody_knows_is_put_aside(seat: Membership) -> None:
    inbound = do_receive("web", "k1", "telepathy", {})
    assert do_process(inbound) is None
    assert "telepathy" in inbound.why
