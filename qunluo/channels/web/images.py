"""Pictures that members send: judged by their content, drawn anew, stored under our own names.

Drawing anew leaves behind what a picture carries besides itself: the place where it was taken,
or another file that hides in it.
"""

from __future__ import annotations

import io
import re
import secrets
import warnings
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from PIL import Image, ImageOps

from qunluo.channels.web.errors import ImageTooLargeError, NotAnImageError

MOST_BYTES = 8_000_000
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 1_600
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
CONTENT_TYPE = "image/webp"
_NAME = re.compile(r"media/web/[0-9]+/[0-9]+-[0-9a-f]{32}\.webp")


def keep_image(data: bytes, group_id: int, member_id: int) -> str:
    """Stores a member's picture for a group; its name below the data folder.

    Raises `ImageTooLargeError` or `NotAnImageError`.
    """
    if len(data) > MOST_BYTES:
        raise too_large()
    drawn = draw_anew(data)
    name = f"{place_of(group_id, member_id)}{secrets.token_hex(16)}.webp"
    path = settings.QUNLUO.data / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(drawn)
    return name


def place_of(group_id: int, member_id: int) -> str:
    """How the names of a member's pictures in a group begin."""
    return f"media/web/{group_id}/{member_id}-"


def forget_images(member_ids: Sequence[int]) -> None:
    """Removes every picture that these members sent."""
    for member_id in member_ids:
        for path in (settings.QUNLUO.data / "media" / "web").glob(f"*/{member_id}-*.webp"):
            path.unlink(missing_ok=True)


def find_image(name: str) -> Path | None:
    """The file of a stored name; none for any other name."""
    if not _NAME.fullmatch(name):
        return None
    path: Path = settings.QUNLUO.data / name
    return path if path.is_file() else None


def draw_anew(data: bytes) -> bytes:
    """The picture as WebP, upright, at most 1,600 pixels a side, without its metadata."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a strange picture warns; its size is judged below
            return _draw(data)
    except (ImageTooLargeError, Image.DecompressionBombError):
        raise too_large() from None
    except Exception as error:  # a decoder fed with anything raises anything
        raise NotAnImageError from error


def _draw(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise too_large()
        picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        clear = upright.has_transparency_data
        target = io.BytesIO()
        upright.convert("RGBA" if clear else "RGB").save(target, "WEBP", quality=80, method=2)
        return target.getvalue()


def too_large() -> ImageTooLargeError:
    return ImageTooLargeError(limit=MOST_BYTES // 1_000_000, pixels=MOST_PIXELS // 1_000_000)
