"""What every members' page has in common: its look, its policy, its language, its refusals."""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language

from qunluo.h5.errors import StrangeRequestError
from qunluo.h5.looks import look_address
from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Lang, Text

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self' {live}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STATUSES = {"not_here": 403, "too_often": 429, "gone_message": 404, "image_too_large": 413,
            "not_an_image": 415}  # fmt: skip
MOST_BODY = 64_000  # of what a script sends
_SAFE_HOST = re.compile(r"[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\]")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # signs that show nothing or turn the line

View = Callable[..., HttpResponse]


def lang() -> Lang:
    return "zh" if (get_language() or "en").startswith("zh") else "en"


def page(
    request: HttpRequest, template: str, context: Mapping[str, Any], status: int = 200
) -> HttpResponse:
    """A page with our style, and a policy that lets its script reach the live stream."""
    live = live_address(request)
    looks = {
        name.replace(".", "_"): look_address(name) for name in ("h5.css", "room.js", "page.js")
    }
    response = render(
        request, f"h5/{template}", {**context, **looks, "live": live}, status=status
    )
    response["Content-Security-Policy"] = POLICY.format(live=live)
    return response


def live_address(request: HttpRequest) -> str:
    """Where the live stream is: the address that is set, else the next port of this host."""
    chosen = settings.QUNLUO
    if chosen.live_url:
        return str(chosen.live_url)
    host, _, port = request.get_host().rpartition(":")
    if not host or port.endswith("]"):
        host, port = request.get_host(), ("443" if request.is_secure() else "80")
    if not _SAFE_HOST.fullmatch(host) or not port.isdecimal():
        return ""
    number = chosen.live_port or (chosen.port or int(port)) + 1
    return f"{request.scheme}://{host}:{number}"


def told(
    request: HttpRequest, title: str, words: str, status: int = 200, **more: Any
) -> HttpResponse:
    """A page that says one thing."""
    return page(request, "told.html", {"title": title, "words": words, **more}, status)


def as_json(view: View) -> View:
    """A view for scripts: what a person can put right comes back as a sentence."""

    @functools.wraps(view)
    def answered(request: HttpRequest, *given: Any, **named: Any) -> HttpResponse:
        try:
            return view(request, *given, **named)
        except QunluoError as error:
            answer = {"error": error.message(lang()), "code": error.code}
            return JsonResponse(answer, status=STATUSES.get(error.code, 400))

    return answered


def read_json(request: HttpRequest) -> dict[str, Any]:
    """What a script sent, an object; raises `StrangeRequestError`."""
    body = request.read(MOST_BODY + 1)
    try:
        found = json.loads(body) if len(body) <= MOST_BODY else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise StrangeRequestError
    return found


def one_line(text: object, most: int) -> str:
    """A name as it may be shown: one line without signs that hide or turn what stands there."""
    given = str(text or "")
    if given.isascii() and given.isprintable():  # as most are: nothing to look for
        return " ".join(given.split())[:most].strip()
    plain = "".join(" " if c.isspace() else c for c in given)
    kept = "".join(c for c in plain if c == "\u200d" or unicodedata.category(c) not in _HIDDEN)
    return " ".join(kept.split())[:most].strip("\u200d ")


def several_lines(text: object) -> str:
    """A message as it may be stored: no control signs but line breaks."""
    plain = str(text or "").replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in plain if c == "\n" or unicodedata.category(c) not in {"Cc", "Cs"})
    return "".join(kept).strip()


def in_words(stored: object) -> str:
    """A stored `Text` ({"en", "zh"}) or plain words, in the reader's language."""
    if isinstance(stored, dict):
        return Text(str(stored.get("en", "")), str(stored.get("zh", "")))(lang())
    return str(stored)
