"""The worker is killed, by SIGKILL, before every statement that changes something and anywhere
in between: after the next one has run, each thing happened once, or is known to be unknown."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from qunluo.community.models import Community
from qunluo.events.models import Consumer, Event
from qunluo.groups.actions import do_join
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.messaging import channel as channels
from qunluo.messaging.actions import do_receive
from qunluo.messaging.channel import register
from qunluo.messaging.models import (
    AutoReply,
    AutoReplyUse,
    Delivery,
    Inbound,
    Message,
    Question,
    Room,
)
from qunluo.messaging.tasks import Task, list_tasks
from qunluo.messaging.worker import Rounds
from tests.cast import NOON, make_group, make_member
from tests.channels.ledger import LedgerChannel

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOON + timedelta(seconds=10)  # within the window of a welcome
AFTER = NOON + timedelta(minutes=5)  # after every lease
CHANGED = (Question, AutoReplyUse, Delivery, Inbound, Message, Room, Consumer, Event)


@pytest.fixture(params=[True, False], ids=["keys", "no keys"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerChannel]:
    before = dict(channels._channels)
    made = LedgerChannel(tmp_path / "platform.sqlite3", idempotent=request.param)
    register(made)
    yield made
    channels._channels.clear()
    channels._channels.update(before)


@pytest.fixture
def seat(platform: LedgerChannel, tea: Community) -> Membership:
    """Dora has joined a minute ago; nobody has worked since, and she has said two things."""
    group = make_group(tea, channel=platform.name, external_id="room-1")
    AutoReply.objects.create(
        community=tea, how="exact", pattern="价格", answer="88", group_cooldown_s=0,
        member_cooldown_s=3600,
    )  # fmt: skip
    with clock.use(clock.faster(0, NOON)):
        dora = make_member(tea, "Dora", channel=platform.name)
        made = do_join(group, dora, by=dora.actor)
        bring(made, "价格")
        bring(made, "几点开门？")
    return made


def bring(seat: Membership, text: str) -> Inbound:
    account = seat.member.identities.get().external_id
    body = {"group": seat.group_id, "external_id": account, "text": text}
    return do_receive(seat.group.channel, text, "message", body)


def ours() -> list[Task]:
    """What carries a message: other rooms' periodic work is tried where it is written."""
    return [task for task in list_tasks() if task.name.startswith("messaging.")]


def work(at: Any = LATER) -> None:
    with clock.use(clock.faster(0, at)):
        rounds = Rounds(ours)
        while rounds.step():
            pass


def in_process(do: Callable[[], None], *, kill_after_s: float | None = None) -> int:
    """Runs it in a process of its own; the signal that ended it, 0 if it came to its end."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            do()
            code = 0
        finally:
            os._exit(code)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the worker broke"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def killed_at(change: int) -> Callable[[], None]:
    """A worker that dies before its n-th change; commits count as well. Between two changes
    it only looks, and to die there is to die before the next."""

    def run() -> None:
        left = [change]

        def count() -> None:
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

        def wrap(execute: Any, sql: str, *args: Any) -> Any:
            if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
                count()
            return execute(sql, *args)

        connection.ensure_connection()
        commit = connection._commit  # type: ignore[attr-defined]
        connection._commit = lambda: (count(), commit())  # type: ignore[attr-defined]
        with connection.execute_wrapper(wrap):
            work()

    return run


def check(platform: LedgerChannel, seat: Membership) -> None:
    """Everything happened once; what may have been sent before somebody died is unknown where
    the platform knows no keys, and is never sent again."""
    group = Group.objects.get(pk=seat.group_id)
    assert not Inbound.objects.filter(done_at=None).exists()
    said = Counter(Message.objects.filter(label="member").values_list("text", flat=True))
    assert said == {"价格": 1, "几点开门？": 1}
    assert Message.objects.filter(kind="join").count() == 1
    assert Question.objects.count() == 1
    assert AutoReplyUse.objects.count() == 1
    revisions = sorted(Message.objects.filter(group=group).values_list("revision", flat=True))
    assert revisions == list(range(1, Room.objects.get(group=group).revision + 1))
    kinds = Counter(Delivery.objects.values_list("kind", flat=True))
    assert kinds == {"welcome": 1, "post": 1}
    check_sent(platform)


def check_sent(platform: LedgerChannel) -> None:
    sent = Counter(key for key, *_ in platform.list_sent())
    assert all(n == 1 for n in sent.values()), "something was sent twice"
    for delivery in Delivery.objects.all():
        answers = Message.objects.filter(external_id=delivery.receipt.get("external_id", "-"))
        if delivery.state == "sent":
            assert sent[delivery.key] == 1
            assert answers.count() == 1
        else:
            # a welcome's window may have closed while nobody worked
            late = delivery.kind == "welcome" and delivery.why == "expired"
            assert late or (
                delivery.state == "unknown" and not platform.capabilities.idempotent
            )
            assert not answers.exists()


def revive(seat: Membership) -> None:
    """Somebody starts the worker again, at once and later."""
    work()
    work(AFTER)


def begin_again(seat: Membership, platform: LedgerChannel) -> None:
    """The same situation as at the beginning, with a member of their own."""
    for model in (Question, AutoReplyUse, Delivery, Inbound, Message, Room):
        model.objects.all().delete()
    platform.path.unlink()
    platform.__init__(platform.path, idempotent=platform.capabilities.idempotent)  # type: ignore[misc]
    Membership.objects.all().delete()
    Group.objects.update(taken=0)
    with clock.use(clock.faster(0, NOON)):
        dora = Member.objects.get(pk=seat.member_id)
        made = do_join(Group.objects.get(pk=seat.group_id), dora, by=dora.actor)
        bring(made, "价格")
        bring(made, "几点开门？")


def test_nothing_is_lost_or_doubled_without_a_kill(
    platform: LedgerChannel, seat: Membership
) -> None:
    revive(seat)
    check(platform, seat)
    assert len(platform.list_sent()) == 2


def look(platform: LedgerChannel) -> list[object]:
    """All that the work can change, to the last field."""
    kept = [list(model.objects.order_by("pk").values_list()) for model in CHANGED]
    return [*kept, list(platform.list_sent())]


def test_killed_before_every_change(platform: LedgerChannel, seat: Membership) -> None:
    """A death that left no trace is the beginning again, of which the next one tells as much."""
    change, ended = 0, -1
    before = look(platform)
    while ended:
        change += 1
        ended = in_process(killed_at(change))
        if ended and look(platform) == before:
            continue
        revive(seat)
        check(platform, seat)
        begin_again(seat, platform)
        before = look(platform)
    assert change > 30, "the work is done in fewer changes than one would think"


def test_killed_anywhere(platform: LedgerChannel, seat: Membership) -> None:
    chance, killed = random.Random(1), 0
    for _ in range(8):
        ended = in_process(work, kill_after_s=chance.uniform(0.0, 0.15))
        killed += ended != 0
        revive(seat)
        check(platform, seat)
        begin_again(seat, platform)
    assert killed > 0


def test_without_its_claim_a_delivery_would_be_sent_twice(
    platform: LedgerChannel, seat: Membership
) -> None:
    """The race is there: two workers that only look, and don't take, both send."""
    from qunluo.messaging.outbox import _pack, find_due  # noqa: PLC0415

    if platform.capabilities.idempotent:
        return
    with clock.use(clock.faster(0, NOON)):
        delivery = Delivery.objects.create(
            community=seat.group.community, channel=platform.name, kind="post", cause="race",
            group=seat.group, body={"text": "twice"}, due_at=NOON, made_at=NOON,
        )  # fmt: skip
        both = [find_due(NOON).get(), find_due(NOON).get()]
        for one in both:
            platform.post(_pack(one))
    assert [key for key, *_ in platform.list_sent()] == [delivery.key] * 2
