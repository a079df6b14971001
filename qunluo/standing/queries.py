"""Where members stand, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qunluo.kit.text import Text
from qunluo.members.models import Member
from qunluo.members.queries import list_ids
from qunluo.standing.judging import explain, thresholds_of
from qunluo.standing.models import Correction, Standing, StandingChange
from qunluo.standing.thresholds import Thresholds
from qunluo.standing.words import FLAGS, NAMES, name_value

__all__ = [
    "Chip", "chips_of", "find_why", "list_changes", "list_corrections", "standing_of",
    "thresholds_of",
]  # fmt: skip
SCORES = ("product", "bringing", "content", "revenue", "churn")


@dataclass(frozen=True)
class Chip:
    """One standing as a page shows it: its name, its value in words, and why."""

    name: str
    label: Text
    value: str
    shown: Text
    why: Text
    by_hand: Correction | None = None


def standing_of(member: Member) -> Standing | None:
    """None until the member was judged for the first time."""
    return Standing.objects.filter(member=member).first()


def find_why(standing: Standing, name: str) -> Text | None:
    """The evidence for a standing, in both languages; RFM has one for all three classes."""
    return explain(standing).why.get(_REASON.get(name, name))


_REASON = {"recency": "rfm", "frequency": "rfm", "monetary": "rfm", "intimacy": "level"}


def read_why(kept: Any) -> Text | None:
    return Text(kept["en"], kept["zh"]) if isinstance(kept, Mapping) and "en" in kept else None


def list_changes(member: Member, limit: int = 50) -> list[StandingChange]:
    """How the member moved, the newest first."""
    rows = StandingChange.objects.filter(member__in=list_ids(member)).order_by("-id")
    return list(rows[:limit])


def list_corrections(member: Member) -> dict[str, Correction]:
    """What is set by hand now, by name."""
    return {row.name: row for row in Correction.objects.filter(member=member, lifted_at=None)}


def chips_of(member: Member) -> list[Chip]:
    """Every standing of a member, in the order in which a page tells them; none before they were
    judged."""
    row = standing_of(member)
    if row is None:
        return []
    hands, at = list_corrections(member), thresholds_of(member.community)
    why = explain(row).why
    return [
        Chip(name, label, _value(row, name), _shown(row, name, at), why[name], hands.get(name))
        for name, label in NAMES.items()
    ]


def _value(row: Standing, name: str) -> str:
    if name == "rfm":
        return f"{row.recency}{row.frequency}{row.monetary}"
    value = getattr(row, name)
    return ",".join(value) if isinstance(value, list) else str(value)


def _shown(row: Standing, name: str, at: Thresholds) -> Text:
    if name == "rfm":
        text = f"{row.recency}-{row.frequency}-{row.monetary}" if row.recency else "–"
        return Text(text, text)
    if name == "level":
        return at.levels[row.level - 1].name if 0 < row.level <= len(at.levels) else _NO_LEVEL
    if name == "flags":
        return _flags(row.flags)
    if name in SCORES:
        return Text(f"{getattr(row, name)} / 100", f"{getattr(row, name)} / 100")
    return name_value(name, getattr(row, name))


_NO_LEVEL = Text("no level yet", "暂无等级")


def _flags(flags: list[str]) -> Text:
    words = [FLAGS[flag] for flag in flags if flag in FLAGS]
    if not words:
        return Text("none", "无")
    return Text("; ".join(w.en for w in words), "；".join(w.zh for w in words))
