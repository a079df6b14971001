"""What care puts on the home page's "Decide now"."""

from __future__ import annotations

from datetime import datetime

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from qunluo.care.handbook import NAMES
from qunluo.care.incidents import list_incidents
from qunluo.care.introductions import count_suggested, list_introductions
from qunluo.care.models import Testimony
from qunluo.care.patrols import Planned, list_planned
from qunluo.care.promises import list_owed
from qunluo.community.models import Community
from qunluo.console.overview import Todo
from qunluo.console.wording import current_lang
from qunluo.kit.text import Text

MOST = 5


def list_incidents_left(community: Community, now: datetime) -> list[Todo]:
    """What is not under control yet, then what is not closed; those of nobody are late."""
    rows = [*list_incidents(community, "open"), *list_incidents(community, "handled")][:MOST]
    return [
        Todo("incident", in_words(row.why),
             " · ".join(filter(None, [NAMES[row.kind](current_lang()),
                                      row.group.name if row.group else "",
                                      row.owner.shown if row.owner else _("nobody's yet")])),
             "care:incident", row.pk, minutes=-1 if row.owner is None else None)
        for row in rows
    ]  # fmt: skip


def list_rounds_left(community: Community, now: datetime) -> list[Todo]:
    """Rounds that are due, with the minutes left; and how many were missed since yesterday."""
    planned = list_planned(community, now, back=1)
    found = [_as_todo(one, now) for one in planned if one.state == "due"][:MOST]
    missed = sum(one.state == "missed" for one in planned)
    if missed:
        words = ngettext("{n} round was missed since yesterday",
                         "{n} rounds were missed since yesterday", missed)  # fmt: skip
        found.append(Todo("patrol", words.format(n=missed), "", "care:patrols", minutes=-1))
    return found


def _as_todo(one: Planned, now: datetime) -> Todo:
    since, until = (localtime(at) for at in (one.round.begins, one.round.ends))
    words = _("Round {hours}").format(hours=f"{since:%H:%M}–{until:%H:%M}")
    who = one.slot.staff.shown if one.slot.staff else _("whoever is there")
    minutes = int((one.round.ends - now).total_seconds() // 60)
    return Todo("patrol", words, who, "care:patrols", minutes=minutes)


def list_promises_left(community: Community, now: datetime) -> list[Todo]:
    """Those who have waited longest beyond what they were promised."""
    late = [owed for owed in list_owed(community, now) if owed.late][:MOST]
    return [
        Todo("promise",
             ngettext("{name} has waited {n} day too long", "{name} has waited {n} days too long",
                      owed.debt.overdue).format(name=owed.promise.member.name,
                                                n=owed.debt.overdue),
             owed.promise.what, "care:promises")
        for owed in late
    ]  # fmt: skip


def list_testimonies_left(community: Community) -> list[Todo]:
    rows = Testimony.objects.filter(community=community, state="waiting")
    return [
        Todo("testimony", row.text[:80], row.member.name, "care:testimonies")
        for row in rows.select_related("member").order_by("pk")[:MOST]
    ]


def list_introductions_left(community: Community) -> list[Todo]:
    """How many pairs wait to be asked, and why the first of them would connect."""
    n = count_suggested(community)
    if not n:
        return []
    first = list_introductions(community, "suggested")[0]
    words = ngettext("{n} introduction is suggested", "{n} introductions are suggested", n)
    about = " · ".join([f"{first.one.name} – {first.other.name}",
                        *map(in_words, first.reasons)])  # fmt: skip
    return [Todo("introduction", words.format(n=n), about[:160], "care:introductions")]


def in_words(stored: dict[str, str]) -> str:
    return Text(stored.get("en", ""), stored.get("zh", ""))(current_lang())
