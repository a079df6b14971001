"""The console's pages of tokens and webhooks: for Alice, and a secret is told once."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qunluo.api.actions import do_make_token, do_make_webhook
from qunluo.api.models import HookCall, Token, Webhook
from qunluo.api.pages import MEANINGS
from qunluo.api.scopes import ALL_SCOPES
from qunluo.community.actions import do_found
from qunluo.community.models import Community, Staff, User
from qunluo.community.rules import Role, may
from qunluo.kit import clock
from tests.api.calling import Program
from tests.cast import client_of, make_staff, make_user

pytestmark = pytest.mark.django_db

KEYS, HOOKS = "/console/keys", "/console/keys/webhooks"
HOSTILE = "<img src=x onerror=alert(1)>"
URL = "https://198.51.100.7/hook"


@pytest.fixture
def public(settings: Any) -> None:
    """QUNLUO_WEBHOOKS_LOCAL=yes: the example addresses of the RFCs are not of the internet."""
    settings.QUNLUO = replace(settings.QUNLUO, webhooks_local=True)


@pytest.fixture
def desk(tea: Community, alice: User) -> Client:
    return client_of(alice)


def page_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def secret_in(page: str) -> str:
    [found] = re.findall(r'id="the-secret" value="([^"]+)"', page)
    return str(found)


def call_of(hook: Webhook, **more: Any) -> HookCall:
    values = {"event_id": 1, "body": {"type": "member_met"}, "state": "failed", "attempts": 9,
              "status": 500, "answer": HOSTILE, **more}  # fmt: skip
    return HookCall.objects.create(webhook=hook, due_at=clock.now(), at=clock.now(), **values)


def test_every_scope_is_explained() -> None:
    assert set(MEANINGS) == set(ALL_SCOPES)


def test_a_token_is_made_works_and_is_told_once(desk: Client) -> None:
    asked = {"name": HOSTILE, "scopes": ["groups:read"]}
    answer = desk.post(KEYS, asked)
    assert "no-store" in answer["Cache-Control"]
    secret = secret_in(answer.content.decode())
    assert Program(secret, Token.objects.get()).get("groups")["items"] == []
    again = page_of(desk, KEYS)
    assert secret not in again
    assert secret[:12] in again
    assert HOSTILE not in again


def test_what_was_typed_stays_where_it_is_wrong(desk: Client) -> None:
    answer = desk.post(KEYS, {"name": "shop", "scopes": []})
    assert answer.status_code == 400
    assert 'value="shop"' in answer.content.decode()
    answer = desk.post(KEYS, {"name": "", "scopes": ["groups:read"]})
    assert 'value="groups:read" checked' in answer.content.decode()
    answer = desk.post(KEYS, {"name": "x", "scopes": ["all:write"]})
    assert answer.status_code == 400
    assert not Token.objects.exists()


def test_a_revoked_token_opens_nothing(desk: Client, program: Program) -> None:
    desk.post(f"{KEYS}/{program.token.pk}/revoke")
    assert program.refused("GET", "groups") == (401, "no_token")
    assert "revoked" in page_of(desk, KEYS)
    assert desk.get(f"{KEYS}/{program.token.pk}/revoke").status_code == 405


def test_a_webhook_is_made_and_its_secret_told_once(desk: Client, public: None) -> None:
    answer = desk.post(HOOKS, {"url": URL, "kinds": "member_met, member_left"})
    secret = secret_in(answer.content.decode())
    assert secret.startswith("whsec_")
    hook = Webhook.objects.get()
    assert hook.kinds == ["member_left", "member_met"]
    for address in (HOOKS, f"{HOOKS}/{hook.pk}"):
        page = page_of(desk, address)
        assert URL in page
        assert secret not in page


@pytest.mark.parametrize(
    ("url", "kinds"),
    [("ftp://198.51.100.7", ""), ("http://127.0.0.1/x", ""), (URL, "No!"), (URL, "a " * 61)],
)
def test_a_strange_webhook_is_refused_and_stays_typed(
    desk: Client, url: str, kinds: str
) -> None:
    answer = desk.post(HOOKS, {"url": url, "kinds": kinds})
    assert answer.status_code == 400
    assert f'value="{url}"' in answer.content.decode()
    assert not Webhook.objects.exists()


def test_one_that_switched_itself_off_says_why_and_is_switched_on(
    desk: Client, tea: Community, public: None
) -> None:
    hook, _ = do_make_webhook(tea, url=URL, by="staff:1")
    Webhook.objects.update(active=False, off_why="failing", failures=30)
    for address in (HOOKS, f"{HOOKS}/{hook.pk}"):
        assert "It failed 30 times in a row and was switched off." in page_of(desk, address)
    desk.post(f"{HOOKS}/{hook.pk}/switch", {"on": "1"})
    hook.refresh_from_db()
    assert (hook.active, hook.off_why, hook.failures) == (True, "", 0)
    desk.post(f"{HOOKS}/{hook.pk}/switch", {"on": "0"})
    hook.refresh_from_db()
    assert not hook.active


def test_what_was_given_up_is_sent_again(desk: Client, tea: Community, public: None) -> None:
    hook, _ = do_make_webhook(tea, url=URL, by="staff:1")
    call = call_of(hook)
    page = page_of(desk, f"{HOOKS}/{hook.pk}")
    assert "given up" in page
    assert HOSTILE not in page
    desk.post(f"{HOOKS}/{hook.pk}/calls/{call.pk}/redeliver")
    call.refresh_from_db()
    assert (call.state, call.attempts) == ("planned", 0)


def test_a_webhook_is_removed(desk: Client, tea: Community, public: None) -> None:
    hook, _ = do_make_webhook(tea, url=URL, by="staff:1")
    desk.post(f"{HOOKS}/{hook.pk}/remove")
    assert not Webhook.objects.exists()


def test_who_may_not_gets_nothing(tea: Community, role: Role, carol: User) -> None:
    staff = make_staff(tea, role)
    expected = 200 if may(role, "manage_api") else 403
    for address in (KEYS, HOOKS):
        assert client_of(staff.user).get(address).status_code == expected
        assert client_of(carol).get(address).status_code == 404
        assert client_of().get(address).status_code == 302
    shown = reverse("keys:tokens") in client_of(staff.user).get("/console/").content.decode()
    assert shown == may(role, "manage_api")


def test_another_community_is_out_of_reach(desk: Client, public: None) -> None:
    other = do_found("Coffee", make_user("dan"))
    token, _ = do_make_token(
        Staff.objects.get(community=other), name="till", scopes=["groups:read"]
    )
    hook, _ = do_make_webhook(other, url=URL, by="staff:1")
    call = call_of(hook)
    assert desk.get(f"{HOOKS}/{hook.pk}").status_code == 404
    for what in (f"{KEYS}/{token.pk}/revoke", f"{HOOKS}/{hook.pk}/switch",
                 f"{HOOKS}/{hook.pk}/remove", f"{HOOKS}/{hook.pk}/calls/{call.pk}/redeliver"):  # fmt: skip
        assert desk.post(what).status_code == 404
    assert "till" not in page_of(desk, KEYS)
    token.refresh_from_db()
    assert token.revoked_at is None
    assert Webhook.objects.filter(pk=hook.pk, active=True).exists()
