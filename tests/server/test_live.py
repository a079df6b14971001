"""The live stream, as its own process: who may listen, and that nothing is lost or doubled."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from django.conf import settings

from qunluo.channels.web.models import DirectItem
from qunluo.channels.web.sessions import COOKIE, do_open_session, do_revoke_sessions
from qunluo.community.models import Community
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import Identity, Member
from qunluo.messaging.actions import do_post
from qunluo.messaging.models import Message, Room
from tests.cast import client_of, make_member, make_staff
from tests.running import Ear, Servers, servers, status_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def started(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    with servers(tmp_path_factory.mktemp("servers"), web=False) as both:
        yield both


@pytest.fixture
def running(transactional_db: None, started: Servers) -> Servers:
    started.revive()
    return started


@pytest.fixture
def seat(group: Group, bob: Member) -> Membership:
    return Membership.objects.create(group=group, member=bob, joined_at=clock.now())


def cookie_of(member: Member) -> str:
    account = Identity.objects.get(member=member).external_id
    return f"{COOKIE}={do_open_session(account)[1]}"


def post(group: Group, text: str) -> Message:
    return do_post(group, text=text, label="auto")


def test_a_member_hears_what_is_said_as_it_is_said(
    running: Servers, group: Group, seat: Membership
) -> None:
    post(group, "before")
    ear = Ear(running.live.port, group.code, cookie=cookie_of(seat.member))
    assert ear.answer.headers["Content-Type"].startswith("text/event-stream")
    assert ear.texts(1) == ["before"]
    began = time.monotonic()
    message = post(group, "now")
    event = ear.event()
    assert time.monotonic() - began < 3
    assert event["id"] == str(message.revision)
    assert [item["text"] for item in event["data"]] == ["now"]
    ear.close()


def test_a_listener_goes_on_where_they_were(
    running: Servers, group: Group, seat: Membership
) -> None:
    first, second = post(group, "one"), post(group, "two")
    post(group, "three")
    cookie = cookie_of(seat.member)
    by_page = Ear(running.live.port, group.code, first.revision, cookie=cookie)
    assert by_page.texts(2) == ["two", "three"]
    by_browser = Ear(
        running.live.port, group.code, first.revision, cookie=cookie,
        last_event_id=str(second.revision),
    )  # fmt: skip
    assert by_browser.texts(1) == ["three"]
    by_page.close()
    by_browser.close()


def test_only_members_and_staff_listen(
    running: Servers, tea: Community, group: Group, seat: Membership
) -> None:
    stranger = make_member(tea, "Eve")
    staff = client_of(make_staff(tea, "moderator").user)
    analyst = client_of(make_staff(tea, "analyst").user)
    name = settings.SESSION_COOKIE_NAME
    cases = {
        "": 403, "nonsense=1": 403, cookie_of(stranger): 403,
        f"{name}={analyst.cookies[name].value}": 403, f"{name}={staff.cookies[name].value}": 200,
    }  # fmt: skip
    for cookie, status in cases.items():
        assert status_of(running.live.port, group.code, cookie=cookie) == status
    revoked = cookie_of(seat.member)
    do_revoke_sessions(Identity.objects.get(member=seat.member).external_id)
    assert status_of(running.live.port, group.code, cookie=revoked) == 403
    assert status_of(running.live.port, "none", cookie=cookie_of(seat.member)) == 403


def test_only_our_own_pages_may_read_the_answer(
    running: Servers, group: Group, seat: Membership
) -> None:
    cookie, ours = cookie_of(seat.member), f"http://127.0.0.1:{running.web.port}"
    ear = Ear(running.live.port, group.code, cookie=cookie, origin=ours)
    assert ear.answer.headers["Access-Control-Allow-Origin"] == ours
    assert ear.answer.headers["Access-Control-Allow-Credentials"] == "true"
    ear.close()
    for strange in ("http://evil.example", "http://127.0.0.1:1", "null"):
        assert status_of(running.live.port, group.code, cookie=cookie, origin=strange) == 403
    assert status_of(running.live.port, group.code, cookie=cookie, host="evil.example") == 403


def test_who_is_removed_hears_nothing_more(
    running: Servers, group: Group, seat: Membership
) -> None:
    ear = Ear(running.live.port, group.code, cookie=cookie_of(seat.member))
    post(group, "for all")
    assert ear.texts(1) == ["for all"]
    Membership.objects.filter(pk=seat.pk).update(left_at=clock.now(), left_why="removed")
    post(group, "not for Bob")
    heard = ear.event()
    while [item["text"] for item in heard["data"]] == ["for all"]:  # items may come twice
        heard = ear.event()
    assert heard["event"] == "gone"
    with pytest.raises(EOFError):
        ear.event()
    ear.close()


def test_what_is_said_to_one_member_is_heard_by_them_alone(
    running: Servers, tea: Community, group: Group, seat: Membership
) -> None:
    dora = make_member(tea, "Dora")
    Membership.objects.create(group=group, member=dora, joined_at=clock.now())
    DirectItem.objects.create(member=seat.member, key="1", text="Old news", at=clock.now())
    ears = [
        Ear(running.live.port, group.code, cookie=cookie_of(m)) for m in (seat.member, dora)
    ]
    assert ears[0].event()["data"][0]["text"] == "Old news"
    post(group, "all hear this")
    assert [ear.texts(1) for ear in ears] == [["all hear this"]] * 2
    DirectItem.objects.create(member=seat.member, key="2", text="Welcome", at=clock.now())
    assert ears[0].event()["data"][0]["text"] == "Welcome"
    post(group, "again")
    assert ears[1].texts(1) == ["again"]
    for ear in ears:
        ear.close()


def test_everybody_hears_everything_once(
    running: Servers, group: Group, seat: Membership
) -> None:
    cookie, wanted = cookie_of(seat.member), [f"message {n}" for n in range(30)]
    ears = [Ear(running.live.port, group.code, cookie=cookie) for _ in range(30)]
    heard: list[list[str]] = [[] for _ in ears]
    threads = [
        threading.Thread(target=lambda n=n: heard[n].extend(ears[n].texts(30)))
        for n in range(len(ears))
    ]
    for thread in threads:
        thread.start()
    for text in wanted:
        post(group, text)
    for thread in threads:
        thread.join(20)
    assert heard == [wanted] * len(ears)
    for ear in ears:
        ear.close()


def test_nothing_is_lost_when_the_process_is_killed(
    running: Servers, group: Group, seat: Membership
) -> None:
    cookie = cookie_of(seat.member)
    ear = Ear(running.live.port, group.code, cookie=cookie)
    post(group, "one")
    event = ear.event()
    running.live.kill()
    post(group, "two")
    running.live.start()
    post(group, "three")
    again = Ear(running.live.port, group.code, int(event["id"]), cookie=cookie)
    assert again.texts(2) == ["two", "three"]
    again.close()
    ear.close()


def test_who_was_away_for_very_long_loads_the_page_again(
    running: Servers, group: Group, seat: Membership
) -> None:
    post(group, "one")
    Room.objects.filter(pk=group.pk).update(revision=5_000)
    ear = Ear(running.live.port, group.code, cookie=cookie_of(seat.member))
    assert ear.event()["event"] == "reset"
    ear.close()
