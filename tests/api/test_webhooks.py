"""Events arrive at webhooks: signed, once more if need be, and never inside the house."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.api.actions import do_make_webhook, do_redeliver
from qunluo.api.errors import TooManyWebhooksError, WrongAddressError
from qunluo.api.models import HookCall, Webhook
from qunluo.api.rules import DELAYS, OFF_AFTER, is_public, judge_url, plan_retry, sign, wants
from qunluo.api.sending import send
from qunluo.api.tasks import claim_call, step
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.messaging.worker import Rounds
from tests.api.calling import Program
from tests.cast import NOON

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Receiver:
    """A real HTTP server that keeps what it is sent."""

    url: str
    status: int = 204
    location: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(kept.status)
            if kept.location:
                self.send_header("Location", kept.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept = Receiver(f"http://127.0.0.1:{server.server_port}/hook?x=1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def local(settings: Any) -> None:
    """QUNLUO_WEBHOOKS_LOCAL=yes."""
    settings.QUNLUO = replace(settings.QUNLUO, webhooks_local=True)


def run() -> None:
    for _ in range(100):
        if not step():
            return


def make(tea: Community, receiver: Receiver, *kinds: str) -> tuple[Webhook, str]:
    return do_make_webhook(tea, url=receiver.url, kinds=kinds, by="staff:1")


def test_an_event_arrives_once_and_signed(
    tea: Community, receiver: Receiver, local: None
) -> None:
    hook, secret = make(tea, receiver, "member_met")
    record("member_met", community=tea.pk, member=7, data={"channel": "web"})
    record("member_left", community=tea.pk, member=7)
    run()
    run()
    [(headers, body)] = receiver.got
    told = json.loads(body)
    assert told["type"] == "member_met"
    assert told["data"]["member_id"] == 7
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - clock.now().timestamp()) < 60
    call = HookCall.objects.get(webhook=hook)
    assert (call.state, call.status, call.attempts) == ("sent", 204, 1)


def test_the_worker_sends_beside_its_rounds(
    tea: Community, receiver: Receiver, local: None
) -> None:
    """A round of the real worker plans the call and doesn't wait for the receiver."""
    make(tea, receiver, "member_met")
    record("member_met", community=tea.pk, member=7)
    for _ in range(100):
        Rounds().step()
        if HookCall.objects.filter(state="sent").exists():
            break
        time.sleep(0.05)
    for thread in threading.enumerate():
        if thread.name == "webhooks":
            thread.join()
    assert len(receiver.got) == 1


def test_the_secret_is_sealed(tea: Community, receiver: Receiver, local: None) -> None:
    hook, secret = make(tea, receiver)
    assert secret not in hook.secret_sealed


def test_another_community_is_told_nothing(
    tea: Community, receiver: Receiver, local: None
) -> None:
    make(tea, receiver, "member_met")
    record("member_met", community=tea.pk + 1)
    run()
    assert receiver.got == []


def test_a_failure_is_tried_again_later_under_the_same_id(
    tea: Community, receiver: Receiver, local: None
) -> None:
    with clock.use(clock.faster(0, NOON)):
        make(tea, receiver, "member_met")
        record("member_met", community=tea.pk)
        receiver.status = 503
        run()
    assert len(receiver.got) == 1
    call = HookCall.objects.get()
    assert (call.state, call.status) == ("planned", 503)
    assert call.due_at == NOON + DELAYS[0]
    receiver.status = 200
    with clock.use(clock.faster(0, NOON + DELAYS[0])):
        run()
    assert HookCall.objects.get().state == "sent"
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert Webhook.objects.get().failures == 0


def test_a_call_is_given_up_in_the_end_and_can_be_sent_again(
    tea: Community, receiver: Receiver, local: None
) -> None:
    now = NOON
    receiver.status = 500
    with clock.use(clock.faster(0, now)):
        make(tea, receiver, "member_met")
        record("member_met", community=tea.pk)
        run()
    for delay in DELAYS:
        now += delay
        with clock.use(clock.faster(0, now)):
            run()
    assert HookCall.objects.get().state == "failed"
    assert len(receiver.got) == len(DELAYS) + 1
    receiver.status = 200
    do_redeliver(HookCall.objects.get())
    run()
    assert HookCall.objects.get().state == "sent"


def test_a_receiver_that_keeps_failing_is_switched_off(
    tea: Community, receiver: Receiver, local: None, program: Program
) -> None:
    receiver.status = 500
    hook, _ = make(tea, receiver, "member_met")
    for _ in range(OFF_AFTER + 5):
        record("member_met", community=tea.pk)
    run()
    hook.refresh_from_db()
    assert (hook.active, hook.off_why) == (False, "failing")
    assert len(receiver.got) == OFF_AFTER
    shown = program.patch(f"webhooks/{hook.pk}", {"active": True})
    assert (shown["active"], shown["failures"], shown["off_why"]) == (True, 0, "")


def test_a_worker_that_died_lets_go(tea: Community, receiver: Receiver, local: None) -> None:
    with clock.use(clock.faster(0, NOON)):
        make(tea, receiver, "member_met")
        record("member_met", community=tea.pk)
        assert step()  # planned and sent
        HookCall.objects.update(state="planned", claimed_until=None)
        assert claim_call() is not None
        assert claim_call() is None  # another worker finds nothing
    with clock.use(clock.faster(0, NOON + timedelta(minutes=3))):
        assert claim_call() is not None


def test_a_redirect_is_not_followed(tea: Community, receiver: Receiver, local: None) -> None:
    receiver.status, receiver.location = 302, receiver.url + "&again"
    make(tea, receiver, "member_met")
    record("member_met", community=tea.pk)
    run()
    assert len(receiver.got) == 1
    assert HookCall.objects.get().status == 302
    assert HookCall.objects.get().state == "planned"


def test_private_addresses_are_refused_when_made_and_when_sent(
    tea: Community, receiver: Receiver
) -> None:
    for url in (receiver.url, "http://localhost/x", "http://169.254.169.254/", "http://[::1]/"):
        with pytest.raises(WrongAddressError):
            do_make_webhook(tea, url=url, by="staff:1")
        sent = send(url, b"{}", {}, local=False)
        assert (sent.status, sent.words) == (None, "the address is private")
    assert receiver.got == []


def test_there_is_a_most_of_them(tea: Community, receiver: Receiver, local: None) -> None:
    for _ in range(20):
        make(tea, receiver)
    with pytest.raises(TooManyWebhooksError):
        make(tea, receiver)


def test_the_log_is_read_by_programs(
    tea: Community, receiver: Receiver, local: None, program: Program
) -> None:
    made = program.post("webhooks", {"url": receiver.url, "kinds": ["member_met"]})
    assert made["secret"].startswith("whsec_")
    record("member_met", community=tea.pk)
    run()
    [call] = program.get(f"webhooks/{made['id']}/calls")["items"]
    assert call["state"] == "sent"
    program.post(f"webhooks/{made['id']}/calls/{call['id']}/redeliver")
    run()
    assert len(receiver.got) == 2
    assert program.call("DELETE", f"webhooks/{made['id']}").status_code == 204
    assert program.refused("GET", f"webhooks/{made['id']}") == (404, "not_there")


# pure


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("10.0.0.1", False), ("127.0.0.1", False),
        ("0.0.0.0", False), ("100.64.0.1", False), ("169.254.169.254", False), ("::1", False),
        ("::ffff:10.0.0.1", False), ("2002:0a00:0001::", False), ("64:ff9b::a00:1", False),
        ("fe80::1%eth0", False), ("fd00::1", False), ("224.0.0.1", False), ("x", False),
    ],
)  # fmt: skip
def test_only_the_open_internet_is_public(address: str, public: bool) -> None:
    assert is_public(address) == public


@given(st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="192.168.0.0/16"))
def test_no_private_network_is_public_however_it_is_wrapped(ip: object) -> None:
    assert not is_public(str(ip))
    assert not is_public(f"::ffff:{ip}")


@given(st.text(max_size=60))
def test_any_address_is_judged(url: str) -> None:
    judge_url(url)
    judge_url(f"https://{url}")


@pytest.mark.parametrize("url", ["ftp://x.com", "https://", "https://a:b@x.com", "http://x y"])
def test_strange_addresses_are_refused(url: str) -> None:
    assert judge_url(url) is not None


@given(st.binary(max_size=50), st.integers(0, 2**32), st.text("ab_1", min_size=1))
def test_a_signature_is_of_this_body_and_time(body: bytes, at: int, call_id: str) -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    signed = sign(secret, call_id=call_id, timestamp=at, body=body)
    assert signed == sign(secret, call_id=call_id, timestamp=at, body=body)
    assert signed != sign(secret, call_id=call_id, timestamp=at + 1, body=body)
    assert signed != sign(secret, call_id=call_id, timestamp=at, body=body + b" ")


@given(st.integers(1, 100))
def test_retries_end(attempts: int) -> None:
    assert (plan_retry(attempts) is None) == (attempts > len(DELAYS))


def test_no_kinds_mean_all() -> None:
    assert wants([], "x")
    assert wants(["x"], "x")
    assert not wants(["y"], "x")
