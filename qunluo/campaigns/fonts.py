"""A font that can write Chinese, wherever this machine keeps one.

First what lies in `fonts` of the data folder, then what fontconfig names, then the places where
systems and distributions put theirs. Asked once in a process.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from django.conf import settings
from PIL import ImageFont

CHINESE = "群落邀请"  # who can write this can write what is common
KINDS = (".ttc", ".otf", ".ttf")
MOST_FACES = 40
WAIT_S = 3.0
_NOTO = ("NotoSansCJK{}.ttc", "NotoSansCJKsc{}.otf", "NotoSansSC{}.otf", "SourceHanSansSC{}.otf",
         "SourceHanSansCN{}.otf")  # fmt: skip
_FOLDERS = (
    "/usr/share/fonts/opentype/noto", "/usr/share/fonts/noto-cjk", "/usr/share/fonts/noto",
    "/usr/share/fonts/google-noto-cjk", "/usr/share/fonts/google-noto-sans-cjk-fonts",
    "/usr/share/fonts/adobe-source-han-sans", "/usr/local/share/fonts",
)  # fmt: skip
_OTHERS = {
    False: ("/System/Library/Fonts/PingFang.ttc", "/System/Library/Fonts/Hiragino Sans GB.ttc",
            "/System/Library/Fonts/STHeiti Light.ttc", "C:/Windows/Fonts/msyh.ttc",
            "C:/Windows/Fonts/simhei.ttf", "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
            "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",
            "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"),
    True: ("/System/Library/Fonts/STHeiti Medium.ttc", "C:/Windows/Fonts/msyhbd.ttc"),
}  # fmt: skip
_SIMPLIFIED = (" SC", " CN", " GB", "YaHei", "Hei", "Micro")


@dataclass(frozen=True)
class Face:
    """One face of a font file; a collection has several."""

    path: str
    index: int = 0


@cache
def find_face(bold: bool = False) -> Face | None:
    """The best face that can write Chinese; None where this machine has none."""
    for path in _list_paths(bold):
        face = _simplified(path)
        if face is not None:
            return face
    return find_face() if bold else None


def _list_paths(bold: bool) -> Iterator[Path]:
    style = "Bold" if bold else "Regular"
    own = sorted((settings.QUNLUO.data / "fonts").glob("*"))
    yield from (path for path in own if path.suffix.lower() in KINDS
                and ("bold" in path.name.lower()) == bold)  # fmt: skip
    for folder in _FOLDERS:
        yield from (Path(folder) / name.format(f"-{style}") for name in _NOTO)
    yield from map(Path, _OTHERS[bold])
    yield from _ask_fontconfig(style)


def _ask_fontconfig(style: str) -> Iterator[Path]:
    """What fontconfig would take for Chinese, where it is installed."""
    if sys.platform == "win32":
        return
    try:
        told = subprocess.run(  # noqa: S603 - nothing of it comes from outside
            ["fc-match", "-f", "%{file}", f"sans-serif:lang=zh-cn:style={style}"],  # noqa: S607 - wherever it is
            capture_output=True, text=True, timeout=WAIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return
    if told.returncode == 0 and told.stdout:
        yield Path(told.stdout.strip())


def _simplified(path: Path) -> Face | None:
    """The face of a file that writes Chinese as it is written on the mainland, if it has one
    that writes Chinese at all."""
    if not path.is_file():
        return None
    first: Face | None = None
    for index in range(MOST_FACES):
        try:
            font = ImageFont.truetype(str(path), 20, index=index)
        except OSError:
            break
        if not all(_has(font, sign) for sign in CHINESE):
            continue
        face = Face(str(path), index)
        if any(name in f" {font.getname()[0]}" for name in _SIMPLIFIED):
            return face
        first = first or face
    return first


def _has(font: ImageFont.FreeTypeFont, sign: str) -> bool:
    """Whether a font draws a sign otherwise than what it has no sign for."""
    return bytes(font.getmask(sign)) != bytes(font.getmask("\U0010fffe"))


@lru_cache(maxsize=16)
def font_of(face: Face, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(face.path, size, index=face.index)


@lru_cache(maxsize=4096)
def can_write(face: Face, sign: str) -> bool:
    return sign.isspace() or _has(font_of(face, 20), sign)


@lru_cache(maxsize=8192)
def width_of(face: Face, size: int, sign: str) -> float:
    """How wide a sign is, in pixels."""
    return font_of(face, size).getlength(sign)


def writable(face: Face, text: str) -> str:
    """What a face can write of a text; the rest (such as emoji) is left out."""
    return " ".join("".join(sign for sign in text if can_write(face, sign)).split())
