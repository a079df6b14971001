"""The hourly look at what must hold: what breaks is told at once, in the record and to whoever
is on duty; so is that all is well again."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from qunluo.care.errors import IncidentOpenError
from qunluo.care.handbook import find_trigger
from qunluo.care.incidents import do_open_incident
from qunluo.care.rules import Sign
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.kit.text import Text
from qunluo.ledger.auditing import Verdict, do_audit
from qunluo.messaging.tasks import Task, register

EVERY_S = 3_600.0
BROKEN, HOLDS = "audit_broken", "audit_holds"
SYSTEM, KIND = "system", "audit"


def step_audit() -> bool:
    """Runs every check of every community; whether something is broken."""
    found = [do_look(community) for community in Community.objects.order_by("pk")]
    return any(found)


def do_look(community: Community) -> bool:
    """One community's audit; whether something is broken. What is broken as before is told
    once."""
    broken = [verdict for verdict in do_audit(community.pk) if not verdict.holds]
    names = sorted(verdict.check.name for verdict in broken)
    if names != find_broken(community):
        _tell(community, broken, names)
    return bool(broken)


def find_broken(community: Community) -> list[str]:
    """The checks that the last look found broken, by name."""
    rows = Event.objects.filter(community_id=community.pk, kind__in=(BROKEN, HOLDS))
    last = rows.order_by("-pk").first()
    return list(last.data.get("checks", [])) if last and last.kind == BROKEN else []


@transaction.atomic
def _tell(community: Community, broken: Sequence[Verdict], names: list[str]) -> None:
    record(BROKEN if broken else HOLDS, community=community.pk, actor=SYSTEM,
           data={"checks": names} if broken else {})  # fmt: skip
    if not broken or not find_trigger(community, KIND).active:
        return
    titles = [verdict.check.title for verdict in broken]
    why = Text("Books don't agree: " + "; ".join(t.en for t in titles),
               "账目异常：" + "；".join(t.zh for t in titles))  # fmt: skip
    try:
        do_open_incident(community, KIND, Sign(why, {"checks": names}))
    except IncidentOpenError:  # people see to the last one still
        return


register(Task("campaigns.audit", step_audit, every_s=EVERY_S))
