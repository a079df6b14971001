"""Starts the server: settings, a free port, one server for a data folder, then Granian."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from qunluo.console.sampling import system_lang
from qunluo.kit.settings import FIRST_PORT, Settings, prepare_folder, read_settings
from qunluo.kit.text import Lang, Text
from qunluo.server.errors import AlreadyServedError, PortTakenError

PORTS = range(FIRST_PORT, FIRST_PORT + 100)
ADDRESS = Text("Qunluo is open at {address}", "群落已打开：{address}")
HOW_TO_STOP = Text("Ctrl-C stops it.", "按 Ctrl-C 停止。")
REACHABLE = Text(
    "Others on the network can open it, and it asks for no password: put it behind a proxy "
    "that does, or leave QUNLUO_HOST unset.",
    "网络中的其他人也能打开它，而且无需密码："
    "请放在需要登录的代理之后，或不要设置 QUNLUO_HOST。",
)


def serve(
    host: str | None = None,
    port: int | None = None,
    data_dir: Path | None = None,
    open_sample: bool = False,
    lang: Lang | None = None,
) -> None:
    """Serves the first page until it is stopped; what is not given comes from `QUNLUO_*`.

    Prints the address once it answers. `open_sample` builds the sample community as a job, the
    first time. Raises a `QunluoError` where the settings, the folder or the port forbid it.
    """
    given = {"QUNLUO_HOST": host, "QUNLUO_PORT": port, "QUNLUO_DATA": data_dir}
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    settings = read_settings()
    prepare_folder(settings)
    os.environ["QUNLUO_SAMPLE"] = "1" if open_sample else "0"
    with _alone(settings) as note:
        chosen = find_port(settings)
        address = make_address(settings.host, chosen)
        json.dump({"address": address}, note)
        note.flush()
        _run(settings, chosen, address, make_words(settings, address, lang or system_lang()))


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
    import fcntl  # noqa: PLC0415 - unknown on Windows

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _run(settings: Settings, port: int, address: str, words: str) -> None:
    from granian import Granian  # noqa: PLC0415 - slow to import, needed only here
    from granian.constants import Interfaces  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415

    server = Granian(
        "qunluo.server.wsgi:application",
        address=settings.host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,  # jobs live in it
        blocking_threads=8,
        websockets=False,
        log_level=LogLevels.error,
    )
    threading.Thread(target=_tell, args=(address, words), daemon=True).start()
    server.serve()


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
