"""The twelve counts, told by an independent script in pandas: the same, row for row."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench import members
from bench.comparing import as_tables, differences, read
from bench.measuring import ChildFailedError, Cost, middle, run
from bench.pandas_twelve import figures
from qunluo.archive.engines.duckdb import DuckDB
from qunluo.archive.importers.base import Options
from qunluo.archive.ingest import import_files
from qunluo.archive.manifest import zone_of
from qunluo.archive.store import Archive
from qunluo.insight.given import Given
from qunluo.insight.metrics.count_cubes import TWELVE
from qunluo.insight.run import study
from qunluo.sample import Plan, write_sample

ZONE = "Asia/Shanghai"
Figures = dict[str, pa.Table]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Figures, Figures, Figures]:
    """By pandas, from rollups of several segments, and from rows."""
    folder = tmp_path_factory.mktemp("bench")
    write_sample(Plan.sized(20_000, 7), folder)
    with DuckDB(threads=2) as engine:
        archive = Archive.create(folder / "archive", engine, zone=ZONE)
        archive = Archive(archive.path, engine, segment_rows=6_000)
        import_files(archive, [folder / "messages.parquet"], Options(zone=zone_of(ZONE)))
        assert len(archive.manifest().segments) > 2
        ready = study(archive, Given())
        warm, cold = ready.cubes(TWELVE), ready.cubes(TWELVE, rollups=False)
    return as_tables(figures(folder / "messages.parquet", ZONE)), warm, cold


def test_a_script_in_pandas_finds_the_same_twelve_figures(
    found: tuple[Figures, Figures, Figures],
) -> None:
    theirs, warm, cold = found
    assert differences(theirs, warm) == []
    assert differences(theirs, cold) == []
    assert set(theirs) == {c.name for c in TWELVE}
    assert theirs["pair_count"]["n"].to_pylist()[0] > 100
    assert theirs["latency_count"].num_rows > 50


def test_the_comparison_sees_one_message_more(
    found: tuple[Figures, Figures, Figures], tmp_path: Path
) -> None:
    for name, table in found[1].items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    kept = read(tmp_path)
    kinds = kept["kind_count"]
    more = [n + (i == 0) for i, n in enumerate(kinds["n"].to_pylist())]
    wrong = {**kept, "kind_count": kinds.set_column(1, "n", pa.array(more))}
    assert differences(found[1], kept) == []
    assert differences(found[1], wrong) == ["kind_count: column n"]
    assert differences(found[1], {**kept, "kind_count": kinds.slice(1)}) != []
    del wrong["day_count"]
    assert "only one has day_count" in differences(found[1], wrong)


def test_a_child_is_measured() -> None:
    code = "x = bytearray(200_000_000); sum(range(3_000_000)); print('{\"work\": 0.5}')"
    cost = run(["python3", "-c", code], {})
    assert cost.work == 0.5
    assert cost.peak_mb > 150
    assert cost.cpu > 0


def test_a_child_that_fails_tells_why() -> None:
    with pytest.raises(ChildFailedError, match="no such luck"):
        run(["python3", "-c", "raise SystemExit('no such luck')"], {})


def test_the_middle_of_rounds_is_the_median_with_the_greatest_memory() -> None:
    costs = [Cost(3, 9, 10, 1), Cost(1, 7, 30, 3), Cost(2, 8, 20, 2)]
    assert middle(costs) == Cost(2, 8, 30, 2)
    assert middle([Cost(1, 1, 1)]).work is None


def test_members_come_in_and_are_found_with_what_they_said() -> None:
    outcome = members.race(300, 300)
    found = {(a.among, a.what): a.found for a in outcome.answers}
    assert found["members", "a phone"] == found["members", "an account"] == 1
    assert found["members", "the commonest city"] == members.ALL
    assert found["members", "nothing found"] == found["messages", "nothing found"] == 0
    assert found["messages", "one sign, in most"] == members.ALL
    assert found["messages", "words of the oldest 2 %"] == 300 // 50
    assert 0 < found["messages of a room", "the commonest word"] <= members.ROOM
    assert 0 < outcome.imported.tenth_mb <= outcome.imported.peak_mb
    assert len(members.limits(outcome)) == 6
