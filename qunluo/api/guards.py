"""What a call passes before it is read."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

ROOT = "/api/"


def limit_body(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuses a body larger than a call ever needs, unread and in the API's own words."""

    def guarded(request: HttpRequest) -> HttpResponse:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        size = int(request.META.get("CONTENT_LENGTH") or 0)
        if not request.path.startswith(ROOT) or size <= limit:
            return answer(request)
        from qunluo.api.errors import TooLargeError  # noqa: PLC0415 - settings come first
        from qunluo.api.problems import as_problem  # noqa: PLC0415 - settings come first

        return as_problem(request, TooLargeError(limit=limit))

    return guarded
