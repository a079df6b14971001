"""Getting in: passwords, the second factor, the first owner, roles and settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from qunluo.community.actions import do_found
from qunluo.community.models import Community, Staff, User
from qunluo.community.queries import settings_of
from qunluo.community.rules import DEFAULTS
from qunluo.console.starting import setup_code
from qunluo.events.models import Event
from qunluo.groups.models import Group
from tests.cast import client_of, make_staff, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"
SIGN_IN = "/console/sign-in"


@pytest.fixture(autouse=True)
def no_guesses() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def enter(client: Client, name: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post(SIGN_IN, {"username": name, "password": password, **more})


def told(page: Any) -> list[str]:
    return re.findall(r'role="alert">([^<]+)<', page.content.decode())


def test_the_right_password_leads_to_the_page_that_was_wanted(tea: Community) -> None:
    client = client_of()
    assert client.get("/console/groups")["Location"] == f"{SIGN_IN}?next=/console/groups"
    assert enter(client, "alice", next="/console/groups")["Location"] == "/console/groups"
    assert client.get("/console/groups").status_code == 200


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_to_another_site(tea: Community, to: str) -> None:
    assert enter(client_of(), "alice", next=to)["Location"] == "/console/"


def test_a_wrong_name_and_a_wrong_password_look_the_same(tea: Community) -> None:
    User.objects.filter(username="alice").update(is_active=True)
    unknown, wrong = enter(client_of(), "nobody"), enter(client_of(), "alice", "guess")
    assert (
        (unknown.status_code, told(unknown))
        == (wrong.status_code, told(wrong))
        == (403, told(wrong))
    )
    assert told(wrong)


def test_guessing_ends_even_with_the_right_password(tea: Community) -> None:
    client = client_of()
    assert [enter(client, "alice", "guess").status_code for _n in range(6)] == [403] * 5 + [429]
    assert enter(client, "alice").status_code == 429
    assert enter(client_of(), "alice").status_code == 429


def test_signing_out_ends_the_session(tea: Community, alice: User) -> None:
    client = client_of(alice)
    assert client.get("/console/sign-out").status_code == 405
    client.post("/console/sign-out")
    assert client.get("/console/").status_code == 302


def switch_on(client: Client, user: User) -> list[str]:
    """The second factor by its pages; the backup codes that were shown."""
    client.get("/console/account/two-factor")
    page = client.post("/console/account/two-factor", {"code": right_code(user)})
    return re.findall(r"<code>(c\w{10})</code>", page.content.decode())


def right_code(user: User) -> str:
    return f"{TOTP(TOTPDevice.objects.get(user=user).bin_key).token():06}"


def test_with_a_second_factor_the_password_alone_opens_nothing(
    tea: Community, alice: User
) -> None:
    mine = client_of(alice)
    codes = switch_on(mine, alice)
    assert len(set(codes)) == 10
    assert mine.get("/console/").status_code == 200
    client = client_of()
    enter(client, "alice")
    for path in (
        "/console/",
        "/console/account",
        "/console/account/two-factor",
        "/console/choose",
    ):
        assert client.get(path)["Location"].startswith("/console/code")
    off = client.post("/console/account/two-factor/off", {"password": PASSWORD})
    assert off["Location"] == "/console/code"
    assert TOTPDevice.objects.filter(confirmed=True).exists()
    assert client.post("/console/code", {"code": codes[0]})["Location"] == "/console/"
    assert client.get("/console/").status_code == 200


def test_a_backup_code_opens_once(tea: Community, alice: User) -> None:
    codes = switch_on(client_of(alice), alice)
    assert _by_code(codes[0]) == 302
    assert _by_code(codes[0]) == 403


def _by_code(code: str) -> int:
    client = client_of()
    enter(client, "alice")
    return int(client.post("/console/code", {"code": code}).status_code)


def test_codes_cant_be_guessed(tea: Community, alice: User) -> None:
    switch_on(client_of(alice), alice)
    client = client_of()
    enter(client, "alice")
    assert [client.post("/console/code", {"code": "c0"}).status_code for _n in range(6)][
        -1
    ] == 429


def test_the_owner_may_require_a_second_factor_of_all(tea: Community) -> None:
    tea.settings = {"two_factor": True}
    tea.save()
    post = make_staff(tea, "analyst")
    client = client_of(post.user)
    assert client.get("/console/")["Location"] == "/console/account/two-factor"
    switch_on(client, post.user)
    assert client.get("/console/").status_code == 200


def test_who_works_for_two_communities_chooses(tea: Community, alice: User) -> None:
    other = do_found("Coffee", alice)
    foreign = do_found("Carol's", make_user("carol2"))
    client = client_of(alice)
    assert client.get("/console/")["Location"] == "/console/choose"
    client.post("/console/choose", {"community": foreign.pk})
    assert client.get("/console/")["Location"] == "/console/choose"
    client.post("/console/choose", {"community": other.pk})
    assert "Coffee" in client.get("/console/").content.decode()


OWNER = {"name": "alice", "password": "a sentence only I know"}


def test_an_empty_install_leads_to_a_group_with_a_link() -> None:
    client = client_of()
    assert client.get("/")["Location"] == "/console/start"
    client.post("/console/start", OWNER)
    client.post("/console/start", {"name": "茶友", "zone": "Asia/Shanghai", "lang": "zh-hans"})
    client.post("/console/start/group", {"name": "Tea", "purpose": "to talk", "gives": "tea"})
    group = Group.objects.get()
    assert f"/j/{group.code}" in client.get("/console/start/group").content.decode()
    assert client.get("/")["Location"] == "/console/"
    assert Staff.objects.get().role == "owner"


def test_a_weak_password_is_refused_and_the_name_is_kept() -> None:
    page = client_of().post("/console/start", {"name": "alice", "password": "short"})
    assert page.status_code == 400
    assert 'value="alice"' in page.content.decode()
    assert not User.objects.exists()


def test_only_who_started_the_server_becomes_the_owner() -> None:
    client, far = client_of(), {"REMOTE_ADDR": "10.0.0.9"}
    assert client.post("/console/start", {**OWNER, "setup": "guess"}, **far).status_code == 400
    assert not User.objects.exists()
    client.post("/console/start", {**OWNER, "setup": setup_code()}, **far)
    assert User.objects.get().username == "alice"


def test_the_setup_code_cant_be_guessed() -> None:
    client, far = client_of(), {"REMOTE_ADDR": "10.0.0.8"}
    tries = [client.post("/console/start", {**OWNER, "setup": "x"}, **far) for _n in range(6)]
    assert [t.status_code for t in tries] == [400] * 5 + [429]


def test_the_start_is_closed_once_there_is_an_owner(tea: Community, carol: User) -> None:
    client_of().post("/console/start", {**OWNER, "name": "mallory"})
    client_of(carol).post("/console/start", {"name": "Mine", "zone": "UTC", "lang": "en"})
    assert not User.objects.filter(username="mallory").exists()
    assert Community.objects.count() == 1


def test_settings_are_kept_recorded_and_refused_with_what_was_typed(
    tea: Community, alice: User
) -> None:
    client = client_of(alice)
    wanted: dict[str, Any] = {"name": "Tea", "zone": "UTC", "lang": "en", "answer_within_min": 10,
                              "quiet_from": 21, "quiet_until": 9, "direct_cap_per_day": 1,
                              "welcome_within_s": 20, "trusted_after": 20, "newcomer_hours": 24,
                              "remind_at": 0.5, "remove_at": 0.9, "strike_days": 30,
                              "nickname_reminders": 2,
                              "dear_order_minor": DEFAULTS.dear_order_minor,
                              "currency": "CNY", "points_days": 90}  # fmt: skip
    bad = client.post("/console/settings", {**wanted, "remind_at": 0.95, "quiet_from": 77})
    assert bad.status_code == 400
    assert 'value="77"' in bad.content.decode()
    assert client.post("/console/settings", wanted).status_code == 302
    tea.refresh_from_db()
    assert tea.settings == {"answer_within_min": 10, "quiet_from": 21, "quiet_until": 9,
                            "direct_cap_per_day": 1, "points_days": 90}  # fmt: skip
    assert settings_of(tea).quiet_from == 21
    assert Event.objects.filter(kind="settings_changed").get().data["quiet_from"] == 21


def test_the_last_owner_stays_and_a_dismissed_one_is_out(tea: Community, alice: User) -> None:
    client, post = client_of(alice), Staff.objects.get(user=alice)
    client.post(f"/console/staff/{post.pk}", {"role": "analyst"})
    post.refresh_from_db()
    assert post.role == "owner"
    other = make_staff(tea, "moderator")
    theirs = client_of(other.user)
    assert theirs.get("/console/").status_code == 200
    client.post(f"/console/staff/{other.pk}", {"role": "none"})
    assert theirs.get("/console/").status_code == 404


def test_a_new_colleague_signs_in_with_the_role_given(tea: Community, alice: User) -> None:
    client_of(alice).post("/console/staff", {"username": "dan", "shown": "Dan", "role": "analyst",
                                             "password": PASSWORD})  # fmt: skip
    theirs = client_of()
    enter(theirs, "dan")
    assert theirs.get("/console/groups").status_code == 200
    assert theirs.get("/console/settings").status_code == 403
    record = client_of(alice).get("/console/record").content.decode()
    assert "gave a role" in record
