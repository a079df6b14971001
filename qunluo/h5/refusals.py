"""What a member is told at an address that leads nowhere, or where something broke."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from qunluo.h5.pages import told


def not_found(request: HttpRequest) -> HttpResponse:
    words = _("The link is wrong or no longer valid. Ask whoever sent it to you for a new one.")
    return _say(request, _("There is nothing here"), words, 404)


def broken(request: HttpRequest) -> HttpResponse:
    words = _("It is not your fault, and nothing is lost. Try again in a moment.")
    return _say(request, _("Something went wrong"), words, 500)


def forged(request: HttpRequest) -> HttpResponse:
    words = _("This page was open for too long. Go back, reload it, and try again.")
    return _say(request, _("That did not work"), words, 403)


def _say(request: HttpRequest, title: str, words: str, status: int) -> HttpResponse:
    """A page, or for a script the sentence alone."""
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"error": words}, status=status)
    return told(request, title, words, status)
