"""Every line of every format is found again in the report's own count."""

from __future__ import annotations

import json

import pytest

from qunluo.archive.importers import FORMATS, importer
from tests.cli.conftest import Room
from tests.cli.exports import EXPORTS

PARTS = ("messages", "events", "rejects", "blank", "continuation", "header")


def test_there_is_an_export_of_every_format() -> None:
    assert EXPORTS.keys() == FORMATS.keys()


@pytest.mark.parametrize("name", sorted(EXPORTS))
def test_messages_events_rejects_and_the_rest_are_all_lines(room: Room, name: str) -> None:
    for path, content in EXPORTS[name]().items():
        room.put(f"export/{path}", content)
    words = ["report", room / "export", "--json", "r.json", "--rejects", "rejects.csv"]
    assert room.run(*words, "--progress", "none").status == 0
    report = json.loads((room / "r.json").read_text())
    (count,) = report["totals"]["lines"]
    assert count["format"]["en"] == importer(name).label.en
    assert sum(count[part] for part in PARTS) == count["lines"]
    assert count["messages"] == report["totals"]["messages"] + report["totals"]["actions"] > 0
    assert count["rejects"] == report["totals"]["rejects"]
    kept = (room / "rejects.csv").read_text().count(f'"{_first(name)}",')
    assert kept == count["rejects"]


def _first(name: str) -> str:
    """The path of the file that holds the messages."""
    return max(EXPORTS[name](), key=lambda path: path.count("/"))
