"""Temporary folders that go when their work ends, and in any case soon after.

A process that is killed can't tidy up. Every folder made here is held by a lock that the system
lets go of with the process; whoever makes the next folder removes those nobody holds.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PREFIX = "qunluo-"
LOCK = ".held"
YOUNG_S = 60  # a folder may be made already and not held yet


@contextmanager
def scratch(kind: str) -> Iterator[Path]:
    """A folder for temporary files, in TMPDIR. Raises `OSError` where none can be made."""
    sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-"))
    try:
        with (folder / LOCK).open("w") as lock:
            _hold(lock)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(room: Path) -> None:
    """Removes folders that killed processes of this user left in `room`."""
    for path in sorted(room.glob(f"{PREFIX}*/{LOCK}")):
        with suppress(OSError):
            if _mine(path.parent) and time.time() - path.stat().st_mtime > YOUNG_S:
                _remove_unless_held(path)


def _mine(folder: Path) -> bool:
    return folder.lstat().st_uid == os.getuid() and not folder.is_symlink()


def _remove_unless_held(path: Path) -> None:
    with path.open("r+") as lock:
        if _hold(lock):
            shutil.rmtree(path.parent, ignore_errors=True)


def _hold(lock: IO[str]) -> bool:
    """Whether the lock is now ours; where the system has none, nothing is ever swept."""
    try:
        import fcntl  # noqa: PLC0415 - unknown on Windows
    except ImportError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
