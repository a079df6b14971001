"""How alike wishes are, and other decisions of care. Pure: values in, a decision out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from qunluo.kit.grams import grams
from qunluo.kit.text import Text


def likeness(one: str, other: str) -> float:
    """How much two texts share, 0 to 1: common words and pairs of signs, of all."""
    mine, theirs = set(grams(one).split()), set(grams(other).split())
    return len(mine & theirs) / len(mine | theirs) if mine | theirs else 0.0


# what opens an incident

TRIGGERS: dict[str, dict[str, Any]] = {
    "negatives": {"messages": 5, "people": 3, "minutes": 60},
    "words": {
        "words": ["投诉", "曝光", "维权", "报警", "假货", "过敏", "315", "律师", "lawsuit", "lawyer",
                  "scam", "fraud", "police", "allergic"]
    },
    "refunds": {"orders": 5, "hours": 24},
    "leaves": {"members": 5, "hours": 24, "times": 3},
    "audit": {},
    "hand": {},
}  # fmt: skip
"""Kinds of incident and what opens each by default; the last is opened by hand."""
LEAVES_BEFORE = 14  # days that a spike is measured against
MOST_MESSAGES = 20  # kept as evidence


@dataclass(frozen=True)
class Sign:
    """That something is wrong: the reason in words, and what it stands on."""

    why: Text
    evidence: dict[str, Any]


def judge_negatives(
    said: Sequence[tuple[int, int, datetime]], now: datetime, options: Mapping[str, Any]
) -> Sign | None:
    """A burst: this many negative messages, by this many people, within these minutes. `said`
    are (message, member, at) of messages that complain."""
    since = now - timedelta(minutes=options["minutes"])
    late = [row for row in said if since < row[2] <= now]
    people = {member for _, member, _ in late}
    if len(late) < options["messages"] or len(people) < options["people"]:
        return None
    why = Text(
        "{n} messages that complain, by {people} members, within {minutes} minutes",
        "{minutes} 分钟内 {people} 位成员发出 {n} 条抱怨",
    ).format(n=len(late), people=len(people), minutes=options["minutes"])
    return Sign(why, {"n": len(late), "people": len(people), "messages": _latest(late)})


def _latest(said: Sequence[tuple[int, int, datetime]]) -> list[int]:
    return [row[0] for row in sorted(said, key=lambda row: (row[2], row[0]))][-MOST_MESSAGES:]


def judge_words(said: Sequence[tuple[int, str]], options: Mapping[str, Any]) -> Sign | None:
    """Any of the named words. `said` are (message, text)."""
    found = [(pk, word) for pk, text in said for word in find_words(text, options["words"])]
    if not found:
        return None
    words = list(dict.fromkeys(word for _, word in found))
    messages = list(dict.fromkeys(pk for pk, _ in found))[-MOST_MESSAGES:]
    why = Text("Somebody said “{en}”", "有人提到“{zh}”").format(
        en="”, “".join(words), zh="”、“".join(words)
    )
    return Sign(why, {"n": len(messages), "words": words, "messages": messages})


def find_words(text: str, words: Sequence[str]) -> list[str]:
    """Which of the words a text has; those of letters and digits only as whole words."""
    said = unicodedata.normalize("NFKC", text).casefold()
    return [
        word for word in words if _has(said, unicodedata.normalize("NFKC", word).casefold())
    ]


def _has(said: str, word: str) -> bool:
    if not word.strip():
        return False
    if word.isascii():
        return bool(re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", said))
    return word in said


def judge_refunds(
    at: Sequence[datetime], now: datetime, options: Mapping[str, Any]
) -> Sign | None:
    """This many orders refunded within these hours."""
    since = now - timedelta(hours=options["hours"])
    n = sum(since < moment <= now for moment in at)
    if n < options["orders"]:
        return None
    why = Text(
        "{n} orders were refunded within {hours} hours", "{hours} 小时内有 {n} 笔订单退款"
    ).format(n=n, hours=options["hours"])
    return Sign(why, {"n": n})


def judge_leaves(
    at: Sequence[datetime], now: datetime, options: Mapping[str, Any], *, days: float
) -> Sign | None:
    """This many left within these hours, and so many times as usual. The usual is the mean of the
    days before, as many of the last 14 as the group is old (`days`); a group that is younger than
    the window has none."""
    hours = options["hours"]
    since = now - timedelta(hours=hours)
    n = sum(since < moment <= now for moment in at)
    before = min(max(days, 0.0), LEAVES_BEFORE) * 24 - hours
    start = since - timedelta(hours=max(before, 0.0))
    usual = (
        sum(start < moment <= since for moment in at) * hours / before if before > 0 else 0.0
    )
    if n < options["members"] or n < options["times"] * usual:
        return None
    why = Text(
        "{n} members left within {hours} hours; usual are {usual}",
        "{hours} 小时内有 {n} 人退群，平时为 {usual} 人",
    ).format(n=n, hours=hours, usual=f"{usual:.1f}")
    return Sign(why, {"n": n, "usual": round(usual, 2)})


# patrols

CHECKLIST: tuple[Text, ...] = (
    Text("Unanswered questions are answered or handed on", "未回答的问题已回答或转交"),
    Text("Advertising and fights are dealt with", "广告和争吵已处理"),
    Text("Newcomers are greeted by a person", "新人已由真人欢迎"),
    Text("Good posts got a reaction", "优质内容已互动"),
    Text("What was promised today was posted", "今天承诺的内容已发布"),
)
NOTED_WITHIN = timedelta(hours=24)  # after its end a round can still be noted, as late


@dataclass(frozen=True)
class Slot:
    """A weekly slot as the rules see it; days are 0 (Monday) to 6."""

    id: int
    days: frozenset[int]
    since: time
    until: time
    made_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Round:
    """One time that somebody has to look: from `begins` to `ends`."""

    slot_id: int
    on: date
    begins: datetime
    ends: datetime


RoundState = Literal["done", "due", "missed", "coming"]


def find_round(slot: Slot, on: date, zone: ZoneInfo) -> Round | None:
    """The round of a local day; none on other days, before the slot was made, and after it
    ended. An hour that the clock skips is when it skips."""
    if on.weekday() not in slot.days:
        return None
    last = on + timedelta(days=1) if slot.until <= slot.since else on
    begins = datetime.combine(on, slot.since, zone).astimezone(UTC)
    ends = datetime.combine(last, slot.until, zone).astimezone(UTC)
    if ends <= slot.made_at or (slot.ended_at is not None and begins >= slot.ended_at):
        return None
    return Round(slot.id, on, begins, ends)


def list_rounds(slot: Slot, first: date, last: date, zone: ZoneInfo) -> list[Round]:
    """Every round that begins on the local days from first to last, both inclusive."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [found for day in days if (found := find_round(slot, day, zone))]


def judge_round(found: Round, now: datetime, *, done: bool) -> RoundState:
    if done:
        return "done"
    if now < found.begins:
        return "coming"
    return "due" if now < found.ends else "missed"


def may_note(found: Round, now: datetime) -> bool:
    """Whether a round can be noted as done: once it began, until a day after its end."""
    return found.begins <= now < found.ends + NOTED_WITHIN


# contact debt


@dataclass(frozen=True)
class Debt:
    """Whole local days since the last real exchange, and how many of them are too many; a
    negative `overdue` are days left."""

    days: int
    overdue: int


def count_debt(since: date, last: date | None, every: int, today: date) -> Debt:
    """A promise is kept by an exchange on its first day or later; before any, days count from
    the promise."""
    met = max(since, last) if last is not None else since
    days = max((today - met).days, 0)
    return Debt(days, days - every)


# testimonies

Proof = Literal["order", "buyer", "none"]


def judge_proof(order: str, paid: Sequence[str]) -> Proof:
    """What stands behind a testimony: the order it names, some order of theirs, or only their
    word. `paid` are the numbers of the orders that the record knows as paid by them."""
    named = order.strip().casefold()
    if named and named in {number.strip().casefold() for number in paid}:
        return "order"
    return "buyer" if paid else "none"


# gatherings

REMINDERS_H = (24, 1)  # hours before the beginning
OPENS_H, CLOSES_H = 1, 3  # attendance: hours before the beginning, and after the end


def find_reminder(starts_at: datetime, now: datetime, last_h: int) -> int | None:
    """The reminder that is due, in hours before; none where it went out (`last_h`; 0: none did),
    or where it has begun. Of two that are due only the later one goes out."""
    if now >= starts_at:
        return None
    due = [h for h in REMINDERS_H if now >= starts_at - timedelta(hours=h)]
    if not due or (last_h and last_h <= min(due)):
        return None
    return min(due)


def may_attend(starts_at: datetime, ends_at: datetime, now: datetime) -> bool:
    opens = starts_at - timedelta(hours=OPENS_H)
    return opens <= now <= ends_at + timedelta(hours=CLOSES_H)
