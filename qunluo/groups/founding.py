"""From a blueprint to a group: what it suggests, and what is made of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from qunluo.groups.blueprints import Blueprint, find_blueprint
from qunluo.groups.errors import NoBlueprintError, TooLongError
from qunluo.groups.models import Group, ModerationRule
from qunluo.groups.rules import GOODBYE_PART
from qunluo.kit import clock
from qunluo.kit.text import Lang, Text

ROUND = timedelta(minutes=1)  # the worker's rounds: it is over in time, not a moment later
_WORDS = ("purpose", "audience", "gives", "success", "welcome", "rules", "nickname")


def suggest(blueprint: Blueprint, lang: Lang, now: datetime) -> dict[str, Any]:
    """The values of a group as its blueprint suggests them; each may be changed. The gate is
    as `check_gate` reads it, and may lack what only the operator knows."""
    words = {name: getattr(blueprint, name)(lang) for name in _WORDS}
    return {
        "name": blueprint.title(lang), **words, "capacity": blueprint.capacity,
        "gate": dict(blueprint.gate), "pinned": suggest_pinned(blueprint, lang),
        "ends_at": suggest_end(blueprint, now),
    }  # fmt: skip


def suggest_pinned(blueprint: Blueprint, lang: Lang) -> list[dict[str, str]]:
    if blueprint.pinned is None:
        return []
    title, text = blueprint.pinned
    return [{"title": title(lang), "text": text(lang)}]


def suggest_end(blueprint: Blueprint, opens_at: datetime) -> datetime | None:
    """When a group of this kind ends that opens then; None where it goes on."""
    if blueprint.life is None:
        return None
    return opens_at + timedelta(hours=blueprint.life.hours)


def find_latest_end(blueprint: Blueprint, opened_at: datetime) -> datetime | None:
    """The latest end that leaves time for the goodbye; None where its kind has no limit."""
    if blueprint.life is None or blueprint.life.most_h is None:
        return None
    most = timedelta(hours=blueprint.life.most_h) - ROUND
    return opened_at + most * GOODBYE_PART / (GOODBYE_PART + 1)


def check_life(key: str, opened_at: datetime, ends_at: datetime | None, zone: str) -> None:
    """Raises `TooLongError`, with the local time of `zone`, where a group would outlive what its
    kind may."""
    try:
        blueprint = find_blueprint(key)
    except NoBlueprintError:  # a file that is gone binds nobody
        return
    latest = find_latest_end(blueprint, opened_at)
    if latest is None or blueprint.life is None:
        return
    if ends_at is None or ends_at > latest:
        when = f"{latest.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
        raise TooLongError(kind=blueprint.name, hours=f"{blueprint.life.most_h:g}", latest=when)


@transaction.atomic
def do_stand_guard(group: Group, blueprint: Blueprint) -> list[ModerationRule]:
    """The group's own moderation rules: a rule of the blueprint acts, watches (shadow) or is
    off. Part of the founding, which the record has."""
    return ModerationRule.objects.bulk_create(
        ModerationRule(
            community=group.community, group=group, detector=detector, shadow=stance != "act",
            active=stance != "off", made_at=clock.now(),
        )
        for detector, stance in blueprint.moderation.items()
    )  # fmt: skip


def say_drafts(blueprint: Blueprint) -> Text:
    """How many auto-replies wait to be filled in."""
    words = Text("{n} answers are drafts: fill in the 〔blanks〕, then switch them on.",
                 "{n} 条自动回复为草稿：补全〔空白〕后启用。")  # fmt: skip
    return words.format(n=len(blueprint.replies))
