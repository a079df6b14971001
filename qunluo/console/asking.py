"""The form: from what a browser sent to a request for a report, or an error with a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast
from zoneinfo import available_timezones

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from qunluo.console.errors import (
    ChoiceUnknownError,
    NothingChosenError,
    PathNotFoundError,
    PathsRefusedError,
    UploadBrokenError,
)
from qunluo.console.jobs import LISTS, Request
from qunluo.console.uploads import Arrived, free_path, safe_path
from qunluo.console.wording import current_lang
from qunluo.kit.settings import LOOPBACK, Settings
from qunluo.kit.text import LANGS, Text

ZONE_FIELD = Text("Time zone", "时区")
ORDER_FIELD = Text("Order of dates", "日期顺序")
DATE_ORDERS = ("", "dmy", "mdy", "ymd")
LANG_FIELD = Text("Language of the report", "报告语言")


@cache
def list_zones() -> tuple[str, ...]:
    """Zones a person may live in, in the order of the alphabet."""
    regions: tuple[str, ...] = (
        "Africa/",
        "America/",
        "Antarctica/",
        "Arctic/",
        "Asia/",
        "Atlantic/",
    )
    regions += ("Australia/", "Europe/", "Indian/", "Pacific/")
    return tuple(
        sorted(z for z in available_timezones() if z.startswith(regions) or z == "UTC")
    )


def default_zone() -> str:
    """Until the browser tells its own."""
    return "Asia/Shanghai" if current_lang() == "zh" else "UTC"


def may_name_paths(http: HttpRequest, settings: Settings) -> bool:
    """Whether the asker sits at this computer: only this machine is served, and it asks."""
    return settings.is_local and http.META.get("REMOTE_ADDR") in LOOPBACK


def read_request(http: HttpRequest, settings: Settings) -> Request:
    """What was asked for, before uploads are kept: `files` holds only the paths typed in."""
    paths = read_paths(http, settings)
    if getattr(http, "upload_failed", None):
        raise UploadBrokenError
    names = [*(name for name, _ in name_uploads(http)), *paths]
    names = names or [str(file.name) for file in http.FILES.getlist("orders")]
    if not names:
        raise NothingChosenError
    return Request(
        title=make_title(names),
        files=tuple(paths),
        zone=_choice(http, "zone", list_zones(), ZONE_FIELD),
        date_order=read_date_order(http),
        lang=_choice(http, "lang", LANGS, LANG_FIELD),
        anonymous="anonymous" in http.POST,
    )


def read_date_order(http: HttpRequest) -> str | None:
    return _choice(http, "date_order", DATE_ORDERS, ORDER_FIELD) or None


def read_paths(http: HttpRequest, settings: Settings) -> list[str]:
    """Existing files and folders of this computer, one a line."""
    lines = [line.strip() for line in http.POST.get("paths", "").splitlines()]
    wanted = [line.strip("\"'") for line in lines if line]
    if wanted and not may_name_paths(http, settings):
        raise PathsRefusedError
    for path in wanted:
        if not _is_readable(path):
            raise PathNotFoundError(path=path)
    return [str(Path(path).expanduser()) for path in wanted]


def _is_readable(path: str) -> bool:
    try:
        found = Path(path).expanduser()
        return found.is_absolute() and found.exists()
    except (OSError, ValueError, RuntimeError):
        return False


def name_uploads(http: HttpRequest) -> list[tuple[str, UploadedFile[Any]]]:
    """Uploads with the path each had in its folder, where the page's script told it."""
    files = http.FILES.getlist("chats")
    try:
        told = json.loads(http.POST.get("names", "null"))
    except ValueError:
        told = None
    if not isinstance(told, list) or len(told) != len(files):
        told = [file.name for file in files]
    return [(str(name), file) for name, file in zip(told, files, strict=True)]


def make_title(names: list[str]) -> str:
    """The first name, and how many more: "chat.txt +2"."""
    tops = sorted(
        {safe_path(n).parts[0] if not n.startswith("/") else Path(n).name for n in names}
    )
    more = f" +{len(tops) - 1}" if len(tops) > 1 else ""
    return (tops[0] or "/") + more


def keep_uploads(http: HttpRequest, request: Request, folder: Path) -> Request:
    """Moves the uploads below `folder`; the request then names where everything lies."""
    chats = folder / "chats"
    for name, file in name_uploads(http):
        cast(Arrived, file).keep(free_path(chats, safe_path(name)))
    tops = sorted(str(path) for path in chats.iterdir()) if chats.exists() else []
    kept = replace(request, files=(*tops, *request.files))
    for name in LISTS:
        given = http.FILES.get(name)
        if isinstance(given, Arrived):
            place = given.keep(free_path(folder / name, safe_path(given.name or name)))
            kept = replace(kept, **{name: str(place)})  # type: ignore[arg-type]
    return kept


def _choice(http: HttpRequest, name: str, choices: tuple[str, ...], field: Text) -> str:
    value = http.POST.get(name, "")
    if value not in choices:
        raise ChoiceUnknownError(value=value, field=field)
    return value
