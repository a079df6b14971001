"""Lines of a text export, whatever its encoding, in bounded memory.

    for line in lines(stream):            # one at a time
        line.number, line.text, line.flaw
    for block in blocks(stream):          # many at a time, where speed counts
        block.first, block.lines, block.flaws, block.text

Text comes without its line end, BOM and NUL. `flaw` is None or an English sentence for a
reject: `TOO_LONG` (the text is only the start of the line: always reject it) or `UNDECODABLE`
(some bytes became “�”: the line may still be read).
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from itertools import chain, islice
from typing import BinaryIO, NamedTuple

MAX_LINE = 16 << 20
CHUNK = 1 << 20
KEPT = 10_000  # bytes kept of a line that is too long
TOO_LONG = "The line is longer than any chat line."
UNDECODABLE = "Some bytes of the line are not text in the file's encoding."
ENOUGH_VOTERS = 5000
UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
JUDGED = 1 << 16  # bytes by which UTF-16 without a mark is told
ZERO_SHARE = 0.1  # of its units that are plain letters, digits and line ends
FEWEST_ZEROS = 16


class Line(NamedTuple):
    """One line and where it stands, from 1."""

    number: int
    text: str
    flaw: str | None


class Block(NamedTuple):
    """Some lines in a row; `flaws` by line number; `text` is the lines joined."""

    first: int
    lines: list[str]
    flaws: dict[int, str]
    text: str


def lines(stream: BinaryIO, *, max_line: int = MAX_LINE) -> Iterator[Line]:
    """Every line of the stream, the last one also where it has no end."""
    for block in blocks(stream, max_line=max_line):
        for number, text in enumerate(block.lines, block.first):
            yield Line(number, text, block.flaws.get(number))


def blocks(stream: BinaryIO, *, max_line: int = MAX_LINE) -> Iterator[Block]:
    """The same lines, about a megabyte at a time."""
    vote, first = Vote(), 1
    for raw, cut in _whole_lines(_unix_ends(_without_utf16(stream)), max_line):
        block = _cut_line(raw, first, vote) if cut else _block(raw, first, vote)
        yield block
        first += len(block.lines)


def first_lines(head: bytes, count: int = 200) -> list[str]:
    """Up to `count` lines of the start of a file, for sniffing; a cut last line is dropped."""
    vote = Vote()
    raw = b"".join(_unix_ends(_without_utf16(io.BytesIO(head[:CHUNK]))))
    raw = raw[: raw.rfind(b"\n") + 1] or raw
    return _block(raw, 1, vote).lines[:count] if raw else []


class Vote:
    """The lines of a file vote on its encoding until enough of them have.

    A few wrong lines do not turn a UTF-8 file into Chinese: GB18030 needs a clear majority.
    """

    def __init__(self) -> None:
        self.voters = self.utf8 = self.gb18030 = 0

    def text(self, raw: bytes) -> str | None:
        """Whole lines as text, None if some are not in the file's encoding."""
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            self._count(raw)
        else:
            self.voters += len(raw) - len(text)
            self.utf8 += len(raw) - len(text)
            if self.encoding == "utf-8":
                return text
        try:
            return raw.decode(self.encoding)
        except UnicodeDecodeError:
            return None

    def _count(self, raw: bytes) -> None:
        telling = (line for line in raw.split(b"\n") if not line.isascii())
        for line in islice(telling, max(0, ENOUGH_VOTERS - self.voters)):
            self.voters += 1
            self.utf8 += _is(line, "utf-8")
            self.gb18030 += _is(line, "gb18030")

    @property
    def encoding(self) -> str:
        """What the votes so far say."""
        if 4 * self.utf8 >= 3 * self.voters or 10 * self.gb18030 < 9 * self.voters:
            return "utf-8"
        return "gb18030"


def _is(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _block(raw: bytes, first: int, vote: Vote) -> Block:
    """Whole lines, decoded at once where they can be, else one by one."""
    flaws: dict[int, str] = {}
    text = vote.text(raw)
    if text is None:
        parts = raw.removesuffix(b"\n").split(b"\n")
        encoding = vote.encoding
        text = "\n".join(part.decode(encoding, "replace") for part in parts) + "\n"
        flaws = {n: UNDECODABLE for n, p in enumerate(parts, first) if not _is(p, encoding)}
    text = text.replace("\x00", "").replace("\r\n", "\n").removesuffix("\n")
    return Block(first, text.split("\n"), flaws, text)


def _cut_line(raw: bytes, first: int, vote: Vote) -> Block:
    text = raw.decode(vote.encoding, "replace").replace("\x00", "")
    return Block(first, [text], {first: TOO_LONG}, text)


def _whole_lines(chunks: Iterator[bytes], max_line: int) -> Iterator[tuple[bytes, bool]]:
    """Chunks that end where a line ends; (start of a line, True) for one that is too long."""
    rest, size = [b""], 0
    for chunk in chunks:
        head, end, tail = chunk.rpartition(b"\n")
        if end:
            yield from _joined([*rest, head, end], size + chunk.index(b"\n"), max_line)
            rest, size = [tail], len(tail)
        else:
            size += len(tail)
            rest = [*rest, tail] if size <= max_line else [_start(rest, tail)]
    if size:
        yield from _joined(rest, size, max_line)


def _joined(parts: list[bytes], first: int, max_line: int) -> Iterator[tuple[bytes, bool]]:
    raw = b"".join(parts)
    if first <= max_line:
        yield raw, False
        return
    cut, _, others = raw.partition(b"\n")
    yield cut[:KEPT], True
    if others:
        yield others, False


def _start(rest: list[bytes], tail: bytes) -> bytes:
    return b"".join([*rest, tail])[:KEPT]


def _unix_ends(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Old Macs ended lines with CR alone: these become LF."""
    first = next(chunks, b"")
    old_mac = b"\r" in first and b"\n" not in first
    for chunk in chain([first], chunks):
        yield chunk.replace(b"\r", b"\n") if old_mac else chunk


def _without_utf16(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes without BOM; UTF-16 as UTF-8."""
    head = stream.read(CHUNK)
    if encoding := utf16_of(head):
        yield from _from_utf16(stream, head, encoding)
        return
    head = head.removeprefix(codecs.BOM_UTF8)
    while head:
        yield head
        head = stream.read(CHUNK)


def utf16_of(head: bytes) -> str | None:
    """Which UTF-16 a text is in, by its mark; without one, by the zero half of plain letters."""
    if head[:2] in UTF16:
        return UTF16[head[:2]]
    judged = head[:JUDGED]
    zeros = judged[0::2].count(0), judged[1::2].count(0)
    if max(zeros) < max(FEWEST_ZEROS, ZERO_SHARE * len(judged) / 2):
        return None
    if 20 * min(zeros) > max(zeros):  # stray NULs, which stand anywhere
        return None
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def _from_utf16(stream: BinaryIO, head: bytes, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    chunk = head[2:] if head[:2] in UTF16 else head
    while chunk:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
        chunk = stream.read(CHUNK)
    if decoder.getstate()[0]:  # half a character: a byte that is no UTF-8 flags its line
        yield b"\xff"
