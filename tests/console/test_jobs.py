"""Jobs: run by the real command, kept across restarts, never half a report."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from qunluo.console.jobs import Job, Request, Shelf, Summary
from qunluo.console.sampling import want_sample
from qunluo.console.work import Attempt, Workshop, hear, plan_commands
from qunluo.kit.settings import Settings
from tests.console.builders import asked, put_job, put_report, upload, whatsapp

PATIENCE_S = 240


def wait_for(shop: Workshop, job_id: str, ready: Callable[[Job], bool]) -> Job:
    """The job once it is `ready`; fails if that never comes."""
    for _ in range(PATIENCE_S * 20):
        job = shop.shelf.find(job_id)
        if job is not None and ready(job):
            return job
        time.sleep(0.05)
    raise AssertionError(f"{job_id} never got there: {shop.shelf.find(job_id)}")


def ended(job: Job) -> bool:
    return job.state not in {"waiting", "running"}


def test_an_export_becomes_a_report(desk: Client, shop: Workshop) -> None:
    desk.post("/console/reports/make", asked())
    (job,) = shop.shelf.list_all()
    done = wait_for(shop, job.id, ended)
    assert done.state == "done", done.error
    assert done.summary is not None
    assert (done.summary.messages, done.summary.groups) == (30, 1)
    (form,) = done.summary.formats
    assert "WhatsApp" in form.en
    folder = shop.shelf.folder(job.id)
    wait_for(shop, job.id, lambda _: not (folder / "files").exists())  # swept after the word
    assert sorted(p.name for p in folder.iterdir()) == [
        "job.json",
        "report.html",
        "report.json",
    ]
    page = desk.get("/console/reports/").content.decode()
    assert f"/console/reports/{job.id}/report.html" in page


def test_a_file_that_is_no_chat_fails_with_a_sentence(desk: Client, shop: Workshop) -> None:
    desk.post(
        "/console/reports/make", asked(chats=[upload("photo.bin", bytes(range(256)) * 40)])
    )
    (job,) = shop.shelf.list_all()
    failed = wait_for(shop, job.id, ended)
    assert failed.state == "failed"
    assert failed.error is not None
    assert "photo.bin" in failed.error.en
    assert failed.error.zh != failed.error.en
    assert not (shop.shelf.folder(job.id) / "report.html").exists()


def test_a_failed_job_can_be_tried_again(desk: Client, shop: Workshop, tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_bytes(b"")
    desk.post("/console/reports/make", asked(chats=[], paths=str(chat)))
    (job,) = shop.shelf.list_all()
    assert wait_for(shop, job.id, ended).state == "failed"
    chat.write_bytes(whatsapp())
    desk.post(f"/console/reports/jobs/{job.id}/retry")
    assert wait_for(shop, job.id, ended).state == "done"


def test_dates_that_leave_a_choice_are_asked_about(desk: Client, shop: Workshop) -> None:
    desk.post("/console/reports/make", asked(chats=[upload(content=whatsapp(8, first_day=1))]))
    (job,) = shop.shelf.list_all()
    assert wait_for(shop, job.id, ended).error_code == "ambiguous_dates"
    assert 'value="dmy"' in desk.get(f"/console/reports/jobs/{job.id}").content.decode()
    desk.post(f"/console/reports/jobs/{job.id}/retry", {"date_order": "dmy"})
    assert wait_for(shop, job.id, ended).state == "done"


def test_a_running_job_can_be_stopped(desk: Client, shop: Workshop) -> None:
    desk.post("/console/reports/make", asked())
    (job,) = shop.shelf.list_all()
    wait_for(shop, job.id, lambda j: j.state == "running")
    desk.post(f"/console/reports/jobs/{job.id}/stop")
    assert wait_for(shop, job.id, ended).state == "stopped"
    assert not (shop.shelf.folder(job.id) / "work").exists()
    assert (shop.shelf.folder(job.id) / "files").exists()


def test_the_end_of_the_server_interrupts_and_the_next_offers_to_go_on(
    desk: Client, settings: Settings
) -> None:
    first = Workshop(Shelf(settings.data))
    job = first.shelf.new_id()
    chat = first.shelf.folder(job) / "files" / "chat.txt"
    chat.write_bytes(whatsapp())
    first.add(Job(job, Request(title="chat", files=(str(chat),)), made_at="2026-01-01"))
    wait_for(first, job, lambda j: j.state == "running")
    first.close()
    for hand in first.hands:
        hand.join()
    second = Workshop(Shelf(settings.data))
    found = second.shelf.find(job)
    assert found is not None
    assert found.state == "interrupted"
    second.add(found)
    assert wait_for(second, job, ended).state == "done"
    second.close()


def test_a_crash_leaves_interrupted_jobs_and_whole_reports(shop: Workshop) -> None:
    running, waiting = put_job(shop, "running"), put_job(shop, "waiting")
    report = put_report(shop)
    torn = shop.shelf.new_id()
    (shop.shelf.folder(torn) / "job.json").write_text('{"id": "')
    after = Shelf(shop.shelf.data)
    after.tidy()
    states = {job.id: job.state for job in after.list_all()}
    assert states == {running.id: "interrupted", waiting.id: "interrupted", report.id: "done"}


def test_a_job_is_read_as_it_was_written(shop: Workshop) -> None:
    job = put_job(shop, "done", summary=Summary(messages=1, groups=1, rejects=0))
    assert shop.shelf.find(job.id) == job


@pytest.mark.parametrize("name", ["../../etc", "", "x" * 16, "0123456789ABCDEF"])
def test_only_ids_are_looked_up(shop: Workshop, name: str) -> None:
    assert shop.shelf.find(name) is None
    assert not shop.shelf.restore(name)


def test_the_child_is_heard() -> None:
    attempt = Attempt()
    words = {"en": "Reading", "zh": "读取"}
    hear(attempt, json.dumps({"stage": "read", "done": 5, "total": 9, "text": words}))
    assert (attempt.progress.done, attempt.progress.total) == (5, 9)
    assert attempt.progress.text.zh == "读取"
    hear(attempt, "a library warns\n")
    hear(attempt, '["no object"]')
    assert list(attempt.log) == ["a library warns", '["no object"]']
    hear(attempt, json.dumps({"error": {"code": "x", **words}}))
    assert attempt.error is not None
    assert attempt.error.en == "Reading"


def test_every_wish_reaches_the_command(tmp_path: Path) -> None:
    wish = Request(
        title="x", files=("/a.txt",), roster="/r.csv", zone="Asia/Shanghai", lang="zh",
        date_order="dmy", anonymous=True,
    )  # fmt: skip
    (command,) = plan_commands(wish, tmp_path)
    said = " ".join(command)
    assert "report /a.txt --tz Asia/Shanghai --lang zh" in said
    assert "--roster /r.csv --date-order dmy --anonymous" in said
    assert "--staff" not in said


def test_the_sample_is_made_once(shop: Workshop) -> None:
    first = want_sample(shop)
    assert first is not None
    shop.stop(first.id)
    wait_for(shop, first.id, ended)
    assert want_sample(shop) is None
