"""Incidents open by themselves where something goes wrong, once, and people work through them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.care.errors import (
    IncidentMovedError,
    IncidentOpenError,
    WordsMissingError,
    WrongOptionError,
)
from qunluo.care.handbook import (
    NAMES,
    PHASES,
    do_set_trigger,
    find_trigger,
    list_steps,
    options_of,
    read_handbook,
)
from qunluo.care.incidents import (
    do_close_incident,
    do_handle_incident,
    do_note_incident,
    do_open_incident,
    do_own_incident,
    do_reopen_incident,
    do_tick_step,
)
from qunluo.care.models import Incident
from qunluo.care.rules import (
    TRIGGERS,
    Sign,
    find_words,
    judge_leaves,
    judge_negatives,
    judge_refunds,
)
from qunluo.care.tasks import follow_talk
from qunluo.community.models import Community, User
from qunluo.events.actions import record
from qunluo.events.models import Consumer, Event
from qunluo.groups.actions import do_leave
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.models import Member
from qunluo.messaging.actions import do_post
from tests.cast import NOON, client_of, make_group, make_member, make_staff

pytestmark = pytest.mark.django_db(transaction=True)  # what is followed must be committed
STAFF = "staff:1"
SIGN = Sign(Text("The shop burns", "店里着火了"), {})


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    """Nothing moves but what a test moves."""
    return noon


def watch() -> None:
    while follow_talk():
        pass


def complain(group: Group, people: int, each: int = 1, text: str = "茶壶漏了") -> None:
    for number in range(people):
        member = make_member(group.community, f"M{number}")
        for _ in range(each):
            do_post(group, text=text, member=member, label="member")


def leave(group: Group, n: int) -> None:
    for number in range(n):
        member = make_member(group.community, f"L{number}")
        seat = Membership.objects.create(group=group, member=member, joined_at=clock.now())
        do_leave(seat, why="left", by=member.actor)


def kinds() -> list[str]:
    return list(Incident.objects.order_by("pk").values_list("kind", flat=True))


def test_a_burst_of_complaints_opens_one_incident_with_its_evidence(group: Group) -> None:
    duty = make_staff(group.community, "moderator")
    duty.on_duty = True
    duty.save()
    complain(group, 3, each=2)
    watch()
    incident = Incident.objects.get()
    assert (incident.kind, incident.group, incident.owner) == ("negatives", group, duty)
    assert incident.evidence["n"] == 6
    assert len(incident.evidence["messages"]) == 6
    complain(group, 5)
    watch()
    Consumer.objects.filter(name="care.talk").update(transaction=0, position=0)
    watch()
    assert kinds() == ["negatives"]


def test_one_angry_person_is_no_burst_and_neither_are_two_groups(group: Group) -> None:
    complain(group, 1, each=9)
    other = make_group(group.community, "Coffee")
    complain(other, 2, each=2)
    watch()
    assert kinds() == []


def test_a_named_word_opens_one_at_once_where_a_member_said_it(group: Group) -> None:
    do_post(group, text="我们不卖假货", label="auto")
    watch()
    assert kinds() == []
    complain(group, 1, text="I call my LAWYER now")
    watch()
    incident = Incident.objects.get()
    assert (incident.kind, incident.evidence["words"]) == ("words", ["lawyer"])


def test_a_spike_of_leaves_opens_one_but_a_group_that_closes_does_not(group: Group) -> None:
    leave(group, 4)
    watch()
    assert kinds() == []
    leave(group, 1)
    watch()
    assert kinds() == ["leaves"]
    other = make_group(group.community, "Old", state="closing")
    leave(other, 9)
    watch()
    assert kinds() == ["leaves"]


def test_many_refunds_open_one_for_the_whole_community(tea: Community, bob: Member) -> None:
    for order in range(5):
        record("order_refunded", community=tea.pk, member=bob.pk, data={"order": str(order)})
    watch()
    incident = Incident.objects.get()
    assert (incident.kind, incident.group) == ("refunds", None)
    with pytest.raises(IncidentOpenError):
        do_open_incident(tea, "refunds", SIGN)


def test_what_was_closed_opens_again_only_for_what_is_new(group: Group) -> None:
    complain(group, 5)
    watch()
    do_close_incident(Incident.objects.get(), "we sent new pots", by=STAFF)
    with clock.use(clock.faster(0, NOON + timedelta(minutes=5))):
        complain(group, 1)
        watch()
        assert kinds() == ["negatives"]
        complain(group, 5)
        watch()
        assert kinds() == ["negatives", "negatives"]


def test_a_trigger_that_is_off_opens_nothing(group: Group) -> None:
    do_set_trigger(group.community, "negatives", options=TRIGGERS["negatives"], active=False,
                   scripts={}, by=STAFF)  # fmt: skip
    complain(group, 6)
    watch()
    assert kinds() == []


def test_an_incident_is_owned_worked_through_and_closed(group: Group) -> None:
    owner = make_staff(group.community, "operator")
    incident = do_open_incident(group.community, "hand", SIGN, group=group, by=STAFF)
    do_own_incident(incident, owner, by=STAFF)
    do_note_incident(incident, "called the shop", by=STAFF)
    do_tick_step(incident, "during:0", True, words="Write down", by=STAFF)
    do_tick_step(incident, "during:0", True, words="Write down", by=STAFF)
    do_handle_incident(incident, by=STAFF)
    with pytest.raises(IncidentMovedError):
        do_handle_incident(incident, by=STAFF)
    with pytest.raises(WordsMissingError):
        do_close_incident(incident, " ", by=STAFF)
    do_close_incident(incident, "it was only smoke", by=STAFF)
    whats = list(incident.notes.order_by("pk").values_list("what", flat=True))
    assert whats == ["opened", "owned", "noted", "done", "handled", "closed"]
    recorded = Event.objects.filter(kind__startswith="incident").order_by("pk")
    assert [e.kind for e in recorded][-2:] == ["incident_handled", "incident_closed"]
    assert all("smoke" not in str(e.data) for e in recorded)
    for act in (lambda: do_close_incident(incident, "again", by=STAFF),
                lambda: do_own_incident(incident, owner, by=STAFF)):  # fmt: skip
        with pytest.raises(IncidentMovedError):
            act()


def test_reopening_gives_way_to_one_that_is_open(group: Group) -> None:
    first = do_open_incident(group.community, "hand", SIGN, group=group)
    do_close_incident(first, "over", by=STAFF)
    do_reopen_incident(first, by=STAFF)
    do_close_incident(first, "over", by=STAFF)
    do_open_incident(group.community, "hand", SIGN, group=group)
    with pytest.raises(IncidentOpenError):
        do_reopen_incident(first, by=STAFF)
    assert do_open_incident(group.community, "hand", SIGN).group is None


def test_the_handbook_has_every_script_in_both_languages() -> None:
    book = read_handbook()
    assert set(book) == set(NAMES) == set(TRIGGERS)
    for phases in book.values():
        assert set(phases) == set(PHASES)
        assert all(step.en and step.zh for steps in phases.values() for step in steps)
        assert all(phases.values())


def test_a_community_writes_its_own_script_and_can_go_back(tea: Community) -> None:
    usual = list_steps(find_trigger(tea, "leaves"), "during", "en")
    same = "\n".join(
        step.words for step in list_steps(find_trigger(tea, "leaves"), "after", "zh")
    )
    for during in ("Call Alice\n\n Wait ", ""):
        do_set_trigger(tea, "leaves", options={"members": 2, "hours": 1, "times": 1},
                       active=True, scripts={"during": during, "after": same}, by=STAFF)  # fmt: skip
        steps = list_steps(find_trigger(tea, "leaves"), "during", "en")
        assert [s.words for s in steps] == (["Call Alice", "Wait"] if during else
                                            [s.words for s in usual])  # fmt: skip
    assert find_trigger(tea, "leaves").after == ""
    assert options_of(find_trigger(tea, "leaves"))["members"] == 2
    with pytest.raises(WrongOptionError):
        do_set_trigger(tea, "leaves", options={"members": 0}, active=True, scripts={}, by=STAFF)


def test_staff_work_on_the_pages_and_home_shows_what_is_open(alice: User, group: Group) -> None:
    desk, base = client_of(alice), "/console/care/incidents"
    assert "Nothing is wrong" in desk.get(base).content.decode()
    desk.post(f"{base}/open", {"why": "<b>Smoke</b>", "group": group.pk})
    incident = Incident.objects.get()
    assert "&lt;b&gt;Smoke" in desk.get("/console/").content.decode()
    post = group.community.staff.get()
    for path, data in (("own", {"owner": post.pk}), ("note", {"text": "looked"}),
                       ("tick", {"step": "during:0", "on": "yes"}), ("move", {"to": "handled"})):  # fmt: skip
        assert desk.post(f"{base}/{incident.pk}/{path}", data).status_code == 302
    page = desk.get(f"{base}/{incident.pk}").content.decode()
    assert "looked" in page
    assert "Under control" in page
    desk.post(f"{base}/{incident.pk}/move", {"to": "closed", "outcome": "only smoke"})
    assert "only smoke" in desk.get(f"{base}?show=closed").content.decode()
    desk.post(f"{base}/{incident.pk}/move", {"to": "open"})
    incident.refresh_from_db()
    assert incident.state == "open"


def test_what_opens_incidents_is_set_on_a_page(alice: User, tea: Community) -> None:
    desk = client_of(alice, "zh")
    assert "集中抱怨" in desk.get("/console/care/triggers").content.decode()
    page = desk.get("/console/care/triggers/words").content.decode()
    assert "投诉" in page
    bad = desk.post("/console/care/triggers/leaves", {"members": 0, "hours": 1, "times": 1})
    assert bad.status_code == 400
    desk.post("/console/care/triggers/words", {"active": "on", "words": "着火，漏水"})
    assert options_of(find_trigger(tea, "words"))["words"] == ["着火", "漏水"]


MOMENTS = st.lists(st.integers(-30 * 24 * 60, 10).map(lambda m: NOON + timedelta(minutes=m)))


@given(MOMENTS, st.integers(1, 5), st.integers(1, 48))
def test_refunds_open_one_exactly_when_enough_are_in_the_window(
    at: list[datetime], orders: int, hours: int
) -> None:
    n = sum(NOON - timedelta(hours=hours) < t <= NOON for t in at)
    assert (judge_refunds(at, NOON, {"orders": orders, "hours": hours}) is not None) == (
        n >= orders
    )


@given(MOMENTS, st.floats(0, 30))
def test_as_many_leaves_as_usual_open_nothing(at: list[datetime], days: float) -> None:
    sign = judge_leaves(at, NOON, {"members": 3, "hours": 24, "times": 3}, days=days)
    if sign is not None:
        assert sign.evidence["n"] >= max(3, 3 * sign.evidence["usual"] - 0.02)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 99), st.integers(1, 4), MOMENTS.map(lambda m: (m or [NOON])[0])
        )
    )
)
def test_a_burst_is_of_several_people_within_minutes(
    said: list[tuple[int, int, datetime]],
) -> None:
    sign = judge_negatives(said, NOON, {"messages": 3, "people": 2, "minutes": 60})
    late = [s for s in said if NOON - timedelta(hours=1) < s[2] <= NOON]
    enough = len(late) >= 3 and len({s[1] for s in late}) >= 2
    assert (sign is not None) == enough


def test_words_of_letters_are_whole_words_and_chinese_ones_are_found_inside() -> None:
    assert find_words("a SCAM!", ["scam"]) == ["scam"]
    assert find_words("scampi", ["scam"]) == []
    assert find_words("我要投诉你们", ["投诉", " "]) == ["投诉"]
    assert find_words("order 3150", ["315"]) == []
