"""A file in blocks of whole UTF-8 lines, and cutting blocks into columns without copying.

Blocks end at a line end, hold no CR before LF, no NUL and only valid UTF-8, whatever the file was.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qunluo.archive.importers.lines import UTF16, Vote, utf16_of

Positions = npt.NDArray[np.int32]

BLOCK_BYTES = 4 << 20
LINE_BYTES = 2 << 20  # a longer line is cut
HEAD_BYTES = 1 << 16


class Blocks:
    """Iterates over the blocks of a stream. `cut_lines` counts lines that were too long."""

    def __init__(self, raw: BinaryIO, size: int = BLOCK_BYTES) -> None:
        self._raw = raw
        self._size = size
        self.cut_lines = 0

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        for chunk in self._chunks():
            joined = rest + chunk
            end = joined.rfind(b"\n") + 1
            rest = joined[end:]
            if end:
                yield _tidy(joined[:end])
            if len(rest) > LINE_BYTES + self._size:
                rest = rest[:LINE_BYTES]
                self._skipping = True
        if rest:
            yield _tidy(rest + b"\n")

    _skipping = False

    def _chunks(self) -> Iterator[bytes]:
        """The file in UTF-8, without what is beyond the limit of a line."""
        first = read_fully(self._raw, self._size)
        encoding = _encoding(first[: 1 << 20])
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        plain = encoding == "utf-8"
        chunk = first.removeprefix(codecs.BOM_UTF8)
        chunk = chunk[2:] if chunk[:2] in UTF16 else chunk
        while chunk:
            yield self._rest_of_line(chunk if plain else decoder.decode(chunk).encode())
            chunk = read_fully(self._raw, self._size)
        yield b"" if plain else decoder.decode(b"", True).encode()

    def _rest_of_line(self, chunk: bytes) -> bytes:
        if not self._skipping:
            return chunk
        end = chunk.find(b"\n")
        if end < 0:
            return b""
        self._skipping = False
        self.cut_lines += 1
        return chunk[end:]


def _encoding(first: bytes) -> str:
    """As the lines vote, unless it is UTF-16."""
    if utf16 := utf16_of(first):
        return utf16
    vote = Vote()
    vote.text(first[: first.rfind(b"\n") + 1] or first)
    return vote.encoding


def read_fully(raw: BinaryIO, size: int) -> bytes:
    """`size` bytes, or what is left: streams may give less at a time."""
    parts, missing = [], size
    while missing and (part := raw.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _tidy(block: bytes) -> bytes:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    if b"\0" in block:
        block = block.replace(b"\0", b"")
    try:
        pieces(block, np.array([0, len(block)], np.int32)).validate(full=True)
    except pa.ArrowInvalid:
        return block.decode("utf-8", "replace").encode()
    return block


def head_lines(raw: bytes) -> list[str]:
    """The lines at the start of a file; the last, which may be cut, is left out."""
    for block in Blocks(io.BytesIO(raw), max(len(raw), 1)):
        return block.decode("utf-8", "replace").split("\n")[:-1]
    return []


def line_starts(block: bytes) -> Positions:
    """Where each line starts, and where the block ends."""
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == 10)
    starts = np.zeros(len(ends) + 1, np.int32)
    starts[1:] = ends + 1
    return starts


def pieces(block: bytes, bounds: Positions) -> pa.StringArray:
    """The strings between successive bounds, sharing the block's memory."""
    return pa.StringArray.from_buffers(
        len(bounds) - 1,
        pa.py_buffer(np.ascontiguousarray(bounds, np.int32)),
        pa.py_buffer(block),
    )


def spans(block: bytes, starts: Positions, ends: Positions) -> pa.StringArray:
    """The strings from each start to its end (non-overlapping, in order), as a new column."""
    bounds = np.empty(2 * len(starts) + 1, np.int32)
    bounds[0:-1:2], bounds[1::2], bounds[-1] = starts, ends, len(block)
    wanted = np.arange(0, 2 * len(starts), 2, dtype=np.int32)
    return pieces(block, bounds).take(pa.array(wanted))
