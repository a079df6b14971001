"""Compiled plans, kept between runs: Ibis takes longer to write SQL than DuckDB to run it.

The kept text is keyed by everything it depends on: our own source, Ibis, the dialect, the
names and types of the inputs. A cache that can't be written is no error, only slower.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import platformdirs
import pyarrow as pa

from qunluo.archive.engines.base import Plan


def sql_of(plan: Plan, schemas: Mapping[str, pa.Schema], dialect: str) -> str:
    """The plan as SQL text of `dialect`, over tables named as in `schemas`."""
    if not plan.lasting:
        return _passing(plan, schemas, dialect)
    kept = _cache_folder() / f"{plan.name}-{_key(plan, schemas, dialect)}.sql"
    with suppress(OSError):
        return kept.read_text("utf-8")
    text = _compile(plan, schemas, dialect)
    with suppress(OSError):
        _keep(kept, text)
    return text


_MOST_PASSING = 200
_passed: dict[str, str] = {}


def _passing(plan: Plan, schemas: Mapping[str, pa.Schema], dialect: str) -> str:
    """The text of a plan that is asked a few times and never again: the last ones are kept."""
    key = _key(plan, schemas, dialect)
    if key not in _passed:
        text = _compile(plan, schemas, dialect)
        while len(_passed) >= _MOST_PASSING:
            _passed.pop(next(iter(_passed)), None)
        _passed[key] = text
    return _passed[key]


def _compile(plan: Plan, schemas: Mapping[str, pa.Schema], dialect: str) -> str:
    import ibis  # noqa: PLC0415 - 0.3 s that a compiled plan saves

    tables = {n: ibis.table(ibis.Schema.from_pyarrow(s), name=n) for n, s in schemas.items()}
    rows = plan.build(tables)
    return _narrow(str(ibis.to_sql(rows, dialect=dialect)), rows.schema())


def _narrow(sql: str, schema: Any) -> str:
    """The query with its integers as the plan has them: engines widen sums, DuckDB to 128 bits."""
    wide = {name for name, kind in schema.items() if kind.is_int64()}
    columns = [f'CAST("{n}" AS BIGINT) AS "{n}"' if n in wide else f'"{n}"' for n in schema]
    return f"SELECT {', '.join(columns)} FROM ({sql})"


def _key(plan: Plan, schemas: Mapping[str, pa.Schema], dialect: str) -> str:
    shape = [(n, [(f.name, str(f.type)) for f in s]) for n, s in sorted(schemas.items())]
    text = repr((plan.name, shape, dialect, _code_fingerprint()))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


@cache
def _code_fingerprint() -> str:
    """A hash of Ibis' version and the rooms whose code shapes plans, so that an edit never
    meets an old plan."""
    digest = hashlib.sha256(version("ibis-framework").encode())
    root = Path(__file__).parents[2]
    for room in ("archive", "insight"):
        for path in sorted((root / room).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def _cache_folder() -> Path:
    return (
        Path(os.environ.get("QUNLUO_CACHE") or platformdirs.user_cache_dir("qunluo")) / "plans"
    )


def _keep(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
