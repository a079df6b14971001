"""What was done for members before the sample community begins to live: orders and promises,
wishes, gatherings, testimonies, patrols and incidents. By the doors that people use, each at the
time when it happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from qunluo.care import gatherings, incidents, patrols, promises, testimonies, wishes
from qunluo.care.handbook import PHASES, find_trigger, list_steps
from qunluo.care.models import Gathering, Incident, Wish
from qunluo.care.rules import Sign
from qunluo.community.models import Community, Staff
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.living import care_script as script
from qunluo.living.clocks import ZONE
from qunluo.living.rhythm import moments
from qunluo.members.models import Member
from qunluo.standing.orders import do_note_order, do_note_refund

DAYS = 20  # that this goes back
BUYERS = 0.3  # of the members
PATROLLED_DAYS = 6


@dataclass
class Past:
    """Who is there, and a source of chance."""

    community: Community
    random: Random
    now: datetime = field(default_factory=clock.now)
    since: dict[int, datetime] = field(default_factory=dict)  # member → joined first
    members: dict[int, Member] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Members who are in a group; nothing is done of somebody before they came."""
        rows = Membership.objects.filter(
            group__community=self.community, left_at=None, member__simulated=True,
            member__erased_at=None,
        )  # fmt: skip
        for seat in rows.select_related("member").order_by("pk"):
            self.members[seat.member_id] = seat.member
            joined = self.since.get(seat.member_id, seat.joined_at)
            self.since[seat.member_id] = min(joined, seat.joined_at)

    def ago(self, days: float, hour: int | None = None) -> datetime:
        """So many days before (negative: after); at a local hour, where one is named."""
        at = self.now - timedelta(days=days)
        if hour is None:
            return at
        local = at.astimezone(ZONE).replace(hour=hour, minute=0, second=0, microsecond=0)
        return local.astimezone(self.now.tzinfo)

    def some(self, n: int, at: datetime) -> list[Member]:
        """So many who were there, chosen by chance."""
        there = [pk for pk, since in sorted(self.since.items()) if since < at]
        return [self.members[pk] for pk in self.random.sample(there, min(n, len(there)))]

    def posts(self) -> list[Staff]:
        """The staff; those who serve, not the owner."""
        rows = list(Staff.objects.filter(community=self.community).order_by("pk"))
        return rows[1:] or rows

    def group(self, name: str) -> Group | None:
        rows = Group.objects.filter(community=self.community, name=name)
        return rows.order_by("pk").first()


@contextmanager
def at_the_time(at: datetime) -> Iterator[datetime]:
    """The clock stands there."""
    with clock.use(clock.faster(0, at)):
        yield at


def was_cared_for(community: Community) -> bool:
    return (
        Wish.objects.filter(community=community).exists()
        or Gathering.objects.filter(community=community).exists()
    )


def found_care(community: Community, random: Random) -> None:
    """Once for a community; nothing where there are wishes or gatherings already."""
    past = Past(community, random)
    if was_cared_for(community) or not past.members or not past.posts():
        return
    steps: tuple[Callable[[Past], None], ...] = (
        _sell, _promise, _wish, _gather, _testify, _patrol, _have_incidents,
    )  # fmt: skip
    for step in steps:
        step(past)


# orders and promises


def _sell(past: Past) -> None:
    """Some buy again and again; one order in thirty is given back."""
    number = 0
    for member in past.some(round(len(past.members) * BUYERS), past.now):
        pace = past.random.choice((0.05, 0.1, 0.2, 0.35))  # orders a day
        since = max(past.since[member.pk], past.ago(DAYS))
        for at in moments(past.random, since, past.now, pace):
            number += 1
            _order(past, member, f"S{number:05d}", at)
            if number % 30 == 0:
                do_note_refund(
                    past.community, order=f"S{number:05d}", refunded_at=past.now,
                    amount_minor=script.PRICE,
                )  # fmt: skip


def _order(past: Past, member: Member, number: str, at: datetime) -> None:
    items = past.random.sample(script.GOODS, past.random.choice((1, 1, 2, 3)))
    do_note_order(
        past.community, order=number, member=member, paid_at=at, items=items,
        amount_minor=script.PRICE * len(items), store=past.random.choice(script.STORES),
    )  # fmt: skip


def _promise(past: Past) -> None:
    """Members with a plan were promised a word now and then; to some it was given."""
    posts = past.posts()
    for k, member in enumerate(past.some(len(script.PROMISES), past.ago(14))):
        what, every, spoken = script.PROMISES[k]
        post = posts[k % len(posts)]
        with at_the_time(past.ago(14, 11)) as at:
            promises.do_promise(
                member, every_days=every, what=what, staff=post, by=post.actor,
                since=at.astimezone(ZONE).date(),
            )  # fmt: skip
        if spoken:
            with at_the_time(past.ago(spoken, 15)):
                promises.do_note_exchange(
                    member, past.random.choice(script.EXCHANGES), by=post.actor
                )


# wishes


def _wish(past: Past) -> None:
    made: dict[str, Wish] = {}
    for wanted in script.WISHES:
        with at_the_time(past.ago(wanted.days, 12)) as at:
            first, *others = past.some(1 + wanted.votes, at)
            wish = wishes.do_make_wish(
                past.community, title=wanted.title, text=wanted.text, member=first,
                by=first.actor,
            )  # fmt: skip
            for member in others:
                wishes.do_vote(wish, member, by=member.actor)
        made[wanted.title] = wish
    by = past.posts()[0].actor
    for kept, gone in script.SAME:
        with at_the_time(past.ago(7, 11)):
            wishes.do_merge_wishes(made[kept], made[gone], by=by)
    for title, kind, answer, days in script.ANSWERED:
        with at_the_time(past.ago(days, 11)):
            wishes.do_answer_wish(made[title], kind, answer, by=by)


# gatherings


def _gather(past: Past) -> None:
    for planned in script.GATHERINGS:
        _hold(past, planned)


def _hold(past: Past, planned: script.Planned) -> None:
    post, began = past.posts()[0], past.ago(-planned.days, planned.hour)
    plan = gatherings.Plan(
        title=planned.title, text=planned.text, place=planned.place, online=planned.online,
        capacity=planned.capacity, starts_at=began, ends_at=began + timedelta(hours=2),
        follow_up=script.FOLLOW_UP, missed_you=script.MISSED_YOU,
    )  # fmt: skip
    told = min(past.now, began - timedelta(days=6)) - timedelta(hours=1)
    with at_the_time(told):
        gathering = gatherings.do_plan_gathering(past.community, plan, by=post.actor)
    with at_the_time(min(past.now, told + timedelta(days=1))) as at:
        guests = past.some(planned.guests, at)
        for member in guests:
            gatherings.do_sign_up(gathering, member, by=member.actor)
    if began < past.now:
        with at_the_time(began + timedelta(minutes=10)):
            for member in guests[: planned.came]:
                gatherings.do_note_attendance(gathering, member, by=post.actor)


# testimonies


def _testify(past: Past) -> None:
    post = past.posts()[0]
    for text, days, decision in script.TESTIMONIES:
        with at_the_time(past.ago(days, 18)) as at:
            member = past.some(1, at)[0]
            told = testimonies.do_offer_testimony(member, text, may_show=True)
        with at_the_time(past.ago(days - 0.5)):
            if decision == "approved":
                testimonies.do_approve_testimony(told, by=post.actor)
            elif decision:
                testimonies.do_refuse_testimony(told, why=decision, by=post.actor)


# patrols and incidents


def _patrol(past: Past) -> None:
    """Two rounds a day; who goes round in the evening missed one."""
    slots = []
    for post, (since, until, days) in zip(past.posts(), script.ROTA, strict=False):
        with at_the_time(past.ago(PATROLLED_DAYS + 2)):
            slots.append(
                patrols.do_make_slot(past.community, staff=post, groups=(), days=days,
                                     since=since, until=until, by=post.actor)
            )  # fmt: skip
    for planned in patrols.list_planned(past.community, past.now, back=PATROLLED_DAYS):
        began = planned.round.begins
        if planned.slot in slots and began < past.now and planned.round.on.day % 5:
            _go_round(planned, began + timedelta(minutes=25), past)


def _go_round(planned: patrols.Planned, at: datetime, past: Past) -> None:
    post = planned.slot.staff
    checks = patrols.list_checks(planned.slot, past.community.lang)
    with at_the_time(min(at, past.now)):
        patrols.do_note_patrol(
            planned.slot, planned.round.on, ticked=checks, note=past.random.choice(script.NOTES),
            by=post.actor if post else "system",
        )  # fmt: skip


def _have_incidents(past: Past) -> None:
    for told in script.INCIDENTS:
        post, group = past.posts()[0], past.group(told.group)
        with at_the_time(past.ago(told.days)):
            incident = incidents.do_open_incident(
                past.community, "hand", Sign(Text(told.why, told.why), {}), group=group,
                by=post.actor,
            )  # fmt: skip
        _work(past, incident, told.notes, post)
        if told.outcome:
            with at_the_time(past.ago(told.days) + timedelta(hours=20)):
                incidents.do_handle_incident(incident, by=post.actor)
                incidents.do_close_incident(incident, told.outcome, by=post.actor)


def _work(past: Past, incident: Incident, notes: Sequence[str], post: Staff) -> None:
    """Somebody takes it, notes what they find, and ticks off what the script says."""
    at = incident.at + timedelta(minutes=12)
    with at_the_time(min(at, past.now)):
        incidents.do_own_incident(incident, post, by=post.actor)
        for note in notes:
            incidents.do_note_incident(incident, note, by=post.actor)
        trigger, lang = find_trigger(past.community, incident.kind), past.community.lang
        for phase in PHASES[:2]:
            for step in list_steps(trigger, phase, lang)[:1]:
                incidents.do_tick_step(
                    incident, step.key, True, words=step.words, by=post.actor
                )
