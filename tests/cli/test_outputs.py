"""Where results go: refused before the work, whole or not at all, never over the input."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Room, content_of
from tests.cli.exports import chat, table


def test_a_missing_folder_is_made(room: Room, archive: Path) -> None:
    assert room.run("report", archive, "-o", "new/deep/r.html").status == 0
    assert (room / "new/deep/r.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    "more",
    [["-o", "_chat.txt/r.html"], ["-o", "folder"], ["-o", "r.html", "--json", "folder"],
     ["-o", "r.html", "--rejects", "folder"], ["-o", "x" * 300]],
)  # fmt: skip
def test_a_place_that_cannot_be_written_is_told_before_the_work(
    room: Room, more: list[str]
) -> None:
    room.put("_chat.txt", chat(30))
    (room / "folder").mkdir()
    told = room.refused("report", "_chat.txt", *more, "--archive", "a")
    assert "can't be written" in told
    assert not (room / "a").exists()


@pytest.mark.parametrize(
    "more",
    [["-o", "_chat.txt"], ["-o", "r.html", "--json", "./_chat.txt"], ["-o", "staff.csv"],
     ["-o", "r.html", "--json", "r.html"], ["-o", "r.html", "--rejects", "staff.csv"]],
)  # fmt: skip
def test_what_is_read_is_never_written_over(room: Room, more: list[str]) -> None:
    room.put("_chat.txt", chat(30))
    room.put("staff.csv", "account\nAnn\n")
    told = room.refused("report", "_chat.txt", "--staff", "staff.csv", *more)
    assert "given twice" in told
    assert (room / "_chat.txt").read_text() == chat(30)
    assert (room / "staff.csv").read_text() == "account\nAnn\n"


_FULL = """
import errno, os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from qunluo.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
main(sys.argv[1:])
"""


def _in_little_room(room: Room, size: int, *words: object) -> subprocess.CompletedProcess[str]:
    """The command where no file may grow beyond `size`: what a full disk is to it."""
    return subprocess.run(
        [sys.executable, "-c", _FULL.format(size=size), *map(str, words)], cwd=ROOT,
        capture_output=True, text=True, check=False,
        env={**os.environ, "TMPDIR": str(room.temporary)},
    )  # fmt: skip


@pytest.mark.parametrize("size", [0, 200, 3000])
def test_an_archive_that_runs_out_of_room_is_as_before(
    room: Room, archive: Path, size: int
) -> None:
    before = content_of(archive)
    path = room.put("t.parquet", table(2000))
    done = _in_little_room(room, size, "import", path, "--archive", archive)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Nothing that was stored is lost" in done.stderr
    assert content_of(archive) == before


def test_a_report_that_runs_out_of_room_leaves_the_old_one(room: Room, archive: Path) -> None:
    room.put("r.html", "old")
    done = _in_little_room(room, 20_000, "report", archive, "-o", room / "r.html")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert (room / "r.html").read_text() == "old"


@pytest.mark.parametrize("form", ["csv", "parquet", "convokit", "chatlab"])
def test_an_export_that_runs_out_of_room_leaves_no_half(
    room: Room, archive: Path, form: str
) -> None:
    words = ["export", archive, "-o", room / "out", "--format", form]
    done = _in_little_room(room, 100, *words)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert [p for p in (room / "out").rglob("*") if p.is_file()] == []
