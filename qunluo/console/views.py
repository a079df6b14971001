"""The pages: one to ask and to see all reports, one for each job."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.console import asking
from qunluo.console.access import StaffRequest, open_view, staff_view
from qunluo.console.guards import REPORT_POLICY
from qunluo.console.jobs import RETRIED, UNFINISHED, Job
from qunluo.console.looks import ASSETS, asset_version, read_asset
from qunluo.console.wording import current_lang
from qunluo.console.work import Progress, Workshop, open_workshop
from qunluo.kit.errors import QunluoError
from qunluo.kit.settings import Settings

FULL = 100


def chosen() -> Settings:
    found: Settings = settings.QUNLUO
    return found


def workshop() -> Workshop:
    return open_workshop(chosen().data)


@staff_view("make_reports")
@require_safe
def home(request: StaffRequest) -> HttpResponse:
    return render(request, "console/home.html", _home(request))


def _home(request: StaffRequest, **more: Any) -> dict[str, Any]:
    jobs = workshop().shelf.list_all()
    return {
        "jobs": [job for job in jobs if job.is_for(request.community.pk)],
        "zones": asking.list_zones(),
        "zone": request.POST.get("zone") or asking.default_zone(),
        "lang": request.POST.get("lang") or current_lang(),
        "may_name_paths": asking.may_name_paths(request, chosen()),
        "deleted": request.GET.get("deleted", ""),
        **more,
    }


@staff_view("make_reports")
@require_POST
def create(request: StaffRequest) -> HttpResponseBase:
    """Takes the files, starts the job, and sends the reader to its page."""
    try:
        wanted = asking.read_request(request, chosen())
    except QunluoError as error:
        return _ask_again(request, error)
    shelf = workshop().shelf
    job_id = shelf.new_id()
    try:
        wanted = asking.keep_uploads(request, wanted, shelf.folder(job_id) / "files")
    except OSError:
        shutil.rmtree(shelf.folder(job_id), ignore_errors=True)
        raise
    now = datetime.now(UTC).isoformat(timespec="seconds")
    workshop().add(Job(job_id, wanted, made_at=now, community=request.community.pk))
    return _go(request, reverse("job", args=[job_id]))


@staff_view("make_reports")
@require_safe
def job(request: StaffRequest, job_id: str) -> HttpResponse:
    """How the job stands; with `?part` only the part that changes, for the page's script."""
    found = _find(request, job_id)
    page = "console/job_part.html" if "part" in request.GET else "console/job.html"
    response = render(request, page, _job(found))
    response["X-Job-State"] = found.state
    return response


def _job(found: Job) -> dict[str, Any]:
    progress = workshop().progress(found.id)
    return {
        "job": found,
        "progress": progress,
        "doing": progress.text(current_lang()),
        "why": found.error(current_lang()) if found.error else "",
        "stages": _stages(found, progress),
        "percent": f"{FULL * progress.done // progress.total} %" if progress.total else "",
        "unfinished": found.state in UNFINISHED,
        "asks_date_order": found.error_code in {"ambiguous_dates", "wrong_date_order"},
    }


def _stages(found: Job, progress: Progress) -> list[dict[str, Any]]:
    """The steps of the job in order, and where it is."""
    steps = {
        "sample": _("Write the sample"),
        "read": _("Read"),
        "store": _("Store"),
        "figures": _("Count"),
        "render": _("Write the report"),
    }
    if not found.request.sample:
        del steps["sample"]
    names = list(steps)
    at = names.index(progress.stage) if progress.stage in names else -1
    return [
        {"name": steps[name], "current": place == at, "past": place < at}
        for place, name in enumerate(names)
    ]


@staff_view("make_reports")
@require_POST
def stop(request: StaffRequest, job_id: str) -> HttpResponse:
    workshop().stop(_find(request, job_id).id)
    return redirect("job", job_id)


@staff_view("make_reports")
@require_POST
def retry(request: StaffRequest, job_id: str) -> HttpResponse:
    """Tries a job again, with what its reader may have added to what was asked."""
    found = _find(request, job_id)
    try:
        order = asking.read_date_order(request) or found.request.date_order
    except QunluoError as error:
        return _ask_again(request, error)
    if found.state in RETRIED:
        workshop().add(replace(found, request=replace(found.request, date_order=order)))
    return redirect("job", job_id)


@staff_view("make_reports")
@require_POST
def delete(request: StaffRequest, job_id: str) -> HttpResponse:
    """Puts a job into the trash; the page that follows offers to take it back."""
    found = _find(request, job_id)
    if found.state in UNFINISHED:
        return redirect("job", job_id)
    workshop().shelf.discard(found.id)
    return redirect(f"{reverse('reports')}?deleted={found.id}")


@staff_view("make_reports")
@require_POST
def restore(request: StaffRequest, job_id: str) -> HttpResponse:
    shelf = workshop().shelf
    shelf.restore(_ours(request, shelf.find_discarded(job_id)).id)
    return redirect("reports")


@staff_view("make_reports")
@require_safe
def report_html(request: StaffRequest, job_id: str) -> FileResponse:
    response = _file(request, job_id, "report.html")
    response["Content-Security-Policy"] = REPORT_POLICY
    return response


@staff_view("make_reports")
@require_safe
def report_json(request: StaffRequest, job_id: str) -> FileResponse:
    return _file(request, job_id, "report.json")


def _file(request: StaffRequest, job_id: str, name: str) -> FileResponse:
    """A file of a finished report; with `?save` under a name to be kept."""
    found = _find(request, job_id)
    if found.state != "done":
        raise Http404
    stem = "sample" if found.request.sample else Path(found.request.title).stem
    path = workshop().shelf.folder(found.id) / name
    title = f"qunluo-{stem}{path.suffix}"
    return FileResponse(path.open("rb"), as_attachment="save" in request.GET, filename=title)


@open_view("everybody: style, script and icon of the pages")
@require_safe
def asset(request: HttpRequest, name: str) -> HttpResponse:
    if name not in ASSETS:
        raise Http404
    response = HttpResponse(read_asset(name), content_type=f"{ASSETS[name]}; charset=utf-8")
    fresh = request.GET.get("v") == asset_version()
    response["Cache-Control"] = "public, max-age=31536000, immutable" if fresh else "no-cache"
    return response


def _find(request: StaffRequest, job_id: str) -> Job:
    return _ours(request, workshop().shelf.find(job_id))


def _ours(request: StaffRequest, job: Job | None) -> Job:
    """Another community's job looks as if there were none."""
    if job is None or not job.is_for(request.community.pk):
        raise Http404
    return job


def _go(request: HttpRequest, address: str) -> HttpResponseBase:
    if _asks_as_script(request):
        return JsonResponse({"go": address})
    return redirect(address)


def _asks_as_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _ask_again(request: StaffRequest, error: QunluoError) -> HttpResponse:
    """An error's sentence on the page that asked, which keeps what was typed; or as JSON."""
    if _asks_as_script(request):
        return refuse(request, error, 400)
    shown = _home(request, error=error.message(current_lang()))
    return render(request, "console/home.html", shown, status=400)


def refuse(request: HttpRequest, error: QunluoError, status: int) -> HttpResponse:
    """An error's sentence in the reader's language, as a page or as JSON."""
    sentence = error.message(current_lang())
    if _asks_as_script(request):
        return JsonResponse({"error": sentence, "code": error.code}, status=status)
    return _tell(request, status, _("These files were not taken"), sentence)


def refuse_forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    advice = _(
        "It came from another site, or this page was open for too long. "
        "Go back, reload it, and try again."
    )
    return _tell(request, 403, _("This request was refused"), advice)


def refuse_strange(request: HttpRequest, exception: Exception) -> HttpResponse:
    advice = _("Open the address that Qunluo printed when it started.")
    return _tell(request, 400, _("This request can't be understood"), advice)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    advice = _("It may have been deleted. All reports are listed on the first page.")
    return _tell(request, 404, _("There is nothing here"), advice)


def broken(request: HttpRequest) -> HttpResponse:
    advice = _(
        "Try again. If it happens again, the reason is written where Qunluo was started."
    )
    return _tell(request, 500, _("Something went wrong"), advice)


def _tell(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse:
    if _asks_as_script(request):
        return JsonResponse({"error": f"{title}. {advice}"}, status=status)
    context = {"title": title, "advice": advice}
    return render(request, "console/told.html", context, status=status)
