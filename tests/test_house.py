"""The house itself: what a newcomer relies on before reading a line of code."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from qunluo import __version__
from tools.lock import find_drift, find_faults, find_foreign

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 600
TEXT = {".py", ".md", ".toml", ".html", ".js", ".css", ".j2", ".po", ".txt", ".lock", ""}


def tracked() -> list[Path]:
    """Every file that git keeps; in a copy without git, every file there."""
    git = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = git.stdout.splitlines()
    files = [ROOT / name for name in names] if names else list(ROOT.glob("[!.]*/**/*"))
    return [path for path in files if path.is_file() and "vendor" not in path.parts]


def texts() -> list[tuple[str, str]]:
    """Name and content of every tracked text file but this one, which names what is forbidden."""
    files = [p for p in tracked() if p.suffix in TEXT and p != Path(__file__)]
    return [(str(p.relative_to(ROOT)), p.read_text("utf-8")) for p in files]


def found(pattern: str, *, only: str = "") -> list[str]:
    """Where a pattern occurs: "file:line"."""
    return [
        f"{name}:{number}"
        for name, text in texts()
        if name.endswith(only)
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    ]


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
@pytest.mark.parametrize("command", ["make up", "make test"])
def test_the_first_screen_shows_both_commands(readme: str, command: str) -> None:
    first_screen = (ROOT / readme).read_text("utf-8").splitlines()[:20]
    assert any(line.strip().startswith(command) for line in first_screen)


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{name} -> {target}"
        for name, text in texts()
        if name.endswith(".md")
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
        if not (ROOT / name).parent.joinpath(target).exists()
    ]
    assert broken == []


def test_every_decision_is_one_page() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [p.name[:4] for p in pages] == [f"{n:04d}" for n in range(1, len(pages) + 1)]
    assert all(len(p.read_text("utf-8").splitlines()) <= 70 for p in pages)


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    reasons = (ROOT / "docs/decisions/0003-dependencies.md").read_text("utf-8")
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[\[<>=]", requirement)[0] for requirement in wanted}
    assert {name for name in names if name not in reasons} == set()


def test_the_version_is_told_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_lock_names_public_hosts_only_and_is_in_step() -> None:
    assert find_faults(ROOT) == []


def test_a_private_host_in_a_lock_is_noticed() -> None:
    assert find_foreign("x", 'url = "https://10.0.0.7/simple/a.whl"') == [
        "x names https://10.0.0.7"
    ]
    assert find_foreign("x", 'registry = "/opt/wheels"') == ['x names registry = "/opt/wheels"']
    assert find_foreign("x", "--find-links file:///opt") != []
    assert find_foreign("x", 'url = "https://files.pythonhosted.org/a.whl"') == []


def test_a_dependency_that_is_not_locked_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text((ROOT / "uv.lock").read_text())
    project = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(project.replace('"click>=8.1",', '"click>=7.9",'))
    assert find_drift(tmp_path) == ["uv.lock is not in step with pyproject.toml (dependencies)"]


def test_pip_would_install_what_uv_installs() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    locked = {(package["name"], package.get("version")) for package in lock["package"]}
    for name in ("requirements.txt", "requirements-dev.txt"):
        pinned = re.findall(r"(?m)^([\w.-]+)==([^\s;\\]+)", (ROOT / name).read_text())
        assert len(pinned) > 10
        assert set(pinned) <= locked


def test_no_file_is_longer_than_a_reader_bears() -> None:
    long = [name for name, text in texts() if name.endswith(".py") and _lines(text) > LONGEST]
    assert long == []


def _lines(text: str) -> int:
    return len(text.splitlines())


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<![\w.])/(work|root|opt)/\w",  # folders of somebody's machine
        r"/tmp/(lab|house|d)\b",
        r"\b(TODO|FIXME|XXX)\b",
    ],
)
def test_nothing_left_behind_by_its_builders(pattern: str) -> None:
    assert found(pattern) == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"pytest\.mark\.(skip|xfail)",
        r"raise NotImplementedError",
        r"assert True\b",
        r"unittest\.mock",
    ],
)
def test_nothing_that_only_pretends(pattern: str) -> None:
    assert found(pattern, only=".py") == []


def test_rooms_import_downwards_only() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_continuous_run_is_the_newcomers_command() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert lines[0].endswith("bash")
    assert lines[1] == "set -euo pipefail"
    assert lines[-1] == "exec make test </dev/null"


def test_an_old_python_is_told_what_to_do(tmp_path: Path) -> None:
    """make finds no Python that fits and says so in one sentence of each language."""
    done = subprocess.run(
        ["make", "setup", "PYTHON="], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "Qunluo needs Python 3.11 or newer" in done.stderr
    assert "群落需要 Python 3.11" in done.stderr
