"""`qunluo audit`: what must hold, from a terminal or a timer."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path


def run(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "QUNLUO_DATA": str(data), "LANG": "C"}
    for name in ("QUNLUO_DATABASE", "DJANGO_SETTINGS_MODULE", "LC_ALL"):
        env.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "qunluo", *words], env=env, text=True, capture_output=True,
        timeout=200, check=False,
    )  # fmt: skip


def write(data: Path, *statements: str) -> None:
    with sqlite3.connect(data / "qunluo.sqlite3") as database:
        for statement in statements:
            database.execute(statement)
    database.close()


def test_it_prints_each_check_and_ends_with_1_when_one_is_broken(tmp_path: Path) -> None:
    data = tmp_path / "data"
    nothing = run("audit", data=data)
    assert nothing.returncode == 1
    assert "no community here yet" in nothing.stderr
    assert run("reset", "--yes", data=data).returncode == 0
    write(
        data,
        "INSERT INTO community_community (name, slug, zone, lang, settings, simulated, made_at)"
        " VALUES ('Tea', 'tea', 'UTC', 'en', '{}', 0, '2026-03-01')",
    )
    well = run("audit", data=data)
    assert well.returncode == 0, well.stderr
    assert "Everything holds" in well.stdout
    write(
        data,
        "INSERT INTO ledger_account (community_id, kind, owner, unit, balance, held, lots)"
        " VALUES (1, 'outside', 'funds', 'cent', 7, 0, 0)",
    )
    broken = run("audit", "--community", "tea", "--json", data=data)
    assert broken.returncode == 1
    [community] = json.loads(broken.stdout)["communities"]
    bad = {
        check["name"]: check["broken"] for check in community["checks"] if not check["holds"]
    }
    assert bad == {"balances": ["outside:funds cent: 7, 0"]}
    told = run("audit", "--lang", "zh", data=data)
    assert "异常" in told.stdout
    unknown = run("audit", "--community", "coffee", data=data)
    assert unknown.returncode != 0
    assert "tea" in unknown.stderr
