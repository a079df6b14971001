"""Contact debt: whoever was promised attention and got none stands first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.care.errors import (
    PromisedError,
    WhyMissingError,
    WordsMissingError,
    WrongCadenceError,
)
from qunluo.care.models import Exchange, Promise
from qunluo.care.promises import (
    do_end_promise,
    do_note_exchange,
    do_promise,
    list_owed,
    list_owed_to,
)
from qunluo.care.rules import count_debt
from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.events.models import Event
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.actions import do_merge
from qunluo.members.erasing import do_erase
from qunluo.members.models import Member
from qunluo.members.searching import do_index
from qunluo.messaging.actions import do_post
from qunluo.messaging.tasks import list_tasks
from tests.cast import NOON, client_of, make_member, make_staff, make_user

pytestmark = pytest.mark.django_db
STAFF = "staff:1"
DAY = timedelta(days=1)


def promise(member: Member, days: int = 7, before: int = 0) -> Promise:
    """Promised that many days before noon."""
    with clock.use(clock.faster(0, NOON - before * DAY)):
        return do_promise(member, every_days=days, what="yearly plan", staff=None, by=STAFF)


def owed(community: Community) -> list[tuple[str, int]]:
    return [(o.promise.member.name, o.debt.overdue) for o in list_owed(community, NOON)]


def test_whoever_waits_longest_beyond_the_promise_stands_first(tea: Community) -> None:
    promise(make_member(tea, "Bob"), 7, before=10)
    promise(make_member(tea, "Dora"), 30, before=40)
    promise(make_member(tea, "Eve"), 7)
    assert owed(tea) == [("Dora", 10), ("Bob", 3), ("Eve", -7)]


def test_an_exchange_noted_by_hand_keeps_the_promise(tea: Community, bob: Member) -> None:
    promise(bob, 7, before=10)
    with clock.use(clock.faster(0, NOON - DAY)):
        do_note_exchange(bob, "called, she is well", by=STAFF)
    assert owed(tea) == [("Bob", -6)]
    event = Event.objects.get(kind="exchange_noted")
    assert "called" not in str(event.data)


@pytest.mark.django_db(transaction=True)  # what is followed must be committed
def test_an_answer_of_the_staff_in_a_group_is_a_real_exchange(
    group: Group, noon: datetime
) -> None:
    bob = make_member(group.community)
    Membership.objects.create(group=group, member=bob, joined_at=clock.now())
    promise(bob, 7, before=10)
    asked = do_post(group, text="Is it fresh?", member=bob, label="member")
    follow = [task.step for task in list_tasks() if task.name.startswith("standing")]
    work(follow)
    assert owed(group.community) == [("Bob", 3)]
    do_post(group, text="Of today!", staff=group.community.staff.get(), label="staff",
            reply_to=asked)  # fmt: skip
    work(follow)
    assert owed(group.community) == [("Bob", -7)]


def work(steps: list[Callable[[], object]]) -> None:
    while sum(bool(step()) for step in steps):
        pass


def test_nobody_is_promised_twice_and_an_end_has_a_reason(tea: Community, bob: Member) -> None:
    first = promise(bob)
    with pytest.raises(PromisedError):
        promise(bob)
    with pytest.raises(WhyMissingError):
        do_end_promise(first, why="", by=STAFF)
    do_end_promise(first, why="plan ended", by=STAFF)
    do_end_promise(first, why="again", by=STAFF)
    assert owed(tea) == []
    assert Event.objects.filter(kind="promise_ended").count() == 1
    promise(bob)


def test_a_promise_says_how_often_and_what_for(bob: Member) -> None:
    for days in (0, 366):
        with pytest.raises(WrongCadenceError):
            promise(bob, days)
    with pytest.raises(WordsMissingError):
        do_promise(bob, every_days=7, what=" ", staff=None, by=STAFF)
    with pytest.raises(WordsMissingError):
        do_note_exchange(bob, "", by=STAFF)


def test_promises_and_exchanges_go_over_and_are_forgotten(tea: Community, bob: Member) -> None:
    rob = make_member(tea, "Rob")
    promise(rob, before=10)
    do_note_exchange(rob, "called", by=STAFF)
    do_merge(bob, rob, evidence={"kind": "hand"}, by=STAFF)
    assert Promise.objects.get().member == bob
    do_erase(bob, by=bob.actor)
    assert not Promise.objects.exists()
    assert not Exchange.objects.exists()


def test_staff_promise_note_and_end_on_the_page(
    alice: User, tea: Community, bob: Member
) -> None:
    desk, base = client_of(alice), "/console/care/promises"
    do_index(bob)
    assert "Promise it" in desk.get(f"{base}?who=Bob").content.decode()
    bad = desk.post(f"{base}/members/{bob.pk}", {"every_days": 0, "what": "plan"})
    assert bad.status_code == 400
    desk.post(f"{base}/members/{bob.pk}", {"every_days": 7, "what": "<b>plan</b>"})
    Promise.objects.update(since=date(2020, 1, 1))
    page = desk.get(base).content.decode()
    assert "&lt;b&gt;plan" in page
    assert "1 member has waited longer" in page
    assert "Bob has waited" in desk.get("/console/").content.decode()
    desk.post(f"{base}/members/{bob.pk}/note", {"text": "called"})
    assert "Nobody waits longer" in desk.get(base).content.decode()
    made = Promise.objects.get()
    desk.post(f"{base}/{made.pk}/end", {"why": "moved away"})
    assert "Nobody is promised" in desk.get(base).content.decode()


def test_a_member_of_another_community_is_not_found(tea: Community, bob: Member) -> None:
    other = make_user("dave")
    do_found("Coffee", other)
    desk = client_of(other)
    answer = desk.post(
        f"/console/care/promises/members/{bob.pk}", {"every_days": 7, "what": "x"}
    )
    assert answer.status_code == 404
    page = desk.get("/console/care/promises?who=Bob").content.decode()
    assert "Nobody was found" in page


DAYS = st.dates(date(2025, 1, 1), date(2026, 12, 31))


@given(DAYS, st.none() | DAYS, st.integers(1, 365), DAYS)
def test_debt_grows_by_a_day_a_day_and_an_exchange_never_makes_it_larger(
    since: date, last: date | None, every: int, today: date
) -> None:
    debt = count_debt(since, last, every, today)
    assert debt.days >= 0
    assert debt.overdue == debt.days - every
    assert debt.days <= count_debt(since, None, every, today).days
    later = count_debt(since, last, every, today + DAY)
    assert later.days in (debt.days + 1, 0)


def test_a_members_page_shows_what_they_were_promised(
    alice: User, tea: Community, bob: Member, noon: datetime
) -> None:
    desk, page = client_of(alice), f"/console/members/{bob.pk}"
    assert "Nothing is promised to them" in desk.get(page).content.decode()
    promise(bob, 7, before=10)
    promise(make_member(tea, "Dora"), 5, before=9)
    shown = desk.get(page).content.decode()
    assert "yearly plan" in shown
    assert "3 days too long" in shown
    assert [o.promise.member for o in list_owed_to(bob, NOON)] == [bob]
    sent = desk.post(
        f"/console/care/promises/members/{bob.pk}/note", {"text": "called", "from": "member"}
    )
    assert sent["Location"] == page
    assert "0 of 7 days" in desk.get(page).content.decode()
    analyst = client_of(make_staff(tea, "analyst").user)
    assert "yearly plan" not in analyst.get(page).content.decode()
