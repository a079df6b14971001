"""Files a command writes: whole or not at all, and never over what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from qunluo.kit.errors import QunluoError
from qunluo.kit.system import system_words
from qunluo.kit.text import Text


class OutputRefusedError(QunluoError):
    """The place for the result can't be written to."""

    code = "output_refused"
    sentence = Text(
        "{path} can't be written: {why}. Name another file.",
        "无法写入 {path}：{why}。请换一个文件。",
    )


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Refuses, before the work, what could not be written after it."""
    taken = {p.resolve() for p in inputs if p}
    for path in (p for p in outputs if p):
        if path.resolve() in taken:
            raise OutputRefusedError(path=path, why=_TAKEN)
        taken.add(path.resolve())
        try:
            _try(path)
        except OSError as error:
            raise OutputRefusedError(path=path, why=system_words(error)) from error


_TAKEN = Text("the same file is given twice", "同一个文件被指定了两次")


def _try(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(21, "is a folder", str(path))
    with whole(path) as part:
        part.touch()
        part.unlink()


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path to write to; what was written takes its name when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        if part.exists():
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
