"""The form of a group that a blueprint has filled in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from qunluo.community.models import Community
from qunluo.console.group_forms import GroupForm
from qunluo.groups.blueprints import Blueprint
from qunluo.groups.founding import find_latest_end, suggest, suggest_end
from qunluo.kit.text import Lang


class BlueprintForm(GroupForm):
    """All values of a group; what the operator leaves as it is stays as suggested."""

    def __init__(
        self, community: Community, blueprint: Blueprint, *given: Any, **more: Any
    ) -> None:
        super().__init__(community, *given, **more)
        self.blueprint = blueprint

    def read_answers(self, lang: Lang, now: datetime) -> dict[str, Any]:
        """What `do_found_from_blueprint` takes. A group of hours without an end gets the one of
        its kind, counted from its opening."""
        answers = self.values()
        if answers["ends_at"] is None and find_latest_end(self.blueprint, now) is not None:
            answers["ends_at"] = suggest_end(self.blueprint, answers["opens_at"] or now)
        return answers


def initial_of(blueprint: Blueprint, lang: Lang, now: datetime) -> dict[str, Any]:
    """A blueprint's suggestions as the form shows them. The end of a group of hours is left
    open: it is counted from the opening."""
    values = suggest(blueprint, lang, now)
    gate = values.pop("gate")
    if find_latest_end(blueprint, now) is not None:
        values["ends_at"] = None
    return {**values, **gate, "gate": gate["kind"]}
