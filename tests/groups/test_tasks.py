"""Groups end when their time has come, fall silent and wake."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.groups.actions import do_join
from qunluo.groups.models import Group, Said
from qunluo.groups.tasks import close_due, count_seats, forget_said, step, write_farewell
from qunluo.kit import clock
from qunluo.members.models import Member
from tests.cast import make_group, make_member


@pytest.mark.django_db
def test_a_group_says_goodbye_and_then_ends(
    tea: Community, bob: Member, noon: datetime
) -> None:
    group = make_group(tea, "Flash", ends_at=noon + timedelta(hours=4))
    do_join(group, bob, by=bob.actor)
    assert not step(noon)
    end = noon + timedelta(hours=4)
    with clock.use(clock.faster(0, end)):
        assert step(end)
        group.refresh_from_db()
        assert group.state == "closing"
        assert "Flash" in write_farewell(group).zh
        assert not step(end)
    later = end + timedelta(minutes=24)
    with clock.use(clock.faster(0, later)):
        step(later)
    group.refresh_from_db()
    assert (group.state, group.taken) == ("dissolved", 0)


@pytest.mark.django_db
def test_a_met_goal_closes_and_leads_on(tea: Community, noon: datetime) -> None:
    group = make_group(tea, capacity=2, goal={"members": 2})
    for name in ("Bob", "Dan"):
        assert close_due(noon) == 0
        do_join(group, make_member(tea, name), by="system")
    assert close_due(noon) == 1
    group.refresh_from_db()
    assert "Tea 2" in write_farewell(group).en


@pytest.mark.django_db
def test_a_group_falls_silent_and_wakes(tea: Community, bob: Member, noon: datetime) -> None:
    group = make_group(tea)
    do_join(group, bob, by=bob.actor)
    later = noon + timedelta(days=15)
    step(later)
    group.refresh_from_db()
    assert group.state == "silent"
    with clock.use(clock.faster(0, later)):
        record("message_posted", community=tea.pk, group=group.pk, member=bob.pk)
    step(later)
    group.refresh_from_db()
    assert group.state == "growing"


@pytest.mark.django_db
def test_seats_are_counted_anew(group: Group, bob: Member) -> None:
    do_join(group, bob, by=bob.actor)
    Group.objects.filter(pk=group.pk).update(taken=5)
    assert [count_seats(group), count_seats(group)] == [4, 0]


@pytest.mark.django_db
def test_what_was_said_is_forgotten_after_minutes(
    group: Group, bob: Member, noon: datetime
) -> None:
    Said.objects.create(group=group, member=bob, digest=1, at=noon)
    assert forget_said(noon) == 0
    assert forget_said(noon + timedelta(minutes=11)) == 1
