"""What a group hands on to the one that goes on after it, beyond its own values: the rules that
guard it, and what rooms above keep for it."""

from __future__ import annotations

from collections.abc import Callable

from qunluo.groups.models import Group, ModerationRule
from qunluo.kit import clock

HandOver = Callable[[Group, Group], int]
_hand_overs: dict[str, HandOver] = {}


def register_hand_over(what: str, hand_over: HandOver) -> None:
    """Adds something that goes from a group to its successor: `hand_over` copies it in the
    transaction of the opening, and says how many there were."""
    _hand_overs[what] = hand_over


def do_hand_over(group: Group, successor: Group) -> dict[str, int]:
    """Copies everything that belongs to the group alone; how many of each kind."""
    return {what: hand_over(group, successor) for what, hand_over in _hand_overs.items()}


def pass_rules_on(group: Group, successor: Group) -> int:
    """Its own moderation rules: what acts, watches or is off there does so here."""
    rules = list(ModerationRule.objects.filter(group=group).order_by("pk"))
    for rule in rules:
        rule.pk, rule.group, rule.made_at = None, successor, clock.now()
    return len(ModerationRule.objects.bulk_create(rules))
