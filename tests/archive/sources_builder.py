"""Files for importer tests: text in memory that behaves like a source."""

from __future__ import annotations

import io
import posixpath
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from qunluo.archive.importers.base import Batch, Importer, Options, Reject, Tally

UTC_OPTIONS = Options()


@dataclass
class Memory:
    """A file, and its siblings by path."""

    name: str
    content: bytes
    others: dict[str, bytes] = field(default_factory=dict)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.content)

    def sibling(self, path: str) -> Memory | None:
        full = posixpath.normpath(posixpath.join(posixpath.dirname(self.name), path))
        return Memory(full, self.others[full], self.others) if full in self.others else None


@dataclass
class Taken:
    """All that an importer gave."""

    messages: list[dict[str, object]]
    events: list[dict[str, object]]
    rejects: list[Reject]
    tally: Tally
    warnings: list[str]


def text_file(name: str, *lines: str) -> Memory:
    """A UTF-8 file of these lines."""
    return Memory(name, "".join(line + "\n" for line in lines).encode())


def take(importer: Importer, source: Memory, options: Options = UTC_OPTIONS) -> Taken:
    """Everything in the file; fails if a line is unaccounted for."""
    taken = Taken([], [], [], Tally(), [])
    for batch in importer.read(source, options):
        _add(taken, batch)
    assert taken.tally.accounts_for_every_line(), taken.tally
    assert taken.tally.rejects == len(taken.rejects)
    return taken


def _add(taken: Taken, batch: Batch) -> None:
    taken.messages += cast(list[dict[str, object]], batch.messages.to_pylist())
    taken.events += cast(list[dict[str, object]], batch.events.to_pylist())
    taken.rejects += batch.rejects
    taken.tally.add(batch.tally)
    taken.warnings += [warning("en") for warning in batch.warnings]
