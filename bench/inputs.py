"""Texts, samples and archives to measure with: made once, kept under var/bench."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.measuring import Cost, run

ROOT = Path(__file__).resolve().parent.parent
ZONE = "Asia/Shanghai"


def folder() -> Path:
    """Where everything is kept."""
    return Path(os.environ.get("QUNLUO_DATA", ROOT / "var")).resolve() / "bench"


def child(name: str, *arguments: object, cache: Path | None = None) -> Cost:
    """Runs a contender; `cache` is where Qunluo keeps its compiled plans."""
    command = [sys.executable, "-m", "bench.contenders", name, *map(str, arguments)]
    places = {"QUNLUO_CACHE": str(cache or folder() / "cache"), "PYTHONPATH": str(ROOT)}
    return run(command, places)


def whatsapp(count: int) -> Path:
    """A WhatsApp text of `count` messages."""
    path = folder() / f"whatsapp-{count}.txt"
    if not path.exists():
        child("text", count, path)
    return path


@dataclass(frozen=True)
class Sized:
    """A sample, the archive it was imported into, and what that import cost."""

    messages: Path
    archive: Path
    imported: Cost


def sized(count: int) -> Sized:
    """Sample and archive of `count` messages, as they are or newly made."""
    to = folder() / f"sample-{count}"
    if not (to / "truth.json").exists():  # the last file that a sample gets
        child("sample", count, to)
    archive = folder() / f"archive-{count}-{_layout()}"
    kept = archive / "import.json"
    if not kept.exists():
        shutil.rmtree(archive, ignore_errors=True)
        files = [to / "messages.parquet", to / "events.parquet"]
        kept.write_text(json.dumps(asdict(child("archive", archive, ZONE, *files))))
    return Sized(to / "messages.parquet", archive, Cost(**json.loads(kept.read_text())))


def _layout() -> str:
    """A word that changes with the code that lays out archives, so that none is out of date."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "qunluo" / "archive").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
