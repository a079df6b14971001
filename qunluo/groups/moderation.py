"""Judging what is said, and taking a judgement back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max, QuerySet

from qunluo.community.models import Community, Staff
from qunluo.community.queries import settings_of
from qunluo.community.rules import Settings
from qunluo.events.actions import record
from qunluo.groups import detectors
from qunluo.groups.actions import do_leave, do_reopen
from qunluo.groups.classifier import find_model
from qunluo.groups.detectors import Around, Detector, Finding
from qunluo.groups.errors import AlreadyDecidedError, AppealedAlreadyError, NotYoursError
from qunluo.groups.ladder import LADDER, Act, Verdict, plan_act
from qunluo.groups.models import Ban, Case, Group, Membership, ModerationRule, Said, Strike
from qunluo.groups.queries import find_ban, find_membership
from qunluo.groups.talk import Example
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.models import Member

CLASSIFIER = "classifier"
RULES = (*detectors.DETECTORS, CLASSIFIER)
SHORTEST = 5  # signs
DOUBT = 0.4  # below, the classifier says nothing
LESSON = 10  # decisions
MOST_LESSONS = 2000
MINUTE = timedelta(minutes=1)
HAND = "hand"  # a moderator, among the detectors
MEMORY = timedelta(minutes=10)


@transaction.atomic
def do_ensure_rules(community: Community) -> list[ModerationRule]:
    """Every rule of a community, made where it lacks; a new one runs in shadow first."""
    Community.objects.select_for_update().get(pk=community.pk)
    there = {rule.detector for rule in ModerationRule.objects.filter(community=community)}
    ModerationRule.objects.bulk_create(
        ModerationRule(community=community, detector=name, made_at=clock.now())
        for name in RULES if name not in there
    )  # fmt: skip
    return list(ModerationRule.objects.filter(community=community).order_by("id"))


@transaction.atomic
def do_set_rule(rule: ModerationRule, *, by: str, shadow: bool | None = None,
                active: bool | None = None, options: dict[str, object] | None = None) -> None:  # fmt: skip
    """Switches a rule, or lets it act instead of only saying what it would do."""
    given = {"shadow": shadow, "active": active, "options": options}
    changed = {name: value for name, value in given.items() if value is not None}
    for name, value in changed.items():
        setattr(rule, name, value)
    if changed:
        rule.save(update_fields=list(changed))
        record("settings_changed", community=rule.community_id, actor=by, group=rule.group_id,
               data={"rule": rule.pk, "detector": rule.detector, **changed})  # fmt: skip


def list_rules(group: Group) -> list[ModerationRule]:
    """The rules of a group: its own in place of the community's of the same detector."""
    found = ModerationRule.objects.filter(community=group.community_id).order_by("id")
    all_rules = list(found) or do_ensure_rules(group.community)
    chosen = {r.detector: r for r in all_rules if r.group_id is None}
    chosen |= {r.detector: r for r in all_rules if r.group_id == group.pk}
    return [rule for rule in chosen.values() if rule.active]


# judging


def do_judge(
    group: Group, member: Member, text: str, *, message_id: int | None, now: datetime
) -> Case | None:
    """What the rules take exception to in a message, and what is done about it.

    None: nothing, or the speaker is exempt (moderators of the group, and those with enough clean
    messages). A case in shadow does nothing and says what would have been done. The caller
    hides the message and tells people, as `case.act` says.
    """
    with transaction.atomic():
        held = Member.objects.select_for_update().get(pk=member.pk)  # one message at a time
        chosen = settings_of(group.community)
        seat = find_membership(group, held)
        if is_exempt(held, seat, chosen):
            return None
        live, shadow = _findings(group, held, seat, text, now)
        _remember(group, held, text, now)
        case = _decide(group, held, text, message_id, now, live, shadow, chosen)
        if case is None:
            Member.objects.filter(pk=held.pk).update(clean_messages=F("clean_messages") + 1)
        return case


def is_exempt(member: Member, seat: Membership | None, chosen: Settings) -> bool:
    """Moderators of the group, and members who have shown over time that they mean well."""
    moderates = seat is not None and seat.moderator
    return moderates or member.clean_messages >= chosen.trusted_after


def _findings(
    group: Group, member: Member, seat: Membership | None, text: str, now: datetime
) -> tuple[list[Finding], list[Finding]]:
    """What rules in force found, and what those in shadow did."""
    around = _around(group, member, seat, text, now)
    live: list[Finding] = []
    shadow: list[Finding] = []
    for rule, finding in _run(list_rules(group), text, around):
        (shadow if rule.shadow else live).append(finding)
    return live, shadow


def _run(
    rules: Sequence[ModerationRule], text: str, around: Around
) -> Iterator[tuple[ModerationRule, Finding]]:
    for rule in rules:
        finding = _judges()[rule.detector](text, replace(around, options=rule.options))
        if finding:
            yield rule, finding


def _judges() -> dict[str, Detector]:
    return {**detectors.DETECTORS, CLASSIFIER: find_by_lesson}


def find_by_lesson(text: str, around: Around) -> Finding | None:
    """What the classifier says; short words carry too little to judge by."""
    if len(text.strip()) < SHORTEST:
        return None
    model = find_model(model_folder(), around.lessons)
    if model is None:  # the worker is making it
        return None
    score = float(model.score([text])[0])
    if score < DOUBT:
        return None
    why = Text("Reads like advertising.", "内容像广告。")
    return Finding(CLASSIFIER, score, tuple(model.words(text)), why)


def model_folder() -> Path:
    found: Path = settings.QUNLUO.data / "models"
    return found


def find_lessons(community: int) -> tuple[Example, ...]:
    """What moderators decided, in round numbers of decisions: the model is not trained anew
    after each of them."""
    counted = _decided(community).aggregate(n=Count("id"), last=Max("decided_at"))
    known = counted["n"] // LESSON * LESSON
    return _read_lessons(community, known, counted["last"]) if known else ()


def _decided(community: int) -> QuerySet[Case]:
    said = Case.objects.filter(community=community, state__in=("upheld", "undone"))
    return said.exclude(text="").exclude(decided_at=None)


@lru_cache(maxsize=32)
def _read_lessons(community: int, known: int, last: datetime) -> tuple[Example, ...]:
    rows = _decided(community).order_by("decided_at", "id").values_list("text", "state")
    return tuple(
        Example(text, state == "upheld")
        for text, state in rows[max(known - MOST_LESSONS, 0) : known]
    )


def _around(
    group: Group, member: Member, seat: Membership | None, text: str, now: datetime
) -> Around:
    said = list(Said.objects.filter(member=member, at__gt=now - MEMORY))
    same = [s for s in said if s.digest == detectors.digest(text)]
    staff = Staff.objects.filter(community=group.community_id).select_related("user")
    here = (now - seat.joined_at) / MINUTE if seat else 0.0
    return Around(
        name=(seat.nickname if seat and seat.nickname else member.name),
        staff=tuple(post.shown for post in staff), own_hosts=_own_hosts(), minutes_here=here,
        newcomer_minutes=settings_of(group.community).newcomer_hours * 60,
        said_in_minute=sum(s.group_id == group.pk and s.at > now - MINUTE for s in said),
        same_in_ten_minutes=sum(s.group_id == group.pk for s in same),
        groups_with_same=len({s.group_id for s in same} - {group.pk}),
        lessons=find_lessons(group.community_id),
    )  # fmt: skip


def _own_hosts() -> tuple[str, ...]:
    return tuple(host for host in settings.ALLOWED_HOSTS if host != "*")


def _remember(group: Group, member: Member, text: str, now: datetime) -> None:
    Said.objects.create(group=group, member=member, digest=detectors.digest(text), at=now)


def _decide(
    group: Group, member: Member, text: str, message_id: int | None, now: datetime,
    live: list[Finding], shadow: list[Finding], chosen: Settings,
) -> Case | None:  # fmt: skip
    strikes = count_strikes(member, now)
    verdict = _plan(live, strikes, chosen)
    in_shadow = verdict.act == "none"
    if in_shadow:
        verdict = _plan(live + shadow, strikes, chosen)
    if verdict.act == "none":
        return None
    case = _open_case(group, member, text, message_id, now, verdict, in_shadow)
    if not in_shadow:
        _carry_out(case, chosen, now)
    return case


def _plan(findings: list[Finding], strikes: int, chosen: Settings) -> Verdict:
    return plan_act(
        findings, strikes=strikes, remind_at=chosen.remind_at, remove_at=chosen.remove_at
    )


def count_strikes(member: Member, now: datetime) -> int:
    """Strikes that still count."""
    return Strike.objects.filter(member=member, lifted_at=None, expires_at__gt=now).count()


def _open_case(
    group: Group, member: Member, text: str, message_id: int | None, now: datetime,
    verdict: Verdict, shadow: bool,
) -> Case:  # fmt: skip
    by = f"rule:{verdict.findings[0].detector}"
    case = Case.objects.create(
        community_id=group.community_id, group=group, member=member, message_id=message_id,
        text=text, score=verdict.score, evidence=[f.as_json() for f in verdict.findings],
        act=verdict.act, shadow=shadow, by=by, at=now,
    )  # fmt: skip
    record("case_opened", community=group.community_id, actor=by, member=member.pk,
           group=group.pk, data={"case": case.pk, "act": case.act, "shadow": shadow,
                                 "message": message_id})  # fmt: skip
    return case


def _carry_out(case: Case, chosen: Settings, now: datetime) -> None:
    """The strike, and the door where the act says so."""
    if case.act not in LADDER:
        return
    until = now + timedelta(days=chosen.strike_days)
    Strike.objects.create(member=case.member, case=case, at=now, expires_at=until)
    Member.objects.filter(pk=case.member_id).update(clean_messages=0)
    if case.act in ("remove", "ban"):
        _remove(case)
    if case.act == "ban":
        _ban(case, now)


def _remove(case: Case) -> None:
    """Out of the group; a ban, out of all groups."""
    seats = Membership.objects.filter(member=case.member_id, left_at=None)
    if case.act == "remove":
        seats = seats.filter(group=case.group_id)
    for seat in seats.select_related("group").order_by("pk"):
        do_leave(seat, why="removed", by=case.by, case=case.pk)


def _ban(case: Case, now: datetime) -> None:
    why = (find_why(case) or Text(case.why, case.why)).zh[:200]
    Ban.objects.get_or_create(
        community_id=case.community_id, member=case.member, lifted_at=None,
        defaults={"case": case, "why": why, "by": case.by, "at": now},
    )  # fmt: skip


def find_why(case: Case) -> Text | None:
    """The surest evidence in words; None for what a moderator decided, whose reasons are for the
    record and not for the group."""
    if not case.evidence or case.evidence[0]["detector"] == HAND:
        return None
    return Text(**case.evidence[0]["why"])


def do_act(
    group: Group, member: Member, act: Act, *, by: str, why: str, text: str = "",
    message_id: int | None = None,
) -> Case:  # fmt: skip
    """What a moderator does by hand: a case like any other, with strike, undo and appeal."""
    now = clock.now()
    with transaction.atomic():
        finding = Finding(HAND, 1.0, (), Text(why, why))
        case = Case.objects.create(
            community_id=group.community_id, group=group, member=member, message_id=message_id,
            text=text, score=1.0, evidence=[finding.as_json()], act=act, by=by, at=now, why=why,
        )  # fmt: skip
        record("case_opened", community=group.community_id, actor=by, member=member.pk,
               group=group.pk, data={"case": case.pk, "act": act, "message": message_id})  # fmt: skip
        _carry_out(case, settings_of(group.community), now)
        return case


# taking it back


def do_uphold_case(case: Case, *, by: str, why: str) -> None:
    """A moderator agrees with what was done; the classifier learns from it."""
    decided = Case.objects.filter(pk=case.pk, state="open")
    if not decided.update(state="upheld", decided_by=by, decided_at=clock.now(), why=why):
        raise AlreadyDecidedError
    record("case_upheld", community=case.community_id, actor=by, member=case.member_id,
           group=case.group_id, data={"case": case.pk})  # fmt: skip
    case.refresh_from_db()


@transaction.atomic
def do_undo_case(case: Case, *, by: str, why: str) -> list[Membership]:
    """Takes back all that a case did: strike, ban and removal; the memberships given back.

    Raises `AlreadyDecidedError` where it is undone already. The caller shows the message again.
    """
    standing = Case.objects.filter(pk=case.pk).exclude(state="undone")
    now = clock.now()
    if not standing.update(state="undone", decided_by=by, decided_at=now, why=why):
        raise AlreadyDecidedError
    Strike.objects.filter(case=case, lifted_at=None).update(lifted_at=now)
    Ban.objects.filter(case=case, lifted_at=None).update(lifted_at=now)
    given_back = _restore(case, by)
    record("case_undone", community=case.community_id, actor=by, member=case.member_id,
           group=case.group_id, data={"case": case.pk, "why": why,
                                      "message": case.message_id})  # fmt: skip
    case.refresh_from_db()
    return given_back


def _restore(case: Case, by: str) -> list[Membership]:
    """Their seats again, unless another case of theirs took them away for good."""
    if find_ban(case.community, case.member):
        return []
    ended = Membership.objects.filter(case=case).exclude(left_at=None).select_related("group")
    found = [do_reopen(seat, by=by) for seat in ended.order_by("pk")]
    return [seat for seat in found if seat]


def do_appeal(case: Case, text: str, *, member: Member) -> None:
    """Somebody says that it was wrong; raises `NotYoursError`, `AppealedAlreadyError`."""
    if case.member_id != member.pk:
        raise NotYoursError
    with transaction.atomic():
        open_to = Case.objects.filter(
            pk=case.pk, appealed_at=None, shadow=False, state__in=("open", "upheld")
        )
        if not open_to.update(state="appealed", appeal=text[:2000], appealed_at=clock.now()):
            raise AppealedAlreadyError
        record("case_appealed", community=case.community_id, actor=member.actor,
               member=member.pk, group=case.group_id, data={"case": case.pk})  # fmt: skip
    case.refresh_from_db()


def do_decide_appeal(case: Case, *, uphold: bool, by: str, why: str) -> list[Membership]:
    """Answers an appeal: the act stands, or all of it is undone."""
    if not uphold:
        return do_undo_case(case, by=by, why=why)
    with transaction.atomic():
        appealed = Case.objects.filter(pk=case.pk, state="appealed")
        if not appealed.update(state="upheld", decided_by=by, decided_at=clock.now(), why=why):
            raise AlreadyDecidedError
        record("appeal_refused", community=case.community_id, actor=by, member=case.member_id,
               group=case.group_id, data={"case": case.pk, "why": why})  # fmt: skip
    case.refresh_from_db()
    return []
