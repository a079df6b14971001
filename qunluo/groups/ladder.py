"""From evidence to an act: one step on the ladder for each strike that counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from qunluo.groups.detectors import Finding
from qunluo.kit.text import Text

Act = Literal["none", "hold", "remind", "warn", "remove", "ban"]
LADDER: tuple[Act, ...] = ("remind", "warn", "remove", "ban")


@dataclass(frozen=True)
class Verdict:
    """What to do about a message; `findings` are the evidence, the surest first."""

    act: Act
    score: float
    findings: tuple[Finding, ...]


def combine(findings: Iterable[Finding]) -> float:
    """How likely it is that a message is unwelcome, if detectors err independently of one
    another (noisy or): 1 - Π(1 - score)."""
    return 1 - math.prod(1 - min(max(f.score, 0.0), 1.0) for f in findings)


def plan_act(
    findings: Iterable[Finding], *, strikes: int, remind_at: float, remove_at: float
) -> Verdict:
    """The step that `strikes` running strikes lead to. Below `remind_at` nothing happens; below
    `remove_at` nobody is removed, however many strikes there are."""
    found = tuple(sorted(findings, key=lambda f: (-f.score, f.detector)))
    score = combine(found)
    if score < remind_at:
        return Verdict("none", score, found)
    held = [f for f in found if f.hold]
    if held and combine(f for f in found if not f.hold) < remind_at:
        return Verdict("hold", score, found)
    step = min(max(strikes, 0), len(LADDER) - 1)
    if score < remove_at:
        step = min(step, LADDER.index("warn"))
    return Verdict(LADDER[step], score, found)


WORDS: dict[str, Text] = {
    "hold": Text(
        "{name}, links of new members wait until somebody of the team has seen them.",
        "{name}，新成员发送的链接需要工作人员查看后才会显示。",
    ),
    "remind": Text(
        "{name}, a friendly reminder: {why} Please keep the group free of it. If we are wrong, "
        "appeal, and a person will look at it.",
        "{name}，友情提醒：{why}请共同维护群内环境。如有误判，可以申诉，会有人工复核。",
    ),
    "warn": Text(
        "{name}, this is a warning: {why} The next time you will be removed from the group. You "
        "may appeal.",
        "{name}，警告一次：{why}再次出现将被移出本群。如有异议可以申诉。",
    ),
    "remove": Text(
        "{name} was removed from the group: {why} An appeal is open to them.",
        "{name} 已被移出本群，原因：{why}对方可以申诉。",
    ),
    "ban": Text(
        "{name} may not come back to this community: {why} An appeal is open to them.",
        "{name} 已被列入禁入名单，原因：{why}对方可以申诉。",
    ),
}


def tell_act(act: str, *, name: str, why: Text) -> Text | None:
    """The sentence that says what was done; None where nothing was."""
    return WORDS[act].format(name=name, why=why) if act in WORDS else None
