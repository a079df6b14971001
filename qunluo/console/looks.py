"""The page's style, script and icon, served under an address that changes with them."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from qunluo.insight.report.palette import stylesheet

ASSETS = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


@cache
def read_asset(name: str) -> bytes:
    """One asset; the style begins with the colours of the report, so that both look alike."""
    own = (Path(__file__).parent / "assets" / name).read_bytes()
    return stylesheet().encode() + own if name.endswith(".css") else own


@cache
def asset_version() -> str:
    """Changes with any asset, so that browsers may keep them for ever."""
    return sha256(b"".join(read_asset(name) for name in sorted(ASSETS))).hexdigest()[:12]
