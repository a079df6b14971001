"""Columns of where members came from, what they allow and what risk is seen in them.

Each takes the sorted ids of some members and the span of ids they lie in, and answers for all of
them, in their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qunluo.members.models import Consent, Touch
from qunluo.members.rules import ALL, judge_consent
from qunluo.segments.columns import Layout
from qunluo.segments.rules import PURPOSES, RISKS, UTM

Source = tuple[int | None, bool, bool, dict[str, str]]  # code, invited, told, utm
_NOTHING: Source = (None, False, False, {})


def flag_bits(flags: Iterable[str]) -> int:
    return sum(1 << RISKS.index(flag) for flag in set(flags) if flag in RISKS)


def sources_of(ids: Any, span: dict[str, int]) -> dict[str, list[Any]]:
    """The first touch that tells anything, as in `members.queries.find_source`."""
    first: dict[int, Source] = {}
    rows = Touch.objects.filter(**span).order_by("member_id", "at", "id")
    for member, code, inviter, page, utm in rows.values_list(
        "member_id", "code_id", "inviter_id", "page", "utm"
    ):
        told = bool(code or inviter or utm)
        if (told or page) and member not in first:
            first[member] = (code, inviter is not None, told, utm)
    found = [first.get(int(pk), _NOTHING) for pk in ids]
    columns: dict[str, list[Any]] = {
        name: [row[n] for row in found] for n, name in enumerate(("code", "invited", "told"))
    }
    return columns | {f"utm_{part}": [_part(row[3], part) for row in found] for part in UTM}


def _part(utm: dict[str, str], part: str) -> str | None:
    return utm.get(f"utm_{part}", utm.get(part))


def consents_of(ids: Any, span: dict[str, int], layout: Layout) -> dict[str, list[Any]]:
    """Whether something may be sent, for each purpose and channel that words of consent name."""
    said: dict[tuple[str, str], dict[int, bool]] = {}
    rows = Consent.objects.filter(**span).order_by("at", "id")
    for member, purpose, channel, granted in rows.values_list(
        "member_id", "purpose", "channel", "granted"
    ):
        for one in layout.channels if channel == ALL else (channel,):
            said.setdefault((one, purpose), {})[member] = granted
    found: dict[str, list[Any]] = {}
    for channel in layout.channels:
        for purpose in PURPOSES:
            words = said.get((channel, purpose), {})
            column = [judge_consent(purpose, words.get(int(pk))) for pk in ids]
            found[layout.allows(purpose, channel)] = column
    return found
