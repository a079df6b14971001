"""The draws of a campaign, for everybody to check: what was promised before, what was told after,
and every draw between."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from qunluo.campaigns.drawing import check_draws
from qunluo.campaigns.models import Campaign
from qunluo.channels.web.sessions import find_member, session_of
from qunluo.h5.campaigning import may_read
from qunluo.h5.inviting import find_campaign
from qunluo.h5.pages import page

SHOWN = 200


@require_safe
def draws(request: HttpRequest, code: str) -> HttpResponse:
    """Until the end only the hash of the seed; then the seed, every draw, and whether they agree."""
    row = _find(request, code)
    check = check_draws(row)
    context = {"campaign": row, "check": check, "draws": check.draws[:SHOWN] if check else ()}
    return page(request, "draws.html", context)


@require_safe
def draws_file(request: HttpRequest, code: str) -> HttpResponse:
    """The same for a program: seed, hash, and each draw with what was in it."""
    row = _find(request, code)
    check = check_draws(row)
    if check is None:
        raise Http404
    return JsonResponse(_plain(row, check.draws))


def _plain(row: Campaign, found: Any) -> dict[str, Any]:
    return {
        "how": "HMAC-SHA256(seed, label#0), its first 8 bytes (big endian) modulo the sum of "
        "the weights; where these bytes are not below the greatest multiple of that sum, label#1 …",
        "seed": row.seed, "commitment": row.commitment,
        "draws": [one.model_dump(mode="json") for one in found],
    }  # fmt: skip


def _find(request: HttpRequest, code: str) -> Campaign:
    """For who may read the campaign's page, where it draws lots."""
    row = find_campaign(code)
    member = find_member(session_of(request), row.community_id)
    if row.mechanic != "lucky_draw" or not may_read(request, row, member):
        raise Http404
    return row
