"""A community in which care has much to do, with names that mean harm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta

from qunluo.care.gatherings import Plan, do_plan_gathering, do_sign_up
from qunluo.care.incidents import do_note_incident, do_open_incident
from qunluo.care.introductions import make_token
from qunluo.care.models import Gathering, Incident, Introduction, Promise, Wish
from qunluo.care.patrols import do_make_slot
from qunluo.care.promises import do_promise
from qunluo.care.rules import Sign
from qunluo.care.tasks import follow_talk
from qunluo.care.testimonies import do_approve_testimony, do_offer_testimony
from qunluo.care.wishes import do_answer_wish, do_make_wish, do_merge_wishes, do_vote
from qunluo.community.models import Community
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.models import Member
from qunluo.messaging.actions import do_post
from tests.cast import make_group, make_member

HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}很长很长的名字"
WISHES = ("小一点的茶壶", "Could the pot be smaller?", "周末的品茶会", HOSTILE)


@dataclass(frozen=True)
class Filled:
    """What the addresses of pages name."""

    group: Group
    member: Member
    wish: Wish
    incident: Incident
    gathering: Gathering
    token: str  # of an introduction that waits for the member's answer


def fill(community: Community) -> Filled:
    """Everything of care at once: open, answered, merged, missed, late, waiting."""
    staff = community.staff.get()
    group = make_group(community, "品茶群")
    people = [_seat(group, name) for name in ("Bob", "陈小雨", HOSTILE)]
    bob = people[0]
    wishes = [do_make_wish(community, title=t, member=bob, by=bob.actor) for t in WISHES]
    for member in people:
        do_vote(wishes[0], member, by=member.actor)
    do_merge_wishes(wishes[0], wishes[1], by=staff.actor)
    answered = do_make_wish(community, title="包邮", member=bob, by=bob.actor)
    do_answer_wish(answered, "no", "邮费由快递公司收取，我们改为满 99 包邮。", by=staff.actor)
    for member, text in zip(
        people, ("希望有小茶壶套装", "求出小茶壶套装", HOSTILE), strict=True
    ):
        do_post(group, text=text, member=member, label="member")
    do_post(group, text="再不退款我要投诉了", member=people[1], label="member")
    while follow_talk():
        pass
    sign = Sign(Text(HOSTILE, HOSTILE), {})
    incident = do_open_incident(community, "hand", sign, group=group, by=staff.actor)
    do_note_incident(incident, "called the shop " + HOSTILE, by=staff.actor)
    _plan(community, group, people)
    token = _introduce(community, group, bob, people[2])
    return Filled(group, bob, wishes[0], incident, Gathering.objects.latest("pk"), token)


def _introduce(community: Community, group: Group, one: Member, other: Member) -> str:
    reasons = [{"en": f"Both: {HOSTILE}", "zh": f"都喜欢：{HOSTILE}"}]
    asked = Introduction.objects.create(
        community=community, group=group, one=one, other=other, score=1.0, reasons=reasons,
        state="asked", note=HOSTILE, suggested_at=clock.now(),
        expires_at=clock.now() + timedelta(days=7),
    )  # fmt: skip
    return make_token(asked, one)


def _seat(group: Group, name: str) -> Member:
    member = make_member(group.community, name)
    Membership.objects.create(group=group, member=member, joined_at=clock.now())
    return member


def _plan(community: Community, group: Group, people: list[Member]) -> None:
    staff, now = community.staff.get(), clock.now()
    with clock.use(clock.faster(0, now - timedelta(days=3))):
        for since, until in ((0, 23), (9, 10)):
            do_make_slot(community, staff=staff, groups=[group], days=list(range(7)),
                         since=time(since), until=time(until, 59), by=staff.actor)  # fmt: skip
    for member in people:
        do_promise(member, every_days=14, what=f"年度会员 {member.name}"[:60], staff=staff,
                   by=staff.actor)  # fmt: skip
    Promise.objects.filter(member=people[1]).update(since=date(2020, 1, 1))
    for member in people:
        offered = do_offer_testimony(
            member,
            f"茶香很足，{member.name} 会回购。",
            may_show=True,
            group=group,
            order="A-17",
        )
    do_approve_testimony(offered, by=staff.actor)
    start = now + timedelta(minutes=30)
    gathering = do_plan_gathering(
        community,
        Plan(title="春茶品鉴会", place="静安区南京西路 100 号 3 楼", starts_at=start,
             ends_at=start + timedelta(hours=2), capacity=2, text="带上你的杯子。",
             follow_up="谢谢你来。", missed_you="下次见。"),
        by=staff.actor,
    )  # fmt: skip
    for member in people:
        do_sign_up(gathering, member, by=member.actor)
