"""What every request passes: limits before the body is read, headers on every answer."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from qunluo.console.errors import NoRoomError, UploadTooLargeError
from qunluo.console.uploads import has_room
from qunluo.kit.errors import QunluoError

PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# A report runs its own scripts, in an origin of its own: it reaches neither page nor net.
REPORT_POLICY = "; ".join(
    (
        "sandbox allow-scripts allow-modals allow-downloads",
        "default-src 'none'",
        "script-src 'unsafe-inline'",
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "font-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
BODY_ROOM = 1_000_000  # of the form around the files

Answer = Callable[[HttpRequest], HttpResponse]


def limit_body(answer: Answer) -> Answer:
    """Refuses a body that is too large for the settings or the disk before it is read."""

    def guarded(request: HttpRequest) -> HttpResponse:
        refusal = _refuse_body(int(request.META.get("CONTENT_LENGTH") or 0))
        if refusal is None:
            return answer(request)
        from qunluo.console.views import refuse  # noqa: PLC0415 - views need loaded settings

        return refuse(
            request, refusal, 413 if isinstance(refusal, UploadTooLargeError) else 507
        )

    return guarded


def _refuse_body(size: int) -> QunluoError | None:
    chosen = settings.QUNLUO
    if size > chosen.max_upload + BODY_ROOM:
        return UploadTooLargeError(limit=chosen.max_upload_mb)
    if size > BODY_ROOM and not has_room(chosen.data, size):
        return NoRoomError()
    return None


def refuse_nul(answer: Answer) -> Answer:
    """Refuses the sign NUL in a form or address: no keyboard makes it, no database keeps it.

    Programs are told by the API itself, in its own words."""

    def guarded(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/") and _has_nul(request):
            from qunluo.console.views import refuse_strange  # noqa: PLC0415 - as above

            return refuse_strange(request, ValueError())
        return answer(request)

    return guarded


def _has_nul(request: HttpRequest) -> bool:
    values = (
        v for sent in (request.GET, request.POST) for _, many in sent.lists() for v in many
    )
    return "\x00" in request.path or any("\x00" in str(value) for value in values)


def add_headers(answer: Answer) -> Answer:
    """Content policy and caching; a view that set its own keeps it."""

    def guarded(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=()"
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "no-store")
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response

    return guarded
