"""From a block of lines to columns of messages and notices.

Everything per message is done on whole columns; Python touches only what is few: distinct
dates, times and senders, notices, and bodies that are more than text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import tzinfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.importers.base import DateOrder
from qunluo.archive.importers.whatsapp.blocks import Positions, line_starts, pieces, spans
from qunluo.archive.importers.whatsapp.notices import breaks_a_quote
from qunluo.archive.importers.whatsapp.stamps import Ints, local_day, second_of_day, utc_micros
from qunluo.archive.importers.whatsapp.words import MARKS

Flags = npt.NDArray[np.bool_]

MARK = re.compile(f"[{MARKS}\u200f]")
MARK_PATTERN = f"[{MARKS}]"
PHONE = re.compile(r"\+?\d[\d\s().\-‑–]{5,}\d")
LONGEST_SENDER = 200  # characters
NO_DAY = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Person:
    """A sender as shown, without marks and the `~` of those not in the contacts."""

    id: str
    name: str


def person_of(shown: str) -> Person:
    """Phone numbers are the same person however they are spaced."""
    name = re.sub(r"[\s\u00a0\u202f]+", " ", MARK.sub("", shown)).strip()
    name = name.removeprefix("~").strip() or name
    if PHONE.fullmatch(name):
        return Person("+" + re.sub(r"\D", "", name), name)
    return Person(name, name)


@dataclass
class Memory:
    """What is known of the file so far, so that nothing distinct is read twice."""

    order: DateOrder
    zone: tzinfo
    days: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, int] = field(default_factory=dict)
    people: dict[str, Person | None] = field(default_factory=dict)
    latest: int = np.iinfo(np.int64).min  # the instant of the last header
    backwards: int = 0

    def day(self, text: str) -> int:
        if text not in self.days:
            found = local_day(text, self.order)
            self.days[text] = NO_DAY if found is None else found
        return self.days[text]

    def second(self, text: str) -> int:
        if text not in self.seconds:
            found = second_of_day(text)
            self.seconds[text] = -1 if found is None else found
        return self.seconds[text]

    def person(self, text: str) -> Person | None:
        """None if that text is no sender but the start of a notice."""
        if text not in self.people:
            bare = MARK.sub("", text).strip()
            no_name = not bare or len(bare) > LONGEST_SENDER or breaks_a_quote(bare)
            self.people[text] = None if no_name else person_of(text)
        return self.people[text]


@dataclass(frozen=True)
class Headers:
    """The header lines of a block: which lines, where their rest starts, and when."""

    block: bytes
    starts: Positions  # of every line, and the end
    lines: Ints  # numbers of header lines
    rest: Positions  # where the text after the header starts
    at: Ints  # microseconds UTC
    known: Flags  # whether there is such a date and time
    steady: Flags  # whether the clock is not changed on that day

    def ends(self) -> Positions:
        """Where each message ends: before the line end that precedes the next header."""
        following = np.append(self.lines[1:], len(self.starts) - 1)
        ends: Positions = self.starts[following] - 1
        return ends

    def up_to(self, count: int) -> Headers:
        """The first `count` headers with the lines that belong to them."""
        stop = self.lines[count] if count < len(self.lines) else len(self.starts) - 1
        part = slice(0, count)
        return Headers(
            self.block, self.starts[: stop + 1], self.lines[part], self.rest[part],
            self.at[part], self.known[part], self.steady[part],
        )  # fmt: skip


def find_headers(block: bytes, pattern: str, memory: Memory) -> Headers:
    """All header lines of a block of whole lines."""
    starts = line_starts(block)
    found = pc.extract_regex(pieces(block, starts), pattern)
    lines = np.flatnonzero(np.asarray(found.is_valid()))
    found = found.take(pa.array(lines))
    rest = starts[lines] + np.asarray(pc.binary_length(found.field(0)), np.int32)
    names = [f.name for f in found.type]
    days = _mapped(found.field(names.index("d")), memory.day)
    seconds = _mapped(found.field(names.index("t")), memory.second)
    known = (days != NO_DAY) & (seconds >= 0)
    at, changing = utc_micros(
        np.where(known, days, 0), np.where(known, seconds, 0), memory.zone
    )
    return Headers(block, starts, lines, rest, at, known, ~changing)


def _mapped(texts: pa.StringArray, reader: object) -> Ints:
    """A column of numbers from a column of few distinct texts."""
    encoded = texts.dictionary_encode()
    assert callable(reader)  # noqa: S101
    numbers = np.array([reader(text) for text in encoded.dictionary.to_pylist()], np.int64)
    return numbers[np.asarray(encoded.indices)] if len(numbers) else np.zeros(0, np.int64)


@dataclass(frozen=True)
class Split:
    """Headers told apart: messages with sender and body, and notices."""

    messages: Ints  # positions among the headers
    people: pa.DictionaryArray  # of senders' texts, for the messages
    body_starts: Positions
    notices: Ints


def split(headers: Headers, memory: Memory) -> Split:
    """Which headers have a sender, by the first `: ` of their line."""
    block, starts = headers.block, headers.starts
    line_ends = starts[headers.lines + 1] - 1
    rests = spans(block, headers.rest, line_ends)
    colons = np.asarray(pc.find_substring(rests, ": "), np.int32)
    bytes_ = np.frombuffer(block, np.uint8)
    empty = (colons < 0) & (line_ends > headers.rest) & (bytes_[line_ends - 1] == ord(":"))
    colons = np.where(empty, line_ends - headers.rest - 1, colons)
    sent = np.flatnonzero((colons > 0) & headers.known)
    senders = spans(block, headers.rest[sent], headers.rest[sent] + colons[sent])
    encoded = senders.dictionary_encode()
    is_person = np.array(
        [memory.person(text) is not None for text in encoded.dictionary.to_pylist()], bool
    )
    kept = is_person[np.asarray(encoded.indices)] if len(sent) else np.zeros(0, bool)
    messages = sent[kept]
    bodies = np.minimum(headers.rest[messages] + colons[messages] + 2, headers.ends()[messages])
    notices = np.setdiff1d(np.flatnonzero(headers.known), messages, assume_unique=True)
    return Split(messages, encoded.filter(pa.array(kept)), bodies, notices)
