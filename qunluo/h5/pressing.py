"""The buttons of a campaign, for scripts: what was pressed, once for its key, and what came of it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from qunluo.campaigns.mechanics.kernel import Refused
from qunluo.campaigns.models import Campaign
from qunluo.channels.web.sessions import COOKIE
from qunluo.h5.acting import Press, Said, do_press
from qunluo.h5.errors import StrangeRequestError
from qunluo.h5.pages import as_json, lang, one_line, read_json
from qunluo.kit.errors import QunluoError

MOST_FIELDS, MOST_SIGNS = 12, 500
Plain = str | int | bool


@require_POST
@as_json
def press(request: HttpRequest, code: str) -> HttpResponse:
    """What somebody pressed, as a script sends it. A refusal is an answer (409) with a sentence
    that says what would help."""
    given = read_json(request)
    said = press_for(request, code, given)
    if isinstance(said, QunluoError):
        raise said
    if isinstance(said, Refused):
        return JsonResponse({"error": said.why(lang()), "code": said.code}, status=409)
    return JsonResponse({"answer": dict(said.answer)})


def press_for(request: HttpRequest, code: str, given: dict[str, Any]) -> Said:
    """Carries out what a form or script gives: `kind`, `key`, `play` and the act's own values.
    Raises `Http404`, `StrangeRequestError`."""
    asked = Press(
        request.COOKIES.get(COOKIE, ""), one_line(given.get("kind"), 30),
        one_line(given.get("key"), 80), one_line(given.get("play"), 60), read_data(given),
    )  # fmt: skip
    if not asked.kind or not asked.key:
        raise StrangeRequestError
    try:
        return do_press(code, asked)
    except Campaign.DoesNotExist:
        raise Http404 from None


def read_data(given: dict[str, Any]) -> dict[str, Plain]:
    """An act's own values: short words and whole numbers; raises `StrangeRequestError`."""
    found = given.get("data", {})
    if not isinstance(found, dict) or len(found) > MOST_FIELDS:
        raise StrangeRequestError
    return {one_line(name, 40): _plain(value) for name, value in found.items()}


def _plain(value: object) -> Plain:
    if isinstance(value, bool | int) and abs(value) < 10**12:
        return value
    if not isinstance(value, str) or len(value) > MOST_SIGNS:
        raise StrangeRequestError
    number = value.isascii() and value.isdecimal() and len(value) < 12
    return int(value) if number else one_line(value, MOST_SIGNS)  # others read it
