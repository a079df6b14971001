"""What a message, a joiner and a moderator set off, through to what the platform was told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.actions import (
    do_close_group,
    do_join,
    do_leave,
    do_open_successor,
    next_name,
)
from qunluo.groups.models import Case, Group, Membership
from qunluo.groups.moderation import do_act, do_ensure_rules, do_set_rule, do_undo_case
from qunluo.kit import clock
from qunluo.members.actions import do_set_consent
from qunluo.members.erasing import do_erase
from qunluo.members.models import Member
from qunluo.messaging import channel as channels
from qunluo.messaging.actions import do_name, do_plan_delivery, do_process, do_receive
from qunluo.messaging.channel import Parcel, Receipt, RefusedError, UnreachableError, register
from qunluo.messaging.models import AutoReply, Delivery, Inbound, Message, Question
from qunluo.messaging.outbox import claim, do_settle_unknown, try_deliver_one
from qunluo.messaging.tasks import follow_cases
from qunluo.messaging.worker import Rounds
from tests.cast import NOON, make_group, make_member
from tests.channels.ledger import LedgerChannel

pytestmark = pytest.mark.django_db(transaction=True)
NIGHT = datetime(2026, 3, 2, 16, tzinfo=UTC)  # midnight in Shanghai
AD = "加微信 vx888888 兼职日赚500，刷单返利 https://spam.example.cn"


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    """Nothing moves but what a test moves."""
    return noon


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[LedgerChannel]:
    before = dict(channels._channels)
    made = LedgerChannel(tmp_path / "platform.sqlite3", idempotent=False)
    register(made)
    yield made
    channels._channels.clear()
    channels._channels.update(before)


@pytest.fixture
def place(platform: LedgerChannel, tea: Community) -> Group:
    return make_group(tea, channel=platform.name, external_id="room-1", gives="fresh tea")


@pytest.fixture
def dora(place: Group) -> Member:
    return make_member(place.community, "Dora", channel=place.channel)


@pytest.fixture
def seat(place: Group, dora: Member) -> Membership:
    seat = do_join(place, dora, by=dora.actor)
    work()
    return seat


def work(at: datetime = NOON) -> None:
    """The worker, until nothing is left to do."""
    with clock.use(clock.faster(0, at)):
        rounds = Rounds()
        while rounds.step():
            pass


def say(seat: Membership, text: str, key: str = "k1", at: datetime = NOON) -> Inbound:
    body = {"community": seat.group.community_id, "group": seat.group_id, "text": text,
            "external_id": seat.member.identities.get().external_id}  # fmt: skip
    with clock.use(clock.faster(0, at)):
        inbound = do_receive(seat.group.channel, key, "message", body)
        do_process(inbound)
    work(at)
    return inbound


def texts(platform: LedgerChannel, kind: str = "post") -> list[str]:
    return [text for _, k, _, text in platform.list_sent() if k == kind]


# joiners


def test_a_joiner_is_welcomed_by_name_within_the_window(
    noon: datetime, platform: LedgerChannel, place: Group, dora: Member
) -> None:
    seat = do_join(place, dora, by=dora.actor)
    work(noon + timedelta(seconds=1))
    (welcome,) = texts(platform, "welcome")
    assert "Dora" in welcome
    assert "fresh tea" in welcome
    seat.refresh_from_db()
    assert seat.welcomed_at == noon + timedelta(seconds=1)
    assert Event.objects.get(kind="welcome_sent").data["after_s"] == 1.0
    assert [m.kind for m in Message.objects.order_by("id")] == ["join", "text"]


def test_a_burst_is_greeted_together(
    noon: datetime, platform: LedgerChannel, place: Group, tea: Community
) -> None:
    for n in range(3):
        do_join(place, make_member(tea, f"n{n}", place.channel), by="system")
    work(noon)
    for n in range(3, 8):
        do_join(place, make_member(tea, f"n{n}", place.channel), by="system")
        work(noon)
    assert len(texts(platform, "welcome")) == 1
    work(noon + timedelta(seconds=4))
    first, second = texts(platform, "welcome")
    assert [f"n{n}" in first for n in range(8)] == [True] * 3 + [False] * 5
    assert [f"n{n}" in second for n in range(8)] == [False] * 3 + [True] * 5
    assert not Membership.objects.filter(welcomed_at=None).exists()


def test_nobody_is_welcomed_after_the_window_or_after_leaving(
    noon: datetime, platform: LedgerChannel, place: Group, dora: Member, tea: Community
) -> None:
    do_join(place, dora, by="system")
    work(noon + timedelta(minutes=1))
    gone = do_join(
        make_group(tea, "Gone", channel=place.channel, external_id="g"), dora, by="x"
    )
    do_leave(gone, why="left", by=dora.actor)
    work()
    assert texts(platform, "welcome") == []
    assert Delivery.objects.get(kind="welcome").why == "expired"


def test_who_refused_service_messages_is_not_called_by_name(
    noon: datetime, platform: LedgerChannel, place: Group, dora: Member
) -> None:
    do_set_consent(dora, "service", place.channel, False, words="no", by=dora.actor)
    do_join(place, dora, by="system")
    work()
    assert texts(platform, "welcome") == []


# goodbyes


def test_a_group_that_staff_close_says_goodbye_once_and_names_the_next(
    noon: datetime, platform: LedgerChannel, seat: Membership, place: Group
) -> None:
    Group.objects.filter(pk=place.pk).update(made_at=noon - timedelta(days=10))
    do_open_successor(place, by="staff:1")
    do_close_group(place, by="staff:1", why="season over")
    work()
    work()
    (told,) = texts(platform)
    assert place.name in told
    assert next_name(place.name) in told


# answers and questions


def test_a_known_question_is_answered_and_not_repeated(
    platform: LedgerChannel, seat: Membership, tea: Community
) -> None:
    AutoReply.objects.create(community=tea, how="contains", pattern="几点", answer="9 点开门")
    say(seat, "你们几点开门？", "k1")
    say(seat, "几点？", "k2", NOON + timedelta(seconds=5))
    assert texts(platform) == ["9 点开门"]
    say(seat, "几点？", "k3", NOON + timedelta(minutes=11))
    assert texts(platform) == ["9 点开门"] * 2
    assert not Question.objects.exists()
    reply = Message.objects.filter(label="auto", text="9 点开门").earliest("id")
    assert reply.reply_to == Message.objects.get(text="你们几点开门？")


def test_outside_business_hours_the_question_waits_for_somebody(
    platform: LedgerChannel, seat: Membership, tea: Community
) -> None:
    AutoReply.objects.create(
        community=tea, how="contains", pattern="几点", answer="9 点", hours=[[9, 18]]
    )
    say(seat, "几点开门？", at=NIGHT)
    assert texts(platform) == []
    question = Question.objects.get()
    assert question.due_at == NIGHT + timedelta(minutes=30)


def test_an_answer_at_night_does_not_wait_for_the_morning(
    platform: LedgerChannel, seat: Membership, tea: Community
) -> None:
    AutoReply.objects.create(community=tea, how="exact", pattern="地址", answer="南京路 1 号")
    say(seat, "地址", at=NIGHT)
    assert texts(platform) == ["南京路 1 号"]


def test_nicknames_are_asked_for_twice_at_most(
    platform: LedgerChannel, seat: Membership, place: Group
) -> None:
    Group.objects.filter(pk=place.pk).update(nickname="{city}-{nick}")
    seat.refresh_from_db()
    for n in range(5):
        say(seat, "hello", f"k{n}", NOON + timedelta(days=n, hours=1))
    assert len([t for t in texts(platform) if "上海-Dora" in t]) == 2


def test_the_welcome_shows_a_nickname_to_follow_to_who_has_none(
    platform: LedgerChannel, place: Group, dora: Member, tea: Community
) -> None:
    Group.objects.filter(pk=place.pk).update(nickname="{city}-{nick}")
    place.refresh_from_db()
    for member in (dora, make_member(tea, "北京-小满", place.channel)):
        do_join(place, member, by=member.actor)
        work(NOON if member == dora else NOON + timedelta(seconds=5))
    first, second = texts(platform, "welcome")
    assert "上海-Dora" in first
    assert "格式" not in second
    assert "{" not in first + second


def test_a_reminder_that_is_counted_goes_out(
    platform: LedgerChannel, seat: Membership, place: Group, noon: datetime
) -> None:
    Group.objects.filter(pk=place.pk).update(nickname="{city}-{nick}")
    found = Membership.objects.get(pk=seat.pk)
    do_name(found, "just me", by=seat.member.actor)
    do_name(found, "still me", by=seat.member.actor)
    work()
    (told,) = texts(platform)
    assert "Dora" in told
    assert Membership.objects.get(pk=seat.pk).reminders == 1


# moderation


def switch_on(tea: Community) -> None:
    for rule in do_ensure_rules(tea):
        do_set_rule(rule, by="system", shadow=False)


def test_an_advert_is_judged_and_the_member_told(
    platform: LedgerChannel, seat: Membership, tea: Community
) -> None:
    switch_on(tea)
    for n in range(4):
        say(seat, f"{AD}{n}", f"k{n}", NOON + timedelta(minutes=n))
    acts = list(Case.objects.order_by("id").values_list("act", flat=True))
    assert acts[0] == "remind"
    assert "remove" in acts or "ban" in acts
    hidden = Message.objects.filter(label="member").exclude(hidden_at=None).count()
    assert hidden == len([a for a in acts if a != "remind"])
    assert len(texts(platform)) == len([a for a in acts if a in ("remind", "warn")])
    assert texts(platform, "remove") == [""]
    assert not Question.objects.exists()


def test_what_staff_did_by_hand_shows_and_comes_back(
    platform: LedgerChannel, seat: Membership, dora: Member
) -> None:
    say(seat, "buy my tea")
    said = Message.objects.filter(text="buy my tea")
    case = do_act(seat.group, dora, "warn", by="staff:1", why="ad", message_id=said.get().pk)
    work()
    assert not said.filter(hidden_at=None).exists()
    do_undo_case(case, by="staff:1", why="no")
    work()
    assert said.filter(hidden_at=None).exists()
    assert len(texts(platform)) == 1


def test_who_was_restored_in_time_is_not_put_out(
    platform: LedgerChannel, seat: Membership, dora: Member
) -> None:
    case = do_act(seat.group, dora, "remove", by="staff:1", why="ad")
    follow_cases()
    do_undo_case(case, by="staff:1", why="no")
    work()
    assert texts(platform, "remove") == []
    assert Delivery.objects.get(kind="remove").state == "dropped"


# what leaves


def direct(dora: Member, n: int, at: datetime, **more: object) -> Delivery:
    with clock.use(clock.faster(0, at)):
        return do_plan_delivery(
            dora.community, channel="ledger", kind="direct", cause=f"d{n}", member=dora,
            body={"text": f"hello {n}"}, **more,  # type: ignore[arg-type]
        )  # fmt: skip


def test_the_cap_of_a_day_defers_to_the_next_morning(
    platform: LedgerChannel, dora: Member
) -> None:
    sent = [direct(dora, n, NOON) for n in range(5)]
    work(NOON)
    assert len(texts(platform, "direct")) == 2
    for one in sent[2:]:
        one.refresh_from_db()
        assert (one.state, one.due_at) == ("planned", NOON + timedelta(hours=20))
    work(NOON + timedelta(hours=20))
    assert len(texts(platform, "direct")) == 4
    work(NOON + timedelta(hours=44))
    assert len(texts(platform, "direct")) == 5


def test_the_night_defers_and_loses_nothing(platform: LedgerChannel, dora: Member) -> None:
    direct(dora, 1, NIGHT)
    work(NIGHT)
    assert texts(platform, "direct") == []
    work(NIGHT + timedelta(hours=8))
    assert texts(platform, "direct") == ["hello 1"]


def test_consent_counts_when_it_leaves_not_when_it_was_planned(
    platform: LedgerChannel, dora: Member
) -> None:
    do_set_consent(dora, "marketing", "ledger", True, words="yes", by=dora.actor)
    one = direct(dora, 1, NOON, purpose="marketing")
    do_set_consent(dora, "marketing", "ledger", False, words="no", by=dora.actor)
    work()
    one.refresh_from_db()
    assert (one.state, one.why) == ("dropped", "no consent")


def test_one_cause_is_one_delivery(platform: LedgerChannel, dora: Member) -> None:
    assert direct(dora, 1, NOON) == direct(dora, 1, NOON)


def test_nothing_goes_to_who_was_erased(platform: LedgerChannel, dora: Member) -> None:
    one = direct(dora, 1, NOON)
    do_erase(dora, by="staff:1")
    work()
    one.refresh_from_db()
    assert (one.state, one.body) == ("dropped", {})
    assert platform.list_sent() == []


class Broken(LedgerChannel):
    """Fails in one way, then works."""

    def __init__(self, path: Path, error: Exception, *, idempotent: bool = False) -> None:
        super().__init__(path, idempotent=idempotent)
        self.errors = [error]

    def direct(self, parcel: Parcel) -> Receipt:
        if self.errors:
            raise self.errors.pop()
        return super().direct(parcel)


@pytest.mark.parametrize(("error", "idempotent", "state"), [
    (UnreachableError("busy"), False, "sent"),
    (RefusedError("blocked"), False, "failed"),
    (TimeoutError("no answer"), False, "unknown"),
    (TimeoutError("no answer"), True, "sent"),
])  # fmt: skip
def test_what_fails_is_tried_again_only_where_that_is_safe(
    platform: LedgerChannel, dora: Member, tmp_path: Path, error: Exception, idempotent: bool,
    state: str,
) -> None:  # fmt: skip
    register(Broken(tmp_path / "b.sqlite3", error, idempotent=idempotent))
    one = direct(dora, 1, NOON)
    work()
    work(NOON + timedelta(minutes=2))
    one.refresh_from_db()
    assert one.state == state
    if state == "unknown":
        assert do_settle_unknown(one, sent=False, by="staff:1")
        work(NOON + timedelta(minutes=3))
        one.refresh_from_db()
        assert one.state == "sent"


def test_a_platform_that_stays_away_is_given_up_in_the_end(
    platform: LedgerChannel, dora: Member, tmp_path: Path
) -> None:
    broken = Broken(tmp_path / "b.sqlite3", UnreachableError("busy"))
    broken.errors *= 50
    register(broken)
    one = direct(dora, 1, NOON)
    for n in range(12):
        work(NOON + timedelta(minutes=n * 20))
    one.refresh_from_db()
    assert (one.state, one.attempts) == ("failed", 6)


def test_a_receipt_says_that_it_arrived(platform: LedgerChannel, dora: Member) -> None:
    one = direct(dora, 1, NOON)
    work()
    one.refresh_from_db()
    assert one.state == "sent"
    body = {"external_id": one.receipt["external_id"], "state": "received"}
    do_process(do_receive("ledger", "r1", "receipt", body))
    one.refresh_from_db()
    assert one.state == "received"


def test_two_workers_take_a_delivery_once(platform: LedgerChannel, dora: Member) -> None:
    one = direct(dora, 1, NOON)
    with clock.use(clock.faster(0, NOON)):
        assert claim(one.pk)
        assert claim(one.pk) is None
        assert not try_deliver_one()


# what comes in


@pytest.mark.parametrize(("kind", "more"), [
    ("joined", {}), ("left", {}), ("reaction", {"message": 1, "emoji": "👍"}),
    ("recall", {"message": 1}), ("profile", {"name": "New"}), ("message", {"text": "hello"}),
])  # fmt: skip
def test_a_group_that_nobody_knows_is_put_aside(
    platform: LedgerChannel, kind: str, more: dict[str, object]
) -> None:
    inbound = do_receive("ledger", "k", kind, {"group": 999, "external_id": "x", **more})
    assert do_process(inbound) is None
    assert inbound.why == "no_such_group"


def test_somebody_joins_speaks_and_leaves_on_the_platform(
    platform: LedgerChannel, place: Group
) -> None:
    who = {"group": place.pk, "external_id": "ed-1", "name": "Ed"}

    def bring(kind: str, **more: object) -> Inbound:
        inbound = do_receive("ledger", f"{kind}-1", kind, {**who, **more})
        do_process(inbound)
        return inbound

    bring("joined")
    message = bring("message", text="hello", message_id="m1").message
    assert message
    bring("reaction", message_id="m1", emoji="👍")
    message.refresh_from_db()
    assert list(message.reactions) == ["👍"]
    bring("recall", message_id="m1")
    message.refresh_from_db()
    assert message.recalled_at
    bring("profile", name="Edward")
    bring("left")
    seat = Membership.objects.get(member__name="Edward")
    assert seat.left_why == "left"


def test_who_may_not_come_in_is_put_out_on_the_platform(
    platform: LedgerChannel, place: Group
) -> None:
    Group.objects.filter(pk=place.pk).update(capacity=0)
    body = {"group": place.pk, "external_id": "ed-1", "name": "Ed"}
    inbound = do_receive("ledger", "j1", "joined", body)
    do_process(inbound)
    work()
    assert inbound.why == "group_full"
    assert texts(platform, "remove") == [""]


def test_a_newcomers_link_is_out_of_sight_until_a_moderator_has_seen_it(
    noon: datetime, platform: LedgerChannel, seat: Membership, tea: Community
) -> None:
    for rule in do_ensure_rules(tea):
        do_set_rule(rule, by="staff:1", shadow=False)
    said = say(seat, "看这个 https://news.example.com/a")
    assert said.message is not None
    case = Case.objects.get()
    assert (case.act, case.message_id) == ("hold", said.message.pk)
    said.message.refresh_from_db()
    assert said.message.hidden_at is not None
    (told,) = texts(platform)
    assert "Dora" in told
    do_undo_case(case, by="staff:1", why="a good link")
    work()
    said.message.refresh_from_db()
    assert said.message.hidden_at is None


def test_what_breaks_is_put_aside_and_holds_up_nothing(
    platform: LedgerChannel, seat: Membership
) -> None:
    do_receive("ledger", "bad", "joined", {"group": seat.group_id})  # without an account
    good = {"group": seat.group_id, "external_id": seat.member.identities.get().external_id,
            "text": "hello"}  # fmt: skip
    do_receive("ledger", "good", "message", good)
    work()
    assert Message.objects.filter(text="hello").count() == 1
    bad = Inbound.objects.get(key="bad")
    assert (bad.attempts, bad.why) == (5, "KeyError")
    assert bad.done_at
