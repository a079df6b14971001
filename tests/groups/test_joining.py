"""People come in by the gate, while there is a seat, and go when they want."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.actions import (
    do_close_group,
    do_decide_request,
    do_dissolve_group,
    do_found_group,
    do_join,
    do_leave,
    do_route,
    next_name,
)
from qunluo.groups.errors import (
    AlreadyDecidedError,
    BannedError,
    GateClosedError,
    GroupClosedError,
    GroupFullError,
    NoPlaceError,
    NoPurposeError,
    WaitingForApprovalError,
    WrongGateError,
    WrongTemplateError,
)
from qunluo.groups.models import Ban, Group, JoinRequest, Membership
from qunluo.groups.queries import count_members, find_membership, list_requests
from qunluo.kit import clock
from qunluo.members.models import Member, Tag, Tagging, TagGroup, Touch
from tests.cast import make_group, make_member

pytestmark = pytest.mark.django_db


def test_no_group_is_made_without_a_purpose(tea: Community) -> None:
    with pytest.raises(NoPurposeError):
        do_found_group(tea, name="Tea", purpose=" ", by="staff:1")


@pytest.mark.parametrize("gate", [{"kind": "magic"}, {"kind": "near"}, {"kind": "tag", "tags": []},
                                  {"kind": "level", "level": "high"}])  # fmt: skip
def test_a_gate_that_cannot_judge_is_refused(tea: Community, gate: dict[str, object]) -> None:
    with pytest.raises(WrongGateError):
        do_found_group(tea, name="Tea", purpose="tea", by="staff:1", gate=gate)


def test_a_nickname_template_that_cannot_be_read_back_is_refused(tea: Community) -> None:
    with pytest.raises(WrongTemplateError):
        do_found_group(tea, name="Tea", purpose="tea", by="staff:1", nickname="{city}{nick}")


def test_the_first_member_opens_the_group(tea: Community, bob: Member) -> None:
    group = do_found_group(tea, name="Tea", purpose="tea", by="staff:1")
    assert group.state == "setup"
    seat = do_join(group, bob, by=bob.actor)
    group.refresh_from_db()
    assert (group.state, group.taken) == ("growing", 1)
    event = Event.objects.get(kind="member_joined")
    assert (event.member_id, event.group_id, event.cause) == (
        bob.pk,
        group.pk,
        f"join:{seat.pk}",
    )


def test_joining_twice_is_joining_once(group: Group, bob: Member) -> None:
    assert do_join(group, bob, by=bob.actor) == do_join(group, bob, by=bob.actor)
    group.refresh_from_db()
    assert group.taken == 1


def test_leaving_gives_the_seat_back_once_and_joining_again_begins_anew(
    group: Group, bob: Member
) -> None:
    first = do_join(group, bob, by=bob.actor)
    do_leave(first, why="left", by=bob.actor)
    do_leave(first, why="left", by=bob.actor)
    group.refresh_from_db()
    assert (group.taken, Event.objects.filter(kind="member_left").count()) == (0, 1)
    assert do_join(group, bob, by=bob.actor) != first


def test_a_full_group_says_where_there_is_room(tea: Community, bob: Member) -> None:
    group = make_group(tea, capacity=1)
    do_join(group, make_member(tea, "Dan"), by="member:1")
    with pytest.raises(GroupFullError) as error:
        do_join(group, bob, by=bob.actor)
    assert "Tea 2" in error.value.message("en")
    assert "Tea 2" in error.value.message("zh")


def test_nine_tenths_full_the_successor_opens_once(tea: Community) -> None:
    group = make_group(tea, capacity=10, gate={"kind": "open"}, nickname="{city}-{nick}")
    for n in range(10):
        do_join(group, make_member(tea, f"M{n}"), by="system")
    group.refresh_from_db()
    after = Group.objects.exclude(pk=group.pk).get()
    assert group.successor == after
    assert (after.name, after.state, after.nickname) == ("Tea 2", "growing", "{city}-{nick}")


def test_successors_are_counted_on() -> None:
    assert [next_name("Tea"), next_name("Tea 2"), next_name("茶 9")] == [
        "Tea 2",
        "Tea 3",
        "茶 10",
    ]


def test_a_closed_gate_says_what_would_admit(tea: Community, bob: Member) -> None:
    group = make_group(tea, gate={"kind": "invited"})
    with pytest.raises(GateClosedError) as error:
        do_join(group, bob, by=bob.actor)
    assert "邀请链接" in error.value.message("zh")
    assert "invite link" in error.value.message("en")


def test_an_invitation_counts_only_from_somebody_who_is_in(tea: Community, bob: Member) -> None:
    group, dan = make_group(tea, gate={"kind": "invited"}), make_member(tea, "Dan")
    Touch.objects.create(member=bob, inviter=dan, at=clock.now())
    with pytest.raises(GateClosedError):
        do_join(group, bob, by=bob.actor)
    do_join(make_group(tea), dan, by=dan.actor)
    assert do_join(group, bob, by=bob.actor).member == bob


def test_staff_bring_people_in_past_the_gate(tea: Community, bob: Member) -> None:
    assert do_join(make_group(tea, gate={"kind": "invited"}), bob, by="staff:1").member == bob


def test_approval_is_asked_for_once_and_given_once(tea: Community, bob: Member) -> None:
    group = make_group(tea, gate={"kind": "approval"})
    for _ in range(2):
        with pytest.raises(WaitingForApprovalError):
            do_join(group, bob, by=bob.actor, text="I love tea")
    (request,) = list_requests(tea)
    seat = do_decide_request(request, approve=True, by="staff:1")
    assert seat is not None
    assert find_membership(group, bob) == seat
    with pytest.raises(AlreadyDecidedError):
        do_decide_request(request, approve=False, by="staff:2")


def test_who_is_refused_may_ask_again(tea: Community, bob: Member) -> None:
    group = make_group(tea, gate={"kind": "approval"})
    for _ in range(2):
        with pytest.raises(WaitingForApprovalError):
            do_join(group, bob, by=bob.actor)
        do_decide_request(JoinRequest.objects.get(state="waiting"), approve=False, by="staff:1")
    assert count_members(group) == 0


def test_the_banned_stay_out(tea: Community, group: Group, bob: Member) -> None:
    Ban.objects.create(community=tea, member=bob, why="ads", by="staff:1", at=clock.now())
    with pytest.raises(BannedError):
        do_join(group, bob, by="staff:1")


def test_routing_takes_the_group_that_fits_and_keeps_the_reasons(
    tea: Community, bob: Member
) -> None:
    tag = Tag.objects.create(
        group=TagGroup.objects.create(community=tea, name="Taste"), name="Oolong"
    )
    Tagging.objects.create(member=bob, tag=tag, by="staff:1", why="asked", at=clock.now())
    make_group(tea, "Green")
    oolong = make_group(tea, "Oolong", tags=[tag.pk])
    seat = do_route(tea, bob, by=bob.actor)
    assert seat.group == oolong
    assert any("tags" in reason["en"] for reason in seat.why)


def test_an_expired_tag_counts_no_more(tea: Community, bob: Member) -> None:
    tag = Tag.objects.create(
        group=TagGroup.objects.create(community=tea, name="Taste"), name="Oolong"
    )
    Tagging.objects.create(member=bob, tag=tag, by="s", why="w", at=clock.now(),
                           expires_at=clock.now())  # fmt: skip
    with pytest.raises(GateClosedError):
        do_join(make_group(tea, gate={"kind": "tag", "tags": [tag.pk]}), bob, by=bob.actor)


def test_where_nobody_admits_them_every_reason_is_told(tea: Community, bob: Member) -> None:
    make_group(tea, "Gold", gate={"kind": "plan", "plan": "gold"})
    make_group(tea, "High", gate={"kind": "level", "level": 3})
    with pytest.raises(NoPlaceError) as error:
        do_route(tea, bob, by=bob.actor)
    assert all(name in error.value.message("en") for name in ("Gold", "High", "level 3"))


def test_a_link_to_a_full_group_leads_to_the_one_after_it(tea: Community, bob: Member) -> None:
    full = make_group(tea, capacity=1)
    make_group(tea, "Elsewhere")
    do_join(full, make_member(tea, "Dan"), by="member:1")
    assert do_route(tea, bob, groups=[full], by=bob.actor).group.name == "Tea 2"


def test_a_group_that_closes_takes_nobody_and_ends_all_memberships(
    tea: Community, group: Group, bob: Member
) -> None:
    do_join(group, bob, by=bob.actor)
    assert do_close_group(group, by="staff:1", why="season over")
    assert not do_close_group(group, by="staff:1", why="again")
    with pytest.raises(GroupClosedError):
        do_join(group, make_member(tea, "Dan"), by="member:1")
    assert do_dissolve_group(group, by="system") == 1
    assert Membership.objects.get().left_why == "closed"
    assert (group.state, group.taken) == ("dissolved", 0)


# the race for the last seat


def _at_once(steps: list[Callable[[], None]]) -> list[BaseException]:
    """Runs all steps in threads of their own; what they raised."""
    raised: list[BaseException] = []

    def run(step: Callable[[], None]) -> None:
        try:
            step()
        except GroupFullError as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


@pytest.mark.django_db(transaction=True)
def test_without_the_guard_two_people_would_get_the_last_seat(tea: Community) -> None:
    """The control: looking first and taking then lets both in."""
    group, both_looked = make_group(tea, capacity=1), Barrier(2, timeout=30)

    def look_then_take(member: Member) -> None:
        seen = Group.objects.get(pk=group.pk)
        assert seen.taken < seen.capacity
        both_looked.wait()
        with transaction.atomic():
            Group.objects.filter(pk=group.pk).update(taken=seen.taken + 1)
            Membership.objects.create(group=group, member=member, joined_at=clock.now())

    people = [make_member(tea, name) for name in ("Bob", "Dan")]
    _at_once([lambda m=m: look_then_take(m) for m in people])  # type: ignore[misc]
    assert count_members(group) == 2


@pytest.mark.django_db(transaction=True)
def test_the_last_seats_go_to_as_many_as_there_are(tea: Community) -> None:
    group, start = make_group(tea, capacity=3), Barrier(8, timeout=30)

    def join(member: Member) -> None:
        mine = Group.objects.get(pk=group.pk)
        start.wait()
        do_join(mine, member, by=member.actor)

    people = [make_member(tea, f"M{n}") for n in range(8)]
    raised = _at_once([lambda m=m: join(m) for m in people])  # type: ignore[misc]
    group.refresh_from_db()
    assert (count_members(group), group.taken, len(raised)) == (3, 3, 5)
    assert Group.objects.filter(name="Tea 2").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_person_who_comes_twice_at_once_has_one_seat(tea: Community, bob: Member) -> None:
    group, start = make_group(tea), Barrier(4, timeout=30)

    def join() -> None:
        mine = Group.objects.get(pk=group.pk)
        start.wait()
        do_join(mine, bob, by=bob.actor)

    assert _at_once([join] * 4) == []
    group.refresh_from_db()
    assert (count_members(group), group.taken) == (1, 1)
