"""A member's own page: what is kept of them, and that they rule over it."""

from __future__ import annotations

import io
import zipfile

import pytest

from qunluo.channels.web.models import DirectItem, WebSession
from qunluo.channels.web.sessions import (
    COOKIE,
    do_open_session,
    do_revoke_sessions,
    find_session,
)
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import Consent, Identity, Member
from qunluo.members.queries import may_send
from tests.cast import client_of
from tests.h5.people import browser_of, seated, send

pytestmark = pytest.mark.django_db


def test_a_stranger_sees_that_nothing_is_kept() -> None:
    assert "Nothing is kept of you" in client_of().get("/me").content.decode()


def test_it_shows_groups_names_and_what_was_said_to_them(group: Group) -> None:
    client, bob = seated(group)
    DirectItem.objects.create(member=bob, key="d", text="Welcome, Bob", at=clock.now())
    page = client.get("/me").content.decode()
    for words in ("Tea friends", "Welcome, Bob", f"/r/{group.code}", "Erase me"):
        assert words in page


def test_a_name_can_be_changed_but_not_emptied(group: Group) -> None:
    client, bob = seated(group)
    client.post(f"/me/{bob.pk}/name", {"name": "Robert"})
    assert client.post(f"/me/{bob.pk}/name", {"name": " "}).status_code == 400
    bob.refresh_from_db()
    assert bob.name == "Robert"


@pytest.mark.parametrize("path", ["name", "consent", "opt-out", "export", "erase", "leave/1"])
def test_nobody_touches_somebody_else(group: Group, path: str) -> None:
    _, bob = seated(group)
    dora, _ = seated(group, "Dora")
    for client in (dora, client_of()):
        answer = client.post(f"/me/{bob.pk}/{path}", {"name": "X", "sure": "yes"})
        assert answer.status_code == 404


def test_consent_is_switched_with_the_words_that_were_shown(group: Group) -> None:
    client, bob = seated(group)
    for granted in ("yes", ""):
        client.post(
            f"/me/{bob.pk}/consent",
            {"purpose": "marketing", "channel": "web", "granted": granted},
        )
        assert may_send(bob, "marketing", "web") is bool(granted)
    assert "offers and events" in Consent.objects.filter(member=bob).latest("id").words


def test_opting_out_ends_everything_on_the_channel(group: Group) -> None:
    client, bob = seated(group)
    client.post(
        f"/me/{bob.pk}/consent", {"purpose": "marketing", "channel": "web", "granted": "yes"}
    )
    client.post(f"/me/{bob.pk}/opt-out", {"channel": "web"})
    assert not may_send(bob, "marketing", "web")
    assert not may_send(bob, "service", "web")


def test_everything_kept_can_be_taken_along(group: Group) -> None:
    client, bob = seated(group)
    answer = client.post(f"/me/{bob.pk}/export")
    assert answer["Content-Type"] == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_erasing_asks_once_more_and_then_forgets(group: Group) -> None:
    client, bob = seated(group)
    send(client, f"/r/{group.code}/say", key="k" * 12, text="My words")
    DirectItem.objects.create(member=bob, key="d", text="Welcome, Bob", at=clock.now())
    assert client.post(f"/me/{bob.pk}/erase").status_code == 400
    assert Identity.objects.filter(member=bob).exists()
    answer = client.post(f"/me/{bob.pk}/erase", {"sure": "yes"})
    assert "You are forgotten" in answer.content.decode()
    assert not Identity.objects.filter(member=bob).exists()
    assert not DirectItem.objects.filter(member=bob).exists()
    assert not WebSession.objects.filter(revoked_at=None).exists()
    assert client.get(f"/r/{group.code}").status_code == 302


def test_leaving_ends_the_seat_and_nothing_else(group: Group) -> None:
    client, bob = seated(group)
    seat = Membership.objects.get(member=bob)
    client.post(f"/me/{bob.pk}/leave/{seat.pk}")
    seat.refresh_from_db()
    assert seat.left_why == "left"
    assert client.get(f"/r/{group.code}")["Location"] == f"/j/{group.code}"


def test_signing_out_ends_every_browser_of_the_account(group: Group) -> None:
    client, bob = seated(group)
    other = browser_of(bob)
    client.post("/me/sign-out")
    assert other.get(f"/r/{group.code}").status_code == 302


def test_a_forged_or_revoked_cookie_names_nobody(bob: Member) -> None:
    session, cookie = do_open_session("account")
    found = find_session(cookie)
    assert found is not None
    assert found.pk == session.pk
    for forged in (None, "", "x", cookie[:-1], cookie + "x", "sessionid"):
        assert find_session(forged) is None
    assert do_revoke_sessions("account") == 1
    assert find_session(cookie) is None


def test_the_token_itself_is_not_stored(bob: Member) -> None:
    _, cookie = do_open_session("account")
    stored = WebSession.objects.values_list("token_hash", flat=True)
    assert all(len(value) == 64 and value not in cookie for value in stored)
    assert COOKIE not in client_of().get("/me").cookies
