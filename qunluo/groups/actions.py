"""Founding groups, letting people in and out, and closing."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import F

from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.groups.errors import (
    AlreadyDecidedError,
    BannedError,
    GateClosedError,
    GroupClosedError,
    GroupFullError,
    NoPlaceError,
    NoPurposeError,
    NotOpenError,
    SuccessorThereError,
    WaitingForApprovalError,
    WrongGateError,
)
from qunluo.groups.founding import check_life
from qunluo.groups.models import Group, JoinRequest, Membership
from qunluo.groups.nicknames import check_template
from qunluo.groups.queries import (
    RUNNING,
    as_option,
    find_applicant,
    find_ban,
    find_membership,
    list_groups,
)
from qunluo.groups.rules import (
    Refusal,
    check_gate,
    judge_gate,
    plan_route,
    wants_successor,
)
from qunluo.groups.succession import do_hand_over
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.models import Member
from qunluo.segments.queries import list_segments

CODE_BYTES = 6
_CARRIED = ("purpose", "audience", "gives", "success", "capacity", "gate", "tags", "lat", "lon",
            "goal", "welcome", "rules", "nickname", "pinned", "channel")  # fmt: skip


@transaction.atomic
def do_found_group(
    community: Community, *, name: str, purpose: str, by: str, **more: Any
) -> Group:
    """A new group. Raises `NoPurposeError`, `WrongGateError`, `WrongTemplateError`."""
    if not purpose.strip():
        raise NoPurposeError
    now = clock.now()
    more["gate"] = _settle_gate(community, more.get("gate") or {})
    opened_at, ends_at = more.get("opens_at") or now, more.get("ends_at")
    check_life(more.get("blueprint", ""), opened_at, ends_at, community.zone)
    more["nickname"] = check_template(more.get("nickname", ""))
    more.setdefault("code", secrets.token_hex(CODE_BYTES))
    group = Group.objects.create(
        community=community, name=name.strip(), purpose=purpose.strip(), made_at=now, **more
    )
    record("group_founded", community=community.pk, actor=by, group=group.pk,
           data={"name": group.name, "blueprint": group.blueprint})  # fmt: skip
    return group


def _settle_gate(community: Community, gate: dict[str, Any]) -> dict[str, Any]:
    """The gate, checked; a segment must be one of the community, and is told by its name."""
    check_gate(gate)
    if gate.get("kind") != "segment":
        return gate
    segment = list_segments(community).filter(pk=gate["segment"]).first()
    if segment is None:
        raise WrongGateError(reason=_NO_SEGMENT)
    return {**gate, "segment": segment.pk, "name": segment.name}


_NO_SEGMENT = Text("there is no such segment.", "没有这个人群。")


@transaction.atomic
def do_set_group(group: Group, values: dict[str, Any], *, by: str) -> Group:
    """Changes what a group is; the record keeps which values, not what they were. Raises as
    `do_found_group` does."""
    if "purpose" in values and not values["purpose"].strip():
        raise NoPurposeError
    if "gate" in values:
        values["gate"] = _settle_gate(group.community, values["gate"])
    if "nickname" in values:
        values["nickname"] = check_template(values["nickname"])
    opened_at = values.get("opens_at", group.opens_at) or group.made_at
    ends_at = values.get("ends_at", group.ends_at)
    check_life(group.blueprint, opened_at, ends_at, group.community.zone)
    known = {*_CARRIED, "name", "opens_at", "ends_at"} & set(values)
    for field in known:
        setattr(group, field, values[field])
    group.save(update_fields=sorted(known))
    record("group_changed", community=group.community_id, actor=by, group=group.pk,
           data={"fields": sorted(known)})  # fmt: skip
    return group


# coming in


def do_join(
    group: Group, member: Member, *, by: str, why: Sequence[Text] = (), text: str = ""
) -> Membership:
    """Takes a seat. Somebody who has one keeps it. What staff do passes the gate.

    Raises `BannedError`, `GroupClosedError`, `GateClosedError`, `WaitingForApprovalError` (the
    request is kept), `GroupFullError`.
    """
    there = find_membership(group, member)
    if there:
        return there
    _refuse_banned(group, member)
    if not by.startswith("staff:"):
        _pass_gate(group, member, text)
    return _take_seat(group, member, by=by, why=why)


def _refuse_banned(group: Group, member: Member) -> None:
    ban = find_ban(group.community, member)
    if ban:
        raise BannedError(why=ban.why)


def _pass_gate(group: Group, member: Member, text: str) -> None:
    if group.state not in RUNNING:
        raise GroupClosedError(group=group.name)
    if group.opens_at is not None and clock.now() < group.opens_at:
        zone = ZoneInfo(group.community.zone)
        raise NotOpenError(
            group=group.name, at=f"{group.opens_at.astimezone(zone):%Y-%m-%d %H:%M}"
        )
    approved = JoinRequest.objects.filter(group=group, member=member, state="approved").exists()
    verdict = judge_gate(
        group.gate, find_applicant(member, approved=approved, gates=[group.gate])
    )
    if verdict.waits:
        do_request(group, member, text)
        raise WaitingForApprovalError(group=group.name)
    if not verdict.admitted:
        raise GateClosedError(why=verdict.why)


@transaction.atomic
def do_request(group: Group, member: Member, text: str) -> JoinRequest:
    """Somebody asks to be let in; asking again changes nothing."""
    request, new = JoinRequest.objects.get_or_create(
        group=group, member=member, state="waiting",
        defaults={"text": text[:300], "at": clock.now()},
    )  # fmt: skip
    if new:
        record("approval_asked", community=group.community_id, actor=member.actor,
               member=member.pk, group=group.pk, data={"request": request.pk})  # fmt: skip
    return request


def _take_seat(
    group: Group, member: Member, *, by: str, why: Sequence[Text] = ()
) -> Membership:
    try:
        with transaction.atomic():
            _claim_seat(group)
            seat = Membership.objects.create(
                group=group, member=member, joined_at=clock.now(),
                why=[{"en": w.en, "zh": w.zh} for w in why],
            )  # fmt: skip
            record("member_joined", community=group.community_id, actor=by, member=member.pk,
                   group=group.pk, cause=f"join:{seat.pk}")  # fmt: skip
            _after_join(group, by="system")
            return seat
    except IntegrityError:  # the same person came twice at once: the other one has the seat
        there = find_membership(group, member)
        if there is None:
            raise
        return there


def _claim_seat(group: Group) -> None:
    """One statement decides: two who want the last seat can't both count one more."""
    free = Group.objects.filter(pk=group.pk, state__in=RUNNING, taken__lt=F("capacity"))
    if not free.update(taken=F("taken") + 1):
        group.refresh_from_db()
        if group.state not in RUNNING:
            raise GroupClosedError(group=group.name)
        raise GroupFullError(group=group.name, next=_next_words(group))
    group.refresh_from_db(fields=["taken", "capacity", "state", "successor"])


def _next_words(group: Group) -> Text:
    words = Text("“{name}” has room: join there.", "可以加入“{name}”。")
    if group.successor:
        return words.format(name=group.successor.name)
    return Text("Ask the team for another one.", "可向工作人员询问其他群。")


def _after_join(group: Group, *, by: str) -> None:
    """The row of the group is ours until the transaction ends: nobody opens a second successor."""
    if group.state == "setup":
        Group.objects.filter(pk=group.pk).update(state="growing")
        group.state = "growing"
    if wants_successor(group.taken, group.capacity) and group.successor is None:
        _follow_up(group, by=by)


@transaction.atomic
def do_open_successor(group: Group, *, by: str) -> Group:
    """The group that goes on after this one, opened by hand; raises `SuccessorThereError`, and
    `GroupClosedError` for one that is dissolved."""
    held = Group.objects.select_for_update(of=("self",)).select_related("community")
    found = held.get(pk=group.pk)
    if found.successor is not None:
        raise SuccessorThereError(group=found.name, next=found.successor.name)
    if found.state == "dissolved":
        raise GroupClosedError(group=found.name)
    return _follow_up(found, by=by)


def _follow_up(group: Group, *, by: str) -> Group:
    group.successor = _open_successor(group, by=by)
    Group.objects.filter(pk=group.pk).update(successor=group.successor)
    handed = do_hand_over(group, group.successor)
    record("successor_opened", community=group.community_id, actor=by, group=group.pk,
           data={"next": group.successor.pk, **handed})  # fmt: skip
    return group.successor


def _open_successor(group: Group, *, by: str) -> Group:
    carried = {name: getattr(group, name) for name in _CARRIED}
    name = next_name(group.name)
    return do_found_group(
        group.community, name=name, by=by, state="growing", ends_at=group.ends_at,
        opens_at=group.opens_at, blueprint=group.blueprint, **carried,
    )  # fmt: skip


def next_name(name: str) -> str:
    """“Tea” → “Tea 2” → “Tea 3”."""
    stem, _, number = name.rpartition(" ")
    if stem and number.isdecimal() and number.isascii() and len(number) < 6:
        return f"{stem} {int(number) + 1}"
    return f"{name[:70]} 2"


def do_route(
    community: Community, member: Member, *, groups: Iterable[Group] | None = None, by: str
) -> Membership:
    """Takes a seat in the best group of those given, or of all that take people.

    Raises `NoPlaceError` with what each group asks for, or as `do_join` does.
    """
    running = list_groups(community, running=True).exclude(opens_at__gt=clock.now())
    if groups is not None:
        running = running.filter(pk__in=_with_successors(groups))
    passed: set[int] = set()  # full by the time we came
    while True:
        options = list(running.exclude(pk__in=passed))
        applicant = find_applicant(member, gates=[group.gate for group in options])
        route = plan_route(map(as_option, options), applicant)
        if isinstance(route, Refusal):
            raise NoPlaceError(why=_together(route.reasons))
        group = next(g for g in options if g.pk == route.group_id)
        try:
            return do_join(group, member, by=by, why=route.reasons)
        except GroupFullError:
            passed.add(group.pk)


def _with_successors(groups: Iterable[Group]) -> set[int]:
    """The groups and all that follow them: a link to a full one leads on."""
    found: set[int] = set()
    more = {group.pk for group in groups}
    while more - found:
        found |= more
        more = set(Group.objects.filter(before__in=found).values_list("pk", flat=True))
    return found


def _together(reasons: Sequence[Text]) -> Text:
    return Text(" ".join(r.en for r in reasons), "".join(r.zh for r in reasons))


def do_decide_request(request: JoinRequest, *, approve: bool, by: str) -> Membership | None:
    """Lets somebody in, or not; raises `AlreadyDecidedError`, or as `do_join` does."""
    with transaction.atomic():
        state = "approved" if approve else "refused"
        waiting = JoinRequest.objects.filter(pk=request.pk, state="waiting")
        if not waiting.update(state=state, by=by):
            raise AlreadyDecidedError
        record("request_decided", community=request.group.community_id, actor=by,
               member=request.member_id, group=request.group_id,
               data={"request": request.pk, "approved": approve})  # fmt: skip
        request.refresh_from_db()
        return do_join(request.group, request.member, by=by) if approve else None


# going out


def do_leave(membership: Membership, *, why: str, by: str, case: int | None = None) -> None:
    """Ends a membership; why is left, removed, closed or erased. Twice is once."""
    with transaction.atomic():
        seated = Membership.objects.filter(pk=membership.pk, left_at=None)
        if not seated.update(left_at=clock.now(), left_why=why, case_id=case):
            return
        Group.objects.filter(pk=membership.group_id, taken__gt=0).update(taken=F("taken") - 1)
        kind = "member_removed" if why == "removed" else "member_left"
        record(kind, community=membership.group.community_id, actor=by,
               member=membership.member_id, group=membership.group_id,
               data={"why": why, "case": case})  # fmt: skip
    membership.refresh_from_db()


def do_reopen(membership: Membership, *, by: str) -> Membership | None:
    """A membership as if it had never ended; where the group is full, a seat in its successor;
    None where there is no group to come back to."""
    group = membership.group
    there = find_membership(group, membership.member)
    if there or group.state not in RUNNING:
        return there
    try:
        with transaction.atomic():
            _claim_seat(group)
            Membership.objects.filter(pk=membership.pk).update(
                left_at=None, left_why="", case=None
            )
            record("member_restored", community=group.community_id, actor=by,
                   member=membership.member_id, group=group.pk)  # fmt: skip
    except GroupFullError:
        if group.successor is None:
            return None
        return do_join(group.successor, membership.member, by=by)
    membership.refresh_from_db()
    return membership


@transaction.atomic
def do_close_group(group: Group, *, by: str, why: str) -> bool:
    """The group begins to say goodbye: it takes nobody any more. Whether it was running."""
    running = Group.objects.filter(pk=group.pk, state__in=RUNNING)
    if not running.update(state="closing", closing_at=clock.now()):
        return False
    group.refresh_from_db()
    record("group_closing", community=group.community_id, actor=by, group=group.pk,
           data={"why": why})  # fmt: skip
    return True


@transaction.atomic
def do_dissolve_group(group: Group, *, by: str, why: str = "") -> int:
    """Ends the group and every membership in it; how many there were."""
    now: datetime = clock.now()
    closing = Group.objects.filter(pk=group.pk).exclude(state="dissolved")
    if not closing.update(state="dissolved", closed_at=now):
        return 0
    seats = Membership.objects.filter(group=group, left_at=None).select_related("group")
    left = 0
    for seat in seats.order_by("pk"):
        do_leave(seat, why="closed", by=by)
        left += 1
    record("group_dissolved", community=group.community_id, actor=by, group=group.pk,
           data={"members": left, **({"why": why} if why else {})})  # fmt: skip
    group.refresh_from_db()
    return left


@transaction.atomic
def do_set_moderator(seat: Membership, on: bool, *, by: str) -> None:
    """Gives the powers of a moderator in the group, or takes them back; twice is once."""
    mine = Membership.objects.filter(pk=seat.pk, left_at=None)
    if mine.filter(moderator=not on).update(moderator=on):
        record("moderator_appointed" if on else "moderator_dismissed",
               community=seat.group.community_id, actor=by,
               member=seat.member_id, group=seat.group_id)  # fmt: skip
