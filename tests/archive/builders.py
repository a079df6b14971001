"""Small things tests are made of."""

from __future__ import annotations

import io
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO


@dataclass(frozen=True)
class MemorySource:
    """A file in memory, with others beside it; satisfies `importers.base.Source`."""

    name: str
    content: bytes
    beside: Mapping[str, bytes] = field(default_factory=dict)  # by path, as `name` is

    def open(self) -> BinaryIO:
        return io.BytesIO(self.content)

    def sibling(self, path: str) -> MemorySource | None:
        whole = posixpath.normpath(posixpath.join(posixpath.dirname(self.name), path))
        found = self.beside.get(whole)
        return None if found is None else MemorySource(whole, found, self.beside)


def memory_source(
    name: str, content: bytes | str, beside: Mapping[str, bytes] | None = None
) -> MemorySource:
    """A source of that name; text is UTF-8."""
    raw = content.encode() if isinstance(content, str) else content
    return MemorySource(name, raw, beside or {})
