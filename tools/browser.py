"""Gives the browser tests a browser and a Chinese font where they lack one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-cjk", "fonts-noto-color-emoji")
NEITHER = """\
The browser tests need Chromium, and it could be installed neither with apt nor with Playwright.
Install it yourself (Debian, Ubuntu: sudo apt install {0}) and run make again.
浏览器测试需要 Chromium，但 apt 与 Playwright 都未能装上。
请自行安装（Debian、Ubuntu：sudo apt install {0}），然后重新运行 make。"""


def main() -> None:
    if has_browser() and has_chinese():
        return
    if install_with_apt() and has_browser():
        return
    if not (has_browser() or run([sys.executable, "-m", "playwright", "install", "chromium"])):
        sys.exit(NEITHER.format(" ".join(PACKAGES)))


def has_browser() -> bool:
    return any(shutil.which(name) for name in BROWSERS)


def has_chinese() -> bool:
    """Whether any installed font draws Chinese (unknown counts as yes)."""
    if not shutil.which("fc-list"):
        return True
    found = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False)
    return bool(found.stdout.strip())


def install_with_apt() -> bool:
    if not shutil.which("apt-get"):
        return False
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    install = [*apt, "install", "-y", "--no-install-recommends", *PACKAGES]
    return run([*apt, "update"]) and run(install)


def run(command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    main()
