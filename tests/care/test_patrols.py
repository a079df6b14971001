"""The patrol rota: what is due, what was missed, and that a round is done once."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.care.errors import NoRoundError, PatrolDoneError, WrongSlotError
from qunluo.care.models import PatrolSlot
from qunluo.care.patrols import (
    do_end_slot,
    do_make_slot,
    do_note_patrol,
    list_patrolled,
    list_planned,
    list_slots,
)
from qunluo.care.rules import Slot, find_round, judge_round, list_rounds, may_note
from qunluo.community.models import Community, User
from qunluo.events.models import Event
from qunluo.groups.models import Group
from qunluo.kit import clock
from tests.cast import NOON, client_of, make_group, make_staff

pytestmark = pytest.mark.django_db
STAFF = "staff:1"
MONDAY = date(2026, 3, 2)  # the day of NOON
ZONE = ZoneInfo("Asia/Shanghai")


def slot_of(
    community: Community,
    days: list[int],
    since: int,
    until: int,
    groups: list[Group] | None = None,
) -> PatrolSlot:
    """Made six days before noon."""
    with clock.use(clock.faster(0, NOON - timedelta(days=6))):
        return do_make_slot(community, staff=None, groups=groups or [], days=days,
                            since=time(since), until=time(until), by=STAFF)  # fmt: skip


def states(community: Community, now: datetime = NOON) -> list[str]:
    return [one.state for one in list_planned(community, now)]


def test_a_round_is_due_in_its_hours_missed_after_and_coming_before(tea: Community) -> None:
    slot_of(tea, [0], 11, 13)
    slot_of(tea, [0], 9, 10)
    slot_of(tea, [0], 20, 21)
    assert states(tea) == ["missed", "due", "coming"]


def test_a_round_is_done_once_with_what_was_ticked(tea: Community, noon: datetime) -> None:
    slot = slot_of(tea, [0], 11, 13)
    do_note_patrol(slot, MONDAY, ticked=["greeted"], note="two fights", by=STAFF)
    with pytest.raises(PatrolDoneError):
        do_note_patrol(slot, MONDAY, ticked=[], by="staff:2")
    assert states(tea) == ["done"]
    assert Event.objects.filter(kind="patrol_done").count() == 1


@pytest.mark.parametrize("on", [MONDAY - timedelta(days=7), MONDAY + timedelta(days=1)])
def test_a_round_of_another_time_can_not_be_noted(
    tea: Community, noon: datetime, on: date
) -> None:
    slot = slot_of(tea, [0, 1], 11, 13)
    with pytest.raises(NoRoundError):
        do_note_patrol(slot, on, ticked=[], by=STAFF)


def test_a_night_round_ends_on_the_next_day(tea: Community) -> None:
    slot_of(tea, [6], 23, 13)
    assert states(tea) == ["due"]


def test_a_slot_that_was_just_made_missed_nothing(tea: Community, noon: datetime) -> None:
    do_make_slot(tea, staff=None, groups=[], days=list(range(7)), since=time(9),
                 until=time(10), by=STAFF)  # fmt: skip
    assert states(tea) == []


def test_what_was_missed_stays_when_a_slot_ends(tea: Community, noon: datetime) -> None:
    slot = slot_of(tea, [0], 9, 10)
    do_end_slot(slot, by=STAFF)
    do_end_slot(slot, by=STAFF)
    assert states(tea) == ["missed"]
    assert list_slots(tea) == []
    assert Event.objects.filter(kind="patrol_slot_ended").count() == 1


def test_a_slot_is_for_its_groups_or_for_all_that_run(tea: Community) -> None:
    one, other = make_group(tea, "A"), make_group(tea, "B")
    make_group(tea, "C", state="dissolved")
    assert list_patrolled(slot_of(tea, [0], 9, 10, [one])) == [one]
    assert set(list_patrolled(slot_of(tea, [0], 9, 10))) == {one, other}


@pytest.mark.parametrize(("days", "until"), [([], 10), ([9], 10), ([0], 9)])
def test_a_slot_needs_days_and_hours(tea: Community, days: list[int], until: int) -> None:
    with pytest.raises(WrongSlotError):
        do_make_slot(tea, staff=None, groups=[], days=days, since=time(9), until=time(until),
                     by=STAFF)  # fmt: skip


def test_staff_put_on_the_rota_and_note_on_the_page(
    alice: User, tea: Community, noon: datetime
) -> None:
    desk, base = client_of(alice), "/console/care/patrols"
    post = make_staff(tea, "moderator", "<b>Mo</b>")
    data = {"staff": post.pk, "days": [0, 3], "since": "11:00", "until": "13:00"}
    assert desk.post(f"{base}/add", {**data, "days": []}).status_code == 400
    desk.post(f"{base}/add", data)
    assert "Round 11:00–13:00" in desk.get("/console/").content.decode()
    page = desk.get(base).content.decode()
    assert "&lt;b&gt;Mo" in page
    assert "1 round is due now" in page
    slot = PatrolSlot.objects.get()
    line = "Newcomers are greeted by a person"
    assert desk.post(f"{base}/{slot.pk}/note", {"on": "x"}).status_code == 404
    desk.post(f"{base}/{slot.pk}/note", {"on": "2026-03-02", "ticked": [line, "made up"]})
    assert slot.patrols.get().ticked == [line]
    assert "No round is due now" in desk.get(base).content.decode()
    desk.post(f"{base}/{slot.pk}/end")
    assert list_slots(tea) == []


HOURS = st.integers(0, 23).map(time)
SLOTS = st.builds(
    Slot, id=st.just(1), days=st.frozensets(st.integers(0, 6), min_size=1), since=HOURS,
    until=HOURS, made_at=st.just(datetime(2026, 1, 1, tzinfo=UTC)),
)  # fmt: skip
ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]).map(ZoneInfo)


@given(SLOTS, st.dates(date(2026, 2, 1), date(2026, 11, 30)), ZONES)
def test_rounds_are_on_their_days_and_no_longer_than_a_day(
    slot: Slot, first: date, zone: ZoneInfo
) -> None:
    for one in list_rounds(slot, first, first + timedelta(days=8), zone):
        assert one.on.weekday() in slot.days
        assert one.ends - one.begins <= timedelta(hours=25)
        assert one.begins.astimezone(zone).date() == one.on


@given(SLOTS, st.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 9), timezones=st.just(UTC)))
def test_a_round_is_in_one_state_and_noted_only_once_it_began(
    slot: Slot, now: datetime
) -> None:
    for one in list_rounds(slot, date(2026, 3, 1), date(2026, 3, 9), ZONE):
        state = judge_round(one, now, done=False)
        assert state == (
            "coming" if now < one.begins else "due" if now < one.ends else "missed"
        )
        if state in ("coming", "due"):
            assert may_note(one, now) == (state == "due")
        assert judge_round(one, now, done=True) == "done"
        assert find_round(slot, one.on, ZONE) == one
