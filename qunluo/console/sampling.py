"""The sample community: an ordinary job at the first start, for newcomers to look at."""

from __future__ import annotations

import locale
import os
from datetime import UTC, datetime

from qunluo.console.jobs import UNFINISHED, Job, Request
from qunluo.console.work import Workshop
from qunluo.kit.text import Lang

MARK = "sample-made"
ZONE = "Asia/Shanghai"  # where the sample community lives


def want_sample(workshop: Workshop) -> Job | None:
    """Starts the sample's job unless there was one; one that was cut off goes on."""
    for job in workshop.shelf.list_all():
        if job.request.sample and job.state in UNFINISHED | {"interrupted"}:
            workshop.add(job)
            return job
    mark = workshop.shelf.data / MARK
    if mark.exists():
        return None
    mark.touch()
    job = _new_job(workshop)
    workshop.add(job)
    return job


def _new_job(workshop: Workshop) -> Job:
    request = Request(title="", zone=ZONE, lang=system_lang(), sample=True)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Job(workshop.shelf.new_id(), request, made_at=now)


def system_lang() -> Lang:
    """The language of this computer; nobody has opened the page yet to say another."""
    names = (os.environ.get(n) for n in ("LC_ALL", "LC_MESSAGES", "LANG"))
    name = next((n for n in names if n), None) or locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"
