"""Newcomers are greeted once, groups end when their time has come."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.groups.actions import do_join
from qunluo.groups.models import Group, Membership, Said
from qunluo.groups.tasks import close_due, count_seats, forget_said, step
from qunluo.groups.welcome import do_claim_welcome, join_names, render_welcome
from qunluo.kit import clock
from qunluo.members.models import Member
from tests.cast import make_group, make_member

WINDOW = timedelta(seconds=20)


@given(
    st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=9),
    st.sampled_from(["en", "zh-hans"]),
)
def test_a_welcome_is_one_text_for_any_names(names: list[str], lang: str) -> None:
    template = "{name}|{group}|{gives}|{rules}|{nickname}|{invite}|{next}|{other}"
    text = render_welcome(template, names, group="Tea", lang=lang)
    assert text.endswith("|{other}")
    assert "|Tea|" in text


def test_a_name_with_braces_stays_a_name() -> None:
    said = render_welcome("{name}!", ["{rules}"], group="Tea", lang="en", rules="secret")
    assert said == "{rules}!"


def test_bursts_are_greeted_together() -> None:
    names = [f"N{n}" for n in range(12)]
    assert join_names(names[:1], "en") == "N0"
    assert join_names(names[:3], "en") == "N0, N1 and N2"
    assert join_names(names[:3], "zh-hans") == "N0、N1、N2"
    assert join_names(names, "zh-hans") == "N0、N1、N2、N3、N4 等 12 位"
    assert join_names(names, "en") == "N0, N1, N2, N3, N4 and 7 more"


def test_the_default_welcome_says_what_the_group_gives() -> None:
    assert render_welcome("", ["小满"], group="茶友", lang="zh-hans", gives="周三品茶") == (
        "欢迎 小满 加入茶友！周三品茶"
    )


@pytest.mark.django_db
def test_each_newcomer_is_greeted_once_and_in_time(
    tea: Community, group: Group, noon: datetime
) -> None:
    old = do_join(group, make_member(tea, "Old"), by="system")
    Membership.objects.filter(pk=old.pk).update(joined_at=noon - timedelta(minutes=1))
    for name in ("Bob", "Dan"):
        do_join(group, make_member(tea, name), by="system")
    found = do_claim_welcome(group, now=noon, within=WINDOW, lang="en")
    assert found is not None
    assert "Bob and Dan" in found.text
    assert len(found.member_ids) == 2
    assert do_claim_welcome(group, now=noon, within=WINDOW, lang="en") is None


@pytest.mark.django_db
def test_a_group_says_goodbye_and_then_ends(
    tea: Community, bob: Member, noon: datetime
) -> None:
    group = make_group(tea, "Flash", ends_at=noon + timedelta(hours=4))
    do_join(group, bob, by=bob.actor)
    assert step(noon) == []
    end = noon + timedelta(hours=4)
    with clock.use(clock.faster(0, end)):
        (notice,) = step(end)
        assert (notice.group.state, notice.cause) == ("closing", f"closing:{group.pk}")
        assert "Flash" in notice.text.zh
        assert step(end) == []
    later = end + timedelta(minutes=24)
    with clock.use(clock.faster(0, later)):
        step(later)
    group.refresh_from_db()
    assert (group.state, group.taken) == ("dissolved", 0)


@pytest.mark.django_db
def test_a_met_goal_closes_and_leads_on(tea: Community, noon: datetime) -> None:
    group = make_group(tea, capacity=2, goal={"members": 2})
    for name in ("Bob", "Dan"):
        assert list(close_due(noon)) == []
        do_join(group, make_member(tea, name), by="system")
    (notice,) = close_due(noon)
    assert "Tea 2" in notice.text.en


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
