"""How a command ends: in a sentence and a status, whatever happened."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

from qunluo.cli.telling import Teller, let_print, say
from qunluo.kit.errors import QunluoError
from qunluo.kit.system import system_words
from qunluo.kit.text import Text

STOPPED = 130  # as shells have it for Ctrl-C
_STOPPED = Text(
    "Stopped. Nothing that was stored is lost; run the same command again to go on.",
    "已停止。已存档的内容没有丢失；重新运行同一命令即可继续。",
)


class UnexpectedError(QunluoError):
    """A defect of ours: told in one sentence, with the details for a report."""

    code = "unexpected"
    sentence = Text(
        "Qunluo met an error it does not know: {what}. Your files are unchanged. Please report "
        "it; QUNLUO_DEBUG=1 shows the details.",
        "群落遇到未知错误：{what}。您的文件没有改动。请反馈此问题；设置 QUNLUO_DEBUG=1 可查看详情。",
    )


class DiskError(QunluoError):
    """The machine refused a read or write."""

    code = "disk"
    sentence = Text(
        "{file}: {what}. Nothing that was stored is lost. Put it right, then run the same "
        "command again.",
        "{file}：{what}。已存档的内容没有丢失。请处理后重新运行同一命令。",
    )


class DiskIsFullError(QunluoError):
    """No space left."""

    code = "disk_full"
    sentence = Text(
        "The disk is full. Nothing that was stored is lost. Free some space (or set TMPDIR to "
        "a larger disk), then run the same command again.",
        "磁盘已满。已存档的内容没有丢失。请释放空间（或用 TMPDIR 指定更大的磁盘）后重新运行同一命令。",
    )


class TooLittleMemoryError(QunluoError):
    """The work does not fit."""

    code = "too_little_memory"
    sentence = Text(
        "There is too little memory for this. Nothing that was stored is lost. Close other "
        "programs, or run it on a machine with more memory.",
        "内存不足。已存档的内容没有丢失。请关闭其他程序，或换一台内存更大的电脑运行。",
    )


@contextmanager
def told(tell: Teller, lang: str) -> Iterator[None]:
    """Runs a command; an error becomes a sentence and status 1, Ctrl-C status 130."""
    let_print()
    try:
        yield
    except KeyboardInterrupt:
        _stop(tell, lang)
    except click.exceptions.ClickException:
        raise
    except BrokenPipeError:  # whoever read our output has gone: nobody is left to tell
        _drop_output()
        sys.exit(1)
    except Exception as error:  # the outermost room: whatever it is becomes a sentence
        if type(error) is RuntimeError and "interrupted" in str(error).lower():
            _stop(tell, lang)  # what the engine makes of Ctrl-C
        tell.close()
        tell.error(_known(error))
        if os.environ.get("QUNLUO_DEBUG"):
            traceback.print_exc()
        sys.exit(1)
    tell.close()


def _stop(tell: Teller, lang: str) -> NoReturn:
    tell.close()
    say(_STOPPED(lang))
    sys.exit(STOPPED)


def _drop_output() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


@contextmanager
def ended_kindly() -> Iterator[None]:
    """A command that is told to end (kill, a closed terminal) tidies up as after Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = [n for n in ("SIGTERM", "SIGHUP") if hasattr(signal, n)]
    before = {n: signal.signal(getattr(signal, n), _interrupt) for n in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _known(error: Exception) -> QunluoError:
    if isinstance(error, QunluoError):
        return error
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or "No space left" in str(error):  # the engine has an error of its own for it
        return DiskIsFullError()
    if isinstance(error, MemoryError) or "Out of Memory" in str(error):
        return TooLittleMemoryError()
    if isinstance(error, OSError):
        return DiskError(file=error.filename or "?", what=system_words(error))
    return UnexpectedError(what=f"{type(error).__name__}: {error}"[:300])
