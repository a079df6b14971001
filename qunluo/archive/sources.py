"""From what the user names to files to read: folders, zip, tar and gzip, read in place.

`with find_sources(paths) as sources:` gives a name-sorted sequence of `Found` files. What was
left out stands in `sources.skipped` with its reason. Files are told by content, never by name;
nothing is ever written to a path that an archive names.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, overload

from qunluo.archive.archives import Archive, Item, Progress, hidden, is_office, shown
from qunluo.archive.streams import (
    Budget,
    ClimbingPathError,
    EmptyFileError,
    Gauge,
    Limits,
    Packing,
    SpecialFileError,
    TooDeepError,
    TooLargeError,
    packing_of,
    plain_words,
    unpacked,
    watched,
)
from qunluo.kit.errors import QunluoError
from qunluo.kit.scratch import scratch
from qunluo.kit.text import Text

HEAD_BYTES = 512
ABOVE = 2  # folders above what the user named that tell where a file lies
DEEPEST = 1  # an archive in an archive is read, a third one is not
PACKED_ENDINGS = (".gz", ".bz2", ".xz")


class NothingFoundError(QunluoError):
    code = "nothing_found"
    sentence = Text(
        "“{name}” holds no file that could be an export. Check that you chose the right one.",
        "“{name}”中没有可读取的导出文件。请确认选择是否正确。",
    )


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why."""

    name: str
    error: QunluoError


@dataclass(eq=False)
class Found:
    """One file to read; satisfies `importers.base.Source`.

    `trail` is its name with the archive and up to two folders around it, for group names.
    `size` and `consumed` are in the same unit (packed bytes for .gz), for progress.
    """

    name: str
    trail: str
    size: int
    opener: Callable[[Progress], BinaryIO]
    kin: Callable[[str], Found | None]
    named: bool = False  # by the user himself, not found in a folder or archive
    consumed: int = 0
    _sha256: str = ""

    @classmethod
    def of(cls, item: Item) -> Found:
        return cls(item.name, item.trail, item.size, item.opener, item.kin, item.named)

    def open(self) -> BinaryIO:
        """The unpacked content from its start. Reading raises `QunluoError` only."""
        self.consumed = 0
        return self.opener(self._progress)

    def sibling(self, path: str) -> Found | None:
        """The file at that path relative to this file's folder; None outside what was named."""
        return self.kin(posixpath.normpath(posixpath.join(posixpath.dirname(self.name), path)))

    def fingerprint(self) -> str:
        """SHA-256 of the unpacked content in hex: the same in a zip as in a folder."""
        if not self._sha256:
            digest = hashlib.sha256()
            with self.open() as stream:
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
            self._sha256 = digest.hexdigest()
        return self._sha256

    def head(self, count: int) -> bytes:
        """The first bytes of the content."""
        with self.open() as stream:
            return stream.read(count)

    def _progress(self, position: int) -> None:
        self.consumed = max(self.consumed, position)


class Sources(Sequence[Found]):
    """The files found, sorted by name; owns temporary files, so use it in a `with`."""

    def __init__(self, paths: Sequence[Path], limits: Limits) -> None:
        self.skipped: list[Skipped] = []
        self._stack = ExitStack()
        self._found: list[Found] = []
        self._budget = Budget(limits)
        self._temp: Path | None = None
        try:
            for path in paths:
                self._name(Path(path))
            self._found.sort(key=lambda found: (found.name, found.trail))
            self._refuse_nothing(paths)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes archives and removes temporary files."""
        self._stack.close()

    def __enter__(self) -> Sources:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Found: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Found]: ...
    def __getitem__(self, index: int | slice) -> Found | Sequence[Found]:
        return self._found[index]

    def _refuse_nothing(self, paths: Sequence[Path]) -> None:
        if not self._found and self.skipped:
            raise self.skipped[0].error
        if not self._found:
            raise NothingFoundError(name=", ".join(shown(str(path)) for path in paths))

    # what the user named

    def _name(self, path: Path) -> None:
        """A path the user named: troubles with it are raised, not skipped."""
        with plain_words(shown(str(path))):
            mode = path.stat().st_mode
        above = Path(os.path.abspath(path)).parent  # noqa: PTH100  (links stay as named)
        trail = posixpath.join(*above.parts[1:][-ABOVE:], path.name)
        if stat.S_ISDIR(mode):
            self._walk(path, trail)
        else:
            item = _on_disk(path, None, path.name, trail)
            item.named = True
            self._offer(item, 0)

    def _walk(self, root: Path, trail: str) -> None:
        for folder, folders, files in os.walk(root, onerror=self._skip_folder):
            folders[:] = sorted(name for name in folders if not hidden(name))
            for file in sorted(name for name in files if not hidden(name)):
                path = Path(folder, file)
                name = path.relative_to(root).as_posix()
                if not path.is_symlink() or path.resolve().is_relative_to(root.resolve()):
                    self._offer_on_disk(path, root, name, trail)

    def _offer_on_disk(self, path: Path, root: Path, name: str, trail: str) -> None:
        try:
            item = _on_disk(path, root, name, posixpath.join(trail, name))
        except QunluoError as error:
            self.skipped.append(Skipped(shown(name), error))
        else:
            self._offer_or_skip(item, 0)

    def _skip_folder(self, error: OSError) -> None:
        try:
            with plain_words(shown(str(error.filename))):
                raise error
        except QunluoError as known:
            self.skipped.append(Skipped(shown(str(error.filename)), known))

    # what a file turns out to be

    def _offer_or_skip(self, item: Item, depth: int) -> None:
        try:
            self._offer(item, depth)
        except TooLargeError:
            raise
        except QunluoError as error:
            self.skipped.append(Skipped(item.name, error))

    def _offer(self, item: Item, depth: int) -> None:
        head = item.peek(HEAD_BYTES)
        if not head:
            raise EmptyFileError(name=item.name)
        packing = packing_of(head)
        if packing == "plain":
            self._found.append(Found.of(item))
        elif packing in ("zip", "tar"):
            self._enter(item, packing, depth)
        else:
            self._offer_unpacked(self._unpacking(item, packing), depth)

    def _offer_unpacked(self, item: Item, depth: int) -> None:
        packing = packing_of(item.peek(HEAD_BYTES))
        if packing in ("zip", "tar"):
            self._enter(item, packing, depth)
        elif packing == "plain":
            self._found.append(Found.of(item))
        else:
            raise TooDeepError(name=item.name)

    def _unpacking(self, item: Item, packing: Packing) -> Item:
        """The same file without its compression; its progress counts packed bytes."""
        gauge = Gauge(item.name, item.size, self._budget)

        def opener(progress: Progress) -> BinaryIO:
            stream = item.opener(progress)
            return unpacked(stream, packing, name=item.name, watch=gauge.reached)

        name, trail = _without_ending(item.name), _without_ending(item.trail)
        return Item(name, trail, item.size, opener, item.kin, named=item.named)

    # archives

    def _enter(self, item: Item, packing: Packing, depth: int) -> None:
        if depth > DEEPEST:
            raise TooDeepError(name=item.name)
        path = item.path or self._spool(item)
        if packing == "zip" and is_office(path):
            self._found.append(Found.of(item))
            return
        archive = Archive(path, item, self._budget, self._stack)
        for member in archive.members(packing):
            self._offer_or_skip(member, depth + 1)
        self.skipped += [
            Skipped(name, ClimbingPathError(name=name)) for name in archive.climbing
        ]

    def _spool(self, item: Item) -> Path:
        """A temporary plain copy; the streams' limits bound it."""
        with plain_words(item.name):
            if self._temp is None:
                self._temp = self._stack.enter_context(scratch("unpack"))
            number, name = tempfile.mkstemp(dir=self._temp)
            with os.fdopen(number, "wb") as copy, item.opener(_ignore) as stream:
                while chunk := stream.read(1 << 20):
                    copy.write(chunk)
        return Path(name)


def find_sources(paths: Sequence[Path], limits: Limits | None = None) -> Sources:
    """All files in what the user named, sorted by name; use it in a `with`.

    Raises `QunluoError` where a named path is missing, unreadable, damaged or encrypted, where
    a limit is passed, or where nothing is found. Faulty files inside folders and archives are
    in `.skipped`.
    """
    return Sources(paths, limits or Limits())


def _on_disk(path: Path, root: Path | None, name: str, trail: str) -> Item:
    """A file on disk; its siblings are looked up below `root` (None: wherever they lie)."""
    shown_name = shown(name)
    with plain_words(shown_name):
        status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise SpecialFileError(name=shown_name)

    def opener(progress: Progress) -> BinaryIO:
        with plain_words(shown_name):
            return watched(path.open("rb", buffering=0), name=shown_name, watch=progress)

    base = path.parents[name.count("/")]

    def kin(other: str) -> Found | None:
        target = base / other
        inside = root is None or target.resolve().is_relative_to(root.resolve())
        if other.startswith("/") or not inside or not target.is_file():
            return None
        return Found.of(_on_disk(target, root, other, other))

    return Item(shown_name, shown(trail), status.st_size, opener, kin, path)


def _without_ending(name: str) -> str:
    """`chat.txt.gz` is `chat.txt` once unpacked."""
    return next((name[: -len(e)] for e in PACKED_ENDINGS if name.lower().endswith(e)), name)


def _ignore(_position: int) -> None:
    return None
