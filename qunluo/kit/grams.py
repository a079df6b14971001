"""Words to search by, in languages with spaces between words and without.

Chinese is cut into overlapping pairs, so that any phrase of two signs or more is found without a
dictionary; a single sign is found as the beginning of a pair. Everything else is cut into words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

MOST = 4_000  # of one text; what comes later is not searched
_CHINESE = r"\u3400-\u9fff\uf900-\ufaff"
_PART = re.compile(rf"[{_CHINESE}]+|[^\W_{_CHINESE}]+")


def grams(text: str) -> str:
    """What a text is stored under: its words and pairs, separated by blanks."""
    found: list[str] = []
    for part in _parts(text):
        found += _stored(part) if _is_chinese(part) else [part]
    return " ".join(found[:MOST])


def wanted(query: str) -> list[str]:
    """What must all occur in `grams` of a text that answers the query.

    The last word, and a single Chinese sign, may be the beginning of one.
    """
    found: list[str] = []
    for part in _parts(query):
        found += _pairs(part) if _is_chinese(part) else [part]
    return list(dict.fromkeys(found))


def is_begun(word: str, words: Sequence[str]) -> bool:
    """Whether a word of what is `wanted` may be the beginning of one."""
    return word == words[-1] or (len(word) == 1 and _is_chinese(word))


def _parts(text: str) -> list[str]:
    return _PART.findall(unicodedata.normalize("NFKC", text).casefold())


def _is_chinese(part: str) -> bool:
    return "\u3400" <= part[0] <= "\u9fff" or "\uf900" <= part[0] <= "\ufaff"


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def _stored(run: str) -> list[str]:
    """Pairs, and the last sign alone: it begins no pair."""
    return [*_pairs(run), run[-1]] if len(run) > 1 else [run]
