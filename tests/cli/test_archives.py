"""Archives that are damaged, foreign, busy or of another version: a sentence, nothing touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qunluo.archive.manifest import Folder
from tests.cli.conftest import ROOT, Room, content_of
from tests.cli.exports import chat

Harm = Callable[[Path], None]


def edited(change: Callable[[dict[str, Any]], Any]) -> Harm:
    def harm(archive: Path) -> None:
        path = archive / "manifest.json"
        manifest = json.loads(path.read_text())
        changed = change(manifest)
        path.write_text(json.dumps(manifest if changed is None else changed))

    return harm


def cut(kind: str) -> Harm:
    def harm(archive: Path) -> None:
        path = next((archive / "data").glob(f"{kind}-*"))
        path.write_bytes(path.read_bytes()[:40])

    return harm


def scrambled(kind: str) -> Harm:
    def harm(archive: Path) -> None:
        path = next((archive / "data").glob(f"{kind}-*"))
        raw = path.read_bytes()
        path.write_bytes(raw[:8] + bytes(b ^ 0x5A for b in raw[8:400]) + raw[400:])

    return harm


def gone(kind: str) -> Harm:
    return lambda archive: next((archive / "data").glob(f"{kind}-*")).unlink()


def set_to(where: str, value: object) -> Harm:
    def change(manifest: dict[str, Any]) -> None:
        manifest[where] = value

    return edited(change)


def climbing(manifest: dict[str, Any]) -> None:
    manifest["segments"][0]["files"]["messages"]["name"] = "../../../secret.parquet"


def without(kind: str) -> Harm:
    def change(manifest: dict[str, Any]) -> None:
        del manifest["segments"][0]["files"][kind]

    return edited(change)


DAMAGED: dict[str, Harm] = {
    "no JSON": lambda a: (a / "manifest.json").write_bytes(b"\xff\x00{") and None,
    "a list": edited(lambda manifest: [1]),
    "no zone": edited(lambda manifest: {**manifest, "zone": "Mars/Olympus"}),
    "no segments": edited(lambda m: {k: v for k, v in m.items() if k != "segments"}),
    "odd version": set_to("format_version", "one"),
    "a path that climbs": edited(climbing),
    "messages cut": cut("messages"),
    "messages scrambled": scrambled("messages"),
    "messages gone": gone("messages"),
    "events cut": cut("events"),
    "accounts scrambled": scrambled("accounts"),
    "records cut": cut("records"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_archive_is_said_to_be_damaged(room: Room, archive: Path, name: str) -> None:
    DAMAGED[name](archive)
    before = content_of(archive)
    assert "is damaged" in room.refused("report", archive, "-o", "r.html")
    assert "is damaged" in room.refused("archive", "verify", archive)
    assert content_of(archive) == before
    assert not (room / "r.html").exists()


@pytest.mark.parametrize("name", ["messages cut", "messages gone", "a list", "records cut"])
def test_nothing_is_imported_into_a_damaged_archive(
    room: Room, archive: Path, name: str
) -> None:
    DAMAGED[name](archive)
    before = content_of(archive)
    room.put("_chat.txt", chat(40))
    assert "is damaged" in room.refused("import", "_chat.txt", "--archive", archive)
    assert content_of(archive) == before


@pytest.mark.parametrize(
    ("harm", "words"),
    [(set_to("format_version", 99), "newer Qunluo"), (without("events"), "earlier Qunluo"),
     (without("messages"), "earlier Qunluo"), (without("accounts"), "earlier Qunluo")],
)  # fmt: skip
def test_an_archive_of_another_version_is_said_to_be_one(
    room: Room, archive: Path, harm: Harm, words: str
) -> None:
    harm(archive)
    before = content_of(archive)
    room.put("other.txt", chat(20, first=7000))
    told = [room.run("report", archive, "-o", "r.html").err]
    told.append(room.run("import", "other.txt", "--archive", archive).err)
    assert any(words in t for t in told), told
    assert all("Traceback" not in t and "does not know" not in t for t in told)
    if "newer" in words:
        assert content_of(archive) == before


def test_a_folder_with_other_things_is_never_made_an_archive(room: Room) -> None:
    room.put("_chat.txt", chat(30))
    for precious in (
        "home/data/holiday.jpg",
        "papers/letter.txt",
        "mine/data/messages.parquet",
    ):
        room.put(precious, b"precious")
        folder = precious.partition("/")[0]
        assert "holds other files" in room.refused("import", "_chat.txt", "--archive", folder)
        assert [p.name for p in (room / folder).rglob("*") if p.is_file()] == [
            Path(precious).name
        ]
    assert "holds other files" in room.refused("report", "_chat.txt", "--archive", "home")


def test_what_else_lies_among_an_archives_files_stays(room: Room, archive: Path) -> None:
    (archive / "data" / "notes.txt").write_text("mine")
    room.put("other.txt", chat(20, first=900))
    assert room.run("import", "other.txt", "--archive", archive).status == 0
    assert (archive / "data" / "notes.txt").read_text() == "mine"


def test_a_second_import_is_told_at_once_to_wait(room: Room, archive: Path) -> None:
    room.put("other.txt", chat(20, first=900))
    with Folder(archive).writing():
        told = room.refused("import", "other.txt", "--archive", archive)
        assert "Another import is writing" in told
        assert room.run("report", archive, "-o", "r.html").status == 0  # readers need not wait


def test_an_import_that_found_nothing_leaves_no_archive_and_no_zone(room: Room) -> None:
    room.put("junk.txt", b"nothing")
    room.put("_chat.txt", chat(30))
    room.refused("import", "junk.txt", "--archive", "a")
    assert not (room / "a").exists()
    assert (
        room.run("import", "_chat.txt", "--archive", "a", "--tz", "Asia/Shanghai").status == 0
    )
    told = room.refused("import", "_chat.txt", "--archive", "a", "--tz", "UTC")
    assert "Asia/Shanghai, not UTC" in told


@pytest.mark.parametrize("words", [["report", "-o", "r.html"], ["import", "--archive", "b"]])
def test_an_archive_among_exports_is_told(room: Room, archive: Path, words: list[str]) -> None:
    room.put("_chat.txt", chat(30))
    assert "is a Qunluo archive" in room.refused(words[0], "_chat.txt", archive, *words[1:])


def test_no_archive_is_said_to_be_none(room: Room) -> None:
    (room / "empty").mkdir()
    for words in (["archive", "verify"], ["archive", "compact"], ["export", "-o", "x.csv"]):
        assert "is not a Qunluo archive" in room.refused(*words, "empty")
    assert list((room / "empty").iterdir()) == []


SOMEBODY = 65_534  # a user with no rights anywhere


def test_files_of_others_are_told(room: Room, archive: Path) -> None:
    """No right to read an export, to write an archive or a report: as root, as somebody else."""
    secret = room.put("secret.txt", chat(30))
    secret.chmod(0)
    (room / "closed").mkdir(mode=0o500)
    for words, said in (
        (["import", secret, "--archive", archive], "may not be read"),
        (["report", archive, "-o", room / "closed" / "r.html"], "can't be written"),
        (
            ["import", room / "other.txt", "--archive", room / "closed" / "a"],
            "Permission denied",
        ),
    ):
        room.put("other.txt", chat(20, first=900))
        assert said in _as_somebody(room, words), words


def _as_somebody(room: Room, words: list[object]) -> str:
    """What the command says to a user without rights here."""
    somebody = f"os.setgroups([]); os.setgid({SOMEBODY}); os.setuid({SOMEBODY})"
    code = "; ".join(
        [
            "import difflib, os, sys",  # Python itself may be out of reach for somebody else
            "from qunluo.cli import importing, main, reporting",
            "pass" if os.getuid() else somebody,
            "main(sys.argv[1:])",
        ]
    )
    theirs = [
        p for p in room.path.parents if p.stat().st_uid == os.getuid() and len(p.parts) > 2
    ]
    for path in (room.path, room.temporary, *theirs):
        path.chmod(path.stat().st_mode | 0o055)
    room.temporary.chmod(0o777)
    places = {"TMPDIR": str(room.temporary), "QUNLUO_CACHE": str(room / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], cwd=ROOT, capture_output=True, text=True,
        check=False, env={**os.environ, **places},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    return done.stderr
