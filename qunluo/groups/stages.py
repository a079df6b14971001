"""What to do next in a group, by its stage and by what is going on in it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from qunluo.groups.rules import NEXT, SUCCESSOR_AT
from qunluo.kit.text import Text

STAGES: dict[str, Text] = {
    "setup": Text("being set up", "筹备中"), "growing": Text("growing", "成长期"),
    "mature": Text("mature", "成熟期"), "silent": Text("silent", "沉默期"),
    "closing": Text("closing", "收尾中"), "dissolved": Text("dissolved", "已解散"),
}  # fmt: skip
MANY = 30  # members; from there on one person alone can't look after them
SOON_H = 48


@dataclass(frozen=True)
class Facts:
    """What is going on in a group; `hours_left` is None where it has no end."""

    state: str
    taken: int = 0
    capacity: int = 200
    moderators: int = 0
    pinned: int = 0
    drafts: int = 0  # auto-replies with blanks, which are switched off
    requests: int = 0  # who wait at the gate
    late_tasks: int = 0
    open_tasks: int = 0
    quiet_days: int = 0
    hours_left: int | None = None
    successor: bool = False


@dataclass(frozen=True)
class Step:
    """Something to do, why, and where: the name of a section of the group's page."""

    words: Text
    why: Text
    to: str


def list_steps(facts: Facts) -> tuple[Step, ...]:
    """What to do next, the most urgent first. A dissolved group asks for nothing but its
    report."""
    if facts.state == "dissolved":
        return (Step(NEXT["dissolved"], _OVER, "report"),)
    running = facts.state != "closing"
    found = [step for here, step in _always(facts) if here]
    found += [step for here, step in _while_running(facts) if here and running]
    return (*found, Step(NEXT[facts.state], _why_stage(facts), _PLACES[facts.state]))


def _always(facts: Facts) -> list[tuple[bool, Step]]:
    return [
        (facts.requests > 0, Step(
            Text("Answer who waits at the gate.", "处理入群申请。"),
            Text("{n} wait for an answer.", "有 {n} 人在等待。").format(n=facts.requests),
            "requests")),
        (facts.late_tasks > 0, Step(
            Text("Catch up with the checklist.", "补上逾期的任务。"),
            Text("{n} tasks are overdue.", "{n} 项任务已逾期。").format(n=facts.late_tasks),
            "tasks")),
    ]  # fmt: skip


def _while_running(facts: Facts) -> list[tuple[bool, Step]]:
    soon = facts.hours_left is not None and facts.hours_left <= SOON_H
    full = Fraction(facts.taken, max(facts.capacity, 1)) >= SUCCESSOR_AT
    return [
        (soon, Step(
            Text("Tell members when it ends and where it goes on.", "告知成员结束时间和后续去处。"),
            Text("It closes itself in {n} hours.", "{n} 小时后自动关闭。").format(n=facts.hours_left),
            "group")),
        (facts.drafts > 0, Step(
            Text("Fill in the drafts of the auto-replies and switch them on.", "补全自动回复草稿并启用。"),
            Text("{n} don't answer yet.", "{n} 条尚未启用。").format(n=facts.drafts), "replies")),
        (facts.pinned == 0, Step(
            Text("Pin what members get only here.", "置顶本群专属福利。"),
            Text("Nothing is pinned: a newcomer sees no reason to stay.",
                 "还没有置顶：新成员看不到留下的理由。"), "pinned")),
        (full, Step(
            Text("Invite newcomers to the next group.", "把新人引导到下一个群。"),
            Text("{taken} of {capacity} seats are taken.", "{capacity} 个席位已占 {taken} 个。").format(
                taken=facts.taken, capacity=facts.capacity), "group")),
        (facts.moderators == 0 and facts.taken >= MANY, Step(
            Text("Make a trusted member moderator.", "请一位可信成员担任群管理员。"),
            Text("{n} members and nobody of them helps to look after it.",
                 "{n} 位成员，还没有人协助管理。").format(n=facts.taken), "members")),
    ]  # fmt: skip


_OVER = Text("It is over.", "本群已结束。")
_PLACES = {"setup": "link", "growing": "link", "mature": "members", "silent": "room",
           "closing": "group"}  # fmt: skip


def _why_stage(facts: Facts) -> Text:
    """Why the group is in its stage, in numbers."""
    if facts.state == "silent":
        words = Text("Not a word in {n} days.", "已 {n} 天没有发言。")
        return words.format(n=facts.quiet_days)
    if facts.state == "closing":
        return Text("It says goodbye and takes nobody any more.", "正在告别，不再接收新成员。")
    if facts.state == "setup":
        return Text("Nobody has joined yet.", "还没有人加入。")
    words = Text("{taken} of {capacity} seats are taken; from half full on it is mature.",
                 "{capacity} 个席位已占 {taken} 个，过半即进入成熟期。")  # fmt: skip
    return words.format(taken=facts.taken, capacity=facts.capacity)
