"""Nicknames in a group become what is known of a member."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from qunluo.community.queries import settings_of
from qunluo.events.actions import record
from qunluo.groups.models import Group, Membership
from qunluo.groups.nicknames import (
    EXAMPLES,
    SHOWN,
    ask_for_nickname,
    make_example,
    parse_nickname,
    wants_reminder,
)
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text
from qunluo.members.actions import do_set_fields, do_tag
from qunluo.members.models import Field, Tag


@dataclass(frozen=True)
class Named:
    """What came of a nickname; `reminder` is to be sent where it does not fit."""

    compliant: bool
    values: dict[str, str] = field(default_factory=dict)
    reminder: Text | None = None


@transaction.atomic
def do_set_nickname(membership: Membership, nickname: str, *, by: str) -> Named:
    """Sets the nickname; what it says by the template becomes profile fields and tags. Where it
    says nothing, a friendly reminder, as often as the community allows."""
    membership.nickname = nickname.strip()[:80]
    membership.save(update_fields=["nickname"])
    values = parse_nickname(membership.group.nickname, membership.nickname)
    learned = values is not None and _learn(membership, values, by)
    record("nickname_set", community=membership.group.community_id, actor=by,
           member=membership.member_id, group=membership.group_id,
           data={"compliant": learned})  # fmt: skip
    if learned:
        return Named(True, values or {})
    return Named(False, reminder=do_remind(membership))


def _learn(membership: Membership, values: dict[str, str], by: str) -> bool:
    """Whether the values fit their fields; a text that is no number does not."""
    member = membership.member
    keys = Field.objects.filter(community=member.community_id, key__in=set(values) - SHOWN)
    known = {key: values[key] for key in keys.values_list("key", flat=True)}
    try:
        with transaction.atomic():
            if known:
                do_set_fields(member, known, by=by, why="nickname")
    except QunluoError:
        return False
    for name, value in values.items():
        tags = Tag.objects.filter(group__community=member.community_id, group__name=name)
        for tag in tags.filter(name=value).select_related("group"):
            do_tag(member, tag, by=by, why="nickname")
    return True


def do_remind(membership: Membership, *, settle: timedelta = timedelta()) -> Text | None:
    """A reminder of the template, counted; None where it is too soon or they had as many as are
    allowed. One statement counts: two at once are one."""
    if not _wants_reminder(membership, settle):
        return None
    number = membership.reminders
    rows = Membership.objects.filter(pk=membership.pk, left_at=None, reminders=number)
    if not rows.update(reminders=number + 1, reminded_at=clock.now()):
        return None
    membership.refresh_from_db(fields=["reminders", "reminded_at"])
    record("nickname_reminded", community=membership.group.community_id,
           member=membership.member_id, group=membership.group_id,
           data={"reminders": membership.reminders})  # fmt: skip
    name = membership.member.name
    return ask_for_nickname(find_example(membership.group, name), name=name)


def _wants_reminder(membership: Membership, settle: timedelta) -> bool:
    now, last = clock.now(), membership.reminded_at
    cap = settings_of(membership.group.community).nickname_reminders
    return wants_reminder(
        reminders=membership.reminders, cap=cap, here=now - membership.joined_at,
        settle=settle, ago=now - last if last else None,
    )  # fmt: skip


def find_example(group: Group, name: str) -> Text:
    """How somebody of this name could be called in the group, after its template; empty where it
    has none. A field is shown by its first choice, or by what it is called."""
    if not group.nickname:
        return Text("", "")
    fields = Field.objects.filter(community=group.community_id)
    known = {f.key: _show(f) for f in fields if f.choices or f.key not in EXAMPLES}
    return make_example(group.nickname, name=name, known=known)


def _show(found: Field) -> str:
    return str(found.choices[0]) if found.choices else found.label
