"""Files that arrive: their names, their sizes, what becomes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from qunluo.console.uploads import free_path, safe_path
from qunluo.console.work import Workshop
from qunluo.kit.settings import Settings
from tests.console.builders import asked, upload

SCRIPT = {"accept": "application/json"}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("chat.txt", "chat.txt"),
        ("export/general/2024-01-02.json", "export/general/2024-01-02.json"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\chats\\群.txt", "C_/chats/群.txt"),
        ("a\x00b\n.txt", "a_b_.txt"),
        ("...", "file"),
        ("", "file"),
        (".hidden", "hidden"),
        ("\u202etxt.exe", "_txt.exe"),
    ],
)
def test_a_name_becomes_a_path_below_its_folder(sent: str, kept: str) -> None:
    assert safe_path(sent) == Path(kept)


@given(st.text(st.characters(), max_size=400))
def test_no_name_leaves_its_folder(name: str) -> None:
    path = safe_path(name)
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert all(0 < len(part.encode()) <= 255 and part.isprintable() for part in path.parts)
    assert safe_path(str(path)) == path


def test_a_second_file_of_a_name_does_not_replace_the_first(tmp_path: Path) -> None:
    (tmp_path / "chat.txt").touch()
    assert free_path(tmp_path, Path("chat.txt")) == tmp_path / "2" / "chat.txt"
    assert free_path(tmp_path, Path("chat.txt/a")) == tmp_path / "2" / "chat.txt" / "a"


def test_a_folder_keeps_its_inner_paths(desk: Client, shop: Workshop) -> None:
    days = [upload("1.json", b"[]"), upload("1.json", b"[1]")]
    names = json.dumps(["slack/general/1.json", "slack/random/1.json"])
    desk.post("/console/reports/make", asked(chats=days, names=names))
    (job,) = shop.shelf.list_all()
    assert job.request.title == "slack"
    assert job.request.files == (str(shop.shelf.folder(job.id) / "files/chats/slack"),)
    assert (Path(job.request.files[0]) / "random/1.json").read_bytes() == b"[1]"


def test_hostile_paths_stay_in_the_folder_of_the_job(
    desk: Client, shop: Workshop, settings: Settings
) -> None:
    names = json.dumps(["../../../../outside.txt"])
    desk.post("/console/reports/make", asked(names=names))
    (job,) = shop.shelf.list_all()
    assert Path(job.request.files[0]).parent == shop.shelf.folder(job.id) / "files/chats"
    assert not list(settings.data.parent.glob("outside*"))


@pytest.mark.parametrize("names", ["not json", "{}", '["one", "two"]', "[[1]]"])
def test_names_that_make_no_sense_do_no_harm(desk: Client, shop: Workshop, names: str) -> None:
    assert desk.post("/console/reports/make", asked(names=names)).status_code == 302
    (job,) = shop.shelf.list_all()
    assert job.request.files[0].startswith(str(shop.shelf.folder(job.id)))


def test_nothing_chosen_says_so_in_words_or_json(desk: Client, shop: Workshop) -> None:
    page = desk.post("/console/reports/make", asked(chats=[]))
    assert page.status_code == 400
    assert "No chat export was chosen" in page.content.decode()
    told = desk.post("/console/reports/make", asked(chats=[]), headers=SCRIPT)
    assert told.json()["code"] == "nothing_chosen"
    assert shop.shelf.list_all() == []


@pytest.mark.parametrize(("field", "value"), [("zone", "Mars/Base"), ("lang", "xx")])
def test_a_choice_that_is_none_is_refused_and_its_files_go(
    desk: Client, settings: Settings, field: str, value: str
) -> None:
    told = desk.post("/console/reports/make", asked(**{field: value}), headers=SCRIPT)
    assert told.json()["code"] == "choice_unknown"
    assert [p.name for p in (settings.data / "incoming").iterdir()] == []


def test_lists_lie_beside_the_chats(desk: Client, shop: Workshop) -> None:
    desk.post("/console/reports/make", asked(staff=upload("staff.csv", b"account\nAnn\n")))
    (job,) = shop.shelf.list_all()
    assert job.request.staff is not None
    assert Path(job.request.staff).read_bytes() == b"account\nAnn\n"
    assert job.request.roster is None


def test_a_path_of_this_computer_is_read_in_place(
    desk: Client, shop: Workshop, tmp_path: Path
) -> None:
    chat = tmp_path / "my chat.txt"
    chat.write_text("x")
    desk.post("/console/reports/make", asked(chats=[], paths=f'\n  "{chat}"\n'))
    (job,) = shop.shelf.list_all()
    assert job.request.files == (str(chat),)
    assert job.request.title == "my chat.txt"


@pytest.mark.parametrize("path", ["/no/such/file", "relative.txt", "~nobody-here/x"])
def test_a_path_that_leads_nowhere_is_told(desk: Client, path: str) -> None:
    told = desk.post("/console/reports/make", asked(chats=[], paths=path), headers=SCRIPT)
    assert told.json()["code"] == "path_not_found"


def test_only_this_computer_may_name_paths(desk: Client, tmp_path: Path) -> None:
    far = {"REMOTE_ADDR": "192.0.2.7"}
    told = desk.post(
        "/console/reports/make", asked(chats=[], paths=str(tmp_path)), headers=SCRIPT, **far
    )
    assert told.json()["code"] == "paths_refused"
    assert 'name="paths"' not in desk.get("/console/reports/", **far).content.decode()
