"""The page as people meet it: a real server, a real browser, phone and desk, both languages."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser import PATIENCE_MS, assert_fits
from tests.browser import browser as start_browser
from tests.console.builders import whatsapp

WORDS = {
    "en": {
        "make": "Make the report", "none": "No chat export was chosen", "delete": "Delete",
        "undo": "Undo", "open": "Open", "empty": "No report yet", "again": "Try again",
    },
    "zh-CN": {
        "make": "生成报告", "none": "还没有选择聊天记录", "delete": "删除", "undo": "撤销",
        "open": "打开", "empty": "还没有报告", "again": "重试",
    },
}  # fmt: skip
CASES = [(390, "zh-CN"), (1440, "en")]
ENGLISH = pytest.mark.parametrize("site", CASES[1:], indirect=True)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as started:
        yield started


@dataclass
class Site:
    """A freshly started page with an empty data folder, and who has begun there."""

    address: str
    data: Path
    width: int
    lang: str
    owner: StorageState | None = None


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("site") / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mine = {"QUNLUO_DATA": str(data), "QUNLUO_PORT": str(port)}
    command = [sys.executable, "-m", "qunluo", "serve"]
    with subprocess.Popen(
        command, env={**os.environ, **mine, "LANG": "C"}, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        said = server.stdout.readline()  # comes when the page answers
        assert f"http://127.0.0.1:{port}/" in said
        yield Site(f"http://127.0.0.1:{port}/", data, *request.param)
        server.terminate()


@contextmanager
def a_reader(browser: Browser, site: Site) -> Iterator[Page]:
    """A tab; leaving it asserts that its console stayed silent on the way."""
    context = browser.new_context(
        viewport={"width": site.width, "height": 844}, locale=site.lang,
        timezone_id="Asia/Shanghai", storage_state=site.owner,
    )  # fmt: skip
    page, complaints = context.new_page(), []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    if site.owner is None:
        page.goto(site.address)
        begin(page)
        site.owner = context.storage_state()
    page.goto(f"{site.address}console/reports/")
    yield page
    context.close()
    assert complaints == []


def begin(page: Page) -> None:
    """The guided start of an empty install: an owner, a community, a group."""
    steps = (
        {"name": "alice", "password": "correct horse battery staple"},
        {"name": "茶友"},
        {"name": "Tea", "purpose": "to talk about tea"},
    )
    for step in steps:
        assert_fits(page)
        for name, words in step.items():
            page.locator(f"main [name={name}]").fill(words)
        with page.expect_navigation():  # the next step has a name to fill in, too
            page.locator("main button.main").click()
    expect(page.locator("img.qr")).to_be_visible()
    assert_fits(page)


def follow(page: Page) -> None:
    """Waits until the job's page has become the report; says why if it never does."""
    alert = page.get_by_role("alert")
    for _ in range(PATIENCE_MS // 200):
        if page.url.endswith("/report.html"):
            return
        assert alert.count() == 0, alert.text_content()
        page.wait_for_timeout(200)
    raise AssertionError(f"{page.url} never became a report")


@pytest.mark.parametrize("site", CASES, indirect=True)
def test_a_chat_becomes_a_report_that_is_kept(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    words = WORDS[site.lang]
    chat = tmp_path / ("一个名字很长很长的群聊天记录" * 4 + ".txt")
    chat.write_bytes(whatsapp(80))
    with a_reader(browser, site) as page:
        expect(page.get_by_text(words["empty"])).to_be_visible()
        assert page.locator("#zone").input_value() == "Asia/Shanghai"
        assert_fits(page)
        page.locator(".pick input").first.set_input_files(chat)
        expect(page.locator("#chosen")).to_contain_text(chat.name)
        assert_fits(page)
        page.get_by_role("button", name=words["make"]).click()
        page.wait_for_url("**/jobs/*")
        assert_fits(page)
        follow(page)
        page.wait_for_load_state("networkidle")
        assert_fits(page)
        assert page.evaluate("window.origin") == "null"  # a report reaches nothing of the page
        page.goto(f"{site.address}console/reports/")
        expect(page.locator(".reports h3")).to_have_text(chat.name)
        assert_fits(page)
        page.get_by_role("button", name=words["delete"]).click()
        page.get_by_role("button", name=words["undo"]).click()
        expect(page.get_by_role("link", name=words["open"], exact=True)).to_be_visible()


@pytest.mark.parametrize("site", CASES, indirect=True)
def test_what_cannot_be_read_is_told_on_the_spot(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    words = WORDS[site.lang]
    photo = tmp_path / "photo.bin"
    photo.write_bytes(bytes(range(256)) * 40)
    with a_reader(browser, site) as page:
        page.locator(".pick input").first.set_input_files(photo)
        page.get_by_role("button", name=words["make"]).click()
        page.wait_for_url("**/jobs/*")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("photo.bin", timeout=PATIENCE_MS)
        expect(page.get_by_role("button", name=words["again"])).to_be_visible()
        assert_fits(page)


@ENGLISH
def test_the_page_is_used_by_keyboard_alone(browser: Browser, site: Site) -> None:
    with a_reader(browser, site) as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.type") == "file"
        outline = "getComputedStyle(document.activeElement.closest('label')).outlineStyle"
        assert page.evaluate(outline) == "solid"


@ENGLISH
def test_the_language_can_be_changed(browser: Browser, site: Site) -> None:
    with a_reader(browser, site) as page:
        page.get_by_role("button", name="中文").click()
        expect(page.get_by_role("button", name="生成报告")).to_be_visible()


@ENGLISH
def test_a_second_server_names_the_first(site: Site) -> None:
    mine = {**os.environ, "QUNLUO_DATA": str(site.data), "LANG": "zh_CN.UTF-8"}
    mine.pop("LC_ALL", None)
    second = subprocess.run(
        [sys.executable, "-m", "qunluo", "serve"], env=mine, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert second.returncode == 1
    assert site.address in second.stderr
    assert "群落已在" in second.stderr
