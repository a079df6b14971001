"""The address that providers call."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from qunluo.commerce.provider import NoProviderError
from qunluo.payments.door import hear

MOST = 64_000  # bytes; a notification has two or three thousand


@csrf_exempt
@require_POST
def notify(request: HttpRequest, provider: str) -> HttpResponse:
    """What a provider tells; guarded by its signature alone."""
    body = request.read(MOST + 1)
    if len(body) > MOST:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        answer = hear(provider, headers, body)
    except NoProviderError:
        return HttpResponse(status=404)
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)


notify.open_to = "payment providers, by the signature of what they tell"  # type: ignore[attr-defined]
