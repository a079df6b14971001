"""The sample community: founded once, labelled, and living through the doors people use."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.community.models import Community, Staff
from qunluo.events.models import Event
from qunluo.groups.models import Case, Group, Membership
from qunluo.kit import clock
from qunluo.living import acts
from qunluo.living.acts import Stage
from qunluo.living.clocks import SPEED, keep, kept_clock, read_kept, start_of_play
from qunluo.living.play import ACTS, OPENING, pause_s, perform, play
from qunluo.living.rhythm import HOURS, liveliness, moments
from qunluo.members.models import Member
from qunluo.messaging.models import Delivery, Message, Question, Room
from qunluo.messaging.worker import step

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_clock_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(clock.VARIABLE, raising=False)
    assert read_kept(tmp_path) is None
    with kept_clock(tmp_path) as first:
        assert first.speed == SPEED
        assert abs(clock.now() - start_of_play()) < timedelta(minutes=10)
        shown = clock.now()
    keep(tmp_path, shown + 9 * DAY)
    with kept_clock(tmp_path):
        assert shown + 9 * DAY <= clock.now() <= shown + 9 * DAY + timedelta(hours=1)


def test_a_clock_that_is_set_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clock.VARIABLE, "0,0,3")
    with kept_clock(tmp_path) as chosen:
        assert chosen.speed == 3


def test_a_broken_note_of_the_clock_is_none(tmp_path: Path) -> None:
    (tmp_path / "clock.json").write_text("{", encoding="utf-8")
    assert read_kept(tmp_path) is None


@given(seed=st.integers(0, 10_000), days=st.integers(1, 20), per_day=st.floats(1, 200))
def test_moments_lie_in_order_within_their_days(seed: int, days: int, per_day: float) -> None:
    found = list(moments(Random(seed), START, START + days * DAY, per_day))
    assert found == sorted(found)
    assert all(START < at < START + days * DAY for at in found)
    wanted = days * per_day
    assert abs(len(found) - wanted) < 6 * wanted**0.5 + 6


def test_the_night_is_silent_and_the_evening_lively() -> None:
    evening, night = START.replace(hour=13), START.replace(hour=19)  # 21:00 and 3:00 there
    assert liveliness(evening) > 20 * liveliness(night)
    assert abs(sum(liveliness(START + timedelta(hours=h)) for h in range(24)) / 24 - 1) < 1e-9
    assert len(HOURS) == 24


def test_every_simulated_member_is_labelled(sample: Community) -> None:
    assert sample.simulated
    assert "示例" in sample.name
    assert not Member.objects.filter(community=sample, simulated=False).exists()
    assert Staff.objects.filter(community=sample).count() == 3


def test_the_history_agrees_with_itself(sample: Community) -> None:
    for group in Group.objects.filter(community=sample):
        inside = Membership.objects.filter(group=group, left_at=None).count()
        assert group.taken == inside <= group.capacity
        last = Message.objects.filter(group=group).count()
        assert Room.objects.get(group=group).revision == last
    now = clock.now()
    assert not Message.objects.filter(at__gt=now).exists()
    assert not Membership.objects.filter(joined_at__gt=now).exists()
    kinds = Counter(Event.objects.values_list("kind", flat=True))
    assert kinds["member_joined"] == Membership.objects.count()
    assert kinds["message_posted"] == Message.objects.count()


def test_nobody_is_welcomed_for_a_past_that_was_written(sample: Community) -> None:
    for _ in range(5):
        step()
    told = Delivery.objects.values_list("kind", "cause")
    assert {kind for kind, _ in told} <= {"direct"}  # supporters, guests, who gave a testimony
    causes = {cause.split(":")[0] for _, cause in told}
    assert causes <= {"wish", "testimony", "gathering", "campaign"}  # who won something, too


def test_each_act_does_what_people_do(sample: Community) -> None:
    stage = Stage(sample, Random(3))
    before = Message.objects.count()
    assert acts.join(stage)
    assert acts.talk(stage)
    assert acts.ask(stage)
    assert acts.reply(stage)
    assert acts.react(stage)
    assert acts.nickname(stage)
    assert acts.tag(stage)
    assert acts.ask_in(stage)
    assert acts.leave(stage)
    assert Message.objects.count() >= before + 3
    newest = Member.objects.filter(community=sample).latest("pk")
    assert newest.simulated
    assert newest.touches.exists()
    assert newest.consents.filter(granted=True).exists()


def test_spam_becomes_cases_appeals_and_decisions(sample: Community) -> None:
    stage = Stage(sample, Random(5))
    for _ in range(12):
        perform(acts.spam, stage)
    assert Case.objects.filter(community=sample, shadow=False).exists()
    while not Case.objects.filter(act__in=("warn", "remove", "ban"), shadow=False).exists():
        perform(acts.spam, stage)
    assert acts.appeal(stage)
    with clock.use(clock.faster(0, clock.now() + timedelta(hours=2))):
        assert acts.decide(stage)
    assert Case.objects.exclude(decided_by="").exists()


def test_questions_wait_a_while_before_the_sample_answers_them(sample: Community) -> None:
    stage = Stage(sample, Random(7))
    for _ in range(6):
        acts.ask(stage)
    waiting = Question.objects.filter(answered_at=None).count()
    assert waiting
    assert not acts.answer(stage)
    with clock.use(clock.faster(0, clock.now() + timedelta(minutes=10))):
        assert acts.answer(stage)
    assert Question.objects.filter(answered_at=None).count() == waiting - 1


def test_a_visitor_is_never_made_to_speak(sample: Community) -> None:
    seat = Membership.objects.filter(group__community=sample, left_at=None).latest("pk")
    Member.objects.filter(pk=seat.member_id).update(simulated=False)
    inside = set(Stage(sample, Random(1)).seats().values_list("member_id", flat=True))
    assert seat.member_id not in inside


def test_a_long_play_keeps_the_books(sample: Community) -> None:
    stage = Stage(sample, Random(11))
    names = [act for act, often in ACTS.items() for _ in range(max(1, often // 40))]
    start = clock.now()
    for number, act in enumerate([*OPENING, *names]):
        with clock.use(clock.faster(0, start + timedelta(minutes=3 * number))):
            perform(act, stage)
            step()
    for group in Group.objects.filter(community=sample):
        assert group.taken == Membership.objects.filter(group=group, left_at=None).count()
    assert not Member.objects.filter(community=sample, simulated=False).exists()


def test_the_pause_is_bearable_at_any_hour() -> None:
    random = Random(1)
    for hour in range(24):
        with clock.use(clock.faster(12, START + timedelta(hours=hour))):
            assert 0.2 <= pause_s(random) <= 15


def test_it_stops_when_it_is_told(db: None) -> None:
    stop = threading.Event()
    stop.set()
    play(stop)
