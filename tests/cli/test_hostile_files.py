"""Files that are no exports, or mean harm: a sentence, a status, and the archive as it was."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Room, content_of
from tests.cli.exports import EXPORTS, chat, irc, table


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def parquet(**columns: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def bomb() -> bytes:
    """105 MB of nothing in a hundred kilobytes, behind a chat."""
    return zipped({"chat.txt": chat(3).encode() + bytes(105_000_000)})


NOISE = random.Random(1).randbytes(4000)
TEXT = "time,sender,text\n"
HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "noise": lambda: NOISE,
    "prose": lambda: b"dear diary\nnothing happened\n" * 20,
    "latin-1": lambda: "café naïve\n".encode("latin-1") * 50,
    "zeros": lambda: bytes(5000),
    "half a zip": lambda: zipped({"a.txt": chat().encode()})[:200],
    "half a gzip": lambda: gzip.compress(chat(400).encode())[:400],
    "half a bzip2": lambda: bz2.compress(NOISE)[:900],
    "half an xz": lambda: lzma.compress(NOISE)[:900],
    "half a tar": lambda: tarred({"a.txt": chat(400).encode()})[:2000],
    "half a table": lambda: table()[:-20],
    "zip that climbs": lambda: zipped({"../../evil.txt": chat().encode()}),
    "tar that climbs": lambda: tarred({"/etc/evil.txt": chat().encode()}),
    "zip of nothing": lambda: zipped({}),
    "zip of a zip of a zip": lambda: zipped({"a": zipped({"b": zipped({"c": b"x"})})}),
    "bomb": bomb,
    "bomb in a zip": lambda: zipped({"inner.zip": bomb()}),
    "bomb of gzip": lambda: gzip.compress(bytes(105_000_000)),
    "a table without rows": lambda: parquet(
        time=pa.array([], pa.int64()),
        sender=pa.array([], pa.string()),
        text=pa.array([], pa.string()),
    ),
    "a table of wrong types": lambda: parquet(
        time=[[1], [2]], sender=[b"\xff", b"\xfe"], text=[{"a": 1}, None]
    ),
    "another table": lambda: parquet(x=[1]),
    "times before all chats": (TEXT + "0001-01-01,a,x\n-62135596800,b,y\n").encode,
    "times after all chats": (
        TEXT + "9999-12-31T23:59:59-12:00,a,x\n99999999999999999999,b,y\n"
    ).encode,
    "nested without end": lambda: b'{"name":"g","type":"x","id":1,"messages":[' + b"[" * 99_999,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_export_is_told_and_leaves_the_archive_as_it_was(
    room: Room, archive: Path, name: str
) -> None:
    before = content_of(archive)
    path = room.put("export.bin", HOSTILE[name]())
    room.refused("import", path, "--archive", archive)
    assert content_of(archive) == before
    assert not (room / "evil.txt").exists()


@pytest.mark.parametrize("name", sorted(EXPORTS))
@pytest.mark.parametrize("how", ["cut", "gap", "noise"])
def test_a_damaged_export_of_any_format_is_read_or_refused_in_words(
    room: Room, name: str, how: str
) -> None:
    for path, content in EXPORTS[name]().items():
        at = len(content) * 2 // 3
        end = {"cut": b"", "gap": content[at + 7 :], "noise": NOISE[:99] + content[at:]}[how]
        room.put(f"export/{path}", content[:at] + end)
    done = room.run("import", room / "export", "--archive", room / "archive")
    assert done.status in (0, 1)
    assert "does not know" not in done.err
    assert (room / "archive").exists() == (done.status == 0)


def test_wrong_encodings_are_read_all_the_same(room: Room) -> None:
    encodings = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be")
    for encoding in encodings:
        room.put(f"{encoding}/_chat.txt", chat(30).encode(encoding))
        words = ["import", f"{encoding}/_chat.txt", "--archive", f"a-{encoding}"]
        assert "30 messages" in room.run(*words, "--group", "tea").err
        out = f"{encoding}.parquet"
        assert room.run("export", f"a-{encoding}", "-o", out).status == 0
    rows = [pq.read_table(room / f"{encoding}.parquet") for encoding in encodings]
    assert all(found.equals(rows[0]) for found in rows)
    assert "你好 0" in rows[0]["text"].to_pylist()


def test_latin_letters_cost_letters_not_lines(room: Room) -> None:
    room.put("_chat.txt", chat(30).replace("hello", "café").encode("latin-1", "replace"))
    assert "30 messages" in room.run("import", "_chat.txt", "--archive", "a").err


@pytest.mark.parametrize("name", ["whatsapp", "irc", "table"])
def test_a_line_without_end_does_not_fill_the_memory(room: Room, name: str) -> None:
    """200 MB in one line; what the command may use is limited to little more than without."""
    start, path = {
        "whatsapp": (chat(3) + "13/02/2024, 23:00 - Ann: ", "_chat.txt"),
        "irc": (irc(3) + "[23:00] <ann> ", "2024-02-13.log"),
        "table": (TEXT + "2024-01-01T00:00:00,a,x\n2024-01-01T00:00:01,b,", "t.csv"),
    }[name]
    with (room / path).open("wb") as file:
        file.write(start.encode())
        for _ in range(200):
            file.write(b"x" * (1 << 20))
        file.write(b"\n")
    done = subprocess.run(
        [sys.executable, "-c", HELD, "import", room / path, "--archive", room / "a"],
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) < 700 << 10, done.stdout


#: A small process between: on Linux a child's peak starts at that of who started it,
#: and the process of the tests may itself hold more than the limit.
HELD = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "qunluo", *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_odd_things_in_a_folder_are_passed_over_and_told(room: Room) -> None:
    room.put("mixed/_chat.txt", chat(30))
    room.put("mixed/broken.txt.gz", gzip.compress(chat(900).encode())[:400])
    room.put("mixed/broken.parquet", table()[:-9])
    room.put("mixed/noise", NOISE)
    room.put("mixed/nothing", b"")
    (room / "mixed/dangling").symlink_to("nowhere")
    os.mkfifo(room / "mixed/pipe")
    done = room.run("import", "mixed", "--archive", "a")
    assert done.status == 0
    assert "30 messages" in done.err
    for name in ("broken.txt.gz", "broken.parquet", "noise", "nothing", "dangling"):
        assert f"“{name}”" in done.err or "…" in done.err


@pytest.mark.parametrize("name", ["pipe", "dangling", "no-such", "folder", os.devnull])
def test_what_is_no_file_is_told(room: Room, name: str) -> None:
    os.mkfifo(room / "pipe")
    (room / "dangling").symlink_to("nowhere")
    (room / "folder").mkdir()
    room.refused("import", name, "--archive", "a")
    assert not (room / "a").exists()


def test_thousands_of_files_are_no_trouble(room: Room) -> None:
    for n in range(1500):
        room.put(f"logs/2024-{1 + n % 12:02d}-{1 + n // 12 % 28:02d}-{n}.txt", f"note {n}\n")
    room.put("logs/_chat.txt", chat(30))
    done = room.run("import", "logs", "--archive", "a")
    assert "30 messages" in done.err
    assert "1,495" in done.err


def test_rows_of_impossible_years_are_rejects_and_the_others_count(room: Room) -> None:
    rows = "0001-01-01,a,x\n2024-01-01,a,x\n-1,a,x\n4102444800,b,y\n253402300799,b,z\n"
    room.put("t.csv", TEXT + rows)
    done = room.run("import", "t.csv", "--archive", "a", "--tz", "Asia/Shanghai")
    assert "3 messages, 0 events, 2 lines kept as rejects" in done.err
