"""Live insight: the report's figures of this community, minutes old, and the whole report."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from qunluo.archive.manifest import ArchiveBusyError
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.guards import REPORT_POLICY
from qunluo.console.jobs import Job, Request
from qunluo.console.views import workshop
from qunluo.console.wording import current_lang
from qunluo.kit import clock
from qunluo.kit.text import Lang
from qunluo.messaging.insight import (
    copy_archive,
    find_figures,
    has_archive,
    insight_path,
    write_roster,
)

app_name = "insight"


def lang_in_force() -> Lang:
    return "zh" if current_lang().startswith("zh") else "en"


@staff_view("see_insight")
@require_safe
def home(request: StaffRequest) -> HttpResponse:
    """Every figure as a card: what it says, of how many, how sure, and what it is."""
    found = find_figures(request.community.pk, lang_in_force())
    context: dict[str, Any] = {"figures": None, "busy": "busy" in request.GET}
    if found is not None:
        age = clock.now() - found.made_at
        context |= {"figures": asdict(found), "updated": age_words(age)}
    return render(request, "console/insight/home.html", context)


def age_words(age: timedelta) -> str:
    """“Updated 3 minutes ago”; hours from the second one on."""
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 1:
        return _("Updated just now")
    if minutes < 120:
        said = ngettext("Updated {n} minute ago", "Updated {n} minutes ago", minutes)
        return said.format(n=minutes)
    said = ngettext("Updated {n} hour ago", "Updated {n} hours ago", minutes // 60)
    return said.format(n=minutes // 60)


@staff_view("see_insight")
@require_safe
def page(request: StaffRequest) -> FileResponse:
    """The figures with their drawings, as the report shows them, in a sandbox of its own."""
    file = insight_path(request.community.pk) / f"report-{lang_in_force()}.html"
    if not file.exists():
        raise Http404
    response = FileResponse(file.open("rb"), content_type="text/html; charset=utf-8")
    response["Content-Security-Policy"] = REPORT_POLICY
    return response


@staff_view("make_reports")
@require_POST
def make(request: StaffRequest) -> HttpResponse:
    """The full report of this moment, as a job like any other."""
    community = request.community
    if not has_archive(community.pk):
        return redirect("insight:home")
    shelf = workshop().shelf
    job_id = shelf.new_id()
    files = shelf.folder(job_id) / "files"
    try:
        wanted = _request(request, files)
    except ArchiveBusyError:
        shutil.rmtree(shelf.folder(job_id), ignore_errors=True)
        response = redirect("insight:home")
        response["Location"] += "?busy"
        return response
    except OSError:
        shutil.rmtree(shelf.folder(job_id), ignore_errors=True)
        raise
    made_at = clock.now().isoformat(timespec="seconds")
    workshop().add(Job(job_id, wanted, made_at=made_at, community=request.community.pk))
    return redirect("job", job_id)


def _request(request: StaffRequest, files: Path) -> Request:
    """Files of their own for the job: the archive goes on while it is read."""
    community = request.community
    copy_archive(community.pk, files / "archive")
    write_roster(community, files / "roster.csv")
    return Request(
        title=community.name, files=(str(files / "archive"),), roster=str(files / "roster.csv"),
        zone=community.zone, lang=lang_in_force(),
    )  # fmt: skip


urlpatterns = [
    path("insight", home, name="home"),
    path("insight/report", page, name="page"),
    path("insight/make", make, name="make"),
]
