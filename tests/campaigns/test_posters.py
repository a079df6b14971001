"""Posters: the right words in Chinese type, a code that leads to the right link, drawn once."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import segno
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from qunluo.campaigns import fonts
from qunluo.campaigns.errors import NoFontError
from qunluo.campaigns.fonts import find_face, writable
from qunluo.campaigns.posters import (
    HEIGHT,
    NOT_FIRST,
    PAD,
    QR,
    TOP,
    WIDTH,
    Poster,
    break_lines,
    draw_png,
    draw_svg,
    initial_of,
)

ADDRESS = "https://tea.example.com/c/ab12cd34?i=12.3.1.20500~Ym9iIGludml0ZXM"
POSTER = Poster(
    "春日新茶：三人成团", "一起拼，更便宜。", "山里茶友会", "王小明", ADDRESS, "2026-12-01 截止"
)


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without any font."""
    monkeypatch.setattr(fonts, "_list_paths", lambda bold: iter(()))
    for cached in (find_face, draw_png):
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in (find_face, draw_png):
        cached.cache_clear()


def code_in(picture: Image.Image) -> list[list[bool]]:
    """The dark modules of the code on a poster."""
    left, top = WIDTH - PAD - QR, TOP + 70
    area = picture.convert("L").crop((left, top, left + QR, top + QR))
    dark = area.point([255] * 128 + [0] * 128).getbbox()
    assert dark is not None
    size = segno.make(ADDRESS, error="m", micro=False).symbol_size(border=0)[0]
    step = (dark[2] - dark[0]) // size
    half = step // 2
    return [
        [area.getpixel((dark[0] + x * step + half, dark[1] + y * step + half)) < 128  # type: ignore[operator]
         for x in range(size)] for y in range(size)
    ]  # fmt: skip


def test_the_code_on_a_poster_is_the_members_own_link() -> None:
    picture = Image.open(io.BytesIO(draw_png(POSTER)))
    assert (picture.format, picture.size) == ("PNG", (WIDTH, HEIGHT))
    wanted = segno.make(ADDRESS, error="m", micro=False).matrix
    assert code_in(picture) == [[bool(dark) for dark in row] for row in wanted]


def test_chinese_is_written_and_differs_with_what_it_says() -> None:
    assert find_face() is not None
    pictures = {draw_png(POSTER), draw_png(replace(POSTER, name="李小红")),
                draw_png(replace(POSTER, title="春日新茶：四人成团"))}  # fmt: skip
    assert len(pictures) == 3


def test_the_same_content_is_drawn_once_and_has_one_name() -> None:
    draw_png.cache_clear()
    same = replace(POSTER)
    assert draw_png(POSTER) is draw_png(same)
    assert draw_png.cache_info().misses == 1
    assert same.etag == POSTER.etag != replace(POSTER, until="").etag


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "🍵🍵🍵", "", " ", "\u202eevil", "a" * 200, "&amp;\"'"],
)
def test_hostile_and_strange_names_are_only_words(name: str) -> None:
    poster = replace(POSTER, name=name, title=name, avatar=b"no picture")
    assert draw_png(poster).startswith(b"\x89PNG")
    found = ElementTree.fromstring(draw_svg(poster))
    assert {node.tag.rpartition("}")[2] for node in found.iter()} <= {
        "svg", "rect", "text", "circle", "image",
    }  # fmt: skip


def test_a_picture_of_the_member_is_on_it() -> None:
    data = io.BytesIO()
    Image.new("RGB", (300, 200), (200, 10, 10)).save(data, "WEBP", lossless=True)
    drawn = draw_png(replace(POSTER, avatar=data.getvalue()))
    picture = Image.open(io.BytesIO(drawn)).convert("RGB")
    red, green, blue = picture.getpixel((PAD + 48, TOP + 70 + 48))  # type: ignore[misc]
    assert red > 150
    assert max(green, blue) < 60


def test_without_a_font_the_browser_draws_it(no_fonts: None) -> None:
    with pytest.raises(NoFontError) as raised:
        draw_png(POSTER)
    assert "fonts-noto-cjk" in raised.value.message("zh")
    drawn = draw_svg(POSTER).decode()
    assert "王小明" in drawn
    assert "邀请你参加" in drawn


def test_a_font_in_the_data_folder_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = find_face()
    assert face is not None
    monkeypatch.setattr(fonts, "_list_paths", lambda bold: iter([tmp_path / "x.ttf"]))
    find_face.cache_clear()
    (tmp_path / "x.ttf").write_bytes(b"no font")
    assert find_face() is None
    (tmp_path / "x.ttf").unlink()
    (tmp_path / "x.ttf").symlink_to(face.path)
    find_face.cache_clear()
    found = find_face()
    find_face.cache_clear()
    assert found is not None
    assert found.path == str(tmp_path / "x.ttf")


def test_what_a_font_has_no_sign_for_is_left_out() -> None:
    face = find_face()
    assert face is not None
    assert writable(face, "阿布🍵 Bob\n王") == "阿布 Bob 王"
    assert [initial_of(name) for name in ("王小明", "🍵bob", "", "!!")] == ["王", "B", "?", "?"]


TEXTS = st.text(st.sampled_from("春日新茶，三人成团。ab c1！"), max_size=60)


@settings(max_examples=150)
@given(TEXTS, st.integers(3, 20), st.integers(1, 4))
@example("111！ ！", 3, 1)
def test_lines_fit_keep_their_order_and_never_begin_with_a_closing_sign(
    text: str, wide: int, most: int
) -> None:
    lines = break_lines(text, len, wide, most)
    assert len(lines) <= most
    assert all(len(line) <= wide + 2 + sum(c in NOT_FIRST for c in line) for line in lines)
    whole = break_lines(text, len, wide, 999)
    assert "".join("".join(whole).split()) == "".join(text.split())
    assert all(line[0] not in NOT_FIRST for line in whole[1:])
    if len(whole) > most:
        assert lines[-1].endswith("…")
