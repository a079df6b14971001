"""A machine that has Qunluo's own requirements and nothing else, no plan kept from before."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

from tests.cli.conftest import ROOT, Room

_ONLY = """
import sys
from importlib.abc import MetaPathFinder
ABSENT = set({absent!r})
class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
from qunluo.cli import main
main(sys.argv[1:])
"""


def _absent() -> list[str]:
    """Modules of installed packages that a fresh machine would not have."""
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    had = {_plain(name) for name in [*pinned, "qunluo"]}
    packages = packages_distributions()
    return sorted(m for m, of in packages.items() if had.isdisjoint(map(_plain, of)))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _run(room: Room, *words: object) -> None:
    code = _ONLY.format(absent=_absent())
    places = {"TMPDIR": str(room.temporary), "QUNLUO_CACHE": str(room / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], cwd=ROOT, capture_output=True,
        text=True, check=False, env={**os.environ, **places},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_requirements_are_all_that_a_report_needs(room: Room) -> None:
    assert "pytest" in _absent()
    assert "duckdb" not in _absent()
    sample, archive = room / "sample", room / "archive"
    _run(room, "sample", "-o", sample, "--messages", 2000)
    lists = [w for n in ("staff", "roster", "orders") for w in (f"--{n}", sample / f"{n}.csv")]
    _run(room, "import", sample / "messages.parquet", "--archive", archive)
    _run(room, "report", archive, *lists, "-o", room / "r.html")
    _run(room, "export", archive, "-o", room / "x.csv")
