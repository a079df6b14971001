"""A room with a command line, where nothing may be left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from qunluo.cli import main
from tests.cli.exports import chat

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Room:
    """A folder, its folder for temporary files, and the command in it."""

    path: Path
    temporary: Path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def put(self, name: str, content: bytes | str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, *words: object, lang: str = "en") -> Said:
        """The command in this process."""
        done = CliRunner().invoke(main, [*map(str, words), "--lang", lang])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def start(self, *words: object, lang: str = "en") -> subprocess.Popen[str]:
        """The command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "qunluo", *map(str, words), "--lang", lang],
            cwd=ROOT, env={**os.environ, "TMPDIR": str(self.temporary)}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def refused(self, *words: object) -> str:
        """The English sentence of a command that ends in one, in Chinese too; status 1."""
        found = [self.run(*words, lang=lang) for lang in ("en", "zh")]
        assert [f.status for f in found] == [1, 1], found
        english, chinese = (f.err for f in found)
        for told in (english, chinese):
            assert told.strip()
            assert "Traceback" not in told
        assert "未知错误" not in chinese
        assert any("\u4e00" <= c <= "\u9fff" for c in chinese), chinese
        return english


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    """A room; afterwards no temporary file may be left."""
    temporary, path = tmp_path / "temporary", tmp_path / "room"
    temporary.mkdir()
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.chdir(path)
    yield Room(path, temporary)
    assert sorted(temporary.iterdir()) == []
    assert list(path.rglob(".*.part")) == []


@pytest.fixture(scope="session")
def made_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with one chat, to be copied."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "old.txt").write_text(chat(60))
    words = ["import", str(folder / "old.txt"), "--archive", str(folder / "archive")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return folder / "archive"


@pytest.fixture
def archive(room: Room, made_archive: Path) -> Path:
    """An archive with one chat, this test's own."""
    shutil.copytree(made_archive, room / "archive")
    return room / "archive"


def content_of(archive: Path) -> dict[str, bytes]:
    """Every file of an archive but its lock."""
    return {
        p.relative_to(archive).as_posix(): p.read_bytes()
        for p in sorted(archive.rglob("*"))
        if p.is_file() and p.name != ".lock"
    }
