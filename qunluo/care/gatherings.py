"""Gatherings on- and offline: seats and a waiting list, reminders, attendance, follow-up.

Every action takes the gathering's row first. A seat is still claimed by one conditional
statement, so that no mistake elsewhere gives away more than there are.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.crypto import constant_time_compare

from qunluo.care.errors import (
    FewSeatsError,
    GatheringOverError,
    NotInGroupError,
    NotInvitedError,
    NotNowError,
    WhyMissingError,
    WordsMissingError,
    WrongCodeError,
    WrongTimeError,
)
from qunluo.care.models import Gathering, SignUp
from qunluo.care.rules import find_reminder, may_attend
from qunluo.care.telling import do_tell, is_here
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.models import Member
from qunluo.messaging.rules import zone_of

CODE_DIGITS = 6
TOGETHER = 20  # others named when somebody attends: with whom they were
FOLLOWED_WITHIN = timedelta(days=3)
MOST_SEATS = 100_000

REMIND = Text(
    "“{title}” begins at {time}: {place}. If you can't come, give your seat back on your page.",
    "“{title}”将于 {time} 开始：{place}。如不能参加，请在“我的页面”取消报名。",
)
MOVED_UP = Text(
    "A seat at “{title}” is yours now, {time}: {place}.",
    "你已从候补转为正式名额：“{title}”，{time}，{place}。",
)
CALLED_OFF = Text(
    "“{title}” at {time} does not take place: {why}", "“{title}”（{time}）取消：{why}"
)
CHANGED = Text("“{title}” is now at {time}: {place}.", "“{title}”改为 {time}：{place}。")


@dataclass(frozen=True)
class Plan:
    """What a gathering is to be."""

    title: str
    place: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    text: str = ""
    online: bool = False
    group: Group | None = None
    follow_up: str = ""
    missed_you: str = ""


# reading


def list_gatherings(community: Community, *, over: bool = False) -> QuerySet[Gathering]:
    """Those to come, the next first; or those that are over or called off, the latest first."""
    rows = Gathering.objects.filter(community=community).select_related("group")
    ahead = Q(ends_at__gt=clock.now(), state="open")
    return rows.exclude(ahead).order_by("-starts_at") if over else rows.filter(ahead).order_by(
        "starts_at", "pk")  # fmt: skip


def list_open_to(member: Member) -> QuerySet[Gathering]:
    """What a member may come to, and what they came to since yesterday."""
    mine = Membership.objects.filter(member=member, left_at=None).values("group")
    rows = Gathering.objects.filter(
        community=member.community_id, ends_at__gt=clock.now() - timedelta(days=1)
    )
    return rows.filter(Q(group=None) | Q(group__in=mine)).order_by("starts_at", "pk")


def list_signups(gathering: Gathering) -> QuerySet[SignUp]:
    """Everybody who did not give it back, in the order of signing up."""
    rows = gathering.signups.exclude(state="gone", attended_at=None)
    return rows.select_related("member").order_by("at", "pk")


def find_signup(gathering: Gathering, member: Member) -> SignUp | None:
    rows = SignUp.objects.filter(gathering=gathering, member=member)
    return rows.exclude(state="gone", attended_at=None).first()


# staff: planning


@transaction.atomic
def do_plan_gathering(community: Community, plan: Plan, *, by: str) -> Gathering:
    """Raises `WordsMissingError`, `WrongTimeError`, `FewSeatsError`."""
    _check(plan, taken=0)
    if plan.starts_at <= clock.now():
        raise WrongTimeError
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    gathering = Gathering.objects.create(
        community=community, code=code, by=by, made_at=clock.now(), **vars(plan)
    )
    _record("gathering_made", gathering, by=by)
    return gathering


def _check(plan: Plan, taken: int) -> None:
    if not plan.title.strip() or not plan.place.strip():
        raise WordsMissingError
    if plan.ends_at <= plan.starts_at:
        raise WrongTimeError
    if not max(taken, 1) <= plan.capacity <= MOST_SEATS:
        raise FewSeatsError


@transaction.atomic
def do_change_gathering(gathering: Gathering, plan: Plan, *, by: str) -> Gathering:
    """Changes what it is; who has a seat hears of another time or place, and new seats go to
    those who wait. Raises as `do_plan_gathering`, and `GatheringOverError`."""
    gathering = _lock(gathering)
    if gathering.state != "open":
        raise GatheringOverError
    _check(plan, gathering.taken)
    before = (gathering.starts_at, gathering.place)
    for name, value in vars(plan).items():
        setattr(gathering, name, value)
    if gathering.starts_at != before[0]:
        gathering.reminded_h = 0
    gathering.save()
    _record("gathering_changed", gathering, by=by)
    if (gathering.starts_at, gathering.place) != before:
        mark = f"changed:{secrets.token_hex(4)}"
        _tell(gathering, ("seated", "waiting"), write(CHANGED, gathering), mark)
    _move_up(gathering)
    return gathering


@transaction.atomic
def do_call_off(gathering: Gathering, *, why: str, by: str) -> None:
    """It does not take place; whoever signed up hears why. Raises `WhyMissingError`,
    `GatheringOverError`."""
    why = why.strip()[:200]
    if not why:
        raise WhyMissingError
    gathering = _lock(gathering)
    rows = Gathering.objects.filter(pk=gathering.pk, state="open", ends_at__gt=clock.now())
    if not rows.update(state="cancelled"):
        raise GatheringOverError
    _record("gathering_called_off", gathering, by=by, why=why)
    _tell(gathering, ("seated", "waiting"), write(CALLED_OFF, gathering, why=why), "off")


def _lock(gathering: Gathering) -> Gathering:
    rows = Gathering.objects.select_for_update(of=("self",))
    return rows.select_related("community", "group").get(pk=gathering.pk)


# members: seats


@transaction.atomic
def do_sign_up(gathering: Gathering, member: Member, *, by: str) -> SignUp:
    """A seat, or a place on the waiting list where there is none; whoever has one keeps it.
    Raises `GatheringOverError`, `NotInGroupError`, `NotInvitedError`."""
    gathering = _lock(gathering)
    if gathering.state != "open" or gathering.ends_at <= clock.now():
        raise GatheringOverError
    _check_invited(gathering, member)
    signup, _ = SignUp.objects.get_or_create(
        gathering=gathering, member=member, defaults={"state": "gone", "at": clock.now()}
    )
    if signup.state in ("seated", "waiting"):
        return signup
    seated = _claim_seat(gathering)
    signup.state, signup.at = "seated" if seated else "waiting", clock.now()
    signup.save(update_fields=["state", "at"])
    _record("gathering_signed_up" if seated else "gathering_waited", gathering, by=by,
            member=member.pk)  # fmt: skip
    return signup


def _check_invited(gathering: Gathering, member: Member) -> None:
    if member.community_id != gathering.community_id or not is_here(member):
        raise NotInGroupError
    group = gathering.group
    seats = Membership.objects.filter(group=group, member=member, left_at=None)
    if group is not None and not seats.exists():
        raise NotInvitedError(group=group.name)


def _claim_seat(gathering: Gathering) -> bool:
    """One statement decides: two who want the last seat can't both have it."""
    free = Gathering.objects.filter(pk=gathering.pk, state="open", taken__lt=F("capacity"))
    return bool(free.update(taken=F("taken") + 1))


@transaction.atomic
def do_sign_off(signup: SignUp, *, by: str) -> None:
    """Gives the seat back, to the first who waits; twice is once."""
    gathering = _lock(signup.gathering)
    signup = SignUp.objects.get(pk=signup.pk)
    if signup.state not in ("seated", "waiting") or signup.attended_at:
        return
    had_seat = signup.state == "seated"
    SignUp.objects.filter(pk=signup.pk).update(state="gone")
    _record("gathering_signed_off", gathering, by=by, member=signup.member_id)
    if had_seat:
        Gathering.objects.filter(pk=gathering.pk, taken__gt=0).update(taken=F("taken") - 1)
        _move_up(gathering)


def _move_up(gathering: Gathering) -> None:
    """Free seats go to those who wait, the first first; each hears of it."""
    if gathering.ends_at <= clock.now():
        return
    waiting = gathering.signups.filter(state="waiting").order_by("at", "pk")
    for signup in waiting.select_related("member__community"):
        if not _claim_seat(gathering):
            return
        SignUp.objects.filter(pk=signup.pk).update(state="seated")
        _record("gathering_moved_up", gathering, by="system", member=signup.member_id)
        mark = f"up:{signup.member_id}:{signup.at.timestamp():.3f}"
        do_tell(signup.member, write(MOVED_UP, gathering), expires_at=gathering.starts_at,
                cause=f"gathering:{gathering.pk}:{mark}")  # fmt: skip


@transaction.atomic
def do_recount(gathering: Gathering) -> None:
    """Seats are counted anew from the rows, after members were merged or erased."""
    gathering = _lock(gathering)
    taken = gathering.signups.filter(state="seated").count()
    Gathering.objects.filter(pk=gathering.pk).exclude(taken=taken).update(taken=taken)
    _move_up(gathering)


def do_follow_merges(events: Sequence[Event]) -> None:
    """Two members who became one may have had a seat each, and are two again when undone."""
    communities = {event.community_id for event in events}
    ahead = Gathering.objects.filter(community__in=communities, ends_at__gt=clock.now())
    for gathering in ahead.order_by("pk"):
        do_recount(gathering)


# attendance


def do_attend(gathering: Gathering, member: Member, code: str, *, by: str) -> SignUp:
    """Whoever knows the code was there, with a seat or without; twice is once. The caller limits
    how often one may guess. Raises `NotNowError`, `WrongCodeError`, `NotInGroupError`,
    `NotInvitedError`, `GatheringOverError`."""
    if gathering.state != "open":
        raise GatheringOverError
    if not may_attend(gathering.starts_at, gathering.ends_at, clock.now()):
        raise NotNowError
    _check_invited(gathering, member)
    typed = "".join(char for char in code if char.isdecimal())
    if not constant_time_compare(typed, gathering.code):
        raise WrongCodeError
    return do_note_attendance(gathering, member, by=by)


@transaction.atomic
def do_note_attendance(gathering: Gathering, member: Member, *, by: str) -> SignUp:
    """Somebody was there: the code says so, or staff saw them. Twice is once."""
    gathering, now = _lock(gathering), clock.now()
    signup, _ = SignUp.objects.get_or_create(
        gathering=gathering, member=member, defaults={"state": "extra", "at": now}
    )
    if signup.attended_at is not None:
        return signup
    others = gathering.signups.filter(attended_at__isnull=False).order_by("-attended_at", "-pk")
    together = list(others.values_list("member_id", flat=True)[:TOGETHER])
    signup.attended_at = now
    if signup.state in ("gone", "waiting"):
        signup.state = "extra"
    signup.save(update_fields=["attended_at", "state"])
    record("gathering_attended", community=gathering.community_id, actor=by, member=member.pk,
           group=gathering.group_id, data={"gathering": gathering.pk, "with": together},
           cause=f"gathering_attended:{signup.pk}")  # fmt: skip
    return signup


# the worker's part


def tell_guests() -> bool:
    """Reminders before, a word after; whether anybody was told. Safe to begin again: a cause
    tells once, and a mark is set with what it stands for."""
    now = clock.now()
    rows = Gathering.objects.filter(state="open", followed_at=None)
    soon = rows.filter(starts_at__gt=now, starts_at__lte=now + timedelta(hours=24))
    told = [_remind(gathering) for gathering in soon.order_by("starts_at")[:50]]
    ended = rows.filter(ends_at__lte=now, ends_at__gt=now - FOLLOWED_WITHIN)
    told += [_follow_up(gathering) for gathering in ended.order_by("ends_at")[:50]]
    return any(told)


@transaction.atomic
def _remind(gathering: Gathering) -> bool:
    gathering = _lock(gathering)
    hours = find_reminder(gathering.starts_at, clock.now(), gathering.reminded_h)
    if hours is None or gathering.state != "open":
        return False
    Gathering.objects.filter(pk=gathering.pk).update(reminded_h=hours)
    mark = f"remind:{hours}:{gathering.starts_at.timestamp():.0f}"
    _tell(gathering, ("seated",), write(REMIND, gathering), mark, until=gathering.starts_at)
    return True


@transaction.atomic
def _follow_up(gathering: Gathering) -> bool:
    """Those who came hear one thing, those who had a seat and did not another; empty: nothing."""
    gathering = _lock(gathering)
    if gathering.followed_at is not None:
        return False
    Gathering.objects.filter(pk=gathering.pk).update(followed_at=clock.now())
    came = gathering.signups.filter(attended_at__isnull=False)
    missed = gathering.signups.filter(attended_at=None, state="seated")
    for rows, text in ((came, gathering.follow_up), (missed, gathering.missed_you)):
        if text.strip():
            _tell_rows(gathering, rows, text.strip(), "after", None)
    return True


def _tell(
    gathering: Gathering, states: tuple[str, ...], text: str, mark: str,
    until: datetime | None = None,
) -> None:  # fmt: skip
    _tell_rows(gathering, gathering.signups.filter(state__in=states), text, mark, until)


def _tell_rows(
    gathering: Gathering, rows: QuerySet[SignUp], text: str, mark: str, until: datetime | None
) -> None:
    for signup in rows.select_related("member__community").order_by("pk").iterator(500):
        cause = f"gathering:{gathering.pk}:{mark}:{signup.member_id}"
        do_tell(signup.member, text, cause=cause, expires_at=until)


def write(words: Text, gathering: Gathering, **more: str) -> str:
    """A sentence about a gathering, in the community's language and zone."""
    community = gathering.community
    here = gathering.starts_at.astimezone(zone_of(community.zone))
    told = words.format(
        title=gathering.title, place=gathering.place, time=f"{here:%Y-%m-%d %H:%M}", **more
    )
    return told(community.lang)


def _record(
    kind: str, gathering: Gathering, *, by: str, member: int | None = None, **more: str
) -> None:
    record(kind, community=gathering.community_id, actor=by, member=member,
           group=gathering.group_id, data={"gathering": gathering.pk, **more})  # fmt: skip
