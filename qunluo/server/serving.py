"""Starts an installation: settings, a free port, one server for a data folder, the database,
then the processes; or one of them alone."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal
from urllib.parse import urlsplit

from qunluo.console.sampling import system_lang
from qunluo.kit import clock
from qunluo.kit.settings import FIRST_PORT, Settings, prepare_folder, read_settings
from qunluo.kit.text import Lang, Text
from qunluo.server.database import empty_database, prepare_database, wait_for_database
from qunluo.server.errors import AlreadyServedError, PortTakenError
from qunluo.server.processes import (
    AGAIN,
    Child,
    Crew,
    end_with_parent,
    has_parent,
    qunluo,
    stop_on_signals,
)

KEPT_NOT = (
    "jobs", "incoming", "trash", "media", "archive", "insight", "sample-made", "clock.json",
)  # fmt: skip
PORTS = range(FIRST_PORT, FIRST_PORT + 100)
ADDRESS = Text("Qunluo is open at {address}", "群落已打开：{address}")
HOW_TO_STOP = Text("Ctrl-C stops it.", "按 Ctrl-C 停止。")
REACHABLE = Text(
    "Others on the network can open it, without encryption: for more than a trusted network put it "
    "behind a proxy with TLS (QUNLUO_SECURE=yes).",
    "网络中的其他人也能打开它，且未加密：若不是可信的内网，请放在带 TLS 的代理之后"
    "（QUNLUO_SECURE=yes）。",
)


def up(
    host: str | None = None,
    port: int | None = None,
    data_dir: Path | None = None,
    *,
    sample: bool = False,
    lang: Lang | None = None,
) -> None:
    """Serves pages, live stream and worker until stopped; what is not given comes from
    `QUNLUO_*`.

    Prepares the database and prints the address once it answers. `sample` adds a community that
    lives and a report to look at. Raises a `QunluoError` where settings, folder or port forbid it.
    """
    settings = prepare(host, port, data_dir)
    tongue = lang or system_lang()
    with _alone(settings) as note:
        chosen = find_port(settings)
        live = find_live_port(settings, chosen)
        address = make_address(settings.host, chosen)
        json.dump({"address": address}, note)
        note.flush()
        prepare_database(settings, tongue)
        words = make_words(settings, address, tongue)
        env = {"QUNLUO_PORT": str(chosen), "QUNLUO_LIVE_PORT": str(live)}
        with _living(settings, tongue, sample=sample) as (more, told):
            _run_crew(settings, env | more, "\n".join([words, *told]), tongue, sample=sample)


def prepare(host: str | None, port: int | None, data_dir: Path | None) -> Settings:
    """The settings with what the command line says on top, and the data folder made."""
    given = {"QUNLUO_HOST": host, "QUNLUO_PORT": port, "QUNLUO_DATA": data_dir}
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    settings = read_settings()
    clock.clock()  # a wrong one stops the start, too
    prepare_folder(settings)
    return settings


@contextmanager
def _living(
    settings: Settings, lang: str, *, sample: bool
) -> Iterator[tuple[dict[str, str], list[str]]]:
    """The sample community founded and its clock going; nothing without `sample`."""
    if not sample:
        yield {"QUNLUO_SAMPLE": "0"}, []
        return
    from qunluo.living.clocks import kept_clock
    from qunluo.living.founding import found_sample

    with kept_clock(settings.data) as chosen:
        told = found_sample(lang)
        yield {"QUNLUO_SAMPLE": "1", clock.VARIABLE: str(chosen)}, told


def _run_crew(
    settings: Settings, env: dict[str, str], words: str, lang: str, *, sample: bool
) -> None:
    from django.db import connections

    connections.close_all()  # the children have their own
    names = ["web", "live", "worker", *(["living"] if sample else [])]
    crew = Crew([Child(name, qunluo(name)) for name in names], env)
    crew.tell = partial(_tell_death, lang)
    stop_on_signals(crew.stop)
    address = make_address(settings.host, int(env["QUNLUO_PORT"]))
    threading.Thread(target=_tell, args=(address, words), daemon=True).start()
    crew.run()


def _tell_death(lang: str, name: str, code: int) -> None:
    print(AGAIN(lang).format(name=name, code=code), file=sys.stderr, flush=True)


def serve_web(host: str | None = None, port: int | None = None) -> None:
    """The pages alone, for an installation whose parts are started one by one."""
    end_with_parent()
    settings = prepare(host, port, None)
    if has_parent():
        _run(settings, settings.port or FIRST_PORT)
        return
    with _alone(settings) as note:
        chosen = find_port(settings)
        address = make_address(settings.host, chosen)
        json.dump({"address": address}, note)
        note.flush()
        prepare_database(settings, system_lang())
        words = make_words(settings, address, system_lang())
        threading.Thread(target=_tell, args=(address, words), daemon=True).start()
        _run(settings, chosen)


def serve_live(host: str | None = None, port: int | None = None) -> None:
    """The live stream alone; it waits for the database to be prepared by another process."""
    end_with_parent()
    settings = prepare(host, None, None)
    wait_for_database(system_lang())
    chosen = port or settings.live_port or find_live_port(settings, settings.port or FIRST_PORT)
    _run(settings, chosen, "live")


def serve_worker() -> None:
    """The worker alone: what came in, what goes out, what is due, and the archive's feed."""
    end_with_parent()
    prepare(None, None, None)
    wait_for_database(system_lang())
    from qunluo.messaging.insight import keep_feeding
    from qunluo.messaging.worker import run_worker

    stop = threading.Event()
    stop_on_signals(stop)
    feeder = threading.Thread(target=keep_feeding, args=(stop,), daemon=True)
    feeder.start()
    run_worker(stop)
    feeder.join(timeout=5)


def serve_living() -> None:
    """The sample community's members, who talk until they are stopped."""
    end_with_parent()
    prepare(None, None, None)
    wait_for_database(system_lang())
    from qunluo.living.play import play

    stop = threading.Event()
    stop_on_signals(stop)
    play(stop)


def reset(settings: Settings) -> None:
    """An empty installation: the database, all files and reports are gone, the secret stays.

    Raises `AlreadyServedError` while it is served.
    """
    with _alone(settings):
        empty_database(settings)
        for name in KEPT_NOT:
            path = settings.data / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        prepare_folder(settings)
        prepare_database(settings, system_lang())


def find_live_port(settings: Settings, port: int) -> int:
    """The port set for the live stream, else the first free one after that of the pages."""
    after = range(port + 1, min(port + 100, 65_536))
    for wanted in [settings.live_port] if settings.live_port else after:
        if is_free(settings.host, wanted):
            return wanted
    raise PortTakenError(
        host=settings.host, port=settings.live_port or f"{after[0]}–{after[-1]}"
    )


def find_port(settings: Settings) -> int:
    """The port set, if it is free; else the first free one from 8460 on."""
    wanted = [settings.port] if settings.port else PORTS
    for port in wanted:
        if is_free(settings.host, port):
            return port
    raise PortTakenError(host=settings.host, port=settings.port or f"{PORTS[0]}–{PORTS[-1]}")


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def make_address(host: str, port: int) -> str:
    """What to type into a browser on this computer."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - any address
    return (
        f"http://[{name}]:{port}/"
        if ":" in name and "[" not in name
        else f"http://{name}:{port}/"
    )


def make_words(settings: Settings, address: str, lang: str) -> str:
    lines = [ADDRESS(lang).format(address=address), HOW_TO_STOP(lang)]
    if not settings.is_local:
        lines.append(REACHABLE(lang))
    return "\n".join(lines)


@contextmanager
def _alone(settings: Settings) -> Iterator[IO[str]]:
    """Holds the data folder for this server alone, and the place to note its address."""
    path = settings.data / "server.json"
    with path.open("a+", encoding="utf-8") as note:
        if not _lock(note):
            note.seek(0)
            address = json.loads(note.read() or "{}").get("address", "?")
            raise AlreadyServedError(folder=settings.data, address=address)
        note.truncate(0)
        yield note


def _lock(file: IO[str]) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _run(settings: Settings, port: int, what: Literal["web", "live"] = "web") -> None:
    """Granian with the pages (one process: jobs live in it) or the live stream."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    # more threads than connections: those who wait for one commit together hold none
    web = {"blocking_threads": 64}
    targets: dict[str, tuple[str, Interfaces, dict[str, Any]]] = {
        "web": ("qunluo.server.wsgi:application", Interfaces.WSGI, web),
        # a stream has no end to wait for; who listens comes back with the revision they have
        "live": (
            "qunluo.server.live:application",
            Interfaces.ASGI,
            {"workers_kill_timeout": 1},
        ),
    }
    target, interface, more = targets[what]
    Granian(
        target,
        address=settings.host,
        port=port,
        interface=interface,
        workers=1,
        websockets=False,
        log_level=LogLevels.error,
        **more,
    ).serve()


def _tell(address: str, words: str) -> None:
    """Prints the address when it answers, not before."""
    while True:
        try:
            ask = http.client.HTTPConnection(urlsplit(address).netloc, timeout=5)
            ask.request("GET", "/assets/icon.svg")
            ask.getresponse().close()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            print(words, flush=True)
            return
