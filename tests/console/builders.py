"""Tiny exports and jobs for the tests of the page."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from qunluo.community.models import User
from qunluo.console.jobs import Job, Request, State, Summary
from qunluo.console.work import Workshop

MADE_AT = "2026-01-02T03:04:05+00:00"


def whatsapp(messages: int = 30, first_day: int = 13) -> bytes:
    """A group chat of three people over some days; before the 13th its dates are ambiguous."""
    lines = [
        f"[{first_day + n // 8:02d}/03/2024, {9 + n % 12:02d}:{n % 60:02d}:00] "
        f"{('Ann', 'Bob', 'Cy')[n % 3]}: message {n}"
        for n in range(messages)
    ]
    return "\n".join([*lines, ""]).encode()


def upload(name: str = "chat.txt", content: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, whatsapp() if content is None else content)


def asked(**changed: object) -> dict[str, object]:
    """The fields of the form, filled in well."""
    return {"zone": "UTC", "lang": "en", "date_order": "", "chats": [upload()], **changed}


def put_job(shop: Workshop, state: State, **changed: object) -> Job:
    """A job on the shelf as if it had come to `state`."""
    job_id = shop.shelf.new_id()
    job = Job(job_id, Request(title="chat.txt"), made_at=MADE_AT, state=state, **changed)  # type: ignore[arg-type]
    if state == "done":
        (shop.shelf.folder(job_id) / "report.html").write_text("<h1>Report</h1>")
        (shop.shelf.folder(job_id) / "report.json").write_text("{}")
    return shop.shelf.save(job)


def put_report(shop: Workshop, **changed: object) -> Job:
    summary = Summary(messages=30, groups=1, rejects=2)
    return put_job(shop, "done", summary=summary, **changed)


def strict_client(user: User) -> Client:
    """A signed-in browser whose forgery checks are on, as in real life."""
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    client.force_login(user)
    return client
