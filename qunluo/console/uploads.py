"""Uploads: streamed to disk piece by piece, under names that can't leave their folder."""

from __future__ import annotations

import re
import secrets
import shutil
import unicodedata
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

DEEPEST = 8
LONGEST = 180  # bytes of one part of a path
PIECE = 1 << 20


if TYPE_CHECKING:
    _Uploaded = UploadedFile[bytes]
else:
    _Uploaded = UploadedFile  # not generic when it runs


class Arrived(_Uploaded):
    """An uploaded file, closed on disk; gone at the end of the request unless kept."""

    def __init__(self, path: Path, name: str, size: int) -> None:
        super().__init__(None, name, size=size)
        self.path = path

    def keep(self, target: Path) -> Path:
        """Moves the file to its place."""
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.path.replace(target)

    def close(self) -> None:
        self.path.unlink(missing_ok=True)


class ToDisk(FileUploadHandler):
    """Django's upload handler for many and large files: no file stays open, none in memory."""

    chunk_size = PIECE
    path: Path
    sink: BinaryIO | None = None

    def new_file(self, *arguments: Any, **named: Any) -> None:
        super().new_file(*arguments, **named)
        self.path = settings.QUNLUO.data / "incoming" / secrets.token_hex(8)
        self.sink = cast(BinaryIO, self.path.open("wb"))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            cast(BinaryIO, self.sink).write(raw_data)
        except OSError as error:  # most often a full disk
            self.upload_interrupted()
            cast(Any, self.request).upload_failed = error
            raise StopUpload(connection_reset=True) from error

    def file_complete(self, file_size: int) -> Arrived:
        cast(BinaryIO, self.sink).close()
        self.sink = None
        return Arrived(self.path, cast(str, self.file_name), file_size)

    def upload_interrupted(self) -> None:
        if self.sink is not None:
            self.sink.close()
            self.sink = None
            self.path.unlink(missing_ok=True)


def safe_path(name: str) -> Path:
    """A relative path made of what a browser sent, that stays below the folder it is put into.

    `../../etc/passwd` becomes `etc/passwd`, `C:\\chat.txt` becomes `C_/chat.txt`.
    """
    parts = [_safe_part(part) for part in re.split(r"[/\\]+", name)]
    kept = [part for part in parts if part][-DEEPEST:]
    return Path(*kept) if kept else Path("file")


def _safe_part(part: str) -> str:
    plain = unicodedata.normalize("NFC", part)
    plain = "".join("_" if c in '<>:"|?*' or not c.isprintable() else c for c in plain)
    plain = plain.encode("utf-8", "replace").decode("utf-8").strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if dot and len(ending) < 12:
        return f"{_cut(stem)}.{ending}" if stem else plain
    return _cut(plain)


def _cut(text: str) -> str:
    return text.encode()[:LONGEST].decode("utf-8", "ignore")


def free_path(folder: Path, wanted: Path) -> Path:
    """`folder/wanted`, or below `folder/2`, `folder/3` … where the name is taken."""
    places = chain([folder], (folder / str(number) for number in count(2)))
    return next(place / wanted for place in places if _is_free(place / wanted))


def _is_free(path: Path) -> bool:
    return not path.exists() and not any(parent.is_file() for parent in path.parents)


def has_room(folder: Path, size: int) -> bool:
    """Whether an upload of `size` bytes leaves a tenth of itself free on the disk."""
    return shutil.disk_usage(folder).free > size * 1.1
