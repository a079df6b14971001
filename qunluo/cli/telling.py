"""How a command tells its progress: a bar for people, JSON lines for programs, or nothing."""

from __future__ import annotations

import io
import json
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Literal, Protocol

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import LANGS, Text

Style = Literal["auto", "bar", "json", "none"]

STAGES: dict[str, Text] = {
    "sample": Text("Writing the sample community", "生成示例社群"),
    "read": Text("Reading the exports", "读取聊天记录"),
    "store": Text("Storing and counting", "存档与统计"),
    "figures": Text("Computing the figures", "计算指标"),
    "render": Text("Writing the report", "生成报告"),
}
EVERY_S = 0.1

# what moves the cursor, colours or turns text around: names in exports are anybody's writing
UNFIT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
LONGEST = 2000


def say(words: str, *, error: bool = True) -> None:
    """A line for people, made harmless for their terminal; on standard error by default."""
    print(fit(words), file=sys.stderr if error else sys.stdout, flush=True)


def fit(words: str) -> str:
    """Text without anything but text; of a path of 5,000 characters the start is enough."""
    plain = UNFIT.sub("\ufffd", words)
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}…"


def let_print() -> None:
    """Output that can't be shown in the terminal's encoding is spelt out, never an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class Teller(Protocol):
    """Takes progress and errors."""

    def step(self, stage: str, done: int, total: int) -> None: ...
    def error(self, error: QunluoError) -> None: ...
    def close(self) -> None: ...


@dataclass
class JsonLines:
    """One JSON object a line on standard error."""

    _told: tuple[str, float] = ("", 0.0)

    def step(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage == self._told[0] and done < total and now - self._told[1] < EVERY_S:
            return
        self._told = (stage, now)
        words = {lang: STAGES[stage](lang) for lang in LANGS}
        self._write({"stage": stage, "done": done, "total": total, "text": words})

    def error(self, error: QunluoError) -> None:
        words = {lang: fit(error.message(lang)) for lang in LANGS}
        self._write({"error": {"code": error.code, **words}})

    def close(self) -> None:
        """Nothing is held back."""

    def _write(self, said: object) -> None:
        print(json.dumps(said, ensure_ascii=False), file=sys.stderr, flush=True)


@dataclass
class Bar:
    """One line on standard error that is written over; the next stage begins a new one."""

    lang: str
    width: int = 28
    _stage: str = ""
    _at: float = field(default=0.0)

    def step(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage == self._stage and done < total and now - self._at < EVERY_S:
            return
        if stage != self._stage and self._stage:
            print(file=sys.stderr)
        self._stage, self._at = stage, now
        share = done / total if total else 1.0
        filled = "█" * round(share * self.width)
        line = f"\r{STAGES[stage](self.lang)}  {filled:░<{self.width}} {share:4.0%}"
        print(line, end="", file=sys.stderr, flush=True)

    def error(self, error: QunluoError) -> None:
        self.close()
        say(error.message(self.lang))

    def close(self) -> None:
        if self._stage:
            print(file=sys.stderr)
        self._stage = ""


@dataclass
class Quiet:
    """Errors only."""

    lang: str

    def step(self, stage: str, done: int, total: int) -> None:
        """Says nothing."""

    def error(self, error: QunluoError) -> None:
        say(error.message(self.lang))

    def close(self) -> None:
        """Nothing is held back."""


def teller(style: Style, lang: str) -> Teller:
    """`auto` is a bar on a terminal and nothing elsewhere."""
    if style == "json":
        return JsonLines()
    if style == "bar" or (style == "auto" and sys.stderr.isatty()):
        return Bar(lang)
    return Quiet(lang)
