"""The members of a zip or tar as files to read in place; hostile names stay outside."""

from __future__ import annotations

import posixpath
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from qunluo.archive.streams import (
    STREAM_BUFFER,
    Budget,
    EncryptedFileError,
    Gauge,
    Packing,
    TooManyMembersError,
    Window,
    plain_words,
    small_reads,
    watched,
)

if TYPE_CHECKING:
    from qunluo.archive.sources import Found

JUNK = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})
DOT_ENCODED = re.compile(r"\.[0-9A-F]{2}")  # Zulip archives write “→ x” as “.E2.86.92.20x”
DRIVE = re.compile(r"[A-Za-z]:")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
UTF8_NAME = 0x800
ENCRYPTED = 0x1
SMALL_STEP = 4096  # zipfile unpacks bzip2 and lzma members without a bound on the output
OFFICE = "[Content_Types].xml"  # a workbook or document is a zip, but one file
Progress = Callable[[int], None]


@dataclass
class Item:
    """A file as it lies somewhere, not yet known to be an archive or not."""

    name: str
    trail: str
    size: int  # as claimed
    opener: Callable[[Progress], BinaryIO]
    kin: Callable[[str], Found | None]
    path: Path | None = None  # where it lies on disk as it is
    named: bool = False  # by the user himself: its members carry no prefix

    def peek(self, count: int) -> bytes:
        """The first bytes."""
        with self.opener(lambda _position: None) as stream:
            return stream.read(count)


class Archive:
    """A zip or tar on disk. `climbing` names the entries that would lie outside of it."""

    def __init__(self, path: Path, item: Item, budget: Budget, stack: ExitStack) -> None:
        self.climbing: list[str] = []
        self._path, self._item, self._budget, self._stack = path, item, budget, stack
        self._family: dict[str, Item] = {}

    def members(self, packing: Packing) -> list[Item]:
        """Its files, sorted by name. Raises `QunluoError` if it is damaged or encrypted."""
        try:
            with plain_words(self._item.name):
                items = list(self._zip() if packing == "zip" else self._tar())
        except OverflowError as error:
            raise self._too_many() from error
        self._family = {item.name: item for item in items}
        return sorted(items, key=lambda item: item.name)

    def _zip(self) -> Iterator[Item]:
        file = self._stack.enter_context(self._directory())
        archive = self._stack.enter_context(zipfile.ZipFile(file))
        for count, entry in enumerate(archive.infolist()):
            self._bound(count)
            mode = entry.external_attr >> 16
            odd = stat.S_IFMT(mode) not in (0, stat.S_IFREG)
            name = None if odd or entry.is_dir() else self._accepted(zip_name(entry))
            if name is None:
                continue
            if entry.flag_bits & ENCRYPTED:
                raise EncryptedFileError(name=self._item.name)
            yield self._item_of(name, entry.file_size, self._zip_opener(archive, entry, name))

    def _zip_opener(
        self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str
    ) -> Callable[[Progress], BinaryIO]:
        """Opens a member; what it unpacks to counts against the limits."""
        gauge = Gauge(name, min(entry.compress_size, self._item.size), self._budget)
        bounded = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        step = STREAM_BUFFER if bounded else SMALL_STEP

        def opener(progress: Progress) -> BinaryIO:
            def watch(position: int) -> None:
                gauge.reached(position)
                progress(position)

            with plain_words(name):
                stream = cast(BinaryIO, archive.open(entry))
            return watched(stream, name=name, watch=watch, step=step)

        return opener

    def _tar(self) -> Iterator[Item]:
        with self._directory() as file, tarfile.open(fileobj=file, mode="r:") as archive:
            last, count = -1, 0
            while (member := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would keep all
                self._bound(count)
                if member.offset <= last:  # a size below zero would lead back for ever
                    raise tarfile.ReadError
                last, count = member.offset, count + 1
                name = self._accepted(member.name) if member.isreg() else None
                if name is not None and not member.issparse():
                    yield self._item_of(name, member.size, self._tar_opener(member, name))

    def _tar_opener(self, member: tarfile.TarInfo, name: str) -> Callable[[Progress], BinaryIO]:
        start, size = member.offset_data, member.size

        def opener(progress: Progress) -> BinaryIO:
            with plain_words(name):
                file = self._path.open("rb", buffering=0)
            window = cast(BinaryIO, Window(file, start, size))
            return watched(window, name=name, watch=progress)

        return opener

    def _item_of(self, name: str, size: int, opener: Callable[[Progress], BinaryIO]) -> Item:
        own = name if self._item.named else posixpath.join(self._item.name, name)
        return Item(own, posixpath.join(self._item.trail, name), size, opener, self._kin)

    def _kin(self, name: str) -> Found | None:
        from qunluo.archive.sources import Found  # noqa: PLC0415

        item = self._family.get(name)
        return Found.of(item) if item else None

    def _accepted(self, raw: str) -> str | None:
        """The name to show, or None for what is left out: junk in silence, climbers noted."""
        name = safe_name(raw)
        if name is None:
            self.climbing.append(shown(raw))
        elif any(hidden(part) for part in name.split("/")):
            return None
        return name

    def _directory(self) -> BinaryIO:
        return small_reads(self._path, self._budget.limits.directory_bytes)

    def _bound(self, count: int) -> None:
        if count >= self._budget.limits.members:
            raise self._too_many()

    def _too_many(self) -> TooManyMembersError:
        return TooManyMembersError(name=self._item.name, limit=self._budget.limits.members)


def hidden(name: str) -> bool:
    """Whether a file or folder of that name is the system's own, not an export."""
    return name in JUNK or (name.startswith(".") and not DOT_ENCODED.match(name))


def is_office(path: Path) -> bool:
    """Whether a zip is one workbook or document."""
    try:
        with zipfile.ZipFile(path) as archive:
            return OFFICE in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def zip_name(entry: zipfile.ZipInfo) -> str:
    """The name of a zip entry; old tools write UTF-8 or GBK where the format says cp437."""
    if entry.flag_bits & UTF8_NAME:
        return entry.filename
    try:
        raw = entry.orig_filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def safe_name(raw: str) -> str | None:
    """The name with `/` and without `.`; None if it is absolute or climbs out."""
    slashed = raw.replace("\\", "/")
    if slashed.startswith("/") or DRIVE.match(slashed):
        return None
    parts = [part for part in slashed.split("/") if part not in ("", ".")]
    return shown("/".join(parts)) if parts and ".." not in parts else None


def shown(name: str) -> str:
    """A name fit for a terminal: control and direction characters become “�”."""
    return CONTROL.sub("\ufffd", name)
