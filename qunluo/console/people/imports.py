"""Members out of a CSV: choose the file, say what its columns are, look, start, see what came."""

from __future__ import annotations

import codecs
import secrets
from itertools import chain
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, telling
from qunluo.console.people.errors import NoFileError
from qunluo.console.uploads import Arrived
from qunluo.console.wording import current_lang
from qunluo.kit.errors import QunluoError
from qunluo.members.imports import (
    WrongFileError,
    do_map_import,
    do_queue_import,
    do_start_import,
    list_targets,
    preview,
)
from qunluo.members.models import Field, MemberImport
from qunluo.members.rejecting import KEPT, are_kept, do_tell_rejects
from qunluo.members.sheets import FIELD

FOLDER = "imports"  # below the data folder
PAGE = 50
SNIFFED = 4_096
OPEN = ("mapping", "mapped")
UNDER_WAY = ("queued", "running")


@staff_view("import_members")
@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: StaffRequest) -> HttpResponseBase:
    """The imports so far, and the way to a new one."""
    refused = ""
    if request.method == "POST":
        try:
            return redirect("people:import", take_in(request).pk)
        except QunluoError as error:
            refused = error.message(current_lang())
    rows = MemberImport.objects.filter(community=request.community).order_by("-pk")[:PAGE]
    context = {"rows": rows, "refused": refused}
    return render(
        request, "console/people/imports.html", context, status=REFUSED if refused else 200
    )


def take_in(request: StaffRequest) -> MemberImport:
    """Keeps the file under a name of ours; it goes when it is read, or at once when it is none.
    Raises `NoFileError`, `WrongFileError`."""
    sent = cast("UploadedFile[bytes] | None", request.FILES.get("file"))
    if not isinstance(sent, Arrived):
        raise NoFileError
    name = f"{FOLDER}/{secrets.token_hex(12)}.csv"
    path = sent.keep(settings.QUNLUO.data / name)
    try:
        refuse_binary(path)
        title = sent.name or "members.csv"
        return do_start_import(request.community, name, title=title, by=request.staff.actor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def refuse_binary(path: Path) -> None:
    """A spreadsheet or a picture is no CSV, whatever its name says."""
    with path.open("rb") as file:
        head = file.read(SNIFFED)
    marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if head.startswith(b"PK\x03\x04") or (b"\0" in head and not marked):
        raise WrongFileError


def _find(request: StaffRequest, import_id: int) -> MemberImport:
    rows = MemberImport.objects.filter(community=request.community)
    return found(rows.select_related("community"), import_id)


@staff_view("import_members")
@require_http_methods(["GET", "HEAD", "POST"])
@telling
def one(request: StaffRequest, import_id: int) -> HttpResponseBase:
    """One import where it stands: its columns and what would come in, or what came."""
    row = _find(request, import_id)
    if row.state not in OPEN:
        return render(request, "console/people/import.html", _result(row))
    columns, refused = row.mapping["columns"], ""
    if request.method == "POST":
        columns = request.POST.getlist("column")
        try:
            do_map_import(row, columns)
        except QunluoError as error:
            refused = error.message(current_lang())
    return render(
        request, "console/people/import.html", _mapping(row, columns, refused),
        status=REFUSED if refused else 200,
    )  # fmt: skip


def _mapping(row: MemberImport, columns: list[str], refused: str) -> dict[str, Any]:
    seen = None if refused else preview(row)
    lang = current_lang()
    return {
        "row": row, "refused": refused, "mapping": True,
        "columns": list(zip(row.mapping["header"], columns, strict=False)),
        "targets": [(target, words_for(row, target)) for target in list_targets(row.community)],
        "seen": seen,
        "rejects": [(r.line, r.why(lang)) for r in seen.rejects[:PAGE]] if seen else [],
        "ready": bool({"phone", "email", "external_id"} & set(columns)) and not refused,
    }  # fmt: skip


def words_for(row: MemberImport, target: str) -> str:
    """What a column may be, in the reader's words."""
    if target.startswith(FIELD):
        key = target.removeprefix(FIELD)
        field = Field.objects.filter(community=row.community_id, key=key).first()
        return field.label if field else key
    words = {
        "name": _("Name"), "phone": _("Phone"), "email": _("E-mail"),
        "external_id": _("Account id"), "region": _("Region"), "birthday": _("Birthday"),
        "note": _("Note"), "tags": _("Tags"),
    }  # fmt: skip
    return words.get(target, target)


def _result(row: MemberImport) -> dict[str, Any]:
    lang = current_lang()
    return {
        "row": row, "under_way": row.state in UNDER_WAY, "words": words_of(row),
        "rejects": [(reject["line"], reject[lang]) for reject in row.rejects[:PAGE]],
        "kept": len(row.rejects), "all_kept": are_kept(row), "days": KEPT.days,
    }  # fmt: skip


def words_of(row: MemberImport) -> str:
    """How far it is."""
    if row.state == "queued":
        return _("It waits for its turn.")
    return _("{read} lines read: {made} new, {met} known, {rejected} rejected.").format(
        read=row.read, made=row.made, met=row.met, rejected=row.rejected
    )


@staff_view("import_members")
@require_POST
@telling
def run(request: StaffRequest, import_id: int) -> HttpResponseBase:
    """Hands it to the worker; a second tap changes nothing."""
    row = _find(request, import_id)
    if row.state not in OPEN:
        return redirect("people:import", row.pk)
    do_queue_import(row)
    return done(request, _("The import has begun."), "people:import", row.pk)


@staff_view("import_members")
@require_safe
def state(request: StaffRequest, import_id: int) -> HttpResponse:
    """For the page's script."""
    row = _find(request, import_id)
    return JsonResponse({"words": words_of(row), "ended": row.state not in UNDER_WAY})


@staff_view("import_members")
@require_safe
def rejects(request: StaffRequest, import_id: int) -> HttpResponseBase:
    """All lines that did not come in, why, and what they say, as a CSV that spreadsheets open."""
    row = _find(request, import_id)
    lines = do_tell_rejects(row, by=request.staff.actor, lang=current_lang())
    told = chain([codecs.BOM_UTF8], (line.encode() for line in lines))
    response = StreamingHttpResponse(told, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejects-{row.pk}.csv"'
    return response
