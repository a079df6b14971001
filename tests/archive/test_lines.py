"""Lines of text exports: any encoding, any line end, never a line that fills the memory."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.archive.importers.lines import (
    CHUNK,
    KEPT,
    TOO_LONG,
    UNDECODABLE,
    Line,
    blocks,
    first_lines,
    lines,
    utf16_of,
)

CHAT = ["小红: 收到", "", "Ann: hi \u2028 there", "last"]


def read(raw: bytes, max_line: int = 1 << 20) -> list[Line]:
    return list(lines(io.BytesIO(raw), max_line=max_line))


def texts(raw: bytes) -> list[str]:
    return [line.text for line in read(raw)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("closed", [True, False])
def test_it_reads_every_encoding_and_line_end(encoding: str, end: str, closed: bool) -> None:
    raw = (end.join(CHAT) + end * closed).encode(encoding)
    assert texts(raw) == CHAT
    assert [line.number for line in read(raw)] == [1, 2, 3, 4]
    assert {line.flaw for line in read(raw)} == {None}


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_it_reads_utf16_of_either_order(order: str) -> None:
    assert texts(("\ufeff" + "\n".join(CHAT)).encode(order)) == CHAT


def test_half_a_utf16_character_flags_its_line() -> None:
    raw = "one\ntwo".encode("utf-16")[:-1]
    assert [(line.text, line.flaw) for line in read(raw)] == [
        ("one", None),
        ("tw\ufffd", UNDECODABLE),
    ]


def test_an_empty_stream_has_no_lines() -> None:
    assert read(b"") == []
    assert texts(b"\n") == [""]


def test_one_wrong_line_is_flagged_and_the_rest_stays_utf8() -> None:
    found = read("é one\né two\n".encode() + b"na\xefve\n" + "小红\n".encode())
    assert [line.text for line in found] == ["é one", "é two", "na\ufffdve", "小红"]
    assert [line.flaw for line in found] == [None, None, UNDECODABLE, None]


def test_the_encoding_is_decided_where_it_first_shows() -> None:
    ascii_part = b"plain ascii line\n" * (2 * CHUNK // 17)
    assert texts(ascii_part + "小红: 收到\n".encode("gb18030"))[-1] == "小红: 收到"
    assert texts(ascii_part + "小红: 收到\n".encode())[-1] == "小红: 收到"


def test_a_line_too_long_is_cut_flagged_and_counted_once() -> None:
    raw = b"before\n" + b"x" * (3 * CHUNK) + b"\nafter\nend"
    found = read(raw, max_line=CHUNK)
    assert [(line.number, line.text[:6], line.flaw) for line in found] == [
        (1, "before", None),
        (2, "xxxxxx", TOO_LONG),
        (3, "after", None),
        (4, "end", None),
    ]
    assert len(found[1].text) == KEPT


def test_an_endless_line_does_not_fill_the_memory() -> None:
    class Endless(io.RawIOBase):
        left, largest = 300, 0

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return b"y" * size if self.left >= 0 else b""

    found = list(lines(Endless(), max_line=4 * CHUNK))  # type: ignore[arg-type]
    assert [(len(line.text), line.flaw) for line in found] == [(KEPT, TOO_LONG)]


def test_nul_bytes_go() -> None:
    assert texts(b"a\x00b\n") == ["ab"]


def test_blocks_number_their_lines_on() -> None:
    raw = b"".join(b"%d\n" % n for n in range(400_000))
    found = list(blocks(io.BytesIO(raw)))
    assert len(found) > 1
    assert [n for b in found for n in range(b.first, b.first + len(b.lines))] == list(
        range(1, 400_001)
    )
    assert [text for b in found for text in b.lines] == [str(n) for n in range(400_000)]


def test_sniffing_sees_whole_lines_only() -> None:
    assert first_lines(b"one\ntwo\nthr") == ["one", "two"]
    assert first_lines("\ufeff一\r\n二\r\n三".encode()) == ["一", "二"]
    assert first_lines("一\n二\n三".encode("utf-16")) == ["一", "二"]
    assert first_lines("一\n二\n".encode("gb18030") * 3, 3) == ["一", "二", "一"]
    assert first_lines(b"alone") == ["alone"]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_give_numbered_lines(raw: bytes, max_line: int) -> None:
    found = read(raw, max_line)
    assert [line.number for line in found] == list(range(1, len(found) + 1))
    for line in found:
        assert "\n" not in line.text
        line.text.encode()


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\n\r\x00\ufeff", exclude_categories=["Cs"]))
    )
)
def test_what_was_written_is_read(written: list[str]) -> None:
    assert texts(("".join(line + "\n" for line in written)).encode()) == written


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_told_without_its_mark(encoding: str) -> None:
    said = "13/02/2024, 09:05 - 小红: 今天的优惠券\n" * 3
    assert texts(said.encode(encoding)) == said.splitlines()
    assert utf16_of(said.encode(encoding)) == encoding


def test_nul_bytes_alone_make_no_utf_16() -> None:
    assert utf16_of(b"he\x00llo there, all of you\n" * 500) is None
    assert utf16_of(b"a\x00b\x00") is None
