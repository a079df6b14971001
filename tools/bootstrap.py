"""Sets up an environment from the lock file; run by `make`, standard library only.

    python tools/bootstrap.py run|dev|bench

Asked twice it does nothing. uv installs what `uv.lock` says; where uv can't be had, pip
installs the same versions, by hash, from `requirements*.txt`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Env = dict[str, str]
UV = "uv==0.13.9"
PLANS = {
    "run": (".venv", ["--no-default-groups"], "requirements.txt"),
    "dev": (".venv", [], "requirements-dev.txt"),
    "bench": (".venv-bench", ["--no-default-groups", "--group", "bench"], None),
}
NO_VENV = """\
This Python ({0}) can't make virtual environments: its venv or ensurepip part is missing.
Install it (Debian, Ubuntu: sudo apt install python3-venv) and run make again.
这个 Python（{0}）缺少 venv 或 ensurepip，无法建立虚拟环境。
请先安装（Debian、Ubuntu：sudo apt install python3-venv），然后重新运行 make。"""
NO_PACKAGES = """\
The packages could not be installed; the lines above say why. Most often it is the network:
check that https://pypi.org can be reached, or set a mirror (PIP_INDEX_URL), and run make again.
依赖包未能安装，原因见上。多半是网络问题：请确认能访问 https://pypi.org，
或设置镜像（PIP_INDEX_URL）后重新运行 make。"""


def main() -> None:
    plan = sys.argv[1]
    folder, groups, pinned = PLANS[plan]
    venv = ROOT / folder
    if is_ready(venv, plan):
        return
    make_venv(venv)
    say(f"Installing packages into {folder} ... 正在安装依赖包")
    if not (install_with_uv(venv, groups) or (pinned and install_with_pip(venv, pinned))):
        sys.exit(NO_PACKAGES)
    run([python(venv), "-m", "compileall", "-q", "qunluo"])
    stamp(venv, plan).write_text(fingerprint())


def is_ready(venv: Path, plan: str) -> bool:
    """Whether the environment holds what the lock says (dev holds all that run needs)."""
    plans = {"run": ("run", "dev")}.get(plan, (plan,))
    stamps = [stamp(venv, p) for p in plans]
    return works(venv) and any(s.exists() and s.read_text() == fingerprint() for s in stamps)


def stamp(venv: Path, plan: str) -> Path:
    return venv / f".qunluo-{plan}"


def fingerprint() -> str:
    parts = [(ROOT / name).read_bytes() for name in ("uv.lock", "pyproject.toml")]
    return hashlib.sha256(b"".join([*parts, str(ROOT).encode()])).hexdigest()


def works(venv: Path) -> bool:
    code = "import sys; sys.exit(sys.version_info < (3, 11))"
    return python(venv).exists() and run([python(venv), "-c", code], quiet=True)


def python(venv: Path) -> Path:
    return venv / "bin" / "python"


def make_venv(venv: Path) -> None:
    if works(venv) and run([python(venv), "-m", "pip", "--version"], quiet=True):
        return
    say(f"Making {venv.name} with Python {sys.version.split()[0]} ... 正在建立运行环境")
    shutil.rmtree(venv, ignore_errors=True)
    plain = [sys.executable, "-m", "venv", venv]
    if run(plain, quiet=True) or run([sys.executable, "-m", "virtualenv", venv], quiet=True):
        return
    if add_system_package("python3-venv") and run(plain):
        return
    shutil.rmtree(venv, ignore_errors=True)
    sys.exit(NO_VENV.format(sys.executable))


def add_system_package(name: str) -> bool:
    """Installs a Debian package where that needs no question: as root with apt."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    install = ["apt-get", "install", "-y", "--no-install-recommends", name]
    return run(install) or (run(["apt-get", "update"], quiet=True) and run(install))


def install_with_uv(venv: Path, groups: list[str]) -> bool:
    if not run([python(venv), "-m", "pip", "install", "--quiet", UV]):
        return False
    env = {
        k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PIP_", "VIRTUAL_ENV"))
    }
    env["UV_PROJECT_ENVIRONMENT"] = str(venv)
    env["UV_PYTHON"] = str(python(venv))
    sync = [python(venv), "-m", "uv", "sync", "--frozen", "--inexact", "--no-config", *groups]
    sync.append("--compile-bytecode")  # else every start compiles where Python may not write
    return run([*sync, "--quiet"] if not sys.stderr.isatty() else sync, env=env)


def install_with_pip(venv: Path, pinned: str) -> bool:
    say("uv is not to be had; going on with pip ... 改用 pip 安装")
    pip = [python(venv), "-m", "pip", "install", "--quiet"]
    packages = run([*pip, "--require-hashes", "-r", ROOT / pinned])
    return packages and run([*pip, "--no-deps", "-e", ROOT])


def run(command: Sequence[object], *, quiet: bool = False, env: Env | None = None) -> bool:
    """Whether the command ended well; it is given no input to wait for."""
    out = subprocess.DEVNULL if quiet else None
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=env,
            cwd=ROOT,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
