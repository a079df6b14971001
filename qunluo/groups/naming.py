"""Nicknames in a group become what is known of a member."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction

from qunluo.community.queries import settings_of
from qunluo.events.actions import record
from qunluo.groups.models import Membership
from qunluo.groups.nicknames import SHOWN, ask_for_nickname, parse_nickname
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text
from qunluo.members.actions import do_set_fields, do_tag
from qunluo.members.models import Field, Tag

AGAIN_AFTER = timedelta(days=1)


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


def do_remind(membership: Membership) -> Text | None:
    """A reminder of the template, counted; None where they had as many as are allowed, or one
    less than a day ago."""
    now = clock.now()
    most = settings_of(membership.group.community).nickname_reminders
    due = Membership.objects.filter(
        pk=membership.pk, left_at=None, reminders=membership.reminders, reminders__lt=most
    ).exclude(reminded_at__gt=now - AGAIN_AFTER)
    if not due.update(reminders=membership.reminders + 1, reminded_at=now):
        return None
    membership.refresh_from_db(fields=["reminders", "reminded_at"])
    record("nickname_reminded", community=membership.group.community_id,
           member=membership.member_id, group=membership.group_id,
           data={"reminders": membership.reminders})  # fmt: skip
    return ask_for_nickname(membership.group.nickname, name=membership.member.name)
