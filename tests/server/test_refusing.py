"""Where an address leads nowhere, members read members' words and staff the console's."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
HERE = "Ask whoever sent it to you"
STALE = "This page was open for too long"
MEMBERS = (
    "/c/nowhere", "/c/nowhere/p/x", "/c/nowhere/poster.png", "/i/nothing/at/all", "/j/nowhere",
    "/me/99/shop/strange", "/paying/code/wrong", "/r/nowhere", "/sandbox/wrong",
)  # fmt: skip


@pytest.mark.parametrize("address", MEMBERS)
def test_members_read_their_own_words(client: Client, address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, HERE in answer.content.decode()) == (404, True)
    assert "/console" not in answer.content.decode()


def test_staff_read_the_consoles(client: Client) -> None:
    answer = client.get("/console/nowhere")
    assert answer.status_code == 404
    assert HERE not in answer.content.decode()


@pytest.mark.parametrize(
    "address", ["/c/any/do", "/me/1/till/order", "/r/any/say", "/i/any/answer"]
)
def test_a_stale_form_is_told_so_in_their_words(address: str) -> None:
    answer = Client(enforce_csrf_checks=True).post(address, {"kind": "buy"})
    assert (answer.status_code, STALE in answer.content.decode()) == (403, True)


def test_scripts_are_told_the_sentence_alone(client: Client) -> None:
    answer = client.get("/c/nowhere", headers={"accept": "application/json"})
    assert answer.status_code == 404
    assert HERE in answer.json()["error"]
