"""A group from a blueprint, with everything that belongs to it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from qunluo.community.models import Community
from qunluo.groups.actions import do_found_group
from qunluo.groups.blueprints import Blueprint, find_blueprint
from qunluo.groups.founding import do_stand_guard, suggest
from qunluo.groups.models import Group
from qunluo.groups.staff_tasks import do_plan_launch
from qunluo.kit import clock
from qunluo.kit.text import Lang
from qunluo.messaging.models import AutoReply
from qunluo.messaging.replies import do_set_auto_reply


@transaction.atomic
def do_found_from_blueprint(
    community: Community, key: str, *, lang: Lang, answers: Mapping[str, Any] | None = None,
    by: str,
) -> Group:  # fmt: skip
    """The group with gate, welcome, rules and nickname template, its auto-replies as drafts
    (switched off), its moderation rules, and the launch checklist as tasks of the staff.

    `answers` are the values of `do_found_group` that the operator changed. Raises
    `NoBlueprintError`, or as `do_found_group` does; then nothing is made.
    """
    blueprint = find_blueprint(key)
    given = dict(answers or {})
    values = suggest(blueprint, lang, given.get("opens_at") or clock.now()) | given
    group = do_found_group(community, by=by, blueprint=key, **values)
    do_draft_replies(group, blueprint, lang=lang, by=by)
    do_stand_guard(group, blueprint)
    do_plan_launch(group, blueprint, lang=lang, by=by)
    return group


@transaction.atomic
def do_draft_replies(
    group: Group, blueprint: Blueprint, *, lang: Lang, by: str
) -> list[AutoReply]:
    """The questions that come up in such a group; what only the operator knows is a blank."""
    return [
        do_set_auto_reply(
            AutoReply(community=group.community, group=group, active=False),
            {"how": reply.how, "pattern": reply.pattern(lang), "answer": reply.answer(lang),
             "priority": reply.priority},
            by=by,
        )
        for reply in blueprint.replies
    ]  # fmt: skip
