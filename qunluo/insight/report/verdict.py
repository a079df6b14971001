"""The report in one paragraph, and what to do first. Every sentence comes from a finding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from qunluo.insight.figures import Finding, Move
from qunluo.insight.report.model import Figure, Report, Totals
from qunluo.insight.report.numbers import dated, human, when
from qunluo.kit.text import LANGS, Text

MOVES_SHOWN = 3
FEW_MESSAGES = 200
FEW_DAYS = 14
FEW_SPEAKERS = 5

TOPICS: tuple[tuple[str, ...], ...] = (
    ("I1",),  # who talks
    ("I7", "I8"),  # how many of the members
    ("I9",),  # how long groups live
    ("calendar", "stickiness"),  # and where it goes
)
"""Ids of the figures whose sentences the verdict quotes: of each topic the first one found."""
ORDERS = ("orders", "rfm")
"""What can be said without any message."""

SUBJECTS: tuple[frozenset[str], ...] = (
    frozenset({"health", "retention", "funnel", "I7"}),
    frozenset({"orders", "rfm"}),
    frozenset({"circles", "ties", "presence", "belonging", "I11"}),
    frozenset({"I2", "people"}),
)
"""Figures that look at one matter: three moves about one matter are one move."""

NOTHING = Text(
    "No message could be read, so there is nothing to say about this community yet.",
    "没有读到任何消息，因此还无法对这个社群下结论。",
)
ORDERS_ONLY = Text(
    "There are orders but no messages: this tells what customers buy, not what they say.",
    "只有订单、没有消息：以下只能说明客户的购买，无法说明他们的交流。",
)
VOLUME = Text(
    "Between {first} and {last}, {speakers} people wrote {messages} messages in {groups} groups.",
    "{first}至{last}，{groups} 个群里共有 {speakers} 人发出 {messages} 条消息。",
)
VOLUME_ONE_GROUP = Text(
    "Between {first} and {last}, {speakers} people wrote {messages} messages in one group.",
    "{first}至{last}，1 个群里共有 {speakers} 人发出 {messages} 条消息。",
)
TOO_LITTLE = Text(
    "That is very little: take what follows as a first look, not as a judgement.",
    "数据很少：以下内容只是初步观察，不足以下定论。",
)
WORRY = Text("What deserves attention first: {sentence}", "最值得注意的是：{sentence}")


@dataclass(frozen=True)
class RankedMove:
    """A move with the figure it follows from."""

    move: Move
    figure: Figure


def verdict(report: Report) -> Text:
    """One paragraph: volumes, who talks, activity, trend, the one worry; honest about little
    data. Without any message it says only that."""
    if not report.totals.messages:
        bought = [_gist(f.sentence) for f in map(report.found, ORDERS) if f is not None and f.n]
        return _joined([ORDERS_ONLY, *bought]) if bought else NOTHING
    sentences = [_volume(report.totals)]
    if _is_little(report.totals):
        return _joined([*sentences, TOO_LITTLE])
    quoted = list(_quoted(report))
    sentences += [_gist(found.sentence) for found in quoted]
    worry = _worry(report, quoted)
    return _joined([*sentences, worry] if worry else sentences)


def best_moves(report: Report, count: int = MOVES_SHOWN) -> tuple[RankedMove, ...]:
    """The most useful moves, heaviest first, one a matter; equal weights keep display order.
    None from messages too few to judge by."""
    if report.totals.messages and _is_little(report.totals):
        return ()
    moves = [
        RankedMove(f.found.move, f)
        for f in report.figures()
        if isinstance(f.found, Finding) and f.found.move is not None
    ]
    told: list[RankedMove] = []
    for ranked in sorted(moves, key=lambda ranked: -ranked.move.weight):
        if not any(_same_matter(ranked, other) for other in told):
            told.append(ranked)
    return tuple(told[:count])


def _same_matter(one: RankedMove, other: RankedMove) -> bool:
    ids = {one.figure.metric.id, other.figure.metric.id}
    return one.move.text == other.move.text or any(ids <= subject for subject in SUBJECTS)


def days_covered(totals: Totals) -> int:
    """Local days from the first to the last message, both counted."""
    if not totals.first_at or not totals.last_at:
        return 0
    first, last = (date.fromisoformat(at[:10]) for at in (totals.first_at, totals.last_at))
    return (last - first).days + 1


def _volume(totals: Totals) -> Text:
    words = VOLUME_ONE_GROUP if totals.groups == 1 else VOLUME
    return _filled(words if days_covered(totals) > 1 else _on_one_day(words), totals)


def _on_one_day(words: Text) -> Text:
    return Text(
        words.en.replace("Between {first} and {last}", "On {first}"),
        words.zh.replace("{first}至{last}", "{first}"),
    )


def _filled(sentence: Text, totals: Totals) -> Text:
    return Text(*(sentence(lang).format(**_words(totals, lang)) for lang in LANGS))


def _words(totals: Totals, lang: str) -> dict[str, str]:
    first, last = ((at or "")[:10] for at in (totals.first_at, totals.last_at))
    counts = {
        "speakers": totals.speakers,
        "messages": totals.messages,
        "groups": totals.groups,
        "days": days_covered(totals),
    }
    words = {name: human(count, lang) for name, count in counts.items()}
    return words | {"first": when(first, lang), "last": when(last, lang)}


def _is_little(totals: Totals) -> bool:
    return (
        totals.messages < FEW_MESSAGES
        or days_covered(totals) < FEW_DAYS
        or totals.speakers < FEW_SPEAKERS
    )


def _quoted(report: Report) -> Iterator[Finding]:
    for ids in TOPICS:
        found = next((f for f in map(report.found, ids) if f is not None), None)
        if found is not None and found.n > 0:
            yield found


def _worry(report: Report, quoted: list[Finding]) -> Text | None:
    """What the heaviest move is about, unless the paragraph already says its finding."""
    heaviest = best_moves(report, 1)
    if not heaviest:
        return None
    found, move = heaviest[0].figure.found, heaviest[0].move
    if found in quoted:
        return None
    return WORRY.format(sentence=_before_colon(move.text) or _gist(found.sentence))


def _gist(sentence: Text) -> Text:
    """The first half of a sentence of two: its details stand with the figure."""
    return Text(
        dated(_DETAILS["en"].split(sentence.en)[0], "en"),
        dated(_DETAILS["zh"].split(sentence.zh)[0], "zh"),
    )


_DETAILS = {"en": re.compile(r"; (?![^(]*\))"), "zh": re.compile(r"；(?![^（]*）)")}
"""Where a sentence's second half begins: never inside of brackets."""


def _before_colon(move: Text) -> Text | None:
    """A move says "what is wrong: what to do"; None where it says only what to do."""
    (en, did, _), (zh, _, done) = move.en.partition(": "), move.zh.partition("：")
    return Text(en, zh) if did and done else None


def _joined(sentences: list[Text]) -> Text:
    return Text(
        " ".join(_ended(s.en, ".") for s in sentences),
        "".join(_ended(s.zh, "。") for s in sentences),
    )


def _ended(sentence: str, stop: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "。", "！", "？")) else sentence + stop
