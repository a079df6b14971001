"""What reaches the terminal: sentences in the reader's language, and nothing that acts on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.cli.conftest import ROOT, Room
from tests.cli.exports import chat

ESCAPE = "\x1b[2J\x1b]0;pwned\x07\x9b31m\u202e"


def unfit(text: str) -> list[str]:
    return [
        c for c in text if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or c == "\u202e"
    ]


@pytest.mark.parametrize("progress", ["none", "json"])
def test_names_in_exports_cannot_act_on_the_terminal(room: Room, progress: str) -> None:
    hostile = chat(30).replace("Ann", f"An{ESCAPE}n").replace("hello", f"he{ESCAPE}llo")
    room.put(f"folder/WhatsApp Chat with {ESCAPE}.txt", hostile)
    room.put(f"folder/junk{ESCAPE}.txt", b"nothing")
    room.put(f"staff{ESCAPE}.csv", f"account,role\nAnn,brand\nBob,{ESCAPE}\n")
    words = ["report", "folder", "--staff", f"staff{ESCAPE}.csv", "-o", f"r{ESCAPE}.html"]
    done = room.run(*words, "--progress", progress)
    assert done.status == 0, done.err
    assert "junk" in done.err
    assert unfit(done.err + done.out) == []


@pytest.mark.parametrize(
    "words",
    [
        ["import", f"no{ESCAPE}file", "--archive", "a"],
        ["report", "c.txt", "--tz", f"Mars/{ESCAPE}"],
        ["report", "c.txt", "--staff", f"{ESCAPE}.csv"],
        ["report", "c.txt", "-o", f"c.txt/{ESCAPE}/r.html"],
        ["archive", "verify", f"no{ESCAPE}archive"],
    ],
)
def test_errors_cannot_act_on_the_terminal(room: Room, words: list[str]) -> None:
    room.put("c.txt", chat(5))
    assert unfit(room.refused(*words)) == []


def test_a_terminal_without_chinese_is_no_error(room: Room) -> None:
    path = room.put("聊天.txt", chat(30))
    words = [
        "report",
        str(path),
        "-o",
        str(room / "报告.html"),
        "--lang",
        "zh",
        "--progress",
        "bar",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "qunluo", *words], cwd=ROOT, capture_output=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "TMPDIR": str(room.temporary)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (room / "报告.html").exists()


def test_a_reader_that_goes_away_is_no_error_to_tell(room: Room) -> None:
    (room / "r.html").write_text("old")
    room.put("_chat.txt", chat(30))
    started = room.start("report", room / "_chat.txt", "-o", room / "r.html")
    assert started.stdout
    started.stdout.close()
    assert started.stderr
    assert "Traceback" not in started.stderr.read()
    started.wait()
    started.stderr.close()
    assert (room / "r.html").read_text() != "old"


@pytest.mark.parametrize(
    "zone",
    ["Mars/Olympus", "asia/shanghai", "UTC+8", "../../etc/passwd", "/etc/passwd", "America"],
)
def test_a_zone_that_is_none_is_told(room: Room, zone: str) -> None:
    room.put("_chat.txt", chat(5))
    told = room.refused("report", "_chat.txt", "--tz", zone, "--archive", "a")
    assert "Asia/Shanghai" in told
    assert not (room / "a").exists()


LISTS = {
    "empty": "",
    "no header": "1,2,3\n4,5,6\n",
    "no column": "x,y\n1,2\n",
    "no usable row": "account,role\na,wizard\n",
    "a workbook": "PK\x03\x04xxxx",
    "half a JSON": '{"a":',
    "NUL": "a\x00b,c\n",
    "two columns of one name": "account,account\na,b\n",
}


@pytest.mark.parametrize("option", ["--staff", "--roster", "--orders", "--corporate"])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_means_nothing_is_told_before_the_work(
    room: Room, option: str, name: str
) -> None:
    room.put("_chat.txt", chat(5))
    room.put("list.csv", LISTS[name])
    told = room.refused("report", "_chat.txt", option, "list.csv", "--archive", "a")
    assert "list.csv" in told
    assert not (room / "a").exists()


@pytest.mark.parametrize("path", ["no-such.csv", "folder"])
def test_a_list_that_is_no_file_is_told(room: Room, path: str) -> None:
    room.put("_chat.txt", chat(5))
    (room / "folder").mkdir()
    assert path in room.refused("report", "_chat.txt", "--staff", path)


def test_rows_of_a_list_that_were_left_out_are_told(room: Room) -> None:
    rows = "1,a,9999-12-31T23:59:59-12:00,1\n2,b,2024-01-01,9e99\n3,c,2024-01-01,9\n"
    room.put("orders.csv", "order_id,customer_id,paid_at,amount\n" + rows)
    done = room.run("report", "--orders", "orders.csv", "-o", "r.html", "--json", "r.json")
    assert done.status == 0, done.err
    assert "orders.csv: rows left out: 2; the first is line 2" in done.err
    assert json.loads((room / "r.json").read_text())["totals"]["messages"] == 0


def test_a_stated_offset_comes_into_the_zone_of_the_archive(room: Room) -> None:
    """An order of 23:30 UTC is one of the next day in Shanghai, --tz given again or not."""
    room.put("_chat.txt", chat(30))
    room.put("orders.csv", "customer_id,paid_at\na,2024-02-13T23:30:00Z\nb,2024-02-14\n")
    assert (
        room.run("import", "_chat.txt", "--archive", "a", "--tz", "Asia/Shanghai").status == 0
    )
    for name, more in (("one", []), ("two", ["--tz", "Asia/Shanghai"])):
        words = ["report", "a", "--orders", "orders.csv", "--json", f"{name}.json", *more]
        assert room.run(*words).status == 0
    assert (room / "one.json").read_bytes() == (room / "two.json").read_bytes()
