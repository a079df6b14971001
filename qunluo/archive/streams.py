"""Bytes from outside, read with care: limits on what was really read, errors in plain words.

A stream opened here never grows memory with its file, counts what it hands out, stops at the
limits and turns what libraries raise into a `QunluoError` a person can act on.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from qunluo.kit.errors import QunluoError
from qunluo.kit.system import system_words
from qunluo.kit.text import Text

STREAM_BUFFER = 1 << 18
TAR_MAGIC = slice(257, 262)

Packing = Literal["plain", "zip", "tar", "gzip", "bzip2", "xz"]


class MissingFileError(QunluoError):
    code = "missing_file"
    sentence = Text(
        "There is no file or folder “{name}”. Check the path and try again.",
        "找不到文件或文件夹“{name}”。请检查路径后重试。",
    )


class NoPermissionError(QunluoError):
    code = "no_permission"
    sentence = Text(
        "“{name}” may not be read. Give yourself permission to read it, or copy it to a folder"
        " of your own.",
        "没有权限读取“{name}”。请授予读取权限，或将其复制到自己的文件夹后重试。",
    )


class UnreadableFileError(QunluoError):
    code = "unreadable_file"
    sentence = Text(
        "“{name}” could not be read: {why}. Check the disk or copy the file again.",
        "无法读取“{name}”：{why}。请检查磁盘，或重新复制该文件。",
    )


class DiskFullError(QunluoError):
    code = "disk_full"
    sentence = Text(
        "There is no room left on the disk to unpack “{name}”. Free some space, or set TMPDIR"
        " to a larger disk.",
        "磁盘空间不足，无法解压“{name}”。请清理空间，或将 TMPDIR 指向更大的磁盘。",
    )


class EmptyFileError(QunluoError):
    code = "empty_file"
    sentence = Text(
        "“{name}” is empty. Export the chat again and use the new file.",
        "“{name}”是空文件。请重新导出聊天记录后再试。",
    )


class SpecialFileError(QunluoError):
    code = "special_file"
    sentence = Text(
        "“{name}” is a device, pipe or socket, not a file. Save the export as a file first.",
        "“{name}”是设备、管道或套接字，不是普通文件。请先将导出内容保存为文件。",
    )


class BrokenFileError(QunluoError):
    code = "broken_file"
    sentence = Text(
        "“{name}” is damaged or cut off, so nothing of it was taken. Download or"
        " export it again.",
        "“{name}”已损坏或不完整，未读取其中任何内容。请重新下载或导出。",
    )


class EncryptedFileError(QunluoError):
    code = "encrypted_file"
    sentence = Text(
        "“{name}” is protected by a password. Unpack it yourself and use the folder.",
        "“{name}”已加密。请先自行输入密码解压，再使用解压后的文件夹。",
    )


class UnknownPackingError(QunluoError):
    code = "unknown_packing"
    sentence = Text(
        "“{name}” is compressed in a way that cannot be read here. Unpack it and use"
        " the folder.",
        "“{name}”采用了不支持的压缩方式。请先解压，再使用解压后的文件夹。",
    )


class ClimbingPathError(QunluoError):
    code = "climbing_path"
    sentence = Text(
        "“{name}” is a path that leads out of its archive and was left out. Be careful with"
        " this archive: normal exports hold no such paths.",
        "“{name}”是指向压缩包之外的路径，已忽略。正常的导出文件不含此类路径，请谨慎对待该压缩包。",
    )


class TooDeepError(QunluoError):
    code = "too_deep"
    sentence = Text(
        "“{name}” is an archive inside an archive inside an archive and was left out. Unpack it"
        " and use the folder.",
        "“{name}”嵌套层数过多（压缩包中的压缩包中的压缩包），已忽略。请先解压，再使用解压后的文件夹。",
    )


class TooLargeError(QunluoError):
    code = "too_large"
    sentence = Text(
        "“{name}” unpacks to more than {limit} and was stopped: it looks like a zip bomb. If"
        " you trust it, unpack it yourself and use the folder.",
        "“{name}”解压后超过 {limit}，已停止：疑似压缩炸弹。"
        "如确认来源可信，请自行解压后使用文件夹。",
    )


class TooManyMembersError(QunluoError):
    code = "too_many_members"
    sentence = Text(
        "“{name}” lists more than {limit} files or lists them in an abnormal way. If you trust"
        " it, unpack it yourself and use the folder.",
        "“{name}”包含超过 {limit} 个文件，或目录结构异常。"
        "如确认来源可信，请自行解压后使用文件夹。",
    )


DAMAGE = (
    MissingFileError,
    NoPermissionError,
    UnreadableFileError,
    EmptyFileError,
    BrokenFileError,
    EncryptedFileError,
    UnknownPackingError,
)
"""What is wrong with one file alone: the others of its folder can still be read."""


@dataclass(frozen=True)
class Limits:
    """What packed files may unpack to, counted on bytes really read. Plain files have none."""

    total_bytes: int = 64 << 30  # of all packed members together
    member_bytes: int = 64 << 30
    ratio: int = 1000  # unpacked to packed, judged
    ratio_from: int = 100_000_000  # beyond this many unpacked bytes
    members: int = 500_000  # of one archive
    directory_bytes: int = 64 << 20  # the list of members of one archive


class Budget:
    """Counts what all packed members of one call unpacked to."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.spent = 0

    def spend(self, name: str, count: int) -> None:
        self.spent += count
        if self.spent > self.limits.total_bytes:
            raise TooLargeError(name=name, limit=_size(self.limits.total_bytes))


class Gauge:
    """How far one packed file was read; refuses beyond the limits.

    Reading a file twice spends its bytes once.
    """

    def __init__(self, name: str, packed: int, budget: Budget) -> None:
        self.name, self.packed, self.budget = name, packed, budget
        self.high = 0

    def reached(self, position: int) -> None:
        fresh = position - self.high
        if fresh <= 0:
            return
        self.high = position
        limits = self.budget.limits
        if position > limits.member_bytes:
            raise TooLargeError(name=self.name, limit=_size(limits.member_bytes))
        if position > limits.ratio_from and position > limits.ratio * max(self.packed, 1):
            raise TooLargeError(name=self.name, limit=f"{limits.ratio}×")
        self.budget.spend(self.name, fresh)


def _size(count: int) -> str:
    return f"{count >> 30} GiB" if count >= 1 << 30 else f"{count / 1e6:.3g} MB"


class Watched(io.RawIOBase):
    """A stream that tells how far it was read and speaks of its troubles in plain words."""

    def __init__(
        self,
        inner: BinaryIO,
        *,
        name: str,
        watch: Callable[[int], None],
        step: int = STREAM_BUFFER,
        below: BinaryIO | None = None,
    ) -> None:
        super().__init__()
        self._inner, self._name, self._watch, self._step = inner, name, watch, step
        self._below = below  # what `inner` reads and does not close
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._inner.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with plain_words(self._name):
            self._position = self._inner.seek(offset, whence)
        return self._position

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer)).cast("B")
        with plain_words(self._name):
            data = self._inner.read(min(len(view), self._step))
        view[: len(data)] = data
        self._position += len(data)
        self._watch(self._position)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            if self._below:
                self._below.close()
        super().close()


def watched(
    inner: BinaryIO, *, name: str, watch: Callable[[int], None], step: int = STREAM_BUFFER
) -> BinaryIO:
    """`inner`, buffered, counted and with plain-word errors."""
    return io.BufferedReader(Watched(inner, name=name, watch=watch, step=step), STREAM_BUFFER)


class Window(io.RawIOBase):
    """The bytes of a file from `start`, `length` long: a member of a tar, read in place."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        super().__init__()
        self._file, self._start, self._length = file, start, length
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer)).cast("B")
        wanted = min(len(view), max(0, self._length - self._at))
        self._file.seek(self._start + self._at)
        data = self._file.read(wanted)
        if len(data) < wanted:
            raise EOFError
        view[:wanted] = data
        self._at += wanted
        return wanted

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class SmallReads(io.BufferedReader):
    """A file for libraries that trust lengths they find: a single huge read is refused."""

    def __init__(self, raw: io.RawIOBase, largest: int) -> None:
        super().__init__(raw)
        self._largest = largest

    def read(self, size: int | None = -1) -> bytes:
        asked = self._largest + 1 if size is None or size < 0 else size
        if asked > self._largest + 1:
            raise OverflowError("directory too large")
        data = super().read(asked)
        if len(data) > self._largest:
            raise OverflowError("directory too large")
        return data


@contextmanager
def plain_words(name: str) -> Iterator[None]:
    """Turns what libraries raise about a file into a `QunluoError` naming it."""
    try:
        yield
    except QunluoError:
        raise
    except OSError as error:
        raise from_os_error(error, name) from error
    except NotImplementedError as error:
        raise UnknownPackingError(name=name) from error
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError) as error:
        raise BrokenFileError(name=name) from error
    except (EOFError, ValueError, RuntimeError) as error:
        raise BrokenFileError(name=name) from error


def from_os_error(error: OSError, name: str) -> QunluoError:
    """The sentence for what the system said about file `name`."""
    if error.errno is None:  # gzip and bz2 say so of damaged data
        return BrokenFileError(name=name)
    if isinstance(error, PermissionError):
        return NoPermissionError(name=name)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return MissingFileError(name=name)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(name=name)
    return UnreadableFileError(name=name, why=system_words(error))


def packing_of(head: bytes) -> Packing:
    """How a file is packed, by its first 512 bytes; its name is not asked."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"BZh") and head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"):
        return "bzip2"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    return "tar" if head[TAR_MAGIC] == b"ustar" else "plain"


def unpacked(stream: BinaryIO, packing: Packing, *, name: str,
             watch: Callable[[int], None]) -> BinaryIO:  # fmt: skip
    """The content of a gzip, bzip2 or xz stream, watched; reads are bounded by what is asked
    for, and closing it closes the stream."""
    if packing == "gzip":
        inner = cast(BinaryIO, gzip.GzipFile(fileobj=stream, mode="rb"))
    elif packing == "bzip2":
        inner = cast(BinaryIO, bz2.BZ2File(stream, "rb"))
    else:
        inner = cast(BinaryIO, lzma.LZMAFile(stream, "rb"))  # noqa: SIM115  (closed below)
    return io.BufferedReader(
        Watched(inner, name=name, watch=watch, below=stream), STREAM_BUFFER
    )


def small_reads(path: Path, largest: int) -> BinaryIO:
    """The file for reading a directory of members, which may not be larger than `largest`."""
    return cast(BinaryIO, SmallReads(io.FileIO(path, "rb"), largest))
