"""Gatherings: never more seats than there are, the first who waits moves up, codes, reminders."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from qunluo.care.errors import (
    FewSeatsError,
    GatheringOverError,
    NotInGroupError,
    NotInvitedError,
    NotNowError,
    WhyMissingError,
    WordsMissingError,
    WrongCodeError,
    WrongTimeError,
)
from qunluo.care.gatherings import (
    Plan,
    do_attend,
    do_call_off,
    do_change_gathering,
    do_note_attendance,
    do_plan_gathering,
    do_sign_off,
    do_sign_up,
    list_gatherings,
    list_open_to,
    tell_guests,
)
from qunluo.care.models import Gathering, SignUp
from qunluo.care.rules import find_reminder, may_attend
from qunluo.care.tasks import follow_merges
from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.events.models import Event
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.actions import do_merge, do_set_consent, do_undo_merge
from qunluo.members.erasing import do_erase
from qunluo.members.models import Member
from qunluo.messaging.models import Delivery
from tests.cast import NOON, client_of, make_group, make_member, make_user
from tests.h5.people import browser_of

pytestmark = pytest.mark.django_db
STAFF = "staff:1"
HOUR = timedelta(hours=1)
SOON = NOON + 48 * HOUR


@pytest.fixture(autouse=True)
def quick(noon: datetime) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def plan(capacity: int = 2, **more: object) -> Plan:
    values = {
        "title": "Tea tasting",
        "place": "Elm 7",
        "starts_at": SOON,
        "ends_at": SOON + 2 * HOUR,
    }
    return Plan(**{**values, "capacity": capacity, **more})  # type: ignore[arg-type]


def gathering_of(where: Group, capacity: int = 2, **more: object) -> Gathering:
    return do_plan_gathering(where.community, plan(capacity, **more), by=STAFF)


def guest(group: Group, name: str) -> Member:
    member = make_member(group.community, name)
    Membership.objects.create(group=group, member=member, joined_at=clock.now())
    do_set_consent(member, "service", "web", True, words="yes", by=member.actor)
    return member


def sign_up(gathering: Gathering, member: Member) -> SignUp:
    return do_sign_up(gathering, member, by=member.actor)


def states(gathering: Gathering) -> dict[str, str]:
    gathering.refresh_from_db()
    assert gathering.taken == gathering.signups.filter(state="seated").count()
    assert gathering.taken <= gathering.capacity
    return dict(gathering.signups.values_list("member__name", "state"))


def told(text: str) -> list[str]:
    rows = Delivery.objects.filter(kind="direct").select_related("member").order_by("pk")
    return [row.member.name for row in rows if row.member and text in row.body["text"]]


def test_seats_go_to_who_comes_first_and_the_first_who_waits_moves_up(group: Group) -> None:
    gathering = gathering_of(group)
    ann, bob, cy, di = (guest(group, name) for name in ("Ann", "Bob", "Cy", "Di"))
    for member in (ann, bob, cy, di, ann, cy):
        sign_up(gathering, member)
    assert states(gathering) == {
        "Ann": "seated",
        "Bob": "seated",
        "Cy": "waiting",
        "Di": "waiting",
    }
    do_sign_off(SignUp.objects.get(member=ann), by=ann.actor)
    do_sign_off(SignUp.objects.get(member=ann), by=ann.actor)
    assert states(gathering) == {
        "Ann": "gone",
        "Bob": "seated",
        "Cy": "seated",
        "Di": "waiting",
    }
    assert told("A seat") + told("候补") == ["Cy"]
    assert sign_up(gathering, ann).state == "waiting"
    assert Event.objects.filter(kind="gathering_moved_up").count() == 1


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_no_seat_is_given_twice_and_none_stays_free_while_somebody_waits(
    group: Group, seed: int
) -> None:
    chance, gathering = random.Random(seed), gathering_of(group, 3)
    people = [guest(group, f"M{n}") for n in range(6)]
    for _ in range(30):
        member = chance.choice(people)
        signup = SignUp.objects.filter(member=member).first()
        act = chance.random()
        if act < 0.5 or signup is None:
            sign_up(gathering, member)
        elif act < 0.9:
            do_sign_off(signup, by=member.actor)
        else:
            gathering = Gathering.objects.get(pk=gathering.pk)
            capacity = max(gathering.taken, chance.randint(1, 5))
            gathering = do_change_gathering(gathering, plan(capacity), by=STAFF)
        found = list(states(gathering).values())
        assert "waiting" not in found or gathering.taken == gathering.capacity


def test_only_members_of_its_group_are_invited(group: Group) -> None:
    other = make_group(group.community, "Coffee")
    gathering = gathering_of(group, group=other)
    bob = guest(group, "Bob")
    with pytest.raises(NotInvitedError):
        sign_up(gathering, bob)
    assert list(list_open_to(bob)) == []
    with pytest.raises(NotInGroupError):
        sign_up(gathering, make_member(group.community, "Eve"))
    assert sign_up(gathering, guest(other, "Cy")).state == "seated"


def test_a_plan_has_a_name_a_time_to_come_and_seats(tea: Community) -> None:
    for wrong, error in (
        ({"title": " "}, WordsMissingError), ({"place": ""}, WordsMissingError),
        ({"starts_at": NOON}, WrongTimeError), ({"ends_at": SOON}, WrongTimeError),
        ({"capacity": 0}, FewSeatsError),
    ):  # fmt: skip
        with pytest.raises(error):
            do_plan_gathering(tea, plan(**wrong), by=STAFF)


def test_seats_are_not_taken_from_who_has_them(group: Group) -> None:
    gathering = gathering_of(group)
    for name in ("Ann", "Bob", "Cy"):
        sign_up(gathering, guest(group, name))
    with pytest.raises(FewSeatsError):
        do_change_gathering(gathering, plan(1), by=STAFF)
    do_change_gathering(gathering, plan(3), by=STAFF)
    assert set(states(gathering).values()) == {"seated"}
    assert told("改为") == []
    do_change_gathering(gathering, plan(3, place="Oak 9"), by=STAFF)
    assert told("Oak 9") == ["Ann", "Bob", "Cy"]


def test_what_is_called_off_takes_nobody_and_tells_why(group: Group) -> None:
    gathering, bob = gathering_of(group), guest(group, "Bob")
    sign_up(gathering, bob)
    with pytest.raises(WhyMissingError):
        do_call_off(gathering, why="", by=STAFF)
    do_call_off(gathering, why="a storm", by=STAFF)
    assert told("a storm") == ["Bob"]
    with pytest.raises(GatheringOverError):
        do_call_off(gathering, why="again", by=STAFF)
    with pytest.raises(GatheringOverError):
        sign_up(gathering, guest(group, "Cy"))
    assert list(list_gatherings(group.community)) == []
    assert list(list_gatherings(group.community, over=True)) == [gathering]


def test_the_code_notes_who_was_there_once_in_its_time_only(group: Group) -> None:
    gathering, bob, eve = gathering_of(group, 1), guest(group, "Bob"), guest(group, "Eve")
    sign_up(gathering, bob)
    with pytest.raises(NotNowError):
        do_attend(gathering, bob, gathering.code, by=bob.actor)
    with clock.use(clock.faster(0, SOON + HOUR)):
        with pytest.raises(WrongCodeError):
            do_attend(gathering, bob, "12345x" + gathering.code, by=bob.actor)
        for member in (bob, bob, eve):
            do_attend(
                gathering,
                member,
                f" {gathering.code[:3]} {gathering.code[3:]}",
                by=member.actor,
            )
    events = Event.objects.filter(kind="gathering_attended").order_by("pk")
    assert [e.member_id for e in events] == [bob.pk, eve.pk]
    assert events[1].data["with"] == [bob.pk]
    assert states(gathering) == {"Bob": "seated", "Eve": "extra"}


def test_reminders_go_out_a_day_and_an_hour_before_once_each(group: Group) -> None:
    gathering, bob = gathering_of(group), guest(group, "Bob")
    sign_up(gathering, bob)
    seen = []
    for hours in (47, 25, 24, 23, 2, 1, 0.5, 0):
        with clock.use(clock.faster(0, SOON - hours * HOUR)):
            while tell_guests():
                pass
            seen.append(len(told("Elm 7")))
    assert seen == [0, 0, 1, 1, 1, 2, 2, 2]
    assert Delivery.objects.latest("pk").expires_at == SOON


def test_afterwards_each_hears_what_is_for_them(group: Group) -> None:
    gathering = gathering_of(group, follow_up="Thank you", missed_you="We missed you")
    ann, bob = guest(group, "Ann"), guest(group, "Bob")
    for member in (ann, bob):
        sign_up(gathering, member)
    do_note_attendance(gathering, ann, by=STAFF)
    with clock.use(clock.faster(0, SOON + 3 * HOUR)):
        while tell_guests():
            pass
        Gathering.objects.update(followed_at=None)  # killed before it was kept
        tell_guests()
    assert (told("Thank you"), told("We missed you")) == (["Ann"], ["Bob"])


@pytest.mark.django_db(transaction=True)  # what is followed must be committed
def test_two_members_who_are_one_need_one_seat(group: Group) -> None:
    gathering = gathering_of(group)
    bob, rob, cy = (guest(group, name) for name in ("Bob", "Rob", "Cy"))
    for member in (bob, rob, cy):
        sign_up(gathering, member)
    merge = do_merge(bob, rob, evidence={"kind": "hand"}, by=STAFF)
    while follow_merges():
        pass
    assert states(gathering) == {"Bob": "seated", "Cy": "seated"}
    do_sign_off(SignUp.objects.get(member=cy), by=cy.actor)
    do_undo_merge(merge, by=STAFF)
    while follow_merges():
        pass
    assert states(gathering) == {"Bob": "seated", "Rob": "seated", "Cy": "gone"}


def test_who_is_erased_gives_the_seat_back(group: Group) -> None:
    gathering, bob, cy = gathering_of(group, 1), guest(group, "Bob"), guest(group, "Cy")
    for member in (bob, cy):
        sign_up(gathering, member)
    do_erase(bob, by=bob.actor)
    assert states(gathering)["Cy"] == "seated"


def test_a_member_signs_up_gives_back_and_notes_that_they_came(group: Group) -> None:
    gathering = gathering_of(
        group, title="<b>Tea</b>", place="https://meet.example.org/x", online=True
    )
    bob = guest(group, "Bob")
    client, base = browser_of(bob), f"/me/{bob.pk}/gatherings"
    assert "&lt;b&gt;Tea" in client.get(base).content.decode()
    one = f"{base}/{gathering.pk}"
    assert "meet.example.org" not in client.get(one).content.decode()
    client.post(f"{one}/seat", {"on": "yes"})
    assert "meet.example.org" in client.get(one).content.decode()
    client.post(f"{one}/seat", {"on": "no"})
    assert states(gathering) == {"Bob": "gone"}
    with clock.use(clock.faster(0, SOON)):
        wrong = f"{(int(gathering.code) + 1) % 10**6:06d}"
        answers = [client.post(f"{one}/code", {"code": wrong}).status_code for _ in range(6)]
        assert answers == [400] * 5 + [429]
        cache.clear()
        client.post(f"{one}/code", {"code": gathering.code})
        assert "You were there" in client.get(one).content.decode()
    stranger = browser_of(guest(group, "Eve"))
    assert stranger.get(base).status_code == 404


def test_staff_plan_change_note_and_call_off_on_the_page(alice: User, group: Group) -> None:
    desk, base, bob = client_of(alice), "/console/care/gatherings", guest(group, "Bob")
    data = {"title": "Tea", "place": "Elm 7", "starts_at": "2026-03-04T12:00",
            "ends_at": "2026-03-04T14:00", "capacity": 5}  # fmt: skip
    bad = desk.post(f"{base}/new", {**data, "ends_at": "2026-03-04T11:00"})
    assert bad.status_code == 400
    desk.post(f"{base}/new", data)
    gathering = Gathering.objects.get()
    assert gathering.starts_at == datetime(2026, 3, 4, 4, tzinfo=UTC)  # noon in Shanghai
    one = f"{base}/{gathering.pk}"
    assert 'value="2026-03-04T12:00"' in desk.get(f"{one}/edit").content.decode()
    desk.post(f"{one}/edit", {**data, "capacity": 9})
    sign_up(gathering, bob)
    page = desk.get(one).content.decode()
    assert gathering.code in page
    assert "1 of 9 seats" in page
    desk.post(f"{one}/came/{bob.pk}")
    assert SignUp.objects.get().attended_at
    desk.post(f"{one}/off", {"why": "storm"})
    assert "called off" in desk.get(f"{base}?show=over").content.decode()
    other = make_user("dave")
    do_found("Coffee", other)
    assert client_of(other).get(one).status_code == 404


MOMENTS = st.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 5), timezones=st.just(UTC))


@given(MOMENTS, st.sampled_from([0, 24, 1]))
def test_a_reminder_is_due_once_and_never_after_the_beginning(now: datetime, last: int) -> None:
    due = find_reminder(SOON, now, last)
    if due is not None:
        assert SOON - due * HOUR <= now < SOON
        assert find_reminder(SOON, now, due) is None
        assert not last or due < last


@given(MOMENTS)
def test_attendance_is_open_around_the_gathering(now: datetime) -> None:
    assert may_attend(SOON, SOON + HOUR, now) == (SOON - HOUR <= now <= SOON + 4 * HOUR)
