"""A person knows better: a value set by hand, and given back to the evidence."""

from __future__ import annotations

from django.db import transaction

from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.models import Member
from qunluo.standing.errors import CorrectionWhyError, WrongCorrectionError
from qunluo.standing.judging import do_judge, open_court, thresholds_of
from qunluo.standing.models import Correction, Standing
from qunluo.standing.night import hold_sums
from qunluo.standing.thresholds import Thresholds
from qunluo.standing.words import CIRCLE, LIFECYCLE, TRUST


def list_choices(name: str, at: Thresholds) -> dict[str, Text]:
    """What a standing may be set to by hand; empty where it may not."""
    if name == "level":
        none = {"0": Text("no level", "无等级")}
        return none | {str(n): level.name for n, level in enumerate(at.levels, 1)}
    found: dict[str, dict[str, Text]] = {
        "lifecycle": LIFECYCLE, "circle": CIRCLE,
        "trust": {str(rung): words for rung, words in enumerate(TRUST)},
    }  # fmt: skip
    return found.get(name, {})


@transaction.atomic
def do_correct(member: Member, name: str, value: str, *, why: str, by: str) -> Correction:
    """Sets a standing by hand, in place of an earlier hand; it wins until it is lifted.
    Raises `WrongCorrectionError`, `CorrectionWhyError`."""
    if value not in list_choices(name, thresholds_of(member.community)):
        raise WrongCorrectionError(name=name, value=value)
    if not why.strip():
        raise CorrectionWhyError
    hold_sums()
    before = _shown(member, name)
    _lift(member, name, by)
    row = Correction.objects.create(
        member=member, name=name, value=value, why=why.strip()[:200], by=by, at=clock.now()
    )
    record("standing_corrected", community=member.community_id, member=member.pk, actor=by,
           data={"name": name, "before": before, "after": value, "why": row.why})  # fmt: skip
    do_judge(open_court(member.community), [member.pk])
    return row


@transaction.atomic
def do_lift(member: Member, name: str, *, by: str) -> bool:
    """Gives a standing back to the evidence; whether it was set by hand."""
    hold_sums()
    before = _shown(member, name)
    if not _lift(member, name, by):
        return False
    do_judge(open_court(member.community), [member.pk])
    record("correction_lifted", community=member.community_id, member=member.pk, actor=by,
           data={"name": name, "before": before, "after": _shown(member, name)})  # fmt: skip
    return True


def _lift(member: Member, name: str, by: str) -> bool:
    mine = Correction.objects.filter(member=member, name=name, lifted_at=None)
    return mine.update(lifted_at=clock.now(), lifted_by=by) > 0


def _shown(member: Member, name: str) -> str:
    row = Standing.objects.filter(member=member).first()
    return "" if row is None else str(getattr(row, name))
