"""What runs in a child process: `python -m bench.contenders NAME ARGUMENTS…`.

Every contender first loads its libraries, then works; the CPU seconds of the work are printed
as the last line.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    name, *arguments = sys.argv[1:]
    if name not in PEERS:
        sys.meta_path.insert(0, _WithoutPandas())
    work = {**OURS, **PEERS}[name](*arguments)
    started = time.process_time()
    work()
    print(json.dumps({"work": time.process_time() - started}))


class _WithoutPandas:
    """Qunluo needs no pandas, but Arrow loads it where it is installed. Here it is, for the
    peers; after `pip install qunluo` it is not."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def report(text: str, to: str) -> Callable[[], object]:
    """The command as a user gives it: import into a new archive, every figure, the page."""
    from qunluo.cli import main as qunluo

    words = ["report", text, "-o", to, "--progress", "none"]
    return lambda: qunluo(words, standalone_mode=False)


def archive(*words: str) -> Callable[[], object]:
    """`archive FOLDER ZONE FILES…`: import into an archive folder."""
    from qunluo.cli import main as qunluo

    folder, zone, *files = words
    command = ["import", *files, "--archive", folder, "--tz", zone, "--progress", "none"]
    return lambda: qunluo(command, standalone_mode=False)


def sample(count: str, to: str) -> Callable[[], object]:
    """The sample community of that many messages."""
    from qunluo.sample import Plan, write_sample

    return lambda: write_sample(Plan.sized(int(count)), Path(to))


def text(count: str, to: str) -> Callable[[], object]:
    """The same as one WhatsApp text."""
    from qunluo.sample import Plan, write_whatsapp

    return lambda: write_whatsapp(Plan.sized(int(count)), Path(to))


def _twelve(folder: str, to: str = "", *, rollups: bool) -> Callable[[], object]:
    from qunluo.archive.engines.duckdb import DuckDB
    from qunluo.archive.store import Archive
    from qunluo.insight.given import Given
    from qunluo.insight.metrics.count_cubes import TWELVE
    from qunluo.insight.run import study

    def work() -> None:
        with DuckDB() as engine:
            ready = study(Archive.open(Path(folder), engine), Given())
            found = ready.cubes(TWELVE, rollups=rollups)
        _keep(found, to)

    return work


def warm(folder: str, to: str = "") -> Callable[[], object]:
    """The twelve figures from what was counted at import."""
    return _twelve(folder, to, rollups=True)


def cold(folder: str, to: str = "") -> Callable[[], object]:
    """The twelve figures from rows."""
    return _twelve(folder, to, rollups=False)


def figures(folder: str, to: str = "") -> Callable[[], object]:
    """Every figure of the report that needs only an archive."""
    from qunluo.archive.engines.duckdb import DuckDB
    from qunluo.archive.store import Archive
    from qunluo.insight.given import Given
    from qunluo.insight.run import findings, study
    from qunluo.insight.sections import all_metrics

    def work() -> None:
        with DuckDB() as engine:
            findings(study(Archive.open(Path(folder), engine), Given()), all_metrics())

    return work


def pandas(path: str, zone: str, to: str = "") -> Callable[[], object]:
    """The twelve figures as a script would have them."""
    import pyarrow.dataset  # noqa: F401 - pandas would load it while it reads

    from bench.comparing import as_tables
    from bench.pandas_twelve import figures as twelve

    def work() -> None:
        found = twelve(Path(path), zone)
        if to:
            _keep(as_tables(found), to)

    return work


def compare(*folders: str) -> Callable[[], object]:
    """Ends with an error if the figures in the folders differ."""
    from bench.comparing import differences, read

    def work() -> None:
        first, *others = [read(Path(f)) for f in folders]
        wrong = [d for other in others for d in differences(first, other)]
        if wrong:
            sys.exit("The figures differ: " + "; ".join(wrong))

    return work


def whatstk(path: str) -> Callable[[], object]:
    """Load, messages by day and hour, who answers whom."""
    from whatstk import WhatsAppChat
    from whatstk.analysis import get_interventions_count, get_response_matrix

    def work() -> None:
        chat = WhatsAppChat.from_source(path).df
        for mode in ("date", "hour"):
            get_interventions_count(df=chat, date_mode=mode, msg_length=False)
        get_response_matrix(chat)

    return work


def chatminer(path: str) -> Callable[[], object]:
    """Load, messages by author."""
    from chatminer.chatparsers import WhatsAppParser

    def work() -> None:
        parser = WhatsAppParser(path)
        parser.parse_file()
        parser.parsed_messages.get_df()["author"].value_counts()

    return work


def _keep(tables: Any, to: str) -> None:
    if to:
        import pyarrow.parquet as pq

        Path(to).mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            pq.write_table(table, Path(to) / f"{name}.parquet")


Contender = Callable[..., Callable[[], object]]
OURS: dict[str, Contender] = {
    f.__name__: f for f in (report, archive, sample, text, warm, cold, figures)
}
PEERS: dict[str, Contender] = {
    f.__name__: f for f in (pandas, compare, whatstk, chatminer)
}  # and what needs pandas to judge them

if __name__ == "__main__":
    main()
