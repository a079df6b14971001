"""Keeps `uv.lock` and the pinned requirements: `renew` writes them, `check` judges them.

python tools/lock.py renew [--upgrade]
python tools/lock.py check
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOSTS = {"https://pypi.org", "https://files.pythonhosted.org"}
EXPORTS = {"requirements.txt": ["--no-default-groups"], "requirements-dev.txt": []}


def main() -> None:
    if sys.argv[1] == "renew":
        renew(sys.argv[2:])
    faults = find_faults(ROOT)
    if faults:
        sys.exit("\n".join([*faults, "Run make lock with no index of your own configured."]))


def renew(arguments: list[str]) -> None:
    """Locks against the public index alone, whatever this machine is configured to use."""
    uv("lock", *arguments)
    for name, groups in EXPORTS.items():
        plain = ["--no-emit-project", "--no-header", "--no-annotate", "--output-file", name]
        uv("export", "--frozen", "--quiet", *groups, *plain)


def uv(*arguments: str) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PIP_"))}
    command = [sys.executable, "-m", "uv", *arguments, "--no-config"]
    subprocess.run(command, cwd=ROOT, env=env, check=True)


def find_faults(root: Path) -> list[str]:
    """What is wrong with the lock: foreign hosts, or not in step with `pyproject.toml`."""
    files = [root / name for name in ("uv.lock", *EXPORTS)]
    foreign = [f for file in files for f in find_foreign(file.name, file.read_text())]
    return foreign + find_drift(root)


def find_foreign(name: str, text: str) -> list[str]:
    """Addresses in a lock that only some machines can reach."""
    hosts = set(re.findall(r"[a-z+]+://[^/\"\s]*", text)) - HOSTS
    paths = set(re.findall(r"(?:registry|path|directory) = \"(?!https://)[^\"]*\"", text))
    return [f"{name} names {found}" for found in sorted(hosts | paths)]


def find_drift(root: Path) -> list[str]:
    lock = tomllib.loads((root / "uv.lock").read_text())
    project = tomllib.loads((root / "pyproject.toml").read_text())
    ours = next(p for p in lock["package"] if p["name"] == "qunluo")
    meta = ours["metadata"]
    extras = project["project"].get("optional-dependencies", {})
    wanted = [*project["project"]["dependencies"], *(r for e in extras.values() for r in e)]
    pairs = [("dependencies", wanted, meta["requires-dist"])]
    for group, needed in project["dependency-groups"].items():
        pairs.append((group, needed, meta.get("requires-dev", {}).get(group, [])))
    return [
        f"uv.lock is not in step with pyproject.toml ({name})"
        for name, wanted, locked in pairs
        if sorted(map(_wanted, wanted)) != sorted(map(_locked, locked))
    ]


def _wanted(requirement: str) -> str:
    name, rest = re.match(r"([\w.-]+(?:\[[\w,-]+\])?)\s*(.*)", requirement).groups()  # type: ignore[union-attr]
    return f"{name} {','.join(sorted(rest.replace(' ', '').split(',')))}"


def _locked(entry: dict[str, object]) -> str:
    extras = entry.get("extras")
    name = f"{entry['name']}[{','.join(extras)}]" if isinstance(extras, list) else entry["name"]
    return f"{name} {','.join(sorted(str(entry.get('specifier', '')).split(',')))}"


if __name__ == "__main__":
    main()
