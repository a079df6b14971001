"""Many at once: votes, answers, seats, incidents and rounds are each given once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial
from threading import Barrier

import pytest
from django.db import transaction

from qunluo.care.errors import IncidentOpenError, PatrolDoneError, WishClosedError
from qunluo.care.gatherings import Plan, do_plan_gathering, do_sign_off, do_sign_up
from qunluo.care.incidents import do_open_incident
from qunluo.care.models import Gathering, Incident, Patrol, SignUp, Support, Wish
from qunluo.care.patrols import do_make_slot, do_note_patrol
from qunluo.care.rules import Sign
from qunluo.care.wishes import do_answer_wish, do_make_wish, do_vote
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.models import Member
from tests.cast import NOON, make_member
from tests.racing import lost

pytestmark = pytest.mark.django_db(transaction=True)
STAFF = "staff:1"
LOSING = (WishClosedError, IncidentOpenError, PatrolDoneError)


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    """Nothing moves but what a test moves."""
    return noon


def people(group: Group, n: int) -> list[Member]:
    made = [make_member(group.community, f"M{number}") for number in range(n)]
    for member in made:
        Membership.objects.create(group=group, member=member, joined_at=clock.now())
    return made


def gathering_of(group: Group, capacity: int) -> Gathering:
    start = NOON + timedelta(days=2)
    plan = Plan("Tea", "Elm 7", start, start + timedelta(hours=1), capacity)
    return do_plan_gathering(group.community, plan, by=STAFF)


def test_without_the_guard_two_members_would_get_the_last_seat(group: Group) -> None:
    """The control: looking first and taking then lets both in."""
    gathering, both_looked = gathering_of(group, 1), Barrier(2, timeout=30)

    def look_then_take(member: Member) -> None:
        seen = Gathering.objects.get(pk=gathering.pk)
        assert seen.taken < seen.capacity
        both_looked.wait()
        with transaction.atomic():
            Gathering.objects.filter(pk=gathering.pk).update(taken=seen.taken + 1)
            SignUp.objects.create(gathering=gathering, member=member, state="seated",
                                  at=clock.now())  # fmt: skip

    lost([partial(look_then_take, member) for member in people(group, 2)], *LOSING)
    assert gathering.signups.filter(state="seated").count() == 2


def test_seats_go_to_as_many_as_there_are_and_the_rest_waits(group: Group) -> None:
    gathering = gathering_of(group, 3)
    lost([partial(do_sign_up, gathering, m, by=m.actor) for m in people(group, 8)], *LOSING)
    gathering.refresh_from_db()
    assert gathering.taken == gathering.signups.filter(state="seated").count() == 3
    assert gathering.signups.filter(state="waiting").count() == 5


def test_who_comes_while_others_go_never_waits_beside_a_free_seat(group: Group) -> None:
    gathering, members = gathering_of(group, 3), people(group, 8)
    for member in members[:4]:
        do_sign_up(gathering, member, by=member.actor)
    leaving = SignUp.objects.filter(state="seated").select_related("gathering")
    steps: list[Callable[[], object]] = [
        partial(do_sign_off, signup, by=STAFF) for signup in leaving
    ]
    steps += [partial(do_sign_up, gathering, m, by=m.actor) for m in members[4:]]
    lost(steps, *LOSING)
    gathering.refresh_from_db()
    assert gathering.taken == gathering.signups.filter(state="seated").count() == 3


def test_one_member_who_votes_many_times_at_once_has_one_vote(group: Group) -> None:
    wish = do_make_wish(group.community, title="Tea", by=STAFF)
    voters = people(group, 3) * 2
    lost(
        [partial(do_vote, Wish.objects.get(pk=wish.pk), m, by=m.actor) for m in voters], *LOSING
    )
    wish.refresh_from_db()
    assert wish.votes == Support.objects.filter(wish=wish).count() == 3


def test_no_vote_comes_after_the_answer_and_one_answer_counts(group: Group) -> None:
    wish = do_make_wish(group.community, title="Tea", by=STAFF)
    steps: list[Callable[[], object]] = [
        partial(do_vote, Wish.objects.get(pk=wish.pk), m, by=m.actor) for m in people(group, 3)
    ]
    steps += [
        partial(do_answer_wish, Wish.objects.get(pk=wish.pk), "no", f"No {n}", by=STAFF)
        for n in range(3)
    ]
    told = lost(steps, *LOSING)
    wish.refresh_from_db()
    votes = Support.objects.filter(wish=wish).count()
    assert wish.votes == votes
    assert len(told) == 2 + (3 - votes)


def test_of_one_kind_and_group_one_incident_opens(group: Group) -> None:
    sign = Sign(Text("Smoke", "烟"), {})
    for place in (group, None):
        Incident.objects.all().delete()
        open_one = partial(do_open_incident, group.community, "hand", sign, group=place)
        assert len(lost([open_one] * 4, *LOSING)) == 3
        assert Incident.objects.count() == 1


def test_a_round_is_noted_by_one(group: Group) -> None:
    with clock.use(clock.faster(0, NOON - timedelta(days=1))):
        slot = do_make_slot(group.community, staff=None, groups=[], days=[0], since=time(11),
                            until=time(13), by=STAFF)  # fmt: skip
    note = partial(do_note_patrol, slot, date(2026, 3, 2), ticked=[], by=STAFF)
    assert len(lost([note] * 4, *LOSING)) == 3
    assert Patrol.objects.count() == 1
