"""A blueprint becomes a group with all that belongs to it, or with nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.actions import do_join, do_route, do_set_group
from qunluo.groups.blueprints import Blueprint, find_blueprint, list_blueprints
from qunluo.groups.errors import (
    NoBlueprintError,
    NoPlaceError,
    NoTaskError,
    NotOpenError,
    TooLongError,
    WrongGateError,
)
from qunluo.groups.models import Group, ModerationRule, StaffTask
from qunluo.groups.moderation import list_rules
from qunluo.groups.staff_tasks import do_add_task, do_check_task, list_open_tasks, list_tasks
from qunluo.groups.tasks import step
from qunluo.kit import clock
from qunluo.kit.text import Lang
from qunluo.members.models import Member
from qunluo.messaging.errors import BlankAnswerError
from qunluo.messaging.founding import do_found_from_blueprint
from qunluo.messaging.models import AutoReply
from qunluo.messaging.replies import do_set_auto_reply

pytestmark = pytest.mark.django_db
KNOWN = {  # what only the operator knows
    "store": {"gate": {"kind": "near", "lat": 31.2, "lon": 121.5, "km": 3}},
    "paid": {"gate": {"kind": "plan", "plan": "gold"}},
}


def found(community: Community, key: str, lang: Lang = "en", **answers: object) -> Group:
    return do_found_from_blueprint(
        community, key, lang=lang, answers=KNOWN.get(key, {}) | answers, by="staff:1"
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("blueprint", list_blueprints(), ids=lambda b: b.key)
def test_everything_of_a_blueprint_is_made(
    tea: Community, blueprint: Blueprint, lang: Lang, noon: datetime
) -> None:
    group = found(tea, blueprint.key, lang)
    assert (group.blueprint, group.state) == (blueprint.key, "setup")
    assert group.purpose == blueprint.purpose(lang)
    assert group.welcome == blueprint.welcome(lang)
    assert group.nickname == blueprint.nickname(lang)
    replies = AutoReply.objects.filter(group=group).order_by("pk")
    assert [r.answer for r in replies] == [r.answer(lang) for r in blueprint.replies]
    assert not replies.filter(active=True).exists()
    tasks = list_tasks(group)
    assert [t.title for t in tasks] == [i.title(lang) for i in blueprint.checklist]
    assert tasks[0].due_at == noon + timedelta(hours=blueprint.checklist[0].due_h)
    acting = {r.detector for r in list_rules(group) if not r.shadow}
    assert acting == {d for d, stance in blueprint.moderation.items() if stance == "act"}
    off = {d for d, stance in blueprint.moderation.items() if stance == "off"}
    assert off.isdisjoint(r.detector for r in list_rules(group))
    assert Event.objects.get(kind="group_founded").data["blueprint"] == blueprint.key
    assert Event.objects.filter(kind="launch_planned", group_id=group.pk).count() == 1


def test_what_the_operator_changed_is_kept(tea: Community) -> None:
    group = found(tea, "traffic", name="Fish & more", capacity=30, gate={"kind": "invited"})
    assert (group.name, group.capacity, group.gate["kind"]) == ("Fish & more", 30, "invited")


@pytest.mark.parametrize(
    ("key", "answers", "error"),
    [
        ("store", {"gate": {"kind": "near", "km": 3}}, WrongGateError),
        ("paid", {"gate": {"kind": "plan"}}, WrongGateError),
        ("castle", {}, NoBlueprintError),
        ("flash", {"ends_at": None}, TooLongError),
    ],
)
def test_where_one_part_cannot_be_nothing_is(
    tea: Community, key: str, answers: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        do_found_from_blueprint(tea, key, lang="en", answers=answers, by="staff:1")
    assert not Group.objects.exists()
    assert not StaffTask.objects.exists()
    assert not ModerationRule.objects.exists()
    assert not Event.objects.filter(kind="group_founded").exists()


def test_a_draft_answers_nobody_before_its_blanks_are_filled(tea: Community) -> None:
    group = found(tea, "traffic")
    reply = AutoReply.objects.filter(group=group, answer__contains="〔").first()
    assert reply is not None
    with pytest.raises(BlankAnswerError, match="〔"):
        do_set_auto_reply(reply, {"active": True}, by="staff:1")
    assert not AutoReply.objects.filter(active=True).exists()
    do_set_auto_reply(reply, {"answer": "In ten minutes.", "active": True}, by="staff:1")
    assert AutoReply.objects.get(active=True).answer == "In ten minutes."


# a group of hours


def test_a_flash_group_is_gone_within_four_hours_of_its_opening(
    tea: Community, bob: Member, noon: datetime
) -> None:
    opens = noon + timedelta(days=2)
    group = found(tea, "flash", opens_at=opens)
    with pytest.raises(NotOpenError, match="2026-03-04 12:00"):
        do_join(group, bob, by=bob.actor)
    with pytest.raises(NoPlaceError):
        do_route(tea, bob, by=bob.actor)
    with clock.use(clock.faster(0, opens)):
        do_join(group, bob, by=bob.actor)
    gone, now = None, opens
    while gone is None and now < opens + timedelta(hours=5):
        now += timedelta(seconds=30)  # the worker's rounds
        with clock.use(clock.faster(0, now)):
            step(now)
        group.refresh_from_db()
        gone = group.closed_at
    assert gone is not None
    assert gone - opens <= timedelta(hours=4)
    assert Event.objects.filter(kind="member_left", member_id=bob.pk).exists()


def test_the_latest_end_of_a_flash_group_still_leaves_its_goodbye(
    tea: Community, noon: datetime
) -> None:
    with pytest.raises(TooLongError) as caught:
        found(tea, "flash", ends_at=noon + timedelta(hours=3, minutes=40))
    assert "15:37" in caught.value.message("en")
    group = found(tea, "flash", ends_at=noon + timedelta(hours=3, minutes=37))
    with pytest.raises(TooLongError):
        do_set_group(group, {"ends_at": noon + timedelta(days=1)}, by="staff:1")
    with pytest.raises(TooLongError):
        do_set_group(group, {"ends_at": None}, by="staff:1")
    do_set_group(group, {"ends_at": noon + timedelta(hours=1)}, by="staff:1")


def test_other_kinds_may_last(tea: Community, noon: datetime) -> None:
    group = found(tea, "trial")
    assert group.ends_at == noon + timedelta(days=30)
    do_set_group(group, {"ends_at": None}, by="staff:1")
    assert find_blueprint("vip").life is None


# tasks of the staff


def test_a_task_is_checked_once_and_opened_again(tea: Community, noon: datetime) -> None:
    task = do_add_task(tea, title=" Call Ann ", why="she asked", by="staff:1", due_at=noon)
    assert task.title == "Call Ann"
    assert [do_check_task(task, True, by="staff:2") for _ in range(2)] == [True, False]
    assert (task.done_at, task.done_by) == (noon, "staff:2")
    assert list(list_open_tasks(tea)) == []
    assert do_check_task(task, False, by="staff:2")
    assert list(list_open_tasks(tea)) == [task]
    kinds = [e.kind for e in Event.objects.filter(kind__startswith="task_").order_by("id")]
    assert kinds == ["task_made", "task_done", "task_reopened"]
    with pytest.raises(NoTaskError):
        do_add_task(tea, title="  ", by="staff:1")


def test_what_is_due_first_comes_first_and_ended_groups_ask_for_nothing(
    tea: Community, noon: datetime
) -> None:
    late = do_add_task(tea, title="late", by="staff:1")
    soon = do_add_task(tea, title="soon", by="staff:1", due_at=noon)
    group = found(tea, "traffic")
    found_tasks = list(list_open_tasks(tea))
    assert (found_tasks[0], found_tasks[-1]) == (soon, late)
    Group.objects.filter(pk=group.pk).update(state="dissolved")
    assert list(list_open_tasks(tea)) == [soon, late]
