"""What groups do by themselves, in steps that may be repeated and interrupted at will."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.groups.actions import do_close_group, do_dissolve_group
from qunluo.groups.classifier import make_model
from qunluo.groups.models import Group, Membership, Said
from qunluo.groups.moderation import MEMORY, find_lessons, model_folder
from qunluo.groups.queries import RUNNING, list_groups
from qunluo.groups.rules import GOODBYE_PART, judge_state
from qunluo.kit.text import Text

GOODBYE = timedelta(hours=24)
"""How long a group says goodbye before it is dissolved; a group of hours takes a tenth of its
life."""


def close_due(now: datetime) -> int:
    """Closes groups whose goal is met or whose end has come; how many. What the room is told
    follows the record, whoever closed it."""
    running = Group.objects.filter(state__in=RUNNING).order_by("id")
    due = ((group, _ended(group, now)) for group in running)
    return sum(do_close_group(group, by="system", why=why) for group, why in due if why)


def _ended(group: Group, now: datetime) -> str:
    if group.ends_at is not None and group.ends_at <= now:
        return "end"
    members = group.goal.get("members")
    return "goal" if isinstance(members, int) and 0 < members <= group.taken else ""


def write_farewell(group: Group) -> Text:
    """What the room is told when its group closes, with the way onward."""
    thanks = Text(
        "“{group}” has reached its end. Thank you for being here! {onward}",
        "“{group}”已完成使命，感谢大家一路相伴！{onward}",
    )
    onward = Text("", "")
    if group.successor:
        words = Text("It goes on in “{name}”.", "欢迎前往“{name}”。")
        onward = words.format(name=group.successor.name)
    return thanks.format(group=group.name, onward=onward)


def dissolve_due(now: datetime) -> int:
    """Dissolves groups that have said goodbye; how many."""
    closing = Group.objects.filter(state="closing", closing_at__isnull=False)
    done = 0
    for group in closing.order_by("id"):
        if group.closing_at is not None and now - group.closing_at >= goodbye(group):
            done += do_dissolve_group(group, by="system") >= 0
    return done


def goodbye(group: Group) -> timedelta:
    """How long a group stays open for reading after it closed."""
    if group.closing_at is None:
        return GOODBYE
    return min(GOODBYE, max(group.closing_at - group.opened_at, timedelta()) / GOODBYE_PART)


@transaction.atomic
def count_seats(group: Group) -> int:
    """Counts the seats anew: by how many the number was wrong. Merging members can leave one."""
    held = Group.objects.select_for_update().get(pk=group.pk)
    taken = Membership.objects.filter(group=group, left_at=None).count()
    if held.taken != taken:
        Group.objects.filter(pk=group.pk).update(taken=taken)
    return held.taken - taken


def judge_states(community: Community, now: datetime) -> int:
    """Groups become mature or silent by what happens in them; how many changed."""
    changed = 0
    for group in list_groups(community, running=True):
        said = Event.objects.filter(group_id=group.pk, kind="message_posted").order_by("-id")
        last = max(filter(None, (said.values_list("at", flat=True).first(), group.made_at)))
        quiet = (now - last) / timedelta(days=1)
        state = judge_state(
            group.state, taken=group.taken, capacity=group.capacity, quiet_days=quiet
        )
        if state != group.state:
            changed += _move(group, state, round(quiet))
    return changed


@transaction.atomic
def _move(group: Group, state: str, quiet_days: int) -> int:
    """The next stage of its life, and the counts that put it there in the record."""
    if not Group.objects.filter(pk=group.pk, state=group.state).update(state=state):
        return 0
    record("group_stage_changed", community=group.community_id, group=group.pk,
           data={"before": group.state, "after": state, "quiet_days": quiet_days,
                 "taken": group.taken, "capacity": group.capacity})  # fmt: skip
    return 1


def forget_said(now: datetime) -> int:
    """What was said a while ago is no flood any more."""
    return Said.objects.filter(at__lt=now - MEMORY).delete()[0]


def teach() -> bool:
    """Trains one model that lacks, first the one that ships; whether it did."""
    if make_model(model_folder()):
        return True
    return any(
        make_model(model_folder(), find_lessons(c.pk)) for c in Community.objects.order_by("id")
    )


def step(now: datetime) -> bool:
    """Everything that is due; whether a group closed or ended. Cheap when nothing is."""
    ended = close_due(now) + dissolve_due(now)
    forget_said(now)
    for community in Community.objects.order_by("id"):
        judge_states(community, now)
    for group in Group.objects.filter(state__in=RUNNING):
        count_seats(group)
    return bool(ended)
