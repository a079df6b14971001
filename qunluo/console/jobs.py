"""A job: files and wishes in, one report out. Each lives in a folder of its own.

    <data>/jobs/<id>/job.json      what was asked and how it stands, replaced atomically
    <data>/jobs/<id>/files/        what was uploaded; deleted once the report is there
    <data>/jobs/<id>/work/         what the running attempt writes; worth nothing afterwards
    <data>/jobs/<id>/report.html   moved here from work/ as a whole, like report.json

A job whose state is `done` is a report; nothing else is ever listed as one.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from qunluo.kit.text import Text

State = Literal["waiting", "running", "done", "failed", "stopped", "interrupted"]
UNFINISHED: frozenset[State] = frozenset({"waiting", "running"})
RETRIED: frozenset[State] = frozenset({"failed", "stopped", "interrupted"})
LISTS = ("staff", "roster", "corporate", "orders")
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Request:
    """What the user asked for. Paths are absolute; a sample makes its own files."""

    title: str
    files: tuple[str, ...] = ()
    staff: str | None = None
    roster: str | None = None
    corporate: str | None = None
    orders: str | None = None
    zone: str = "UTC"
    date_order: str | None = None
    lang: str = "en"
    anonymous: bool = False
    sample: bool = False


@dataclass(frozen=True)
class Summary:
    """What the list of reports tells of one."""

    messages: int
    groups: int
    rejects: int
    formats: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Job:
    id: str
    request: Request
    made_at: str  # ISO instant, UTC
    state: State = "waiting"
    error: Text | None = None
    error_code: str | None = None  # of a `QunluoError`, where the page can offer the remedy
    summary: Summary | None = None
    community: int | None = (
        None  # whose staff may see it; None: the sample, which is everybody's
    )

    def is_for(self, community: int) -> bool:
        return self.community in (None, community)


class Shelf:
    """All jobs of one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.jobs = data / "jobs"
        self.trash = data / "trash"

    def folder(self, job_id: str) -> Path:
        return self.jobs / job_id

    def new_id(self) -> str:
        """A fresh id with its folder."""
        job_id = secrets.token_hex(8)
        (self.folder(job_id) / "files").mkdir(parents=True, mode=0o700)
        return job_id

    def save(self, job: Job) -> Job:
        """Replaces what is known of a job, at once or not at all."""
        target = self.folder(job.id) / "job.json"
        fresh = target.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(asdict(job), file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
        return job

    def find(self, job_id: str) -> Job | None:
        """A job by its id; None where there is none or its folder is not whole."""
        return _read(self.jobs, job_id)

    def find_discarded(self, job_id: str) -> Job | None:
        """One in the trash."""
        return _read(self.trash, job_id)

    def list_all(self) -> list[Job]:
        """Newest first."""
        return sorted(self._walk(), key=lambda job: (job.made_at, job.id), reverse=True)

    def _walk(self) -> Iterator[Job]:
        for folder in self.jobs.iterdir():
            job = self.find(folder.name)
            if job is not None:
                yield job

    def publish(self, job: Job, summary: Summary) -> Job:
        """Makes a finished attempt the report: files first, the word that it is done last."""
        folder = self.folder(job.id)
        for name in ("report.html", "report.json"):
            (folder / "work" / name).replace(folder / name)
        done = self.save(
            replace(job, state="done", error=None, error_code=None, summary=summary)
        )
        for leftover in ("work", "files"):
            shutil.rmtree(folder / leftover, ignore_errors=True)
        return done

    def discard(self, job_id: str) -> None:
        """Out of sight; `restore` brings it back until the trash is emptied."""
        self.folder(job_id).rename(self.trash / job_id)

    def restore(self, job_id: str) -> bool:
        """Whether there was such a job in the trash, and it is back."""
        if not _ID.fullmatch(job_id) or not (self.trash / job_id).is_dir():
            return False
        (self.trash / job_id).rename(self.folder(job_id))
        return True

    def tidy(self) -> None:
        """At the start: no job runs yet, so what says so was interrupted; old waste goes."""
        for waste in (self.trash, self.data / "incoming"):
            shutil.rmtree(waste, ignore_errors=True)
            waste.mkdir(mode=0o700, exist_ok=True)
        for job in self.list_all():
            if job.state in UNFINISHED:
                self.save(replace(job, state="interrupted"))


def read_summary(report: Path) -> Summary:
    """The totals of a `report.json`."""
    totals = json.loads(report.read_text("utf-8"))["totals"]
    return Summary(
        messages=totals["messages"],
        groups=totals["groups"],
        rejects=totals["rejects"],
        formats=tuple(Text(**line["format"]) for line in totals["lines"]),
    )


def _read(shelf: Path, job_id: str) -> Job | None:
    if not _ID.fullmatch(job_id):
        return None
    try:
        return _job(json.loads((shelf / job_id / "job.json").read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _job(raw: dict[str, Any]) -> Job:
    request = {**raw["request"], "files": tuple(raw["request"]["files"])}
    error, summary = raw.get("error"), raw.get("summary")
    return Job(
        id=raw["id"],
        request=Request(**request),
        made_at=raw["made_at"],
        state=raw["state"],
        error=Text(**error) if error else None,
        error_code=raw.get("error_code"),
        summary=_summary(summary) if summary else None,
        community=raw.get("community"),
    )


def _summary(raw: dict[str, Any]) -> Summary:
    return Summary(**{**raw, "formats": tuple(Text(**words) for words in raw["formats"])})
