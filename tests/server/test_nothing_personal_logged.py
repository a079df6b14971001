"""A member's whole way with logs that tell all they can: none of it is in them."""

from __future__ import annotations

import http.client
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from qunluo.channels.web.sessions import COOKIE
from qunluo.community.models import User
from qunluo.groups.models import Group
from qunluo.members.models import Member
from qunluo.messaging.models import Message
from qunluo.messaging.worker import step
from qunluo.server.logs import WhereOnly
from tests.running import HOST, Process, free_port, same_database

NAME, PHONE, WORDS = "Winnifred沈", "13912345678", "my-secret-recipe 秘方"
PASSWORD, WRONG, MAIL = "correct horse battery staple", "Hunter2-not-it", "w.shen@mail.example"


@dataclass
class Loud(Process):
    """A server that tells of every request, into a file."""

    told: Path = Path()

    def start(self) -> None:
        command = [
            sys.executable, "-m", "granian", "--interface", self.interface, "--host", HOST,
            "--port", str(self.port), "--log-level", "info", "--access-log", self.application,
        ]  # fmt: skip
        with self.told.open("ab") as file:
            self.running = subprocess.Popen(
                command, env={**os.environ, **self.env}, start_new_session=True,
                stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._wait()


@contextmanager
def loud(folder: Path) -> Iterator[Loud]:
    port = free_port()
    env = {
        **same_database(folder), "QUNLUO_PORT": str(port), "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "tests.server.loud",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    server = Loud("qunluo.server.wsgi:application", "wsgi", port, "/assets/icon.svg", env,
                  told=folder / "told.txt")  # fmt: skip
    try:
        server.start()
        yield server
    finally:
        server.kill()


@dataclass
class Visitor:
    """A browser's bare bones: cookies, forms with their token."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, body: str | bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        line = http.client.HTTPConnection(HOST, self.port, timeout=30)
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), **headers}
        line.request(method, path, body, sent)
        answer = line.getresponse()
        for _name, value in (h for h in answer.getheaders() if h[0].lower() == "set-cookie"):
            for name, morsel in SimpleCookie(value).items():
                self.cookies[name] = morsel.value
        found = answer.status, answer.read()
        line.close()
        return found

    def post(self, path: str, **given: str) -> tuple[int, bytes]:
        given["csrfmiddlewaretoken"] = self.cookies.get("csrftoken", "")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, urlencode(given), **form)

    def say(self, path: str, text: str) -> int:
        given = {"key": "k" * 12, "text": text}
        more = {"Content-Type": "application/json", "X-CSRFToken": self.cookies["csrftoken"]}
        return self.ask("POST", path, json.dumps(given), **more)[0]


def live(member: Visitor, group: Group) -> None:
    """Joins, speaks, looks at what is kept and takes it along."""
    door = f"/j/{group.code}?utm_source={PHONE}&utm_campaign={quote(NAME)}"
    assert member.ask("GET", door)[0] == 200
    assert member.post(door, name=NAME, consent="yes", marketing="yes")[0] == 302
    assert member.ask("GET", f"/r/{group.code}?q={quote(NAME)}")[0] == 200
    assert member.say(f"/r/{group.code}/say", WORDS) == 200
    assert member.ask("GET", f"/r/{group.code}/search?q={quote(WORDS)}")[0] == 200
    assert member.ask("GET", "/me")[0] == 200
    own = f"/me/{Member.objects.get(name=NAME).pk}"
    assert member.post(f"{own}/name", name=f"{NAME} ")[0] == 302
    assert member.post(f"{own}/export")[0] == 200


def serve(staff: Visitor, row: Member) -> None:
    """Signs in at the second try, keeps contact data and looks at it."""
    there = f"/console/sign-in?next=/console/members%3Fq={quote(NAME)}"
    staff.ask("GET", there)
    assert staff.post(there, username="alice", password=WRONG)[0] == 403
    assert staff.post(there, username=PASSWORD, password="alice")[0] == 403
    assert staff.post(there, username="alice", password=PASSWORD)[0] == 302
    own = f"/console/members/{row.pk}"
    assert staff.ask("GET", own)[0] == 200
    contact = {"phone": PHONE, "email": MAIL}
    assert staff.post(f"{own}/contact", **contact)[0] == 302
    assert staff.post(f"{own}/reveal", **{"reveal-why": f"call {PHONE}"})[0] == 200
    assert staff.ask("GET", f"/console/members?q={quote(NAME)}")[0] == 200


def fail(visitor: Visitor, port: int) -> None:
    """Everything that can go wrong, with somebody's data in the address and in the body."""
    about = urlencode({"name": NAME, "phone": PHONE, "password": WRONG})
    body = {"name": NAME, "phone": PHONE, "text": WORDS}
    assert visitor.ask("GET", f"/nothing?{about}")[0] == 404
    assert visitor.ask("GET", f"/j/nobody?{about}")[0] == 404
    assert visitor.post(f"/break?{about}", **body)[0] == 500
    assert Visitor(port).post(f"/console/sign-in?{about}", **body)[0] == 403  # forged
    assert visitor.ask("GET", f"/?{about}", Host="carol.example")[0] == 400
    assert visitor.ask("GET", f"/?{about}%00")[0] == 400
    more = {"Content-Type": "application/json", "Authorization": f"Bearer {WRONG}"}
    assert visitor.ask("POST", f"/api/v1/members?{about}", json.dumps(body), **more)[0] == 401


@pytest.mark.django_db(transaction=True)
def test_logs_tell_what_happened_and_of_nobody(
    group: Group, alice: User, tmp_path: Path
) -> None:
    with loud(tmp_path) as server:
        member, staff = Visitor(server.port), Visitor(server.port)
        live(member, group)
        row = Member.objects.get(name=NAME)
        heard = work()
        serve(staff, row)
        fail(member, server.port)
        assert member.post(f"/me/{row.pk}/erase", sure="yes")[0] == 200
        kept = {**member.cookies, **staff.cookies}
    assert not Message.objects.filter(text=WORDS).exists()
    told = server.told.read_text("utf-8") + heard
    for sign in ("GET", "/break", "IntegrityError", "RuntimeError", "breaking.py", "404"):
        assert sign in told, told
    secrets = [NAME, "Winnifred", PHONE, WORDS, "秘方", PASSWORD, WRONG, MAIL, "recipe"]
    secrets += [quote(NAME), quote(WORDS), *(kept[n] for n in kept if len(kept[n]) > 10)]
    assert {COOKIE, "csrftoken"} <= set(kept)
    assert [secret for secret in secrets if secret in told] == []


def work() -> str:
    """What the worker's log says while it does all that there is to do."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    logger = logging.getLogger("qunluo")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        for _n in range(50):
            if not step():
                break
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    return heard.getvalue()


def failing() -> None:
    try:
        int(PHONE + "x")
    except ValueError as error:
        raise LookupError(NAME) from error


def test_an_exception_is_told_by_its_kind_and_place() -> None:
    record = None
    try:
        failing()
    except LookupError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "it broke", None, sys.exc_info())
    assert record is not None
    aloud = logging.Formatter().format(record)
    assert PHONE in aloud
    assert NAME in aloud
    words = WhereOnly().format(record)
    assert words.startswith("it broke\nbuiltins.ValueError\n")
    assert "builtins.LookupError" in words
    assert "in failing" in words
    assert PHONE not in words
    assert NAME not in words


def test_an_exception_that_leads_to_itself_is_told() -> None:
    first, second = ValueError(NAME), KeyError(PHONE)
    first.__cause__, second.__cause__ = second, first
    words = WhereOnly().formatException((ValueError, first, None))
    assert words.splitlines() == ["builtins.KeyError", "builtins.ValueError"]
