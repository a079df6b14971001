"""The manifest: the one small file that says what an archive holds.

Every other file is written once under a fresh name and never changed. A change of the
archive is the atomic replacement of `manifest.json`; whatever a killed import left behind is
not named in it and is swept away by the next writer.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

FORMAT_VERSION = 1
NAME = "manifest.json"
LOCK = ".lock"
OURS = re.compile(r"[a-z_]+-[0-9a-f-]+\.parquet")  # what a writer may leave and remove


class NotAnArchiveError(QunluoError):
    """The folder has no manifest."""

    code = "not_an_archive"
    sentence = Text(
        "{path} is not a Qunluo archive: it has no manifest.json. Name a folder made by "
        "“qunluo import”, or give the chat exports themselves.",
        "{path} 不是 Qunluo 档案：缺少 manifest.json。请指定由“qunluo import”生成的文件夹，"
        "或直接给出聊天记录导出文件。",
    )


class ArchiveDamagedError(QunluoError):
    """A file of the archive is missing or changed."""

    code = "archive_damaged"
    sentence = Text(
        "The archive {path} is damaged: {what}. Restore the folder from a backup, or import "
        "the exports again into a new folder.",
        "档案 {path} 已损坏：{what}。请从备份恢复该文件夹，或将导出文件重新导入一个新文件夹。",
    )


class ArchiveTooNewError(QunluoError):
    """Written by a later version."""

    code = "archive_too_new"
    sentence = Text(
        "The archive {path} was written by a newer Qunluo (format {found}, this one reads "
        "{known}). Update Qunluo and try again.",
        "档案 {path} 由更新版本的 Qunluo 写入（格式 {found}，本版本支持 {known}）。"
        "请升级后重试。",
    )


class ArchiveStaleError(QunluoError):
    """Written by an earlier version, which kept less."""

    code = "archive_stale"
    sentence = Text(
        "The archive {path} was written by an earlier Qunluo and lacks “{what}”. Import the "
        "exports again into a new folder.",
        "档案 {path} 由旧版本的 Qunluo 写入，缺少“{what}”。请将导出文件重新导入一个新文件夹。",
    )


class FolderTakenError(QunluoError):
    """The folder holds other things: an archive has a folder of its own."""

    code = "folder_taken"
    sentence = Text(
        "The folder {path} holds other files (such as “{what}”) and is no archive. Name a new "
        "or an empty folder.",
        "文件夹 {path} 中有其他文件（如“{what}”），不是档案。请指定一个新的或空的文件夹。",
    )


class ArchiveBusyError(QunluoError):
    """Another process is writing."""

    code = "archive_busy"
    sentence = Text(
        "Another import is writing to {path}. Wait until it has ended, then try again.",
        "另一个导入正在写入 {path}。请等待其结束后重试。",
    )


class ZoneUnknownError(QunluoError):
    """No such time zone."""

    code = "zone_unknown"
    sentence = Text(
        "There is no time zone “{zone}”. Use a name such as Asia/Shanghai or UTC.",
        "没有名为“{zone}”的时区。请使用 Asia/Shanghai、UTC 这类名称。",
    )


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that IANA name, or `ZoneUnknownError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ZoneUnknownError(zone=name) from error


@dataclass(frozen=True)
class StoredFile:
    """One immutable file: its name in the archive, rows, and SHA-256."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Segment:
    """Whole local months of messages and events, and the counts made from them.

    `first_month`/`last_month` count months since 1970-01. `files` has `messages`, `events`,
    and one rollup per counted table.
    """

    first_month: int
    last_month: int
    files: dict[str, StoredFile]
    months: dict[int, int]  # month → rows
    has_ids: bool
    has_replies: bool


@dataclass(frozen=True)
class Manifest:
    """What an archive consists of.

    `sources` has a row for each export ever read, `rejects` the lines that could not be read,
    `crossing` the replies and neighbours that lie in two segments.
    """

    zone: str = "UTC"
    segments: tuple[Segment, ...] = ()
    sources: StoredFile | None = None
    rejects: StoredFile | None = None
    crossing: StoredFile | None = None

    def files(self) -> Iterator[StoredFile]:
        """Every file the archive consists of."""
        for segment in self.segments:
            yield from segment.files.values()
        yield from (f for f in (self.sources, self.rejects, self.crossing) if f)


@dataclass
class Folder:
    """The folder of an archive: reads and replaces its manifest."""

    path: Path

    def exists(self) -> bool:
        return (self.path / NAME).is_file()

    def read(self) -> Manifest:
        """The manifest as it stands, or why it can't be read as a `QunluoError`."""
        try:
            raw = json.loads((self.path / NAME).read_text("utf-8"))
        except FileNotFoundError as error:
            raise NotAnArchiveError(path=self.path) from error
        except ValueError as error:
            raise self._unreadable() from error
        found = raw.get("format_version") if isinstance(raw, dict) else None
        if isinstance(found, int) and found > FORMAT_VERSION:
            raise ArchiveTooNewError(path=self.path, found=found, known=FORMAT_VERSION)
        if found != FORMAT_VERSION:
            raise self._unreadable()
        try:
            return _manifest(raw)
        except (KeyError, TypeError, ValueError, AttributeError, ZoneUnknownError) as error:
            raise self._unreadable() from error

    def _unreadable(self) -> ArchiveDamagedError:
        return ArchiveDamagedError(path=self.path, what=_UNREADABLE)

    def write(self, manifest: Manifest) -> None:
        """Replaces the manifest; after this returns, the change survives a power cut."""
        raw = {"format_version": FORMAT_VERSION, **asdict(manifest)}
        fresh = self.path / f"{NAME}.new"
        with fresh.open("w", encoding="utf-8") as stream:
            json.dump(raw, stream, ensure_ascii=False, indent=1, sort_keys=True)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self.path / NAME)
        sync_folder(self.path)

    def sweep(self, manifest: Manifest) -> None:
        """Removes files that no manifest names: what a killed writer or a change left."""
        named = {f.name for f in manifest.files()}
        for path in sorted((self.path / "data").glob("*")):
            if path.name not in named and OURS.fullmatch(path.name):
                path.unlink(missing_ok=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the archive against other writers; a killed holder lets go by itself.

        If what is done meanwhile fails, the archive is left as the manifest has it.
        """
        import fcntl  # noqa: PLC0415 - readers work where it is missing

        self._refuse_strangers()
        (self.path / "data").mkdir(parents=True, exist_ok=True)
        with (self.path / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ArchiveBusyError(path=self.path) from error
            try:
                yield
            except BaseException:
                self._tidy()
                raise

    def _tidy(self) -> None:
        """What a failed writer leaves goes at once: the disk may be full of it."""
        with suppress(OSError, QunluoError):
            (self.path / f"{NAME}.new").unlink(missing_ok=True)
            self.sweep(self.read())

    def _refuse_strangers(self) -> None:
        """A new archive is never begun among files that are not its own."""
        if self.exists() or not self.path.is_dir():
            return
        own = {"data", LOCK, f"{NAME}.new"}
        there = [p.name for p in self.path.iterdir() if p.name not in own]
        if (self.path / "data").is_dir():
            left = (p.name for p in (self.path / "data").iterdir())
            there += [f"data/{name}" for name in left if not OURS.fullmatch(name)]
        if there:
            raise FolderTakenError(path=self.path, what=min(there))

    def discard_empty(self) -> None:
        """Removes an archive into which nothing ever came."""
        found = self.read()
        if found != Manifest(zone=found.zone):
            return
        for name in (NAME, LOCK):
            (self.path / name).unlink(missing_ok=True)
        for folder in (self.path / "data", self.path):
            with suppress(OSError):  # something else came to lie there
                folder.rmdir()


def sync_folder(path: Path) -> None:
    """Makes renames in the folder durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sealed(path: Path, rows: int) -> StoredFile:
    """A finished data file, made durable and described."""
    with path.open("rb+") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    return StoredFile(path.name, rows, digest)


def is_as_written(path: Path, file: StoredFile) -> bool:
    """Whether the file holds what was sealed; needs no right to write."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256


def missing(name: str) -> Text:
    """What is wrong with an archive that lacks a file."""
    return Text(f"{name} is missing", f"缺少 {name}")


_UNREADABLE = Text(f"{NAME} can't be read", f"{NAME} 无法读取")


def _manifest(raw: dict[str, Any]) -> Manifest:
    zone_of(raw["zone"])
    return Manifest(
        zone=raw["zone"],
        segments=tuple(_segment(s) for s in raw["segments"]),
        sources=_file(raw["sources"]),
        rejects=_file(raw["rejects"]),
        crossing=_file(raw["crossing"]),
    )


def _segment(raw: dict[str, Any]) -> Segment:
    files = {k: _stored(f) for k, f in raw.pop("files").items()}
    months = {int(m): rows for m, rows in raw.pop("months").items()}
    return Segment(files=files, months=months, **raw)


def _file(raw: dict[str, Any] | None) -> StoredFile | None:
    return _stored(raw) if raw else None


def _stored(raw: dict[str, Any]) -> StoredFile:
    """A file of the archive's own folder: a manifest from elsewhere may name any path."""
    file = StoredFile(**raw)
    if not OURS.fullmatch(file.name):
        raise ValueError(file.name)
    return file
