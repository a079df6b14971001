"""The archive: the same rows make the same archive, whatever the order and the accidents."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.archive.engines.duckdb import DuckDB
from qunluo.archive.manifest import (
    ArchiveBusyError,
    ArchiveDamagedError,
    ArchiveTooNewError,
    NotAnArchiveError,
)
from qunluo.archive.store import Archive, cuts_of
from tests.archive.store_builder import Join, Line, add, new_archive, stored

MONTH = 31 * 24 * 60


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDB]:
    with DuckDB(threads=1) as running:
        yield running


minutes = st.one_of(st.integers(0, 5), st.integers(0, 3 * MONTH))
plain = st.builds(
    Line,
    minute=minutes,
    sender=st.sampled_from(["ann", "bob"]),
    text=st.sampled_from(["hello", "好的", ""]),
    group=st.sampled_from(["g", "h"]),
)
joins = st.builds(Join, minute=minutes, subject=st.sampled_from(["ann", "bob"]))
# an export is in the order of time, as exports are
exports = st.lists(st.one_of(plain, joins), max_size=12).map(
    lambda rows: sorted(rows, key=lambda r: r.minute)
)


@settings(max_examples=3)
@given(exports, st.integers(0, 12), st.integers(0, 12))
def test_overlapping_exports_in_either_order_make_the_same_archive(
    engine: DuckDB, lines: list[Line | Join], a: int, b: int
) -> None:
    first, second = lines[: max(a, b)], lines[min(a, b) :]
    found = []
    for parts in ([first, second], [second, first], [first, second, second]):
        with TemporaryDirectory() as folder:
            archive = new_archive(Path(folder) / "a", engine, segment_rows=5)
            for part in parts:
                add(archive, part)
            found.append(stored(archive))
    assert found[0] == found[1] == found[2]


def test_equal_lines_of_one_minute_are_all_kept(engine: DuckDB, tmp_path: Path) -> None:
    archive = new_archive(tmp_path / "a", engine)
    add(archive, [Line(1), Line(1), Line(1, text="other"), Line(1)])
    add(archive, [Line(1), Line(1)])
    assert stored(archive)[0].num_rows == 4


def test_a_reply_knows_whom_it_answers_within_its_group_only(
    engine: DuckDB, tmp_path: Path
) -> None:
    archive = new_archive(tmp_path / "a", engine)
    lines = [
        Line(1, "ann", id="7"),
        Line(1, "eve", id="7", group="h"),
        Line(4, "bob", id="8", reply_to="7"),
    ]
    add(archive, lines)
    rows = stored(archive)[0].to_pylist()
    keys = {r["sender_id"]: r["sender_key"] for r in rows}
    answer = next(r for r in rows if r["sender_id"] == "bob")
    assert (answer["reply_sender_key"], answer["reply_delay_s"]) == (keys["ann"], 180)


def test_replies_and_neighbours_across_segments_are_found(
    engine: DuckDB, tmp_path: Path
) -> None:
    archive = new_archive(tmp_path / "a", engine, segment_rows=1)
    add(archive, [Line(MONTH, "bob", id="8", reply_to="7")])
    add(archive, [Line(1, "ann", id="7")])
    manifest = archive.manifest()
    assert len(manifest.segments) == 2
    crossing = archive.table(manifest.crossing)
    assert crossing is not None
    ties = {r["tie"]: r["gap_s"] for r in crossing.to_pylist()}
    assert ties == {"reply": (MONTH - 1) * 60, "next": (MONTH - 1) * 60}


def test_verify_finds_what_was_changed(engine: DuckDB, tmp_path: Path) -> None:
    archive = new_archive(tmp_path / "a", engine)
    add(archive, [Line(1)])
    assert list(archive.verify()) == []
    victim = next((tmp_path / "a" / "data").glob("messages-*"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    assert [w.en for w in archive.verify()] == [f"{victim.name} was changed"]
    victim.unlink()
    assert [w.en for w in archive.verify()] == [f"{victim.name} is missing"]
    with pytest.raises(ArchiveDamagedError, match="is missing"):
        add(archive, [Line(2)])


def test_compaction_changes_no_row(engine: DuckDB, tmp_path: Path) -> None:
    archive = new_archive(tmp_path / "a", engine, segment_rows=1)
    add(archive, [Line(m * MONTH) for m in range(4)])
    before = stored(archive)
    wide = Archive(archive.path, engine)
    wide.compact()
    assert len(wide.manifest().segments) == 1
    after = stored(wide)
    assert before[0].drop(_NEIGHBOURS).equals(after[0].drop(_NEIGHBOURS))
    assert len(list((tmp_path / "a" / "data").iterdir())) == len(list(wide.manifest().files()))


_NEIGHBOURS = ["prev_sender_key", "prev_gap_s"]  # null at the head of each segment


def test_a_second_writer_is_refused(engine: DuckDB, tmp_path: Path) -> None:
    archive = new_archive(tmp_path / "a", engine)
    with archive.folder.writing(), pytest.raises(ArchiveBusyError):
        add(archive, [Line(1)])


def test_a_folder_that_is_no_archive_is_said_to_be_none(engine: DuckDB, tmp_path: Path) -> None:
    with pytest.raises(NotAnArchiveError, match="manifest"):
        Archive.open(tmp_path, engine)


def test_an_archive_of_a_later_version_is_left_alone(engine: DuckDB, tmp_path: Path) -> None:
    archive = new_archive(tmp_path / "a", engine)
    manifest = tmp_path / "a" / "manifest.json"
    manifest.write_text(
        manifest.read_text().replace('"format_version": 1', '"format_version": 2')
    )
    with pytest.raises(ArchiveTooNewError, match="newer"):
        archive.manifest()


@given(st.dictionaries(st.integers(600, 640), st.integers(1, 9)), st.integers(1, 20))
def test_cuts_cover_every_month_once_and_never_divide_one(
    counts: dict[int, int], limit: int
) -> None:
    cuts = list(cuts_of(counts, limit))
    assert [m for c in cuts for m in sorted(counts) if m in c] == sorted(counts)
    for cut in cuts:
        mine = [counts[m] for m in counts if m in cut]
        assert sum(mine) <= limit or len(mine) == 1


# A process adds an export and is killed at the n-th event of the file system that it causes:
# opening for writing, renaming, removing, truncating. Forks make each try cheap.
_VICTIM = """
import os, shutil, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from qunluo.archive.engines.duckdb import DuckDB
from tests.archive.store_builder import Join, Line, add, new_archive
base = Path(sys.argv[1])
def attempt(folder, at):
    seen = 0
    def watch(event, args):
        nonlocal seen
        flags = args[2] if event == "open" and isinstance(args[2], int) else 0
        writes = flags & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in ("os.rename", "os.remove", "os.truncate")) and str(folder) in str(args[0]):
            seen += 1
            if seen == at:
                os._exit(9)
    with DuckDB(threads=1) as engine:
        archive = new_archive(folder, engine, segment_rows=3)
        sys.addaudithook(watch)
        add(archive, [Line(2, "bob"), Join(3, "dee"), Line(50_000, "cy")])
    os._exit(0)
at, status = 0, 9
while status == 9:
    at += 1
    folder = base.parent / f"a{at}"
    shutil.copytree(base, folder)
    child = os.fork() or attempt(folder, at)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(at, status)
"""


def test_a_kill_at_any_write_leaves_the_old_or_the_new_archive(
    engine: DuckDB, tmp_path: Path
) -> None:
    add(new_archive(tmp_path / "base", engine, segment_rows=3), [Line(1)])
    root = str(Path(__file__).parents[2])
    ran = subprocess.run(
        [sys.executable, "-c", _VICTIM, str(tmp_path / "base"), root],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    tries, status = map(int, ran.stdout.split())
    assert status == 0, ran.stderr
    assert tries > 20  # it was killed at many places before it got through
    sizes = []
    for at in range(1, tries + 1):
        archive = Archive(tmp_path / f"a{at}", engine, 3)
        assert list(archive.verify()) == []
        sizes.append(tuple(t.num_rows for t in stored(archive)))
    assert set(sizes) == {(1, 0), (3, 1)}
    for at in (1, tries // 2, sizes.index((3, 1)), tries):
        archive = Archive(tmp_path / f"a{max(at, 1)}", engine, 3)
        add(archive, [Line(2, "bob"), Join(3, "dee"), Line(50_000, "cy")])
        assert tuple(t.num_rows for t in stored(archive)) == (3, 1)
        named = {f.name for f in archive.manifest().files()}
        assert {p.name for p in (archive.path / "data").iterdir()} == named
