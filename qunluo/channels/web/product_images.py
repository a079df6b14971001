"""Pictures of products: drawn anew as members' are, and kept apart from these."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from django.conf import settings

from qunluo.channels.web.images import MOST_BYTES, draw_anew, too_large

_NAME = re.compile(r"media/shop/[0-9]+-[0-9a-f]{32}\.webp")


def keep_product_image(data: bytes, community_id: int) -> str:
    """Stores a picture; its name below the data folder. Raises `ImageTooLargeError`,
    `NotAnImageError`."""
    if len(data) > MOST_BYTES:
        raise too_large()
    drawn = draw_anew(data)
    name = f"media/shop/{community_id}-{secrets.token_hex(16)}.webp"
    path: Path = settings.QUNLUO.data / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(drawn)
    return name


def find_product_image(name: str) -> Path | None:
    """The file of a stored name; none for any other name."""
    if not _NAME.fullmatch(name):
        return None
    path: Path = settings.QUNLUO.data / name
    return path if path.is_file() else None
