"""Wagtail's admin as the console's shell: its looks and scripts, none of its own pages."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, URLResolver
from django.views.decorators.http import require_safe
from wagtail.admin.urls import urlpatterns as theirs

from qunluo.console.access import open_view

OPEN = {"wagtailadmin_sprite", "wagtailadmin_javascript_catalog"}
REPLACED = {
    "wagtailadmin_home", "wagtailadmin_account", "wagtailadmin_logout", "wagtailadmin_login",
}  # fmt: skip
DAY_S = 86_400


@open_view("nobody: pages of the shell that the console doesn't use")
def closed(request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
    raise Http404


def _open(view: Any) -> Any:
    @open_view("everybody: icons and words of the shell")
    def shown(request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
        answer: HttpResponseBase = view(request, *args, **named)
        return answer

    return shown


def close(patterns: list[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    """The shell's addresses, which its templates name, with nothing behind them."""
    kept: list[URLPattern | URLResolver] = []
    for found in patterns:
        if isinstance(found, URLResolver):
            close(found.url_patterns)
            kept.append(found)
        elif found.name and found.name not in REPLACED:
            found.callback = _open(found.callback) if found.name in OPEN else closed
            kept.append(found)
    return kept


urlpatterns = close(theirs)


@open_view("everybody: styles, scripts and pictures")
@require_safe
def static(request: HttpRequest, path: str) -> HttpResponseBase:
    """A file of the rooms' `static` folders; nothing has to be collected before a start."""
    found = finders.find(path)
    if not isinstance(found, str) or not Path(found).is_file():
        raise Http404
    kind = mimetypes.guess_type(found)[0] or "application/octet-stream"
    answer = FileResponse(Path(found).open("rb"), content_type=kind)  # noqa: SIM115 - closed with the answer
    answer["Cache-Control"] = f"public, max-age={DAY_S if 'v' in request.GET else 60}"
    return answer
