"""Where the browser for browser tests is, how it is started, and how a page is measured."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

WIDTHS = (1440, 390)  # a desk and a phone
SETTLES_S = 10.0
Found = TypeVar("Found")
PATIENCE_MS = 60_000  # a busy machine is no fault of a page
expect.set_options(timeout=PATIENCE_MS)

OVER = """() => document.documentElement && document.readyState === 'complete'
  ? document.documentElement.scrollWidth - document.documentElement.clientWidth : null"""
"""Pixels that a page is too wide; null while it is on its way."""
GOING = ("context was destroyed", "navigat", "Cannot find context")  # off to the next page
QUIET = "() => document.readyState === 'complete' && !document.querySelector('.htmx-request')"
"""All that a page asks for when it opens has come."""
SCROLL_THROUGH = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
    scrollTo({top: y, behavior: 'instant'});
    await frame(); await frame(); await frame();
  }
}"""
ALL_DRAWN = "() => document.querySelectorAll('.plot:not([data-drawn])').length === 0"
"""Reads a report as its reader does, so that its charts draw; then all are."""


def executable() -> str | None:
    """`QUNLUO_CHROMIUM`, else a browser on the PATH, else None: Playwright's own."""
    named = os.environ.get("QUNLUO_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium that asks the network for nothing of its own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            yield started
        finally:
            started.close()


def too_wide(page: Page) -> int:
    """Pixels that a page is wider than the window: of the page that a click led to, not of the
    nothing in between."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < end:
        try:
            page.wait_for_load_state("load")
            over = page.evaluate(OVER)
        except Error as error:
            if page.is_closed() or not any(sign in str(error) for sign in GOING):
                raise
            over = None
        if over is not None:
            return int(over)
        page.wait_for_timeout(20)
    raise AssertionError(f"{page.url} never stood still")


def assert_fits(page: Page, name: str = "") -> None:
    """Nobody has to scroll sideways."""
    wide = once_settled(page, lambda: max(0, too_wide(page)))
    assert not wide, f"{name or page.url} is {wide} px too wide"


def find_cut(page: Page, script: str) -> list[str]:
    """What sticks out of a page, as a script of the page names it."""
    return once_settled(page, lambda: list(page.evaluate(script)))


def once_settled(page: Page, find: Callable[[], Found]) -> Found:
    """What is wrong with the shape of a page once it has taken it: a menu that folds as the
    window narrows needs its time, the more on a busy machine."""
    end = time.monotonic() + SETTLES_S
    while (found := find()) and time.monotonic() < end:
        page.wait_for_timeout(50)
    return found


def shoot(page: Page, name: str) -> None:
    """A picture of the whole page for people, where they asked for one: `QUNLUO_SHOTS` names
    the folder. It takes longer than all else about a page."""
    if folder := os.environ.get("QUNLUO_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
