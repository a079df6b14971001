"""What kind of message a body is: media placeholders, attachments, polls, deleted, edited.

Works on whole columns. Only the few rows that can be something else than text (by their first
or last bytes, or by their length) are looked at closely.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.importers.whatsapp import words
from qunluo.archive.importers.whatsapp.words import MARKS, folded, folded_all

LONGEST_PLACEHOLDER = 120  # bytes


@dataclass(frozen=True)
class Judged:
    """A body that is more than text; `text` is what somebody wrote of it."""

    kind: str
    raw_kind: str
    text: str | None = None
    media_name: str | None = None
    revoked: bool = False


@dataclass
class Special:
    """What is not plain text in a batch, by row number."""

    kinds: dict[int, str] = field(default_factory=dict)
    raw_kinds: dict[int, str] = field(default_factory=dict)
    texts: dict[int, str | None] = field(default_factory=dict)
    media_names: dict[int, str] = field(default_factory=dict)
    revoked: set[int] = field(default_factory=set)

    def note(self, row: int, judged: Judged) -> None:
        """This row is that."""
        self.kinds[row], self.raw_kinds[row] = judged.kind, judged.raw_kind
        self.texts[row] = judged.text
        if judged.media_name:
            self.media_names[row] = judged.media_name
        if judged.revoked:
            self.revoked.add(row)


_PLACEHOLDERS: dict[str, tuple[str, str]] = {
    phrase: found
    for found, phrases in (
        (("call", "call"), words.CALLS),
        (("location", "live location"), words.LIVE_LOCATION),
        (("contact", "contact omitted"), words.CONTACT_OMITTED),
        (("file", "document omitted"), words.DOCUMENT_OMITTED),
        (("gif", "gif omitted"), words.GIF_OMITTED),
        (("sticker", "sticker omitted"), words.STICKER_OMITTED),
        (("voice", "audio omitted"), words.AUDIO_OMITTED),
        (("video", "video omitted"), words.VIDEO_OMITTED),
        (("image", "image omitted"), words.IMAGE_OMITTED),
        (("other", "media omitted"), words.MEDIA_OMITTED),
        (("recalled", "deleted"), words.DELETED),
    )
    for phrase in folded_all(phrases)
}
_BARE = frozenset(
    folded_all(words.CALLS, words.LIVE_LOCATION, words.DELETED, words.IMAGE_OMITTED,
               words.VIDEO_OMITTED, words.AUDIO_OMITTED, words.STICKER_OMITTED,
               words.GIF_OMITTED, words.CONTACT_OMITTED, words.DOCUMENT_OMITTED)
)  # fmt: skip
"""Placeholders that also stand without angle brackets."""

_EDITED = folded_all(words.EDITED)
_POLLS = frozenset(word.casefold() for word in words.POLLS)
_DOCUMENTS = tuple(sorted(folded_all(words.DOCUMENT_OMITTED), key=lambda p: (-len(p), p)))
_ATTACHED_IOS = "|".join(re.escape(word) for word in words.ATTACHED_IOS)
_ATTACHED_ANDROID = "|".join(re.escape(word) for word in words.ATTACHED_ANDROID)

IOS_FILE = re.compile(
    rf"(?P<caption>.*?)\s?<(?:(?:{_ATTACHED_IOS})|[^<>:\n]{{1,30}}(?=: \d{{6,8}}-)):\s?(?P<file>[^<>\n]+)>",
    re.S,
)
ANDROID_FILE = re.compile(
    rf"(?P<file>[^\n]+\.[^\s.]{{1,8}}) \((?:{_ATTACHED_ANDROID})\)(?:\n(?P<caption>.*))?", re.S
)
ANDROID_NAMED = re.compile(
    r"(?P<file>(?:IMG|VID|AUD|PTT|STK|DOC)-\d{8}-WA\d{4,}\.\w{1,5}) \([^()\n]+\)(?:\n(?P<caption>.*))?",
    re.S,
)
EDITED_TAIL = re.compile(r"(?P<text>.*?)[ \n]?<(?P<note>[^<>\n]{4,60})>", re.S)

_BY_NAME = (
    ("sticker", re.compile(r"(?:^|-)(?:STK|STICKER)-|\.webp$", re.I)),
    ("gif", re.compile(r"(?:^|-)GIF-|\.gif$", re.I)),
    ("image", re.compile(r"(?:^|-)(?:IMG|PHOTO)-|\.(?:jpe?g|png|heic|bmp)$", re.I)),
    ("video", re.compile(r"(?:^|-)(?:VID|VIDEO)-|\.(?:mp4|mov|3gp|mkv|avi|webm)$", re.I)),
    (
        "voice",
        re.compile(r"(?:^|-)(?:PTT|AUD|AUDIO)-|\.(?:opus|m4a|ogg|aac|amr|mp3|wav)$", re.I),
    ),
    ("contact", re.compile(r"\.vcf$", re.I)),
)


def kind_of_file(name: str) -> str:
    """The kind of message by the name of its file."""
    return next((kind for kind, pattern in _BY_NAME if pattern.search(name)), "file")


def special_rows(bodies: pa.StringArray, marked: npt.NDArray[np.bool_]) -> Special:
    """All rows that are more than text. `marked` tells rows whose body held direction marks,
    with which the app marks what it wrote itself."""
    special = Special()
    rows = np.flatnonzero(_candidates(bodies) | marked)
    texts = bodies.take(pa.array(rows)).to_pylist() if len(rows) else []
    for row, text in zip(rows.tolist(), texts, strict=True):
        if judged := judge(text):
            special.note(row, judged)
    return special


def _candidates(bodies: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Rows worth a closer look, by their ends, or by being exactly a known placeholder."""
    offsets, data = body_bytes(bodies)
    starts, ends = offsets[:-1], offsets[1:]
    full = np.flatnonzero(ends > starts)
    first, last = data[starts[full]], data[ends[full] - 1]
    chosen = np.zeros(len(bodies), bool)
    chosen[full] = (first == ord("<")) | (last == ord(">")) | (last == ord(")"))
    length = ends - starts
    short = np.flatnonzero((length <= LONGEST_PLACEHOLDER) & (length > 2))
    short = short[_OPENS[data[starts[short]], data[starts[short] + 1]]]
    taken = bodies.take(pa.array(short))
    chosen[short[np.asarray(pc.is_in(taken, value_set=_EXACT))]] = True
    return chosen | _holding(offsets, data)


_TELLTALES = (b"https://maps.google.com/?q=", b"https://foursquare.com/", b"-WA")
"""Parts of bodies with a place or an attachment."""


def _holding(
    offsets: npt.NDArray[np.int32], data: npt.NDArray[np.uint8]
) -> npt.NDArray[np.bool_]:
    """Rows that hold a telltale, or a line that ends like an attachment or a poll's heading."""
    chosen = np.zeros(len(offsets) - 1, bool)
    raw = data[: offsets[-1]].tobytes()
    found = np.array([at for needle in _TELLTALES for at in find_all(raw, needle)], np.int64)
    breaks = np.flatnonzero(data[: offsets[-1]] == ord("\n"))
    before = data[breaks - 1]
    found = np.concatenate((found, breaks[(before == ord(")")) | (before == ord(":"))]))
    chosen[rows_at(offsets, found)] = True
    return chosen


def find_all(raw: bytes, needle: bytes) -> list[int]:
    """Where `needle` occurs in `raw`."""
    found, at = [], raw.find(needle)
    while at >= 0:
        found.append(at)
        at = raw.find(needle, at + len(needle))
    return found


def rows_at(
    offsets: npt.NDArray[np.int32], positions: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The rows of a string column that hold these byte positions."""
    return np.searchsorted(offsets, positions, side="right") - 1


def body_bytes(bodies: pa.StringArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """The offsets and the bytes of an array that starts at its buffer's start."""
    _, offsets, data = bodies.buffers()
    ends = np.frombuffer(offsets, np.int32)[bodies.offset : bodies.offset + len(bodies) + 1]
    return ends, np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)


def _spellings() -> list[str]:
    """Bare placeholders as the app writes them: as listed, small, capitalised, with a stop."""
    listed = {p for lists in (words.CALLS, words.LIVE_LOCATION, words.DELETED,
              words.IMAGE_OMITTED, words.VIDEO_OMITTED, words.AUDIO_OMITTED,
              words.STICKER_OMITTED, words.GIF_OMITTED, words.CONTACT_OMITTED,
              words.DOCUMENT_OMITTED) for p in lists}  # fmt: skip
    forms = {form for p in listed for form in (p, p.lower(), p[:1].upper() + p[1:])}
    return sorted(form + stop for form in forms for stop in ("", ".", "。", "।"))


_EXACT = pa.array(_spellings(), pa.string())
_OPENS = np.zeros((256, 256), bool)
"""By which two bytes a bare placeholder can begin: few bodies do."""
for _spelling in _spellings():
    _OPENS[tuple(_spelling.encode()[:2])] = True
_MARK = re.compile(f"[{MARKS}\u200f]")


@lru_cache(maxsize=4096)
def judge(text: str) -> Judged | None:
    """What a body is if it is more than text."""
    bare = _MARK.sub("", text)
    edited = False
    tail = EDITED_TAIL.fullmatch(bare) if bare.endswith(">") else None
    if tail and folded(tail["note"]) in _EDITED:
        bare, edited = tail["text"], True
    found = _placeholder(bare) or _attachment(bare) or _place_or_poll(bare)
    if not edited:
        return found
    return replace(found, text=found.text or bare) if found else Judged("text", "edited", bare)


def _placeholder(text: str) -> Judged | None:
    first, _, caption = text.partition("\n")
    phrase = folded(first)
    bracketed = first.strip().startswith("<") and first.strip().endswith(">")
    found = _PLACEHOLDERS.get(phrase) if bracketed or phrase in _BARE else None
    if found is None or (caption and not bracketed):
        return None
    return Judged(*found, caption or None, revoked=found[0] == "recalled")


def _attachment(text: str) -> Judged | None:
    found = None
    if "<" in text:
        found = IOS_FILE.fullmatch(text)
    if found is None and ")" in text:
        found = ANDROID_FILE.fullmatch(text) or ANDROID_NAMED.fullmatch(text)
    if found is None:
        return _document(text)
    name = found["file"].strip()
    return Judged(kind_of_file(name), "attached", _caption(found), name)


def _document(text: str) -> Judged | None:
    """`Menu.pdf • 2 pages document omitted`."""
    said = folded(text)
    phrase = next((p for p in _DOCUMENTS if said.endswith(p)), None)
    if phrase is None or "\n" in text:
        return None
    name = text.strip().rstrip(".。।")[: -len(phrase)].partition(" • ")[0].strip()
    return Judged("file", "document omitted", None, name) if name else None


def _caption(found: re.Match[str]) -> str | None:
    """What was written with a file; iOS repeats the name of a document there."""
    caption = (found.groupdict().get("caption") or "").strip("\n ")
    shown = caption.partition(" • ")[0].strip()
    return None if shown and found["file"].endswith(shown) else caption or None


def _place_or_poll(text: str) -> Judged | None:
    first = text.partition("\n")[0].strip()
    if (
        first.endswith((":", "："))
        and first.rstrip(" :：").casefold() in _POLLS
        and "\n" in text
    ):
        return Judged("poll", "poll", text)
    if _PLACE.search(text):
        return Judged("location", "location", text)
    return None


_PLACE = re.compile(r"https://(?:maps\.google\.com/\?q=|foursquare\.com/)")
