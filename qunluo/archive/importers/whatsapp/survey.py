"""A first quick look at a file: how headers are written, the order of dates, the group's name.

It reads only as far as it must: usually the first megabyte decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.importers.base import DateOrder, Options, Source
from qunluo.archive.importers.whatsapp.blocks import Blocks, line_starts, pieces
from qunluo.archive.importers.whatsapp.rows import MARK
from qunluo.archive.importers.whatsapp.stamps import OrderEvidence, Style, order_of, style_of
from qunluo.archive.importers.whatsapp.words import CHAT_FILES

SURVEY_BYTES = 1 << 20
STYLE_LINES = 400
UNNAMED = "WhatsApp"


@dataclass(frozen=True)
class Survey:
    """What must be known before the first line can be read."""

    style: Style
    order: DateOrder
    group: str


def survey(source: Source, options: Options) -> Survey | None:
    """None if no line of the file looks like a message.

    Raises `AmbiguousDatesError` or `WrongDateOrderError`.
    """
    style, evidence, named = None, OrderEvidence(), None
    with source.open() as stream:
        for block in Blocks(stream, SURVEY_BYTES):
            if style is None:
                lines = _first_lines(block)
                style = style_of(lines)
                named = _named_inside(lines, style) if style else None
            if style is not None:
                evidence.add(_dates(block, style))
                if evidence.settled():
                    break
    if style is None or not evidence.total:
        return None
    order = order_of(evidence, source.name, options.date_order)
    return Survey(style, order, group_name(source, options, named))


def _first_lines(block: bytes) -> list[str]:
    lines = block[: SURVEY_BYTES // 4].decode("utf-8", "replace").split("\n")
    return [line[:200] for line in lines[:STYLE_LINES]]


def _dates(block: bytes, style: Style) -> list[str]:
    """The written dates of a block in order, each run of the same date once."""
    found = pc.extract_regex(pieces(block, line_starts(block)), style.pattern())
    names = [field.name for field in found.type]
    dates = found.field(names.index("d")).filter(found.is_valid()).dictionary_encode()
    if not len(dates):
        return []
    indices = np.asarray(dates.indices)
    first = np.flatnonzero(np.diff(indices, prepend=-1))
    texts: list[str] = dates.dictionary.take(pa.array(indices[first])).to_pylist()
    return texts


# the name of the group


def group_name(source: Source, options: Options, inside: str | None) -> str:
    """What the user says, else the name of the file or archive, else what the chat tells."""
    trail: str = getattr(source, "trail", source.name)
    parts = [_stem(part) for part in reversed(trail.split("/"))]
    by_file = next((name for part in parts if (name := _named_by_file(part))), None)
    stem = _stem(source.name.rsplit("/", 1)[-1])
    own = None if stem.strip("_").casefold() in ("chat", "") else stem
    return options.group or by_file or inside or own or UNNAMED


def _stem(part: str) -> str:
    part = re.sub(r"(?:\.(?:zip|txt|gz))+$", "", part, flags=re.I)
    return re.sub(r" ?\(\d{1,2}\)$", "", part).strip()


_AROUND = re.compile(r"[与與和](?P<name>.+?)的\s?WhatsApp|(?P<name2>.+?)\s?とのWhatsApp")


def _named_by_file(part: str) -> str | None:
    if found := _AROUND.search(part):
        return found["name"] or found["name2"]
    plain = part.replace("_", " ")
    for prefix in sorted(CHAT_FILES, key=len, reverse=True):
        if plain.casefold().startswith(prefix.casefold() + " "):
            rest = part[len(prefix) :].strip(" _")
            return rest or None
    return None


_CREATED = re.compile('[“"«„「](?P<name>[^”"»“」]+)[”"»“」]')
_ENCRYPTED = re.compile(
    "end-to-end|extremo a extremo|ponta a ponta|Ende-zu-Ende|bout en bout|сквозн|端到端|端對端"
    "|エンドツーエンド|종단간|uçtan uca|एंड-टू-एंड|بين الطرفين"
)


def _named_inside(lines: list[str], style: Style) -> str | None:
    """The group's name as the first notices tell it: iPhones write them as from the group."""
    pattern = re.compile(style.pattern())
    for line in lines[:20]:
        found = pattern.match(line)
        rest = line[found.end() :] if found else ""
        sender, colon, text = rest.partition(": ")
        if colon and text.startswith("\u200e") and _ENCRYPTED.search(text):
            return MARK.sub("", sender).strip() or None
        if not colon and (quoted := _CREATED.search(rest)):
            return MARK.sub("", quoted["name"]).strip()
    return None
