"""One JSON document read piece by piece, forgiving what exports get wrong.

Chat exports are one huge object with an array of messages somewhere inside, and keys come in
any order. A reader walks it: `each_key()` enters an object, `records()` an array, `value()`
takes a whole value, anything left untouched is skipped. Each record is decoded by the C scanner
of the standard library, which is about 1.7 times as fast as an event parser here, and which
lets one broken record be set aside (or mended) without losing those after it.

Memory: one block of text and one record, never more than `RECORD_CHARS`.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
RECORD_CHARS = 16 << 20

CUT_SHORT = "the file ends in the middle of this record"
NOT_JSON = "the record is not valid JSON"
TOO_LONG = "the record is longer than 16 million characters"

_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+("?)|[{}\[\]]', re.S)
_END_OF_BARE = re.compile(r"[,\]}\s]")
_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))?')
_OPENING = "{["
_TEXT = json.JSONDecoder(strict=False)  # control characters inside strings are let through

Json = dict[str, object]


@dataclass(frozen=True)
class Broken:
    """A record that could not be read: why, and how it began."""

    reason: str
    content: str


class _EndOfTextError(Exception):
    pass


class JsonStream:
    """A cursor in a JSON text. After a break in the structure everything just ends;
    `broken` then says why, so that callers need no error handling in their loops."""

    def __init__(self, raw: BinaryIO, block: int = BLOCK_BYTES) -> None:
        self._raw = raw
        self._block = block
        first = raw.read(block)
        self._decode = codecs.getincrementaldecoder(encoding_of(first))("replace").decode
        self._text = self._decode(first, not first)
        self._at = 0
        self._ended = not first
        self.broken: Broken | None = None

    def each_key(self) -> Iterator[str]:
        """Enter the object at the cursor and give each key; the cursor is then at its value."""
        if self._peek() != "{":
            self.skip()
            return
        self._at += 1
        while (mark := self._peek()) == '"':
            key = self._key()
            if self._peek() != ":":
                self._break(NOT_JSON)
                return
            self._at += 1
            self._peek()
            before = self._position()
            yield key
            if self._position() == before:
                self.skip()
            self._step_over_comma()
        self._leave(mark, "}")

    def records(self) -> Iterator[Json | Broken]:
        """Enter the array at the cursor and give each object in it, or what is wrong."""
        for found in self.values():
            if isinstance(found, dict | Broken):
                yield found
            else:
                yield Broken("the record is not an object", str(found)[:500])

    def values(self) -> Iterator[object]:
        """Enter the array at the cursor and give each value, `Broken` where unreadable."""
        if self._peek() != "[":
            self.skip()
            return
        self._at += 1
        while (mark := self._peek()) not in ("]", "}", ",", ":", ""):
            yield self.value()
            if self.broken:
                return
            self._step_over_comma()
        self._leave(mark, "]")

    def each_item(self) -> Iterator[None]:
        """Enter the array at the cursor, to walk each of its values by `each_key()`."""
        if self._peek() != "[":
            self.skip()
            return
        self._at += 1
        while (mark := self._peek()) == "{":
            before = self._position()
            yield None
            if self._position() == before:
                self.skip()
            self._step_over_comma()
        self._leave(mark, "]")

    def value(self) -> object:
        """The value at the cursor, `Broken` where it can't be read."""
        self._peek()
        while True:
            try:
                found, end = _TEXT.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                return self._mended()
            if end < len(self._text) or self._ended:
                self._at = end
                return found
            self._more()  # a number could go on in the next block

    def skip(self) -> None:
        """Pass over the value at the cursor, however long, keeping none of it."""
        if self._peek() not in ("{", "["):
            self.value()
            return
        try:
            self._pass_over(forget=True)
        except _EndOfTextError:
            self._break(CUT_SHORT)

    def at(self) -> str:
        """The character under the cursor ("{", "[" …), "" at the end: what comes next."""
        return self._peek()

    def _mended(self) -> object:
        start = self._at
        try:
            start = self._pass_over(forget=False)
        except _EndOfTextError:
            long = len(self._text) - self._at >= RECORD_CHARS
            return self._break(TOO_LONG if long else CUT_SHORT)
        raw = self._text[start : self._at]
        try:
            return _TEXT.decode(mend_escapes(raw))
        except (ValueError, RecursionError):
            return Broken(NOT_JSON, raw[:500])

    def _pass_over(self, *, forget: bool) -> int:
        """Move past the value by its brackets alone; gives where it now begins in the text."""
        depth, seen = 0, 0  # `seen` counts from the cursor, which growing the text may move
        while True:
            seen, depth, done = self._balance(seen, depth)
            if done:
                start, self._at = self._at, self._at + seen
                return start
            if forget:
                self._at, seen = self._at + seen, 0
            if self._ended or len(self._text) - self._at >= RECORD_CHARS:
                raise _EndOfTextError
            self._more()

    def _balance(self, seen: int, depth: int) -> tuple[int, int, bool]:
        """How far the brackets can be followed in the text at hand, and whether they close."""
        here = self._at + seen
        if depth == 0 and self._text[self._at : self._at + 1] not in _OPENING:
            return self._bare_end(here)
        for token in _TOKEN.finditer(self._text, here):
            mark = token[0]
            if mark[0] == '"':
                if not token[1]:
                    return token.start() - self._at, depth, False
                continue
            depth += 1 if mark in _OPENING else -1
            if depth == 0:
                return token.end() - self._at, 0, True
            here = token.end()
        return max(here - self._at, seen), depth, False

    def _bare_end(self, here: int) -> tuple[int, int, bool]:
        """The end of a string, or of a word that is no JSON (`NaN`, `undefined`)."""
        if self._text.startswith('"', self._at):
            found = _TOKEN.match(self._text, self._at)
            done = bool(found and found[1])
            return (found.end() - self._at if found and done else 0), 0, done
        stop = _END_OF_BARE.search(self._text, here)
        if stop is None and not self._ended:
            return 0, 0, False
        end = stop.start() if stop else len(self._text)
        return max(end - self._at, 1), 0, True

    def _key(self) -> str:
        found = self.value()
        return found if isinstance(found, str) else ""

    def _position(self) -> int:
        return self._dropped + self._at

    _dropped = 0  # characters of the document no longer in the text

    def _more(self) -> None:
        """Drop what was read, and add a block; twice as much when one record fills the text."""
        self._dropped += self._at
        rest = self._text[self._at :]
        block = self._raw.read(max(self._block, len(rest)))
        self._ended = not block
        self._text, self._at = rest + self._decode(block, self._ended), 0

    def _peek(self) -> str:
        """The next character that is no white space, "" at the end or after a break."""
        mark = self._text[self._at : self._at + 1]
        if mark > " " and mark != "\ufeff":
            return mark
        while not self.broken:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._more()
        return ""

    def _step_over_comma(self) -> None:
        if self._peek() == ",":
            self._at += 1

    def _leave(self, mark: str, expected: str) -> None:
        if mark == expected:
            self._at += 1
        elif not self.broken:
            self._break(NOT_JSON if mark else CUT_SHORT)

    def _break(self, reason: str) -> Broken:
        broken = self.broken or Broken(reason, self._text[self._at : self._at + 500])
        self.broken, self._ended = broken, True
        self._text, self._at = "", 0
        return broken


def encoding_of(first: bytes) -> str:
    """The encoding of a text by its first bytes: a mark, zero bytes, or what decodes."""
    for mark, name in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16")):
        if first.startswith(mark):
            return name
    if first.startswith(codecs.BOM_UTF16_BE):
        return "utf-16"
    if first[1:2] == b"\0":
        return "utf-16-le"
    if first[:1] == b"\0":
        return "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(first)
    except UnicodeDecodeError:
        return "gb18030" if _decodes(first, "gb18030") else "utf-8"
    return "utf-8"


def _decodes(raw: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(raw)
    except UnicodeDecodeError:
        return False
    return True


def mend_escapes(raw: str) -> str:
    r"""JSON in which escapes that JSON does not know are made valid: `\x0B` and `\'`."""
    return _ESCAPE.sub(_mend_one, raw)


def _mend_one(found: re.Match[str]) -> str:
    if found[2]:
        return "\\u00" + found[2]
    return found[0] if found[1] else ""


@lru_cache(maxsize=8)  # a dozen importers sniff the same head, one after the other
def outline(head: bytes, records: int = 3) -> Json:
    """The top level of a JSON object cut off anywhere: its keys in order, whole values where
    they fit, and of an array its first `records` values. An array document has the key ""."""
    stream = JsonStream(io.BytesIO(head), len(head) or 1)
    found: Json = {}
    if stream.at() == "[":
        found[""] = _first(stream, records)
    for key in stream.each_key() if stream.at() == "{" else ():
        found[key] = _first(stream, records) if stream.at() == "[" else _whole(stream)
    return found


def _first(stream: JsonStream, count: int) -> list[object]:
    taken: list[object] = []
    for value in stream.values():
        if not isinstance(value, Broken) and len(taken) < count:
            taken.append(value)
    return taken


def _whole(stream: JsonStream) -> object:
    if stream.at() != "{":
        value = stream.value()
        return None if isinstance(value, Broken) else value
    inner: Json = {}
    for key in stream.each_key():
        inner[key] = _first(stream, 3) if stream.at() == "[" else _scalar(stream)
    return inner


def _scalar(stream: JsonStream) -> object:
    value = stream.value()
    return None if isinstance(value, Broken) else value
