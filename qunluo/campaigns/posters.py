"""A member's own poster of a campaign: who invites, to what, and the QR code of their link.

It is drawn as a PNG, which can be kept with one long press; where this machine has no Chinese
font, as an SVG that the browser draws with its own. The same content is drawn once.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import lru_cache
from hashlib import blake2b
from html import escape

import segno
from PIL import Image, ImageDraw, ImageOps

from qunluo.campaigns.errors import NoFontError
from qunluo.campaigns.fonts import Face, find_face, font_of, width_of, writable
from qunluo.campaigns.models import Campaign
from qunluo.campaigns.registry import find_mechanic
from qunluo.insight.report.palette import COLOURS
from qunluo.kit.text import Text
from qunluo.members.models import Member

STYLE = 1  # of the drawing; part of what is cached
WIDTH, HEIGHT = 750, 1_080
TOP, PAD = 610, 60  # of the coloured part; beside everything
QR, AVATAR = 300, 96
SHADES = 128  # of the picture: a third of the bytes, and the same to the eye
QUIET = 4  # modules around a QR code, as its standard asks
HANGS = 1.06  # how far a closing sign may hang out of its line
NOT_FIRST = set("，。！？、；：）》」』”’…,.!?;:)]}%")
GAP = re.compile(r"\s+(?=[，。！？、；：）》」』])")
FAMILY = "'PingFang SC','Noto Sans CJK SC','Microsoft YaHei',sans-serif"
INVITES = Text("invites you", "邀请你参加")
HOLD = Text("Hold the code, or scan it", "长按或扫描二维码")
UNTIL = Text("Until {day}", "{day} 截止")
Width = Callable[[str], float]


@dataclass(frozen=True)
class Poster:
    """Everything that is to be seen on one; the same content is the same picture."""

    title: str
    gist: str
    community: str
    name: str
    address: str  # behind the code
    until: str = ""
    lang: str = "zh"
    avatar: bytes = b""  # a picture's file

    @property
    def etag(self) -> str:
        told = repr((STYLE, astuple(self))).encode()
        return blake2b(told, digest_size=12).hexdigest()


def poster_of(campaign: Campaign, member: Member, address: str, avatar: bytes = b"") -> Poster:
    """What a member's poster of a campaign shows; `address` is their whole link."""
    community = campaign.community
    lang = community.lang
    day = f"{campaign.ends_at:%Y-%m-%d}" if campaign.ends_at else ""
    gist = campaign.goal or find_mechanic(campaign.mechanic).gist(lang)
    return Poster(
        campaign.name, gist, community.name, member.name, address,
        UNTIL.format(day=day)(lang) if day else "", lang, avatar,
    )  # fmt: skip


@lru_cache(maxsize=128)
def draw_png(poster: Poster) -> bytes:
    """The poster as a PNG; raises `NoFontError`."""
    bold, plain = find_face(bold=True), find_face()
    if bold is None or plain is None:
        raise NoFontError
    image = Image.new("RGB", (WIDTH, HEIGHT), _rgb("surface"))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, TOP), fill=_rgb("accent"))
    _write_top(draw, poster, bold, plain)
    _put_avatar(image, poster, bold)
    _write_bottom(draw, poster, bold, plain)
    image.paste(_qr(poster.address), (WIDTH - PAD - QR, TOP + 70))
    packed = io.BytesIO()
    few = image.quantize(SHADES, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(packed, "PNG", compress_level=6)
    return packed.getvalue()


def _rgb(name: str) -> tuple[int, int, int]:
    return COLOURS[name].light.rgb()


def _write_top(draw: ImageDraw.ImageDraw, poster: Poster, bold: Face, plain: Face) -> None:
    ink, faint = _rgb("on-accent"), _rgb("wash")
    top = _lines(draw, poster.community, (PAD, PAD), plain, 30, faint, most=1)
    top = _lines(draw, poster.title, (PAD, top + 30), bold, 68, ink, most=3)
    top = _lines(draw, poster.gist, (PAD, top + 24), plain, 34, ink, most=2)
    if poster.until:
        _lines(draw, poster.until, (PAD, top + 12), plain, 28, faint, most=1)


def _write_bottom(draw: ImageDraw.ImageDraw, poster: Poster, bold: Face, plain: Face) -> None:
    wide = WIDTH - 3 * PAD - QR
    top = TOP + 70 + AVATAR + 24
    top = _lines(draw, poster.name, (PAD, top), bold, 38, _rgb("ink"), most=2, wide=wide)
    top = _lines(
        draw, INVITES(poster.lang), (PAD, top + 8), plain, 32, _rgb("muted"), wide=wide
    )
    _lines(draw, HOLD(poster.lang), (PAD, HEIGHT - 90), plain, 26, _rgb("muted"))


def _lines(
    draw: ImageDraw.ImageDraw, text: str, at: tuple[int, int], face: Face, size: int,
    ink: tuple[int, int, int], *, most: int = 1, wide: int = WIDTH - 2 * PAD,
) -> int:  # fmt: skip
    """Writes at most so many lines; where the next one may begin."""
    left, top = at
    font = font_of(face, size)

    def width(line: str) -> float:
        return sum(width_of(face, size, sign) for sign in line)

    for line in break_lines(writable(face, text), width, wide, most):
        draw.text((left, top), line, font=font, fill=ink)
        top += round(size * 1.35)
    return top


def break_lines(text: str, width: Width, wide: int, most: int) -> list[str]:
    """Breaks between Chinese signs or at blanks, never before closing signs, which have no blank
    before them; what is too much ends in "…"."""
    text = GAP.sub("", text)
    lines: list[str] = []
    line = ""
    for part in _parts(text):
        if line and width(line + part.rstrip()) > wide and part[0] not in NOT_FIRST:
            lines.append(line.rstrip())
            line = ""
        line += part if line else part.lstrip()
    lines = [piece for long in [*lines, line] for piece in _cut(long.rstrip(), width, wide)]
    if len(lines) > most:
        lines[most - 1] = _fit(lines[most - 1] + "…", width, wide)
    return lines[:most]


def _parts(text: str) -> list[str]:
    """What a line may be broken between: each Chinese sign, each word with its blank."""
    parts = [""]
    for sign in text:
        if parts[-1] and (_is_wide(sign) or _is_wide(parts[-1][-1]) or parts[-1][-1] == " "):
            parts.append("")
        parts[-1] += sign
    return [part for part in parts if part]


def _is_wide(sign: str) -> bool:
    return ord(sign) >= 0x2E80


def _cut(line: str, width: Width, wide: int) -> list[str]:
    """A line as it is, or in pieces where one word alone is too long for it."""
    pieces = [""]
    for sign in line:
        if pieces[-1] and width(pieces[-1] + sign) > wide * HANGS and sign not in NOT_FIRST:
            pieces.append("")
        pieces[-1] += sign
    return pieces if line else []


def _fit(line: str, width: Width, wide: int) -> str:
    while len(line) > 1 and width(line) > wide:
        line = line[:-2].rstrip() + "…"
    return line


def initial_of(name: str) -> str:
    """What stands for somebody without a picture."""
    return next((sign.upper() for sign in name if sign.isalnum()), "?")


def _put_avatar(image: Image.Image, poster: Poster, bold: Face) -> None:
    at = (PAD, TOP + 70)
    disc = Image.new("L", (AVATAR * 4, AVATAR * 4), 0)  # smooth edges: drawn large, then shrunk
    ImageDraw.Draw(disc).ellipse((0, 0, AVATAR * 4 - 1, AVATAR * 4 - 1), fill=255)
    mask = disc.resize((AVATAR, AVATAR), Image.Resampling.LANCZOS)
    image.paste(_open_avatar(poster.avatar) or _draw_initial(poster.name, bold), at, mask)


def _open_avatar(data: bytes) -> Image.Image | None:
    """The picture as a square; None where it is none."""
    if not data:
        return None
    try:
        with Image.open(io.BytesIO(data), formats=("WEBP", "PNG", "JPEG")) as picture:
            return ImageOps.fit(picture.convert("RGB"), (AVATAR, AVATAR))
    except (OSError, ValueError, Image.DecompressionBombError):
        return None


def _draw_initial(name: str, bold: Face) -> Image.Image:
    square = Image.new("RGB", (AVATAR, AVATAR), _rgb("c2"))
    sign = initial_of(writable(bold, name))
    middle = (AVATAR // 2, AVATAR // 2)
    ImageDraw.Draw(square).text(
        middle, sign, font=font_of(bold, 48), fill=_rgb("on-c2"), anchor="mm"
    )
    return square


def _qr(address: str) -> Image.Image:
    """Whole pixels for each module, so that no edge is grey."""
    rows = [bytes(255 * (1 - dark) for dark in row) for row in _matrix(address)]
    small = Image.frombytes("L", (len(rows), len(rows)), b"".join(rows))
    scale = max(1, QR // len(rows))
    large = small.resize((len(rows) * scale,) * 2, Image.Resampling.NEAREST)
    code = Image.new("L", (QR, QR), 255)
    margin = (QR - large.width) // 2
    code.paste(large, (margin, margin))
    return code.convert("RGB")


def _matrix(address: str) -> list[bytes]:
    code = segno.make(address, error="m", micro=False)
    return [bytes(row) for row in code.matrix_iter(border=QUIET)]


# drawn by the browser


def draw_svg(poster: Poster) -> bytes:
    """The same poster, written with what fonts the reader has."""
    top = "".join((
        _text(poster.community, PAD, 90, 30, "wash", most=1),
        _text(poster.title, PAD, 190, 68, "on-accent", most=3, bold=True),
        _text(poster.gist, PAD, 190 + 92 * 3, 34, "on-accent", most=2),
        _text(poster.until, PAD, TOP - 40, 28, "wash", most=1),
    ))  # fmt: skip
    wide, middle = WIDTH - 3 * PAD - QR, TOP + 70 + AVATAR // 2
    bottom = "".join((
        _text(poster.name, PAD, TOP + 230, 38, "ink", most=2, wide=wide, bold=True),
        _text(INVITES(poster.lang), PAD, TOP + 340, 32, "muted", most=1),
        _text(HOLD(poster.lang), PAD, HEIGHT - 60, 26, "muted", most=1),
    ))  # fmt: skip
    face = (
        f'<circle cx="{PAD + AVATAR // 2}" cy="{middle}" r="{AVATAR // 2}" fill="{_hex("c2")}"/>'
        f'<text x="{PAD + AVATAR // 2}" y="{middle + 17}" font-size="48" text-anchor="middle" '
        f'fill="{_hex("on-c2")}">{escape(initial_of(poster.name))}</text>'
    )
    packed = io.BytesIO()
    _qr(poster.address).save(packed, "PNG")
    code = base64.b64encode(packed.getvalue()).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="{FAMILY}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{_hex("surface")}"/>'
        f'<rect width="{WIDTH}" height="{TOP}" fill="{_hex("accent")}"/>{top}{face}{bottom}'
        f'<image x="{WIDTH - PAD - QR}" y="{TOP + 70}" width="{QR}" height="{QR}" '
        f'href="data:image/png;base64,{code}"/></svg>'
    ).encode()


def _hex(name: str) -> str:
    return COLOURS[name].light.hex()


def _text(
    text: str, left: int, top: int, size: int, ink: str, *, most: int,
    wide: int = WIDTH - 2 * PAD, bold: bool = False,
) -> str:  # fmt: skip
    def width(line: str) -> float:
        return sum(size if _is_wide(sign) else size * 0.6 for sign in line)

    lines = break_lines(" ".join(text.split()), width, wide, most)
    weight = ' font-weight="700"' if bold else ""
    return "".join(
        f'<text x="{left}" y="{top + n * round(size * 1.35)}" font-size="{size}"{weight} '
        f'fill="{_hex(ink)}">{escape(line)}</text>'
        for n, line in enumerate(lines)
    )
