"""Who a member is, in one sentence that is made from evidence only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from qunluo.kit import clock
from qunluo.members.models import Member, Touch

MOST_NAMED = 3


@dataclass(frozen=True)
class Evidence:
    """What is known of a member; each part is said only where there is one."""

    met_at: datetime
    source: str
    inviter: str
    groups: tuple[str, ...]
    messages: int
    questions: int
    seen_days: int | None  # whole days since they were last there
    tags: tuple[str, ...]
    strikes: int


def gather(member: Member, first: Touch | None) -> Evidence:
    """The evidence, counted now."""
    now = clock.now()
    inside = member.memberships.filter(left_at=None).select_related("group").order_by("pk")
    tags = member.taggings.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    strikes = member.strikes.filter(lifted_at=None, expires_at__gt=now)
    return Evidence(
        met_at=first.at if first else member.made_at,
        source=first.code.name if first and first.code else "",
        inviter=first.inviter.name if first and first.inviter else "",
        groups=tuple(membership.group.name for membership in inside),
        messages=member.messages.filter(recalled_at=None, hidden_at=None).count(),
        questions=member.questions.count(),
        seen_days=(now - member.seen_at).days if member.seen_at else None,
        tags=tuple(tags.order_by("pk").values_list("tag__name", flat=True)),
        strikes=strikes.count(),
    )


def say(found: Evidence) -> str:
    """One sentence, in the language in force."""
    clauses = [_origin(found), _places(found), _talk(found), _last_seen(found)]
    clauses += [_tags(found), _strikes(found)]
    return _("{clauses}.").format(clauses=_("; ").join(clause for clause in clauses if clause))


def _origin(found: Evidence) -> str:
    day = date_format(localtime(found.met_at), "DATE_FORMAT")
    if found.inviter:
        return _("Here since {day}, invited by {name}").format(day=day, name=found.inviter)
    if found.source:
        return _("Here since {day}, came through “{source}”").format(
            day=day, source=found.source
        )
    return _("Here since {day}").format(day=day)


def _places(found: Evidence) -> str:
    if not found.groups:
        return _("in no group now")
    return _("in {groups}").format(groups=_some(found.groups))


def _some(names: tuple[str, ...]) -> str:
    """The first few names and how many more there are."""
    said = _(", ").join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return _("{names} and {count} more").format(names=said, count=more) if more > 0 else said


def _talk(found: Evidence) -> str:
    if not found.messages:
        return _("has not written yet")
    said = ngettext("wrote {count} message", "wrote {count} messages", found.messages)
    told = said.format(count=found.messages)
    if not found.questions:
        return told
    asked = ngettext("asked {count} question", "asked {count} questions", found.questions)
    return _("; ").join([told, asked.format(count=found.questions)])


def _last_seen(found: Evidence) -> str:
    if found.seen_days is None:
        return ""
    if found.seen_days < 1:
        return _("was here within the last day")
    words = ngettext("was last here {n} day ago", "was last here {n} days ago", found.seen_days)
    return words.format(n=found.seen_days)


def _tags(found: Evidence) -> str:
    return _("tagged {tags}").format(tags=_some(found.tags)) if found.tags else ""


def _strikes(found: Evidence) -> str:
    if not found.strikes:
        return ""
    words = ngettext("{n} strike counts", "{n} strikes count", found.strikes)
    return words.format(n=found.strikes)
