"""What the console's first page tells: counted from the rows, put into one sentence."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from qunluo.community.models import Community
from qunluo.groups.models import Case, Group, JoinRequest, Membership
from qunluo.messaging.models import Delivery, Message, Question

DAYS = 14
WEEK = timedelta(days=7)
FULL = 0.9
ENDING = timedelta(days=7)
SHOWN = 50
FEW = 20  # members; below, one person more is a leap of percents
NEW = timedelta(days=3)
OVER = ("closing", "dissolved")


@dataclass(frozen=True)
class Pulse:
    """A week against the one before: members who spoke, of those who were in a group at some
    time of it. `compared`: there was a whole week before."""

    spoke: int
    spoke_before: int
    members: int
    joined: int
    silent: int
    compared: bool = True


@dataclass(frozen=True)
class Strip:
    """A group as a small picture: messages a day, and how it is with its reason."""

    group: Group
    days: tuple[int, ...]
    health: str  # good, watch, bad
    why: str

    @property
    def points(self) -> str:
        """The days as points of an SVG polyline, 100 wide and 24 high."""
        most = max(*self.days, 1)
        step = 100 / max(len(self.days) - 1, 1)
        return " ".join(
            f"{n * step:.1f},{23 - 22 * v / most:.1f}" for n, v in enumerate(self.days)
        )

    @property
    def messages(self) -> int:
        return sum(self.days)


def count_pulse(community: Community, now: datetime) -> Pulse:
    said = Message.objects.filter(group__community=community, label="member", recalled_at=None)
    seats = Membership.objects.filter(group__community=community)
    this, last = (now - WEEK, now), (now - 2 * WEEK, now - WEEK)
    talking = said.filter(at__range=this).order_by().values("group").distinct()
    running = running_groups(community).filter(made_at__lt=now - WEEK)
    here = seats.filter(Q(left_at=None) | Q(left_at__gte=now - WEEK))
    old = Group.objects.filter(community=community, made_at__lte=now - 2 * WEEK)
    return Pulse(
        spoke=said.filter(at__range=this).order_by().values("member").distinct().count(),
        spoke_before=said.filter(at__range=last).order_by().values("member").distinct().count(),
        members=here.order_by().values("member").distinct().count(),
        joined=seats.filter(joined_at__range=this, left_at=None)
        .order_by()
        .values("member")
        .distinct()
        .count(),
        silent=running.exclude(pk__in=talking).count(),
        compared=old.exists(),
    )


def running_groups(community: Community) -> QuerySet[Group]:
    return Group.objects.filter(community=community).exclude(state__in=OVER)


def say_verdict(pulse: Pulse) -> str:
    """The week in one sentence, true to the counts; where they carry no percentage or no
    comparison, there is none."""
    members = max(pulse.members, pulse.spoke)  # who spoke was here
    if not members:
        return _("Nobody is here yet. Share a group's link, and they come.")
    parts = [_say_share(pulse.spoke, members), _say_turn(pulse)]
    if pulse.joined:
        parts.append(_("{n} joined").format(n=pulse.joined))
    words = _(", ").join(parts)
    if pulse.silent:
        silent = ngettext("{n} group went silent", "{n} groups went silent", pulse.silent)
        words += _("; ") + silent.format(n=pulse.silent)
    return words + _(".")


def _say_share(spoke: int, members: int) -> str:
    if members < FEW:
        words = ngettext("This week {spoke} of {n} member spoke",
                         "This week {spoke} of {n} members spoke", members)  # fmt: skip
        return words.format(spoke=spoke, n=members)
    share = round(100 * spoke / members)
    words = _("This week {share} % of {members} members spoke ({spoke})")
    return words.format(share=share, members=members, spoke=spoke)


def _say_turn(pulse: Pulse) -> str:
    ahead = pulse.spoke - pulse.spoke_before
    if not pulse.compared:
        return _("too early to compare with a week before")
    if ahead > 0:
        return _("{n} more than the week before").format(n=ahead)
    if ahead < 0:
        return _("{n} fewer than the week before").format(n=-ahead)
    return _("as many as the week before")


def list_strips(community: Community, now: datetime, limit: int = SHOWN) -> list[Strip]:
    """The running groups with their last 14 days, those that need a look first."""
    groups = list(running_groups(community).order_by("-id")[:limit])
    counts = count_days(groups, now)
    strips = [make_strip(group, counts[group.pk], now) for group in groups]
    order = {"bad": 0, "watch": 1, "good": 2}
    return sorted(strips, key=lambda s: (order[s.health], -s.messages, s.group.pk))


def count_days(groups: list[Group], now: datetime) -> dict[int, dict[object, int]]:
    """Messages of members a local day, by group."""
    found: dict[int, dict[object, int]] = defaultdict(dict)
    rows = (
        Message.objects.filter(group__in=groups, label="member", recalled_at=None,
                               at__gte=now - timedelta(days=DAYS))
        .order_by().values("group", day=TruncDate("at")).annotate(count=Count("pk"))
    )  # fmt: skip
    for row in rows:
        found[row["group"]][row["day"]] = row["count"]
    return found


def make_strip(group: Group, counts: dict[object, int], now: datetime) -> Strip:
    today = timezone.localtime(now).date()
    days = tuple(counts.get(today - timedelta(days=DAYS - 1 - n), 0) for n in range(DAYS))
    health, why = judge_health(group, days, now)
    return Strip(group, days, health, why)


def judge_health(group: Group, days: tuple[int, ...], now: datetime) -> tuple[str, str]:
    """How a group is (good, watch, bad), and the reason in words."""
    full = 0 < FULL * group.capacity <= group.taken
    if group.state in OVER:
        return "watch", _("closing") if group.state == "closing" else _("dissolved")
    if group.made_at > now - NEW and not full:
        return "good", _("new")
    if not group.taken:
        return "watch", _("nobody joined yet")
    if not sum(days[7:]):
        old = group.made_at <= now - WEEK
        return ("bad", _("not a word in 7 days")) if old else ("watch", _("not a word yet"))
    if full:
        words = _("{percent} % full")
        return "watch", words.format(percent=100 * group.taken // group.capacity)
    return _judge_words(sum(days[7:]), sum(days[:7]))


def _judge_words(this: int, before: int) -> tuple[str, str]:
    said = ngettext("{n} message this week", "{n} messages this week", this).format(n=this)
    if 2 * this < before:
        words = _("{this}, {before} the week before")
        return "watch", words.format(this=said, before=before)
    return "good", said


def count_days_left(group: Group, now: datetime) -> int | None:
    """Whole days until a running group ends; none where it does not."""
    if group.ends_at is None or group.state in OVER:
        return None
    return max((group.ends_at - now).days, 0)


@dataclass(frozen=True)
class Todo:
    """Something to decide now: what, how urgent, and where it is done."""

    kind: str
    words: str
    about: str
    to: str
    target: int | None = None
    minutes: int | None = None

    @property
    def late(self) -> bool:
        return self.minutes is not None and self.minutes < 0


def list_questions_left(community: Community, now: datetime) -> list[Todo]:
    rows = Question.objects.filter(community=community, answered_at=None, closed_why="")
    rows = rows.select_related("message__group", "member").order_by("due_at")[:5]
    return [
        Todo("question", row.message.text[:80], f"{row.member.name} · {row.message.group.name}",
             "people:inbox", minutes=int((row.due_at - now).total_seconds() // 60))
        for row in rows
    ]  # fmt: skip


def list_requests_left(community: Community) -> list[Todo]:
    rows = JoinRequest.objects.filter(group__community=community, state="waiting")
    return [
        Todo("request", row.text or _("wants to join"), f"{row.member.name} · {row.group.name}",
             "console:group", row.group_id)
        for row in rows.select_related("group", "member").order_by("id")[:5]
    ]  # fmt: skip


def list_cases_left(community: Community) -> list[Todo]:
    rows = Case.objects.filter(
        community=community, shadow=False, state__in=("appealed", "open")
    )
    return [
        Todo("appeal" if row.state == "appealed" else "case", (row.appeal or row.text)[:80],
             f"{row.member.name} · {row.group.name}", "people:cases")
        for row in rows.select_related("group", "member").order_by("state", "-id")[:5]
    ]  # fmt: skip


def list_groups_left(community: Community, now: datetime) -> list[Todo]:
    found = []
    for group in running_groups(community).order_by(F("ends_at").asc(nulls_last=True), "id"):
        if group.ends_at is not None and group.ends_at < now + ENDING:
            days = max((group.ends_at - now).days, 0)
            words = ngettext("ends in {n} day", "ends in {n} days", days)
            left = words.format(n=days) if days else _("ends within a day")
            found.append(Todo("group", left, group.name, "console:group", group.pk))
        elif group.taken >= FULL * group.capacity and group.successor_id is None:
            full = _("{taken} of {capacity} seats are taken")
            words = full.format(taken=group.taken, capacity=group.capacity)
            found.append(Todo("group", words, group.name, "console:group", group.pk))
    return found[:5]


def list_today(community: Community, now: datetime) -> list[Delivery]:
    """What goes out until the end of the local day, in its order."""
    tomorrow = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Delivery.objects.filter(community=community, state="planned")
    rows = rows.filter(due_at__lt=tomorrow + timedelta(days=1))
    return list(rows.select_related("group", "member").order_by("due_at", "id")[:20])
