"""Orders of other shops out of a CSV: choose the file, say what its columns are, look, start."""

from __future__ import annotations

import secrets
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunluo.commerce.imports import (
    do_map_import,
    do_queue_import,
    do_start_import,
    preview,
)
from qunluo.commerce.models import OrderImport
from qunluo.commerce.sheets import COLUMNS, are_enough
from qunluo.community.queries import settings_of
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, telling
from qunluo.console.people.errors import NoFileError
from qunluo.console.people.imports import FOLDER, OPEN, UNDER_WAY, refuse_binary
from qunluo.console.uploads import Arrived
from qunluo.console.wording import current_lang
from qunluo.kit.errors import QunluoError

PAGE = 50
FORM = require_http_methods(["GET", "HEAD", "POST"])


@staff_view("run_shop")
@FORM
def imports(request: StaffRequest) -> HttpResponseBase:
    """The imports so far, and the way to a new one."""
    refused = ""
    if request.method == "POST":
        try:
            return redirect("shop:import", _take_in(request).pk)
        except QunluoError as error:
            refused = error.message(current_lang())
    rows = OrderImport.objects.filter(community=request.community).order_by("-pk")[:PAGE]
    context = {"rows": rows, "refused": refused}
    status = REFUSED if refused else 200
    return render(request, "console/shop/imports.html", context, status=status)


def _take_in(request: StaffRequest) -> OrderImport:
    """Keeps the file under a name of ours; it goes when it is read, or at once when it is none.
    Raises `NoFileError`, `WrongFileError`."""
    sent = cast("UploadedFile[bytes] | None", request.FILES.get("file"))
    if not isinstance(sent, Arrived):
        raise NoFileError
    name = f"{FOLDER}/{secrets.token_hex(12)}.csv"
    path = sent.keep(settings.QUNLUO.data / name)
    try:
        refuse_binary(path)
        title = sent.name or "orders.csv"
        return do_start_import(request.community, name, title=title, by=request.staff.actor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _find(request: StaffRequest, import_id: int) -> OrderImport:
    rows = OrderImport.objects.filter(community=request.community)
    return found(rows.select_related("community"), import_id)


@staff_view("run_shop")
@FORM
@telling
def one(request: StaffRequest, import_id: int) -> HttpResponseBase:
    """One import where it stands: its columns and what would come in, or what came."""
    row = _find(request, import_id)
    if row.state not in OPEN:
        return render(request, "console/shop/import.html", _result(row))
    columns, refused = row.mapping["columns"], ""
    if request.method == "POST":
        columns = request.POST.getlist("column")
        try:
            do_map_import(row, columns)
        except QunluoError as error:
            refused = error.message(current_lang())
    status = REFUSED if refused else 200
    context = _mapping(row, columns, refused)
    return render(request, "console/shop/import.html", context, status=status)


def _mapping(row: OrderImport, columns: list[str], refused: str) -> dict[str, Any]:
    ready = are_enough(columns) and not refused
    seen = preview(row) if ready else None
    lang = current_lang()
    return {
        "row": row, "refused": refused, "mapping": True, "seen": seen, "ready": ready,
        "columns": list(zip(row.mapping["header"], columns, strict=False)),
        "targets": _targets(), "currency": settings_of(row.community).currency,
        "rejects": [(r.line, r.why(lang)) for r in seen.rejects[:PAGE]] if seen else [],
    }  # fmt: skip


def _targets() -> list[tuple[str, str]]:
    said = {
        "order": _("Order number"), "phone": _("Phone"), "email": _("E-mail"),
        "account": _("Account id"), "amount": _("Amount"), "paid_at": _("Time of payment"),
        "items": _("Items"), "store": _("Shop it came from"),
    }  # fmt: skip
    return [(name, said[name]) for name in COLUMNS]


def _result(row: OrderImport) -> dict[str, Any]:
    lang = current_lang()
    return {
        "row": row, "under_way": row.state in UNDER_WAY, "words": _words(row),
        "rejects": [(reject["line"], reject[lang]) for reject in row.rejects],
    }  # fmt: skip


def _words(row: OrderImport) -> str:
    """How far it is."""
    if row.state == "queued":
        return _("It waits for its turn.")
    return _("{read} lines read: {made} new, {met} known, {rejected} rejected.").format(
        read=row.read, made=row.made, met=row.known, rejected=row.rejected
    )


@staff_view("run_shop")
@require_POST
@telling
def run(request: StaffRequest, import_id: int) -> HttpResponseBase:
    """Hands it to the worker; a second tap changes nothing."""
    row = _find(request, import_id)
    if row.state not in OPEN:
        return redirect("shop:import", row.pk)
    do_queue_import(row)
    return done(request, _("The import has begun."), "shop:import", row.pk)


@staff_view("run_shop")
@require_safe
def state(request: StaffRequest, import_id: int) -> HttpResponse:
    """For the page's script."""
    row = _find(request, import_id)
    return JsonResponse({"words": _words(row), "ended": row.state not in UNDER_WAY})
