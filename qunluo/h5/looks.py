"""The style and scripts of members' pages, served under an address that changes with them."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from qunluo.insight.report.palette import stylesheet

FOLDER = Path(__file__).parent / "static" / "h5"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def read_look(name: str) -> bytes:
    """One file; the style begins with the colours that all pages of Qunluo share."""
    own = (FOLDER / name).read_bytes()
    return stylesheet().encode() + own if name.endswith(".css") else own


@cache
def list_looks() -> frozenset[str]:
    return frozenset(path.name for path in FOLDER.iterdir() if path.suffix in KINDS)


@cache
def looks_version() -> str:
    return sha256(b"".join(read_look(name) for name in sorted(list_looks()))).hexdigest()[:12]


def look_address(name: str) -> str:
    return reverse("h5:look", args=[looks_version(), name])


@require_safe
def look(request: HttpRequest, version: str, name: str) -> HttpResponse:
    if name not in list_looks():
        raise Http404
    kind = KINDS[Path(name).suffix]
    response = HttpResponse(read_look(name), content_type=f"{kind}; charset=utf-8")
    fresh = version == looks_version()
    response["Cache-Control"] = "public, max-age=31536000, immutable" if fresh else "no-cache"
    return response
