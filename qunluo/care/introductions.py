"""Introductions 牵线: who is suggested to whom, both members' consent, and what came of it.

Both are asked one by one; what one said is told to nobody, and only two yeses introduce. Every
pair is measured later, those who were not introduced as well.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import cast

from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse

from qunluo.care.errors import IntroductionGoneError, NotReachableError, WhyMissingError
from qunluo.care.models import Introduction, IntroductionOptOut
from qunluo.care.telling import do_call_off, do_tell, find_channel_of
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.groups.models import Membership
from qunluo.kit import clock
from qunluo.kit.text import Lang, Text
from qunluo.members.models import Member
from qunluo.members.queries import may_send
from qunluo.messaging.rules import zone_of
from qunluo.standing.sums import find_survivors
from qunluo.standing.ties import have_met, met_between

ANSWER_DAYS = 7
MEASURED_DAYS = 28
AT_ONCE = 200
WAITING = ("suggested", "asked")
OVER = ("made", "withdrawn", "refused", "expired", "dismissed", "met", "lapsed")
ASK = Text(
    "May we introduce you to {name}? You are both in “{group}”. {note}\n"
    "Only if you both say yes will either of you hear more. Your answer, until {day}: {link}",
    "想介绍你认识“{name}”，你们都在“{group}”群。{note}\n"
    "只有双方都同意，我们才会介绍。请在 {day} 前选择：{link}",
)
MADE = Text(
    "{name} would like to get to know you too. You are both in “{group}”: say hello there. {link}",
    "“{name}”也愿意认识你。你们都在“{group}”群，去打个招呼吧。{link}",
)
_signer = Signer(salt="care.introductions")


# reading


def list_introductions(community: Community, *states: str) -> QuerySet[Introduction]:
    """Introductions in these states, the most connecting first."""
    rows = Introduction.objects.filter(community=community, state__in=states or ("suggested",))
    return rows.select_related("one", "other", "group").order_by("-score", "id")


def count_suggested(community: Community) -> int:
    """How many pairs wait for an operator."""
    return list_introductions(community, "suggested").count()


def list_own(member: Member) -> list[tuple[Introduction, Member]]:
    """What a member is asked now and who they were introduced to, each with the other one; the
    newest first."""
    shown = Q(state="asked", expires_at__gt=clock.now()) | Q(state="made")
    rows = _of(Introduction.objects.filter(shown), member).order_by("-decided_at", "-id")
    rows = rows.select_related("one", "other", "group")
    return [(row, _turned_to(row, member.pk)[1]) for row in rows]


def may_introduce(member: Member) -> bool:
    """Whether a member may be asked: there, reachable, and not opted out of it or of service."""
    if member.merged_into_id or member.erased_at:
        return False
    if IntroductionOptOut.objects.filter(member=member).exists():
        return False
    channel = find_channel_of(member)
    return bool(channel) and may_send(member, "service", channel)


def share_group(introduction: Introduction) -> bool:
    """Whether both are still in the group they would meet in."""
    seats = Membership.objects.filter(group=introduction.group, left_at=None)
    ends = [introduction.one_id, introduction.other_id]
    return seats.filter(member__in=ends).count() == len(ends)


def make_token(introduction: Introduction, member: Member) -> str:
    """What stands in a member's link: it lets them answer for themselves, and nobody else."""
    return _signer.sign(f"{introduction.pk}.{member.pk}")


def find_by_token(token: str) -> tuple[Introduction, Member, Member] | None:
    """The introduction, whose link it is, and the other one; None where it is not ours."""
    try:
        number, _, mine = _signer.unsign(token).partition(".")
    except BadSignature:
        return None
    rows = Introduction.objects.select_related("one", "other", "group", "community")
    found = rows.filter(pk=int(number)).first()
    me = find_survivors([int(mine)]).get(int(mine), int(mine))
    if found is None or me not in found.pair:
        return None
    return (found, *_turned_to(found, me))


def said_by(introduction: Introduction, member: Member) -> bool | None:
    return (
        introduction.one_said if member.pk == introduction.one_id else introduction.other_said
    )


# operators


@transaction.atomic
def do_accept(introduction: Introduction, *, note: str = "", site: str, by: str) -> None:
    """Asks both for their consent. `site` is where they reach our pages. Raises
    `IntroductionGoneError`, `NotReachableError`."""
    row = _hold(introduction, "suggested")
    if not share_group(row) or have_met([row.pair]):
        raise IntroductionGoneError
    if not (may_introduce(row.one) and may_introduce(row.other)):
        raise NotReachableError
    now = clock.now()
    row.state, row.note, row.site, row.by = "asked", _one_line(note), site.rstrip("/"), by
    row.decided_at, row.expires_at = now, now + timedelta(days=ANSWER_DAYS)
    row.save()
    for member, other in _both(row):
        _do_ask(row, member, other)
        _record("introduction_asked", row, member, other, by)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


def _do_ask(row: Introduction, member: Member, other: Member) -> None:
    zone, expires = zone_of(row.community.zone), cast(datetime, row.expires_at)
    text = ASK(cast(Lang, row.community.lang)).format(
        name=other.name, group=_group_name(row), note=row.note,
        day=expires.astimezone(zone).date(),
        link=row.site + reverse("h5:introduction", args=[make_token(row, member)]),
    )  # fmt: skip
    cause = f"introduction:{row.pk}:asked:{member.pk}"
    if do_tell(member, text, cause=cause, expires_at=expires) is None:
        raise NotReachableError


def _group_name(row: Introduction) -> str:
    return row.group.name if row.group else ""


@transaction.atomic
def do_dismiss(introduction: Introduction, *, why: str, by: str) -> None:
    """This pair is not suggested again. Raises `WhyMissingError`, `IntroductionGoneError`."""
    if not why.strip():
        raise WhyMissingError
    row = _hold(introduction, "suggested")
    row.state, row.why, row.by, row.decided_at = "dismissed", _one_line(why), by, clock.now()
    row.save()
    for member, other in _both(row):
        _record("introduction_dismissed", row, member, other, by, why=row.why)


# members


@transaction.atomic
def do_answer(introduction: Introduction, member: Member, *, yes: bool) -> Introduction:
    """What one of the two says; the second yes introduces them. Both answers take the row first,
    so that two at once are one after the other. Raises `IntroductionGoneError`."""
    row = _hold(introduction, "asked")
    if row.expires_at is not None and row.expires_at <= clock.now():
        raise IntroductionGoneError
    _, other = _turned_to(row, member.pk)
    if member.pk == row.one_id:
        row.one_said = yes
    else:
        row.other_said = yes
    if not yes:
        row.state = "refused"
    elif row.one_said and row.other_said:
        row.state, row.made_at = "made", clock.now()
    row.save()
    _record(
        "introduction_answered", row, member, other, member.actor, answer="yes" if yes else "no"
    )
    if row.state == "made":
        _do_introduce(row)
    return row


def _do_introduce(row: Introduction) -> None:
    path = reverse("h5:room", args=[row.group.code]) if row.group else reverse("h5:me")
    for member, other in _both(row):
        text = MADE(cast(Lang, row.community.lang)).format(
            name=other.name, group=_group_name(row), link=row.site + path
        )
        do_tell(member, text, cause=f"introduction:{row.pk}:made:{member.pk}")
        _record("introduction_made", row, member, other, "system")


@transaction.atomic
def do_withdraw(introduction: Introduction, member: Member) -> None:
    """One of two who were introduced takes it back: neither page shows it any more, nobody is
    told, and what is not sent yet does not leave. It is measured all the same. Raises
    `IntroductionGoneError`."""
    row = _hold(introduction, "made")
    _, other = _turned_to(row, member.pk)
    row.state = "withdrawn"
    row.save(update_fields=["state"])
    do_call_off(f"introduction:{row.pk}:made:{end.pk}" for end in (row.one, row.other))
    _record("introduction_withdrawn", row, member, other, member.actor)


@transaction.atomic
def do_opt_out(member: Member, *, out: bool) -> None:
    """Whether a member wants to be asked about introductions at all; what waits is called off."""
    if out:
        IntroductionOptOut.objects.get_or_create(member=member, defaults={"at": clock.now()})
        open_ones = Introduction.objects.filter(state="asked", expires_at__gt=clock.now())
        for row in _of(open_ones, member):
            do_answer(row, member, yes=False)
        _of(Introduction.objects.filter(state="suggested"), member).update(state="lapsed")
    else:
        IntroductionOptOut.objects.filter(member=member).delete()
    record("introductions_switched", community=member.community_id, member=member.pk,
           actor=member.actor, data={"on": not out})  # fmt: skip


def _of(rows: QuerySet[Introduction], member: Member) -> QuerySet[Introduction]:
    return rows.filter(Q(one=member) | Q(other=member))


# both


def _hold(introduction: Introduction, state: str) -> Introduction:
    """The row as it is now, held until the transaction ends; raises `IntroductionGoneError`."""
    Introduction.objects.select_for_update().filter(pk=introduction.pk).first()
    rows = Introduction.objects.select_related("one", "other", "group", "community")
    row = rows.filter(pk=introduction.pk, state=state).first()
    if row is None:
        raise IntroductionGoneError
    return row


def _turned_to(row: Introduction, member: int) -> tuple[Member, Member]:
    """The two with this member first; raises `IntroductionGoneError` for somebody else."""
    if member not in row.pair:
        raise IntroductionGoneError
    return (row.one, row.other) if member == row.one_id else (row.other, row.one)


def _both(row: Introduction) -> tuple[tuple[Member, Member], tuple[Member, Member]]:
    """Each of the two beside the other."""
    return (row.one, row.other), (row.other, row.one)


def _record(
    kind: str, row: Introduction, member: Member, other: Member, by: str, **more: str
) -> None:
    record(kind, community=row.community_id, member=member.pk, group=row.group_id, actor=by,
           data={"introduction": row.pk, "other": other.pk, **more})  # fmt: skip


# the worker's part


def expire_unanswered() -> bool:
    """Ends what nobody answered in time; whether there was anything."""
    late = Introduction.objects.filter(state="asked", expires_at__lte=clock.now())
    found = late.order_by("pk").first()
    if found is None:
        return False
    with transaction.atomic():
        try:
            row = _hold(found, "asked")
        except IntroductionGoneError:  # answered at this moment
            return True
        row.state = "expired"
        row.save(update_fields=["state"])
        for member, other in _both(row):
            _record("introduction_expired", row, member, other, "system")
    return True


def measure_due() -> bool:
    """Notes of pairs whose four weeks are over whether a tie followed; whether there were any."""
    now = clock.now()
    old = now - timedelta(days=MEASURED_DAYS)
    rows = Introduction.objects.filter(measured_at=None).exclude(state="asked")
    made, others = Q(made_at__lte=old), Q(made_at=None, suggested_at__lte=old)
    part = list(rows.filter(made | others).select_related("community").order_by("pk")[:AT_ONCE])
    for row in part:
        state = "lapsed" if row.state == "suggested" else row.state  # it is old: look again
        mine = Introduction.objects.filter(pk=row.pk, measured_at=None, state=row.state)
        mine.update(tied=did_tie(row), measured_at=now, state=state)
    return bool(part)


def did_tie(row: Introduction) -> bool:
    """Whether one turned to the other within four weeks: of the introduction, or else of the day
    on which the pair, which had no tie, was suggested. Whoever they are by now."""
    now = find_survivors([row.one_id, row.other_id])
    ends = sorted(now.get(end, end) for end in (row.one_id, row.other_id))
    since = _day(row, row.made_at or row.suggested_at)
    return met_between((ends[0], ends[1]), since, since + timedelta(days=MEASURED_DAYS))


def _day(row: Introduction, at: datetime) -> date:
    return at.astimezone(zone_of(row.community.zone)).date()


def do_tidy(community: Community) -> None:
    """Takes suggestions back that are none any more: they met, one left, or wants no such
    thing. They are measured all the same."""
    rows = list(list_introductions(community, "suggested"))
    met = have_met(row.pair for row in rows)
    for row in rows:
        if row.pair in met:
            state = "met"
        elif share_group(row) and may_introduce(row.one) and may_introduce(row.other):
            continue
        else:
            state = "lapsed"
        Introduction.objects.filter(pk=row.pk, state="suggested").update(state=state)
